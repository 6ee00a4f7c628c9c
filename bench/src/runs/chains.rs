//! One chain against the floor and the peers in the same run, the cold organisation, and a fixed rate.

use std::rc::Rc;

use crate::drive::{drive, open_loop};
use crate::lab::Lab;
use crate::measure::median;
use crate::peers::Foreign;
use crate::process::Cores;
use crate::target::Target;
use crate::tools::Tools;

/// Chains per second of the open loop, and for how long.
const RATE: u32 = 200;
const SECONDS: u32 = 10;

struct Side {
    target: Rc<Target>,
    id_tokens: Vec<String>,
    figures: Vec<f64>,
}

pub(crate) async fn run(tools: &Tools) -> anyhow::Result<()> {
    let lab = Lab::start(
        &tools.lanyard,
        Cores::First,
        &["--people".to_owned(), tools.people.to_string()],
    )
    .await?;
    let id_tokens = lab.id_tokens(tools.people)?;
    let own = lab.target("lanyard")?;
    let cold = drive(&own, &id_tokens).await?;
    let what = format!("cold, {} people × {}", id_tokens.len(), own.connectors.len());
    cold.tell(&format!("lanyard, {what}"));
    tools.table.at_most(&what, "s", 4.0, cold.wall.as_secs_f64());

    let foreign = Foreign::new(tools, tools.people)?;
    let floor = foreign.floor(tools).await?;
    let mut sides = vec![
        Side {
            target: Rc::clone(&floor.target),
            id_tokens: foreign.id_tokens.clone(),
            figures: Vec::new(),
        },
        Side {
            target: Rc::clone(&own),
            id_tokens: id_tokens.clone(),
            figures: Vec::new(),
        },
    ];
    // A peer takes several times as long: a part of the people is enough for its figure.
    let some: Vec<String> = foreign
        .id_tokens
        .iter()
        .take((tools.people / 4).max(1))
        .cloned()
        .collect();
    let mut peers = Vec::new();
    if tools.gunicorn.is_some() {
        peers.push(foreign.authlib(tools).await?);
    }
    if tools.node.is_some() {
        peers.push(foreign.oidc_provider(tools).await?);
    }
    sides.extend(peers.iter().map(|peer| Side {
        target: Rc::clone(&peer.target),
        id_tokens: some.clone(),
        figures: Vec::new(),
    }));
    // In turn, so that what else the machine does hits all of them; the first round warms up.
    for round in 0..=tools.rounds {
        for side in &mut sides {
            let done = drive(&side.target, &side.id_tokens).await?;
            done.tell(&format!("{}, round {round}", side.target.name));
            if round > 0 {
                side.figures.push(done.cpu_micros());
            }
        }
    }
    let of = |name: &str| {
        sides
            .iter()
            .find(|side| side.target.name == name)
            .map(|side| median(side.figures.clone()))
    };
    let ours = of("lanyard").unwrap_or(f64::NAN);
    for side in &sides {
        let figure = median(side.figures.clone());
        println!(
            "chain, {}: {figure:.0} µs of CPU, {:.2} × ours",
            side.target.name,
            figure / ours
        );
        let least = match side.target.name.as_str() {
            "Authlib" => 4.5,
            "oidc-provider" => 2.0,
            _ => continue,
        };
        let what = format!("chain, {} against ours", side.target.name);
        tools.table.at_least(&what, "×", least, figure / ours);
    }
    tools.table.at_most("chain, SQLite, CPU", "µs", 200.0, ours);

    let (mut own_latencies, mut floor_latencies) = (Vec::new(), Vec::new());
    for round in 1..=tools.rounds {
        let at_floor = open_loop(&floor.target, &foreign.id_tokens, RATE, SECONDS).await?;
        at_floor.tell(&format!("floor at {RATE}/s, round {round}"));
        floor_latencies.push((at_floor.latencies.at(500), at_floor.latencies.at(990)));
        let at_own = open_loop(&own, &id_tokens, RATE, SECONDS).await?;
        at_own.tell(&format!("lanyard at {RATE}/s, round {round}"));
        own_latencies.push((at_own.latencies.at(500), at_own.latencies.at(990)));
    }
    let middle = |of: &[(f64, f64)]| {
        let (p50, p99): (Vec<f64>, Vec<f64>) = of.iter().copied().unzip();
        (median(p50), median(p99))
    };
    let ((p50, p99), (floor_p50, floor_p99)) = (middle(&own_latencies), middle(&floor_latencies));
    println!(
        "at {RATE}/s: p50 {p50:.2} ms, {:.2} × the floor's; p99 {p99:.2} ms, {:.2} × the floor's",
        p50 / floor_p50,
        p99 / floor_p99
    );
    tools
        .table
        .at_most("at 200/s: p50 against the floor's", "×", 1.5, p50 / floor_p50);
    tools
        .table
        .at_most("at 200/s: p99 against the floor's", "×", 2.0, p99 / floor_p99);
    Ok(())
}
