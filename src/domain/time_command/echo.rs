//! The echo: a reading as it is printed, typed again.
//!
//! ```text
//! echo = length [" · " description] " · " ["today "] day {", " start "–" end} {" · " mark}
//! mark = "#" project | "@" client | "+" tag | "billable" | "not billable"
//! ```
//!
//! `2 h 30 min · Meeting · today Fri 20 Nov, 11:00–13:30 · #acme · billable`. The day always stands
//! behind the description and before the marks, so that a description needs no quotes, whatever is in
//! it. Everything is read literally, and nothing is guessed.

use chrono::{Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use nom::{
    Parser,
    bytes::complete::tag,
    character::complete::{char, digit1},
    combinator::{all_consuming, opt, verify},
    multi::many0,
    sequence::{preceded, separated_pair, terminated},
};

use super::{
    ClockRange, Context, LogLine,
    day::{latest, month, no_day, short, weekday},
    draft::unquoted,
    marks::name_behind,
    number::saturating,
    range::LONGEST,
    refusal::{LONGEST_DESCRIPTION, Refusal, compact, join},
    stop::{Parsed, Problem, Stop},
};
use crate::domain::minutes::Minutes;

const BETWEEN: &str = " · ";

/// A line that has the form of the echo; `None` if it has another.
pub(super) fn echo<'a>(
    line: &'a str,
    context: &Context,
) -> Option<Result<LogLine, Box<Refusal<'a>>>> {
    if !line.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (length, rest) = line.split_once(BETWEEN)?;
    let (_, duration) = all_consuming(shown_length).parse(length).ok()?;
    let mut log = LogLine {
        duration,
        description: String::new(),
        date: context.today(),
        start: None,
        end: None,
        ranges: Vec::new(),
        guess: None,
        tags: Vec::new(),
        project: None,
        client: None,
        billable: None,
    };
    let mut before = Some(rest);
    let mut last = rest;
    while let Some(open) = before {
        (before, last) = match open.rsplit_once(BETWEEN) {
            Some((before, last)) => (Some(before), last),
            None => (None, open),
        };
        if !take_mark(last, &mut log) {
            break;
        }
    }
    log.tags.reverse();
    let times = many0(preceded(tag(", "), shown_range));
    let (_, (date, ranges)) = all_consuming((|input| shown_day(input, context.today()), times))
        .parse(last)
        .ok()?;
    let words = before.unwrap_or_default();
    unquoted(words).clone_into(&mut log.description);
    log.start = ranges.first().map(|range| range.start);
    log.end = ranges.last().map(|range| range.end);
    log.ranges = ranges;
    let problem = match date {
        Ok(date) => {
            log.date = date;
            wrong(&log, context)
        }
        Err(problem) => Some(problem),
    };
    Some(match problem {
        None => Ok(log),
        Some(problem) => {
            let time = Some(duration).filter(|&length| is_possible(length));
            let time = time.map_or_else(|| "1h".to_owned(), compact);
            let day = Some(log.date).filter(|&date| date < context.today());
            let day = day.map(|date| date.to_string()).unwrap_or_default();
            let example = join(&day, &time, &log.words());
            let at = match problem {
                Problem::Zero | Problem::TooLong { .. } => Stop::before(line, rest, problem),
                Problem::DescriptionTooLong { .. } => Stop::here(words, problem),
                _ => Stop::before(last, &last[last.len()..], problem),
            };
            Err(Refusal::at(at).with_example(example))
        }
    })
}

/// Takes the text as a mark, unless it is none or the second of its kind.
fn take_mark(text: &str, log: &mut LogLine) -> bool {
    let name = |sign| match name_behind(sign, text) {
        Some((name, "")) => Some(name.to_owned()),
        _ => None,
    };
    if let Some(tag) = name('+') {
        log.tags.push(tag);
        return true;
    }
    let billable = match text {
        "billable" => Some(true),
        "not billable" => Some(false),
        _ => None,
    };
    let (project, client) = (name('#'), name('@'));
    let again = (log.project.is_some() && project.is_some())
        || (log.client.is_some() && client.is_some())
        || (log.billable.is_some() && billable.is_some());
    if again || (project.is_none() && client.is_none() && billable.is_none()) {
        return false;
    }
    log.project = project.or_else(|| log.project.take());
    log.client = client.or_else(|| log.client.take());
    log.billable = billable.or(log.billable);
    true
}

/// `2 h 30 min`, `45 min`, `8 h`.
fn shown_length(input: &str) -> Parsed<'_, Minutes> {
    let amount = |unit: &'static str| terminated(digit1.map(saturating), tag(unit));
    let (rest, hours) = opt(amount(" h")).parse(input)?;
    let (rest, minutes) = match hours {
        Some(_) => opt(preceded(char(' '), amount(" min"))).parse(rest)?,
        None => amount(" min").map(Some).parse(rest)?,
    };
    let total = hours.unwrap_or_default() * 60 + minutes.unwrap_or_default();
    Ok((rest, Minutes::new(u32::try_from(total).unwrap_or(u32::MAX))))
}

/// `today Fri 20 Nov`, `Wed 24 Dec 2025`, and what is wrong with it.
fn shown_day(input: &str, today: NaiveDate) -> Parsed<'_, Result<NaiveDate, Problem>> {
    let (rest, weekday) = preceded(opt(tag("today ")), weekday).parse(input)?;
    let (rest, day) = preceded(char(' '), short).parse(rest)?;
    let (rest, month) = preceded(char(' '), month).parse(rest)?;
    // The calendar goes back further than the years that people type.
    let digits = verify(digit1, |digits: &str| (4..=6).contains(&digits.len()));
    let (rest, year) = opt(preceded(char(' '), (opt(char('-')), digits))).parse(rest)?;
    let date = match year {
        None => latest(day, month, today),
        Some((sign, digits)) => {
            let year = i32::try_from(saturating(digits)).unwrap_or_default();
            NaiveDate::from_ymd_opt(if sign.is_some() { -year } else { year }, month, day)
        }
    };
    let read = match date {
        None => Err(Problem::NoSuchDay),
        Some(date) if chrono::Datelike::weekday(&date) != weekday => Err(Problem::OtherWeekday),
        Some(date) if date > today => Err(Problem::Future { date }),
        Some(date) => Ok(date),
    };
    Ok((rest, read))
}

/// `11:00–13:30`, with seconds where there are any.
fn shown_range(input: &str) -> Parsed<'_, ClockRange> {
    separated_pair(shown_time, char('–'), shown_time)
        .map(|(start, end)| ClockRange { start, end })
        .parse(input)
}

fn shown_time(input: &str) -> Parsed<'_, NaiveTime> {
    let (rest, hour) = short(input)?;
    let (rest, minute) = preceded(char(':'), short).parse(rest)?;
    let (rest, second) = opt(preceded(char(':'), short)).parse(rest)?;
    match NaiveTime::from_hms_opt(hour, minute, second.unwrap_or_default()) {
        Some(time) => Ok((rest, time)),
        None => no_day(input),
    }
}

fn is_possible(length: Minutes) -> bool {
    (Minutes::new(1)..=Minutes::DAY).contains(&length)
}

/// What no reading can have been printed with.
fn wrong(log: &LogLine, context: &Context) -> Option<Problem> {
    let length = log.duration;
    let characters = log.description.chars().count();
    if length == Minutes::default() {
        Some(Problem::Zero)
    } else if !is_possible(length) {
        Some(Problem::TooLong { length })
    } else if characters > LONGEST_DESCRIPTION {
        Some(Problem::DescriptionTooLong { characters })
    } else if log.ranges.is_empty() {
        None
    } else {
        match possible_lengths(log, context) {
            Ok((shortest, longest)) if (shortest..=longest).contains(&length) => None,
            Ok((_, times)) => Some(Problem::TimesDiffer { length, times }),
            Err(problem) => Some(problem),
        }
    }
}

/// What the times come to: one length, or, where the clocks go back, the shortest and the longest.
fn possible_lengths(log: &LogLine, context: &Context) -> Result<(Minutes, Minutes), Problem> {
    let (mut shortest, mut longest) = (0, 0);
    let mut free_from = log.date.and_time(NaiveTime::MIN);
    for range in &log.ranges {
        let start = log.date.and_time(range.start);
        let end = log.date.and_time(range.end);
        let end = if end <= start {
            end.checked_add_days(Days::new(1))
                .ok_or(Problem::NoSuchDay)?
        } else {
            end
        };
        if start < free_from {
            return Err(Problem::Overlap);
        }
        free_from = end;
        let (first_start, last_start) = instants(start, context)?;
        let (first_end, last_end) = instants(end, context)?;
        let least = (first_end - last_start).max(0);
        if least > i64::from(LONGEST) {
            let length = Minutes::new(u32::try_from(least / 60).unwrap_or(u32::MAX));
            return Err(Problem::RangeTooLong { length });
        }
        shortest += least;
        longest += last_end - first_start;
    }
    let minutes = |seconds: i64| Minutes::new(u32::try_from((seconds + 30) / 60).unwrap_or(0));
    Ok((minutes(shortest), minutes(longest)))
}

/// When the local time is, in seconds: once, or twice where the clocks go back.
fn instants(local: NaiveDateTime, context: &Context) -> Result<(i64, i64), Problem> {
    match context.zone.from_local_datetime(&local) {
        LocalResult::Single(instant) => Ok((instant.timestamp(), instant.timestamp())),
        LocalResult::Ambiguous(first, last) => Ok((first.timestamp(), last.timestamp())),
        LocalResult::None => Err(Problem::ClockSkips {
            date: local.date(),
            time: local.time(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        ErrorKind, TimeCommand, explain, parse,
        tests::{at, error, friday, log},
    };
    use super::*;
    use chrono_tz::{America, Europe::Berlin};
    use proptest::{prelude::*, sample::select};

    /// What Slack sends for a text.
    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    }

    /// What the echo keeps: all but the guess, and white space in the description.
    fn kept(mut line: LogLine) -> LogLine {
        line.guess = None;
        let words: Vec<_> = line.description.split_whitespace().collect();
        line.description = words.join(" ");
        line
    }

    fn again(line: &str, context: &Context) -> Result<LogLine, String> {
        let echo = explain(line, context).to_string();
        match parse(&escaped(&echo), context) {
            Ok(TimeCommand::Log(read)) => Ok(read),
            other => Err(format!("{line:?} {echo:?} {other:?}")),
        }
    }

    fn survives(line: &str, context: &Context) -> Result<(), String> {
        let Ok(TimeCommand::Log(typed)) = parse(line, context) else {
            return Ok(());
        };
        let read = again(line, context)?;
        if read == kept(typed.clone()) {
            Ok(())
        } else {
            Err(format!("{line:?}\n{typed:?}\n{read:?}"))
        }
    }

    #[test]
    fn every_part_of_it_is_read() {
        let line = log(
            "2 h 30 min · Meeting · Wed 24 Dec 2025, 11:00–12:00, 13:00–14:30 · #acme · @tern · \
             +a · +b · not billable",
        );
        let expected = log("24 Dec 11-12, 1-2:30pm #acme @tern Meeting +a +b !nonbillable");
        assert_eq!(line, expected);
        let line = log("45 min · today Fri 20 Nov");
        assert_eq!(line, log("45m"));
        assert_eq!(
            log("1 h · a · b · Fri 20 Nov · billable").description,
            "a · b"
        );
        assert_eq!(log("1 h · #a · Fri 20 Nov").description, "#a");
        assert_eq!(
            log("1 h · x · Fri 20 Nov · today Fri 20 Nov").description,
            "x · Fri 20 Nov"
        );
    }

    #[test]
    fn what_has_another_form_is_read_as_ever() {
        assert_eq!(log("2 h · Meeting").description, "· Meeting");
        assert_eq!(log("2h: a · b").description, "a · b");
        assert_eq!(
            log("2 h: a · today Fri 20 Nov").description,
            "a · today Fri 20 Nov"
        );
        assert_eq!(
            log("2 h · a · Fri 20 Nov · #a · #b").description,
            "· a · Fri 20 Nov · #a ·"
        );
    }

    #[test]
    fn what_cannot_have_been_printed_is_refused() {
        for (text, message) in [
            ("0 h · a · today Fri 20 Nov", "That rounds to 0 min."),
            ("25 h · a · today Fri 20 Nov", "25 h is more than a day."),
            (
                "1 h · a · Thu 20 Nov",
                "I stopped at “Thu”: that is another day of the week.",
            ),
            (
                "1 h · a · Fri 30 Feb 2024",
                "I stopped at “Fri”: there is no such day.",
            ),
            (
                "1 h · a · Sat 21 Nov 2026",
                "Sat 21 Nov is in the future. Time is logged up to today.",
            ),
            (
                "2 h · a · today Fri 20 Nov, 11:00–13:30",
                "The times from–to come to 2 h 30 min, not to 2 h.",
            ),
            (
                "2 h · a · today Fri 20 Nov, 11:00–12:00, 11:30–12:30",
                "I stopped at “today”: it begins before the time in front of it ends.",
            ),
            (
                "17 h · a · today Fri 20 Nov, 01:00–18:00",
                "17 h is too long for a time from–to: 16 h are the limit.",
            ),
        ] {
            let refused = error(text);
            assert_eq!(
                (refused.kind, &*refused.message),
                (ErrorKind::Refused, message)
            );
            assert!(
                log(&refused.example).description.ends_with('a'),
                "{refused:?}"
            );
        }
        let long = "ä".repeat(3_001);
        let refused = error(&format!("1 h · {long} · today Fri 20 Nov · #acme"));
        assert_eq!(
            refused.message,
            "3,000 characters are the limit; this is 3,001."
        );
        assert_eq!(refused.at, 6);
        log(&refused.example);
    }

    #[test]
    fn nights_with_a_clock_change_survive() {
        for line in [
            "28 Mar 22:00-04:00 deploy",
            "24 Oct 22:00-04:00 deploy",
            "29 Mar 1am for 2h",
            "29 Mar 1am for 2h, 4-5 rest",
            "25 Oct 1am for 1h",
            "25 Oct 1am for 90 mins",
            "25 Oct 1am for 2h",
            "25 Oct 1am for 2h30",
            "25 Oct 1am for 2h, 5-6",
        ] {
            survives(line, &friday()).unwrap();
        }
        let sao_paulo = at("2018-11-20T17:30", America::Sao_Paulo);
        for line in [
            "17 Feb 2018 22:30 for 30m",
            "17 Feb 2018 22:30 for 1h",
            "17 Feb 2018 22:30 for 2h",
            "17 Feb 2018 22:30 for 3h",
            "3 Nov 2018 22:00-03:00",
            "3 Nov 2018 23:30 for 1h",
        ] {
            survives(line, &sao_paulo).unwrap();
        }
    }

    const PIECES: [&str; 43] = [
        "call",
        "Ann",
        "2h",
        "9-11",
        "9:30",
        "1:1",
        "yesterday",
        "today Fri 20 Nov",
        "Fri 20 Nov",
        ":",
        "-",
        "–",
        "·",
        " · ",
        ",",
        ";",
        "\"",
        "“",
        "”",
        "'",
        "(",
        ")",
        "#acme",
        "#12",
        "@bo",
        "+tag",
        "+1",
        "!billable",
        "billable",
        "not billable",
        "&",
        "&amp;",
        "<",
        ">",
        "<@U1|x>",
        "?",
        ".",
        "\n",
        "  ",
        "é",
        "٣",
        "today",
        "45 min",
    ];

    fn description() -> impl Strategy<Value = String> {
        let pieces = proptest::collection::vec((select(&PIECES[..]), any::<bool>()), 0..8);
        pieces.prop_map(|pieces| {
            let glued = |(piece, space): (&str, bool)| {
                let gap = if space { " " } else { "" };
                format!("{piece}{gap}")
            };
            pieces.into_iter().map(glued).collect()
        })
    }

    fn time() -> impl Strategy<Value = String> {
        prop_oneof![
            (1_u32..=1440).prop_map(|minutes| Minutes::new(minutes).to_string()),
            (0_u32..24, 0_u32..60, 0_u32..24, 0_u32..60)
                .prop_map(|(a, b, c, d)| format!("{a}:{b:02}-{c}:{d:02}")),
            (0_u32..24, 0_u32..60, 1_u32..900).prop_map(|(a, b, c)| format!("{a}:{b:02} for {c}m")),
            (0_u32..24, 0_u32..60).prop_map(|(a, b)| format!("{a}:{b:02}:17-{a}:59:50")),
            (6_u32..12, 0_u32..60, 13_u32..24)
                .prop_map(|(a, b, c)| format!("{a}:{b:02}-12, 12:30–{c}")),
            Just("9-12, 1-5".to_owned()),
            Just("22:00-02:00".to_owned()),
            Just("2".to_owned()),
        ]
    }

    fn day() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(String::new()),
            (0_u32..900).prop_map(|days| format!("{days} days ago ")),
            (0_u32..4_000_000).prop_map(|days| format!("{days} days ago ")),
            select(
                &[
                    "yesterday ",
                    "wed ",
                    "29 Feb ",
                    "2024-02-29 ",
                    "28 Mar ",
                    "25 Oct "
                ][..]
            )
            .prop_map(str::to_owned),
        ]
    }

    fn marks() -> impl Strategy<Value = (String, String)> {
        let front = select(
            &[
                "",
                "#acme ",
                "@tern ",
                "#web @tern ",
                "!billable ",
                "#a·b ",
                "#web @x !nonbillable ",
            ][..],
        );
        let back = select(
            &[
                "",
                " +a",
                " +a +b2 +a",
                " #acme",
                " #acme @tern",
                " +x !billable",
            ][..],
        );
        (front, back).prop_map(|(front, back)| (front.to_owned(), back.to_owned()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn what_is_printed_can_be_typed_and_reads_the_same(
            day in day(), time in time(), (front, back) in marks(), words in description(),
            quoted in any::<bool>(),
            zone in select(&[
                Berlin, America::New_York, America::Sao_Paulo, chrono_tz::Australia::Lord_Howe,
                chrono_tz::Asia::Kolkata,
            ][..]),
        ) {
            let words = if quoted { format!("\"{words}\"") } else { words };
            let context = at("2026-11-20T17:30", zone);
            for line in [
                format!("{day}{time}: {front}{words}{back}"),
                format!("{day}{front}{time} {words}{back}"),
                format!("{words} {time}"),
            ] {
                survives(&line, &context).map_err(TestCaseError::fail)?;
                survives(&escaped(&line), &context).map_err(TestCaseError::fail)?;
            }
        }

        #[test]
        fn whatever_is_read_survives(text in "([0-9]{1,2}(h|m|:[0-5][0-9])|[0-9]-[0-9]{2})[: ].{0,60}") {
            survives(&text, &friday()).map_err(TestCaseError::fail)?;
        }
    }
}
