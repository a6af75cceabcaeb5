//! What programs ask for under a key of theirs: done once, and answered again with the same.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Store, StoreError, tx};

/// Whoever took a request and has not answered it by now is gone.
const ANSWERING_TAKES: TimeDelta = TimeDelta::seconds(60);

/// What a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The status of HTTP.
    pub status: u16,
    /// The headers that belong to the answer, by name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Who answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestClaim {
    /// Whoever gets this lease.
    Taken(Uuid),
    /// Somebody who took it less than 60 seconds ago.
    UnderWay,
    /// It was answered with this.
    Answered(StoredAnswer),
    /// The key was used to ask for something else.
    OtherRequest,
}

#[derive(sqlx::FromRow)]
struct RequestRow {
    fingerprint: Vec<u8>,
    lease: Option<Uuid>,
    claimed_at: DateTime<Utc>,
    status: Option<i32>,
    headers: Option<Json<Vec<(String, String)>>>,
    body: Option<String>,
}

impl RequestRow {
    fn answer(self) -> Option<StoredAnswer> {
        Some(StoredAnswer {
            status: u16::try_from(self.status?).ok()?,
            headers: self.headers?.0,
            body: self.body?,
        })
    }
}

impl Store {
    /// Takes the answering of the request that a person's `key` names, if nobody has it. `fingerprint` tells what is
    /// asked for.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn claim_request(
        &self,
        user_id: Uuid,
        key: &str,
        fingerprint: [u8; 32],
    ) -> Result<RequestClaim, StoreError> {
        let now = self.clock.now();
        let lease = self.clock.new_id();
        tx!(self, conn => {
            // Of two replicas with the same request the second one waits here.
            let taken = sqlx::query(
                "INSERT INTO api_requests (user_id, key, fingerprint, lease, claimed_at, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (user_id, key) DO NOTHING",
            )
            .bind(user_id)
            .bind(key)
            .bind(fingerprint.to_vec())
            .bind(lease)
            .bind(now)
            .execute(&mut *conn)
            .await?
            .rows_affected();
            if taken == 1 {
                return Ok(RequestClaim::Taken(lease));
            }
            let known: RequestRow = sqlx::query_as(
                "SELECT fingerprint, lease, claimed_at, status, headers, body FROM api_requests \
                 WHERE user_id = $1 AND key = $2",
            )
            .bind(user_id)
            .bind(key)
            .fetch_one(&mut *conn)
            .await?;
            if known.fingerprint != fingerprint {
                return Ok(RequestClaim::OtherRequest);
            }
            let (held_by, claimed_at) = (known.lease, known.claimed_at);
            if let Some(answer) = known.answer() {
                return Ok(RequestClaim::Answered(answer));
            }
            if held_by.is_some() && now - claimed_at < ANSWERING_TAKES {
                return Ok(RequestClaim::UnderWay);
            }
            let taken_over = sqlx::query(
                "UPDATE api_requests SET lease = $3, claimed_at = $4 WHERE user_id = $1 AND key = $2 \
                 AND status IS NULL AND (lease IS NULL OR lease = $5)",
            )
            .bind(user_id)
            .bind(key)
            .bind(lease)
            .bind(now)
            .bind(held_by)
            .execute(&mut *conn)
            .await?
            .rows_affected();
            Ok(if taken_over == 1 { RequestClaim::Taken(lease) } else { RequestClaim::UnderWay })
        })
    }

    /// Keeps the answer of a request, or gives its answering back to whoever asks next: for the same thing only.
    /// Without effect for a lease that was lost.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn settle_request(
        &self,
        user_id: Uuid,
        key: &str,
        lease: Uuid,
        answer: Option<&StoredAnswer>,
    ) -> Result<(), StoreError> {
        tx!(self, conn => {
            sqlx::query(
                "UPDATE api_requests SET lease = NULL, status = $4, headers = $5, body = $6 \
                 WHERE user_id = $1 AND key = $2 AND lease = $3",
            )
            .bind(user_id)
            .bind(key)
            .bind(lease)
            .bind(answer.map(|answer| i32::from(answer.status)))
            .bind(answer.map(|answer| Json(&answer.headers)))
            .bind(answer.map(|answer| &*answer.body))
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }
}
