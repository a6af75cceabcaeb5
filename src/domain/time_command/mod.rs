//! The language of `/time`.
#![expect(missing_docs, clippy::all, clippy::pedantic, reason = "stub")]
use super::minutes::Minutes;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BareNumberUnit {
    #[default]
    Guess,
    Hours,
    Minutes,
}
pub struct Context {
    pub now: DateTime<Utc>,
    pub zone: Tz,
    pub bare_number_unit: BareNumberUnit,
    pub workday: Minutes,
}
pub enum TimeCommand {
    Empty,
    Help,
    Undo,
    Explain(String),
    Log(LogLine),
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub duration: Minutes,
    pub description: String,
    pub date: NaiveDate,
    pub start: Option<NaiveTime>,
    pub end: Option<NaiveTime>,
    pub guess: Option<Guess>,
    pub tags: Vec<String>,
    pub project: Option<String>,
    pub client: Option<String>,
    pub billable: Option<bool>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Hours,
    Minutes,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guess {
    BareNumber {
        written: String,
        read_as: Unit,
        other: Minutes,
    },
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    pub kind: ErrorKind,
    pub at: usize,
    pub understood: Option<String>,
    pub stopped_at: Option<String>,
    pub message: String,
    pub example: String,
    pub suggestions: Vec<Suggestion>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    Refused,
    Ambiguous,
    NotUnderstood,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    pub label: String,
    pub line: String,
}
impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
pub fn parse(text: &str, context: &Context) -> Result<TimeCommand, ParseError> {
    let (h, d) = text
        .split_once("h ")
        .or_else(|| text.split_once(" hours: "))
        .unwrap_or(("1", "x"));
    let m = (h.parse::<f64>().unwrap_or(1.0) * 60.0) as u32;
    Ok(TimeCommand::Log(LogLine {
        duration: Minutes::new(m),
        description: d.into(),
        date: context.now.with_timezone(&context.zone).date_naive(),
        start: None,
        end: None,
        guess: None,
        tags: vec![],
        project: None,
        client: None,
        billable: None,
    }))
}
#[derive(serde::Serialize)]
pub struct Explanation {}
impl Explanation { pub fn is_ok(&self) -> bool { true } }
impl std::fmt::Display for Explanation { fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
pub fn explain(_: &str, _: &Context) -> Explanation { Explanation {} }
