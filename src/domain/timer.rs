//! A running timer: work that has begun and is not logged yet.

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{minutes::Minutes, project::ProjectRef};

/// A timer that runs so long may have been forgotten.
pub const LONG: TimeDelta = TimeDelta::hours(10);
/// So long after the end of the working day, too.
const AFTER_WORK: TimeDelta = TimeDelta::hours(2);

/// A running timer. A person has at most one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// UUIDv7.
    pub id: Uuid,
    /// What is being done, up to 3,000 characters; may be empty until it is logged.
    pub description: String,
    /// What it is for.
    pub project: Option<ProjectRef>,
    /// Whether the entry will be billable.
    pub billable: bool,
    /// Tags of the entry, without the `+`.
    pub tags: Vec<String>,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// Starts at 1 and rises with every change.
    pub version: i32,
    /// When the person is asked whether it was forgotten; `None` once they were.
    pub ask_at: Option<DateTime<Utc>>,
}

/// A person's working day, to reckon when a timer has been forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Workday {
    /// Their zone.
    pub zone: Tz,
    /// When it begins.
    pub start: NaiveTime,
    /// How long it is; 0 where they have no target.
    pub length: Minutes,
}

impl Workday {
    /// When the working day ends on the day of `instant`, if it has an end.
    fn end_on_day_of(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.length == Minutes::default() {
            return None;
        }
        let day = instant.with_timezone(&self.zone).date_naive();
        let start = self
            .zone
            .from_local_datetime(&day.and_time(self.start))
            .earliest()?;
        Some(start.to_utc() + TimeDelta::minutes(i64::from(self.length.get())))
    }

    /// When a timer started at `started_at` counts as forgotten: two hours after the end of that working
    /// day, but never later than after ten hours. One that was started after work is given ten hours.
    pub fn ask_at(&self, started_at: DateTime<Utc>) -> DateTime<Utc> {
        let long = started_at + LONG;
        match self.end_on_day_of(started_at) {
            Some(end) if started_at < end => long.min(end + AFTER_WORK),
            _ => long,
        }
    }

    /// Until when a forgotten timer most likely was right: the end of the working day it was started in, or
    /// a working day after its start where it was started later.
    pub fn likely_end(&self, started_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        let end = match self.end_on_day_of(started_at) {
            Some(end) if started_at < end => end,
            _ => started_at + TimeDelta::hours(1),
        };
        end.min(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workday() -> Workday {
        Workday {
            zone: chrono_tz::Europe::Berlin,
            start: NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
            length: Minutes::from_hours(8),
        }
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_timer_is_asked_about_two_hours_after_work_or_after_ten_hours() {
        // Working until 17:00 in Berlin, which is 16:00 UTC in winter.
        assert_eq!(
            workday().ask_at(utc("2026-11-19T14:15:00Z")),
            utc("2026-11-19T18:00:00Z")
        );
        assert_eq!(
            workday().ask_at(utc("2026-11-19T05:00:00Z")),
            utc("2026-11-19T15:00:00Z")
        );
        assert_eq!(
            workday().ask_at(utc("2026-11-19T20:00:00Z")),
            utc("2026-11-20T06:00:00Z")
        );
        let free = Workday {
            length: Minutes::default(),
            ..workday()
        };
        assert_eq!(
            free.ask_at(utc("2026-11-19T14:15:00Z")),
            utc("2026-11-20T00:15:00Z")
        );
    }

    #[test]
    fn the_likely_end_is_the_end_of_work() {
        let now = utc("2026-11-20T08:00:00Z");
        assert_eq!(
            workday().likely_end(utc("2026-11-19T14:15:00Z"), now),
            utc("2026-11-19T16:00:00Z")
        );
        assert_eq!(
            workday().likely_end(utc("2026-11-19T20:00:00Z"), now),
            utc("2026-11-19T21:00:00Z")
        );
        let soon = utc("2026-11-19T15:00:00Z");
        assert_eq!(
            workday().likely_end(utc("2026-11-19T14:15:00Z"), soon),
            soon
        );
    }
}
