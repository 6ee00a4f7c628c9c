//! `cargo xtask dist`: what is handed out.
//!
//! Owns the archive's content: the binary, completions, licence and the pages for operators.

use anyhow::{Context as _, bail};

use crate::release;
use crate::shell::{self, output, program, run as run_it};

const SHELLS: [(&str, &str); 3] = [("bash", "lanyard.bash"), ("zsh", "_lanyard"), ("fish", "lanyard.fish")];
const PAGES: [&str; 4] = ["LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md"];

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    if !arguments.is_empty() {
        bail!("usage: cargo xtask dist");
    }
    let built = release::build()?;
    let target = shell::target()?;
    let version = String::from_utf8(output(program(&built).arg("--version"))?).context("the version")?;
    let version = version.split_whitespace().last().context("the version")?.to_owned();
    let name = format!("lanyard-{version}-{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let folder = target.join("dist").join(&name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(folder.join("completions"))?;
    std::fs::copy(&built, folder.join("lanyard"))?;
    for (shell_name, file) in SHELLS {
        let script = output(program(&built).args(["completions", shell_name]))?;
        std::fs::write(folder.join("completions").join(file), script)?;
    }
    for page in PAGES {
        std::fs::copy(shell::root().join(page), folder.join(page)).with_context(|| format!("{page} is missing"))?;
    }
    let archive = target.join("dist").join(format!("{name}.tar.gz"));
    run_it(
        program("tar")
            .arg("-C")
            .arg(target.join("dist"))
            .arg("-czf")
            .arg(&archive)
            .arg(&name),
    )?;
    println!("{}", archive.display());
    Ok(())
}
