//! Changing people: making, changing, cutting off, bringing back (RV-03, SC-14, P7).
//!
//! Owns what every surface does alike (admin API, console, files, SCIM later). Never hashes a password.

use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::issuer::Issuer;
use serde_json::{Value, json};

use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::standing::{self, Guard};
use crate::admin::token::{Admin, Administrator};
use crate::agent::orphan;
use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::name::is_hidden;
use crate::directory::user::{Credential, User, UserStatus};
use crate::id::UserId;
use crate::idp::backchannel;
use crate::jobs::outbox::{Job, Task};
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::store::admin::AdminStore;
use crate::store::{StoreError, Tx};

/// A person to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewUser {
    /// What the person types; stored in lower case.
    pub username: String,
    /// Optional; never an identity (AL-07).
    pub email: Option<String>,
    /// For people; the user name when empty.
    pub display_name: String,
}

/// What to change; `None` leaves as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// A new user name.
    pub username: Option<String>,
    /// A new address, or none.
    pub email: Option<Option<String>>,
    /// A new name for people.
    pub display_name: Option<String>,
}

/// What a deactivation did.
#[derive(Debug, Clone, PartialEq)]
pub struct Deactivated {
    /// The person as it stands now.
    pub user: User,
    /// Sessions ended.
    pub sessions: u64,
    /// Refresh token families ended.
    pub families: u64,
    /// Keys of native clients removed.
    pub keys: u64,
    /// The jobs that carry the cut-off to the RAS; `jobs::run::perform` does each and names the position in the
    /// revocation feed to wait for.
    pub jobs: Vec<Job>,
}

/// How every service here ends.
pub type Act<T> = Result<Outcome<T, AdminDenial>, StoreError>;

/// Makes a person; with a hash, one who can sign in by password.
///
/// # Errors
/// [`StoreError`].
pub fn create(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, new: &NewUser, password_hash: Option<String>) -> Act<User> {
    let username = new.username.trim().to_lowercase();
    let checked = match permitted(admin).and_then(|()| check_fields(&username, new.email.as_deref(), &new.display_name))
    {
        Ok(()) if tx.find_user_by_username(&username)?.is_some() => Err(AdminDenial::Taken {
            what: "user",
            name: username.clone(),
        }),
        other => other,
    };
    if let Err(denial) = checked {
        return refuse(cx, tx, admin, "directory.user.creation_refused", &new.username, denial);
    }
    insert(cx, tx, admin.actor(), new, password_hash).map(Outcome::Granted)
}

/// Writes a person whose fields were checked, and the event.
pub(crate) fn insert(
    cx: &Cx,
    tx: &mut dyn Tx,
    actor: Actor,
    new: &NewUser,
    password_hash: Option<String>,
) -> Result<User, StoreError> {
    let username = new.username.trim().to_lowercase();
    let display_name = if new.display_name.trim().is_empty() {
        username.clone()
    } else {
        new.display_name.clone()
    };
    let user = User {
        id: cx.new_id(),
        username,
        email: new.email.clone().filter(|email| !email.is_empty()),
        display_name,
        status: UserStatus::Active,
        not_before: None,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    };
    tx.insert_user(&user)?;
    let has_password = password_hash.is_some();
    if let Some(password_hash) = password_hash {
        tx.put_credential(
            &user.id,
            &Credential {
                password_hash,
                changed_at: cx.now,
            },
        )?;
    }
    let event = about("directory.user.created", actor, &user).detail("after", shown(&user));
    record(cx, tx, event.detail("password", has_password))?;
    Ok(user)
}

/// Changes a person's names or address.
///
/// # Errors
/// [`StoreError`].
pub fn change(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, id: &UserId, change: &UserChange) -> Act<User> {
    const REFUSED: &str = "directory.user.change_refused";
    let before = match find(tx, admin, id)? {
        Ok(user) => user,
        Err(denial) => return refuse(cx, tx, admin, REFUSED, id.as_str(), denial),
    };
    let mut user = before.clone();
    if let Some(username) = &change.username {
        user.username = username.trim().to_lowercase();
    }
    if let Some(email) = &change.email {
        user.email = email.clone().filter(|email| !email.is_empty());
    }
    if let Some(display_name) = &change.display_name {
        user.display_name.clone_from(display_name);
    }
    if user == before {
        return Ok(Outcome::Granted(before));
    }
    if let Err(denial) = check_fields(&user.username, user.email.as_deref(), &user.display_name) {
        return refuse(cx, tx, admin, REFUSED, id.as_str(), denial);
    }
    if user.username != before.username && tx.find_user_by_username(&user.username)?.is_some() {
        let denial = AdminDenial::Taken {
            what: "user",
            name: user.username,
        };
        return refuse(cx, tx, admin, REFUSED, id.as_str(), denial);
    }
    user.version += 1;
    user.updated_at = cx.now;
    tx.update_user(&user)?;
    let event = about("directory.user.changed", admin.actor(), &user);
    record(
        cx,
        tx,
        event.detail("before", shown(&before)).detail("after", shown(&user)),
    )?;
    Ok(Outcome::Granted(user))
}

/// Cuts a person off: no sign-in, no exchange, no refresh from this commit on; sessions, refresh tokens and enrolled
/// keys are gone; jobs carry it to the RAS. An agent for which nobody else answers is suspended. Repeating it repeats the
/// cut. Whom an administrator cuts off, no directory brings back. Written with the reserve.
///
/// # Errors
/// [`StoreError`].
pub fn deactivate(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    issuer: &Issuer,
    admin: &Admin,
    id: &UserId,
) -> Act<Deactivated> {
    const REFUSED: &str = "directory.user.deactivation_refused";
    let before = match find_within(tx, admin, id, standing::over_access_of)? {
        Ok(user) => user,
        Err(denial) => return refuse(cx, tx, admin, REFUSED, id.as_str(), denial),
    };
    let mut user = before.clone();
    user.status = UserStatus::Deactivated;
    user.not_before = Some(cx.now);
    user.version += 1;
    user.updated_at = cx.now;
    tx.update_user(&user)?;
    if !is_directory(admin) {
        tx.keep_out(id, cx.now)?;
    }
    let mut cut = cut_off(cx, tx, vault, issuer, &user)?;
    cut.jobs.extend(orphan::owner_left(cx, tx, &admin.actor(), &user)?);
    let event = about("directory.user.deactivated", admin.actor(), &user)
        .detail("before", json!({"status": before.status.as_str()}))
        .detail("after", json!({"status": user.status.as_str()}));
    record(cx, tx, cut.tell(event))?;
    Ok(Outcome::Granted(cut.with(user)))
}

/// Ends everything a person has and lets them sign in again at once: after a loss of a device, for instance
/// (RV-03, "revoke all"). Written with the reserve.
///
/// # Errors
/// [`StoreError`].
pub fn end_access(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    issuer: &Issuer,
    admin: &Admin,
    id: &UserId,
) -> Act<Deactivated> {
    let mut user = match find(tx, admin, id)? {
        Ok(user) => user,
        Err(denial) => return refuse(cx, tx, admin, "directory.user.ending_refused", id.as_str(), denial),
    };
    let before = user.not_before.map(|cut| cut.to_string());
    let cut = end_all(cx, tx, Some((vault, issuer)), &mut user)?;
    let event = about("directory.user.access_ended", admin.actor(), &user)
        .detail("before", json!({"not_before": before}))
        .detail("after", json!({"not_before": cx.now.to_string()}));
    record(cx, tx, cut.tell(event))?;
    Ok(Outcome::Granted(cut.with(user)))
}

/// Whether it is a directory that acts (SCIM), and no administrator.
fn is_directory(admin: &Admin) -> bool {
    matches!(admin.who, Administrator::Directory(_))
}

/// Lets a person sign in again. Nothing from before comes back: `not_before` stays (SC-14). A directory brings back
/// only whom no administrator cut off: the person stays as they are, and the log says so.
///
/// # Errors
/// [`StoreError`].
pub fn reactivate(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, id: &UserId) -> Act<User> {
    const REFUSED: &str = "directory.user.reactivation_refused";
    let mut user = match find_within(tx, admin, id, standing::over_return_of)? {
        Ok(user) => user,
        Err(denial) => return refuse(cx, tx, admin, REFUSED, id.as_str(), denial),
    };
    if user.is_active() {
        return Ok(Outcome::Granted(user));
    }
    if is_directory(admin) {
        if tx.is_kept_out(id)? {
            let event = NewEvent::denied("directory.user.reactivation_withheld", "cut_off_by_administrator");
            record(
                cx,
                tx,
                event.actor(admin.actor()).subject(id.as_str()).target(&user.username),
            )?;
            return Ok(Outcome::Granted(user));
        }
    } else {
        tx.let_in(id)?;
    }
    user.status = UserStatus::Active;
    user.version += 1;
    user.updated_at = cx.now;
    tx.update_user(&user)?;
    let event = about("directory.user.reactivated", admin.actor(), &user);
    record(
        cx,
        tx,
        event
            .detail("before", json!({"status": "deactivated"}))
            .detail("after", json!({"status": "active"})),
    )?;
    Ok(Outcome::Granted(user))
}

/// Sets a person's password, given as its hash, and ends everything that the old one may have opened, as
/// [`end_access`] does; `ends` names the IdP, where its role runs (RV-03).
///
/// # Errors
/// [`StoreError`].
pub fn reset_password(
    cx: &Cx,
    tx: &mut dyn Tx,
    ends: Option<(&Vault, &Issuer)>,
    admin: &Admin,
    id: &UserId,
    password_hash: String,
) -> Act<User> {
    let mut user = match find_within(tx, admin, id, standing::over_sign_in_of)? {
        Ok(user) => user,
        Err(denial) => return refuse(cx, tx, admin, "directory.password.reset_refused", id.as_str(), denial),
    };
    let credential = Credential {
        password_hash,
        changed_at: cx.now,
    };
    replace_password(cx, tx, ends, admin.actor(), &mut user, &credential)?;
    Ok(Outcome::Granted(user))
}

/// Sets a password, ends what an earlier one may have opened, and records it.
pub(crate) fn replace_password(
    cx: &Cx,
    tx: &mut dyn Tx,
    ends: Option<(&Vault, &Issuer)>,
    actor: Actor,
    user: &mut User,
    credential: &Credential,
) -> Result<(), StoreError> {
    let before = tx.find_credential(&user.id)?.map(|old| old.changed_at.to_string());
    tx.put_credential(&user.id, credential)?;
    let cut = end_all(cx, tx, ends, user)?;
    let event = about("directory.password.reset", actor, user)
        .detail("before", json!({"password_of": before}))
        .detail("after", json!({"password_of": credential.changed_at.to_string()}));
    record(cx, tx, cut.tell(event)).map(|_| ())
}

/// Ends everything a person has until now; they may sign in again at once. Without an IdP in this process there are
/// sessions and refresh tokens only.
pub(super) fn end_all(
    cx: &Cx,
    tx: &mut dyn Tx,
    ends: Option<(&Vault, &Issuer)>,
    user: &mut User,
) -> Result<Cut, StoreError> {
    let Some((vault, issuer)) = ends else {
        backchannel::announce_all_of(cx, tx, &user.id)?;
        return Ok(Cut {
            sessions: tx.end_sessions_of(&user.id, cx.now)?,
            families: tx.end_families_of_user(&user.id, cx.now)?,
            keys: 0,
            jobs: Vec::new(),
        });
    };
    user.not_before = Some(cx.now);
    user.version += 1;
    user.updated_at = cx.now;
    tx.update_user(user)?;
    cut_off(cx, tx, vault, issuer, user)
}

pub(super) struct Cut {
    sessions: u64,
    families: u64,
    keys: u64,
    jobs: Vec<Job>,
}

impl Cut {
    fn tell(&self, event: NewEvent) -> NewEvent {
        event
            .detail("sessions", self.sessions)
            .detail("families", self.families)
            .detail("keys", self.keys)
    }

    fn with(self, user: User) -> Deactivated {
        let Self {
            sessions,
            families,
            keys,
            jobs,
        } = self;
        Deactivated {
            user,
            sessions,
            families,
            keys,
            jobs,
        }
    }
}

fn cut_off(cx: &Cx, tx: &mut dyn Tx, vault: &Vault, issuer: &Issuer, user: &User) -> Result<Cut, StoreError> {
    backchannel::announce_all_of(cx, tx, &user.id)?;
    let sessions = tx.end_sessions_of(&user.id, cx.now)?;
    let families = tx.end_families_of_user(&user.id, cx.now)?;
    let mut keys = 0;
    for key in tx.list_keys_held_by_user(&user.id)? {
        keys += u64::from(tx.remove_client_key(&key.client, &key.kid)?);
    }
    // One job per name that the person has outside, also at audiences that are switched off by now.
    let mut subjects: Vec<Subject> = tx
        .list_audiences()?
        .iter()
        .map(|audience| vault.subject_for_audience(audience, &user.id))
        .collect();
    subjects.sort();
    subjects.dedup();
    let mut jobs = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let task = Task::RevokeSubject {
            issuer: issuer.clone(),
            subject,
            not_after: cx.now.micros(),
        };
        let job = Job::now(cx, task);
        tx.insert_job(&job)?;
        jobs.push(job);
    }
    Ok(Cut {
        sessions,
        families,
        keys,
        jobs,
    })
}

pub(super) fn permitted(admin: &Admin) -> Result<(), AdminDenial> {
    require(admin, Permission::Provision)
}

/// Records a refused act.
pub(crate) fn refuse<T>(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    kind: &'static str,
    target: &str,
    denial: AdminDenial,
) -> Act<T> {
    let event = NewEvent::denied(kind, denial.code()).actor(actor(admin));
    record(cx, tx, event.target(target).detail("why", denial.to_string()))?;
    Ok(Outcome::Denied(denial))
}

pub(super) fn actor(admin: &Admin) -> Actor {
    admin.actor()
}

fn find(tx: &mut dyn Tx, admin: &Admin, id: &UserId) -> Result<Result<User, AdminDenial>, StoreError> {
    if let Err(denial) = permitted(admin) {
        return Ok(Err(denial));
    }
    let user = tx.find_user(id)?;
    Ok(user.ok_or_else(|| AdminDenial::NotFound {
        what: "user",
        name: id.as_str().to_owned(),
    }))
}

/// The person, if the administrator reaches that far.
fn find_within(
    tx: &mut dyn Tx,
    admin: &Admin,
    id: &UserId,
    guard: fn(&mut dyn AdminStore, &Admin, &UserId) -> Guard,
) -> Result<Result<User, AdminDenial>, StoreError> {
    let user = match find(tx, admin, id)? {
        Ok(user) => user,
        Err(denial) => return Ok(Err(denial)),
    };
    Ok(guard(tx, admin, id)?.map(|()| user))
}

fn about(kind: &'static str, actor: Actor, user: &User) -> NewEvent {
    NewEvent::granted(kind)
        .actor(actor)
        .subject(user.id.as_str())
        .target(&user.username)
}

/// A person as the log shows it.
pub(crate) fn shown(user: &User) -> Value {
    json!({"username": user.username, "email": user.email, "display_name": user.display_name, "status": user.status.as_str()})
}

pub(crate) fn check_fields(username: &str, email: Option<&str>, display_name: &str) -> Result<(), AdminDenial> {
    let plain = |c: char| !c.is_whitespace() && !is_hidden(c);
    if username.is_empty() || username.chars().count() > 128 || !username.chars().all(plain) {
        return Err(AdminDenial::invalid(
            "username",
            "use 1 to 128 characters without spaces and hidden characters",
        ));
    }
    // A person is found by id or name: nobody is named as somebody else's id, not even as that of a removed person.
    if UserId::parse(username.to_lowercase()).is_ok() {
        return Err(AdminDenial::invalid(
            "username",
            "this is the form of an id; choose a name",
        ));
    }
    if display_name.chars().count() > 256 || display_name.chars().any(char::is_control) {
        return Err(AdminDenial::invalid(
            "display_name",
            "use at most 256 characters without control characters",
        ));
    }
    if let Some(email) = email.filter(|email| !email.is_empty()) {
        let parts: Vec<&str> = email.rsplitn(2, '@').collect();
        let good = matches!(parts.as_slice(), [domain, local] if !domain.is_empty() && !local.is_empty());
        if !good || email.len() > 254 || !email.chars().all(plain) {
            return Err(AdminDenial::invalid("email", "this is not an e-mail address"));
        }
    }
    Ok(())
}
