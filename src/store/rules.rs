//! Series that are always logged to one project, and how their meetings were logged so far.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{NewJob, Store, StoreError, changes::take_person, jobs::add_job, read, tx};
use crate::domain::{
    project::ProjectRef,
    rule::{Rule, RuleState, SeriesChoice},
};

/// So many equal choices make an offer.
const EQUAL: usize = 2;

#[derive(sqlx::FromRow)]
struct RuleRow {
    id: Uuid,
    series_id: String,
    title: String,
    project_id: Option<Uuid>,
    project_slug: Option<String>,
    billable: bool,
    state: String,
    updated_at: DateTime<Utc>,
}

impl TryFrom<RuleRow> for Rule {
    type Error = StoreError;

    fn try_from(row: RuleRow) -> Result<Self, StoreError> {
        Ok(Self {
            state: RuleState::from_name(&row.state).ok_or_else(|| {
                StoreError::unreadable("rules", "state", row.id, format!("“{}”", row.state))
            })?,
            project: project(row.project_id, row.project_slug),
            id: row.id,
            series_id: row.series_id,
            title: row.title,
            is_billable: row.billable,
            since: row.updated_at,
        })
    }
}

fn project(id: Option<Uuid>, slug: Option<String>) -> Option<ProjectRef> {
    id.zip(slug).map(|(id, slug)| ProjectRef { id, slug })
}

/// The one way to read rules; the condition is added where it is used.
macro_rules! rule_sql {
    ($condition:literal) => {
        concat!(
            "SELECT r.id, r.series_id, r.title, r.project_id, p.slug AS project_slug, r.billable, r.state, \
             r.updated_at FROM rules r LEFT JOIN projects p ON p.id = r.project_id WHERE r.user_id = $1 AND ",
            $condition
        )
    };
}

impl Store {
    /// How the meetings of each of the person's series were logged, the latest meeting first. Choices of projects
    /// that are archived are left out.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn series_choices(&self, user_id: Uuid) -> Result<Vec<SeriesChoice>, StoreError> {
        type Row = (String, Option<Uuid>, Option<String>, bool);
        let rows: Vec<Row> = read!(self, db => {
            sqlx::query_as(
                "SELECT e.series_id, p.id, p.slug, t.billable FROM synced_calendar_events e \
                 JOIN time_entries t ON t.id = e.time_entry_id LEFT JOIN projects p ON p.id = t.project_id \
                 WHERE e.user_id = $1 AND e.is_synced AND e.series_id IS NOT NULL AND t.deleted_at IS NULL \
                 AND p.archived_at IS NULL ORDER BY e.event_start DESC LIMIT 500",
            )
            .bind(user_id)
            .fetch_all(db)
            .await
        })?;
        let choice = |(series_id, id, slug, is_billable)| SeriesChoice {
            series_id,
            project: project(id, slug),
            is_billable,
        };
        Ok(rows.into_iter().map(choice).collect())
    }

    /// The person's rules that are followed, in the order they were made.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn active_rules(&self, user_id: Uuid) -> Result<Vec<Rule>, StoreError> {
        let rows: Vec<RuleRow> = read!(self, db => {
            sqlx::query_as(rule_sql!("r.state = 'active' ORDER BY r.id LIMIT 500"))
                .bind(user_id)
                .fetch_all(db)
                .await
        })?;
        rows.into_iter().map(Rule::try_from).collect()
    }

    /// Offers to log the series of an event always as its last two meetings were, if those were logged in the same
    /// way and to a project, and the person has not decided about the series yet.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn offer_rule(
        &self,
        user_id: Uuid,
        event_id: Uuid,
    ) -> Result<Option<Rule>, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let series: Option<(Option<String>, String)> = sqlx::query_as(
                "SELECT series_id, event_title FROM synced_calendar_events WHERE user_id = $1 AND id = $2",
            )
            .bind(user_id)
            .bind(event_id)
            .fetch_optional(&mut *conn)
            .await?;
            let Some((Some(series_id), title)) = series else {
                return Ok(None);
            };
            let last: Vec<(Option<Uuid>, bool)> = sqlx::query_as(
                "SELECT t.project_id, t.billable FROM synced_calendar_events e \
                 JOIN time_entries t ON t.id = e.time_entry_id WHERE e.user_id = $1 AND e.series_id = $2 \
                 AND e.is_synced AND t.deleted_at IS NULL ORDER BY t.updated_at DESC, t.id DESC LIMIT 2",
            )
            .bind(user_id)
            .bind(&series_id)
            .fetch_all(&mut *conn)
            .await?;
            let (Some(first), EQUAL) = (last.first(), last.len()) else {
                return Ok(None);
            };
            let (Some(project_id), billable) = *first else {
                return Ok(None);
            };
            if last.iter().any(|choice| choice != first) {
                return Ok(None);
            }
            sqlx::query(
                "INSERT INTO rules (id, user_id, series_id, title, project_id, billable, state, created_at, \
                 updated_at) VALUES ($1, $2, $3, $4, $5, $6, 'offered', $7, $7) \
                 ON CONFLICT (user_id, series_id) DO UPDATE SET title = excluded.title, \
                 project_id = excluded.project_id, billable = excluded.billable, updated_at = excluded.updated_at \
                 WHERE rules.state = 'offered'",
            )
            .bind(self.clock.new_id())
            .bind(user_id)
            .bind(&series_id)
            .bind(&title)
            .bind(project_id)
            .bind(billable)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            let row: Option<RuleRow> = sqlx::query_as(rule_sql!("r.series_id = $2 AND r.state = 'offered'"))
                .bind(user_id)
                .bind(&series_id)
                .fetch_optional(&mut *conn)
                .await?;
            row.map(Rule::try_from).transpose()
        })
    }

    /// Makes it the rule how the series of an event is logged. `None` if the person has no such event, or it belongs
    /// to no series.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn make_rule(
        &self,
        user_id: Uuid,
        event_id: Uuid,
        project_id: Option<Uuid>,
        is_billable: bool,
    ) -> Result<Option<Rule>, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let made: Option<(String,)> = sqlx::query_as(
                "INSERT INTO rules (id, user_id, series_id, title, project_id, billable, state, created_at, \
                 updated_at) SELECT $1, user_id, series_id, event_title, $4, $5, 'active', $6, $6 \
                 FROM synced_calendar_events WHERE user_id = $2 AND id = $3 AND series_id IS NOT NULL \
                 ON CONFLICT (user_id, series_id) DO UPDATE SET title = excluded.title, \
                 project_id = excluded.project_id, billable = excluded.billable, state = 'active', \
                 updated_at = excluded.updated_at RETURNING series_id",
            )
            .bind(self.clock.new_id())
            .bind(user_id)
            .bind(event_id)
            .bind(project_id)
            .bind(is_billable)
            .bind(now)
            .fetch_optional(&mut *conn)
            .await?;
            let Some((series_id,)) = made else {
                return Ok(None);
            };
            let row: Option<RuleRow> = sqlx::query_as(rule_sql!("r.series_id = $2"))
                .bind(user_id)
                .bind(&series_id)
                .fetch_optional(&mut *conn)
                .await?;
            row.map(Rule::try_from).transpose()
        })
    }

    /// One of the person's rules, however it stands.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn rule(&self, user_id: Uuid, rule_id: Uuid) -> Result<Option<Rule>, StoreError> {
        let row: Option<RuleRow> = read!(self, db => {
            sqlx::query_as(rule_sql!("r.id = $2")).bind(user_id).bind(rule_id).fetch_optional(db).await
        })?;
        row.map(Rule::try_from).transpose()
    }

    /// Lets a rule stand as said, with the project it goes to. Returns it; `None` if the person has no such rule.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn set_rule(
        &self,
        user_id: Uuid,
        rule: &Rule,
        then: Option<&NewJob>,
    ) -> Result<Option<Rule>, StoreError> {
        let now = self.clock.now();
        let set = tx!(self, conn => {
            take_person!(conn, user_id);
            sqlx::query(
                "UPDATE rules SET state = $3, project_id = $4, billable = $5, updated_at = $6 \
                 WHERE user_id = $1 AND id = $2 AND (state <> $3 OR project_id IS DISTINCT FROM $4 OR billable <> $5)",
            )
            .bind(user_id)
            .bind(rule.id)
            .bind(rule.state.as_str())
            .bind(rule.project.as_ref().map(|project| project.id))
            .bind(rule.is_billable)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            let row: Option<RuleRow> = sqlx::query_as(rule_sql!("r.id = $2"))
                .bind(user_id)
                .bind(rule.id)
                .fetch_optional(&mut *conn)
                .await?;
            if let Some(job) = then {
                add_job!(self.clock, conn, job);
            }
            row.map(Rule::try_from).transpose()
        })?;
        self.wake_workers();
        Ok(set)
    }
}
