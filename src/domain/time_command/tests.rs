//! The language as a whole: the vectors, and what holds for every text.

use chrono::{TimeZone, Utc};
use chrono_tz::{Europe::Berlin, Tz};
use proptest::prelude::*;

use super::*;

/// Friday 20 November 2026, 17:30 in Berlin.
pub(super) fn friday() -> Context {
    at("2026-11-20T17:30", Berlin)
}

pub(super) fn at(local: &str, zone: Tz) -> Context {
    let local = chrono::NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M").unwrap();
    let now = zone
        .from_local_datetime(&local)
        .unwrap()
        .with_timezone(&Utc);
    Context::new(now, zone)
}

pub(super) fn log(text: &str) -> LogLine {
    match parse(text, &friday()) {
        Ok(TimeCommand::Log(line)) => line,
        other => panic!("{text:?} was read as {other:?}"),
    }
}

pub(super) fn error(text: &str) -> ParseError {
    match parse(text, &friday()) {
        Err(error) => error,
        other => panic!("{text:?} was read as {other:?}"),
    }
}

#[derive(serde::Deserialize)]
struct DurationVector {
    input: String,
    minutes: Option<u32>,
}

#[test]
fn every_duration_vector_holds_alone_and_before_a_description() {
    let vectors: Vec<DurationVector> = serde_json::from_str(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/vectors/durations.json"
    )))
    .unwrap();
    let mut wrong = Vec::new();
    for vector in &vectors {
        for (line, description) in [
            (vector.input.clone(), ""),
            (format!("{}: Meeting", vector.input), "Meeting"),
            (format!("{} - Meeting", vector.input), "Meeting"),
        ] {
            let read = parse(&line, &friday());
            let right = match (&read, vector.minutes) {
                (Ok(TimeCommand::Log(log)), Some(minutes)) => {
                    log.duration.get() == minutes && log.description == description
                }
                (Ok(TimeCommand::Empty) | Err(_), None) => true,
                _ => false,
            };
            if !right {
                wrong.push(format!("{line:?} {:?}: {read:?}", vector.minutes));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[derive(serde::Deserialize)]
struct DateVector {
    input: String,
    now: String,
    date: Option<String>,
}

#[test]
fn every_date_vector_holds_before_and_behind_a_time() {
    let vectors: Vec<DateVector> = serde_json::from_str(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/vectors/dates.json"
    )))
    .unwrap();
    let mut wrong = Vec::new();
    for vector in &vectors {
        let context = at(&vector.now, Berlin);
        let input = &vector.input;
        for line in [
            format!("{input} 1h: Meeting"),
            format!("{input} 9-10 Meeting"),
            format!("{input}: 1h Meeting"),
            format!("1h {input}: Meeting"),
            format!("9-10 on {input}: Meeting"),
            format!("Meeting 1h {input}"),
        ] {
            let read = parse(&line, &context);
            let right = match (&read, vector.date.as_deref()) {
                (Err(error), Some("ambiguous")) => error.kind == ErrorKind::Ambiguous,
                (Err(error), None) => error.kind == ErrorKind::Refused,
                (Ok(TimeCommand::Log(log)), Some(date)) => {
                    log.date.to_string() == date
                        && log.duration.get() == 60
                        && log.description == "Meeting"
                }
                _ => false,
            };
            if !right {
                wrong.push(format!("{line:?} {:?}: {read:?}", vector.date));
            }
        }
        let alone = parse(input, &context);
        let is_verb = matches!(&alone, Ok(TimeCommand::Report(_)));
        assert!(alone.is_err() || is_verb, "{input:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const WORDS: &str = "[a-zA-Zäöüß][a-zA-Zäöüß0-9 .,:/&()-]{0,40}[a-zA-Z]";

proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".{0,200}") {
        let _ = parse(&text, &friday());
    }

    #[test]
    fn no_text_of_the_language_is_too_strange(
        text in "([0-9]{1,4}|[0-9]{1,2}[:.h/][0-9]{1,2}|[:;.,+/&\\-–'\"()]|[1-9](h|m|min|d)|hours|and|half|\
            a|of|to|for|on|½|am|pm|from|today|friday|sat|last|nov|days|ago|week|month|report|by|one|#acme|@bo|\
            \\+tag|!billable|call| | | ){0,14}"
    ) {
        if let Err(error) = parse(&text, &friday()) {
            let example = parse(&error.example, &friday());
            let works = matches!(example, Ok(TimeCommand::Log(_) | TimeCommand::Report(_)));
            prop_assert!(works, "{error:?} {example:?}");
            prop_assert!(error.at <= text.chars().count());
            for suggestion in &error.suggestions {
                let accepted = parse(&suggestion.line, &friday());
                prop_assert!(matches!(accepted, Ok(TimeCommand::Log(_))), "{error:?} {accepted:?}");
            }
        }
    }

    #[test]
    fn what_is_shown_can_be_typed(minutes in 1_u32..=1440, words in WORDS) {
        let minutes = Minutes::new(minutes);
        prop_assert_eq!(log(&minutes.to_string()).duration, minutes);
        prop_assert_eq!(log(&minutes.words()).duration, minutes);
        prop_assert_eq!(log(&format!("{minutes}: {words}")).duration, minutes);
        prop_assert_eq!(log(&format!("call {words} wrap-up {minutes}")).duration, minutes);
    }

    #[test]
    fn words_survive(minutes in 1_u32..=1440, words in WORDS) {
        let minutes = Minutes::new(minutes);
        for mark in [":", " -", " –"] {
            let line = log(&format!("{minutes}{mark} {words}"));
            prop_assert_eq!(&line.description, &words);
        }
    }

    #[test]
    fn a_description_never_changes_the_duration(
        time in "[0-9]{1,3}( ?(h|m|hours|min|d)){0,1}|[0-9]{1,2}[:h][0-5][0-9]", words in WORDS
    ) {
        if let Ok(TimeCommand::Log(alone)) = parse(&time, &friday()) {
            let line = log(&format!("{time}: {words}"));
            prop_assert_eq!(line.duration, alone.duration);
            if let Ok(TimeCommand::Log(line)) = parse(&format!("{time} kick-off {words}"), &friday()) {
                prop_assert_eq!(line.duration, alone.duration);
            }
        }
    }

    #[test]
    fn a_refusal_keeps_every_word(words in "[a-z]{1,8}( [a-z]{1,8}){0,6}") {
        let verb = words.split(' ').next().unwrap_or_default();
        let is_verb = parse(verb, &friday()).is_ok();
        if !is_verb && let Err(error) = parse(&words, &friday()) {
            for word in words.split(' ') {
                prop_assert!(error.example.contains(word), "{} {}", words, error.example);
            }
        }
    }
}

#[test]
fn a_very_long_text_takes_time_in_proportion() {
    for piece in [
        "a",
        "9",
        "9 ",
        "1h",
        "½",
        "<",
        "&",
        "\"",
        "'",
        "-",
        ":",
        ".",
        "and ",
        "#",
        "+a ",
        "٣",
        " ",
        "(",
        "9-11, ",
        "yesterday ",
        "half ",
        "1.",
        "<@",
        "?",
        "a 2h ",
    ] {
        let text = piece.repeat(200_000 / piece.len());
        let began = std::time::Instant::now();
        let _ = parse(&text, &friday());
        assert!(began.elapsed().as_secs() < 10, "{piece:?}");
    }
}

#[test]
fn examples_and_buttons_keep_the_marks() {
    for text in [
        "2h #acme @tern call yesterday +late",
        "#acme @tern 2x call +late",
        "#acme 13 call @tern +late",
        "yesterday #acme @tern call +late",
        "#acme yesterday call 31h @tern +late",
        "tomorrow #acme 2h @tern call +late",
        "3/11 2h call #acme @tern +late",
        "call 31h #acme @tern +late",
        "#acme @tern 12 monkeys call 2h +late",
        "#acme @tern call +late",
    ] {
        let stopped = error(text);
        let offered = stopped.suggestions.iter().map(|s| &s.line);
        for line in offered.chain([&stopped.example]) {
            for word in ["#acme", "@tern", "call", "+late"] {
                assert!(line.contains(word), "{text:?}: {line:?}");
            }
        }
    }
}
