//! What a person is told when a line cannot be logged as it stands.
//!
//! Inside the grammar a parser stops with a [`Stop`]: where, and which [`Problem`]. At the border
//! it becomes a [`ParseError`], which speaks in sentences and is made from the person's own line.

use std::{error::Error, fmt};

use nom::{Err, IResult};
use serde::Serialize;

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
    SecondTime { first: Minutes },
    HoursOrMinutes { number: u32 },
    ZeroOfWhat,
    Thousands,
    MinutesOrWords { short: Minutes, long: Minutes },
    OneOnOne,
    TwoTimes { first: Minutes, last: Minutes },
    NumberAtTheEnd { reading: Minutes },
    DescriptionTooLong { characters: usize },
    Unreadable,
    NotOffered,
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
            | Self::TwoTimes { .. }
            | Self::NumberAtTheEnd { .. } => ErrorKind::Ambiguous,
            Self::LongUnit
            | Self::WrongOrder
            | Self::MinutesDoNotFit { .. }
            | Self::SecondsDoNotFit
            | Self::Zero
            | Self::TooLong { .. }
            | Self::TooManyDigits
            | Self::Negative { .. }
            | Self::DescriptionTooLong { .. } => ErrorKind::Refused,
            _ => ErrorKind::NotUnderstood,
        }
    }
}

/// A stop within the whole line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal<'a> {
    pub(super) stop: Stop<'a>,
    /// Where the time expression begins: the rest of the line from there.
    pub(super) time: &'a str,
    /// What the person did, without the time.
    pub(super) words: &'a str,
}

/// The most characters a description may have.
pub(super) const LONGEST_DESCRIPTION: usize = 3_000;

impl Refusal<'_> {
    /// Turns the stop into sentences. `line` is the text as typed, without white space at its end.
    pub(super) fn into_error(self, line: &str) -> ParseError {
        let Stop { at, problem, .. } = self.stop;
        let offset = line.len() - at.len();
        let understood = line
            .get(line.len() - self.time.len()..offset)
            .map(|text| text.trim().trim_end_matches([':', ';', ',']))
            .filter(|text| !text.is_empty())
            .map(|text| cut(text, 40));
        let stopped_at = stopping_word(at);
        let mut suggestions = Vec::new();
        let mut suggest =
            |label: String, line: String| suggestions.push(Suggestion { label, line });
        let with = |length: Minutes| self.line_with(&compact(length));
        let log = |length: Minutes| format!("Log {length}");
        match problem {
            Problem::UnknownUnit {
                reading: Some(length),
            }
            | Problem::NoUnit {
                reading: Some(length),
            }
            | Problem::Negative {
                reading: Some(length),
            }
            | Problem::MinutesDoNotFit {
                total: Some(length),
            }
            | Problem::SecondTime { first: length } => suggest(log(length), with(length)),
            Problem::HoursOrMinutes { number } => {
                suggest(
                    format!("{number} minutes"),
                    self.line_with(&format!("{number}m")),
                );
                suggest(
                    format!("{number} hours"),
                    self.line_with(&format!("{number}h")),
                );
            }
            Problem::MinutesOrWords { short, long } => {
                suggest(long.to_string(), with(long));
                suggest(short.to_string(), join(&compact(short), at));
            }
            Problem::TwoTimes { first, last } => {
                suggest(first.to_string(), with(first));
                let words = line.trim();
                let words = words.rsplit_once(char::is_whitespace);
                if let Some((words, _)) = words {
                    suggest(last.to_string(), join(&compact(last), words));
                }
            }
            Problem::NumberAtTheEnd { reading } => suggest(log(reading), with(reading)),
            _ => {}
        }
        let example = match (problem, suggestions.first()) {
            (Problem::NumberAtTheEnd { .. }, _) => join("1h", line),
            (_, Some(first)) => first.line.clone(),
            (_, None) => self.line_with("1h"),
        };
        ParseError {
            kind: problem.kind(),
            at: line[..offset].chars().count(),
            message: sentence(problem, understood.as_deref(), stopped_at.as_deref()),
            understood: understood.map(String::into_boxed_str),
            stopped_at: stopped_at.map(String::into_boxed_str),
            example,
            suggestions,
        }
    }

    fn line_with(&self, length: &str) -> String {
        join(length, self.words)
    }
}

/// A line from a time and a description that is certainly one.
fn join(time: &str, words: &str) -> String {
    let words = words
        .trim()
        .trim_start_matches([':', '-', '–', '—', ','])
        .trim();
    if words.is_empty() {
        return format!("{time}: what you did");
    }
    match words.char_indices().nth(LONGEST_DESCRIPTION) {
        Some((end, _)) => format!("{time}: {}", &words[..end]),
        None => format!("{time}: {words}"),
    }
}

/// The shortest way to type a length: `2h`, `45m`, `1h15m`.
fn compact(length: Minutes) -> String {
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
        Problem::SecondTime { .. } => {
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
        Problem::OneOnOne => {
            "“1:1” can be 1 h 1 min or a meeting of two. How long was it?".to_owned()
        }
        Problem::TwoTimes { first, last } => {
            format!("{first} or {last}? There are two times, so nothing is saved yet.")
        }
        Problem::NumberAtTheEnd { reading } => {
            format!("Is the number at the end the time, {reading}? Nothing is saved yet.")
        }
        Problem::DescriptionTooLong { characters } => format!(
            "{} characters are the limit; this is {}.",
            grouped(LONGEST_DESCRIPTION),
            grouped(characters)
        ),
        Problem::Unreadable => format!("{so_far}."),
        Problem::NotOffered => format!("{so_far}: days and times from–to are not read yet."),
    }
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
