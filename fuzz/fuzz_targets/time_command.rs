//! Any text, read in every way there is: as a line, as the time alone, and its echo once more.
//!
//! See README.md beside the folder for how to run it.
#![no_main]
#![allow(dead_code, unused_imports, missing_docs)]

use chrono::{DateTime, Days};
use chrono_tz::{America, Asia, Australia, Europe, Tz};
use libfuzzer_sys::{Corpus, fuzz_target};

/// The language by its files, so that the bot does not have to be built.
#[path = "../../src/domain"]
mod domain {
    pub mod minutes;
    pub mod period;
    pub mod provider;
    pub mod time_command;
}

use domain::time_command::{
    BareNumberUnit, Context, LogLine, SlashDates, TimeCommand, explain, parse, time_on,
};

const ZONES: [Tz; 5] = [
    Europe::Berlin,
    America::New_York,
    America::Sao_Paulo,
    Australia::Lord_Howe,
    Asia::Kolkata,
];

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((&choice, text)) = data.split_first() else {
        return Corpus::Reject;
    };
    let Ok(text) = str::from_utf8(text) else {
        return Corpus::Reject;
    };
    let context = context(choice);
    line(text, &context);
    field(text, choice, &context);
    Corpus::Keep
});

/// Zone, units, order of dates and season, by one byte.
fn context(choice: u8) -> Context {
    let choice = usize::from(choice);
    // 20 November 2026 and 20 April 2018, in the afternoon of Berlin.
    let now = [1_795_192_200, 1_524_234_600][choice / 5 % 2];
    let now = DateTime::from_timestamp(now, 0).expect("the instants are written here");
    Context {
        bare_number_unit: [
            BareNumberUnit::Guess,
            BareNumberUnit::Hours,
            BareNumberUnit::Minutes,
        ][choice / 10 % 3],
        slash_dates: [
            SlashDates::Ask,
            SlashDates::DayFirst,
            SlashDates::MonthFirst,
        ][choice / 30 % 3],
        ..Context::new(now, ZONES[choice % 5])
    }
}

/// An error has its place in the text, and its example and buttons work. A reading survives its echo.
fn line(text: &str, context: &Context) {
    let explanation = explain(text, context);
    let echo = explanation.to_string();
    match parse(text, context) {
        Err(error) => {
            assert!(!explanation.is_ok());
            assert!(error.at <= text.chars().count());
            assert!(!error.message.is_empty());
            let offered = error.suggestions.iter().map(|suggestion| &suggestion.line);
            for line in offered.chain([&error.example]) {
                // A button sends what Slack would send.
                let accepted = parse(&escaped(line), context);
                assert!(
                    !matches!(accepted, Err(_) | Ok(TimeCommand::Empty)),
                    "{text:?}: {line:?} {accepted:?}"
                );
            }
        }
        Ok(TimeCommand::Log(line)) => {
            check(&line);
            let again = parse(&escaped(&echo), context);
            let Ok(TimeCommand::Log(again)) = again else {
                panic!("{text:?}: {echo:?} {again:?}");
            };
            assert_eq!(kept(line), kept(again), "{text:?}: {echo:?}");
        }
        Ok(TimeCommand::Report(report)) => {
            assert!(report.period.from <= context.today());
            assert_eq!(report.period.to_string().parse(), Ok(report.period));
        }
        Ok(_) => {}
    }
}

fn field(text: &str, choice: u8, context: &Context) {
    let days = Days::new(u64::from(choice) * 3);
    let date = context.today() - days;
    match time_on(text, date, context) {
        Ok(reading) => assert!((1..=1440).contains(&reading.duration.get())),
        Err(error) => {
            assert!(error.at <= text.chars().count());
            let offered = error.suggestions.iter().map(|suggestion| &suggestion.line);
            for line in offered.chain([&error.example]) {
                let accepted = time_on(line, date, context);
                assert!(accepted.is_ok(), "{text:?}: {line:?} {accepted:?}");
            }
        }
    }
}

fn check(line: &LogLine) {
    assert!((1..=1440).contains(&line.duration.get()));
    assert!(line.description.chars().count() <= 3_000);
    assert_eq!(line.start, line.ranges.first().map(|range| range.start));
    assert_eq!(line.end, line.ranges.last().map(|range| range.end));
}

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
