//! Whether a signed assertion is acceptable here and now (SAML Core, section 2.5; SAML Profiles, section 4.1.4.3).
//!
//! Owns the conditions: they are part of acceptance, never of mapping (SAML-05 to SAML-08). Pure: replay is recorded by
//! whoever uses the assertion, after everything else has passed.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::saml::assertion::{Assertion, AuthnStatement, BEARER, Confirmation};

/// What the assertion must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The entity id of the service provider it must be for.
    pub audience: &'a str,
    /// The addresses it may be delivered to.
    pub recipients: &'a [String],
    /// Which request it must answer.
    pub request: Request<'a>,
    /// The instant of the request.
    pub now: Timestamp,
    /// How far clocks may differ, at most 60 seconds (SAML-06).
    pub skew: Duration,
}

/// Which request an assertion must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// This one, which we made.
    Ours(&'a str),
    /// None: it was sent unasked for, and may not claim to answer anything.
    Unsolicited,
    /// One of another service provider, which we do not know.
    Foreign,
}

/// Why a signed assertion is not acceptable. On the wire each is `invalid_grant`, without a word on which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// A condition that is not understood (SAML-06).
    #[error("the assertion has a condition that is not understood")]
    Condition,
    /// For another service provider, or for nobody in particular (SAML-05).
    #[error("the assertion is not for this service provider")]
    Audience,
    /// Its time has not come (SAML-06).
    #[error("the assertion is not valid yet")]
    NotYet,
    /// Its time is over (SAML-06).
    #[error("the assertion has expired")]
    Expired,
    /// No bearer confirmation, or one without an end or with a beginning (SAML-07).
    #[error("the assertion has no usable bearer confirmation")]
    Confirmation,
    /// Delivered to another address than it was made for (SAML-07).
    #[error("the assertion was made for another recipient")]
    Recipient,
    /// The time to deliver it is over (SAML-07).
    #[error("the assertion was delivered too late")]
    TooLate,
    /// It answers another request (SAML-07).
    #[error("the assertion answers another request")]
    InResponseTo,
    /// It does not say that anybody was authenticated (SAML-08).
    #[error("the assertion has no authentication statement")]
    NoAuthentication,
    /// The session at the identity provider is over (SAML-08).
    #[error("the session behind the assertion is over")]
    SessionOver,
}

impl Unacceptable {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Condition => "saml_condition",
            Self::Audience => "saml_audience",
            Self::NotYet => "saml_not_yet_valid",
            Self::Expired => "saml_expired",
            Self::Confirmation => "saml_confirmation",
            Self::Recipient => "saml_recipient",
            Self::TooLate => "saml_too_late",
            Self::InResponseTo => "saml_in_response_to",
            Self::NoAuthentication => "saml_no_authentication",
            Self::SessionOver => "saml_session_over",
        }
    }
}

/// What an acceptable assertion is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The authentication: the latest, when there are several.
    pub authentication: AuthnStatement,
    /// Until when its use must be remembered: past the end of everything that makes it acceptable (SAML-09).
    pub keep_until: Timestamp,
}

/// Checks every condition of a signed assertion.
///
/// # Errors
/// [`Unacceptable`], the first that applies.
pub fn accept(assertion: &Assertion, expected: &Expected<'_>) -> Result<Accepted, Unacceptable> {
    let conditions = &assertion.conditions;
    if conditions.unknown.is_some() {
        return Err(Unacceptable::Condition);
    }
    let for_us = |audiences: &Vec<String>| audiences.iter().any(|audience| audience == expected.audience);
    if conditions.audiences.is_empty() || !conditions.audiences.iter().all(for_us) {
        return Err(Unacceptable::Audience);
    }
    let ahead = expected.now.plus(expected.skew);
    if assertion.issued_at > ahead || conditions.not_before.is_some_and(|at| at > ahead) {
        return Err(Unacceptable::NotYet);
    }
    if conditions.not_on_or_after.is_some_and(|at| is_over(at, expected)) {
        return Err(Unacceptable::Expired);
    }
    let confirmed_until = confirm(assertion, expected)?;
    let authentication = authentication(assertion, expected)?;
    let end = confirmed_until.max(conditions.not_on_or_after.unwrap_or(confirmed_until));
    Ok(Accepted {
        authentication,
        keep_until: end.plus(expected.skew).plus(Duration::from_secs(1)),
    })
}

/// `at` has come, even by a clock that is behind.
fn is_over(at: Timestamp, expected: &Expected<'_>) -> bool {
    at.plus(expected.skew) <= expected.now
}

/// The end of the first bearer confirmation that fits; else why the last one does not.
fn confirm(assertion: &Assertion, expected: &Expected<'_>) -> Result<Timestamp, Unacceptable> {
    let mut why = Unacceptable::Confirmation;
    for confirmation in &assertion.confirmations {
        if confirmation.method != BEARER {
            continue;
        }
        match confirms(confirmation, expected) {
            Ok(end) => return Ok(end),
            Err(unacceptable) => why = unacceptable,
        }
    }
    Err(why)
}

fn confirms(confirmation: &Confirmation, expected: &Expected<'_>) -> Result<Timestamp, Unacceptable> {
    let (Some(end), None) = (confirmation.not_on_or_after, confirmation.not_before) else {
        return Err(Unacceptable::Confirmation);
    };
    let fits = |recipient: &String| expected.recipients.contains(recipient);
    if !confirmation.recipient.as_ref().is_some_and(fits) {
        return Err(Unacceptable::Recipient);
    }
    if is_over(end, expected) {
        return Err(Unacceptable::TooLate);
    }
    let answers = match (expected.request, confirmation.in_response_to.as_deref()) {
        (Request::Ours(ours), answered) => answered == Some(ours),
        (Request::Unsolicited, answered) => answered.is_none(),
        (Request::Foreign, _) => true,
    };
    if answers {
        Ok(end)
    } else {
        Err(Unacceptable::InResponseTo)
    }
}

/// The latest authentication whose session is not over.
fn authentication(assertion: &Assertion, expected: &Expected<'_>) -> Result<AuthnStatement, Unacceptable> {
    let latest = assertion
        .statements
        .iter()
        .max_by_key(|statement| statement.authn_instant)
        .ok_or(Unacceptable::NoAuthentication)?;
    if latest.authn_instant > expected.now.plus(expected.skew) {
        return Err(Unacceptable::NotYet);
    }
    // Every end counts: a statement that is left aside must not lengthen the session.
    let end = assertion
        .statements
        .iter()
        .filter_map(|statement| statement.session_not_on_or_after)
        .min();
    if end.is_some_and(|at| at <= expected.now) {
        return Err(Unacceptable::SessionOver);
    }
    Ok(AuthnStatement {
        session_not_on_or_after: end,
        ..latest.clone()
    })
}

#[cfg(test)]
mod tests;
