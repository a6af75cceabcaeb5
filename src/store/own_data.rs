//! Everything that is kept about one person: counted, read for their export, and deleted.
//!
//! A person belongs to one workspace, so their `user_id` and their binding reach all of it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{Store, StoreError, read, tx};

/// How much is kept about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnData {
    /// Time entries that stand.
    pub entries: i64,
    /// What they come to, in minutes.
    pub minutes: i64,
    /// The day of the first of them.
    pub since: Option<NaiveDate>,
    /// How many of them are approved or billed: these stay when everything else goes.
    pub settled: i64,
    /// Accounts at Google and Microsoft that are connected.
    pub connections: i64,
    /// Events of their calendars.
    pub events: i64,
    /// Series that are always logged, each with the slug of its project.
    pub rules: Vec<(String, Option<String>)>,
    /// API tokens that work.
    pub tokens: i64,
}

/// A person's entry in their export, deleted ones as well.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct OwnEntry {
    /// Its id.
    pub id: Uuid,
    source: String,
    status: String,
    description: String,
    /// The day it counts for.
    pub date: NaiveDate,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    duration_minutes: i32,
    project: Option<String>,
    billable: bool,
    #[sqlx(json)]
    tags: Vec<String>,
    permalink: Option<String>,
    typed_text: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
}

/// An event of a person's calendars in their export.
#[derive(Debug, Serialize, sqlx::FromRow)]
pub struct OwnEvent {
    /// Its id: events noted later have greater ones.
    pub id: Uuid,
    calendar_id: Uuid,
    title: String,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    series_id: Option<String>,
    state: String,
    skip_reason: Option<String>,
    time_entry_id: Option<Uuid>,
    dismissed_at: Option<DateTime<Utc>>,
}

/// What is kept of a person besides entries and events, as their export shows it. Nothing secret is in it.
#[derive(Debug, Serialize)]
pub struct OwnRecords {
    profile: Profile,
    preferences: Preferences,
    timers: Vec<Timer>,
    /// The projects last named, by channel.
    last_projects: Vec<LastProject>,
    connections: Vec<Connection>,
    calendars: Vec<Calendar>,
    rules: Vec<Rule>,
    api_tokens: Vec<ApiToken>,
    /// When each browser was signed in.
    sessions: Vec<Session>,
    /// What they changed that the workspace keeps on record.
    audit_records: Vec<AuditEvent>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct Profile {
    name: String,
    slack_user_id: String,
    workspace_id: String,
    time_zone: Option<String>,
    locale: Option<String>,
    is_admin: bool,
    created_at: DateTime<Utc>,
    home_opened_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a tick of its own in the form"
)]
struct Preferences {
    bare_number_unit: String,
    target_minutes_per_day: i32,
    workday_start_minutes: i32,
    daily_summary: bool,
    daily_summary_minutes: i32,
    summary_days: i32,
    silent_when_done: bool,
    monday: bool,
    after_meeting: bool,
    entry_notifications: bool,
    invoice_notifications: bool,
    fixed_time_zone: Option<String>,
    default_project: Option<String>,
    suggest_private: bool,
    suggest_tentative: bool,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct Timer {
    description: String,
    project: Option<String>,
    billable: bool,
    #[sqlx(json)]
    tags: Vec<String>,
    started_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct LastProject {
    channel_id: String,
    project: String,
    used_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct Connection {
    id: Uuid,
    provider: String,
    email: String,
    scopes: String,
    state: String,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct Calendar {
    id: Uuid,
    connection_id: Uuid,
    calendar_name: String,
    is_active: bool,
    sync_enabled: bool,
    last_synced_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct Rule {
    title: String,
    project: Option<String>,
    billable: bool,
    state: String,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct ApiToken {
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct Session {
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
struct AuditEvent {
    subject: String,
    value_before: Option<String>,
    value_after: Option<String>,
    created_at: DateTime<Utc>,
}

impl Store {
    /// How much is kept about a person.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn own_data(&self, user_id: Uuid, binding_id: Uuid) -> Result<OwnData, StoreError> {
        let (entries, minutes, since, settled): (i64, i64, Option<NaiveDate>, i64) = read!(self, db => {
            sqlx::query_as(
                "SELECT COUNT(*), CAST(COALESCE(SUM(duration_minutes), 0) AS BIGINT), MIN(date), \
                 COUNT(CASE WHEN status IN ('approved', 'billed') THEN 1 END) \
                 FROM time_entries WHERE user_id = $1 AND deleted_at IS NULL",
            )
            .bind(user_id)
            .fetch_one(db)
            .await
        })?;
        let (connections, events, tokens): (i64, i64, i64) = read!(self, db => {
            sqlx::query_as(
                "SELECT (SELECT COUNT(*) FROM user_oauth_accounts WHERE user_id = $1 AND state <> 'disconnected'), \
                 (SELECT COUNT(*) FROM synced_calendar_events WHERE user_id = $1), \
                 (SELECT COUNT(*) FROM api_tokens WHERE binding_id = $2 AND revoked_at IS NULL)",
            )
            .bind(user_id)
            .bind(binding_id)
            .fetch_one(db)
            .await
        })?;
        let rules = read!(self, db => {
            sqlx::query_as(
                "SELECT r.title, p.slug FROM rules r LEFT JOIN projects p ON p.id = r.project_id \
                 WHERE r.user_id = $1 AND r.state = 'active' ORDER BY r.id",
            )
            .bind(user_id)
            .fetch_all(db)
            .await
        })?;
        Ok(OwnData {
            entries,
            minutes,
            since,
            settled,
            connections,
            events,
            rules,
            tokens,
        })
    }

    /// A page of a person's entries, those that stand or those that are deleted, the oldest day first, from behind the
    /// one with this day and id.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn own_entries(
        &self,
        user_id: Uuid,
        are_deleted: bool,
        (date, id): (NaiveDate, Uuid),
        limit: u32,
    ) -> Result<Vec<OwnEntry>, StoreError> {
        macro_rules! own_entries_sql {
            ($which:literal) => {
                concat!(
                    "SELECT e.id, e.source, e.status, e.description, e.date, e.started_at, e.ended_at, \
                     e.duration_minutes, p.slug AS project, e.billable, e.tags, e.permalink, e.typed_text, \
                     e.created_at, e.updated_at, e.deleted_at FROM time_entries e \
                     LEFT JOIN projects p ON p.id = e.project_id \
                     WHERE e.user_id = $1 AND (e.date, e.id) > ($2, $3) AND e.deleted_at IS ",
                    $which,
                    " ORDER BY e.date, e.id LIMIT $4"
                )
            };
        }
        // Each has an index of its own.
        let sql = if are_deleted {
            own_entries_sql!("NOT NULL")
        } else {
            own_entries_sql!("NULL")
        };
        Ok(read!(self, db => {
            sqlx::query_as(sql)
                .bind(user_id)
                .bind(date)
                .bind(id)
                .bind(i64::from(limit))
                .fetch_all(db)
                .await
        })?)
    }

    /// A page of the events of a person's calendars, behind the one with this id.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn own_events(
        &self,
        user_id: Uuid,
        after: Uuid,
        limit: u32,
    ) -> Result<Vec<OwnEvent>, StoreError> {
        Ok(read!(self, db => {
            sqlx::query_as(
                "SELECT id, calendar_id, event_title AS title, event_start AS start, event_end AS \"end\", \
                 series_id, state, skip_reason, time_entry_id, dismissed_at FROM synced_calendar_events \
                 WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
            )
            .bind(user_id)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?)
    }

    /// What else is kept about a person. `None` if there is no such person.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn own_records(
        &self,
        user_id: Uuid,
        binding_id: Uuid,
    ) -> Result<Option<OwnRecords>, StoreError> {
        /// All rows of a statement about one id.
        macro_rules! all {
            ($id:expr, $sql:expr) => {
                read!(self, db => sqlx::query_as($sql).bind($id).fetch_all(db).await)?
            };
        }
        let profile = read!(self, db => {
            sqlx::query_as(
                "SELECT u.name, b.slack_user_id, i.workspace_id, u.time_zone, u.locale, u.is_admin, b.created_at, \
                 b.home_opened_at FROM slack_user_bindings b JOIN users u ON u.id = b.user_id \
                 JOIN slack_integrations i ON i.id = b.slack_integration_id WHERE b.id = $1",
            )
            .bind(binding_id)
            .fetch_optional(db)
            .await
        })?;
        let preferences = read!(self, db => {
            sqlx::query_as(
                "SELECT b.bare_number_unit, b.target_minutes_per_day, b.workday_start_minutes, b.daily_summary, \
                 b.daily_summary_minutes, b.summary_days, b.silent_when_done, b.monday, b.after_meeting, \
                 b.entry_notifications, b.invoice_notifications, b.fixed_time_zone, p.slug AS default_project, \
                 b.suggest_private, b.suggest_tentative FROM slack_user_bindings b \
                 LEFT JOIN projects p ON p.id = b.default_project_id WHERE b.id = $1",
            )
            .bind(binding_id)
            .fetch_optional(db)
            .await
        })?;
        let (Some(profile), Some(preferences)) = (profile, preferences) else {
            return Ok(None);
        };
        Ok(Some(OwnRecords {
            profile,
            preferences,
            timers: all!(
                user_id,
                "SELECT t.description, p.slug AS project, t.billable, t.tags, t.started_at FROM timers t \
                 LEFT JOIN projects p ON p.id = t.project_id WHERE t.user_id = $1"
            ),
            last_projects: all!(
                user_id,
                "SELECT l.channel_id, p.slug AS project, l.used_at FROM last_projects l \
                 JOIN projects p ON p.id = l.project_id WHERE l.user_id = $1 ORDER BY l.used_at"
            ),
            connections: all!(
                user_id,
                "SELECT id, provider, email, scopes, state, created_at FROM user_oauth_accounts \
                 WHERE user_id = $1 ORDER BY id"
            ),
            calendars: all!(
                user_id,
                "SELECT id, oauth_account_id AS connection_id, calendar_name, is_active, sync_enabled, \
                 last_synced_at FROM calendar_integrations WHERE user_id = $1 ORDER BY id"
            ),
            rules: all!(
                user_id,
                "SELECT r.title, p.slug AS project, r.billable, r.state, r.created_at FROM rules r \
                 LEFT JOIN projects p ON p.id = r.project_id WHERE r.user_id = $1 ORDER BY r.id"
            ),
            api_tokens: all!(
                binding_id,
                "SELECT created_at, last_used_at, revoked_at FROM api_tokens WHERE binding_id = $1 ORDER BY id"
            ),
            sessions: all!(
                binding_id,
                "SELECT created_at, expires_at FROM sessions WHERE binding_id = $1 ORDER BY id"
            ),
            audit_records: all!(
                binding_id,
                "SELECT a.subject, a.value_before, a.value_after, a.created_at FROM slack_user_bindings b \
                 JOIN audit_events a ON a.slack_integration_id = b.slack_integration_id \
                 AND a.slack_user_id = b.slack_user_id WHERE b.id = $1 ORDER BY a.id"
            ),
        }))
    }

    /// Deletes everything about a person, at once or not at all. Entries that are approved or billed stay with the
    /// workspace's nameless person, with the day, the length, the project and whether they go on an invoice: what
    /// invoices add up. Their words, tags, links and times of day go, for people write names into them.
    ///
    /// # Errors
    /// The database does not answer, or something of the person's was made at this moment; nothing is deleted then.
    pub async fn delete_person(
        &self,
        user_id: Uuid,
        binding_id: Uuid,
        slack_integration_id: Uuid,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            // Jobs name what they are about by id, in their payload.
            let subjects: Vec<(Uuid,)> = sqlx::query_as(
                "SELECT id FROM user_oauth_accounts WHERE user_id = $1 \
                 UNION ALL SELECT id FROM calendar_integrations WHERE user_id = $1 \
                 UNION ALL SELECT id FROM timers WHERE user_id = $1",
            )
            .bind(user_id)
            .fetch_all(&mut *conn)
            .await?;
            let subjects = subjects.into_iter().map(|(id,)| id);
            for id in subjects.chain([user_id, binding_id]) {
                sqlx::query("DELETE FROM jobs WHERE payload LIKE $1")
                    .bind(format!("%{id}%"))
                    .execute(&mut *conn)
                    .await?;
            }
            for of_user in [
                // Its steps go with it.
                "DELETE FROM changes WHERE user_id = $1",
                // In two halves each, for no index holds them all.
                "UPDATE time_entries SET source_event_id = NULL WHERE user_id = $1 AND deleted_at IS NULL \
                 AND source_event_id IS NOT NULL",
                "UPDATE time_entries SET source_event_id = NULL WHERE user_id = $1 AND deleted_at IS NOT NULL \
                 AND source_event_id IS NOT NULL",
                "DELETE FROM synced_calendar_events WHERE user_id = $1",
                "DELETE FROM rules WHERE user_id = $1",
                "DELETE FROM last_projects WHERE user_id = $1",
                "DELETE FROM day_marks WHERE user_id = $1",
                "DELETE FROM timers WHERE user_id = $1",
                "DELETE FROM idempotency_keys WHERE user_id = $1",
                "DELETE FROM api_requests WHERE user_id = $1",
                "DELETE FROM time_entries WHERE user_id = $1 AND deleted_at IS NULL \
                 AND status NOT IN ('approved', 'billed')",
                "DELETE FROM time_entries WHERE user_id = $1 AND deleted_at IS NOT NULL",
            ] {
                sqlx::query(of_user).bind(user_id).execute(&mut *conn).await?;
            }
            for of_binding in [
                "DELETE FROM link_intents WHERE binding_id = $1",
                "DELETE FROM oauth_states WHERE binding_id = $1",
                "DELETE FROM parked_grants WHERE binding_id = $1",
                "DELETE FROM sessions WHERE binding_id = $1",
                "DELETE FROM api_tokens WHERE binding_id = $1",
                "DELETE FROM summary_plans WHERE binding_id = $1",
                "DELETE FROM notices WHERE binding_id = $1",
            ] {
                sqlx::query(of_binding).bind(binding_id).execute(&mut *conn).await?;
            }
            for of_user in [
                "DELETE FROM calendar_integrations WHERE user_id = $1",
                "DELETE FROM user_oauth_accounts WHERE user_id = $1",
            ] {
                sqlx::query(of_user).bind(user_id).execute(&mut *conn).await?;
            }
            let (stays,): (bool,) = sqlx::query_as(
                "SELECT EXISTS (SELECT 1 FROM time_entries WHERE user_id = $1 AND deleted_at IS NULL) \
                 OR EXISTS (SELECT 1 FROM channel_projects WHERE linked_by = $1)",
            )
            .bind(user_id)
            .fetch_one(&mut *conn)
            .await?;
            if stays {
                // One for each workspace. Slack gives nobody the empty id, so no one ever becomes this person.
                let nameless: Option<(Uuid,)> = sqlx::query_as(
                    "SELECT user_id FROM slack_user_bindings WHERE slack_integration_id = $1 AND slack_user_id = ''",
                )
                .bind(slack_integration_id)
                .fetch_optional(&mut *conn)
                .await?;
                let nameless = match nameless {
                    Some((id,)) => id,
                    None => {
                        let id = self.clock.new_id();
                        sqlx::query("INSERT INTO users (id, name, created_at, updated_at) VALUES ($1, '', $2, $2)")
                            .bind(id)
                            .bind(now)
                            .execute(&mut *conn)
                            .await?;
                        // Nobody is ever written to, and nothing is suggested.
                        sqlx::query(
                            "INSERT INTO slack_user_bindings (id, user_id, slack_integration_id, slack_user_id, \
                             bare_number_unit, target_minutes_per_day, daily_summary, entry_notifications, \
                             invoice_notifications, created_at, updated_at) \
                             VALUES ($1, $2, $3, '', 'guess', 0, FALSE, FALSE, FALSE, $4, $4)",
                        )
                        .bind(self.clock.new_id())
                        .bind(id)
                        .bind(slack_integration_id)
                        .bind(now)
                        .execute(&mut *conn)
                        .await?;
                        id
                    }
                };
                sqlx::query(
                    "UPDATE time_entries SET user_id = $2, description = 'Deleted by its author', tags = '[]', \
                     permalink = NULL, typed_text = NULL, started_at = NULL, ended_at = NULL, is_timed = FALSE, \
                     version = version + 1, created_at = $3, updated_at = $3 \
                     WHERE user_id = $1 AND deleted_at IS NULL",
                )
                .bind(user_id)
                .bind(nameless)
                .bind(now)
                .execute(&mut *conn)
                .await?;
                // The link of a channel to a project is the workspace's.
                sqlx::query("UPDATE channel_projects SET linked_by = $2 WHERE linked_by = $1")
                    .bind(user_id)
                    .bind(nameless)
                    .execute(&mut *conn)
                    .await?;
            }
            // What a person decided for everybody stays on record, without saying who did.
            for audited in [
                "DELETE FROM audit_events WHERE subject IN ('api_token', 'calendar') AND slack_integration_id = $1 \
                 AND slack_user_id = (SELECT slack_user_id FROM slack_user_bindings WHERE id = $2)",
                "UPDATE audit_events SET slack_user_id = '' WHERE slack_integration_id = $1 \
                 AND slack_user_id = (SELECT slack_user_id FROM slack_user_bindings WHERE id = $2)",
            ] {
                sqlx::query(audited)
                    .bind(slack_integration_id)
                    .bind(binding_id)
                    .execute(&mut *conn)
                    .await?;
            }
            sqlx::query("DELETE FROM slack_user_bindings WHERE id = $1")
                .bind(binding_id)
                .execute(&mut *conn)
                .await?;
            sqlx::query("DELETE FROM users WHERE id = $1").bind(user_id).execute(&mut *conn).await?;
            Ok(())
        })
    }
}
