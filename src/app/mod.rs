//! What BillOps does, one use case a file. Doors call these and render what comes back.

mod api_requests;
mod batches;
mod calendars;
mod changed_meeting;
mod confirm_event;
mod connect;
mod connect_code;
mod edit_entry;
mod edit_projects;
mod ended_meetings;
mod entry_form;
mod entry_input;
mod export;
mod forgotten_timers;
mod home;
mod import;
mod installs;
mod invoices;
mod log_time;
mod members;
mod own_data;
mod preferences;
mod projects;
mod report;
mod report_sums;
mod rules;
mod sealed_states;
mod sign_in;
mod summaries;
mod sync;
mod time_command;
mod time_entries;
mod timer;
mod tokens;
mod workspace;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use quick_cache::sync::Cache;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use projects::RememberedDefault;

use crate::{
    calendar::{Installer, Providers, SignIn},
    clock::Clock,
    domain::{member::Member, provider::Provider},
    error::{Failed, Reference},
    store::{NewJob, Store, StoreError, is_busy},
};

pub use batches::{WaitingDays, WaitingOf};
pub use calendars::{Listed, Selected};
pub use changed_meeting::{ChangedMeeting, MeetingChange};
pub use confirm_event::{LogAs, LoggedAsForm};
pub use connect::{Bearer, ConnectLink, Ended, From, LinkPage, Reason, Returned};
pub use connect_code::Typed;
pub use edit_entry::{EntryList, EntryVersion, Flip, Flipped, HomeTab, LISTED, merged};
pub use edit_projects::{ProjectInput, ProjectOutcome, ProjectProblem};
pub use ended_meetings::{EndedMeeting, EndedMeetings};
pub use entry_form::{EntryForm, FormOutcome, FormProblem};
pub use entry_input::{EntryInput, EntryProblem};
pub use export::{EntryExport, ExportSpan};
pub use forgotten_timers::TimerQuestion;
pub use home::{Home, Notice, Unfolded, Waiting};
pub use import::{
    Import, ImportOptions, ImportPlan, ImportStop, Imported, PlannedEntry, PlannedPerson,
    PlannedProject, Standing, TakenBack,
};
pub use installs::Installed;
pub use invoices::InvoiceNotice;
pub use log_time::{Logged, Request};
pub use preferences::PreferenceProblem;
pub use projects::{Chosen, Linked, ProjectNote, Suggested};
pub use report::{Report, ReportOf, ReportOutcome, Share};
pub use rules::Guess;
pub use sign_in::{API_TOKEN_LASTS, SESSION_LASTS, SignedIn};
pub use summaries::{DaySummary, WeekSummary};
use sync::SYNC_EVERY;
pub use sync::SyncProblem;
pub use time_command::CommandOutcome;
pub use time_entries::{EntryOutcome, Expected, Page};
pub use timer::{Stepped, TimerOutcome, TimerVersion};
pub use tokens::{REMINDERS, Refreshed, TokenProblem};
pub use workspace::{SHORT_BY, SettingsRefusal, WorkspaceForm, WorkspaceSeen};

/// Channels whose default project is kept in memory.
const REMEMBERED_DEFAULTS: usize = 20_000;
/// Workspaces whose tokens are kept in memory.
const REMEMBERED_WORKSPACES: usize = 1_000;
/// People whose settings are kept in memory.
const REMEMBERED_PEOPLE: usize = 10_000;

/// The application. Cheap to clone.
#[derive(Clone)]
pub struct App {
    store: Store,
    clock: Clock,
    members: Arc<Cache<(String, String), Remembered>>,
    /// By person and channel.
    defaults: Arc<Cache<(Uuid, String), RememberedDefault>>,
    reach: Arc<Reach>,
    installs: Arc<Cache<String, installs::KnownInstall>>,
    sync_every: TimeDelta,
}

/// What the application reaches outside, and how it is reached.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The calendars' providers.
    pub providers: Providers,
    /// Sign in with Slack, where it is set up.
    pub sign_in: Option<SignIn>,
    /// Installing in more workspaces, where it is set up.
    pub installer: Option<Installer>,
    /// How browsers reach this server.
    pub public_url: Url,
}

#[derive(Clone)]
struct Remembered {
    member: Arc<Member>,
    read_at: Instant,
}

impl App {
    /// The application over this store.
    pub fn new(store: Store, clock: Clock, reach: Reach) -> Self {
        Self {
            reach: Arc::new(reach),
            installs: Arc::new(Cache::new(REMEMBERED_WORKSPACES)),
            sync_every: SYNC_EVERY,
            store,
            clock,
            members: Arc::new(Cache::new(REMEMBERED_PEOPLE)),
            defaults: Arc::new(Cache::new(REMEMBERED_DEFAULTS)),
        }
    }

    /// The same, reading each calendar so often.
    #[must_use]
    pub fn syncing_every(self, every: Duration) -> Self {
        let sync_every = TimeDelta::from_std(every).unwrap_or(SYNC_EVERY);
        Self { sync_every, ..self }
    }

    /// The store, for the rooms that run the process (jobs, health, doctor).
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The providers that are set up.
    pub fn offered(&self) -> Vec<Provider> {
        self.reach.providers.offered()
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// A failure with a reference under which it is logged.
    pub fn failed(
        &self,
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Failed {
        let source = source.into();
        let is_unconfirmed = source
            .downcast_ref()
            .is_some_and(|problem| matches!(problem, StoreError::Unconfirmed(_)));
        Failed {
            doing,
            reference: Reference::from_id(self.clock.new_id()),
            is_certain: !is_unconfirmed,
            is_busy: is_busy(&*source),
            source,
        }
    }

    /// What has to follow a change of the person's entries: their Home tab, if they have ever opened it.
    fn home_refresh(member: &Member) -> Option<NewJob> {
        member.has_opened_home.then(|| {
            crate::jobs::Job::RefreshHome {
                binding: member.binding_id,
            }
            .to_row()
        })
    }
}
