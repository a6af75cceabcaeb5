//! Accounts at Google and Microsoft, and their calendars.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{NewJob, Store, StoreError, audit::note_change, jobs::add_job, read, tx};
use crate::{
    domain::{
        calendar::{Account, AccountState, Calendar, ListedCalendar, ReconnectReason},
        provider::Provider,
        workspace::AuditSubject,
    },
    keyring::Place,
};

pub(super) const TABLE: &str = "user_oauth_accounts";

pub(super) const fn place(column: &'static str, row: Uuid) -> Place {
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

#[derive(sqlx::FromRow)]
pub(super) struct AccountRow {
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
pub(super) struct CalendarRow {
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
    next_attempt_at: Option<DateTime<Utc>>,
}

pub(super) fn provider_of(row: Uuid, name: &str) -> Result<Provider, StoreError> {
    Provider::from_name(name)
        .ok_or_else(|| StoreError::unreadable(TABLE, "provider", row, format!("“{name}”")))
}

pub(super) fn state_of(row: Uuid, name: &str) -> Result<AccountState, StoreError> {
    AccountState::from_name(name)
        .ok_or_else(|| StoreError::unreadable(TABLE, "state", row, format!("“{name}”")))
}

/// The accounts of `$1` that are not given up, the one connected first comes first.
pub(super) const ACCOUNTS: &str = "SELECT id, user_id, provider, email, state, state_reason, state_since \
     FROM user_oauth_accounts WHERE user_id = $1 AND state <> 'disconnected' ORDER BY id";

/// All calendars of `$1`.
pub(super) const CALENDARS: &str = "SELECT id, oauth_account_id, provider_calendar_id, calendar_name, is_primary, \
     has_details, is_active, sync_enabled, gone_at, last_synced_at, next_attempt_at \
     FROM calendar_integrations WHERE user_id = $1 ORDER BY is_primary DESC, calendar_name, id";

/// The accounts, each with its calendars.
pub(super) fn accounts_of(
    rows: Vec<AccountRow>,
    calendars: Vec<CalendarRow>,
) -> Result<Vec<Account>, StoreError> {
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
            next_attempt_at: row.next_attempt_at,
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
                         state_since, refreshed_at, created_at, updated_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $7, $7, $7)",
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
                 state = 'active', state_reason = NULL, refresh_lease = NULL, refresh_until = NULL, \
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
            if matches!(before, None | Some(AccountState::Disconnected)) {
                let provider = Some(new.provider.as_str());
                note_change!(self.clock, conn, "user_id" = new.user_id, AuditSubject::Calendar, None::<&str>, provider);
            }
            for job in then(saved) {
                add_job!(self.clock, conn, &job);
            }
            Ok(saved)
        })?;
        self.wake_workers();
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
            sqlx::query_as(ACCOUNTS).bind(user_id).fetch_all(db).await
        })?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let calendars: Vec<CalendarRow> = read!(self, db => {
            sqlx::query_as(CALENDARS).bind(user_id).fetch_all(db).await
        })?;
        accounts_of(rows, calendars)
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
        self.wake_workers();
        Ok(is_theirs)
    }

    /// Has the chosen calendars of an account read on schedule, or lets that rest. `false` if the account is not the
    /// person's.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn set_sync(
        &self,
        user_id: Uuid,
        account_id: Uuid,
        is_on: bool,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let changed = sqlx::query(
                "UPDATE calendar_integrations SET sync_enabled = $3, updated_at = $4 WHERE oauth_account_id = $1 \
                 AND user_id = $2 AND is_active AND oauth_account_id IN \
                 (SELECT id FROM user_oauth_accounts WHERE user_id = $2 AND state <> 'disconnected')",
            )
            .bind(account_id)
            .bind(user_id)
            .bind(is_on)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(changed.rows_affected() > 0)
        })
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
                 WHERE oauth_account_id = $1 AND user_id = $2 AND provider_calendar_id = $3 AND gone_at IS NULL \
                 AND oauth_account_id IN \
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
        self.wake_workers();
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
        let sealed: Option<(Option<String>, i64, String)> = tx!(self, conn => {
            let found: Option<(Option<String>, i64, String)> = sqlx::query_as(
                "SELECT a.refresh_token, (SELECT COUNT(*) FROM user_oauth_accounts other WHERE \
                 other.provider = a.provider AND other.subject = a.subject AND other.id <> a.id \
                 AND other.state <> 'disconnected'), a.provider FROM user_oauth_accounts a \
                 WHERE a.id = $1 AND a.user_id = $2 AND a.state <> 'disconnected'",
            )
            .bind(account_id)
            .bind(user_id)
            .fetch_optional(&mut *conn)
            .await?;
            if let Some((.., provider)) = &found {
                note_change!(self.clock, conn, "user_id" = user_id, AuditSubject::Calendar, Some(provider), None::<&str>);
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
        self.wake_workers();
        let Some((sealed, others, _)) = sealed else {
            return Ok(None);
        };
        let sealed = sealed.filter(|_| others == 0);
        // A token that cannot be opened cannot be given back; it is gone all the same.
        Ok(Some(sealed.and_then(|sealed| {
            self.unsealed(place("refresh_token", account_id), &sealed)
                .ok()
        })))
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
}
