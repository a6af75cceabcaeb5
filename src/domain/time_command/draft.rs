//! An entry in the making: what was found in a line, checked and put together.

use std::borrow::Cow;

use nom::{Parser, sequence::terminated};

use super::{
    ClockRange, Context, Guess, LogLine, Suggestion,
    day::{Day, DayForm},
    duration::{Form, Length, continues_plainly, duration},
    marks::Marks,
    moment::{Moment, Time},
    range::ranges,
    refusal::{LONGEST_DESCRIPTION, Refusal, compact, day_name, join},
    stop::{Problem, Stop},
    trailing::{day_at_the_end, trailing},
    words::{any_of, measure_named, space, word},
};
use crate::domain::minutes::Minutes;

/// What may stand between a time and its description.
pub(super) const SEPARATORS: [char; 6] = [':', '-', '–', '—', ',', ';'];

/// A moment, what was done, and the marks beside them.
pub(super) struct Draft<'a> {
    moment: Moment<'a>,
    description: &'a str,
    marks: Marks<'a>,
    /// The day as it would be typed in an example.
    day: Cow<'a, str>,
}

impl<'a> Draft<'a> {
    /// A draft whose time stood in front of its description. Asks back where the words could be
    /// a part of the time, and no mark separates the two.
    pub(super) fn leading(
        moment: Moment<'a>,
        rest: &'a str,
        mut marks: Marks<'a>,
        context: &Context,
    ) -> Result<Self, Box<Refusal<'a>>> {
        let (description, separated) = description_after(rest, &mut marks);
        let description = marks.at_the_end(description);
        let draft = Self::new(moment, description, marks, context);
        if !separated && !description.is_empty() {
            draft.ask(rest, context)?;
        }
        Ok(draft)
    }

    /// A draft of what is certain to belong together.
    pub(super) fn new(
        moment: Moment<'a>,
        description: &'a str,
        marks: Marks<'a>,
        context: &Context,
    ) -> Self {
        let day = moment
            .day
            .map_or(Cow::Borrowed(""), |day| day.to_type(context.today()));
        Self {
            moment,
            description,
            marks,
            day,
        }
    }

    /// The entry, on its day.
    pub(super) fn log(self, context: &Context) -> Result<LogLine, Box<Refusal<'a>>> {
        let today = context.today();
        let date = match self.moment.day {
            Some(day) => self.past(day, context)?,
            None => today,
        };
        let (duration, ranges, guess) = match &self.moment.time {
            Time::Length(length) => (length.minutes, Vec::new(), length.guess(context)),
            Time::Ranges(ranges) => {
                let worked = ranges.on(date, context).map_err(|stop| self.refuse(stop))?;
                (worked.length, worked.ranges, worked.guess)
            }
        };
        let description = unquoted(self.description);
        if description.len() > LONGEST_DESCRIPTION {
            let characters = description.chars().count();
            if characters > LONGEST_DESCRIPTION {
                let problem = Problem::DescriptionTooLong { characters };
                let refusal = self.refuse(Stop::here(self.description, problem));
                return Err(refusal.with_time(self.moment.written.trim()));
            }
        }
        let first = ranges.first().map(|&ClockRange { start, .. }| start);
        let last = ranges.last().map(|&ClockRange { end, .. }| end);
        Ok(LogLine {
            duration,
            description: description.to_owned(),
            date,
            start: first,
            end: last,
            ranges,
            guess: guess.or_else(|| self.moment.day.and_then(weekday_guess)),
            tags: self.marks.tags(),
            project: self.marks.project.map(str::to_owned),
            client: self.marks.client.map(str::to_owned),
            billable: self.marks.billable,
        })
    }

    /// The date of a day that is not in the future and can only be meant in one way.
    fn past(&self, day: Day<'a>, context: &Context) -> Result<chrono::NaiveDate, Box<Refusal<'a>>> {
        let today = context.today();
        let stop = |problem| Stop::before(day.at, day.after, problem);
        let time = self.moment.written.trim();
        if let DayForm::EitherWay(other) = day.form
            && day.date.min(other) <= today
        {
            let (first, second) = (day.date, other);
            let offers = [first, second].into_iter().filter(|&date| date <= today);
            let offers = offers.map(|date| {
                let day = date.to_string();
                self.offer(day_name(date, today), &day, time, self.description)
            });
            let refusal = self.refuse(stop(Problem::EitherDay { first, second }));
            return Err(refusal.offering(offers.collect()));
        }
        if day.date > today {
            let refusal = self.refuse(stop(Problem::Future { date: day.date }));
            return Err(refusal.on("today").with_time(time));
        }
        Ok(day.date)
    }

    fn refuse(&self, stop: Stop<'a>) -> Box<Refusal<'a>> {
        Refusal::at(stop)
            .from(self.moment.at)
            .on(self.day.clone())
            .with_words(self.description, &self.marks)
    }

    /// Asks back when a second time or day follows.
    fn ask(&self, rest: &'a str, context: &Context) -> Result<(), Box<Refusal<'a>>> {
        let words = self.description;
        let length = match &self.moment.time {
            Time::Length(length) => Some(*length),
            Time::Ranges(_) => None,
        };
        let written = self.moment.written.trim();
        if let Some(length) = length {
            self.ask_about_length(length, rest)?;
        }
        if looks_like_a_time(words) || begins_with_a_time(words, context) {
            let refusal = self.refuse(Stop::before(words, words, Problem::SecondTime));
            return Err(refusal.offering_time(&self.moment));
        }
        let day = &*self.day;
        if let Some(name) = self.moment.day.filter(|day| is_a_word_too(day.written))
            && self.moment.day_behind
            && continues_plainly(name.after)
        {
            let offers = vec![
                self.offer(day_name(name.date, context.today()), day, written, words),
                self.offer("Today".to_owned(), "", written, name.at),
            ];
            let stop = Stop::before(name.at, name.after, Problem::DayOrWords);
            return Err(self.refuse(stop).offering(offers));
        }
        let weak = match &self.moment.time {
            Time::Length(length) => matches!(length.form, Form::Bare(_) | Form::Decimal),
            Time::Ranges(ranges) => ranges.is_weak(),
        };
        if weak && let Some(Ok((second, before))) = trailing(words, &self.marks, context) {
            let all = &self.moment.at[..self.moment.at.len() - words.len() + before.len()];
            let offers = vec![
                self.offer(self.moment.label(), day, &self.moment.compact(), words),
                self.offer(second.label(), day, &second.compact(), all),
            ];
            let stop = Stop::here(second.at, Problem::TwoTimes);
            return Err(self.refuse(stop).offering(offers));
        }
        if self.moment.day.is_none()
            && let Some((before, day)) = day_at_the_end(words, context)
        {
            let mut offers = vec![self.offer("Today".to_owned(), "", written, words)];
            if day.date <= context.today() {
                let label = day_name(day.date, context.today());
                offers.insert(0, self.offer(label, day.written, written, before));
            }
            let stop = Stop::before(day.at, day.after, Problem::DayOrWords);
            return Err(self.refuse(stop).offering(offers));
        }
        Ok(())
    }

    fn offer(&self, label: String, day: &str, time: &str, words: &'a str) -> Suggestion {
        Suggestion {
            label,
            line: join(day, time, &self.marks.around(words)),
        }
    }

    fn ask_about_length(&self, length: Length<'a>, rest: &'a str) -> Result<(), Box<Refusal<'a>>> {
        let (words, day) = (self.description, &*self.day);
        if let Form::Loose(short, from) = length.form {
            let long = length.minutes;
            let (first, second) = (compact(long), compact(short));
            let offers = vec![
                self.offer(long.to_string(), day, &first, words),
                self.offer(short.to_string(), day, &second, from),
            ];
            let stop = Stop::before(from, rest, Problem::MinutesOrWords { short, long });
            return Err(self.refuse(stop).offering(offers));
        }
        if length.form == Form::Clock && self.moment.written == "1:1" {
            let minutes = Minutes::new(61);
            let offers = vec![self.offer(format!("Log {minutes}"), day, "1h1m", words)];
            let stop = Stop::before(self.moment.at, rest, Problem::OneOnOne);
            return Err(self.refuse(stop).offering(offers));
        }
        Ok(())
    }
}

/// A weekday without a date is a guess.
fn weekday_guess(day: Day<'_>) -> Option<Guess> {
    if day.form != DayForm::Weekday {
        return None;
    }
    Some(Guess::Weekday {
        written: day.written.to_owned(),
        read_as: day.date,
        other: day.date.checked_sub_days(chrono::Days::new(7))?,
    })
}

/// The text behind a time, without what joins them, and whether a mark separates the two.
fn description_after<'a>(rest: &'a str, marks: &mut Marks<'a>) -> (&'a str, bool) {
    let rest = marks.in_front(rest);
    let joined = terminated(any_of(&["on", "for"]), space)
        .parse(rest)
        .map_or(rest, |(after, _)| marks.in_front(after));
    match joined.strip_prefix(SEPARATORS) {
        Some(after) => (marks.in_front(after), true),
        None => (joined, false),
    }
}

/// `sat with Ann`: days that are words, too.
fn is_a_word_too(day: &str) -> bool {
    ["sat", "sun", "wed"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(day))
}

/// `15:00` or `h23`, but not `1:1`.
fn looks_like_a_time(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let hours = digits(text);
    if let Some(minutes) = text[hours..].strip_prefix(':') {
        return (1..=2).contains(&hours) && digits(minutes) == 2;
    }
    matches!(word(text), Ok((rest, name))
        if measure_named(name).is_some() && rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// `30 mins`, `9-11`, but not `1-1` or `9 lives`.
fn begins_with_a_time(text: &str, context: &Context) -> bool {
    if !text.starts_with(|c: char| c.is_ascii_digit()) || text.starts_with("1-1") {
        return false;
    }
    let unit = duration(text, context)
        .is_ok_and(|(_, length)| matches!(length.form, Form::Units | Form::Loose(..)));
    unit || ranges(text, context).is_ok()
}

/// A description without the quotes around the whole of it.
pub(super) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix(['"', '“', '„', '”'])
        .and_then(|inside| inside.strip_suffix(['"', '“', '”']))
        .filter(|inside| !inside.contains(['"', '“', '”']))
        .map_or(text, str::trim)
}
