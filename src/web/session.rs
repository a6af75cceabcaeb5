//! Who sends a request: the cookies of a browser, or the token of a program.

use axum::{
    extract::{FromRequestParts, MatchedPath, OptionalFromRequestParts},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cookie::{Cookie, SameSite};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{
    Site,
    limits::{Payer, part_of, stranger},
    problem::Problem,
    scopes::{self, Needs},
};
use crate::{
    app::SESSION_LASTS,
    domain::member::Member,
    keyring::{digest, is_same, new_secret},
};

/// A browser as it comes: signed in or not.
pub(super) struct Visitor {
    /// The secret that tells this browser from others; it says nothing about who sits there.
    pub(super) browser: Option<SecretString>,
    /// Who is signed in.
    pub(super) member: Option<Member>,
    /// The secret of the session.
    pub(super) session: Option<SecretString>,
}

/// Somebody who may use the API.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) member: Member,
    /// A program with a token; otherwise a browser that is signed in.
    pub(super) is_program: bool,
    pub(super) browser: Option<SecretString>,
}

impl FromRequestParts<Site> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Response> {
        let names = Names::of(&site.public_url);
        let session = cookie(&parts.headers, names.session);
        let member = match &session {
            Some(session) => site
                .app
                .signed_in(session.expose_secret())
                .await
                .map_err(super::pages::failed)?,
            None => None,
        };
        Ok(Self {
            browser: cookie(&parts.headers, names.browser),
            session,
            member,
        })
    }
}

impl FromRequestParts<Site> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        // Whoever looked before has found out.
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        // Who cannot say who they are spends what their address has.
        let strange = |refusal| match site.buckets.charge(parts, stranger(parts), 1) {
            Ok(()) => refusal,
            Err(too_many) => too_many,
        };
        if let Some(token) = bearer(&parts.headers) {
            let known = site.app.acts_for(&token).await?;
            let (member, scopes) = known.ok_or_else(|| strange(Problem::token_refused()))?;
            site.buckets
                .charge(parts, Payer::Person(member.user_id), part_of(parts))?;
            let pattern = parts.extensions.get::<MatchedPath>();
            match pattern.and_then(|path| scopes::needed(&parts.method, path.as_str())) {
                Some(Needs::Nothing) => {}
                Some(Needs::Scope(scope)) if scopes.allows(scope) => {}
                Some(Needs::Scope(scope)) => return Err(Problem::without_scope(scope)),
                Some(Needs::Session) | None => return Err(Problem::no_tokens_here()),
            }
            return Ok(Self {
                member,
                is_program: true,
                browser: None,
            });
        }
        let names = Names::of(&site.public_url);
        let member = match cookie(&parts.headers, names.session) {
            Some(session) => site.app.signed_in(session.expose_secret()).await?,
            None => None,
        };
        let Some(member) = member else {
            return Err(strange(Problem::sign_in_first()));
        };
        site.buckets
            .charge(parts, Payer::Person(member.user_id), part_of(parts))?;
        let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if changes && !is_from_here(&parts.headers, site) {
            return Err(Problem::foreign_origin());
        }
        Ok(Self {
            member,
            is_program: false,
            browser: cookie(&parts.headers, names.browser),
        })
    }
}

/// Where nobody has to be signed in. Whoever says who they are must be right about it.
impl OptionalFromRequestParts<Site> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Option<Self>, Problem> {
        if !says_who(&parts.headers, site) {
            return Ok(None);
        }
        <Self as FromRequestParts<Site>>::from_request_parts(parts, site)
            .await
            .map(Some)
    }
}

/// Whether it says whose request it is, rightly or not.
pub(super) fn says_who(headers: &HeaderMap, site: &Site) -> bool {
    bearer(headers).is_some() || cookie(headers, Names::of(&site.public_url).session).is_some()
}

/// Whether a request that a cookie allows was sent by a page of ours, or of the frontend.
pub(super) fn is_from_here(headers: &HeaderMap, site: &Site) -> bool {
    let origin = |url: &Url| url.origin().ascii_serialization();
    match headers.get(header::ORIGIN).and_then(|o| o.to_str().ok()) {
        Some(said) => {
            said == origin(&site.public_url)
                || site
                    .frontend_url
                    .as_ref()
                    .is_some_and(|url| said == origin(url))
        }
        // No browser leaves it out where it matters, but some leave it out for their own site.
        None => headers
            .get("sec-fetch-site")
            .is_some_and(|site| site == "same-origin"),
    }
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

/// The name of the cookie that signs a browser in.
pub(super) fn cookie_name(public_url: &Url) -> &'static str {
    Names::of(public_url).session
}

/// The names of the cookies. Over TLS they have the prefix that ties them to this host alone.
struct Names {
    session: &'static str,
    browser: &'static str,
    is_secure: bool,
}

impl Names {
    fn of(public_url: &Url) -> Self {
        if public_url.scheme() == "https" {
            Self {
                session: "__Host-billops_session",
                browser: "__Host-billops_browser",
                is_secure: true,
            }
        } else {
            Self {
                session: "billops_session",
                browser: "billops_browser",
                is_secure: false,
            }
        }
    }

    fn cookie(&self, name: &'static str, value: &str, lives: chrono::TimeDelta) -> HeaderValue {
        let cookie = Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .secure(self.is_secure)
            // It comes along when a provider sends the browser back, but not when another site posts to us.
            .same_site(SameSite::Lax)
            .max_age(cookie::time::Duration::seconds(lives.num_seconds()))
            .build();
        HeaderValue::from_str(&cookie.to_string()).expect("cookies of ours are ASCII")
    }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| Cookie::split_parse(header.to_owned()))
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name && !cookie.value().is_empty())
        .map(|cookie| cookie.value().to_owned().into())
}

impl Visitor {
    /// The browser's secret, and the header that gives it one where it has none.
    pub(super) fn browser_or_new(&self, site: &Site) -> (SecretString, Option<HeaderValue>) {
        if let Some(browser) = &self.browser {
            return (browser.clone(), None);
        }
        let names = Names::of(&site.public_url);
        let browser = new_secret();
        let header = names.cookie(names.browser, browser.expose_secret(), SESSION_LASTS);
        (browser, Some(header))
    }
}

/// The header that signs a browser in.
pub(super) fn session_cookie(site: &Site, session: &SecretString) -> HeaderValue {
    let names = Names::of(&site.public_url);
    names.cookie(names.session, session.expose_secret(), SESSION_LASTS)
}

/// The header that signs it out.
pub(super) fn no_session(site: &Site) -> HeaderValue {
    let names = Names::of(&site.public_url);
    names.cookie(names.session, "", chrono::TimeDelta::zero())
}

/// What a form of ours carries, so that no other page can send it: it follows from the browser's secret.
pub(super) fn form_token(browser: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(digest(&format!("form {}", browser.expose_secret())))
}

/// Whether a form comes from a page of ours in this browser.
pub(super) fn is_our_form(
    headers: &HeaderMap,
    site: &Site,
    visitor: &Visitor,
    token: &str,
) -> bool {
    is_from_here(headers, site)
        && visitor
            .browser
            .as_ref()
            .is_some_and(|browser| is_same(form_token(browser).as_bytes(), token.as_bytes()))
}
