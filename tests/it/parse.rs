//! `billops parse --json`: every row and every vector through the program itself.

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};

use chrono::{NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;
use serde_json::{Value, json};

const FRIDAY: &str = "2026-11-20T17:30";
const BERLIN: &str = "Europe/Berlin";

/// The lines that belong to one moment and one zone, each with what is expected of it.
type Lines = BTreeMap<(String, String), Vec<(String, Value)>>;

#[test]
fn every_row_and_every_vector_holds_through_the_program() {
    let mut lines = Lines::new();
    let mut add = |now: &str, zone: &str, input: String, expected: Value| {
        let moment = (now.to_owned(), zone.to_owned());
        lines.entry(moment).or_default().push((input, expected));
    };
    for row in read(include_str!("../data/language.json")) {
        let text = |name: &str, default| row[name].as_str().unwrap_or(default).to_owned();
        let (now, zone) = (text("now", FRIDAY), text("zone", BERLIN));
        add(&now, &zone, text("input", ""), expected(&row, &now));
    }
    for vector in read(include_str!("../data/vectors/durations.json")) {
        let input = vector["input"].as_str().unwrap();
        let minutes = &vector["minutes"];
        for (line, description) in [
            (input.to_owned(), ""),
            (format!("{input}: Meeting"), "Meeting"),
        ] {
            let expected = match minutes {
                Value::Null => json!({"ok": false}),
                _ => json!({"ok": true, "minutes": minutes, "description": description}),
            };
            add(FRIDAY, BERLIN, line, expected);
        }
    }
    for vector in read(include_str!("../data/vectors/dates.json")) {
        let input = vector["input"].as_str().unwrap();
        let expected = match vector["date"].as_str() {
            None => json!({"ok": false, "error": "refused"}),
            Some("ambiguous") => json!({"ok": false, "error": "ambiguous"}),
            Some(date) => {
                json!({"ok": true, "date": date, "minutes": 60, "description": "Meeting"})
            }
        };
        let now = vector["now"].as_str().unwrap();
        add(now, BERLIN, format!("{input} 1h: Meeting"), expected);
    }
    let mut wrong = Vec::new();
    for ((now, zone), lines) in &lines {
        let printed = parse(now, zone, lines.iter().map(|(input, _)| &**input));
        assert_eq!(printed.len(), lines.len(), "one object for each line");
        for ((input, expected), mut read) in lines.iter().zip(printed) {
            assert_eq!(read["input"], **input);
            if let Some(kind) = read["error"].get("kind").cloned() {
                read["error"] = kind;
            }
            let fields = expected.as_object().unwrap();
            if fields.iter().any(|(name, value)| read[name] != *value) {
                wrong.push(format!("{input:?}\n    is   {read}\n    not  {expected}"));
            }
        }
    }
    let count = wrong.len();
    assert!(wrong.is_empty(), "{count} are wrong:\n{}", wrong.join("\n"));
}

fn read(file: &str) -> Vec<Value> {
    serde_json::from_str(file).unwrap()
}

/// The fields of a row; what is left out of it is what nobody typed.
fn expected(row: &Value, now: &str) -> Value {
    if let Some(kind) = row.get("error") {
        return json!({"ok": false, "error": kind});
    }
    if let Some(fields) = row.get("reads") {
        return fields.clone();
    }
    let or = |name: &str, default: Value| row.get(name).cloned().unwrap_or(default);
    json!({
        "ok": true,
        "verb": "log",
        "minutes": row["minutes"],
        "description": or("description", json!("")),
        "date": or("date", json!(now[..10])),
        "start": row["start"],
        "end": row["end"],
        "project": row["project"],
        "client": row["client"],
        "tags": or("tags", json!([])),
        "billable": row["billable"],
        "guess": row["guess"],
    })
}

#[test]
fn what_is_no_zone_or_day_is_refused_with_one_that_is() {
    for (arguments, expected) in [
        (
            &["parse", "--tz", "Mars/X", "1h"][..],
            "a time zone as in Europe/Berlin",
        ),
        (
            &["parse", "--now", "today", "1h"],
            "a moment as in 2026-11-20T13:30:00+01:00",
        ),
        (&["export", "--from", "1.11.2026"], "a day as in 2026-11-20"),
        (&["export", "--to", "1.11.2026"], "a day as in 2026-11-20"),
        (
            &["summaries", "--date", "1.11.2026"],
            "a day as in 2026-11-20",
        ),
    ] {
        let ended = Command::new(env!("CARGO_BIN_EXE_billops"))
            .args(arguments)
            .env_clear()
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.contains(expected), "{said}");
    }
}

/// Runs the program over the lines, and reads what it prints.
fn parse<'a>(now: &str, zone: &str, lines: impl Iterator<Item = &'a str>) -> Vec<Value> {
    let local = NaiveDateTime::parse_from_str(now, "%Y-%m-%dT%H:%M").unwrap();
    let zone: Tz = zone.parse().unwrap();
    let instant = zone.from_local_datetime(&local).unwrap().to_rfc3339();
    let mut program = Command::new(env!("CARGO_BIN_EXE_billops"))
        .args([
            "parse",
            "--json",
            "--now",
            &instant,
            "--tz",
            zone.name(),
            "-",
        ])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let mut input = program.stdin.take().unwrap();
    let writing = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = program.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    let objects = printed.lines().map(serde_json::from_str);
    objects.collect::<Result<_, _>>().unwrap()
}
