//! One request to a provider's API, and what its refusals mean.
//!
//! Sources: Google Calendar API, “Handle API errors”; Microsoft Graph, “Error responses” and “Throttling limits”.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{StatusCode, header::HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::LONGEST_ANSWER;

/// Why a calendar could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadProblem {
    /// The provider is not set up here any more.
    #[error("the provider is not set up on this server")]
    NotOffered,
    /// The access token is not taken: time for a new one.
    #[error("the access token is not taken")]
    Unauthorized,
    /// What was granted does not reach so far: consent is needed again.
    #[error("the grant does not reach so far: {0}")]
    Scope(String),
    /// This one thing may not be read.
    #[error("it may not be read: {0}")]
    Forbidden(String),
    /// It is not there, or no longer shared with the account.
    #[error("it is not there")]
    NotFound,
    /// Too much was asked; come back after so long, where the provider says.
    #[error("the provider asks to wait")]
    Busy(Option<TimeDelta>),
    /// The provider does not answer, or not as documented.
    #[error("{0}")]
    Unavailable(String),
    /// A link to the next page leads away from the provider. It is not followed: the token would go along.
    #[error("the link to the next page leads to another host")]
    ForeignLink,
}

/// What a refusal says, in either provider's shape.
#[derive(Default)]
struct Refusal {
    code: String,
    message: String,
}

/// Asks for JSON with a person's token.
pub(super) async fn get<T: DeserializeOwned>(
    http: &reqwest::Client,
    url: Url,
    access_token: &SecretString,
    prefer: &[&'static str],
    now: impl Fn() -> DateTime<Utc>,
) -> Result<T, ReadProblem> {
    let failed = |error: reqwest::Error| ReadProblem::Unavailable(error.without_url().to_string());
    let mut request = http
        .get(url)
        .bearer_auth(access_token.expose_secret())
        .header("accept", "application/json");
    for preference in prefer {
        request = request.header("prefer", *preference);
    }
    let mut response = request.send().await.map_err(failed)?;
    let status = response.status();
    let wait = retry_after(response.headers(), now());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(ReadProblem::Unavailable(
                "the answer is too long".to_owned(),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|problem| {
            ReadProblem::Unavailable(format!(
                "the answer cannot be read ({:?} error at line {}, column {})",
                problem.classify(),
                problem.line(),
                problem.column()
            ))
        });
    }
    Err(refused(status, &refusal(&body), wait))
}

/// `{"error": {"code", "message", "errors": [{"reason"}]}}`, where Google puts the word into `reason` and Microsoft
/// into `code`.
fn refusal(body: &[u8]) -> Refusal {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) else {
        return Refusal::default();
    };
    let error = &body["error"];
    let code = error["errors"][0]["reason"]
        .as_str()
        .or_else(|| {
            error["details"]
                .as_array()?
                .iter()
                .find_map(|detail| detail["reason"].as_str())
        })
        .or_else(|| error["code"].as_str())
        .or_else(|| error["status"].as_str());
    let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(160).collect();
    Refusal {
        code: code.map(short).unwrap_or_default(),
        message: error["message"].as_str().map(short).unwrap_or_default(),
    }
}

fn refused(status: StatusCode, refusal: &Refusal, wait: Option<TimeDelta>) -> ReadProblem {
    let says = format!("{} ({})", refusal.code, refusal.message);
    match status.as_u16() {
        401 => ReadProblem::Unauthorized,
        403 => match &*refusal.code {
            "rateLimitExceeded"
            | "userRateLimitExceeded"
            | "quotaExceeded"
            | "dailyLimitExceeded" => ReadProblem::Busy(wait),
            "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => {
                ReadProblem::Scope(says)
            }
            _ => ReadProblem::Forbidden(says),
        },
        404 => ReadProblem::NotFound,
        // The other reasons of Google's are about tokens for changes, which are not asked for: what is read is there.
        410 if matches!(&*refusal.code, "" | "deleted") => ReadProblem::NotFound,
        429 | 503 => ReadProblem::Busy(wait),
        status => ReadProblem::Unavailable(format!("HTTP {status}: {says}")),
    }
}

/// How long a provider asks to wait: in seconds, or until a date.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<TimeDelta> {
    let value = headers.get("retry-after")?.to_str().ok()?.trim();
    let wait = match value.parse() {
        Ok(seconds) => TimeDelta::try_seconds(seconds)?,
        Err(_) => DateTime::parse_from_rfc2822(value).ok()?.to_utc() - now,
    };
    Some(wait.clamp(TimeDelta::seconds(1), TimeDelta::days(1)))
}

/// An event that is there, and whose times are not as documented: not to be taken for one that is gone.
pub(super) fn unreadable_event() -> ReadProblem {
    ReadProblem::Unavailable("the times of the event cannot be read".to_owned())
}

/// The link to the next page, if it leads to where the first one was.
pub(super) fn next_link(base: &Url, link: &str) -> Result<Url, ReadProblem> {
    let next = Url::parse(link).map_err(|_| ReadProblem::ForeignLink)?;
    if next.origin() == base.origin() {
        Ok(next)
    } else {
        Err(ReadProblem::ForeignLink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_apart_by_its_reason() {
        let read = |status: u16, body: &str| {
            refused(
                StatusCode::from_u16(status).unwrap(),
                &refusal(body.as_bytes()),
                Some(TimeDelta::seconds(7)),
            )
        };
        let google = |reason: &str| {
            format!(
                r#"{{"error":{{"code":403,"message":"m","errors":[{{"reason":"{reason}"}}]}}}}"#
            )
        };
        assert_eq!(
            read(403, &google("userRateLimitExceeded")),
            ReadProblem::Busy(Some(TimeDelta::seconds(7)))
        );
        assert!(matches!(
            read(403, &google("insufficientPermissions")),
            ReadProblem::Scope(_)
        ));
        assert!(matches!(
            read(403, &google("forbidden")),
            ReadProblem::Forbidden(_)
        ));
        let microsoft = r#"{"error":{"code":"ErrorAccessDenied","message":"Access is denied."}}"#;
        assert_eq!(
            read(403, microsoft),
            ReadProblem::Forbidden("ErrorAccessDenied (Access is denied.)".to_owned())
        );
        assert_eq!(read(401, ""), ReadProblem::Unauthorized);
        assert_eq!(read(404, "<html>"), ReadProblem::NotFound);
        assert_eq!(read(410, &google("deleted")), ReadProblem::NotFound);
        assert!(matches!(
            read(410, &google("fullSyncRequired")),
            ReadProblem::Unavailable(_)
        ));
        assert_eq!(
            read(503, ""),
            ReadProblem::Busy(Some(TimeDelta::seconds(7)))
        );
        assert!(matches!(read(500, ""), ReadProblem::Unavailable(_)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_within_reason() {
        let now = DateTime::from_timestamp(1_795_177_800, 0).unwrap();
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", value.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(read("30"), Some(TimeDelta::seconds(30)));
        assert_eq!(
            read("Fri, 20 Nov 2026 12:31:00 GMT"),
            Some(TimeDelta::seconds(60))
        );
        assert_eq!(read("-5"), Some(TimeDelta::seconds(1)));
        assert_eq!(read("99999999"), Some(TimeDelta::days(1)));
        assert_eq!(read("soon"), None);
    }

    #[test]
    fn a_link_that_leads_away_is_not_followed() {
        let base = Url::parse("https://graph.microsoft.com/v1.0").unwrap();
        assert!(
            next_link(
                &base,
                "https://graph.microsoft.com/v1.0/me/calendars?$skip=10"
            )
            .is_ok()
        );
        for foreign in [
            "https://graph.microsoft.com.evil.example/v1.0",
            "https://evil.example/?https://graph.microsoft.com",
            "https://graph.microsoft.com@evil.example/v1.0",
            "http://graph.microsoft.com/v1.0",
            "https://graph.microsoft.com:8443/v1.0",
            "//evil.example",
            "javascript:alert(1)",
        ] {
            assert_eq!(
                next_link(&base, foreign),
                Err(ReadProblem::ForeignLink),
                "{foreign}"
            );
        }
    }
}
