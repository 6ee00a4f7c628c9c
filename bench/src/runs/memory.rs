//! `lanyard serve` with an organisation: the start, idle memory, and memory after many chains.

use std::time::Duration;

use crate::drive::drive;
use crate::measure::{median, used};
use crate::serve::Site;
use crate::tools::Tools;

/// People who sign in and send chains.
const SIGNED_IN: usize = 200;
/// A process is idle when it has had nothing to do for so long.
const IDLE: Duration = Duration::from_secs(10);
/// How often memory is looked at on the way.
const LOOKS: usize = 10;

pub(crate) async fn run(tools: &Tools) -> anyhow::Result<()> {
    let site = Site::new()?;
    let (server, _) = site.start(&tools.lanyard).await?;
    let signed_in = SIGNED_IN.min(tools.people);
    site.populate(&tools.lanyard, tools.people, signed_in)?;
    server.stop()?;

    let mut starts = Vec::new();
    for _ in 0..tools.rounds {
        let (server, took) = site.start(&tools.lanyard).await?;
        starts.push(took.as_secs_f64() * 1000.0);
        server.stop()?;
    }
    let what = format!("start to the first answer, {} people", tools.people);
    tools.table.at_most(&what, "ms", 150.0, median(starts));

    let (mut server, _) = site.start(&tools.lanyard).await?;
    tokio::time::sleep(IDLE).await;
    let idle = used(server.pid());
    println!("idle: {}", idle.memory());
    tools.table.at_most("resident memory, idle", "MiB", 25.0, idle.mib());
    let id_tokens = site.sign_in(signed_in).await?;
    tokio::time::sleep(IDLE).await;
    println!("after {signed_in} sign-ins: {}", used(server.pid()).memory());
    let target = site.target(server.pid());
    let (mut done, mut told, mut halfway) = (0, 0, f64::NAN);
    // Half as many again, to see whether it stays flat.
    let total = tools.chains + tools.chains / 2;
    while done < total {
        done += drive(&target, &id_tokens).await?.count;
        server.runs()?;
        if done * LOOKS / total > told {
            told = done * LOOKS / total;
            println!("after {done} chains: {}", used(server.pid()).memory());
        }
        if done >= tools.chains && halfway.is_nan() {
            halfway = used(server.pid()).mib();
        }
    }
    tokio::time::sleep(IDLE).await;
    let end = used(server.pid());
    println!("after {done} chains, idle again: {}", end.memory());
    let what = format!("resident memory after {} chains", tools.chains);
    tools.table.at_most(&what, "MiB", 40.0, halfway);
    tools
        .table
        .at_most("the same after half as many again", "×", 1.05, end.mib() / halfway);
    Ok(())
}
