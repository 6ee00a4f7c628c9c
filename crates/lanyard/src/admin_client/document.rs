//! Reading the documents an administrator writes: TOML or JSON, checked here so that a mistake has its line.
//!
//! Owns `secret_file`, which never leaves this machine as such. Never changes what a document says otherwise.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::admin_client::show::SERVER_FIELDS;
use crate::client_config::outcome::Ending;

/// A document, `-` for stdin, checked to be a `T`; as it is sent.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> anyhow::Result<Value> {
    let (name, text) = text_of(file)?;
    parse::<T>(&name, &text, file.parent())
}

fn text_of(file: &Path) -> anyhow::Result<(String, String)> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .read_to_string(&mut text)
            .context("stdin cannot be read")?;
        return Ok(("stdin".to_owned(), text));
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("the file {} cannot be read", file.display()))?;
    Ok((file.display().to_string(), text))
}

fn parse<T: DeserializeOwned>(name: &str, text: &str, beside: Option<&Path>) -> anyhow::Result<Value> {
    let is_json = text.trim_start().starts_with('{');
    let mut document: Value = if is_json {
        lanyard_protocol::json::check(text.as_bytes()).map_err(|error| wrong(name, &error.to_string()))?;
        serde_json::from_str(text).map_err(|error| wrong(name, &error.to_string()))?
    } else {
        let table: toml::Table = toml::from_str(text).map_err(|error| located(name, text, &error))?;
        serde_json::to_value(table)?
    };
    if let Some(members) = document.as_object_mut() {
        // A resource's identifier is its own field and a URI; the server's identifiers are not.
        let own = members
            .get("id")
            .and_then(Value::as_str)
            .is_some_and(|id| id.contains("://"));
        for field in SERVER_FIELDS {
            if field != "id" || !own {
                members.remove(field);
            }
        }
    }
    let files = take_secret_files(&mut document);
    if let Err(error) = serde_json::from_value::<T>(document.clone()) {
        let lines = without_secret_files(text);
        let found = if is_json {
            None
        } else {
            toml::from_str::<T>(&lines).err()
        };
        return Err(match found {
            Some(error) => located(name, &lines, &error),
            None => wrong(name, &error.to_string()),
        });
    }
    for (place, path) in files {
        let path = beside
            .filter(|_| path.is_relative())
            .map_or_else(|| path.clone(), |beside| beside.join(&path));
        let secret = crate::runtime::private_file::read(&path)?;
        let secret = String::from_utf8(secret).with_context(|| format!("{} is not text", path.display()))?;
        if let Some(client) = document.pointer_mut(&place).and_then(Value::as_object_mut) {
            client.insert(
                "secret".to_owned(),
                Value::String(secret.trim_end_matches(['\r', '\n']).to_owned()),
            );
        }
    }
    Ok(document)
}

/// Takes `secret_file` out of clients, of a whole organisation or of a single one.
fn take_secret_files(document: &mut Value) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut take = |place: String, client: &mut Map<String, Value>| {
        if let Some(Value::String(path)) = client.get("secret_file") {
            found.push((place, PathBuf::from(path)));
            client.remove("secret_file");
        }
    };
    let Some(members) = document.as_object_mut() else {
        return found;
    };
    if let Some(clients) = members.get_mut("clients").and_then(Value::as_array_mut) {
        for (n, client) in clients.iter_mut().enumerate() {
            if let Some(client) = client.as_object_mut() {
                take(format!("/clients/{n}"), client);
            }
        }
    } else if members.contains_key("client_id") {
        take(String::new(), members);
    }
    found
}

/// The text without these lines and with the numbers of all others, to find the line of a mistake.
fn without_secret_files(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let key = line.split('=').next().unwrap_or_default().trim();
        if key == "secret_file" { "" } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A mistake with its line. The reader's own picture of the line is not shown: it may hold a password.
fn located(name: &str, text: &str, error: &toml::de::Error) -> anyhow::Error {
    let line = error
        .span()
        .map(|span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
    let place = line.map_or_else(|| name.to_owned(), |line| format!("{name}, line {line}"));
    wrong(&place, error.message())
}

fn wrong(place: &str, problem: &str) -> anyhow::Error {
    let remedy = if problem.contains("unknown field") {
        "Take the field out or correct its name; nothing was sent."
    } else {
        "Correct the file; nothing was sent."
    };
    Ending {
        code: 2,
        happened: format!("{place}: {}.", problem.trim_end_matches('.')),
        remedy: Some(remedy.to_owned()),
        request_id: None,
    }
    .into()
}

#[cfg(test)]
mod tests {
    use lanyard_core::admin::spec::{ClientSpec, Organisation, UserSpec};

    use super::*;

    fn problem<T: DeserializeOwned>(text: &str) -> String {
        parse::<T>("org.toml", text, None).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_field_is_refused_with_its_line() {
        let problem =
            problem::<Organisation>("[[groups]]\nname = \"a\"\n\n[[users]]\nusername = \"b\"\nshoe_size = 4\n");
        assert!(
            problem.starts_with("org.toml, line 6: unknown field `shoe_size`"),
            "{problem}"
        );
    }

    #[test]
    fn a_password_is_sent_and_not_lost_on_the_way() {
        let document = parse::<Organisation>(
            "org.toml",
            "[[users]]\nusername = \"a\"\npassword = \"secret word\"\n",
            None,
        );
        assert_eq!(document.unwrap().pointer("/users/0/password").unwrap(), "secret word");
    }

    #[test]
    fn a_secret_file_is_read_beside_the_document_and_sent_as_the_secret() {
        let directory = tempfile::tempdir().unwrap();
        crate::runtime::private_file::write(&directory.path().join("s"), b"a secret of some length, 32 of them\n")
            .unwrap();
        let text = "[[clients]]\nside = \"ras\"\nclient_id = \"a\"\nauth = \"secret\"\nsecret_file = \"s\"\n";
        let document = parse::<Organisation>("org.toml", text, Some(directory.path())).unwrap();
        assert_eq!(
            document.pointer("/clients/0/secret").unwrap(),
            "a secret of some length, 32 of them"
        );
        assert!(document.pointer("/clients/0/secret_file").is_none());
        let problem = problem::<Organisation>(&format!("{text}colour = \"red\"\n"));
        assert!(
            problem.starts_with("org.toml, line 6: unknown field `colour`"),
            "{problem}"
        );
    }

    #[test]
    fn what_show_printed_is_taken_back() {
        let text = r#"{"id":"usr_1","username":"a","created_at":"x","updated_at":"y","change":"created"}"#;
        let document = parse::<UserSpec>("a.json", text, None).unwrap();
        assert_eq!(document, serde_json::json!({"username": "a"}));
    }

    #[test]
    fn a_single_client_may_name_a_secret_file_too() {
        let text = "side = \"ras\"\nclient_id = \"a\"\nauth = \"secret\"\nsecret_file = \"/nowhere/at/all\"\n";
        assert!(problem::<ClientSpec>(text).contains("/nowhere/at/all"));
    }
}
