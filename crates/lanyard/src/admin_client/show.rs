//! How records are shown: tables and editable documents for people, JSON for programs.
//!
//! Owns the forms. Never what stands in them.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Map, Value};

use crate::client_config::outcome::{Ending, plain};
use crate::runtime::private_file;
use crate::ui::Ui;

/// What the server adds to a document; not written back.
pub(crate) const SERVER_FIELDS: [&str; 7] = [
    "id",
    "created_at",
    "updated_at",
    "change",
    "standing",
    "redirect_uri",
    "at_provider",
];

/// Ends a command: a failure is told and becomes the exit code.
///
/// # Errors
/// None.
pub(crate) fn end(done: anyhow::Result<()>) -> anyhow::Result<ExitCode> {
    Ok(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => Ending::of(&error).tell(),
    })
}

/// A field of a record, by its path, as one line of text.
pub(crate) fn text(record: &Value, path: &str) -> String {
    let value = path.split('.').try_fold(record, |value, name| value.get(name));
    let line = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(flag)) => if *flag { "yes" } else { "no" }.to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Array(items)) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect();
            items.join(", ")
        }
        Some(Value::Object(members)) => members.keys().cloned().collect::<Vec<_>>().join(", "),
    };
    plain(&line)
}

/// Refuses a place for a secret that is taken or cannot be written, before the secret is made: what is there may be the
/// only copy of another one.
///
/// # Errors
/// When there is such a file, or no directory for it.
pub(crate) fn check_new(out: Option<&Path>) -> anyhow::Result<()> {
    let Some(out) = out else { return Ok(()) };
    // A link that leads nowhere is taken too.
    if out.symlink_metadata().is_ok() {
        let happened = format!("The file {} exists already and may hold another secret.", out.display());
        return Err(Ending::failed(&happened, Some("Name another file, or remove that one first.")).into());
    }
    let directory = out.parent().filter(|directory| !directory.as_os_str().is_empty());
    if directory.is_some_and(|directory| !directory.is_dir()) {
        let happened = format!("There is no directory for the file {}.", out.display());
        return Err(Ending::failed(&happened, Some("Make it, or name another file.")).into());
    }
    Ok(())
}

/// A token that was just made: into a file, or on the screen this once.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn token_once(mut answer: Value, out: Option<&Path>, json: bool, ui: &Ui) -> anyhow::Result<()> {
    let Some(out) = out else {
        if json {
            return ui.json(&answer);
        }
        ui.note("The token is shown this once:");
        ui.line(&text(&answer, "token"));
        return Ok(());
    };
    private_file::write(out, text(&answer, "token").as_bytes())?;
    if let Some(members) = answer.as_object_mut() {
        members.remove("token");
        members.insert("token_file".to_owned(), serde_json::json!(out));
    }
    if json {
        return ui.json(&answer);
    }
    ui.line(&format!("token {}: created, in {}", text(&answer, "id"), out.display()));
    Ok(())
}

/// A list: JSON when asked for, else a table of these columns (title, field).
///
/// # Errors
/// When it has no JSON form.
pub(crate) fn list(items: Vec<Value>, columns: &[(&str, &str)], json: bool, ui: &Ui) -> anyhow::Result<()> {
    table(items, columns, "There is none yet.", json, ui)
}

/// What a search found, as [`list`] shows it.
///
/// # Errors
/// When it has no JSON form.
pub(crate) fn found(items: Vec<Value>, columns: &[(&str, &str)], json: bool, ui: &Ui) -> anyhow::Result<()> {
    table(items, columns, "Nothing matches.", json, ui)
}

fn table(items: Vec<Value>, columns: &[(&str, &str)], none: &str, json: bool, ui: &Ui) -> anyhow::Result<()> {
    if json {
        return ui.json(&serde_json::json!({ "items": items }));
    }
    if items.is_empty() {
        ui.note(none);
        return Ok(());
    }
    let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let rows = items
        .iter()
        .map(|item| columns.iter().map(|(_, field)| text(item, field)).collect());
    ui.table(&titles, rows.collect());
    Ok(())
}

/// A record: JSON when asked for, else a document that `set -f` takes.
///
/// # Errors
/// When it has no such form.
pub(crate) fn record(record: &Value, json: bool, ui: &Ui) -> anyhow::Result<()> {
    if json {
        return ui.json(record);
    }
    let mut document = without_nulls(record);
    if let Some(members) = document.as_object_mut() {
        for field in SERVER_FIELDS {
            match members.remove(field) {
                Some(Value::Object(known)) => {
                    for name in known.keys() {
                        ui.line(&ui.dim(&format!("# {name}: {}", text(&Value::Object(known.clone()), name))));
                    }
                }
                Some(value) => ui.line(&ui.dim(&format!("# {field}: {}", plain(value.as_str().unwrap_or_default())))),
                None => {}
            }
        }
    }
    ui.line(toml::to_string(&document)?.trim_end());
    Ok(())
}

/// What a write did: JSON when asked for, else one line.
///
/// # Errors
/// When it has no JSON form.
pub(crate) fn written(answer: &Value, what: &str, name: &str, json: bool, ui: &Ui) -> anyhow::Result<()> {
    if json {
        return ui.json(answer);
    }
    let change = answer.get("change").and_then(Value::as_str).unwrap_or("changed");
    ui.line(&format!("{what} {}: {}", plain(name), plain(change)));
    Ok(())
}

/// TOML has no null: what is absent is left out.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(
                kept.map(|(name, value)| (name.clone(), without_nulls(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_to_a_new_file_in_a_directory_that_exists() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("jo.token");
        assert!(check_new(None).is_ok() && check_new(Some(&file)).is_ok());
        assert!(check_new(Some(&home.path().join("none/jo.token"))).is_err());
        std::fs::write(&file, "the only copy").unwrap();
        let told = Ending::of(&check_new(Some(&file)).unwrap_err());
        assert!(told.happened.contains("exists already"), "{}", told.happened);
    }

    #[test]
    fn a_field_is_one_line_whatever_it_holds() {
        let record = serde_json::json!({"a": {"b": ["x", "y"]}, "on": true, "bad": "a\u{1b}[2J"});
        assert_eq!(text(&record, "a.b"), "x, y");
        assert_eq!(text(&record, "on"), "yes");
        assert_eq!(text(&record, "missing"), "");
        assert_eq!(text(&record, "bad"), "a [2J");
    }
}
