//! What a person is told when a line cannot be logged as it stands.
//!
//! Inside the grammar a parser stops with a [`Stop`]: where, and which [`Problem`]. At the border
//! it becomes a [`ParseError`], which speaks in sentences and is made from the person's own line.

use std::{error::Error, fmt};

use chrono::{Datelike, NaiveDate, NaiveTime};
use nom::{Err, IResult};
use serde::Serialize;

use super::moment::{Missed, Moment, Time};
use crate::domain::minutes::Minutes;

/// Why a line was not read: what was understood, where it stopped, and a line that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Whether it was refused, has two readings, or was not understood.
    pub kind: ErrorKind,
    /// Where it stopped: an offset in characters (not bytes) of the text as the person typed it,
    /// from 0 to the number of its characters.
    pub at: usize,
    /// What had been understood up to there, if anything.
    pub understood: Option<Box<str>>,
    /// The word at which it stopped, if the text had not ended; cut after 40 characters.
    pub stopped_at: Option<Box<str>>,
    /// One sentence or two for the person, without the example.
    pub message: String,
    /// A whole line that works, made from theirs, without the leading `/time `.
    pub example: String,
    /// Up to two readings that can be accepted with a button.
    pub suggestions: Vec<Suggestion>,
}

/// How a line failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Understood, and not possible: zero, more than a day, units in the wrong order.
    Refused,
    /// Two readings are equally likely, so the person is asked.
    Ambiguous,
    /// Not a line of the language.
    NotUnderstood,
}

/// A reading that a person may accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What to write on the button: `13 minutes`.
    pub label: String,
    /// The whole line that has this reading, without the leading `/time `: `13m: release notes`.
    pub line: String,
}

/// Writes the sentence for the person.
impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ParseError {}

/// What a parser of the grammar gives back.
pub(super) type Parsed<'a, T> = IResult<&'a str, T, Stop<'a>>;

/// Where and why a parser stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stop<'a> {
    /// The rest of the line from where it stopped.
    pub(super) at: &'a str,
    /// The rest of the line behind what it stopped at: the description, if the time were right.
    pub(super) after: &'a str,
    pub(super) problem: Problem,
}

impl<'a> Stop<'a> {
    /// Stops at a place, in front of everything that follows.
    pub(super) fn here(at: &'a str, problem: Problem) -> Self {
        Self::before(at, at, problem)
    }

    /// Stops at a place, and knows where the time expression would have ended.
    pub(super) fn before(at: &'a str, after: &'a str, problem: Problem) -> Self {
        Self { at, after, problem }
    }

    /// The stop in an error of a parser.
    pub(super) fn from_nom(error: Err<Self>, input: &'a str) -> Self {
        match error {
            Err::Error(stop) | Err::Failure(stop) => stop,
            Err::Incomplete(_) => Self::here(input, Problem::NoTime),
        }
    }

    /// A stop that no other reading can save.
    pub(super) fn for_good<T>(self) -> Result<T, Err<Self>> {
        Err(Err::Failure(self))
    }
}

impl<'a> nom::error::ParseError<&'a str> for Stop<'a> {
    fn from_error_kind(input: &'a str, _: nom::error::ErrorKind) -> Self {
        Self::here(input, Problem::NoTime)
    }

    fn append(_: &'a str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

/// What can be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NoTime,
    UnknownUnit { reading: Option<Minutes> },
    NoUnit { reading: Option<Minutes> },
    UnitFirst,
    BareUnit,
    LongUnit,
    WrongOrder,
    MinutesDoNotFit { total: Option<Minutes> },
    SecondsDoNotFit,
    Zero,
    TooLong { length: Minutes },
    TooManyDigits,
    Negative { reading: Option<Minutes> },
    ForeignDigits,
    Separators,
    TimeOfDay,
    SecondTime,
    HoursOrMinutes { number: u32 },
    ZeroOfWhat,
    Thousands,
    MinutesOrWords { short: Minutes, long: Minutes },
    OneOnOne,
    TwoTimes,
    TwoLengths { first: Minutes, second: Minutes },
    NumberAtTheEnd,
    DescriptionTooLong { characters: usize },
    Unreadable,
    NoTimeOnDay,
    NoSuchDay,
    OtherWeekday,
    Future { date: NaiveDate },
    EitherDay { first: NaiveDate, second: NaiveDate },
    DayOrWords,
    NoLength,
    RangeTooLong { length: Minutes },
    EndFirst,
    Overlap,
    ClockSkips { date: NaiveDate, time: NaiveTime },
    ClockRepeats { date: NaiveDate, time: NaiveTime },
}

impl Problem {
    /// Whether the words may simply be a description whose time stands at the end:
    /// `3D modelling 2h`.
    pub(super) fn may_be_words(self) -> bool {
        matches!(
            self,
            Self::NoTime
                | Self::UnknownUnit { .. }
                | Self::NoUnit { .. }
                | Self::UnitFirst
                | Self::BareUnit
                | Self::ForeignDigits
                | Self::OneOnOne
                | Self::Separators
                | Self::Unreadable
        )
    }

    fn kind(self) -> ErrorKind {
        match self {
            Self::HoursOrMinutes { .. }
            | Self::ZeroOfWhat
            | Self::Thousands
            | Self::MinutesOrWords { .. }
            | Self::OneOnOne
            | Self::TwoTimes
            | Self::TwoLengths { .. }
            | Self::EitherDay { .. }
            | Self::DayOrWords
            | Self::ClockRepeats { .. }
            | Self::NumberAtTheEnd => ErrorKind::Ambiguous,
            Self::LongUnit
            | Self::WrongOrder
            | Self::MinutesDoNotFit { .. }
            | Self::SecondsDoNotFit
            | Self::Zero
            | Self::TooLong { .. }
            | Self::TooManyDigits
            | Self::Negative { .. }
            | Self::NoSuchDay
            | Self::OtherWeekday
            | Self::Future { .. }
            | Self::NoLength
            | Self::RangeTooLong { .. }
            | Self::EndFirst
            | Self::Overlap
            | Self::ClockSkips { .. }
            | Self::DescriptionTooLong { .. } => ErrorKind::Refused,
            _ => ErrorKind::NotUnderstood,
        }
    }
}

/// A stop within the whole line, and what the person could have typed.
#[derive(Clone, Debug)]
pub(super) struct Refusal<'a> {
    pub(super) stop: Stop<'a>,
    /// Where the time expression begins: the rest of the line from there.
    pub(super) time: &'a str,
    /// What to put in front of a time in the example: the day.
    pub(super) prefix: &'a str,
    /// What the person did, without the time.
    pub(super) words: &'a str,
    /// The time of the example, if the one that was typed is right.
    pub(super) hour: Option<&'a str>,
    /// Readings to offer, beside those that follow from the problem.
    pub(super) offers: Vec<Suggestion>,
}

/// The most characters a description may have.
pub(super) const LONGEST_DESCRIPTION: usize = 3_000;

impl<'a> From<Missed<'a>> for Refusal<'a> {
    fn from(missed: Missed<'a>) -> Self {
        let refusal = Self::at(missed.stop).from(missed.time).words(missed.words);
        refusal.on(missed.day).with_time(missed.written)
    }
}

impl<'a> Refusal<'a> {
    /// A stop whose time begins, and whose description ends, where it stops.
    pub(super) fn at(stop: Stop<'a>) -> Self {
        Self {
            stop,
            time: stop.at,
            prefix: "",
            words: stop.after,
            hour: None,
            offers: Vec::new(),
        }
    }

    pub(super) fn from(self, time: &'a str) -> Self {
        Self { time, ..self }
    }

    pub(super) fn words(self, words: &'a str) -> Self {
        Self { words, ..self }
    }

    pub(super) fn on(self, day: &'a str) -> Self {
        Self {
            prefix: day,
            ..self
        }
    }

    pub(super) fn with_time(self, hour: Option<&'a str>) -> Self {
        Self { hour, ..self }
    }

    pub(super) fn offering(self, offers: Vec<Suggestion>) -> Self {
        Self { offers, ..self }
    }

    /// Offers the time that was read.
    pub(super) fn offer_time(mut self, written: &str, moment: &Moment<'_>) -> Self {
        let (label, time) = match &moment.time {
            Time::Length(length) => (format!("Log {}", length.minutes), compact(length.minutes)),
            Time::Ranges(_) => (format!("Log {written}"), written.to_owned()),
        };
        self.offers.push(Suggestion {
            label,
            line: join(self.prefix, &time, self.words),
        });
        self
    }

    /// Turns the stop into sentences. `line` is the text as typed.
    pub(super) fn into_error(self, line: &str) -> ParseError {
        let Stop { at, problem, .. } = self.stop;
        let offset = offset_of(line, at);
        let understood = line
            .get(offset_of(line, self.time)..offset)
            .map(|text| text.trim().trim_end_matches([':', ';', ',']).trim_end())
            .filter(|text| !text.is_empty())
            .map(|text| cut(text, 40));
        let stopped_at = stopping_word(at);
        let message = sentence(problem, understood.as_deref(), stopped_at.as_deref());
        let (prefix, words) = (self.prefix, self.words);
        let hour = self.hour.unwrap_or("1h");
        let suggestions = self.suggestions();
        let example = match (problem, suggestions.first()) {
            (Problem::NumberAtTheEnd, _) => join("", "1h", line),
            (Problem::OneOnOne, _) => join(prefix, "30m", at),
            (_, Some(first)) => first.line.clone(),
            (_, None) => join(prefix, hour, words),
        };
        ParseError {
            kind: problem.kind(),
            at: line[..offset].chars().count(),
            understood: understood.map(String::into_boxed_str),
            stopped_at: stopped_at.map(String::into_boxed_str),
            message,
            example,
            suggestions,
        }
    }

    fn suggestions(self) -> Vec<Suggestion> {
        if !self.offers.is_empty() {
            return self.offers;
        }
        let with = |label: String, time: &str| Suggestion {
            label,
            line: join(self.prefix, time, self.words),
        };
        match self.stop.problem {
            Problem::UnknownUnit { reading }
            | Problem::NoUnit { reading }
            | Problem::Negative { reading }
            | Problem::MinutesDoNotFit { total: reading } => reading
                .map(|length| with(format!("Log {length}"), &compact(length)))
                .into_iter()
                .collect(),
            Problem::HoursOrMinutes { number } => vec![
                with(format!("{number} minutes"), &format!("{number}m")),
                with(format!("{number} hours"), &format!("{number}h")),
            ],
            Problem::TwoLengths { first, second } => [first, second]
                .into_iter()
                .filter(|length| (Minutes::new(1)..=Minutes::DAY).contains(length))
                .map(|length| with(length.to_string(), &compact(length)))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// Where a part of the line begins in it, in bytes.
fn offset_of(line: &str, part: &str) -> usize {
    let distance = part.as_ptr().addr().wrapping_sub(line.as_ptr().addr());
    distance.min(line.len())
}

/// A line from a day, a time and a description that is certainly one.
pub(super) fn join(day: &str, time: &str, words: &str) -> String {
    let words = words
        .trim()
        .trim_start_matches([':', '-', '–', '—', ',', ';'])
        .trim();
    let words = match words.char_indices().nth(LONGEST_DESCRIPTION) {
        Some((end, _)) => &words[..end],
        None if words.is_empty() => "what you did",
        None => words,
    };
    let gap = if day.is_empty() { "" } else { " " };
    format!("{day}{gap}{time}: {words}")
}

/// A day as it is shown: `Fri 20 Nov`, with the year if it is not this one.
pub(super) fn day_name(date: NaiveDate, today: NaiveDate) -> String {
    if date.year() == today.year() {
        date.format("%a %-d %b").to_string()
    } else {
        date.format("%a %-d %b %Y").to_string()
    }
}

/// The shortest way to type a length: `2h`, `45m`, `1h15m`.
pub(super) fn compact(length: Minutes) -> String {
    match (length.get() / 60, length.get() % 60) {
        (hours, 0) => format!("{hours}h"),
        (0, minutes) => format!("{minutes}m"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    }
}

/// The first word of the rest, for people: not its punctuation, and not all of a long one.
fn stopping_word(rest: &str) -> Option<String> {
    let word = rest.split_whitespace().next()?;
    let bare = word.trim_end_matches([':', ',', ';']);
    Some(cut(if bare.is_empty() { word } else { bare }, 40))
}

/// At most so many characters, with an ellipsis in place of the rest.
fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn sentence(problem: Problem, understood: Option<&str>, stopped_at: Option<&str>) -> String {
    let so_far = match (understood, stopped_at) {
        (Some(read), Some(stop)) => format!("I understood “{read}”, then stopped at “{stop}”"),
        (Some(read), None) => format!("I understood “{read}”, then the line ended"),
        (None, Some(stop)) => format!("I stopped at “{stop}”"),
        (None, None) => "I stopped at the beginning".to_owned(),
    };
    match problem {
        Problem::NoTime => "I found no time in this. Put it first.".to_owned(),
        Problem::UnknownUnit { .. } => format!("{so_far}: it is not a unit of time."),
        Problem::NoUnit { .. } => format!("{so_far}: the unit is missing."),
        Problem::UnitFirst => format!("{so_far}: the number comes before its unit."),
        Problem::BareUnit => format!("{so_far}: there is no number before it."),
        Problem::LongUnit => {
            format!("{so_far}: an entry is at most a day, so weeks and longer do not fit.")
        }
        Problem::WrongOrder => format!("{so_far}: units go from long to short, each of them once."),
        Problem::MinutesDoNotFit { total } => {
            let many = stopped_at.map(leading_digits).unwrap_or_default();
            let read = understood.unwrap_or_default();
            let fact = format!("{many} minutes do not fit after “{read}”.");
            match total {
                Some(total) => format!("{fact} Did you mean {total}?"),
                None => fact,
            }
        }
        Problem::SecondsDoNotFit => format!("{so_far}: there are at most 59 seconds in a minute."),
        Problem::Zero => "That rounds to 0 min.".to_owned(),
        Problem::TooLong { length } if length < Minutes::from_hours(10_000) => {
            format!("{length} is more than a day.")
        }
        Problem::TooLong { .. } => "That is more than a day.".to_owned(),
        Problem::TooManyDigits => format!("{so_far}: it has more decimals than I can read."),
        Problem::Negative { .. } => format!("{so_far}: a time cannot be less than nothing."),
        Problem::ForeignDigits => format!("{so_far}: I read the digits 0 to 9 only."),
        Problem::Separators => format!("{so_far}: a number has one point or comma at most."),
        Problem::TimeOfDay => {
            format!("{so_far}: that is a time of day, so I need the other end, too.")
        }
        Problem::SecondTime => {
            format!("{so_far}: that is a second time, and one is enough.")
        }
        Problem::HoursOrMinutes { number } => format!(
            "{number} minutes or {number} hours? Both are possible, so nothing is saved yet."
        ),
        Problem::ZeroOfWhat => {
            "0 minutes and 0 hours are both nothing, so nothing is saved yet.".to_owned()
        }
        Problem::Thousands => {
            format!("{so_far}: the comma can mark thousands or decimals, so nothing is saved yet.")
        }
        Problem::MinutesOrWords { short, long } => format!(
            "{long}, or {short} and “{}” is a part of what you did? Nothing is saved yet.",
            long.get() - short.get()
        ),
        Problem::OneOnOne => format!(
            "“{}” can be a time or a meeting of two. How long was it?",
            stopped_at.unwrap_or("1:1")
        ),
        Problem::TwoTimes => "There are two times in this, so nothing is saved yet.".to_owned(),
        Problem::TwoLengths { .. } => {
            format!("{so_far}. Two lengths, or a time from–to? Nothing is saved yet.")
        }
        Problem::NumberAtTheEnd => match stopped_at {
            Some(number) => format!("Is “{number}” at the end the time? Nothing is saved yet."),
            None => "Is the number at the end the time? Nothing is saved yet.".to_owned(),
        },
        Problem::NoTimeOnDay => match understood {
            Some(day) => format!("I understood “{day}”, but found no time in this."),
            None => "I found no time in this.".to_owned(),
        },
        Problem::NoSuchDay => format!("{so_far}: there is no such day."),
        Problem::OtherWeekday => format!("{so_far}: that is another day of the week."),
        Problem::Future { date } => format!(
            "{} is in the future. Time is logged up to today.",
            date.format("%a %-d %b")
        ),
        Problem::EitherDay { first, second } => format!(
            "Is {} the {} or the {}?",
            stopped_at.unwrap_or("this"),
            spoken(first),
            spoken(second)
        ),
        Problem::DayOrWords => match stopped_at {
            Some(day) => {
                format!("Is “{day}” the day, or a part of what you did? Nothing is saved yet.")
            }
            None => "Is that the day, or a part of what you did? Nothing is saved yet.".to_owned(),
        },
        Problem::NoLength => "The end is the start, so no time passed.".to_owned(),
        Problem::RangeTooLong { length } => {
            format!("{length} is too long for a time from–to: 16 h are the limit.")
        }
        Problem::EndFirst => {
            "The end is before the start. For a night, type 22:00–02:00.".to_owned()
        }
        Problem::Overlap => format!("{so_far}: it begins before the time in front of it ends."),
        Problem::ClockSkips { date, time } => format!(
            "{} does not exist on {}: the clocks go forward.",
            time.format("%H:%M"),
            date.format("%a %-d %b")
        ),
        Problem::ClockRepeats { date, time } => format!(
            "{} happens twice on {}: the clocks go back. How long was it?",
            time.format("%H:%M"),
            date.format("%a %-d %b")
        ),
        Problem::DescriptionTooLong { characters } => format!(
            "{} characters are the limit; this is {}.",
            grouped(LONGEST_DESCRIPTION),
            grouped(characters)
        ),
        Problem::Unreadable => format!("{so_far}."),
    }
}

/// `3rd of November`.
fn spoken(date: NaiveDate) -> String {
    let ending = match date.day() {
        1 | 21 | 31 => "st",
        2 | 22 => "nd",
        3 | 23 => "rd",
        _ => "th",
    };
    format!("{}{ending} of {}", date.day(), date.format("%B"))
}

fn leading_digits(word: &str) -> &str {
    let end = word.find(|c: char| !c.is_ascii_digit());
    &word[..end.unwrap_or(word.len())]
}

/// A number with commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
