//! What a request says about the members of a group (SC-12).
//!
//! Owns telling members from the other attributes of a group. Never changes a membership.

use std::collections::BTreeSet;

use lanyard_protocol::scim::filter::{Check, Comparison, Filter, Literal};
use lanyard_protocol::scim::patch::{Op, Operation, PatchPath};
use lanyard_protocol::scim::schema::{GROUP, GROUPS};
use serde_json::Value;

use crate::id::UserId;
use crate::scim::denial::ScimDenial;
use crate::scim::document::{MAX_MEMBERS, MEMBERS, value_of};

/// One change of the members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChange {
    /// These too.
    Add(BTreeSet<UserId>),
    /// These not.
    Remove(BTreeSet<UserId>),
    /// Exactly these.
    Set(BTreeSet<UserId>),
}

/// A PATCH of a group, taken apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupPatch {
    /// Operations on its name and external id.
    pub attributes: Vec<Operation>,
    /// Changes of its members, in their order.
    pub members: Vec<MemberChange>,
}

impl GroupPatch {
    /// Takes the operations apart.
    ///
    /// # Errors
    /// [`ScimDenial`]: a member that cannot be one, a path that cannot be used, too many members.
    pub fn read(operations: Vec<Operation>) -> Result<Self, ScimDenial> {
        let mut patch = Self::default();
        for operation in operations {
            patch.take(operation)?;
        }
        let named = patch.members.iter().map(|change| match change {
            MemberChange::Add(ids) | MemberChange::Remove(ids) | MemberChange::Set(ids) => ids.len(),
        });
        if named.sum::<usize>() > MAX_MEMBERS {
            let words = format!("a request names at most {MAX_MEMBERS} members");
            return Err(ScimDenial::TooMany(words));
        }
        Ok(patch)
    }

    fn take(&mut self, mut operation: Operation) -> Result<(), ScimDenial> {
        match &operation.path {
            Some(path) if is_members(path) => {
                let change = change(operation.op, path, operation.value.take())?;
                self.members.extend(change);
            }
            Some(_) => self.attributes.push(operation),
            None => {
                if let Some(Value::Object(values)) = &mut operation.value {
                    let names: Vec<String> = values.keys().cloned().collect();
                    for name in names {
                        if let Ok(path) = PatchPath::parse(&name)
                            && is_members(&path)
                            && let Some(value) = values.remove(&name)
                        {
                            self.members.extend(change(operation.op, &path, Some(value))?);
                        }
                    }
                }
                self.attributes.push(operation);
            }
        }
        Ok(())
    }
}

fn is_members(path: &PatchPath) -> bool {
    let target = GROUPS.find(&path.path);
    target.is_some_and(|target| target.attribute.name == MEMBERS)
}

fn change(op: Op, path: &PatchPath, value: Option<Value>) -> Result<Option<MemberChange>, ScimDenial> {
    if path.part.is_some() || path.path.part.is_some() {
        // A member is what it is.
        return Err(ScimDenial::ReadOnly(path.to_string()));
    }
    let value = value.filter(|value| !value.is_null());
    match (op, &path.filter, value) {
        (Op::Remove, Some(filter), _) => {
            let mut ids = BTreeSet::new();
            named(filter, &mut ids)?;
            Ok(Some(MemberChange::Remove(ids)))
        }
        (_, Some(_), _) => Err(ScimDenial::Path(format!("{path} cannot be added to or replaced"))),
        (Op::Remove | Op::Replace, None, None) => Ok(Some(MemberChange::Set(BTreeSet::new()))),
        (Op::Add, None, None) => Err(ScimDenial::value(MEMBERS, "the operation has no value")),
        // Nobody who could not be a member is one.
        (Op::Remove, None, Some(value)) => Ok(Some(MemberChange::Remove(ids(value)?.into_iter().flatten().collect()))),
        (Op::Add, None, Some(value)) => Ok(Some(MemberChange::Add(certain(value)?))),
        (Op::Replace, None, Some(value)) => Ok(Some(MemberChange::Set(certain(value)?))),
    }
}

/// The members that a POST or PUT names.
///
/// # Errors
/// [`ScimDenial::Value`].
pub fn certain(value: Value) -> Result<BTreeSet<UserId>, ScimDenial> {
    let ids = ids(value)?;
    ids.into_iter()
        .map(|id| id.ok_or_else(no_member))
        .collect::<Result<_, _>>()
}

/// Somebody who is not of the directory cannot be a member.
pub(super) fn no_member() -> ScimDenial {
    ScimDenial::value(MEMBERS, "one of them is no user of this directory")
}

fn ids(value: Value) -> Result<Vec<Option<UserId>>, ScimDenial> {
    let Some(attribute) = GROUP.attribute(MEMBERS) else {
        return Ok(Vec::new());
    };
    let Some(Value::Array(members)) = value_of(attribute, value)? else {
        return Ok(Vec::new());
    };
    members.iter().map(id).collect()
}

fn id(member: &Value) -> Result<Option<UserId>, ScimDenial> {
    let text = |name| member.get(name).and_then(Value::as_str);
    if text("type").is_some_and(|kind| !kind.eq_ignore_ascii_case("User")) {
        return Err(ScimDenial::value(
            MEMBERS,
            "members are users; groups in groups are not kept",
        ));
    }
    let value = text("value").or_else(|| text("$ref")?.rsplit('/').next());
    Ok(value.and_then(|value| UserId::parse(value).ok()))
}

/// The members that `value eq "…" or value eq "…"` names.
fn named(filter: &Filter, ids: &mut BTreeSet<UserId>) -> Result<(), ScimDenial> {
    match filter {
        Filter::Any(any) => any.iter().try_for_each(|one| named(one, ids)),
        Filter::Test(test)
            if test.path.name.eq_ignore_ascii_case("value")
                && test.path.part.is_none()
                && test.path.schema.is_none() =>
        {
            let Check::Compare(Comparison::Equal, Literal::Text(text)) = &test.check else {
                return Err(unusable());
            };
            ids.extend(UserId::parse(text.as_str()).ok());
            Ok(())
        }
        Filter::Test(_) | Filter::Element(_) | Filter::Not(_) | Filter::All(_) => Err(unusable()),
    }
}

fn unusable() -> ScimDenial {
    ScimDenial::Path("members are chosen by value eq \"…\"".to_owned())
}

#[cfg(test)]
mod tests {
    use lanyard_protocol::scim::patch::operations;
    use serde_json::json;

    use super::*;

    fn set(ids: &[&str]) -> BTreeSet<UserId> {
        ids.iter().map(|id| UserId::parse(*id).unwrap()).collect()
    }

    fn read(operation: Value) -> Result<GroupPatch, ScimDenial> {
        GroupPatch::read(operations(json!({"Operations": [operation]})).unwrap())
    }

    #[test]
    fn members_are_added_and_removed_in_each_form_sc_12() {
        let two = json!([{"value": "usr_1", "display": "x"}, {"value": "usr_2"}]);
        for (operation, change) in [
            (
                json!({"op": "Add", "path": "members", "value": two}),
                MemberChange::Add(set(&["usr_1", "usr_2"])),
            ),
            (
                json!({"op": "add", "path": "Members", "value": {"value": "usr_1"}}),
                MemberChange::Add(set(&["usr_1"])),
            ),
            (
                json!({"op": "add", "value": {"members": two}}),
                MemberChange::Add(set(&["usr_1", "usr_2"])),
            ),
            (
                json!({"op": "remove", "path": "members[value eq \"usr_1\"]"}),
                MemberChange::Remove(set(&["usr_1"])),
            ),
            (
                json!({"op": "remove", "path": "members[value eq \"usr_1\" or value eq \"usr_2\"]"}),
                MemberChange::Remove(set(&["usr_1", "usr_2"])),
            ),
            (
                json!({"op": "Remove", "path": "members", "value": [{"value": "usr_1"}, {"value": "gone"}]}),
                MemberChange::Remove(set(&["usr_1"])),
            ),
            (json!({"op": "remove", "path": "members"}), MemberChange::Set(set(&[]))),
            (
                json!({"op": "replace", "path": "members", "value": ["usr_1"]}),
                MemberChange::Set(set(&["usr_1"])),
            ),
            (
                json!({"op": "replace", "path": "members", "value": []}),
                MemberChange::Set(set(&[])),
            ),
            (
                json!({"op": "add", "path": "members", "value": [{"$ref": "https://x/scim/v2/Users/usr_9"}]}),
                MemberChange::Add(set(&["usr_9"])),
            ),
        ] {
            assert_eq!(read(operation.clone()).unwrap().members, [change], "{operation}");
        }
    }

    #[test]
    fn the_other_attributes_of_a_group_stay_with_their_operation_sc_12() {
        let patch = read(json!({"op": "replace", "value": {"id": "x", "displayName": "eng", "members": []}})).unwrap();
        assert_eq!(
            patch.attributes[0].value,
            Some(json!({"id": "x", "displayName": "eng"}))
        );
        assert_eq!(patch.members, [MemberChange::Set(set(&[]))]);
    }

    #[test]
    fn who_cannot_be_a_member_is_refused_sc_12() {
        for operation in [
            json!({"op": "add", "path": "members", "value": [{"value": "somebody"}]}),
            json!({"op": "add", "path": "members", "value": [{"value": "usr_1", "type": "Group"}]}),
            json!({"op": "add", "path": "members"}),
            json!({"op": "add", "path": "members[value eq \"usr_1\"]", "value": []}),
            json!({"op": "replace", "path": "members[value eq \"usr_1\"].value", "value": "usr_2"}),
            json!({"op": "remove", "path": "members[value sw \"usr\"]"}),
            json!({"op": "remove", "path": "members[not (value eq \"usr_1\")]"}),
            json!({"op": "remove", "path": "members[type eq \"User\"]"}),
        ] {
            assert!(read(operation.clone()).is_err(), "{operation}");
        }
    }
}
