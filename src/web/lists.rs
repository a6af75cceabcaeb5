//! Lists: how much of them is asked for, and how a page is answered.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::Problem;

/// What a page holds unless it is said, and at most.
const PAGE: u32 = 50;
const PAGE_MAX: u32 = 200;

pub(super) const LIMIT: &str = "This is a number from 1 to 200: how many a page holds.";
pub(super) const CURSOR: &str =
    "This is the next_cursor of the page before, as it was. Without it, the list begins anew.";
pub(super) const DAY: &str = "This is a day such as 2026-11-20.";
const LAST: &str = "This is the day of from, or a later one.";

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    /// What it holds.
    pub(super) items: Vec<T>,
    /// What to ask for the next page with; `null` on the last one.
    pub(super) next_cursor: Option<String>,
}

/// How many a page is to hold.
pub(super) fn limit(said: Option<&str>) -> Result<u32, Problem> {
    let Some(said) = said else {
        return Ok(PAGE);
    };
    let number = said.parse().ok();
    number
        .filter(|number| (1..=PAGE_MAX).contains(number))
        .ok_or_else(|| Problem::invalid("limit", LIMIT))
}

/// A day, where one is given.
pub(super) fn day(field: &str, said: Option<&str>) -> Result<Option<NaiveDate>, Problem> {
    let read = |text: &str| {
        Some(text)
            .filter(|text| text.len() == 10)
            .and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
            .ok_or_else(|| Problem::invalid(field, DAY))
    };
    said.map(read).transpose()
}

/// The first and the last day, where they are given.
pub(super) fn days(
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(Option<NaiveDate>, Option<NaiveDate>), Problem> {
    let (from, to) = (day("from", from)?, day("to", to)?);
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        return Err(Problem::invalid("to", LAST));
    }
    Ok((from, to))
}

/// An id, where one is given.
pub(super) fn id(field: &str, takes: &str, said: Option<&str>) -> Result<Option<Uuid>, Problem> {
    said.map(|text| Uuid::parse_str(text).map_err(|_| Problem::invalid(field, takes)))
        .transpose()
}

/// The cursor is none of this list's.
pub(super) fn bad_cursor() -> Problem {
    Problem::invalid("cursor", CURSOR)
}
