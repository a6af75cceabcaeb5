//! Google's token endpoint and revocation.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{EMAIL, PROFILE, answer, errors};
use crate::sandbox::{
    Sandbox,
    oauth::{
        self, ACCESS_SECONDS, Account, ClientProblem, CodeProblem, Endpoint, Grant, Life, Params,
        Provider, Service, credentials, lost,
    },
    record::Traffic,
};

/// How long refresh tokens of an app in Testing live
/// (developers.google.com/identity/protocols/oauth2, “Refresh token expiration”).
const TESTING_SECONDS: i64 = 604_799;

/// The same page: six months without use.
const IDLE: TimeDelta = TimeDelta::days(183);

/// Status, error, description, and whether the caller made a mistake.
type Refused = (u16, &'static str, String, bool);

fn mistake(status: u16, error: &'static str, description: impl Into<String>) -> Refused {
    (status, error, description.into(), true)
}

/// `POST /google/token`
pub(in crate::sandbox) async fn token(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = Params::form(&headers, &body).unwrap_or_default();
    let is_refresh = form.get("grant_type") == Some("refresh_token");
    let endpoint = if is_refresh {
        Endpoint::Refresh
    } else {
        Endpoint::Code
    };
    let trace = |error: Option<String>| {
        sandbox.trace(|| Traffic {
            ok: error.is_none(),
            error,
            bytes: body.len(),
            body: form.json(),
            ..Traffic::from_bot("google", "token")
        });
    };
    let passed = match sandbox.arrive(Provider::Google, endpoint).await {
        Ok(passed) => passed,
        Err(outage) => {
            trace(Some(format!("{outage:?}")));
            return errors::token_outage(&outage);
        }
    };
    let now = sandbox.slack.options.clock.now();
    let result = sandbox.provider(Provider::Google, |service| {
        authenticate(service, &headers, &form)?;
        match form.get("grant_type") {
            None => {
                let description = "Required parameter is missing: grant_type";
                Err(mistake(400, "invalid_request", description))
            }
            Some("authorization_code") => exchange(service, &form, now),
            Some("refresh_token") => refresh(service, &form, now),
            Some(other) => {
                let description = format!("Invalid grant_type: {other}");
                Err(mistake(400, "unsupported_grant_type", description))
            }
        }
    });
    match result {
        Ok(value) => {
            trace(None);
            lost(passed, answer(&value)).await
        }
        Err((status, error, description, is_mistake)) => {
            trace(Some(error.to_owned()));
            if is_mistake {
                sandbox.violated("google.token", error, vec![description.clone()]);
            }
            errors::token(status, error, &description)
        }
    }
}

fn authenticate(service: &Service, headers: &HeaderMap, form: &Params) -> Result<(), Refused> {
    let (id, secret) = (form.get("client_id"), form.get("client_secret"));
    credentials(headers, id, secret, &service.client).map_err(|problem| match problem {
        ClientProblem::NoId => {
            let description = "Could not determine client ID from request.";
            mistake(400, "invalid_request", description)
        }
        ClientProblem::Unknown => mistake(401, "invalid_client", "The OAuth client was not found."),
        ClientProblem::NoSecret => mistake(400, "invalid_request", "client_secret is missing."),
        ClientProblem::WrongSecret => mistake(401, "invalid_client", "Unauthorized"),
        ClientProblem::ExpiredSecret => (401, "invalid_client", "Unauthorized".to_owned(), false),
    })
}

fn exchange(service: &mut Service, form: &Params, now: DateTime<Utc>) -> Result<Value, Refused> {
    let Some(code) = form.get("code") else {
        return Err(mistake(
            400,
            "invalid_request",
            "Missing required parameter: code",
        ));
    };
    let (redirect_uri, verifier) = (form.get("redirect_uri"), form.get("code_verifier"));
    let grant = service
        .issued
        .redeem(code, redirect_uri, verifier, now)
        .map_err(|problem| match problem {
            // The sentences are those that libraries' users report, for example
            // onaio/onadata#3068 and googleapis/google-api-nodejs-client#3680.
            CodeProblem::NoVerifier => mistake(400, "invalid_grant", "Missing code verifier."),
            CodeProblem::WrongVerifier => mistake(400, "invalid_grant", "Invalid code verifier."),
            CodeProblem::VerifierNotNeeded => {
                let description = "code_verifier or verifier is not needed.";
                mistake(400, "invalid_grant", description)
            }
            CodeProblem::OtherRedirect => mistake(400, "redirect_uri_mismatch", "Bad Request"),
            CodeProblem::Expired => (400, "invalid_grant", "Bad Request".to_owned(), false),
            CodeProblem::Unknown => mistake(400, "invalid_grant", "Malformed auth code."),
            CodeProblem::Used => mistake(400, "invalid_grant", "Bad Request"),
        })?;
    let (account, scopes) = (&grant.account, &grant.scopes);
    let mut answer = json!({
        "access_token": service.issued.access_token("ya29.a0", account, scopes, now),
        "expires_in": ACCESS_SECONDS,
        "scope": scopes.join(" "),
        "token_type": "Bearer",
    });
    if grant.is_offline {
        let token = service.issued.refresh_token("1//0", account, scopes, now);
        service.issued.retire_oldest(account);
        answer["refresh_token"] = json!(token);
        if service.switches.is_testing {
            answer["refresh_token_expires_in"] = json!(TESTING_SECONDS);
        }
    }
    if let Some(claims) = claims(service, &grant, now) {
        answer["id_token"] = json!(oauth::sign(&claims));
    }
    Ok(answer)
}

/// developers.google.com/identity/openid-connect, “An ID token's payload”.
fn claims(service: &Service, grant: &Grant, now: DateTime<Utc>) -> Option<Value> {
    let has = |scope: &str| grant.scopes.iter().any(|granted| granted == scope);
    if !has("openid") {
        return None;
    }
    let account: &Account = service.account(&grant.account)?;
    let issued = now.timestamp();
    let mut claims = json!({
        "iss": "https://accounts.google.com",
        "azp": service.client.id,
        "aud": service.client.id,
        "sub": account.id,
        "iat": issued,
        "exp": issued + 3600,
    });
    if has(EMAIL) {
        claims["email"] = json!(account.email);
        claims["email_verified"] = json!(true);
    }
    if has(PROFILE) {
        claims["name"] = json!(account.name);
    }
    if let Some(nonce) = &grant.nonce {
        claims["nonce"] = json!(nonce);
    }
    Some(claims)
}

fn refresh(service: &mut Service, form: &Params, now: DateTime<Utc>) -> Result<Value, Refused> {
    let Some(token) = form.get("refresh_token") else {
        let description = "Missing required parameter: refresh_token";
        return Err(mistake(400, "invalid_request", description));
    };
    let is_testing = service.switches.is_testing;
    let life = Life {
        idle: IDLE,
        whole: is_testing.then(|| TimeDelta::seconds(TESTING_SECONDS)),
    };
    let description = "Token has been expired or revoked.";
    let found = service
        .issued
        .use_refresh(token, life, now)
        .map_err(|_| (400, "invalid_grant", description.to_owned(), false))?;
    let (account, scopes) = (found.account.clone(), found.scopes.clone());
    let mut answer = json!({
        "access_token": service.issued.access_token("ya29.a0", &account, &scopes, now),
        "expires_in": ACCESS_SECONDS,
        "scope": scopes.join(" "),
        "token_type": "Bearer",
    });
    if is_testing {
        answer["refresh_token_expires_in"] = json!(TESTING_SECONDS);
    }
    Ok(answer)
}

/// `POST /google/revoke`: either kind of token ends the whole grant of the account.
pub(in crate::sandbox) async fn revoke(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let passed = match sandbox.arrive(Provider::Google, Endpoint::Revoke).await {
        Ok(passed) => passed,
        Err(outage) => return errors::token_outage(&outage),
    };
    let form = Params::form(&headers, &body).unwrap_or_default();
    let Some(token) = form.get("token") else {
        let description = "Missing required parameter: token";
        sandbox.violated(
            "google.revoke",
            "invalid_request",
            vec![description.to_owned()],
        );
        return errors::token(400, "invalid_request", description);
    };
    let is_done = sandbox.provider(Provider::Google, |service| {
        let owner = service.issued.owner(token)?;
        service.revoke(&owner);
        Some(())
    });
    sandbox.trace(|| Traffic {
        ok: is_done.is_some(),
        error: is_done.is_none().then(|| "invalid_token".to_owned()),
        bytes: body.len(),
        body: form.json(),
        ..Traffic::from_bot("google", "revoke")
    });
    if is_done.is_none() {
        let status = StatusCode::BAD_REQUEST.as_u16();
        return errors::token(status, "invalid_token", "Token expired or revoked");
    }
    lost(passed, answer(&json!({}))).await
}
