//! `lanyard idp test`
//!
//! Owns telling what was found, and waiting for a dry sign-in. Never judges anything: the server does.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, nothing, show};
use crate::client_config::outcome::{Ending, plain};
use crate::ui::Ui;

/// How long a person may take for a dry sign-in, as the server has it.
const PATIENCE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_secs(1);

/// Which one, and how far.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct TestArgs {
    /// Its name
    name: String,
    /// Print the address of the dry sign-in instead of opening the browser
    #[arg(long)]
    no_browser: bool,
    /// Stop before the dry sign-in
    #[arg(long)]
    no_sign_in: bool,
}

pub(super) async fn run(client: &AdminClient, at: &AdminAt, args: &TestArgs, ui: &Ui) -> anyhow::Result<()> {
    let found = client
        .post(&["identity-providers", &args.name, "test"], &nothing())
        .await?;
    let findings = found.get("findings").cloned().unwrap_or_default();
    let good = found.get("good").and_then(Value::as_bool) == Some(true);
    if !at.json {
        tell_findings(&findings, ui);
    }
    let sign_in = match (found.get("sign_in"), args.no_sign_in) {
        (Some(sign_in), false) if good => Some(dry_sign_in(client, args, sign_in, ui).await?),
        _ => None,
    };
    let accepted = sign_in
        .as_ref()
        .is_none_or(|report| report.get("accepted").and_then(Value::as_bool) == Some(true));
    if at.json {
        ui.json(&json!({ "good": good && accepted, "findings": findings, "sign_in": sign_in }))?;
    } else {
        if let Some(report) = &sign_in {
            tell_report(&args.name, report, ui);
        }
        ui.line("");
    }
    match (good, accepted) {
        (false, _) => Err(failed("Something has to be mended before anybody can sign in.", at)),
        (true, false) => Err(failed("This sign-in would have let nobody in.", at)),
        (true, true) => {
            if !at.json {
                ui.line(match sign_in.is_some() {
                    true => "Everything works.",
                    false => "Nothing is wrong so far. What a sign-in brings is known after a dry one.",
                });
            }
            Ok(())
        }
    }
}

fn failed(happened: &str, at: &AdminAt) -> anyhow::Error {
    let remedy = "Each line above that begins with `failed` says how; then run the test again.";
    Ending::failed(happened, (!at.json).then_some(remedy)).into()
}

fn tell_findings(findings: &Value, ui: &Ui) {
    for finding in findings.as_array().map(Vec::as_slice).unwrap_or_default() {
        let field = |name| show::text(finding, name);
        let (mark, remedy) = (field("result"), field("remedy"));
        let mark = match mark.as_str() {
            "good" => "ok    ",
            "failed" => "failed",
            _ => "note  ",
        };
        tell(mark, &field("check"), &field("text"), &remedy, ui);
    }
}

fn tell(mark: &str, check: &str, text: &str, remedy: &str, ui: &Ui) {
    ui.line(&format!("{}  {check}: {text}", ui.strong(mark)));
    if !remedy.is_empty() {
        ui.line(&format!("        -> {remedy}"));
    }
}

/// Leads somebody through a dry sign-in; what the server found.
async fn dry_sign_in(client: &AdminClient, args: &TestArgs, sign_in: &Value, ui: &Ui) -> anyhow::Result<Value> {
    let (url, id) = (show::text(sign_in, "url"), show::text(sign_in, "id"));
    ui.note("");
    ui.note("Now a dry sign-in: nobody is signed in by it, and it shows what the provider says about a person.");
    if !args.no_browser && open::that_detached(&url).is_ok() {
        ui.note("Your browser opens for it. If it does not, visit this address:");
    } else {
        ui.note("Visit this address in a browser, once, within ten minutes:");
    }
    ui.note(&format!("  {url}"));
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let report = client
            .get(&["identity-providers", &args.name, "test", &id], &[])
            .await?;
        if !report.is_null() {
            return Ok(report);
        }
        tokio::time::sleep(PAUSE).await;
    }
    let remedy = "Run the test again; --no-sign-in stops before it.";
    Err(Ending::failed("Nobody went through the dry sign-in within ten minutes.", Some(remedy)).into())
}

fn tell_report(connection: &str, report: &Value, ui: &Ui) {
    let field = |name: &str| show::text(report, name);
    let accepted = report.get("accepted").and_then(Value::as_bool) == Some(true);
    let mark = if accepted { "ok    " } else { "failed" };
    let remedy = remedy(&field("reason"), connection, &field("subject"));
    tell(mark, "sign-in", &field("outcome"), &remedy, ui);
    for (label, name) in [
        ("identified by", "subject"),
        ("user name", "username"),
        ("e-mail", "email"),
        ("name", "display_name"),
        ("counts as", "strength"),
    ] {
        let value = field(name);
        if !value.is_empty() {
            ui.line(&format!("        {label}: {value}"));
        }
    }
    for group in list(report, "groups") {
        let (value, ours) = (show::text(group, "value"), show::text(group, "group"));
        let to = if ours.is_empty() {
            "leads nowhere".to_owned()
        } else {
            format!("is {ours} here")
        };
        ui.line(&format!("        group {value}: {to}"));
    }
    if report.get("groups_missing").and_then(Value::as_bool) == Some(true) {
        ui.line("        The provider left the groups out because there are too many.");
    }
    let claims = report.get("claims").and_then(Value::as_object);
    for (name, value) in claims.into_iter().flatten() {
        ui.line(&ui.dim(&format!("        claim {}: {}", plain(name), plain(&value.to_string()))));
    }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// What mends the commonest refusals of a person, with the words to type: the connection and the subject are known.
fn remedy(reason: &str, connection: &str, subject: &str) -> String {
    let subject = quoted(subject);
    let link = format!("`lanyard idp links {connection} add USER {subject}` (USER is the person's name here)");
    match reason {
        "not_linked" => format!("Link the person, {link}, or let people be made (`just_in_time`)."),
        "username_taken" | "local_account" | "administrator_account" | "linked_otherwise" => {
            format!("If it is the same person, link them: {link}.")
        }
        "username_missing" => "Have the provider send the claim, or name the right one: `claims.username`.".to_owned(),
        "groups_overage" => {
            "Limit the groups that are sent for this application, or set `groups_overage = \"keep\"`.".to_owned()
        }
        "user_deactivated" => "The person is switched off here: `lanyard users reactivate USER`.".to_owned(),
        "username_of_other_domain" => "The domain of the user name belongs to another identity provider.".to_owned(),
        "other_hosted_domain" => {
            "Sign in with an account of a domain that the connection has, or add the domain.".to_owned()
        }
        _ => String::new(),
    }
}

/// A text of the provider as one word for a shell: it is pasted by an administrator, perhaps with the marks around it.
/// One that cannot be told so stays a placeholder.
fn quoted(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@._:/+-".contains(c);
    if text.is_empty() || text.starts_with('-') || text.contains(['`', '\n', '\t']) || plain(text) != text {
        return "SUBJECT".to_owned();
    }
    if text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_can_be_pasted_whatever_the_provider_calls_the_person() {
        for (subject, word) in [
            ("248289761001", "248289761001"),
            ("anna@corp.example", "anna@corp.example"),
            ("a b", "'a b'"),
            ("x; rm -rf ~", "'x; rm -rf ~'"),
            ("o'neil$(id)", "'o'\\''neil$(id)'"),
            ("-x", "SUBJECT"),
            ("x`id`y", "SUBJECT"),
            ("a\u{202e}b", "SUBJECT"),
            ("", "SUBJECT"),
        ] {
            let told = remedy("not_linked", "corp", subject);
            assert!(
                told.contains(&format!("`lanyard idp links corp add USER {word}`")),
                "{told}"
            );
        }
    }
}
