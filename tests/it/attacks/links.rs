//! Attempts with the link from Slack, with the forms behind it, and with the code that stands in for signing in.

use billops::sandbox::Provider;
use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use url::Url;

use super::{
    FORM, JONAS, browser_of, consent, email_of, exchanges, link, nothing_happened,
    nothing_is_connected, post, problem,
};
use crate::{
    bot::{NINA, TestBot},
    connect::accounts,
    databases::Database,
    visitor::{Page, Visitor},
};

/// The page says that the link no longer works.
fn has_run_out(page: &Page) {
    assert_eq!(page.status, StatusCode::GONE, "{page:?}");
    assert!(page.body.contains("This link has run out"), "{}", page.body);
}

/// A form as a page of ours in this browser would send it.
async fn our_form(browser: &mut Visitor, link: &Url) -> String {
    let page = browser.open(link).await;
    format!("form_token={}", page.hidden("form_token"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_passed_on_works_for_nobody_else() {
    let bot = TestBot::start().await;
    let link = link(&bot, NINA, "google").await;

    let own = super::link(&bot, JONAS, "google").await;

    // Whoever is signed in as somebody else is told whose it is.
    let mut jonas = browser_of(&bot, JONAS).await;
    let page = jonas.open(&link).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(
        page.body.contains("belongs to somebody else"),
        "{}",
        page.body
    );
    assert!(page.body.contains("Nina Berg") && page.body.contains("Jonas Weber"));
    assert!(!page.body.contains("<form"), "{}", page.body);
    // His own page has the token for the form of hers.
    let form = our_form(&mut jonas, &own).await;
    let page = post(&mut jonas, link.path(), FORM, &form).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(
        page.body.contains("belongs to somebody else"),
        "{}",
        page.body
    );

    // Whoever is not signed in has to do so first, whatever is sent, and is then told the same.
    let mut stranger = Visitor::new(&bot);
    let form = our_form(&mut stranger, &link).await;
    let page = post(&mut stranger, link.path(), FORM, &form).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Sign in with Slack"), "{}", page.body);
    let page = stranger.sign_in(&bot.slack, &page, JONAS).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("Nothing was connected"), "{}", page.body);

    // None of it used the link up.
    nothing_happened(&bot).await;
    let mut nina = browser_of(&bot, NINA).await;
    let page = nina.open(&link).await;
    assert!(page.body.contains("Continue to Google"), "{}", page.body);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_works_once_for_ten_minutes_until_a_newer_one() {
    let bot = TestBot::start().await;
    let mut nina = browser_of(&bot, NINA).await;

    let used = link(&bot, NINA, "google").await;
    let form = our_form(&mut nina, &used).await;
    let off = post(&mut nina, used.path(), FORM, &form).await;
    assert_eq!(off.status, StatusCode::SEE_OTHER);
    has_run_out(&nina.open(&used).await);
    has_run_out(&post(&mut nina, used.path(), FORM, &form).await);

    let old = link(&bot, NINA, "google").await;
    let newer = link(&bot, NINA, "google").await;
    has_run_out(&nina.open(&old).await);
    has_run_out(&post(&mut nina, old.path(), FORM, &form).await);

    // The other provider's is another one, and a link is good under its own name only.
    link(&bot, NINA, "outlook").await;
    assert_eq!(nina.open(&newer).await.status, StatusCode::OK);
    let other = newer.path().replace("google", "microsoft");
    has_run_out(&nina.open(&nina.at(&other)).await);
    has_run_out(&post(&mut nina, &other, FORM, &form).await);

    bot.clock.advance(TimeDelta::minutes(10));
    has_run_out(&nina.open(&newer).await);
    has_run_out(&post(&mut nina, newer.path(), FORM, &form).await);
    nothing_happened(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clicks_at_once_are_one_errand() {
    let bot = TestBot::start().await;
    let link = link(&bot, NINA, "google").await;
    let mut nina = browser_of(&bot, NINA).await;
    let form = our_form(&mut nina, &link).await;
    let pressed = join_all((0..8).map(|_| {
        let mut same = Visitor::new(&bot);
        same.cookies.clone_from(&nina.cookies);
        let (path, form) = (link.path().to_owned(), form.clone());
        async move { post(&mut same, &path, FORM, &form).await.status }
    }));
    let mut pressed = pressed.await;
    pressed.sort();
    assert_eq!(pressed[0], StatusCode::SEE_OTHER);
    assert_eq!(pressed[1..], [StatusCode::GONE; 7]);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_only_looks_at_a_link_changes_nothing() {
    let bot = TestBot::start().await;
    let link = link(&bot, NINA, "google").await;
    let sign_in: Url = format!("{link}/sign-in").parse().unwrap();
    let mut nina = browser_of(&bot, NINA).await;
    let mut scanner = Visitor::new(&bot);
    for _ in 0..50 {
        // A scanner keeps no cookies.
        scanner.cookies.clear();
        assert_eq!(scanner.open(&link).await.status, StatusCode::OK);
        assert_eq!(nina.open(&link).await.status, StatusCode::OK);
    }
    for method in [Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE] {
        scanner.send(method.clone(), &link, None, &[]).await;
        let page = nina.send(method, &sign_in, None, &[]).await;
        assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    let page = nina.open(&link).await;
    let off = nina.submit(&page).await;
    let back = consent(&bot, &off.url, email_of(NINA)).await;
    assert_eq!(nina.open(&back).await.url.path(), "/connected/google");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_must_come_from_our_page_in_this_browser() {
    let bot = TestBot::start().await;
    let link = link(&bot, NINA, "google").await;
    let sign_in: Url = format!("{link}/sign-in").parse().unwrap();
    let mut nina = browser_of(&bot, NINA).await;
    let ours = our_form(&mut nina, &link).await;
    let other = our_form(&mut Visitor::new(&bot), &link).await;
    let home = nina.at("/");
    let home = home.origin().ascii_serialization();
    let with_port = format!("{home}0");
    let attempts: [(&str, &[(&str, &str)]); 13] = [
        ("", &[]),
        ("form_token=", &[]),
        ("form_token=AAAA", &[]),
        (&other, &[]),
        (&ours, &[("origin", "https://evil.example")]),
        (&ours, &[("origin", "null")]),
        (&ours, &[("origin", &with_port)]),
        (&ours, &[("origin", "http://127.0.0.1")]),
        (&ours, &[("origin", "")]),
        (&ours, &[("origin", ""), ("sec-fetch-site", "cross-site")]),
        (&ours, &[("origin", ""), ("sec-fetch-site", "same-site")]),
        (&ours, &[("origin", ""), ("sec-fetch-site", "none")]),
        (
            &ours,
            &[
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "same-origin"),
            ],
        ),
    ];
    for (body, headers) in attempts {
        for url in [&link, &sign_in] {
            let body = Some((FORM, body.to_owned()));
            let page = nina.send(Method::POST, url, body, headers).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{headers:?}");
            assert!(
                page.body.contains("Open the link once more"),
                "{}",
                page.body
            );
        }
    }
    // A browser without its cookie, with the token of the browser that has it.
    let mut bare = Visitor::new(&bot);
    bare.cookies.insert(
        "billops_session".to_owned(),
        nina.cookies["billops_session"].clone(),
    );
    let page = post(&mut bare, link.path(), FORM, &ours).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    nothing_happened(&bot).await;

    // The same form from our own page goes through.
    let headers = [("origin", ""), ("sec-fetch-site", "same-origin")];
    let body = Some((FORM, ours));
    let page = nina.send(Method::POST, &link, body, &headers).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cookies_that_an_attacker_planted_lead_nowhere() {
    let bot = TestBot::start().await;
    let jonas = browser_of(&bot, JONAS).await;
    let link = link(&bot, NINA, "google").await;

    // Jonas' own session in Nina's browser: the link is not for him, and so not for her there.
    let mut nina = Visitor::new(&bot);
    nina.cookies.clone_from(&jonas.cookies);
    assert_eq!(nina.open(&link).await.status, StatusCode::FORBIDDEN);

    // She signs in. His session ends, a new one begins, and a value that he made up is none.
    nina.log_in(&bot.slack, NINA).await;
    assert_ne!(
        nina.cookies["billops_session"],
        jonas.cookies["billops_session"]
    );
    let mut attacker = Visitor::new(&bot);
    attacker.cookies.clone_from(&jonas.cookies);
    let me = attacker.at("/api/v1/me");
    problem(&attacker.open(&me).await, "not-signed-in");
    let mut planted = Visitor::new(&bot);
    planted
        .cookies
        .insert("billops_session".to_owned(), "planted".to_owned());
    planted.log_in(&bot.slack, NINA).await;
    assert_ne!(planted.cookies["billops_session"], "planted");

    // He knows the secret of her browser, because he planted it. It signs nobody in, and ends no errand.
    assert_eq!(
        nina.cookies["billops_browser"],
        attacker.cookies["billops_browser"]
    );
    let page = nina.open(&link).await;
    let off = nina.submit(&page).await;
    let back = consent(&bot, &off.url, email_of(JONAS)).await;
    attacker.cookies.remove("billops_session");
    super::refused(&attacker.open(&back).await, "other-person");
    nothing_happened(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_only_cookies_of_this_host_count() {
    let bot = TestBot::with(
        Database::in_memory(),
        &[("PUBLIC_URL", "https://billops.example")],
    )
    .await;
    let mut browser = Visitor::new(&bot);
    let login = browser.at("/api/v1/auth/slack/login");
    let page = browser.send(Method::GET, &login, None, &[]).await;
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-billops_browser="), "{cookie}");
    for part in ["; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    // A neighbour can set a cookie without the prefix.
    browser.cookies.clear();
    browser
        .cookies
        .insert("billops_browser".to_owned(), "planted".to_owned());
    let page = browser.send(Method::GET, &login, None, &[]).await;
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-") && !cookie.contains("planted"),
        "{cookie}"
    );
    bot.finish().await;
}

/// A bot that nobody can sign in to.
async fn without_sign_in() -> TestBot {
    let settings = &[("SLACK_CLIENT_ID", ""), ("SLACK_CLIENT_SECRET", "")];
    TestBot::with(Database::in_memory(), settings).await
}

/// Whoever has a link of this person's goes with it to Google and agrees there: the page that shows the code.
async fn parked(bot: &TestBot, owner: &str, account: &str) -> Page {
    let link = link(bot, owner, "google").await;
    let mut browser = Visitor::new(bot);
    let page = browser.open(&link).await;
    assert!(
        page.body.contains("Type it in Slack only if you are"),
        "{}",
        page.body
    );
    let off = browser.submit(&page).await;
    let back = consent(bot, &off.url, email_of(account)).await;
    let page = browser.open(&back).await;
    assert!(
        page.body.contains("Only if you asked BillOps"),
        "{}",
        page.body
    );
    // It is shown once.
    super::refused(&browser.open(&back).await, "state-invalid");
    page
}

fn code_on(page: &Page) -> String {
    let (_, rest) = page.body.split_once("/time connect ").unwrap();
    rest.split('<').next().unwrap().trim().to_owned()
}

async fn types(bot: &TestBot, person: &str, code: &str) -> String {
    bot.say_as(person, &format!("/time connect {code}"))
        .await
        .text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_sign_in_only_the_one_who_asked_can_use_the_code() {
    let bot = without_sign_in().await;
    // Jonas passes his link on; Nina agrees, and types the code that she is shown.
    let code = code_on(&parked(&bot, JONAS, NINA).await);
    nothing_is_connected(&bot).await;
    let said = types(&bot, NINA, &code).await;
    assert!(said.starts_with("No calendar waits for a code."), "{said}");
    nothing_is_connected(&bot).await;

    // Whoever asked connects, once.
    let code = code_on(&parked(&bot, NINA, NINA).await);
    let said = types(&bot, NINA, &code.to_lowercase()).await;
    assert!(
        said.starts_with("Google is connected: nina.berg@tern.example."),
        "{said}"
    );
    assert_eq!(
        (accounts(&bot, NINA).await, accounts(&bot, JONAS).await),
        (1, 0)
    );
    let said = types(&bot, NINA, &code).await;
    assert!(said.starts_with("No calendar waits for a code."), "{said}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_runs_out_after_three_tries_or_five_minutes() {
    let bot = without_sign_in().await;
    let code = code_on(&parked(&bot, NINA, NINA).await);
    for (guess, left) in [("AAAA-AAAA", "2 tries are"), ("BBBB-BBBB", "One try is")] {
        let said = types(&bot, NINA, guess).await;
        assert!(said.contains(&format!("{left} left")), "{said}");
    }
    let said = types(&bot, NINA, "CCCC-CCCC").await;
    assert!(said.contains("no tries left"), "{said}");
    let said = types(&bot, NINA, &code).await;
    assert!(said.starts_with("No calendar waits for a code."), "{said}");

    let old = code_on(&parked(&bot, NINA, NINA).await);
    let code = code_on(&parked(&bot, NINA, NINA).await);
    let said = types(&bot, NINA, &old).await;
    assert!(said.contains("2 tries are left"), "{said}");
    bot.clock.advance(TimeDelta::minutes(5));
    let said = types(&bot, NINA, &code).await;
    assert!(said.starts_with("No calendar waits for a code."), "{said}");
    nothing_is_connected(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_codes_typed_at_once_are_many_tries() {
    let bot = without_sign_in().await;
    let code = code_on(&parked(&bot, NINA, NINA).await);
    let guesses = (0..8).map(|guess| {
        let guess = format!("AAAA-AAA{}", char::from(b'A' + guess));
        let bot = &bot;
        async move { types(bot, NINA, &guess).await }
    });
    let said = join_all(guesses).await;
    let wrong = said
        .iter()
        .filter(|said| said.starts_with("That is not the code"));
    assert_eq!(wrong.count(), 3, "{said:?}");
    let said = types(&bot, NINA, &code).await;
    assert!(said.starts_with("No calendar waits for a code."), "{said}");

    let code = code_on(&parked(&bot, NINA, NINA).await);
    let said = join_all((0..4).map(|_| types(&bot, NINA, &code))).await;
    let connected = said
        .iter()
        .filter(|said| said.starts_with("Google is connected"));
    assert_eq!(connected.count(), 1, "{said:?}");
    assert_eq!(exchanges(&bot, Provider::Google), 2);
    bot.finish().await;
}
