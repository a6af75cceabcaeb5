//! The pages that anybody can open, and the one about where somebody is signed in.

use billops::{
    domain::{
        time_command::examples::{BESIDES, LOGGING},
        workspace::AuditSubject,
    },
    sandbox::{Decision, Sandbox},
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    attacks::{api_token, browser_of},
    bot::{NINA, TestBot},
    databases::Database,
    meetings::connected,
    visitor::{Page, Visitor, settled},
};

const JONAS: &str = "jonas";

async fn get(visitor: &mut Visitor, path: &str) -> Page {
    let url = visitor.at(path);
    visitor.send(Method::GET, &url, None, &[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_keeps_to_itself() {
    let bot = TestBot::start().await;
    let mut visitor = Visitor::new(&bot);
    for path in ["/", "/docs", "/privacy", "/nothing-here"] {
        let page = get(&mut visitor, path).await;
        let policy = page.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        for foreign in ["<script", "src=", "style=\"", "onclick", "@import"] {
            assert!(!page.body.contains(foreign), "{foreign} in {path}");
        }
        let outside = page.body.matches("href=\"http").count();
        let to_slack = page.body.matches("href=\"https://slack.com/").count();
        assert_eq!(outside, to_slack, "{path}: {}", page.body);
        for landmark in [
            "<html lang=\"en\"",
            "<header>",
            "<main>",
            "<h1>",
            "<footer>",
            "<nav aria-label=",
        ] {
            assert_eq!(
                page.body.matches(landmark).count(),
                1,
                "{landmark} in {path}"
            );
        }
        for link in ["/docs", "/privacy", "/api/docs", "/healthz"] {
            assert!(
                page.body.contains(&format!("href=\"{link}\"")),
                "{link} in {path}"
            );
        }
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn add_to_slack_is_offered_only_where_the_server_can_do_it() {
    let bot = TestBot::start().await;
    let page = get(&mut Visitor::new(&bot), "/").await;
    assert!(
        page.body
            .contains("href=\"/api/v1/integrations/slack/install\""),
        "{}",
        page.body
    );
    bot.finish().await;
    let without = &[("SLACK_CLIENT_ID", ""), ("SLACK_CLIENT_SECRET", "")];
    let bot = TestBot::with(Database::in_memory(), without).await;
    let page = get(&mut Visitor::new(&bot), "/").await;
    assert!(!page.body.contains("Add to Slack"), "{}", page.body);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documentation_shows_what_the_help_shows_and_all_of_it_works() {
    let bot = TestBot::start().await;
    bot.projects(&["acme"]).await;
    let page = get(&mut Visitor::new(&bot), "/docs").await;
    let help = bot.say("/time help").await;
    let blocks = Value::from(help.blocks.clone()).to_string();
    let others = BESIDES.iter().flat_map(|(lines, _)| lines.iter().copied());
    for line in LOGGING
        .into_iter()
        .chain(others.filter(|line| !line.is_empty()))
    {
        let escaped = line.replace('&', "&amp;");
        assert!(
            page.body.contains(&format!("<code>/time {escaped}</code>")),
            "{line}"
        );
        assert!(
            blocks.contains(&format!("`/time {escaped}`")),
            "{line} in {blocks}"
        );
        assert!(
            help.text.contains(&format!("/time {escaped}")),
            "{line} in {}",
            help.text
        );
        let answer = bot
            .slack
            .say(NINA, "#general", &format!("/time {line}"))
            .await
            .unwrap();
        assert_eq!(answer.error, None, "{line}");
        if let Some(said) = answer.message {
            for refusal in ["not read", "could not", "I do not", "There is no", "has no"] {
                assert!(!said.text.contains(refusal), "{line}: {}", said.text);
            }
        }
        bot.slack.close_all(NINA).await.unwrap();
    }
    for (_, leads_to) in BESIDES {
        assert!(
            page.body.contains(leads_to) && blocks.contains(leads_to),
            "{leads_to}"
        );
    }
    bot.finish().await;
}

/// Whether somebody is signed in there still.
async fn is_in(visitor: &mut Visitor) -> bool {
    let page = get(visitor, "/api/v1/me").await;
    page.status == StatusCode::OK
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_signs_in_first_of_all_is_soon_called_by_their_name() {
    let bot = TestBot::start().await;
    let mut nina = Visitor::new(&bot);
    nina.log_in(&bot.slack, NINA).await;
    settled(&bot).await;
    let page = get(&mut nina, "/sessions").await;
    assert!(page.body.contains("Nina Berg"), "{}", page.body);
    assert!(page.body.contains("Europe/Berlin"), "{}", page.body);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_session_or_all_of_them_are_ended() {
    let bot = TestBot::start().await;
    let mut browsers = Vec::new();
    for _ in 0..3 {
        let mut browser = Visitor::new(&bot);
        browser.log_in(&bot.slack, NINA).await;
        browsers.push(browser);
    }
    let mut jonas = Visitor::new(&bot);
    jonas.log_in(&bot.slack, JONAS).await;
    let [first, second, third] = &mut browsers[..] else {
        unreachable!()
    };

    let page = get(first, "/sessions").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert_eq!(page.body.matches("This browser").count(), 1);
    assert_eq!(page.body.matches("Another browser").count(), 2);
    let token = page.hidden("form_token");
    let id = |nth: usize| {
        let part = page
            .body
            .split("name=\"session\" value=\"")
            .nth(nth)
            .unwrap();
        part.split('"').next().unwrap().to_owned()
    };
    // The latest sign-in stands first.
    let body = format!("form_token={token}&session={}", id(1));
    let form = "application/x-www-form-urlencoded";
    let end = first.at("/sessions/end");
    // Somebody else's browser with what her form holds, a form without its token, another site's.
    let refused = jonas.send(Method::POST, &end, Some((form, body.clone())), &[]);
    assert_eq!(refused.await.status, StatusCode::FORBIDDEN);
    let bare = Some((form, format!("session={}", id(1))));
    let refused = first.send(Method::POST, &end, bare, &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let elsewhere = [("origin", "https://evil.example")];
    let refused = first.send(Method::POST, &end, Some((form, body.clone())), &elsewhere);
    assert_eq!(refused.await.status, StatusCode::FORBIDDEN);
    let his = get(&mut jonas, "/sessions").await;
    assert_eq!(his.body.matches("<li>").count(), 1);
    let his = format!("form_token={}&session={}", his.hidden("form_token"), id(1));
    let sent = jonas.send(Method::POST, &end, Some((form, his)), &[]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert!(is_in(third).await, "Jonas ended a session of Nina's");

    let sent = first
        .send(Method::POST, &end, Some((form, body)), &[])
        .await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{sent:?}");
    assert!(!is_in(third).await && is_in(second).await && is_in(first).await);
    let all = second.at("/api/v1/auth/logout-everywhere");
    let sent = second.send(Method::POST, &all, None, &elsewhere).await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN);
    let sent = second.send(Method::POST, &all, None, &[]).await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT, "{sent:?}");
    assert!(!is_in(first).await && !is_in(second).await && is_in(&mut jonas).await);
    // From Slack, without any browser at hand.
    second.log_in(&bot.slack, NINA).await;
    assert!(is_in(second).await);
    let home = bot.home_of(NINA, "token.open").await;
    bot.slack.click(NINA, &home, "token.open").await.unwrap();
    let form = bot.form().await;
    bot.slack
        .click(NINA, &form, "token.sign_out")
        .await
        .unwrap();
    let said = |slack: &Sandbox| {
        let shown = Value::from(slack.modals(NINA).pop()?.blocks().to_vec()).to_string();
        shown.contains("signed out of 1 browser").then_some(())
    };
    bot.slack.wait_for("what was ended", said).await.unwrap();
    assert!(!is_in(second).await && is_in(&mut jonas).await);
    // Nobody is signed in: off to Slack.
    let page = get(first, "/sessions").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_trail_is_for_admins_and_names_kinds_only() {
    let bot = TestBot::start().await;
    let mut hers = connected(&bot, "google").await;
    api_token(&bot, NINA).await;
    api_token(&bot, JONAS).await;
    let mut his = browser_of(&bot, JONAS).await;
    let ask = async |path: &str, browser: &mut Visitor| {
        let url = browser.at(path);
        browser.send(Method::GET, &url, None, &[]).await
    };
    let page = ask("/api/v1/audit", &mut his).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "{page:?}");
    let page = ask("/api/v1/audit?limit=2", &mut hers).await;
    let first = page.json();
    let subjects = |page: &Value| -> Vec<Value> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|one| {
                json!([
                    one["subject"],
                    one["slack_user_id"],
                    one["before"],
                    one["after"]
                ])
            })
            .collect()
    };
    let made = AuditSubject::ApiToken.as_str();
    assert_eq!(
        subjects(&first),
        [
            json!([made, "U07JONAS02", null, "active"]),
            json!([made, "U07NINA001", null, "active"])
        ]
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let page = ask(&format!("/api/v1/audit?limit=2&cursor={cursor}"), &mut hers).await;
    let second = page.json();
    assert_eq!(
        subjects(&second),
        [json!(["calendar", "U07NINA001", null, "google"])]
    );
    assert_eq!(second["next_cursor"], Value::Null);
    assert!(!page.body.contains('@'), "{}", page.body);
    for wrong in ["?limit=0", "?limit=201", "?limit=x", "?cursor=x", "?what=1"] {
        let page = ask(&format!("/api/v1/audit{wrong}"), &mut hers).await;
        assert!(page.status.is_client_error(), "{wrong}: {page:?}");
    }
    let form = bot.open_workspace().await;
    let shown = Value::from(form.blocks().to_vec()).to_string();
    assert!(
        shown.contains("Nina Berg · Google · works · since"),
        "{shown}"
    );
    assert!(
        shown.contains("<@U07NINA001>: connected a calendar at Google"),
        "{shown}"
    );
    assert!(
        !shown.contains("nina@") && !shown.contains("Tern team"),
        "{shown}"
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_in_without_a_purpose_lands_where_one_sees_that_one_is_signed_in() {
    let frontend: &[_] = &[("FRONTEND_URL", "https://time.example.com/")];
    for (settings, lands) in [(&[][..], "/sessions"), (frontend, frontend[0].1)] {
        let bot = TestBot::with(Database::in_memory(), settings).await;
        let mut visitor = Visitor::new(&bot);
        for (login, lands) in [
            ("/api/v1/auth/slack/login", lands),
            ("/api/v1/auth/slack/login?then=", lands),
            ("/api/v1/auth/slack/login?then=/api/docs", "/api/docs"),
        ] {
            let off = visitor.open(&visitor.at(login)).await;
            let back = bot
                .slack
                .consent(off.url.as_str(), NINA, Decision::Allow)
                .await;
            let back = back.unwrap().parse().unwrap();
            let page = visitor.send(Method::GET, &back, None, &[]).await;
            assert_eq!(page.headers[header::LOCATION], lands, "{login}");
        }
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_cannot_be_read_is_a_page_that_is_not_there() {
    let bot = TestBot::start().await;
    let mut visitor = Visitor::new(&bot);
    for path in [
        "/not-installed/%ff",
        "/not-signed-in/%ff",
        "/connected/%ff",
        "/not-connected/%ff/x",
        "/connect/google/%ff",
    ] {
        let page = get(&mut visitor, path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.body.contains("There is no such page"), "{}", page.body);
        assert!(!page.body.contains("UTF-8"), "{}", page.body);
    }
    bot.finish().await;
}
