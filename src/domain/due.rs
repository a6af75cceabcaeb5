//! When summaries are due, and whether a day asks for one.

use chrono::{
    DateTime, Datelike as _, NaiveDate, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc,
    Weekday,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{preferences::Preferences, timer::Workday};

/// A week and a day: so far away the next day of a weekly plan can be, and one more where a zone left a day out.
const LOOK_AHEAD: usize = 9;

/// What a summary is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SummaryOf {
    /// The day, in its evening.
    Day,
    /// The week before, on Monday, when the working day begins.
    Week,
}

impl SummaryOf {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// The other way round; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Day, Self::Week]
            .into_iter()
            .find(|one| one.as_str() == name)
    }
}

/// What a person said of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayMark {
    /// It was a day off: nothing is expected for it.
    Off,
    /// There is nothing more to log for it.
    Closed,
}

impl DayMark {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Closed => "closed",
        }
    }

    /// The other way round; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Off, Self::Closed]
            .into_iter()
            .find(|one| one.as_str() == name)
    }
}

/// A summary that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: DateTime<Utc>,
    /// About which day; of a week it is the Monday.
    pub about: NaiveDate,
}

/// The first summary that is due at `since` or later and about a day after `after`; `None` where the person wants
/// none.
pub fn next_due(
    of: SummaryOf,
    preferences: &Preferences,
    zone: Tz,
    since: DateTime<Utc>,
    after: Option<NaiveDate>,
) -> Option<Due> {
    let (is_wanted, time) = match of {
        SummaryOf::Day => (preferences.daily_summary, preferences.daily_summary_time),
        SummaryOf::Week => (preferences.monday, preferences.workday_start),
    };
    if !is_wanted {
        return None;
    }
    let today = since.with_timezone(&zone).date_naive();
    today.iter_days().take(LOOK_AHEAD).find_map(|day| {
        let (is_its_day, about) = match of {
            SummaryOf::Day => (preferences.summary_days.contains(day.weekday()), day),
            SummaryOf::Week => (day.weekday() == Weekday::Mon, day - TimeDelta::weeks(1)),
        };
        let at = instant(day, time, zone).filter(|at| *at >= since)?;
        (is_its_day && after.is_none_or(|after| about > after)).then_some(Due { at, about })
    })
}

/// When it is that time on that day. A time that comes twice is its first; one that the clocks leave out is reckoned
/// as before they were changed (RFC 5545, 3.3.5). `None` where the zone left out the whole day.
pub fn instant(day: NaiveDate, time: NaiveTime, zone: Tz) -> Option<DateTime<Utc>> {
    let local = day.and_time(time);
    let at = zone.from_local_datetime(&local).earliest().map_or_else(
        || {
            let before = zone
                .offset_from_utc_datetime(&(local - TimeDelta::days(1)))
                .fix();
            (local - before).and_utc()
        },
        |at| at.to_utc(),
    );
    (at.with_timezone(&zone).date_naive() == day).then_some(at)
}

/// Whether these absences leave nothing of the working day; where the person has no target, of eight hours from when
/// it begins.
pub fn is_away(workday: &Workday, day: NaiveDate, away: &[(DateTime<Utc>, DateTime<Utc>)]) -> bool {
    let Some(start) = instant(day, workday.start, workday.zone) else {
        return false;
    };
    let minutes = match workday.length.get() {
        0 => 8 * 60,
        minutes => minutes,
    };
    let end = start + TimeDelta::minutes(i64::from(minutes));
    let mut away = away.to_vec();
    away.sort_unstable();
    let covered = away.into_iter().fold(start, |covered, (from, to)| {
        if from <= covered {
            covered.max(to)
        } else {
            covered
        }
    });
    covered >= end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{minutes::Minutes, preferences::Days};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn time(hour: u32, minute: u32) -> NaiveTime {
        NaiveTime::from_hms_opt(hour, minute, 0).unwrap()
    }

    /// Each evening for two years in eight zones: once on each working day, at the right minute of the clock there.
    #[test]
    fn two_years_in_eight_zones_have_one_summary_a_working_day_at_the_right_local_minute() {
        use chrono_tz::{Africa, America, Asia, Australia, Europe, Pacific, Tz};
        let zones: [Tz; 8] = [
            Europe::Berlin,
            America::New_York,
            America::Sao_Paulo,
            Asia::Kolkata,
            Australia::Lord_Howe,
            Pacific::Auckland,
            Africa::Casablanca,
            Asia::Tehran,
        ];
        for zone in zones {
            for minute in [time(17, 30), time(2, 30), time(0, 0), time(23, 59)] {
                let preferences = Preferences {
                    daily_summary_time: minute,
                    ..Preferences::default()
                };
                let (from, to) = (day("2026-01-01"), day("2027-12-31"));
                let mut since = instant(from, NaiveTime::MIN, zone).unwrap();
                let mut found = Vec::new();
                loop {
                    let after = found.last().map(|due: &Due| due.about);
                    let due = next_due(SummaryOf::Day, &preferences, zone, since, after).unwrap();
                    if due.about > to {
                        break;
                    }
                    let local = due.at.with_timezone(&zone);
                    assert_eq!(local.date_naive(), due.about, "{zone}");
                    let exists = zone
                        .from_local_datetime(&due.about.and_time(minute))
                        .earliest();
                    if exists.is_some() {
                        assert_eq!(local.time(), minute, "{zone} {}", due.about);
                    } else {
                        assert!(local.time() > minute, "{zone} {}", due.about);
                    }
                    since = due.at;
                    found.push(due);
                }
                let days: Vec<_> = found.iter().map(|due| due.about).collect();
                let expected: Vec<_> = from
                    .iter_days()
                    .take_while(|day| *day <= to)
                    .filter(|day| crate::domain::summary::is_working_day(*day))
                    .collect();
                assert_eq!(days, expected, "{zone} {minute}");
            }
        }
    }

    #[test]
    fn a_traveller_gets_one_a_day_of_where_they_are() {
        let preferences = Preferences::default();
        let next = |zone, since: &str, after: Option<&str>| {
            let due = next_due(
                SummaryOf::Day,
                &preferences,
                zone,
                at(since),
                after.map(day),
            );
            due.map(|due| (due.about, due.at)).unwrap()
        };
        // Sent in Berlin on Friday, then flown to New York: not again that Friday.
        assert_eq!(
            next(
                chrono_tz::America::New_York,
                "2026-11-20T17:00:00Z",
                Some("2026-11-20")
            ),
            (day("2026-11-23"), at("2026-11-23T22:30:00Z"))
        );
        // Flown east before it was due: at 17:30 there, which is earlier.
        assert_eq!(
            next(
                chrono_tz::Asia::Tokyo,
                "2026-11-19T20:00:00Z",
                Some("2026-11-19")
            ),
            (day("2026-11-20"), at("2026-11-20T08:30:00Z"))
        );
        // Arrived when it is past there: the next working day.
        assert_eq!(
            next(
                chrono_tz::Asia::Tokyo,
                "2026-11-20T09:00:00Z",
                Some("2026-11-19")
            ),
            (day("2026-11-23"), at("2026-11-23T08:30:00Z"))
        );
    }

    #[test]
    fn a_day_that_a_zone_left_out_has_none() {
        // Samoa crossed the date line on 30 December 2011.
        let zone = chrono_tz::Pacific::Apia;
        assert_eq!(instant(day("2011-12-30"), time(17, 30), zone), None);
        let due = next_due(
            SummaryOf::Day,
            &Preferences::default(),
            zone,
            at("2011-12-30T08:00:00Z"),
            None,
        );
        assert_eq!(due.map(|due| due.about), Some(day("2012-01-02")));
    }

    #[test]
    fn nobody_is_sent_what_they_do_not_want() {
        let (zone, since) = (chrono_tz::Europe::Berlin, at("2026-11-18T12:00:00Z"));
        let of = |of, preferences: &Preferences| next_due(of, preferences, zone, since, None);
        let default = Preferences::default();
        assert_eq!(of(SummaryOf::Week, &default), None);
        let off = Preferences {
            daily_summary: false,
            monday: true,
            ..default.clone()
        };
        assert_eq!(of(SummaryOf::Day, &off), None);
        let monday = of(SummaryOf::Week, &off).unwrap();
        assert_eq!(
            (monday.about, monday.at),
            (day("2026-11-16"), at("2026-11-23T08:00:00Z"))
        );
        let none = Preferences {
            summary_days: Days::from_numbers([]).unwrap(),
            ..default.clone()
        };
        assert_eq!(of(SummaryOf::Day, &none), None);
        let sundays = Preferences {
            summary_days: Days::from_numbers([7]).unwrap(),
            ..default
        };
        assert_eq!(
            of(SummaryOf::Day, &sundays).map(|due| due.about),
            Some(day("2026-11-22"))
        );
    }

    #[test]
    fn away_is_who_has_nothing_left_of_the_working_day() {
        let workday = |minutes| Workday {
            zone: chrono_tz::Europe::Berlin,
            start: time(9, 0),
            length: Minutes::new(minutes),
        };
        let friday = day("2026-11-20");
        let span = |from: &str, to: &str| {
            (
                at(&format!("2026-11-20T{from}:00Z")),
                at(&format!("2026-11-20T{to}:00Z")),
            )
        };
        let away = |minutes, spans: &[_]| is_away(&workday(minutes), friday, spans);
        assert!(away(480, &[span("07:00", "17:00")]));
        assert!(away(480, &[span("12:00", "16:00"), span("08:00", "12:00")]));
        assert!(!away(
            480,
            &[span("12:00", "16:00"), span("08:00", "11:59")]
        ));
        assert!(!away(480, &[span("08:01", "16:00")]));
        assert!(!away(480, &[]));
        assert!(away(0, &[span("08:00", "16:00")]));
        assert!(!away(0, &[span("08:00", "15:00")]));
    }
}
