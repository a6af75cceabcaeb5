//! Links that were given out, errands of browsers that are under way at a provider, and grants that wait for a code.
//!
//! Each works once, for a few minutes, and is kept by its digest only: whoever reads the database can use none.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::{Store, StoreError, read, tx};
use crate::{
    domain::provider::Provider,
    keyring::{Keyring, Place},
};

/// How many errands of one person may be under way at once.
const UNDER_WAY: i64 = 10;

/// How much the clocks of two replicas may differ: what has run out for one may work for the other as long.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::hours(1);

/// A SHA-256 digest.
type Digest = [u8; 32];

/// A link that a person was given in Slack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkIntent {
    /// Its row.
    pub id: Uuid,
    /// For whom it is.
    pub binding_id: Uuid,
    /// What is to be connected.
    pub provider: Provider,
    /// The account that is to be connected again, where it is about one.
    pub account_id: Option<Uuid>,
}

/// An errand of a browser that is about to leave.
#[derive(Clone, Debug)]
pub struct NewErrand<'a> {
    /// The digest of the state that it comes back with.
    pub state_hash: Digest,
    /// Where it goes.
    pub provider: Provider,
    /// For whom.
    pub binding_id: Uuid,
    /// The digest of the browser's cookie; `None` for a program, which shows its token when it comes back.
    pub browser_hash: Option<Digest>,
    /// Where it comes back to.
    pub redirect_uri: &'a str,
    /// What only the errand's end may know, as JSON.
    pub secrets: &'a SecretString,
    /// Until when it may come back.
    pub expires_at: DateTime<Utc>,
}

/// An errand that has come back. It is used up.
#[derive(Clone, Debug)]
pub struct Errand {
    /// Where it went.
    pub provider: String,
    /// For whom it was.
    pub binding_id: Uuid,
    /// The digest of the cookie of the browser it left from.
    pub browser_hash: Option<Vec<u8>>,
    /// Where it was to come back to.
    pub redirect_uri: String,
    /// What only its end may know, as JSON.
    pub secrets: SecretString,
}

/// What came of a code that was typed.
#[derive(Clone, Debug)]
pub enum Parked {
    /// It is the right one; the grant is no longer stored.
    Grant(Provider, SecretString),
    /// It is not; so many tries are left.
    Wrong(u32),
    /// Nothing waits for a code of this person's.
    Nothing,
}

#[derive(sqlx::FromRow)]
struct ErrandRow {
    id: Uuid,
    provider: String,
    binding_id: Uuid,
    browser_hash: Option<Vec<u8>>,
    redirect_uri: String,
    secrets: String,
}

#[derive(sqlx::FromRow)]
struct ParkedRow {
    id: Uuid,
    provider: String,
    code_hash: Vec<u8>,
    sealed: String,
    tries_left: i32,
}

const fn secrets_of(row: Uuid) -> Place {
    Place {
        table: "oauth_states",
        column: "secrets",
        row,
    }
}

const fn parked(row: Uuid) -> Place {
    Place {
        table: "parked_grants",
        column: "sealed",
        row,
    }
}

/// Inserts an errand inside a transaction.
macro_rules! add_errand {
    ($clock:expr, $keys:expr, $conn:ident, $errand:expr) => {{
        let (keys, errand): (&Keyring, &NewErrand<'_>) = ($keys, $errand);
        let id = $clock.new_id();
        // A few may be under way at once; whoever begins more gives up the oldest.
        sqlx::query(
            "DELETE FROM oauth_states WHERE binding_id = $1 AND id NOT IN \
             (SELECT id FROM oauth_states WHERE binding_id = $1 ORDER BY id DESC LIMIT $2)",
        )
        .bind(errand.binding_id)
        .bind(UNDER_WAY - 1)
        .execute(&mut *$conn)
        .await?;
        sqlx::query(
            "INSERT INTO oauth_states (id, state_hash, provider, binding_id, browser_hash, redirect_uri, secrets, \
             expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(id)
        .bind(errand.state_hash.to_vec())
        .bind(errand.provider.as_str())
        .bind(errand.binding_id)
        .bind(errand.browser_hash.map(|hash| hash.to_vec()))
        .bind(errand.redirect_uri)
        .bind(keys.seal(secrets_of(id), errand.secrets.expose_secret()))
        .bind(errand.expires_at)
        .bind($clock.now())
        .execute(&mut *$conn)
        .await?;
    }};
}

impl Store {
    /// Notes a link. The person's older ones for this provider work no longer.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn add_link_intent(
        &self,
        token_hash: Digest,
        binding_id: Uuid,
        provider: Provider,
        account_id: Option<Uuid>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            // One a person and provider, however often it is asked for.
            sqlx::query("DELETE FROM link_intents WHERE binding_id = $1 AND provider = $2")
                .bind(binding_id)
                .bind(provider.as_str())
                .execute(&mut *conn)
                .await?;
            sqlx::query(
                "INSERT INTO link_intents (id, token_hash, binding_id, provider, account_id, expires_at, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(self.clock.new_id())
            .bind(token_hash.to_vec())
            .bind(binding_id)
            .bind(provider.as_str())
            .bind(account_id)
            .bind(expires_at)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// The link with this digest, if it still works. Looking uses nothing up.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn link_intent(&self, token_hash: Digest) -> Result<Option<LinkIntent>, StoreError> {
        let now = self.clock.now();
        let row: Option<(Uuid, Uuid, String, Option<Uuid>)> = read!(self, db => {
            sqlx::query_as(
                "SELECT id, binding_id, provider, account_id FROM link_intents \
                 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
            )
            .bind(token_hash.to_vec())
            .bind(now)
            .fetch_optional(db)
            .await
        })?;
        row.map(|(id, binding_id, provider, account_id)| {
            let provider = Provider::from_name(&provider).ok_or_else(|| {
                StoreError::unreadable("link_intents", "provider", id, format!("“{provider}”"))
            })?;
            Ok(LinkIntent {
                id,
                binding_id,
                provider,
                account_id,
            })
        })
        .transpose()
    }

    /// Uses a link up and notes the errand it starts, both or neither; `false` if it was used up already.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn use_link_intent(
        &self,
        intent_id: Uuid,
        errand: &NewErrand<'_>,
    ) -> Result<bool, StoreError> {
        let keys = self.keys()?;
        let now = self.clock.now();
        tx!(self, conn => {
            let used = sqlx::query(
                "UPDATE link_intents SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2",
            )
            .bind(intent_id)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            if used.rows_affected() != 1 {
                return Ok(false);
            }
            add_errand!(self.clock, keys, conn, errand);
            Ok(true)
        })
    }

    /// Notes an errand.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn add_errand(&self, errand: &NewErrand<'_>) -> Result<(), StoreError> {
        let keys = self.keys()?;
        tx!(self, conn => {
            add_errand!(self.clock, keys, conn, errand);
            Ok(())
        })
    }

    /// The errand that comes back with this state. It is used up by this, whatever becomes of it: of two that come
    /// back with one state, one gets it.
    ///
    /// # Errors
    /// The database does not answer, or what is sealed in it cannot be opened.
    pub async fn take_errand(&self, state_hash: Digest) -> Result<Option<Errand>, StoreError> {
        let now = self.clock.now();
        let row: Option<ErrandRow> = tx!(self, conn => {
            let row = sqlx::query_as(
                "UPDATE oauth_states SET used_at = $2 WHERE state_hash = $1 AND used_at IS NULL AND expires_at > $2 \
                 RETURNING id, provider, binding_id, browser_hash, redirect_uri, secrets",
            )
            .bind(state_hash.to_vec())
            .bind(now)
            .fetch_optional(&mut *conn)
            .await?;
            Ok(row)
        })?;
        row.map(|row| {
            Ok(Errand {
                secrets: self.unsealed(secrets_of(row.id), &row.secrets)?,
                provider: row.provider,
                binding_id: row.binding_id,
                browser_hash: row.browser_hash,
                redirect_uri: row.redirect_uri,
            })
        })
        .transpose()
    }

    /// Uses up a state that stands for itself: one that is sealed, and kept nowhere before it comes back. `digest` is of
    /// what makes it the one it is, `expires_at` when it stops working anyway. `false` if it was used before, or has
    /// stopped.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn use_state(
        &self,
        digest: Digest,
        expires_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        if expires_at <= now {
            return Ok(false);
        }
        tx!(self, conn => {
            sqlx::query("DELETE FROM used_states WHERE expires_at <= $1")
                .bind(now - CLOCKS_DIFFER)
                .execute(&mut *conn)
                .await?;
            let used = sqlx::query(
                "INSERT INTO used_states (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
            )
            .bind(digest.to_vec())
            .bind(expires_at)
            .execute(&mut *conn)
            .await?;
            Ok(used.rows_affected() == 1)
        })
    }

    /// Keeps a grant until its code is typed in Slack by the person it is for. An older one is dropped.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn park_grant(
        &self,
        binding_id: Uuid,
        provider: Provider,
        code_hash: Digest,
        grant: &SecretString,
        tries: u32,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let keys = self.keys()?;
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query("DELETE FROM parked_grants WHERE binding_id = $1")
                .bind(binding_id)
                .execute(&mut *conn)
                .await?;
            let id = self.clock.new_id();
            sqlx::query(
                "INSERT INTO parked_grants (id, binding_id, provider, code_hash, sealed, tries_left, expires_at, \
                 created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(id)
            .bind(binding_id)
            .bind(provider.as_str())
            .bind(code_hash.to_vec())
            .bind(keys.seal(parked(id), grant.expose_secret()))
            .bind(i32::try_from(tries).unwrap_or(i32::MAX))
            .bind(expires_at)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// Takes the grant that waits for this code. A wrong code uses up a try, and the last one the grant.
    /// `is_same` compares digests in constant time.
    ///
    /// # Errors
    /// The database does not answer, or the grant cannot be opened.
    pub async fn take_parked(
        &self,
        binding_id: Uuid,
        is_same: impl Fn(&[u8]) -> bool,
    ) -> Result<Parked, StoreError> {
        let now = self.clock.now();
        let outcome: Result<ParkedRow, Option<u32>> = tx!(self, conn => {
            // Counted before it is looked at, so that many tries at once are many tries.
            let row: Option<ParkedRow> = sqlx::query_as(
                "UPDATE parked_grants SET tries_left = tries_left - 1 WHERE binding_id = $1 AND expires_at > $2 \
                 AND tries_left > 0 RETURNING id, provider, code_hash, sealed, tries_left",
            )
            .bind(binding_id)
            .bind(now)
            .fetch_optional(&mut *conn)
            .await?;
            let Some(row) = row else {
                return Ok(Err(None));
            };
            let is_right = is_same(&row.code_hash);
            if is_right || row.tries_left == 0 {
                sqlx::query("DELETE FROM parked_grants WHERE id = $1").bind(row.id).execute(&mut *conn).await?;
            }
            Ok(if is_right {
                Ok(row)
            } else {
                Err(Some(u32::try_from(row.tries_left).unwrap_or(0)))
            })
        })?;
        Ok(match outcome {
            Ok(row) => {
                let provider = Provider::from_name(&row.provider).ok_or_else(|| {
                    let problem = format!("“{}”", row.provider);
                    StoreError::unreadable("parked_grants", "provider", row.id, problem)
                })?;
                Parked::Grant(provider, self.unsealed(parked(row.id), &row.sealed)?)
            }
            Err(Some(tries)) => Parked::Wrong(tries),
            Err(None) => Parked::Nothing,
        })
    }

    /// Removes links, errands, parked grants and sessions that ran out more than `age` ago.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_errands_older_than(&self, age: TimeDelta) -> Result<(), StoreError> {
        let before = self.clock.now() - age;
        tx!(self, conn => {
            for sql in [
                "DELETE FROM link_intents WHERE expires_at < $1",
                "DELETE FROM oauth_states WHERE expires_at < $1",
                "DELETE FROM sessions WHERE expires_at < $1",
            ] {
                sqlx::query(sql).bind(before).execute(&mut *conn).await?;
            }
            // These hold tokens, and nothing can be done with them any more.
            sqlx::query("DELETE FROM parked_grants WHERE expires_at < $1")
                .bind(self.clock.now())
                .execute(&mut *conn)
                .await?;
            Ok(())
        })
    }
}
