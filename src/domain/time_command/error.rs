//! What a person is told when a line cannot be logged as it stands.

use std::{error::Error, fmt};

use serde::Serialize;

/// Why a line was not read: what was understood, where it stopped, and a line that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Whether it was refused, has two readings, or was not understood.
    pub kind: ErrorKind,
    /// Where it stopped: an offset in characters (not bytes) of the text as the person typed it,
    /// from 0 to the number of its characters.
    pub at: usize,
    /// What had been understood up to there, if anything.
    pub understood: Option<Box<str>>,
    /// The word at which it stopped, if the text had not ended; cut after 40 characters.
    pub stopped_at: Option<Box<str>>,
    /// One sentence or two for the person, without the example.
    pub message: String,
    /// A whole line that works, made from theirs, without the leading `/time `.
    pub example: String,
    /// Up to two readings that can be accepted with a button.
    pub suggestions: Vec<Suggestion>,
}

/// How a line failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Understood, and not possible: zero, more than a day, units in the wrong order.
    Refused,
    /// Two readings are equally likely, so the person is asked.
    Ambiguous,
    /// Not a line of the language.
    NotUnderstood,
}

/// A reading that a person may accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What to write on the button: `13 minutes`.
    pub label: String,
    /// The whole line that has this reading, without the leading `/time `: `13m: release notes`.
    pub line: String,
}

/// Writes the sentence for the person.
impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ParseError {}
