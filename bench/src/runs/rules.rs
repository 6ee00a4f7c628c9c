//! What a change of the rules costs those who ask at the same time: the writer must not wait until they are compiled.

use std::time::Duration;

use serde_json::json;

use crate::drive::open_loop;
use crate::lab::{Lab, applied};
use crate::process::Cores;
use crate::runs::growth::{RULES, rules};
use crate::tools::Tools;

const RATE: u32 = 100;
const SECONDS: u32 = 10;

pub(crate) async fn run(tools: &Tools) -> anyhow::Result<()> {
    let people = tools.people.min(100);
    let lab = Lab::start(
        &tools.lanyard,
        Cores::First,
        &["--people".to_owned(), people.to_string()],
    )
    .await?;
    lab.apply(&rules(RULES))?;
    let id_tokens = lab.id_tokens(people)?;
    let target = lab.target("lanyard")?;
    let quiet = open_loop(&target, &id_tokens, RATE, SECONDS).await?;
    quiet.tell(&format!("{RULES} rules, none changes"));
    let changing = async {
        for n in 0_u32.. {
            let applying = lab.applying(&json!({ "rules": [{
                "title": "changes", "groups": ["engineering"], "clients": "all", "connectors": ["linear"],
                "scopes": "all", "enabled": n % 2 == 0,
            }] }))?;
            // The generator does not wait for it.
            tokio::time::sleep(Duration::from_secs(1)).await;
            applied(applying)?;
        }
        anyhow::Ok(())
    };
    let busy = tokio::select! {
        done = open_loop(&target, &id_tokens, RATE, SECONDS) => done?,
        ended = changing => return ended,
    };
    busy.tell(&format!("{RULES} rules, one changes every second"));
    Ok(())
}
