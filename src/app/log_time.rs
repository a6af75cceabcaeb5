//! `/time …`: one typed line becomes a time entry.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    App, EntryList, ProjectNote, ReportOutcome,
    projects::{Chosen, Linked},
};
use crate::{
    domain::{
        member::Member,
        minutes::Minutes,
        project::Project,
        time_command::{self, ClockRange, Context, Guess, LogLine, ParseError, TimeCommand},
        time_entry::{Changed, EntryFields, EntrySource, Receipt, TimeEntry},
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

/// What became of a typed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// It is an entry now.
    Logged(Box<Logged>),
    /// The last change was taken back; `None` if there was none.
    Undone(Option<Box<Changed>>),
    /// What was logged.
    Report(ReportOutcome),
    /// Nothing was typed: the form is to be opened.
    Form,
    /// Help was asked for.
    Help,
    /// The last entries, to be changed.
    Entries(EntryList),
    /// All projects of the workspace.
    Projects(Vec<Project>),
    /// What the channel is linked to.
    Linked(Linked),
    /// The word is known, and this server does not offer what it stands for.
    NotOffered,
    /// How the line would be read, and to which project it would go; nothing was saved.
    Explained(LogLine, Chosen),
    /// A time, but no word about what it was for; nothing was saved.
    OnlyTime(LogLine),
    /// The line could not be read; nothing was saved.
    NotUnderstood(ParseError),
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
    /// Does what the line after `/time` says.
    ///
    /// # Errors
    /// The database does not answer in time. [`Failed::is_certain`] says whether it is known that nothing
    /// was stored.
    pub async fn time_command(
        &self,
        request: Request<'_>,
        text: &str,
    ) -> Result<CommandOutcome, Failed> {
        let context = self.reading(request.member);
        Ok(match time_command::parse(text, &context) {
            Ok(TimeCommand::Empty) => CommandOutcome::Form,
            Ok(TimeCommand::Edit | TimeCommand::Delete | TimeCommand::Move) => {
                CommandOutcome::Entries(self.entry_list(request.member, 0).await?)
            }
            Ok(TimeCommand::Projects) => {
                CommandOutcome::Projects(self.projects(request.member).await?)
            }
            Ok(TimeCommand::Link(typed)) => {
                CommandOutcome::Linked(self.link(request, typed.as_deref()).await?)
            }
            Ok(TimeCommand::Unlink) => {
                let before = self
                    .link_channel(request.member, request.channel, None)
                    .await?;
                CommandOutcome::Linked(Linked::Unlinked(before))
            }
            Ok(
                TimeCommand::Connect(_)
                | TimeCommand::Sync
                | TimeCommand::Prefs
                | TimeCommand::Export(_),
            ) => CommandOutcome::NotOffered,
            Ok(
                TimeCommand::Help
                | TimeCommand::Start(_)
                | TimeCommand::Stop
                | TimeCommand::Status
                | TimeCommand::Cancel,
            ) => CommandOutcome::Help,
            Ok(TimeCommand::Report(asked)) => {
                CommandOutcome::Report(self.asked_report(request.member, asked).await?)
            }
            Ok(TimeCommand::Undo) => {
                CommandOutcome::Undone(self.undo_last(request).await?.map(Box::new))
            }
            Ok(TimeCommand::Explain(rest)) => match time_command::parse(&rest, &context) {
                Ok(TimeCommand::Log(line)) => {
                    let chosen = self.project_of(request, &line).await?;
                    CommandOutcome::Explained(line, chosen)
                }
                Ok(_) => CommandOutcome::Help,
                Err(error) => CommandOutcome::NotUnderstood(error),
            },
            Ok(TimeCommand::Log(line)) if line.description.is_empty() => {
                CommandOutcome::OnlyTime(line)
            }
            Ok(TimeCommand::Log(line)) => {
                CommandOutcome::Logged(Box::new(self.log_line(request, line, text).await?))
            }
            Err(error) => CommandOutcome::NotUnderstood(error),
        })
    }

    async fn project_of(&self, request: Request<'_>, line: &LogLine) -> Result<Chosen, Failed> {
        let (project, client) = (line.project.as_deref(), line.client.as_deref());
        self.choose_project(request.member, request.channel, project, client)
            .await
    }

    async fn log_line(
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
            self.note_last_project(request.member, request.channel, &project)
                .await;
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
        match self.store.insert_entry(new, deadline).await {
            Ok(Made {
                receipt,
                may_overlap,
            }) => Ok(Logged {
                overlaps: if may_overlap {
                    self.overlaps(&receipt.entry).await
                } else {
                    Vec::new()
                },
                receipt,
                guess: None,
                ranges: Vec::new(),
                project: ProjectNote::Nothing,
            }),
            Err(error) => {
                let is_certain = matches!(error, NotSaved::Nothing(_));
                Err(Failed {
                    is_certain,
                    ..self.failed("saving a time entry", error)
                })
            }
        }
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
        let Some(start) = last_end.or_else(|| instant(date, member.workday_start)) else {
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
    pub(super) fn reading(&self, member: &Member) -> Context {
        Context {
            bare_number_unit: member.bare_number_unit,
            slash_dates: member.slash_dates(),
            workday: if member.target_per_day == Minutes::default() {
                Minutes::from_hours(8)
            } else {
                member.target_per_day
            },
            ..Context::new(self.clock.now(), member.zone())
        }
    }
}
