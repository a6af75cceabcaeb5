//! The sealed tokens of accounts: who refreshes them, what is stored of it, and what is said when they are refused.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError,
    connections::{TABLE, place, provider_of, state_of},
    installs,
    jobs::add_job,
    read, tx,
};
use crate::{
    domain::{
        calendar::{Account, AccountState, ReconnectReason},
        provider::Provider,
    },
    keyring::Place,
};

/// An account's tokens as they are stored, opened.
#[derive(Clone, Debug)]
pub struct StoredTokens {
    /// Whose account it is.
    pub user_id: Uuid,
    /// Where it is.
    pub provider: Provider,
    /// How the connection stands.
    pub state: AccountState,
    /// For requests, until [`expires_at`](Self::expires_at).
    pub access: Option<(SecretString, DateTime<Utc>)>,
    /// For new tokens.
    pub refresh: Option<SecretString>,
    /// Names the refresh token as it is stored: it changes with every new one.
    pub row: TokenRow,
    /// Until when somebody is refreshing them.
    pub refresh_until: Option<DateTime<Utc>>,
}

/// A refresh token as it stands in its row, sealed. Two are equal only if no new one was stored between.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRow(String);

impl std::fmt::Debug for TokenRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenRow")
    }
}

#[derive(sqlx::FromRow)]
struct TokensRow {
    user_id: Uuid,
    provider: String,
    state: String,
    access_token: Option<String>,
    refresh_token: Option<String>,
    access_expires_at: Option<DateTime<Utc>>,
    refresh_until: Option<DateTime<Utc>>,
}

impl Store {
    /// An account's tokens, whoever's it is: for what is done on schedule.
    ///
    /// # Errors
    /// The database does not answer, or the tokens cannot be opened.
    pub async fn tokens(&self, account_id: Uuid) -> Result<Option<StoredTokens>, StoreError> {
        let row: Option<TokensRow> = read!(self, db => {
            sqlx::query_as(
                "SELECT user_id, provider, state, access_token, refresh_token, access_expires_at, refresh_until \
                 FROM user_oauth_accounts WHERE id = $1",
            )
            .bind(account_id)
            .fetch_optional(db)
            .await
        })?;
        let Some(row) = row else { return Ok(None) };
        let open = |column, sealed: &Option<String>| {
            sealed
                .as_deref()
                .map(|sealed| self.unsealed(place(column, account_id), sealed))
                .transpose()
        };
        let access = open("access_token", &row.access_token)?;
        Ok(Some(StoredTokens {
            user_id: row.user_id,
            provider: provider_of(account_id, &row.provider)?,
            state: state_of(account_id, &row.state)?,
            access: access.zip(row.access_expires_at),
            refresh: open("refresh_token", &row.refresh_token)?,
            row: TokenRow(row.refresh_token.unwrap_or_default()),
            refresh_until: row.refresh_until,
        }))
    }

    /// Takes an account to refresh its tokens, until `until`; `false` if somebody else has it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn take_refresh(
        &self,
        account_id: Uuid,
        lease: Uuid,
        row: &TokenRow,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let taken = sqlx::query(
                "UPDATE user_oauth_accounts SET refresh_lease = $2, refresh_until = $3 WHERE id = $1 \
                 AND state = 'active' AND refresh_token = $4 AND (refresh_until IS NULL OR refresh_until <= $5)",
            )
            .bind(account_id)
            .bind(lease)
            .bind(until)
            .bind(&row.0)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(taken.rows_affected() == 1)
        })
    }

    /// Stores new tokens in the place of those in `row`, and gives the account back; `false` if others were stored
    /// meanwhile, which count then. `refresh` is `None` where the old one stays.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn save_tokens(
        &self,
        account_id: Uuid,
        row: &TokenRow,
        access: &SecretString,
        refresh: Option<&SecretString>,
        expires_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let keys = self.keys()?;
        let now = self.clock.now();
        let access = keys.seal(place("access_token", account_id), access.expose_secret());
        let refresh = refresh
            .map(|refresh| keys.seal(place("refresh_token", account_id), refresh.expose_secret()));
        tx!(self, conn => {
            let saved = sqlx::query(
                "UPDATE user_oauth_accounts SET access_token = $3, refresh_token = COALESCE($4, refresh_token), \
                 access_expires_at = $5, refresh_lease = NULL, refresh_until = NULL, refreshed_at = $6, \
                 updated_at = $6 WHERE id = $1 AND refresh_token = $2 AND state = 'active'",
            )
            .bind(account_id)
            .bind(&row.0)
            .bind(access)
            .bind(refresh)
            .bind(expires_at)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(saved.rows_affected() == 1)
        })
    }

    /// Gives an account back whose tokens could not be refreshed.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn release_refresh(&self, account_id: Uuid, lease: Uuid) -> Result<(), StoreError> {
        tx!(self, conn => {
            sqlx::query(
                "UPDATE user_oauth_accounts SET refresh_lease = NULL, refresh_until = NULL \
                 WHERE id = $1 AND refresh_lease = $2",
            )
            .bind(account_id)
            .bind(lease)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// Declares a connection broken, if its refresh token is still the one that was refused: otherwise somebody has
    /// a newer one. `then` tells the person, in the same transaction. `false` if nothing was changed.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn declare_broken(
        &self,
        account_id: Uuid,
        row: &TokenRow,
        reason: ReconnectReason,
        since: DateTime<Utc>,
        then: &[NewJob],
    ) -> Result<bool, StoreError> {
        let is_broken = tx!(self, conn => {
            let changed = sqlx::query(
                "UPDATE user_oauth_accounts SET state = 'needs_reconnect', state_reason = $3, state_since = $4, \
                 refresh_lease = NULL, refresh_until = NULL, updated_at = $4 \
                 WHERE id = $1 AND refresh_token = $2 AND state = 'active'",
            )
            .bind(account_id)
            .bind(&row.0)
            .bind(reason.as_str())
            .bind(since)
            .execute(&mut *conn)
            .await?;
            let is_broken = changed.rows_affected() == 1;
            if is_broken {
                for job in then {
                    add_job!(self.clock, conn, job);
                }
            }
            Ok(is_broken)
        })?;
        self.wake_workers();
        Ok(is_broken)
    }

    /// The next accounts whose access token has run out by `by`, in the order of their ids, after `after`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn accounts_to_refresh(
        &self,
        by: DateTime<Utc>,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Uuid>, StoreError> {
        let rows: Vec<(Uuid,)> = read!(self, db => {
            sqlx::query_as(
                "SELECT id FROM user_oauth_accounts WHERE state = 'active' AND access_expires_at <= $1 \
                 AND id > $2 ORDER BY id LIMIT $3",
            )
            .bind(by)
            .bind(after.unwrap_or(Uuid::nil()))
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The account, if it has been broken since then and still is.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn broken_account(
        &self,
        account_id: Uuid,
        since: DateTime<Utc>,
    ) -> Result<Option<Account>, StoreError> {
        let user: Option<(Uuid,)> = read!(self, db => {
            sqlx::query_as(
                "SELECT user_id FROM user_oauth_accounts WHERE id = $1 AND state = 'needs_reconnect' \
                 AND state_since = $2",
            )
            .bind(account_id)
            .bind(since)
            .fetch_optional(db)
            .await
        })?;
        let Some((user_id,)) = user else {
            return Ok(None);
        };
        let accounts = self.accounts(user_id).await?;
        Ok(accounts
            .into_iter()
            .find(|account| account.id == account_id))
    }

    /// The names of the keys that stored tokens are sealed with, and how many rows hang on each.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn keys_in_use(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let sealed = self.sealed_tokens().await?;
        let mut count: HashMap<String, u64> = HashMap::new();
        for (_, value) in &sealed {
            let id = crate::keyring::key_of(value).unwrap_or("?").to_owned();
            *count.entry(id).or_default() += 1;
        }
        let mut count: Vec<_> = count.into_iter().collect();
        count.sort();
        Ok(count)
    }

    /// Seals every stored token with the current key, and returns how many were sealed anew. A token that changes
    /// meanwhile is sealed with the current key by whoever changes it.
    ///
    /// # Errors
    /// The database does not answer, or a token cannot be opened.
    pub async fn rotate_keys(&self) -> Result<u64, StoreError> {
        let mut renewed = 0;
        for (place, old) in self.sealed_tokens().await? {
            let Place { table, column, row } = place;
            let renewed_token = self.keys()?.renew(place, &old);
            let new = renewed_token.map_err(|problem| StoreError::Sealed {
                table,
                column,
                row,
                problem,
            })?;
            let Some(new) = new else { continue };
            let sql = match (table, column) {
                (TABLE, "access_token") => {
                    "UPDATE user_oauth_accounts SET access_token = $2 WHERE id = $1 AND access_token = $3"
                }
                (TABLE, _) => {
                    "UPDATE user_oauth_accounts SET refresh_token = $2 WHERE id = $1 AND refresh_token = $3"
                }
                (_, "bot_token") => {
                    "UPDATE slack_integrations SET bot_token = $2 WHERE id = $1 AND bot_token = $3"
                }
                _ => {
                    "UPDATE slack_integrations SET refresh_token = $2 WHERE id = $1 AND refresh_token = $3"
                }
            };
            tx!(self, conn => {
                sqlx::query(sql).bind(row).bind(&new).bind(&old).execute(&mut *conn).await?;
                Ok(())
            })?;
            renewed += 1;
        }
        Ok(renewed)
    }

    async fn sealed_tokens(&self) -> Result<Vec<(Place, String)>, StoreError> {
        type Rows = Vec<(Uuid, Option<String>, Option<String>)>;
        let accounts: Rows = read!(self, db => {
            sqlx::query_as("SELECT id, access_token, refresh_token FROM user_oauth_accounts ORDER BY id")
                .fetch_all(db)
                .await
        })?;
        let installs: Rows = read!(self, db => {
            sqlx::query_as("SELECT id, bot_token, refresh_token FROM slack_integrations ORDER BY id")
                .fetch_all(db)
                .await
        })?;
        let accounts = accounts.into_iter().flat_map(|(id, access, refresh)| {
            [
                (place("access_token", id), access),
                (place("refresh_token", id), refresh),
            ]
        });
        let installs = installs.into_iter().flat_map(|(id, bot, refresh)| {
            [
                (installs::place("bot_token", id), bot),
                (installs::place("refresh_token", id), refresh),
            ]
        });
        let all = accounts.chain(installs);
        Ok(all
            .filter_map(|(place, value)| Some((place, value?)))
            .collect())
    }
}
