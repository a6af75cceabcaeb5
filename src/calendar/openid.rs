//! Sign in with Slack: it proves which Slack user sits at a browser.
//!
//! Source: docs.slack.dev, “Sign in with Slack”. It cannot be mixed with the scopes of a bot in one flow.

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use url::Url;

use super::{BadIdToken, id_token};
use crate::{clock::Clock, config::SignInConfig};

/// Sign in with Slack, as it is set up. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SignIn {
    config: SignInConfig,
    token_url: Url,
    http: reqwest::Client,
    clock: Clock,
}

/// Who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackIdentity {
    /// The workspace, or the organisation where the app is installed for all of it.
    pub workspaces: Vec<String>,
    /// The user in it.
    pub slack_user_id: String,
}

/// Why nobody was signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInProblem {
    /// The code has run out or was used before.
    #[error("Slack no longer takes the code: {0}")]
    CodeRefused(String),
    /// Slack does not take our credentials: the operator's to mend.
    #[error("{setting}: {says}")]
    Operator {
        /// The setting to mend.
        setting: &'static str,
        /// What Slack says.
        says: String,
    },
    /// Slack says something about who it is that cannot be true.
    #[error(transparent)]
    Identity(#[from] BadIdToken),
    /// Slack does not answer.
    #[error("Slack does not answer: {0}")]
    Unavailable(String),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    ok: bool,
    id_token: Option<String>,
    error: Option<String>,
}

impl SignIn {
    /// As these settings say. `api_url` is where Slack's Web API is.
    pub fn new(config: SignInConfig, api_url: &Url, http: reqwest::Client, clock: Clock) -> Self {
        Self {
            token_url: super::endpoint(api_url, &["openid.connect.token"]),
            config,
            http,
            clock,
        }
    }

    /// Where Slack sends browsers back to.
    pub const fn redirect_uri(&self) -> &Url {
        &self.config.redirect_uri
    }

    /// Where to send a browser. `state` comes back with it, `nonce` inside the id_token.
    pub fn authorization(&self, state: &str, nonce: &str) -> Url {
        let mut url = self.config.authorize_url.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("scope", "openid profile")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", self.config.redirect_uri.as_str())
            .append_pair("state", state)
            .append_pair("nonce", nonce);
        url
    }

    /// Whether Slack takes our credentials: it is handed a code that cannot be one, for `billops doctor`. `None` if it
    /// does.
    pub async fn examine(&self) -> Option<SignInProblem> {
        match self.exchange("billops-doctor", "").await {
            Ok(_) | Err(SignInProblem::CodeRefused(_)) => None,
            Err(problem) => Some(problem),
        }
    }

    /// Exchanges the code that a browser brought for who signed in.
    ///
    /// # Errors
    /// See [`SignInProblem`].
    pub async fn exchange(&self, code: &str, nonce: &str) -> Result<SlackIdentity, SignInProblem> {
        let unavailable =
            |error: reqwest::Error| SignInProblem::Unavailable(error.without_url().to_string());
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.config.client_id),
            ("client_secret", self.config.client_secret.expose_secret()),
            ("code", code),
            ("redirect_uri", self.config.redirect_uri.as_str()),
        ];
        let response = self
            .http
            .post(self.token_url.clone())
            .form(&form)
            .send()
            .await
            .map_err(unavailable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unavailable)?;
        let Ok(answer) = serde_json::from_slice::<Answer>(&body) else {
            let problem = format!("HTTP {status} without an answer that can be read");
            return Err(SignInProblem::Unavailable(problem));
        };
        let says: String = answer
            .error
            .unwrap_or_else(|| "no reason given".to_owned())
            .chars()
            .filter(|c| !c.is_control())
            .take(80)
            .collect();
        if !answer.ok {
            let setting = match &*says {
                "invalid_client_id" => Some("SLACK_CLIENT_ID"),
                "bad_client_secret" => Some("SLACK_CLIENT_SECRET"),
                "bad_redirect_uri" => Some("PUBLIC_URL"),
                _ => None,
            };
            return Err(match setting {
                Some(setting) => SignInProblem::Operator { setting, says },
                None if matches!(
                    &*says,
                    "invalid_code" | "code_already_used" | "code_expired"
                ) =>
                {
                    SignInProblem::CodeRefused(says)
                }
                None => SignInProblem::Unavailable(says),
            });
        }
        let id_token = answer.id_token.ok_or(BadIdToken::Unreadable)?;
        let claims = id_token::claims(
            &id_token,
            |issuer| issuer == "https://slack.com",
            &self.config.client_id,
            nonce,
            self.clock.now(),
        )?;
        let claim = |name: &str| {
            claims[format!("https://slack.com/{name}")]
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let workspaces: Vec<String> = [claim("team_id"), claim("enterprise_id")]
            .into_iter()
            .flatten()
            .collect();
        match claim("user_id") {
            Some(slack_user_id) if !workspaces.is_empty() => Ok(SlackIdentity {
                workspaces,
                slack_user_id,
            }),
            _ => Err(BadIdToken::Subject.into()),
        }
    }
}
