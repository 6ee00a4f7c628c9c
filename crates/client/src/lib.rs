//! Client library: discovery, sign-in, token exchange, redemption, call
