//! Entra ID's token endpoint.

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{RESOURCE, answer, errors, errors::TokenRefusal, is_tenant, scopes};
use crate::sandbox::{
    Sandbox,
    oauth::{
        self, ACCESS_SECONDS, ClientProblem, CodeProblem, Endpoint, Grant, Life, Params, Provider,
        Service, Spent, credentials, lost,
    },
    record::Traffic,
};

/// refresh-tokens.md, “Token lifetime”: ninety days, anew with every use.
const LIFE: Life = Life {
    idle: TimeDelta::days(90),
    whole: None,
};

/// `POST /microsoft/{tenant}/oauth2/v2.0/token`
pub(in crate::sandbox) async fn token(
    State(sandbox): State<Sandbox>,
    Path(tenant): Path<String>,
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
            ..Traffic::from_bot("microsoft", "token")
        });
    };
    let now = sandbox.slack.options.clock.now();
    let passed = match sandbox.arrive(Provider::Microsoft, endpoint).await {
        Ok(passed) => passed,
        Err(outage) => {
            trace(Some(format!("{outage:?}")));
            return errors::token_outage(&outage, now);
        }
    };
    let result = sandbox.provider(Provider::Microsoft, |service| {
        if !is_tenant(service, &tenant) {
            let sentence = format!("Tenant '{tenant}' not found.");
            return Err(TokenRefusal::mistake("invalid_request", 90002, sentence));
        }
        authenticate(service, &headers, &form)?;
        match form.get("grant_type") {
            None => Err(missing("grant_type")),
            Some("authorization_code") => exchange(service, &form, now),
            Some("refresh_token") => refresh(service, &form, now),
            Some(other) => {
                let sentence = format!("The app requested an unsupported grant type '{other}'.");
                Err(TokenRefusal::mistake(
                    "unsupported_grant_type",
                    70003,
                    sentence,
                ))
            }
        }
    });
    match result {
        Ok(value) => {
            trace(None);
            lost(passed, answer(&value)).await
        }
        Err(refusal) => {
            trace(Some(format!("{} {}", refusal.error, refusal.number)));
            if refusal.is_mistake {
                let details = vec![refusal.sentence.clone()];
                sandbox.violated("microsoft.token", refusal.error, details);
            }
            refusal.response(now)
        }
    }
}

fn missing(name: &str) -> TokenRefusal {
    let sentence = format!("The request body must contain the following parameter: '{name}'.");
    TokenRefusal::mistake("invalid_request", 900_144, sentence)
}

fn authenticate(service: &Service, headers: &HeaderMap, form: &Params) -> Result<(), TokenRefusal> {
    let (id, secret) = (form.get("client_id"), form.get("client_secret"));
    credentials(headers, id, secret, &service.client).map_err(|problem| match problem {
        ClientProblem::NoId => missing("client_id"),
        ClientProblem::Unknown => {
            let sentence = "Application with the given identifier was not found in the directory.";
            TokenRefusal::mistake("unauthorized_client", 700_016, sentence)
        }
        ClientProblem::NoSecret => {
            let sentence = "The request body must contain the following parameter: \
                'client_assertion' or 'client_secret'.";
            TokenRefusal::mistake("invalid_client", 7_000_218, sentence)
        }
        ClientProblem::WrongSecret => {
            let sentence = "Invalid client secret provided.";
            TokenRefusal::mistake("invalid_client", 7_000_215, sentence)
        }
        ClientProblem::ExpiredSecret => errors::expired_secret(),
    })
}

fn exchange(
    service: &mut Service,
    form: &Params,
    now: DateTime<Utc>,
) -> Result<Value, TokenRefusal> {
    let code = form.get("code").ok_or_else(|| missing("code"))?;
    let redirect_uri = form
        .get("redirect_uri")
        .ok_or_else(|| missing("redirect_uri"))?;
    let verifier = form.get("code_verifier");
    let grant = service
        .issued
        .redeem(code, Some(redirect_uri), verifier, now)
        .map_err(code_refused)?;
    let mut answer = tokens(
        service,
        &grant.account,
        &grant.scopes,
        grant.is_offline,
        now,
    );
    identify(service, &grant, &mut answer, now);
    Ok(answer)
}

fn code_refused(problem: CodeProblem) -> TokenRefusal {
    let mistake = TokenRefusal::mistake;
    match problem {
        CodeProblem::Unknown => mistake(
            "invalid_grant",
            70000,
            "The provided value for the 'code' parameter is not valid.",
        ),
        CodeProblem::Used => mistake(
            "invalid_grant",
            54005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code \
            or use an existing refresh token.",
        ),
        CodeProblem::Expired => TokenRefusal::event(
            "invalid_grant",
            70008,
            "The provided authorization code or refresh token has expired due to inactivity. Send \
            a new interactive authorization request for this user and resource.",
        ),
        // MicrosoftDocs/azure-docs#86043
        CodeProblem::OtherRedirect => mistake(
            "invalid_client",
            500_112,
            "The reply address does not match the reply address provided when requesting \
            Authorization code.",
        ),
        // pennersr/django-allauth#2916: the answer to a request without a verifier.
        CodeProblem::NoVerifier => mistake(
            "invalid_grant",
            50148,
            "The code_verifier does not match the code_challenge supplied in the authorization \
            request for PKCE.",
        ),
        CodeProblem::WrongVerifier | CodeProblem::VerifierNotNeeded => mistake(
            "invalid_grant",
            501_481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization \
            request.",
        ),
    }
}

/// `offline_access` brings the refresh token and is not echoed.
fn tokens(
    service: &mut Service,
    account: &str,
    scopes: &[String],
    is_offline: bool,
    now: DateTime<Utc>,
) -> Value {
    let is_qualified = service.switches.qualifies_scopes;
    let echoed: Vec<String> = scopes
        .iter()
        .filter(|scope| *scope != "offline_access")
        .map(|scope| {
            if is_qualified && scope.contains('.') {
                format!("{RESOURCE}{}", scope.to_lowercase())
            } else {
                scope.clone()
            }
        })
        .collect();
    let mut answer = json!({
        "token_type": "Bearer",
        "scope": echoed.join(" "),
        "expires_in": ACCESS_SECONDS,
        "ext_expires_in": ACCESS_SECONDS,
        "access_token": service.issued.access_token("EwB", account, scopes, now),
    });
    if is_offline {
        let token = service.issued.refresh_token("0.AX", account, scopes, now);
        answer["refresh_token"] = json!(token);
    }
    answer
}

/// id-token-claims-reference.md. The identity is (`tid`, `oid`), never the e-mail address.
fn identify(service: &Service, grant: &Grant, answer: &mut Value, now: DateTime<Utc>) {
    let has = |scope: &str| grant.scopes.iter().any(|granted| granted == scope);
    let Some(account) = service.account(&grant.account).filter(|_| has("openid")) else {
        return;
    };
    let issued = now.timestamp();
    let mut claims = json!({
        "ver": "2.0",
        "iss": format!("https://login.microsoftonline.com/{}/v2.0", account.tenant),
        // Differs for every program.
        "sub": format!("sandbox-{}", account.id),
        "aud": service.client.id,
        "iat": issued,
        "nbf": issued,
        "exp": issued + 3600,
        "tid": account.tenant,
    });
    if has("profile") {
        claims["oid"] = json!(account.id);
        claims["name"] = json!(account.name);
        claims["preferred_username"] = json!(account.email);
    }
    if has("email") {
        claims["email"] = json!(account.email);
    }
    if let Some(nonce) = &grant.nonce {
        claims["nonce"] = json!(nonce);
    }
    answer["id_token"] = json!(oauth::sign(&claims));
}

/// A new refresh token with every use; the old one is not revoked (refresh-tokens.md).
fn refresh(
    service: &mut Service,
    form: &Params,
    now: DateTime<Utc>,
) -> Result<Value, TokenRefusal> {
    let token = form
        .get("refresh_token")
        .ok_or_else(|| missing("refresh_token"))?;
    let asked = form
        .get("scope")
        .map(scopes)
        .transpose()
        .map_err(|detail| {
            let sentence = detail.split_once(": ").map_or("", |(_, rest)| rest);
            TokenRefusal::mistake("invalid_scope", 70011, sentence)
        })?;
    let found = service
        .issued
        .use_refresh(token, LIFE, now)
        .map_err(|spent| match spent {
            Spent::Unknown => TokenRefusal::mistake(
                "invalid_grant",
                9_002_313,
                "Invalid request. Request is malformed or invalid.",
            ),
            Spent::Revoked => errors::revoked(),
            Spent::Expired { issued } => errors::inactive(issued, now),
        })?;
    let (account, granted) = (found.account.clone(), found.scopes.clone());
    if let Some(scope) = asked
        .iter()
        .flatten()
        .find(|scope| !granted.contains(scope))
    {
        let sentence = format!("The user or administrator has not consented to {scope}.");
        return Err(TokenRefusal {
            suberror: Some("consent_required"),
            ..TokenRefusal::mistake("invalid_grant", 65001, sentence)
        });
    }
    Ok(tokens(service, &account, &granted, true, now))
}
