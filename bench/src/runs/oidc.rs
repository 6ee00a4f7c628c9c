//! A sign-in at an upstream OpenID provider: our own CPU from the first request to the redeemed code. The provider is
//! another Lanyard on the other core, whose CPU does not count.

use std::time::Instant;

use serde_json::json;

use crate::browser;
use crate::measure::{Latencies, median, to_f64, used};
use crate::process::Cores;
use crate::serve::{CLIENT, Site};
use crate::tools::Tools;

/// People who sign in in one round.
const PEOPLE: usize = 60;
const UPSTREAM: &str = "upstream";

pub(crate) async fn run(tools: &Tools) -> anyhow::Result<()> {
    let (provider, front) = (Site::new()?, Site::new()?);
    let (_server, _) = provider.start_on(&tools.lanyard, Cores::Second).await?;
    provider.populate(&tools.lanyard, PEOPLE, PEOPLE)?;
    let (server, _) = front.start(&tools.lanyard).await?;
    // Nobody is there before: people are made when they arrive.
    front.populate(&tools.lanyard, 0, 0)?;
    let (client, secret) = CLIENT;
    provider.apply(
        &tools.lanyard,
        &json!({ "clients": [Site::client("idp", &[
            browser::CALLBACK, &format!("{}/upstream/{UPSTREAM}/callback", front.issuer()),
        ])] }),
    )?;
    front.apply(
        &tools.lanyard,
        &json!({ "identity_providers": [{
            "name": UPSTREAM, "just_in_time": true, "oidc": {
                "issuer": provider.issuer(), "client_id": client, "client_secret": secret,
                "scopes": "openid profile email", "algorithms": ["ES256"],
            },
        }] }),
    )?;
    let mut figures = Vec::new();
    for round in 0..=tools.rounds {
        let before = used(server.pid()).cpu;
        let mut took = Vec::new();
        for n in 0..PEOPLE {
            let began = Instant::now();
            front.sign_in_at(UPSTREAM, n).await?;
            took.push(began.elapsed());
        }
        let each = (used(server.pid()).cpu.saturating_sub(before)).as_secs_f64() * 1000.0 / to_f64(PEOPLE);
        println!(
            "round {round}: {each:.2} ms of CPU each, with the provider {}",
            Latencies::new(took)
        );
        if round > 0 {
            figures.push(each);
        }
    }
    tools.table.at_most(
        "sign-in at an upstream OpenID provider, own CPU with signatures",
        "ms",
        3.0,
        median(figures),
    );
    Ok(())
}
