//! What the admins of a workspace decide and see.

use chrono::{DateTime, Days, NaiveDate, Utc};
use uuid::Uuid;

use super::{
    Store, StoreError,
    audit::note_change,
    connections::{provider_of, state_of},
    people::EVERYONE,
    read, tx,
};
use crate::domain::{
    calendar::AccountState,
    minutes::Minutes,
    provider::Provider,
    workspace::{WorkspaceSettings, settings_changed},
};

/// What became of saving the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsChange {
    /// They are saved; so many differed.
    Saved(usize),
    /// They were changed since the form was opened.
    Stale,
    /// The person is no admin, or not any more.
    NotAdmin,
}

/// What an admin sees of the workspace. Nothing of what is in anybody's calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceFacts {
    /// How many people BillOps has met there.
    pub people: u32,
    /// How many of them have a calendar connected.
    pub with_calendar: u32,
}

/// That somebody has connected an account at a provider: never which calendars, nor what is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectedCalendar {
    /// What Slack calls the person.
    pub name: String,
    /// The provider.
    pub provider: Provider,
    /// Whether it works.
    pub state: AccountState,
    /// Since when the account is connected.
    pub since: DateTime<Utc>,
}

/// Whoever has logged nothing for longer is taken to have stopped.
const LOGS_WITHIN: Days = Days::new(28);

type SettingsRow = (Uuid, bool, i32, String, String, bool, bool, i32);

impl Store {
    /// Which version of the workspace's settings is the present one. It rises with each change.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn settings_version(&self, slack_integration_id: Uuid) -> Result<i32, StoreError> {
        let (version,): (i32,) = read!(self, db => {
            sqlx::query_as("SELECT settings_version FROM slack_integrations WHERE id = $1")
                .bind(slack_integration_id)
                .fetch_one(db)
                .await
        })?;
        Ok(version)
    }

    /// Saves the settings of the workspace of this person, if they are an admin of it at this moment and nobody
    /// else has changed the settings since `version`. What differs is noted in the audit trail, both or neither.
    ///
    /// # Errors
    /// The database does not answer, or what is stored cannot be read.
    pub async fn save_workspace_settings(
        &self,
        binding_id: Uuid,
        version: i32,
        settings: &WorkspaceSettings,
    ) -> Result<SettingsChange, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            // Taken before looking, so that of two admins the second one sees what the first one saved.
            sqlx::query(
                "UPDATE slack_integrations SET updated_at = $2 WHERE id = \
                 (SELECT slack_integration_id FROM slack_user_bindings WHERE id = $1)",
            )
            .bind(binding_id)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            let row: Option<SettingsRow> = sqlx::query_as(
                "SELECT i.id, u.is_admin, i.target_minutes_per_day, i.rounding, i.project_creators, i.time_enabled, \
                 i.notices_enabled, i.settings_version FROM slack_user_bindings b JOIN users u ON u.id = b.user_id \
                 JOIN slack_integrations i ON i.id = b.slack_integration_id WHERE b.id = $1",
            )
            .bind(binding_id)
            .fetch_optional(&mut *conn)
            .await?;
            let Some((id, true, target, rounding, creators, time_enabled, notices_enabled, stored)) = row else {
                return Ok(SettingsChange::NotAdmin);
            };
            if stored != version {
                return Ok(SettingsChange::Stale);
            }
            let before = WorkspaceSettings {
                target_per_day: Minutes::new(u32::try_from(target).unwrap_or(0)),
                rounding: rounding.parse().map_err(|_| {
                    StoreError::unreadable("slack_integrations", "rounding", id, format!("“{rounding}”"))
                })?,
                everyone_creates_projects: creators == EVERYONE,
                time_enabled,
                notices_enabled,
            };
            let changed = settings_changed(&before, settings);
            for (subject, was, is) in &changed {
                note_change!(self.clock, conn, "id" = binding_id, subject, was, is);
            }
            sqlx::query(
                "UPDATE slack_integrations SET target_minutes_per_day = $2, rounding = $3, project_creators = $4, \
                 time_enabled = $5, notices_enabled = $6, settings_version = settings_version + $7 WHERE id = $1",
            )
            .bind(id)
            .bind(i32::try_from(settings.target_per_day.get()).unwrap_or(i32::MAX))
            .bind(settings.rounding.to_string())
            .bind(if settings.everyone_creates_projects { EVERYONE } else { "admins" })
            .bind(settings.time_enabled)
            .bind(settings.notices_enabled)
            .bind(i32::from(!changed.is_empty()))
            .execute(&mut *conn)
            .await?;
            Ok(SettingsChange::Saved(changed.len()))
        })
    }

    /// How many people there are in a workspace, and how many with a calendar.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn workspace_facts(
        &self,
        slack_integration_id: Uuid,
    ) -> Result<WorkspaceFacts, StoreError> {
        let (people, with_calendar): (i64, i64) = read!(self, db => {
            sqlx::query_as(
                "SELECT (SELECT COUNT(*) FROM slack_user_bindings WHERE slack_integration_id = $1 \
                 AND slack_user_id <> ''), \
                 (SELECT COUNT(DISTINCT a.user_id) FROM user_oauth_accounts a JOIN slack_user_bindings b \
                 ON b.user_id = a.user_id WHERE b.slack_integration_id = $1 AND a.state <> 'disconnected')",
            )
            .bind(slack_integration_id)
            .fetch_one(db)
            .await
        })?;
        let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(WorkspaceFacts {
            people: count(people),
            with_calendar: count(with_calendar),
        })
    }

    /// How many people in a workspace have logged less than their target by more than so much, on these days in order.
    /// What they marked as a day off counts for nothing; whoever was met at `first_begins` or later, or has logged
    /// nothing since four weeks before the first day, is left out.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn people_short(
        &self,
        slack_integration_id: Uuid,
        days: &[NaiveDate],
        first_begins: DateTime<Utc>,
        by_more_than: Minutes,
    ) -> Result<u32, StoreError> {
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Ok(0);
        };
        let (people,): (i64,) = read!(self, db => {
            sqlx::query_as(
                "SELECT COUNT(*) FROM slack_user_bindings b \
                 JOIN slack_integrations i ON i.id = b.slack_integration_id \
                 WHERE b.slack_integration_id = $1 AND b.slack_user_id <> '' AND b.created_at < $2 AND \
                 (CASE WHEN b.has_own_target THEN b.target_minutes_per_day ELSE i.target_minutes_per_day END) * \
                 ($3 - (SELECT COUNT(*) FROM day_marks m WHERE m.user_id = b.user_id AND m.date BETWEEN $4 AND $5 \
                 AND m.mark = 'off')) - (SELECT COALESCE(SUM(e.duration_minutes), 0) FROM time_entries e \
                 WHERE e.user_id = b.user_id AND e.date BETWEEN $4 AND $5 AND e.deleted_at IS NULL) > $6 AND \
                 EXISTS (SELECT 1 FROM time_entries e WHERE e.user_id = b.user_id AND e.date BETWEEN $7 AND $5 \
                 AND e.deleted_at IS NULL)",
            )
            .bind(slack_integration_id)
            .bind(first_begins)
            .bind(i64::try_from(days.len()).unwrap_or(i64::MAX))
            .bind(first)
            .bind(last)
            .bind(i64::from(by_more_than.get()))
            .bind(*first - LOGS_WITHIN)
            .fetch_one(db)
            .await
        })?;
        Ok(u32::try_from(people).unwrap_or(u32::MAX))
    }

    /// Who in a workspace has connected what kind of calendar, by name, at most `limit`.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn connected_calendars(
        &self,
        slack_integration_id: Uuid,
        limit: u32,
    ) -> Result<Vec<ConnectedCalendar>, StoreError> {
        let rows: Vec<(Uuid, String, String, String, DateTime<Utc>)> = read!(self, db => {
            sqlx::query_as(
                "SELECT a.id, u.name, a.provider, a.state, a.created_at FROM user_oauth_accounts a \
                 JOIN users u ON u.id = a.user_id JOIN slack_user_bindings b ON b.user_id = a.user_id \
                 WHERE b.slack_integration_id = $1 AND a.state <> 'disconnected' \
                 ORDER BY u.name, a.provider, a.id LIMIT $2",
            )
            .bind(slack_integration_id)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        rows.into_iter()
            .map(|(id, name, provider, state, since)| {
                Ok(ConnectedCalendar {
                    provider: provider_of(id, &provider)?,
                    state: state_of(id, &state)?,
                    name,
                    since,
                })
            })
            .collect()
    }
}
