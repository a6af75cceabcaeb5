//! Attempts by people and programs that are let in, at what is somebody else's: over the API, and with forged clicks
//! and forms in Slack.

use billops::{
    domain::calendar::Account,
    sandbox::{Choice, Endpoint, Provider, Sandbox},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{
    JONAS, JSON, api_token, browser_of, consent, email_of, post, problem, refused, sent_off,
    text_of,
};
use crate::{
    bot::{NINA, TestBot},
    connect::accounts,
    databases::Database,
    visitor::{Visitor, settled},
};

/// Connects a person's own account.
async fn connected(bot: &TestBot, person: &str, provider: &str) -> Visitor {
    let (mut browser, off) = sent_off(bot, person, provider).await;
    let back = consent(bot, &off, email_of(person)).await;
    let page = browser.open(&back).await;
    assert!(page.url.path().starts_with("/connected/"), "{page:?}");
    settled(bot).await;
    browser
}

/// The only account that a person has connected.
async fn account_of(bot: &TestBot, person: &str) -> Account {
    let user = bot
        .slack
        .world(|world| world.person(person).unwrap().id.clone());
    let store = bot.bot.store();
    let member = store.member("T07TERN001", &user).await.unwrap().unwrap();
    let mut accounts = store.accounts(member.user_id).await.unwrap();
    assert_eq!(accounts.len(), 1);
    let mut account = accounts.remove(0);
    for calendar in &mut account.calendars {
        // It is read by itself meanwhile.
        calendar.last_synced_at = None;
    }
    account
}

/// What is read of an account, by name.
fn read_of(account: &Account) -> Vec<&str> {
    account.read().map(|calendar| &*calendar.name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_persons_account_does_not_exist_for_the_api() {
    let bot = TestBot::start().await;
    connected(&bot, NINA, "google").await;
    let hers = account_of(&bot, NINA).await;
    let token = format!("Bearer {}", api_token(&bot, JONAS).await);
    let mut jonas = browser_of(&bot, JONAS).await;
    let asked = |bot: &TestBot| {
        bot.slack.provider(Provider::Google, |google| {
            google.requests(Endpoint::Calendars)
        })
    };
    let before = asked(&bot);
    let calendar = hers
        .calendars
        .iter()
        .find(|one| !one.is_active && one.has_details);
    let calendar = calendar.unwrap();
    let not_hers = Uuid::from_u128(7).to_string();
    let headers: [&[(&str, &str)]; 2] = [&[], &[("authorization", &token), ("origin", "")]];
    for headers in headers {
        for id in [
            &hers.id.to_string(),
            &calendar.id.to_string(),
            &not_hers,
            "x",
            "%00",
        ] {
            for provider in ["google", "microsoft"] {
                let url = jonas.at(&format!("/api/v1/integrations/{provider}/{id}"));
                let page = jonas.send(Method::DELETE, &url, None, headers).await;
                problem(&page, "not-found");
            }
        }
        for body in [
            json!({"calendar_id": calendar.provider_calendar_id}),
            json!({"calendar_id": calendar.provider_calendar_id, "oauth_account_id": hers.id}),
            json!({"calendar_id": calendar.id, "oauth_account_id": hers.id}),
        ] {
            let url = jonas.at("/api/v1/integrations/google/select-calendar");
            let body = Some((JSON, body.to_string()));
            let page = jonas.send(Method::POST, &url, body, headers).await;
            problem(&page, "not-found");
        }
        let url = jonas.at("/api/v1/integrations");
        let page = jonas.send(Method::GET, &url, None, headers).await;
        assert_eq!(page.json()["items"], json!([]));
    }
    assert_eq!(account_of(&bot, NINA).await, hers);
    assert_eq!(asked(&bot), before, "Google was asked with Nina's token");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_cookie_may_change_is_not_changed_from_elsewhere() {
    let bot = TestBot::start().await;
    let mut nina = connected(&bot, NINA, "google").await;
    let hers = account_of(&bot, NINA).await;
    let delete = format!("/api/v1/integrations/google/{}", hers.id);
    let select = json!({"calendar_id": hers.calendars[0].provider_calendar_id}).to_string();
    let code = json!({"code": "c", "state": "s"}).to_string();
    let requests = [
        (Method::DELETE, &*delete, ""),
        (
            Method::POST,
            "/api/v1/integrations/google/select-calendar",
            &*select,
        ),
        (Method::POST, "/api/v1/integrations/google/callback", &*code),
        (Method::POST, "/api/v1/auth/logout", ""),
    ];
    let origins: [&[(&str, &str)]; 4] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "")],
        &[("origin", ""), ("sec-fetch-site", "cross-site")],
    ];
    for (method, path, body) in requests {
        for headers in origins {
            let url = nina.at(path);
            // As a foreign page can send it without asking first.
            let body = Some(("text/plain", body.to_owned()));
            let page = nina.send(method.clone(), &url, body, headers).await;
            problem(&page, "foreign-origin");
        }
    }
    assert_eq!(account_of(&bot, NINA).await, hers);
    let me = nina.at("/api/v1/me");
    assert_eq!(nina.open(&me).await.status, StatusCode::OK);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_good_for_its_person_as_it_is_and_until_it_is_replaced() {
    let bot = TestBot::start().await;
    let hers = api_token(&bot, NINA).await;
    let his = api_token(&bot, JONAS).await;
    let mut program = Visitor::new(&bot);
    let me = program.at("/api/v1/me");
    let mut ask = async |value: &str| {
        let headers = [("authorization", value)];
        program.send(Method::GET, &me, None, &headers).await
    };
    let name = |page: &crate::visitor::Page| page.json()["name"].clone();
    assert_eq!(name(&ask(&format!("Bearer {hers}")).await), "Nina Berg");
    assert_eq!(name(&ask(&format!("Bearer {his}")).await), "Jonas Weber");
    let bare = hers.strip_prefix("bo_").unwrap();
    for bad in [
        &hers[..hers.len() - 1],
        &format!("{hers}A"),
        &hers.to_lowercase(),
        &hers.to_uppercase(),
        bare,
        "bo_",
        &format!("{hers}, Bearer {his}"),
        &"bo_".repeat(2000),
    ] {
        problem(&ask(&format!("Bearer {bad}")).await, "token-refused");
    }
    for bad in ["Bearer", &format!("Basic {hers}"), &hers, "é"] {
        problem(&ask(bad).await, "not-signed-in");
    }
    let newer = api_token(&bot, NINA).await;
    problem(&ask(&format!("Bearer {hers}")).await, "token-refused");
    assert_eq!(name(&ask(&format!("Bearer {newer}")).await), "Nina Berg");
    // A token that is refused is not made good by a cookie.
    let mut browser = browser_of(&bot, JONAS).await;
    let headers = [("authorization", &*format!("Bearer {hers}"))];
    let page = browser.send(Method::GET, &me, None, &headers).await;
    problem(&page, "token-refused");
    bot.finish().await;
}

/// A Home tab of somebody's that offers a menu for their account.
async fn home_with_menu(bot: &TestBot, person: &str) -> billops::sandbox::View {
    bot.slack.open_home(person).await.unwrap();
    let shows = |slack: &Sandbox| {
        let home = slack.home(person)?;
        text_of(&home).contains("\"calendar.menu\"").then_some(home)
    };
    bot.slack.wait_for("a menu", shows).await.unwrap()
}

/// The latest payload of this kind that was sent to the bot, as a new envelope.
pub(super) fn latest(slack: &Sandbox, kind: &str) -> Value {
    let sent = slack.traffic().into_iter().rev();
    let mut payloads = sent
        .filter(|line| line.direction == "to_bot")
        .map(|line| line.body);
    let mut found = payloads
        .find(|body| body["payload"]["type"] == kind)
        .unwrap();
    found["envelope_id"] = Value::Null;
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_clicks_and_forms_in_slack_reach_only_ones_own() {
    let bot = TestBot::start().await;
    connected(&bot, NINA, "google").await;
    connected(&bot, JONAS, "google").await;
    let (hers, his) = (account_of(&bot, NINA).await, account_of(&bot, JONAS).await);
    let (her_id, her_calendar) = (hers.id, hers.calendars[1].id);

    // Jonas uses his own menu and form once, and then sends the same with what is Nina's.
    let home = home_with_menu(&bot, JONAS).await;
    let choose = Choice::Option(format!("choose c:{}", his.id));
    bot.slack
        .choose(JONAS, &home, "calendar.menu", choose)
        .await
        .unwrap();
    let click = latest(&bot.slack, "block_actions");
    let form = |slack: &Sandbox| {
        let form = slack.modals(JONAS).pop()?;
        text_of(&form).contains("Tern team").then_some(form)
    };
    let form = bot.slack.wait_for("his form", form).await.unwrap();
    let submission = bot.slack.submit(JONAS, &form, &[]).await.unwrap();
    assert!(submission.closed);
    let submitted = latest(&bot.slack, "view_submission");
    let his = account_of(&bot, JONAS).await;
    let count = |endpoint| {
        bot.slack
            .provider(Provider::Google, |google| google.requests(endpoint))
    };
    let before = (count(Endpoint::Calendars), count(Endpoint::Revoke));

    for verb in [
        "choose",
        "disconnect",
        "disconnect_form",
        "off",
        "reconnect",
    ] {
        let mut menu = click.clone();
        menu["payload"]["actions"][0]["selected_option"]["value"] =
            json!(format!("{verb} c:{her_id}"));
        let mut button = click.clone();
        button["payload"]["actions"][0] = json!({
            "type": "button", "block_id": "x", "action_id": format!("calendar.{verb}"),
            "value": format!("c:{her_id}"), "action_ts": "1.1",
        });
        for forged in [menu, button] {
            let answer = bot.slack.send_envelope(forged).await;
            assert_eq!(answer.error, None, "{verb}");
        }
    }
    for callback in ["calendar.choose_save", "calendar.disconnect"] {
        let mut forged = submitted.clone();
        let view = &mut forged["payload"]["view"];
        view["callback_id"] = json!(callback);
        view["private_metadata"] = json!(json!({"e": her_id}).to_string());
        let answer = bot.slack.send_envelope(forged).await;
        assert_eq!(answer.error, None, "{callback}");
    }
    // Her calendar in the form for his account.
    let mut forged = submitted.clone();
    let values = &mut forged["payload"]["view"]["state"]["values"];
    let field = values["calendars"].as_object_mut().unwrap();
    for value in field.values_mut() {
        value["selected_options"] = json!([{"value": format!("k:{her_calendar}")}]);
    }
    bot.slack.send_envelope(forged).await;
    let none_read = |account: &Account| read_of(account).is_empty();
    while !none_read(&account_of(&bot, JONAS).await) {
        tokio::task::yield_now().await;
    }

    assert_eq!(account_of(&bot, NINA).await, hers);
    assert_eq!(
        account_of(&bot, JONAS).await.calendars.len(),
        his.calendars.len()
    );
    assert_eq!(
        (count(Endpoint::Calendars), count(Endpoint::Revoke)),
        before
    );
    let open = bot.slack.modals(JONAS);
    assert!(open.is_empty(), "{open:?}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_link_to_the_next_page_takes_no_token_along() {
    let bot = TestBot::start().await;
    let foreign = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", foreign.local_addr().unwrap());
    bot.slack.provider(Provider::Microsoft, |microsoft| {
        microsoft.switches.largest_page = Some(1);
        microsoft.switches.foreign_next_link = Some(host);
    });
    let (mut browser, off) = sent_off(&bot, NINA, "outlook").await;
    let back = consent(&bot, &off, email_of(NINA)).await;
    refused(&browser.open(&back).await, "provider-unavailable");
    assert_eq!(accounts(&bot, NINA).await, 0);

    // Nor when the list is asked for anew.
    bot.slack.provider(Provider::Microsoft, |microsoft| {
        microsoft.switches.largest_page = None;
    });
    let mut browser = connected(&bot, NINA, "outlook").await;
    bot.slack.provider(Provider::Microsoft, |microsoft| {
        microsoft.switches.largest_page = Some(1);
    });
    let before = account_of(&bot, NINA).await;
    let body = json!({"calendar_id": "new"}).to_string();
    let select = "/api/v1/integrations/microsoft/select-calendar";
    problem(&post(&mut browser, select, JSON, &body).await, "not-found");
    assert_eq!(account_of(&bot, NINA).await, before);
    let visited = std::future::poll_fn(|context| {
        std::task::Poll::Ready(foreign.poll_accept(context).is_ready())
    });
    assert!(!visited.await, "the foreign host was asked");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_were_moved_to_another_row_do_not_open() {
    let database = Database::on_disk();
    let url = database.url.clone();
    let bot = TestBot::with(database, &[]).await;
    let mut nina = connected(&bot, NINA, "google").await;
    connected(&bot, JONAS, "google").await;
    let (hers, his) = (account_of(&bot, NINA).await, account_of(&bot, JONAS).await);
    // Whoever can write to the database gives Jonas Nina's tokens, and swaps his own two.
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let moves = [
        "UPDATE user_oauth_accounts SET (access_token, refresh_token) = \
         (SELECT access_token, refresh_token FROM user_oauth_accounts WHERE id = $2) WHERE id = $1",
        "UPDATE user_oauth_accounts SET access_token = refresh_token, refresh_token = access_token \
         WHERE id = $1 AND $2 IS NOT NULL",
    ];
    let store = bot.bot.store();
    for statement in moves {
        assert!(store.tokens(hers.id).await.is_ok());
        sqlx::query(statement)
            .bind(his.id)
            .bind(hers.id)
            .execute(&mut connection)
            .await
            .unwrap();
        let problem = store.tokens(his.id).await.unwrap_err().to_string();
        assert!(
            problem.contains("was not sealed with this key for this place"),
            "{problem}"
        );
    }
    // What Jonas is shown says nothing about it.
    let mut jonas = browser_of(&bot, JONAS).await;
    let body = json!({"calendar_id": "new"}).to_string();
    let select = "/api/v1/integrations/google/select-calendar";
    let page = post(&mut jonas, select, JSON, &body).await;
    problem(&page, "failed");
    assert!(!page.body.contains("sealed"), "{}", page.body);
    let listed = nina.open(&nina.at("/api/v1/integrations")).await;
    assert_eq!(listed.status, StatusCode::OK);
    connection.close().await.unwrap();
    bot.finish().await;
}
