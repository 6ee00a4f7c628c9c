//! Sign-in at upstream identity providers: what browsers and providers send us on the way.

pub(crate) mod saml;
