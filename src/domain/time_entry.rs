//! A time entry: so many minutes of one person's day, and what they were for.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{minutes::Minutes, project::ProjectRef, timer::Timer};

/// The longest description of an entry, in characters.
pub const LONGEST_DESCRIPTION: usize = 3_000;
/// How many words to find it by an entry has at most.
pub const TAGS_MAX: usize = 20;
/// The longest word to find an entry by, in characters.
pub const LONGEST_TAG: usize = 80;

/// One time entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeEntry {
    /// UUIDv7: entries that are made later have greater ids. Those of imported entries are below all others: their
    /// first 48 bits are the seconds, and not the milliseconds, of the entry's beginning.
    pub id: Uuid,
    /// Whose time it is.
    pub user_id: Uuid,
    /// How it came in.
    pub source: EntrySource,
    /// Where it stands on the way to an invoice.
    pub status: EntryStatus,
    /// What was done; 1 to 3,000 characters.
    pub description: String,
    /// The day it counts for, in the person's zone.
    pub date: NaiveDate,
    /// When the work began, where that is known.
    pub started_at: Option<DateTime<Utc>>,
    /// When the work ended, where that is known.
    pub ended_at: Option<DateTime<Utc>>,
    /// Whether somebody said from when to when it was. Where only a length was given, BillOps placed it, and
    /// the times are no more than likely.
    #[serde(default)]
    pub is_timed: bool,
    /// 1 to 1,440.
    pub duration_minutes: Minutes,
    /// What it is for.
    #[serde(default)]
    pub project: Option<ProjectRef>,
    /// Whether it goes on an invoice.
    #[serde(default)]
    pub billable: bool,
    /// Words to find it by, without the `+`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The message it came from.
    #[serde(default)]
    pub permalink: Option<String>,
    /// The line as it was typed, where it was typed.
    pub typed_text: Option<String>,
    /// Starts at 1 and rises with every change; a change names the version it was made for.
    pub version: i32,
    /// When it was first stored.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was taken back; such an entry counts for nothing, but can be put back.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl TimeEntry {
    /// An entry that was approved or billed is no longer the person's to change.
    pub const fn is_settled(&self) -> bool {
        matches!(self.status, EntryStatus::Approved | EntryStatus::Billed)
    }

    /// Whether it is as long as the time from its beginning to its end.
    pub fn has_no_breaks(&self) -> bool {
        self.started_at
            .zip(self.ended_at)
            .is_some_and(|(start, end)| {
                (end - start).num_minutes() == i64::from(self.duration_minutes.get())
            })
    }

    /// What of it a person can change.
    pub fn fields(&self) -> EntryFields {
        EntryFields {
            description: self.description.clone(),
            date: self.date,
            span: self.started_at.zip(self.ended_at),
            is_timed: self.is_timed,
            duration: self.duration_minutes,
            project: self.project.clone(),
            billable: self.billable,
            tags: self.tags.clone(),
        }
    }
}

/// What of an entry a person says, and can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryFields {
    /// What was done; 1 to 3,000 characters.
    pub description: String,
    /// The day it counts for, in the person's zone.
    pub date: NaiveDate,
    /// When the work began and ended, where that is known.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Whether somebody said so; otherwise BillOps placed it.
    pub is_timed: bool,
    /// 1 to 1,440.
    pub duration: Minutes,
    /// What it is for.
    pub project: Option<ProjectRef>,
    /// Whether it goes on an invoice.
    pub billable: bool,
    /// Words to find it by, without the `+`.
    pub tags: Vec<String>,
}

impl EntryFields {
    /// The entry that is made of them.
    pub fn into_entry(
        self,
        id: Uuid,
        user_id: Uuid,
        source: EntrySource,
        made_at: DateTime<Utc>,
    ) -> TimeEntry {
        TimeEntry {
            id,
            user_id,
            source,
            status: EntryStatus::Pending,
            description: self.description,
            date: self.date,
            started_at: self.span.map(|(start, _)| start),
            ended_at: self.span.map(|(_, end)| end),
            is_timed: self.is_timed,
            duration_minutes: self.duration,
            project: self.project,
            billable: self.billable,
            tags: self.tags,
            permalink: None,
            typed_text: None,
            version: 1,
            created_at: made_at,
            updated_at: made_at,
            deleted_at: None,
        }
    }
}

/// Whether entries can be found by this word: a letter first, nothing that ends a word of a typed line, and no
/// longer than [`LONGEST_TAG`].
///
/// ```
/// use billops::domain::time_entry::is_tag;
///
/// assert!(is_tag("on-site") && is_tag("v2"));
/// assert!(!is_tag("") && !is_tag("+x") && !is_tag("two words") && !is_tag("2nd"));
/// ```
pub fn is_tag(word: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || c.is_control() || ":,;\"“”()#@!+".contains(c);
    word.starts_with(char::is_alphabetic)
        && !word.contains(ends)
        && word.chars().count() <= LONGEST_TAG
}

/// Whether a text can be kept: no control characters but ends of lines and tabs.
pub fn is_text(text: &str) -> bool {
    text.chars()
        .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'))
}

/// How an entry came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntrySource {
    /// `/time`, a button or a form in Slack.
    Slack,
    /// A timer that was stopped.
    Timer,
    /// An event of a calendar.
    Calendar,
    /// A program, over the API.
    Api,
    /// The file of another time tracker.
    Import,
}

/// Where an entry stands on the way to an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryStatus {
    /// Logged; the person may still change it.
    Pending,
    /// Accepted by whoever accepts time.
    Approved,
    /// Sent back to the person, who may change it.
    Rejected,
    /// On an invoice.
    Billed,
}

/// What was done to entries or a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The entry was made. Not written down as a change: the entry itself is.
    Create,
    /// In the form.
    Edit,
    /// A guess was read the other way.
    Flip,
    /// Another project.
    Project,
    /// To another day.
    Move,
    /// Two entries became one.
    Merge,
    /// An entry was deleted from a list.
    Delete,
    /// A timer was started; one that ran was stopped.
    TimerStart,
    /// The running timer's words or project.
    TimerEdit,
    /// The timer became an entry.
    TimerStop,
    /// The timer was discarded.
    TimerCancel,
}

/// The word an enum value is stored and shown under, and back. Both directions come from one list.
macro_rules! words {
    ($type:ty { $($value:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// The word it is stored and shown under.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $word),+ }
            }
        }
        impl std::str::FromStr for $type {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word { $($word => Ok(Self::$value),)+ _ => Err(UnknownWord(word.to_owned())) }
            }
        }
    };
}
words!(EntrySource {
    Slack = "slack",
    Timer = "timer",
    Calendar = "calendar",
    Api = "api",
    Import = "import",
});
words!(ChangeKind {
    Create = "create",
    Edit = "edit",
    Flip = "flip",
    Project = "project",
    Move = "move",
    Merge = "merge",
    Delete = "delete",
    TimerStart = "timer_start",
    TimerEdit = "timer_edit",
    TimerStop = "timer_stop",
    TimerCancel = "timer_cancel",
});
words!(EntryStatus { Pending = "pending", Approved = "approved", Rejected = "rejected", Billed = "billed" });

/// A stored word that this version does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord(pub String);

impl std::fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "“{}” is not a word this version knows", self.0)
    }
}
impl std::error::Error for UnknownWord {}

/// What making an entry left behind: the entry, and its day in sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The entry after the change.
    pub entry: TimeEntry,
    /// All minutes that count for the entry's day, after the change.
    pub day_total: Minutes,
}

/// A change that was made, or taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// What was done. Taken back, it is still what had been done.
    pub kind: ChangeKind,
    /// Whether this took the change back.
    pub is_undo: bool,
    /// The entry it is about and its day, after the change; `None` where only a timer changed.
    pub receipt: Option<Receipt>,
    /// That entry before; `None` where the change made it.
    pub before: Option<TimeEntry>,
    /// The other entry of a merge, after the change.
    pub other: Option<TimeEntry>,
    /// The timer that ran before, where the change was about timers.
    pub timer_before: Option<Timer>,
    /// The timer that runs now.
    pub timer_after: Option<Timer>,
}
