//! Takes jobs and does them.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, warn};

use super::Job;
use crate::store::{ClaimedJob, Store};

/// Jobs that one process does at the same time.
const WORKERS: usize = 4;
/// How long a job may take before another process thinks its worker dead.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How often a worker looks for jobs that other replicas asked for.
const POLL: Duration = Duration::from_secs(5);
/// The waits between attempts. After the last one the job is given up and shown to the operator.
const RETRIES_S: [i64; 6] = [2, 10, 60, 300, 1800, 7200];

/// The shortest and the longest wait that Slack may ask for.
const LATER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60 * 60)];

/// How one attempt at a job ended.
#[derive(Debug)]
pub enum Ran {
    /// It is done, or no longer needed.
    Done,
    /// It failed; trying again may help.
    Failed(String),
    /// Slack asks to wait so long; that is not an attempt gone wrong.
    Later(Duration),
}

/// What does the jobs: the one place that knows all rooms a job may need.
pub type Runner = Arc<dyn Fn(Job) -> BoxFuture<'static, Ran> + Send + Sync>;

/// The running workers.
pub struct Workers {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Workers {
    /// Starts the workers.
    pub fn start(store: &Store, runner: &Runner) -> Self {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        for _ in 0..WORKERS {
            let (store, runner, stop) = (store.clone(), runner.clone(), stop.clone());
            tasks.spawn(async move {
                while !stop.is_cancelled() {
                    if !run_due(&store, &runner).await {
                        tokio::select! {
                            () = store.job_wanted(POLL) => {}
                            () = stop.cancelled() => {}
                        }
                    }
                }
            });
        }
        tasks.close();
        Self { stop, tasks }
    }

    /// Lets the running jobs end, at most `limit`; what has not ended is taken by another process later.
    pub async fn shut_down(self, limit: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(limit, self.tasks.wait())
            .await
            .is_err()
        {
            warn!(
                "jobs.drain: some jobs had not ended; they are done when their lease has run out"
            );
        }
    }
}

/// Takes one job that is due and does it. `false` if there is none.
pub async fn run_due(store: &Store, runner: &Runner) -> bool {
    let job = match store.claim_job(LEASE).await {
        Ok(Some(job)) => job,
        Ok(None) => return false,
        Err(problem) => {
            error!("jobs.claim_failed: {}", crate::error::chain(&problem));
            return false;
        }
    };
    let ran = match serde_json::from_str::<Job>(&job.payload) {
        Ok(what) => {
            // A task of its own, so that a panic is this job's failure and not the worker's end.
            match tokio::spawn(runner(what)).await {
                Ok(ran) => ran,
                Err(problem) => Ran::Failed(problem.to_string()),
            }
        }
        Err(problem) => Ran::Failed(format!("this version does not know the job: {problem}")),
    };
    if let Err(problem) = settle(store, &job, ran).await {
        // The lease runs out, and the job is done again.
        error!(job = %job.id, "jobs.settle_failed: {}", crate::error::chain(&problem));
    }
    true
}

async fn settle(store: &Store, job: &ClaimedJob, ran: Ran) -> Result<(), crate::store::StoreError> {
    let now = store.clock().now();
    match ran {
        Ran::Done => store.finish_job(job).await,
        Ran::Later(wait) => {
            // Whatever Slack says, it is neither asked without end nor forgotten.
            let wait = wait.clamp(LATER[0], LATER[1]);
            let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::minutes(1));
            store
                .fail_job(job, "Slack asks to wait", Some(now + wait))
                .await
        }
        Ran::Failed(problem) => {
            let attempt = usize::try_from(job.attempts).unwrap_or(usize::MAX);
            // A fifth earlier or later, so that jobs that failed together do not come back together.
            let wait = RETRIES_S
                .get(attempt.saturating_sub(1))
                .map(|seconds| TimeDelta::milliseconds(seconds * rand::random_range(800..=1200)));
            match wait {
                Some(wait) => {
                    warn!(job = %job.id, attempt, "jobs.failed, again in {} s: {problem}", wait.num_seconds());
                }
                None => error!(job = %job.id, attempt, "jobs.dead: given up: {problem}"),
            }
            store
                .fail_job(job, &problem, wait.map(|wait| now + wait))
                .await
        }
    }
}
