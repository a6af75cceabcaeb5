//! Who is signed in, and which programs act for whom. Tokens are kept by their digest only.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    Store, StoreError,
    audit::note_change,
    people::{MemberRow, select_member},
    read, tx,
};
use crate::domain::{member::Member, scope::Scopes, workspace::AuditSubject};

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenSession {
    /// The session.
    pub id: Uuid,
    /// When the person signed in.
    pub created_at: DateTime<Utc>,
    /// When the browser last came, to within five minutes; `None` before it has.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Whether it is the one with the given token.
    pub is_this: bool,
}

/// A token's last use is noted once in so long.
const USE_NOTED_EVERY: TimeDelta = TimeDelta::minutes(5);

/// A SHA-256 digest.
type Digest = [u8; 32];

/// What is known of a token for programs; never the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it was last used, to within five minutes.
    pub last_used_at: Option<DateTime<Utc>>,
    /// What it allows.
    pub scopes: Scopes,
    /// When it stops working; `None` for one that works until it is taken back.
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    #[sqlx(flatten)]
    member: MemberRow,
    session_id: Uuid,
    last_used_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    #[sqlx(flatten)]
    member: MemberRow,
    token_id: Uuid,
    scopes: String,
    last_used_at: Option<DateTime<Utc>>,
}

fn is_to_be_noted(last_used_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    last_used_at.is_none_or(|at| now - at >= USE_NOTED_EVERY)
}

impl Store {
    /// Signs a browser in.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn add_session(
        &self,
        token_hash: Digest,
        binding_id: Uuid,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query(
                "INSERT INTO sessions (id, token_hash, binding_id, expires_at, created_at) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(self.clock.new_id())
            .bind(token_hash.to_vec())
            .bind(binding_id)
            .bind(expires_at)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// Whose session it is, if it has not ended and BillOps is installed in their workspace. Its use is noted.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn session(&self, token_hash: Digest) -> Result<Option<Member>, StoreError> {
        let now = self.clock.now();
        let row: Option<SessionRow> = read!(self, db => {
            sqlx::query_as(select_member!(
                "s.id AS session_id, s.last_used_at, ",
                "JOIN sessions s ON s.binding_id = b.id",
                "s.token_hash = $1 AND s.expires_at > $2 AND i.is_active"
            ))
            .bind(token_hash.to_vec())
            .bind(now)
            .fetch_optional(db)
            .await
        })?;
        let Some(row) = row else {
            return Ok(None);
        };
        if is_to_be_noted(row.last_used_at, now) {
            tx!(self, conn => {
                sqlx::query("UPDATE sessions SET last_used_at = $2 WHERE id = $1")
                    .bind(row.session_id)
                    .bind(now)
                    .execute(&mut *conn)
                    .await?;
                Ok(())
            })?;
        }
        row.member.try_into().map(Some)
    }

    /// Where a person is signed in, the latest sign-in first, at most 50; `token_hash` marks the session that asks.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn open_sessions(
        &self,
        binding_id: Uuid,
        token_hash: Digest,
    ) -> Result<Vec<OpenSession>, StoreError> {
        let now = self.clock.now();
        let sessions = read!(self, db => {
            sqlx::query_as(
                "SELECT id, created_at, last_used_at, token_hash = $3 AS is_this FROM sessions \
                 WHERE binding_id = $1 AND expires_at > $2 ORDER BY id DESC LIMIT 50",
            )
            .bind(binding_id)
            .bind(now)
            .bind(token_hash.to_vec())
            .fetch_all(db)
            .await
        })?;
        Ok(sessions)
    }

    /// Ends a session of this person's, or all of them where none is named; returns how many there were.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn end_sessions_of(
        &self,
        binding_id: Uuid,
        session_id: Option<Uuid>,
    ) -> Result<u64, StoreError> {
        tx!(self, conn => {
            let ended = sqlx::query("DELETE FROM sessions WHERE binding_id = $1 AND ($2 OR id = $3)")
                .bind(binding_id)
                .bind(session_id.is_none())
                .bind(session_id)
                .execute(&mut *conn)
                .await?;
            Ok(ended.rows_affected())
        })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn end_session(&self, token_hash: Digest) -> Result<(), StoreError> {
        tx!(self, conn => {
            sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
                .bind(token_hash.to_vec())
                .execute(&mut *conn)
                .await?;
            Ok(())
        })
    }

    /// Gives a person a token for programs, which allows this until then. The one they had before works no longer.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn add_api_token(
        &self,
        token_hash: Digest,
        binding_id: Uuid,
        scopes: Scopes,
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let revoked = sqlx::query("UPDATE api_tokens SET revoked_at = $2 WHERE binding_id = $1 AND revoked_at IS NULL")
                .bind(binding_id)
                .bind(now)
                .execute(&mut *conn)
                .await?;
            if revoked.rows_affected() > 0 {
                note_change!(self.clock, conn, "id" = binding_id, AuditSubject::ApiToken, Some("active"), None::<&str>);
            }
            note_change!(self.clock, conn, "id" = binding_id, AuditSubject::ApiToken, None::<&str>, Some("active"));
            sqlx::query(
                "INSERT INTO api_tokens (id, token_hash, binding_id, scopes, expires_at, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(self.clock.new_id())
            .bind(token_hash.to_vec())
            .bind(binding_id)
            .bind(scopes.to_string())
            .bind(expires_at)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// For whom a program with this token acts and what it may do, if it works and BillOps is installed in their
    /// workspace. Its use is noted.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn api_token(
        &self,
        token_hash: Digest,
    ) -> Result<Option<(Member, Scopes)>, StoreError> {
        let now = self.clock.now();
        let row: Option<TokenRow> = read!(self, db => {
            sqlx::query_as(select_member!(
                "t.id AS token_id, t.scopes, t.last_used_at, ",
                "JOIN api_tokens t ON t.binding_id = b.id",
                "t.token_hash = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2) \
                 AND i.is_active"
            ))
            .bind(token_hash.to_vec())
            .bind(now)
            .fetch_optional(db)
            .await
        })?;
        let Some(row) = row else {
            return Ok(None);
        };
        if is_to_be_noted(row.last_used_at, now) {
            tx!(self, conn => {
                sqlx::query("UPDATE api_tokens SET last_used_at = $2 WHERE id = $1")
                    .bind(row.token_id)
                    .bind(now)
                    .execute(&mut *conn)
                    .await?;
                Ok(())
            })?;
        }
        Ok(Some((row.member.try_into()?, Scopes::read(&row.scopes))))
    }

    /// Takes a person's token back; `false` if there was none.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn revoke_api_token(&self, binding_id: Uuid) -> Result<bool, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let revoked = sqlx::query(
                "UPDATE api_tokens SET revoked_at = $2 WHERE binding_id = $1 AND revoked_at IS NULL",
            )
            .bind(binding_id)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            let is_revoked = revoked.rows_affected() > 0;
            if is_revoked {
                note_change!(self.clock, conn, "id" = binding_id, AuditSubject::ApiToken, Some("active"), None::<&str>);
            }
            Ok(is_revoked)
        })
    }

    /// The person's token, if there is one.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn api_token_of(&self, binding_id: Uuid) -> Result<Option<ApiToken>, StoreError> {
        type Row = (
            DateTime<Utc>,
            Option<DateTime<Utc>>,
            String,
            Option<DateTime<Utc>>,
        );
        let row: Option<Row> = read!(self, db => {
            sqlx::query_as(
                "SELECT created_at, last_used_at, scopes, expires_at FROM api_tokens WHERE binding_id = $1 AND revoked_at IS NULL",
            )
            .bind(binding_id)
            .fetch_optional(db)
            .await
        })?;
        Ok(
            row.map(|(made_at, last_used_at, scopes, expires_at)| ApiToken {
                made_at,
                last_used_at,
                scopes: Scopes::read(&scopes),
                expires_at,
            }),
        )
    }
}
