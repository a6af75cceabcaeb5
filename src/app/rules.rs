//! Where a meeting would go, and series that always go there.

use std::collections::HashMap;

use uuid::Uuid;

use super::{App, FormProblem, HomeTab};
use crate::{
    domain::{
        calendar_event::SyncedEvent,
        member::Member,
        project::ProjectRef,
        rule::{Rule, RuleState, SeriesChoice},
    },
    error::Failed,
};

/// How a meeting would be logged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guess {
    /// Where it would go.
    pub project: Option<ProjectRef>,
    /// Whether it could be billed.
    pub is_billable: bool,
    /// The person logged the series so last time.
    pub is_as_last_time: bool,
}

/// What meetings are guessed from.
pub(super) struct Guesses {
    by_series: HashMap<String, Guess>,
    otherwise: Guess,
}

impl Guesses {
    pub(super) fn of(&self, event: &SyncedEvent) -> Guess {
        let known = event
            .series_id
            .as_ref()
            .and_then(|series| self.by_series.get(series));
        known.unwrap_or(&self.otherwise).clone()
    }
}

impl App {
    /// What the person's meetings are guessed from: the last choice for the series, else the rule for it, else the
    /// project that is meant where none is named.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn guesses(&self, member: &Member) -> Result<Guesses, Failed> {
        let failed = |error| self.failed("guessing projects", error);
        let choices = self.store.series_choices(member.user_id).await;
        let rules = self.store.active_rules(member.user_id).await;
        let mut by_series = HashMap::new();
        for choice in choices.map_err(failed)? {
            let SeriesChoice {
                series_id,
                project,
                is_billable,
            } = choice;
            by_series.entry(series_id).or_insert(Guess {
                project,
                is_billable,
                is_as_last_time: true,
            });
        }
        for rule in rules.map_err(failed)? {
            by_series.entry(rule.series_id).or_insert(Guess {
                project: rule.project,
                is_billable: rule.is_billable,
                is_as_last_time: false,
            });
        }
        let chosen = self.default_project(member, "").await?;
        Ok(Guesses {
            by_series,
            otherwise: Guess {
                project: chosen.project,
                is_billable: chosen.is_billable,
                is_as_last_time: false,
            },
        })
    }

    /// How one meeting would be logged.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn guess(&self, member: &Member, event: &SyncedEvent) -> Result<Guess, Failed> {
        Ok(self.guesses(member).await?.of(event))
    }

    /// How each of these meetings would be logged, in their order.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn guess_each(
        &self,
        member: &Member,
        events: &[SyncedEvent],
    ) -> Result<Vec<Guess>, Failed> {
        let guesses = self.guesses(member).await?;
        Ok(events.iter().map(|event| guesses.of(event)).collect())
    }

    /// Offers to log the series of a meeting always, if its last two meetings were logged in the same way.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn offer_rule(
        &self,
        member: &Member,
        event_id: Uuid,
    ) -> Result<Option<Rule>, Failed> {
        self.store
            .offer_rule(member.user_id, event_id)
            .await
            .map_err(|error| self.failed("looking whether a series is always logged", error))
    }

    /// The person's rules that are followed.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn rules(&self, member: &Member) -> Result<Vec<Rule>, Failed> {
        self.store
            .active_rules(member.user_id)
            .await
            .map_err(|error| self.failed("reading rules", error))
    }

    /// One of the person's rules, however it stands.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn rule(&self, member: &Member, rule_id: Uuid) -> Result<Option<Rule>, Failed> {
        self.store
            .rule(member.user_id, rule_id)
            .await
            .map_err(|error| self.failed("reading a rule", error))
    }

    /// The person decides about a rule: it is followed, declined or removed. `None` if they have no such rule.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn decide_rule(
        &self,
        member: &Member,
        rule_id: Uuid,
        state: RuleState,
        home: HomeTab,
    ) -> Result<Option<Rule>, Failed> {
        let Some(rule) = self.rule(member, rule_id).await? else {
            return Ok(None);
        };
        self.set_rule(member, Rule { state, ..rule }, home).await
    }

    /// Lets a rule lead to another project.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn change_rule(
        &self,
        member: &Member,
        rule_id: Uuid,
        project: Option<Uuid>,
    ) -> Result<Result<Option<Rule>, FormProblem>, Failed> {
        let Some(rule) = self.rule(member, rule_id).await? else {
            return Ok(Ok(None));
        };
        let (project, is_billable) = match self.open_project(member, project).await? {
            Ok(found) => found,
            Err(problem) => return Ok(Err(problem)),
        };
        let rule = Rule {
            project,
            is_billable,
            ..rule
        };
        self.set_rule(member, rule, HomeTab::DrawnByCaller)
            .await
            .map(Ok)
    }

    async fn set_rule(
        &self,
        member: &Member,
        rule: Rule,
        home: HomeTab,
    ) -> Result<Option<Rule>, Failed> {
        let then = home.refresh(member);
        self.store
            .set_rule(member.user_id, &rule, then.as_ref())
            .await
            .map_err(|error| self.failed("changing a rule", error))
    }
}
