//! One typed line becomes a time entry.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use futures_util::TryFutureExt as _;
use tokio::time::Instant;
use uuid::Uuid;

use super::{App, ProjectNote, projects::Chosen};
use crate::{
    domain::{
        member::Member,
        minutes::Minutes,
        time_command::{ClockRange, Context, Guess, LogLine},
        time_entry::{EntryFields, EntrySource, Receipt, TimeEntry},
    },
    error::Failed,
    store::{Made, NewEntry, NotSaved},
};

/// How many entries are named that share time with a new one, and one more to know that there are more.
const OVERLAPS: u32 = 4;

/// One request of a person.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub member: &'a Member,
    /// The conversation it was said in; empty where there is none.
    pub channel: &'a str,
    /// Names the request: under one key a person gets one entry, and the same answer again.
    pub key: Uuid,
    /// When the answer is due.
    pub deadline: Instant,
}

/// An entry that was made, and what in its reading was a guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The entry and its day.
    pub receipt: Receipt,
    /// What was guessed, and the other reading.
    pub guess: Option<Guess>,
    /// The clock times as they were typed; several where breaks were left out.
    pub ranges: Vec<ClockRange>,
    /// What is to be said about the choice of its project.
    pub project: ProjectNote,
    /// The first entries that share time with it.
    pub overlaps: Vec<TimeEntry>,
}

impl App {
    /// The project that a line means.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn project_of(
        &self,
        request: Request<'_>,
        line: &LogLine,
    ) -> Result<Chosen, Failed> {
        let (project, client) = (line.project.as_deref(), line.client.as_deref());
        self.choose_project(request.member, request.channel, project, client)
            .await
    }

    /// Makes an entry of a line.
    ///
    /// # Errors
    /// As [`log_entry`](Self::log_entry).
    pub(super) async fn log_line(
        &self,
        request: Request<'_>,
        line: LogLine,
        typed: &str,
    ) -> Result<Logged, Failed> {
        let chosen = self.project_of(request, &line).await?;
        let was_named = line.project.is_some() || line.client.is_some();
        let (start, end) = (line.start, line.end);
        let placed = self
            .place(request.member, line.date, line.duration, start.zip(end))
            .await?;
        let fields = EntryFields {
            description: line.description,
            date: line.date,
            span: placed,
            is_timed: start.is_some(),
            duration: line.duration,
            billable: line.billable.unwrap_or(chosen.is_billable),
            project: chosen.project,
            tags: line.tags,
        };
        let named = fields.project.clone().filter(|_| was_named);
        let logged = self
            .log_entry(request, fields, Some(typed.to_owned()), None)
            .await?;
        if let Some(project) = named {
            Box::pin(self.note_last_project(request.member, request.channel, &project)).await;
        }
        Ok(Logged {
            guess: line.guess,
            ranges: line.ranges,
            project: chosen.note,
            ..logged
        })
    }

    /// Makes an entry, and looks what shares time with it.
    ///
    /// # Errors
    /// The database does not answer in time. [`Failed::is_certain`] says whether it is known that nothing
    /// was stored.
    pub(super) async fn log_entry(
        &self,
        request: Request<'_>,
        fields: EntryFields,
        typed_text: Option<String>,
        permalink: Option<String>,
    ) -> Result<Logged, Failed> {
        let Request {
            member,
            key,
            deadline,
            ..
        } = request;
        let new = NewEntry {
            key,
            user_id: member.user_id,
            source: EntrySource::Slack,
            fields,
            typed_text,
            permalink,
            then: Self::home_refresh(member),
        };
        let Made {
            receipt,
            may_overlap,
        } = self.insert(new, deadline).await?;
        Ok(Logged {
            overlaps: if may_overlap {
                Box::pin(self.overlaps(&receipt.entry)).await
            } else {
                Vec::new()
            },
            receipt,
            guess: None,
            ranges: Vec::new(),
            project: ProjectNote::Nothing,
        })
    }

    /// Makes an entry.
    ///
    /// # Errors
    /// As [`log_entry`](Self::log_entry).
    pub(super) fn insert(
        &self,
        new: NewEntry,
        deadline: Instant,
    ) -> impl Future<Output = Result<Made, Failed>> {
        self.store
            .insert_entry(new, deadline)
            .map_err(|error| Failed {
                is_certain: matches!(error, NotSaved::Nothing(_)),
                ..self.failed("saving a time entry", error)
            })
    }

    /// What shares time with an entry that is stored. If that cannot be read, nothing is: the entry stands,
    /// and its card must not say otherwise.
    pub(super) async fn overlaps(&self, entry: &TimeEntry) -> Vec<TimeEntry> {
        match self.store.overlapping(entry, OVERLAPS).await {
            Ok(overlaps) => overlaps,
            Err(problem) => {
                tracing::warn!("store.overlaps_unknown: {}", crate::error::chain(&problem));
                Vec::new()
            }
        }
    }

    /// From when to when the work was: as it was given, or, where only a length was, up to now; on another
    /// day after that day's last entry, or from the start of work. `None` where it would not fit the day.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn place(
        &self,
        member: &Member,
        date: NaiveDate,
        duration: Minutes,
        given: Option<(NaiveTime, NaiveTime)>,
    ) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, Failed> {
        let zone = member.zone();
        let instant = |date: NaiveDate, time| {
            zone.from_local_datetime(&date.and_time(time))
                .earliest()
                .map(|local| local.to_utc())
        };
        let length = TimeDelta::minutes(i64::from(duration.get()));
        if let Some((start, end)) = given {
            let end_date = if end <= start {
                date.succ_opt()
            } else {
                Some(date)
            };
            let end = end_date.and_then(|date| instant(date, end));
            return Ok(instant(date, start).zip(end));
        }
        let now = self.clock.now();
        if date == now.with_timezone(&zone).date_naive() {
            // To the minute, as it is shown.
            let seconds = now.timestamp().rem_euclid(60);
            let now = now
                - TimeDelta::seconds(seconds)
                - TimeDelta::nanoseconds(i64::from(now.timestamp_subsec_nanos()));
            return Ok(Some((now - length, now)));
        }
        let last_end = self
            .store
            .last_end_on(member.user_id, date)
            .await
            .map_err(|error| self.failed("looking up a day", error))?;
        let Some(start) = last_end.or_else(|| instant(date, member.preferences.workday_start))
        else {
            return Ok(None);
        };
        let end = start + length;
        let midnight = date
            .succ_opt()
            .and_then(|next| instant(next, NaiveTime::MIN));
        Ok(midnight
            .filter(|midnight| end <= *midnight)
            .map(|_| (start, end)))
    }

    /// How this person's lines are read, at this moment.
    pub fn reading(&self, member: &Member) -> Context {
        Context {
            bare_number_unit: member.preferences.bare_number_unit,
            slash_dates: member.slash_dates(),
            workday: if member.preferences.target_per_day == Minutes::default() {
                Minutes::from_hours(8)
            } else {
                member.preferences.target_per_day
            },
            ..Context::new(self.clock.now(), member.zone())
        }
    }
}
