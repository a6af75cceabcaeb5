//! A day, a week or a month: what a report is about.

use std::{error::Error, fmt, str::FromStr};

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// A day, a week from Monday to Sunday, or a month.
///
/// As text it is short enough for the value of a button, and can be read again.
///
/// ```
/// use billops::domain::period::Period;
///
/// let friday = chrono::NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
/// let week = Period::week(friday);
/// assert_eq!(week.to_string(), "week:2026-W47");
/// assert_eq!("week:2026-W47".parse(), Ok(week));
/// assert_eq!(week.previous().to_string(), "week:2026-W46");
/// assert_eq!(Period::day(friday).to_string(), "day:2026-11-20");
/// assert_eq!(Period::month(friday).next().to_string(), "month:2026-12");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    /// Which of the three it is.
    pub kind: PeriodKind,
    /// The first day.
    pub from: NaiveDate,
    /// The last day, which belongs to it.
    pub to: NaiveDate,
}

/// How long a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodKind {
    /// One day.
    Day,
    /// Monday to Sunday.
    Week,
    /// The first to the last of a month.
    Month,
}

impl PeriodKind {
    /// The word that the text form begins with.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

impl Period {
    /// The day itself.
    pub fn day(date: NaiveDate) -> Self {
        Self {
            kind: PeriodKind::Day,
            from: date,
            to: date,
        }
    }

    /// The week in which the day lies.
    pub fn week(date: NaiveDate) -> Self {
        let week = date.week(Weekday::Mon);
        Self {
            kind: PeriodKind::Week,
            from: week.checked_first_day().unwrap_or(NaiveDate::MIN),
            to: week.checked_last_day().unwrap_or(NaiveDate::MAX),
        }
    }

    /// The month in which the day lies.
    pub fn month(date: NaiveDate) -> Self {
        let last = u32::from(date.num_days_in_month());
        Self {
            kind: PeriodKind::Month,
            from: date.with_day(1).unwrap_or(date),
            to: date.with_day(last).unwrap_or(date),
        }
    }

    /// The period of this kind in which the day lies.
    pub fn around(kind: PeriodKind, date: NaiveDate) -> Self {
        match kind {
            PeriodKind::Day => Self::day(date),
            PeriodKind::Week => Self::week(date),
            PeriodKind::Month => Self::month(date),
        }
    }

    /// The one before. Where the calendar ends, a period is its own neighbour.
    #[must_use]
    pub fn previous(self) -> Self {
        let before = match self.kind {
            PeriodKind::Day | PeriodKind::Week => self.from.checked_sub_days(Days::new(1)),
            PeriodKind::Month => self.from.checked_sub_months(Months::new(1)),
        };
        before.map_or(self, |date| Self::around(self.kind, date))
    }

    /// The one after. Where the calendar ends, a period is its own neighbour.
    #[must_use]
    pub fn next(self) -> Self {
        let after = self.to.checked_add_days(Days::new(1));
        after.map_or(self, |date| Self::around(self.kind, date))
    }

    /// Whether the day lies in it.
    pub fn contains(self, date: NaiveDate) -> bool {
        (self.from..=self.to).contains(&date)
    }
}

/// Writes `day:2026-11-20`, `week:2026-W47`, `month:2026-11`. Weeks are numbered, and given to years, as in
/// ISO 8601.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.kind.name();
        match self.kind {
            PeriodKind::Day => write!(f, "{name}:{}", self.from),
            PeriodKind::Week => {
                let week = self.from.iso_week();
                write!(f, "{name}:{:04}-W{:02}", week.year(), week.week())
            }
            PeriodKind::Month => {
                write!(f, "{name}:{:04}-{:02}", self.from.year(), self.from.month())
            }
        }
    }
}

/// Reads what `Display` writes, of years with four digits.
impl FromStr for Period {
    type Err = NoPeriod;

    fn from_str(text: &str) -> Result<Self, NoPeriod> {
        let (kind, value) = text.split_once(':').ok_or(NoPeriod)?;
        let (year, rest) = value.split_at_checked(4).ok_or(NoPeriod)?;
        let year = i32::try_from(number(year, 4)?).map_err(|_| NoPeriod)?;
        let rest = rest.strip_prefix('-').ok_or(NoPeriod)?;
        let period = match kind {
            "day" => {
                let (month, day) = rest.split_once('-').ok_or(NoPeriod)?;
                NaiveDate::from_ymd_opt(year, number(month, 2)?, number(day, 2)?).map(Self::day)
            }
            "week" => {
                let week = rest.strip_prefix('W').ok_or(NoPeriod)?;
                NaiveDate::from_isoywd_opt(year, number(week, 2)?, Weekday::Mon).map(Self::week)
            }
            "month" => NaiveDate::from_ymd_opt(year, number(rest, 2)?, 1).map(Self::month),
            _ => None,
        };
        period.ok_or(NoPeriod)
    }
}

/// So many digits, and nothing else.
fn number(digits: &str, count: usize) -> Result<u32, NoPeriod> {
    if digits.len() != count || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NoPeriod);
    }
    digits.parse().map_err(|_| NoPeriod)
}

/// A text that names no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPeriod;

impl fmt::Display for NoPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a period is written as day:2026-11-20, week:2026-W47 or month:2026-11")
    }
}

impl Error for NoPeriod {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(period: Period) -> (String, String) {
        (period.from.to_string(), period.to.to_string())
    }

    #[test]
    fn weeks_go_from_monday_to_sunday_and_months_to_their_last_day() {
        let is = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let friday = date("2026-11-20");
        assert_eq!(days(Period::day(friday)), is("2026-11-20", "2026-11-20"));
        assert_eq!(days(Period::week(friday)), is("2026-11-16", "2026-11-22"));
        assert_eq!(days(Period::month(friday)), is("2026-11-01", "2026-11-30"));
        let leap = Period::month(date("2024-02-10"));
        assert_eq!(days(leap), is("2024-02-01", "2024-02-29"));
        assert_eq!(days(leap.next()), is("2024-03-01", "2024-03-31"));
        assert_eq!(days(leap.previous()), is("2024-01-01", "2024-01-31"));
        assert!(leap.contains(date("2024-02-29")) && !leap.contains(date("2024-03-01")));
    }

    #[test]
    fn a_week_may_belong_to_another_year_than_its_days() {
        let week = Period::week(date("2027-01-01"));
        assert_eq!(week.to_string(), "week:2026-W53");
        assert_eq!(week.next().to_string(), "week:2027-W01");
        assert_eq!("week:2026-W53".parse(), Ok(week));
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in [
            "",
            "day",
            "day:",
            "day:2026",
            "day:2026-11",
            "day:2026-11-31",
            "day:2026-11-2",
            "day:+026-11-20",
            "week:2026-47",
            "week:2026-W54",
            "week:2026-W00",
            "month:2026-13",
            "month:2026-1",
            "month:2026-011",
            "month:20266-1",
            "year:2026-01",
            "Day:2026-11-20",
            "month:２026-11",
            "day:2026-11-20 ",
        ] {
            assert_eq!(text.parse::<Period>(), Err(NoPeriod), "{text:?}");
        }
    }

    #[test]
    fn the_calendar_has_an_end() {
        for kind in [PeriodKind::Day, PeriodKind::Week, PeriodKind::Month] {
            for date in [NaiveDate::MIN, NaiveDate::MAX] {
                let period = Period::around(kind, date);
                assert!(period.contains(date));
                assert!(period.previous().from <= period.from);
                assert!(period.next().to >= period.to);
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(days in 1_i32..3_600_000, kind in 0_usize..3) {
            let date = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            let kind = [PeriodKind::Day, PeriodKind::Week, PeriodKind::Month][kind];
            let period = Period::around(kind, date);
            prop_assert!(period.contains(date));
            prop_assert_eq!(period.to_string().parse(), Ok(period));
            prop_assert_eq!(period.next().previous(), period);
            prop_assert_eq!(period.previous().next(), period);
        }

        #[test]
        fn no_text_is_too_strange(text in "(day:|week:|month:)?.{0,20}") {
            let _ = text.parse::<Period>();
        }
    }
}
