//! The ticks. They only ask for jobs; every replica ticks, and of equal jobs there is one row.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use tokio_cron_scheduler::{JobScheduler, JobSchedulerError};
use tracing::{error, info};

use super::Job;
use crate::{clock::Clock, config::Schedules, error::chain, store::Store};

/// What is asked for each minute.
const EACH_MINUTE: [Job; 3] = [
    Job::AskForgottenTimers,
    Job::LookForEnded,
    Job::LookForSummaries,
];
const MINUTE: Duration = Duration::from_secs(60);
/// A scheduler that has not ticked for so long has stopped.
const SILENT_FOR: TimeDelta = TimeDelta::minutes(3);

/// When the schedule ticked last. Clones are the same one.
#[derive(Clone, Debug)]
pub struct LastTick {
    at_micros: Arc<AtomicI64>,
    clock: Clock,
}

impl LastTick {
    /// As if it had ticked now: the first tick is a minute after the start.
    pub fn new(clock: Clock) -> Self {
        let at_micros = Arc::new(AtomicI64::new(clock.now().timestamp_micros()));
        Self { at_micros, clock }
    }

    fn note(&self) {
        let now = self.clock.now().timestamp_micros();
        self.at_micros.store(now, Ordering::Release);
    }

    /// Whether it ticks.
    pub fn is_recent(&self) -> bool {
        let since = self.clock.now().timestamp_micros() - self.at_micros.load(Ordering::Acquire);
        TimeDelta::microseconds(since) < SILENT_FOR
    }
}

/// The running schedule.
pub struct Schedule(JobScheduler);

impl Schedule {
    /// Starts ticking.
    ///
    /// # Errors
    /// The scheduler does not start.
    pub async fn start(
        store: &Store,
        every: Schedules,
        last_tick: &LastTick,
    ) -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        let each_minute = EACH_MINUTE.map(|job| (MINUTE, job));
        let others = [
            (every.sync_every, Job::SyncCalendars),
            (every.token_refresh_every, Job::RefreshTokens),
            (60 * MINUTE, Job::ForgetRequests),
        ];
        let ticks = each_minute.into_iter().chain(others);
        let mut count = 0;
        for (after, job) in ticks {
            count += 1;
            let (store, last_tick, row) = (store.clone(), last_tick.clone(), job.to_row());
            let tick = tokio_cron_scheduler::Job::new_repeated_async(after, move |_, _| {
                let (store, last_tick, row) = (store.clone(), last_tick.clone(), row.clone());
                Box::pin(async move {
                    last_tick.note();
                    if let Err(problem) = store.add_job_once(&row).await {
                        let job = &row.unique_key;
                        error!(job, "schedule.failed: {}", chain(&problem));
                    }
                })
            })?;
            scheduler.add(tick).await?;
        }
        scheduler.start().await?;
        info!(ticks = count, "schedule.started");
        Ok(Self(scheduler))
    }

    /// Asks at once for what is asked for each minute: the clock was moved.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn tick_now(store: &Store) -> Result<(), crate::store::StoreError> {
        for job in EACH_MINUTE {
            store.add_job_once(&job.to_row()).await?;
        }
        Ok(())
    }

    /// Stops ticking.
    pub async fn shut_down(mut self) {
        if let Err(problem) = self.0.shutdown().await {
            error!("schedule.shutdown_failed: {problem}");
        }
    }
}
