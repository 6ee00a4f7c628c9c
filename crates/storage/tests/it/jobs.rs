//! Jobs and leases.

use lanyard_core::jobs::outbox::{Job, Queue, Task};

use crate::sample::{at, id, issuer, subject};

fn job(name: &str, due: i64) -> Job {
    let task = Task::RevokeSubject {
        issuer: issuer("idp"),
        subject: subject("ada"),
        not_after: 7,
    };
    Job {
        id: id(name),
        task,
        due_at: at(due),
        attempts: 0,
        leased_until: None,
    }
}

conformance! {
    fn jobs_are_claimed_oldest_first_when_due_and_free(b) {
        b.write(|tx| {
            for (name, due) in [("c", 3), ("a", 1), ("b", 2), ("later", 100)] {
                tx.insert_job(&job(name, due))?;
            }
            Ok(())
        }).unwrap();
        let claim = |now: i64, limit| b.write(move |tx| tx.claim_jobs(Queue::CutOff, at(now), at(now + 30), limit)).unwrap();
        let first = claim(10, 2);
        let mut expected = job("a", 1);
        expected.leased_until = Some(at(40));
        assert_eq!(first[0], expected);
        assert_eq!(first.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["job_a", "job_b"]);
        assert_eq!(claim(10, 9).iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["job_c"]);
        assert_eq!(claim(11, 9), []);
        // A lease that ran out frees the job.
        assert_eq!(claim(40, 9).len(), 3);
    }

    fn a_job_is_claimed_by_its_own_queue_only(b) {
        let mut tells = job("b", 1);
        tells.task = Task::TellLogout { client: id("app"), session: id("s1"), user: id("ada") };
        let written = tells.clone();
        b.write(move |tx| tx.insert_job(&job("a", 1)).and_then(|()| tx.insert_job(&written))).unwrap();
        let claim = |queue| b.write(move |tx| tx.claim_jobs(queue, at(2), at(60), 9)).unwrap();
        let told = claim(Queue::Logout);
        assert_eq!(told.iter().map(|job| &job.task).collect::<Vec<_>>(), [&tells.task]);
        assert_eq!(claim(Queue::Logout), []);
        assert_eq!(claim(Queue::CutOff)[0].id, id("a"));
    }

    fn a_finished_job_is_gone_and_a_failed_one_comes_back_later(b) {
        b.write(|tx| tx.insert_job(&job("a", 1)).and_then(|()| tx.insert_job(&job("b", 1)))).unwrap();
        assert_eq!(b.write(|tx| tx.claim_jobs(Queue::CutOff, at(2), at(60), 9)).unwrap().len(), 2);
        b.write(|tx| tx.finish_job(&id("a")).and_then(|()| tx.retry_job(&id("b"), at(10)))).unwrap();
        assert_eq!(b.write(|tx| tx.claim_jobs(Queue::CutOff, at(9), at(60), 9)).unwrap(), []);
        let again = b.write(|tx| tx.claim_jobs(Queue::CutOff, at(10), at(60), 9)).unwrap();
        assert_eq!((again.len(), again[0].attempts), (1, 1));
    }

    fn claimants_at_once_share_the_jobs_and_none_is_claimed_twice(b) {
        b.write(|tx| (0..40).try_for_each(|n| tx.insert_job(&job(&format!("j{n:02}"), 1)))).unwrap();
        let mut claimed: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| {
                let mut mine = Vec::new();
                for _ in 0..20 {
                    let jobs = b.write(|tx| tx.claim_jobs(Queue::CutOff, at(5), at(60), 3)).unwrap();
                    assert!(jobs.len() <= 3);
                    mine.extend(jobs.into_iter().map(|job| job.id.to_string()));
                }
                mine
            })).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        claimed.sort();
        claimed.dedup();
        assert_eq!(claimed.len(), 40);
    }

    fn a_lease_has_one_holder_until_it_ends(b) {
        let take = |holder: &'static str, now: i64| b.write(move |tx| tx.take_lease("sealer", holder, at(now), at(now + 10))).unwrap();
        assert!(take("one", 0));
        assert!(!take("two", 5));
        assert!(take("one", 5));
        assert!(!take("two", 14));
        assert!(take("two", 15));
        assert!(!take("one", 16));
        assert!(b.write(|tx| tx.take_lease("other", "one", at(16), at(20))).unwrap());
    }
}
