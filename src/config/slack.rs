//! How to reach Slack, how Slack reaches us, and how workspaces install the app.

use secrecy::SecretString;
use url::Url;

use super::Reader;

/// How to reach Slack, and how Slack reaches us.
#[derive(Clone, Debug)]
pub struct SlackConfig {
    /// How commands, clicks and events come in.
    pub transport: Transport,
    /// `SLACK_BOT_TOKEN`, of a workspace that was installed by hand.
    pub bot_token: Option<SecretString>,
    /// `SLACK_APP_ID`: the app that the socket and every install must belong to, where it is set.
    pub app_id: Option<String>,
    /// `SLACK_API_URL`, without a slash at its end.
    pub api_url: Url,
    /// How other workspaces install the app, where that is set up.
    pub install: Option<InstallConfig>,
}

/// How Slack's requests come in.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Over connections that we open, with `SLACK_APP_TOKEN`.
    Socket(SecretString),
    /// As HTTP requests to us, signed with `SLACK_SIGNING_SECRET`.
    Http(SecretString),
}

/// Installing the app through OAuth, with `SLACK_CLIENT_ID` and `SLACK_CLIENT_SECRET`.
#[derive(Clone, Debug)]
pub struct InstallConfig {
    /// `SLACK_CLIENT_ID`.
    pub client_id: String,
    /// `SLACK_CLIENT_SECRET`.
    pub client_secret: SecretString,
    /// `SLACK_REDIRECT_URI`. It has to be in the app's settings, to the letter.
    pub redirect_uri: Url,
    /// `SLACK_AUTHORIZE_URL`.
    pub authorize_url: Url,
}

impl SlackConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let transport = reader.transport();
        let install = InstallConfig::read(reader);
        let has_client = reader.environment.get("SLACK_CLIENT_ID").is_some();
        let what = "the bot token of your workspace. In your app's settings open OAuth & Permissions and install the app. \
                    Workspaces that install through SLACK_CLIENT_ID need none";
        let bot_token = if has_client && reader.environment.get("SLACK_BOT_TOKEN").is_none() {
            Some(None)
        } else {
            reader.token("SLACK_BOT_TOKEN", "xoxb-", what).map(Some)
        };
        let api_url = reader.url("SLACK_API_URL", "https://slack.com/api");
        Some(Self {
            transport: transport?,
            bot_token: bot_token?,
            app_id: reader.environment.get("SLACK_APP_ID"),
            api_url: api_url?,
            install,
        })
    }

    /// The app-level token, in Socket Mode.
    pub const fn app_token(&self) -> Option<&SecretString> {
        match &self.transport {
            Transport::Socket(token) => Some(token),
            Transport::Http(_) => None,
        }
    }

    /// What requests are signed with, in HTTP mode.
    pub const fn signing_secret(&self) -> Option<&SecretString> {
        match &self.transport {
            Transport::Http(secret) => Some(secret),
            Transport::Socket(_) => None,
        }
    }
}

impl InstallConfig {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let redirect_uri = reader.url(
            "SLACK_REDIRECT_URI",
            "http://localhost:8000/api/v1/integrations/slack/callback",
        );
        let authorize_url = reader.url(
            "SLACK_AUTHORIZE_URL",
            "https://slack.com/oauth/v2/authorize",
        );
        // What is missing of the two is said once, where signing in is read.
        let client_id = reader.environment.get("SLACK_CLIENT_ID")?;
        let client_secret = reader.environment.get("SLACK_CLIENT_SECRET")?;
        Some(Self {
            client_id,
            client_secret: client_secret.into(),
            redirect_uri: redirect_uri?,
            authorize_url: authorize_url?,
        })
    }
}

impl Reader<'_> {
    fn transport(&mut self) -> Option<Transport> {
        let signing_secret = self.environment.get("SLACK_SIGNING_SECRET");
        if let (None, Some(secret)) = (self.environment.get("SLACK_APP_TOKEN"), signing_secret) {
            return Some(Transport::Http(secret.into()));
        }
        let what = "the app-level token for Socket Mode. In your app's settings open Basic Information, App-Level \
                    Tokens, and generate one with the scope connections:write. Without it set SLACK_SIGNING_SECRET, \
                    and Slack sends its requests to PUBLIC_URL";
        let token = self.token("SLACK_APP_TOKEN", "xapp-", what)?;
        Some(Transport::Socket(token))
    }
}
