//! The only door to the outside: HTTP with SSRF checks, limits, cached metadata and JWKS
