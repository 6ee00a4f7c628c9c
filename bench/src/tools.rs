//! What a run is given: programs, and how large it is.

use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::table::Table;

/// Programs and sizes, from `--name value` pairs.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    /// Which run.
    pub(crate) run: String,
    /// The program under test.
    pub(crate) lanyard: PathBuf,
    /// The yardstick.
    pub(crate) floor: PathBuf,
    /// Node 22, for oidc-provider.
    pub(crate) node: Option<PathBuf>,
    /// gunicorn, for Authlib.
    pub(crate) gunicorn: Option<PathBuf>,
    /// Where the peers' programs are.
    pub(crate) peers: Option<PathBuf>,
    /// A PostgreSQL server on which databases may be made; without it a private one is started.
    pub(crate) postgres: Option<String>,
    /// People in the runs that do not say otherwise.
    pub(crate) people: usize,
    /// People in the largest organisation of the growth run.
    pub(crate) most_people: usize,
    /// Chains of the memory run.
    pub(crate) chains: usize,
    /// How often a figure is taken; the median counts.
    pub(crate) rounds: usize,
    /// Where figures go.
    pub(crate) table: Table,
}

impl Tools {
    /// Reads the command line.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut tools = Self {
            run: "all".to_owned(),
            lanyard: PathBuf::new(),
            floor: PathBuf::new(),
            node: None,
            gunicorn: None,
            peers: None,
            postgres: None,
            people: 2000,
            most_people: 100_000,
            chains: 100_000,
            rounds: 5,
            table: Table::default(),
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            let Some(option) = name.strip_prefix("--") else {
                tools.run = name;
                continue;
            };
            let value = arguments.next().with_context(|| format!("--{option} needs a value"))?;
            let number = || {
                value
                    .parse::<usize>()
                    .with_context(|| format!("--{option} needs a number"))
            };
            match option {
                "lanyard" => tools.lanyard = PathBuf::from(value),
                "floor" => tools.floor = PathBuf::from(value),
                "node" => tools.node = Some(PathBuf::from(value)),
                "gunicorn" => tools.gunicorn = Some(PathBuf::from(value)),
                "peers" => tools.peers = Some(PathBuf::from(value)),
                "postgres" => tools.postgres = Some(value),
                "people" => tools.people = number()?,
                "most-people" => tools.most_people = number()?,
                "chains" => tools.chains = number()?,
                "rounds" => tools.rounds = number()?.max(1),
                other => {
                    bail!("no option --{other}; there are --people, --most-people, --chains, --rounds and --postgres")
                }
            }
        }
        Ok(tools)
    }
}
