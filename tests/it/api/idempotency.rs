//! The same request again, because its answer was lost.

use billops::store::RequestClaim;
use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{JONAS_ID, Program, TERN, fields, person};
use crate::{attacks::problem, bot::TestBot, databases::Database, visitor::Page};

impl Program {
    async fn post_under(&self, key: &str, path: &str, body: &Value) -> Page {
        let headers = [("idempotency-key", key)];
        self.send(Method::POST, path, &headers, Some(body)).await
    }

    async fn entries(&self) -> usize {
        let page = self.get("/time-entries").await.json();
        page["items"].as_array().unwrap().len()
    }
}

fn meeting() -> Value {
    json!({"description": "Meeting", "duration_minutes": 90})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_is_done_once_and_answered_the_same() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let first = program.post_under("k-1", "/time-entries", &meeting()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert!(!first.headers.contains_key("idempotent-replayed"));
    let again = program.post_under("k-1", "/time-entries", &meeting()).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    for name in ["etag", "location", "content-type"] {
        assert_eq!(again.headers[name], first.headers[name]);
    }
    assert_eq!(again.headers["idempotent-replayed"], "true");

    // Something else under the same key: another body, address or method.
    let other = json!({"description": "Meeting", "duration_minutes": 91});
    for (path, body) in [
        ("/time-entries", &other),
        ("/time-entries?x=1", &meeting()),
        ("/projects", &meeting()),
    ] {
        let page = program.post_under("k-1", path, body).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        problem(&page, "idempotency-key-reused");
    }
    // Another's key is another one, and so is another key.
    let jonas = person(&bot, TERN, JONAS_ID, false).await;
    let jonas = Program::with(&bot, jonas, super::EVERYTHING).await;
    let his = jonas.post_under("k-1", "/time-entries", &meeting()).await;
    assert_eq!(his.status, StatusCode::CREATED);
    assert_ne!(his.json()["id"], first.json()["id"]);
    let longest = "~".repeat(255);
    let second = program
        .post_under(&longest, "/time-entries", &meeting())
        .await;
    assert_eq!(second.status, StatusCode::CREATED);
    assert_eq!((program.entries().await, jonas.entries().await), (2, 1));

    for bad in ["", " ", "a b", "é", &"k".repeat(256)] {
        let page = program.post_under(bad, "/time-entries", &meeting()).await;
        assert_eq!(fields(&page), ["Idempotency-Key"], "{bad}");
    }
    // A refusal is an answer, too.
    let wrong = json!({"description": "x"});
    let refused = program.post_under("k-2", "/time-entries", &wrong).await;
    let again = program.post_under("k-2", "/time-entries", &wrong).await;
    assert_eq!((again.status, &again.body), (refused.status, &refused.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let kind = "application/problem+json";
    assert_eq!(again.headers["content-type"], kind);
    // Only a POST has one.
    let headers = [("idempotency-key", "a b")];
    let page = program.send(Method::GET, "/me", &headers, None).await;
    assert_eq!(page.status, StatusCode::OK);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_make_one() {
    for database in [Database::on_disk(), Database::postgres().await] {
        let bot = TestBot::with(database, &[]).await;
        let program = Program::of_nina(&bot).await;
        let body = meeting();
        let asked = (0..20).map(|_| program.post_under("once", "/time-entries", &body));
        let pages = join_all(asked).await;
        let mut made = Vec::new();
        for page in &pages {
            match page.status {
                StatusCode::CREATED => made.push(&page.body),
                StatusCode::CONFLICT => {
                    problem(page, "request-under-way");
                    assert_eq!(page.headers["retry-after"], "1");
                }
                _ => panic!("{page:?}"),
            }
        }
        made.dedup();
        assert_eq!(made.len(), 1, "{made:#?}");
        assert_eq!(program.entries().await, 1);
        let last = program.post_under("once", "/time-entries", &body).await;
        assert_eq!(&last.body, made[0]);
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_post_takes_a_key() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let id = uuid::Uuid::from_u128(7);
    let mine = program.member.user_id;
    let invoice =
        json!({"user_id": mine, "invoice_number": "1", "total_cents": 1, "currency": "EUR"});
    let posts = [
        (
            "/integrations/google/callback".to_owned(),
            json!({"state": "s", "code": "c"}),
        ),
        (
            "/integrations/google/select-calendar".to_owned(),
            json!({"calendar_id": "c"}),
        ),
        (format!("/integrations/google/{id}/sync"), json!({})),
        (format!("/calendar-events/{id}/convert"), json!({})),
        (format!("/calendar-events/{id}/dismiss"), json!({})),
        ("/time-entries".to_owned(), meeting()),
        ("/projects".to_owned(), json!({"name": "Acme"})),
        ("/clients".to_owned(), json!({"name": "Tern"})),
        ("/notifications/invoice-ready".to_owned(), invoice),
    ];
    for (number, (path, body)) in posts.iter().enumerate() {
        let key = format!("key-{number}");
        let first = program.post_under(&key, path, body).await;
        assert!(!first.status.is_server_error(), "{path}: {}", first.body);
        let again = program.post_under(&key, path, body).await;
        assert_eq!(
            (again.status, &again.body),
            (first.status, &first.body),
            "{path}"
        );
        assert_eq!(again.headers["idempotent-replayed"], "true", "{path}");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_made_before_its_answer_was_kept_is_not_made_again() {
    for database in [Database::on_disk(), Database::postgres().await] {
        let bot = TestBot::with(database, &[]).await;
        let program = Program::of_nina(&bot).await;
        let jonas = person(&bot, TERN, JONAS_ID, false).await;
        let jonas = Program::with(&bot, jonas, super::EVERYTHING).await;
        for (path, body) in [
            ("/projects", json!({"name": "Acme"})),
            ("/clients", json!({"name": "Tern"})),
            ("/time-entries", meeting()),
        ] {
            let made = program.post_under(path, path, &body).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
            // The process died between the two.
            bot.database
                .execute("UPDATE api_requests SET status = NULL, headers = NULL, body = NULL")
                .await;
            let again = program.post_under(path, path, &body).await;
            assert_eq!((again.status, &again.body), (made.status, &made.body));
            assert_eq!(again.headers["location"], made.headers["location"]);
            assert!(!again.headers.contains_key("idempotent-replayed"), "{path}");
            // What another asks for under the same key is another's.
            let his = jonas.post_under(path, path, &body).await;
            if path == "/time-entries" {
                assert_ne!(his.json()["id"], made.json()["id"]);
            } else {
                problem(&his, "name-taken");
                let listed = program.get(path).await.json();
                assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
            }
        }
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_kept_for_a_day_and_forgotten_then() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let store = bot.bot.store();
    let me = program.member.user_id;
    // The fingerprint of a request is what it is; one is taken from a request that was made.
    let first = program.post_under("k", "/time-entries", &meeting()).await;
    let answered = store.claim_request(me, "k", [0; 32]).await.unwrap();
    assert_eq!(answered, RequestClaim::OtherRequest);
    // Kept for a day and more, and forgotten then.
    bot.clock.advance(TimeDelta::hours(47));
    let again = program.post_under("k", "/time-entries", &meeting()).await;
    assert_eq!(again.body, first.body);
    store
        .forget_requests_older_than(TimeDelta::hours(24))
        .await
        .unwrap();
    let anew = program.post_under("k", "/time-entries", &meeting()).await;
    assert_eq!(anew.status, StatusCode::CREATED);
    assert_ne!(anew.json()["id"], first.json()["id"]);
    bot.finish().await;
}
