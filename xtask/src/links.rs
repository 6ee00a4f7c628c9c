//! Links between the pages of the repository.
//!
//! Owns that a relative link leads to a file, and to a heading when it names one. Never opens a connection: addresses
//! on the web are not looked at.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::shell;

/// Folders in which pages are not ours.
const FOREIGN: [&str; 6] = ["target", "node_modules", ".git", ".venv", "venv", "corpus"];

/// Runs the stage.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = shell::root().canonicalize().context("the repository's root")?;
    let mut pages = Vec::new();
    collect(&root, &mut pages)?;
    let (mut links, mut broken) = (0_usize, Vec::new());
    for page in &pages {
        let text = std::fs::read_to_string(page).with_context(|| page.display().to_string())?;
        for (line, link) in targets(&text) {
            links = links.saturating_add(1);
            if let Some(problem) = problem(page, &text, &link) {
                let shown = page.strip_prefix(&root).unwrap_or(page).display();
                broken.push(format!("{shown}:{line}: {link}: {problem}"));
            }
        }
    }
    for one in &broken {
        println!("{one}");
    }
    if !broken.is_empty() {
        bail!("{} of {links} links lead nowhere", broken.len());
    }
    println!("{links} links on {} pages", pages.len());
    Ok(())
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_symlink() || FOREIGN.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            collect(&path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    Ok(())
}

/// The targets of `[text](target)` outside code, with their lines.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (n, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            continue;
        }
        if in_code {
            continue;
        }
        // Every second piece between back quotes is code.
        let prose: Vec<&str> = line.split('`').step_by(2).collect();
        for part in prose.join("`").split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((
                    n.saturating_add(1),
                    target.split(' ').next().unwrap_or_default().to_owned(),
                ));
            }
        }
    }
    found
}

fn problem(page: &Path, text: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = link
        .split_once('#')
        .map_or((link, None), |(file, heading)| (file, Some(heading)));
    let (target, other);
    let content = if file.is_empty() {
        text
    } else {
        target = tidy(&page.parent()?.join(file));
        if !target.exists() {
            return Some("there is no such file".to_owned());
        }
        if heading.is_none() || target.extension().is_none_or(|extension| extension != "md") {
            return None;
        }
        other = std::fs::read_to_string(&target).ok()?;
        &other
    };
    let heading = heading?;
    let known = content
        .lines()
        .filter(|line| line.starts_with('#'))
        .any(|line| anchor(line) == heading);
    (!known).then(|| "there is no such heading".to_owned())
}

/// A heading's anchor as forges make it.
fn anchor(line: &str) -> String {
    let title = line.trim_start_matches('#').trim().to_lowercase();
    let kept = title
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                tidied.pop();
            }
            Component::CurDir => {}
            other => tidied.push(other),
        }
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_code_are_no_links() {
        let text = "a [b](c.md) `[x](y)` [d](e#f \"g\")\n```\n[z](z)\n```\n";
        assert_eq!(targets(text), [(1, "c.md".to_owned()), (1, "e#f".to_owned())]);
    }

    #[test]
    fn headings_become_anchors() {
        assert_eq!(anchor("## What it does: *now*"), "what-it-does-now");
        assert!(problem(Path::new("/x/a.md"), "# A b\n", "#a-b").is_none());
        assert!(problem(Path::new("/x/a.md"), "# A b\n", "#b").is_some());
        assert!(problem(Path::new("/x/a.md"), "", "missing.md").is_some());
    }
}
