//! A reading as JSON and as one line of text, for `billops parse`.

use std::fmt;

use chrono::{Datelike, NaiveDate, NaiveTime};
use serde::{Serialize, Serializer};

use super::{Context, ErrorKind, LogLine, ParseError, TimeCommand, parse};
use crate::domain::minutes::Minutes;

/// How a line was read, as data: the object that `billops parse --json` prints.
///
/// As text (`Display`) it is one line: `2 h 30 min · Meeting · today Fri 20 Nov`.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    input: String,
    ok: bool,
    #[serde(flatten)]
    outcome: Outcome,
    #[serde(skip)]
    today: NaiveDate,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Outcome {
    Entry(Box<Entry>),
    Verb { verb: &'static str },
    Stopped { error: Stopped },
}

#[derive(Clone, Debug, Serialize)]
struct Entry {
    verb: &'static str,
    minutes: Minutes,
    description: String,
    date: NaiveDate,
    #[serde(serialize_with = "clock")]
    start: Option<NaiveTime>,
    #[serde(serialize_with = "clock")]
    end: Option<NaiveTime>,
    project: Option<String>,
    client: Option<String>,
    tags: Vec<String>,
    billable: Option<bool>,
    guess: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
struct Stopped {
    kind: ErrorKind,
    at: usize,
    message: String,
    example: String,
}

/// Reads a line and says how, without doing anything. An empty line is refused, as there is no
/// form to open.
pub fn explain(input: &str, context: &Context) -> Explanation {
    let outcome = match parse(input, context) {
        Ok(TimeCommand::Log(line)) => Outcome::Entry(Box::new(Entry::from(line))),
        Ok(TimeCommand::Help) => Outcome::Verb { verb: "help" },
        Ok(TimeCommand::Undo) => Outcome::Verb { verb: "undo" },
        Ok(TimeCommand::Explain(_)) => Outcome::Verb { verb: "explain" },
        Ok(TimeCommand::Empty) => Outcome::Stopped {
            error: Stopped {
                kind: ErrorKind::Refused,
                at: 0,
                message: "There is nothing to read.".to_owned(),
                example: "2h: what you did".to_owned(),
            },
        },
        Err(error) => Outcome::Stopped {
            error: Stopped::from(error),
        },
    };
    Explanation {
        input: input.to_owned(),
        ok: !matches!(outcome, Outcome::Stopped { .. }),
        outcome,
        today: context.today(),
    }
}

impl Explanation {
    /// Whether the line could be read.
    pub fn is_ok(&self) -> bool {
        self.ok
    }
}

impl From<LogLine> for Entry {
    fn from(line: LogLine) -> Self {
        Self {
            verb: "log",
            minutes: line.duration,
            description: line.description,
            date: line.date,
            start: line.start,
            end: line.end,
            project: line.project,
            client: line.client,
            tags: line.tags,
            billable: line.billable,
            guess: line.guess.map(|guess| guess.name()),
        }
    }
}

impl From<ParseError> for Stopped {
    fn from(error: ParseError) -> Self {
        Self {
            kind: error.kind,
            at: error.at,
            message: error.message,
            example: error.example,
        }
    }
}

#[expect(clippy::ref_option, reason = "serde passes the field by reference")]
fn clock<S: Serializer>(time: &Option<NaiveTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(&time.format("%H:%M")),
        None => serializer.serialize_none(),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Entry(entry) => entry.write(f, self.today),
            Outcome::Verb { verb } => f.write_str(verb),
            Outcome::Stopped { error } => {
                write!(f, "{} This would work: {}", error.message, error.example)
            }
        }
    }
}

impl Entry {
    fn write(&self, f: &mut fmt::Formatter<'_>, today: NaiveDate) -> fmt::Result {
        write!(f, "{}", self.minutes)?;
        if !self.description.is_empty() {
            let mut words = self.description.split_whitespace();
            write!(f, " · {}", words.next().unwrap_or_default())?;
            for word in words {
                write!(f, " {word}")?;
            }
        }
        f.write_str(" · ")?;
        if self.date == today {
            f.write_str("today ")?;
        }
        write!(f, "{}", self.date.format("%a %-d %b"))?;
        if self.date.year() != today.year() {
            write!(f, " {}", self.date.year())?;
        }
        if let (Some(start), Some(end)) = (self.start, self.end) {
            write!(f, ", {}–{}", start.format("%H:%M"), end.format("%H:%M"))?;
        }
        if let Some(project) = &self.project {
            write!(f, " · #{project}")?;
        }
        if let Some(client) = &self.client {
            write!(f, " · @{client}")?;
        }
        for tag in &self.tags {
            write!(f, " · +{tag}")?;
        }
        match self.billable {
            Some(true) => f.write_str(" · billable"),
            Some(false) => f.write_str(" · not billable"),
            None => Ok(()),
        }
    }
}
