//! Policy rules.

use crate::id::RuleId;
use crate::policy::rule::Rule;
use crate::store::StoreError;

/// The rules of the IdP.
pub trait RuleStore {
    /// A number that grows with every change of any rule; cheap, read on every exchange.
    fn policy_version(&mut self) -> Result<i64, StoreError>;
    /// Every rule in the order of its id.
    fn list_rules(&mut self) -> Result<Vec<Rule>, StoreError>;
    /// The rule of this id.
    fn find_rule(&mut self, id: &RuleId) -> Result<Option<Rule>, StoreError>;
    /// The rule of this title.
    fn find_rule_by_title(&mut self, title: &str) -> Result<Option<Rule>, StoreError>;
    /// Writes a new rule and moves the policy version. [`StoreError::Conflict`] when the title is taken.
    fn insert_rule(&mut self, rule: &Rule) -> Result<(), StoreError>;
    /// Writes a changed rule whose stored version is `rule.version - 1`, and moves the policy version.
    fn update_rule(&mut self, rule: &Rule) -> Result<(), StoreError>;
    /// Removes a rule and moves the policy version; `false` when it did not exist.
    fn remove_rule(&mut self, id: &RuleId) -> Result<bool, StoreError>;
}
