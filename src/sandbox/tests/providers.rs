//! What the tests of the providers share: a request as the program would send it, and the schemas.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Response, StatusCode};
use sha2::{Digest, Sha256};
use url::Url;

use super::*;
use crate::sandbox::{Decision, NINA_EMAIL, Provider};

pub(super) const BACK: &str = "http://localhost:8000/api/v1/integrations/google/callback";
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A sandbox whose client is registered with one address at each provider.
pub(super) async fn registered() -> Sandbox {
    let sandbox = start().await;
    for provider in [Provider::Slack, Provider::Google, Provider::Microsoft] {
        sandbox.register_redirect(provider, BACK);
    }
    sandbox
}

pub(super) fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// The address with these parameters; later ones replace earlier ones, `-` takes one away.
pub(super) fn address(base: &str, parameters: &[(&str, &str)], changes: &[(&str, &str)]) -> String {
    let mut all: Vec<(&str, &str)> = parameters.to_vec();
    for (name, value) in changes {
        all.retain(|(known, _)| known != name);
        if *value != "-" {
            all.push((name, value));
        }
    }
    Url::parse_with_params(base, all).unwrap().to_string()
}

/// A parameter of the address to which the browser is sent back.
#[track_caller]
pub(super) fn parameter(address: &str, name: &str) -> String {
    let url = Url::parse(address).unwrap();
    let found = url.query_pairs().find(|(known, _)| known == name);
    found
        .unwrap_or_else(|| panic!("{address} has no {name}"))
        .1
        .into_owned()
}

pub(super) async fn post(url: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
    body(form(http().post(url), fields).send().await.unwrap()).await
}

pub(super) async fn get(url: &str, token: &str) -> (StatusCode, Value) {
    body(http().get(url).bearer_auth(token).send().await.unwrap()).await
}

pub(super) async fn body(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

pub(super) fn data(path: &str) -> Value {
    let path = format!("{}/tests/data/{path}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Holds the value against `tests/data/{provider}/schema/{name}`.
#[track_caller]
pub(super) fn assert_valid(schema: &str, value: &Value) {
    let (provider, name) = schema.split_once('/').unwrap();
    let schema = data(&format!("{provider}/schema/{name}.schema"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{name}: {problems:#?}\n{value:#}");
}

/// The claims of an id_token.
pub(super) fn claims(answer: &Value) -> Value {
    let token = answer["id_token"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

pub(super) async fn code(sandbox: &Sandbox, url: &str) -> String {
    let back = sandbox.consent(url, NINA_EMAIL, Decision::Allow).await;
    parameter(&back.unwrap(), "code")
}

#[test]
fn the_schemas_refuse_what_is_invented() {
    let schema = data("google/schema/TokenError.schema");
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&json!({"error": "invalid_grant"})));
    assert!(!validator.is_valid(&json!({"error": "invalid_grant", "why": "x"})));
}

#[tokio::test]
async fn all_three_publish_the_key_they_sign_with() {
    let sandbox = registered().await;
    let mut found = Vec::new();
    for path in [
        "openid/connect/keys",
        "google/certs",
        "microsoft/common/discovery/v2.0/keys",
    ] {
        let (status, keys) = get(&format!("{}/{path}", sandbox.url()), "").await;
        assert_eq!(status, 200);
        assert_eq!(keys["keys"][0]["kid"], "billops-sandbox-1");
        found.push(keys);
    }
    assert_eq!(found[0], found[1]);
    assert_eq!(found[1], found[2]);
}

#[tokio::test]
async fn the_settings_name_what_is_there() {
    let sandbox = registered().await;
    for (name, value) in sandbox.provider_settings() {
        let Some(provider) = name.strip_suffix("_URL") else {
            assert!(!value.is_empty(), "{name}");
            continue;
        };
        let path = match provider {
            "GOOGLE_CALENDAR" => "/users/me/calendarList",
            "MICROSOFT_LOGIN" => "/common/oauth2/v2.0/authorize",
            "MICROSOFT_GRAPH" => "/me/calendars",
            _ => "",
        };
        let (status, _) = get(&format!("{value}{path}"), "nothing").await;
        assert_ne!(status, 404, "{name}={value}");
    }
}
