//! A running timer: work that has begun and is not logged yet.

use chrono::{DateTime, DurationRound as _, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{minutes::Minutes, project::ProjectRef, time_entry::EntryFields};

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
    /// When the person is asked whether it was forgotten; `None` once they were. No part of the version:
    /// asking changes nothing that the person said.
    pub ask_at: Option<DateTime<Utc>>,
}

/// What would be logged if a timer ended at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Under a minute: nothing.
    TooShort,
    /// An entry.
    Entry(EntryFields),
    /// Nothing as it stands: the person has to say more first.
    Asks(StopProblem),
}

/// Why a timer cannot become an entry as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopProblem {
    /// Nobody has said what was done.
    NoDescription,
    /// It has run so long, over 24 hours: more than one entry can be.
    TooLong(Minutes),
}

impl Timer {
    /// Whether both say that the same is being done since the same moment, whatever their versions; or none
    /// runs in both.
    pub fn are_same(one: Option<&Self>, other: Option<&Self>) -> bool {
        let what = |timer: &Self| Self {
            version: 0,
            ask_at: None,
            ..timer.clone()
        };
        one.map(what) == other.map(what)
    }

    /// What comes of it if it ends at `end`. The entry's times are whole minutes, as they are shown, and it
    /// counts for the day of its start in `zone`.
    pub fn stopped_at(&self, end: DateTime<Utc>, zone: Tz) -> Stopped {
        if end - self.started_at < TimeDelta::minutes(1) {
            return Stopped::TooShort;
        }
        let (start, end) = (to_the_minute(self.started_at), to_the_minute(end));
        let minutes = u32::try_from((end - start).num_minutes()).unwrap_or(u32::MAX);
        let duration = Minutes::new(minutes);
        if duration > Minutes::DAY {
            return Stopped::Asks(StopProblem::TooLong(duration));
        }
        if self.description.is_empty() {
            return Stopped::Asks(StopProblem::NoDescription);
        }
        Stopped::Entry(EntryFields {
            description: self.description.clone(),
            date: self.day(zone),
            span: Some((start, end)),
            is_timed: true,
            duration,
            project: self.project.clone(),
            billable: self.billable,
            tags: self.tags.clone(),
        })
    }

    /// The day it was started on.
    pub fn day(&self, zone: Tz) -> NaiveDate {
        self.started_at.with_timezone(&zone).date_naive()
    }

    /// The first moment after its start at which clocks in `zone` show `time`; `None` where they skip it.
    pub fn next_at(&self, time: NaiveTime, zone: Tz) -> Option<DateTime<Utc>> {
        let day = self.day(zone);
        let local = |day: NaiveDate| zone.from_local_datetime(&day.and_time(time));
        let next = local(day.succ_opt()?).earliest();
        [local(day).earliest(), local(day).latest(), next]
            .into_iter()
            .flatten()
            .map(|at| at.to_utc())
            .find(|at| *at > self.started_at)
    }

    /// The same, running on at `now` after it had been stopped: whoever lets it run on knows of it, and is
    /// asked no sooner than they were to be.
    #[must_use]
    pub fn running_on(self, now: DateTime<Utc>) -> Self {
        let ask_at = self.ask_at.filter(|at| *at > now).or(Some(now + LONG));
        Self { ask_at, ..self }
    }
}

fn to_the_minute(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(at)
}

/// Until when a forgotten timer most likely was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LikelyEnd {
    /// The moment, a whole minute, at least one minute after the start.
    pub at: DateTime<Utc>,
    /// Whether it is the end of the working day.
    pub is_end_of_work: bool,
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

    /// Until when a timer that still runs at `now` most likely was right: the end of the working day it was
    /// started in, or now if that is still to come; where it was started after work, an hour.
    pub fn likely_end(&self, started_at: DateTime<Utc>, now: DateTime<Utc>) -> LikelyEnd {
        let minute = TimeDelta::minutes(1);
        let end_of_work = self
            .end_on_day_of(started_at)
            .filter(|end| started_at + minute <= *end);
        let at = end_of_work.unwrap_or(started_at + TimeDelta::hours(1));
        LikelyEnd {
            at: to_the_minute(at.min(now).max(started_at + minute)),
            is_end_of_work: end_of_work.is_some_and(|end| end <= now),
        }
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

    fn timer(started_at: &str) -> Timer {
        Timer {
            id: Uuid::nil(),
            description: "Usability notes".to_owned(),
            project: None,
            billable: false,
            tags: Vec::new(),
            started_at: utc(started_at),
            version: 1,
            ask_at: None,
        }
    }

    #[test]
    fn a_timer_is_asked_about_two_hours_after_work_or_after_ten_hours() {
        // Working until 17:00 in Berlin, which is 16:00 UTC in winter.
        let free = Workday {
            length: Minutes::default(),
            ..workday()
        };
        for (workday, started_at, ask_at) in [
            (workday(), "2026-11-19T14:15:00Z", "2026-11-19T18:00:00Z"),
            (workday(), "2026-11-19T05:00:00Z", "2026-11-19T15:00:00Z"),
            (workday(), "2026-11-19T20:00:00Z", "2026-11-20T06:00:00Z"),
            (free, "2026-11-19T14:15:00Z", "2026-11-20T00:15:00Z"),
        ] {
            assert_eq!(workday.ask_at(utc(started_at)), utc(ask_at), "{started_at}");
        }
    }

    #[test]
    fn the_likely_end_is_the_end_of_work() {
        for (started_at, now, at, is_end_of_work) in [
            (
                "2026-11-19T14:15:30Z",
                "2026-11-20T08:00:00Z",
                "2026-11-19T16:00:00Z",
                true,
            ),
            // Started after work.
            (
                "2026-11-19T20:00:30Z",
                "2026-11-20T08:00:00Z",
                "2026-11-19T21:00:00Z",
                false,
            ),
            // Half a minute before its end: as good as after work.
            (
                "2026-11-19T15:59:30Z",
                "2026-11-20T08:00:00Z",
                "2026-11-19T16:59:00Z",
                false,
            ),
            // Work is not over.
            (
                "2026-11-19T04:00:00Z",
                "2026-11-19T14:00:20Z",
                "2026-11-19T14:00:00Z",
                false,
            ),
        ] {
            let end = workday().likely_end(utc(started_at), utc(now));
            assert_eq!(
                end,
                LikelyEnd {
                    at: utc(at),
                    is_end_of_work
                },
                "{started_at}"
            );
        }
    }

    #[test]
    fn a_stopped_timer_is_an_entry_of_whole_minutes() {
        let berlin = chrono_tz::Europe::Berlin;
        let minutes = |from: &str, to: &str| match timer(from).stopped_at(utc(to), berlin) {
            Stopped::Entry(fields) => {
                let (start, end) = fields.span.unwrap();
                let minutes = fields.duration.get();
                assert_eq!((end - start).num_minutes(), i64::from(minutes));
                assert_eq!((start.timestamp() % 60, end.timestamp() % 60), (0, 0));
                Ok((fields.date.to_string(), minutes))
            }
            Stopped::TooShort => Err(None),
            Stopped::Asks(problem) => Err(Some(problem)),
        };
        let day = |day: &str, minutes| Ok((day.to_owned(), minutes));
        for (from, to, is) in [
            (
                "2026-11-20T14:15:40Z",
                "2026-11-20T14:16:39.999Z",
                Err(None),
            ),
            (
                "2026-11-20T14:15:40Z",
                "2026-11-20T14:16:40Z",
                day("2026-11-20", 1),
            ),
            (
                "2026-11-20T14:15:59Z",
                "2026-11-20T15:05:01Z",
                day("2026-11-20", 50),
            ),
            // A clock that was set back.
            ("2026-11-20T14:15:59Z", "2026-11-20T14:15:00Z", Err(None)),
            // It counts for the day it began on, where the person is.
            (
                "2026-11-20T22:30:00Z",
                "2026-11-20T23:30:00Z",
                day("2026-11-20", 60),
            ),
            (
                "2026-11-20T23:30:00Z",
                "2026-11-21T00:30:00Z",
                day("2026-11-21", 60),
            ),
            // The night the clocks go back in Berlin has an hour twice.
            (
                "2026-10-24T22:00:00Z",
                "2026-10-25T06:00:00Z",
                day("2026-10-25", 480),
            ),
            (
                "2026-11-19T14:15:00Z",
                "2026-11-20T14:15:59Z",
                day("2026-11-19", 1440),
            ),
            (
                "2026-11-19T14:15:00Z",
                "2026-11-20T14:16:00Z",
                Err(Some(StopProblem::TooLong(Minutes::new(1441)))),
            ),
        ] {
            assert_eq!(minutes(from, to), is, "{from} {to}");
        }
        let nameless = Timer {
            description: String::new(),
            ..timer("2026-11-20T14:15:00Z")
        };
        let stopped = |to| nameless.stopped_at(utc(to), berlin);
        assert_eq!(stopped("2026-11-20T14:15:10Z"), Stopped::TooShort);
        let asks = Stopped::Asks(StopProblem::NoDescription);
        assert_eq!(stopped("2026-11-20T15:15:10Z"), asks);
    }

    #[test]
    fn a_clock_time_is_the_first_one_after_the_start() {
        let berlin = chrono_tz::Europe::Berlin;
        for (started_at, time, at) in [
            (
                "2026-11-19T14:15:00Z",
                "17:00",
                Some("2026-11-19T16:00:00Z"),
            ),
            (
                "2026-11-19T22:30:40Z",
                "00:30",
                Some("2026-11-19T23:30:00Z"),
            ),
            (
                "2026-11-19T14:15:00Z",
                "15:15",
                Some("2026-11-20T14:15:00Z"),
            ),
            // 02:30 comes twice in that night.
            (
                "2026-10-25T00:15:00Z",
                "02:30",
                Some("2026-10-25T00:30:00Z"),
            ),
            (
                "2026-10-25T00:45:00Z",
                "02:30",
                Some("2026-10-25T01:30:00Z"),
            ),
            // And not at all in this one.
            (
                "2026-03-28T23:45:00Z",
                "02:30",
                Some("2026-03-30T00:30:00Z"),
            ),
        ] {
            let time = time.parse().unwrap();
            let next = timer(started_at).next_at(time, berlin);
            assert_eq!(next, at.map(utc), "{started_at} {time}");
        }
    }

    #[test]
    fn a_timer_that_runs_on_is_asked_about_later() {
        let now = utc("2026-11-19T18:30:00Z");
        for (ask_at, then) in [
            (None, "2026-11-20T04:30:00Z"),
            (Some("2026-11-19T18:00:00Z"), "2026-11-20T04:30:00Z"),
            (Some("2026-11-19T19:00:00Z"), "2026-11-19T19:00:00Z"),
        ] {
            let timer = Timer {
                ask_at: ask_at.map(utc),
                ..timer("2026-11-19T14:15:00Z")
            };
            assert_eq!(timer.running_on(now).ask_at, Some(utc(then)));
        }
    }
}
