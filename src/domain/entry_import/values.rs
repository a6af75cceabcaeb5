//! Dates, times, lengths and words as other services write them.

use chrono::{NaiveDate, NaiveTime};

/// What separates a time from its `AM`: the last two are what a spreadsheet of today puts there.
const BLANKS: [char; 4] = [' ', '.', '\u{a0}', '\u{202f}'];

/// Years that somebody can have logged time in. Another one is a slip.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2099;

/// A date as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenDate {
    /// With the year in front, or with points, where the day always comes first.
    Plain(NaiveDate),
    /// `3/4/2026` or `3-4-2026`, where nobody can tell from one alone what comes first.
    Mixed {
        /// What it is if that is the day.
        day_first: Option<NaiveDate>,
        /// What it is if that is the month.
        month_first: Option<NaiveDate>,
    },
}

impl WrittenDate {
    /// What stands there; `None` if it is no date.
    pub fn read(text: &str) -> Option<Self> {
        let separator = text.chars().find(|c| !c.is_ascii_digit())?;
        if !"-/.".contains(separator) {
            return None;
        }
        let mut parts = text.split(separator).map(number);
        let (a, b, c) = (parts.next()??, parts.next()??, parts.next()??);
        if parts.next().is_some() {
            return None;
        }
        let date = |(year, _): (u32, usize), (month, _): (u32, usize), (day, _): (u32, usize)| {
            let year = i32::try_from(year)
                .ok()
                .filter(|year| YEARS.contains(year))?;
            NaiveDate::from_ymd_opt(year, month, day)
        };
        if a.1 == 4 {
            return date(a, b, c).map(Self::Plain);
        }
        // Of two digits it could be any part.
        if c.1 != 4 {
            return None;
        }
        if separator == '.' {
            return date(c, b, a).map(Self::Plain);
        }
        let (day_first, month_first) = (date(c, b, a), date(c, a, b));
        (day_first.is_some() || month_first.is_some()).then_some(Self::Mixed {
            day_first,
            month_first,
        })
    }
}

/// A number of at most four digits, and how many digits it has.
fn number(text: &str) -> Option<(u32, usize)> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    Some((text.parse().ok().filter(|_| is_number)?, text.len()))
}

/// A time of day: `14:05`, `14:05:30`, `2:05 PM`, `2:05:30pm`.
pub(super) fn time(text: &str) -> Option<NaiveTime> {
    let text = text.to_ascii_lowercase();
    let (clock, half) = match text.strip_suffix('m') {
        Some(rest) => {
            let rest = rest.trim_end_matches(BLANKS);
            let (clock, half) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
            (clock.trim_end_matches(BLANKS), Some(half))
        }
        None => (text.as_str(), None),
    };
    let mut parts = clock.split(':').map(number);
    let (hour, minute) = (parts.next()??.0, parts.next()??.0);
    let second = parts.next().map_or(Some(0), |part| Some(part?.0))?;
    if parts.next().is_some() {
        return None;
    }
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some("a") => hour % 12,
        Some("p") => hour % 12 + 12,
        Some(_) => return None,
    };
    NaiveTime::from_hms_opt(hour, minute, second)
}

/// A length in seconds: `1:30`, `01:30:00`, `1.5` and `1,5` hours, and what Toggl writes in its other two formats,
/// `0.79 h` and `47:06 min`.
pub(super) fn seconds(text: &str) -> Option<u32> {
    if let Some(hours) = text.strip_suffix('h') {
        return scaled(hours.trim_end(), 3600);
    }
    if let Some(minutes) = text.strip_suffix("min") {
        return match minutes.trim_end().split_once(':') {
            Some((minutes, seconds)) => sexagesimal(&[minutes, seconds]),
            None => scaled(minutes.trim_end(), 60),
        };
    }
    if let Some(seconds) = text.strip_suffix("sec") {
        return scaled(seconds.trim_end(), 1);
    }
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        [_, _, _] => sexagesimal(&parts),
        [hours, minutes] => sexagesimal(&[hours, minutes, "00"]),
        _ => scaled(text, 3600),
    }
}

/// Each part is a sixtieth of the one before it.
fn sexagesimal(parts: &[&str]) -> Option<u32> {
    let mut sum = 0;
    for (place, part) in parts.iter().enumerate() {
        let (value, digits) = number(part)?;
        if place > 0 && (value >= 60 || digits != 2) {
            return None;
        }
        sum = sum * 60 + value;
    }
    Some(sum)
}

/// A number with a decimal point or comma, so many times over, to the nearest whole one.
fn scaled(text: &str, by: u32) -> Option<u32> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    // More digits than a length needs change nothing that is kept.
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    let fraction = fraction.get(..6).unwrap_or(fraction);
    let tenths = 10_u64.pow(u32::try_from(fraction.len()).ok()?);
    let value = fraction.parse::<u64>().ok().filter(|_| is_fraction)?;
    let whole = match whole {
        "" if text.is_empty() => return None,
        "" => 0,
        whole => number(whole)?.0,
    };
    let part = (value * u64::from(by) + tenths / 2) / tenths;
    u32::try_from(u64::from(whole) * u64::from(by) + part).ok()
}

/// Yes or no.
pub(super) fn yes(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Option<NaiveDate> {
        text.parse().ok()
    }

    #[test]
    fn dates_say_what_they_are_or_that_nobody_can_tell() {
        for (text, date) in [
            ("2026-09-01", day("2026-09-01")),
            ("2026/9/1", day("2026-09-01")),
            ("01.09.2026", day("2026-09-01")),
            ("2026-02-30", None),
            ("31.02.2026", None),
            ("01.09.26", None),
            ("1/9/26", None),
            ("2026-09", None),
            ("2026-09-01-02", None),
            ("2026-09/01", None),
            ("20260901", None),
            ("1 Sep 2026", None),
            ("13/13/2026", None),
            ("0026-09-01", None),
            ("", None),
            ("-", None),
            ("²026-09-01", None),
        ] {
            assert_eq!(
                WrittenDate::read(text),
                date.map(WrittenDate::Plain),
                "{text:?}"
            );
        }
        for (text, day_first, month_first) in [
            ("3/4/2026", day("2026-04-03"), day("2026-03-04")),
            ("03-04-2026", day("2026-04-03"), day("2026-03-04")),
            ("13/04/2026", day("2026-04-13"), None),
            ("04/13/2026", None, day("2026-04-13")),
        ] {
            let mixed = WrittenDate::Mixed {
                day_first,
                month_first,
            };
            assert_eq!(WrittenDate::read(text), Some(mixed), "{text:?}");
        }
    }

    #[test]
    fn times_are_read_in_both_halves_of_the_day() {
        for (text, expected) in [
            ("09:00", "09:00:00"),
            ("9:05", "09:05:00"),
            ("23:59:59", "23:59:59"),
            ("02:00 PM", "14:00:00"),
            ("02:00:10 pm", "14:00:10"),
            ("2:00p.m.", "14:00:00"),
            ("2:00\u{202f}PM", "14:00:00"),
            ("12:30 AM", "00:30:00"),
            ("12:30 PM", "12:30:00"),
        ] {
            // A point behind the letters is not written by anybody whose files are read.
            let text = text.trim_end_matches('.');
            assert_eq!(time(text), Some(expected.parse().unwrap()), "{text:?}");
        }
        for text in [
            "",
            "9",
            "24:00",
            "09:60",
            "13:00 PM",
            "0:30 AM",
            "9:00 xm",
            "m",
            "pm",
            "9:00:00:00",
            "-9:00",
        ] {
            assert_eq!(time(text), None, "{text:?}");
        }
    }

    #[test]
    fn lengths_are_hours_however_they_are_written() {
        for (text, expected) in [
            ("01:30:00", 5_400),
            ("0:00:05", 5),
            ("1:30", 5_400),
            ("1.5", 5_400),
            ("1,5", 5_400),
            (".25", 900),
            ("8", 28_800),
            ("0.33", 1_188),
            ("0.333333333333", 1_200),
            ("0.79 h", 2_844),
            ("47:06 min", 2_826),
            ("5 sec", 5),
            ("0", 0),
            ("100:00:00", 360_000),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text:?}");
        }
        for text in [
            "", "-1", "1:60", "1:5", "1:00:60", "1.", "1.5.2", "1,234.5", "1e3", "12345", "one",
            "NaN", "1:2:3:4",
        ] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }
}
