//! Work to be done later, as rows. A job is asked for in the transaction that makes it necessary.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Store, StoreError, read, tx};

/// What is due sooner is not waited for more exactly.
const SHORTEST_WAIT: Duration = Duration::from_millis(20);

/// A job to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Two jobs with one key are one job. One that is asked for while it runs, runs once more.
    pub unique_key: String,
    /// What to do, as JSON.
    pub payload: String,
    /// Somebody waits for it: no crowd of other jobs keeps it waiting.
    pub is_prompt: bool,
    /// When it is due; `None` is at once.
    pub run_at: Option<DateTime<Utc>>,
}

/// A job that this process has taken for a while.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ClaimedJob {
    /// The job's row.
    pub id: Uuid,
    /// What to do, as JSON.
    pub payload: String,
    /// How often it had been asked for when it was taken.
    pub asked: i32,
    /// Which attempt this is; the first is 1.
    pub attempts: i32,
    /// The lease it was taken with. Once another has taken the job, this one ends nothing any more.
    pub lease_id: Uuid,
}

/// How the queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Waiting or running.
    pub open: i64,
    /// Of these, running.
    pub running: i64,
    /// Given up after too many attempts; somebody has to look.
    pub dead: i64,
    /// Since when the one has been due that waits longest.
    pub due_since: Option<DateTime<Utc>>,
}

/// A job that was given up.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeadJob {
    /// What was to be done, as JSON.
    pub payload: String,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was given up.
    pub dead_at: DateTime<Utc>,
}

/// Asks for a job inside a transaction of this room. Who commits it wakes the workers afterwards.
macro_rules! add_job {
    ($clock:expr, $conn:ident, $job:expr) => {{
        let job: &$crate::store::NewJob = $job;
        sqlx::query(
            "INSERT INTO jobs (id, unique_key, payload, asked, run_at, attempts, created_at, is_prompt) \
             VALUES ($1, $2, $3, 1, $5, 0, $4, $6) ON CONFLICT (unique_key) DO UPDATE SET \
             asked = jobs.asked + 1, payload = excluded.payload, run_at = excluded.run_at, \
             attempts = 0, dead_at = NULL",
        )
        .bind($clock.new_id())
        .bind(&job.unique_key)
        .bind(&job.payload)
        .bind($clock.now())
        .bind(job.run_at.unwrap_or_else(|| $clock.now()))
        .bind(job.is_prompt)
        .execute(&mut *$conn)
        .await?;
    }};
}
pub(super) use add_job;

impl Store {
    /// Asks for a job.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn add_job(&self, job: &NewJob) -> Result<(), StoreError> {
        tx!(self, conn => {
            add_job!(self.clock, conn, job);
            Ok(())
        })?;
        self.wake_workers();
        Ok(())
    }

    /// Asks for a job that is asked for again and again. One that waits already, or waits to be tried again,
    /// is left as it is; one that was given up begins anew.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn add_job_once(&self, job: &NewJob) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query(
                "INSERT INTO jobs (id, unique_key, payload, asked, run_at, attempts, created_at, is_prompt) \
                 VALUES ($1, $2, $3, 1, $5, 0, $4, $6) ON CONFLICT (unique_key) DO UPDATE SET \
                 run_at = excluded.run_at, attempts = 0, dead_at = NULL WHERE jobs.dead_at IS NOT NULL",
            )
            .bind(self.clock.new_id())
            .bind(&job.unique_key)
            .bind(&job.payload)
            .bind(now)
            .bind(job.run_at.unwrap_or(now))
            .bind(job.is_prompt)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })?;
        self.wake_workers();
        Ok(())
    }

    /// A worker of each kind looks for jobs.
    pub(super) fn wake_workers(&self) {
        for added in self.job_added.iter() {
            added.notify_one();
        }
    }

    /// Waits until a job is asked for in this process, or one of which the database knows already is due, at most
    /// `limit`. The wait is in real time, so where the clock is moved by hand it may end before the job is due.
    pub async fn job_wanted(&self, limit: Duration, only_prompt: bool) {
        let now = self.clock.now();
        let next: Result<Option<(DateTime<Utc>,)>, sqlx::Error> = read!(self, db => {
            let next = if only_prompt {
                "SELECT run_at FROM jobs WHERE dead_at IS NULL AND is_prompt AND run_at > $1 ORDER BY run_at LIMIT 1"
            } else {
                "SELECT run_at FROM jobs WHERE dead_at IS NULL AND run_at > $1 ORDER BY run_at LIMIT 1"
            };
            sqlx::query_as(next).bind(now).fetch_optional(db).await
        });
        // Where the database does not answer, it is the ordinary poll, which also finds what other replicas asked for.
        let due_in = next
            .ok()
            .flatten()
            .and_then(|(at,)| (at - now).to_std().ok());
        let limit = due_in.map_or(limit, |due_in| limit.min(due_in.max(SHORTEST_WAIT)));
        let added = &self.job_added[usize::from(only_prompt)];
        let _ = tokio::time::timeout(limit, added.notified()).await;
    }

    /// Takes the job that is due longest, for `lease`; with `only_prompt` of those that somebody waits for. When the
    /// lease has run out, another may take it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim_job(
        &self,
        lease: TimeDelta,
        only_prompt: bool,
    ) -> Result<Option<ClaimedJob>, StoreError> {
        let now = self.clock.now();
        // Looked for without the write lock, because mostly there is nothing. Taken by comparing again:
        // of several that saw the same row one gets it.
        let due: Option<(Uuid,)> = read!(self, db => {
            let due = if only_prompt {
                "SELECT id FROM jobs WHERE dead_at IS NULL AND is_prompt AND run_at <= $1 \
                 AND (leased_until IS NULL OR leased_until <= $1) ORDER BY run_at LIMIT 1"
            } else {
                "SELECT id FROM jobs WHERE dead_at IS NULL AND run_at <= $1 \
                 AND (leased_until IS NULL OR leased_until <= $1) ORDER BY run_at LIMIT 1"
            };
            sqlx::query_as(due).bind(now).fetch_optional(db).await
        })?;
        let Some((id,)) = due else { return Ok(None) };
        tx!(self, conn => {
            let job = sqlx::query_as(
                "UPDATE jobs SET leased_until = $1, lease_id = $4, attempts = attempts + 1 WHERE id = $2 \
                 AND dead_at IS NULL AND run_at <= $3 AND (leased_until IS NULL OR leased_until <= $3) \
                 RETURNING id, payload, asked, attempts, lease_id",
            )
            .bind(now + lease)
            .bind(id)
            .bind(now)
            .bind(self.clock.new_id())
            .fetch_optional(&mut *conn)
            .await?;
            Ok(job)
        })
    }

    /// The job is still being done: its lease lasts so long from now. `false` if another has taken it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn renew_job(&self, job: &ClaimedJob, lease: TimeDelta) -> Result<bool, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let renewed = sqlx::query("UPDATE jobs SET leased_until = $3 WHERE id = $1 AND lease_id = $2")
                .bind(job.id)
                .bind(job.lease_id)
                .bind(now + lease)
                .execute(&mut *conn)
                .await?;
            Ok(renewed.rows_affected() == 1)
        })
    }

    /// The job is done. If it was asked for again meanwhile, it is due once more.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn finish_job(&self, job: &ClaimedJob) -> Result<(), StoreError> {
        tx!(self, conn => {
            let removed = sqlx::query("DELETE FROM jobs WHERE id = $1 AND asked = $2 AND lease_id = $3")
                .bind(job.id)
                .bind(job.asked)
                .bind(job.lease_id)
                .execute(&mut *conn)
                .await?
                .rows_affected();
            if removed == 0 {
                sqlx::query(
                    "UPDATE jobs SET leased_until = NULL, lease_id = NULL, attempts = 0 \
                     WHERE id = $1 AND lease_id = $2",
                )
                    .bind(job.id)
                    .bind(job.lease_id)
                    .execute(&mut *conn)
                    .await?;
            }
            Ok(())
        })?;
        self.wake_workers();
        Ok(())
    }

    /// The job failed. It is due again at `again_at`, or given up where that is `None`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn fail_job(
        &self,
        job: &ClaimedJob,
        problem: &str,
        again_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query(
                "UPDATE jobs SET leased_until = NULL, lease_id = NULL, last_error = $2, run_at = COALESCE($3, run_at), \
                 dead_at = CASE WHEN asked = $5 THEN $4 ELSE NULL END WHERE id = $1 AND lease_id = $6",
            )
            .bind(job.id)
            .bind(problem)
            .bind(again_at)
            .bind(again_at.is_none().then_some(now))
            .bind(job.asked)
            .bind(job.lease_id)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// The job has to wait until `again_at` through no fault of its own, so this was no attempt.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn postpone_job(
        &self,
        job: &ClaimedJob,
        again_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        tx!(self, conn => {
            sqlx::query(
                "UPDATE jobs SET leased_until = NULL, lease_id = NULL, run_at = $3, \
                 attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END \
                 WHERE id = $1 AND lease_id = $2",
            )
            .bind(job.id)
            .bind(job.lease_id)
            .bind(again_at)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// How many jobs wait, and how many were given up.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn job_counts(&self) -> Result<JobCounts, StoreError> {
        let now = self.clock.now();
        let (open, running, dead, due_since): (i64, i64, i64, Option<DateTime<Utc>>) = read!(self, db => {
            sqlx::query_as(
                "SELECT COUNT(*) - COUNT(dead_at), \
                 COUNT(CASE WHEN dead_at IS NULL AND leased_until > $1 THEN 1 END), COUNT(dead_at), \
                 MIN(CASE WHEN dead_at IS NULL AND run_at <= $1 AND (leased_until IS NULL OR leased_until <= $1) \
                 THEN run_at END) FROM jobs",
            )
            .bind(now)
            .fetch_one(db)
            .await
        })?;
        Ok(JobCounts {
            open,
            running,
            dead,
            due_since,
        })
    }

    /// The jobs that were given up last, the latest first, at most `limit`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn dead_jobs(&self, limit: u32) -> Result<Vec<DeadJob>, StoreError> {
        let dead = read!(self, db => {
            sqlx::query_as(
                "SELECT payload, last_error, dead_at FROM jobs WHERE dead_at IS NOT NULL \
                 ORDER BY dead_at DESC LIMIT $1",
            )
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        Ok(dead)
    }
}
