//! Workspaces, and the people in them.

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::{Store, StoreError, read, summaries::plan_anew, tx};
use crate::domain::{
    calendar_event::Wishes,
    member::Member,
    minutes::Minutes,
    preferences::{Days, Preferences},
    time_command::{BareNumberUnit, Unit},
    workspace::WorkspaceSettings,
};

/// What a full day is until the person says otherwise.
const DEFAULT_TARGET_MINUTES: i32 = 8 * 60;

/// The setting under which everybody may create projects; the other one is `admins`.
pub(super) const EVERYONE: &str = "everyone";

/// A Slack workspace that BillOps has heard from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workspace {
    /// Slack's team id, or the enterprise id for an org-wide install.
    pub workspace_id: String,
    /// What Slack calls it, where that is known.
    pub name: Option<String>,
    /// The app that is installed there.
    pub app_id: Option<String>,
    /// The bot's own user.
    pub bot_user_id: Option<String>,
}

/// What Slack says about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name to show.
    pub name: String,
    /// Their zone, where Slack gave one that exists.
    pub time_zone: Option<Tz>,
    /// Their language and country, where Slack said: `de-DE`.
    pub locale: Option<String>,
    /// Whether they are an admin or owner of the workspace.
    pub is_admin: bool,
}

#[derive(sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column")]
pub(super) struct MemberRow {
    user_id: Uuid,
    pub(super) binding_id: Uuid,
    slack_integration_id: Uuid,
    workspace_id: String,
    slack_user_id: String,
    name: String,
    time_zone: Option<String>,
    locale: Option<String>,
    is_admin: bool,
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
    default_project_id: Option<Uuid>,
    suggest_private: bool,
    suggest_tentative: bool,
    project_creators: String,
    workspace_target: i32,
    rounding: String,
    time_enabled: bool,
    notices_enabled: bool,
    home_opened_at: Option<DateTime<Utc>>,
}

impl TryFrom<MemberRow> for Member {
    type Error = StoreError;

    fn try_from(row: MemberRow) -> Result<Self, StoreError> {
        let unreadable = |column, problem: String| {
            StoreError::unreadable("slack_user_bindings", column, row.binding_id, problem)
        };
        let time_of_day = |column, minutes: i32| {
            u32::try_from(minutes)
                .ok()
                .and_then(|minutes| NaiveTime::from_num_seconds_from_midnight_opt(minutes * 60, 0))
                .ok_or_else(|| unreadable(column, minutes.to_string()))
        };
        // A zone that this version's tables no longer hold is an unknown zone, not a broken person.
        let zone = |name: Option<&str>| name.and_then(|name| name.parse().ok());
        let target = |column, minutes: i32| {
            u32::try_from(minutes)
                .map(Minutes::new)
                .map_err(|error| unreadable(column, error.to_string()))
        };
        let workspace = WorkspaceSettings {
            target_per_day: target("workspace_target", row.workspace_target)?,
            rounding: row
                .rounding
                .parse()
                .map_err(|_| unreadable("rounding", format!("“{}”", row.rounding)))?,
            everyone_creates_projects: row.project_creators == EVERYONE,
            time_enabled: row.time_enabled,
            notices_enabled: row.notices_enabled,
        };
        let preferences = Preferences {
            daily_summary: row.daily_summary,
            daily_summary_time: time_of_day("daily_summary_minutes", row.daily_summary_minutes)?,
            summary_days: u8::try_from(row.summary_days)
                .ok()
                .and_then(Days::from_bits)
                .ok_or_else(|| unreadable("summary_days", row.summary_days.to_string()))?,
            silent_when_done: row.silent_when_done,
            monday: row.monday,
            after_meeting: row.after_meeting,
            entry_notifications: row.entry_notifications,
            invoice_notifications: row.invoice_notifications,
            time_zone: zone(row.fixed_time_zone.as_deref()),
            workday_start: time_of_day("workday_start_minutes", row.workday_start_minutes)?,
            target_per_day: target("target_minutes_per_day", row.target_minutes_per_day)?,
            default_project_id: row.default_project_id,
            wishes: Wishes {
                private: row.suggest_private,
                tentative: row.suggest_tentative,
            },
            bare_number_unit: BareNumberUnit::from_name(&row.bare_number_unit).ok_or_else(
                || unreadable("bare_number_unit", format!("“{}”", row.bare_number_unit)),
            )?,
        };
        Ok(Self {
            slack_time_zone: zone(row.time_zone.as_deref()),
            preferences,
            may_create_projects: row.is_admin || workspace.everyone_creates_projects,
            workspace,
            locale: row.locale,
            is_admin: row.is_admin,
            user_id: row.user_id,
            binding_id: row.binding_id,
            slack_integration_id: row.slack_integration_id,
            workspace_id: row.workspace_id,
            slack_user_id: row.slack_user_id,
            name: row.name,
            has_opened_home: row.home_opened_at.is_some(),
        })
    }
}

/// The one way to read people; the condition is added where it is used, and columns of what is read with them.
macro_rules! select_member {
    ($condition:literal) => {
        $crate::store::people::select_member!("", "", $condition)
    };
    ($columns:literal, $join:literal, $condition:literal) => {
        concat!(
            "SELECT ",
            $columns,
            "b.user_id, b.id AS binding_id, i.id AS slack_integration_id, i.workspace_id, \
             b.slack_user_id, u.name, u.time_zone, u.locale, u.is_admin, b.bare_number_unit, \
             CASE WHEN b.has_own_target THEN b.target_minutes_per_day ELSE i.target_minutes_per_day END \
             AS target_minutes_per_day, b.workday_start_minutes, b.daily_summary, b.daily_summary_minutes, \
             b.summary_days, b.silent_when_done, b.monday, b.after_meeting, b.entry_notifications, \
             b.invoice_notifications, b.fixed_time_zone, b.default_project_id, b.suggest_private, \
             b.suggest_tentative, i.project_creators, i.target_minutes_per_day AS workspace_target, i.rounding, \
             i.time_enabled, i.notices_enabled, b.home_opened_at \
             FROM slack_user_bindings b JOIN users u ON u.id = b.user_id \
             JOIN slack_integrations i ON i.id = b.slack_integration_id ",
            $join,
            " WHERE ",
            $condition
        )
    };
}
pub(super) use select_member;

impl Store {
    /// Notes what is known of a workspace, and gives the id of its row. What `workspace` leaves open keeps
    /// its stored value.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn save_workspace(&self, workspace: &Workspace) -> Result<Uuid, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query(
                "INSERT INTO slack_integrations \
                 (id, workspace_id, workspace_name, app_id, bot_user_id, is_active, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (workspace_id) DO UPDATE SET \
                 workspace_name = COALESCE(excluded.workspace_name, slack_integrations.workspace_name), \
                 app_id = COALESCE(excluded.app_id, slack_integrations.app_id), \
                 bot_user_id = COALESCE(excluded.bot_user_id, slack_integrations.bot_user_id), \
                 is_active = excluded.is_active, updated_at = excluded.updated_at",
            )
            .bind(self.clock.new_id())
            .bind(&workspace.workspace_id)
            .bind(&workspace.name)
            .bind(&workspace.app_id)
            .bind(&workspace.bot_user_id)
            .bind(true)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            let (id,): (Uuid,) = sqlx::query_as("SELECT id FROM slack_integrations WHERE workspace_id = $1")
                .bind(&workspace.workspace_id)
                .fetch_one(&mut *conn)
                .await?;
            Ok(id)
        })
    }

    /// Whether BillOps has heard from this workspace, and was not removed from it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn knows_workspace(&self, workspace_id: &str) -> Result<bool, StoreError> {
        let (is_known,): (bool,) = read!(self, db => {
            sqlx::query_as("SELECT EXISTS (SELECT 1 FROM slack_integrations WHERE workspace_id = $1 AND is_active)")
                .bind(workspace_id)
                .fetch_one(db)
                .await
        })?;
        Ok(is_known)
    }

    /// What Slack calls a workspace, where that is known.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn workspace_name(&self, workspace_id: &str) -> Result<Option<String>, StoreError> {
        let row: Option<(Option<String>,)> = read!(self, db => {
            sqlx::query_as("SELECT workspace_name FROM slack_integrations WHERE workspace_id = $1")
                .bind(workspace_id)
                .fetch_optional(db)
                .await
        })?;
        Ok(row.and_then(|(name,)| name))
    }

    /// The person with this Slack account in this workspace, if BillOps has met them and is installed there.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn member(
        &self,
        workspace_id: &str,
        slack_user_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        let row: Option<MemberRow> = read!(self, db => {
            sqlx::query_as(select_member!("i.workspace_id = $1 AND b.slack_user_id = $2 AND i.is_active"))
                .bind(workspace_id)
                .bind(slack_user_id)
                .fetch_optional(db)
                .await
        })?;
        row.map(Member::try_from).transpose()
    }

    /// The person a binding belongs to, if BillOps is installed in their workspace.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn member_by_binding(&self, binding_id: Uuid) -> Result<Option<Member>, StoreError> {
        let row: Option<MemberRow> = read!(self, db => {
            sqlx::query_as(select_member!("b.id = $1 AND i.is_active")).bind(binding_id).fetch_optional(db).await
        })?;
        row.map(Member::try_from).transpose()
    }

    /// The people after this binding, in the order of their bindings, at most `limit`.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn members_after(
        &self,
        binding_id: Uuid,
        limit: u32,
    ) -> Result<Vec<Member>, StoreError> {
        let rows: Vec<MemberRow> = read!(self, db => {
            sqlx::query_as(select_member!("b.id > $1 AND i.is_active ORDER BY b.id LIMIT $2"))
                .bind(binding_id)
                .bind(i64::from(limit))
                .fetch_all(db)
                .await
        })?;
        rows.into_iter().map(Member::try_from).collect()
    }

    /// Notes a person on first contact, or what Slack now says about them. `profile` is `None` where
    /// Slack did not answer: the person is noted all the same, and what was known before stays.
    ///
    /// Two replicas that meet the same person at once make one.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn save_member(
        &self,
        workspace_id: &str,
        slack_user_id: &str,
        profile: Option<&Profile>,
    ) -> Result<Member, StoreError> {
        let now = self.clock.now();
        let zone = profile.and_then(|profile| profile.time_zone).map(Tz::name);
        let locale = profile.and_then(|profile| profile.locale.as_deref());
        let row: MemberRow = tx!(self, conn => {
            sqlx::query(
                "INSERT INTO slack_integrations (id, workspace_id, is_active, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $4) ON CONFLICT (workspace_id) DO NOTHING",
            )
            .bind(self.clock.new_id())
            .bind(workspace_id)
            .bind(true)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            // Taken before looking, so that of two replicas the second one sees what the first one made.
            sqlx::query("UPDATE slack_integrations SET updated_at = $2 WHERE workspace_id = $1")
                .bind(workspace_id)
                .bind(now)
                .execute(&mut *conn)
                .await?;
            let known: Option<(Uuid, Uuid, Option<String>)> = sqlx::query_as(
                "SELECT b.user_id, b.id, u.time_zone FROM slack_user_bindings b \
                 JOIN users u ON u.id = b.user_id \
                 JOIN slack_integrations i ON i.id = b.slack_integration_id \
                 WHERE i.workspace_id = $1 AND b.slack_user_id = $2",
            )
            .bind(workspace_id)
            .bind(slack_user_id)
            .fetch_optional(&mut *conn)
            .await?;
            if let Some((user_id, binding_id, zone_before)) = known {
                if zone.is_some() && zone_before.as_deref() != zone {
                    plan_anew!(conn, binding_id, now);
                } else {
                    // Whoever could not be written to is here again.
                    sqlx::query(
                        "UPDATE summary_plans SET due_at = $2, about = NULL WHERE binding_id = $1 AND due_at IS NULL",
                    )
                    .bind(binding_id)
                    .bind(now)
                    .execute(&mut *conn)
                    .await?;
                }
                sqlx::query(
                    "UPDATE users SET name = COALESCE($2, name), time_zone = COALESCE($3, time_zone), \
                     profile_read_at = COALESCE($4, profile_read_at), updated_at = $5, \
                     locale = COALESCE($6, locale), is_admin = COALESCE($7, is_admin) WHERE id = $1",
                )
                .bind(user_id)
                .bind(profile.map(|profile| profile.name.as_str()))
                .bind(zone)
                .bind(profile.map(|_| now))
                .bind(now)
                .bind(locale)
                .bind(profile.map(|profile| profile.is_admin))
                .execute(&mut *conn)
                .await?;
            } else {
                let (user_id, binding_id) = (self.clock.new_id(), self.clock.new_id());
                sqlx::query(
                    "INSERT INTO users (id, name, time_zone, profile_read_at, created_at, updated_at, locale, \
                     is_admin) VALUES ($1, $2, $3, $4, $5, $5, $6, $7)",
                )
                .bind(user_id)
                .bind(profile.map_or(slack_user_id, |profile| profile.name.as_str()))
                .bind(zone)
                .bind(profile.map(|_| now))
                .bind(now)
                .bind(locale)
                .bind(profile.is_some_and(|profile| profile.is_admin))
                .execute(&mut *conn)
                .await?;
                sqlx::query(
                    "INSERT INTO slack_user_bindings (id, user_id, slack_integration_id, slack_user_id, \
                     bare_number_unit, target_minutes_per_day, created_at, updated_at) \
                     SELECT $1, $2, id, $3, 'guess', $4, $5, $5 FROM slack_integrations WHERE workspace_id = $6",
                )
                .bind(binding_id)
                .bind(user_id)
                .bind(slack_user_id)
                .bind(DEFAULT_TARGET_MINUTES)
                .bind(now)
                .bind(workspace_id)
                .execute(&mut *conn)
                .await?;
                plan_anew!(conn, binding_id, now);
            }
            let row = sqlx::query_as(select_member!("i.workspace_id = $1 AND b.slack_user_id = $2"))
                .bind(workspace_id)
                .bind(slack_user_id)
                .fetch_one(&mut *conn)
                .await?;
            Ok(row)
        })?;
        Member::try_from(row)
    }

    /// When Slack was last asked about the person.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn profile_read_at(
        &self,
        user_id: Uuid,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let row: Option<(Option<DateTime<Utc>>,)> = read!(self, db => {
            sqlx::query_as("SELECT profile_read_at FROM users WHERE id = $1").bind(user_id).fetch_optional(db).await
        })?;
        Ok(row.and_then(|(at,)| at))
    }

    /// The person has opened the Home tab. From now on it is kept fresh.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_home_opened(&self, binding_id: Uuid) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query("UPDATE slack_user_bindings SET home_opened_at = COALESCE(home_opened_at, $2) WHERE id = $1")
                .bind(binding_id)
                .bind(now)
                .execute(&mut *conn)
                .await?;
            Ok(())
        })
    }

    /// Slack's fingerprint of the Home view that was published last, to publish over it safely.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn home_view_hash(&self, binding_id: Uuid) -> Result<Option<String>, StoreError> {
        let row: Option<(Option<String>,)> = read!(self, db => {
            sqlx::query_as("SELECT home_view_hash FROM slack_user_bindings WHERE id = $1")
                .bind(binding_id)
                .fetch_optional(db)
                .await
        })?;
        Ok(row.and_then(|(hash,)| hash))
    }

    /// Keeps Slack's fingerprint of the view just published, and says whether the one known until now was `before`.
    /// Where it was not, another view was published meanwhile, and nobody knows which of the two is shown.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn save_home_view_hash(
        &self,
        binding_id: Uuid,
        before: Option<&str>,
        hash: Option<&str>,
    ) -> Result<bool, StoreError> {
        tx!(self, conn => {
            let saved = sqlx::query(concat!(
                "UPDATE slack_user_bindings SET home_view_hash = $2 ",
                "WHERE id = $1 AND home_view_hash IS NOT DISTINCT FROM $3"
            ))
            .bind(binding_id)
            .bind(hash)
            .bind(before)
            .execute(&mut *conn)
            .await?;
            Ok(saved.rows_affected() == 1)
        })
    }

    /// Sets how the person's bare numbers are read, and forgets how often they were corrected.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn set_bare_number_unit(
        &self,
        binding_id: Uuid,
        unit: BareNumberUnit,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query(
                "UPDATE slack_user_bindings SET bare_number_unit = $2, flipped_to = NULL, flips = 0, \
                 updated_at = $3 WHERE id = $1",
            )
            .bind(binding_id)
            .bind(unit.as_str())
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// Notes that the bare number of this entry of the person's was corrected to this unit, and returns how
    /// often in a row that was done.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_flip(
        &self,
        binding_id: Uuid,
        unit: Unit,
        entry_id: Uuid,
    ) -> Result<i32, StoreError> {
        let unit = match unit {
            Unit::Hours => "hours",
            Unit::Minutes => "minutes",
        };
        tx!(self, conn => {
            let row: Option<(i32,)> = sqlx::query_as(
                "UPDATE slack_user_bindings SET flips = CASE WHEN flipped_to = $2 AND flipped_entry = $3 THEN flips \
                 WHEN flipped_to = $2 THEN flips + 1 ELSE 1 END, flipped_to = $2, flipped_entry = $3 \
                 WHERE id = $1 RETURNING flips",
            )
            .bind(binding_id)
            .bind(unit)
            .bind(entry_id)
            .fetch_optional(&mut *conn)
            .await?;
            Ok(row.map_or(0, |(flips,)| flips))
        })
    }
}
