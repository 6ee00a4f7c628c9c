//! Keys, signatures and verified tokens
