//! SAML messages.

use lanyard_federation::saml::assertion::UnverifiedAssertion;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_federation::saml::decode_token;
use lanyard_federation::saml::response::UnverifiedResponse;

/// The key of the corpus of attacks; its private half is gone, so that nothing new can be signed.
const PINNED: &str = include_str!("../../../crates/federation/tests/corpus/idp.pem");

/// An assertion or a response. Whatever is accepted says what was signed once, when the corpus was made.
pub fn saml_message(data: &[u8]) {
    let Ok(certificate) = Certificate::parse(PINNED) else {
        return;
    };
    let pinned = [certificate];
    let bare = UnverifiedAssertion::parse(data).and_then(|found| found.verify(&pinned));
    let posted = UnverifiedResponse::parse(data).and_then(|found| found.verify(&pinned, &[]));
    for accepted in [bare, posted].into_iter().flatten() {
        assert_eq!(accepted.name_id.value, "alice-1f0a");
        assert_eq!(accepted.id, "_a1");
    }
    if let Ok(text) = str::from_utf8(data)
        && let Ok(bytes) = decode_token(text)
    {
        let _ = UnverifiedAssertion::parse(&bytes);
    }
}
