//! Work to be done later, as rows. A job is asked for in the transaction that makes it necessary.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Store, StoreError, read, tx};

/// A job to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Two jobs with one key are one job. One that is asked for while it runs, runs once more.
    pub unique_key: String,
    /// What to do, as JSON.
    pub payload: String,
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
}

/// How the queue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Waiting or running.
    pub open: i64,
    /// Given up after too many attempts; somebody has to look.
    pub dead: i64,
}

/// Asks for a job inside a transaction of this room. Who commits it wakes the workers afterwards.
macro_rules! add_job {
    ($clock:expr, $conn:ident, $job:expr) => {{
        let job: &$crate::store::NewJob = $job;
        sqlx::query(
            "INSERT INTO jobs (id, unique_key, payload, asked, run_at, attempts, created_at) \
             VALUES ($1, $2, $3, 1, $5, 0, $4) ON CONFLICT (unique_key) DO UPDATE SET \
             asked = jobs.asked + 1, payload = excluded.payload, run_at = excluded.run_at, \
             attempts = 0, dead_at = NULL",
        )
        .bind($clock.new_id())
        .bind(&job.unique_key)
        .bind(&job.payload)
        .bind($clock.now())
        .bind(job.run_at.unwrap_or_else(|| $clock.now()))
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
        self.job_added.notify_one();
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
                "INSERT INTO jobs (id, unique_key, payload, asked, run_at, attempts, created_at) \
                 VALUES ($1, $2, $3, 1, $5, 0, $4) ON CONFLICT (unique_key) DO UPDATE SET \
                 run_at = excluded.run_at, attempts = 0, dead_at = NULL WHERE jobs.dead_at IS NOT NULL",
            )
            .bind(self.clock.new_id())
            .bind(&job.unique_key)
            .bind(&job.payload)
            .bind(now)
            .bind(job.run_at.unwrap_or(now))
            .execute(&mut *conn)
            .await?;
            Ok(())
        })?;
        self.job_added.notify_one();
        Ok(())
    }

    /// Waits until a job is asked for in this process, at most `limit`.
    pub async fn job_wanted(&self, limit: Duration) {
        // A time-out is the ordinary poll, which finds what other replicas asked for.
        let _ = tokio::time::timeout(limit, self.job_added.notified()).await;
    }

    /// Takes the job that is due longest, for `lease`. When that has run out, another may take it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim_job(&self, lease: TimeDelta) -> Result<Option<ClaimedJob>, StoreError> {
        let now = self.clock.now();
        // Looked for without the write lock, because mostly there is nothing. Taken by comparing again:
        // of several that saw the same row one gets it.
        let due: Option<(Uuid,)> = read!(self, db => {
            sqlx::query_as(
                "SELECT id FROM jobs WHERE dead_at IS NULL AND run_at <= $1 \
                 AND (leased_until IS NULL OR leased_until <= $1) ORDER BY run_at LIMIT 1",
            )
            .bind(now)
            .fetch_optional(db)
            .await
        })?;
        let Some((id,)) = due else { return Ok(None) };
        tx!(self, conn => {
            let job = sqlx::query_as(
                "UPDATE jobs SET leased_until = $1, attempts = attempts + 1 WHERE id = $2 \
                 AND dead_at IS NULL AND run_at <= $3 AND (leased_until IS NULL OR leased_until <= $3) \
                 RETURNING id, payload, asked, attempts",
            )
            .bind(now + lease)
            .bind(id)
            .bind(now)
            .fetch_optional(&mut *conn)
            .await?;
            Ok(job)
        })
    }

    /// The job is done. If it was asked for again meanwhile, it is due once more.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn finish_job(&self, job: &ClaimedJob) -> Result<(), StoreError> {
        tx!(self, conn => {
            let removed = sqlx::query("DELETE FROM jobs WHERE id = $1 AND asked = $2")
                .bind(job.id)
                .bind(job.asked)
                .execute(&mut *conn)
                .await?
                .rows_affected();
            if removed == 0 {
                sqlx::query("UPDATE jobs SET leased_until = NULL, attempts = 0 WHERE id = $1")
                    .bind(job.id)
                    .execute(&mut *conn)
                    .await?;
            }
            Ok(())
        })?;
        self.job_added.notify_one();
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
                "UPDATE jobs SET leased_until = NULL, last_error = $2, run_at = COALESCE($3, run_at), \
                 dead_at = CASE WHEN asked = $5 THEN $4 ELSE NULL END WHERE id = $1",
            )
            .bind(job.id)
            .bind(problem)
            .bind(again_at)
            .bind(again_at.is_none().then_some(now))
            .bind(job.asked)
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
        let (open, dead): (i64, i64) = read!(self, db => {
            sqlx::query_as("SELECT COUNT(*) - COUNT(dead_at), COUNT(dead_at) FROM jobs").fetch_one(db).await
        })?;
        Ok(JobCounts { open, dead })
    }
}
