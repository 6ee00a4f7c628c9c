//! Administrators who sign in through the issuer: its client for them, and whether a token of theirs may act.
//!
//! Owns the names, and the check of current state at every request: person, session, role, strength. Never verifies a
//! signature and never signs anybody in.

use lanyard_jose::token::{AccessToken, Verified};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::scope::ScopeSet;

use crate::admin::change::state;
use crate::admin::client::describe;
use crate::admin::standing;
use crate::admin::token::{Admin, Administrator};
use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::registration::{Client, ClientAuthMethod, Side, SubjectMode};
use crate::cx::Cx;
use crate::directory::user::User;
use crate::idp::own_token::{OwnTokenDenial, bearer};
use crate::outcome::Outcome;
use crate::session::record::Authentication;
use crate::session::strength::Strength;
use crate::store::{StoreError, Tx};

/// The scope of an access token for the admin API. A token has it alone, or not at all.
pub const ADMIN_SCOPE: &str = "admin";
/// The native client by which administrators sign in on a command line.
pub const ADMIN_CLIENT: &str = "lanyard-admin";
/// What that client may ask for: its sign-in, its keys, and the admin API.
pub const ADMIN_CLIENT_SCOPES: &str = "openid profile offline_access connectors admin";
/// Where it is answered; the port is the machine's choice (RFC 8252, section 7.3).
const REDIRECT: &str = "http://127.0.0.1/callback";

/// The audience of access tokens for the admin API of an issuer's deployment.
pub fn audience(issuer: &Issuer) -> String {
    format!("{}/admin", issuer.as_str().trim_end_matches('/'))
}

/// A person who may act as an administrator now.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// What services take.
    pub admin: Admin,
    /// The person.
    pub user: User,
    /// How they signed in.
    pub authentication: Authentication,
}

/// Why a person's token does not open the admin API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonDenial {
    /// The sign-in, the person or the client are not what they were.
    #[error(transparent)]
    Token(#[from] OwnTokenDenial),
    /// They have no role, or it was taken back.
    #[error("{username} has no administrator's role")]
    NoRole {
        /// Who.
        username: String,
    },
    /// They signed in less strongly than this deployment asks of administrators.
    #[error("the sign-in is {}, and administrators need {}", .reached.as_str(), .needed.as_str())]
    TooWeak {
        /// What it was.
        reached: Strength,
        /// What is needed.
        needed: Strength,
    },
}

impl PersonDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Token(denial) => denial.code(),
            Self::NoRole { .. } => "no_role",
            Self::TooWeak { .. } => "insufficient_user_authentication",
        }
    }
}

/// Whether the person behind a token, whose signature, audience and times were found right, may act as an administrator
/// now. Client, grant, session, person and role are read afresh: who is deactivated, signed out or demoted is refused at
/// the next request.
///
/// # Errors
/// [`StoreError`].
pub fn authenticate(
    cx: &Cx,
    tx: &mut dyn Tx,
    token: &Verified<AccessToken>,
    needed: Option<Strength>,
) -> Result<Outcome<SignedIn, PersonDenial>, StoreError> {
    let bearer = match bearer(cx, tx, token, ADMIN_SCOPE)? {
        Outcome::Granted(bearer) => bearer,
        Outcome::Denied(denial) => return Ok(Outcome::Denied(denial.into())),
    };
    // A grant that outlives the sign-in does not administer.
    if bearer.session.is_none() {
        return Ok(Outcome::Denied(OwnTokenDenial::SessionEnded.into()));
    }
    let Some(role) = standing::role_of(tx, &bearer.user.id)? else {
        let username = bearer.user.username;
        return Ok(Outcome::Denied(PersonDenial::NoRole { username }));
    };
    let reached = bearer.authentication.strength;
    if let Some(needed) = needed.filter(|needed| reached < *needed) {
        return Ok(Outcome::Denied(PersonDenial::TooWeak { reached, needed }));
    }
    Ok(Outcome::Granted(SignedIn {
        admin: Admin {
            who: Administrator::Person(bearer.user.id.clone()),
            role,
        },
        user: bearer.user,
        authentication: bearer.authentication,
    }))
}

/// Makes the client by which administrators sign in, where there is none; `false` when there is one, whatever an owner
/// made of it. For the start of a process with the issuer role.
///
/// # Errors
/// [`StoreError`].
pub fn ensure_client(cx: &Cx, tx: &mut dyn Tx) -> Result<bool, StoreError> {
    let parsed = ClientId::parse(ADMIN_CLIENT)
        .ok()
        .zip(ScopeSet::parse(ADMIN_CLIENT_SCOPES).ok());
    let Some((client_id, scopes)) = parsed else {
        return Err(StoreError::Corrupt(
            "the names of the administrators' client".to_owned(),
        ));
    };
    if tx.find_client(Side::Idp, &client_id)?.is_some() {
        return Ok(false);
    }
    let client = Client {
        key: cx.new_id(),
        side: Side::Idp,
        client_id,
        name: "Administration".to_owned(),
        auth: ClientAuthMethod::Native,
        legacy_assertion_audience: false,
        grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        redirect_uris: vec![REDIRECT.to_owned()],
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout: None,
        scopes,
        subject_mode: SubjectMode::Public,
        introspects: Vec::new(),
        enabled: true,
        agent: None,
        not_before: None,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    };
    tx.insert_client(&client)?;
    let event = NewEvent::granted("admin.client.created")
        .actor(Actor::System("start".to_owned()))
        .target(client.client_id.as_str());
    let after = state(&describe(tx, &client)?);
    record(cx, tx, event.detail_if("after", after))?;
    Ok(true)
}
