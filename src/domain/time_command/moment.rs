//! A day and a time, as they stand next to each other: `yesterday 45m`, `2h on friday`.

use std::borrow::Cow;

use nom::{
    Err, Parser,
    character::complete::{char, one_of},
    combinator::opt,
    sequence::{preceded, terminated},
};

use super::{
    Context,
    day::{Day, DayForm, day},
    duration::{Length, duration},
    marks::Marks,
    range::{Ranges, ranges},
    refusal::compact,
    stop::{Parsed, Problem, Stop},
    words::{any_of, space, space0},
};

/// How long, or from when to when.
#[derive(Clone, Debug)]
pub(super) enum Time<'a> {
    Length(Length<'a>),
    Ranges(Ranges<'a>),
}

/// A time, and the day that stands beside it.
#[derive(Clone, Debug)]
pub(super) struct Moment<'a> {
    pub(super) day: Option<Day<'a>>,
    pub(super) time: Time<'a>,
    /// The time as it was typed.
    pub(super) written: &'a str,
    /// The rest of the line from the time on.
    pub(super) at: &'a str,
    /// Whether the day came behind the time.
    pub(super) day_behind: bool,
}

impl Moment<'_> {
    /// The time as it is shown: `2 h`, `9-11`.
    pub(super) fn label(&self) -> String {
        match &self.time {
            Time::Length(length) => length.minutes.to_string(),
            Time::Ranges(_) => self.written.trim().to_owned(),
        }
    }

    /// The time as it is typed without leaving anything open: `2h`, `9-11`.
    pub(super) fn compact(&self) -> String {
        match &self.time {
            Time::Length(length) => compact(length.minutes),
            Time::Ranges(_) => self.written.trim().to_owned(),
        }
    }
}

/// What a line begins with.
#[derive(Clone, Debug)]
pub(super) enum Lead<'a> {
    Moment(Moment<'a>),
    /// A day, and then no time, perhaps with the reason.
    Day(Day<'a>, Option<Stop<'a>>),
}

/// A stop, and what had been read by then.
#[derive(Clone, Debug)]
pub(super) struct Missed<'a> {
    pub(super) stop: Stop<'a>,
    /// The day, or one that could have been typed in its place.
    pub(super) day: Cow<'a, str>,
    /// The rest of the line from where the time should begin.
    pub(super) time: &'a str,
    /// The time as it was typed, if only the day is wrong.
    pub(super) written: Option<&'a str>,
    /// The rest of the line behind day and time.
    pub(super) words: &'a str,
}

/// A moment at the beginning of the text, and the text behind it.
pub(super) fn moment<'a>(
    input: &'a str,
    context: &Context,
    marks: &mut Marks<'a>,
) -> Result<(&'a str, Lead<'a>), Missed<'a>> {
    let day = match day(input, context) {
        Ok((_, day)) => day,
        Err(Err::Failure(stop)) => return Err(wrong_day(stop, input, context, marks)),
        Err(_) => return time_first(input, context, marks),
    };
    let at = opt(one_of::<_, _, Stop<'_>>(",:"))
        .parse(day.after)
        .map_or(day.after, |(rest, _)| rest);
    let at = marks.in_front(at);
    match time(at, context) {
        Ok((rest, time)) => {
            let moment = Moment {
                day: Some(day),
                time,
                written: &at[..at.len() - rest.len()],
                at,
                day_behind: false,
            };
            Ok((rest, Lead::Moment(moment)))
        }
        Err(Err::Failure(stop)) if !stop.problem.may_be_words() => Err(Missed {
            stop,
            day: day.to_type(context.today()),
            time: at,
            written: None,
            words: stop.after,
        }),
        // `-2 wireframes` is no day, but less than nothing.
        Err(_) if day.form == DayForm::Minus => time_first(input, context, marks),
        Err(Err::Failure(stop)) => Ok((at, Lead::Day(day, Some(stop)))),
        Err(_) => Ok((at, Lead::Day(day, None))),
    }
}

/// A day that there is not; the time behind it may be right.
fn wrong_day<'a>(
    stop: Stop<'a>,
    input: &'a str,
    context: &Context,
    marks: &mut Marks<'a>,
) -> Missed<'a> {
    let at = marks.in_front(stop.after);
    let read = time(at, context).ok();
    let words = read.as_ref().map_or(at, |(rest, _)| rest);
    Missed {
        stop,
        day: match stop.problem {
            // The date without the weekday.
            Problem::OtherWeekday => day(stop.at, context)
                .map_or(Cow::Borrowed("today"), |(_, day)| {
                    day.to_type(context.today())
                }),
            _ => Cow::Borrowed("today"),
        },
        time: input,
        written: read.map(|_| at[..at.len() - words.len()].trim()),
        words,
    }
}

fn time_first<'a>(
    input: &'a str,
    context: &Context,
    marks: &mut Marks<'a>,
) -> Result<(&'a str, Lead<'a>), Missed<'a>> {
    let (rest, time) = time(input, context).map_err(|error| {
        let stop = Stop::from_nom(&error, input);
        let day = behind(stop.after, context);
        Missed {
            stop,
            day: day.map_or(Cow::Borrowed(""), |day| day.to_type(context.today())),
            time: input,
            written: None,
            words: day.map_or(stop.after, |day| day.after),
        }
    })?;
    let written = &input[..input.len() - rest.len()];
    let next = marks.in_front(rest);
    let day = behind(next, context);
    let moment = Moment {
        day,
        time,
        written,
        at: input,
        day_behind: day.is_some(),
    };
    Ok((day.map_or(next, |day| day.after), Lead::Moment(moment)))
}

/// A time from–to, or a length.
pub(super) fn time<'a>(input: &'a str, context: &Context) -> Parsed<'a, Time<'a>> {
    match ranges(input, context) {
        Ok((rest, ranges)) => Ok((rest, Time::Ranges(ranges))),
        Err(Err::Failure(stop)) => stop.for_good(),
        Err(_) => duration(input, context).map(|(rest, length)| (rest, Time::Length(length))),
    }
}

/// A day behind a time: ` on friday`, ` yesterday`, and `, yesterday` if nothing else follows.
fn behind<'a>(rest: &'a str, context: &Context) -> Option<Day<'a>> {
    let (at, comma) = preceded(space0, opt(terminated(char::<_, Stop<'_>>(','), space)))
        .parse(rest)
        .ok()?;
    let (at, _) = opt(terminated(any_of(&["on"]), space)).parse(at).ok()?;
    let (after, day) = day(at, context).ok()?;
    let ends = after.is_empty() || after.starts_with([':', ',', ';']) || after.starts_with(" -");
    match day.form {
        DayForm::Minus if !ends && !day.written.ends_with(['d', 'D']) => None,
        DayForm::Slash | DayForm::EitherWay(_) if !ends => None,
        _ if comma.is_some() && !ends => None,
        _ => Some(day),
    }
}
