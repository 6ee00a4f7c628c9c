//! What a sign-in is for: a client's request, or a page of the person's own account.
//!
//! Owns carrying it through the forms of a sign-in. Never decides whether a client may ask.

use http::StatusCode;
use lanyard_core::cx::Cx;
use lanyard_core::idp::authorize::{
    AuthorizeDenial, AuthorizeRefusal, AuthorizeRequest, IssuedCode, ValidAuthorize, check_client, issue_code,
};
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::idp::sign_in::NewSession;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::strength::Strength;
use lanyard_core::store::{StoreError, Tx};
use lanyard_protocol::form::Form;
use secrecy::ExposeSecret;

use crate::account::Room;
use crate::sign_in::SignIn;
use crate::sign_in::view::destination;

/// The field by which a carried request asks for a page of the account.
const ACCOUNT: &str = "account_page";

/// What a sign-in is for.
#[derive(Debug, Clone)]
pub(crate) enum Purpose {
    /// A client's request.
    Client(Box<ValidAuthorize>),
    /// A page of the person's own account.
    Account(Room),
}

/// How a sign-in ended in its unit.
pub(super) enum Conclusion {
    Client(Outcome<IssuedCode, AuthorizeDenial>),
    Account(Room),
}

impl Purpose {
    /// Reads what was carried; what a client asks is checked again.
    pub(super) fn read(
        cx: &Cx,
        tx: &mut dyn Tx,
        carried: &Form,
        asked: &AuthorizeRequest,
    ) -> Result<Result<Self, AuthorizeRefusal>, StoreError> {
        if let Some(room) = room(carried) {
            return Ok(Ok(Self::Account(room)));
        }
        Ok(check_client(cx, tx, asked)?.map(|valid| Self::Client(Box::new(valid))))
    }

    /// What is carried for a page of the account.
    pub(crate) fn carry(room: Room) -> Form {
        Form::default().with(ACCOUNT, room.name())
    }

    /// Where the browser is sent in the end, for the content security policy.
    pub(super) fn target(&self) -> Option<&str> {
        match self {
            Self::Client(valid) => Some(&valid.redirect_uri),
            Self::Account(_) => None,
        }
    }

    /// Who asks, in words.
    pub(super) fn asks(&self) -> &str {
        match self {
            Self::Client(valid) => &valid.client.name,
            Self::Account(_) => "your account",
        }
    }

    /// Where the person is sent afterwards, in words.
    pub(super) fn destination(&self) -> String {
        match self {
            Self::Client(valid) => destination(&valid.redirect_uri),
            Self::Account(_) => "Sign out when you are done if others use this computer too.".to_owned(),
        }
    }

    /// The user name that whoever asks expects.
    pub(super) fn hint(&self) -> Option<&str> {
        match self {
            Self::Client(valid) => valid.login_hint.as_deref(),
            Self::Account(_) => None,
        }
    }

    /// Whether only a passkey will do.
    pub(super) fn needs_passkey(&self) -> bool {
        self.strength() == Some(Strength::PhishingResistant)
    }

    /// The strength that is asked for.
    fn strength(&self) -> Option<Strength> {
        match self {
            Self::Client(valid) => valid.strength(),
            Self::Account(_) => None,
        }
    }

    /// Does in the unit of a new session what the sign-in was for.
    pub(super) fn conclude(
        &self,
        cx: &Cx,
        tx: &mut dyn Tx,
        settings: &IdpSettings,
        new: &NewSession,
    ) -> Result<Conclusion, StoreError> {
        match self {
            Self::Client(valid) => issue_code(cx, tx, settings, valid, &new.session.id).map(Conclusion::Client),
            Self::Account(room) => Ok(Conclusion::Account(*room)),
        }
    }
}

fn room(carried: &Form) -> Option<Room> {
    carried.once(ACCOUNT).ok().flatten().map(Room::named)
}

impl SignIn {
    /// The strength that is asked for, if a person could set up here what reaches it.
    pub(super) fn can_ask_for(&self, purpose: &Purpose) -> Option<Strength> {
        let asked = purpose.strength()?;
        (asked < Strength::PhishingResistant || self.passkeys.is_some()).then_some(asked)
    }

    /// Where a sign-in leads that is over: the client with its code or an error, or the account.
    pub(super) fn lead_on(&self, purpose: &Purpose, conclusion: Conclusion) -> axum::response::Response {
        let post = http::Method::POST;
        match (conclusion, purpose) {
            (Conclusion::Client(Outcome::Granted(code)), _) => {
                self.redirect(StatusCode::SEE_OTHER, code.location.expose_secret())
            }
            (Conclusion::Client(Outcome::Denied(denial)), Purpose::Client(valid)) => {
                self.send_back(&post, &valid.redirect_uri, valid.state.as_deref(), denial)
            }
            (Conclusion::Client(Outcome::Denied(_)), Purpose::Account(room)) => {
                self.redirect(StatusCode::SEE_OTHER, &self.room_path(*room))
            }
            (Conclusion::Account(room), _) => self.redirect(StatusCode::SEE_OTHER, &self.room_path(room)),
        }
    }

    /// Where a sign-in is begun again, or gone on with when a session stands by now: the same request without the
    /// demand for a new sign-in, which has just been met.
    pub(super) fn path_of(&self, purpose: &Purpose, carried: &Form) -> String {
        match purpose {
            Purpose::Account(room) => self.room_path(*room),
            Purpose::Client(_) => {
                let kept = carried
                    .names()
                    .filter(|name| *name != "prompt")
                    .fold(Form::default(), |form, name| {
                        let values = carried.all(name);
                        values.into_iter().fold(form, |form, value| form.with(name, value))
                    });
                format!("{}?{}", self.authorize, kept.encode())
            }
        }
    }
}
