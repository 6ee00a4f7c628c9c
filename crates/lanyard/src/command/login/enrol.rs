//! The key of this machine: made here, its public half accepted by the issuer as this person's.
//!
//! Owns making and enrolling it (CL-ST-03: no shared secret in a native program). Never sends the private half.

use std::sync::Arc;

use anyhow::Context as _;
use lanyard_client::connectors::{enrol_request, enrol_response, remove_key_request, remove_key_response};
use lanyard_client::credentials::{Caller, ClientIdentity, client_assertion};
use lanyard_fetch::Fetch;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_jose::random::SystemRandom;
use lanyard_protocol::connectors::EnrolKeyRequest;
use lanyard_protocol::issuer::Issuer;
use secrecy::SecretString;

use crate::client_config::state::KeyRecord;

/// A key that the issuer accepts now.
pub(crate) struct Enrolled {
    pub(crate) record: KeyRecord,
    /// The private half as a JWK.
    pub(crate) private: SecretString,
}

/// Where to enrol, and as whom.
pub(crate) struct Enrolment<'a> {
    pub(crate) fetch: &'a Arc<dyn Fetch>,
    pub(crate) issuer: &'a Issuer,
    /// `lanyard_connectors_endpoint`.
    pub(crate) endpoint: &'a str,
    pub(crate) identity: &'a ClientIdentity,
    pub(crate) access_token: &'a SecretString,
    pub(crate) now: i64,
}

impl Enrolment<'_> {
    /// Makes a key and enrols it under `label`.
    pub(crate) async fn enrol(&self, label: &str) -> anyhow::Result<Enrolled> {
        let key = SigningKey::generate(Algorithm::Es256).context("a key cannot be made")?;
        let audience = self.issuer.as_str();
        let caller = Caller {
            identity: self.identity,
            audience,
            now: self.now,
            random: &SystemRandom,
        };
        let request = EnrolKeyRequest {
            jwk: key.public_jwk().to_value(),
            label: label.to_owned(),
            proof: client_assertion(&caller, &key, None)?,
        };
        let answer = self
            .fetch
            .fetch(enrol_request(self.endpoint, self.access_token, &request)?)
            .await?;
        let enrolled = enrol_response(&answer).context("the issuer did not accept the key of this machine")?;
        let private = key.to_private_jwk().context("the key cannot be kept")?;
        Ok(Enrolled {
            record: KeyRecord {
                kid: enrolled.kid,
                client_id: enrolled.client_id,
                ras: enrolled.ras,
                expires_at: enrolled.expires_at,
            },
            private: SecretString::from(private.to_string()),
        })
    }

    /// Removes an earlier key of this machine.
    pub(crate) async fn remove(&self, kid: &str) -> anyhow::Result<()> {
        let answer = self
            .fetch
            .fetch(remove_key_request(self.endpoint, self.access_token, kid)?)
            .await?;
        Ok(remove_key_response(&answer)?)
    }
}
