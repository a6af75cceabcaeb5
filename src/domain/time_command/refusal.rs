//! From a stop in the grammar to what the person is told, made from their own line.

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate};

use super::{
    Context, ParseError, Suggestion,
    line::is_read,
    marks::Marks,
    moment::{Missed, Moment},
    sentences::sentence,
    stop::{Problem, Stop},
};
use crate::domain::minutes::Minutes;

/// A stop within the whole line, and what the person could have typed.
#[derive(Debug)]
pub(super) struct Refusal<'a> {
    pub(super) stop: Stop<'a>,
    /// Where the time expression begins: the rest of the line from there.
    time: &'a str,
    /// The day of the example.
    day: Cow<'a, str>,
    /// What the person did, without the time, and with every mark.
    words: Cow<'a, str>,
    /// The time of the example, if the one that was typed is right.
    typed: Option<&'a str>,
    /// Readings to offer, in place of those that follow from the problem.
    offers: Vec<Suggestion>,
    /// The example, in place of the one that follows from the problem.
    example: Option<Cow<'static, str>>,
    /// Whether the text is the time alone, and so is what could have been typed.
    field: bool,
}

/// The most characters a description may have.
pub(super) const LONGEST_DESCRIPTION: usize = 3_000;

impl<'a> Refusal<'a> {
    /// A stop whose time begins, and whose description ends, where it stops.
    pub(super) fn at(stop: Stop<'a>) -> Box<Self> {
        Box::new(Self {
            stop,
            time: stop.at,
            day: Cow::Borrowed(""),
            words: Cow::Borrowed(stop.after),
            typed: None,
            offers: Vec::new(),
            example: None,
            field: false,
        })
    }

    pub(super) fn of_missed(missed: Missed<'a>, marks: &Marks<'a>) -> Box<Self> {
        let mut refusal = Self::at(missed.stop).from(missed.time).on(missed.day);
        refusal.typed = missed.written;
        refusal.with_words(missed.words, marks)
    }

    pub(super) fn from(mut self: Box<Self>, time: &'a str) -> Box<Self> {
        self.time = time;
        self
    }

    pub(super) fn with_words(mut self: Box<Self>, words: &'a str, marks: &Marks<'a>) -> Box<Self> {
        self.words = marks.around(words);
        self
    }

    pub(super) fn on(mut self: Box<Self>, day: impl Into<Cow<'a, str>>) -> Box<Self> {
        self.day = day.into();
        self
    }

    pub(super) fn with_time(mut self: Box<Self>, typed: &'a str) -> Box<Self> {
        self.typed = Some(typed);
        self
    }

    pub(super) fn offering(mut self: Box<Self>, offers: Vec<Suggestion>) -> Box<Self> {
        self.offers = offers;
        self
    }

    /// Shows this line as one that works.
    pub(super) fn with_example(
        mut self: Box<Self>,
        line: impl Into<Cow<'static, str>>,
    ) -> Box<Self> {
        self.example = Some(line.into());
        self
    }

    /// The text is from a field for the time alone.
    pub(super) fn in_a_field(mut self: Box<Self>) -> Box<Self> {
        self.field = true;
        self
    }

    /// Offers the time that was read.
    pub(super) fn offering_time(mut self: Box<Self>, moment: &Moment<'_>) -> Box<Self> {
        let offer = Suggestion {
            label: format!("Log {}", moment.label()),
            line: join(&self.day, &moment.compact(), &self.words),
        };
        self.offers.push(offer);
        self
    }

    /// Turns the stop into sentences. `line` is the text as typed.
    pub(super) fn to_error(&self, line: &str, context: &Context) -> ParseError {
        let Stop { at, problem, .. } = self.stop;
        let offset = offset_of(line, at);
        let understood = line
            .get(offset_of(line, self.time)..offset)
            .map(|text| text.trim().trim_end_matches([':', ';', ',']).trim_end())
            .filter(|text| !text.is_empty())
            .map(|text| cut(text, 40));
        let stopped_at = stopping_word(at);
        let message = sentence(problem, understood.as_deref(), stopped_at.as_deref());
        let mut suggestions = self.suggestions();
        if !self.offers.is_empty() {
            // A time that was typed need not be possible, above all on another day.
            suggestions.retain(|offer| is_read(&offer.line, context));
        }
        let example = match (problem, suggestions.first()) {
            _ if let Some(example) = &self.example => example.to_string(),
            (Problem::NumberAtTheEnd, _) => join("", "1h", line),
            (Problem::OneOnOne, _) => join(&self.day, "30m", at),
            (_, Some(first)) => first.line.clone(),
            (_, None) => {
                let typed = self.typed.map(|time| self.line(time));
                let works = |line: &String| self.field || is_read(line, context);
                typed.filter(works).unwrap_or_else(|| self.line("1h"))
            }
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

    /// What could have been typed with this time.
    fn line(&self, time: &str) -> String {
        if self.field {
            time.to_owned()
        } else {
            join(&self.day, time, &self.words)
        }
    }

    fn suggestions(&self) -> Vec<Suggestion> {
        if !self.offers.is_empty() {
            return self.offers.clone();
        }
        let with = |label: String, time: &str| Suggestion {
            label,
            line: self.line(time),
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
