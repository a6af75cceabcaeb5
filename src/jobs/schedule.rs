//! The ticks. They only ask for jobs; every replica ticks, and of equal jobs there is one row.

use std::time::Duration;

use tokio_cron_scheduler::{JobScheduler, JobSchedulerError};
use tracing::{error, info};

use super::Job;
use crate::{error::chain, store::Store};

/// What is asked for how often.
const TICKS: [(Duration, Job); 6] = [
    (Duration::from_secs(60), Job::AskForgottenTimers),
    (Duration::from_secs(60), Job::LookForEnded),
    (Duration::from_secs(60), Job::LookForSummaries),
    (Duration::from_secs(15 * 60), Job::SyncCalendars),
    (Duration::from_secs(12 * 60 * 60), Job::RefreshTokens),
    (Duration::from_secs(60 * 60), Job::ForgetRequests),
];

/// The running schedule.
pub struct Schedule(JobScheduler);

impl Schedule {
    /// Starts ticking.
    ///
    /// # Errors
    /// The scheduler does not start.
    pub async fn start(store: &Store) -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        for (every, job) in TICKS {
            let store = store.clone();
            let row = job.to_row();
            scheduler
                .add(tokio_cron_scheduler::Job::new_repeated_async(
                    every,
                    move |_, _| {
                        let (store, row) = (store.clone(), row.clone());
                        Box::pin(async move {
                            if let Err(problem) = store.add_job_once(&row).await {
                                error!(
                                    job = row.unique_key,
                                    "schedule.failed: {}",
                                    chain(&problem)
                                );
                            }
                        })
                    },
                )?)
                .await?;
        }
        scheduler.start().await?;
        info!(ticks = TICKS.len(), "schedule.started");
        Ok(Self(scheduler))
    }

    /// Stops ticking.
    pub async fn shut_down(mut self) {
        if let Err(problem) = self.0.shutdown().await {
            error!("schedule.shutdown_failed: {problem}");
        }
    }
}
