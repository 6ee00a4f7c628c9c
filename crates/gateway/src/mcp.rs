//! The Model Context Protocol on Streamable HTTP, as far as a gateway must understand it.

pub(crate) mod edit;
pub(crate) mod members;
pub(crate) mod message;
pub(crate) mod method;
pub(crate) mod sse;
pub(crate) mod version;
