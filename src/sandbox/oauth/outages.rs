//! What goes wrong at a provider's end, as switches, and how often each endpoint was asked.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes},
    response::Response,
};

use super::{Provider, Service};
use crate::sandbox::Sandbox;

/// What a provider answers, one entry for each thing that can fail by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// The consent page.
    Authorize,
    /// The token endpoint, asked with a code.
    Code,
    /// The token endpoint, asked with a refresh token.
    Refresh,
    /// Google's revoke.
    Revoke,
    /// The public keys.
    Keys,
    /// Graph's `/me`, Slack's `openid.connect.userInfo`.
    Me,
    /// The list of calendars.
    Calendars,
    /// The list of a calendar's events.
    Events,
    /// One event.
    Event,
}

/// Something that goes wrong at a provider's end. None of these is the program's doing, so none is
/// recorded as a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outage {
    /// 429. The text is the header's: seconds or an HTTP date.
    TooManyRequests {
        /// `Retry-After`, which may be missing.
        retry_after: Option<String>,
    },
    /// 503. The text is the header's: seconds or an HTTP date.
    Unavailable {
        /// `Retry-After`, which may be missing.
        retry_after: Option<String>,
    },
    /// This status, with the provider's body where there is one (500), or a proxy's page.
    Status(u16),
    /// The answer comes, but this much later.
    Slow(Duration),
    /// A refusal by its name. Google's calendar: `rateLimitExceeded`, `userRateLimitExceeded`,
    /// `quotaExceeded`, `insufficientPermissions`, `forbidden`, `notFound`, `fullSyncRequired`,
    /// `updatedMinTooLongAgo`, `deleted`, `authError`, `backendError`. Graph: `ErrorAccessDenied`,
    /// `ErrorItemNotFound`, `MailboxNotEnabledForRESTAPI`, `InvalidAuthenticationToken`. Google's
    /// token endpoint: `invalid_grant`, `invalid_rapt`, `invalid_client`; Microsoft's: the number
    /// after `AADSTS` (`50173`, `65001`, `50076`, `700082`, `7000215`, `7000222`).
    Refused(String),
    /// The request is carried out, and the connection drops before the answer: a refresh token
    /// was rotated, and nobody has the new one. Not for Slack.
    AnswerLost,
    /// The answer ends in the middle, and nothing says so: a proxy's doing. Not for Slack.
    Truncated,
}

#[derive(Debug)]
pub(super) struct Planned {
    endpoint: Endpoint,
    /// So many requests pass before.
    after: u32,
    times: u32,
    outage: Outage,
}

impl Service {
    /// The next `times` requests to the endpoint go wrong; `u32::MAX` means until
    /// [`clear_outages`](Self::clear_outages).
    pub fn fail_next(&mut self, endpoint: Endpoint, times: u32, outage: Outage) {
        self.fail_after(endpoint, 0, times, outage);
    }

    /// After `after` requests that are answered well, as of the first page of a list, the next `times` go wrong.
    pub fn fail_after(&mut self, endpoint: Endpoint, after: u32, times: u32, outage: Outage) {
        if times > 0 {
            self.planned.push_back(Planned {
                endpoint,
                after,
                times,
                outage,
            });
        }
    }

    /// Everything works again.
    pub fn clear_outages(&mut self) {
        self.planned.clear();
    }

    /// How many requests reached the endpoint, refused ones included.
    pub fn requests(&self, endpoint: Endpoint) -> u32 {
        self.requests.get(&endpoint).copied().unwrap_or(0)
    }

    fn arrive(&mut self, endpoint: Endpoint) -> Option<Outage> {
        *self.requests.entry(endpoint).or_default() += 1;
        let at = self
            .planned
            .iter()
            .position(|planned| planned.endpoint == endpoint)?;
        let found = self.planned.get_mut(at)?;
        if found.after > 0 {
            found.after -= 1;
            return None;
        }
        let outage = found.outage.clone();
        if found.times != u32::MAX {
            found.times -= 1;
        }
        if found.times == 0 {
            self.planned.remove(at);
        }
        Some(outage)
    }
}

/// What is left of an outage once the request may be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    Well,
    /// The answer must not arrive.
    AnswerLost,
    /// Half of it arrives.
    Truncated,
}

impl Sandbox {
    /// Counts the request, and lets the planned outage happen.
    pub(crate) async fn arrive(
        &self,
        provider: Provider,
        endpoint: Endpoint,
    ) -> Result<Passed, Outage> {
        match self.provider(provider, |service| service.arrive(endpoint)) {
            None => Ok(Passed::Well),
            Some(Outage::AnswerLost) => Ok(Passed::AnswerLost),
            Some(Outage::Truncated) => Ok(Passed::Truncated),
            Some(Outage::Slow(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(Passed::Well)
            }
            Some(outage) => Err(outage),
        }
    }
}

/// An answer that is lost or cut. A lost one's body breaks off: the server closes the connection when it comes to it.
pub(crate) async fn lost(passed: Passed, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let body = match passed {
        Passed::Well => body,
        Passed::AnswerLost => {
            let error = Err::<Bytes, _>(io::Error::other("the answer is lost"));
            Body::from_stream(futures_util::stream::once(std::future::ready(error)))
        }
        Passed::Truncated => {
            let whole = axum::body::to_bytes(body, usize::MAX).await;
            let whole = whole.unwrap_or_default();
            Body::from(whole.slice(..whole.len() / 2))
        }
    };
    Response::from_parts(parts, body)
}
