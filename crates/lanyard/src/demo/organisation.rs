//! The demo's organisation: 2,000 employees in 12 groups, 20 contractors, seven open connectors and a staged one.

use lanyard_core::admin::spec::{AllOr, Organisation};
use lanyard_jose::random::{Random, SystemRandom};

use crate::lab::addresses::Addresses;
use crate::lab::catalogue::SAMPLES;
use crate::lab::organisation::{self, CLI_CLIENT, LabClient, LabConnector, LabUser};

/// How many people are employed.
pub(super) const EMPLOYEES: usize = 2000;
/// How many contractors there are on top.
pub(super) const CONTRACTORS: usize = 20;
/// Departments; every employee is in one of them.
pub(super) const GROUPS: [&str; 12] = [
    "engineering",
    "platform",
    "data",
    "design",
    "product",
    "marketing",
    "sales",
    "support",
    "finance",
    "people",
    "legal",
    "operations",
];
/// Where sign-ins of the demo's client return to.
pub(super) const REDIRECT: &str = "http://127.0.0.1/callback";

/// The documents with the plain credentials.
pub(super) struct DemoOrganisation {
    /// Employees first, then contractors.
    pub users: Vec<LabUser>,
    /// The company's assistant.
    pub client: LabClient,
    /// What is applied.
    pub document: Organisation,
}

/// Makes the organisation.
///
/// # Errors
/// Never for its own documents.
pub(super) fn make(addresses: Addresses) -> anyhow::Result<DemoOrganisation> {
    let random = SystemRandom;
    let users = people(&random);
    let client = organisation::secret_client("assistant", &[REDIRECT], &random);
    let clients = [client.clone()];
    let connectors: Vec<LabConnector> = SAMPLES
        .iter()
        .enumerate()
        .map(|(n, sample)| LabConnector {
            spec: organisation::sample_connector(addresses, n, sample),
            allowed_groups: Vec::new(),
        })
        .collect();
    let open = organisation::open_samples();
    let read: Vec<&str> = SAMPLES
        .iter()
        .filter(|sample| !sample.staged)
        .map(|sample| sample.read_scope())
        .collect();
    let rules = vec![
        organisation::allow(
            "Employees read every open connector",
            &GROUPS,
            AllOr::only(open),
            AllOr::only(read),
        ),
        organisation::allow(
            "Builders change Linear and query Supabase",
            &["engineering", "platform", "data", "product"],
            AllOr::only(["linear", "supabase"]),
            AllOr::only(["linear.write", "supabase.query"]),
        ),
        organisation::allow(
            "Design comments on Figma and exports from Canva",
            &["design", "marketing"],
            AllOr::only(["figma", "canva"]),
            AllOr::only(["figma.comment", "canva.export"]),
        ),
        organisation::allow(
            "Everyone's work lists: Asana and Atlassian",
            &["product", "support", "operations", "sales"],
            AllOr::only(["asana", "atlassian"]),
            AllOr::only(["asana.write", "atlassian.comment"]),
        ),
        organisation::allow(
            "Contractors read Linear",
            &["contractors"],
            AllOr::only(["linear"]),
            AllOr::only(["linear.read"]),
        ),
    ];
    let mut groups: Vec<_> = GROUPS.iter().map(|name| organisation::group(name)).collect();
    groups.push(organisation::group("contractors"));
    let mut document = organisation::document(groups, &users, &clients, &connectors, rules)?;
    document.audiences.push(organisation::own_audience(addresses, &clients));
    let ras_clients = AllOr::only([client.ras.client_id.clone(), CLI_CLIENT.to_owned()]);
    document.trusts.push(organisation::own_trust(addresses, ras_clients));
    Ok(DemoOrganisation {
        users,
        client,
        document,
    })
}

fn people(random: &dyn Random) -> Vec<LabUser> {
    let employees = (0..EMPLOYEES).zip(GROUPS.iter().cycle()).map(|(n, group)| {
        organisation::person(
            &format!("employee{:04}", n + 1),
            &format!("Employee {}", n + 1),
            &[group],
            true,
            random,
        )
    });
    let contractors = (0..CONTRACTORS).map(|n| {
        organisation::person(
            &format!("contractor{:02}", n + 1),
            &format!("Contractor {}", n + 1),
            &["contractors"],
            true,
            random,
        )
    });
    employees.chain(contractors).collect()
}
