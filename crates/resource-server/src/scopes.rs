//! Scopes that include others (RS-TK-06).
//!
//! Owns the expansion. Never decides what an operation needs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lanyard_protocol::scope::{Scope, ScopeSet};

/// Which scope includes which others. Empty for servers whose scopes stand side by side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeHierarchy(BTreeMap<Scope, ScopeSet>);

impl ScopeHierarchy {
    /// A hierarchy of scope → scopes directly included.
    pub const fn new(includes: BTreeMap<Scope, ScopeSet>) -> Self {
        Self(includes)
    }

    /// Everything that `held` amounts to, inclusions of inclusions too.
    pub fn expand<'a>(&self, held: &'a ScopeSet) -> Cow<'a, ScopeSet> {
        if self.0.is_empty() {
            return Cow::Borrowed(held);
        }
        let mut all = held.clone();
        let mut new: Vec<Scope> = held.iter().cloned().collect();
        while let Some(scope) = new.pop() {
            for included in self.0.get(&scope).into_iter().flat_map(ScopeSet::iter) {
                if !all.contains(included) {
                    all.insert(included.clone());
                    new.push(included.clone());
                }
            }
        }
        Cow::Owned(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hierarchy(pairs: &[(&str, &str)]) -> ScopeHierarchy {
        let pairs = pairs
            .iter()
            .map(|(scope, set)| (Scope::parse(*scope).unwrap(), ScopeSet::parse(set).unwrap()));
        ScopeHierarchy::new(pairs.collect())
    }

    #[test]
    fn a_broad_scope_satisfies_a_narrow_need_and_not_the_other_way_rs_tk_06() {
        let hierarchy = hierarchy(&[("admin", "write"), ("write", "read admin")]);
        let expanded = |held: &str| hierarchy.expand(&ScopeSet::parse(held).unwrap()).to_string();
        assert_eq!(expanded("admin"), "admin read write");
        assert_eq!(expanded("read"), "read");
        assert_eq!(expanded(""), "");
    }
}
