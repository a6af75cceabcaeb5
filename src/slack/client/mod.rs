//! Calls to Slack.
//!
//! The Web API goes through slack-morphism, with our own types for the answers: its own refuse some that
//! Slack really gives (an empty view state is an array). Opening a socket and answering a `response_url` go
//! through reqwest, because slack-morphism has no time-outs and reads neither tolerantly.

mod messages;
mod views;

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use slack_morphism::{
    SlackApiToken, SlackClient as MorphismClient,
    errors::SlackClientError,
    hyper_tokio::SlackHyperClient,
    prelude::{SlackApiTokenValue, SlackClientHyperConnector},
};
use tokio::sync::OnceCell;
use url::Url;

use super::{logged, socket::OpenError};
use crate::{
    app::App,
    config::{SlackConfig, is_safe},
    store::{Profile, Workspace},
};

/// How long a call may take that nobody is waiting for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long Slack may take to say who somebody is, while that person waits for an answer.
const PROFILE_WITHIN: Duration = Duration::from_millis(900);
/// What Slack's own clients wait when Slack says “too many” without saying how long.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30);

/// The way to Slack. Cheap to clone.
#[derive(Clone)]
pub struct SlackClient {
    pub(super) wires: Arc<Wires>,
    /// The workspace that calls are for.
    place: Option<(App, Arc<str>)>,
}

/// What is the same for all workspaces.
pub(super) struct Wires {
    web: SlackHyperClient,
    pub(super) http: reqwest::Client,
    app_token: Option<SecretString>,
    /// `SLACK_BOT_TOKEN`, where it is set.
    given: Option<SlackApiToken>,
    /// The workspace that the given token belongs to, once Slack has said so.
    home: OnceCell<Workspace>,
    api_url: Url,
}

/// Why Slack did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Slack says no, with its word for it.
    #[error("Slack refuses: {0}")]
    Refused(String),
    /// Slack asks to wait.
    #[error("Slack asks to wait {} s", .0.as_secs())]
    RateLimited(Duration),
    /// Slack could not be reached, or answered something unexpected.
    #[error("{0}")]
    Failed(String),
    /// Slack did not answer in time: what was asked may have been done or not.
    #[error("Slack did not answer within {} ms", .0.as_millis())]
    Unanswered(Duration),
}

/// What `doctor` learns about the bot token.
#[derive(Clone, Debug)]
pub struct TokenExamination {
    /// The workspace it belongs to.
    pub workspace: Workspace,
    /// What it may do, where Slack says so.
    pub scopes: Option<Vec<String>>,
    /// Slack's clock, to the second.
    pub date: Option<chrono::DateTime<chrono::Utc>>,
}

/// Our word for a workspace that has no token. It never comes from Slack.
const NOT_INSTALLED: &str = "not_installed";

/// Slack's words for a token that will not work again.
const TOKEN_IS_DEAD: [&str; 9] = [
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
    "forbidden_team",
    "no_permission",
    "missing_scope",
];

impl SlackClient {
    /// A client for these settings. Opens no connection yet.
    ///
    /// # Errors
    /// The machine's TLS roots cannot be read.
    pub fn new(config: &SlackConfig, http: reqwest::Client) -> Result<Self, SlackError> {
        let failed = |error: &dyn std::fmt::Display| {
            SlackError::Failed(format!("TLS cannot be set up: {error}"))
        };
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| failed(&error))?
            .https_or_http()
            .enable_http1()
            .build();
        let api_url = config.api_url.as_str().trim_end_matches('/');
        let connector =
            SlackClientHyperConnector::with_connector(connector).with_slack_api_url(api_url);
        let wires = Wires {
            web: MorphismClient::new(connector),
            http,
            given: config.bot_token.as_ref().map(token_of),
            home: OnceCell::new(),
            app_token: config.app_token().cloned(),
            api_url: config.api_url.clone(),
        };
        Ok(Self {
            wires: Arc::new(wires),
            place: None,
        })
    }

    /// Asks for the address of a new socket (`apps.connections.open`). The address works once and is a
    /// secret.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_connection(&self) -> Result<Url, OpenError> {
        #[derive(Deserialize)]
        struct Opened {
            #[serde(default)]
            ok: bool,
            url: Option<String>,
            error: Option<String>,
        }
        let failed =
            |problem: String| OpenError::Failed(format!("apps.connections.open: {problem}"));
        let response = self
            .wires
            .http
            .post(self.method("apps.connections.open"))
            .timeout(PATIENCE)
            .bearer_auth(
                self.wires
                    .app_token
                    .as_ref()
                    .map_or("", |token| token.expose_secret()),
            )
            .header("content-type", "application/x-www-form-urlencoded")
            .send()
            .await
            .map_err(|error| failed(error.without_url().to_string()))?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let body = response
            .bytes()
            .await
            .map_err(|error| failed(error.without_url().to_string()))?;
        let Ok(opened) = serde_json::from_slice::<Opened>(&body) else {
            if status == reqwest::StatusCode::TOO_MANY_REQUESTS {
                return Err(OpenError::RateLimited(retry_after));
            }
            return Err(failed(format!(
                "HTTP {status} without an answer that can be read"
            )));
        };
        match (
            opened.ok,
            opened.url,
            opened.error.as_deref().unwrap_or("no reason given"),
        ) {
            (true, Some(url), _) => match Url::parse(&url) {
                Ok(url) if is_safe(&url) => Ok(url),
                _ => Err(failed("the address is not a wss:// URL".to_owned())),
            },
            (_, _, "ratelimited" | "rate_limited") => Err(OpenError::RateLimited(retry_after)),
            (_, _, "socket_mode_disabled" | "link_disabled") => Err(OpenError::Disabled),
            (_, _, code) if TOKEN_IS_DEAD.contains(&code) => {
                Err(OpenError::Refused(code.to_owned()))
            }
            (_, _, code) => Err(failed(code.chars().take(80).collect())),
        }
    }

    /// The same way, for calls that are about this workspace: with the token it was installed with, or with the given
    /// one where that belongs to it.
    #[must_use]
    pub fn of(&self, app: &App, workspace_id: &str) -> Self {
        Self {
            wires: self.wires.clone(),
            place: Some((app.clone(), workspace_id.into())),
        }
    }

    /// The workspace of `SLACK_BOT_TOKEN`, once Slack has said which that is.
    pub fn home_workspace(&self) -> Option<&str> {
        self.wires.home.get().map(|home| &*home.workspace_id)
    }

    /// Whether `SLACK_BOT_TOKEN` is set.
    pub fn has_given_token(&self) -> bool {
        self.wires.given.is_some()
    }

    /// The workspace of `SLACK_BOT_TOKEN`; Slack is asked once.
    ///
    /// # Errors
    /// See [`SlackError`]; `no_bot_token` where none is set.
    pub async fn home(&self) -> Result<&Workspace, SlackError> {
        // Rare, and kept apart so that the calls under way stay small.
        Box::pin(self.wires.home.get_or_try_init(|| self.identify())).await
    }

    fn given(&self) -> Result<&SlackApiToken, SlackError> {
        let given = self.wires.given.as_ref();
        given.ok_or_else(|| SlackError::Refused("no_bot_token".to_owned()))
    }

    /// The token for calls that are about a workspace.
    async fn token(&self) -> Result<SlackApiToken, SlackError> {
        let Some((app, workspace)) = &self.place else {
            return Err(SlackError::Failed(
                "a call that is about no workspace".to_owned(),
            ));
        };
        let installed = app.bot_token(workspace).await;
        let installed =
            installed.map_err(|failed| SlackError::Failed(logged(failed).to_string()))?;
        if let Some(token) = installed {
            return Ok(token_of(&token));
        }
        let not_installed = || SlackError::Refused(NOT_INSTALLED.to_owned());
        let given = self.given().map_err(|_| not_installed())?;
        // A payload that names no workspace is the given token's.
        if workspace.is_empty() || self.home().await?.workspace_id == **workspace {
            return Ok(given.clone());
        }
        Err(not_installed())
    }

    /// A token that Slack refuses for good is not kept in memory: the workspace may have a new one.
    fn heard<T>(&self, answer: Result<T, SlackError>) -> Result<T, SlackError> {
        if let (Some((app, workspace)), Err(SlackError::Refused(code))) = (&self.place, &answer)
            && TOKEN_IS_DEAD.contains(&&**code)
        {
            app.forget_workspace(workspace);
        }
        answer
    }

    /// Who the given token belongs to (`auth.test`).
    async fn identify(&self) -> Result<Workspace, SlackError> {
        #[derive(Deserialize)]
        struct Identity {
            team_id: Option<String>,
            team: Option<String>,
            user_id: Option<String>,
            app_id: Option<String>,
            enterprise_id: Option<String>,
            #[serde(default)]
            is_enterprise_install: bool,
        }
        let session = self.wires.web.open_session(self.given()?);
        let nothing = serde_json::json!({});
        let call = session
            .http_session_api
            .http_post("auth.test", &nothing, None);
        let identity: Identity = within(PATIENCE, async { Ok(call.await?) }).await?;
        let id = match (identity.enterprise_id, identity.team_id) {
            (Some(enterprise), _) if identity.is_enterprise_install => Some(enterprise),
            (enterprise, team) => team.or(enterprise),
        };
        Ok(Workspace {
            workspace_id: id.unwrap_or_default(),
            name: identity.team,
            app_id: identity.app_id,
            bot_user_id: identity.user_id,
        })
    }

    /// Who the bot token belongs to, what it may do, and what time it is at Slack (for `doctor`).
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn examine_token(&self) -> Result<TokenExamination, SlackError> {
        let failed = |error: reqwest::Error| SlackError::Failed(error.without_url().to_string());
        let token = self.given()?;
        let response = self
            .wires
            .http
            .post(self.method("auth.test"))
            .timeout(PATIENCE)
            .bearer_auth(&token.token_value.0)
            .send()
            .await
            .map_err(failed)?;
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let scopes = header("x-oauth-scopes").map(|scopes| {
            scopes
                .split(',')
                .map(|scope| scope.trim().to_owned())
                .collect()
        });
        let date = header("date")
            .and_then(|date| chrono::DateTime::parse_from_rfc2822(&date).ok())
            .map(|date| date.to_utc());
        let workspace = self.identify().await?;
        Ok(TokenExamination {
            workspace,
            scopes,
            date,
        })
    }

    /// What Slack says about a person (`users.info`).
    ///
    /// # Errors
    /// See [`SlackError`].
    pub async fn profile(&self, slack_user_id: &str) -> Result<Profile, SlackError> {
        #[derive(Deserialize)]
        struct Answer {
            user: User,
        }
        #[derive(Deserialize)]
        struct User {
            name: Option<String>,
            real_name: Option<String>,
            tz: Option<String>,
            locale: Option<String>,
            #[serde(default)]
            is_admin: bool,
            #[serde(default)]
            is_owner: bool,
            #[serde(default)]
            profile: Names,
        }
        #[derive(Default, Deserialize)]
        struct Names {
            display_name: Option<String>,
            real_name: Option<String>,
        }
        let parameters = [
            ("user", Some(slack_user_id)),
            ("include_locale", Some("true")),
        ];
        let Answer { user } = self.get("users.info", &parameters, PROFILE_WITHIN).await?;
        let name = [
            user.profile.real_name,
            user.real_name,
            user.profile.display_name,
            user.name,
        ]
        .into_iter()
        .flatten()
        .find(|name| !name.trim().is_empty())
        .unwrap_or_else(|| slack_user_id.to_owned());
        Ok(Profile {
            name,
            time_zone: user.tz.and_then(|zone| zone.parse().ok()),
            locale: user.locale,
            is_admin: user.is_admin || user.is_owner,
        })
    }

    pub(super) async fn call<Request, Response>(
        &self,
        method: &str,
        request: &Request,
        limit: Duration,
    ) -> Result<Response, SlackError>
    where
        Request: Serialize + Send + Sync,
        Response: for<'de> Deserialize<'de> + Send,
    {
        self.heard(
            within(limit, async {
                let token = self.token().await?;
                let session = self.wires.web.open_session(&token);
                let call = session.http_session_api.http_post(method, request, None);
                Ok(call.await?)
            })
            .await,
        )
    }

    /// A call whose arguments Slack takes only as parameters.
    pub(super) async fn get<Response>(
        &self,
        method: &str,
        parameters: &[(&str, Option<&str>)],
        limit: Duration,
    ) -> Result<Response, SlackError>
    where
        Response: for<'de> Deserialize<'de> + Send,
    {
        let parameters = parameters.to_vec();
        self.heard(
            within(limit, async {
                let token = self.token().await?;
                let session = self.wires.web.open_session(&token);
                let call = session.http_session_api.http_get(method, &parameters, None);
                Ok(call.await?)
            })
            .await,
        )
    }

    fn method(&self, name: &str) -> String {
        format!(
            "{}/{name}",
            self.wires.api_url.as_str().trim_end_matches('/')
        )
    }
}

async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, SlackError>>,
) -> Result<T, SlackError> {
    let answer = tokio::time::timeout(limit, call).await;
    answer.unwrap_or(Err(SlackError::Unanswered(limit)))
}

fn token_of(token: &SecretString) -> SlackApiToken {
    SlackApiToken::new(SlackApiTokenValue(token.expose_secret().to_owned()))
}

impl From<SlackClientError> for SlackError {
    fn from(error: SlackClientError) -> Self {
        match error {
            SlackClientError::ApiError(error) => Self::Refused(error.code),
            SlackClientError::RateLimitError(error) => {
                Self::RateLimited(error.retry_after.unwrap_or(DEFAULT_RETRY_AFTER))
            }
            SlackClientError::HttpError(error) => {
                Self::Failed(format!("HTTP {}", error.status_code))
            }
            // Its text would print the answer, which may hold what people wrote.
            SlackClientError::ProtocolError(_) => {
                Self::Failed("an answer that cannot be read".to_owned())
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

fn retry_after(response: &reqwest::Response) -> Duration {
    response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map_or(DEFAULT_RETRY_AFTER, Duration::from_secs)
}
