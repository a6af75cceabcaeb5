//! Where the app is installed, and the token it has there.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{NewJob, Store, StoreError, connections::provider_of, jobs::add_job, read, tx};
use crate::{domain::provider::Provider, keyring::Place};

const TABLE: &str = "slack_integrations";
/// Slack writes the moment of an event in whole seconds, by its own clock.
const EVENT_CLOCK: TimeDelta = TimeDelta::seconds(1);

/// What Slack said when a workspace installed the app.
#[derive(Clone, Debug)]
pub struct NewInstall {
    /// Slack's team id, or the enterprise id for an org-wide install.
    pub workspace_id: String,
    /// What Slack calls it.
    pub name: Option<String>,
    /// The app.
    pub app_id: Option<String>,
    /// The bot's own user.
    pub bot_user_id: Option<String>,
    /// What the token may do, with commas.
    pub scopes: String,
    /// Who installed it.
    pub installed_by: Option<String>,
    /// The token.
    pub token: InstallToken,
}

/// The token of a workspace.
#[derive(Clone, Debug)]
pub struct InstallToken {
    /// `xoxb-…`, or `xoxe.xoxb-…` where it runs out.
    pub access: SecretString,
    /// For new tokens, where it runs out.
    pub refresh: Option<SecretString>,
    /// When it runs out.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A workspace that the app is or was installed in.
#[derive(Clone, Debug)]
pub struct Install {
    /// The row.
    pub id: Uuid,
    /// Whether it is installed now.
    pub is_active: bool,
    /// Its token, unless it was installed by hand.
    pub token: Option<InstallToken>,
    /// What the token may do, with commas, where Slack said so.
    pub scopes: Option<String>,
}

#[derive(sqlx::FromRow)]
struct InstallRow {
    id: Uuid,
    is_active: bool,
    bot_token: Option<String>,
    refresh_token: Option<String>,
    token_expires_at: Option<DateTime<Utc>>,
    scopes: Option<String>,
}

/// Where a token of a workspace opens.
pub(super) const fn place(column: &'static str, row: Uuid) -> Place {
    Place {
        table: TABLE,
        column,
        row,
    }
}

impl Store {
    /// What is known of a workspace.
    ///
    /// # Errors
    /// The database does not answer, or the token cannot be opened.
    pub async fn install(&self, workspace_id: &str) -> Result<Option<Install>, StoreError> {
        let row: Option<InstallRow> = read!(self, db => {
            sqlx::query_as(
                "SELECT id, is_active, bot_token, refresh_token, token_expires_at, scopes FROM slack_integrations \
                 WHERE workspace_id = $1",
            )
            .bind(workspace_id)
            .fetch_optional(db)
            .await
        })?;
        let Some(row) = row else { return Ok(None) };
        let open = |column, sealed: Option<String>| {
            sealed
                .map(|sealed| self.unsealed(place(column, row.id), &sealed))
                .transpose()
        };
        let refresh = open("refresh_token", row.refresh_token)?;
        let token = open("bot_token", row.bot_token)?.map(|access| InstallToken {
            access,
            refresh,
            expires_at: row.token_expires_at,
        });
        Ok(Some(Install {
            id: row.id,
            is_active: row.is_active,
            token,
            scopes: row.scopes,
        }))
    }

    /// Notes that a workspace installed the app. One that had it before keeps everything.
    ///
    /// # Errors
    /// The database does not answer, or there are no keys to seal with.
    pub async fn save_install(&self, new: &NewInstall) -> Result<Uuid, StoreError> {
        let keys = self.keys()?;
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query(
                "INSERT INTO slack_integrations (id, workspace_id, is_active, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $4) ON CONFLICT (workspace_id) DO NOTHING",
            )
            .bind(self.clock.new_id())
            .bind(&new.workspace_id)
            .bind(true)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            let (id,): (Uuid,) = sqlx::query_as("SELECT id FROM slack_integrations WHERE workspace_id = $1")
                .bind(&new.workspace_id)
                .fetch_one(&mut *conn)
                .await?;
            let refresh = new.token.refresh.as_ref();
            sqlx::query(
                "UPDATE slack_integrations SET workspace_name = COALESCE($2, workspace_name), \
                 app_id = COALESCE($3, app_id), bot_user_id = COALESCE($4, bot_user_id), is_active = $5, \
                 bot_token = $6, refresh_token = $7, token_expires_at = $8, refresh_until = NULL, scopes = $9, \
                 installed_by = $10, installed_at = $11, uninstalled_at = NULL, updated_at = $11 WHERE id = $1",
            )
            .bind(id)
            .bind(&new.name)
            .bind(&new.app_id)
            .bind(&new.bot_user_id)
            .bind(true)
            .bind(keys.seal(place("bot_token", id), new.token.access.expose_secret()))
            .bind(refresh.map(|refresh| keys.seal(place("refresh_token", id), refresh.expose_secret())))
            .bind(new.token.expires_at)
            .bind(&new.scopes)
            .bind(&new.installed_by)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(id)
        })
    }

    /// The app was removed from a workspace at that moment, or its token was revoked: the token is wiped, everybody is
    /// signed out, API tokens end, and `then` is done. Entries stay. `false` if it was installed again since, or is
    /// removed already.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn uninstall(
        &self,
        workspace_id: &str,
        at: DateTime<Utc>,
        then: impl Fn(Uuid) -> NewJob,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let is_new = tx!(self, conn => {
            let gone: Option<(Uuid,)> = sqlx::query_as(
                "UPDATE slack_integrations SET is_active = $2, bot_token = NULL, refresh_token = NULL, \
                 token_expires_at = NULL, refresh_until = NULL, uninstalled_at = $3, updated_at = $3 \
                 WHERE workspace_id = $1 AND is_active AND (installed_at IS NULL OR installed_at <= $4) RETURNING id",
            )
            .bind(workspace_id)
            .bind(false)
            .bind(now)
            .bind(at + EVENT_CLOCK)
            .fetch_optional(&mut *conn)
            .await?;
            if let Some((id,)) = gone {
                for sql in [
                    "DELETE FROM sessions WHERE binding_id IN \
                     (SELECT id FROM slack_user_bindings WHERE slack_integration_id = $1)",
                    "UPDATE api_tokens SET revoked_at = $2 WHERE revoked_at IS NULL AND binding_id IN \
                     (SELECT id FROM slack_user_bindings WHERE slack_integration_id = $1)",
                ] {
                    let query = sqlx::query(sql).bind(id);
                    let query = if sql.contains("$2") { query.bind(now) } else { query };
                    query.execute(&mut *conn).await?;
                }
                add_job!(self.clock, conn, &then(id));
            }
            Ok(gone.is_some())
        })?;
        self.wake_workers();
        Ok(is_new)
    }

    /// Connected accounts of the people in a workspace that the app was removed from, at most `limit`: whose each is,
    /// its id, and where it is. None where the app is installed again.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn accounts_left_behind(
        &self,
        slack_integration_id: Uuid,
        limit: u32,
    ) -> Result<Vec<(Uuid, Uuid, Provider)>, StoreError> {
        let rows: Vec<(Uuid, Uuid, String)> = read!(self, db => {
            sqlx::query_as(
                "SELECT a.user_id, a.id, a.provider FROM user_oauth_accounts a JOIN slack_user_bindings b ON b.user_id = a.user_id \
                 JOIN slack_integrations i ON i.id = b.slack_integration_id \
                 WHERE i.id = $1 AND NOT i.is_active AND a.state <> 'disconnected' ORDER BY a.id LIMIT $2",
            )
            .bind(slack_integration_id)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        let with_provider = |(user, id, provider): (Uuid, Uuid, String)| {
            Ok((user, id, provider_of(id, &provider)?))
        };
        rows.into_iter().map(with_provider).collect()
    }

    /// Whether this replica is to get a new token for a workspace, until `until` at most. Others go on with the one
    /// that still works.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn take_token_refresh(
        &self,
        install_id: Uuid,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let taken = sqlx::query(
                "UPDATE slack_integrations SET refresh_until = $2 WHERE id = $1 AND is_active \
                 AND (refresh_until IS NULL OR refresh_until <= $3)",
            )
            .bind(install_id)
            .bind(until)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(taken.rows_affected() == 1)
        })
    }

    /// Keeps a new token in the place of one that runs out at `before`; `false` if another came meanwhile.
    ///
    /// # Errors
    /// The database does not answer, or there are no keys to seal with.
    pub async fn renew_token(
        &self,
        install_id: Uuid,
        before: Option<DateTime<Utc>>,
        token: &InstallToken,
    ) -> Result<bool, StoreError> {
        let keys = self.keys()?;
        let now = self.clock.now();
        let access = keys.seal(place("bot_token", install_id), token.access.expose_secret());
        let refresh = token.refresh.as_ref();
        let refresh = refresh
            .map(|token| keys.seal(place("refresh_token", install_id), token.expose_secret()));
        tx!(self, conn => {
            let kept = sqlx::query(
                "UPDATE slack_integrations SET bot_token = $2, refresh_token = COALESCE($3, refresh_token), \
                 token_expires_at = $4, refresh_until = NULL, updated_at = $5 \
                 WHERE id = $1 AND is_active AND token_expires_at IS NOT DISTINCT FROM $6",
            )
            .bind(install_id)
            .bind(&access)
            .bind(&refresh)
            .bind(token.expires_at)
            .bind(now)
            .bind(before)
            .execute(&mut *conn)
            .await?;
            Ok(kept.rows_affected() == 1)
        })
    }
}
