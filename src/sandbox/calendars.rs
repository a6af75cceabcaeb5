//! Calendars and what happens in them, the same for Google and Microsoft; each writes them its way.
//!
//! Series are stored as their instances: expansion is the provider's job, and the sandbox is the
//! provider.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// What the account may see of a calendar, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessRole {
    /// Times without titles.
    FreeBusyReader,
    /// All but private events.
    Reader,
    /// May change events.
    Writer,
    /// May change everything.
    Owner,
}

/// One calendar as one account sees it.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// The provider's id. Google's may hold `@` and `#`.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What this account calls it; Google only.
    pub name_override: Option<String>,
    /// Google's `primary`, Graph's `isDefaultCalendar`.
    pub is_primary: bool,
    /// What this account may see of it.
    pub access: AccessRole,
    /// Where its times are meant.
    pub time_zone: Tz,
    /// Hidden from the list; Google only.
    pub is_hidden: bool,
    /// Name and address of the owner.
    pub owner: (String, String),
    /// Deleted ones included, in the order in which they were added.
    pub events: Vec<Event>,
}

/// When an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Between two instants.
    Timed {
        /// The beginning.
        start: DateTime<Utc>,
        /// The end; the beginning, for an event without length.
        end: DateTime<Utc>,
    },
    /// Whole days, in whatever zone.
    Days {
        /// The first day.
        first: NaiveDate,
        /// The day after the last.
        end: NaiveDate,
    },
}

impl When {
    /// From this instant, for so many minutes.
    pub fn from(start: DateTime<Utc>, minutes: i64) -> Self {
        Self::Timed {
            start,
            end: start + TimeDelta::minutes(minutes),
        }
    }

    /// One whole day.
    pub fn day(first: NaiveDate) -> Self {
        let end = first.checked_add_days(Days::new(1)).unwrap_or(first);
        Self::Days { first, end }
    }

    /// Beginning and end as instants; days as they begin in that zone.
    pub(crate) fn span(self, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
        match self {
            Self::Timed { start, end } => (start, end),
            Self::Days { first, end } => (midnight(first, zone), midnight(end, zone)),
        }
    }

    /// The same wall-clock time so many days later.
    pub(super) fn later(self, days: u64, zone: Tz) -> Self {
        let day = |date: NaiveDate| date.checked_add_days(Days::new(days)).unwrap_or(date);
        match self {
            Self::Timed { start, end } => {
                let wall = start.with_timezone(&zone).naive_local();
                let moved = day(wall.date()).and_time(wall.time());
                let at = zone
                    .from_local_datetime(&moved)
                    .earliest()
                    .map_or(start, |at| at.with_timezone(&Utc));
                Self::Timed {
                    start: at,
                    end: at + (end - start),
                }
            }
            Self::Days { first, end } => Self::Days {
                first: day(first),
                end: day(end),
            },
        }
    }
}

fn midnight(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let wall = date.and_time(NaiveTime::MIN);
    zone.from_local_datetime(&wall)
        .earliest()
        .map_or_else(|| wall.and_utc(), |at| at.with_timezone(&Utc))
}

/// Google's `eventType`. Graph has none: there the title and `showAs` are all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventKind {
    /// A meeting, or anything.
    #[default]
    Default,
    /// Time kept free for work.
    FocusTime,
    /// Away; usually timed, and for days.
    OutOfOffice,
    /// Where somebody works.
    WorkingLocation,
    /// A contact's birthday.
    Birthday,
}

/// How the account answered the invitation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reply {
    /// The account's own event, without guests.
    #[default]
    Own,
    /// Yes.
    Accepted,
    /// Perhaps.
    Tentative,
    /// No; the event stays in the calendar.
    Declined,
    /// Not yet.
    NeedsAction,
}

/// The place of an instance in its series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The id of the series.
    pub series: String,
    /// Where the series puts it, however it was moved.
    pub original: When,
}

/// Whether an event is still to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    #[default]
    Stands,
    /// The organiser called it off, and it is kept: Graph does so, Google does not.
    CalledOff,
    /// Gone.
    Deleted,
}

/// What is in a calendar.
#[derive(Clone, Debug)]
pub struct Event {
    /// The provider's id. Graph shows it in two forms.
    pub id: String,
    /// Shared by the instances of a series.
    pub ical_uid: String,
    /// The title.
    pub title: String,
    /// When it is.
    pub when: When,
    /// What kind of event.
    pub kind: EventKind,
    /// How the account answered.
    pub reply: Reply,
    /// Only the owner sees the title.
    pub is_private: bool,
    /// Does not block time.
    pub is_free: bool,
    /// Whether it is still to be.
    pub standing: Standing,
    /// The series it belongs to.
    pub slot: Option<Slot>,
    /// An instance that differs from its series.
    pub is_exception: bool,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it was changed last.
    pub updated: DateTime<Utc>,
    /// Rises with every change in the provider.
    pub(crate) changed: u64,
    /// How often it was moved.
    pub(crate) sequence: u32,
}

/// An event that is to be. `..NewEvent::default()` is an ordinary meeting of one's own.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The title.
    pub title: String,
    /// When it is.
    pub when: When,
    /// What kind of event.
    pub kind: EventKind,
    /// How the account answered.
    pub reply: Reply,
    /// Only the owner sees the title.
    pub is_private: bool,
    /// Does not block time.
    pub is_free: bool,
}

impl Default for NewEvent {
    fn default() -> Self {
        Self {
            title: "Meeting".to_owned(),
            when: When::from(DateTime::<Utc>::UNIX_EPOCH, 60),
            kind: EventKind::default(),
            reply: Reply::default(),
            is_private: false,
            is_free: false,
        }
    }
}

impl NewEvent {
    /// An ordinary event.
    pub fn new(title: impl Into<String>, when: When) -> Self {
        Self {
            title: title.into(),
            when,
            ..Self::default()
        }
    }
}

impl Event {
    /// Nothing is left of it but its id.
    pub fn is_deleted(&self) -> bool {
        self.standing == Standing::Deleted
    }
}
