//! Google's consent, tokens and list of calendars.

use chrono::TimeDelta;

use super::{providers::*, *};
use crate::sandbox::{Decision, Endpoint, JONAS_EMAIL, NINA_EMAIL, NoConsent, Outage, Provider};

const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events.readonly";
const LIST: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";

fn auth_url(sandbox: &Sandbox, changes: &[(&str, &str)]) -> String {
    let id = sandbox.client_id(Provider::Google);
    let scope = format!("openid email {EVENTS} {LIST}");
    let base = format!("{}/google/o/oauth2/v2/auth", sandbox.url());
    let parameters = [
        ("client_id", id.as_str()),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", &scope),
        ("state", "s1 &=\"<"),
        ("nonce", "n1"),
        ("access_type", "offline"),
        ("prompt", "select_account consent"),
        ("include_granted_scopes", "true"),
        ("code_challenge", &challenge()),
        ("code_challenge_method", "S256"),
    ];
    address(&base, &parameters, changes)
}

async fn ask(sandbox: &Sandbox, fields: &[(&str, &str)]) -> (u16, Value) {
    let (id, secret) = (
        sandbox.client_id(Provider::Google),
        sandbox.client_secret(Provider::Google),
    );
    let mut all = vec![("client_id", id.as_str()), ("client_secret", &secret)];
    for (name, value) in fields {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    all.retain(|(_, value)| *value != "-");
    let (status, answer) = post(&format!("{}/google/token", sandbox.url()), &all).await;
    let schema = if status.is_success() {
        "google/TokenResponse"
    } else {
        "google/TokenError"
    };
    assert_valid(schema, &answer);
    (status.as_u16(), answer)
}

async fn exchange(sandbox: &Sandbox, code: &str, changes: &[(&str, &str)]) -> (u16, Value) {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
    ];
    fields.extend(changes);
    ask(sandbox, &fields).await
}

async fn refresh(sandbox: &Sandbox, token: &str) -> (u16, Value) {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
    ask(sandbox, &fields).await
}

/// What the exchange answers after this request and everything allowed.
pub(super) async fn connect(sandbox: &Sandbox, changes: &[(&str, &str)]) -> Value {
    let code = code(sandbox, &auth_url(sandbox, changes)).await;
    let (status, answer) = exchange(sandbox, &code, &[]).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {answer}"))
}

async fn calendars(sandbox: &Sandbox, token: &str, query: &str) -> (u16, Value) {
    let path = "google/calendar/v3/users/me/calendarList";
    let (status, answer) = get(&format!("{}/{path}{query}", sandbox.url()), token).await;
    let schema = if status.is_success() {
        "google/CalendarListPage"
    } else {
        "google/ApiError"
    };
    assert_valid(schema, &answer);
    (status.as_u16(), answer)
}

#[tokio::test]
async fn consent_code_and_tokens() {
    let sandbox = registered().await;
    let back = sandbox
        .consent(&auth_url(&sandbox, &[]), NINA_EMAIL, Decision::Allow)
        .await
        .unwrap();
    assert!(back.starts_with(BACK));
    assert_eq!(parameter(&back, "state"), "s1 &=\"<");
    let (status, answer) = exchange(&sandbox, &parameter(&back, "code"), &[]).await;
    assert_eq!(status, 200);
    assert_eq!(answer["expires_in"], 3599);
    assert_eq!(answer["scope"], format!("openid {EMAIL} {EVENTS} {LIST}"));
    let claims = claims(&answer);
    assert_eq!(claims["iss"], "https://accounts.google.com");
    assert_eq!(claims["aud"], sandbox.client_id(Provider::Google));
    assert_eq!(claims["sub"], "108204268033311374519");
    assert_eq!(claims["email"], NINA_EMAIL);
    assert_eq!(claims["nonce"], "n1");
    let (status, renewed) = refresh(&sandbox, text(&answer, "refresh_token")).await;
    assert_eq!(status, 200);
    assert_eq!(renewed["refresh_token"], Value::Null, "the old one is kept");
    assert_eq!(renewed["scope"], answer["scope"]);
    let (status, list) = calendars(&sandbox, text(&renewed, "access_token"), "").await;
    assert_eq!(status, 200);
    let names: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (text(item, "summary"), text(item, "accessRole")))
        .collect();
    assert_eq!(
        names,
        [
            ("Nina Berg", "owner"),
            ("Tern team", "writer"),
            ("Holidays in Germany", "reader"),
            ("Studio rooms", "freeBusyReader")
        ]
    );
    assert_eq!(list["items"][0]["primary"], true);
    sandbox.provider(Provider::Google, |google| {
        assert_eq!(google.requests(Endpoint::Refresh), 1);
        assert_eq!(google.requests(Endpoint::Code), 1);
        assert_eq!(google.refresh_tokens(), [text(&answer, "refresh_token")]);
        assert_eq!(google.access_tokens().len(), 2);
        assert_eq!(google.codes().len(), 1);
    });
    assert_eq!(sandbox.violations(), []);
    let traffic = serde_json::to_string(&sandbox.traffic()).unwrap();
    for secret in [
        text(&answer, "refresh_token"),
        &parameter(&back, "code"),
        VERIFIER,
    ] {
        assert!(!traffic.contains(secret), "{secret} is in the traffic list");
    }
}

#[tokio::test]
async fn a_request_that_is_wrong_is_a_page_and_never_a_redirect() {
    let sandbox = registered().await;
    let cases: [(&[(&str, &str)], &str); 14] = [
        (
            &[("client_id", "-")],
            "Error 400: invalid_request Missing required parameter: client_id",
        ),
        (
            &[("client_id", "x")],
            "Error 401: invalid_client The OAuth client was not found.",
        ),
        (
            &[("redirect_uri", "https://evil.example/")],
            "Error 400: redirect_uri_mismatch",
        ),
        (
            &[("redirect_uri", &format!("{BACK}/"))],
            "Error 400: redirect_uri_mismatch",
        ),
        (&[("redirect_uri", "-")], "Error 400: invalid_request"),
        (&[("response_type", "-")], "Error 400: invalid_request"),
        (
            &[("response_type", "token")],
            "Error 400: unsupported_response_type",
        ),
        (
            &[("scope", "-")],
            "Error 400: invalid_request Missing required parameter: scope",
        ),
        (
            &[("scope", "openid calendar")],
            "Error 400: invalid_scope Some requested scopes were invalid. {valid=[openid], invalid=[calendar]}",
        ),
        (&[("access_type", "always")], "Error 400: invalid_request"),
        (&[("prompt", "please")], "Error 400: invalid_request"),
        (&[("code_challenge", "short")], "Error 400: invalid_request"),
        (
            &[("code_challenge_method", "S512")],
            "Error 400: invalid_request",
        ),
        (
            &[("acces_type", "offline")],
            "Error 400: invalid_request Parameter not allowed for this message type: acces_type",
        ),
    ];
    for (changes, says) in cases {
        let url = auth_url(&sandbox, changes);
        let refused = sandbox.consent(&url, NINA_EMAIL, Decision::Allow).await;
        let Err(NoConsent::Page(page)) = refused else {
            panic!("{changes:?}: {refused:?}");
        };
        assert!(page.starts_with(says), "{changes:?}: {page}");
        assert_eq!(errors(&sandbox).len(), 1, "{changes:?}");
    }
    let script = [(
        "redirect_uri",
        "https://x.example/\"><script>alert(1)</script>",
    )];
    let page = http()
        .get(auth_url(&sandbox, &script))
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 400);
    assert!(!page.text().await.unwrap().contains("<script>"));
    let twice = format!("{}&scope=openid", auth_url(&sandbox, &[]));
    let refused = sandbox.consent(&twice, NINA_EMAIL, Decision::Allow).await;
    assert!(matches!(refused, Err(NoConsent::Page(page)) if page.contains("single value")));
    let elsewhere = sandbox
        .consent("https://accounts.google.com/", "x", Decision::Allow)
        .await;
    assert!(matches!(elsewhere, Err(NoConsent::Elsewhere(_))));
    let stranger = sandbox
        .consent(&auth_url(&sandbox, &[]), "x@y.example", Decision::Allow)
        .await;
    assert!(matches!(stranger, Err(NoConsent::NoAccount(_))));
}

#[tokio::test]
async fn cancelling_and_unticking() {
    let sandbox = registered().await;
    let url = auth_url(&sandbox, &[]);
    let back = sandbox
        .consent(&url, NINA_EMAIL, Decision::Deny)
        .await
        .unwrap();
    assert_eq!(parameter(&back, "error"), "access_denied");
    assert_eq!(parameter(&back, "state"), "s1 &=\"<");
    let only = Decision::AllowOnly(&[EVENTS]);
    let back = sandbox.consent(&url, NINA_EMAIL, only).await.unwrap();
    let (_, answer) = exchange(&sandbox, &parameter(&back, "code"), &[]).await;
    assert_eq!(answer["scope"], format!("openid {EMAIL} {EVENTS}"));
    let (status, refused) = calendars(&sandbox, text(&answer, "access_token"), "").await;
    assert_eq!((status, refused), (403, data("google/error_403_scope")));
    // What was granted before comes along, unless that is not asked for.
    let again = [("scope", LIST), ("include_granted_scopes", "true")];
    let answer = connect(&sandbox, &again).await;
    assert_eq!(answer["scope"], format!("{LIST} {EVENTS} {EMAIL} openid"));
    let alone = [("scope", LIST), ("include_granted_scopes", "false")];
    assert_eq!(connect(&sandbox, &alone).await["scope"], LIST);
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn a_refresh_token_comes_once_or_with_consent() {
    let sandbox = registered().await;
    let online = connect(&sandbox, &[("access_type", "-"), ("prompt", "-")]).await;
    assert_eq!(online["refresh_token"], Value::Null);
    sandbox.provider(Provider::Google, |google| google.revoke(NINA_EMAIL));
    let first = connect(&sandbox, &[("prompt", "-")]).await;
    assert!(first["refresh_token"].is_string());
    let second = connect(&sandbox, &[("prompt", "select_account")]).await;
    assert_eq!(second["refresh_token"], Value::Null);
    let asked = connect(&sandbox, &[("prompt", "consent")]).await;
    assert!(asked["refresh_token"].is_string());
}

#[tokio::test]
async fn codes() {
    let sandbox = registered().await;
    let url = auth_url(&sandbox, &[]);
    let refused = |answer: (u16, Value), error: &str| {
        assert_eq!(
            (answer.0, &answer.1["error"]),
            (400, &json!(error)),
            "{answer:?}"
        );
    };
    let one = code(&sandbox, &url).await;
    refused(
        exchange(&sandbox, &one, &[("code_verifier", "-")]).await,
        "invalid_grant",
    );
    let wrong = VERIFIER.replace('d', "e");
    let (_, answer) = exchange(&sandbox, &one, &[("code_verifier", &wrong)]).await;
    assert_eq!(answer["error_description"], "Invalid code verifier.");
    let other = [("redirect_uri", "http://localhost:8000/")];
    refused(
        exchange(&sandbox, &one, &other).await,
        "redirect_uri_mismatch",
    );
    refused(
        exchange(&sandbox, &one, &[("redirect_uri", "-")]).await,
        "redirect_uri_mismatch",
    );
    assert_eq!(errors(&sandbox).len(), 4);
    assert_eq!(exchange(&sandbox, &one, &[]).await.0, 200);
    let (status, answer) = exchange(&sandbox, &one, &[]).await;
    assert_eq!((status, answer), (400, data("google/token_error_bad_code")));
    refused(exchange(&sandbox, "4/nothing", &[]).await, "invalid_grant");
    assert_eq!(errors(&sandbox), ["invalid_grant", "invalid_grant"]);

    let plain = auth_url(
        &sandbox,
        &[("code_challenge", "-"), ("code_challenge_method", "-")],
    );
    let two = code(&sandbox, &plain).await;
    refused(exchange(&sandbox, &two, &[]).await, "invalid_grant");
    assert_eq!(
        exchange(&sandbox, &two, &[("code_verifier", "-")]).await.0,
        200
    );
    errors(&sandbox);

    let clock = sandbox.slack.options.clock.clone();
    let late = code(&sandbox, &url).await;
    clock.advance(TimeDelta::minutes(10));
    let in_time = code(&sandbox, &url).await;
    assert_eq!(exchange(&sandbox, &late, &[]).await.0, 200);
    clock.advance(TimeDelta::minutes(10) + TimeDelta::seconds(1));
    refused(exchange(&sandbox, &in_time, &[]).await, "invalid_grant");
    assert_eq!(sandbox.violations(), [], "nobody's mistake");
}

#[tokio::test]
async fn the_client_at_the_token_endpoint() {
    let sandbox = registered().await;
    let one = code(&sandbox, &auth_url(&sandbox, &[])).await;
    let (status, answer) = exchange(&sandbox, &one, &[("client_secret", "x")]).await;
    assert_eq!(
        (status, answer),
        (401, data("google/token_error_invalid_client"))
    );
    let cases = [
        (("client_secret", "-"), 400, "invalid_request"),
        (("client_id", "-"), 400, "invalid_request"),
        (("client_id", "x"), 401, "invalid_client"),
        (("grant_type", "-"), 400, "invalid_request"),
        (("grant_type", "password"), 400, "unsupported_grant_type"),
        (("code", "-"), 400, "invalid_request"),
    ];
    for (change, status, error) in cases {
        let (found, answer) = exchange(&sandbox, &one, &[change]).await;
        assert_eq!(
            (found, text(&answer, "error")),
            (status, error),
            "{change:?}"
        );
    }
    assert_eq!(errors(&sandbox).len(), 7);
    let request = http()
        .post(format!("{}/google/token", sandbox.url()))
        .basic_auth(
            sandbox.client_id(Provider::Google),
            Some(sandbox.client_secret(Provider::Google)),
        );
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &one),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
    ];
    let response = form(request, &fields).send().await.unwrap();
    assert_eq!(response.status(), 200, "Basic is taken as well");
    let old = sandbox.client_secret(Provider::Google);
    sandbox.provider(Provider::Google, crate::sandbox::Service::replace_secret);
    let (status, _) = exchange(&sandbox, &one, &[("client_secret", &old)]).await;
    assert_eq!(status, 401);
    assert_eq!(sandbox.violations(), [], "the operator's secret ran out");
}

#[tokio::test]
async fn access_tokens_and_refresh_tokens_end() {
    let sandbox = registered().await;
    let clock = sandbox.slack.options.clock.clone();
    let answer = connect(&sandbox, &[]).await;
    let token = text(&answer, "access_token");
    clock.advance(TimeDelta::seconds(3598));
    assert_eq!(calendars(&sandbox, token, "").await.0, 200);
    clock.advance(TimeDelta::seconds(1));
    let refused = calendars(&sandbox, token, "").await;
    assert_eq!(refused, (401, data("google/error_401")));
    assert_eq!(calendars(&sandbox, "nothing", "").await.0, 401);
    let kept = text(&answer, "refresh_token");
    clock.advance(TimeDelta::days(182));
    assert_eq!(refresh(&sandbox, kept).await.0, 200);
    clock.advance(TimeDelta::days(184));
    let refused = refresh(&sandbox, kept).await;
    assert_eq!(refused, (400, data("google/token_error_invalid_grant")));

    sandbox.provider(Provider::Google, |google| google.switches.is_testing = true);
    let answer = connect(&sandbox, &[]).await;
    assert_eq!(answer["refresh_token_expires_in"], 604_799);
    clock.advance(TimeDelta::days(6));
    assert_eq!(
        refresh(&sandbox, text(&answer, "refresh_token")).await.0,
        200
    );
    clock.advance(TimeDelta::days(2));
    assert_eq!(
        refresh(&sandbox, text(&answer, "refresh_token")).await.0,
        400
    );
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn the_hundred_and_first_refresh_token_ends_the_first() {
    let sandbox = registered().await;
    let mut tokens = Vec::new();
    for _ in 0..101 {
        let answer = connect(&sandbox, &[]).await;
        tokens.push(text(&answer, "refresh_token").to_owned());
    }
    assert_eq!(refresh(&sandbox, &tokens[0]).await.0, 400);
    assert_eq!(refresh(&sandbox, &tokens[1]).await.0, 200);
    let live = sandbox.provider(Provider::Google, |google| google.live_refresh_tokens());
    assert_eq!(live, tokens[1..]);
}

#[tokio::test]
async fn revoking_ends_the_whole_grant_of_the_account() {
    let sandbox = registered().await;
    let (one, two) = (connect(&sandbox, &[]).await, connect(&sandbox, &[]).await);
    let url = auth_url(&sandbox, &[]);
    let back = sandbox
        .consent(&url, JONAS_EMAIL, Decision::Allow)
        .await
        .unwrap();
    let (_, other) = exchange(&sandbox, &parameter(&back, "code"), &[]).await;
    let revoke = format!("{}/google/revoke", sandbox.url());
    let token = text(&one, "access_token");
    assert_eq!(post(&revoke, &[("token", token)]).await.0, 200);
    let (status, answer) = post(&revoke, &[("token", token)]).await;
    assert_eq!(
        (status.as_u16(), text(&answer, "error")),
        (400, "invalid_token")
    );
    assert_valid("google/TokenError", &answer);
    assert_eq!(refresh(&sandbox, text(&two, "refresh_token")).await.0, 400);
    assert_eq!(
        calendars(&sandbox, text(&two, "access_token"), "").await.0,
        401
    );
    assert_eq!(
        calendars(&sandbox, text(&other, "access_token"), "")
            .await
            .0,
        200
    );
    // The next consent is a first one.
    let again = connect(&sandbox, &[("prompt", "-")]).await;
    assert!(again["refresh_token"].is_string());
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn the_list_of_calendars_has_pages() {
    let sandbox = registered().await;
    let answer = connect(&sandbox, &[]).await;
    let token = text(&answer, "access_token");
    sandbox.provider(Provider::Google, |google| {
        let team = google.calendar_mut(NINA_EMAIL, "Tern team").unwrap();
        team.name_override = Some("Team".to_owned());
        team.is_hidden = true;
    });
    let (_, page) = calendars(&sandbox, token, "?maxResults=2").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert_eq!(page["nextSyncToken"], Value::Null);
    let next = text(&page, "nextPageToken");
    let query = format!("?maxResults=2&pageToken={next}");
    let (_, page) = calendars(&sandbox, token, &query).await;
    assert_eq!(page["items"][0]["summary"], "Studio rooms");
    assert_eq!(page["nextPageToken"], Value::Null);
    let sync = format!("?syncToken={}", text(&page, "nextSyncToken"));
    assert_eq!(
        calendars(&sandbox, token, &sync).await.1["items"],
        json!([])
    );
    let (_, page) = calendars(&sandbox, token, "?showHidden=true&minAccessRole=writer").await;
    assert_eq!(page["items"][1]["summaryOverride"], "Team");
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert_eq!(sandbox.violations(), []);
    let stale = calendars(&sandbox, token, "?syncToken=old").await;
    assert_eq!(stale, (410, data("google/error_410_full_sync")));
    for wrong in [
        "?maxResults=0",
        "?pageToken=x",
        "?minAccessRole=boss",
        "?fields=items(x)",
    ] {
        assert_eq!(calendars(&sandbox, token, wrong).await.0, 400, "{wrong}");
    }
    calendars(&sandbox, token, "?maxresults=2").await;
    assert_eq!(errors(&sandbox).last().unwrap(), "unknown_parameter");
    let url = format!("{}/google/calendar/v3/users/me/calendarList", sandbox.url());
    let some = get(&format!("{url}?fields=items(id,primary)"), token)
        .await
        .1;
    assert_eq!(some["items"][0], json!({"id": NINA_EMAIL, "primary": true}));
    assert_eq!(
        some["nextSyncToken"],
        Value::Null,
        "what is not asked for does not come"
    );
}

#[tokio::test]
async fn outages() {
    let sandbox = registered().await;
    let answer = connect(&sandbox, &[]).await;
    let (token, kept) = (
        text(&answer, "access_token"),
        text(&answer, "refresh_token"),
    );
    let fail = |endpoint, outage: Outage| {
        sandbox.provider(Provider::Google, |google| {
            google.fail_next(endpoint, 1, outage);
        });
    };
    let named = |name: &str| Outage::Refused(name.to_owned());
    let retry_after = Some("10".to_owned());
    let cases = [
        (
            Outage::TooManyRequests { retry_after: None },
            429,
            "error_429",
        ),
        (Outage::Status(500), 500, "error_500"),
        (named("rateLimitExceeded"), 403, "error_403_rate"),
        (named("userRateLimitExceeded"), 403, "error_403_user_rate"),
        (named("quotaExceeded"), 403, "error_403_calendar_usage"),
        (named("insufficientPermissions"), 403, "error_403_scope"),
        (named("notFound"), 404, "error_404"),
        (named("authError"), 401, "error_401"),
        (named("fullSyncRequired"), 410, "error_410_full_sync"),
        (named("updatedMinTooLongAgo"), 410, "error_410_updated_min"),
    ];
    for (outage, status, fixture) in cases {
        fail(Endpoint::Calendars, outage);
        let found = calendars(&sandbox, token, "").await;
        assert_eq!(found, (status, data(&format!("google/{fixture}"))));
    }
    fail(Endpoint::Calendars, named("forbidden"));
    let (status, answer) = calendars(&sandbox, token, "").await;
    assert_eq!(
        (status, &answer["error"]["errors"][0]["reason"]),
        (403, &json!("forbidden"))
    );
    fail(Endpoint::Calendars, Outage::Unavailable { retry_after });
    let url = format!("{}/google/calendar/v3/users/me/calendarList", sandbox.url());
    let response = http().get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "10");
    fail(Endpoint::Calendars, Outage::Slow(Duration::from_millis(50)));
    let asked = std::time::Instant::now();
    assert_eq!(calendars(&sandbox, token, "").await.0, 200);
    assert!(asked.elapsed() >= Duration::from_millis(50));

    fail(Endpoint::Refresh, named("invalid_grant"));
    assert_eq!(refresh(&sandbox, kept).await.0, 400);
    fail(Endpoint::Refresh, named("invalid_rapt"));
    assert_eq!(
        refresh(&sandbox, kept).await.1,
        data("google/token_error_invalid_rapt")
    );
    fail(Endpoint::Refresh, named("invalid_client"));
    assert_eq!(refresh(&sandbox, kept).await.0, 401);
    fail(Endpoint::Refresh, Outage::Unavailable { retry_after: None });
    assert_eq!(refresh(&sandbox, kept).await.0, 503);
    let busy = Outage::TooManyRequests { retry_after: None };
    fail(Endpoint::Refresh, busy);
    assert_eq!(refresh(&sandbox, kept).await.0, 429);
    assert_eq!(refresh(&sandbox, kept).await.0, 200, "once only");
    sandbox.provider(Provider::Google, |google| {
        google.fail_next(Endpoint::Refresh, u32::MAX, Outage::Status(500));
    });
    for _ in 0..3 {
        assert_eq!(refresh(&sandbox, kept).await.0, 500);
    }
    sandbox.provider(Provider::Google, crate::sandbox::Service::clear_outages);
    assert_eq!(refresh(&sandbox, kept).await.0, 200);
    sandbox.provider(Provider::Google, |google| {
        google.revoke_refresh_tokens(NINA_EMAIL);
    });
    assert_eq!(refresh(&sandbox, kept).await.0, 400, "for ever");
    assert_eq!(
        calendars(&sandbox, token, "").await.0,
        200,
        "the access token lives on"
    );
    sandbox.provider(
        Provider::Google,
        crate::sandbox::Service::expire_access_tokens,
    );
    assert_eq!(calendars(&sandbox, token, "").await.0, 401);
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn the_page_in_a_browser() {
    let sandbox = registered().await;
    let url = auth_url(&sandbox, &[("login_hint", JONAS_EMAIL)]);
    let response = http().get(&url).send().await.unwrap();
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"));
    assert_eq!(response.headers()["cache-control"], "no-store");
    let page = response.text().await.unwrap();
    for part in [
        "simulated Google",
        NINA_EMAIL,
        r#"value="114733926410288137062" required checked"#,
        &format!(r#"name="scope" value="{EVENTS}" checked"#),
        "Cancel</button>",
        "Continue</button>",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(!page.contains("<script"));
    let query = url.split_once('?').unwrap().1;
    let fields = [
        ("request", query),
        ("account", "114733926410288137062"),
        ("decision", "allow"),
    ];
    let to = format!("{}/google/o/oauth2/v2/auth", sandbox.url());
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let foreign = browser.post(&to).header("origin", "https://evil.example");
    let response = form(foreign, &fields).send().await.unwrap();
    assert_eq!(response.status(), 403);
    let own = browser.post(&to).header("origin", sandbox.url());
    let response = form(own, &fields).send().await.unwrap();
    assert_eq!(response.status(), 302);
    let back = response.headers()["location"].to_str().unwrap();
    let (_, answer) = exchange(&sandbox, &parameter(back, "code"), &[]).await;
    assert_eq!(
        answer["scope"],
        format!("openid {EMAIL}"),
        "no box was ticked"
    );
    assert_eq!(claims(&answer)["email"], JONAS_EMAIL);
}
