//! Reading the documents an administrator writes: TOML or JSON, checked here so that a mistake has its line.
//!
//! Owns `secret_file` and `client_secret_file`, which never leave this machine as such. Never changes what a document says otherwise.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
    for (place, field, path) in files {
        let path = beside
            .filter(|_| path.is_relative())
            .map_or_else(|| path.clone(), |beside| beside.join(&path));
        let secret = crate::runtime::private_file::read(&path)?;
        let secret = String::from_utf8(secret).with_context(|| format!("the file {} is not text", path.display()))?;
        if let Some(holder) = document.pointer_mut(&place).and_then(Value::as_object_mut) {
            holder.insert(
                field.to_owned(),
                Value::String(secret.trim_end_matches(['\r', '\n']).to_owned()),
            );
        }
    }
    Ok(document)
}

/// Where a secret belongs: the object, the field, the file it is in.
type SecretFile = (String, &'static str, PathBuf);

/// Takes `secret_file` out of clients and `client_secret_file` out of identity providers, of a whole organisation or of a
/// single document.
fn take_secret_files(document: &mut Value) -> Vec<SecretFile> {
    let mut found = Vec::new();
    let count = |name: &str| document.get(name).and_then(Value::as_array).map(Vec::len);
    match (count("clients"), document.get("client_id").is_some()) {
        (Some(clients), _) => {
            for n in 0..clients {
                take_secret_file(document, format!("/clients/{n}"), "secret", &mut found);
            }
        }
        (None, true) => take_secret_file(document, String::new(), "secret", &mut found),
        (None, false) => {}
    }
    for n in 0..document
        .get("identity_providers")
        .and_then(Value::as_array)
        .map_or(0, Vec::len)
    {
        let place = format!("/identity_providers/{n}/oidc");
        take_secret_file(document, place, "client_secret", &mut found);
    }
    take_secret_file(document, "/oidc".to_owned(), "client_secret", &mut found);
    found
}

fn take_secret_file(document: &mut Value, place: String, field: &'static str, found: &mut Vec<SecretFile>) {
    let name = format!("{field}_file");
    let holder = document.pointer_mut(&place).and_then(Value::as_object_mut);
    if let Some(holder) = holder
        && let Some(Value::String(path)) = holder.get(&name)
    {
        found.push((place, field, PathBuf::from(path)));
        holder.remove(&name);
    }
}

/// The text without these lines and with the numbers of all others, to find the line of a mistake.
fn without_secret_files(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let key = line.split('=').next().unwrap_or_default().trim();
        match key {
            "secret_file" | "client_secret_file" => "",
            _ => line,
        }
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
    use lanyard_core::admin::spec::connection::ConnectionSpec;
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
    fn the_secret_of_an_identity_provider_may_be_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        crate::runtime::private_file::write(&directory.path().join("s"), b"s3cret\n").unwrap();
        let oidc = "issuer = \"https://a.example\"\nclient_id = \"x\"\nclient_secret_file = \"s\"\n";
        let many = format!("[[identity_providers]]\nname = \"corp\"\n[identity_providers.oidc]\n{oidc}");
        let document = parse::<Organisation>("org.toml", &many, Some(directory.path())).unwrap();
        assert_eq!(
            document.pointer("/identity_providers/0/oidc/client_secret").unwrap(),
            "s3cret"
        );
        let one = format!("name = \"corp\"\n[oidc]\n{oidc}");
        let document = parse::<ConnectionSpec>("corp.toml", &one, Some(directory.path())).unwrap();
        assert_eq!(document.pointer("/oidc/client_secret").unwrap(), "s3cret");
        let problem = problem::<ConnectionSpec>(&format!("{one}colour = \"red\"\n"));
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
