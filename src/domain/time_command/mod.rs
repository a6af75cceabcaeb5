//! The language of `/time`.
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::minutes::Minutes;

mod duration;
mod error;
mod exact;
mod explain;
mod line;
mod number;
mod slack_text;
#[cfg(test)]
mod tests;
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
}

impl Context {
    /// A context with the defaults: bare numbers are guessed, and a day has 8 hours.
    pub fn new(now: DateTime<Utc>, zone: Tz) -> Self {
        Self {
            now,
            zone,
            bare_number_unit: BareNumberUnit::default(),
            workday: Minutes::from_hours(8),
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
}

impl Guess {
    /// The name of the guess in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BareNumber { .. } => "bare_number",
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
    line::command(&slack_text::read_back(text), context)
}
