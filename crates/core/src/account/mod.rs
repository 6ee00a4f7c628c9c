//! What a person does to their own account: password, second factors, sessions, programs, name and address.
//!
//! Owns these acts and who may do them. Each is recorded with the person as actor. Never verifies a signature and never
//! hashes.

pub mod confirm;
pub mod factors;
pub mod password;
pub mod profile;
pub mod programs;
pub mod sessions;

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::password_rules::PasswordDenial;
use crate::directory::user::User;
use crate::idp::second_factor::StepDenial;
use crate::session::record::Session;
use crate::store::{StoreError, Tx};

/// Whoever acts on their own account.
#[derive(Debug, Clone)]
pub struct Own {
    /// The person.
    pub user: User,
    /// Whether they proved within the last minutes who they are.
    pub fresh: bool,
    /// Whether they signed in here and not at another identity provider: only then password and factors are ours.
    pub local: bool,
}

impl Own {
    /// The person of a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn of_session(cx: &Cx, tx: &mut dyn Tx, session: &Session, user: User) -> Result<Self, StoreError> {
        Ok(Self {
            user,
            fresh: confirm::is_fresh(cx, tx, session)?,
            local: session.connection.is_none(),
        })
    }

    /// A person in the middle of a sign-in who must set up a second factor: the password was right a moment ago.
    pub const fn enrolling(user: User) -> Self {
        Self {
            user,
            fresh: true,
            local: true,
        }
    }

    fn actor(&self) -> Actor {
        Actor::User(self.user.id.to_string())
    }

    fn about(&self, event: NewEvent) -> NewEvent {
        event.actor(self.actor()).subject(self.user.id.as_str())
    }

    /// What every act on password and factors needs.
    fn may_change(&self) -> Result<(), OwnDenial> {
        if !self.local {
            return Err(OwnDenial::NotLocal);
        }
        if !self.fresh {
            return Err(OwnDenial::NotConfirmed);
        }
        Ok(())
    }

    /// Records a refused act.
    fn refuse(&self, cx: &Cx, tx: &mut dyn Tx, kind: &'static str, denial: OwnDenial) -> Result<OwnDenial, StoreError> {
        record(cx, tx, self.about(NewEvent::denied(kind, denial.code())))?;
        Ok(denial)
    }
}

/// Why an act on one's own account was refused. The text is for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OwnDenial {
    /// The sign-in is some minutes old.
    #[error("please confirm first that it is you")]
    NotConfirmed,
    /// The person signed in at another identity provider.
    #[error("this is managed where you signed in")]
    NotLocal,
    /// The old password, or the one that confirms, is wrong.
    #[error("the password is not right")]
    WrongPassword,
    /// The new password breaks a rule.
    #[error("{0}")]
    Password(PasswordDenial),
    /// A code or a passkey was not accepted.
    #[error("{0}")]
    Step(StepDenial),
    /// The person has it already.
    #[error("it is set up already")]
    AlreadySet,
    /// There is no such thing, or not any more.
    #[error("it is not there any more")]
    Gone,
    /// A name that cannot be shown.
    #[error("use a name of 1 to 64 characters")]
    Name,
    /// As many as one person may have.
    #[error("you have as many as one person may have; remove one first")]
    TooMany,
    /// The rule of the deployment asks for it, and it is the last one.
    #[error("your organisation asks for a second factor and this is your last one; set up another one first")]
    LastFactor,
    /// Names and addresses are not the person's to change here.
    #[error("your organisation keeps these for you")]
    NotEditable,
    /// An e-mail address that is none.
    #[error("this is not an e-mail address")]
    Email,
}

impl OwnDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotConfirmed => "not_confirmed",
            Self::NotLocal => "not_local",
            Self::WrongPassword => "wrong_password",
            Self::Password(denial) => denial.code(),
            Self::Step(denial) => denial.code(),
            Self::AlreadySet => "already_set",
            Self::Gone => "gone",
            Self::Name => "name",
            Self::TooMany => "too_many",
            Self::LastFactor => "last_factor",
            Self::NotEditable => "not_editable",
            Self::Email => "email",
        }
    }
}
