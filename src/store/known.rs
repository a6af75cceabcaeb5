//! What is known of a calendar's events, and what they are to be.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::calendar_event::{CalendarEvent, EventState, LoggedAs, SkipReason};

/// The rows of a calendar, which follows; then what narrows them down.
pub(super) const KNOWN: &str = "SELECT id, provider_event_id, ical_uid, series_id, original_start, event_title, event_start, event_end, state, \
     skip_reason, removed_at FROM synced_calendar_events WHERE calendar_id = ";

/// What is stored of an event.
#[derive(sqlx::FromRow)]
pub(super) struct KnownRow {
    pub(super) id: Uuid,
    pub(super) provider_event_id: String,
    ical_uid: Option<String>,
    series_id: Option<String>,
    original_start: Option<DateTime<Utc>>,
    event_title: String,
    event_start: DateTime<Utc>,
    event_end: DateTime<Utc>,
    pub(super) state: String,
    skip_reason: Option<String>,
    pub(super) removed_at: Option<DateTime<Utc>>,
}

impl KnownRow {
    pub(super) fn logged_as(&self) -> LoggedAs {
        LoggedAs {
            title: self.event_title.clone(),
            start: self.event_start,
            end: self.event_end,
        }
    }
}

/// What an event is to be, as the calendar shows it now.
pub(super) struct Wanted<'a> {
    pub(super) event: &'a CalendarEvent,
    pub(super) title: String,
    pub(super) skip: Option<SkipReason>,
}

impl Wanted<'_> {
    /// What its row says of its state: what a person decided stays.
    pub(super) fn state(&self, before: Option<EventState>) -> (EventState, Option<SkipReason>) {
        match before {
            Some(decided @ (EventState::Logged | EventState::Dismissed)) => (decided, None),
            _ => match self.skip {
                Some(reason) => (EventState::Skipped, Some(reason)),
                None => (EventState::Suggested, None),
            },
        }
    }

    /// A meeting that was logged and is called off stays in some calendars; to the entry it is gone all the same.
    pub(super) fn is_off(&self, state: EventState) -> bool {
        state == EventState::Logged && self.event.is_cancelled
    }

    /// Whoever logged it is to be told that it is otherwise now.
    pub(super) fn is_news(&self, row: &KnownRow, state: EventState) -> bool {
        let event = self.event;
        let is_otherwise = (row.event_start, row.event_end) != (event.start, event.end)
            || (row.event_title != self.title && !event.is_private)
            || (self.is_off(state) && row.removed_at.is_none());
        state == EventState::Logged && is_otherwise
    }

    pub(super) fn is(&self, row: &KnownRow, state: EventState, skip: Option<SkipReason>) -> bool {
        let event = self.event;
        row.removed_at.is_some() == self.is_off(state)
            && row.provider_event_id == event.provider_event_id
            && row.event_title == self.title
            && (row.event_start, row.event_end) == (event.start, event.end)
            && row.state == state.as_str()
            && row.skip_reason.as_deref() == skip.map(SkipReason::as_str)
            && row.ical_uid == event.ical_uid
            && row.series_id == event.series_id
            && row.original_start == event.original_start
    }
}

/// The known rows whose ids the calendar does not show, found by what else tells a meeting.
pub(super) struct Unseen<'a> {
    rows: HashMap<Uuid, &'a KnownRow>,
    by_slot: HashMap<(&'a str, DateTime<Utc>), Vec<Uuid>>,
    by_time: HashMap<(&'a str, Time), Vec<Uuid>>,
}

/// From when to when.
type Time = (DateTime<Utc>, DateTime<Utc>);

impl<'a> Unseen<'a> {
    pub(super) fn of(rows: impl Iterator<Item = &'a KnownRow>) -> Self {
        let mut unseen = Self {
            rows: HashMap::new(),
            by_slot: HashMap::new(),
            by_time: HashMap::new(),
        };
        // What was decided comes first, then what stands: lists are taken from their ends.
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|row| {
            let is_decided = matches!(&*row.state, "logged" | "dismissed");
            (is_decided, row.removed_at.is_none(), row.id)
        });
        for row in rows {
            unseen.rows.insert(row.id, row);
            let Some(uid) = row.ical_uid.as_deref() else {
                continue;
            };
            if let Some(slot) = row.original_start {
                unseen.by_slot.entry((uid, slot)).or_default().push(row.id);
            }
            let time = (row.event_start, row.event_end);
            unseen.by_time.entry((uid, time)).or_default().push(row.id);
        }
        unseen
    }

    /// The row of the same meeting under another id, which is seen with that.
    pub(super) fn take(&mut self, event: &'a CalendarEvent) -> Option<&'a KnownRow> {
        let uid = event.ical_uid.as_deref()?;
        let slot = event.original_start;
        let of_slot = slot.and_then(|slot| self.by_slot.get_mut(&(uid, slot)));
        let of_time = self.by_time.get_mut(&(uid, (event.start, event.end)));
        // Each is in both lists, and may have been taken through the other one.
        [of_slot, of_time].into_iter().flatten().find_map(|ids| {
            while let Some(id) = ids.pop() {
                if let Some(row) = self.rows.remove(&id) {
                    return Some(row);
                }
            }
            None
        })
    }

    /// Those that were in the calendar until now.
    pub(super) fn standing(&self) -> Vec<&'a KnownRow> {
        let rows = self.rows.values().filter(|row| row.removed_at.is_none());
        rows.copied().collect()
    }
}
