//! Calendars and what happens in them, the same for Google and Microsoft; each writes them its way.
//!
//! Series are stored as their instances: expansion is the provider's job, and the sandbox is the
//! provider.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::oauth::{Provider, Service};

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
    fn later(self, days: u64, zone: Tz) -> Self {
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

/// There is nothing of that name or id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {0}")]
pub struct NotThere(String);

fn not_there(what: &str) -> NotThere {
    NotThere(what.to_owned())
}

/// Letters that both providers use in ids: base32hex without capitals.
fn new_id() -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    rand::random::<[u8; 26]>()
        .iter()
        .map(|byte| char::from(*LETTERS.get(usize::from(byte % 32)).unwrap_or(&b'0')))
        .collect()
}

fn stamp(when: When, zone: Tz) -> String {
    match when {
        When::Timed { start, .. } => start.format("%Y%m%dT%H%M%SZ").to_string(),
        When::Days { .. } => {
            let local = when.span(zone).0.with_timezone(&zone);
            local.format("%Y%m%d").to_string()
        }
    }
}

impl Service {
    /// A calendar of the account, by id or by name.
    ///
    /// # Errors
    /// The account or the calendar does not exist.
    pub fn calendar_mut(&mut self, who: &str, calendar: &str) -> Result<&mut Calendar, NotThere> {
        let account = self.account_mut(who).ok_or_else(|| not_there(who))?;
        account
            .calendars
            .iter_mut()
            .find(|found| found.id == calendar || found.name == calendar)
            .ok_or_else(|| not_there(calendar))
    }

    /// Adds a calendar to the account.
    ///
    /// # Errors
    /// The account does not exist.
    pub fn add_calendar(&mut self, who: &str, calendar: Calendar) -> Result<(), NotThere> {
        let account = self.account_mut(who).ok_or_else(|| not_there(who))?;
        account.calendars.push(calendar);
        Ok(())
    }

    /// The calendar was deleted or is no longer shared with the account: it answers 404.
    ///
    /// # Errors
    /// The account or the calendar does not exist.
    pub fn remove_calendar(&mut self, who: &str, calendar: &str) -> Result<(), NotThere> {
        let id = self.calendar_mut(who, calendar)?.id.clone();
        let account = self.account_mut(who).ok_or_else(|| not_there(who))?;
        account.calendars.retain(|found| found.id != id);
        Ok(())
    }

    /// Adds an event and gives its id.
    ///
    /// # Errors
    /// The account or the calendar does not exist.
    pub fn add_event(
        &mut self,
        who: &str,
        calendar: &str,
        event: NewEvent,
    ) -> Result<String, NotThere> {
        let id = new_id();
        let uid = self.uid(&id);
        self.put(who, calendar, event, (id.clone(), uid, None))?;
        Ok(id)
    }

    /// Adds a series of `count` events, each so many days after the one before at the same time of
    /// the calendar's zone. Gives the id of the series and those of its instances.
    ///
    /// # Errors
    /// The account or the calendar does not exist.
    pub fn add_series(
        &mut self,
        who: &str,
        calendar: &str,
        event: &NewEvent,
        every_days: u32,
        count: u32,
    ) -> Result<(String, Vec<String>), NotThere> {
        let series = new_id();
        let uid = self.uid(&series);
        let zone = self.calendar_mut(who, calendar)?.time_zone;
        let mut ids = Vec::new();
        for n in 0..count {
            let when = event.when.later(u64::from(n * every_days), zone);
            let id = self.instance_id(&series, when, zone);
            let slot = Slot {
                series: series.clone(),
                original: when,
            };
            let event = NewEvent {
                when,
                ..event.clone()
            };
            self.put(who, calendar, event, (id.clone(), uid.clone(), Some(slot)))?;
            ids.push(id);
        }
        Ok((series, ids))
    }

    fn uid(&self, id: &str) -> String {
        match self.provider {
            Provider::Microsoft => format!("040000008200E00074C5B7101A82E008{}", id.to_uppercase()),
            _ => format!("{id}@google.com"),
        }
    }

    /// Google: the series and the slot in UTC. Graph's say nothing.
    fn instance_id(&self, series: &str, when: When, zone: Tz) -> String {
        match self.provider {
            Provider::Microsoft => new_id(),
            _ => format!("{series}_{}", stamp(when, zone)),
        }
    }

    fn put(
        &mut self,
        who: &str,
        calendar: &str,
        event: NewEvent,
        (id, ical_uid, slot): (String, String, Option<Slot>),
    ) -> Result<(), NotThere> {
        let now = self.clock.now();
        self.serial += 1;
        let changed = self.serial;
        self.calendar_mut(who, calendar)?.events.push(Event {
            id,
            ical_uid,
            title: event.title,
            when: event.when,
            kind: event.kind,
            reply: event.reply,
            is_private: event.is_private,
            is_free: event.is_free,
            standing: Standing::Stands,
            slot,
            is_exception: false,
            created: now,
            updated: now,
            changed,
            sequence: 0,
        });
        Ok(())
    }

    /// Changes an event, which then counts as changed now. An instance of a series becomes an
    /// exception.
    ///
    /// # Errors
    /// There is no such event.
    pub fn change_event(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Event),
    ) -> Result<(), NotThere> {
        let now = self.clock.now();
        self.serial += 1;
        let changed = self.serial;
        let event = self
            .accounts
            .iter_mut()
            .flat_map(|account| &mut account.calendars)
            .flat_map(|calendar| &mut calendar.events)
            .find(|event| event.id == id)
            .ok_or_else(|| not_there(id))?;
        change(event);
        event.is_exception = event.slot.is_some();
        event.updated = now;
        event.changed = changed;
        Ok(())
    }

    /// Moves an event; its id stays.
    ///
    /// # Errors
    /// There is no such event.
    pub fn move_event(&mut self, id: &str, when: When) -> Result<(), NotThere> {
        self.change_event(id, |event| {
            event.when = when;
            event.sequence += 1;
        })
    }

    /// The organiser calls it off. Google shows it as `cancelled` with hardly a field left; Graph
    /// keeps it in the mailbox with `isCancelled`.
    ///
    /// # Errors
    /// There is no such event.
    pub fn cancel_event(&mut self, id: &str) -> Result<(), NotThere> {
        let standing = match self.provider {
            Provider::Microsoft => Standing::CalledOff,
            _ => Standing::Deleted,
        };
        self.change_event(id, |event| event.standing = standing)
    }

    /// The account deletes it.
    ///
    /// # Errors
    /// There is no such event.
    pub fn delete_event(&mut self, id: &str) -> Result<(), NotThere> {
        self.change_event(id, |event| event.standing = Standing::Deleted)
    }

    /// The account answers the invitation.
    ///
    /// # Errors
    /// There is no such event.
    pub fn reply_to_event(&mut self, id: &str, reply: Reply) -> Result<(), NotThere> {
        self.change_event(id, |event| event.reply = reply)
    }

    /// The account says no. The event stays in the calendar.
    ///
    /// # Errors
    /// There is no such event.
    pub fn decline_event(&mut self, id: &str) -> Result<(), NotThere> {
        self.reply_to_event(id, Reply::Declined)
    }

    /// Only the owner sees the title from now on.
    ///
    /// # Errors
    /// There is no such event.
    pub fn make_private(&mut self, id: &str) -> Result<(), NotThere> {
        self.change_event(id, |event| event.is_private = true)
    }

    /// “This and following”: every instance from `from` on goes, and comes back under a new series
    /// and new ids in the same slots (odoo/odoo#287171, googleapis/google-api-php-client#2009).
    /// Gives the new series' id and those of its instances.
    ///
    /// # Errors
    /// There is no such series.
    pub fn split_series(
        &mut self,
        series: &str,
        from: DateTime<Utc>,
        title: &str,
    ) -> Result<(String, Vec<String>), NotThere> {
        let (who, calendar, zone) = self
            .accounts
            .iter()
            .flat_map(|account| {
                let id = account.id.clone();
                account
                    .calendars
                    .iter()
                    .map(move |found| (id.clone(), found))
            })
            .find(|(_, found)| found.events.iter().any(|event| is_in(event, series)))
            .map(|(who, found)| (who, found.id.clone(), found.time_zone))
            .ok_or_else(|| not_there(series))?;
        let old: Vec<Event> = self
            .calendar_mut(&who, &calendar)?
            .events
            .iter()
            .filter(|event| is_in(event, series) && !event.is_deleted())
            .filter(|event| event.when.span(zone).0 >= from)
            .cloned()
            .collect();
        let new_series = match self.provider {
            Provider::Microsoft => new_id(),
            _ => format!("{series}_R{}", from.format("%Y%m%dT%H%M%S")),
        };
        let uid = self.uid(&new_series);
        let mut ids = Vec::new();
        for event in old {
            self.delete_event(&event.id)?;
            let id = self.instance_id(&new_series, event.when, zone);
            let slot = Slot {
                series: new_series.clone(),
                original: event.when,
            };
            let event = NewEvent {
                title: title.to_owned(),
                when: event.when,
                kind: event.kind,
                reply: event.reply,
                is_private: event.is_private,
                is_free: event.is_free,
            };
            let identity = (id.clone(), uid.clone(), Some(slot));
            self.put(&who, &calendar, event, identity)?;
            ids.push(id);
        }
        Ok((new_series, ids))
    }
}

impl Event {
    /// Nothing is left of it but its id.
    pub fn is_deleted(&self) -> bool {
        self.standing == Standing::Deleted
    }
}

fn is_in(event: &Event, series: &str) -> bool {
    event
        .slot
        .as_ref()
        .is_some_and(|slot| slot.series == series)
}
