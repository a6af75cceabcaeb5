//! A time entry: so many minutes of one person's day, and what they were for.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::minutes::Minutes;

/// One time entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeEntry {
    /// UUIDv7: later entries have greater ids.
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
    /// 1 to 1,440.
    pub duration_minutes: Minutes,
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
}

/// How an entry came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntrySource {
    /// `/time`, a button or a form in Slack.
    Slack,
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

/// The word an enum value is stored and shown under, and back. Both directions come from one list.
macro_rules! words {
    ($type:ty { $($value:ident = $word:literal),+ $(,)? }) => {
        impl $type {
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
words!(EntrySource { Slack = "slack" });
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

/// What a change left behind: the entry, and its day in sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The entry after the change.
    pub entry: TimeEntry,
    /// All minutes that count for the entry's day, after the change.
    pub day_total: Minutes,
}
