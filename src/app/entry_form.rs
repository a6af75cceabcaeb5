//! The form with which entries are made and edited: read like a line, and wrong field by field.

use chrono::NaiveDate;
use uuid::Uuid;

use super::{App, EntryVersion, HomeTab, Logged, ProjectNote, Request};
use crate::{
    domain::{
        member::Member,
        project::ProjectRef,
        time_command::{self, ParseError, TimeReading},
        time_entry::{ChangeKind, EntryFields, LONGEST_DESCRIPTION},
    },
    error::Failed,
    store::{EntryChange, Step},
};

/// What was entered in the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryForm {
    /// A length, or from–to.
    pub time: String,
    /// What was done.
    pub description: String,
    /// What it was for.
    pub project: Option<Uuid>,
    /// The day.
    pub date: NaiveDate,
    /// Whether it goes on an invoice; `None` for what is usual for the project.
    pub billable: Option<bool>,
}

/// What is wrong with a field of the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormProblem {
    /// The time cannot be read.
    Time(ParseError),
    /// Nothing was said about what was done.
    NoDescription,
    /// The description has so many characters.
    DescriptionTooLong(usize),
    /// The project takes no more entries.
    Archived(String),
    /// There is no such project any more.
    NoProject,
    /// The day lies in the future.
    Future(NaiveDate),
}

/// What became of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormOutcome<T> {
    /// It was done.
    Done(T),
    /// Nothing was entered that is not so already; nothing was done.
    Nothing,
    /// It was not; each field with a problem, once.
    Problems(Vec<FormProblem>),
}

impl App {
    /// Makes an entry of what was entered in the form.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn log_form(
        &self,
        request: Request<'_>,
        form: &EntryForm,
        permalink: Option<String>,
    ) -> Result<FormOutcome<Logged>, Failed> {
        let (fields, reading) = match self.read_form(request.member, form).await? {
            Ok(read) => read,
            Err(problems) => return Ok(FormOutcome::Problems(problems)),
        };
        let project = fields.project.clone();
        let logged = self
            .log_entry(request, fields, Some(form.time.clone()), permalink)
            .await?;
        if let Some(project) = project {
            self.note_last_project(request.member, request.channel, &project)
                .await;
        }
        Ok(FormOutcome::Done(Logged {
            ranges: reading.ranges,
            project: ProjectNote::Nothing,
            ..logged
        }))
    }

    /// Changes the entry to what was entered in the form.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn edit_form(
        &self,
        member: &Member,
        entry: EntryVersion,
        form: &EntryForm,
        home: HomeTab,
    ) -> Result<FormOutcome<EntryChange>, Failed> {
        let Some(now) = self.entry(member, entry.id).await? else {
            return Ok(FormOutcome::Done(EntryChange::Unknown));
        };
        let (mut fields, reading) = match self.read_form(member, form).await? {
            Ok(read) => read,
            // An archived project may stay on an entry that has it.
            Err(problems) => match problems.as_slice() {
                [FormProblem::Archived(_)]
                    if now.project.as_ref().map(|p| p.id) == form.project =>
                {
                    let form = EntryForm {
                        project: None,
                        ..form.clone()
                    };
                    match self.read_form(member, &form).await? {
                        Ok((fields, reading)) => (
                            EntryFields {
                                project: now.project.clone(),
                                ..fields
                            },
                            reading,
                        ),
                        Err(problems) => return Ok(FormOutcome::Problems(problems)),
                    }
                }
                _ => return Ok(FormOutcome::Problems(problems)),
            },
        };
        fields.tags.clone_from(&now.tags);
        let before = now.fields();
        let zone = member.zone();
        let shown = before.span.map(|(start, end)| {
            (
                start.with_timezone(&zone).time(),
                end.with_timezone(&zone).time(),
            )
        });
        let given = reading.start.zip(reading.end);
        if fields.date == before.date && (given.is_none() || (before.is_timed && given == shown)) {
            // Nothing new was said about when it was: it stays where it is, whatever zone it is read in.
            fields.is_timed = before.is_timed && before.span.is_some();
            fields.span = if fields.duration == before.duration {
                before.span
            } else {
                self.resized(member, &before, fields.duration)
            };
            fields.is_timed &= fields.span.is_some();
        }
        if fields == before && now.version == entry.version {
            return Ok(FormOutcome::Nothing);
        }
        let step = Step {
            entry_id: entry.id,
            version: entry.version,
            to: Some(fields),
        };
        let change = self.change(member, ChangeKind::Edit, &[step], home).await?;
        Ok(FormOutcome::Done(change))
    }

    /// Reads the form, and says of every field at once what is wrong with it.
    pub(super) async fn read_form(
        &self,
        member: &Member,
        form: &EntryForm,
    ) -> Result<Result<(EntryFields, TimeReading), Vec<FormProblem>>, Failed> {
        let mut problems = Vec::new();
        let context = self.reading(member);
        let time = time_command::time_on(&form.time, form.date, &context);
        if form.date > context.today() {
            problems.push(FormProblem::Future(form.date));
        } else if let Err(problem) = &time {
            problems.push(FormProblem::Time(problem.clone()));
        }
        let description = form.description.trim();
        let characters = description.chars().count();
        if characters == 0 {
            problems.push(FormProblem::NoDescription);
        } else if characters > LONGEST_DESCRIPTION {
            problems.push(FormProblem::DescriptionTooLong(characters));
        }
        let (project, is_billable) = match self.open_project(member, form.project).await? {
            Ok(found) => found,
            Err(problem) => {
                problems.push(problem);
                (None, false)
            }
        };
        let reading = match time {
            Ok(reading) if problems.is_empty() => reading,
            _ => return Ok(Err(problems)),
        };
        let given = reading.start.zip(reading.end);
        let span = self
            .place(member, form.date, reading.duration, given)
            .await?;
        let fields = EntryFields {
            description: description.to_owned(),
            date: form.date,
            span,
            is_timed: given.is_some(),
            duration: reading.duration,
            project,
            billable: form.billable.unwrap_or(is_billable),
            tags: Vec::new(),
        };
        Ok(Ok((fields, reading)))
    }

    /// The project with this id that takes entries, and whether they are billable.
    pub(super) async fn open_project(
        &self,
        member: &Member,
        id: Option<Uuid>,
    ) -> Result<Result<(Option<ProjectRef>, bool), FormProblem>, Failed> {
        let Some(id) = id else {
            return Ok(Ok((None, false)));
        };
        Ok(match self.project(member, id).await? {
            Some(project) if project.is_open() => Ok((Some(project.to_ref()), project.is_billable)),
            Some(project) => Err(FormProblem::Archived(project.slug)),
            None => Err(FormProblem::NoProject),
        })
    }
}
