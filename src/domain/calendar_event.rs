//! Events of a calendar, and which of them are worth a suggestion.
//!
//! An event is a suggestion until it is logged; then the entry is the person's. Which events are left out, and why,
//! follows what users of other tools complain about: working locations, declined invitations and holidays as work.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{minutes::Minutes, provider::Provider};

/// What stands in the place of a title that is not stored.
pub const PRIVATE_TITLE: &str = "Private event";
/// What stands where there is no title.
pub const NO_TITLE: &str = "Meeting";
/// As long as a description may be.
const LONGEST_TITLE: usize = 500;

/// An event as its provider shows it, in one shape for both. Descriptions, places and guests are never read.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact that the provider states by itself"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarEvent {
    /// What the provider calls it, case-sensitive.
    pub provider_event_id: String,
    /// The same in every calendar that shows the meeting, without what a split of its series adds.
    pub ical_uid: Option<String>,
    /// The series it belongs to.
    pub series_id: Option<String>,
    /// The slot of the series that it stands in, wherever it was moved to.
    pub original_start: Option<DateTime<Utc>>,
    /// Its title, where it is shown.
    pub title: Option<String>,
    /// From when.
    pub start: DateTime<Utc>,
    /// To when.
    pub end: DateTime<Utc>,
    /// It fills whole days.
    pub is_all_day: bool,
    /// It was called off.
    pub is_cancelled: bool,
    /// What the person answered.
    pub reply: Reply,
    /// It does not make the person busy.
    pub is_free: bool,
    /// What it is, where it is not a meeting.
    pub kind: EventKind,
    /// It is not shown to everybody who sees the calendar.
    pub is_private: bool,
}

/// What the person answered to an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// They accepted, or it is their own.
    Accepted,
    /// Perhaps, or not answered yet.
    Tentative,
    /// They said no.
    Declined,
}

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A meeting, or time that was blocked for work.
    Ordinary,
    /// Away: holidays, illness.
    OutOfOffice,
    /// Where the person works.
    WorkingLocation,
    /// A birthday.
    Birthday,
}

/// Why an event is not suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// It was called off.
    Cancelled,
    /// The person declined.
    Declined,
    /// It fills whole days.
    AllDay,
    /// It says where the person works.
    WorkingLocation,
    /// It is a birthday.
    Birthday,
    /// The person is away.
    OutOfOffice,
    /// It does not make the person busy.
    Free,
    /// It takes no time.
    ZeroLength,
    /// It is longer than a day.
    TooLong,
    /// It is private, and the person does not want those.
    Private,
    /// It is not certain, and the person does not want those.
    Tentative,
    /// Another calendar shows it already.
    Duplicate,
}

impl SkipReason {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Cancelled,
        Self::Declined,
        Self::AllDay,
        Self::WorkingLocation,
        Self::Birthday,
        Self::OutOfOffice,
        Self::Free,
        Self::ZeroLength,
        Self::TooLong,
        Self::Private,
        Self::Tentative,
        Self::Duplicate,
    ];

    /// As it is stored and as the API says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Declined => "declined",
            Self::AllDay => "all_day",
            Self::WorkingLocation => "working_location",
            Self::Birthday => "birthday",
            Self::OutOfOffice => "out_of_office",
            Self::Free => "free",
            Self::ZeroLength => "zero_length",
            Self::TooLong => "too_long",
            Self::Private => "private",
            Self::Tentative => "tentative",
            Self::Duplicate => "duplicate",
        }
    }

    /// The other way round; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// What a person wants to be suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Private events, with their titles.
    pub private: bool,
    /// Events that they have not accepted.
    pub tentative: bool,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            private: false,
            tentative: true,
        }
    }
}

impl CalendarEvent {
    /// Why it is not suggested, if it is not. What is certain comes before what is a matter of taste.
    pub fn skip_reason(&self, wishes: Wishes) -> Option<SkipReason> {
        let length = self.end - self.start;
        let reasons = [
            (self.is_cancelled, SkipReason::Cancelled),
            (self.reply == Reply::Declined, SkipReason::Declined),
            (
                self.kind == EventKind::WorkingLocation,
                SkipReason::WorkingLocation,
            ),
            (self.kind == EventKind::Birthday, SkipReason::Birthday),
            (self.kind == EventKind::OutOfOffice, SkipReason::OutOfOffice),
            (self.is_all_day, SkipReason::AllDay),
            (self.is_free, SkipReason::Free),
            // Less than a minute rounds to nothing.
            (length.num_minutes() < 1, SkipReason::ZeroLength),
            (length.num_minutes() > 24 * 60, SkipReason::TooLong),
            (self.is_private && !wishes.private, SkipReason::Private),
            (
                self.reply == Reply::Tentative && !wishes.tentative,
                SkipReason::Tentative,
            ),
        ];
        reasons
            .into_iter()
            .find_map(|(holds, reason)| holds.then_some(reason))
    }

    /// The title as it is stored: a private one is not, unless the person wants it.
    pub fn stored_title(&self, wishes: Wishes) -> String {
        if self.is_private && !wishes.private {
            return PRIVATE_TITLE.to_owned();
        }
        let title = self.title.as_deref().unwrap_or_default();
        let title: String = title
            .chars()
            .filter(|c| !c.is_control())
            .take(LONGEST_TITLE)
            .collect();
        let title = title.trim();
        if title.is_empty() {
            NO_TITLE.to_owned()
        } else {
            title.to_owned()
        }
    }
}

/// The `iCalUID` of a meeting, or the id of its series, without what Google adds when “this and following” splits its series.
pub fn base_uid(uid: &str) -> String {
    let (name, host) = uid.split_once('@').unwrap_or((uid, ""));
    let base = match name.rsplit_once("_R") {
        Some((base, stamp))
            if stamp.len() >= 8 && stamp.bytes().take(8).all(|byte| byte.is_ascii_digit()) =>
        {
            base
        }
        _ => name,
    };
    if host.is_empty() {
        base.to_owned()
    } else {
        format!("{base}@{host}")
    }
}

/// An event that BillOps has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncedEvent {
    /// Its own id.
    pub id: Uuid,
    /// The calendar it was seen in.
    pub calendar_id: Uuid,
    /// Who keeps that.
    pub provider: Provider,
    /// What the provider calls it.
    pub provider_event_id: String,
    /// The series it belongs to.
    pub series_id: Option<String>,
    /// What it is called.
    pub title: String,
    /// From when.
    pub start: DateTime<Utc>,
    /// To when.
    pub end: DateTime<Utc>,
    /// What became of it.
    pub state: EventState,
    /// Why it is skipped, where it is.
    pub skip_reason: Option<SkipReason>,
    /// The entry that was made of it.
    pub time_entry_id: Option<Uuid>,
    /// When the person skipped it.
    pub dismissed_at: Option<DateTime<Utc>>,
    /// When it was no longer in the calendar.
    pub removed_at: Option<DateTime<Utc>>,
}

impl SyncedEvent {
    /// How long it takes, between instants and so right across a change of the clocks; a part of a minute counts
    /// whole, and more than a day does not count.
    pub fn length(&self) -> Minutes {
        let seconds = (self.end - self.start).num_seconds().max(60);
        let minutes = u32::try_from((seconds + 59) / 60).unwrap_or(24 * 60);
        Minutes::new(minutes.min(24 * 60))
    }
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// It waits to be logged.
    Suggested,
    /// It is an entry.
    Logged,
    /// The person skipped it; it does not come back.
    Dismissed,
    /// It left the calendar before it was logged.
    Gone,
    /// It is left out, for a reason.
    Skipped,
}

impl EventState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Suggested,
        Self::Logged,
        Self::Dismissed,
        Self::Gone,
        Self::Skipped,
    ];

    /// As it is stored and as the API says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suggested => "suggested",
            Self::Logged => "logged",
            Self::Dismissed => "dismissed",
            Self::Gone => "gone",
            Self::Skipped => "skipped",
        }
    }

    /// The other way round; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// What a meeting was when it was logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedAs {
    /// Its title.
    pub title: String,
    /// From when.
    pub start: DateTime<Utc>,
    /// To when.
    pub end: DateTime<Utc>,
}

/// What one complete reading of a calendar found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncCounts {
    /// Events in the window.
    pub events_synced: u32,
    /// Seen for the first time.
    pub new_events: u32,
    /// Otherwise than before.
    pub updated_events: u32,
    /// No longer there.
    pub removed_events: u32,
    /// Left out, by reason.
    pub skipped: std::collections::BTreeMap<String, u32>,
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn meeting() -> CalendarEvent {
        let start = DateTime::from_timestamp(1_795_177_800, 0).unwrap();
        CalendarEvent {
            provider_event_id: "e1".to_owned(),
            ical_uid: None,
            series_id: None,
            original_start: None,
            title: Some("Review".to_owned()),
            start,
            end: start + TimeDelta::hours(1),
            is_all_day: false,
            is_cancelled: false,
            reply: Reply::Accepted,
            is_free: false,
            kind: EventKind::Ordinary,
            is_private: false,
        }
    }

    type Change = fn(&mut CalendarEvent);

    #[test]
    fn what_is_no_work_is_left_out_for_a_reason() {
        let wishes = Wishes::default();
        assert_eq!(meeting().skip_reason(wishes), None);
        let changes: [(Change, SkipReason); 11] = [
            (|e| e.is_cancelled = true, SkipReason::Cancelled),
            (|e| e.reply = Reply::Declined, SkipReason::Declined),
            (|e| e.is_all_day = true, SkipReason::AllDay),
            (
                |e| e.kind = EventKind::WorkingLocation,
                SkipReason::WorkingLocation,
            ),
            (|e| e.kind = EventKind::Birthday, SkipReason::Birthday),
            (|e| e.kind = EventKind::OutOfOffice, SkipReason::OutOfOffice),
            (|e| e.is_free = true, SkipReason::Free),
            (|e| e.end = e.start, SkipReason::ZeroLength),
            (
                |e| e.end = e.start - TimeDelta::hours(1),
                SkipReason::ZeroLength,
            ),
            (
                |e| e.end = e.start + TimeDelta::hours(25),
                SkipReason::TooLong,
            ),
            (|e| e.is_private = true, SkipReason::Private),
        ];
        for (change, reason) in changes {
            let mut event = meeting();
            change(&mut event);
            assert_eq!(event.skip_reason(wishes), Some(reason));
        }
        let all = Wishes {
            private: true,
            tentative: false,
        };
        let mut event = meeting();
        event.is_private = true;
        assert_eq!(event.skip_reason(all), None);
        event.reply = Reply::Tentative;
        assert_eq!(event.skip_reason(all), Some(SkipReason::Tentative));
        for reason in SkipReason::ALL {
            assert_eq!(SkipReason::from_name(reason.as_str()), Some(reason));
        }
    }

    #[test]
    fn a_private_title_is_not_stored_unless_it_is_wanted() {
        let mut event = meeting();
        event.is_private = true;
        assert_eq!(event.stored_title(Wishes::default()), PRIVATE_TITLE);
        let wanted = Wishes {
            private: true,
            tentative: true,
        };
        assert_eq!(event.stored_title(wanted), "Review");
        event.title = Some(" \u{0} ".to_owned());
        assert_eq!(event.stored_title(wanted), NO_TITLE);
        event.title = None;
        assert_eq!(event.stored_title(wanted), NO_TITLE);
        event.title = Some("ä".repeat(900));
        assert_eq!(event.stored_title(wanted).chars().count(), 500);
    }

    #[test]
    fn a_split_series_is_the_same_meeting() {
        assert_eq!(
            base_uid("4k3jqj8c0m_R20260928T070000@google.com"),
            "4k3jqj8c0m@google.com"
        );
        assert_eq!(base_uid("4k3jqj8c0m@google.com"), "4k3jqj8c0m@google.com");
        assert_eq!(
            base_uid("team_Review@example.com"),
            "team_Review@example.com"
        );
        assert_eq!(base_uid("040000008200E0"), "040000008200E0");
    }
}
