//! Work that is done later, by whichever replica takes it first.
//!
//! A job is a row, asked for in the transaction that makes it necessary, and taken with a lease: when a
//! process dies, another takes the job when the lease has run out. Doing a job twice must therefore do
//! no harm. Nothing here runs inside a transaction.

mod schedule;
mod worker;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::NewJob;

pub use schedule::Schedule;
pub use worker::{Ran, Runner, Workers, run_due};

/// What there is to do later. The names are stored: renaming one loses the jobs that wait under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Publish the person's Home tab anew.
    RefreshHome {
        /// Whose.
        binding: Uuid,
    },
    /// Look for timers that may have been forgotten.
    AskForgottenTimers,
    /// Ask the person whether their timer was forgotten.
    AskTimer {
        /// Whom.
        binding: Uuid,
        /// About which timer.
        timer: Uuid,
    },
    /// Forget requests that no repetition can come of any more.
    ForgetRequests,
}

impl Job {
    /// The row that asks for it. One job of a kind and a subject waits at a time.
    pub fn to_row(&self) -> NewJob {
        let unique_key = match self {
            Self::RefreshHome { binding } => format!("refresh_home:{binding}"),
            Self::AskForgottenTimers => "ask_forgotten_timers".to_owned(),
            Self::AskTimer { timer, .. } => format!("ask_timer:{timer}"),
            Self::ForgetRequests => "forget_requests".to_owned(),
        };
        let payload = serde_json::to_string(self).expect("a job is made of plain fields");
        NewJob {
            unique_key,
            payload,
        }
    }
}
