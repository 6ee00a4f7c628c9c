//! The steps of the background worker, driven by hand.

use lanyard_core::audit::event::Actor;
use lanyard_core::audit::record::{NewEvent, record};
use lanyard_testkit::company::ALICE;

use crate::support::World;

#[tokio::test]
async fn every_event_is_sealed_without_a_gap_and_covered_by_a_checkpoint() {
    let world = World::new().await;
    world.redeem(&world.id_jag(ALICE).await).await.token();
    let worker = world.worker();
    worker.seal_all().await.unwrap();
    let (events, sealed) = world.company.read(|tx| tx.count_events());
    assert!(events > 0);
    assert_eq!(events, sealed);
    worker.checkpoint(true).await.unwrap();
    let covered = world.company.read(|tx| tx.last_checkpoint()).unwrap().sequence;
    assert_eq!(covered, sealed);
    worker.checkpoint(true).await.unwrap();
    assert_eq!(world.company.read(|tx| tx.last_checkpoint()).unwrap().sequence, covered);
}

#[tokio::test]
async fn more_events_than_a_batch_are_sealed_in_one_go() {
    let world = World::new().await;
    world.company.write(|cx, tx| {
        for _ in 0..2500 {
            record(cx, tx, NewEvent::granted("test.event.written").actor(Actor::Anonymous))?;
        }
        Ok(())
    });
    world.worker().seal_all().await.unwrap();
    let (events, sealed) = world.company.read(|tx| tx.count_events());
    assert_eq!(events, sealed);
}

#[tokio::test]
async fn the_worker_stops_when_it_is_told_and_leaves_nothing_unsealed() {
    let world = World::new().await;
    world.sign_in(ALICE).await;
    world.worker().run(std::future::ready(())).await;
    let (events, sealed) = world.company.read(|tx| tx.count_events());
    assert_eq!(events, sealed);
}
