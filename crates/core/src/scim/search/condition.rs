//! What the store is asked to search: a closed grammar of fields and comparisons.

use crate::clock::Timestamp;

/// A condition: tests, joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition<T> {
    /// One test.
    Is(T),
    /// Not so.
    Not(Box<Self>),
    /// Each is so; none: always.
    All(Vec<Self>),
    /// One is so; none: never.
    Any(Vec<Self>),
}

impl<T> Condition<T> {
    /// The same shape with other tests.
    pub(super) fn map<U>(self, with: &dyn Fn(T) -> U) -> Condition<U> {
        let each = |all: Vec<Self>| all.into_iter().map(|one| one.map(with)).collect();
        match self {
            Self::Is(test) => Condition::Is(with(test)),
            Self::Not(inner) => Condition::Not(Box::new(inner.map(with))),
            Self::All(all) => Condition::All(each(all)),
            Self::Any(any) => Condition::Any(each(any)),
        }
    }
}

/// A test of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserTest {
    /// A text of theirs.
    Text(UserText, Text),
    /// They may act.
    Active,
    /// When the record was made or changed.
    At(Moment, Order, Timestamp),
    /// One of their addresses is so.
    AnyEmail(Condition<EmailTest>),
    /// They are in this group of the directory; `None`: in any.
    InGroup(Option<String>),
}

/// The texts of a person. All but the ids are compared in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserText {
    /// The id.
    Id,
    /// The client's id.
    ExternalId,
    /// The user name.
    UserName,
    /// The name that is shown.
    DisplayName,
    /// The given name.
    GivenName,
    /// The family name.
    FamilyName,
    /// The employee number.
    EmployeeNumber,
    /// The id of the manager, compared as it is.
    Manager,
}

/// A test of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailTest {
    /// The address, in lower case.
    Value(Text),
    /// What it is used for, in lower case.
    Type(Text),
    /// It is the preferred one.
    Primary,
}

/// A test of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupTest {
    /// A text of it.
    Text(GroupText, Text),
    /// When the record was made or changed.
    At(Moment, Order, Timestamp),
    /// This person of the directory is in it; `None`: anybody.
    HasMember(Option<String>),
}

/// The texts of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupText {
    /// The id.
    Id,
    /// The client's id.
    ExternalId,
    /// The name, compared in lower case.
    DisplayName,
}

/// A test of a text. The values of `Contains`, `StartsWith` and `EndsWith` are not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// There is one.
    Present,
    /// It is this.
    Equals(String),
    /// This is in it.
    Contains(String),
    /// It begins so.
    StartsWith(String),
    /// It ends so.
    EndsWith(String),
    /// It comes before or after this.
    Compares(Order, String),
}

/// Which moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The record was made.
    Created,
    /// It last changed.
    Changed,
}

/// How two values stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `<`
    Before,
    /// `<=`
    NotAfter,
    /// `>=`
    NotBefore,
    /// `>`
    After,
}
