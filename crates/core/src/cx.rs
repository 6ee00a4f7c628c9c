//! What belongs to a request and not to its payload.
//!
//! Owns the request context. Never holds input.

use std::net::IpAddr;
use std::sync::Arc;

use lanyard_jose::random::Random;

use crate::clock::Timestamp;
use crate::id::{Id, RequestId};

/// Random bytes of an identifier.
const NOISE: usize = 10;

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

    /// Fresh identifiers for a batch: its random bytes are asked for at once.
    pub fn new_ids<T: Id>(&self, count: usize) -> impl Iterator<Item = T> {
        let mut noise = vec![[0; NOISE]; count];
        self.random.fill(noise.as_flattened_mut());
        let now = self.now;
        noise.into_iter().map(move |noise| made(now, &noise))
    }
}

fn fresh<T: Id>(now: Timestamp, random: &dyn Random) -> T {
    let mut noise = [0; NOISE];
    random.fill(&mut noise);
    made(now, &noise)
}

fn made<T: Id>(now: Timestamp, noise: &[u8; NOISE]) -> T {
    let millis = u64::try_from(now.micros() / 1000).unwrap_or(0);
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, noise).into_uuid();
    let mut digits = uuid::Uuid::encode_buffer();
    let digits: &str = uuid.simple().encode_lower(&mut digits);
    T::from_stored([T::PREFIX, digits].concat())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::id::EventId;
    use lanyard_jose::random::SystemRandom;

    #[test]
    fn identifiers_of_a_batch_are_like_others_and_differ() {
        let now = Timestamp::from_micros(1_800_000_000_123_456);
        let cx = Cx::new(now, None, Arc::new(SystemRandom));
        let ids: HashSet<EventId> = cx.new_ids(1000).chain([cx.new_id()]).collect();
        assert_eq!(ids.len(), 1001);
        // 1_800_000_000_123 milliseconds, version 7.
        let begins = |id: &EventId| id.as_str().starts_with("evt_01a3185c507b7") && id.as_str().len() == 36;
        assert!(ids.iter().all(begins), "{ids:?}");
        assert!(ids.iter().all(|id| EventId::parse(id.as_str()).is_ok()));
        assert_eq!(cx.new_ids::<EventId>(0).count(), 0);
    }
}
