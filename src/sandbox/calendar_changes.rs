//! What happens in the calendars: events come, move, are called off, go, and series are split.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{
    calendars::{Calendar, Event, NewEvent, Reply, Slot, Standing, When},
    oauth::{Provider, Service},
};

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

fn is_in(event: &Event, series: &str) -> bool {
    event
        .slot
        .as_ref()
        .is_some_and(|slot| slot.series == series)
}
