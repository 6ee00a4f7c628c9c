//! Files that only their owner may read.
//!
//! Owns "0600 or refused", and writing by rename so that a reader never sees half a file.

use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Makes a directory (and its parents) that only its owner may enter, unless it exists.
///
/// # Errors
/// What the system said.
pub(crate) fn ensure_directory(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| {
            format!(
                "the directory {} cannot be made; make it, or name another one",
                path.display()
            )
        })
}

/// Writes a file of mode 0600, complete or not at all: written beside its place, synced, then renamed.
///
/// # Errors
/// What the system said.
pub(crate) fn write(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let beside = beside(path);
    let attempt = || -> io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        file.write_all(contents)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            std::fs::File::open(directory)?.sync_all()?;
        }
        Ok(())
    };
    attempt().with_context(|| format!("the file {} cannot be written", path.display()))
}

/// Reads a file that must not be readable by others.
///
/// # Errors
/// When it cannot be read, or its mode is wider than 0600.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path).with_context(|| format!("the file {} cannot be read", path.display()))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        anyhow::bail!(
            "the file {} has mode {mode:04o}: others may read it. Run `chmod 600 {0}`",
            path.display()
        );
    }
    std::fs::read(path).with_context(|| format!("the file {} cannot be read", path.display()))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kek");
        write(&path, b"secret").unwrap();
        assert_eq!(read(&path).unwrap(), b"secret");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn the_name_of_a_file_is_told_as_it_is_written() {
        let told = |path: &Path| crate::client_config::outcome::Ending::of(&read(path).unwrap_err()).happened;
        assert!(told(Path::new("nofile")).starts_with("The file nofile cannot be read"));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("entra.secret");
        write(&path, b"secret").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(told(&path).starts_with(&format!("The file {} has mode 0644", path.display())));
    }
}
