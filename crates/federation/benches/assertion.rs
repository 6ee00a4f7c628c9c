//! What the validation of one SAML assertion costs: `cargo xtask bench assertions`.
//!
//! Bytes to facts, with guard, RSA signature, canonical form and second reading. Single thread, so that the figure is
//! per core.

#![allow(
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a benchmark should end where it broke"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use lanyard_core::clock::Timestamp;
use lanyard_federation::saml::assertion::UnverifiedAssertion;
use lanyard_federation::saml::decode_token;
use lanyard_jose::algorithm::Algorithm;
use lanyard_testkit::saml::{IdentityProvider, base64};

const TARGET: u32 = 800;
const RUN: Duration = Duration::from_secs(3);

fn main() {
    for (name, algorithm) in [("RSA-2048", Algorithm::Rs256), ("P-256", Algorithm::Es256)] {
        let idp = IdentityProvider::new("https://idp.example/saml", algorithm);
        let mut draft = idp.draft(
            Timestamp::from_seconds(1_800_000_000),
            "https://sp.example",
            "https://sp.example/acs",
        );
        draft.attributes = vec![("groups".to_owned(), (0..50).map(|n| format!("group-{n}")).collect())];
        let token = base64(idp.sign(&draft).as_bytes());
        let pinned = [idp.certificate.clone()];
        let began = Instant::now();
        let mut count = 0_u32;
        while began.elapsed() < RUN {
            let bytes = decode_token(black_box(&token)).unwrap();
            let assertion = UnverifiedAssertion::parse(&bytes).unwrap().verify(&pinned).unwrap();
            black_box(assertion);
            count += 1;
        }
        let rate = f64::from(count) / began.elapsed().as_secs_f64();
        println!(
            "assertions with {name}, 50 groups, {} bytes: {rate:.0} per second and core (target {TARGET}): {}",
            token.len(),
            if rate >= f64::from(TARGET) { "reached" } else { "MISSED" }
        );
    }
}
