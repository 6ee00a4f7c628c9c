//! SAML 2.0 as the rules see it: what an assertion says, and whether it is acceptable.
//!
//! Owns the facts and the conditions. Never reads XML and never checks a signature: `lanyard-federation` does, and gives
//! an [`assertion::Assertion`] only from bytes that a pinned key signed.

pub mod accept;
pub mod asserted;
pub mod assertion;
pub mod defect;
pub mod denial;
pub mod logout;
pub mod provider;
pub mod sign_in;
pub mod waiting;
