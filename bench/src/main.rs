//! Load on a lab, and what it costs the server: CPU from `/proc`, wall clock beside it.
//!
//! Owns the generator and its arithmetic. Checks every answer: a fast wrong answer is a failure, not a figure.

mod backend;
mod lab;
mod load;
mod measure;
mod runs;

use anyhow::bail;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [binary, rest @ ..] = arguments.as_slice() else {
        bail!("usage: lanyard-bench PATH-OF-LANYARD [chains|gateway|growth|memory|all] [PEOPLE]");
    };
    let what = rest.first().map_or("all", String::as_str);
    let people: usize = rest.get(1).map_or(Ok(2000), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        println!("{}", measure::machine());
        match what {
            "chains" => runs::chains(binary, people).await,
            "gateway" => runs::gateway(binary).await,
            "growth" => runs::growth(binary).await,
            "memory" => runs::memory(binary).await,
            "all" => {
                runs::chains(binary, people).await?;
                runs::gateway(binary).await?;
                runs::memory(binary).await?;
                runs::growth(binary).await
            }
            other => bail!("no run named {other}"),
        }
    })
}
