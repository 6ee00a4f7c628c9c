//! Challenges for passkeys as the pages carry them, and the answers that come back.
//!
//! Owns the text of a challenge: the verifier's state, its end, and a code that only this issuer makes for this browser
//! and this use. Never verifies a signature (`federation` does) and never decides what a passkey opens.

use std::time::Duration;

use lanyard_core::clock::Timestamp;
use lanyard_core::cx::Cx;
use lanyard_core::directory::factor::Passkey;
use lanyard_core::directory::user::User;
use lanyard_core::keys::vault::Vault;
use lanyard_federation::passkey::{Challenge, PasskeyDenial, RelyingParty, handle};
use secrecy::SecretString;

/// How long a challenge may be answered.
const TTL: Duration = Duration::from_secs(600);

/// What a challenge is for; an answer to one is none to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Signing in, alone or after a password.
    SignIn,
    /// Proving again who one is.
    Confirm,
    /// Adding a passkey.
    Register,
}

impl Use {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Confirm => "confirm",
            Self::Register => "register",
        }
    }
}

/// A challenge for a form: what the browser is asked, and what comes back with the answer.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// For the script, as JSON.
    pub(crate) options: String,
    /// For the hidden field.
    pub(crate) challenge: String,
}

/// A challenge that came back from this browser in time.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// The verifier's state.
    pub(crate) state: String,
    /// Names the challenge: taken once.
    pub(crate) id: [u8; 32],
    /// Until when it may be answered.
    pub(crate) ends_at: Timestamp,
}

/// Asks for any passkey of this site, or for one of `allowed`.
pub(crate) fn ask(
    cx: &Cx,
    site: Option<&RelyingParty>,
    vault: &Vault,
    bound: &SecretString,
    purpose: Use,
    allowed: &[Passkey],
) -> Option<Asked> {
    let names: Vec<String> = allowed.iter().map(|passkey| passkey.credential.clone()).collect();
    let challenge = site?.begin_sign_in(&names)?;
    Some(carried(cx, vault, bound, purpose, challenge))
}

/// Asks for a new passkey of this person.
pub(crate) fn ask_new(
    cx: &Cx,
    site: Option<&RelyingParty>,
    vault: &Vault,
    bound: &SecretString,
    user: &User,
    has: &[Passkey],
) -> Option<Asked> {
    let names: Vec<String> = has.iter().map(|passkey| passkey.credential.clone()).collect();
    let challenge = site?.begin_registration(&user.id, &user.username, &user.display_name, &names)?;
    Some(carried(cx, vault, bound, Use::Register, challenge))
}

fn carried(cx: &Cx, vault: &Vault, bound: &SecretString, purpose: Use, challenge: Challenge) -> Asked {
    let ends_at = cx.now.plus(TTL).micros();
    let text = format!("{}~{ends_at}~{}", purpose.as_str(), challenge.state);
    let code = vault.vouch(bound, &text);
    Asked {
        options: challenge.options,
        challenge: format!("{code}~{text}"),
    }
}

/// Reads what a form carried back.
///
/// # Errors
/// [`PasskeyDenial::Challenge`] when it was made for another browser or another use, changed, or is over.
pub(crate) fn kept(
    cx: &Cx,
    vault: &Vault,
    bound: &SecretString,
    purpose: Use,
    carried: &str,
) -> Result<Kept, PasskeyDenial> {
    let refused = PasskeyDenial::Challenge;
    let (code, text) = carried.split_once('~').ok_or(refused)?;
    if !lanyard_core::keys::vault::same(&vault.vouch(bound, text), code) {
        return Err(refused);
    }
    let mut lines = text.splitn(3, '~');
    let (Some(made_for), Some(ends_at), Some(state)) = (lines.next(), lines.next(), lines.next()) else {
        return Err(refused);
    };
    let ends_at = ends_at.parse().map(Timestamp::from_micros).map_err(|_| refused)?;
    if made_for != purpose.as_str() || ends_at <= cx.now {
        return Err(refused);
    }
    Ok(Kept {
        state: state.to_owned(),
        id: lanyard_core::keys::vault::fingerprint(text),
        ends_at,
    })
}

/// Whether an answer that names its person names the one whose passkey it is. Without a password before it, it must.
pub(crate) fn is_of(passkey: &Passkey, named: Option<&str>, must: bool) -> bool {
    match named {
        Some(named) => named == handle(&passkey.user),
        None => !must,
    }
}
