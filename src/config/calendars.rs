//! How to reach Google, Microsoft, and Slack for signing in. Each is offered only where it is set up.

use secrecy::SecretString;
use url::Url;

use super::{Reader, callback};
use crate::domain::provider::Provider;

/// How to reach the calendars, each where it is set up.
#[derive(Clone, Debug, Default)]
pub struct CalendarConfig {
    /// Where `GOOGLE_CLIENT_ID` and `GOOGLE_CLIENT_SECRET` are set.
    pub google: Option<ProviderConfig>,
    /// Where `MICROSOFT_CLIENT_ID` and `MICROSOFT_CLIENT_SECRET` are set.
    pub microsoft: Option<ProviderConfig>,
}

/// How to reach one provider.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// The app's public name there.
    pub client_id: String,
    /// What the app proves itself with.
    pub client_secret: SecretString,
    /// Where the provider sends the browser back to. It has to be registered there, to the letter.
    pub redirect_uri: Url,
    /// Where the browser is sent for consent.
    pub auth_url: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Url,
    /// Where tokens are given back; Microsoft has no such place.
    pub revoke_url: Option<Url>,
    /// Where calendars are read, without a slash at its end.
    pub api_url: Url,
}

/// Sign in with Slack (OpenID Connect).
#[derive(Clone, Debug)]
pub struct SignInConfig {
    /// `SLACK_CLIENT_ID`.
    pub client_id: String,
    /// `SLACK_CLIENT_SECRET`.
    pub client_secret: SecretString,
    /// Where Slack sends the browser back to: `/api/v1/auth/slack/callback` of this server.
    pub redirect_uri: Url,
    /// `SLACK_OPENID_AUTHORIZE_URL`.
    pub authorize_url: Url,
}

impl CalendarConfig {
    /// The provider's, where it is set up.
    pub const fn of(&self, provider: Provider) -> Option<&ProviderConfig> {
        match provider {
            Provider::Google => self.google.as_ref(),
            Provider::Microsoft => self.microsoft.as_ref(),
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, public_url: &Url) -> Self {
        Self {
            google: google(reader, public_url),
            microsoft: microsoft(reader, public_url),
        }
    }
}

fn google(reader: &mut Reader<'_>, public_url: &Url) -> Option<ProviderConfig> {
    let what = "Google calendars";
    let client = reader.pair("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", what);
    let redirect_uri = reader.redirect_uri("GOOGLE_REDIRECT_URI", public_url, "google");
    let auth_url = reader.url(
        "GOOGLE_AUTH_URL",
        "https://accounts.google.com/o/oauth2/v2/auth",
    );
    let token_url = reader.url("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token");
    let revoke_url = reader.url("GOOGLE_REVOKE_URL", "https://oauth2.googleapis.com/revoke");
    let api_url = reader.url(
        "GOOGLE_CALENDAR_URL",
        "https://www.googleapis.com/calendar/v3",
    );
    let (client_id, client_secret) = client?;
    Some(ProviderConfig {
        client_id,
        client_secret,
        redirect_uri: redirect_uri?,
        auth_url: auth_url?,
        token_url: token_url?,
        revoke_url: Some(revoke_url?),
        api_url: api_url?,
    })
}

fn microsoft(reader: &mut Reader<'_>, public_url: &Url) -> Option<ProviderConfig> {
    let what = "Outlook calendars";
    let client = reader.pair("MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET", what);
    let redirect_uri = reader.redirect_uri("MICROSOFT_REDIRECT_URI", public_url, "microsoft");
    let login_url = reader.url("MICROSOFT_LOGIN_URL", "https://login.microsoftonline.com");
    let api_url = reader.url("MICROSOFT_GRAPH_URL", "https://graph.microsoft.com/v1.0");
    let tenant = reader.tenant();
    let (client_id, client_secret) = client?;
    let (login_url, tenant) = login_url.zip(tenant)?;
    let endpoint = |name: &str| {
        let mut url = login_url.clone();
        url.path_segments_mut()
            .ok()?
            .pop_if_empty()
            .extend([&*tenant, "oauth2", "v2.0", name]);
        Some(url)
    };
    Some(ProviderConfig {
        client_id,
        client_secret,
        redirect_uri: redirect_uri?,
        auth_url: endpoint("authorize")?,
        token_url: endpoint("token")?,
        revoke_url: None,
        api_url: api_url?,
    })
}

impl SignInConfig {
    pub(super) fn read(reader: &mut Reader<'_>, public_url: &Url) -> Option<Self> {
        let what = "Sign in with Slack and for workspaces that install the app";
        let client = reader.pair("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", what);
        let authorize_url = reader.url(
            "SLACK_OPENID_AUTHORIZE_URL",
            "https://slack.com/openid/connect/authorize",
        );
        let (client_id, client_secret) = client?;
        Some(Self {
            client_id,
            client_secret,
            redirect_uri: callback(public_url, &["auth", "slack"]),
            authorize_url: authorize_url?,
        })
    }
}

impl Reader<'_> {
    /// A client id with its secret: both are set, or neither. `what` is what they are for.
    fn pair(
        &mut self,
        id: &'static str,
        secret: &'static str,
        what: &str,
    ) -> Option<(String, SecretString)> {
        let (absent, present) = match (self.environment.get(id), self.environment.get(secret)) {
            (Some(id), Some(secret)) => return Some((id, secret.into())),
            (None, None) => return None,
            (Some(_), None) => (secret, id),
            (None, Some(_)) => (id, secret),
        };
        self.problem(
            absent,
            format!("is not set, but {present} is. For {what} set both; to do without, neither."),
        )
    }

    fn tenant(&mut self) -> Option<String> {
        const NAME: &str = "MICROSOFT_TENANT_ID";
        let value = self
            .environment
            .get(NAME)
            .unwrap_or_else(|| "common".to_owned());
        let is_name = value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
        if is_name {
            return Some(value);
        }
        self.problem(
            NAME,
            format!("is “{value}”. Write common, organizations, consumers, or the tenant's id or domain."),
        )
    }
}
