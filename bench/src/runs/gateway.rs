//! Tool calls through the gateway: with a cached verdict, and with tokens that were never seen.

use std::rc::Rc;

use anyhow::Context;

use crate::backend;
use crate::drive::{calls, drive};
use crate::lab::Lab;
use crate::measure::{median, used};
use crate::peers::{Peer, peer};
use crate::process::{Cores, command, free_port};
use crate::tools::Tools;

/// How often each token is used in a round with cached verdicts.
const REPEATED: usize = 20;

pub(crate) async fn run(tools: &Tools) -> anyhow::Result<()> {
    let (backend, serve) = backend::start().await?;
    tokio::select! {
        done = through(tools, &backend) => done,
        () = serve => anyhow::bail!("the backend ended"),
    }
}

async fn through(tools: &Tools, backend: &str) -> anyhow::Result<()> {
    let people = tools.people.clamp(10, 2000);
    let arguments = [
        "--people".to_owned(),
        people.to_string(),
        "--upstream".to_owned(),
        format!("bench={backend}"),
    ];
    let lab = Lab::start(&tools.lanyard, Cores::First, &arguments).await?;
    let id_tokens = lab.id_tokens(people)?;
    let mut target = lab.target("gateway")?;
    let open = Rc::get_mut(&mut target).context("nobody else has it")?;
    open.connectors.retain(|(_, resource)| resource.ends_with("/bench/mcp"));
    let (_, url) = open.connectors.first().context("no route")?.clone();
    let (proxy, bare_url) = bare(tools, backend).await?;
    let (mut unseen, mut seen, mut passed) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=tools.rounds {
        // Fresh tokens, so that no verdict is known.
        let tokens = drive(&target, &id_tokens).await?.tokens;
        let first = calls(&target, &url, &tokens, 1).await?;
        first.tell(&format!("tokens never seen, round {round}"));
        let again = calls(&target, &url, &tokens, REPEATED).await?;
        again.tell(&format!("tokens seen before, round {round}"));
        let pass = calls(&proxy.target, &bare_url, &tokens, REPEATED).await?;
        pass.tell(&format!("a proxy that only passes on, round {round}"));
        if round > 0 {
            unseen.push(first.cpu_micros());
            seen.push(again.cpu_micros());
            passed.push(pass.cpu_micros());
        }
    }
    println!("after the calls: {}", used(lab.pid()).memory());
    let (seen, passed) = (median(seen), median(passed));
    println!(
        "of a call with a cached verdict, {passed:.1} µs are those of a proxy that only passes on, {:.1} µs the gateway's own",
        seen - passed
    );
    let table = &tools.table;
    table.at_most("gateway call, cached verdict, CPU", "µs", 30.0, seen);
    table.at_most("gateway call, fresh token, CPU", "µs", 80.0, median(unseen));
    Ok(())
}

/// A proxy that does nothing but pass on, before the same backend.
async fn bare(tools: &Tools, backend: &str) -> anyhow::Result<(Peer, String)> {
    let port = free_port()?;
    let mut starting = command(&tools.floor, Cores::First);
    starting.args(["pass", &format!("127.0.0.1:{port}"), backend]);
    let proxy = peer("a proxy", port, starting).await?;
    Ok((proxy, format!("http://127.0.0.1:{port}/mcp")))
}
