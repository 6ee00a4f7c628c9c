//! The audit log of a site as a reader keeps it: each event once, from the API.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::site::Site;

/// What was read so far.
#[derive(Default)]
pub(crate) struct AuditLog {
    seen: HashSet<String>,
    /// Issued tokens by `jti`.
    pub(crate) issued: HashSet<String>,
    /// How often an ID-JAG bought an access token.
    pub(crate) redemptions: HashMap<String, usize>,
}

impl AuditLog {
    /// Reads what is new, newest first, until it meets what it knows.
    pub(crate) fn read(&mut self, site: &Site) {
        let mut after: Option<String> = None;
        loop {
            let page = after
                .as_ref()
                .map_or_else(String::new, |after| format!("&after={after}"));
            let answer = site.admin("GET", &format!("/admin/v1/audit?limit=1000{page}"), None);
            assert_eq!(answer.status, 200, "{answer:?}");
            let body = answer.json();
            let events = body["items"].as_array().unwrap();
            let fresh = events.iter().filter(|event| self.note(event)).count();
            match body["next"].as_str() {
                Some(next) if fresh == events.len() => after = Some(next.to_owned()),
                _ => return,
            }
        }
    }

    fn note(&mut self, event: &Value) -> bool {
        if !self.seen.insert(event["id"].as_str().unwrap().to_owned()) {
            return false;
        }
        let kind = event["kind"].as_str().unwrap();
        if event["outcome"] == "granted" && matches!(kind, "idp.id_jag.issued" | "ras.access_token.issued") {
            self.issued.insert(event["detail"]["jti"].as_str().unwrap().to_owned());
        }
        if kind == "ras.access_token.issued" && event["outcome"] == "granted" {
            let id_jag = event["detail"]["id_jag"].as_str().unwrap().to_owned();
            *self.redemptions.entry(id_jag).or_default() += 1;
        }
        true
    }

    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    /// Exports the log and verifies the file without the server.
    pub(crate) fn verify_chain(site: &Site) {
        let file = site.path("audit.jsonl");
        let file = file.to_str().unwrap();
        site.must(&["audit", "export", "--out", file]);
        let report: Value = serde_json::from_str(&site.must(&["audit", "verify", file, "--json"])).unwrap();
        assert_eq!(report["sound"], true, "{report}");
    }
}
