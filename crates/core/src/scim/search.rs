//! Filters brought to what the store can search (SC-03): a closed set of fields, values folded and typed.
//!
//! Owns which attributes can be filtered by. Never writes a statement: the store does, from these types only.

mod condition;

use lanyard_protocol::scim::filter::{Check, Comparison, Element, Filter, Literal, Test};
use lanyard_protocol::scim::path::AttributePath;
use lanyard_protocol::scim::schema::{Attribute, GROUPS, ResourceType, Target, USERS};

use crate::clock::Timestamp;
use crate::scim::denial::ScimDenial;

pub use condition::{Condition, EmailTest, GroupTest, GroupText, Moment, Order, Text, UserTest, UserText};

/// What filters may name, told to whoever named something else.
const USER_FIELDS: &str = "users are filtered by id, externalId, userName, displayName, active, name.givenName, \
                           name.familyName, emails, groups, employeeNumber, manager, meta.created and meta.lastModified";
const GROUP_FIELDS: &str =
    "groups are filtered by id, externalId, displayName, members, meta.created and meta.lastModified";

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Search<T> {
    /// Only those; `None`: all.
    pub condition: Option<Condition<T>>,
    /// Leave out so many.
    pub offset: u32,
    /// At most so many; 0 only counts.
    pub limit: u32,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// How many there are in all.
    pub total: i64,
    /// The part that was asked for, in the order of the id.
    pub items: Vec<T>,
}

/// The condition of a filter on users.
///
/// # Errors
/// [`ScimDenial::Filter`].
pub fn users(filter: &Filter) -> Result<Condition<UserTest>, ScimDenial> {
    of(filter, &USERS, user, email_element)
}

/// The condition of a filter on groups.
///
/// # Errors
/// [`ScimDenial::Filter`].
pub fn groups(filter: &Filter) -> Result<Condition<GroupTest>, ScimDenial> {
    of(filter, &GROUPS, group, member_element)
}

type Leaf<T> = fn(&Target, &Check) -> Result<Condition<T>, ScimDenial>;
type Inner<T> = fn(&Element, &'static Attribute) -> Result<Condition<T>, ScimDenial>;

fn of<T>(
    filter: &Filter,
    kind: &'static ResourceType,
    leaf: Leaf<T>,
    inner: Inner<T>,
) -> Result<Condition<T>, ScimDenial> {
    let all = |filters: &[Filter]| -> Result<Vec<Condition<T>>, ScimDenial> {
        filters.iter().map(|one| of(one, kind, leaf, inner)).collect()
    };
    match filter {
        Filter::Test(Test { path, check }) => leaf(&target(kind, path)?, check),
        Filter::Element(element) => {
            let target = target(kind, &element.path)?;
            if target.part.is_some() || target.extension.is_some() {
                return Err(unknown(kind, &element.path.to_string()));
            }
            inner(element, target.attribute)
        }
        Filter::Not(filter) => Ok(Condition::Not(Box::new(of(filter, kind, leaf, inner)?))),
        Filter::All(filters) => Ok(Condition::All(all(filters)?)),
        Filter::Any(filters) => Ok(Condition::Any(all(filters)?)),
    }
}

fn target(kind: &'static ResourceType, path: &AttributePath) -> Result<Target, ScimDenial> {
    kind.find(path).ok_or_else(|| unknown(kind, &path.to_string()))
}

fn unknown(kind: &ResourceType, path: &str) -> ScimDenial {
    let fields = if kind.name == USERS.name {
        USER_FIELDS
    } else {
        GROUP_FIELDS
    };
    ScimDenial::Filter(format!("{path} is not among them; {fields}"))
}

/// The path of an attribute in the names of its schema.
fn named(target: &Target) -> (&'static str, Option<&'static str>) {
    (target.attribute.name, target.part.map(|part| part.name))
}

fn user(target: &Target, check: &Check) -> Result<Condition<UserTest>, ScimDenial> {
    let text = |field, exact| {
        let test = text(check, exact)?;
        Ok(test.map(&|test| UserTest::Text(field, test)))
    };
    match named(target) {
        ("id", None) => text(UserText::Id, true),
        ("externalId", None) => text(UserText::ExternalId, true),
        ("userName", None) => text(UserText::UserName, false),
        ("displayName", None) => text(UserText::DisplayName, false),
        ("name", Some("givenName")) => text(UserText::GivenName, false),
        ("name", Some("familyName")) => text(UserText::FamilyName, false),
        ("employeeNumber", None) => text(UserText::EmployeeNumber, false),
        ("manager", None | Some("value")) => text(UserText::Manager, true),
        ("active", None) => flag(check).map(|test| test.map(&|()| UserTest::Active)),
        ("meta", Some("created")) => Ok(moment(check)?.map(&|(o, at)| UserTest::At(Moment::Created, o, at))),
        ("meta", Some("lastModified")) => Ok(moment(check)?.map(&|(o, at)| UserTest::At(Moment::Changed, o, at))),
        ("emails", part) => {
            let inner = email(part.unwrap_or("value"), check)?;
            Ok(any_email(inner))
        }
        ("groups", None | Some("value")) => Ok(link(check)?.map(&|id| UserTest::InGroup(id))),
        (name, _) => Err(unknown(&USERS, name)),
    }
}

/// A negated test of elements means "no element is so".
fn any_email(inner: Condition<EmailTest>) -> Condition<UserTest> {
    match inner {
        Condition::Not(inner) => Condition::Not(Box::new(Condition::Is(UserTest::AnyEmail(*inner)))),
        inner => Condition::Is(UserTest::AnyEmail(inner)),
    }
}

fn email(part: &str, check: &Check) -> Result<Condition<EmailTest>, ScimDenial> {
    match part.to_ascii_lowercase().as_str() {
        "value" => Ok(text(check, false)?.map(&EmailTest::Value)),
        "type" => Ok(text(check, false)?.map(&EmailTest::Type)),
        "primary" => Ok(flag(check)?.map(&|()| EmailTest::Primary)),
        other => Err(unknown(&USERS, &format!("emails.{other}"))),
    }
}

fn email_element(element: &Element, attribute: &'static Attribute) -> Result<Condition<UserTest>, ScimDenial> {
    if attribute.name == "groups" {
        return in_group(element);
    }
    if attribute.name != "emails" {
        return Err(unknown(&USERS, attribute.name));
    }
    let inner = inside(&element.filter)?;
    let inner = match &element.then {
        Some((part, check)) => Condition::All(vec![inner, email(part, check)?]),
        None => inner,
    };
    Ok(Condition::Is(UserTest::AnyEmail(inner)))
}

/// `groups[value eq "…"]`
fn in_group(element: &Element) -> Result<Condition<UserTest>, ScimDenial> {
    match (&*element.filter, &element.then) {
        (Filter::Test(test), None) if test.path.name.eq_ignore_ascii_case("value") => {
            Ok(link(&test.check)?.map(&|id| UserTest::InGroup(id)))
        }
        _ => Err(unknown(&USERS, "groups[…]")),
    }
}

/// The filter of an element.
fn inside(filter: &Filter) -> Result<Condition<EmailTest>, ScimDenial> {
    let all =
        |filters: &[Filter]| -> Result<Vec<Condition<EmailTest>>, ScimDenial> { filters.iter().map(inside).collect() };
    match filter {
        Filter::Test(test) if test.path.schema.is_none() && test.path.part.is_none() => {
            email(&test.path.name, &test.check)
        }
        Filter::Test(test) => Err(unknown(&USERS, &test.path.to_string())),
        Filter::Element(element) => Err(unknown(&USERS, &element.path.to_string())),
        Filter::Not(filter) => Ok(Condition::Not(Box::new(inside(filter)?))),
        Filter::All(filters) => Ok(Condition::All(all(filters)?)),
        Filter::Any(filters) => Ok(Condition::Any(all(filters)?)),
    }
}

fn group(target: &Target, check: &Check) -> Result<Condition<GroupTest>, ScimDenial> {
    let text = |field, exact| {
        let test = text(check, exact)?;
        Ok(test.map(&|test| GroupTest::Text(field, test)))
    };
    match named(target) {
        ("id", None) => text(GroupText::Id, true),
        ("externalId", None) => text(GroupText::ExternalId, true),
        ("displayName", None) => text(GroupText::DisplayName, false),
        ("meta", Some("created")) => Ok(moment(check)?.map(&|(o, at)| GroupTest::At(Moment::Created, o, at))),
        ("meta", Some("lastModified")) => Ok(moment(check)?.map(&|(o, at)| GroupTest::At(Moment::Changed, o, at))),
        ("members", None | Some("value")) => Ok(link(check)?.map(&|id| GroupTest::HasMember(id))),
        (name, _) => Err(unknown(&GROUPS, name)),
    }
}

/// `members[value eq "…"]`
fn member_element(element: &Element, attribute: &'static Attribute) -> Result<Condition<GroupTest>, ScimDenial> {
    match (&*element.filter, &element.then) {
        (Filter::Test(test), None) if attribute.name == "members" && test.path.name.eq_ignore_ascii_case("value") => {
            Ok(link(&test.check)?.map(&|id| GroupTest::HasMember(id)))
        }
        _ => Err(unknown(&GROUPS, attribute.name)),
    }
}

/// A membership: `eq`, `ne` and `pr`. `None` means any.
fn link(check: &Check) -> Result<Condition<Option<String>>, ScimDenial> {
    match check {
        Check::Present => Ok(Condition::Is(None)),
        Check::Compare(Comparison::Equal, Literal::Text(id)) => Ok(Condition::Is(Some(id.clone()))),
        Check::Compare(Comparison::NotEqual, Literal::Text(id)) => Ok(not(Condition::Is(Some(id.clone())))),
        Check::Compare(..) => Err(ScimDenial::Filter("memberships are compared by eq and ne".to_owned())),
    }
}

fn text(check: &Check, exact: bool) -> Result<Condition<Text>, ScimDenial> {
    let (how, literal) = match check {
        Check::Present => return Ok(Condition::Is(Text::Present)),
        Check::Compare(how, literal) => (*how, literal),
    };
    let value = match literal {
        Literal::Text(text) => text.clone(),
        Literal::Number(number) => number.to_string(),
        Literal::Null if how == Comparison::Equal => return Ok(not(Condition::Is(Text::Present))),
        Literal::Null if how == Comparison::NotEqual => return Ok(Condition::Is(Text::Present)),
        Literal::Null | Literal::Flag(_) => {
            let words = format!("{check} compares a text with something else");
            return Err(ScimDenial::Filter(words));
        }
    };
    let value = if exact { value } else { value.to_lowercase() };
    Ok(match how {
        Comparison::Equal => Condition::Is(Text::Equals(value)),
        Comparison::NotEqual => not(Condition::Is(Text::Equals(value))),
        Comparison::Contains if value.is_empty() => Condition::Is(Text::Present),
        Comparison::StartsWith | Comparison::EndsWith if value.is_empty() => Condition::Is(Text::Present),
        Comparison::Contains => Condition::Is(Text::Contains(value)),
        Comparison::StartsWith => Condition::Is(Text::StartsWith(value)),
        Comparison::EndsWith => Condition::Is(Text::EndsWith(value)),
        Comparison::Greater => Condition::Is(Text::Compares(Order::After, value)),
        Comparison::GreaterOrEqual => Condition::Is(Text::Compares(Order::NotBefore, value)),
        Comparison::Less => Condition::Is(Text::Compares(Order::Before, value)),
        Comparison::LessOrEqual => Condition::Is(Text::Compares(Order::NotAfter, value)),
    })
}

fn flag(check: &Check) -> Result<Condition<()>, ScimDenial> {
    let wanted = |literal: &Literal| match literal {
        Literal::Flag(flag) => Some(*flag),
        Literal::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Literal::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Literal::Text(_) | Literal::Number(_) | Literal::Null => None,
    };
    let wanted = match check {
        Check::Present => return Ok(Condition::All(Vec::new())),
        Check::Compare(Comparison::Equal, literal) => wanted(literal),
        Check::Compare(Comparison::NotEqual, literal) => wanted(literal).map(|flag| !flag),
        Check::Compare(..) => None,
    };
    match wanted {
        Some(true) => Ok(Condition::Is(())),
        Some(false) => Ok(not(Condition::Is(()))),
        None => Err(ScimDenial::Filter(
            "true and false are compared by eq and ne".to_owned(),
        )),
    }
}

fn moment(check: &Check) -> Result<Condition<(Order, Timestamp)>, ScimDenial> {
    let (how, literal) = match check {
        Check::Present => return Ok(Condition::All(Vec::new())),
        Check::Compare(how, literal) => (*how, literal),
    };
    let at = match literal {
        Literal::Text(text) => Timestamp::parse(text),
        Literal::Number(_) | Literal::Flag(_) | Literal::Null => None,
    };
    let Some(at) = at else {
        return Err(ScimDenial::Filter(
            "times are written like 2026-05-13T04:42:34Z".to_owned(),
        ));
    };
    let is = |order| Condition::Is((order, at));
    Ok(match how {
        Comparison::Equal => Condition::All(vec![is(Order::NotBefore), is(Order::NotAfter)]),
        Comparison::NotEqual => Condition::Any(vec![is(Order::Before), is(Order::After)]),
        Comparison::Greater => is(Order::After),
        Comparison::GreaterOrEqual => is(Order::NotBefore),
        Comparison::Less => is(Order::Before),
        Comparison::LessOrEqual => is(Order::NotAfter),
        Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith => {
            return Err(ScimDenial::Filter(
                "times are compared by eq, ne, gt, ge, lt and le".to_owned(),
            ));
        }
    })
}

fn not<T>(condition: Condition<T>) -> Condition<T> {
    Condition::Not(Box::new(condition))
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
