//! What the token endpoints refuse, and whose it is to mend: the person's, the operator's, or nobody's but time's.
//!
//! Sources: RFC 6749, 5.2; Google, “Using OAuth 2.0 for web server applications”; Microsoft, “Authorization code flow”.
//! Both document words and numbers; the words decide, as the numbers are not promised.

use std::fmt;

use chrono::TimeDelta;
use oauth2::{ErrorResponse, RequestTokenError};
use serde::{Deserialize, Serialize};

use super::BadIdToken;
use crate::domain::{calendar::ReconnectReason, provider::Provider};

/// Why a code was not exchanged for a grant.
#[derive(Debug, thiserror::Error)]
pub enum GrantProblem {
    /// The provider is not set up here.
    #[error("the provider is not set up on this server")]
    NotOffered,
    /// The code has run out, was used before, or was made for another request.
    #[error("the provider no longer takes the code: {0}")]
    CodeRefused(Says),
    /// Not everything that is needed was granted: what is missing, in words.
    #[error("not everything that is needed was granted")]
    Missing(Vec<&'static str>),
    /// An admin of the person's organisation has to approve first.
    #[error("an admin has to approve: {0}")]
    AdminApproval(Says),
    /// The provider does not take our credentials or our redirect URI: the operator's to mend.
    #[error("{setting}: {says}")]
    Operator {
        /// The setting to mend.
        setting: &'static str,
        /// What the provider says.
        says: Says,
    },
    /// The provider says something about who it is that cannot be true.
    #[error(transparent)]
    Identity(#[from] BadIdToken),
    /// The provider does not answer, or asks to wait.
    #[error("the provider does not answer: {0}")]
    Unavailable(String),
}

/// Why there are no new tokens.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RefreshProblem {
    /// The provider is not set up here any more.
    #[error("the provider is not set up on this server")]
    NotOffered,
    /// The person has to consent again.
    #[error("the provider asks for consent again: {1}")]
    Consent(ReconnectReason, Says),
    /// The provider does not take our credentials: the operator's to mend, and no fault of the person's.
    #[error("{setting}: {says}")]
    Operator {
        /// The setting to mend.
        setting: &'static str,
        /// What the provider says.
        says: Says,
    },
    /// The provider does not answer, or asks to wait so long.
    #[error("the provider does not answer: {0}")]
    Unavailable(String, Option<TimeDelta>),
}

/// A provider's refusal, cut to what helps whoever reads the log. Holds no token, because a refusal holds none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Says {
    error: String,
    detail: String,
    codes: Vec<i64>,
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        if !self.codes.is_empty() {
            write!(f, " {:?}", self.codes)?;
        }
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        Ok(())
    }
}

/// A refusal of the token endpoint, with the fields that the standard does not know and both providers send.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
    #[serde(default)]
    error_subtype: Option<String>,
    #[serde(default)]
    suberror: Option<String>,
    #[serde(default)]
    error_codes: Vec<i64>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl ErrorResponse for Refusal {}

impl Refusal {
    fn says(&self) -> Says {
        let detail = self
            .suberror
            .as_deref()
            .or(self.error_subtype.as_deref())
            .filter(|detail| !detail.is_empty());
        // Microsoft's descriptions run over several lines and end in ids of the request.
        let description = self.error_description.as_deref().unwrap_or_default();
        let description = description.lines().next().unwrap_or_default();
        Says {
            error: printable(&self.error, 60),
            detail: printable(detail.unwrap_or(description), 160),
            codes: self.error_codes.iter().copied().take(4).collect(),
        }
    }

    fn is_admin_approval(&self) -> bool {
        // AADSTS90094, 900941, 65001 with an admin's consent missing. The numbers are not promised, so the words
        // count as well.
        const CODES: [i64; 2] = [90_094, 900_941];
        self.error_codes.iter().any(|code| CODES.contains(code))
            || self
                .error_description
                .as_deref()
                .is_some_and(|text| text.to_lowercase().contains("admin approval"))
    }
}

/// One line of a stranger's text for the log.
pub(super) fn printable(text: &str, longest: usize) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(longest)
        .collect()
}

/// What went wrong on the way to the token endpoint and back.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendProblem {
    #[error("{0}")]
    Failed(String),
    /// It asks to come back later.
    #[error("HTTP {0}")]
    Busy(u16, Option<TimeDelta>),
}

pub(super) type TokenError = RequestTokenError<SendProblem, Refusal>;

/// What an error says that is not a refusal. The body of an answer that could not be read may hold tokens, so none
/// of it is kept.
fn unavailable(error: TokenError) -> (String, Option<TimeDelta>) {
    match error {
        RequestTokenError::Request(SendProblem::Busy(status, wait)) => {
            (format!("HTTP {status}"), wait)
        }
        RequestTokenError::Request(problem) => (problem.to_string(), None),
        RequestTokenError::Parse(problem, _) => (
            format!(
                "its answer cannot be read at {} (column {})",
                problem.path(),
                problem.inner().column()
            ),
            None,
        ),
        RequestTokenError::ServerResponse(refusal) => (refusal.says().to_string(), None),
        RequestTokenError::Other(_) => ("its answer is empty".to_owned(), None),
    }
}

/// The setting that a refusal of our own credentials is about.
fn operator_setting(provider: Provider, refusal: &Refusal) -> Option<&'static str> {
    let is_about_redirect = refusal.error == "redirect_uri_mismatch"
        || refusal
            .error_codes
            .iter()
            .any(|code| matches!(code, 50_011 | 500_112))
        || refusal
            .error_description
            .as_deref()
            .is_some_and(|text| text.contains("redirect_uri"));
    Some(match (provider, &*refusal.error) {
        // Microsoft says so under invalid_client as well.
        (Provider::Google, _) if is_about_redirect => "GOOGLE_REDIRECT_URI",
        (Provider::Microsoft, _) if is_about_redirect => "MICROSOFT_REDIRECT_URI",
        (Provider::Google, "invalid_client" | "unauthorized_client") => "GOOGLE_CLIENT_SECRET",
        (Provider::Microsoft, "invalid_client" | "unauthorized_client") => {
            "MICROSOFT_CLIENT_SECRET"
        }
        (Provider::Google, "invalid_scope") => "GOOGLE_CLIENT_ID",
        (Provider::Microsoft, "invalid_scope") => "MICROSOFT_CLIENT_ID",
        _ => return None,
    })
}

pub(super) fn grant_problem(provider: Provider, error: TokenError) -> GrantProblem {
    let RequestTokenError::ServerResponse(refusal) = error else {
        return GrantProblem::Unavailable(unavailable(error).0);
    };
    let says = refusal.says();
    if let Some(setting) = operator_setting(provider, &refusal) {
        return GrantProblem::Operator { setting, says };
    }
    if refusal.is_admin_approval() {
        return GrantProblem::AdminApproval(says);
    }
    match &*refusal.error {
        "temporarily_unavailable" | "server_error" => GrantProblem::Unavailable(says.to_string()),
        _ => GrantProblem::CodeRefused(says),
    }
}

pub(super) fn refresh_problem(provider: Provider, error: TokenError) -> RefreshProblem {
    let RequestTokenError::ServerResponse(refusal) = error else {
        let (problem, wait) = unavailable(error);
        return RefreshProblem::Unavailable(problem, wait);
    };
    let says = refusal.says();
    if let Some(setting) = operator_setting(provider, &refusal) {
        return RefreshProblem::Operator { setting, says };
    }
    if refusal.is_admin_approval() {
        return RefreshProblem::Consent(ReconnectReason::AdminApproval, says);
    }
    match &*refusal.error {
        "invalid_grant" | "interaction_required" | "consent_required" | "login_required" => {
            // Google: "Token has been expired or revoked" for both. Microsoft: 50173 revoked, 65001 consent is gone.
            let is_revoked = refusal.error_codes.contains(&50_173)
                || refusal.suberror.as_deref() == Some("consent_required");
            let reason = if is_revoked {
                ReconnectReason::Revoked
            } else {
                ReconnectReason::SignInAgain
            };
            RefreshProblem::Consent(reason, says)
        }
        _ => RefreshProblem::Unavailable(says.to_string(), None),
    }
}
