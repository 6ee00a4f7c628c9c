//! Where the admin API is and what opens it: arguments, environment, `admin.toml`.
//!
//! Owns the order of the three and the file. Never prints a token.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::admin_client::person::SignIn;
use crate::client_config::outcome::{Ending, NOT_SIGNED_IN};
use crate::runtime::private_file;

/// Where the admin API is. Without these, what `lanyard admin login` or `claim` saved.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AdminAt {
    /// The admin API
    #[arg(long, value_name = "URL", env = "LANYARD_ADMIN_URL", global = true)]
    admin_url: Option<String>,
    /// A file with an administrator token, mode 0600
    #[arg(long, value_name = "FILE", env = "LANYARD_ADMIN_TOKEN_FILE", global = true)]
    admin_token_file: Option<PathBuf>,
    /// A certificate authority of your own, PEM
    #[arg(long, value_name = "FILE", env = "LANYARD_ADMIN_CA_FILE", global = true)]
    admin_ca_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[arg(long = "admin-config-home", hide = true, env = "XDG_CONFIG_HOME", global = true)]
    admin_config_home: Option<PathBuf>,
    #[arg(long = "admin-home", hide = true, env = "HOME", global = true)]
    admin_home: Option<PathBuf>,
}

/// An address and what opens it.
pub(crate) struct Known {
    pub(crate) url: String,
    pub(crate) credential: Credential,
    pub(crate) ca_file: Option<PathBuf>,
}

/// What opens an admin API.
pub(crate) enum Credential {
    /// An administrator token.
    Token(SecretString),
    /// A person's sign-in.
    Person(Box<SignIn>),
}

/// The content of `admin.toml`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct AdminFile {
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca_file: Option<PathBuf>,
    /// A person's sign-in; it goes before the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sign_in: Option<SignIn>,
}

impl AdminFile {
    fn credential(&self) -> Option<Credential> {
        let person = self.sign_in.clone().map(|person| Credential::Person(Box::new(person)));
        person.or_else(|| {
            self.token
                .clone()
                .map(|token| Credential::Token(SecretString::from(token)))
        })
    }
}

impl AdminAt {
    /// The address and what opens it, each from the first place that has it.
    pub(crate) fn known(&self) -> anyhow::Result<Known> {
        let saved = match (&self.admin_url, &self.admin_token_file) {
            (Some(_), Some(_)) => None,
            _ => self.saved()?,
        };
        // A saved token belongs to the saved address and is not sent to another one.
        let saved_token = saved
            .as_ref()
            .filter(|saved| self.admin_url.as_ref().is_none_or(|url| same(url, &saved.url)));
        let credential = match &self.admin_token_file {
            Some(file) => Some(Credential::Token(read_token(file)?)),
            None => saved_token.and_then(AdminFile::credential),
        };
        let credential = credential.ok_or_else(|| nobody(self.admin_url.as_deref()))?;
        let url = match (&self.admin_url, &saved) {
            (Some(url), _) => url.clone(),
            (None, Some(saved)) => saved.url.clone(),
            (None, None) => return Err(nobody(None).into()),
        };
        let ca_file = self
            .admin_ca_file
            .clone()
            .or_else(|| saved.and_then(|saved| saved.ca_file));
        Ok(Known {
            url,
            credential,
            ca_file,
        })
    }

    /// The address that was named or saved, for a command that has no token yet.
    pub(crate) fn url(&self) -> anyhow::Result<Option<String>> {
        match &self.admin_url {
            Some(url) => Ok(Some(url.clone())),
            None => Ok(self.saved()?.map(|saved| saved.url)),
        }
    }

    /// The certificate authority that was named.
    pub(crate) fn ca_file(&self) -> Option<&Path> {
        self.admin_ca_file.as_deref()
    }

    /// Keeps an address and its token; gives the file.
    pub(crate) fn save(&self, url: &str, token: &SecretString) -> anyhow::Result<PathBuf> {
        let file = AdminFile {
            token: Some(token.expose_secret().to_owned()),
            ..self.of(url)?
        };
        self.write(&file)
    }

    /// Keeps a person's sign-in beside a token that is kept for the same address.
    pub(crate) fn save_sign_in(&self, url: &str, sign_in: &SignIn) -> anyhow::Result<PathBuf> {
        let file = AdminFile {
            sign_in: Some(sign_in.clone()),
            ..self.of(url)?
        };
        self.write(&file)
    }

    /// The sign-in that is kept.
    pub(crate) fn sign_in(&self) -> anyhow::Result<Option<SignIn>> {
        Ok(self.saved()?.and_then(|saved| saved.sign_in))
    }

    /// Forgets the sign-in; whether a token is left.
    pub(crate) fn forget_sign_in(&self) -> anyhow::Result<bool> {
        let Some(mut saved) = self.saved()? else {
            return Ok(false);
        };
        saved.sign_in = None;
        self.write(&saved)?;
        Ok(saved.token.is_some())
    }

    /// What is kept for an address, without what belongs to another one.
    fn of(&self, url: &str) -> anyhow::Result<AdminFile> {
        let saved = self.saved()?.filter(|saved| same(&saved.url, url));
        let (token, known, sign_in) = match saved {
            Some(saved) => (saved.token, saved.ca_file, saved.sign_in),
            None => (None, None, None),
        };
        Ok(AdminFile {
            url: url.to_owned(),
            token,
            ca_file: self.admin_ca_file.clone().or(known),
            sign_in,
        })
    }

    fn write(&self, file: &AdminFile) -> anyhow::Result<PathBuf> {
        let path = self.file()?;
        if let Some(directory) = path.parent() {
            private_file::ensure_directory(directory)?;
        }
        private_file::write(&path, toml::to_string(file)?.as_bytes())?;
        Ok(path)
    }

    fn saved(&self) -> anyhow::Result<Option<AdminFile>> {
        let path = self.file()?;
        if !path.exists() {
            return Ok(None);
        }
        let bytes = private_file::read(&path)?;
        let text = String::from_utf8(bytes).with_context(|| format!("the file {} is not text", path.display()))?;
        // The reader's own words would quote the line, which may be the token.
        let file = toml::from_str(&text).map_err(|_| {
            let remedy = "Make it again with `lanyard admin login --url URL`.";
            Ending::failed(&format!("The file {} cannot be read.", path.display()), Some(remedy))
        })?;
        Ok(Some(file))
    }

    fn file(&self) -> anyhow::Result<PathBuf> {
        let absolute = |path: &&PathBuf| path.is_absolute();
        let base = match self.admin_config_home.as_ref().filter(absolute) {
            Some(base) => base.clone(),
            None => {
                let home = self.admin_home.as_ref().filter(absolute);
                home.context("HOME is not set: name --admin-url and --admin-token-file")?
                    .join(".config")
            }
        };
        Ok(base.join("lanyard").join("admin.toml"))
    }
}

/// The token in a file: its one line.
pub(crate) fn read_token(file: &Path) -> anyhow::Result<SecretString> {
    let bytes = private_file::read(file)?;
    let text = String::from_utf8(bytes).with_context(|| format!("the file {} is not text", file.display()))?;
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        anyhow::bail!("the file {} does not hold a single token", file.display());
    }
    Ok(SecretString::from(token.to_owned()))
}

fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

fn nobody(url: Option<&str>) -> Ending {
    let happened = match url {
        Some(url) => format!("Nobody is signed in as an administrator at {url} here, and there is no token for it."),
        None => "No admin API is known here.".to_owned(),
    };
    let remedy = "Sign in with `lanyard admin login --url URL`; at a first start, run `lanyard admin claim` with its \
                  one-time token.";
    Ending {
        code: NOT_SIGNED_IN,
        happened,
        remedy: Some(remedy.to_owned()),
        request_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(home: &Path) -> AdminAt {
        AdminAt {
            admin_url: None,
            admin_token_file: None,
            admin_ca_file: None,
            json: false,
            admin_config_home: Some(home.to_owned()),
            admin_home: None,
        }
    }

    #[test]
    fn a_claimed_token_is_kept_for_its_address_only() {
        let home = tempfile::tempdir().unwrap();
        let here = at(home.path());
        assert!(here.known().is_err());
        let path = here
            .save("http://127.0.0.1:8003", &SecretString::from("lny_admin_x".to_owned()))
            .unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        let known = here.known().unwrap();
        let Credential::Token(token) = known.credential else {
            panic!("a person")
        };
        assert_eq!(
            (known.url.as_str(), token.expose_secret()),
            ("http://127.0.0.1:8003", "lny_admin_x")
        );
        let elsewhere = AdminAt {
            admin_url: Some("https://other.example".to_owned()),
            ..at(home.path())
        };
        assert!(elsewhere.known().is_err(), "the saved token would go to another server");
    }

    #[test]
    fn a_token_file_that_others_may_read_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("token");
        std::fs::write(&file, "lny_admin_x\n").unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        assert!(read_token(&file).unwrap_err().to_string().contains("chmod 600"));
    }
}
