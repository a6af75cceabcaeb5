//! What programs ask for under a key of theirs.

use uuid::Uuid;

use super::App;
use crate::{
    domain::member::Member,
    error::Failed,
    store::{RequestClaim, StoredAnswer},
};

impl App {
    /// Takes a request for this answer to it: of all who ask with one key, one may do it.
    ///
    /// # Errors
    /// The database does not answer; nothing may be done then.
    pub async fn begin_request(
        &self,
        member: &Member,
        key: &str,
        fingerprint: [u8; 32],
    ) -> Result<RequestClaim, Failed> {
        self.store
            .claim_request(member.user_id, key, fingerprint)
            .await
            .map_err(|error| self.failed("looking up a request", error))
    }

    /// Notes what a request was answered; `None` where it may be tried again. If that cannot be noted, it is found out
    /// at the next try.
    pub async fn end_request(
        &self,
        member: &Member,
        key: &str,
        lease: Uuid,
        answer: Option<&StoredAnswer>,
    ) {
        let noted = self
            .store
            .settle_request(member.user_id, key, lease, answer)
            .await;
        if let Err(problem) = noted {
            tracing::warn!("store.answer_not_kept: {}", crate::error::chain(&problem));
        }
    }
}
