//! Policy rules.
//!
//! Owns the table `rules`. Never evaluates one.

use lanyard_core::id::RuleId;
use lanyard_core::policy::rule::{Effect, Rule};
use lanyard_core::store::StoreError;
use lanyard_core::store::rule::RuleStore;

use crate::row::{Row, doc, maybe_doc};
use crate::sql::SqlTx;
use crate::version::Counter;

fn rule(row: &mut Row<'_>) -> Result<Rule, StoreError> {
    Ok(Rule {
        id: row.id()?,
        title: row.text()?,
        effect: row.one_of(&[Effect::Allow, Effect::Deny], Effect::as_str)?,
        people: row.doc()?,
        clients: row.doc()?,
        connectors: row.doc()?,
        scopes: row.doc()?,
        requires: row.maybe_doc()?,
        enabled: row.flag()?,
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

impl RuleStore for SqlTx<'_> {
    fn policy_version(&mut self) -> Result<i64, StoreError> {
        self.counter(Counter::Policy)
    }

    fn list_rules(&mut self) -> Result<Vec<Rule>, StoreError> {
        self.list(
            "SELECT id, title, effect, people, clients, connectors, scopes, requires, enabled, version, created_at, updated_at
             FROM rules ORDER BY id",
            &[],
            rule,
        )
    }

    fn find_rule(&mut self, id: &RuleId) -> Result<Option<Rule>, StoreError> {
        self.find(
            "SELECT id, title, effect, people, clients, connectors, scopes, requires, enabled, version, created_at, updated_at
             FROM rules WHERE id = $1",
            &[id.into()],
            rule,
        )
    }

    fn find_rule_by_title(&mut self, title: &str) -> Result<Option<Rule>, StoreError> {
        self.find(
            "SELECT id, title, effect, people, clients, connectors, scopes, requires, enabled, version, created_at, updated_at
             FROM rules WHERE title = $1",
            &[title.into()],
            rule,
        )
    }

    fn insert_rule(&mut self, rule: &Rule) -> Result<(), StoreError> {
        self.add(
            "rule title",
            "INSERT INTO rules (id, title, effect, people, clients, connectors, scopes, requires, enabled, version, created_at,
             updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
            &[
                (&rule.id).into(),
                (&rule.title).into(),
                rule.effect.as_str().into(),
                (&doc(&rule.people)?).into(),
                (&doc(&rule.clients)?).into(),
                (&doc(&rule.connectors)?).into(),
                (&doc(&rule.scopes)?).into(),
                maybe_doc(rule.requires.as_ref())?.as_ref().into(),
                rule.enabled.into(),
                rule.version.into(),
                rule.created_at.into(),
                rule.updated_at.into(),
            ],
        )?;
        self.advance(Counter::Policy).map(|_| ())
    }

    fn update_rule(&mut self, rule: &Rule) -> Result<(), StoreError> {
        self.change(
            "rule",
            "UPDATE rules SET title = $1, effect = $2, people = $3, clients = $4, connectors = $5, scopes = $6,
             requires = $7, enabled = $8, version = $9, updated_at = $10 WHERE id = $11 AND version = $12",
            &[
                (&rule.title).into(),
                rule.effect.as_str().into(),
                (&doc(&rule.people)?).into(),
                (&doc(&rule.clients)?).into(),
                (&doc(&rule.connectors)?).into(),
                (&doc(&rule.scopes)?).into(),
                maybe_doc(rule.requires.as_ref())?.as_ref().into(),
                rule.enabled.into(),
                rule.version.into(),
                rule.updated_at.into(),
                (&rule.id).into(),
                rule.version.saturating_sub(1).into(),
            ],
        )?;
        self.advance(Counter::Policy).map(|_| ())
    }

    fn remove_rule(&mut self, id: &RuleId) -> Result<bool, StoreError> {
        let removed = self.touched("DELETE FROM rules WHERE id = $1", &[id.into()])?;
        if removed {
            self.advance(Counter::Policy)?;
        }
        Ok(removed)
    }
}
