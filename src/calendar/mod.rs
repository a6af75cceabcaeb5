//! Google and Microsoft: consent, tokens, and what their calendars hold; and Sign in with Slack, an errand of the same
//! kind. The only room that names oauth2, and with the Slack client the only one that names reqwest.
//!
//! Nothing here is stored: [`Providers`] asks, and hands back domain values and secrets that the caller seals.

mod api;
mod examine;
mod google;
mod id_token;
mod install;
mod microsoft;
mod oauth;
mod openid;
#[cfg(test)]
mod payloads;
mod refusal;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use url::Url;

use crate::{
    clock::Clock,
    config::{CalendarConfig, ProviderConfig},
    domain::{calendar::ListedCalendar, calendar_event::CalendarEvent, provider::Provider},
};

pub use api::ReadProblem;
pub use examine::Examined;
pub use id_token::BadIdToken;
pub use install::Installer;
pub use oauth::{Authorization, Grant, Tokens, is_issuer, is_known_part, missing_parts};
pub use openid::{SignIn, SignInProblem, SlackIdentity};
pub use refusal::{GrantProblem, RefreshProblem};

/// What an answer may be long: a page of 2,500 events is about 2 MiB.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// The providers that this server is set up for. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Providers {
    config: CalendarConfig,
    http: reqwest::Client,
    clock: Clock,
}

impl Providers {
    /// The providers of these settings. Opens no connection yet.
    pub const fn new(config: CalendarConfig, http: reqwest::Client, clock: Clock) -> Self {
        Self {
            config,
            http,
            clock,
        }
    }

    /// The providers that are set up.
    pub fn offered(&self) -> Vec<Provider> {
        Provider::ALL
            .into_iter()
            .filter(|provider| self.config.of(*provider).is_some())
            .collect()
    }

    /// Whether this provider is set up.
    pub const fn offers(&self, provider: Provider) -> bool {
        self.config.of(provider).is_some()
    }

    /// The calendars of an account, to the last page.
    ///
    /// # Errors
    /// See [`ReadProblem`].
    pub async fn calendars(
        &self,
        provider: Provider,
        access_token: &SecretString,
    ) -> Result<Vec<ListedCalendar>, ReadProblem> {
        let config = self.of(provider).ok_or(ReadProblem::NotOffered)?;
        match provider {
            Provider::Google => {
                google::calendars(&self.http, config, access_token, &self.clock).await
            }
            Provider::Microsoft => {
                microsoft::calendars(&self.http, config, access_token, &self.clock).await
            }
        }
    }

    /// The events of a calendar that share time with the window, to the last page.
    ///
    /// # Errors
    /// See [`ReadProblem`].
    pub async fn events(
        &self,
        provider: Provider,
        access_token: &SecretString,
        calendar_id: &str,
        window: [DateTime<Utc>; 2],
    ) -> Result<Vec<CalendarEvent>, ReadProblem> {
        let config = self.of(provider).ok_or(ReadProblem::NotOffered)?;
        let (http, clock) = (&self.http, &self.clock);
        match provider {
            Provider::Google => {
                google::events(http, config, access_token, calendar_id, window, clock).await
            }
            Provider::Microsoft => {
                microsoft::events(http, config, access_token, calendar_id, window, clock).await
            }
        }
    }

    /// One event by its id, as it is now: of a series, the one meeting. `None` if it is not there any more, or the
    /// calendar is not. One that was called off may still be there, and says so.
    ///
    /// # Errors
    /// See [`ReadProblem`].
    pub async fn event(
        &self,
        provider: Provider,
        access_token: &SecretString,
        calendar_id: &str,
        event_id: &str,
    ) -> Result<Option<CalendarEvent>, ReadProblem> {
        let config = self.of(provider).ok_or(ReadProblem::NotOffered)?;
        let (http, clock) = (&self.http, &self.clock);
        match provider {
            Provider::Google => {
                let ids = [calendar_id, event_id];
                google::one_event(http, config, access_token, ids, clock).await
            }
            Provider::Microsoft => {
                microsoft::one_event(http, config, access_token, event_id, clock).await
            }
        }
    }

    const fn of(&self, provider: Provider) -> Option<&ProviderConfig> {
        self.config.of(provider)
    }
}

/// An address below the provider's API. Segments are escaped: ids hold `@`, `#` and `/`.
fn endpoint(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}
