//! The revocation feed into the list.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use lanyard_gateway::feed::{FeedError, FeedReader, FeedSource};
use lanyard_protocol::gateway::{RevocationEntry, RevocationFeed, Revoked};
use lanyard_protocol::issuer::Issuer;
use lanyard_resource_server::revocation::{OnStale, RevocationList, RevocationView, Standing, TokenFacts};
use tokio::task::JoinSet;

use crate::world::{ISSUER, NOW};

/// Entries in order, two per answer; `None` is a source that is down.
#[derive(Default)]
struct Source(Mutex<Option<Vec<RevocationEntry>>>);

impl Source {
    fn revoke(&self, jti: &str) {
        let mut entries = self.0.lock().unwrap();
        let entries = entries.get_or_insert_with(Vec::new);
        let revoked = Revoked::Token {
            issuer: Issuer::parse(ISSUER).unwrap(),
            jti: jti.to_owned(),
        };
        let sequence = i64::try_from(entries.len()).unwrap() + 1;
        entries.push(RevocationEntry {
            sequence,
            revoked,
            keep_until: NOW + 700,
        });
    }
}

impl FeedSource for Source {
    fn after(&self, position: i64) -> BoxFuture<'_, Result<RevocationFeed, FeedError>> {
        let feed = self.0.lock().unwrap().as_ref().map(|entries| RevocationFeed {
            head: i64::try_from(entries.len()).unwrap(),
            entries: entries
                .iter()
                .filter(|entry| entry.sequence > position)
                .take(2)
                .cloned()
                .collect(),
        });
        Box::pin(std::future::ready(feed.ok_or_else(|| FeedError("down".to_owned()))))
    }
}

fn standing(list: &RevocationList, jti: &str) -> Standing {
    let facts = TokenFacts {
        issuer: ISSUER,
        jti,
        subject: "s",
        client_id: "c",
        issued_at: NOW,
        kid: "k",
    };
    list.standing(&facts, NOW)
}

fn list() -> Arc<RevocationList> {
    Arc::new(RevocationList::remote(
        Arc::new(|| NOW),
        Duration::from_secs(5),
        OnStale::Refuse,
    ))
}

#[tokio::test(start_paused = true)]
async fn the_list_is_filled_before_the_first_call_and_kept_up_to_date() {
    let source = Arc::new(Source::default());
    for n in 1..=5 {
        source.revoke(&format!("t{n}"));
    }
    let list = list();
    assert_eq!(standing(&list, "x"), Standing::Unknown);
    let reader = FeedReader::new(source.clone(), list.clone(), Duration::from_secs(1));
    reader.catch_up().await.unwrap();
    assert_eq!(
        (standing(&list, "t5"), standing(&list, "x")),
        (Standing::Revoked, Standing::Live)
    );

    let mut changes = list.changes();
    let mut tasks = JoinSet::new();
    tasks.spawn(reader.run(std::future::pending()));
    source.revoke("t6");
    changes.changed().await.unwrap();
    assert_eq!(standing(&list, "t6"), Standing::Revoked);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_down_makes_the_list_stale_and_calls_are_refused_until_it_is_back() {
    let source = Arc::new(Source::default());
    source.revoke("t1");
    let list = list();
    let reader = FeedReader::new(source.clone(), list.clone(), Duration::from_secs(1));
    reader.catch_up().await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(reader.run(std::future::pending()));
    let entries = source.0.lock().unwrap().take();
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(
        (standing(&list, "x"), standing(&list, "t1")),
        (Standing::Unknown, Standing::Revoked)
    );
    *source.0.lock().unwrap() = entries;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(standing(&list, "x"), Standing::Live);
}
