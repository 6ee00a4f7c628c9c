//! HTTP for people: sign-in pages
