//! Sign in with Slack.

use chrono::TimeDelta;

use super::{providers::*, *};
use crate::sandbox::{Decision, Endpoint, NINA, NoConsent, Outage, Provider};

fn auth_url(sandbox: &Sandbox, changes: &[(&str, &str)]) -> String {
    let id = sandbox.client_id(Provider::Slack);
    let base = format!("{}/openid/connect/authorize", sandbox.url());
    let parameters = [
        ("response_type", "code"),
        ("scope", "openid email profile"),
        ("client_id", id.as_str()),
        ("redirect_uri", BACK),
        ("state", "s1"),
        ("nonce", "n1"),
        ("team", "T07TERN001"),
    ];
    address(&base, &parameters, changes)
}

async fn exchange(sandbox: &Sandbox, code: &str, changes: &[(&str, &str)]) -> Value {
    let (id, secret) = (
        sandbox.client_id(Provider::Slack),
        sandbox.client_secret(Provider::Slack),
    );
    let mut fields = vec![
        ("client_id", id.as_str()),
        ("client_secret", &secret),
        ("code", code),
        ("redirect_uri", BACK),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    let url = format!("{}/openid.connect.token", sandbox.api_url());
    post(&url, &fields).await.1
}

#[tokio::test]
async fn signing_in() {
    let sandbox = registered().await;
    let back = sandbox
        .consent(&auth_url(&sandbox, &[]), "nina", Decision::Allow)
        .await
        .unwrap();
    assert_eq!(parameter(&back, "state"), "s1");
    let code = parameter(&back, "code");
    let answer = exchange(&sandbox, &code, &[]).await;
    assert_eq!(answer["ok"], true);
    assert_eq!(answer["token_type"], "Bearer");
    let claims = claims(&answer);
    let now = sandbox.slack.options.clock.now().timestamp();
    for (name, value) in [
        ("iss", json!("https://slack.com")),
        ("sub", json!(NINA)),
        ("aud", json!(sandbox.client_id(Provider::Slack))),
        ("iat", json!(now)),
        ("exp", json!(now + 300)),
        ("nonce", json!("n1")),
        ("https://slack.com/user_id", json!(NINA)),
        ("https://slack.com/team_id", json!("T07TERN001")),
        ("email", json!("nina@ternstudio.example")),
        ("email_verified", json!(true)),
        ("name", json!("Nina Berg")),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    let token = answer["access_token"].as_str().unwrap();
    let url = format!("{}/openid.connect.userInfo", sandbox.api_url());
    let (_, info) = get(&url, token).await;
    assert_eq!((&info["ok"], &info["sub"]), (&json!(true), &json!(NINA)));
    let (_, keys) = get(&format!("{}/openid/connect/keys", sandbox.url()), "").await;
    assert_eq!(keys["keys"][0]["alg"], "RS256");
    sandbox.provider(Provider::Slack, |slack| {
        assert_eq!(slack.requests(Endpoint::Authorize), 1);
        assert_eq!(slack.requests(Endpoint::Code), 1);
        assert_eq!(slack.requests(Endpoint::Me), 1);
        assert_eq!(slack.requests(Endpoint::Keys), 1);
    });
    assert_eq!(sandbox.violations(), []);
    let traffic = serde_json::to_string(&sandbox.traffic()).unwrap();
    assert!(!traffic.contains(&code) && !traffic.contains(token));
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_told() {
    let sandbox = registered().await;
    let url = auth_url(&sandbox, &[("scope", "openid profile")]);
    let page = http().get(&url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("BillOps will see your name and your workspace."));
    let back = sandbox
        .consent(&url, "nina", Decision::Allow)
        .await
        .unwrap();
    let answer = exchange(&sandbox, &parameter(&back, "code"), &[]).await;
    let token = answer["access_token"].as_str().unwrap();
    let url = format!("{}/openid.connect.userInfo", sandbox.api_url());
    let (_, info) = get(&url, token).await;
    for told in [claims(&answer), info] {
        assert_eq!(told["name"], "Nina Berg");
        assert_eq!(told["email"], Value::Null);
        assert_eq!(told["email_verified"], Value::Null);
    }
    let page = http().get(auth_url(&sandbox, &[])).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("your name, your e-mail address and your workspace."));
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn everybody_may_be_chosen_or_nobody() {
    let sandbox = registered().await;
    let url = auth_url(&sandbox, &[]);
    let page = http().get(&url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<h1>Sign in with Slack</h1>"));
    assert_eq!(page.matches(r#"type="radio""#).count(), 8);
    let back = sandbox
        .consent(&url, "jonas", Decision::Allow)
        .await
        .unwrap();
    let answer = exchange(&sandbox, &parameter(&back, "code"), &[]).await;
    assert_eq!(claims(&answer)["sub"], "U07JONAS02");
    let back = sandbox
        .consent(&url, "jonas", Decision::Deny)
        .await
        .unwrap();
    assert_eq!(parameter(&back, "error"), "access_denied");
    let below = auth_url(&sandbox, &[("redirect_uri", &format!("{BACK}/slack"))]);
    assert!(
        sandbox
            .consent(&below, "nina", Decision::Allow)
            .await
            .is_ok()
    );
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn requests_that_are_wrong() {
    let sandbox = registered().await;
    let cases = [
        (("client_id", "x"), "invalid_client_id"),
        (
            ("redirect_uri", "https://evil.example/"),
            "bad_redirect_uri",
        ),
        (
            (
                "redirect_uri",
                "http://localhost:8000/api/v1/integrations/google/callbackx",
            ),
            "bad_redirect_uri",
        ),
        (("response_type", "token"), "invalid_response_type"),
        (("scope", "openid chat:write"), "invalid_scope"),
        (("scope", "email"), "invalid_scope"),
        (("redirect_url", BACK), "unknown_parameter"),
    ];
    for (change, error) in cases {
        let url = auth_url(&sandbox, &[change]);
        let refused = sandbox.consent(&url, "nina", Decision::Allow).await;
        assert!(matches!(refused, Err(NoConsent::Page(_))), "{change:?}");
        assert_eq!(errors(&sandbox), [error]);
    }
    let url = auth_url(&sandbox, &[]);
    let back = sandbox
        .consent(&url, "nina", Decision::Allow)
        .await
        .unwrap();
    let code = parameter(&back, "code");
    for (change, error) in [
        (("client_secret", "x"), "bad_client_secret"),
        (("client_id", "x"), "invalid_client_id"),
        (
            ("redirect_uri", "http://localhost:8000/"),
            "bad_redirect_uri",
        ),
        (("code", "x"), "invalid_code"),
        (("grant_type", "password"), "invalid_grant_type"),
    ] {
        let answer = exchange(&sandbox, &code, &[change]).await;
        assert_eq!(
            (&answer["ok"], &answer["error"]),
            (&json!(false), &json!(error))
        );
        assert_eq!(errors(&sandbox), [error]);
    }
    assert_eq!(exchange(&sandbox, &code, &[]).await["ok"], true);
    let answer = exchange(&sandbox, &code, &[]).await;
    assert_eq!(answer["error"], "code_already_used");
    let back = sandbox
        .consent(&url, "nina", Decision::Allow)
        .await
        .unwrap();
    sandbox.slack.options.clock.advance(TimeDelta::seconds(601));
    let answer = exchange(&sandbox, &parameter(&back, "code"), &[]).await;
    assert_eq!(answer["error"], "invalid_code");
    let info = format!("{}/openid.connect.userInfo", sandbox.api_url());
    let (_, answer) = get(&info, sandbox.bot_token()).await;
    assert_eq!(
        answer["error"], "invalid_auth",
        "the bot's token is nobody's"
    );
}

#[tokio::test]
async fn the_client_may_come_as_basic() {
    let sandbox = registered().await;
    let url = auth_url(&sandbox, &[]);
    let back = sandbox
        .consent(&url, "nina", Decision::Allow)
        .await
        .unwrap();
    let code = parameter(&back, "code");
    let request = http()
        .post(format!("{}/openid.connect.token", sandbox.api_url()))
        .basic_auth(
            sandbox.client_id(Provider::Slack),
            Some(sandbox.client_secret(Provider::Slack)),
        );
    let fields = [
        ("code", code.as_str()),
        ("redirect_uri", BACK),
        ("grant_type", "authorization_code"),
    ];
    let (_, answer) = body(form(request, &fields).send().await.unwrap()).await;
    assert_eq!(answer["ok"], true, "{answer}");
}

#[tokio::test]
async fn outages() {
    let sandbox = registered().await;
    let url = auth_url(&sandbox, &[]);
    let back = sandbox.consent(&url, "nina", Decision::Allow).await;
    let code = parameter(&back.unwrap(), "code");
    sandbox.provider(Provider::Slack, |slack| {
        let refused = Outage::Refused("fatal_error".to_owned());
        slack.fail_next(Endpoint::Code, 1, refused);
        slack.fail_next(Endpoint::Authorize, 1, Outage::Status(503));
    });
    let answer = exchange(&sandbox, &code, &[]).await;
    assert_eq!(answer["error"], "fatal_error");
    let page = sandbox.consent(&url, "nina", Decision::Allow).await;
    assert!(matches!(page, Err(NoConsent::Page(_))));
    assert_eq!(exchange(&sandbox, &code, &[]).await["ok"], true);
    assert_eq!(sandbox.violations(), []);
}
