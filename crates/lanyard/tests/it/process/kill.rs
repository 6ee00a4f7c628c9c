//! `kill -9` at any moment under load: no acknowledged event is lost, nothing is redeemed twice.
//!
//! `cargo xtask chaos` runs the same 1,000 times.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use super::audit_log::AuditLog;
use super::load::{Desk, jti, token};
use super::site::{PATIENCE, Site};

const CALLERS: usize = 4;
/// Above this many kills the whole chain is verified only now and then: verifying costs as much as there is log.
const ALWAYS_VERIFIED: u32 = 100;

/// What clients were told before the kill.
#[derive(Default)]
struct Told {
    issued: Vec<String>,
    /// ID-JAGs whose redemption was answered with a token.
    redeemed: Vec<String>,
    /// ID-JAGs whose redemption was not answered.
    unanswered: Vec<String>,
}

#[test]
fn kills_under_load_lose_no_acknowledged_event_and_redeem_no_grant_twice_and_the_chain_holds() {
    let kills = std::env::var_os("LANYARD_TEST_KILLS");
    let kills: u32 = kills.map_or(50, |text| text.to_str().unwrap().parse().unwrap());
    let site = Site::new();
    let mut server = site.start();
    site.claim();
    site.populate();
    let desk = Desk::sign_in(&site, "alice");
    let mut log = AuditLog::default();
    let (mut acknowledged, mut unanswered) = (0, 0);
    for round in 0..kills {
        // Between 1 and 40 answers after the start, in an order that looks like none.
        let until = 1 + (round.wrapping_mul(2_654_435_761) >> 16) % 40;
        let told = load_until(&desk, until, server);
        server = site.start();

        log.read(&site);
        acknowledged += told.issued.len();
        for jti in &told.issued {
            assert!(
                log.issued.contains(jti),
                "round {round}: {jti} was told and is not in the log"
            );
        }
        for id_jag in told.redeemed.iter().rev().take(3) {
            let again = desk.redeem(id_jag).unwrap();
            assert_eq!(again.status, 400, "round {round}: redeemed twice");
            assert_eq!(again.json()["error"], "invalid_grant");
        }
        for id_jag in &told.unanswered {
            unanswered += 1;
            // The log knows whether the kill came before or after the commit; a second attempt agrees with it.
            let committed = log.redemptions.contains_key(&jti(id_jag));
            let again = desk.redeem(id_jag).unwrap();
            assert_eq!(
                again.status,
                if committed { 400 } else { 200 },
                "round {round}: {again:?}"
            );
        }
        if kills <= ALWAYS_VERIFIED || round % 50 == 49 || round + 1 == kills {
            AuditLog::verify_chain(&site);
        }
    }
    log.read(&site);
    for (id_jag, times) in &log.redemptions {
        assert_eq!(*times, 1, "{id_jag} was redeemed {times} times");
    }
    println!(
        "{kills} kills: {acknowledged} acknowledged tokens all in the log of {} events; {} redemptions, none twice; \
         {unanswered} redemptions broke off",
        log.len(),
        log.redemptions.len()
    );
    drop(server);
}

/// Lets callers run chains, kills the server after some answers and while others are under way.
fn load_until(desk: &Desk, answers: u32, server: super::site::Server) -> Told {
    let told = Mutex::new(Told::default());
    let (answered, count) = channel();
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            let (answered, told) = (answered.clone(), &told);
            scope.spawn(move || call_until_it_ends(desk, told, &answered));
        }
        drop(answered);
        for _ in 0..answers {
            count.recv_timeout(PATIENCE).unwrap();
        }
        server.kill();
    });
    told.into_inner().unwrap()
}

fn call_until_it_ends(desk: &Desk, told: &Mutex<Told>, answered: &Sender<()>) {
    loop {
        let Ok(answer) = desk.exchange() else { return };
        let id_jag = token(&answer);
        told.lock().unwrap().issued.push(jti(&id_jag));
        let _ = answered.send(());
        // Two at once: one of them at most may win.
        let both = std::thread::scope(|scope| {
            let rival = scope.spawn(|| desk.redeem(&id_jag));
            [desk.redeem(&id_jag), rival.join().unwrap()]
        });
        let granted: Vec<String> = both
            .iter()
            .flatten()
            .filter(|answer| answer.status == 200)
            .map(|answer| jti(&token(answer)))
            .collect();
        assert!(granted.len() <= 1, "one ID-JAG bought two tokens at once");
        let mut told = told.lock().unwrap();
        if granted.is_empty() && both.iter().any(Result::is_err) {
            told.unanswered.push(id_jag);
            return;
        }
        assert_eq!(granted.len(), 1, "{both:?}");
        told.issued.extend(granted);
        told.redeemed.push(id_jag);
        drop(told);
        let _ = answered.send(());
    }
}
