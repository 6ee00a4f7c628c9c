//! From what a provider vouches for to a person: one code for every protocol (AL-01 … AL-08).
//!
//! Owns linking, making and refusing people. Never begins a session and never looks at an e-mail address.

use std::time::Duration;

use crate::admin::standing;
use crate::audit::record::{NewEvent, record};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::directory::provision::check_fields;
use crate::directory::user::User;
use crate::session::record::Authentication;
use crate::store::{StoreError, Tx};
use crate::upstream::connection::{Connection, LinkBy};
use crate::upstream::denial::ResolveDenial;
use crate::upstream::home_realm::domain_of;
use crate::upstream::link::{Link, LinkOrigin};
use crate::upstream::mapping::{Claims, Mapped};
use crate::upstream::{groups, profile};

/// The longest `amr` that is taken over: values, and characters of each.
const MAX_AMR: usize = 16;
const MAX_WORD: usize = 128;

/// What a provider said about a person, after every check of its protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Asserted {
    /// The identifier that the provider gives to nobody else, ever.
    pub subject: String,
    /// Everything it said: claims, or attributes by name with arrays of texts.
    pub claims: Claims,
    /// When it signed the person in, in seconds.
    pub auth_time: Option<i64>,
    /// The authentication context class it names.
    pub acr: Option<String>,
    /// The methods it names (RFC 8176).
    pub amr: Vec<String>,
    /// What it calls its session.
    pub session: Option<String>,
    /// When that session ends.
    pub ends_by: Option<Timestamp>,
    /// Whether it left the groups out because there are too many.
    pub groups_missing: bool,
}

impl Asserted {
    /// Only a subject and claims: everything else unsaid.
    pub const fn new(subject: String, claims: Claims) -> Self {
        Self {
            subject,
            claims,
            auth_time: None,
            acr: None,
            amr: Vec::new(),
            session: None,
            ends_by: None,
            groups_missing: false,
        }
    }

    /// How the person was authenticated. A time in the future is the provider's clock, not a sign-in to come; one that
    /// is not told satisfies no age (SU-04): the person may have signed in there days ago.
    pub fn authentication(&self, connection: &Connection, now: Timestamp) -> Authentication {
        let word = |text: &str| (!text.is_empty()).then(|| text.chars().take(MAX_WORD).collect::<String>());
        let amr: Vec<String> = self
            .amr
            .iter()
            .filter_map(|method| word(method))
            .take(MAX_AMR)
            .collect();
        let strength = connection.mapping.strength(self.acr.as_deref(), &amr);
        Authentication {
            auth_time: self.auth_time.map_or(Authentication::UNKNOWN_TIME, |seconds| {
                Timestamp::from_seconds(seconds).min(now)
            }),
            acr: self
                .acr
                .as_deref()
                .and_then(word)
                .unwrap_or_else(|| strength.acr().to_owned()),
            amr,
            strength,
        }
    }

    /// Whether the provider says that the sign-in is still to come, whatever the clocks.
    pub fn is_ahead(&self, now: Timestamp, leeway: Duration) -> bool {
        self.auth_time
            .is_some_and(|seconds| Timestamp::from_seconds(seconds) > now.plus(leeway))
    }

    /// Whether the sign-in is as young as was asked at `asked_at`, give or take the clocks.
    pub fn is_fresh(&self, asked_at: Timestamp, max_age: i64, leeway: Duration) -> bool {
        let oldest = asked_at
            .minus(Duration::from_secs(u64::try_from(max_age).unwrap_or(0)))
            .minus(leeway);
        self.auth_time
            .is_some_and(|seconds| Timestamp::from_seconds(seconds.saturating_add(1)) > oldest)
    }
}

/// Finds, links or makes the person of a verified sign-in and sets their groups. `connection` is as it stands in this
/// unit.
///
/// # Errors
/// [`StoreError`].
pub fn resolve(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &Connection,
    asserted: &Asserted,
) -> Result<Result<User, ResolveDenial>, StoreError> {
    let subject = &asserted.subject;
    if subject.is_empty() || subject.chars().count() > 255 || subject.chars().any(char::is_control) {
        return Ok(Err(ResolveDenial::SubjectUnusable));
    }
    let mapped = connection.mapping.read(&asserted.claims);
    let found = match tx.find_person_link(&connection.id, subject)? {
        Some(link) => by_link(cx, tx, connection, asserted, &mapped, &link)?,
        None => first_time(cx, tx, connection, asserted, &mapped)?,
    };
    let user = match found {
        Ok(user) => user,
        Err(denial) => return Ok(Err(denial)),
    };
    // Groups that were left out are not groups that were lost.
    if !asserted.groups_missing {
        groups::set(cx, tx, connection, &user, mapped.groups.as_ref())?;
    }
    Ok(Ok(user))
}

/// What a sign-in would do, without doing it: for a dry run.
///
/// # Errors
/// [`StoreError`].
pub fn foresee(
    tx: &mut dyn Tx,
    connection: &Connection,
    asserted: &Asserted,
) -> Result<Result<Foreseen, ResolveDenial>, StoreError> {
    let mapped = connection.mapping.read(&asserted.claims);
    if let Some(link) = tx.find_person_link(&connection.id, &asserted.subject)? {
        return Ok(match tx.find_user(&link.user)? {
            Some(user) if user.is_active() => Ok(Foreseen::Linked(user)),
            _ => Err(ResolveDenial::UserDeactivated),
        });
    }
    Ok(match newcomer(tx, connection, &mapped)? {
        Ok(Newcomer::Existing(user)) => Ok(Foreseen::WouldLink(user)),
        Ok(Newcomer::New(username)) => Ok(Foreseen::WouldCreate(username)),
        Err(denial) => Err(denial),
    })
}

/// What a sign-in would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreseen {
    /// Sign in this person, who is linked.
    Linked(User),
    /// Link and sign in this person.
    WouldLink(User),
    /// Make a person of this user name.
    WouldCreate(String),
}

fn by_link(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &Connection,
    asserted: &Asserted,
    mapped: &Mapped,
    link: &Link,
) -> Result<Result<User, ResolveDenial>, StoreError> {
    let Some(user) = tx.find_user(&link.user)?.filter(User::is_active) else {
        return Ok(Err(ResolveDenial::UserDeactivated));
    };
    tx.touch_person_link(&connection.id, &link.subject, cx.now)?;
    let user = match link.origin {
        LinkOrigin::JustInTime => profile::follow(cx, tx, connection, asserted, mapped, user)?,
        // Somebody else keeps the names of these people.
        LinkOrigin::Administrator | LinkOrigin::Username => user,
    };
    Ok(Ok(user))
}

enum Newcomer {
    Existing(User),
    New(String),
}

fn first_time(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &Connection,
    asserted: &Asserted,
    mapped: &Mapped,
) -> Result<Result<User, ResolveDenial>, StoreError> {
    let (user, origin) = match newcomer(tx, connection, mapped)? {
        Ok(Newcomer::Existing(user)) => (user, LinkOrigin::Username),
        Ok(Newcomer::New(username)) => (
            profile::create(cx, tx, connection, asserted, mapped, &username)?,
            LinkOrigin::JustInTime,
        ),
        Err(denial) => return Ok(Err(denial)),
    };
    let link = Link {
        connection: connection.id.clone(),
        subject: asserted.subject.clone(),
        user: user.id.clone(),
        origin,
        linked_at: cx.now,
        last_seen_at: Some(cx.now),
    };
    tx.insert_person_link(&link)?;
    let event = NewEvent::granted("idp.link.created")
        .actor(profile::actor(connection))
        .subject(user.id.as_str())
        .target(&user.username)
        .detail("connection", connection.name.as_str())
        .detail("upstream_subject", link.subject.as_str());
    record(cx, tx, event.detail("origin", origin.as_str()))?;
    Ok(Ok(user))
}

/// Who an unlinked person is or becomes. Nobody is found by an e-mail address, a display name, or a user name unless
/// the operator said that this connection is authoritative for user names.
fn newcomer(
    tx: &mut dyn Tx,
    connection: &Connection,
    mapped: &Mapped,
) -> Result<Result<Newcomer, ResolveDenial>, StoreError> {
    if !connection.just_in_time && connection.link_by == LinkBy::Nothing {
        return Ok(Err(ResolveDenial::NotLinked));
    }
    let Some(username) = mapped
        .username
        .clone()
        .filter(|username| check_fields(username, None, "").is_ok())
    else {
        return Ok(Err(ResolveDenial::UsernameMissing(connection.mapping.username.clone())));
    };
    if let Some(domain) = domain_of(&username)
        && let Some(owner) = tx.find_connection_of_domain(&domain)?
        && owner.id != connection.id
    {
        return Ok(Err(ResolveDenial::UsernameOfOtherDomain(username)));
    }
    match tx.find_user_by_username(&username)? {
        Some(user) => existing(tx, connection, user),
        None if connection.just_in_time => Ok(Ok(Newcomer::New(username))),
        None => Ok(Err(ResolveDenial::NotLinked)),
    }
}

fn existing(
    tx: &mut dyn Tx,
    connection: &Connection,
    user: User,
) -> Result<Result<Newcomer, ResolveDenial>, StoreError> {
    let denied = |denial| Ok(Err(denial));
    if connection.link_by != LinkBy::Username {
        return denied(ResolveDenial::UsernameTaken(user.username));
    }
    // Cut off stays cut off, whatever the provider says (AL-06).
    if !user.is_active() {
        return denied(ResolveDenial::UserDeactivated);
    }
    if tx.find_link_of_person(&connection.id, &user.id)?.is_some() {
        return denied(ResolveDenial::LinkedOtherwise(user.username));
    }
    // Whoever could name themselves like an administrator would be one.
    if standing::role_of(tx, &user.id)?.is_some() {
        return denied(ResolveDenial::AdministratorAccount(user.username));
    }
    if tx.find_credential(&user.id)?.is_some() {
        return denied(ResolveDenial::LocalAccount(user.username));
    }
    Ok(Ok(Newcomer::Existing(user)))
}
