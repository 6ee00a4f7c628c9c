//! What belongs to a request and not to its payload.
//!
//! Owns the request context. Never holds input.

use std::net::IpAddr;
use std::sync::Arc;

use lanyard_jose::random::Random;

use crate::clock::Timestamp;
use crate::id::{Id, RequestId};

/// The context of one request: `now` is read once, so that claims and rows agree.
#[derive(Clone)]
pub struct Cx {
    /// The instant of the request.
    pub now: Timestamp,
    /// Told to the caller; names the audit event.
    pub request_id: RequestId,
    /// The peer, as the trusted proxy rules determined it.
    pub peer: Option<IpAddr>,
    /// The random source.
    pub random: Arc<dyn Random>,
}

impl Cx {
    /// A context with a fresh request id.
    pub fn new(now: Timestamp, peer: Option<IpAddr>, random: Arc<dyn Random>) -> Self {
        let request_id = fresh(now, &*random);
        Self {
            now,
            request_id,
            peer,
            random,
        }
    }

    /// A fresh identifier, ordered by time.
    pub fn new_id<T: Id>(&self) -> T {
        fresh(self.now, &*self.random)
    }
}

fn fresh<T: Id>(now: Timestamp, random: &dyn Random) -> T {
    let mut noise = [0u8; 10];
    random.fill(&mut noise);
    let millis = u64::try_from(now.micros() / 1000).unwrap_or(0);
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &noise).into_uuid();
    T::from_stored(format!("{}{}", T::PREFIX, uuid.simple()))
}
