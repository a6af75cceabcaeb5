//! A whole line: a verb, or a time and what was done.

use super::{
    Context, LogLine, ParseError, Suggestion, TimeCommand,
    day::{Day, DayForm},
    draft::Draft,
    duration::duration,
    echo::echo,
    marks::Marks,
    moment::{Lead, Moment, moment},
    refusal::{Refusal, day_name, join},
    stop::{Problem, Stop},
    trailing::trailing,
    verb::verb,
    words::{measure_named, word},
};

/// Reads a line as the person typed it; a question without a time is one for help. `mentions` are the places, in bytes, where an `@` names a
/// person.
pub(super) fn command(
    typed: &str,
    mentions: &[usize],
    context: &Context,
) -> Result<TimeCommand, ParseError> {
    let line = typed.trim_end();
    let start = line.trim_start();
    if start.is_empty() {
        return Ok(TimeCommand::Empty);
    }
    if let Some(rest) = start.strip_prefix('?') {
        return Ok(match rest.trim_start() {
            "" => TimeCommand::Help,
            rest => TimeCommand::Explain(rest.to_owned()),
        });
    }
    match read(start, Marks::new(typed, mentions), context) {
        Err(refusal) if refusal.stop.problem == Problem::NoTime && start.ends_with('?') => {
            Ok(TimeCommand::Help)
        }
        read => read.map_err(|refusal| refusal.to_error(line, context)),
    }
}

/// Whether a line that is going to be offered can be read.
pub(super) fn is_read(line: &str, context: &Context) -> bool {
    read(line, Marks::new(line, &[]), context).is_ok()
}

fn read<'a>(
    line: &'a str,
    marks: Marks<'a>,
    context: &Context,
) -> Result<TimeCommand, Box<Refusal<'a>>> {
    if let Some(read) = echo(line, context) {
        read.map(TimeCommand::Log)
    } else if let Some(read) = verb(line, &marks, context) {
        read
    } else {
        entry(line, marks, context).map(TimeCommand::Log)
    }
}

/// A time in front, failing that at the end.
pub(super) fn entry<'a>(
    line: &'a str,
    mut marks: Marks<'a>,
    context: &Context,
) -> Result<LogLine, Box<Refusal<'a>>> {
    let start = marks.in_front(line);
    let refusal = match moment(start, context, &mut marks) {
        Ok((rest, Lead::Moment(moment))) => {
            if one_on_one(&moment, rest) {
                // A meeting of two, if another time says how long it was.
                let mut marks = marks.clone();
                let body = marks.at_the_end(start);
                if let Some(Ok((moment, words))) = trailing(body, &marks, context) {
                    return Draft::new(moment, words, marks, context).log(context);
                }
            }
            return Draft::leading(moment, rest, marks, context)?.log(context);
        }
        Ok((rest, Lead::Day(day, stop))) => {
            return day_in_front(start, day, stop, rest, marks, context);
        }
        Err(missed) => Refusal::of_missed(missed, &marks),
    };
    if !refusal.stop.problem.may_be_words() {
        return Err(refusal);
    }
    let in_front = marks.clone();
    let body = marks.at_the_end(start);
    match trailing(body, &marks, context) {
        Some(found) => {
            let (moment, description) = found?;
            Draft::new(moment, description, marks, context).log(context)
        }
        None if refusal.stop.problem == Problem::NoTime => {
            let stop = Stop::here(start, unit_first(start));
            Err(Refusal::at(stop).with_words(start, &in_front))
        }
        None => Err(refusal),
    }
}

/// A unit without a number before it says more than that there is no time.
fn unit_first(line: &str) -> Problem {
    match word(line) {
        Ok((rest, name)) if measure_named(name).is_some() => match rest.chars().next() {
            Some(c) if c.is_ascii_digit() => Problem::UnitFirst,
            None | Some(':') => Problem::BareUnit,
            Some(_) => Problem::NoTime,
        },
        _ => Problem::NoTime,
    }
}

/// A day without a time.
fn no_time<'a>(
    start: &'a str,
    day: Day<'a>,
    stop: Option<Stop<'a>>,
    rest: &'a str,
    context: &Context,
    marks: &Marks<'a>,
) -> Box<Refusal<'a>> {
    let date = day.date;
    let refusal = if let Some(stop) = stop {
        Refusal::at(stop).from(rest).with_words(stop.after, marks)
    } else if matches!(day.form, DayForm::Slash | DayForm::EitherWay(_))
        && let Err(nom::Err::Failure(stop)) = duration(start, context)
    {
        // `1/2 wireframes` more likely lacks the unit than the time on a day.
        return Refusal::at(stop).from(start).with_words(stop.after, marks);
    } else if date > context.today() {
        let stop = Stop::before(day.at, rest, Problem::Future { date });
        Refusal::at(stop).with_words(rest, marks)
    } else {
        let stop = Stop::here(rest, Problem::NoTimeOnDay);
        Refusal::at(stop).from(start).with_words(rest, marks)
    };
    refusal.on(day.to_type(context.today()))
}

/// `1:1 with Ann`.
fn one_on_one(moment: &Moment<'_>, rest: &str) -> bool {
    matches!(moment.written, "1:1" | "1-1") && rest.starts_with(char::is_alphabetic)
}

/// A day in front, and the time perhaps at the end. `rest` is what follows the day.
fn day_in_front<'a>(
    start: &'a str,
    day: Day<'a>,
    stop: Option<Stop<'a>>,
    rest: &'a str,
    mut marks: Marks<'a>,
    context: &Context,
) -> Result<LogLine, Box<Refusal<'a>>> {
    let in_front = marks.clone();
    let body = marks.at_the_end(start);
    let Some(found) = trailing(body, &marks, context) else {
        return Err(no_time(start, day, stop, rest, context, &in_front));
    };
    let (mut moment, whole) = found?;
    if moment.day.is_some() {
        // The day in front is a part of what was done.
        return Draft::new(moment, whole, marks, context).log(context);
    }
    let words = whole.get(start.len() - rest.len()..).unwrap_or_default();
    if day.form == DayForm::Weekday {
        let time = moment.written.trim();
        let offers = vec![
            Suggestion {
                label: day_name(day.date, context.today()),
                line: join(day.written, time, &marks.around(words)),
            },
            Suggestion {
                label: "Today".to_owned(),
                line: join("", time, &marks.around(whole)),
            },
        ];
        let stop = Stop::before(day.at, rest, Problem::DayOrWords);
        return Err(Refusal::at(stop).offering(offers));
    }
    moment.day = Some(day);
    Draft::new(moment, words, marks, context).log(context)
}

#[cfg(test)]
mod tests {
    use super::super::{
        ErrorKind,
        tests::{error, friday, log},
    };
    use super::*;

    fn read(text: &str) -> (u32, String) {
        let line = log(text);
        (line.duration.get(), line.description)
    }

    fn is(minutes: u32, description: &str) -> (u32, String) {
        (minutes, description.to_owned())
    }

    #[test]
    fn verbs_stand_alone() {
        let verb = |text| command(text, &[], &friday()).unwrap();
        assert_eq!(verb(""), TimeCommand::Empty);
        assert_eq!(verb(" \u{a0}\n"), TimeCommand::Empty);
        assert_eq!(verb("HELP"), TimeCommand::Help);
        assert_eq!(verb(" help me"), TimeCommand::Help);
        assert_eq!(verb("how does this work?"), TimeCommand::Help);
        assert_eq!(verb("?"), TimeCommand::Help);
        assert_eq!(verb("undo "), TimeCommand::Undo);
        assert_eq!(verb("? 2h foo"), TimeCommand::Explain("2h foo".into()));
        assert_eq!(verb("?2h"), TimeCommand::Explain("2h".into()));
        assert_eq!(read("help Acme move 2h"), is(120, "help Acme move"));
        assert_eq!(read("undo the migration 1h"), is(60, "undo the migration"));
        assert_eq!(error("undo the migration").kind, ErrorKind::NotUnderstood);
    }

    #[test]
    fn a_time_in_front_is_joined_to_its_description() {
        assert_eq!(read("2.5 hours: Meeting"), is(150, "Meeting"));
        assert_eq!(read("2h Meeting"), is(120, "Meeting"));
        assert_eq!(read("2h:Meeting"), is(120, "Meeting"));
        assert_eq!(read("2h - Meeting"), is(120, "Meeting"));
        assert_eq!(read("2h – Meeting"), is(120, "Meeting"));
        assert_eq!(read("2h, Meeting"), is(120, "Meeting"));
        assert_eq!(read("2h. Meeting"), is(120, "Meeting"));
        assert_eq!(read("2h on wireframes"), is(120, "wireframes"));
        assert_eq!(read("2h FOR Acme: call"), is(120, "Acme: call"));
        assert_eq!(read("2h: on call"), is(120, "on call"));
        assert_eq!(read("2h for"), is(120, "for"));
        assert_eq!(read("  2h"), is(120, ""));
        assert_eq!(read("2h:"), is(120, ""));
    }

    #[test]
    fn the_description_is_kept_word_for_word() {
        assert_eq!(
            read("2h call about the 9-11 slot"),
            is(120, "call about the 9-11 slot")
        );
        assert_eq!(
            read("2h: 3h too long - again"),
            is(120, "3h too long - again")
        );
        assert_eq!(
            read("2h R&amp;D with <@U1|nina>"),
            is(120, "R&D with @nina")
        );
        assert_eq!(read("30m 1:1 with Ann"), is(30, "1:1 with Ann"));
        assert_eq!(read("45m 24/7 support"), is(45, "24/7 support"));
        assert_eq!(read("2h: a  b\nc"), is(120, "a  b\nc"));
    }

    #[test]
    fn quotes_keep_a_description_from_being_read() {
        assert_eq!(read("2h \"3h: too long\""), is(120, "3h: too long"));
        assert_eq!(read("2h “yesterday”"), is(120, "yesterday"));
        assert_eq!(read("\"fix 2h bug\" 1h"), is(60, "fix 2h bug"));
        assert_eq!(error("\"call 2h\"").kind, ErrorKind::NotUnderstood);
        assert_eq!(read("2h \"a\" and \"b\""), is(120, "\"a\" and \"b\""));
    }

    #[test]
    fn failing_a_time_in_front_one_at_the_end_is_read() {
        assert_eq!(read("Meeting 2h"), is(120, "Meeting"));
        assert_eq!(read("Meeting: 1 hour 30 minutes."), is(90, "Meeting"));
        assert_eq!(read("Meeting for half an hour"), is(30, "Meeting"));
        assert_eq!(read("Meeting (2h)"), is(120, "Meeting"));
        assert_eq!(read("Meeting 1:30"), is(90, "Meeting"));
        assert_eq!(read("2nd review 45m"), is(45, "2nd review"));
        assert_eq!(read("1:1 with Ann 30m"), is(30, "1:1 with Ann"));
        assert_eq!(read("Top 10 2h"), is(120, "Top 10"));
        assert_eq!(error("Meeting 31h").message, "31 h is more than a day.");
        assert_eq!(error("Meeting 31h").at, 8);
        assert_eq!(error("Phase 30m 1h").kind, ErrorKind::Refused);
    }

    #[test]
    fn a_number_or_a_moment_at_the_end_is_no_time() {
        let asked = error("Sprint 3");
        assert_eq!((asked.kind, asked.at), (ErrorKind::Ambiguous, 7));
        assert_eq!(asked.example, "1h: Sprint 3");
        assert_eq!(asked.suggestions[0].line, "3h: Sprint");
        assert_eq!(error("call at 9:30").example, "1h: call at 9:30");
        assert_eq!(error("Sprint 13").example, "1h: Sprint 13");
    }

    #[test]
    fn two_times_are_asked_back() {
        let asked = error("12 monkeys 2h");
        assert_eq!(asked.kind, ErrorKind::Ambiguous);
        let lines: Vec<_> = asked.suggestions.iter().map(|s| s.line.as_str()).collect();
        assert_eq!(lines, ["12h: monkeys 2h", "2h: 12 monkeys"]);
        assert_eq!(error("1:1 with Ann").kind, ErrorKind::Ambiguous);
        assert_eq!(error("2h 9:30 standup").example, "2h: 9:30 standup");
        assert_eq!(error("2h 9-11 workshop").example, "2h: 9-11 workshop");
        // What is no time from–to is not offered as one.
        assert_eq!(error("9-9 1h: Meeting").example, "1h: 1h: Meeting");
        assert_eq!(error("Sprint 9-9").suggestions, []);
        assert_eq!(error("tomorrow 9-9 foo").example, "today 1h: foo");
        assert_eq!(error("31 Nov 9-9 foo").example, "today 1h: foo");
        assert_eq!(error("4 for 30 mins").suggestions[0].line, "4h: 30 mins");
        assert_eq!(error("1d h23").kind, ErrorKind::NotUnderstood);
    }

    #[test]
    fn a_description_has_at_most_3000_characters() {
        let line = |count| format!("2h: {}", "ä".repeat(count));
        assert_eq!(log(&line(3_000)).description.chars().count(), 3_000);
        let stopped = error(&line(3_140));
        assert_eq!(
            stopped.message,
            "3,000 characters are the limit; this is 3,140."
        );
        assert_eq!(stopped.kind, ErrorKind::Refused);
        assert_eq!(log(&stopped.example).description.chars().count(), 3_000);
    }

    #[test]
    fn places_are_counted_in_characters() {
        assert_eq!(error("  2x foo").at, 3);
        assert_eq!(error("ääää 31h").at, 5);
    }
}
