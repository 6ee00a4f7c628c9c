//! Jobs and leases.
//!
//! Owns the tables `jobs` and `leases`. Never runs a job.

use lanyard_core::clock::Timestamp;
use lanyard_core::id::JobId;
use lanyard_core::jobs::outbox::{Job, Queue};
use lanyard_core::store::StoreError;
use lanyard_core::store::job::JobStore;

use crate::dialect;
use crate::row::{Row, doc};
use crate::sql::SqlTx;

fn job(row: &mut Row<'_>) -> Result<Job, StoreError> {
    Ok(Job {
        id: row.id()?,
        task: row.doc()?,
        due_at: row.time()?,
        attempts: row.int()?,
        leased_until: row.maybe_time()?,
    })
}

impl JobStore for SqlTx<'_> {
    fn insert_job(&mut self, job: &Job) -> Result<(), StoreError> {
        self.wrote.jobs = true;
        self.add(
            "job",
            "INSERT INTO jobs (id, task, due_at, attempts, leased_until, queue) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT DO NOTHING",
            &[
                (&job.id).into(),
                (&doc(&job.task)?).into(),
                job.due_at.into(),
                job.attempts.into(),
                job.leased_until.into(),
                job.task.queue().as_str().into(),
            ],
        )
    }

    fn claim_jobs(
        &mut self,
        queue: Queue,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        let sql = self.choose(dialect::CLAIM_JOBS);
        let values = [lease_until.into(), now.into(), queue.as_str().into(), limit.into()];
        let mut jobs = self.list(sql, &values, job)?;
        // RETURNING promises no order.
        jobs.sort_by(|a, b| (a.due_at, a.id.as_str()).cmp(&(b.due_at, b.id.as_str())));
        Ok(jobs)
    }

    fn finish_job(&mut self, id: &JobId) -> Result<(), StoreError> {
        self.execute("DELETE FROM jobs WHERE id = $1", &[id.into()])?;
        Ok(())
    }

    fn retry_job(&mut self, id: &JobId, due_at: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "UPDATE jobs SET attempts = attempts + 1, leased_until = NULL, due_at = $1 WHERE id = $2",
            &[due_at.into(), id.into()],
        )?;
        Ok(())
    }

    fn take_lease(&mut self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        self.touched(
            "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
             WHERE leases.holder = excluded.holder OR leases.until <= $4",
            &[name.into(), holder.into(), until.into(), now.into()],
        )
    }
}
