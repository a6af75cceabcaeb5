//! Microsoft's consent, tokens and list of calendars.

use chrono::TimeDelta;

use super::{providers::*, *};
use crate::sandbox::{
    Decision, Endpoint, JONAS_EMAIL, NINA_EMAIL, NoConsent, Outage, Provider, Service,
};

const SCOPE: &str = "offline_access openid email profile User.Read Calendars.Read";
const TENANT: &str = "84bd8158-6d4d-4958-8b9f-9d6445542f95";

fn auth_url(sandbox: &Sandbox, changes: &[(&str, &str)]) -> String {
    auth_url_of(sandbox, "common", changes)
}

fn auth_url_of(sandbox: &Sandbox, tenant: &str, changes: &[(&str, &str)]) -> String {
    let id = sandbox.client_id(Provider::Microsoft);
    let base = format!("{}/microsoft/{tenant}/oauth2/v2.0/authorize", sandbox.url());
    let parameters = [
        ("client_id", id.as_str()),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("response_mode", "query"),
        ("scope", SCOPE),
        ("state", "s1"),
        ("nonce", "n1"),
        ("prompt", "select_account"),
        ("code_challenge", &challenge()),
        ("code_challenge_method", "S256"),
    ];
    address(&base, &parameters, changes)
}

async fn ask(sandbox: &Sandbox, fields: &[(&str, &str)]) -> (u16, Value) {
    let (id, secret) = (
        sandbox.client_id(Provider::Microsoft),
        sandbox.client_secret(Provider::Microsoft),
    );
    let mut all = vec![("client_id", id.as_str()), ("client_secret", &secret)];
    for (name, value) in fields {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    all.retain(|(_, value)| *value != "-");
    let url = format!("{}/microsoft/common/oauth2/v2.0/token", sandbox.url());
    let (status, answer) = post(&url, &all).await;
    let schema = if status.is_success() {
        "microsoft/tokenResponse"
    } else {
        "microsoft/tokenError"
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
    let url = format!("{}/microsoft/v1.0/me/calendars{query}", sandbox.url());
    let (status, answer) = get(&url, token).await;
    let schema = if status.is_success() {
        "microsoft/calendarsPage"
    } else {
        "microsoft/graphError"
    };
    assert_valid(schema, &answer);
    (status.as_u16(), answer)
}

/// The number after `AADSTS`.
fn number(answer: &(u16, Value)) -> i64 {
    answer.1["error_codes"][0].as_i64().unwrap_or_default()
}

/// Equal but for times and ids.
#[track_caller]
fn assert_like(mut found: Value, fixture: &str) {
    let mut sample = data(fixture);
    for value in [&mut found, &mut sample] {
        value["timestamp"] = Value::Null;
        if let Some(error) = value["error"].as_object_mut() {
            error["innerError"]["date"] = Value::Null;
        }
        let description = value["error_description"].as_str().unwrap_or_default();
        let sentence = description.split(" Timestamp").next().unwrap().to_owned();
        value["error_description"] = json!(sentence);
    }
    assert_eq!(found, sample);
}

#[tokio::test]
async fn consent_code_and_tokens() {
    let sandbox = registered().await;
    let answer = connect(&sandbox, &[]).await;
    assert_eq!(
        answer["scope"],
        "openid email profile User.Read Calendars.Read"
    );
    assert_eq!(answer["expires_in"], 3599);
    let claims = claims(&answer);
    let iss = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    assert_eq!(
        (&claims["iss"], &claims["tid"]),
        (&json!(iss), &json!(TENANT))
    );
    assert_eq!(claims["oid"], "8ee44408-0679-472c-bc2a-692812af3437");
    assert_eq!(claims["preferred_username"], NINA_EMAIL);
    assert_eq!(claims["nonce"], "n1");
    let token = text(&answer, "access_token");
    let (status, me) = get(&format!("{}/microsoft/v1.0/me", sandbox.url()), token).await;
    assert_eq!((status.as_u16(), &me["id"]), (200, &claims["oid"]));
    let (_, list) = calendars(&sandbox, token, "").await;
    assert_eq!(list["value"][0]["name"], "Calendar");
    assert_eq!(list["value"][0]["isDefaultCalendar"], true);
    assert_eq!(list["value"][1]["name"], "Client visits");
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn a_request_that_is_wrong() {
    let sandbox = registered().await;
    // Client and address unknown: a page. Afterwards the program is told.
    let pages: [(&[(&str, &str)], &str); 5] = [
        (&[("client_id", "-")], "AADSTS900144"),
        (&[("client_id", "x")], "AADSTS700016"),
        (&[("redirect_uri", "https://evil.example/")], "AADSTS50011"),
        (&[("redirect_uri", &format!("{BACK}?a=b"))], "AADSTS50011"),
        (&[("redirect_uri", "-")], "AADSTS900144"),
    ];
    for (changes, says) in pages {
        let url = auth_url(&sandbox, changes);
        let refused = sandbox.consent(&url, NINA_EMAIL, Decision::Allow).await;
        let Err(NoConsent::Page(page)) = refused else {
            panic!("{changes:?}: {refused:?}");
        };
        assert!(page.contains(says), "{changes:?}: {page}");
    }
    let url = auth_url_of(&sandbox, "nowhere", &[]);
    let refused = sandbox.consent(&url, NINA_EMAIL, Decision::Allow).await;
    assert!(matches!(refused, Err(NoConsent::Page(page)) if page.contains("AADSTS90002")));
    assert_eq!(errors(&sandbox).len(), 6);
    let told: [(&[(&str, &str)], &str); 10] = [
        (&[("response_type", "-")], "invalid_request"),
        (
            &[("response_type", "id_token")],
            "unsupported_response_type",
        ),
        (&[("response_mode", "form_post")], "invalid_request"),
        (&[("scope", "-")], "invalid_request"),
        (
            &[("scope", "openid https://foo.microsoft.com/mail.read")],
            "invalid_scope",
        ),
        (&[("scope", "openid,Calendars.Read")], "invalid_scope"),
        (&[("prompt", "please")], "invalid_request"),
        (&[("prompt", "none")], "login_required"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("code_challenge_method", "S512")], "invalid_request"),
    ];
    for (changes, error) in told {
        let url = auth_url(&sandbox, changes);
        let back = sandbox.consent(&url, NINA_EMAIL, Decision::Allow).await;
        let back = back.unwrap();
        assert_eq!(parameter(&back, "error"), error, "{changes:?}");
        assert_eq!(parameter(&back, "state"), "s1");
        assert_eq!(errors(&sandbox), [error]);
    }
}

#[tokio::test]
async fn cancelling_and_an_administrator_who_must_be_asked() {
    let sandbox = registered().await;
    let url = auth_url(&sandbox, &[]);
    let back = sandbox
        .consent(&url, NINA_EMAIL, Decision::Deny)
        .await
        .unwrap();
    assert_eq!(parameter(&back, "error"), "access_denied");
    assert!(parameter(&back, "error_description").starts_with("AADSTS65004"));
    let block = |is_blocked| {
        sandbox.provider(Provider::Microsoft, |microsoft| {
            microsoft.switches.needs_admin_approval = is_blocked;
        });
    };
    let open = http().get(&url).send().await.unwrap().text().await.unwrap();
    assert!(open.contains("<form "));
    block(true);
    let blocked = http().get(&url).send().await.unwrap().text().await.unwrap();
    assert!(
        !blocked.contains("<form ") && !blocked.contains("<a "),
        "no way on"
    );
    let fields = [
        ("request", url.split_once('?').unwrap().1),
        ("account", "8ee44408-0679-472c-bc2a-692812af3437"),
        ("decision", "allow"),
    ];
    let to = url.split_once('?').unwrap().0;
    let late = form(http().post(to), &fields).send().await.unwrap();
    assert_eq!(
        late.status(),
        200,
        "and none from a page that was open before"
    );
    let stuck = sandbox.consent(&url, NINA_EMAIL, Decision::Allow).await;
    assert!(matches!(stuck, Err(NoConsent::Page(page)) if page.starts_with("Need admin approval")));
    block(false);
    assert!(
        sandbox
            .consent(&url, JONAS_EMAIL, Decision::Allow)
            .await
            .is_ok()
    );
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn a_refresh_token_needs_offline_access_and_rotates() {
    let sandbox = registered().await;
    let answer = connect(&sandbox, &[("scope", "Calendars.Read")]).await;
    assert_eq!(answer["refresh_token"], Value::Null);
    assert_eq!(answer["id_token"], Value::Null);
    let answer = connect(&sandbox, &[]).await;
    let first = text(&answer, "refresh_token");
    let (_, renewed) = refresh(&sandbox, first).await;
    let second = text(&renewed, "refresh_token");
    assert_ne!(first, second);
    assert_eq!(
        refresh(&sandbox, first).await.0,
        200,
        "the old one is not revoked"
    );
    sandbox.provider(Provider::Microsoft, |microsoft| microsoft.end_token(first));
    assert_eq!(
        number(&refresh(&sandbox, first).await),
        50173,
        "unless that happens as well"
    );
    let clock = sandbox.slack.options.clock.clone();
    clock.advance(TimeDelta::days(89));
    assert_eq!(refresh(&sandbox, second).await.0, 200);
    clock.advance(TimeDelta::days(89));
    assert_eq!(
        refresh(&sandbox, second).await.0,
        200,
        "ninety days anew with every use"
    );
    clock.advance(TimeDelta::days(91));
    assert_eq!(number(&refresh(&sandbox, second).await), 700_082);
    assert_eq!(sandbox.violations(), []);
    assert_eq!(number(&refresh(&sandbox, "nothing").await), 9_002_313);
    assert_eq!(errors(&sandbox), ["invalid_grant"]);
    let answer = connect(&sandbox, &[]).await;
    let kept = text(&answer, "refresh_token");
    let more = [
        ("grant_type", "refresh_token"),
        ("refresh_token", kept),
        ("scope", "Calendars.ReadWrite"),
    ];
    assert_eq!(number(&ask(&sandbox, &more).await), 65001);
    sandbox.provider(Provider::Microsoft, |microsoft| {
        microsoft.revoke(NINA_EMAIL);
    });
    let refused = refresh(&sandbox, kept).await;
    assert_eq!(refused.0, 400);
    assert_like(refused.1, "microsoft/token_error_50173_revoked");
}

#[tokio::test]
async fn codes() {
    let sandbox = registered().await;
    let url = auth_url(&sandbox, &[]);
    let one = code(&sandbox, &url).await;
    let wrong = VERIFIER.replace('d', "e");
    let cases = [
        (("code_verifier", "-"), 400, 50148),
        (("code_verifier", wrong.as_str()), 400, 501_481),
        (("redirect_uri", "http://localhost:8000/"), 401, 500_112),
        (("redirect_uri", "-"), 400, 900_144),
        (("code", "nothing"), 400, 70000),
        (("code", "-"), 400, 900_144),
        (("grant_type", "-"), 400, 900_144),
        (("grant_type", "password"), 400, 70003),
        (("client_id", "-"), 400, 900_144),
        (("client_id", "x"), 400, 700_016),
        (("client_secret", "-"), 401, 7_000_218),
        (("client_secret", "x"), 401, 7_000_215),
    ];
    for (change, status, code) in cases {
        let answer = exchange(&sandbox, &one, &[change]).await;
        assert_eq!((answer.0, number(&answer)), (status, code), "{change:?}");
    }
    assert_eq!(errors(&sandbox).len(), cases.len());
    assert_like(
        exchange(&sandbox, &one, &[("client_secret", "x")]).await.1,
        "microsoft/token_error_7000215_secret",
    );
    assert_eq!(exchange(&sandbox, &one, &[]).await.0, 200);
    let again = exchange(&sandbox, &one, &[]).await;
    assert_eq!(again.0, 400);
    assert_like(again.1, "microsoft/token_error_54005_code_redeemed");
    errors(&sandbox);
    let late = code(&sandbox, &url).await;
    sandbox.slack.options.clock.advance(TimeDelta::seconds(601));
    assert_eq!(number(&exchange(&sandbox, &late, &[]).await), 70008);
    let old = sandbox.client_secret(Provider::Microsoft);
    sandbox.provider(Provider::Microsoft, Service::replace_secret);
    let expired = exchange(&sandbox, &late, &[("client_secret", &old)]).await;
    assert_eq!((expired.0, number(&expired)), (401, 7_000_222));
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn scopes_may_come_back_qualified_and_in_another_case() {
    let sandbox = registered().await;
    let asked = [("scope", "openid https://graph.microsoft.com/calendars.read")];
    assert_eq!(
        connect(&sandbox, &asked).await["scope"],
        "openid Calendars.Read"
    );
    sandbox.provider(Provider::Microsoft, |microsoft| {
        microsoft.switches.qualifies_scopes = true;
    });
    let answer = connect(&sandbox, &asked).await;
    assert_eq!(
        answer["scope"],
        "openid https://graph.microsoft.com/calendars.read"
    );
}

#[tokio::test]
async fn graph_refuses() {
    let sandbox = registered().await;
    let answer = connect(&sandbox, &[]).await;
    let token = text(&answer, "access_token");
    let (status, answer) = calendars(&sandbox, "nothing", "").await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (401, &json!("InvalidAuthenticationToken"))
    );
    let poor = connect(&sandbox, &[("scope", "openid User.Read")]).await;
    let (status, answer) = calendars(&sandbox, text(&poor, "access_token"), "").await;
    assert_eq!(status, 403);
    assert_like(answer, "microsoft/error_403_access_denied");
    assert_eq!(sandbox.violations(), []);
    for wrong in ["?$top=0", "?$top=1001", "?$top=x", "?$select=title"] {
        assert_eq!(calendars(&sandbox, token, wrong).await.0, 400, "{wrong}");
        assert_eq!(errors(&sandbox), ["BadRequest"]);
    }
    calendars(&sandbox, token, "?top=1").await;
    assert_eq!(errors(&sandbox), ["unknown_parameter"]);
    sandbox
        .slack
        .options
        .clock
        .advance(TimeDelta::seconds(3599));
    let (status, answer) = calendars(&sandbox, token, "").await;
    assert_eq!(status, 401);
    assert_like(answer, "microsoft/error_401_expired");
}

#[tokio::test]
async fn the_list_of_calendars_has_pages() {
    let sandbox = registered().await;
    let answer = connect(&sandbox, &[]).await;
    let token = text(&answer, "access_token");
    sandbox.provider(Provider::Microsoft, |microsoft| {
        let sample = microsoft
            .calendar_mut(NINA_EMAIL, "Calendar")
            .unwrap()
            .clone();
        for n in 0..9 {
            let calendar = crate::sandbox::Calendar {
                id: format!("{n}"),
                name: format!("{n}"),
                ..sample.clone()
            };
            microsoft.add_calendar(NINA_EMAIL, calendar).unwrap();
        }
    });
    let (_, page) = calendars(&sandbox, token, "?$select=id,name").await;
    assert_eq!(page["value"].as_array().unwrap().len(), 10);
    assert_eq!(page["value"][0].as_object().unwrap().len(), 2);
    let next = text(&page, "@odata.nextLink");
    assert!(next.starts_with(&format!("{}/microsoft/v1.0/me/calendars?", sandbox.url())));
    let (_, page) = get(next, token).await;
    assert_eq!(page["value"][0]["name"], "8");
    assert_eq!(
        page["value"][0].as_object().unwrap().len(),
        2,
        "the selection goes on"
    );
    assert_eq!(page["@odata.nextLink"], Value::Null);
    sandbox.provider(Provider::Microsoft, |microsoft| {
        microsoft.switches.foreign_next_link = Some("http://127.0.0.1:9".to_owned());
    });
    let (_, page) = calendars(&sandbox, token, "?$top=1").await;
    assert!(text(&page, "@odata.nextLink").starts_with("http://127.0.0.1:9/"));
    assert_eq!(sandbox.violations(), []);
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
        sandbox.provider(Provider::Microsoft, |service| {
            service.fail_next(endpoint, 1, outage);
        });
    };
    let named = |name: &str| Outage::Refused(name.to_owned());
    let date = "Fri, 20 Nov 2026 10:31:00 GMT".to_owned();
    fail(
        Endpoint::Calendars,
        Outage::TooManyRequests {
            retry_after: Some(date.clone()),
        },
    );
    let url = format!("{}/microsoft/v1.0/me/calendars", sandbox.url());
    let response = http().get(&url).bearer_auth(token).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], date);
    let (status, answer) = body(response).await;
    assert_eq!(status, 429);
    assert_like(answer, "microsoft/error_429");
    let cases = [
        (Outage::Unavailable { retry_after: None }, 503, "error_503"),
        (named("ErrorAccessDenied"), 403, "error_403_access_denied"),
        (named("ErrorItemNotFound"), 404, "error_404_item_not_found"),
        (
            named("InvalidAuthenticationToken"),
            401,
            "error_401_expired",
        ),
    ];
    for (outage, status, fixture) in cases {
        fail(Endpoint::Calendars, outage);
        let (found, answer) = calendars(&sandbox, token, "").await;
        assert_eq!(found, status);
        assert_like(answer, &format!("microsoft/{fixture}"));
    }
    let codes = [
        ("50173", 400, "invalid_grant"),
        ("65001", 400, "invalid_grant"),
        ("50076", 400, "interaction_required"),
        ("700082", 400, "invalid_grant"),
        ("7000215", 401, "invalid_client"),
        ("7000222", 401, "invalid_client"),
    ];
    for (code, status, error) in codes {
        fail(Endpoint::Refresh, named(code));
        let answer = refresh(&sandbox, kept).await;
        assert_eq!((answer.0, text(&answer.1, "error")), (status, error));
        assert_eq!(number(&answer).to_string(), code);
    }
    fail(Endpoint::Refresh, Outage::Unavailable { retry_after: None });
    assert_eq!(refresh(&sandbox, kept).await.0, 503);
    let busy = Outage::TooManyRequests { retry_after: None };
    fail(Endpoint::Refresh, busy);
    assert_eq!(refresh(&sandbox, kept).await.0, 429);
    fail(Endpoint::Refresh, Outage::Status(500));
    assert_eq!(refresh(&sandbox, kept).await.1["error"], "server_error");
    fail(Endpoint::Code, Outage::Status(502));
    let bad = post(
        &format!("{}/microsoft/common/oauth2/v2.0/token", sandbox.url()),
        &[],
    )
    .await;
    assert_eq!(bad.0, 502);
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn an_answer_that_is_lost_was_given_all_the_same() {
    let sandbox = registered().await;
    let answer = connect(&sandbox, &[]).await;
    sandbox.provider(Provider::Microsoft, |microsoft| {
        microsoft.fail_next(Endpoint::Refresh, 1, Outage::AnswerLost);
    });
    let (id, secret) = (
        sandbox.client_id(Provider::Microsoft),
        sandbox.client_secret(Provider::Microsoft),
    );
    let fields = [
        ("client_id", id.as_str()),
        ("client_secret", &secret),
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&answer, "refresh_token")),
    ];
    let url = format!("{}/microsoft/common/oauth2/v2.0/token", sandbox.url());
    let lost = match form(http().post(url), &fields).send().await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(lost);
    let tokens = sandbox.provider(Provider::Microsoft, |microsoft| microsoft.refresh_tokens());
    assert_eq!(
        tokens.len(),
        2,
        "it was rotated, and nobody has the new one"
    );
    assert_eq!(
        refresh(&sandbox, text(&answer, "refresh_token")).await.0,
        200
    );
}
