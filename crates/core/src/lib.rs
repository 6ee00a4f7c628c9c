//! The rules of Lanyard: directory, trust, policy, issuer, authorization server, audit
