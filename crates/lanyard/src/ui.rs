//! How commands speak to the person at the terminal.
//!
//! Owns colour, tables and JSON output. Never decides what is said.

use std::io::{IsTerminal as _, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// The terminal as a command sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ui {
    color: bool,
    interactive: bool,
    stdout_is_terminal: bool,
}

impl Ui {
    /// Looks at the standard streams; `no_color` is the NO_COLOR convention.
    pub(crate) fn detect(no_color: bool) -> Self {
        let stdout_is_terminal = std::io::stdout().is_terminal();
        let interactive = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Self {
            color: stdout_is_terminal && !no_color,
            interactive,
            stdout_is_terminal,
        }
    }

    /// Whether a person can be asked something.
    pub(crate) const fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Whether stdout is read by a person.
    pub(crate) const fn stdout_is_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    /// `text` made to stand out.
    pub(crate) fn strong(&self, text: &str) -> String {
        if self.color {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// `text` made to stand back.
    pub(crate) fn dim(&self, text: &str) -> String {
        if self.color {
            format!("\u{1b}[2m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// One line on stdout. A closed pipe is not an error.
    pub(crate) fn line(&self, text: &str) {
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    /// One line beside the output: on stderr.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// A value as indented JSON on stdout.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(&serde_json::to_string_pretty(value)?);
        Ok(())
    }

    /// A table that fits the terminal.
    pub(crate) fn table(&self, header: &[&str], rows: Vec<Vec<String>>) {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(header.iter().map(|title| self.strong(title)));
        for row in rows {
            table.add_row(row);
        }
        self.line(&table.to_string());
    }
}
