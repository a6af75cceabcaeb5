//! Days, moments and zones as they are typed after a command, and what is said of one that cannot be read.

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate};
use chrono_tz::Tz;

/// Years that both databases have names of four digits for.
const YEARS: std::ops::RangeInclusive<i32> = 2..=9998;

pub(crate) fn day(text: &str) -> Result<NaiveDate, &'static str> {
    let day = text.parse().ok();
    day.filter(|day: &NaiveDate| YEARS.contains(&day.year()))
        .ok_or("write a day as in 2026-11-20")
}

pub(crate) fn moment(text: &str) -> Result<DateTime<FixedOffset>, &'static str> {
    let moment = text.parse().ok();
    moment
        .filter(|moment: &DateTime<FixedOffset>| YEARS.contains(&moment.year()))
        .ok_or("write a moment as in 2026-11-20T13:30:00+01:00")
}

pub(crate) fn zone(text: &str) -> Result<Tz, &'static str> {
    text.parse()
        .map_err(|_| "write a time zone as in Europe/Berlin")
}
