//! A whole line: a verb, or a time and what was done.

use nom::{Err, Parser, sequence::terminated};

use super::{
    Context, LogLine, ParseError, TimeCommand,
    duration::{Form, Length, continues_plainly, duration},
    error::{LONGEST_DESCRIPTION, Problem, Refusal, Stop},
    words::{LONGEST, any_of, lower, measure_named, space, word},
};

/// Reads a line as the person typed it.
pub(super) fn command(typed: &str, context: &Context) -> Result<TimeCommand, ParseError> {
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
    match start {
        alone if alone.eq_ignore_ascii_case("help") => return Ok(TimeCommand::Help),
        alone if alone.eq_ignore_ascii_case("undo") => return Ok(TimeCommand::Undo),
        _ => {}
    }
    match log_line(start, context) {
        Ok(log) => Ok(TimeCommand::Log(log)),
        Err(refusal) if refusal.stop.problem == Problem::NoTime && asks_for_help(start) => {
            Ok(TimeCommand::Help)
        }
        Err(refusal) => Err(refusal.into_error(line)),
    }
}

/// `help me`, or any question.
fn asks_for_help(line: &str) -> bool {
    let first = line.split(char::is_whitespace).next().unwrap_or_default();
    line.ends_with('?') || first.eq_ignore_ascii_case("help")
}

/// A time in front, failing that at the end.
fn log_line<'a>(line: &'a str, context: &Context) -> Result<LogLine, Refusal<'a>> {
    let stop = match leading(line, context) {
        Ok(log) => return log,
        Err(Err::Failure(stop) | Err::Error(stop)) => stop,
        Err(Err::Incomplete(_)) => Stop::here(line, Problem::NoTime),
    };
    let refusal = Refusal {
        stop,
        time: line,
        words: stop.after,
    };
    if !stop.problem.may_be_words() {
        return Err(refusal);
    }
    match trailing(line, context) {
        Some(Ok(found)) => found.log(context),
        Some(Err(trailing)) => Err(trailing),
        None if stop.problem == Problem::NoTime => Err(Refusal {
            stop: Stop::before(line, line, unit_first(line)),
            time: line,
            words: line,
        }),
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

/// A time and its description, found in a line.
struct Found<'a> {
    line: &'a str,
    length: Length<'a>,
    description: &'a str,
}

impl<'a> Found<'a> {
    fn log(self, context: &Context) -> Result<LogLine, Refusal<'a>> {
        let words = self.description.trim();
        let description = unquoted(words);
        if description.len() > LONGEST_DESCRIPTION {
            let characters = description.chars().count();
            if characters > LONGEST_DESCRIPTION {
                return Err(Refusal {
                    stop: Stop::before(
                        self.description,
                        self.description,
                        Problem::DescriptionTooLong { characters },
                    ),
                    time: self.line,
                    words,
                });
            }
        }
        Ok(LogLine {
            duration: self.length.minutes,
            description: description.to_owned(),
            date: context.today(),
            start: None,
            end: None,
            guess: self.length.guess(context),
            tags: Vec::new(),
            project: None,
            client: None,
            billable: None,
        })
    }
}

/// A time at the beginning. The outer error says that there is none, or why it cannot be read.
fn leading<'a>(
    line: &'a str,
    context: &Context,
) -> Result<Result<LogLine, Refusal<'a>>, Err<Stop<'a>>> {
    not_offered(line)?;
    let (rest, length) = duration(line, context)?;
    not_offered(rest.trim_start())?;
    if goes_on_to_an_end(rest) {
        return Stop::before(rest.trim_start(), rest, Problem::NotOffered).for_good();
    }
    let (description, separated) = description_after(rest);
    if !separated {
        second_time(line, rest, length, context)?;
    }
    Ok(Found {
        line,
        length,
        description,
    }
    .log(context))
}

/// `-11:30`, `– 5`, `to 5`.
fn goes_on_to_an_end(rest: &str) -> bool {
    let rest = rest.trim_start();
    let marked = rest.strip_prefix(['-', '–', '—', '→']);
    let named =
        || terminated(any_of(&["to", "till", "til", "until", "through"]), space).parse(rest);
    marked
        .or_else(|| named().ok().map(|(after, _)| after))
        .is_some_and(|after| after.trim_start().starts_with(|c: char| c.is_ascii_digit()))
}

/// The text behind a time, without what joins them, and whether a mark separates the two.
fn description_after(rest: &str) -> (&str, bool) {
    let rest = rest.trim_start();
    let joined = terminated(any_of(&["on", "for"]), space)
        .parse(rest)
        .map_or(rest, |(after, _)| after.trim_start());
    match separator(joined) {
        Some(after) => (after, true),
        None => (joined, joined.is_empty()),
    }
}

fn separator(text: &str) -> Option<&str> {
    text.strip_prefix([':', '-', '–', '—', ',', ';'])
        .map(str::trim_start)
}

/// Asks back, or refuses, when a second time follows and no mark says that it is a description.
fn second_time<'a>(
    line: &'a str,
    rest: &'a str,
    length: Length<'a>,
    context: &Context,
) -> Result<(), Err<Stop<'a>>> {
    if let Form::Loose(short, from) = length.form {
        let problem = Problem::MinutesOrWords {
            short,
            long: length.minutes,
        };
        return Stop::before(from, rest, problem).for_good();
    }
    let next = rest.trim_start();
    if length.form == Form::Clock && line.starts_with("1:1") && continues_plainly(rest) {
        return Stop::before(line, rest, Problem::OneOnOne).for_good();
    }
    if looks_like_a_time(next) {
        let first = length.minutes;
        return Stop::before(next, next, Problem::SecondTime { first }).for_good();
    }
    if matches!(length.form, Form::Bare(_) | Form::Decimal)
        && let Some(Ok(found)) = trailing(next, context)
    {
        let problem = Problem::TwoTimes {
            first: length.minutes,
            last: found.length.minutes,
        };
        return Stop::before(line, next, problem).for_good();
    }
    Ok(())
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

/// How far from its end a line is searched for a time, in bytes: more than the longest one needs.
const REACH: usize = 96;

/// The longest time at the end of the line, or the reason why what looks like one cannot be read.
fn trailing<'a>(line: &'a str, context: &Context) -> Option<Result<Found<'a>, Refusal<'a>>> {
    let quoted = line.len() - behind_quotes(line).len();
    for (start, _) in word_starts(line) {
        if start == 0 || start < quoted {
            continue;
        }
        let text = &line[start..];
        let (inner, closing) = match text.strip_prefix('(') {
            Some(inner) => (inner, ")"),
            None => (text, ""),
        };
        let words = before_time(&line[..start]);
        match duration(inner, context) {
            Ok((rest, length)) if rest == closing || rest.strip_suffix('.') == Some(closing) => {
                let moment = names_a_moment(&line[..start]);
                return match length.form {
                    Form::Clock if moment => None,
                    Form::Bare(_) | Form::Decimal => Some(Err(Refusal {
                        stop: Stop::before(
                            text,
                            "",
                            Problem::NumberAtTheEnd {
                                reading: length.minutes,
                            },
                        ),
                        time: text,
                        words,
                    })),
                    _ => Some(Ok(Found {
                        line,
                        length,
                        description: words,
                    })),
                };
            }
            Err(Err::Failure(stop))
                if !stop.problem.may_be_words()
                    && ends_line(stop.after)
                    && !inner.bytes().all(|b| b.is_ascii_digit()) =>
            {
                return Some(Err(Refusal {
                    stop,
                    time: text,
                    words,
                }));
            }
            _ => {}
        }
    }
    None
}

fn ends_line(rest: &str) -> bool {
    rest.trim_matches(['.', ')']).is_empty()
}

/// Where the last words of the line begin, from the farthest to the nearest.
fn word_starts(line: &str) -> impl Iterator<Item = (usize, char)> {
    let mut from = line.len().saturating_sub(REACH);
    while !line.is_char_boundary(from) {
        from += 1;
    }
    let mut before = line[..from]
        .chars()
        .next_back()
        .is_none_or(char::is_whitespace);
    line[from..].char_indices().filter_map(move |(index, c)| {
        let begins = before && !c.is_whitespace();
        before = c.is_whitespace();
        begins.then_some((from + index, c))
    })
}

/// The description in front of a time, without what joins the two.
fn before_time(text: &str) -> &str {
    let text = text
        .trim_end()
        .trim_end_matches([':', '-', '–', '—', ',', ';'])
        .trim_end();
    match text.rsplit_once(char::is_whitespace) {
        Some((words, "for")) => words.trim_end(),
        _ => text,
    }
}

/// Whether the words in front of `9:30` make it a time of day.
fn names_a_moment(before: &str) -> bool {
    let last = before.trim_end().rsplit(char::is_whitespace).next();
    let mut buffer = [0; LONGEST];
    last.and_then(|word| lower(word, &mut buffer))
        .is_some_and(|word| {
            matches!(
                word,
                "at" | "since"
                    | "from"
                    | "until"
                    | "till"
                    | "til"
                    | "by"
                    | "before"
                    | "after"
                    | "around"
                    | "to"
                    | "the"
                    | "ca"
                    | "about"
                    | "@"
            )
        })
}

/// The text behind a quotation at the beginning.
fn behind_quotes(line: &str) -> &str {
    let inside = line.strip_prefix(['"', '“', '„', '”']);
    inside
        .and_then(|inside| inside.split_once(['"', '“', '”']))
        .map_or(line, |(_, behind)| behind)
}

/// A description without the quotes around the whole of it.
fn unquoted(text: &str) -> &str {
    text.strip_prefix(['"', '“', '„', '”'])
        .and_then(|inside| inside.strip_suffix(['"', '“', '”']))
        .filter(|inside| !inside.contains(['"', '“', '”']))
        .map_or(text, str::trim)
}

/// Days, and times from–to, are refused rather than read as a part of the description.
fn not_offered(line: &str) -> Result<(), Err<Stop<'_>>> {
    const DAYS: &[&str] = &[
        "today",
        "yesterday",
        "yday",
        "tomorrow",
        "last",
        "next",
        "this",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "mon",
        "tue",
        "tues",
        "wed",
        "thu",
        "thurs",
        "fri",
        "sat",
        "sun",
        "from",
        "between",
    ];
    if let Ok((rest, _)) = any_of(DAYS).parse(line)
        && !rest.starts_with(['\'', '’'])
    {
        return Stop::before(line, rest, Problem::NotOffered).for_good();
    }
    Ok(())
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
        let verb = |text| command(text, &friday()).unwrap();
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
