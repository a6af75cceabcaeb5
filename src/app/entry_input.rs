//! What programs say of an entry, and what is wrong with it.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::domain::{
    minutes::Minutes,
    time_entry::{LONGEST_DESCRIPTION, LONGEST_TAG, TAGS_MAX, is_tag, is_text},
};

/// What is said of an entry. What is `None` is left open: for a new entry the usual, for one that is there what it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryInput {
    /// What was done.
    pub description: Option<String>,
    /// The day it counts for, in the person's zone.
    pub date: Option<NaiveDate>,
    /// When the work began; `Some(None)` for not at a known time.
    pub started_at: Option<Option<DateTime<Utc>>>,
    /// When it ended.
    pub ended_at: Option<Option<DateTime<Utc>>>,
    /// How long it was without breaks, in minutes.
    pub duration_minutes: Option<u32>,
    /// What it was for; `Some(None)` for no project.
    pub project_id: Option<Option<Uuid>>,
    /// Whether it goes on an invoice.
    pub billable: Option<bool>,
    /// Words to find it by.
    pub tags: Option<Vec<String>>,
}

/// Why an entry cannot be what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryProblem {
    /// Nothing was said about what was done.
    NoDescription,
    /// The description has so many characters.
    DescriptionTooLong(usize),
    /// There is something in the description that is no text.
    DescriptionUnprintable,
    /// Neither a length nor a beginning and an end.
    NoTime,
    /// Longer than a day, or no minute.
    Duration,
    /// Longer than from its beginning to its end.
    LongerThanSpan,
    /// It has a beginning but no end, or the other way round.
    HalfSpan,
    /// It ends before a minute is over.
    NoSpan,
    /// From its beginning to its end is more than a day.
    SpanTooLong,
    /// It begins before there were such clocks.
    TooLongAgo(&'static str),
    /// The day, or the instant, lies in the future.
    Future(&'static str),
    /// The day is not the one on which it began.
    OtherDay(NaiveDate),
    /// The workspace has no such project.
    NoProject,
    /// The project takes no more entries; as one types it.
    Archived(String),
    /// More words than an entry has.
    TooManyTags,
    /// This is no word to find an entry by.
    NoTag(usize),
}

impl EntryProblem {
    /// What has to be said otherwise.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::NoDescription | Self::DescriptionTooLong(_) | Self::DescriptionUnprintable => {
                "description"
            }
            Self::NoTime | Self::Duration | Self::LongerThanSpan => "duration_minutes",
            Self::HalfSpan | Self::NoSpan | Self::SpanTooLong => "ended_at",
            Self::TooLongAgo(field) | Self::Future(field) => field,
            Self::OtherDay(_) => "date",
            Self::NoProject | Self::Archived(_) => "project_id",
            Self::TooManyTags | Self::NoTag(_) => "tags",
        }
    }

    /// What to do, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::NoDescription => "Say what was done.".to_owned(),
            Self::DescriptionTooLong(characters) => format!(
                "It has {characters} characters; {LONGEST_DESCRIPTION} are the limit."
            ),
            Self::DescriptionUnprintable => "It holds control characters. Leave them out.".to_owned(),
            Self::NoTime => "It is needed, unless started_at and ended_at are given.".to_owned(),
            Self::Duration => "This is a number of whole minutes, from 1 to 1440.".to_owned(),
            Self::LongerThanSpan => {
                "It is longer than from started_at to ended_at. It may be shorter, where there were breaks.".to_owned()
            }
            Self::HalfSpan => "started_at and ended_at are given both or neither.".to_owned(),
            Self::NoSpan => "It is at least one minute after started_at.".to_owned(),
            Self::SpanTooLong => "It is at most 24 hours after started_at.".to_owned(),
            Self::TooLongAgo(_) => "It is not before 1970-01-01.".to_owned(),
            Self::Future(_) => "It lies in the future. Log it when it was done.".to_owned(),
            Self::OtherDay(day) => {
                format!("started_at is on {day} in your time zone. Leave the date out, or say that.")
            }
            Self::NoProject => "There is no such project. GET /projects lists them.".to_owned(),
            Self::Archived(slug) => {
                format!("#{slug} is archived and takes no new entries. Choose another project.")
            }
            Self::TooManyTags => format!("An entry has {TAGS_MAX} tags at most."),
            Self::NoTag(place) => format!(
                "Tag {} is no word that begins with a letter and has {LONGEST_TAG} characters at most.",
                place + 1
            ),
        }
    }
}

pub(super) fn length(minutes: u32) -> Result<Minutes, EntryProblem> {
    let minutes = Minutes::new(minutes);
    if (Minutes::new(1)..=Minutes::DAY).contains(&minutes) {
        Ok(minutes)
    } else {
        Err(EntryProblem::Duration)
    }
}

pub(super) fn described(input: &EntryInput) -> Option<String> {
    let description = input.description.as_deref()?;
    Some(description.trim().to_owned())
}

/// The words, each once.
pub(super) fn tagged(input: &EntryInput) -> Option<Vec<String>> {
    let mut tags: Vec<String> = Vec::new();
    for tag in input.tags.as_deref()? {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    Some(tags)
}

/// What is wrong with what is said, whatever the entry was before.
pub(super) fn said_problems(input: &EntryInput) -> Vec<EntryProblem> {
    let mut problems = Vec::new();
    if let Some(description) = input.description.as_deref().map(str::trim) {
        let characters = description.chars().count();
        if characters == 0 {
            problems.push(EntryProblem::NoDescription);
        } else if characters > LONGEST_DESCRIPTION {
            problems.push(EntryProblem::DescriptionTooLong(characters));
        } else if !is_text(description) {
            problems.push(EntryProblem::DescriptionUnprintable);
        }
    }
    if let Some(tags) = &input.tags {
        if tags.len() > TAGS_MAX {
            problems.push(EntryProblem::TooManyTags);
        }
        if let Some(place) = tags.iter().position(|tag| !is_tag(tag)) {
            problems.push(EntryProblem::NoTag(place));
        }
    }
    problems
}
