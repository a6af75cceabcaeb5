//! States that go out with a browser and stand for themselves: what the end has to know travels sealed in them.
//!
//! Anybody can begin to sign in or to install, so nothing is stored for it. A state opens for whoever holds what it was
//! sealed for only, until it runs out, and once: that it came back is stored.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::App;
use crate::{
    keyring::{Place, digest, new_secret},
    store::StoreError,
};

/// What a state holds.
#[derive(Serialize, Deserialize)]
pub(super) struct SealedState {
    /// What makes it the one it is.
    pub(super) nonce: String,
    /// Where the browser goes on, if that was said.
    pub(super) then: Option<String>,
    expires_at: DateTime<Utc>,
}

/// Where the state of this errand opens: for whoever holds this secret.
fn place_of(errand: &'static str, holder: &str) -> Place {
    let digest = digest(holder);
    let row = digest.first_chunk().expect("a digest has 32 bytes");
    Place {
        table: "browser",
        column: errand,
        row: Uuid::from_bytes(*row),
    }
}

impl App {
    /// A new state for the holder of this secret, and its nonce.
    ///
    /// # Errors
    /// There are no keys to seal with.
    pub(super) fn seal_state(
        &self,
        errand: &'static str,
        holder: &str,
        then: Option<&str>,
        lasts: TimeDelta,
    ) -> Result<(String, String), StoreError> {
        let begun = SealedState {
            nonce: new_secret().expose_secret().to_owned(),
            then: then.map(str::to_owned),
            expires_at: self.clock.now() + lasts,
        };
        let plain = serde_json::to_string(&begun).expect("they are plain fields");
        let state = self.store.keys()?.seal(place_of(errand, holder), &plain);
        Ok((state, begun.nonce))
    }

    /// Uses a state up; `None` where it is none, not this holder's, too old, or was used before.
    ///
    /// # Errors
    /// There are no keys to open it with, or the database does not answer.
    pub(super) async fn take_state(
        &self,
        errand: &'static str,
        holder: Option<&str>,
        state: &str,
    ) -> Result<Option<SealedState>, StoreError> {
        let keys = self.store.keys()?;
        let begun = holder
            .and_then(|holder| keys.open(place_of(errand, holder), state).ok())
            .and_then(|plain| serde_json::from_str::<SealedState>(plain.expose_secret()).ok());
        let Some(begun) = begun else {
            return Ok(None);
        };
        let is_first = self
            .store
            .use_state(digest(&begun.nonce), begun.expires_at)
            .await?;
        Ok(is_first.then_some(begun))
    }
}
