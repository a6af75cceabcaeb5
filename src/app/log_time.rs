//! `/time …`: one typed line becomes a time entry.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use tokio::time::Instant;
use uuid::Uuid;

use super::App;
use crate::{
    domain::{
        member::Member,
        time_command::{self, ClockRange, Context, Guess, LogLine, ParseError, TimeCommand},
        time_entry::{EntrySource, Receipt},
    },
    error::Failed,
    store::{NewEntry, NotSaved},
};

/// One request of a person.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub member: &'a Member,
    /// Names the request: under one key a person gets one entry, and the same answer again.
    pub key: Uuid,
    /// When the answer is due.
    pub deadline: Instant,
}

/// What became of a typed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// It is an entry now.
    Logged(Logged),
    /// The last entry was taken back; `None` if there was none.
    Undone(Option<Receipt>),
    /// Help was asked for, or nothing was typed.
    Help,
    /// How the line would be read; nothing was saved.
    Explained(LogLine),
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
        Ok(
            match time_command::parse(text, &self.reading(request.member)) {
                Ok(
                    TimeCommand::Empty
                    | TimeCommand::Help
                    | TimeCommand::Start(_)
                    | TimeCommand::Stop
                    | TimeCommand::Status
                    | TimeCommand::Cancel
                    | TimeCommand::Report(_)
                    | TimeCommand::Edit
                    | TimeCommand::Delete
                    | TimeCommand::Move
                    | TimeCommand::Projects
                    | TimeCommand::Link(_)
                    | TimeCommand::Unlink
                    | TimeCommand::Connect(_)
                    | TimeCommand::Sync
                    | TimeCommand::Prefs
                    | TimeCommand::Export(_),
                ) => CommandOutcome::Help,
                Ok(TimeCommand::Undo) => CommandOutcome::Undone(self.undo_last(request).await?),
                Ok(TimeCommand::Explain(rest)) => {
                    match time_command::parse(&rest, &self.reading(request.member)) {
                        Ok(TimeCommand::Log(line)) => CommandOutcome::Explained(line),
                        Ok(_) => CommandOutcome::Help,
                        Err(error) => CommandOutcome::NotUnderstood(error),
                    }
                }
                Ok(TimeCommand::Log(line)) if line.description.is_empty() => {
                    CommandOutcome::OnlyTime(line)
                }
                Ok(TimeCommand::Log(line)) => {
                    CommandOutcome::Logged(self.log_line(request, line, text).await?)
                }
                Err(error) => CommandOutcome::NotUnderstood(error),
            },
        )
    }

    async fn log_line(
        &self,
        request: Request<'_>,
        line: LogLine,
        typed: &str,
    ) -> Result<Logged, Failed> {
        let Request {
            member,
            key,
            deadline,
        } = request;
        let span = span_of(&line, self.clock.now(), member.zone());
        let new = NewEntry {
            key,
            user_id: member.user_id,
            source: EntrySource::Slack,
            description: line.words(),
            date: line.date,
            started_at: span.map(|(start, _)| start),
            ended_at: span.map(|(_, end)| end),
            duration: line.duration,
            typed_text: Some(typed.to_owned()),
            then: Self::home_refresh(member),
        };
        match self.store.insert_entry(new, deadline).await {
            Ok(receipt) => Ok(Logged {
                receipt,
                guess: line.guess,
                ranges: line.ranges,
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

    /// How this person's lines are read, at this moment.
    pub(super) fn reading(&self, member: &Member) -> Context {
        Context {
            bare_number_unit: member.bare_number_unit,
            ..Context::new(self.clock.now(), member.zone())
        }
    }
}

/// From when to when the work was: as typed, or, for a bare duration of today, up to now.
fn span_of(line: &LogLine, now: DateTime<Utc>, zone: Tz) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let minutes = TimeDelta::minutes(i64::from(line.duration.get()));
    match (line.start, line.end) {
        (Some(start), Some(end)) => {
            let begins = instant(line.date, start, zone)?;
            let end_date = if end <= start {
                line.date.succ_opt()?
            } else {
                line.date
            };
            Some((begins, instant(end_date, end, zone)?))
        }
        _ if line.date == now.with_timezone(&zone).date_naive() => {
            // To the minute, as it is shown.
            let now = now - TimeDelta::nanoseconds(now.timestamp_nanos_opt()? % 60_000_000_000);
            Some((now - minutes, now))
        }
        _ => None,
    }
}

fn instant(date: NaiveDate, time: NaiveTime, zone: Tz) -> Option<DateTime<Utc>> {
    zone.from_local_datetime(&date.and_time(time))
        .earliest()
        .map(|local| local.to_utc())
}
