//! The language of `/time`.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::minutes::Minutes;

mod day;
mod draft;
mod duration;
mod error;
mod exact;
mod explain;
mod line;
mod marks;
mod moment;
mod number;
mod range;
mod slack_text;
#[cfg(test)]
mod tests;
mod trailing;
mod words;

pub use error::{ErrorKind, ParseError, Suggestion};
pub use explain::{Explanation, explain};

/// What the reading of a line depends on besides its text.
#[derive(Clone, Debug)]
pub struct Context {
    /// The present instant.
    pub now: DateTime<Utc>,
    /// The zone in which the person's days begin and end.
    pub zone: Tz,
    /// How a whole number without a unit is read.
    pub bare_number_unit: BareNumberUnit,
    /// The length of `1d`.
    pub workday: Minutes,
    /// The order of day and month in `3/11`.
    pub slash_dates: SlashDates,
}

impl Context {
    /// A context with the defaults: bare numbers are guessed, a day has 8 hours, and slash dates
    /// are asked back.
    pub fn new(now: DateTime<Utc>, zone: Tz) -> Self {
        Self {
            now,
            zone,
            bare_number_unit: BareNumberUnit::default(),
            workday: Minutes::from_hours(8),
            slash_dates: SlashDates::default(),
        }
    }

    /// The date where the person is.
    pub fn today(&self) -> NaiveDate {
        self.now.with_timezone(&self.zone).date_naive()
    }
}

/// How a whole number without a unit is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BareNumberUnit {
    /// 1 to 12 are hours, 15 and above minutes; 0, 13 and 14 are asked back.
    #[default]
    Guess,
    /// Always hours.
    Hours,
    /// Always minutes.
    Minutes,
}

/// The order of day and month in a date with slashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlashDates {
    /// Unknown: where both orders are a date, the person is asked.
    #[default]
    Ask,
    /// `3/11` is the 3rd of November.
    DayFirst,
    /// `3/11` is the 11th of March.
    MonthFirst,
}

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeCommand {
    /// Nothing was typed.
    Empty,
    /// `help`, or a question without a time.
    Help,
    /// `undo`.
    Undo,
    /// `? …`: explain the rest without saving it.
    Explain(String),
    /// Anything else: an entry.
    Log(LogLine),
}

/// An entry as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How long it took, from 1 minute to 24 hours.
    pub duration: Minutes,
    /// What was done, up to 3,000 characters; empty if only a time was typed.
    pub description: String,
    /// The day, in the person's zone.
    pub date: NaiveDate,
    /// When it began, if clock times were typed.
    pub start: Option<NaiveTime>,
    /// When it ended, if clock times were typed; not after `start` when it ended on the next day.
    pub end: Option<NaiveTime>,
    /// The clock times as they were typed, in order; `duration` is their sum, breaks left out.
    pub ranges: Vec<ClockRange>,
    /// What was guessed and has to be shown.
    pub guess: Option<Guess>,
    /// Tags without the `+`, in the order in which they were typed.
    pub tags: Vec<String>,
    /// The project without the `#`, as it was typed.
    pub project: Option<String>,
    /// The client without the `@`, as it was typed.
    pub client: Option<String>,
    /// Whether it can be billed, if that was typed.
    pub billable: Option<bool>,
}

impl LogLine {
    /// The description with the marks that were typed beside it: `#acme wireframes +design`. What is kept of
    /// a line as long as projects, clients and tags have no place of their own.
    pub fn words(&self) -> String {
        let marked = |sign: char, name: &String| format!("{sign}{name}");
        let mut words: Vec<String> = Vec::new();
        words.extend(self.project.iter().map(|name| marked('#', name)));
        words.extend(self.client.iter().map(|name| marked('@', name)));
        words.extend((!self.description.is_empty()).then(|| self.description.clone()));
        words.extend(self.tags.iter().map(|name| marked('+', name)));
        words.extend(self.billable.map(|is_billable| {
            if is_billable {
                "!billable"
            } else {
                "!nonbillable"
            }
            .to_owned()
        }));
        words.join(" ")
    }
}

/// A time from–to in the person's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockRange {
    /// The first instant.
    pub start: NaiveTime,
    /// The instant at which it was over; not after `start` if that was on the next day.
    pub end: NaiveTime,
}

/// A reading that could have been another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guess {
    /// A whole number without a unit.
    BareNumber {
        /// The number as it was typed.
        written: String,
        /// The unit it was read with.
        read_as: Unit,
        /// The length with the other unit; may be more than a day, and then cannot be meant.
        other: Minutes,
    },
    /// A weekday without a date.
    Weekday {
        /// The day as it was typed.
        written: String,
        /// The day it was read as: the most recent one, today included.
        read_as: NaiveDate,
        /// The same weekday a week earlier.
        other: NaiveDate,
    },
    /// Clock times from 1 to 6 without `am` or `pm`, read as written.
    HalfDay {
        /// The start it was read with.
        read_as: NaiveTime,
        /// The start twelve hours later; the end moves with it.
        other: NaiveTime,
    },
}

impl Guess {
    /// The name of the guess in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BareNumber { .. } => "bare_number",
            Self::Weekday { .. } => "weekday",
            Self::HalfDay { .. } => "half_day",
        }
    }
}

/// A unit a bare number is read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Hours.
    Hours,
    /// Minutes.
    Minutes,
}

/// Reads what stands behind `/time`.
///
/// Slack's escapes are read back first, so `text` may come from Slack or from a terminal. Takes
/// time in proportion to the length of the text.
///
/// # Errors
/// If the text is not a line of the language, has two readings, or asks for what is not possible.
/// Nothing is guessed silently.
pub fn parse(text: &str, context: &Context) -> Result<TimeCommand, ParseError> {
    let typed = slack_text::read_back(text);
    line::command(&typed.text, &typed.mentions, context)
}
/// The text as the person typed it, which Slack sends with its signs escaped and its mentions marked.
pub fn as_typed(text: &str) -> Cow<'_, str> {
    slack_text::read_back(text).text
}
