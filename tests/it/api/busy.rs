//! A database that has too much to do, or is away for a moment.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::Instant;

use super::Program;
use crate::{attacks::problem, bot::TestBot, databases::Database, visitor::Page};

/// Asks to come again later, and says so.
fn is_busy(page: &Page) {
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{page:?}");
    problem(page, "busy");
    assert_eq!(page.headers["retry-after"], "5");
    let said = page.json();
    assert!(said["detail"].as_str().unwrap().contains("Retry-After"));
    assert!(said["reference"].is_string(), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_has_no_time_for_is_asked_for_again() {
    for database in [Database::on_disk(), Database::postgres().await] {
        let bot = TestBot::with(database, &[]).await;
        let program = Program::of_nina(&bot).await;
        let entry = json!({"description": "Meeting", "duration_minutes": 90});
        let headers = [("idempotency-key", "k")];
        let path = "/time-entries";
        let outage = bot.database.outage().await;
        is_busy(&program.post(path, &entry).await);
        let keyed = || program.send(Method::POST, path, &headers, Some(&entry));
        is_busy(&keyed().await);
        is_busy(&program.post("/projects", &json!({"name": "Acme"})).await);
        outage.end().await;
        let made = keyed().await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let listed = program.get(path).await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_wait_for_one_table_are_all_told_in_time() {
    let bot = TestBot::with(Database::postgres().await, &[]).await;
    let program = Program::of_nina(&bot).await;
    let mut other = PgConnection::connect(&bot.database.url).await.unwrap();
    other.execute("BEGIN").await.unwrap();
    let lock = "LOCK TABLE time_entries IN ACCESS EXCLUSIVE MODE";
    other.execute(lock).await.unwrap();
    // More than there are connections: some wait for the table, and the others for one of those.
    let began = Instant::now();
    let asked = (0..40).map(|_| program.get("/time-entries"));
    for page in join_all(asked).await {
        is_busy(&page);
    }
    assert!(began.elapsed() < Duration::from_secs(5));
    // Thrown out in the middle of it.
    let asking = program.get("/time-entries");
    let throwing_out = async {
        const WAITING: &str = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while sqlx::query_scalar::<_, i64>(WAITING)
            .fetch_one(&mut other)
            .await
            .unwrap()
            == 0
        {
            tokio::task::yield_now().await;
        }
    };
    let (page, ()) = tokio::join!(asking, throwing_out);
    is_busy(&page);
    other.execute("ROLLBACK").await.unwrap();
    let page = program.get("/time-entries").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_waiting_mends_is_a_failure() {
    for database in [Database::on_disk(), Database::postgres().await] {
        let bot = TestBot::with(database, &[]).await;
        let program = Program::of_nina(&bot).await;
        let entry = json!({"description": "Meeting", "duration_minutes": 90});
        let headers = [("idempotency-key", "k")];
        let keyed = || program.send(Method::POST, "/time-entries", &headers, Some(&entry));
        bot.database
            .execute("ALTER TABLE time_entries RENAME COLUMN tags TO labels")
            .await;
        for page in [program.get("/time-entries").await, keyed().await] {
            assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR, "{page:?}");
            problem(&page, "failed");
            assert!(!page.headers.contains_key("retry-after"));
        }
        bot.database
            .execute("ALTER TABLE time_entries RENAME COLUMN labels TO tags")
            .await;
        // It was no answer, so the key still stands for what was asked.
        let page = keyed().await;
        assert_eq!(page.status, StatusCode::CREATED, "{}", page.body);
        bot.finish().await;
    }
}
