//! Days, moments and zones as they are typed after a command, and what is said of one that cannot be read.

use chrono::{DateTime, FixedOffset, NaiveDate};
use chrono_tz::Tz;

pub(crate) fn day(text: &str) -> Result<NaiveDate, &'static str> {
    text.parse().map_err(|_| "write a day as in 2026-11-20")
}

pub(crate) fn moment(text: &str) -> Result<DateTime<FixedOffset>, &'static str> {
    text.parse()
        .map_err(|_| "write a moment as in 2026-11-20T13:30:00+01:00")
}

pub(crate) fn zone(text: &str) -> Result<Tz, &'static str> {
    text.parse()
        .map_err(|_| "write a time zone as in Europe/Berlin")
}
