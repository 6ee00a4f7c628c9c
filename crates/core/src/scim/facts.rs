//! What the rest of Lanyard and the filters know of a provisioned person, taken from the document.
//!
//! Owns which attribute says what. Never decides who a person is: the id does.

use lanyard_protocol::scim::schema::ENTERPRISE_USER;
use serde_json::Value;

use crate::admin::denial::AdminDenial;
use crate::directory::provision::check_fields;
use crate::scim::denial::ScimDenial;
use crate::scim::document::{Document, is_primary};

/// How long the name of a person may be, in characters.
const MAX_NAME: usize = 256;

/// The searchable part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// In lower case, as people are found by it.
    pub username: String,
    /// The preferred address, when it is one; never an identity (AL-07).
    pub email: Option<String>,
    /// The name that is shown.
    pub display_name: String,
}

impl Facts {
    /// What a document says.
    ///
    /// # Errors
    /// [`ScimDenial::Value`] when the user name is missing or cannot be one.
    pub fn of(document: &Document) -> Result<Self, ScimDenial> {
        let username = document.text("userName").unwrap_or_default().trim().to_lowercase();
        check_fields(&username, None, "").map_err(|denial| match denial {
            AdminDenial::Invalid { problem, .. } => ScimDenial::value("userName", problem),
            other => ScimDenial::Admin(other),
        })?;
        let emails = document.elements("emails");
        let preferred = emails
            .iter()
            .find(|one| is_primary(one))
            .or_else(|| emails.iter().find(|one| one.get("type") == Some(&Value::from("work"))))
            .or_else(|| emails.first());
        let email = preferred
            .and_then(|one| one.get("value")?.as_str())
            .filter(|email| !email.is_empty() && check_fields(&username, Some(email), "").is_ok())
            .map(str::to_owned);
        let name = shown_name(document).unwrap_or_default();
        let display_name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
        Ok(Self {
            email,
            display_name: if display_name.trim().is_empty() {
                username.clone()
            } else {
                display_name
            },
            username,
        })
    }
}

fn shown_name(document: &Document) -> Option<String> {
    let given = |part| document.part("name", part).filter(|text| !text.trim().is_empty());
    let whole = document.text("displayName").filter(|text| !text.trim().is_empty());
    if let Some(name) = whole.or_else(|| given("formatted")) {
        return Some(name.to_owned());
    }
    let parts: Vec<&str> = [given("givenName"), given("familyName")]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// A value that a filter compares, as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searchable {
    /// In lower case.
    pub display_name: Option<String>,
    /// In lower case.
    pub given_name: Option<String>,
    /// In lower case.
    pub family_name: Option<String>,
    /// In lower case.
    pub employee_number: Option<String>,
    /// As it is.
    pub manager: Option<String>,
    /// Each address.
    pub emails: Vec<SearchableEmail>,
}

/// An address as a filter compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchableEmail {
    /// In lower case.
    pub value: String,
    /// In lower case.
    pub kind: Option<String>,
    /// Whether it is the preferred one.
    pub primary: bool,
}

impl Searchable {
    /// What filters see of a document. Texts are folded here, because the engines differ on letters beyond ASCII.
    pub fn of(document: &Document) -> Self {
        let folded = |text: &str| text.to_lowercase();
        let emails = document.elements("emails").iter().filter_map(|one| {
            Some(SearchableEmail {
                value: folded(one.get("value")?.as_str()?),
                kind: one.get("type").and_then(Value::as_str).map(folded),
                primary: is_primary(one),
            })
        });
        Self {
            display_name: document.text("displayName").map(folded),
            given_name: document.part("name", "givenName").map(folded),
            family_name: document.part("name", "familyName").map(folded),
            employee_number: document
                .get(Some(&ENTERPRISE_USER), "employeeNumber")
                .and_then(Value::as_str)
                .map(folded),
            manager: document
                .get(Some(&ENTERPRISE_USER), "manager")
                .and_then(|manager| Some(manager.get("value")?.as_str()?.to_owned())),
            emails: emails.collect(),
        }
    }
}
