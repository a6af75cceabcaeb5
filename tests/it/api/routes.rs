//! Every address of the API that is somebody's, asked for by nobody, by somebody else, from elsewhere, and too late.

use billops::{app::SESSION_LASTS, domain::scope::Scope};
use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{EVERYTHING, JONAS_ID, Program, TERN, person};
use crate::{
    attacks::{browser_of, problem},
    bot::{NINA, TestBot},
    visitor::{Page, Visitor, connect, settled},
};

/// Every route that takes a token, with the scope it needs, as the program lists them: what it lists is held against
/// its routes by a test beside it.
pub(super) fn all() -> Vec<(Method, String, Option<Scope>)> {
    let source = std::fs::read_to_string("src/web/scopes.rs").unwrap();
    let (table, _) = source.split_once("#[cfg(test)]").unwrap();
    let rows = table
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("(\""));
    let route = |row: &str| {
        let mut parts = row.split('"');
        let method = parts.nth(1).unwrap().parse().unwrap();
        let path = parts.nth(1).unwrap().to_owned();
        let needed = Scope::ALL
            .into_iter()
            .find(|scope| row.contains(&scope.as_str().to_uppercase()));
        (method, path, needed)
    };
    // Whoever installs the app is nobody yet.
    let is_somebodys = |(_, path, _): &(Method, String, Option<Scope>)| {
        !path.starts_with("/integrations/slack/authorize")
            && !path.starts_with("/integrations/slack/callback")
    };
    rows.map(route).filter(is_somebodys).collect()
}

/// The path with this id, at Google.
pub(super) fn filled(path: &str, id: &str) -> String {
    path.replace("{provider}", "google").replace("{id}", id)
}

/// A body that a route takes, so that it is refused for nothing else.
fn body(method: &Method, path: &str) -> Option<Value> {
    Some(match (method.as_str(), path) {
        ("POST", "/time-entries") => json!({"description": "x", "duration_minutes": 5}),
        ("PATCH", "/time-entries/{id}") => json!({"description": "Taken over"}),
        ("POST", "/projects" | "/clients") => json!({"name": "Taken over"}),
        ("PATCH", "/projects/{id}" | "/clients/{id}") => json!({"name": "Taken over"}),
        ("PUT", _) => json!({"daily_summary": false}),
        ("POST", "/integrations/{provider}/select-calendar") => {
            json!({"calendar_id": "nina@tern.example"})
        }
        ("POST", "/integrations/{provider}/callback") => json!({"state": "s", "code": "c"}),
        _ => return None,
    })
}

async fn ask(
    visitor: &mut Visitor,
    method: &Method,
    path: &str,
    body: Option<&Value>,
    token: Option<&str>,
) -> Page {
    let url = visitor.at(&format!("/api/v1{path}"));
    let headers: Vec<(&str, &str)> = token
        .iter()
        .map(|token| ("authorization", *token))
        .collect();
    let body = body.map(|body| ("application/json", body.to_string()));
    visitor.send(method.clone(), &url, body, &headers).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_and_whoever_comes_too_late_get_nothing() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let mut stranger = Visitor::new(&bot);
    let mut late = browser_of(&bot, NINA).await;
    let live = ask(&mut late, &Method::GET, "/me", None, None).await;
    assert_eq!(live.status, StatusCode::OK);
    bot.clock.advance(SESSION_LASTS.max(TimeDelta::days(30)));
    settled(&bot).await;
    for (method, path, _) in all() {
        let body = body(&method, &path);
        let path = filled(&path, &uuid::Uuid::from_u128(7).to_string());
        for (page, name) in [
            (
                ask(&mut stranger, &method, &path, body.as_ref(), None).await,
                "not-signed-in",
            ),
            (
                ask(&mut late, &method, &path, body.as_ref(), None).await,
                "not-signed-in",
            ),
            (
                ask(
                    &mut stranger,
                    &method,
                    &path,
                    body.as_ref(),
                    Some("Bearer bo_forged"),
                )
                .await,
                "token-refused",
            ),
            (
                ask(
                    &mut stranger,
                    &method,
                    &path,
                    body.as_ref(),
                    Some(&program.bearer),
                )
                .await,
                "token-refused",
            ),
        ] {
            assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            problem(&page, name);
            assert_eq!(page.headers["www-authenticate"], "Bearer");
        }
    }
    bot.finish().await;
}

/// What is Nina's, as ids: of an account, a calendar, an event, an entry, a project and a client.
async fn what_is_ninas(bot: &TestBot, nina: &Program) -> Vec<String> {
    let account = bot
        .bot
        .store()
        .accounts(nina.member.user_id)
        .await
        .unwrap()
        .remove(0);
    let events = nina.get("/calendar-events").await.json();
    let entry = json!({"description": "Hers", "duration_minutes": 5});
    let made = [
        nina.post("/time-entries", &entry).await.json(),
        nina.post("/projects", &json!({"name": "Hers"}))
            .await
            .json(),
        nina.post("/clients", &json!({"name": "Hers"})).await.json(),
    ];
    let ids = made
        .iter()
        .chain(events["items"].as_array().unwrap().first());
    ids.map(|one| one["id"].as_str().unwrap().to_owned())
        .chain([account.id.to_string(), account.calendars[0].id.to_string()])
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_somebody_elses_is_not_there() {
    let bot = TestBot::start().await;
    connect(&bot, "google").await;
    settled(&bot).await;
    let nina = Program::of_nina(&bot).await;
    let ids = what_is_ninas(&bot, &nina).await;
    assert!(ids.len() >= 5, "{ids:?}");
    let seen = async || {
        let mut seen = Vec::new();
        for path in [
            "/time-entries",
            "/calendar-events",
            "/projects",
            "/clients",
            "/integrations",
            "/integrations/slack/status",
        ] {
            seen.push(nina.get(path).await.body);
        }
        seen
    };
    let before = seen().await;
    let jonas = person(&bot, TERN, JONAS_ID, false).await;
    let elsewhere = person(&bot, "T2", "U2", true).await;
    for other in [jonas, elsewhere] {
        let is_elsewhere = other.workspace_id != TERN;
        let other = Program::with(&bot, other, EVERYTHING).await;
        let mut browser = Visitor::new(&bot);
        for (method, path, _) in all() {
            // The projects of a workspace are everybody's in it.
            let is_shared = path.starts_with("/projects") || path.starts_with("/clients");
            if !path.contains("{id}") || (is_shared && !is_elsewhere) {
                continue;
            }
            let body = body(&method, &path);
            for id in ids
                .iter()
                .map(String::as_str)
                .chain(["x", "%00", "%27%20OR%201=1"])
            {
                let path = filled(&path, id);
                let page = ask(
                    &mut browser,
                    &method,
                    &path,
                    body.as_ref(),
                    Some(&other.bearer),
                )
                .await;
                assert_eq!(
                    page.status,
                    StatusCode::NOT_FOUND,
                    "{method} {path} {}",
                    page.body
                );
                problem(&page, "not-found");
            }
        }
        for (method, path, _) in all() {
            let is_list = method == Method::GET && !path.contains('{');
            if is_list
                && path != "/me"
                && path != "/integrations/slack/status"
                && path != "/reports/summary"
                && path != "/audit"
            {
                let page = other.get(&path).await;
                if path == "/time-entries/export" {
                    assert_eq!(
                        page.body.lines().count(),
                        1,
                        "more than the names of columns"
                    );
                    continue;
                }
                let is_shared = path.starts_with("/projects") || path.starts_with("/clients");
                if !is_shared || is_elsewhere {
                    assert_eq!(page.json()["items"], json!([]), "{path}");
                }
            }
        }
        let invoice = json!({
            "user_id": nina.member.user_id, "invoice_number": "1", "total_cents": 1, "currency": "EUR",
        });
        problem(
            &other.post("/notifications/invoice-ready", &invoice).await,
            "not-found",
        );
    }
    assert_eq!(seen().await, before);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_no_text_leads_nowhere_and_is_no_failure() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    for broken in ["%FF", "%C3%28", "%ED%A0%80", "%", "%zz", "%00", "a%FFb"] {
        for (method, path, _) in all() {
            if !path.contains('{') {
                continue;
            }
            for part in ["{provider}", "{id}"] {
                if !path.contains(part) {
                    continue;
                }
                let id = uuid::Uuid::nil().to_string();
                let address = filled(&path.replace(part, broken), &id);
                let body = body(&method, &path);
                let page = program.send(method.clone(), &address, &[], body.as_ref());
                let page = page.await;
                let about = format!("{method} {address}: {page:?}");
                assert!([400, 404].contains(&page.status.as_u16()), "{about}");
                let kind = &page.headers["content-type"];
                assert_eq!(kind, "application/problem+json", "{about}");
            }
        }
        let mut visitor = Visitor::new(&bot);
        for page in [
            "/connect/google/",
            "/connect/",
            "/connected/",
            "/not-connected/google/",
            "/not-signed-in/",
            "/not-installed/",
            "/",
        ] {
            let url = visitor.at(&format!("{page}{broken}"));
            let page = visitor.send(Method::GET, &url, None, &[]).await;
            assert!(!page.status.is_server_error(), "{url}: {page:?}");
        }
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_below_the_api_is_a_page() {
    let bot = TestBot::start().await;
    let mut visitor = Visitor::new(&bot);
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v1/nothing/",
        "/api/v1/time-entries/",
        "/api/v2/time-entries",
        "/api/docs/",
        "/api/x",
    ] {
        for method in [Method::GET, Method::POST] {
            let url = visitor.at(path);
            let page = visitor.send(method.clone(), &url, None, &[]).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{method} {path}");
            problem(&page, "not-found");
            assert_eq!(page.json()["instance"], path);
        }
    }
    let url = visitor.at("/apix");
    let page = visitor.send(Method::GET, &url, None, &[]).await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    bot.finish().await;
}
