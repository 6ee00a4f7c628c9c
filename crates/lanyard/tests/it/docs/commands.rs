//! The commands and pieces of code that the pages show, against the program and the examples.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::examples::root;

/// The pages of the manual.
fn pages() -> Vec<(String, String)> {
    let mut paths = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    for folder in ["docs", "docs/identity-providers"] {
        let manual = std::fs::read_dir(root().join(folder)).unwrap();
        paths.extend(manual.map(|entry| entry.unwrap().path()));
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    let named = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths
        .iter()
        .map(|path| (named(path), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// Commands of the program that stand in code, one word each.
fn shown(page: &str) -> Vec<Vec<String>> {
    let blocks = page.lines().filter_map(|line| line.strip_prefix("    "));
    let inline = page.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let commands = blocks.chain(inline).flat_map(|code| {
        let code = code.split(" #").next().unwrap();
        code.split(['|', '&', '(', ')']).map(str::trim).collect::<Vec<_>>()
    });
    let commands = commands.filter_map(|command| command.strip_prefix("lanyard "));
    commands
        .map(|rest| rest.split_whitespace().map(str::to_owned).collect())
        .collect()
}

/// What `--help` says, remembered.
#[derive(Default)]
struct Helps(BTreeMap<Vec<String>, Option<String>>);

impl Helps {
    fn of(&mut self, path: &[String]) -> Option<String> {
        let made = self.0.entry(path.to_vec()).or_insert_with(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
            let output = command.args(path).arg("--help").output().unwrap();
            output
                .status
                .success()
                .then(|| String::from_utf8(output.stdout).unwrap())
        });
        made.clone()
    }

    /// Why a command cannot be given so.
    fn problem(&mut self, words: &[String]) -> Option<String> {
        let is_name = |word: &String| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        let mut path: Vec<String> = words.iter().take(1).cloned().collect();
        let Some(mut help) = self.of(&path) else {
            return Some("no such command".to_owned());
        };
        while help.contains("\nCommands:") {
            let next = words
                .get(path.len())
                .filter(|word| is_name(word) && !word.starts_with('-'));
            let Some(next) = next else { break };
            path.push(next.clone());
            match self.of(&path) {
                Some(longer) => help = longer,
                None => return Some(format!("no such subcommand: {next}")),
            }
        }
        let options = words.iter().filter(|word| word.starts_with("--") && word.len() > 2);
        let mut unknown = options.filter(|option| {
            let name = option.split('=').next().unwrap();
            !help.split([' ', '\n', ',', '[']).any(|word| word == name)
        });
        unknown.next().map(|option| format!("no such option: {option}"))
    }
}

#[test]
fn every_command_that_the_pages_show_exists_with_its_options() {
    let mut helps = Helps::default();
    let (mut seen, mut wrong) = (0, Vec::new());
    for (page, text) in pages() {
        for words in shown(&text) {
            seen += 1;
            if let Some(problem) = helps.problem(&words) {
                wrong.push(format!("{page}: lanyard {}: {problem}", words.join(" ")));
            }
        }
    }
    assert!(seen > 60, "the commands were not found: {seen}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_code_of_the_readme_is_that_of_the_examples() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let examples = ["protected-server", "rmcp-client"]
        .map(|name| std::fs::read_to_string(root().join("examples").join(name).join("src/main.rs")).unwrap());
    let blocks: Vec<&str> = readme
        .split("```rust\n")
        .skip(1)
        .map(|part| part.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let lines: Vec<&str> = block.lines().map(str::trim).collect();
        let holds = examples.iter().any(|example| {
            let known: Vec<&str> = example.lines().map(str::trim).collect();
            lines.iter().all(|line| known.contains(line))
        });
        assert!(holds, "not in an example:\n{block}");
    }
}
