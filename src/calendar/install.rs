//! Installing the app in a workspace (OAuth 2.0, version 2 of Slack's), and getting new tokens where they run out.
//!
//! Source: docs.slack.dev, “Installing with OAuth”, “Token rotation”.

use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::SignInProblem;
use crate::{
    clock::Clock,
    config::InstallConfig,
    manifest,
    store::{InstallToken, NewInstall},
};

/// The longest that a name or an id of Slack's is taken.
const LONGEST: usize = 200;

/// Installing the app, as it is set up. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Installer {
    config: InstallConfig,
    app_id: Option<String>,
    token_url: Url,
    http: reqwest::Client,
    clock: Clock,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    ok: bool,
    error: Option<String>,
    access_token: Option<String>,
    token_type: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<i64>,
    scope: Option<String>,
    bot_user_id: Option<String>,
    app_id: Option<String>,
    team: Option<Named>,
    enterprise: Option<Named>,
    is_enterprise_install: bool,
    authed_user: Option<Named>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    id: Option<String>,
    name: Option<String>,
}

impl Installer {
    /// As these settings say. `api_url` is where Slack's Web API is; `app_id` the app that every install must be of,
    /// where it is known.
    pub fn new(
        config: InstallConfig,
        app_id: Option<String>,
        api_url: &Url,
        http: reqwest::Client,
        clock: Clock,
    ) -> Self {
        Self {
            token_url: super::endpoint(api_url, &["oauth.v2.access"]),
            config,
            app_id,
            http,
            clock,
        }
    }

    /// Where to send a browser. `state` comes back with it.
    pub fn authorization(&self, state: &str) -> Url {
        let scopes: Vec<_> = manifest::scopes().collect();
        let mut url = self.config.authorize_url.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.config.client_id)
            .append_pair("scope", &scopes.join(","))
            .append_pair("redirect_uri", self.config.redirect_uri.as_str())
            .append_pair("state", state);
        url
    }

    /// Exchanges the code that a browser brought for the install.
    ///
    /// # Errors
    /// See [`SignInProblem`].
    pub async fn exchange(&self, code: &str) -> Result<NewInstall, SignInProblem> {
        let redirect_uri = self.config.redirect_uri.as_str();
        let answer = self
            .ask(&[("code", code), ("redirect_uri", redirect_uri)])
            .await?;
        let token = self.token_of(&answer)?;
        let unusable =
            |what: &str| SignInProblem::Unavailable(format!("an install without {what}"));
        if answer
            .token_type
            .as_deref()
            .is_some_and(|kind| kind != "bot")
        {
            return Err(unusable("a bot token"));
        }
        if let (Some(expected), Some(actual)) = (&self.app_id, &answer.app_id)
            && expected != actual
        {
            return Err(SignInProblem::Operator {
                setting: "SLACK_APP_ID",
                says: format!("the install is of the app {}", cut(actual)),
            });
        }
        let place = if answer.is_enterprise_install {
            answer.enterprise
        } else {
            answer.team
        };
        let place = place.ok_or_else(|| unusable("a workspace"))?;
        let workspace_id = place.id.filter(|id| !id.is_empty() && id.len() <= LONGEST);
        Ok(NewInstall {
            workspace_id: workspace_id.ok_or_else(|| unusable("a workspace"))?,
            name: place.name.map(|name| cut(&name)),
            app_id: answer.app_id.map(|id| cut(&id)),
            bot_user_id: answer.bot_user_id.map(|id| cut(&id)),
            scopes: answer.scope.unwrap_or_default(),
            installed_by: answer
                .authed_user
                .and_then(|user| user.id)
                .map(|id| cut(&id)),
            token,
        })
    }

    /// A new token for one that runs out.
    ///
    /// # Errors
    /// See [`SignInProblem`].
    pub async fn renew(&self, refresh: &SecretString) -> Result<InstallToken, SignInProblem> {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose_secret()),
        ];
        let answer = self.ask(&form).await?;
        self.token_of(&answer)
    }

    fn token_of(&self, answer: &Answer) -> Result<InstallToken, SignInProblem> {
        let given = |token: &Option<String>| {
            let token = token.clone().filter(|token| !token.is_empty());
            token.map(SecretString::from)
        };
        let access = given(&answer.access_token);
        let without = || SignInProblem::Unavailable("an answer without a token".to_owned());
        Ok(InstallToken {
            access: access.ok_or_else(without)?,
            refresh: given(&answer.refresh_token),
            // A lifetime that cannot be reckoned with counts as none: Slack's refusal says when it ends.
            expires_at: answer
                .expires_in
                .and_then(TimeDelta::try_seconds)
                .and_then(|lives| self.clock.now().checked_add_signed(lives)),
        })
    }

    async fn ask(&self, form: &[(&str, &str)]) -> Result<Answer, SignInProblem> {
        let unavailable =
            |error: reqwest::Error| SignInProblem::Unavailable(error.without_url().to_string());
        let client = [
            ("client_id", &*self.config.client_id),
            ("client_secret", self.config.client_secret.expose_secret()),
        ];
        let form: Vec<_> = client.iter().chain(form).collect();
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
        if answer.ok {
            return Ok(answer);
        }
        let says = cut(answer.error.as_deref().unwrap_or("no reason given"));
        Err(match &*says {
            "invalid_client_id" => operator("SLACK_CLIENT_ID", says),
            "bad_client_secret" => operator("SLACK_CLIENT_SECRET", says),
            "bad_redirect_uri" => operator("SLACK_REDIRECT_URI", says),
            "invalid_code" | "code_already_used" | "code_expired" | "invalid_refresh_token" => {
                SignInProblem::CodeRefused(says)
            }
            _ => SignInProblem::Unavailable(says),
        })
    }
}

const fn operator(setting: &'static str, says: String) -> SignInProblem {
    SignInProblem::Operator { setting, says }
}

fn cut(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect()
}
