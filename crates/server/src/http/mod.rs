//! What every endpoint shares below OAuth: peer address, Host, forms, headers, answers.

pub mod answer;
pub mod bearer;
pub mod cors;
pub mod form;
pub mod host;
pub mod peer;
