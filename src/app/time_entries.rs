//! Entries as programs list, make and change them: each thing said by itself instead of in a line.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use secrecy::ExposeSecret as _;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    App, EntryVersion, HomeTab,
    entry_input::{EntryInput, EntryProblem, described, length, said_problems, tagged},
};
use crate::{
    domain::{
        member::Member,
        minutes::Minutes,
        project::ProjectRef,
        time_entry::{ChangeKind, EntryFields, EntrySource},
    },
    error::Failed,
    keyring::Place,
    store::{EntryChange, EntryFilter, ListedEntry, NewEntry, Step},
};

/// A program waits longer than a person in Slack.
const SAVED_WITHIN: Duration = Duration::from_secs(5);
/// How often a change is tried again where another one came between.
const TRIES: u32 = 3;
/// No clock of anybody's is further ahead of this server's day than this.
pub(super) const AHEAD_MAX: TimeDelta = TimeDelta::days(2);

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one. It means something to this server only, and in this list only.
    pub next: Option<String>,
}

/// Which version of an entry somebody means to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whichever there is.
    Any,
    /// One of these; anything else is another entry by now.
    OneOf(Vec<i32>),
}

impl Expected {
    /// Whether this version is meant.
    pub fn includes(&self, version: i32) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}

/// What became of changing an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryOutcome {
    /// It is so now.
    Done(Box<ListedEntry>),
    /// It is gone now.
    Deleted,
    /// It cannot be what was said; nothing was done.
    Problems(Vec<EntryProblem>),
    /// It is at none of the versions that were meant; nothing was done.
    Stale,
    /// It is approved or billed, and no longer the person's to change.
    Settled,
    /// The person has no such entry.
    Unknown,
}

/// When something was, as far as it is said.
struct Times {
    date: NaiveDate,
    span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    duration: Minutes,
}

impl App {
    /// A page of the person's entries, the newest day first and in it the latest entry first; `None` where `cursor` is
    /// not what a page of this person's ended with.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn entry_page(
        &self,
        member: &Member,
        filter: &EntryFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Page<ListedEntry>>, Failed> {
        let first = (filter.to, Uuid::max());
        let before = match cursor {
            None => first,
            Some(cursor) => match self.opened(member, ENTRIES, cursor)? {
                Some(place) => match read_place(&place) {
                    Some(place) => place.min(first),
                    None => return Ok(None),
                },
                None => return Ok(None),
            },
        };
        // One more tells whether there is a next page.
        let mut items = self
            .store
            .entries_before(member.user_id, filter, before, limit.saturating_add(1))
            .await
            .map_err(|error| self.failed("listing time entries", error))?;
        let has_more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = match items.last().filter(|_| has_more) {
            Some(last) => {
                let place = format!("{} {}", last.entry.date, last.entry.id.simple());
                Some(self.sealed(member, ENTRIES, &place)?)
            }
            None => None,
        };
        Ok(Some(Page { items, next }))
    }

    /// A place in a list of this person's, in a form that nobody can read, change or use for another list.
    pub(super) fn sealed(
        &self,
        member: &Member,
        list: &'static str,
        place: &str,
    ) -> Result<String, Failed> {
        let keys = self.store.keys();
        let keys = keys.map_err(|error| self.failed("ending a page", error))?;
        Ok(keys.seal(cursor_of(member, list), place))
    }

    /// The place that was sealed, if it was for this list and this person.
    pub(super) fn opened(
        &self,
        member: &Member,
        list: &'static str,
        cursor: &str,
    ) -> Result<Option<String>, Failed> {
        let keys = self.store.keys();
        let keys = keys.map_err(|error| self.failed("reading a cursor", error))?;
        let opened = keys.open(cursor_of(member, list), cursor);
        Ok(opened.ok().map(|place| place.expose_secret().to_owned()))
    }

    /// One of the person's entries that stand.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn listed_entry(
        &self,
        member: &Member,
        id: Uuid,
    ) -> Result<Option<ListedEntry>, Failed> {
        self.store
            .listed_entry(member.user_id, id)
            .await
            .map_err(|error| self.failed("reading a time entry", error))
    }

    /// Makes an entry. Under one `key` a person gets one, however often it is asked.
    ///
    /// # Errors
    /// The database does not answer in time.
    pub async fn create_entry(
        &self,
        member: &Member,
        key: Uuid,
        input: &EntryInput,
    ) -> Result<Result<ListedEntry, Vec<EntryProblem>>, Failed> {
        let mut problems = said_problems(input);
        if input.description.is_none() {
            problems.push(EntryProblem::NoDescription);
        }
        let times = self.times_of_new(member, input);
        let project = self.project_for(member, input, None).await?;
        let (times, project) = match (times, project) {
            (Ok(times), Ok(project)) if problems.is_empty() => (times, project),
            (times, project) => {
                problems.extend(times.err().into_iter().flatten());
                problems.extend(project.err());
                return Ok(Err(problems));
            }
        };
        let span = match times.span {
            Some(span) => Some(span),
            None => self.place(member, times.date, times.duration, None).await?,
        };
        let (project, is_billable, client_id) = project.unwrap_or_default();
        let new = NewEntry {
            key,
            user_id: member.user_id,
            source: EntrySource::Api,
            fields: EntryFields {
                description: described(input).unwrap_or_default(),
                date: times.date,
                span,
                is_timed: times.span.is_some(),
                duration: times.duration,
                project,
                billable: input.billable.unwrap_or(is_billable),
                tags: tagged(input).unwrap_or_default(),
            },
            typed_text: None,
            permalink: None,
            then: Self::home_refresh(member),
        };
        let made = self.insert(new, Instant::now() + SAVED_WITHIN).await?;
        Ok(Ok(ListedEntry {
            entry: made.receipt.entry,
            client_id,
            event_id: None,
        }))
    }

    /// Changes what is said of an entry and leaves the rest of it as it is.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn patch_entry(
        &self,
        member: &Member,
        id: Uuid,
        expected: &Expected,
        input: &EntryInput,
    ) -> Result<EntryOutcome, Failed> {
        let said = said_problems(input);
        for _ in 0..TRIES {
            let listed = match self.changeable(member, id, expected).await? {
                Ok(listed) => listed,
                Err(outcome) => return Ok(outcome),
            };
            let before = listed.entry.fields();
            let mut problems = said.clone();
            let times = self.times_of_changed(member, input, &before);
            let project = self.project_for(member, input, Some(&before)).await?;
            problems.extend(times.as_ref().err().into_iter().flatten().cloned());
            problems.extend(project.as_ref().err().cloned());
            let (Ok(times), Ok(project), true) = (times, project, problems.is_empty()) else {
                return Ok(EntryOutcome::Problems(problems));
            };
            let mut fields = EntryFields {
                description: described(input).unwrap_or_else(|| before.description.clone()),
                project: match project {
                    Some((project, ..)) => project,
                    None => before.project.clone(),
                },
                billable: input.billable.unwrap_or(before.billable),
                tags: tagged(input).unwrap_or_else(|| before.tags.clone()),
                ..before.clone()
            };
            if input.started_at.is_some() || input.ended_at.is_some() {
                fields.date = times.date;
                fields.span = times.span;
                fields.is_timed = times.span.is_some();
                fields.duration = times.duration;
            } else {
                if times.duration != fields.duration {
                    fields.span = self.resized(member, &before, times.duration);
                    fields.is_timed &= fields.span.is_some();
                    fields.duration = times.duration;
                }
                self.move_fields(member, &mut fields, times.date).await?;
            }
            if fields == before {
                return Ok(EntryOutcome::Done(Box::new(listed)));
            }
            let step = Step {
                entry_id: id,
                version: listed.entry.version,
                to: Some(fields),
            };
            let change = self
                .change(member, ChangeKind::Edit, &[step], HomeTab::Refresh)
                .await?;
            match change {
                EntryChange::Done(_) => {
                    return Ok(match self.listed_entry(member, id).await? {
                        Some(listed) => EntryOutcome::Done(Box::new(listed)),
                        None => EntryOutcome::Unknown,
                    });
                }
                EntryChange::Settled(_) => return Ok(EntryOutcome::Settled),
                EntryChange::Unknown => return Ok(EntryOutcome::Unknown),
                // Another change came between: what is said is said of that now, if it may be.
                EntryChange::Stale(_) | EntryChange::OtherTimer(_) => {}
            }
        }
        Ok(EntryOutcome::Stale)
    }

    /// Deletes an entry.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn delete_entry(
        &self,
        member: &Member,
        id: Uuid,
        expected: &Expected,
    ) -> Result<EntryOutcome, Failed> {
        for _ in 0..TRIES {
            let listed = match self.changeable(member, id, expected).await? {
                Ok(listed) => listed,
                Err(outcome) => return Ok(outcome),
            };
            let version = EntryVersion {
                id,
                version: listed.entry.version,
            };
            match self.delete(member, version, HomeTab::Refresh).await? {
                EntryChange::Done(_) => return Ok(EntryOutcome::Deleted),
                EntryChange::Settled(_) => return Ok(EntryOutcome::Settled),
                EntryChange::Unknown => return Ok(EntryOutcome::Unknown),
                EntryChange::Stale(_) | EntryChange::OtherTimer(_) => {}
            }
        }
        Ok(EntryOutcome::Stale)
    }

    /// The entry, if it may be changed at what it is now.
    async fn changeable(
        &self,
        member: &Member,
        id: Uuid,
        expected: &Expected,
    ) -> Result<Result<ListedEntry, EntryOutcome>, Failed> {
        let Some(listed) = self.listed_entry(member, id).await? else {
            return Ok(Err(EntryOutcome::Unknown));
        };
        if !expected.includes(listed.entry.version) {
            return Ok(Err(EntryOutcome::Stale));
        }
        if listed.entry.is_settled() {
            return Ok(Err(EntryOutcome::Settled));
        }
        Ok(Ok(listed))
    }

    /// The project that is said, whether its entries are billable, and for whom it is; `None` where nothing is said.
    /// One that the entry has already may be archived.
    async fn project_for(
        &self,
        member: &Member,
        input: &EntryInput,
        before: Option<&EntryFields>,
    ) -> Result<Result<Option<Named>, EntryProblem>, Failed> {
        let Some(id) = input.project_id else {
            return Ok(Ok(None));
        };
        let has = before.and_then(|before| before.project.as_ref());
        if id.is_some() && has.map(|project| project.id) == id {
            return Ok(Ok(None));
        }
        let Some(id) = id else {
            return Ok(Ok(Some((None, false, None))));
        };
        Ok(match self.project(member, id).await? {
            Some(project) if project.is_open() => {
                let client_id = project.client.as_ref().map(|client| client.id);
                Ok(Some((
                    Some(project.to_ref()),
                    project.is_billable,
                    client_id,
                )))
            }
            Some(project) => Err(EntryProblem::Archived(project.slug)),
            None => Err(EntryProblem::NoProject),
        })
    }

    fn times_of_new(
        &self,
        member: &Member,
        input: &EntryInput,
    ) -> Result<Times, Vec<EntryProblem>> {
        let (start, end) = (input.started_at.flatten(), input.ended_at.flatten());
        match (start, end) {
            (Some(start), Some(end)) => self.spanned(member, input, start, end),
            (None, None) => {
                let mut problems = Vec::new();
                let duration = input.duration_minutes.ok_or(EntryProblem::NoTime);
                let duration = duration.and_then(length);
                let date = input.date.unwrap_or_else(|| self.today(member));
                problems.extend(self.check_day(member, date).err());
                match duration {
                    Ok(duration) if problems.is_empty() => Ok(Times {
                        date,
                        span: None,
                        duration,
                    }),
                    duration => {
                        problems.extend(duration.err());
                        Err(problems)
                    }
                }
            }
            _ => Err(vec![EntryProblem::HalfSpan]),
        }
    }

    fn times_of_changed(
        &self,
        member: &Member,
        input: &EntryInput,
        before: &EntryFields,
    ) -> Result<Times, Vec<EntryProblem>> {
        let is_placed = input.started_at.is_some() || input.ended_at.is_some();
        let start = input
            .started_at
            .unwrap_or(before.span.map(|(start, _)| start));
        let end = input.ended_at.unwrap_or(before.span.map(|(_, end)| end));
        match (start, end) {
            (Some(start), Some(end)) if is_placed => self.spanned(member, input, start, end),
            (None, Some(_)) | (Some(_), None) => Err(vec![EntryProblem::HalfSpan]),
            _ => {
                let mut problems = Vec::new();
                let date = input.date.unwrap_or(before.date);
                if input.date.is_some() {
                    problems.extend(self.check_day(member, date).err());
                }
                match input.duration_minutes.map_or(Ok(before.duration), length) {
                    Ok(duration) if problems.is_empty() => Ok(Times {
                        date,
                        span: None,
                        duration,
                    }),
                    duration => {
                        problems.extend(duration.err());
                        Err(problems)
                    }
                }
            }
        }
    }

    /// From when to when it was, and what follows from that.
    fn spanned(
        &self,
        member: &Member,
        input: &EntryInput,
        start: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Result<Times, Vec<EntryProblem>> {
        // Before anything is reckoned with them: an instant may lie at the end of the calendar.
        for (at, field) in [(start, "started_at"), (end, "ended_at")] {
            if at < DateTime::UNIX_EPOCH {
                return Err(vec![EntryProblem::TooLongAgo(field)]);
            }
            if at > self.clock.now() + AHEAD_MAX {
                return Err(vec![EntryProblem::Future(field)]);
            }
        }
        let (start, end) = (to_microseconds(start), to_microseconds(end));
        let minutes = (end - start).num_minutes();
        if minutes < 1 {
            return Err(vec![EntryProblem::NoSpan]);
        }
        if end - start > TimeDelta::days(1) {
            return Err(vec![EntryProblem::SpanTooLong]);
        }
        let whole = u32::try_from(minutes).map_or(Minutes::DAY, Minutes::new);
        let mut problems = Vec::new();
        let duration = input.duration_minutes.map_or(Ok(whole), length);
        if duration.as_ref().is_ok_and(|duration| *duration > whole) {
            problems.push(EntryProblem::LongerThanSpan);
        }
        let date = start.with_timezone(&member.zone()).date_naive();
        if date > self.today(member) {
            problems.push(EntryProblem::Future("started_at"));
        }
        if input.date.is_some_and(|said| said != date) {
            problems.push(EntryProblem::OtherDay(date));
        }
        match duration {
            Ok(duration) if problems.is_empty() => Ok(Times {
                date,
                span: Some((start, end)),
                duration,
            }),
            duration => {
                problems.extend(duration.err());
                Err(problems)
            }
        }
    }

    fn check_day(&self, member: &Member, date: NaiveDate) -> Result<(), EntryProblem> {
        if date > self.today(member) {
            Err(EntryProblem::Future("date"))
        } else if date < DateTime::UNIX_EPOCH.date_naive() {
            Err(EntryProblem::TooLongAgo("date"))
        } else {
            Ok(())
        }
    }
}

/// A project, whether its entries are billable, and for whom it is.
type Named = (Option<ProjectRef>, bool, Option<Uuid>);

/// The list of entries, for its cursors.
const ENTRIES: &str = "entries";

/// What a cursor is sealed for: a list of one person's.
fn cursor_of(member: &Member, list: &'static str) -> Place {
    Place {
        table: "cursor",
        column: list,
        row: member.user_id,
    }
}

fn read_place(place: &str) -> Option<(NaiveDate, Uuid)> {
    let (date, id) = place.split_once(' ')?;
    Some((date.parse().ok()?, Uuid::parse_str(id).ok()?))
}

/// What both databases keep of an instant.
fn to_microseconds(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}
