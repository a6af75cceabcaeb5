//! What people decide about BillOps: what may be chosen, and what follows from a choice.

use super::App;
use crate::{
    domain::{
        calendar::{Account, AccountState},
        member::Member,
        minutes::Minutes,
        preferences::Preferences,
    },
    error::Failed,
    jobs::Job,
    store::NewJob,
};

/// The longest working day.
const LONGEST_DAY: Minutes = Minutes::from_hours(24);

/// Why preferences cannot be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreferenceProblem {
    /// The summary is to come, on no day.
    NoDays,
    /// A working day longer than a day.
    DayTooLong,
    /// The workspace has no such project.
    NoProject,
    /// The project takes no more entries; as one types it.
    Archived(String),
}

impl PreferenceProblem {
    /// The preference that has to be another.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::NoDays => "summary_days",
            Self::DayTooLong => "target_minutes_per_day",
            Self::NoProject | Self::Archived(_) => "default_project_id",
        }
    }

    /// What to do, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::NoDays => "Choose at least one day, or switch the summary off above.".to_owned(),
            Self::DayTooLong => "A day has 24 h at most.".to_owned(),
            Self::NoProject => "This project is no longer here. Choose another one.".to_owned(),
            Self::Archived(slug) => format!("#{slug} is archived. Choose another project."),
        }
    }
}

impl App {
    /// Everything that keeps these from being the person's preferences. A default project that stays as it was
    /// is left alone, whatever became of it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn check_preferences(
        &self,
        member: &Member,
        preferences: &Preferences,
    ) -> Result<Vec<PreferenceProblem>, Failed> {
        let mut problems = Vec::new();
        if preferences.daily_summary && preferences.summary_days.is_empty() {
            problems.push(PreferenceProblem::NoDays);
        }
        if preferences.target_per_day > LONGEST_DAY {
            problems.push(PreferenceProblem::DayTooLong);
        }
        let before = member.preferences.default_project_id;
        if let Some(id) = preferences.default_project_id
            && before != Some(id)
        {
            match self.project(member, id).await? {
                None => problems.push(PreferenceProblem::NoProject),
                Some(project) if !project.is_open() => {
                    problems.push(PreferenceProblem::Archived(project.slug));
                }
                Some(_) => {}
            }
        }
        Ok(problems)
    }

    /// Saves the person's preferences, unless something keeps them from being that. The Home tab follows; where
    /// other meetings are wished for, the person's calendars are read anew.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn save_preferences(
        &self,
        member: &Member,
        preferences: &Preferences,
    ) -> Result<Vec<PreferenceProblem>, Failed> {
        let problems = self.check_preferences(member, preferences).await?;
        if !problems.is_empty() {
            return Ok(problems);
        }
        let mut then: Vec<NewJob> = Self::home_refresh(member).into_iter().collect();
        if preferences.wishes != member.preferences.wishes {
            let accounts = self.accounts(member).await?;
            let active = accounts
                .iter()
                .filter(|account| account.state == AccountState::Active);
            then.extend(active.flat_map(Account::read).map(|calendar| {
                let calendar = calendar.id;
                Job::SyncCalendar { calendar }.to_row()
            }));
        }
        self.store
            .save_preferences(member.binding_id, preferences, &then)
            .await
            .map_err(|error| self.failed("saving preferences", error))?;
        self.forget(member);
        Ok(Vec::new())
    }
}
