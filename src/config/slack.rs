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
    pub(super) fn read(reader: &mut Reader<'_>, public_url: &Url) -> Option<Self> {
        let transport = reader.transport();
        let install = InstallConfig::read(reader, public_url);
        let has_client = reader.environment.get("SLACK_CLIENT_ID").is_some();
        let bot_token = if has_client && reader.environment.get(BOT_TOKEN.name).is_none() {
            Some(None)
        } else {
            reader.token(&BOT_TOKEN).map(Some)
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
    fn read(reader: &mut Reader<'_>, public_url: &Url) -> Option<Self> {
        let redirect_uri = reader.redirect_uri("SLACK_REDIRECT_URI", public_url, "slack");
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

/// What a token looks like, and what is said where it is missing or is none.
struct Kind {
    name: &'static str,
    what: &'static str,
    /// What it may begin with, the usual one first.
    prefixes: &'static [&'static str],
    /// Where it is found, and when it is not needed.
    advice: &'static str,
}

const APP_TOKEN: Kind = Kind {
    name: "SLACK_APP_TOKEN",
    what: "the app-level token for Socket Mode",
    prefixes: &["xapp-"],
    advice: "In your app's settings open Basic Information, App-Level Tokens, and generate one with the scope \
             connections:write. To have Slack send its requests to PUBLIC_URL instead, set SLACK_SIGNING_SECRET and leave \
             this one out.",
};

const BOT_TOKEN: Kind = Kind {
    name: "SLACK_BOT_TOKEN",
    what: "the bot token of your workspace",
    prefixes: &["xoxb-", "xoxe.xoxb-"],
    advice: "In your app's settings open OAuth & Permissions and install the app. Where workspaces install it through \
             SLACK_CLIENT_ID and SLACK_CLIENT_SECRET, this one may be left out.",
};

/// What Slack's tokens begin with, and no secret of anybody's.
const PREFIXES: [&str; 7] = [
    "xapp-",
    "xoxa-",
    "xoxb-",
    "xoxe-",
    "xoxe.xoxb-",
    "xoxe.xoxp-",
    "xoxp-",
];

impl Reader<'_> {
    fn transport(&mut self) -> Option<Transport> {
        let signing_secret = self.environment.get("SLACK_SIGNING_SECRET");
        if let (None, Some(secret)) = (self.environment.get(APP_TOKEN.name), signing_secret) {
            return Some(Transport::Http(secret.into()));
        }
        let token = self.token(&APP_TOKEN)?;
        Some(Transport::Socket(token))
    }

    fn token(&mut self, kind: &Kind) -> Option<SecretString> {
        let Kind {
            name,
            what,
            prefixes,
            advice,
        } = kind;
        let usual = prefixes[0];
        let Some(value) = self.environment.get(name) else {
            let advice =
                format!("is not set. It is for {what}, which begins with {usual}. {advice}");
            return self.problem(name, advice);
        };
        let begins_with = |prefixes: &[&'static str]| {
            let found = prefixes.iter().find(|prefix| value.starts_with(**prefix));
            found.copied()
        };
        let Some(prefix) = begins_with(prefixes) else {
            let is = begins_with(&PREFIXES).map_or_else(
                || "is no token of Slack's".to_owned(),
                |other| format!("holds another kind of token ({other}…)"),
            );
            let advice = format!("{is}. It is for {what}, which begins with {usual}. {advice}");
            return self.problem(name, advice);
        };
        if value.contains(|c: char| !c.is_ascii_graphic()) {
            return self.problem(
                name,
                "holds a space or another character that no token has. Copy it again.",
            );
        }
        if value == prefix {
            return self.problem(
                name,
                format!("ends after {prefix}. Copy the whole of it again."),
            );
        }
        Some(value.into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Environment};

    /// What is said of these two tokens.
    fn said(app_token: &str, bot_token: &str) -> Vec<String> {
        let settings = [
            ("SLACK_APP_TOKEN", app_token),
            ("SLACK_BOT_TOKEN", bot_token),
        ];
        let config = Config::from_environment(&Environment::of(settings));
        let problems = config.err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_no_token_is_refused_with_where_to_find_one() {
        assert_eq!(said("xapp-1-A1-x", "xoxb-1"), [""; 0]);
        assert_eq!(said("xapp-1-A1-x", "xoxe.xoxb-1-x"), [""; 0]);
        let app = "It is for the app-level token for Socket Mode, which begins with xapp-. In your app's settings open Basic \
                   Information, App-Level Tokens, and generate one with the scope connections:write. To have Slack send \
                   its requests to PUBLIC_URL instead, set SLACK_SIGNING_SECRET and leave this one out.";
        let bot = "It is for the bot token of your workspace, which begins with xoxb-. In your app's settings open OAuth & \
                   Permissions and install the app. Where workspaces install it through SLACK_CLIENT_ID and \
                   SLACK_CLIENT_SECRET, this one may be left out.";
        for (app_token, bot_token, app_is, bot_is) in [
            ("", "", "is not set", "is not set"),
            (
                "foo",
                "bar",
                "is no token of Slack's",
                "is no token of Slack's",
            ),
            (
                "xoxb-1",
                "xoxe.xoxp-1",
                "holds another kind of token (xoxb-…)",
                "holds another kind of token (xoxe.xoxp-…)",
            ),
        ] {
            let expected = [
                format!("SLACK_APP_TOKEN {app_is}. {app}"),
                format!("SLACK_BOT_TOKEN {bot_is}. {bot}"),
            ];
            assert_eq!(said(app_token, bot_token), expected);
        }
        assert_eq!(
            said("xapp-", "xoxb-…"),
            [
                "SLACK_APP_TOKEN ends after xapp-. Copy the whole of it again.",
                "SLACK_BOT_TOKEN holds a space or another character that no token has. Copy it again.",
            ]
        );
    }
}
