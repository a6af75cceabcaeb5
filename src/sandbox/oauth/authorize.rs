//! The authorize leg: a request is checked, a person decides, the browser goes back.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use url::Url;

use super::{Endpoint, Outage, Params, Provider, error_page};
use crate::sandbox::{Sandbox, google, install, is_own, microsoft, openid, record::Traffic};

/// A request that may be shown to a person.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuthRequest {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) scopes: Vec<String>,
    /// The challenge, and whether it is S256.
    pub(crate) challenge: Option<(String, bool)>,
    /// A refresh token is wanted.
    pub(crate) is_offline: bool,
    /// Consent is asked for although it was given.
    pub(crate) asks_again: bool,
    /// What was granted before is granted again.
    pub(crate) adds_to_granted: bool,
    pub(crate) login_hint: Option<String>,
}

/// Why a request is not shown to a person.
#[derive(Debug)]
pub(crate) enum Denial {
    /// An error page, and never a redirect: nobody knows whose address that would be.
    Page {
        error: String,
        heading: String,
        detail: String,
    },
    /// The registered address is told.
    Back {
        redirect_uri: String,
        state: Option<String>,
        error: &'static str,
        detail: String,
    },
}

fn check(
    sandbox: &Sandbox,
    provider: Provider,
    path: &str,
    params: &Params,
) -> Result<AuthRequest, Denial> {
    sandbox.provider(provider, |service| match provider {
        Provider::Slack => openid::check(service, params),
        Provider::Install => install::check(service, &sandbox.slack.options.manifest, params),
        Provider::Google => google::check(service, params),
        Provider::Microsoft => microsoft::check(service, path, params),
    })
}

/// `GET` of the consent page.
pub(crate) async fn show(
    sandbox: &Sandbox,
    provider: Provider,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Response {
    if let Err(outage) = sandbox.arrive(provider, Endpoint::Authorize).await {
        return broken(provider, &outage);
    }
    let params = Params::read(query);
    let checked = check(sandbox, provider, path, &params);
    sandbox.trace(|| Traffic {
        ok: checked.is_ok(),
        error: checked.as_ref().err().map(Denial::error),
        bytes: query.len(),
        body: params.json(),
        ..Traffic::from_bot(provider.subject(), "authorize")
    });
    let hinted = |request: AuthRequest| AuthRequest {
        login_hint: request
            .login_hint
            .or_else(|| account_of(sandbox, provider, &sits_here(headers)?)),
        ..request
    };
    match checked {
        Ok(request) => match provider {
            Provider::Slack => openid::page(sandbox, path, query, sits_here(headers).as_deref()),
            Provider::Install => install::page(
                sandbox,
                path,
                query,
                &request,
                sits_here(headers).as_deref(),
            ),
            Provider::Google => google::page(sandbox, path, query, &hinted(request)),
            Provider::Microsoft => microsoft::page(sandbox, path, query, &hinted(request)),
        },
        Err(denial) => {
            let detail = denial.detail().to_owned();
            sandbox.violated(
                &format!("{}.authorize", provider.subject()),
                &denial.error(),
                vec![detail],
            );
            denial.response(provider)
        }
    }
}

/// Whom the demo's page acts as: it leaves a cookie, so that the consent pages know who is signed in.
fn sits_here(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies
        .split(';')
        .find_map(|cookie| cookie.trim().strip_prefix("billops_sits_here="))
        .map(str::to_owned)
}

/// The account of somebody in the workspace: the one under their name.
fn account_of(sandbox: &Sandbox, provider: Provider, user: &str) -> Option<String> {
    let name = sandbox.world(|world| world.person(user).map(|person| person.real_name.clone()))?;
    sandbox.provider(provider, |service| {
        let mut accounts = service.accounts().iter();
        accounts
            .find(|account| account.name == name)
            .map(|account| account.id.clone())
    })
}

/// The form of the consent page.
pub(crate) async fn decide(
    sandbox: &Sandbox,
    provider: Provider,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    // Any website can post a form to this machine; consent is given on this page only.
    if !is_own(headers, sandbox.slack.address.port()) {
        return (StatusCode::FORBIDDEN, "This page answers only to itself.").into_response();
    }
    let form = Params::form(headers, body).unwrap_or_default();
    let params = Params::read(form.get("request").unwrap_or_default());
    let request = match check(sandbox, provider, path, &params) {
        Ok(request) => request,
        Err(denial) => return denial.response(provider),
    };
    if sandbox.provider(provider, |service| service.switches.needs_admin_approval) {
        return microsoft::dead_end();
    }
    if form.get("decision") != Some("allow") {
        let detail = match provider {
            Provider::Microsoft => microsoft::DENIED,
            _ => "",
        };
        return back(
            &request.redirect_uri,
            request.state.as_deref(),
            &[("error", "access_denied"), ("error_description", detail)],
        );
    }
    let account = form.get("account").unwrap_or_default();
    let code = match provider {
        Provider::Slack => openid::allow(sandbox, account, &request),
        Provider::Install => install::allow(sandbox, account, &request),
        Provider::Google => google::allow(sandbox, account, &request, &form),
        Provider::Microsoft => microsoft::allow(sandbox, account, &request),
    };
    let Some(code) = code else {
        let (heading, detail) = ("There is no such account", "Go back and choose one.");
        return error_page(provider, StatusCode::BAD_REQUEST, heading, detail);
    };
    back(
        &request.redirect_uri,
        request.state.as_deref(),
        &[("code", &code)],
    )
}

/// Sends the browser back with these parameters, the empty ones left out.
fn back(redirect_uri: &str, state: Option<&str>, answer: &[(&str, &str)]) -> Response {
    let Ok(mut url) = Url::parse(redirect_uri) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    {
        let mut query = url.query_pairs_mut();
        let state = state.map(|state| ("state", state));
        let answer = answer
            .iter()
            .copied()
            .filter(|(_, value)| !value.is_empty());
        query.extend_pairs(answer.chain(state));
    }
    let headers = [
        (header::LOCATION, url.to_string()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (StatusCode::FOUND, headers).into_response()
}

impl Denial {
    pub(crate) fn page(error: &str, heading: &str, detail: impl Into<String>) -> Self {
        Self::Page {
            error: error.to_owned(),
            heading: heading.to_owned(),
            detail: detail.into(),
        }
    }

    fn error(&self) -> String {
        match self {
            Self::Page { error, .. } => error.clone(),
            Self::Back { error, .. } => (*error).to_owned(),
        }
    }

    fn detail(&self) -> &str {
        match self {
            Self::Page { detail, .. } | Self::Back { detail, .. } => detail,
        }
    }

    fn response(&self, provider: Provider) -> Response {
        match self {
            Self::Page {
                heading, detail, ..
            } => error_page(provider, StatusCode::BAD_REQUEST, heading, detail),
            Self::Back {
                redirect_uri,
                state,
                error,
                detail,
            } => back(
                redirect_uri,
                state.as_deref(),
                &[("error", error), ("error_description", detail)],
            ),
        }
    }
}

/// An outage of a page has no body worth reading.
fn broken(provider: Provider, outage: &Outage) -> Response {
    let status = match outage {
        Outage::TooManyRequests { .. } => 429,
        Outage::Status(status) => *status,
        _ => 503,
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let heading = "Something went wrong";
    error_page(
        provider,
        status,
        heading,
        &json!(status.as_u16()).to_string(),
    )
}
