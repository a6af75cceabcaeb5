//! Calendars are connected, by the person who asked and by nobody else.

use billops::sandbox::{Choice, Decision, Endpoint, NINA_EMAIL, Outage, Provider, Sandbox, View};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    bot::{NINA, TestBot},
    visitor::{Page, Visitor, connect, link_of},
};

/// The direct messages that BillOps sent a person.
fn direct(slack: &Sandbox, person: &str) -> Vec<String> {
    let dm = slack.world(|world| world.person(person).unwrap().dm());
    let messages = slack.messages(person, &dm);
    messages.into_iter().map(|message| message.text).collect()
}

async fn told(bot: &TestBot, person: &str, begins: &str) -> String {
    let found = |slack: &Sandbox| {
        direct(slack, person)
            .into_iter()
            .find(|text| text.starts_with(begins))
    };
    bot.slack.wait_for("a direct message", found).await.unwrap()
}

pub(crate) async fn accounts(bot: &TestBot, person: &str) -> usize {
    let store = bot.bot.store();
    let user = bot
        .slack
        .world(|world| world.person(person).unwrap().id.clone());
    let member = store.member("T07TERN001", &user).await.unwrap();
    match member {
        Some(member) => store.accounts(member.user_id).await.unwrap().len(),
        None => 0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_calendars_are_connected_through_real_redirects() {
    let bot = TestBot::start().await;
    let (visitor, page) = connect(&bot, "google").await;
    assert_eq!(page.url.path(), "/connected/google", "{}", page.body);
    assert!(
        page.body.contains("nina.berg@tern.example"),
        "{}",
        page.body
    );
    assert!(page.body.contains("Nina Berg"), "{}", page.body);
    let told_of = told(&bot, NINA, "Google is connected: nina.berg@tern.example.").await;
    assert!(
        told_of.contains("Reading Nina Berg")
            && told_of.contains("Nothing of the last 7 days is to be logged."),
        "{told_of}"
    );
    // Nothing secret stays in an address that is kept.
    let last = visitor.visited.last().unwrap();
    assert!(!last.contains("code") && !last.contains("state"), "{last}");

    let (_, page) = connect(&bot, "outlook").await;
    assert_eq!(page.url.path(), "/connected/microsoft", "{}", page.body);
    told(&bot, NINA, "Outlook is connected: nina.berg@tern.example.").await;
    assert_eq!(accounts(&bot, NINA).await, 2);
    bot.finish().await;
}

/// The Home tab, once it shows this.
pub(crate) async fn home_showing(bot: &TestBot, words: &str) -> View {
    let shows = |slack: &Sandbox| {
        let home = slack.home(NINA)?;
        let blocks = Value::from(home.blocks().to_vec()).to_string();
        blocks.contains(words).then_some(home)
    };
    bot.slack
        .wait_for(&format!("a Home tab with “{words}”"), shows)
        .await
        .unwrap()
}

pub(crate) fn menu_option(view: &View, verb: &str) -> Choice {
    let blocks = Value::from(view.blocks().to_vec()).to_string();
    let at = blocks
        .find(&format!("\"value\":\"{verb} c:"))
        .expect("the menu has it");
    let value = blocks[at + 9..].split('"').next().unwrap();
    Choice::Option(value.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calendars_are_chosen_and_given_up_in_home() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    home_showing(&bot, "Connect Google").await;
    connect(&bot, "google").await;
    let home = home_showing(&bot, "On · Nina Berg").await;

    bot.slack
        .choose(NINA, &home, "calendar.menu", menu_option(&home, "choose"))
        .await
        .unwrap();
    let form = bot.form().await;
    let blocks = Value::from(form.blocks().to_vec()).to_string();
    assert!(
        blocks.contains("*Nina Berg* · your main calendar"),
        "{blocks}"
    );
    assert!(
        blocks.contains("*Studio rooms* shows only free and busy"),
        "{blocks}"
    );
    let team = {
        let at = blocks.find("*Tern team*").unwrap();
        let (_, rest) = blocks[at..].split_once("\"value\":\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let answer = bot
        .submit(&form, &[("calendars", Choice::Options(vec![team]))])
        .await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    let home = home_showing(&bot, "On · Tern team").await;

    bot.slack
        .choose(
            NINA,
            &home,
            "calendar.menu",
            menu_option(&home, "disconnect_form"),
        )
        .await
        .unwrap();
    let form = bot.form().await;
    assert_eq!(form.title(), "Disconnect Google");
    let answer = bot.submit(&form, &[]).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    home_showing(&bot, "2 · Connect your calendar").await;
    let revoked = |slack: &Sandbox| {
        slack.provider(Provider::Google, |google| {
            (google.requests(Endpoint::Revoke) == 1 && google.live_refresh_tokens().is_empty())
                .then_some(())
        })
    };
    bot.slack
        .wait_for("the grant to be given back", revoked)
        .await
        .unwrap();

    // Connected again, what was chosen before is chosen still.
    bot.clock.advance(chrono::TimeDelta::seconds(1));
    connect(&bot, "google").await;
    home_showing(&bot, "On · Tern team").await;
    told(&bot, NINA, "Google is read again: nina.berg@tern.example.").await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frontend_connects_selects_lists_and_disconnects() {
    let bot = TestBot::start().await;
    bot.say("/time 1h: planning").await;
    let mut visitor = Visitor::new(&bot);
    let page = visitor.open(&visitor.at("/api/v1/integrations")).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert_eq!(page.json()["type"], "urn:billops:not-signed-in");
    visitor.log_in(&bot.slack, NINA).await;
    let me = visitor.open(&visitor.at("/api/v1/me")).await.json();
    assert_eq!(
        (me["name"].as_str(), me["time_zone"].as_str()),
        (Some("Nina Berg"), Some("Europe/Berlin"))
    );

    let begun = visitor
        .open(&visitor.at("/api/v1/integrations/google/authorize"))
        .await
        .json();
    let auth_url = begun["auth_url"].as_str().unwrap();
    let state = begun["state"].as_str().unwrap();
    assert!(
        auth_url.contains("code_challenge_method=S256") && auth_url.contains(state),
        "{auth_url}"
    );
    let back = bot
        .slack
        .consent(auth_url, NINA_EMAIL, Decision::Allow)
        .await
        .unwrap();
    let back = url::Url::parse(&back).unwrap();
    let code = back
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let callback = visitor.at("/api/v1/integrations/google/callback");
    let body = json!({"code": code, "state": state}).to_string();
    let done = visitor
        .send(
            Method::POST,
            &callback,
            Some(("application/json", body.clone())),
            &[],
        )
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    let done = done.json();
    assert_eq!(done["status"], "success");
    let account = done["oauth_account_id"].as_str().unwrap().to_owned();
    let calendars = done["calendars"].as_array().unwrap();
    assert!(calendars.iter().any(|one| one["summary"] == "Nina Berg"
        && one["primary"] == true
        && one["selected"] == true));
    let holidays = calendars
        .iter()
        .find(|one| one["summary"] == "Holidays in Germany")
        .unwrap();
    assert_eq!(holidays["selected"], false);

    // Selected twice, it is one.
    let select = visitor.at("/api/v1/integrations/google/select-calendar");
    let body =
        json!({"calendar_id": holidays["id"], "calendar_name": "x", "oauth_account_id": account})
            .to_string();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let page = visitor
            .send(
                Method::POST,
                &select,
                Some(("application/json", body.clone())),
                &[],
            )
            .await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let answer = page.json();
        assert_eq!(answer["message"], "Calendar 'Holidays in Germany' selected");
        ids.push(answer["calendar_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids[0], ids[1]);
    let rooms = calendars
        .iter()
        .find(|one| one["summary"] == "Studio rooms")
        .unwrap();
    for (body, problem) in [
        (
            json!({"calendar_id": rooms["id"]}),
            "calendar-without-details",
        ),
        (json!({"calendar_id": "nobody@tern.example"}), "not-found"),
        (json!({"calendar": "x"}), "invalid"),
        (
            json!({"calendar_id": holidays["id"], "access_token": "x"}),
            "invalid",
        ),
    ] {
        let page = visitor
            .send(
                Method::POST,
                &select,
                Some(("application/json", body.to_string())),
                &[],
            )
            .await;
        assert_eq!(
            page.json()["type"],
            format!("urn:billops:{problem}"),
            "{body}"
        );
    }
    let list = visitor
        .open(&visitor.at("/api/v1/integrations"))
        .await
        .json();
    let items = list["items"].as_array().unwrap();
    let of = |name: &str| {
        items
            .iter()
            .find(|item| item["calendar_name"] == name)
            .unwrap()
    };
    assert_eq!(of("Holidays in Germany")["is_active"], true);
    assert_eq!(of("Nina Berg")["state"], "active");
    assert_eq!(of("Nina Berg")["account_email"], NINA_EMAIL);

    // One calendar is given up, then the account.
    let url = visitor.at(&format!("/api/v1/integrations/google/{}", ids[0]));
    assert_eq!(
        visitor.send(Method::DELETE, &url, None, &[]).await.status,
        StatusCode::NO_CONTENT
    );
    let list = visitor
        .open(&visitor.at("/api/v1/integrations"))
        .await
        .json();
    let items = list["items"].as_array().unwrap();
    assert!(
        items.iter().any(
            |item| item["calendar_name"] == "Holidays in Germany" && item["is_active"] == false
        )
    );
    let url = visitor.at(&format!("/api/v1/integrations/google/{account}"));
    assert_eq!(
        visitor.send(Method::DELETE, &url, None, &[]).await.status,
        StatusCode::NO_CONTENT
    );
    let list = visitor
        .open(&visitor.at("/api/v1/integrations"))
        .await
        .json();
    assert_eq!(list["items"], json!([]));
    assert_eq!(
        visitor.send(Method::DELETE, &url, None, &[]).await.status,
        StatusCode::NOT_FOUND
    );

    let logout = visitor.at("/api/v1/auth/logout");
    assert_eq!(
        visitor.send(Method::POST, &logout, None, &[]).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        visitor.open(&visitor.at("/api/v1/me")).await.status,
        StatusCode::UNAUTHORIZED
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_shown_once_works_for_its_person_and_ends_when_revoked() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    let home = home_showing(&bot, "API token").await;
    bot.slack.click(NINA, &home, "token.open").await.unwrap();
    let form = bot.form().await;
    bot.slack.click(NINA, &form, "token.new").await.unwrap();
    let token = |slack: &Sandbox| {
        let form = slack.modals(NINA).pop()?;
        let blocks = Value::from(form.blocks().to_vec()).to_string();
        let (_, rest) = blocks.split_once("```")?;
        Some(rest.split("```").next()?.to_owned())
    };
    let token = bot.slack.wait_for("the token", token).await.unwrap();
    assert!(token.starts_with("bo_") && token.len() > 40);
    let mut program = Visitor::new(&bot);
    let me = program.at("/api/v1/me");
    let bearer = format!("Bearer {token}");
    let page = program
        .send(Method::GET, &me, None, &[("authorization", &bearer)])
        .await;
    assert_eq!(page.json()["name"], "Nina Berg", "{}", page.body);

    // A program connects: its token is its proof, and a browser cannot end what it began.
    let url = program.at("/api/v1/integrations/microsoft/authorize");
    let begun = program
        .send(Method::GET, &url, None, &[("authorization", &bearer)])
        .await
        .json();
    let back = bot
        .slack
        .consent(
            begun["auth_url"].as_str().unwrap(),
            NINA_EMAIL,
            Decision::Allow,
        )
        .await
        .unwrap();
    let query = back.split_once('?').unwrap().1;
    let callback = program.at(&format!("/api/v1/integrations/microsoft/callback?{query}"));
    let done = program
        .send(Method::POST, &callback, None, &[("authorization", &bearer)])
        .await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);

    bot.slack.click(NINA, &home, "token.open").await.unwrap();
    let made = |slack: &Sandbox| {
        slack.modals(NINA).into_iter().find(|form| {
            Value::from(form.blocks().to_vec())
                .to_string()
                .contains("Made today, last used today")
        })
    };
    let form = bot.slack.wait_for("the token's form", made).await.unwrap();
    bot.slack.click(NINA, &form, "token.revoke").await.unwrap();
    let gone = |slack: &Sandbox| {
        slack.modals(NINA).into_iter().find(|form| {
            Value::from(form.blocks().to_vec())
                .to_string()
                .contains("There is no token yet")
        })
    };
    bot.slack
        .wait_for("the token to be gone", gone)
        .await
        .unwrap();
    let page = program
        .send(Method::GET, &me, None, &[("authorization", &bearer)])
        .await;
    assert_eq!(
        (page.status, &page.json()["type"]),
        (
            StatusCode::UNAUTHORIZED,
            &json!("urn:billops:token-refused")
        )
    );
    bot.finish().await;
}

/// The page a person lands on whose consent ended so.
async fn landing(bot: &TestBot, decision: Decision<'_>) -> Page {
    let link = link_of(&bot.say("/time connect google").await);
    let mut visitor = Visitor::new(bot);
    visitor.log_in(&bot.slack, NINA).await;
    let page = visitor.open(&link).await;
    let off = visitor.submit(&page).await;
    let back = bot
        .slack
        .consent(off.url.as_str(), NINA_EMAIL, decision)
        .await
        .unwrap();
    visitor.open(&back.parse().unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_has_a_page_that_says_what_to_do() {
    let bot = TestBot::start().await;
    let page = landing(&bot, Decision::Deny).await;
    assert!(page.url.path().ends_with("/denied"), "{}", page.url);
    assert!(page.body.contains("You did not agree"), "{}", page.body);

    let list = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
    let page = landing(&bot, Decision::AllowOnly(&[list])).await;
    assert!(page.url.path().ends_with("/scope-missing"), "{}", page.url);
    assert!(
        page.body.contains("the events on your calendars"),
        "{}",
        page.body
    );
    assert!(
        !page.body.contains("the list of your calendars"),
        "{}",
        page.body
    );

    for (outage, reason, words) in [
        (
            Outage::Refused("invalid_client".into()),
            "server-settings",
            "nothing you did",
        ),
        (
            Outage::Refused("invalid_grant".into()),
            "code-refused",
            "works once",
        ),
        (
            Outage::Status(503),
            "provider-unavailable",
            "in some minutes",
        ),
    ] {
        bot.slack.provider(Provider::Google, |google| {
            google.fail_next(Endpoint::Code, 1, outage);
        });
        let page = landing(&bot, Decision::Allow).await;
        assert!(page.url.path().ends_with(reason), "{}", page.url);
        assert!(page.body.contains(words), "{}", page.body);
    }
    assert_eq!(accounts(&bot, NINA).await, 0);
    bot.slack.take_violations();
    bot.finish().await;
}
