//! The sample connectors of the lab and the demo.
//!
//! Owns names, scopes, tools and made-up answers. The servers are samples of ours; the products they are named after
//! have no part in them.

/// A sample connector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Short name.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// Whether it is staged: prepared, not open.
    pub staged: bool,
    /// Scopes with a description and whether they are of high impact.
    pub scopes: &'static [(&'static str, &'static str, bool)],
    /// The tools.
    pub tools: &'static [Tool],
}

/// A tool of a sample server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it says it does.
    pub description: &'static str,
    /// The scope it needs.
    pub scope: &'static str,
    /// The one text argument it takes.
    pub argument: &'static str,
    /// What it answers.
    pub answer: &'static str,
}

impl Sample {
    /// Every scope, space-separated.
    pub(crate) fn all_scopes(&self) -> String {
        let names: Vec<&str> = self.scopes.iter().map(|(scope, _, _)| *scope).collect();
        names.join(" ")
    }

    /// The scope that only reads: the first one.
    pub(crate) fn read_scope(&self) -> &'static str {
        self.scopes.first().map_or("", |(scope, _, _)| scope)
    }
}

const fn tool(
    name: &'static str,
    description: &'static str,
    scope: &'static str,
    argument: &'static str,
    answer: &'static str,
) -> Tool {
    Tool {
        name,
        description,
        scope,
        argument,
        answer,
    }
}

/// The seven open connectors and the staged one.
pub(crate) const SAMPLES: &[Sample] = &[
    Sample {
        name: "asana",
        title: "Asana (sample)",
        staged: false,
        scopes: &[
            ("asana.read", "Read tasks", false),
            ("asana.write", "Create tasks", false),
        ],
        tools: &[
            tool(
                "list_tasks",
                "Lists open tasks of a project.",
                "asana.read",
                "project",
                "3 open tasks: plan launch, write FAQ, book room",
            ),
            tool(
                "create_task",
                "Creates a task.",
                "asana.write",
                "title",
                "task 4711 created",
            ),
        ],
    },
    Sample {
        name: "atlassian",
        title: "Atlassian (sample)",
        staged: false,
        scopes: &[
            ("atlassian.read", "Read issues and pages", false),
            ("atlassian.comment", "Comment on issues", false),
        ],
        tools: &[
            tool(
                "search_issues",
                "Searches issues.",
                "atlassian.read",
                "query",
                "2 issues: OPS-12 rotate keys, OPS-19 disk alert",
            ),
            tool(
                "add_comment",
                "Comments on an issue.",
                "atlassian.comment",
                "text",
                "comment added to OPS-12",
            ),
        ],
    },
    Sample {
        name: "canva",
        title: "Canva (sample)",
        staged: false,
        scopes: &[
            ("canva.read", "See designs", false),
            ("canva.export", "Export designs", false),
        ],
        tools: &[
            tool(
                "list_designs",
                "Lists designs of a folder.",
                "canva.read",
                "folder",
                "2 designs: autumn poster, hiring card",
            ),
            tool(
                "export_design",
                "Exports a design.",
                "canva.export",
                "design",
                "export of autumn poster is ready",
            ),
        ],
    },
    Sample {
        name: "figma",
        title: "Figma (sample)",
        staged: false,
        scopes: &[
            ("figma.read", "Read files", false),
            ("figma.comment", "Comment on files", false),
        ],
        tools: &[
            tool(
                "get_file",
                "Describes a file.",
                "figma.read",
                "file",
                "file Checkout has 14 frames",
            ),
            tool(
                "post_comment",
                "Comments on a file.",
                "figma.comment",
                "text",
                "comment posted on Checkout",
            ),
        ],
    },
    Sample {
        name: "granola",
        title: "Granola (sample)",
        staged: false,
        scopes: &[("granola.read", "Read meeting notes", false)],
        tools: &[
            tool(
                "list_notes",
                "Lists recent notes.",
                "granola.read",
                "team",
                "2 notes: weekly, retro",
            ),
            tool(
                "search_notes",
                "Searches notes.",
                "granola.read",
                "query",
                "1 note mentions the launch date",
            ),
        ],
    },
    Sample {
        name: "linear",
        title: "Linear (sample)",
        staged: false,
        scopes: &[
            ("linear.read", "Read issues", false),
            ("linear.write", "Create and change issues", false),
        ],
        tools: &[
            tool(
                "list_issues",
                "Lists issues of a team.",
                "linear.read",
                "team",
                "2 issues: ENG-101 flaky login, ENG-107 dark mode",
            ),
            tool(
                "create_issue",
                "Creates an issue.",
                "linear.write",
                "title",
                "issue ENG-108 created",
            ),
        ],
    },
    Sample {
        name: "supabase",
        title: "Supabase (sample)",
        staged: false,
        scopes: &[
            ("supabase.read", "See projects and tables", false),
            ("supabase.query", "Run queries", true),
        ],
        tools: &[
            tool(
                "list_projects",
                "Lists projects.",
                "supabase.read",
                "organisation",
                "2 projects: shop, metrics",
            ),
            tool(
                "run_query",
                "Runs a read-only query.",
                "supabase.query",
                "sql",
                "1 row: 42",
            ),
        ],
    },
    Sample {
        name: "slack",
        title: "Slack (sample)",
        staged: true,
        scopes: &[
            ("slack.read", "Search messages", false),
            ("slack.write", "Post messages", false),
        ],
        tools: &[
            tool(
                "search_messages",
                "Searches messages.",
                "slack.read",
                "query",
                "no message found",
            ),
            tool("post_message", "Posts a message.", "slack.write", "text", "posted"),
        ],
    },
];

/// The sample of a name.
pub(crate) fn find(name: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|sample| sample.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_needs_a_scope_of_its_own_connector() {
        for sample in SAMPLES {
            for tool in sample.tools {
                assert!(
                    sample.scopes.iter().any(|(scope, _, _)| *scope == tool.scope),
                    "{} {}",
                    sample.name,
                    tool.name
                );
                assert!(
                    tool.scope.starts_with(sample.name),
                    "scopes carry their server's name (SEC-14)"
                );
            }
        }
    }
}
