//! Figures beside their targets.

use std::cell::RefCell;
use std::rc::Rc;

/// What was measured so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table(Rc<RefCell<Vec<Line>>>);

#[derive(Debug)]
struct Line {
    what: String,
    target: String,
    measured: String,
    reached: bool,
}

impl Table {
    /// A figure that must not be larger.
    pub(crate) fn at_most(&self, what: &str, unit: &str, target: f64, measured: f64) {
        self.add(what, unit, ('≤', target), measured, measured <= target);
    }

    /// A figure that must not be smaller.
    pub(crate) fn at_least(&self, what: &str, unit: &str, target: f64, measured: f64) {
        self.add(what, unit, ('≥', target), measured, measured >= target);
    }

    fn add(&self, what: &str, unit: &str, (sign, target): (char, f64), measured: f64, reached: bool) {
        let line = Line {
            what: what.to_owned(),
            target: format!("{sign} {target} {unit}"),
            measured: format!("{measured:.2} {unit}"),
            reached,
        };
        println!("{}", line.text());
        self.0.borrow_mut().push(line);
    }

    /// Prints all of them.
    pub(crate) fn print(&self) {
        let lines = self.0.borrow();
        println!("\n| what | target | measured | |\n|---|---|---|---|");
        for line in lines.iter() {
            println!("{}", line.text());
        }
        let missed = lines.iter().filter(|line| !line.reached).count();
        println!("\n{} figures, {missed} missed", lines.len());
    }
}

impl Line {
    fn text(&self) -> String {
        let verdict = if self.reached { "reached" } else { "MISSED" };
        format!("| {} | {} | {} | {verdict} |", self.what, self.target, self.measured)
    }
}
