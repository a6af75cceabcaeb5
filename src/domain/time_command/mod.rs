//! The language of `/time`: one line becomes an entry, or a sentence that says why not.
//!
//! It is deterministic, does not distinguish capitals, and is never silent about a guess: what
//! could have been meant differently is either marked with a [`Guess`] or asked back with an
//! [`ErrorKind::Ambiguous`]. Amounts are exact fractions, never floats.
//!
//! # A line
//!
//! ```text
//! line        = "?" line | echo | entry | verb
//! verb        = "start" [":"] description | "report" {period | by | "#" project}
//!             | ("today" | "yesterday" | "week" | "month") {by | "#" project}
//!             | "link" ["#" project] | "connect" ["google" | "outlook"] | "export" [period] [["as"] "csv"]
//!             | "help" | "undo" | "stop" | "status" | "cancel" | "edit" | "delete" | "move"
//!             | "projects" | "unlink" | "sync" | "prefs"
//! by          = "by" ("project" | "day" | "client")
//! entry       = moment ["on" | "for"] [separator] description
//!             | description ["for"] moment
//! moment      = [day] time | time [["on"] day]
//! time        = range {("," | "and") range} | duration
//! separator   = ":" | "-" | "–" | "—" | "," | ";"
//! ```
//!
//! `#project`, `@client` and `!billable` or `!nonbillable` stand anywhere around the description,
//! `+tag` at the end. Only one time is taken, the first one or, failing that, the last; everything
//! else is the description, word for word. Behind a colon or a dash, and in quotes, no word is
//! taken for a day or a second time; a comma also joins amounts and ranges. Slack's escapes are
//! read back as what was typed.
//!
//! ```
//! use billops::domain::time_command::{Context, TimeCommand, parse};
//!
//! // Friday 20 November 2026, 17:30 in Berlin.
//! let now = "2026-11-20T16:30:00Z".parse().unwrap();
//! let context = Context::new(now, chrono_tz::Europe::Berlin);
//! let log = |text| match parse(text, &context) {
//!     Ok(TimeCommand::Log(line)) => line,
//!     other => panic!("{other:?}"),
//! };
//!
//! let line = log("2.5 hours: Meeting");
//! assert_eq!((line.duration.get(), line.description.as_str()), (150, "Meeting"));
//!
//! let line = log("1h30 #acme wireframes +web !billable");
//! assert_eq!(line.duration.get(), 90);
//! assert_eq!(line.project.as_deref(), Some("acme"));
//! assert_eq!(line.description, "wireframes");
//! assert_eq!((line.tags, line.billable), (vec!["web".to_owned()], Some(true)));
//!
//! assert_eq!(log("2h call about the 9-11 slot").description, "call about the 9-11 slot");
//! assert_eq!(log("Meeting for half an hour").duration.get(), 30);
//! assert_eq!(log("yesterday 45m: code review").date.to_string(), "2026-11-19");
//! ```
//!
//! # Durations
//!
//! | written | read |
//! |---|---|
//! | `2h`, `2 hrs`, `45 mins`, `90s`, `15'`, `2-hour`, `PT1H30M` | hours, minutes, seconds |
//! | `1h30m`, `1 hour, 15 minutes`, `2 hours and 20 minutes` | units from long to short, each once; `+` joins minutes to hours |
//! | `1h30`, `3h 15`, `2 hours ten` | a number after hours is minutes |
//! | `1:30`, `1;30`, `:30`, `1:30:00` | hours, minutes and seconds |
//! | `1.5`, `1,5h`, `.5h` | decimals; without a unit, hours |
//! | `2`, `90` | 1 to 12 are hours, 15 and above minutes, which is a guess; 0, 13 and 14 are asked back |
//! | `half an hour`, `3/4 hour`, `1½h`, `an hour and a half`, `a couple of hours`, `twenty minutes` | words and fractions |
//! | `1d` | the working day of the context |
//!
//! [`Context::bare_number_unit`] fixes the unit of a whole number: then nothing is guessed or asked
//! back, and what is offered for a wrong unit (`2x`) has it, too. Decimals stay hours.
//!
//! The total is rounded to the minute, half up. From 1 minute to 24 hours are accepted. Weeks and
//! longer, minutes above 59 beside hours, negative and repeated amounts are refused, and so are
//! digits outside ASCII.
//!
//! ```
//! # use billops::domain::time_command::{Context, ErrorKind, TimeCommand, parse};
//! # let now = "2026-11-20T16:30:00Z".parse().unwrap();
//! # let context = Context::new(now, chrono_tz::Europe::Berlin);
//! # let minutes = |text| match parse(text, &context) {
//! #     Ok(TimeCommand::Log(line)) => line.duration.get(),
//! #     other => panic!("{other:?}"),
//! # };
//! # let refused = |text| parse(text, &context).unwrap_err();
//! assert_eq!(minutes("1h30"), 90);
//! assert_eq!(minutes("8.20"), 492);
//! assert_eq!(minutes("two and a quarter hours"), 135);
//!
//! let refusal = refused("1h75 wireframes");
//! assert_eq!(refusal.kind, ErrorKind::Refused);
//! assert_eq!(refusal.to_string(), "75 minutes do not fit after “1h”. Did you mean 2 h 15 min?");
//! assert_eq!(refusal.example, "2h15m: wireframes");
//!
//! let asked = refused("13 release notes");
//! assert_eq!(asked.kind, ErrorKind::Ambiguous);
//! assert_eq!(asked.suggestions[0].line, "13m: release notes");
//! assert_eq!(asked.suggestions[1].line, "13h: release notes");
//! ```
//!
//! # Times from–to
//!
//! `9-11:30`, `9:00–17:00`, `9am-5pm`, `9h30 - 11h`, `0900-1700`, `from 14:00 till 15:30`,
//! `between 9:30 and 11:00`, `4pm for 30 mins`; several sum up, as in `9-12, 13-17`. The half of
//! the day carries over (`8 - 11pm`, `1pm-3`). Without one, an end before the start is twelve hours
//! later, or on the next day if the start is at 18:00 or later. The length is the difference of
//! two instants in the zone of the context, up to 16 hours.
//!
//! ```
//! # use billops::domain::time_command::{Context, TimeCommand, parse};
//! # let now = "2026-11-20T16:30:00Z".parse().unwrap();
//! # let context = Context::new(now, chrono_tz::Europe::Berlin);
//! # let log = |text| match parse(text, &context) {
//! #     Ok(TimeCommand::Log(line)) => line,
//! #     other => panic!("{other:?}"),
//! # };
//! let line = log("9-12, 1-5 workshop");
//! assert_eq!(line.duration.get(), 420);
//! assert_eq!(line.start.unwrap().to_string(), "09:00:00");
//! assert_eq!(line.end.unwrap().to_string(), "17:00:00");
//!
//! // The clocks went forward in this night.
//! assert_eq!(log("28 Mar 22:00-04:00 deploy").duration.get(), 300);
//! ```
//!
//! # Days
//!
//! `today`, `yesterday`, `day before yesterday`, `fri`, `last friday`, `tuesday of last week`,
//! `2026-11-20`, `20 Nov`, `Nov 20th, 2026`, `20.11.`, `3 days ago`, `-1d`. Without a year, and for a
//! weekday, it is the most recent one, today included. Dates with slashes follow
//! [`Context::slash_dates`]. The future is refused.
//!
//! ```
//! # use billops::domain::time_command::{Context, TimeCommand, parse};
//! # let now = "2026-11-20T16:30:00Z".parse().unwrap();
//! # let context = Context::new(now, chrono_tz::Europe::Berlin);
//! # let date = |text| match parse(text, &context) {
//! #     Ok(TimeCommand::Log(line)) => line.date.to_string(),
//! #     other => panic!("{other:?}"),
//! # };
//! assert_eq!(date("thu 1h: Proposal"), "2026-11-19");
//! assert_eq!(date("1h last friday: Proposal"), "2026-11-13");
//! assert_eq!(date("Proposal 1h Dec 24"), "2025-12-24");
//!
//! let refusal = parse("tomorrow 2h: Proposal", &context).unwrap_err();
//! assert_eq!(refusal.message, "Sat 21 Nov is in the future. Time is logged up to today.");
//! assert_eq!(refusal.example, "today 2h: Proposal");
//! ```
//!
//! # The echo
//!
//! What [`Explanation`] prints can be typed again and reads the same, but for the guess: it is literal.
//! A description in it needs no quotes, as the day always follows it.
//!
//! ```
//! # use billops::domain::time_command::{Context, TimeCommand, explain, parse};
//! # let now = "2026-11-20T16:30:00Z".parse().unwrap();
//! # let context = Context::new(now, chrono_tz::Europe::Berlin);
//! let echo = explain("11-1:30pm #acme Meeting !billable", &context).to_string();
//! assert_eq!(
//!     echo,
//!     "2 h 30 min · Meeting · today Fri 20 Nov, 11:00–13:30 · #acme · billable"
//! );
//! let read = |text: &str| match parse(text, &context) {
//!     Ok(TimeCommand::Log(line)) => line,
//!     other => panic!("{other:?}"),
//! };
//! assert_eq!(read(&echo), read("11-1:30pm #acme Meeting !billable"));
//! ```
//!
//! # Verbs
//!
//! A verb is only the first word, and a line that is an entry is one: `today 2h: call`, `week 2h`,
//! `report writing 2h`, `stop the leak 2h`, `export module 1h`. With a colon behind it, no other verb
//! than `start` is one (`report: 2h`).
//!
//! `start` takes free text, so `start fix 2h bug` and `start 2h fix` are timers. With a time at the
//! end, where an entry has it, the person is asked (`start planning 2h`); `start: planning 2h` is
//! certainly a timer. A verb that changes something, with nothing but a time behind it (`edit 2h`),
//! is asked back, too. Other words behind a verb are refused with what would work.
//!
//! A period is any day of the language, `this week`, `last month`, `2026-10`, `oct`, `october 2026`;
//! without one, `report` is of this week. The future is refused.
//!
//! ```
//! use billops::domain::time_command::Grouping;
//! # use billops::domain::time_command::{Context, ErrorKind, TimeCommand, parse};
//! # let now = "2026-11-20T16:30:00Z".parse().unwrap();
//! # let context = Context::new(now, chrono_tz::Europe::Berlin);
//! let Ok(TimeCommand::Report(report)) = parse("report last week by client #acme", &context) else {
//!     panic!("it is a report");
//! };
//! assert_eq!(report.period.to_string(), "week:2026-W46");
//! assert_eq!(report.group, Some(Grouping::Client));
//! assert_eq!(report.project.as_deref(), Some("acme"));
//!
//! let Ok(TimeCommand::Start(timer)) = parse("start #acme fix 2h bug", &context) else {
//!     panic!("it is a timer");
//! };
//! assert_eq!(timer.description, "fix 2h bug");
//!
//! let asked = parse("start planning 2h", &context).unwrap_err();
//! assert_eq!(asked.kind, ErrorKind::Ambiguous);
//! assert_eq!(asked.suggestions[0].line, "2h: start planning");
//! assert_eq!(asked.suggestions[1].line, "start: planning 2h");
//!
//! let refusal = parse("stop it", &context).unwrap_err();
//! assert_eq!(refusal.example, "stop");
//! ```

use std::{borrow::Cow, fmt};

use chrono::{DateTime, NaiveDate, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{minutes::Minutes, period::Period, provider::Provider};

mod asked;
mod clock;
mod day;
mod draft;
mod duration;
mod echo;
mod error;
mod exact;
pub mod examples;
mod explain;
mod field;
mod line;
mod marks;
mod moment;
mod number;
mod quantity;
mod range;
mod refusal;
mod report;
#[cfg(test)]
mod rows;
mod sentences;
mod slack_text;
mod stop;
#[cfg(test)]
mod tests;
mod trailing;
mod verb;
mod words;

pub use error::{ErrorKind, ParseError, Suggestion};
pub use explain::{Explanation, explain};
pub use field::{TimeReading, length_of_day, time_on};
pub use report::{Grouping, ReportRequest};
pub use verb::StartLine;

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
    /// Always hours; 0 is refused, and so is more than 24.
    Hours,
    /// Always minutes; 0 is refused.
    Minutes,
}

impl BareNumberUnit {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Guess, Self::Hours, Self::Minutes];

    /// As it is stored, and called in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Hours => "hours",
            Self::Minutes => "minutes",
        }
    }

    /// The other way round; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.as_str() == name)
    }
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
    /// `undo`: take the last entry back.
    Undo,
    /// `? …`: explain the rest without saving it.
    Explain(String),
    /// `start …`: a timer.
    Start(StartLine),
    /// `stop`: the timer becomes an entry.
    Stop,
    /// `status`: what is running.
    Status,
    /// `cancel`: the timer goes without an entry.
    Cancel,
    /// `today`, `yesterday`, `week`, `month`, `report …`.
    Report(ReportRequest),
    /// `edit`: the last entries, to be changed.
    Edit,
    /// `delete`: the last entries, to be deleted.
    Delete,
    /// `move`: the last entries, to be put on another day.
    Move,
    /// `projects`.
    Projects,
    /// `link #acme`: the project of this channel, without the `#`; `link` alone shows it.
    Link(Option<String>),
    /// `unlink`: this channel has no project any more.
    Unlink,
    /// `connect`, `connect google`: a calendar.
    Connect(Option<Provider>),
    /// `connect K7QM-2XWD`: the code that a page showed.
    ConnectCode(String),
    /// `sync`: the calendars, now.
    Sync,
    /// `prefs`: the preferences.
    Prefs,
    /// `export last month`: entries as a file.
    Export {
        /// What was typed behind it.
        words: String,
        /// From when to when; never wholly in the future. All of them without it.
        period: Option<Period>,
    },
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
    /// The description with the marks that were typed beside it: `#acme wireframes +design`, to type
    /// the line again in another way.
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

/// Writes `11:00–13:30`, with seconds where there are any.
impl fmt::Display for ClockRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |time: NaiveTime| match time.second() {
            0 => time.format("%H:%M"),
            _ => time.format("%H:%M:%S"),
        };
        write!(f, "{}–{}", shown(self.start), shown(self.end))
    }
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
