//! Takes jobs and does them.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, warn};

use super::Job;
use crate::{
    error::chain,
    store::{ClaimedJob, Store, StoreError},
};

/// Jobs that one process does at the same time: some workers do anything, the others only what somebody waits for,
/// so that it never stands behind thousands of messages, nor behind slow ones.
const WORKERS: usize = 4;
const PROMPT_WORKERS: usize = 2;
/// How long a worker may be silent about its job before another process thinks it dead.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// The same for this process, and how often it says that it is still at work.
const LEASE_LASTS: Duration = Duration::from_secs(60);
const RENEWED_EVERY: Duration = Duration::from_secs(20);
/// A job that takes longer hangs. The longest one reads a large calendar, page by page.
const LONGEST: Duration = Duration::from_secs(10 * 60);
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
    /// It has to wait so long; that is not an attempt gone wrong.
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
        for number in 0..WORKERS + PROMPT_WORKERS {
            let only_prompt = number >= WORKERS;
            let (store, runner, stop) = (store.clone(), runner.clone(), stop.clone());
            tasks.spawn(async move {
                while !stop.is_cancelled() {
                    if !run_due(&store, &runner, only_prompt).await {
                        tokio::select! {
                            () = store.job_wanted(POLL, only_prompt) => {}
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

/// Takes one job that is due and does it, with `only_prompt` one that somebody waits for. `false` if there is none.
pub async fn run_due(store: &Store, runner: &Runner, only_prompt: bool) -> bool {
    let job = match store.claim_job(LEASE, only_prompt).await {
        Ok(Some(job)) => job,
        Ok(None) => return false,
        Err(problem) => {
            error!("jobs.claim_failed: {}", chain(&problem));
            return false;
        }
    };
    let ran = match serde_json::from_str::<Job>(&job.payload) {
        Ok(what) => run(store, &job, runner(what)).await,
        Err(problem) => Some(Ran::Failed(format!(
            "this version does not know the job: {problem}"
        ))),
    };
    if let Some(ran) = ran
        && let Err(problem) = settle(store, &job, ran).await
    {
        // The lease runs out, and the job is done again.
        error!(job = %job.id, "jobs.settle_failed: {}", chain(&problem));
    }
    true
}

/// Does a job, and says all along that it is being done. `None` where another process has taken it meanwhile: then
/// it is theirs, and this run ends.
async fn run(store: &Store, job: &ClaimedJob, what: BoxFuture<'static, Ran>) -> Option<Ran> {
    // A task of its own, so that a panic is this job's failure and not the worker's end.
    let mut running = tokio::spawn(what);
    let begun = Instant::now();
    let mut held_until = begun + LEASE_LASTS;
    loop {
        tokio::select! {
            ended = &mut running => {
                return Some(ended.unwrap_or_else(|problem| Ran::Failed(problem.to_string())));
            }
            () = tokio::time::sleep(RENEWED_EVERY) => {}
        }
        if begun.elapsed() > LONGEST {
            running.abort();
            let minutes = LONGEST.as_secs() / 60;
            return Some(Ran::Failed(format!(
                "it had not ended after {minutes} minutes"
            )));
        }
        match store.renew_job(job, LEASE).await {
            Ok(true) => held_until = Instant::now() + LEASE_LASTS,
            Ok(false) => {
                running.abort();
                warn!(job = %job.id, "jobs.lost: another process has taken this job");
                return None;
            }
            Err(problem) => {
                warn!(job = %job.id, "jobs.renew_failed: {}", chain(&problem));
                if Instant::now() >= held_until {
                    running.abort();
                    return None;
                }
            }
        }
    }
}

async fn settle(store: &Store, job: &ClaimedJob, ran: Ran) -> Result<(), StoreError> {
    let now = store.clock().now();
    match ran {
        Ran::Done => store.finish_job(job).await,
        Ran::Later(wait) => {
            // Whatever Slack says, it is neither asked without end nor forgotten.
            let wait = wait.clamp(LATER[0], LATER[1]);
            let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::minutes(1));
            store.postpone_job(job, now + wait).await
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
