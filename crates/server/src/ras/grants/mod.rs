//! The grants of the RAS: each turns its parameters into verified input and calls one function of core.

pub(crate) mod jwt_bearer;
