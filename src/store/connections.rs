//! Accounts at Google and Microsoft, their sealed tokens, and their calendars.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{NewJob, Store, StoreError, jobs::add_job, read, tx};
use crate::{
    domain::{
        calendar::{Account, AccountState, Calendar, ListedCalendar, ReconnectReason},
        provider::Provider,
    },
    keyring::Place,
};

const TABLE: &str = "user_oauth_accounts";

const fn place(column: &'static str, row: Uuid) -> Place {
    Place {
        table: TABLE,
        column,
        row,
    }
}

/// An account that was just granted.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// Whose it is.
    pub user_id: Uuid,
    /// Where it is.
    pub provider: Provider,
    /// Who it is there, by ids that do not change hands.
    pub subject: &'a str,
    /// The address to show.
    pub email: &'a str,
    /// What was granted, separated by spaces.
    pub scopes: &'a str,
    /// For requests.
    pub access: &'a SecretString,
    /// For new tokens.
    pub refresh: &'a SecretString,
    /// When the access token stops working.
    pub expires_at: DateTime<Utc>,
}

/// What became of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedAccount {
    /// The account's row.
    pub id: Uuid,
    /// How it stood before; `None` where the account is new.
    pub before: Option<AccountState>,
}

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
struct AccountRow {
    id: Uuid,
    user_id: Uuid,
    provider: String,
    email: String,
    state: String,
    state_reason: Option<String>,
    state_since: DateTime<Utc>,
}

#[expect(clippy::struct_excessive_bools, reason = "as the columns of the table")]
#[derive(sqlx::FromRow)]
struct CalendarRow {
    id: Uuid,
    oauth_account_id: Uuid,
    provider_calendar_id: String,
    calendar_name: String,
    is_primary: bool,
    has_details: bool,
    is_active: bool,
    sync_enabled: bool,
    gone_at: Option<DateTime<Utc>>,
    last_synced_at: Option<DateTime<Utc>>,
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

fn provider_of(row: Uuid, name: &str) -> Result<Provider, StoreError> {
    Provider::from_name(name)
        .ok_or_else(|| StoreError::unreadable(TABLE, "provider", row, format!("“{name}”")))
}

fn state_of(row: Uuid, name: &str) -> Result<AccountState, StoreError> {
    AccountState::from_name(name)
        .ok_or_else(|| StoreError::unreadable(TABLE, "state", row, format!("“{name}”")))
}

impl From<CalendarRow> for Calendar {
    fn from(row: CalendarRow) -> Self {
        Self {
            id: row.id,
            account_id: row.oauth_account_id,
            provider_calendar_id: row.provider_calendar_id,
            name: row.calendar_name,
            is_primary: row.is_primary,
            has_details: row.has_details,
            is_active: row.is_active,
            sync_enabled: row.sync_enabled,
            gone_at: row.gone_at,
            last_synced_at: row.last_synced_at,
        }
    }
}

/// The calendars of an account, inside a transaction: what is listed is noted, what is new and the person's own is
/// read from now on, what is no longer listed is marked. What was chosen before stays chosen.
macro_rules! note_calendars {
    ($clock:expr, $conn:ident, $user_id:expr, $provider:expr, $account:expr, $listed:expr) => {{
        let (account, now): (Uuid, DateTime<Utc>) = ($account, $clock.now());
        let listed: &[ListedCalendar] = $listed;
        sqlx::query(
            "UPDATE calendar_integrations SET gone_at = COALESCE(gone_at, $2), updated_at = $2 \
             WHERE oauth_account_id = $1",
        )
        .bind(account)
        .bind(now)
        .execute(&mut *$conn)
        .await?;
        for calendar in listed {
            let is_read = calendar.is_own && calendar.has_details;
            sqlx::query(
                "INSERT INTO calendar_integrations (id, user_id, oauth_account_id, provider, \
                 provider_calendar_id, calendar_name, is_primary, has_details, is_active, sync_enabled, \
                 created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $10) \
                 ON CONFLICT (oauth_account_id, provider_calendar_id) DO UPDATE SET \
                 calendar_name = excluded.calendar_name, is_primary = excluded.is_primary, \
                 has_details = excluded.has_details, gone_at = NULL, updated_at = excluded.updated_at",
            )
            .bind($clock.new_id())
            .bind($user_id)
            .bind(account)
            .bind($provider.as_str())
            .bind(&calendar.provider_calendar_id)
            .bind(&calendar.name)
            .bind(calendar.is_primary)
            .bind(calendar.has_details)
            .bind(is_read)
            .bind(now)
            .execute(&mut *$conn)
            .await?;
        }
    }};
}

impl Store {
    /// Stores what was granted, sealed, and the account's calendars. An account that was connected before keeps its
    /// id, its calendars and what was chosen of them. `then` says what has to follow, in the same transaction.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn save_account(
        &self,
        new: &NewAccount<'_>,
        calendars: &[ListedCalendar],
        then: impl Fn(SavedAccount) -> Vec<NewJob>,
    ) -> Result<SavedAccount, StoreError> {
        let keys = self.keys()?;
        let now = self.clock.now();
        let saved = tx!(self, conn => {
            // Taken first, so that two browsers that connect one account at once come one after the other.
            sqlx::query("UPDATE users SET updated_at = $2 WHERE id = $1")
                .bind(new.user_id)
                .bind(now)
                .execute(&mut *conn)
                .await?;
            let known: Option<(Uuid, String)> = sqlx::query_as(
                "SELECT id, state FROM user_oauth_accounts WHERE user_id = $1 AND provider = $2 AND subject = $3",
            )
            .bind(new.user_id)
            .bind(new.provider.as_str())
            .bind(new.subject)
            .fetch_optional(&mut *conn)
            .await?;
            let (id, before) = match known {
                Some((id, state)) => (id, Some(state_of(id, &state)?)),
                None => {
                    let id = self.clock.new_id();
                    sqlx::query(
                        "INSERT INTO user_oauth_accounts (id, user_id, provider, subject, email, scopes, state, \
                         state_since, told, refreshed_at, created_at, updated_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, 0, $7, $7, $7)",
                    )
                    .bind(id)
                    .bind(new.user_id)
                    .bind(new.provider.as_str())
                    .bind(new.subject)
                    .bind(new.email)
                    .bind(new.scopes)
                    .bind(now)
                    .execute(&mut *conn)
                    .await?;
                    (id, None)
                }
            };
            sqlx::query(
                "UPDATE user_oauth_accounts SET email = $2, scopes = $3, access_token = $4, refresh_token = $5, \
                 access_expires_at = $6, state_since = CASE WHEN state = 'active' THEN state_since ELSE $7 END, \
                 state = 'active', state_reason = NULL, told = 0, refresh_lease = NULL, refresh_until = NULL, \
                 refreshed_at = $7, updated_at = $7 WHERE id = $1",
            )
            .bind(id)
            .bind(new.email)
            .bind(new.scopes)
            .bind(keys.seal(place("access_token", id), new.access.expose_secret()))
            .bind(keys.seal(place("refresh_token", id), new.refresh.expose_secret()))
            .bind(new.expires_at)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            note_calendars!(self.clock, conn, new.user_id, new.provider, id, calendars);
            let saved = SavedAccount { id, before };
            for job in then(saved) {
                add_job!(self.clock, conn, &job);
            }
            Ok(saved)
        })?;
        self.job_added.notify_one();
        Ok(saved)
    }

    /// Notes what an account's list of calendars says now. The list must be whole.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_calendars(
        &self,
        user_id: Uuid,
        account_id: Uuid,
        provider: Provider,
        listed: &[ListedCalendar],
    ) -> Result<(), StoreError> {
        tx!(self, conn => {
            let is_theirs: Option<(Uuid,)> = sqlx::query_as(
                "SELECT id FROM user_oauth_accounts WHERE id = $1 AND user_id = $2 AND state <> 'disconnected'",
            )
            .bind(account_id)
            .bind(user_id)
            .fetch_optional(&mut *conn)
            .await?;
            if is_theirs.is_some() {
                note_calendars!(self.clock, conn, user_id, provider, account_id, listed);
            }
            Ok(())
        })
    }

    /// The person's accounts that are connected, or were until they broke, with their calendars: the one connected
    /// first comes first.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn accounts(&self, user_id: Uuid) -> Result<Vec<Account>, StoreError> {
        let rows: Vec<AccountRow> = read!(self, db => {
            sqlx::query_as(
                "SELECT id, user_id, provider, email, state, state_reason, state_since FROM user_oauth_accounts \
                 WHERE user_id = $1 AND state <> 'disconnected' ORDER BY id",
            )
            .bind(user_id)
            .fetch_all(db)
            .await
        })?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let calendars: Vec<CalendarRow> = read!(self, db => {
            sqlx::query_as(
                "SELECT id, oauth_account_id, provider_calendar_id, calendar_name, is_primary, has_details, \
                 is_active, sync_enabled, gone_at, last_synced_at FROM calendar_integrations WHERE user_id = $1 \
                 ORDER BY is_primary DESC, calendar_name, id",
            )
            .bind(user_id)
            .fetch_all(db)
            .await
        })?;
        let mut by_account: HashMap<Uuid, Vec<Calendar>> = HashMap::new();
        for row in calendars {
            by_account
                .entry(row.oauth_account_id)
                .or_default()
                .push(row.into());
        }
        rows.into_iter()
            .map(|row| {
                Ok(Account {
                    provider: provider_of(row.id, &row.provider)?,
                    state: state_of(row.id, &row.state)?,
                    reason: row.state_reason.as_deref().map(ReconnectReason::from_name),
                    calendars: by_account.remove(&row.id).unwrap_or_default(),
                    id: row.id,
                    user_id: row.user_id,
                    email: row.email,
                    state_since: row.state_since,
                })
            })
            .collect()
    }

    /// Chooses which calendars of an account are read. `chosen` holds ids of calendars; one that is not the
    /// account's changes nothing. Returns `false` if the account is not the person's.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn choose_calendars(
        &self,
        user_id: Uuid,
        account_id: Uuid,
        chosen: &[Uuid],
        then: &[NewJob],
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let is_theirs = tx!(self, conn => {
            let account: Option<(Uuid,)> = sqlx::query_as(
                "SELECT id FROM user_oauth_accounts WHERE id = $1 AND user_id = $2 AND state <> 'disconnected'",
            )
            .bind(account_id)
            .bind(user_id)
            .fetch_optional(&mut *conn)
            .await?;
            if account.is_none() {
                return Ok(false);
            }
            let calendars: Vec<(Uuid, bool)> = sqlx::query_as(
                "SELECT id, is_active FROM calendar_integrations WHERE oauth_account_id = $1 AND user_id = $2",
            )
            .bind(account_id)
            .bind(user_id)
            .fetch_all(&mut *conn)
            .await?;
            for (id, was_active) in calendars {
                let is_active = chosen.contains(&id);
                if is_active != was_active {
                    sqlx::query(
                        "UPDATE calendar_integrations SET is_active = $2, sync_enabled = $2, updated_at = $3 \
                         WHERE id = $1",
                    )
                    .bind(id)
                    .bind(is_active)
                    .bind(now)
                    .execute(&mut *conn)
                    .await?;
                }
            }
            for job in then {
                add_job!(self.clock, conn, job);
            }
            Ok(true)
        })?;
        self.job_added.notify_one();
        Ok(is_theirs)
    }

    /// Has one calendar of an account read, and scheduled, from now on. Returns its id, or `None` if the account is
    /// not the person's or has no such calendar.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn select_calendar(
        &self,
        user_id: Uuid,
        account_id: Uuid,
        provider_calendar_id: &str,
        then: &[NewJob],
    ) -> Result<Option<Uuid>, StoreError> {
        let now = self.clock.now();
        let selected = tx!(self, conn => {
            let selected: Option<(Uuid,)> = sqlx::query_as(
                "UPDATE calendar_integrations SET is_active = TRUE, sync_enabled = TRUE, updated_at = $4 \
                 WHERE oauth_account_id = $1 AND user_id = $2 AND provider_calendar_id = $3 AND oauth_account_id IN \
                 (SELECT id FROM user_oauth_accounts WHERE user_id = $2 AND state <> 'disconnected') RETURNING id",
            )
            .bind(account_id)
            .bind(user_id)
            .bind(provider_calendar_id)
            .bind(now)
            .fetch_optional(&mut *conn)
            .await?;
            for job in then.iter().filter(|_| selected.is_some()) {
                add_job!(self.clock, conn, job);
            }
            Ok(selected.map(|(id,)| id))
        })?;
        self.job_added.notify_one();
        Ok(selected)
    }

    /// Disconnects an account: its tokens are wiped, its calendars are no longer read but keep what was chosen.
    /// Returns the refresh token to give back, if nobody else's connection hangs on the same grant; `None` if
    /// there is no such account of the person's.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn disconnect(
        &self,
        user_id: Uuid,
        account_id: Uuid,
        then: Option<&NewJob>,
    ) -> Result<Option<Option<SecretString>>, StoreError> {
        let now = self.clock.now();
        let sealed: Option<(Option<String>, i64)> = tx!(self, conn => {
            let found: Option<(Option<String>, i64)> = sqlx::query_as(
                "SELECT a.refresh_token, (SELECT COUNT(*) FROM user_oauth_accounts other WHERE \
                 other.provider = a.provider AND other.subject = a.subject AND other.id <> a.id \
                 AND other.state <> 'disconnected') FROM user_oauth_accounts a \
                 WHERE a.id = $1 AND a.user_id = $2 AND a.state <> 'disconnected'",
            )
            .bind(account_id)
            .bind(user_id)
            .fetch_optional(&mut *conn)
            .await?;
            if found.is_some() {
                sqlx::query(
                    "UPDATE user_oauth_accounts SET state = 'disconnected', state_reason = NULL, state_since = $2, \
                     access_token = NULL, refresh_token = NULL, access_expires_at = NULL, refresh_lease = NULL, \
                     refresh_until = NULL, updated_at = $2 WHERE id = $1",
                )
                .bind(account_id)
                .bind(now)
                .execute(&mut *conn)
                .await?;
                if let Some(job) = then {
                    add_job!(self.clock, conn, job);
                }
            }
            Ok(found)
        })?;
        self.job_added.notify_one();
        let Some((sealed, others)) = sealed else {
            return Ok(None);
        };
        let sealed = sealed.filter(|_| others == 0);
        // A token that cannot be opened cannot be given back; it is gone all the same.
        Ok(Some(sealed.and_then(|sealed| {
            self.unsealed(place("refresh_token", account_id), &sealed)
                .ok()
        })))
    }

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
                 told = 0, refresh_lease = NULL, refresh_until = NULL, updated_at = $4 \
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
        self.job_added.notify_one();
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

    /// The person's binding and the account, if message number `nth` about its being broken since `since` is still
    /// to be sent.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn broken_account(
        &self,
        account_id: Uuid,
        since: DateTime<Utc>,
        nth: i32,
    ) -> Result<Option<Account>, StoreError> {
        let user: Option<(Uuid,)> = read!(self, db => {
            sqlx::query_as(
                "SELECT user_id FROM user_oauth_accounts WHERE id = $1 AND state = 'needs_reconnect' \
                 AND state_since = $2 AND told = $3",
            )
            .bind(account_id)
            .bind(since)
            .bind(nth)
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

    /// The person was told for the `nth` time (counted from 0) that a connection is broken.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_told(&self, account_id: Uuid, nth: i32) -> Result<(), StoreError> {
        tx!(self, conn => {
            sqlx::query("UPDATE user_oauth_accounts SET told = $2 + 1 WHERE id = $1 AND told = $2")
                .bind(account_id)
                .bind(nth)
                .execute(&mut *conn)
                .await?;
            Ok(())
        })
    }

    /// The binding through which a person is reached.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn binding_of(&self, user_id: Uuid) -> Result<Option<Uuid>, StoreError> {
        let row: Option<(Uuid,)> = read!(self, db => {
            sqlx::query_as("SELECT id FROM slack_user_bindings WHERE user_id = $1 ORDER BY id LIMIT 1")
                .bind(user_id)
                .fetch_optional(db)
                .await
        })?;
        Ok(row.map(|(id,)| id))
    }

    /// How many accounts stand how, by provider, state and what was granted.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn account_counts(
        &self,
    ) -> Result<Vec<(Provider, AccountState, String, i64)>, StoreError> {
        let rows: Vec<(String, String, String, i64)> = read!(self, db => {
            sqlx::query_as(
                "SELECT provider, state, scopes, COUNT(*) FROM user_oauth_accounts WHERE state <> 'disconnected' \
                 GROUP BY provider, state, scopes ORDER BY provider, state, scopes",
            )
            .fetch_all(db)
            .await
        })?;
        rows.into_iter()
            .map(|(provider, state, scopes, count)| {
                let nobody = Uuid::nil();
                let provider = provider_of(nobody, &provider)?;
                Ok((provider, state_of(nobody, &state)?, scopes, count))
            })
            .collect()
    }

    /// How many calendars are chosen that their accounts no longer show.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn gone_calendars(&self) -> Result<i64, StoreError> {
        let (count,): (i64,) = read!(self, db => {
            sqlx::query_as(
                "SELECT COUNT(*) FROM calendar_integrations c JOIN user_oauth_accounts a ON a.id = c.oauth_account_id \
                 WHERE c.is_active AND c.gone_at IS NOT NULL AND a.state <> 'disconnected'",
            )
            .fetch_one(db)
            .await
        })?;
        Ok(count)
    }

    /// The names of the keys that stored tokens are sealed with, and how many rows hang on each.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn keys_in_use(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let sealed = self.sealed_tokens().await?;
        let mut count: HashMap<String, u64> = HashMap::new();
        for (_, _, value) in &sealed {
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
        for (id, column, old) in self.sealed_tokens().await? {
            let new = self
                .keys()?
                .renew(place(column, id), &old)
                .map_err(|problem| StoreError::Sealed {
                    table: TABLE,
                    column,
                    row: id,
                    problem,
                })?;
            let Some(new) = new else { continue };
            let sql = match column {
                "access_token" => {
                    "UPDATE user_oauth_accounts SET access_token = $2 WHERE id = $1 AND access_token = $3"
                }
                _ => {
                    "UPDATE user_oauth_accounts SET refresh_token = $2 WHERE id = $1 AND refresh_token = $3"
                }
            };
            tx!(self, conn => {
                sqlx::query(sql).bind(id).bind(&new).bind(&old).execute(&mut *conn).await?;
                Ok(())
            })?;
            renewed += 1;
        }
        Ok(renewed)
    }

    async fn sealed_tokens(&self) -> Result<Vec<(Uuid, &'static str, String)>, StoreError> {
        let rows: Vec<(Uuid, Option<String>, Option<String>)> = read!(self, db => {
            sqlx::query_as("SELECT id, access_token, refresh_token FROM user_oauth_accounts ORDER BY id")
                .fetch_all(db)
                .await
        })?;
        Ok(rows
            .into_iter()
            .flat_map(|(id, access, refresh)| {
                [("access_token", access), ("refresh_token", refresh)]
                    .into_iter()
                    .filter_map(move |(column, value)| Some((id, column, value?)))
            })
            .collect())
    }
}
