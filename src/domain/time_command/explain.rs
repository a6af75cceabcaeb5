//! A reading as JSON and as one line of text, for `billops parse`.

use std::fmt;

use chrono::{NaiveDate, NaiveTime};
use serde::{Serialize, Serializer};

use super::{
    ClockRange, Context, ErrorKind, LogLine, ParseError, TimeCommand,
    asked::{Asked, write_marks, write_words},
    parse,
    refusal::day_name,
};
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
    Verb(Asked),
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
    #[serde(skip)]
    ranges: Vec<ClockRange>,
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
        Ok(TimeCommand::Empty) => Outcome::Stopped {
            error: Stopped {
                kind: ErrorKind::Refused,
                at: 0,
                message: "There is nothing to read.".to_owned(),
                example: "2h: what you did".to_owned(),
            },
        },
        Ok(TimeCommand::Help) => Outcome::Verb(Asked::Help),
        Ok(TimeCommand::Undo) => Outcome::Verb(Asked::Undo),
        Ok(TimeCommand::Explain(_)) => Outcome::Verb(Asked::Explain),
        Ok(TimeCommand::Start(line)) => Outcome::Verb(Asked::from(line)),
        Ok(TimeCommand::Stop) => Outcome::Verb(Asked::Stop),
        Ok(TimeCommand::Status) => Outcome::Verb(Asked::Status),
        Ok(TimeCommand::Cancel) => Outcome::Verb(Asked::Cancel),
        Ok(TimeCommand::Report(report)) => Outcome::Verb(Asked::from(report)),
        Ok(TimeCommand::Edit) => Outcome::Verb(Asked::Edit),
        Ok(TimeCommand::Delete) => Outcome::Verb(Asked::Delete),
        Ok(TimeCommand::Move) => Outcome::Verb(Asked::Move),
        Ok(TimeCommand::Projects) => Outcome::Verb(Asked::Projects),
        Ok(TimeCommand::Link(project)) => Outcome::Verb(Asked::Link { project }),
        Ok(TimeCommand::Unlink) => Outcome::Verb(Asked::Unlink),
        Ok(TimeCommand::Connect(provider)) => Outcome::Verb(Asked::Connect {
            provider,
            has_code: false,
        }),
        Ok(TimeCommand::ConnectCode(_)) => Outcome::Verb(Asked::Connect {
            provider: None,
            has_code: true,
        }),
        Ok(TimeCommand::Sync) => Outcome::Verb(Asked::Sync),
        Ok(TimeCommand::Prefs) => Outcome::Verb(Asked::Prefs),
        Ok(TimeCommand::Export { words, .. }) => Outcome::Verb(Asked::Export { rest: words }),
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
            ranges: line.ranges,
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
            Outcome::Verb(asked) => asked.write(f, self.today),
            Outcome::Stopped { error } => {
                write!(f, "{} This would work: {}", error.message, error.example)
            }
        }
    }
}

impl Entry {
    fn write(&self, f: &mut fmt::Formatter<'_>, today: NaiveDate) -> fmt::Result {
        write!(f, "{}", self.minutes)?;
        write_words(f, &self.description)?;
        f.write_str(" · ")?;
        if self.date == today {
            f.write_str("today ")?;
        }
        f.write_str(&day_name(self.date, today))?;
        for range in &self.ranges {
            write!(f, ", {range}")?;
        }
        let (project, client) = (self.project.as_ref(), self.client.as_ref());
        write_marks(f, project, client, &self.tags, self.billable)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::friday;
    use super::*;

    fn json(text: &str) -> String {
        serde_json::to_string(&explain(text, &friday())).unwrap()
    }

    fn text(line: &str) -> String {
        explain(line, &friday()).to_string()
    }

    #[test]
    fn an_entry_has_these_fields_in_this_order() {
        assert_eq!(
            json("2.5 hours: Meeting"),
            r#"{"input":"2.5 hours: Meeting","ok":true,"verb":"log","minutes":150,"description":"Meeting","date":"2026-11-20","start":null,"end":null,"project":null,"client":null,"tags":[],"billable":null,"guess":null}"#
        );
        assert_eq!(
            json("thu 9-11:30 #acme @tern R&amp;D +web !nonbillable"),
            r#"{"input":"thu 9-11:30 #acme @tern R&amp;D +web !nonbillable","ok":true,"verb":"log","minutes":150,"description":"R&D","date":"2026-11-19","start":"09:00","end":"11:30","project":"acme","client":"tern","tags":["web"],"billable":false,"guess":"weekday"}"#
        );
        assert!(json("2 Meeting").ends_with(r#""guess":"bare_number"}"#));
        assert!(json("1.5").contains(r#""minutes":90,"description":"""#));
    }

    #[test]
    fn a_refusal_has_these_fields_in_this_order() {
        assert_eq!(
            json("  2x foo"),
            r#"{"input":"  2x foo","ok":false,"error":{"kind":"not_understood","at":3,"message":"I understood “2”, then stopped at “x”: it is not a unit of time.","example":"2h: foo"}}"#
        );
        assert!(json("13").contains(r#""error":{"kind":"ambiguous","at":0,"#));
        assert!(json("").contains(r#""ok":false,"error":{"kind":"refused","at":0,"#));
        assert!(!explain("abc", &friday()).is_ok());
    }

    #[test]
    fn another_verb_is_named() {
        assert_eq!(json("help"), r#"{"input":"help","ok":true,"verb":"help"}"#);
        assert_eq!(json("undo"), r#"{"input":"undo","ok":true,"verb":"undo"}"#);
        assert_eq!(
            json("? 2h"),
            r#"{"input":"? 2h","ok":true,"verb":"explain"}"#
        );
    }

    #[test]
    fn as_text_it_is_one_line() {
        assert_eq!(
            text("2.5 hours: Meeting"),
            "2 h 30 min · Meeting · today Fri 20 Nov"
        );
        assert_eq!(text("2h"), "2 h · today Fri 20 Nov");
        assert_eq!(text("2h: a\nb"), "2 h · a b · today Fri 20 Nov");
        assert_eq!(
            text("Dec 24 9-12, 13-17 #acme foo +x !billable"),
            "7 h · foo · Wed 24 Dec 2025, 09:00–12:00, 13:00–17:00 · #acme · +x · billable"
        );
        assert_eq!(
            text("1h75: foo"),
            "75 minutes do not fit after “1h”. Did you mean 2 h 15 min? This would work: 2h15m: foo"
        );
    }
}
