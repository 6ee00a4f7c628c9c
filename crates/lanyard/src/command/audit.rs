//! `lanyard audit`
//!
//! Owns reading, exporting and verifying the log. `verify` works on a file alone, without server and network.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use lanyard_core::audit::event::Checkpoint;
use lanyard_core::audit::verify::{self, Known, Report};
use serde_json::{Value, json};

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, show};
use crate::client_config::outcome::Ending;
use crate::ui::Ui;

/// Read, export and verify the audit log
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum AuditCommand {
    /// List events, newest first
    List(ListArgs),
    /// Write the sealed log with its checkpoints and public keys
    Export {
        /// Where to; stdout when left out
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The first sequence
        #[arg(long, value_name = "SEQUENCE")]
        from: Option<i64>,
    },
    /// Write the newest signed checkpoint; keep it elsewhere, then `verify --since` finds rewriting
    Checkpoint {
        /// Where to; stdout when left out
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Verify an exported file offline
    Verify {
        /// The file that `export` wrote, `-` for stdin
        file: PathBuf,
        /// A checkpoint that was kept elsewhere
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
        /// The thumbprint of an audit key that is expected; repeat it
        #[arg(long, value_name = "THUMBPRINT", allow_hyphen_values = true)]
        key: Vec<String>,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct ListArgs {
    /// A kind, or a prefix that ends in a dot, such as `idp.`
    #[arg(long)]
    kind: Option<String>,
    /// A person: user name, id, or `issuer|sub`
    #[arg(long)]
    user: Option<String>,
    /// An OAuth client id
    #[arg(long)]
    client: Option<String>,
    /// A request id, as told to a caller
    #[arg(long)]
    request: Option<String>,
    /// How it was decided
    #[arg(long, value_parser = ["granted", "denied"])]
    outcome: Option<String>,
    /// At or after this time, such as 2026-11-21T08:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

/// Runs the command. A log that does not verify is exit code 1.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: AuditArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let at = &args.at;
    show::end(match args.command {
        AuditCommand::List(list) => events(at, &list, ui).await,
        AuditCommand::Export { out, from } => export(at, out.as_deref(), from, ui).await,
        AuditCommand::Checkpoint { out } => checkpoint(at, out.as_deref(), ui).await,
        AuditCommand::Verify { file, since, key } => return verified(&file, since.as_deref(), key, at.json, ui),
    })
}

async fn events(at: &AdminAt, args: &ListArgs, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    let given = [
        ("kind", &args.kind),
        ("subject", &args.user),
        ("client_id", &args.client),
        ("request_id", &args.request),
        ("outcome", &args.outcome),
        ("since", &args.since),
        ("until", &args.until),
    ];
    let filter: Vec<(&str, &str)> = given
        .into_iter()
        .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
        .collect();
    let mut items: Vec<Value> = Vec::new();
    let mut after: Option<String> = None;
    while items.len() < args.limit {
        let limit = (args.limit - items.len()).min(1000).to_string();
        let mut query = filter.clone();
        query.push(("limit", &limit));
        if let Some(after) = &after {
            query.push(("after", after));
        }
        let page = client.get(&["audit"], &query).await?;
        let next = page.get("next").and_then(Value::as_str).map(str::to_owned);
        items.extend(page.get("items").and_then(Value::as_array).cloned().unwrap_or_default());
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let columns = [
        ("AT", "at"),
        ("EVENT", "kind"),
        ("OUTCOME", "outcome"),
        ("REASON", "reason"),
        ("SUBJECT", "subject"),
        ("CLIENT", "client_id"),
        ("TARGET", "target"),
        ("REQUEST", "request_id"),
    ];
    match filter.is_empty() {
        true => show::list(items, &columns, at.json, ui),
        false => show::found(items, &columns, at.json, ui),
    }
}

async fn export(at: &AdminAt, out: Option<&Path>, from: Option<i64>, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    let from = from.map(|from| from.to_string());
    let query: Vec<(&str, &str)> = from.as_deref().map(|from| ("from", from)).into_iter().collect();
    let lines = client.bytes(&["audit", "export"], &query).await?;
    let Some(out) = out else {
        std::io::stdout()
            .write_all(&lines)
            .context("stdout cannot be written")?;
        return Ok(());
    };
    std::fs::write(out, &lines).with_context(|| format!("the file {} cannot be written", out.display()))?;
    if at.json {
        return ui.json(&json!({ "file": out, "bytes": lines.len() }));
    }
    ui.line(&format!("The log is in {} ({} bytes).", out.display(), lines.len()));
    ui.note(&format!("Next: `lanyard audit verify {}`.", out.display()));
    Ok(())
}

async fn checkpoint(at: &AdminAt, out: Option<&Path>, ui: &Ui) -> anyhow::Result<()> {
    let answer = AdminClient::open(at)?.get(&["audit", "checkpoint"], &[]).await?;
    let Some(out) = out else { return ui.json(&answer) };
    std::fs::write(out, serde_json::to_vec_pretty(&answer)?)
        .with_context(|| format!("the file {} cannot be written", out.display()))?;
    ui.line(&format!(
        "The checkpoint of entry {} is in {}.",
        show::text(&answer, "sequence"),
        out.display()
    ));
    Ok(())
}

fn verified(file: &Path, since: Option<&Path>, keys: Vec<String>, json: bool, ui: &Ui) -> anyhow::Result<ExitCode> {
    let report = match check(file, since, keys) {
        Ok(report) => report,
        Err(error) => return Ok(Ending::of(&error).tell()),
    };
    let sound = report.is_sound();
    if json {
        ui.json(&in_json(&report))?;
    } else {
        in_words(&report, file, ui);
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn check(file: &Path, since: Option<&Path>, keys: Vec<String>) -> anyhow::Result<Report> {
    let since = since.map(kept).transpose()?;
    let known = Known { keys, since };
    if file == Path::new("-") {
        return Ok(verify::verify(std::io::stdin().lock(), &known)?);
    }
    let opened = File::open(file).with_context(|| format!("the file {} cannot be read", file.display()))?;
    verify::verify(BufReader::new(opened), &known)
        .with_context(|| format!("the file {} cannot be read", file.display()))
}

/// A checkpoint that was kept elsewhere; a file that is none is the wrong file, not a broken log.
fn kept(file: &Path) -> anyhow::Result<Checkpoint> {
    let text = std::fs::read(file).with_context(|| format!("the file {} cannot be read", file.display()))?;
    serde_json::from_slice(&text).map_err(|_| {
        let remedy = "Name the file that `lanyard audit checkpoint` wrote.";
        Ending {
            code: 2,
            happened: format!("{} is no checkpoint.", file.display()),
            remedy: Some(remedy.to_owned()),
            request_id: None,
        }
        .into()
    })
}

fn in_json(report: &Report) -> Value {
    let problem = report.problem.as_ref();
    json!({
        "sound": report.is_sound(),
        "line": problem.map(|broken| broken.line),
        "problem": problem.map(|broken| broken.fault.to_string()),
        "after": report.after,
        "last": report.last,
        "signed": report.signed,
        "unsigned": report.unsigned(),
        "events": report.counts.events,
        "checkpoints": report.counts.checkpoints,
        "unsealed": report.counts.unsealed,
        "signers": report.signers,
        "keys_expected": report.keys_expected,
        "since_met": report.since_met,
    })
}

fn in_words(report: &Report, file: &Path, ui: &Ui) {
    if let Some(broken) = &report.problem {
        ui.line(&format!("{}: {}", ui.strong("BROKEN"), file.display()));
        ui.line(&format!("  {broken}"));
        ui.line(&format!(
            "  entries up to {} are verified, those after it are not",
            report.last
        ));
        return;
    }
    ui.line(&format!("{}: {}", ui.strong("SOUND"), file.display()));
    ui.line(&format!(
        "  entries {} to {}, {} checkpoints; signed up to {}",
        report.after + 1,
        report.last,
        report.counts.checkpoints,
        report.signed
    ));
    if report.unsigned() > 0 {
        ui.line(&format!(
            "  {} entries are chained and not signed yet",
            report.unsigned()
        ));
    }
    match report.since_met {
        Some(true) => ui.line("  the kept checkpoint was met: nothing before it was rewritten"),
        Some(false) => ui.line("  the kept checkpoint was not met"),
        None => ui.note("note: without --since, a log that was rewritten as a whole is not noticed."),
    }
    if !report.keys_expected {
        ui.note(&format!(
            "note: the keys are those of the file itself; expect them with --key {}",
            report.signers.join(" --key ")
        ));
    }
}
