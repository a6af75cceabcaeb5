//! Timers: work that is timed while it is done, and logged when it ends.

use chrono::{DateTime, NaiveTime, Utc};
use uuid::Uuid;

use super::{App, Chosen, EntryForm, FormOutcome, FormProblem, HomeTab, ProjectNote, Request};
use crate::{
    domain::{
        member::Member,
        time_command::StartLine,
        time_entry::{ChangeKind, Changed, EntryFields, LONGEST_DESCRIPTION, TimeEntry},
        timer::{LONG, StopProblem, Stopped, Timer},
    },
    error::Failed,
    store::{EntryChange, TimerChange, TimerStep},
};

/// How often a command looks again at what runs when somebody else was faster.
const TRIES: usize = 4;
/// A timer, and the version of it that somebody saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerVersion {
    /// The timer.
    pub id: Uuid,
    /// What they saw.
    pub version: i32,
}

impl TimerVersion {
    fn is(self, timer: &Timer) -> bool {
        (self.id, self.version) == (timer.id, timer.version)
    }
}

/// What became of a person's timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerOutcome {
    /// It was started, stopped, changed or discarded.
    Done(Box<Stepped>),
    /// It runs. Nothing was to be done.
    Runs(Timer),
    /// It runs on, and the person is asked about it later.
    Kept(Timer),
    /// No timer runs. Nothing was to be done.
    NoTimer,
    /// It cannot become an entry as it stands. Nothing was done.
    Asks(Timer, StopProblem),
    /// None was started, because the one that runs cannot become an entry as it stands.
    InTheWay(Timer, StopProblem),
    /// Another timer runs than was seen, or none. Nothing was done.
    Other(Option<Timer>),
}

/// One step of a timer that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stepped {
    /// What was done.
    pub changed: Changed,
    /// What is to be said about the choice of its project.
    pub project: ProjectNote,
    /// The first entries that share time with the one that was logged.
    pub overlaps: Vec<TimeEntry>,
}

impl App {
    /// The person's running timer.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn timer(&self, member: &Member) -> Result<Option<Timer>, Failed> {
        self.store
            .timer(member.user_id)
            .await
            .map_err(|error| self.failed("reading the timer", error))
    }

    /// Starts a timer as it was typed. One that runs is stopped first, and logged.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn start_timer(
        &self,
        request: Request<'_>,
        line: &StartLine,
    ) -> Result<TimerOutcome, Failed> {
        let Request {
            member, channel, ..
        } = request;
        let chosen = self.timer_project(request, line).await?;
        let was_named = line.project.is_some() || line.client.is_some();
        let named = chosen.project.clone().filter(|_| was_named);
        let timer = Timer {
            description: line.description.clone(),
            billable: line.billable.unwrap_or(chosen.is_billable),
            project: chosen.project,
            tags: line.tags.clone(),
            ..self.new_timer(member)
        };
        let outcome = self.start(request, timer, chosen.note).await?;
        if let (TimerOutcome::Done(_), Some(project)) = (&outcome, named) {
            self.note_last_project(member, channel, &project).await;
        }
        Ok(outcome)
    }

    /// Starts a timer with what was entered in the form.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn start_timer_form(
        &self,
        request: Request<'_>,
        description: &str,
        project: Option<Uuid>,
    ) -> Result<FormOutcome<TimerOutcome>, Failed> {
        let chosen = self.open_project(request.member, project).await?;
        let (description, (project, is_billable)) = match timer_fields(description, chosen) {
            Ok(fields) => fields,
            Err(problems) => return Ok(FormOutcome::Problems(problems)),
        };
        let timer = Timer {
            description,
            billable: is_billable,
            project: project.clone(),
            ..self.new_timer(request.member)
        };
        let outcome = self.start(request, timer, ProjectNote::Nothing).await?;
        if let (TimerOutcome::Done(_), Some(project)) = (&outcome, project) {
            self.note_last_project(request.member, request.channel, &project)
                .await;
        }
        Ok(FormOutcome::Done(outcome))
    }

    fn new_timer(&self, member: &Member) -> Timer {
        let now = self.clock.now();
        Timer {
            id: self.clock.new_id(),
            description: String::new(),
            project: None,
            billable: false,
            tags: Vec::new(),
            started_at: now,
            version: 1,
            ask_at: Some(member.workday().ask_at(now)),
        }
    }

    async fn start(
        &self,
        request: Request<'_>,
        timer: Timer,
        project: ProjectNote,
    ) -> Result<TimerOutcome, Failed> {
        let Request { member, key, .. } = request;
        let mut runs = self.timer(member).await?;
        for _ in 0..TRIES {
            let log = match &runs {
                None => None,
                Some(runs) => match runs.stopped_at(timer.started_at, member.zone()) {
                    Stopped::TooShort => None,
                    Stopped::Entry(fields) => Some(fields),
                    Stopped::Asks(problem) => {
                        return Ok(TimerOutcome::InTheWay(runs.clone(), problem));
                    }
                },
            };
            let step = TimerStep {
                key,
                kind: ChangeKind::TimerStart,
                from: runs,
                to: Some(timer.clone()),
                log,
                then: Self::home_refresh(member),
            };
            match self.step(member, &step).await? {
                TimerChange::Done(changed) => return Ok(self.stepped(*changed, project).await),
                TimerChange::Stale(now) => runs = now,
            }
        }
        Ok(TimerOutcome::Other(runs))
    }

    /// Stops the timer that runs, whichever it is, and logs it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn stop_running(&self, request: Request<'_>) -> Result<TimerOutcome, Failed> {
        self.end_running(request, ChangeKind::TimerStop).await
    }

    /// Discards the timer that runs, whichever it is.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn cancel_running(&self, request: Request<'_>) -> Result<TimerOutcome, Failed> {
        self.end_running(request, ChangeKind::TimerCancel).await
    }

    async fn end_running(
        &self,
        request: Request<'_>,
        kind: ChangeKind,
    ) -> Result<TimerOutcome, Failed> {
        let Request { member, key, .. } = request;
        let mut runs = self.timer(member).await?;
        for _ in 0..TRIES {
            let Some(timer) = runs else {
                // The same command once more finds what it did the first time.
                let answer = self
                    .store
                    .timer_answer(member.user_id, key)
                    .await
                    .map_err(|error| self.failed("reading the timer", error))?;
                return Ok(match answer {
                    Some(changed) => self.stepped(changed, ProjectNote::Nothing).await,
                    None => TimerOutcome::NoTimer,
                });
            };
            let log = match log_of(member, &timer, kind, self.clock.now()) {
                Ok(log) => log,
                Err(problem) => return Ok(TimerOutcome::Asks(timer, problem)),
            };
            let step = TimerStep {
                key,
                kind,
                from: Some(timer),
                to: None,
                log,
                then: Self::home_refresh(member),
            };
            match self.step(member, &step).await? {
                TimerChange::Done(changed) => {
                    return Ok(self.stepped(*changed, ProjectNote::Nothing).await);
                }
                TimerChange::Stale(now) => runs = now,
            }
        }
        Ok(TimerOutcome::Other(runs))
    }

    /// Stops this timer and logs it, until now or until the first time its clock showed `at`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn stop_timer(
        &self,
        member: &Member,
        key: Uuid,
        timer: TimerVersion,
        at: Option<NaiveTime>,
        home: HomeTab,
    ) -> Result<TimerOutcome, Failed> {
        self.end_timer(member, key, timer, ChangeKind::TimerStop, at, home)
            .await
    }

    /// Discards this timer.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn discard_timer(
        &self,
        member: &Member,
        key: Uuid,
        timer: TimerVersion,
        home: HomeTab,
    ) -> Result<TimerOutcome, Failed> {
        self.end_timer(member, key, timer, ChangeKind::TimerCancel, None, home)
            .await
    }

    async fn end_timer(
        &self,
        member: &Member,
        key: Uuid,
        timer: TimerVersion,
        kind: ChangeKind,
        at: Option<NaiveTime>,
        home: HomeTab,
    ) -> Result<TimerOutcome, Failed> {
        let runs = match self.timer(member).await? {
            Some(runs) if timer.is(&runs) => runs,
            other => return self.ended_already(member, kind, timer, other).await,
        };
        let now = self.clock.now();
        let end = at.and_then(|at| runs.next_at(at, member.zone()));
        let log = match log_of(member, &runs, kind, end.unwrap_or(now).min(now)) {
            Ok(log) => log,
            Err(problem) => return Ok(TimerOutcome::Asks(runs, problem)),
        };
        let step = TimerStep {
            key,
            kind,
            from: Some(runs),
            to: None,
            log,
            then: home.refresh(member),
        };
        match self.step(member, &step).await? {
            TimerChange::Done(changed) => Ok(self.stepped(*changed, ProjectNote::Nothing).await),
            TimerChange::Stale(other) => self.ended_already(member, kind, timer, other).await,
        }
    }

    /// The timer is not as the button showed it: perhaps because the same button was pressed before.
    async fn ended_already(
        &self,
        member: &Member,
        kind: ChangeKind,
        timer: TimerVersion,
        runs: Option<Timer>,
    ) -> Result<TimerOutcome, Failed> {
        let done = self
            .store
            .timer_step_done(member.user_id, kind, timer.id, timer.version)
            .await
            .map_err(|error| self.failed("reading the timer", error))?;
        Ok(match done {
            Some(changed) => self.stepped(changed, ProjectNote::Nothing).await,
            None => TimerOutcome::Other(runs),
        })
    }

    /// Stops this timer and logs what was entered in the form.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn stop_timer_form(
        &self,
        member: &Member,
        key: Uuid,
        timer: TimerVersion,
        form: &EntryForm,
        home: HomeTab,
    ) -> Result<FormOutcome<TimerOutcome>, Failed> {
        let runs = match self.timer(member).await? {
            Some(runs) if timer.is(&runs) => runs,
            other => {
                let kind = ChangeKind::TimerStop;
                let outcome = self.ended_already(member, kind, timer, other).await?;
                return Ok(FormOutcome::Done(outcome));
            }
        };
        let (fields, _) = match self.read_form(member, form).await? {
            Ok(read) => read,
            Err(problems) => return Ok(FormOutcome::Problems(problems)),
        };
        let log = EntryFields {
            tags: runs.tags.clone(),
            ..fields
        };
        let step = TimerStep {
            key,
            kind: ChangeKind::TimerStop,
            from: Some(runs),
            to: None,
            log: Some(log),
            then: home.refresh(member),
        };
        Ok(FormOutcome::Done(match self.step(member, &step).await? {
            TimerChange::Done(changed) => self.stepped(*changed, ProjectNote::Nothing).await,
            TimerChange::Stale(other) => TimerOutcome::Other(other),
        }))
    }

    /// Changes what this timer is for to what was entered in the form. It runs on.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn edit_timer(
        &self,
        member: &Member,
        key: Uuid,
        timer: TimerVersion,
        description: &str,
        project: Option<Uuid>,
    ) -> Result<FormOutcome<TimerOutcome>, Failed> {
        let runs = match self.timer(member).await? {
            Some(runs) if timer.is(&runs) => runs,
            other => return Ok(FormOutcome::Done(TimerOutcome::Other(other))),
        };
        // Its project may have been archived meanwhile, and whether it is billable may have been said.
        let chosen = if runs.project.as_ref().map(|project| project.id) == project {
            Ok((runs.project.clone(), runs.billable))
        } else {
            self.open_project(member, project).await?
        };
        let (description, (project, billable)) = match timer_fields(description, chosen) {
            Ok(fields) => fields,
            Err(problems) => return Ok(FormOutcome::Problems(problems)),
        };
        let to = Timer {
            description,
            project,
            billable,
            version: runs.version + 1,
            ..runs.clone()
        };
        let step = TimerStep {
            key,
            kind: ChangeKind::TimerEdit,
            from: Some(runs),
            to: Some(to),
            log: None,
            then: Self::home_refresh(member),
        };
        Ok(FormOutcome::Done(match self.step(member, &step).await? {
            TimerChange::Done(changed) => self.stepped(*changed, ProjectNote::Nothing).await,
            TimerChange::Stale(other) => TimerOutcome::Other(other),
        }))
    }

    /// Lets a timer run on that was stopped or discarded.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn restore_timer(
        &self,
        member: &Member,
        timer: TimerVersion,
        home: HomeTab,
    ) -> Result<EntryChange, Failed> {
        let then = home.refresh(member);
        self.store
            .restore_timer(member.user_id, timer.id, timer.version, then.as_ref())
            .await
            .map_err(|error| self.failed("letting a timer run on", error))
    }

    /// What runs.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn timer_status(&self, member: &Member) -> Result<TimerOutcome, Failed> {
        let runs = self.timer(member).await?;
        Ok(runs.map_or(TimerOutcome::NoTimer, TimerOutcome::Runs))
    }

    /// The timer is right: it is asked about again only after it has run for long once more.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn keep_timer(
        &self,
        member: &Member,
        timer: TimerVersion,
    ) -> Result<TimerOutcome, Failed> {
        for _ in 0..TRIES {
            let runs = match self.timer(member).await? {
                Some(runs) if runs.id == timer.id => runs,
                other => return Ok(TimerOutcome::Other(other)),
            };
            let again_at = Some(self.clock.now() + LONG);
            let is_set = self.set_ask(member, &runs, runs.ask_at, again_at).await?;
            if is_set {
                return Ok(TimerOutcome::Kept(Timer {
                    ask_at: again_at,
                    ..runs
                }));
            }
        }
        Ok(TimerOutcome::Other(self.timer(member).await?))
    }

    pub(super) async fn set_ask(
        &self,
        member: &Member,
        timer: &Timer,
        at: Option<DateTime<Utc>>,
        then_at: Option<DateTime<Utc>>,
    ) -> Result<bool, Failed> {
        self.store
            .set_timer_ask(member.user_id, timer.id, at, then_at)
            .await
            .map_err(|error| self.failed("noting when to ask about a timer", error))
    }

    async fn step(&self, member: &Member, step: &TimerStep) -> Result<TimerChange, Failed> {
        self.store
            .step_timer(member.user_id, step)
            .await
            .map_err(|error| self.failed("changing the timer", error))
    }

    async fn stepped(&self, changed: Changed, project: ProjectNote) -> TimerOutcome {
        let overlaps = self.overlaps_after(&changed).await;
        TimerOutcome::Done(Box::new(Stepped {
            changed,
            project,
            overlaps,
        }))
    }

    /// The project a timer would get that is started here with these marks.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn timer_project(
        &self,
        request: Request<'_>,
        line: &StartLine,
    ) -> Result<Chosen, Failed> {
        let (project, client) = (line.project.as_deref(), line.client.as_deref());
        self.choose_project(request.member, request.channel, project, client)
            .await
    }
}

/// What is logged when a timer ends in this way.
fn log_of(
    member: &Member,
    timer: &Timer,
    kind: ChangeKind,
    end: DateTime<Utc>,
) -> Result<Option<EntryFields>, StopProblem> {
    if kind == ChangeKind::TimerCancel {
        return Ok(None);
    }
    match timer.stopped_at(end, member.zone()) {
        Stopped::TooShort => Ok(None),
        Stopped::Entry(fields) => Ok(Some(fields)),
        Stopped::Asks(problem) => Err(problem),
    }
}

/// What was entered in the form of a timer, or what is wrong with it.
fn timer_fields<T>(
    description: &str,
    project: Result<T, FormProblem>,
) -> Result<(String, T), Vec<FormProblem>> {
    let description = description.trim();
    let characters = description.chars().count();
    let mut problems = Vec::new();
    if characters == 0 {
        problems.push(FormProblem::NoDescription);
    } else if characters > LONGEST_DESCRIPTION {
        problems.push(FormProblem::DescriptionTooLong(characters));
    }
    match project {
        Ok(project) if problems.is_empty() => Ok((description.to_owned(), project)),
        Ok(_) => Err(problems),
        Err(problem) => {
            problems.push(problem);
            Err(problems)
        }
    }
}
