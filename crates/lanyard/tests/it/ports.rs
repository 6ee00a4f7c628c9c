//! Ports for programs that tests start.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below what systems give to connections that name no port: one of those must not take a port that a program under
/// test is about to open.
const FIRST: u32 = 12_000;
const LAST: u32 = 31_000;
/// The most ports in a row that anybody asks for.
const STEP: u32 = 20;

/// So many free ports in a row; the first. Nobody else in this process gets them.
pub(crate) fn free(count: u16) -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    assert!(u32::from(count) <= STEP);
    let rows = (LAST - FIRST) / STEP;
    for _ in 0..rows {
        // Processes that run beside each other begin at different places.
        let row = (std::process::id() + NEXT.fetch_add(1, Ordering::Relaxed)) % rows;
        let base = u16::try_from(FIRST + row * STEP).unwrap();
        if (base..base + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return base;
        }
    }
    panic!("no {count} ports in a row are free");
}
