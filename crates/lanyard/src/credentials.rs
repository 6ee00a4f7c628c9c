//! Where the client's secrets rest: the keyring of the operating system, else files that only their owner may read.
//!
//! Owns both places and the renewal lock (CL-ST-01). Never prints a secret and never reads a file that others can read.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use lanyard_client::session::Session;
use lanyard_client::store::{BoxFuture, CredentialStore, RenewalGuard, StoreError};
use lanyard_jose::digest::sha256_hex;
use lanyard_protocol::issuer::Issuer;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

const SERVICE: &str = "lanyard";

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Keep {
    /// The keyring where there is one, else files.
    #[default]
    Auto,
    /// The keyring only.
    Keyring,
    /// Files only.
    File,
}

/// The secrets of one state directory.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    keep: Keep,
    directory: PathBuf,
}

impl Secrets {
    /// Secrets of the state directory `state`.
    pub(crate) fn new(keep: Keep, state: &Path) -> Self {
        Self {
            keep,
            directory: state.join("secrets"),
        }
    }

    /// The secret `name`; a file goes before the keyring, since it was written when the keyring could not be.
    pub(crate) fn read(&self, name: &str) -> anyhow::Result<Option<SecretString>> {
        let path = self.path(name);
        if self.keep != Keep::Keyring && path.exists() {
            return read_private_file(&path).map(Some);
        }
        if self.keep == Keep::File {
            return Ok(None);
        }
        match keyring_entry(&self.entry(name)).and_then(|entry| entry.get_password()) {
            Ok(secret) => Ok(Some(SecretString::from(secret))),
            Err(keyring::Error::NoEntry) => Ok(None),
            // A machine without a keyring; one that is only locked is told, not taken for empty.
            Err(keyring::Error::NoDefaultStore) if self.keep == Keep::Auto => Ok(None),
            Err(error) => Err(keyring_failed(error)),
        }
    }

    /// Keeps `secret` as `name` and says where.
    pub(crate) fn write(&self, name: &str, secret: &SecretString) -> anyhow::Result<&'static str> {
        if self.keep != Keep::File {
            match keyring_entry(&self.entry(name)).and_then(|entry| entry.set_password(secret.expose_secret())) {
                Ok(()) => {
                    remove_file(&self.path(name))?;
                    return Ok("the system keyring");
                }
                Err(error) if self.keep == Keep::Keyring => return Err(keyring_failed(error)),
                // No keyring on this machine, or one that refuses: the file.
                Err(_) => {}
            }
        }
        make_private_directory(&self.directory)?;
        write_private_file(&self.path(name), secret)?;
        Ok("a file that only you can read")
    }

    /// Forgets `name` in both places.
    pub(crate) fn remove(&self, name: &str) -> anyhow::Result<()> {
        remove_file(&self.path(name))?;
        if self.keep == Keep::File {
            return Ok(());
        }
        match keyring_entry(&self.entry(name)).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(_) if self.keep == Keep::Auto => Ok(()),
            Err(error) => Err(keyring_failed(error)),
        }
    }

    /// An entry of the keyring that somebody else made (`auth = "keyring:NAME"`).
    pub(crate) fn read_named(entry: &str) -> anyhow::Result<Option<SecretString>> {
        match keyring_entry(entry).and_then(|entry| entry.get_password()) {
            Ok(secret) => Ok(Some(SecretString::from(secret))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(keyring_failed(error)),
        }
    }

    /// Two state directories do not share keyring entries.
    fn entry(&self, name: &str) -> String {
        let place = sha256_hex(self.directory.as_os_str().as_encoded_bytes());
        format!("{name} ({})", place.get(..8).unwrap_or_default())
    }

    fn path(&self, name: &str) -> PathBuf {
        let digest = sha256_hex(name.as_bytes());
        self.directory.join(digest.get(..32).unwrap_or_default())
    }
}

fn keyring_entry(name: &str) -> keyring::Result<keyring::Entry> {
    keyring::Entry::new(SERVICE, name)
}

/// The library's errors can carry the secret: only their kind is told.
fn keyring_failed(error: keyring::Error) -> anyhow::Error {
    let what = match error {
        keyring::Error::NoDefaultStore => "there is none on this machine",
        keyring::Error::NoStorageAccess(_) => "it is locked or refuses access",
        keyring::Error::TooLong(..) => "the secret is too long for it",
        _ => "it failed",
    };
    anyhow::anyhow!("the system keyring cannot be used: {what}. Unlock it, or set keep = \"file\" in client.toml")
}

/// Reads a file with a secret; refused when others can read it.
pub(crate) fn read_private_file(path: &Path) -> anyhow::Result<SecretString> {
    let metadata = fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
    refuse_wider(path, &metadata)?;
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(SecretString::from(text))
}

#[cfg(unix)]
fn refuse_wider(path: &Path, metadata: &fs::Metadata) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "{} can be read by others (mode {mode:03o}). Run: chmod 600 {0}",
            path.display()
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_wider(_: &Path, _: &fs::Metadata) -> anyhow::Result<()> {
    Ok(())
}

/// Writes beside the target and renames: a reader sees the old secret or the new one.
pub(crate) fn write_private_file(path: &Path, secret: &SecretString) -> anyhow::Result<()> {
    let directory = path.parent().context("a secret needs a directory")?;
    // `tempfile` makes files with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory)
        .with_context(|| format!("{} cannot be written to", directory.display()))?;
    file.write_all(secret.expose_secret().as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(())
}

/// Makes `directory` for its owner alone.
pub(crate) fn make_private_directory(directory: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder
        .create(directory)
        .with_context(|| format!("{} cannot be made", directory.display()))
}

fn remove_file(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

/// The client library's store: one secret per issuer, renewals under a file lock.
pub(crate) struct SessionStore {
    secrets: Arc<Secrets>,
}

impl SessionStore {
    pub(crate) const fn new(secrets: Arc<Secrets>) -> Self {
        Self { secrets }
    }

    /// Keyrings may ask the person, and locks may wait: off the runtime's threads.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Secrets) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let secrets = Arc::clone(&self.secrets);
        match tokio::task::spawn_blocking(move || work(&secrets)).await {
            Ok(done) => done.map_err(|error| StoreError(format!("{error:#}"))),
            Err(_) => Err(StoreError("the store of sign-ins stopped working".to_owned())),
        }
    }
}

fn session_name(issuer: &Issuer) -> String {
    format!("session {issuer}")
}

impl CredentialStore for SessionStore {
    fn load<'a>(&'a self, issuer: &'a Issuer) -> BoxFuture<'a, Result<Option<Session>, StoreError>> {
        let name = session_name(issuer);
        Box::pin(async move {
            let Some(text) = self.run(move |secrets| secrets.read(&name)).await? else {
                return Ok(None);
            };
            let unreadable = "the stored sign-in cannot be read; sign in again with `lanyard login`";
            Session::from_stored(&text)
                .map(Some)
                .map_err(|_| StoreError(unreadable.to_owned()))
        })
    }

    fn save<'a>(&'a self, session: &'a Session) -> BoxFuture<'a, Result<(), StoreError>> {
        let (name, text) = (session_name(&session.issuer), session.to_stored());
        Box::pin(async move { self.run(move |secrets| secrets.write(&name, &text).map(|_| ())).await })
    }

    fn remove<'a>(&'a self, issuer: &'a Issuer) -> BoxFuture<'a, Result<(), StoreError>> {
        let name = session_name(issuer);
        Box::pin(async move { self.run(move |secrets| secrets.remove(&name)).await })
    }

    fn lock<'a>(&'a self, issuer: &'a Issuer) -> BoxFuture<'a, Result<RenewalGuard, StoreError>> {
        let name = session_name(issuer);
        Box::pin(async move {
            let file = self
                .run(move |secrets| {
                    make_private_directory(&secrets.directory)?;
                    let path = secrets.path(&name).with_extension("lock");
                    let file: File = OpenOptions::new()
                        .create(true)
                        .truncate(false)
                        .write(true)
                        .open(&path)?;
                    file.lock()
                        .with_context(|| format!("{} cannot be locked", path.display()))?;
                    Ok(file)
                })
                .await?;
            Ok(RenewalGuard::new(file))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(directory: &Path) -> Secrets {
        Secrets::new(Keep::File, directory)
    }

    #[test]
    fn a_secret_reads_back_and_goes_away_cl_st_01() {
        let directory = tempfile::tempdir().unwrap();
        let secrets = secrets(directory.path());
        assert!(secrets.read("a").unwrap().is_none());
        secrets.write("a", &SecretString::from("hunter2")).unwrap();
        assert_eq!(secrets.read("a").unwrap().unwrap().expose_secret(), "hunter2");
        secrets.remove("a").unwrap();
        assert!(secrets.read("a").unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_cl_st_01() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let secrets = secrets(directory.path());
        secrets.write("a", &SecretString::from("hunter2")).unwrap();
        let path = secrets.path("a");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = secrets.read("a").unwrap_err().to_string();
        assert!(error.contains("chmod 600") && !error.contains("hunter2"), "{error}");
    }

    #[tokio::test]
    async fn a_renewal_waits_for_another_one() {
        let directory = tempfile::tempdir().unwrap();
        let store = SessionStore::new(Arc::new(secrets(directory.path())));
        let issuer = Issuer::parse("https://idp.example").unwrap();
        let held = store.lock(&issuer).await.unwrap();
        let path = store.secrets.path(&session_name(&issuer)).with_extension("lock");
        let other = File::open(&path).unwrap();
        assert!(other.try_lock().is_err(), "locked while the renewal runs");
        drop(held);
        assert!(other.try_lock().is_ok());
    }
}
