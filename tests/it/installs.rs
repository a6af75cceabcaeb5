//! Many workspaces: one installs the app in a browser, works, and leaves; the other notices nothing.

use billops::{
    bot::Bot,
    sandbox::{ADA, Decision, FERN, Message, Removal, Sandbox},
};
use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    bot::{NINA, TestBot},
    visitor::{Visitor, settled},
};

const TERN: &str = "T07TERN001";

fn fern(bot: &TestBot) -> Sandbox {
    bot.slack.workspace(FERN).unwrap()
}

/// Ada installs the app in her workspace, from the landing page's button on.
async fn installed(bot: &TestBot, browser: &mut Visitor) {
    let off = browser
        .open(&browser.at("/api/v1/integrations/slack/install"))
        .await
        .url;
    let back = bot
        .slack
        .consent(off.as_str(), ADA, Decision::Allow)
        .await
        .unwrap();
    let page = browser.open(&back.parse().unwrap()).await;
    assert_eq!(
        (page.status, page.url.path()),
        (StatusCode::OK, "/installed"),
        "{page:?}"
    );
}

async fn says(slack: &Sandbox, person: &str, line: &str) -> Message {
    let answer = slack.say(person, "#general", line).await.unwrap();
    assert_eq!(answer.error, None, "{line}");
    answer.message.expect("an answer")
}

/// How many entries of the day stand of a person.
pub(crate) async fn entries(bot: &Bot, workspace: &str, person: &str) -> usize {
    let store = bot.store();
    let Some(member) = store.member(workspace, person).await.unwrap() else {
        return 0;
    };
    let day = "2026-11-20".parse().unwrap();
    let found = store.entries_between(member.user_id, day, day, None, 100);
    found.await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_workspace_installs_works_and_leaves() {
    let bot = TestBot::start().await;
    let fern = fern(&bot);
    bot.say("/time 1h: Before").await;
    let refused = says(&fern, "ada", "/time 2h: Too early").await;
    assert!(
        refused.text.contains("not installed in this workspace"),
        "{}",
        refused.text
    );
    assert!(
        refused.text.contains("/time 2h: Too early"),
        "{}",
        refused.text
    );
    assert!(
        refused.text.contains("/api/v1/integrations/slack/install"),
        "{}",
        refused.text
    );
    assert_eq!(entries(&bot.bot, FERN, ADA).await, 0);

    let mut browser = Visitor::new(&bot);
    installed(&bot, &mut browser).await;
    let card = says(&fern, "ada", "/time 2h: Pond plan").await;
    assert!(
        card.text.starts_with("Logged 2 h · Pond plan"),
        "{}",
        card.text
    );
    fern.open_home("ada").await.unwrap();
    let home = |slack: &Sandbox| slack.home("ada");
    let home = fern.wait_for("Ada's Home tab", home).await.unwrap();
    let home = Value::from(home.blocks().to_vec()).to_string();
    assert!(
        home.contains("Pond plan") && !home.contains("Before"),
        "{home}"
    );
    // The card is changed through the workspace's own way.
    let answer = fern.click("ada", &card, "entry.undo").await.unwrap();
    assert_eq!(answer.error, None);
    let undone = |slack: &Sandbox| {
        let mut all = slack.messages("ada", "#general").into_iter();
        all.find(|now| now.ts == card.ts && now.blocks != card.blocks)
    };
    fern.wait_for("the card undone", undone).await.unwrap();
    says(&fern, "ada", "/time 1h: Planting").await;
    assert_eq!(entries(&bot.bot, FERN, ADA).await, 1);
    assert_eq!(entries(&bot.bot, TERN, "U07NINA001").await, 1);

    // A view that is under way would be refused.
    settled(&bot).await;
    fern.uninstall(Removal::UninstalledFirst).await;
    let refused = says(&fern, "ada", "/time 3h: Too late").await;
    assert!(
        refused.text.contains("not installed in this workspace"),
        "{}",
        refused.text
    );
    let store = bot.bot.store();
    assert!(store.install(FERN).await.unwrap().unwrap().token.is_none());
    assert_eq!(store.member(FERN, ADA).await.unwrap(), None);
    // The other one works as before.
    bot.say("/time 1h: After").await;
    assert_eq!(entries(&bot.bot, TERN, "U07NINA001").await, 2);
    bot.slack.open_home(NINA).await.unwrap();
    let home = |slack: &Sandbox| slack.home(NINA);
    bot.slack.wait_for("Nina's Home tab", home).await.unwrap();

    // Installed again, everything is there still.
    installed(&bot, &mut browser).await;
    assert_eq!(entries(&bot.bot, FERN, ADA).await, 1);
    let card = says(&fern, "ada", "/time 2h: Again").await;
    assert!(card.text.starts_with("Logged 2 h · Again"), "{}", card.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_may_say_it_in_any_order_twice_or_late() {
    let bot = TestBot::start().await;
    let fern = fern(&bot);
    let mut browser = Visitor::new(&bot);
    let is_active = async || {
        bot.bot
            .store()
            .install(FERN)
            .await
            .unwrap()
            .unwrap()
            .is_active
    };
    installed(&bot, &mut browser).await;
    fern.uninstall(Removal::RevokedFirst).await;
    assert!(!is_active().await);
    bot.clock.advance(TimeDelta::minutes(1));
    let removed_at = bot.clock.now().timestamp();
    bot.clock.advance(TimeDelta::minutes(1));
    installed(&bot, &mut browser).await;
    assert!(is_active().await);
    // An event of the time before, which Slack had not got rid of.
    let late = json!({
        "envelope_id": "late-1", "type": "events_api", "accepts_response_payload": false,
        "payload": {"type": "event_callback", "team_id": FERN, "event_id": "Ev9", "event_time": removed_at,
            "event": {"type": "app_uninstalled"}},
    });
    if bot.slack.connections().len() == 2 {
        bot.slack.send_envelope(late).await;
        assert!(is_active().await);
    }
    // A person's token is not the bot's.
    fern.send_event(json!({"type": "tokens_revoked", "tokens": {"oauth": [ADA]}}))
        .await;
    assert!(is_active().await);
    // Somebody who leaves has nobody signed in any more.
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_runs_out_is_renewed_in_time() {
    let bot = TestBot::start().await;
    bot.slack.rotate_tokens();
    let fern = fern(&bot);
    installed(&bot, &mut Visitor::new(&bot)).await;
    let store = bot.bot.store();
    let first = store.install(FERN).await.unwrap().unwrap().token.unwrap();
    assert_eq!(
        first.expires_at,
        Some(bot.clock.now() + TimeDelta::hours(12))
    );
    says(&fern, "ada", "/time 1h: Early").await;
    let refreshes = |slack: &Sandbox| {
        let traffic = slack.traffic();
        traffic
            .iter()
            .filter(|line| line.title == "oauth.v2.access")
            .count()
    };
    assert_eq!(refreshes(&bot.slack), 1);
    // Two hours before the end it is replaced by whoever calls first, and once.
    bot.clock
        .advance(TimeDelta::hours(10) + TimeDelta::minutes(1));
    for person in ["ada", "tom", "ida"] {
        fern.open_home(person).await.unwrap();
    }
    for person in ["ada", "tom", "ida"] {
        let home = |slack: &Sandbox| slack.home(person);
        fern.wait_for("a Home tab", home).await.unwrap();
    }
    assert_eq!(refreshes(&bot.slack), 2);
    let second = store.install(FERN).await.unwrap().unwrap().token.unwrap();
    assert_eq!(
        second.expires_at,
        Some(bot.clock.now() + TimeDelta::hours(12))
    );
    // Long after the first one's end.
    bot.clock.advance(TimeDelta::hours(9));
    let card = says(&fern, "tom", "/time 2h: Wall").await;
    assert!(card.text.starts_with("Logged 2 h · Wall"), "{}", card.text);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_install_is_its_beginners_own_and_short_lived() {
    let bot = TestBot::start().await;
    let mut browser = Visitor::new(&bot);
    let install = browser.at("/api/v1/integrations/slack/install");
    let is_known = async || bot.bot.store().install(FERN).await.unwrap().is_some();
    // Consent in another's browser.
    let off = browser.open(&install).await.url;
    let back = bot
        .slack
        .consent(off.as_str(), ADA, Decision::Allow)
        .await
        .unwrap();
    let page = Visitor::new(&bot).open(&back.parse().unwrap()).await;
    assert_eq!(page.url.path(), "/not-installed/state-invalid", "{page:?}");
    // Too late.
    bot.clock.advance(TimeDelta::minutes(11));
    let page = browser.open(&back.parse().unwrap()).await;
    assert_eq!(page.url.path(), "/not-installed/state-invalid", "{page:?}");
    assert!(!is_known().await);
    // Denied, and with a code that is none.
    let off = browser.open(&install).await.url;
    let back = bot
        .slack
        .consent(off.as_str(), ADA, Decision::Deny)
        .await
        .unwrap();
    let page = browser.open(&back.parse().unwrap()).await;
    assert_eq!(page.url.path(), "/not-installed/denied", "{page:?}");
    let off = browser.open(&install).await.url;
    let other = bot
        .slack
        .consent(off.as_str(), ADA, Decision::Deny)
        .await
        .unwrap();
    let forged = other.replace("error=access_denied", "code=7007001.x");
    let page = browser.open(&forged.parse().unwrap()).await;
    assert_eq!(page.url.path(), "/not-installed/code-refused", "{page:?}");
    // Both states are used up by that.
    for used in [&back, &other] {
        let forged = used.replace("error=access_denied", "code=7007001.x");
        let page = browser.open(&forged.parse().unwrap()).await;
        assert_eq!(page.url.path(), "/not-installed/state-invalid", "{page:?}");
    }
    // A state of a sign-in is none of an install.
    let sign_in = browser
        .open(&browser.at("/api/v1/auth/slack/login"))
        .await
        .url;
    let (_, state) = sign_in
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap();
    let mut stolen = browser.at("/api/v1/integrations/slack/callback");
    stolen
        .query_pairs_mut()
        .append_pair("code", "x")
        .append_pair("state", &state);
    let page = browser.open(&stolen).await;
    assert_eq!(page.url.path(), "/not-installed/state-invalid", "{page:?}");
    // A state works once, with another code as with the same.
    let off = browser.open(&install).await.url;
    let back: url::Url = bot
        .slack
        .consent(off.as_str(), ADA, Decision::Allow)
        .await
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(browser.open(&back).await.url.path(), "/installed");
    let consent = bot.slack.consent(off.as_str(), ADA, Decision::Allow);
    let again: url::Url = consent.await.unwrap().parse().unwrap();
    for back in [back, again] {
        let page = browser.open(&back).await;
        assert_eq!(page.url.path(), "/not-installed/state-invalid", "{page:?}");
    }
    assert!(is_known().await);
    let page = browser.open(&browser.at("/not-installed/<script>")).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    bot.slack.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frontend_installs_too() {
    let bot = TestBot::start().await;
    let mut browser = Visitor::new(&bot);
    let authorize = browser.at("/api/v1/integrations/slack/authorize");
    let begun = browser.open(&authorize).await.json();
    let back = bot
        .slack
        .consent(begun["auth_url"].as_str().unwrap(), ADA, Decision::Allow);
    let back: url::Url = back.await.unwrap().parse().unwrap();
    let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    let body = json!({"code": code, "state": begun["state"]}).to_string();
    let callback = browser.at("/api/v1/integrations/slack/callback");
    let kind = "application/json";
    // Another site's page has the browser send it.
    let foreign = [("origin", "https://evil.example")];
    let page = browser
        .send(
            reqwest::Method::POST,
            &callback,
            Some((kind, body.clone())),
            &foreign,
        )
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");
    let own = format!("http://{}", bot.bot.web_address());
    // Nobody's key counts for nothing.
    let headers = [("origin", &*own), ("idempotency-key", "k")];
    let page = browser
        .send(
            reqwest::Method::POST,
            &callback,
            Some((kind, body)),
            &headers,
        )
        .await;
    assert_eq!(
        page.json(),
        json!({
            "status": "success", "workspace_id": FERN, "workspace_name": "Fern Garden",
            "message": "BillOps is installed in Fern Garden",
        })
    );
    bot.finish().await;
}

/// The tokens of both workspaces are sealed, found again after a restart, and sealed anew with another key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspaces_token_is_sealed_and_outlives_the_process() {
    use crate::databases::Database;
    let bot = TestBot::with(Database::on_disk(), &[]).await;
    installed(&bot, &mut Visitor::new(&bot)).await;
    let bot = bot.restart().await;
    let fern = fern(&bot);
    let card = says(&fern, "ada", "/time 2h: After the restart").await;
    assert!(card.text.starts_with("Logged 2 h"), "{}", card.text);
    let token = bot
        .bot
        .store()
        .install(FERN)
        .await
        .unwrap()
        .unwrap()
        .token
        .unwrap();
    let token = secrecy::ExposeSecret::expose_secret(&token.access).to_owned();
    let file = bot
        .database
        .url
        .strip_prefix("sqlite://")
        .unwrap()
        .to_owned();
    for file in [file.clone(), format!("{file}-wal")] {
        let bytes = std::fs::read(file).unwrap_or_default();
        assert!(
            !bytes
                .windows(token.len())
                .any(|window| window == token.as_bytes())
        );
    }
    let in_use = bot.bot.store().keys_in_use().await.unwrap();
    assert_eq!(in_use.iter().map(|(_, count)| count).sum::<u64>(), 1);
    bot.finish().await;
}
