//! Consent and tokens: the authorization code flow with PKCE, the same for both providers but for the names of
//! scopes and parameters.
//!
//! Sources: RFC 6749, RFC 7636; Google, “Using OAuth 2.0 for web server applications” and “Granular permissions”;
//! Microsoft, “Authorization code flow” and “Refresh tokens”.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt as _, future::BoxFuture};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope,
    StandardRevocableToken, StandardTokenResponse, TokenResponse as _, TokenUrl,
    basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    BadIdToken, GrantProblem, LONGEST_ANSWER, Providers, RefreshProblem,
    api::retry_after,
    id_token,
    refusal::{Refusal, SendProblem, grant_problem, printable, refresh_problem},
};
use crate::{config::ProviderConfig, domain::provider::Provider};

/// What is asked for, in the provider's words; the ones without which nothing can be read come with what the person
/// knows them by. Read-only, and no wider than needed.
struct Scopes {
    asked: &'static [&'static str],
    needed: &'static [(&'static str, &'static str)],
}

const GOOGLE: Scopes = Scopes {
    asked: &[
        "openid",
        "email",
        "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
        "https://www.googleapis.com/auth/calendar.events.readonly",
    ],
    needed: &[
        (
            "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
            "the list of your calendars",
        ),
        (
            "https://www.googleapis.com/auth/calendar.events.readonly",
            "the events on your calendars",
        ),
    ],
};
const MICROSOFT: Scopes = Scopes {
    // Without offline_access there is no refresh token; it is not echoed.
    asked: &[
        "offline_access",
        "openid",
        "email",
        "profile",
        "User.Read",
        "Calendars.Read",
    ],
    needed: &[("Calendars.Read", "your calendars")],
};

const fn scopes(provider: Provider) -> &'static Scopes {
    match provider {
        Provider::Google => &GOOGLE,
        Provider::Microsoft => &MICROSOFT,
    }
}

/// What is missing from a grant that cannot be refreshed.
const OFFLINE: &str = "leave to read while you are not signed in";

/// What is missing from what was granted, in words; scopes are separated by spaces.
pub fn missing_parts(provider: Provider, granted: &str) -> Vec<&'static str> {
    scopes(provider)
        .needed
        .iter()
        .filter(|(scope, _)| {
            !granted
                .split_whitespace()
                .any(|one| is_same_scope(one, scope))
        })
        .map(|(_, words)| *words)
        .collect()
}

/// Whether these are our own words for a part of what is asked for.
pub fn is_known_part(words: &str) -> bool {
    words == OFFLINE
        || [GOOGLE.needed, MICROSOFT.needed]
            .into_iter()
            .flatten()
            .any(|(_, known)| *known == words)
}

/// Whether a provider goes by this name in its answers and id_tokens.
pub fn is_issuer(provider: Provider, issuer: &str) -> bool {
    match provider {
        Provider::Google => {
            matches!(
                issuer,
                "https://accounts.google.com" | "accounts.google.com"
            )
        }
        // The tenant is the person's own, and stands in the claims as well.
        Provider::Microsoft => issuer.ends_with("/v2.0"),
    }
}

/// Where a browser is sent for consent, and what has to be kept until it comes back.
#[derive(Debug)]
pub struct Authorization {
    /// The provider's page.
    pub url: Url,
    /// 256 bits that come back with the browser.
    pub state: SecretString,
    /// The PKCE verifier.
    pub verifier: SecretString,
    /// Comes back inside the id_token.
    pub nonce: String,
    /// Where the browser comes back to.
    pub redirect_uri: String,
}

/// Tokens as they were given. Sealed before they are stored.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For requests.
    pub access: SecretString,
    /// For new tokens. `None` where the provider gave none, which means that the old one stays.
    pub refresh: Option<SecretString>,
    /// When the access token stops working.
    pub expires_at: DateTime<Utc>,
}

/// What a person has granted.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The tokens; a refresh token is among them.
    pub tokens: Tokens,
    /// Who it is at the provider: Google's `sub`, Microsoft's `tid/oid`.
    pub subject: String,
    /// The account's address, to show.
    pub email: String,
    /// What was granted, separated by spaces.
    pub scopes: String,
}

/// What both providers add to a token answer.
#[derive(Clone, Default, Deserialize, Serialize)]
struct Extra {
    #[serde(default)]
    id_token: Option<String>,
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extra")
    }
}

impl oauth2::ExtraTokenFields for Extra {}

type Answer = StandardTokenResponse<Extra, BasicTokenType>;
type OAuthClient = Client<
    Refusal,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    oauth2::EndpointSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

fn client(config: &ProviderConfig) -> OAuthClient {
    Client::new(ClientId::new(config.client_id.clone()))
        .set_client_secret(ClientSecret::new(
            config.client_secret.expose_secret().to_owned(),
        ))
        .set_auth_uri(AuthUrl::from_url(config.auth_url.clone()))
        .set_token_uri(TokenUrl::from_url(config.token_url.clone()))
        .set_redirect_uri(RedirectUrl::from_url(config.redirect_uri.clone()))
        // Both take the form; not every stand-in for them takes Basic.
        .set_auth_type(AuthType::RequestBody)
}

impl Providers {
    /// Where to send a browser for consent. `login_hint` names the account that is to be connected again.
    pub fn authorization(
        &self,
        provider: Provider,
        login_hint: Option<&str>,
    ) -> Option<Authorization> {
        let config = self.of(provider)?;
        let client = client(config);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let nonce = CsrfToken::new_random_len(16);
        let mut request = client
            .authorize_url(|| CsrfToken::new_random_len(32))
            .add_scopes(
                scopes(provider)
                    .asked
                    .iter()
                    .map(|scope| Scope::new((*scope).to_owned())),
            )
            .set_pkce_challenge(challenge)
            .add_extra_param("nonce", nonce.secret());
        request = match provider {
            // consent: without it Google gives a refresh token the first time only. select_account: whoever is
            // signed in to several accounts shall not connect the wrong one unasked.
            Provider::Google => request
                .add_extra_param("access_type", "offline")
                .add_extra_param("include_granted_scopes", "true")
                .add_extra_param("prompt", "select_account consent"),
            Provider::Microsoft => request
                .add_extra_param("response_mode", "query")
                .add_extra_param(
                    "prompt",
                    if login_hint.is_some() {
                        "consent"
                    } else {
                        "select_account"
                    },
                ),
        };
        if let Some(account) = login_hint {
            request = request.add_extra_param("login_hint", account.to_owned());
        }
        let (url, state) = request.url();
        Some(Authorization {
            url,
            state: state.into_secret().into(),
            verifier: verifier.into_secret().into(),
            nonce: nonce.into_secret(),
            redirect_uri: config.redirect_uri.to_string(),
        })
    }

    /// Exchanges the code that a browser brought for what was granted.
    ///
    /// # Errors
    /// See [`GrantProblem`].
    pub async fn exchange(
        &self,
        provider: Provider,
        code: &str,
        verifier: &SecretString,
        nonce: &str,
        redirect_uri: &str,
    ) -> Result<Grant, GrantProblem> {
        let config = self.of(provider).ok_or(GrantProblem::NotOffered)?;
        let redirect_uri = RedirectUrl::new(redirect_uri.to_owned())
            .map_err(|error| GrantProblem::Unavailable(error.to_string()))?;
        let client = client(config).set_redirect_uri(redirect_uri);
        let http = self.sender();
        let answer = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
            .request_async(&http)
            .await
            .map_err(|error| grant_problem(provider, error))?;
        let granted = granted(&answer);
        // No word about scopes means those that were asked for (RFC 6749, 5.1).
        let granted = granted.unwrap_or_else(|| scopes(provider).asked.join(" "));
        let missing = missing_parts(provider, &granted);
        if !missing.is_empty() {
            return Err(GrantProblem::Missing(missing));
        }
        let id_token = answer.extra_fields().id_token.as_deref();
        let (subject, email) = self.identity(provider, config, id_token, nonce)?;
        let tokens = self.tokens(&answer);
        if tokens.refresh.is_none() {
            return Err(GrantProblem::Missing(vec![OFFLINE]));
        }
        Ok(Grant {
            tokens,
            subject,
            email,
            scopes: granted,
        })
    }

    /// New tokens.
    ///
    /// # Errors
    /// See [`RefreshProblem`].
    pub async fn refresh(
        &self,
        provider: Provider,
        refresh_token: &SecretString,
    ) -> Result<Tokens, RefreshProblem> {
        let config = self.of(provider).ok_or(RefreshProblem::NotOffered)?;
        let http = self.sender();
        let answer = client(config)
            .exchange_refresh_token(&RefreshToken::new(refresh_token.expose_secret().to_owned()))
            .request_async(&http)
            .await
            .map_err(|error| refresh_problem(provider, error))?;
        Ok(self.tokens(&answer))
    }

    /// Gives the grant back, where the provider can take it. Google ends the whole grant of this app for the account.
    ///
    /// # Errors
    /// The provider did not answer as expected; a grant that is gone already is none.
    pub async fn revoke(
        &self,
        provider: Provider,
        refresh_token: &SecretString,
    ) -> Result<(), String> {
        let Some(url) = self
            .of(provider)
            .and_then(|config| config.revoke_url.clone())
        else {
            return Ok(());
        };
        let response = self
            .http
            .post(url)
            .form(&[("token", refresh_token.expose_secret())])
            .send()
            .await
            .map_err(|error| error.without_url().to_string())?;
        match response.status().as_u16() {
            // 400: it was not valid any more.
            200 | 400 => Ok(()),
            status => Err(format!("HTTP {status}")),
        }
    }

    fn tokens(&self, answer: &Answer) -> Tokens {
        let lives = answer
            .expires_in()
            .and_then(|lives| TimeDelta::from_std(lives).ok())
            // Both say; an hour is what they give.
            .unwrap_or(TimeDelta::hours(1))
            .min(TimeDelta::days(1));
        Tokens {
            access: answer.access_token().secret().clone().into(),
            refresh: answer
                .refresh_token()
                .map(|token| token.secret().clone().into()),
            expires_at: self.clock.now() + lives,
        }
    }

    /// Who it is, by ids that do not change hands.
    fn identity(
        &self,
        provider: Provider,
        config: &ProviderConfig,
        id_token: Option<&str>,
        nonce: &str,
    ) -> Result<(String, String), BadIdToken> {
        let id_token = id_token.ok_or(BadIdToken::Unreadable)?;
        let now = self.clock.now();
        let is_issuer = |issuer: &str| is_issuer(provider, issuer);
        let claims = id_token::claims(id_token, is_issuer, &config.client_id, nonce, now)?;
        let text = |name: &str| claims[name].as_str().filter(|text| !text.is_empty());
        let subject = match provider {
            Provider::Google => text("sub").ok_or(BadIdToken::Subject)?.to_owned(),
            Provider::Microsoft => {
                let tenant = text("tid").ok_or(BadIdToken::Subject)?;
                let object = text("oid").ok_or(BadIdToken::Subject)?;
                if !text("iss").is_some_and(|issuer| issuer.contains(tenant)) {
                    return Err(BadIdToken::Issuer);
                }
                format!("{tenant}/{object}")
            }
        };
        let email = text("email")
            .or_else(|| text("preferred_username"))
            .unwrap_or("an account without an address");
        Ok((subject, printable(email, 320)))
    }

    /// What sends the requests of oauth2.
    fn sender(
        &self,
    ) -> impl Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, SendProblem>> + use<> {
        let providers = self.clone();
        move |request| {
            let providers = providers.clone();
            async move { providers.send(request).await }.boxed()
        }
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, SendProblem> {
        let failed = |error: reqwest::Error| SendProblem::Failed(error.without_url().to_string());
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut response = self.http.execute(request).await.map_err(failed)?;
        let status = response.status();
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(SendProblem::Busy(
                status.as_u16(),
                retry_after(response.headers(), self.clock.now()),
            ));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(SendProblem::Failed("the answer is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = status;
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

/// The scopes of an answer, separated by spaces.
fn granted(answer: &Answer) -> Option<String> {
    let scopes: Vec<&str> = answer.scopes()?.iter().map(|scope| &***scope).collect();
    Some(scopes.join(" "))
}

/// Microsoft answers scopes with their resource in front, and in other case.
fn is_same_scope(granted: &str, asked: &str) -> bool {
    granted.eq_ignore_ascii_case(asked)
        || granted.rsplit_once('/').is_some_and(|(resource, name)| {
            resource.starts_with("https://graph.microsoft.com") && name.eq_ignore_ascii_case(asked)
        })
}
