//! The chain on PostgreSQL, database and server on the same two cores as the generator.

use crate::drive::drive;
use crate::lab::Lab;
use crate::measure::median;
use crate::postgres::Postgres;
use crate::process::Cores;
use crate::tools::Tools;

pub(crate) async fn run(tools: &Tools) -> anyhow::Result<()> {
    let own = match &tools.postgres {
        Some(_) => None,
        None => Some(Postgres::start().await?),
    };
    let url = match (&tools.postgres, &own) {
        (Some(url), _) => url.clone(),
        (None, Some(own)) => own.url(),
        (None, None) => String::new(),
    };
    let people = (tools.people / 4).max(1);
    let arguments = ["--people", &people.to_string(), "--store", &url].map(str::to_owned);
    let lab = Lab::start(&tools.lanyard, Cores::All, &arguments).await?;
    let id_tokens = lab.id_tokens(people)?;
    let target = lab.target("lanyard on PostgreSQL")?;
    let mut rates = Vec::new();
    for round in 0..=tools.rounds {
        let done = drive(&target, &id_tokens).await?;
        done.tell(&format!("{}, round {round}", target.name));
        if round > 0 {
            rates.push(done.rate());
        }
    }
    tools
        .table
        .at_least("chains on PostgreSQL, same two cores", "/s", 1500.0, median(rates));
    Ok(())
}
