//! Trust relations: the IdP knows audiences, the RAS trusts issuers.

pub mod audience;
pub mod issuer;
pub mod resource;
