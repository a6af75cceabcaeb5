//! Reading what other time trackers export: the row of a file as what an entry needs.
//!
//! Nothing in a row is guessed. Dates that can be read in two ways are read as the whole file says, and where it does
//! not say, whoever imports has to; a cell that says nothing readable is a problem with its row.

mod columns;
mod values;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use uuid::{Uuid, Version};

use self::columns::Column;
use super::{
    due::instant,
    minutes::Minutes,
    project::{LONGEST_NAME, slug_of},
    time_entry::{EntryStatus, LONGEST_DESCRIPTION, TAGS_MAX, is_tag, is_text},
};

pub use columns::{Columns, ImportFormat, UnknownColumns};
pub use values::WrittenDate;

/// How far the length of an entry and the time from its beginning to its end may differ, in seconds, and still be
/// the same: both are whole minutes here, and each may have been rounded there.
const SAME_SECONDS: i64 = 60;

/// From when to when it was.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// What comes first in a date like `3/4/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// It is 3 April.
    DayFirst,
    /// It is March 4.
    MonthFirst,
}

/// What all dates of a file say together about their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DateEvidence {
    /// The first one for which the order makes a difference.
    differs: Option<String>,
    only_day_first: bool,
    only_month_first: bool,
}

impl DateEvidence {
    /// Takes what a row says.
    pub fn add(&mut self, row: &Row<'_>) {
        for column in [Column::Date, Column::EndDate] {
            let text = row.get(column);
            if let Some(WrittenDate::Mixed {
                day_first,
                month_first,
            }) = WrittenDate::read(text)
            {
                if self.differs.is_none() && day_first != month_first {
                    self.differs = Some(text.to_owned());
                }
                self.only_day_first |= month_first.is_none();
                self.only_month_first |= day_first.is_none();
            }
        }
    }

    /// The order that fits all of them; `None` if two orders do, or none. Where it makes no difference, it is either.
    pub const fn order(&self) -> Option<DateOrder> {
        match (self.only_day_first, self.only_month_first) {
            (true, false) => Some(DateOrder::DayFirst),
            (false, true) => Some(DateOrder::MonthFirst),
            (false, false) if self.differs.is_none() => Some(DateOrder::DayFirst),
            _ => None,
        }
    }

    /// Whether a date would be another one in the other order.
    pub const fn makes_a_difference(&self) -> bool {
        self.differs.is_some()
    }

    /// A date that can be read in both orders, where all of them can.
    pub fn ambiguous(&self) -> Option<&str> {
        let is_open = !self.only_day_first && !self.only_month_first;
        self.differs.as_deref().filter(|_| is_open)
    }
}

/// Whose entry a row is, as the file says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Author {
    /// The name in full; empty where the file has none.
    pub name: String,
    /// Their address, or in an export of BillOps Slack's id of them; empty where the file has none.
    pub address: String,
}

impl Author {
    /// Whether that is what somebody calls them.
    pub fn is_called(&self, said: &str) -> bool {
        [&self.name, &self.address]
            .into_iter()
            .any(|name| !name.is_empty() && name.to_lowercase() == said.trim().to_lowercase())
    }
}

impl std::fmt::Display for Author {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.name.as_str(), self.address.as_str()) {
            ("", "") => f.write_str("nobody"),
            ("", one) | (one, "") => f.write_str(one),
            (name, address) => write!(f, "{name} ({address})"),
        }
    }
}

/// One row of a file: its cells, and what they are called.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    columns: &'a Columns,
    cells: &'a [&'a str],
}

/// A row that is no entry as it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// The cell cannot be read.
    #[error("{} {advice}", not_read(what, value))]
    Unreadable {
        /// What should stand there.
        what: &'static str,
        /// What does, shortened.
        value: String,
        /// What would be read.
        advice: &'static str,
    },
    /// Nobody has done it yet.
    #[error("it lies in the future, on {0}. Import it when it was done")]
    Future(NaiveDate),
    /// The date fits the other order only.
    #[error("“{0}” cannot be read in the order of the other dates")]
    OtherOrder(String),
    /// An entry has at least some seconds.
    #[error("it has no time: its length is 0")]
    NoTime,
    /// Its id is that of an entry of somebody else's.
    #[error("it is an entry of somebody else's here, and an entry is one person's")]
    SomebodyElses,
    /// An entry has 24 hours at most.
    #[error("it is longer than 24 hours, which no entry can be. Split it where it comes from")]
    TooLong,
    /// The length is more than the time from the beginning to the end.
    #[error("it is longer than the time from its beginning to its end")]
    LongerThanItsSpan,
    /// The end is not behind the beginning.
    #[error("its end is before its beginning")]
    EndsBefore,
    /// More cells than there are columns.
    #[error("it has more cells than the first line has. Perhaps a quotation mark is missing")]
    TooManyCells,
    /// Bytes that are no text.
    #[error("it is not UTF-8. Save the file as “CSV UTF-8” where it comes from")]
    NotUtf8,
    /// A text is too long or no text.
    #[error("its {0} is longer than 3,000 characters or holds control characters")]
    BadText(&'static str),
}

/// What an entry is made of, as a row says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedRow {
    /// The id it has in the file, where that is one of BillOps.
    pub id: Option<Uuid>,
    /// The day it counts for.
    pub date: NaiveDate,
    /// When it began by the clock on the wall, where the file says so.
    pub started: Option<NaiveTime>,
    /// When it began and ended, in whole minutes.
    pub span: Option<Span>,
    /// Whether somebody said so; otherwise BillOps had placed it.
    pub is_timed: bool,
    /// Whether it began or ended at a time that the clocks left out or had twice.
    pub is_odd: bool,
    /// How long it was, as the file says it.
    pub seconds: u32,
    /// What was done; 1 to 3,000 characters.
    pub description: String,
    /// The kind of work, where the file has one.
    pub task: Option<String>,
    /// What it was for, in the words of the file, 80 characters at most.
    pub project: Option<String>,
    /// For whom that is.
    pub client: Option<String>,
    /// Words to find it by, among them the task.
    pub tags: Vec<String>,
    /// Tags that are written otherwise here, and how.
    pub changed_tags: Vec<(String, String)>,
    /// Tags of the file that no tag of BillOps can be.
    pub lost_tags: Vec<String>,
    /// Whether it goes on an invoice, where the file says so.
    pub billable: Option<bool>,
    /// Where it stands on the way to an invoice.
    pub status: EntryStatus,
    /// The message it came from.
    pub permalink: Option<String>,
    /// The line as it was typed.
    pub typed_text: Option<String>,
}

impl ImportedRow {
    /// Its length as it is kept: the nearest whole minute, and at least one.
    pub const fn minutes(&self) -> Minutes {
        minutes(self.seconds)
    }
}

const fn minutes(seconds: u32) -> Minutes {
    let nearest = seconds.saturating_add(30) / 60;
    Minutes::new(if nearest == 0 { 1 } else { nearest })
}

impl<'a> Row<'a> {
    /// The row with these cells.
    pub const fn new(columns: &'a Columns, cells: &'a [&'a str]) -> Self {
        Self { columns, cells }
    }

    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }

    fn get(&self, column: Column) -> &'a str {
        let cell = self
            .columns
            .place(column)
            .and_then(|place| self.cells.get(place));
        let cell = cell.map_or("", |cell| cell.trim());
        // Where nothing is said, newer reports of Toggl have a dash.
        if cell == "-" && self.columns.format() == ImportFormat::Toggl {
            return "";
        }
        cell
    }

    /// A text that an export of BillOps has made harmless for spreadsheets is what it was again.
    fn text(&self, column: Column) -> &'a str {
        let cell = self.get(column);
        let plain = cell
            .strip_prefix('\'')
            .filter(|_| self.columns.format() == ImportFormat::BillOps)
            .filter(|rest| is_formula(rest));
        plain.unwrap_or(cell)
    }

    /// Whose entry it is.
    pub fn author(&self) -> Author {
        let name = [Column::Name, Column::LastName].map(|column| self.text(column));
        Author {
            name: name.join(" ").trim().to_owned(),
            address: self.text(Column::Email).to_owned(),
        }
    }

    /// What the row says. Dates that can be read in two ways are in this order, and times are those of this zone.
    ///
    /// # Errors
    /// It cannot be an entry as it stands.
    pub fn read(&self, order: DateOrder, zone: Tz) -> Result<ImportedRow, RowProblem> {
        if self
            .cells
            .iter()
            .skip(self.columns.count())
            .any(|cell| !cell.is_empty())
        {
            return Err(RowProblem::TooManyCells);
        }
        let id = match self.get(Column::Id) {
            "" => None,
            text => {
                let id = text.parse::<Uuid>().ok();
                // Every id of BillOps is one; others would not stand where their order is asked for.
                let id = id.filter(|id| id.get_version() == Some(Version::SortRand));
                Some(id.ok_or_else(|| {
                    unreadable("id of BillOps", text, "It is a UUID of version 7.")
                })?)
            }
        };
        let date = read_date(self.get(Column::Date), order)?;
        let started = optional_time(self.get(Column::StartTime))?;
        let ended = optional_time(self.get(Column::EndTime))?;
        let seconds = self.length(order, date, started, ended)?;
        if seconds == 0 {
            return Err(RowProblem::NoTime);
        }
        if minutes(seconds) > Minutes::DAY {
            return Err(RowProblem::TooLong);
        }
        let span = match started {
            Some(started) => self.span(order, zone, date, started, ended, seconds)?,
            None => self.stored_span(date, seconds)?,
        };
        let is_timed = self.yes(Column::IsTimed)?.unwrap_or(span.is_some());
        let is_odd = |day: NaiveDate, time: Option<NaiveTime>| {
            time.is_some_and(|time| {
                zone.from_local_datetime(&day.and_time(time))
                    .single()
                    .is_none()
            })
        };
        let is_odd =
            is_odd(date, started) || is_odd(self.end_day(order, date, started, ended)?, ended);
        let billable = self.yes(Column::Billable)?;
        let (tags, changed_tags, lost_tags) = self.tags();
        Ok(ImportedRow {
            id,
            date,
            started,
            span,
            is_timed,
            is_odd,
            seconds,
            description: self.description()?,
            task: self.name(Column::Task),
            project: self
                .name(Column::Project)
                .or_else(|| self.name(Column::Client)),
            client: self.name(Column::Client),
            tags,
            changed_tags,
            lost_tags,
            billable,
            status: self.status()?,
            permalink: self.kept(Column::Permalink, "permalink")?,
            typed_text: self.kept(Column::TypedText, "typed text")?,
        })
    }

    /// How long it was, in seconds: as it is said, or else from the beginning to the end.
    fn length(
        &self,
        order: DateOrder,
        date: NaiveDate,
        started: Option<NaiveTime>,
        ended: Option<NaiveTime>,
    ) -> Result<u32, RowProblem> {
        let said = self.get(Column::Minutes);
        if !said.is_empty() {
            let minutes = said.parse::<u32>().ok();
            let seconds = minutes.and_then(|minutes| minutes.checked_mul(60));
            return seconds.ok_or_else(|| unreadable("number of minutes", said, "An example: 90"));
        }
        let said = self.get(Column::Length);
        if !said.is_empty() {
            return values::seconds(said)
                .ok_or_else(|| unreadable("length", said, "Examples: 01:30:00, 1:30, 1.5"));
        }
        let (Some(started), Some(ended)) = (started, ended) else {
            return Err(RowProblem::NoTime);
        };
        let (start, end) = (
            date.and_time(started),
            self.end_day(order, date, Some(started), Some(ended))?
                .and_time(ended),
        );
        u32::try_from((end - start).num_seconds()).map_err(|_| RowProblem::EndsBefore)
    }

    /// The day it ended on. Where none is said, that of the first such time behind the beginning.
    fn end_day(
        &self,
        order: DateOrder,
        date: NaiveDate,
        started: Option<NaiveTime>,
        ended: Option<NaiveTime>,
    ) -> Result<NaiveDate, RowProblem> {
        let said = self.get(Column::EndDate);
        if !said.is_empty() {
            return read_date(said, order);
        }
        let is_next = started
            .zip(ended)
            .is_some_and(|(started, ended)| ended < started);
        Ok(date + TimeDelta::days(i64::from(is_next)))
    }

    /// When it began and ended, in whole minutes. What has no breaks is as long as it is said to be.
    fn span(
        &self,
        order: DateOrder,
        zone: Tz,
        date: NaiveDate,
        started: NaiveTime,
        ended: Option<NaiveTime>,
        seconds: u32,
    ) -> Result<Option<Span>, RowProblem> {
        // A day that the zone left out had no beginning; the entry keeps its length.
        let Some(start) = instant(date, to_the_minute(started), zone) else {
            return Ok(None);
        };
        let full = start + TimeDelta::minutes(i64::from(minutes(seconds).get()));
        let Some(ended) = ended else {
            return Ok(Some((start, full)));
        };
        let day = self.end_day(order, date, Some(started), Some(ended))?;
        let local = day.and_time(ended);
        let by_the_clock = (local - date.and_time(started)).num_seconds();
        if by_the_clock < 0 {
            return Err(RowProblem::EndsBefore);
        }
        let Some(end) = instant(local.date(), to_the_minute(local.time()), zone) else {
            return Ok(Some((start, full)));
        };
        let lasted = (end - start).num_seconds();
        let seconds = i64::from(seconds);
        let is_whole = |span: i64| (span - seconds).abs() < SAME_SECONDS;
        // Where the clocks were changed in between, one of the two is an hour off.
        if is_whole(by_the_clock) || is_whole(lasted) {
            Ok(Some((start, full)))
        } else if seconds > by_the_clock.max(lasted) {
            Err(RowProblem::LongerThanItsSpan)
        } else {
            Ok(Some((start, end)))
        }
    }

    /// When it began and ended, as BillOps wrote it.
    fn stored_span(&self, date: NaiveDate, seconds: u32) -> Result<Option<Span>, RowProblem> {
        const ADVICE: &str = "An example: 2026-11-20T09:00:00Z";
        let [start, end] = [Column::StartedAt, Column::EndedAt].map(|column| {
            let text = self.get(column);
            if text.is_empty() {
                return Ok(None);
            }
            let at = DateTime::parse_from_rfc3339(text).ok();
            // To the microsecond, as both databases keep it.
            at.and_then(|at| DateTime::from_timestamp_micros(at.timestamp_micros()))
                .map(Some)
                .ok_or_else(|| unreadable("moment", text, ADVICE))
        });
        let Some((start, end)) = start?.zip(end?) else {
            return Ok(None);
        };
        if end <= start {
            return Err(RowProblem::EndsBefore);
        }
        if (start.date_naive() - date).num_days().abs() > 1 {
            let text = self.get(Column::StartedAt);
            return Err(unreadable("moment of its day", text, ADVICE));
        }
        let lasted = (end - start).num_seconds();
        if lasted > i64::from(Minutes::DAY.get()) * 60 {
            return Err(RowProblem::TooLong);
        }
        if i64::from(seconds) >= lasted + SAME_SECONDS {
            return Err(RowProblem::LongerThanItsSpan);
        }
        Ok(Some((start, end)))
    }

    /// What was done; where nobody wrote that down, the kind of work, or else the project.
    fn description(&self) -> Result<String, RowProblem> {
        let said = [
            Column::Description,
            Column::Task,
            Column::Project,
            Column::Client,
        ]
        .map(|column| self.text(column))
        .into_iter()
        .find(|text| !text.is_empty());
        let text = said.unwrap_or("No description");
        if is_text(text) && text.chars().count() <= LONGEST_DESCRIPTION {
            Ok(text.to_owned())
        } else {
            Err(RowProblem::BadText("description"))
        }
    }

    /// A name of one line, as long as names are here.
    fn name(&self, column: Column) -> Option<String> {
        let name: Vec<&str> = self
            .text(column)
            .split(|c: char| c.is_whitespace() || c.is_control())
            .collect();
        let name: String = name.join(" ").chars().take(LONGEST_NAME).collect();
        let name = name.trim().to_owned();
        (!name.is_empty()).then_some(name)
    }

    fn kept(&self, column: Column, what: &'static str) -> Result<Option<String>, RowProblem> {
        let text = self.text(column);
        if !is_text(text) || text.chars().count() > LONGEST_DESCRIPTION {
            return Err(RowProblem::BadText(what));
        }
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    /// The tags as tags are here, those that are written otherwise, and those that none can be. The task is one, too,
    /// unless it is the description.
    fn tags(&self) -> (Vec<String>, Vec<(String, String)>, Vec<String>) {
        let said = self.text(Column::Tags);
        let words: Vec<&str> = if self.columns.format() == ImportFormat::BillOps {
            said.split(' ').collect()
        } else {
            said.split(',').collect()
        };
        let task = self.text(Column::Task);
        let has_description = !self.text(Column::Description).is_empty();
        let (mut tags, mut changed, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for word in words.into_iter().chain(has_description.then_some(task)) {
            let word = word.trim();
            let tag = Some(word.to_owned())
                .filter(|word| is_tag(word))
                .or_else(|| slug_of(word).filter(|slug| is_tag(slug)));
            match tag {
                Some(tag) if tags.contains(&tag) => {}
                Some(tag) if tags.len() < TAGS_MAX => {
                    if tag != word {
                        changed.push((word.to_owned(), tag.clone()));
                    }
                    tags.push(tag);
                }
                None if word.is_empty() => {}
                _ => lost.push(word.to_owned()),
            }
        }
        (tags, changed, lost)
    }

    /// Yes or no, where something stands there.
    fn yes(&self, column: Column) -> Result<Option<bool>, RowProblem> {
        let said = self.get(column);
        if said.is_empty() {
            return Ok(None);
        }
        let yes = values::yes(said);
        yes.map(Some)
            .ok_or_else(|| unreadable("yes or no", said, "It is Yes or No."))
    }

    /// Where it stands: what was invoiced there must not be invoiced here again.
    fn status(&self) -> Result<EntryStatus, RowProblem> {
        let said = self.get(Column::Status);
        if !said.is_empty() {
            return said.parse().map_err(|_| {
                unreadable(
                    "status",
                    said,
                    "It is pending, approved, rejected or billed.",
                )
            });
        }
        for (column, status) in [
            (Column::Invoiced, EntryStatus::Billed),
            (Column::Approved, EntryStatus::Approved),
        ] {
            if self.yes(column)? == Some(true) {
                return Ok(status);
            }
        }
        Ok(EntryStatus::Pending)
    }
}

/// Whether a spreadsheet takes it for a formula, apostrophes in front of it left aside (OWASP, “CSV Injection”).
///
/// ```
/// use billops::domain::entry_import::is_formula;
///
/// assert!(is_formula("=1+1") && is_formula("'-1"));
/// assert!(!is_formula("1+1") && !is_formula("'quoted'"));
/// ```
pub fn is_formula(text: &str) -> bool {
    let begins = text.trim_start_matches('\'');
    begins.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

fn read_date(text: &str, order: DateOrder) -> Result<NaiveDate, RowProblem> {
    match (WrittenDate::read(text), order) {
        (Some(WrittenDate::Plain(date)), _) => Ok(date),
        (Some(WrittenDate::Mixed { day_first, .. }), DateOrder::DayFirst) => {
            day_first.ok_or_else(|| RowProblem::OtherOrder(text.to_owned()))
        }
        (Some(WrittenDate::Mixed { month_first, .. }), DateOrder::MonthFirst) => {
            month_first.ok_or_else(|| RowProblem::OtherOrder(text.to_owned()))
        }
        (None, _) => Err(unreadable(
            "date",
            text,
            "Examples: 2026-11-20, 20.11.2026, 11/20/2026",
        )),
    }
}

fn optional_time(text: &str) -> Result<Option<NaiveTime>, RowProblem> {
    if text.is_empty() {
        return Ok(None);
    }
    let time = values::time(text);
    time.map(Some)
        .ok_or_else(|| unreadable("time of day", text, "Examples: 14:05, 14:05:30, 2:05 PM"))
}

fn to_the_minute(time: NaiveTime) -> NaiveTime {
    use chrono::Timelike as _;
    time.with_second(0).unwrap_or(time)
}

/// What is wrong with a cell.
fn not_read(what: &str, value: &str) -> String {
    if value.is_empty() {
        format!("there is no {what}.")
    } else {
        format!("“{value}” is no {what}.")
    }
}

fn unreadable(what: &'static str, value: &str, advice: &'static str) -> RowProblem {
    let value = value.chars().take(80).collect();
    RowProblem::Unreadable {
        what,
        value,
        advice,
    }
}

#[cfg(test)]
mod tests;
