//! Work that is done later, by whichever replica takes it first.
//!
//! A job is a row, asked for in the transaction that makes it necessary, and taken with a lease: when a
//! process dies, another takes the job when the lease has run out. Doing a job twice must therefore do
//! no harm. Nothing here runs inside a transaction.

mod schedule;
mod worker;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    domain::{calendar_event::LoggedAs, due::SummaryOf, invoice::Invoice},
    store::NewJob,
};

pub use schedule::{LastTick, Schedule};
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
    /// Ask Slack who somebody is that signed in before they ever used BillOps there.
    ReadProfile {
        /// Whom.
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
    /// Ask for the reading of every calendar that is due.
    SyncCalendars,
    /// Read the calendars of one account.
    SyncAccount {
        /// Which.
        account: Uuid,
    },
    /// Read one calendar.
    SyncCalendar {
        /// Which.
        calendar: Uuid,
    },
    /// Look for people whose meetings have ended.
    LookForEnded,
    /// Deal with the meetings of a person that have ended.
    MeetingsEnded {
        /// Whose.
        binding: Uuid,
    },
    /// Tell the person about meetings that have ended.
    TellMeetings {
        /// Whom.
        binding: Uuid,
        /// Which events.
        events: Vec<Uuid>,
        /// When they were dealt with.
        at: DateTime<Utc>,
    },
    /// Tell the person of the entry that was made of a meeting, by a rule or a program.
    TellEntry {
        /// Whom.
        binding: Uuid,
        /// Which meeting.
        event: Uuid,
    },
    /// Draw the message about a meeting anew, because it was logged or skipped elsewhere.
    UpdateCard {
        /// Whose.
        binding: Uuid,
        /// Which event.
        event: Uuid,
    },
    /// Tell the person that a meeting they logged is otherwise in their calendar now.
    TellChanged {
        /// Whom.
        binding: Uuid,
        /// Which event.
        event: Uuid,
        /// What it was when they logged it.
        was: LoggedAs,
        /// Names the change: another one is told anew. What was asked for before changes had names has none.
        #[serde(default)]
        change: Uuid,
    },
    /// Look for summaries that are due.
    LookForSummaries,
    /// Send a person the summary of a day, or of a week, unless nothing is to be said.
    SendSummary {
        /// Whom.
        binding: Uuid,
        /// What it is about.
        of: SummaryOf,
        /// The day, or the Monday of the week.
        about: NaiveDate,
        /// When it was to come.
        due_at: DateTime<Utc>,
        /// Whether it comes late because BillOps was not running then.
        is_missed: bool,
    },
    /// Ask for a refresh of every account whose access token runs out.
    RefreshTokens,
    /// Refresh one account's tokens.
    RefreshAccount {
        /// Which.
        account: Uuid,
    },
    /// Tell the person what was connected.
    TellConnected {
        /// Which account.
        account: Uuid,
        /// When.
        at: DateTime<Utc>,
        /// Whether it was connected before.
        is_again: bool,
    },
    /// Tell the person that a connection is broken, or remind them.
    TellBroken {
        /// Which account.
        account: Uuid,
        /// Since when: one that is connected again and breaks again is told anew.
        since: DateTime<Utc>,
        /// 0 is the message, 1 and 2 are the reminders.
        nth: i32,
    },
    /// Give back the calendars of everybody in a workspace that the app was removed from.
    LeaveWorkspace {
        /// Which.
        workspace: Uuid,
    },
    /// Tell the person that an invoice is ready.
    TellInvoice {
        /// Whom.
        binding: Uuid,
        /// Which.
        invoice: Invoice,
    },
    /// Send a person everything that is kept about them.
    ExportData {
        /// Whom.
        binding: Uuid,
        /// Which request of theirs it answers.
        request: Uuid,
    },
    /// Send a person their entries as a file.
    ExportEntries {
        /// Whom.
        binding: Uuid,
        /// Which request of theirs it answers.
        request: Uuid,
        /// Of the days from the first to the second one; all of them without.
        days: Option<(NaiveDate, NaiveDate)>,
    },
    /// Forget requests that no repetition can come of any more.
    ForgetRequests,
}

/// What kind of job a row asks for: `refresh_home`. What this version does not know is `unknown`.
pub fn kind_of(payload: &str) -> String {
    #[derive(Deserialize)]
    struct Kind {
        job: String,
    }
    let kind = serde_json::from_str::<Kind>(payload).map(|kind| kind.job);
    let is_name = |kind: &String| kind.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    kind.ok()
        .filter(is_name)
        .unwrap_or_else(|| "unknown".to_owned())
}

impl Job {
    /// The row that asks for it. One job of a kind and a subject waits at a time.
    pub fn to_row(&self) -> NewJob {
        let unique_key = match self {
            Self::RefreshHome { binding } => format!("refresh_home:{binding}"),
            Self::ReadProfile { binding } => format!("read_profile:{binding}"),
            Self::AskForgottenTimers => "ask_forgotten_timers".to_owned(),
            Self::AskTimer { timer, .. } => format!("ask_timer:{timer}"),
            Self::SyncCalendars => "sync_calendars".to_owned(),
            Self::SyncAccount { account } => format!("sync_account:{account}"),
            Self::SyncCalendar { calendar } => format!("sync_calendar:{calendar}"),
            Self::LookForEnded => "look_for_ended".to_owned(),
            Self::MeetingsEnded { binding } => format!("meetings_ended:{binding}"),
            Self::TellMeetings {
                binding,
                events,
                at,
            } => {
                let first = events.first().copied().unwrap_or_default();
                format!("tell_meetings:{binding}:{first}:{}", at.timestamp_micros())
            }
            Self::TellEntry { event, .. } => format!("tell_entry:{event}"),
            Self::UpdateCard { event, .. } => format!("update_card:{event}"),
            Self::TellChanged { event, .. } => format!("tell_changed:{event}"),
            Self::LookForSummaries => "look_for_summaries".to_owned(),
            Self::SendSummary {
                binding, of, about, ..
            } => format!("send_summary:{binding}:{}:{about}", of.as_str()),
            Self::RefreshTokens => "refresh_tokens".to_owned(),
            Self::RefreshAccount { account } => format!("refresh_account:{account}"),
            Self::TellConnected { account, at, .. } => {
                format!("tell_connected:{account}:{}", at.timestamp_micros())
            }
            Self::TellBroken {
                account,
                since,
                nth,
            } => format!("tell_broken:{account}:{}:{nth}", since.timestamp_micros()),
            Self::LeaveWorkspace { workspace } => format!("leave_workspace:{workspace}"),
            Self::TellInvoice { binding, invoice } => {
                format!("tell_invoice:{binding}:{}", invoice.number)
            }
            Self::ExportData { binding, .. } => format!("export_data:{binding}"),
            Self::ExportEntries {
                binding, request, ..
            } => format!("export_entries:{binding}:{request}"),
            Self::ForgetRequests => "forget_requests".to_owned(),
        };
        let is_prompt = matches!(
            self,
            Self::RefreshHome { .. }
                | Self::ReadProfile { .. }
                | Self::UpdateCard { .. }
                | Self::TellConnected { .. }
                | Self::ExportData { .. }
                | Self::ExportEntries { .. }
        );
        let payload = serde_json::to_string(self).expect("a job is made of plain fields");
        NewJob {
            unique_key,
            payload,
            is_prompt,
            run_at: None,
        }
    }
}
