//! The rows of `tests/data/language.json`: what a line means, one by one.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    TimeCommand, explain, parse,
    tests::{at, friday},
};

/// One row. What is left out is what nobody typed: no project, no guess, the day of `now`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    input: String,
    /// The local time, Friday 20 November 2026, 17:30, if left out.
    #[serde(default = "friday_afternoon")]
    now: String,
    #[serde(default = "berlin")]
    zone: String,
    /// Of an entry: what the JSON says about it.
    minutes: Option<u32>,
    date: Option<String>,
    start: Option<String>,
    end: Option<String>,
    #[serde(default)]
    description: String,
    project: Option<String>,
    client: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    billable: Option<bool>,
    guess: Option<String>,
    /// Of a line that is not read: how it fails.
    error: Option<String>,
    /// Of another verb: its fields.
    reads: Option<Value>,
}

fn friday_afternoon() -> String {
    "2026-11-20T17:30".to_owned()
}

fn berlin() -> String {
    "Europe/Berlin".to_owned()
}

impl Row {
    /// What `billops parse --json` prints, the input and the sentences of an error left out.
    fn expected(&self) -> Value {
        if let Some(kind) = &self.error {
            return json!({"ok": false, "error": kind});
        }
        let mut expected = match &self.reads {
            Some(fields) => fields.clone(),
            None => json!({
                "verb": "log",
                "minutes": self.minutes,
                "description": self.description,
                "date": self.date.as_deref().unwrap_or(&self.now[..10]),
                "start": self.start,
                "end": self.end,
                "project": self.project,
                "client": self.client,
                "tags": self.tags,
                "billable": self.billable,
                "guess": self.guess,
            }),
        };
        expected["ok"] = json!(true);
        expected
    }
}

#[test]
fn every_row_holds() {
    let rows: Vec<Row> = serde_json::from_str(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/language.json"
    )))
    .unwrap();
    assert!(rows.len() > 220);
    let mut wrong = Vec::new();
    for row in &rows {
        let context = at(&row.now, row.zone.parse().unwrap());
        let mut read = serde_json::to_value(explain(&row.input, &context)).unwrap();
        read.as_object_mut().unwrap().remove("input");
        if let Some(kind) = read["error"].get("kind").cloned() {
            read["error"] = kind;
        }
        let expected = row.expected();
        if read != expected {
            let line = &row.input;
            wrong.push(format!("{line:?}\n    is   {read}\n    not  {expected}"));
        }
    }
    let count = wrong.len();
    assert!(wrong.is_empty(), "{count} are wrong:\n{}", wrong.join("\n"));
}

#[test]
fn no_two_rows_are_the_same() {
    let file = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/language.json"
    ));
    let mut seen = std::collections::HashSet::new();
    for line in file.lines() {
        let line = line.trim_end_matches(',');
        assert!(seen.insert(line), "{line}");
    }
}

/// What an error shows works when it is typed, and a button does what it says.
#[test]
fn what_a_refused_row_offers_is_read() {
    let rows: Vec<Row> = serde_json::from_str(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/language.json"
    )))
    .unwrap();
    for row in rows.iter().filter(|row| row.error.is_some()) {
        let context = at(&row.now, row.zone.parse().unwrap());
        let Err(error) = parse(&row.input, &context) else {
            continue;
        };
        let lines = error.suggestions.iter().map(|s| &s.line);
        for line in lines.chain([&error.example]) {
            let accepted = parse(line, &context);
            let works = matches!(&accepted, Ok(command) if *command != TimeCommand::Empty);
            assert!(works, "{:?}: {line:?} {accepted:?}", row.input);
        }
    }
    assert_eq!(parse("", &friday()), Ok(TimeCommand::Empty));
}
