//! Where a working day has nothing logged.

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone as _, Utc};

use super::{minutes::Minutes, summary::is_working_day, time_entry::TimeEntry, timer::Workday};

/// What is shorter is a breath and no gap.
const SHORTEST: TimeDelta = TimeDelta::minutes(15);

/// A stretch of a working day with nothing logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where it begins.
    pub start: DateTime<Utc>,
    /// Where it ends, to the minute.
    pub end: DateTime<Utc>,
}

impl Gap {
    /// How long it is.
    pub fn length(&self) -> Minutes {
        Minutes::new(u32::try_from((self.end - self.start).num_minutes()).unwrap_or(0))
    }
}

/// The gaps of 15 minutes and more between the beginning of the working day and its end, or `now` where that
/// is earlier. `entries` are all of the day's.
///
/// None on a weekend, none once as much is logged as the day is long, and none where an entry says only how
/// long it was: then nobody knows where in the day it lies.
pub fn gaps(
    workday: &Workday,
    day: NaiveDate,
    entries: &[TimeEntry],
    now: DateTime<Utc>,
) -> Vec<Gap> {
    let logged: Minutes = entries.iter().map(|entry| entry.duration_minutes).sum();
    let spans: Option<Vec<_>> = entries
        .iter()
        .map(|entry| entry.started_at.zip(entry.ended_at))
        .collect();
    let begins = workday
        .zone
        .from_local_datetime(&day.and_time(workday.start));
    let (Some(mut spans), Some(begins)) = (spans, begins.earliest()) else {
        return Vec::new();
    };
    if logged >= workday.length || !is_working_day(day) {
        return Vec::new();
    }
    spans.sort_unstable();
    let start = begins.to_utc();
    let to_the_minute = now - TimeDelta::seconds(now.timestamp().rem_euclid(60));
    let end = start + TimeDelta::minutes(i64::from(workday.length.get()));
    let end =
        end.min(to_the_minute - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos())));
    let mut gaps = Vec::new();
    let mut covered = start;
    for (from, to) in spans.into_iter().chain([(end, end)]) {
        let gap = Gap {
            start: covered,
            end: from.min(end),
        };
        if gap.end - gap.start >= SHORTEST {
            gaps.push(gap);
        }
        covered = covered.max(to);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time_entry::{EntrySource, EntryStatus};
    use chrono::NaiveTime;
    use uuid::Uuid;

    const FRIDAY: u32 = 20;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    fn workday() -> Workday {
        Workday {
            zone: chrono_tz::Europe::Berlin,
            start: NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
            length: Minutes::from_hours(8),
        }
    }

    /// A time of that Friday in Berlin.
    fn at(time: &str) -> DateTime<Utc> {
        let time = NaiveTime::parse_from_str(time, "%H:%M").unwrap();
        let local = workday()
            .zone
            .from_local_datetime(&day(FRIDAY).and_time(time));
        local.unwrap().to_utc()
    }

    fn entry(span: Option<(&str, &str)>, minutes: u32) -> TimeEntry {
        TimeEntry {
            id: Uuid::nil(),
            user_id: Uuid::nil(),
            source: EntrySource::Slack,
            status: EntryStatus::Pending,
            description: String::new(),
            date: day(FRIDAY),
            started_at: span.map(|(from, _)| at(from)),
            ended_at: span.map(|(_, to)| at(to)),
            is_timed: true,
            duration_minutes: Minutes::new(minutes),
            project: None,
            billable: false,
            tags: Vec::new(),
            permalink: None,
            typed_text: None,
            version: 1,
            created_at: at("00:00"),
            updated_at: at("00:00"),
            deleted_at: None,
        }
    }

    fn found(spans: &[(&str, &str)], now: &str) -> Vec<String> {
        let entries: Vec<_> = spans.iter().map(|span| entry(Some(*span), 30)).collect();
        let time = |at: DateTime<Utc>| {
            at.with_timezone(&workday().zone)
                .format("%H:%M")
                .to_string()
        };
        gaps(&workday(), day(FRIDAY), &entries, at(now))
            .into_iter()
            .map(|gap| format!("{}-{}", time(gap.start), time(gap.end)))
            .collect()
    }

    #[test]
    fn gaps_lie_between_the_start_of_work_and_now_or_its_end() {
        assert_eq!(found(&[], "08:00"), Vec::<String>::new());
        assert_eq!(found(&[], "09:14"), Vec::<String>::new());
        assert_eq!(found(&[], "09:15"), ["09:00-09:15"]);
        assert_eq!(found(&[], "23:00"), ["09:00-17:00"]);
        assert_eq!(
            found(&[("11:00", "13:30"), ("08:15", "09:00")], "14:00"),
            ["09:00-11:00", "13:30-14:00"]
        );
        // Inside another, over the end, after the end.
        assert_eq!(
            found(
                &[("09:00", "12:00"), ("10:00", "11:00"), ("12:10", "12:20")],
                "12:30"
            ),
            Vec::<String>::new()
        );
        assert_eq!(
            found(&[("16:00", "18:00"), ("19:00", "20:00")], "21:00"),
            ["09:00-16:00"]
        );
    }

    #[test]
    fn where_nobody_can_say_there_are_none() {
        let evening = at("20:00");
        let long = [entry(Some(("09:00", "18:00")), 480)];
        assert!(gaps(&workday(), day(FRIDAY), &long, evening).is_empty());
        let unplaced = [entry(None, 30)];
        assert!(gaps(&workday(), day(FRIDAY), &unplaced, evening).is_empty());
        assert!(gaps(&workday(), day(15), &[], evening).is_empty());
        assert_eq!(gaps(&workday(), day(16), &[], evening).len(), 1);
        let free = Workday {
            length: Minutes::default(),
            ..workday()
        };
        assert!(gaps(&free, day(FRIDAY), &[], evening).is_empty());
    }
}
