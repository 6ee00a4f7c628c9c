//! CPU per chain by people and by rules.

use serde_json::{Value, json};

use crate::drive::drive;
use crate::lab::Lab;
use crate::measure::median;
use crate::process::Cores;
use crate::tools::Tools;

/// People whose chains are measured, whatever the size of the organisation.
const MEASURED: usize = 300;
/// People in one document.
const AT_ONCE: usize = 10_000;
/// The larger number of rules.
pub(crate) const RULES: usize = 1000;

pub(crate) async fn run(tools: &Tools) -> anyhow::Result<()> {
    let sizes = [10, tools.most_people.min(1000), tools.most_people];
    let mut figures: Vec<(String, f64)> = Vec::new();
    for size in sizes {
        let lab = Lab::start(&tools.lanyard, Cores::First, &["--people".to_owned(), "10".to_owned()]).await?;
        for first in (0..size).step_by(AT_ONCE) {
            lab.apply(&people(first..size.min(first + AT_ONCE)))?;
        }
        figures.push((format!("{size} people"), figure(&lab, tools).await?));
        if size == sizes.get(1).copied().unwrap_or(0) {
            lab.apply(&rules(RULES))?;
            figures.push((format!("{size} people, {RULES} more rules"), figure(&lab, tools).await?));
        }
    }
    let least = figures.iter().map(|(_, figure)| *figure).fold(f64::INFINITY, f64::min);
    for (what, figure) in figures {
        println!("{what}: {figure:.0} µs of CPU per chain");
        let what = format!("chain at {what}, against the smallest");
        tools.table.at_most(&what, "×", 1.15, figure / least);
    }
    Ok(())
}

async fn figure(lab: &Lab, tools: &Tools) -> anyhow::Result<f64> {
    let id_tokens = lab.id_tokens(MEASURED)?;
    // As many chains whatever the size, so that the figures are of equal weight.
    let repeated: Vec<String> = id_tokens.iter().cycle().take(MEASURED).cloned().collect();
    let target = lab.target("growth")?;
    let mut figures = Vec::new();
    for round in 0..=tools.rounds {
        let done = drive(&target, &repeated).await?;
        if round > 0 {
            figures.push(done.cpu_micros());
        }
    }
    Ok(median(figures))
}

/// People without passwords: their sessions are made in the lab.
fn people(range: std::ops::Range<usize>) -> Value {
    let users: Vec<Value> = range
        .map(|n| json!({ "username": format!("grown{n:06}"), "groups": ["employees", "engineering"] }))
        .collect();
    json!({ "users": users })
}

/// Rules for the same people and connectors, so that each could matter.
pub(crate) fn rules(count: usize) -> Value {
    let connectors = ["asana", "atlassian", "canva", "figma", "granola", "linear", "supabase"];
    let rules: Vec<Value> = connectors
        .into_iter()
        .cycle()
        .take(count)
        .enumerate()
        .map(|(n, connector)| {
            json!({
                "title": format!("rule {n}"), "groups": ["engineering"], "clients": "all",
                "connectors": [connector], "scopes": "all",
            })
        })
        .collect();
    json!({ "rules": rules })
}
