//! Passkeys: WebAuthn as a relying party, user verification always required, no attestation asked.
//!
//! Owns challenges and the verification of what a browser answers. Never stores a challenge: its state is handed out
//! as text, for the caller to keep where nobody can change it, and to accept once.

use lanyard_core::id::UserId;
use lanyard_jose::digest::{base64url, from_base64url, sha256};
use lanyard_protocol::issuer::Issuer;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    CreationChallengeResponse, DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, RequestChallengeResponse, Webauthn, WebauthnBuilder, WebauthnError,
};

/// The longest answer of a browser that is read, in bytes; attestation is not asked for, so answers are short.
pub const MAX_ANSWER: usize = 16 * 1024;

/// The relying party that an issuer is.
#[derive(Debug)]
pub struct RelyingParty(Webauthn);

/// What a browser is asked, and what must be known when it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The options for `navigator.credentials`, as JSON.
    pub options: String,
    /// Ours, as text.
    pub state: String,
}

/// A passkey as it is stored. The private key never leaves the authenticator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The authenticator's name for it, in base64url.
    pub credential: String,
    /// Public key, counter and flags, as text.
    pub record: String,
}

/// Which passkey a browser says it used. Nothing of it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The authenticator's name for the passkey, in base64url.
    pub credential: String,
    /// The handle of the person, when the authenticator keeps it.
    pub handle: Option<String>,
}

/// Why an answer is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyDenial {
    /// No answer of a browser, or one that is too long.
    #[error("the answer cannot be read")]
    Unreadable,
    /// The challenge is another one.
    #[error("the answer is for another challenge")]
    Challenge,
    /// Made for another site.
    #[error("the answer was made for another site")]
    Origin,
    /// Nobody proved to be there, or who they are.
    #[error("the authenticator did not verify the person")]
    NotVerified,
    /// The signature does not fit the stored key.
    #[error("the signature is wrong")]
    Signature,
    /// The counter went back: somebody has a copy of the authenticator.
    #[error("the counter of the authenticator went back: it may have been copied")]
    Cloned,
    /// Anything else that the protocol forbids.
    #[error("the answer does not follow the protocol")]
    Protocol,
}

impl PasskeyDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "passkey_unreadable",
            Self::Challenge => "passkey_other_challenge",
            Self::Origin => "passkey_other_origin",
            Self::NotVerified => "passkey_not_verified",
            Self::Signature => "passkey_bad_signature",
            Self::Cloned => "passkey_cloned",
            Self::Protocol => "passkey_protocol",
        }
    }
}

impl RelyingParty {
    /// The relying party of this issuer: its host is the id, its origin the only one. `None` where the host is an
    /// address: browsers make passkeys for names only.
    pub fn new(issuer: &Issuer, name: &str) -> Option<Self> {
        let origin = Url::parse(&issuer.origin()).ok()?;
        let host = origin.domain()?.to_owned();
        let builder = WebauthnBuilder::new(&host, &origin).ok()?;
        builder.rp_name(name).build().ok().map(Self)
    }

    /// Begins a registration; `has` are the passkeys that the person has already. `None` when the library refuses,
    /// which it does for an empty name.
    pub fn begin_registration(&self, user: &UserId, username: &str, shown: &str, has: &[String]) -> Option<Challenge> {
        let known = has.iter().filter_map(|id| from_base64url(id)).collect();
        let handle = Uuid::from_bytes(handle_bytes(user));
        let (options, state): (CreationChallengeResponse, PasskeyRegistration) = self
            .0
            .start_passkey_registration(handle, username, shown, Some(known))
            .ok()?;
        let mut options = serde_json::to_value(options).ok()?;
        // A passkey that the authenticator keeps with the person's handle: only that signs in without a user name.
        let selection = options
            .pointer_mut("/publicKey/authenticatorSelection")?
            .as_object_mut()?;
        selection.insert("residentKey".to_owned(), "required".into());
        selection.insert("requireResidentKey".to_owned(), true.into());
        Some(Challenge {
            options: options.to_string(),
            state: serde_json::to_string(&state).ok()?,
        })
    }

    /// Ends a registration with what the browser answered.
    ///
    /// # Errors
    /// [`PasskeyDenial`].
    pub fn finish_registration(&self, state: &str, answer: &str) -> Result<Registered, PasskeyDenial> {
        let answer: RegisterPublicKeyCredential = read(answer)?;
        let state: PasskeyRegistration = serde_json::from_str(state).map_err(|_| PasskeyDenial::Challenge)?;
        let passkey = self
            .0
            .finish_passkey_registration(&answer, &state)
            .map_err(|e| denial(&e))?;
        stored(&passkey)
    }

    /// Begins a sign-in with any passkey of this site, or with one of `allowed`. `None` never happens with a site that
    /// could be made.
    pub fn begin_sign_in(&self, allowed: &[String]) -> Option<Challenge> {
        let (options, state): (RequestChallengeResponse, DiscoverableAuthentication) =
            self.0.start_discoverable_authentication().ok()?;
        let mut options = serde_json::to_value(options).ok()?;
        let allow: Vec<serde_json::Value> = allowed
            .iter()
            .map(|id| serde_json::json!({"type": "public-key", "id": id}))
            .collect();
        // Asked for with a button, not while a person types.
        options.as_object_mut()?.remove("mediation");
        options
            .pointer_mut("/publicKey")?
            .as_object_mut()?
            .insert("allowCredentials".to_owned(), allow.into());
        Some(Challenge {
            options: options.to_string(),
            state: serde_json::to_string(&state).ok()?,
        })
    }

    /// Which passkey an answer is about, so that it can be looked up.
    ///
    /// # Errors
    /// [`PasskeyDenial::Unreadable`].
    pub fn claimed(&self, answer: &str) -> Result<Claimed, PasskeyDenial> {
        let answer: PublicKeyCredential = read(answer)?;
        Ok(Claimed {
            credential: base64url(answer.get_credential_id()),
            handle: answer.get_user_unique_id().map(base64url),
        })
    }

    /// Ends a sign-in with the passkey that was looked up. The record to store in its place, when the counter or a
    /// flag moved.
    ///
    /// # Errors
    /// [`PasskeyDenial`].
    pub fn finish_sign_in(&self, state: &str, answer: &str, record: &str) -> Result<Option<String>, PasskeyDenial> {
        let answer: PublicKeyCredential = read(answer)?;
        let state: DiscoverableAuthentication = serde_json::from_str(state).map_err(|_| PasskeyDenial::Challenge)?;
        let mut passkey: Passkey = serde_json::from_str(record).map_err(|_| PasskeyDenial::Protocol)?;
        let result = self
            .0
            .finish_discoverable_authentication_v2(&answer, state, &passkey)
            .map_err(|e| denial(&e))?;
        if !result.user_verified() {
            return Err(PasskeyDenial::NotVerified);
        }
        match passkey.update_credential(&result) {
            Some(true) => stored(&passkey).map(|passkey| Some(passkey.record)),
            Some(false) => Ok(None),
            None => Err(PasskeyDenial::Protocol),
        }
    }
}

/// The handle that authenticators keep for a person: says nothing about them and never changes.
pub fn handle(user: &UserId) -> String {
    base64url(&handle_bytes(user))
}

fn handle_bytes(user: &UserId) -> [u8; 16] {
    let hash = sha256(format!("lanyard passkey handle\n{user}").as_bytes());
    let mut out = [0; 16];
    for (to, from) in out.iter_mut().zip(hash) {
        *to = from;
    }
    out
}

fn read<T: serde::de::DeserializeOwned>(answer: &str) -> Result<T, PasskeyDenial> {
    if answer.len() > MAX_ANSWER {
        return Err(PasskeyDenial::Unreadable);
    }
    serde_json::from_str(answer).map_err(|_| PasskeyDenial::Unreadable)
}

fn stored(passkey: &Passkey) -> Result<Registered, PasskeyDenial> {
    Ok(Registered {
        credential: base64url(passkey.cred_id()),
        record: serde_json::to_string(passkey).map_err(|_| PasskeyDenial::Protocol)?,
    })
}

fn denial(error: &WebauthnError) -> PasskeyDenial {
    match error {
        WebauthnError::MismatchedChallenge | WebauthnError::ChallengeNotFound => PasskeyDenial::Challenge,
        WebauthnError::InvalidRPOrigin | WebauthnError::InvalidRPIDHash | WebauthnError::CredentialCrossOrigin => {
            PasskeyDenial::Origin
        }
        WebauthnError::UserNotPresent | WebauthnError::UserNotVerified => PasskeyDenial::NotVerified,
        WebauthnError::AuthenticationFailure | WebauthnError::SignatureInvalid => PasskeyDenial::Signature,
        WebauthnError::CredentialPossibleCompromise => PasskeyDenial::Cloned,
        // The rest of its long list is one thing to us.
        _ => PasskeyDenial::Protocol,
    }
}
