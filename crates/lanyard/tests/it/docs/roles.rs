//! The table of roles and acts in `docs/admin.md`, against the table in the code.

use std::fmt::Write as _;

use lanyard_server::admin::acts::{ACTS, ROLES};

use super::examples::root;

const BEGIN: &str = "<!-- roles: made from crates/server/src/admin/acts.rs -->\n";
const END: &str = "<!-- end of roles -->\n";

fn table() -> String {
    let names: Vec<String> = ROLES.iter().map(|role| format!("`{}`", role.as_str())).collect();
    let mut table = format!("| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(ROLES.len()));
    for act in ACTS {
        let cells: Vec<&str> = ROLES
            .iter()
            .map(|role| if act.needs.allow(*role) { "yes" } else { "" })
            .collect();
        writeln!(table, "| {} | {} |", act.words, cells.join(" | ")).unwrap();
    }
    table
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch for whoever writes the page anew")]
fn the_table_of_roles_says_what_the_code_says() {
    let file = root().join("docs/admin.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (head, rest) = page.split_once(BEGIN).expect("the table begins somewhere");
    let (found, tail) = rest.split_once(END).expect("the table ends somewhere");
    let wanted = table();
    if std::env::var("LANYARD_UPDATE_ROLES").is_ok() {
        std::fs::write(&file, format!("{head}{BEGIN}{wanted}{END}{tail}")).unwrap();
        return;
    }
    assert!(
        found == wanted,
        "docs/admin.md is not what server/src/admin/acts.rs says; run this test with LANYARD_UPDATE_ROLES=1"
    );
}
