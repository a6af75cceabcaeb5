//! `/time week`, `/time report …`: what a person logged in a day, a week or a month.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{App, ProjectNote};
use crate::{
    domain::{
        gaps::{Gap, gaps},
        member::Member,
        minutes::Minutes,
        period::{NoPeriod, Period, PeriodKind},
        project::{Meant, Project, ProjectRef, meant, project_slug_of},
        rounding::Rounding,
        summary::{Summary, is_working_day},
        time_command::{Grouping, ReportRequest},
        time_entry::TimeEntry,
    },
    error::Failed,
    store::ShareClaim,
};

/// How many entries of one day are read. What a day holds beyond that is counted and not listed.
const ENTRIES_OF_A_DAY: u32 = 500;

/// Which report: short enough for the value of a button, and read again from it.
///
/// ```
/// use billops::{app::ReportOf, domain::{period::Period, time_command::Grouping}};
///
/// let friday = chrono::NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
/// let month = ReportOf { group: Some(Grouping::Day), ..ReportOf::of(Period::month(friday)) };
/// assert_eq!(month.to_string(), "month:2026-11:day");
/// assert_eq!("month:2026-11:day".parse(), Ok(month));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportOf {
    /// From when to when.
    pub period: Period,
    /// How it is broken down, if somebody said so.
    pub group: Option<Grouping>,
    /// The one project it is about.
    pub project: Option<Uuid>,
}

impl ReportOf {
    /// Everything of a period, broken down as is usual.
    pub const fn of(period: Period) -> Self {
        Self {
            period,
            group: None,
            project: None,
        }
    }
}

/// Writes `week:2026-W47`, `month:2026-11:day`, `day:2026-11-20 p:ID`.
impl fmt::Display for ReportOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.period)?;
        if let Some(group) = self.group {
            write!(f, ":{}", group.name())?;
        }
        if let Some(project) = self.project {
            write!(f, " p:{project}")?;
        }
        Ok(())
    }
}

/// Reads what `Display` writes.
impl FromStr for ReportOf {
    type Err = NoPeriod;

    fn from_str(text: &str) -> Result<Self, NoPeriod> {
        let (what, project) = match text.split_once(" p:") {
            Some((what, id)) => (what, Some(Uuid::parse_str(id).map_err(|_| NoPeriod)?)),
            None => (text, None),
        };
        let named = [Grouping::Project, Grouping::Day, Grouping::Client];
        let grouped = what.rsplit_once(':').and_then(|(period, name)| {
            let group = named.into_iter().find(|group| group.name() == name)?;
            Some((period, group))
        });
        let (period, group) = match grouped {
            Some((period, group)) => (period, Some(group)),
            None => (what, None),
        };
        Ok(Self {
            period: period.parse()?,
            group,
            project,
        })
    }
}

/// What a person logged in a period. Never what they took back, and never anybody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which one it is.
    pub of: ReportOf,
    /// The person's day at the moment it was made.
    pub today: NaiveDate,
    /// The one project it is about.
    pub project: Option<ProjectRef>,
    /// What is to be said about the choice of that project.
    pub note: ProjectNote,
    /// The period in sum.
    pub summary: Summary,
    /// What was to be logged up to today: the target of each working day; 0 in a report of one project.
    pub target: Minutes,
    /// How the sums are rounded, and the exact total; `None` where they are exact.
    pub rounded: Option<(Rounding, Minutes)>,
    /// How many working days up to today are complete, and of how many.
    pub complete: (usize, usize),
    /// Of one day: its entries, those with times first and in their order; at most 500.
    pub entries: Vec<TimeEntry>,
    /// Of one day: where nothing is logged.
    pub gaps: Vec<Gap>,
}

impl Report {
    /// Whether working days of the period are still to come.
    pub fn is_running(&self) -> bool {
        let days = self.summary.days.iter();
        days.rev()
            .take_while(|(day, _)| *day > self.today)
            .any(|(day, _)| is_working_day(*day))
    }
}

/// What became of asking for a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportOutcome {
    /// Here it is.
    Report(Box<Report>),
    /// It is not clear of which project; the report of all of them, and what is to be said.
    WhichProject(ReportOf, ProjectNote),
    /// There is no such project in this workspace.
    Unknown,
}

/// Whether a report may be posted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Yes, by whoever was told so, and by nobody else.
    Begun,
    /// It is being posted, or was: there is nothing to do.
    Settled,
    /// Whoever was to post it was never heard of again: it may stand in the channel or not.
    Unclear,
}

impl App {
    /// The report that was typed.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn asked_report(
        &self,
        member: &Member,
        asked: ReportRequest,
    ) -> Result<ReportOutcome, Failed> {
        let of = ReportOf {
            group: asked.group,
            ..ReportOf::of(asked.period)
        };
        let Some(typed) = asked.project else {
            return self.report(member, of).await;
        };
        let projects = self.projects(member).await?;
        let (project, note) = match meant(&projects, &typed, None) {
            // What was logged stays logged when a project is archived.
            Meant::Exactly(project) | Meant::Archived(project) => (project, ProjectNote::Nothing),
            Meant::Probably(project) => (project, ProjectNote::From(typed)),
            Meant::OneOf(several) => {
                let several = several.into_iter().map(Project::to_ref).collect();
                let note = ProjectNote::OneOf(format!("#{typed}"), several);
                return Ok(ReportOutcome::WhichProject(of, note));
            }
            Meant::Unknown(nearest) => {
                let note = ProjectNote::Unknown {
                    nearest: nearest.map(Project::to_ref),
                    may_create: project_slug_of(&typed)
                        .ok()
                        .filter(|_| member.may_create_projects),
                    typed,
                };
                return Ok(ReportOutcome::WhichProject(of, note));
            }
        };
        let project = project.to_ref();
        let report = self.summed(member, of, Some(project), note).await?;
        Ok(ReportOutcome::Report(Box::new(report)))
    }

    /// One report. A period that has not begun for the person is answered with the one they are in: a
    /// button may have been drawn before they travelled west.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn report(&self, member: &Member, of: ReportOf) -> Result<ReportOutcome, Failed> {
        let project = match of.project {
            None => None,
            Some(id) => match self.project(member, id).await? {
                Some(project) => Some(project.to_ref()),
                None => return Ok(ReportOutcome::Unknown),
            },
        };
        let report = self
            .summed(member, of, project, ProjectNote::Nothing)
            .await?;
        Ok(ReportOutcome::Report(Box::new(report)))
    }

    async fn summed(
        &self,
        member: &Member,
        of: ReportOf,
        project: Option<ProjectRef>,
        note: ProjectNote,
    ) -> Result<Report, Failed> {
        let now = self.clock.now();
        let today = now.with_timezone(&member.zone()).date_naive();
        let project_id = project.as_ref().map(|project| project.id);
        let of = ReportOf {
            period: if of.period.from > today {
                Period::around(of.period.kind, today)
            } else {
                of.period
            },
            project: project_id,
            ..of
        };
        let Period { kind, from, to } = of.period;
        let totals = self
            .store
            .totals(member.user_id, from, to, project_id)
            .await
            .map_err(|error| self.failed("summing up a report", error))?;
        let exact = Summary::of(&totals, from, to);
        let entries = match kind {
            PeriodKind::Day => self.entries_of_day(member, from, project_id).await?,
            PeriodKind::Week | PeriodKind::Month => Vec::new(),
        };
        // A day is as complete as it was logged.
        let complete = exact.complete_days(member.preferences.target_per_day, today);
        let per_day = match project {
            None => member.preferences.target_per_day.get(),
            Some(_) => 0,
        };
        let working_days = u32::try_from(complete.1).unwrap_or(0);
        // Of a day with more entries than are read it is not known where its gaps are.
        let is_whole = entries.len() == exact.entries && project.is_none();
        let (rounded, summary) = match member.workspace.rounding {
            Rounding::None => (None, exact),
            rounding => {
                let totals = self
                    .store
                    .rounded_totals(member.user_id, from, to, project_id, rounding)
                    .await
                    .map_err(|error| self.failed("summing up a report", error))?;
                (
                    Some((rounding, exact.total)),
                    Summary::of(&totals, from, to),
                )
            }
        };
        Ok(Report {
            gaps: match kind {
                PeriodKind::Day if is_whole => gaps(&member.workday(), from, &entries, now),
                _ => Vec::new(),
            },
            of,
            today,
            project,
            note,
            target: Minutes::new(per_day.saturating_mul(working_days)),
            complete,
            rounded,
            summary,
            entries,
        })
    }

    async fn entries_of_day(
        &self,
        member: &Member,
        day: NaiveDate,
        project_id: Option<Uuid>,
    ) -> Result<Vec<TimeEntry>, Failed> {
        let mut entries = self
            .store
            .entries_between(member.user_id, day, day, project_id, ENTRIES_OF_A_DAY)
            .await
            .map_err(|error| self.failed("reading a day", error))?;
        let start = |entry: &TimeEntry| entry.started_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        entries.sort_by_key(|entry| (start(entry), entry.id));
        Ok(entries)
    }

    /// Takes the posting of a report for this request: of all who ask with one key, one may post.
    ///
    /// # Errors
    /// The database does not answer; nothing may be posted then.
    pub async fn begin_share(&self, member: &Member, key: Uuid) -> Result<Share, Failed> {
        let claim = self
            .store
            .claim_share(member.user_id, key)
            .await
            .map_err(|error| self.failed("sharing a report", error))?;
        Ok(match claim {
            ShareClaim::Taken => Share::Begun,
            ShareClaim::Posted | ShareClaim::UnderWay => Share::Settled,
            ShareClaim::Lost => Share::Unclear,
        })
    }

    /// Notes what came of posting a report: it was posted, or it certainly was not and may be tried again.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn end_share(
        &self,
        member: &Member,
        key: Uuid,
        is_posted: bool,
    ) -> Result<(), Failed> {
        self.store
            .settle_share(member.user_id, key, is_posted)
            .await
            .map_err(|error| self.failed("noting that a report was shared", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_button_carries_is_read_or_refused() {
        let id = "01a1f8ef-74c8-70fd-9243-62117d03662f";
        for period in ["day:2026-11-20", "week:2026-W47", "month:2026-11"] {
            for group in ["", ":project", ":day", ":client"] {
                for project in [String::new(), format!(" p:{id}")] {
                    let value = format!("{period}{group}{project}");
                    let read: ReportOf = value.parse().unwrap();
                    assert_eq!(read.to_string(), value);
                }
            }
        }
        for bad in [
            "",
            "day",
            "week:2026-W54",
            "week:2026-W47:person",
            "week:2026-W47:day:day",
            "week:2026-W47 p:",
            "week:2026-W47 p:none",
            "month:2026-11 day",
        ] {
            assert!(bad.parse::<ReportOf>().is_err(), "{bad}");
        }
    }
}
