//! Messages that are sent once: who sends one, and where it stands.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Store, StoreError, read, tx};

/// Who sends a message that is sent once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeClaim {
    /// Whoever gets this answer.
    Taken,
    /// Somebody took it then, and has not said what came of it.
    Open(DateTime<Utc>),
    /// It is sent, or Slack refused it for good.
    Settled,
}

/// What became of a message that is sent once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeState {
    /// Somebody sends it just now, or did not come to say what came of it.
    Sending,
    /// It is sent.
    Sent,
    /// Slack refused it for good.
    Refused,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SentNotice {
    /// The conversation it stands in.
    pub channel: String,
    /// Slack's id of it there.
    pub ts: String,
    /// The fingerprint of what it says.
    pub said: Option<String>,
    /// When it was sent, or a moment before.
    pub claimed_at: DateTime<Utc>,
}

impl Store {
    /// Takes the sending of a message upon the caller, if nobody has.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim_notice(
        &self,
        binding_id: Uuid,
        notice: &str,
    ) -> Result<NoticeClaim, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let taken = sqlx::query(
                "INSERT INTO notices (binding_id, notice, state, claimed_at) \
                 SELECT id, $2, 'sending', $3 FROM slack_user_bindings WHERE id = $1 \
                 ON CONFLICT (binding_id, notice) DO NOTHING",
            )
            .bind(binding_id)
            .bind(notice)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            if taken.rows_affected() == 1 {
                return Ok(NoticeClaim::Taken);
            }
            let open: Option<(DateTime<Utc>,)> = sqlx::query_as(
                "SELECT claimed_at FROM notices WHERE binding_id = $1 AND notice = $2 AND state = 'sending'",
            )
            .bind(binding_id)
            .bind(notice)
            .fetch_optional(&mut *conn)
            .await?;
            Ok(open.map_or(NoticeClaim::Settled, |(since,)| NoticeClaim::Open(since)))
        })
    }

    /// Takes over a sending of which nobody knows what came of it; `false` if somebody else did, or it is known now.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn take_over_notice(
        &self,
        binding_id: Uuid,
        notice: &str,
        since: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let taken = sqlx::query(
                "UPDATE notices SET claimed_at = $4 WHERE binding_id = $1 AND notice = $2 AND state = 'sending' \
                 AND claimed_at = $3",
            )
            .bind(binding_id)
            .bind(notice)
            .bind(since)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(taken.rows_affected() == 1)
        })
    }

    /// The message is sent: it stands there, and says that.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_sent(
        &self,
        binding_id: Uuid,
        notice: &str,
        (channel, ts): (&str, &str),
        said: &str,
    ) -> Result<(), StoreError> {
        tx!(self, conn => {
            sqlx::query(
                "UPDATE notices SET state = 'sent', channel = $3, ts = $4, said = $5 \
                 WHERE binding_id = $1 AND notice = $2",
            )
            .bind(binding_id)
            .bind(notice)
            .bind(channel)
            .bind(ts)
            .bind(said)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// The message was certainly not sent: it may be, by anybody.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn release_notice(&self, binding_id: Uuid, notice: &str) -> Result<(), StoreError> {
        tx!(self, conn => {
            sqlx::query("DELETE FROM notices WHERE binding_id = $1 AND notice = $2 AND state = 'sending'")
                .bind(binding_id)
                .bind(notice)
                .execute(&mut *conn)
                .await?;
            Ok(())
        })
    }

    /// Slack refuses the message, and will again: nobody tries any more.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn refuse_notice(&self, binding_id: Uuid, notice: &str) -> Result<(), StoreError> {
        tx!(self, conn => {
            sqlx::query("UPDATE notices SET state = 'refused' WHERE binding_id = $1 AND notice = $2")
                .bind(binding_id)
                .bind(notice)
                .execute(&mut *conn)
                .await?;
            Ok(())
        })
    }

    /// What became of a message; `None` where nobody has begun to send it.
    ///
    /// # Errors
    /// The database does not answer, or the row cannot be read.
    pub async fn notice_state(
        &self,
        binding_id: Uuid,
        notice: &str,
    ) -> Result<Option<NoticeState>, StoreError> {
        let row: Option<(String,)> = read!(self, db => {
            sqlx::query_as("SELECT state FROM notices WHERE binding_id = $1 AND notice = $2")
                .bind(binding_id)
                .bind(notice)
                .fetch_optional(db)
                .await
        })?;
        let Some((state,)) = row else {
            return Ok(None);
        };
        match &*state {
            "sending" => Ok(Some(NoticeState::Sending)),
            "sent" => Ok(Some(NoticeState::Sent)),
            "refused" => Ok(Some(NoticeState::Refused)),
            _ => {
                let problem = format!("“{state}”");
                Err(StoreError::unreadable(
                    "notices", "state", binding_id, problem,
                ))
            }
        }
    }

    /// Where a message stands, if it was sent.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sent_notice(
        &self,
        binding_id: Uuid,
        notice: &str,
    ) -> Result<Option<SentNotice>, StoreError> {
        let sent = read!(self, db => {
            sqlx::query_as(
                "SELECT channel, ts, said, claimed_at FROM notices WHERE binding_id = $1 AND notice = $2 \
                 AND state = 'sent' AND ts IS NOT NULL",
            )
            .bind(binding_id)
            .bind(notice)
            .fetch_optional(db)
            .await
        })?;
        Ok(sent)
    }

    /// A message that was sent says something else now.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_said(
        &self,
        binding_id: Uuid,
        notice: &str,
        said: &str,
    ) -> Result<(), StoreError> {
        tx!(self, conn => {
            sqlx::query("UPDATE notices SET said = $3 WHERE binding_id = $1 AND notice = $2 AND state = 'sent'")
                .bind(binding_id)
                .bind(notice)
                .bind(said)
                .execute(&mut *conn)
                .await?;
            Ok(())
        })
    }

    /// Forgets messages that were sent longer ago: none of them can be asked for again.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn forget_notices_older_than(&self, age: TimeDelta) -> Result<(), StoreError> {
        let before = self.clock.now() - age;
        tx!(self, conn => {
            sqlx::query("DELETE FROM notices WHERE claimed_at < $1").bind(before).execute(&mut *conn).await?;
            Ok(())
        })
    }
}
