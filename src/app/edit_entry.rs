//! Changing an entry that is there: taking it back, editing, moving, merging, reading its guess the other
//! way.

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone as _, Utc};
use uuid::Uuid;

use super::{App, FormOutcome, FormProblem, Request};
use crate::{
    domain::{
        member::Member,
        minutes::Minutes,
        time_command::{self, BareNumberUnit, Context, ParseError, TimeCommand, Unit},
        time_entry::{ChangeKind, Changed, EntryFields, LONGEST_DESCRIPTION, Receipt, TimeEntry},
    },
    error::Failed,
    store::{EntryChange, NewJob, Step},
};

/// How often a unit must be corrected in a row before it is offered as the rule.
const FLIPS_TO_TEACH: i32 = 2;

/// How many entries a page of a list shows.
pub const LISTED: u32 = 10;

/// A page of a person's last entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryList {
    /// The newest day first, and in it the latest entry first.
    pub entries: Vec<TimeEntry>,
    /// How many come before these.
    pub skip: u32,
    /// Whether there are more behind them.
    pub has_more: bool,
}

/// What a change of an entry means for the person's Home tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeTab {
    /// It has to be drawn anew, if they have ever opened it.
    Refresh,
    /// Whoever asks for the change draws it, with what was just done on top; a refresh would take that away.
    DrawnByCaller,
}

impl HomeTab {
    pub(super) fn refresh(self, member: &Member) -> Option<NewJob> {
        match self {
            Self::Refresh => App::home_refresh(member),
            Self::DrawnByCaller => None,
        }
    }
}

/// An entry, and the version of it that somebody saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryVersion {
    /// The entry.
    pub id: Uuid,
    /// What they saw.
    pub version: i32,
}

/// A guess read the other way, and whether that was often enough to make it the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flipped {
    /// What became of the entry.
    pub change: EntryChange,
    /// The unit that could be the rule.
    pub teach: Option<Unit>,
}

/// The other reading of a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flip {
    /// The bare number was meant in this unit.
    Unit(Unit),
    /// The weekday was meant on this day.
    Day(NaiveDate),
    /// The clock times were meant twelve hours later.
    HalfDay,
}

impl App {
    /// Takes back what made this version of the entry: an edit, a merge, a deletion, or its making.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn take_back(
        &self,
        member: &Member,
        entry: EntryVersion,
        home: HomeTab,
    ) -> Result<EntryChange, Failed> {
        self.store
            .take_back(
                member.user_id,
                entry.id,
                entry.version,
                home.refresh(member).as_ref(),
            )
            .await
            .map_err(|error| self.failed("taking a change back", error))
    }

    /// Deletes the entry.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn delete(
        &self,
        member: &Member,
        entry: EntryVersion,
        home: HomeTab,
    ) -> Result<EntryChange, Failed> {
        let step = Step {
            entry_id: entry.id,
            version: entry.version,
            to: None,
        };
        self.change(member, ChangeKind::Delete, &[step], home).await
    }

    /// Takes back the person's last change, whatever it was.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn undo_last(&self, request: Request<'_>) -> Result<Option<Changed>, Failed> {
        let Request { member, key, .. } = request;
        self.store
            .undo_last(member.user_id, key, Self::home_refresh(member).as_ref())
            .await
            .map_err(|error| self.failed("taking the last change back", error))
    }

    /// Why an entry is not changed: it is settled, or not what the person saw.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn as_it_is(&self, member: &Member, entry: TimeEntry) -> Result<EntryChange, Failed> {
        let is_settled = entry.is_settled();
        let receipt = self.with_day(member, entry).await?;
        Ok(if is_settled {
            EntryChange::Settled(receipt)
        } else {
            EntryChange::Stale(receipt)
        })
    }

    /// One of the person's entries, taken back or not, with its day in sum.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn receipt(
        &self,
        member: &Member,
        entry_id: Uuid,
    ) -> Result<Option<Receipt>, Failed> {
        match self.entry(member, entry_id).await? {
            Some(entry) => self.with_day(member, entry).await.map(Some),
            None => Ok(None),
        }
    }

    async fn with_day(&self, member: &Member, entry: TimeEntry) -> Result<Receipt, Failed> {
        let day_total = self
            .store
            .day_total(member.user_id, entry.date)
            .await
            .map_err(|error| self.failed("reading a day", error))?;
        Ok(Receipt { entry, day_total })
    }

    /// What shares time with an entry after a change.
    pub async fn overlaps_after(&self, changed: &Changed) -> Vec<TimeEntry> {
        match &changed.receipt {
            Some(receipt) if receipt.entry.deleted_at.is_none() => {
                self.overlaps(&receipt.entry).await
            }
            _ => Vec::new(),
        }
    }

    /// How a line of this person's is read now.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self, member: &Member, typed: &str) -> Result<TimeCommand, ParseError> {
        time_command::parse(typed, &self.reading(member))
    }

    /// One of the person's entries, taken back or not.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn entry(&self, member: &Member, id: Uuid) -> Result<Option<TimeEntry>, Failed> {
        self.store
            .entry(member.user_id, id)
            .await
            .map_err(|error| self.failed("reading a time entry", error))
    }

    /// A page of the person's last entries, after the first `skip`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn entry_list(&self, member: &Member, skip: u32) -> Result<EntryList, Failed> {
        let mut entries = self
            .store
            .last_entries(member.user_id, skip, LISTED + 1)
            .await
            .map_err(|error| self.failed("reading the last entries", error))?;
        let has_more = entries.len() > LISTED as usize;
        entries.truncate(LISTED as usize);
        Ok(EntryList {
            entries,
            skip,
            has_more,
        })
    }

    /// Reads the line an entry was typed with again, in the way it was meant, and changes the entry to that.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn flip(
        &self,
        member: &Member,
        entry: EntryVersion,
        flip: Flip,
    ) -> Result<Flipped, Failed> {
        let unknown = Flipped {
            change: EntryChange::Unknown,
            teach: None,
        };
        let Some(now) = self.entry(member, entry.id).await? else {
            return Ok(unknown);
        };
        let mut fields = now.fields();
        match flip {
            Flip::Day(date) => {
                if date > self.today(member) {
                    return Ok(unknown);
                }
                self.move_fields(member, &mut fields, date).await?;
            }
            Flip::HalfDay => {
                // Twelve hours on the person's clock, which may be another length on the day it is changed.
                let half_day = TimeDelta::hours(12);
                let zone = member.zone();
                let later = fields.span.map(|(start, end)| {
                    let time = |at: DateTime<Utc>| at.with_timezone(&zone).time() + half_day;
                    (time(start), time(end))
                });
                fields.span = self
                    .place(member, fields.date, fields.duration, later)
                    .await?;
            }
            Flip::Unit(unit) => {
                let typed = now.typed_text.as_deref().unwrap_or_default();
                let Some(duration) = self.read_in_unit(member, typed, unit) else {
                    return Ok(unknown);
                };
                fields.span = self.resized(member, &fields, duration);
                fields.duration = duration;
            }
        }
        let step = Step {
            entry_id: entry.id,
            version: entry.version,
            to: Some(fields),
        };
        let change = self
            .change(member, ChangeKind::Flip, &[step], HomeTab::Refresh)
            .await?;
        let mut teach = None;
        if let (EntryChange::Done(_), Flip::Unit(unit)) = (&change, flip) {
            let flips = self
                .store
                .note_flip(member.binding_id, unit, entry.id)
                .await
                .map_err(|error| self.failed("noting a correction", error))?;
            teach = (flips >= FLIPS_TO_TEACH).then_some(unit);
        }
        Ok(Flipped { change, teach })
    }

    /// From now on the person's bare numbers are read so.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn set_bare_number_unit(
        &self,
        member: &Member,
        unit: BareNumberUnit,
    ) -> Result<(), Failed> {
        self.store
            .set_bare_number_unit(member.binding_id, unit)
            .await
            .map_err(|error| self.failed("saving a preference", error))?;
        self.forget(member);
        Ok(())
    }

    /// Gives the entry another project, or none.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn set_project(
        &self,
        member: &Member,
        channel: &str,
        entry: EntryVersion,
        project: Option<Uuid>,
        home: HomeTab,
    ) -> Result<FormOutcome<EntryChange>, Failed> {
        let Some(now) = self.entry(member, entry.id).await? else {
            return Ok(FormOutcome::Done(EntryChange::Unknown));
        };
        let (project, is_billable) = match self.open_project(member, project).await? {
            Ok(found) => found,
            Err(problem) => return Ok(FormOutcome::Problems(vec![problem])),
        };
        let step = Step {
            entry_id: entry.id,
            version: entry.version,
            to: Some(EntryFields {
                project: project.clone(),
                billable: is_billable,
                ..now.fields()
            }),
        };
        let change = self
            .change(member, ChangeKind::Project, &[step], home)
            .await?;
        if let (EntryChange::Done(_), Some(project)) = (&change, &project) {
            self.note_last_project(member, channel, project).await;
        }
        Ok(FormOutcome::Done(change))
    }

    /// Moves the entry to another day. Times that somebody gave stay what they were; others are placed anew.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn move_entry(
        &self,
        member: &Member,
        entry: EntryVersion,
        date: NaiveDate,
        home: HomeTab,
    ) -> Result<FormOutcome<EntryChange>, Failed> {
        if date > self.today(member) {
            return Ok(FormOutcome::Problems(vec![FormProblem::Future(date)]));
        }
        let Some(now) = self.entry(member, entry.id).await? else {
            return Ok(FormOutcome::Done(EntryChange::Unknown));
        };
        if date == now.date && now.version == entry.version {
            return Ok(FormOutcome::Nothing);
        }
        let mut fields = now.fields();
        self.move_fields(member, &mut fields, date).await?;
        let step = Step {
            entry_id: entry.id,
            version: entry.version,
            to: Some(fields),
        };
        let change = self.change(member, ChangeKind::Move, &[step], home).await?;
        Ok(FormOutcome::Done(change))
    }

    pub(super) async fn move_fields(
        &self,
        member: &Member,
        fields: &mut EntryFields,
        date: NaiveDate,
    ) -> Result<(), Failed> {
        if fields.date == date {
            return Ok(());
        }
        let zone = member.zone();
        let given = fields.span.filter(|_| fields.is_timed).map(|(start, end)| {
            (
                start.with_timezone(&zone).time(),
                end.with_timezone(&zone).time(),
            )
        });
        fields.span = self.place(member, date, fields.duration, given).await?;
        // A night with a change of the clocks may be longer or shorter than the one it came from.
        fields.is_timed = fields.is_timed && fields.span.is_some();
        fields.date = date;
        Ok(())
    }

    /// Makes one entry of two that share time: from the earlier start to the later end, with both
    /// descriptions. The older one stays.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn merge(
        &self,
        member: &Member,
        one: EntryVersion,
        other: EntryVersion,
    ) -> Result<EntryChange, Failed> {
        let (Some(a), Some(b)) = (
            self.entry(member, one.id).await?,
            self.entry(member, other.id).await?,
        ) else {
            return Ok(EntryChange::Unknown);
        };
        let Some(fields) = merged(&a, &b) else {
            return Ok(EntryChange::Unknown);
        };
        let (stays, goes) = if a.id < b.id {
            (one, other)
        } else {
            (other, one)
        };
        let steps = [
            Step {
                entry_id: stays.id,
                version: stays.version,
                to: Some(fields),
            },
            Step {
                entry_id: goes.id,
                version: goes.version,
                to: None,
            },
        ];
        self.change(member, ChangeKind::Merge, &steps, HomeTab::Refresh)
            .await
    }

    /// Does these steps.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn change(
        &self,
        member: &Member,
        kind: ChangeKind,
        steps: &[Step],
        home: HomeTab,
    ) -> Result<EntryChange, Failed> {
        self.store
            .change_entries(member.user_id, kind, steps, home.refresh(member).as_ref())
            .await
            .map_err(|error| self.failed("changing a time entry", error))
    }

    /// From when to when an entry is with another length: today it keeps its end, on another day its
    /// beginning. `None` where it would not fit its day.
    pub(super) fn resized(
        &self,
        member: &Member,
        fields: &EntryFields,
        duration: Minutes,
    ) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let (start, end) = fields.span?;
        let length = TimeDelta::minutes(i64::from(duration.get()));
        if fields.date == self.today(member) && !fields.is_timed {
            return Some((end - length, end));
        }
        let zone = member.zone();
        let next_day = fields.date.succ_opt()?.and_time(chrono::NaiveTime::MIN);
        let midnight = zone.from_local_datetime(&next_day).earliest()?.to_utc();
        (start + length <= midnight.max(end)).then_some((start, start + length))
    }

    /// How long a line is with its bare number in this unit.
    fn read_in_unit(&self, member: &Member, typed: &str, unit: Unit) -> Option<Minutes> {
        let context = Context {
            bare_number_unit: match unit {
                Unit::Hours => BareNumberUnit::Hours,
                Unit::Minutes => BareNumberUnit::Minutes,
            },
            ..self.reading(member)
        };
        match time_command::parse(typed, &context) {
            Ok(TimeCommand::Log(line)) => Some(line.duration),
            _ => time_command::time_on(typed, self.today(member), &context)
                .ok()
                .map(|reading| reading.duration),
        }
    }

    pub(super) fn today(&self, member: &Member) -> NaiveDate {
        self.clock.now().with_timezone(&member.zone()).date_naive()
    }
}

/// One entry in the place of two that share time; `None` where one of them has no times or has breaks between
/// them, or it would be longer than a day.
pub fn merged(a: &TimeEntry, b: &TimeEntry) -> Option<EntryFields> {
    let (older, newer) = if a.id < b.id { (a, b) } else { (b, a) };
    if !older.has_no_breaks() || !newer.has_no_breaks() {
        return None;
    }
    let start = older.started_at?.min(newer.started_at?);
    let end = older.ended_at?.max(newer.ended_at?);
    let duration = Minutes::new(u32::try_from((end - start).num_minutes()).ok()?);
    if !(Minutes::new(1)..=Minutes::DAY).contains(&duration) {
        return None;
    }
    let description = if older.description == newer.description {
        older.description.clone()
    } else {
        let both = format!("{}; {}", older.description, newer.description);
        both.chars().take(LONGEST_DESCRIPTION).collect()
    };
    let mut tags = older.tags.clone();
    tags.extend(
        newer
            .tags
            .iter()
            .filter(|tag| !older.tags.contains(tag))
            .cloned(),
    );
    let project = older.project.clone().or_else(|| newer.project.clone());
    Some(EntryFields {
        description,
        date: older.date.min(newer.date),
        span: Some((start, end)),
        is_timed: true,
        duration,
        billable: if older.project.is_some() {
            older.billable
        } else {
            newer.billable || older.billable
        },
        project,
        tags,
    })
}
