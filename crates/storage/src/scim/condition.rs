//! The one place where a statement is built: filters of provisioning clients.
//!
//! Owns the text of each test. Every value is bound; the text holds nothing but what stands in this file and lengths.

use std::fmt::Write as _;

use lanyard_core::id::DirectoryId;
use lanyard_core::scim::search::{
    Condition, EmailTest, Found, GroupTest, GroupText, Moment, Order, Text, UserTest, UserText,
};
use lanyard_core::store::StoreError;

use crate::row::Row;
use crate::sql::{SqlTx, Value};

/// What is searched.
pub(super) struct Statement {
    /// The columns of a row.
    pub(super) columns: &'static str,
    /// The tables; `s` has the column `directory`.
    pub(super) from: &'static str,
    /// The id, by which pages are ordered.
    pub(super) key: &'static str,
}

/// A test that can be written as SQL.
pub(super) trait Tested {
    /// Writes the test, or its opposite.
    fn write(&self, builder: &mut Builder, negated: bool);
}

/// Runs a search: the page that was asked for, and how many there are.
pub(super) fn search<C: Tested, T>(
    tx: &mut SqlTx<'_>,
    statement: &Statement,
    directory: &DirectoryId,
    (condition, offset, limit): (&Condition<C>, u32, u32),
    read: impl Fn(&mut Row<'_>) -> Result<T, StoreError>,
) -> Result<Found<T>, StoreError> {
    let Statement { columns, from, key } = statement;
    let mut builder = Builder::default();
    builder.bind(Bound::Text(directory.as_str().to_owned()));
    builder.sql.clear();
    builder.condition(condition, false);
    let Builder {
        sql: wanted,
        mut values,
    } = builder;
    let mut items = Vec::new();
    if limit > 0 {
        let (take, leave) = (values.len().saturating_add(1), values.len().saturating_add(2));
        // An expression, so that SQLite looks for an index by the condition and not by the order.
        let sql = format!(
            "SELECT {columns} FROM {from} WHERE s.directory = $1 AND {wanted}
             ORDER BY ({key} || '') LIMIT ${take} OFFSET ${leave}"
        );
        let mut bound: Vec<Value<'_>> = values.iter().map(Bound::value).collect();
        bound.push(limit.into());
        bound.push(offset.into());
        items = tx.list_built(&sql, &bound, read)?;
        let here = u32::try_from(items.len()).unwrap_or(u32::MAX);
        // A page that is not full is the last one.
        if here < limit && (here > 0 || offset == 0) {
            let total = i64::from(offset).saturating_add(here.into());
            return Ok(Found { total, items });
        }
    }
    let sql = format!("SELECT count(*) FROM {from} WHERE s.directory = $1 AND {wanted}");
    let bound: Vec<Value<'_>> = values.iter_mut().map(|value| value.value()).collect();
    let total = tx.list_built(&sql, &bound, |row| row.int())?;
    Ok(Found {
        total: total.first().copied().unwrap_or_default(),
        items,
    })
}

/// A bound value.
enum Bound {
    Text(String),
    Int(i64),
}

impl Bound {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text),
            Self::Int(number) => Value::Int(*number),
        }
    }
}

/// A condition being written.
#[derive(Default)]
pub(super) struct Builder {
    sql: String,
    values: Vec<Bound>,
}

impl Builder {
    fn put(&mut self, text: &str) {
        self.sql.push_str(text);
    }

    /// Numbers follow the order of appearance, as SQLite counts them.
    fn bind(&mut self, value: Bound) {
        self.values.push(value);
        let number = self.values.len();
        // Writing to a string does not fail.
        let _ = write!(self.sql, "${number}");
    }

    fn text(&mut self, text: &str) {
        self.bind(Bound::Text(text.to_owned()));
    }

    fn condition<C: Tested>(&mut self, condition: &Condition<C>, negated: bool) {
        match (condition, negated) {
            (Condition::Is(test), _) => test.write(self, negated),
            (Condition::Not(inner), _) => self.condition(inner, !negated),
            // Not both is one of the two not.
            (Condition::All(all), false) => self.chain(all, false, " AND ", "1 = 1"),
            (Condition::All(all), true) => self.chain(all, true, " OR ", "1 = 0"),
            (Condition::Any(any), false) => self.chain(any, false, " OR ", "1 = 0"),
            (Condition::Any(any), true) => self.chain(any, true, " AND ", "1 = 1"),
        }
    }

    fn chain<C: Tested>(&mut self, all: &[Condition<C>], negated: bool, between: &str, none: &str) {
        if all.is_empty() {
            self.put(none);
            return;
        }
        self.put("(");
        for (n, one) in all.iter().enumerate() {
            if n > 0 {
                self.put(between);
            }
            self.condition(one, negated);
        }
        self.put(")");
    }

    /// What a column holds. A test of nothing is false, its opposite true.
    fn test(&mut self, column: &str, test: &Text, negated: bool) {
        if negated {
            self.put("(");
            self.put(column);
            self.put(" IS NULL OR NOT ");
        }
        self.put("(");
        self.put(column);
        match test {
            Text::Present => self.put(" IS NOT NULL"),
            Text::Equals(value) => {
                self.put(" = ");
                self.text(value);
            }
            Text::Compares(order, value) => {
                self.put(compared(*order));
                self.text(value);
            }
            // Not LIKE: SQLite's has no regard to case.
            Text::Contains(value) => {
                self.put(" <> replace(");
                self.put(column);
                self.put(", ");
                self.text(value);
                self.put(", '')");
            }
            // As a range, for which an index is good.
            Text::StartsWith(value) => {
                self.put(" >= ");
                self.text(value);
                self.put(" AND ");
                self.put(column);
                self.put(" < ");
                self.text(&format!("{value}\u{10FFFF}"));
            }
            Text::EndsWith(value) => {
                let length = value.chars().count();
                let _ = write!(
                    self.sql,
                    " IS NOT NULL AND length({column}) >= {length} AND substr({column}, length({column}) - {length} + 1) = "
                );
                self.text(value);
            }
        }
        self.put(")");
        if negated {
            self.put(")");
        }
    }

    fn moment(&mut self, column: &str, order: Order, micros: i64, negated: bool) {
        self.put(if negated { "NOT (" } else { "(" });
        self.put(column);
        self.put(compared(order));
        self.bind(Bound::Int(micros));
        self.put(")");
    }

    fn among(&mut self, column: &str, negated: bool) {
        self.put(column);
        self.put(if negated { " NOT IN (" } else { " IN (" });
    }
}

const fn compared(order: Order) -> &'static str {
    match order {
        Order::Before => " < ",
        Order::NotAfter => " <= ",
        Order::NotBefore => " >= ",
        Order::After => " > ",
    }
}

const fn column(field: UserText) -> &'static str {
    match field {
        UserText::Id => "s.user_id",
        UserText::ExternalId => "s.external_id",
        UserText::UserName => "u.username",
        UserText::DisplayName => "s.display_name",
        UserText::GivenName => "s.given_name",
        UserText::FamilyName => "s.family_name",
        UserText::EmployeeNumber => "s.employee_number",
        UserText::Manager => "s.manager",
    }
}

/// Names whose beginning is looked up on their own index: as one test of many, SQLite would take the directory's index
/// and look at everybody.
const fn begins(field: UserText) -> Option<(&'static str, &'static str)> {
    match field {
        UserText::UserName => Some(("SELECT n.id FROM users n WHERE ", "n.username")),
        UserText::DisplayName => Some(("SELECT n.user_id FROM scim_users n WHERE ", "n.display_name")),
        _ => None,
    }
}

impl Tested for UserTest {
    fn write(&self, builder: &mut Builder, negated: bool) {
        match self {
            Self::Text(field, test) => match begins(*field) {
                Some((names, column)) if !negated && matches!(test, Text::StartsWith(_)) => {
                    builder.among("s.user_id", false);
                    builder.put(names);
                    builder.test(column, test, false);
                    builder.put(")");
                }
                _ => builder.test(column(*field), test, negated),
            },
            Self::Active => builder.put(if negated {
                "u.status <> 'active'"
            } else {
                "u.status = 'active'"
            }),
            Self::At(moment, order, at) => {
                let column = match moment {
                    Moment::Created => "u.created_at",
                    Moment::Changed => "u.updated_at",
                };
                builder.moment(column, *order, at.micros(), negated);
            }
            Self::AnyEmail(condition) => {
                builder.among("s.user_id", negated);
                builder.put("SELECT e.user_id FROM scim_emails e WHERE ");
                builder.condition(condition, false);
                builder.put(")");
            }
            Self::InGroup(group) => {
                builder.among("s.user_id", negated);
                builder.put(
                    "SELECT m.user_id FROM memberships m JOIN scim_groups p ON p.group_id = m.group_id
                     WHERE p.directory = $1",
                );
                if let Some(group) = group {
                    builder.put(" AND m.group_id = ");
                    builder.text(group);
                }
                builder.put(")");
            }
        }
    }
}

impl Tested for EmailTest {
    fn write(&self, builder: &mut Builder, negated: bool) {
        match self {
            Self::Value(test) => builder.test("e.value", test, negated),
            Self::Type(test) => builder.test("e.kind", test, negated),
            Self::Primary => builder.put(if negated {
                "e.is_primary = 0"
            } else {
                "e.is_primary = 1"
            }),
        }
    }
}

impl Tested for GroupTest {
    fn write(&self, builder: &mut Builder, negated: bool) {
        match self {
            Self::Text(field, test) => {
                let column = match field {
                    GroupText::Id => "s.group_id",
                    GroupText::ExternalId => "s.external_id",
                    GroupText::DisplayName => "s.display_name",
                };
                builder.test(column, test, negated);
            }
            Self::At(moment, order, at) => {
                let column = match moment {
                    Moment::Created => "g.created_at",
                    Moment::Changed => "g.updated_at",
                };
                builder.moment(column, *order, at.micros(), negated);
            }
            Self::HasMember(person) => {
                builder.among("s.group_id", negated);
                builder.put(
                    "SELECT m.group_id FROM memberships m JOIN scim_users p ON p.user_id = m.user_id
                     WHERE p.directory = $1",
                );
                if let Some(person) = person {
                    builder.put(" AND m.user_id = ");
                    builder.text(person);
                }
                builder.put(")");
            }
        }
    }
}
