//! How fast the API lists time entries. Promised, on SQLite and on PostgreSQL: 50 of 1,000,000 entries in under 10 ms
//! at the median; 1,000 requests a second of `GET /time-entries` on two cores with a p99 under 50 ms. PostgreSQL is
//! measured where `BILLOPS_TEST_POSTGRES` names one.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement, not a service"
)]

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use billops::{
    bot::Bot,
    clock::Clock,
    config::{Config, Environment, Limits},
    domain::scope::Scopes,
    keyring::digest,
    slack::socket::Timings,
    store::{Profile, Store},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use hdrhistogram::Histogram;
use reqwest::header;
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use uuid::Uuid;

/// The program's own: another one is not as fast.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// All of one person's, a hundred a day: nobody's list is longer.
const ENTRIES: i64 = 1_000_000;
const PER_SECOND: u32 = 1_000;
const SECONDS: u32 = 10;
/// Requests that are under way at once.
const CLIENTS: u32 = 32;
const TOKEN: &str = "bo_bench";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // `cargo test --benches` calls this too; there is nothing to prove then.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let url = format!("sqlite://{}", disk.path().join("billops.db").display());
    measure("SQLite on disk", &url).await;
    let Ok(server) = std::env::var("BILLOPS_TEST_POSTGRES") else {
        println!("PostgreSQL: BILLOPS_TEST_POSTGRES is not set");
        return;
    };
    let mut admin = PgConnection::connect(&server).await.unwrap();
    let name = format!("bench_{}", Uuid::from_u128(rand::random()).simple());
    let create = format!("CREATE DATABASE {name}");
    admin.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    let (base, query) = server.split_once('?').unwrap_or((&server, ""));
    let base = base.rsplit_once('/').unwrap().0;
    measure("PostgreSQL", &format!("{base}/{name}?{query}")).await;
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    admin.execute(sqlx::AssertSqlSafe(drop)).await.unwrap();
}

async fn measure(database: &str, url: &str) {
    let clock = Clock::fixed(DateTime::from_timestamp(1_795_177_800, 0).unwrap());
    let begun = Instant::now();
    fill(url, &clock).await;
    println!(
        "\n## {database}: {ENTRIES} entries made in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let mut config = Config::from_environment(&Environment::of([
        ("SLACK_APP_TOKEN", "xapp-bench"),
        ("SLACK_BOT_TOKEN", "xoxb-bench"),
        // Nobody listens there.
        ("SLACK_API_URL", "http://127.0.0.1:9/api"),
        ("LISTEN_ADDR", "127.0.0.1:0"),
        ("DATABASE_URL", url),
        (
            "ENCRYPTION_KEYS",
            "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ),
    ]))
    .unwrap();
    config.limits = Limits {
        per_second: 1_000_000,
        burst: 1_000_000,
        ..Limits::default()
    };
    let bot = Bot::start(&config, clock, Timings::default())
        .await
        .unwrap();
    let list = format!("http://{}/api/v1/time-entries", bot.web_address());
    let http = reqwest::Client::new();
    let mut cursor = None;
    // One after the other: the first page, pages on the way down, and pages of a year long ago.
    let mut all = Histogram::<u64>::new(3).unwrap();
    for _ in 0..200 {
        let url = match &cursor {
            Some(cursor) => format!("{list}?limit=50&cursor={cursor}"),
            None => format!("{list}?limit=50"),
        };
        let (took, page) = ask(&http, &url).await;
        all.record(took).unwrap();
        assert_eq!(page["items"].as_array().unwrap().len(), 50);
        cursor = page["next_cursor"].as_str().map(str::to_owned);
    }
    for _ in 0..200 {
        let (took, page) = ask(&http, &format!("{list}?limit=50&to=2010-06-01")).await;
        all.record(took).unwrap();
        assert_eq!(page["items"].as_array().unwrap().len(), 50);
    }
    println!(
        "50 of {ENTRIES}, one request after the other: {}",
        said(&all)
    );
    println!(
        "{PER_SECOND}/s for {SECONDS} s: {}",
        said(&at_rate(&http, &list).await)
    );
    bot.shut_down().await;
}

/// How long a request took, in nanoseconds, and its answer.
async fn ask(http: &reqwest::Client, url: &str) -> (u64, serde_json::Value) {
    let begun = Instant::now();
    let request = http
        .get(url)
        .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.bytes().await.unwrap();
    let took = u64::try_from(begun.elapsed().as_nanos()).unwrap();
    (took, serde_json::from_slice(&body).unwrap())
}

/// From when each request was due, so that one that waits for a late one counts as late.
async fn at_rate(http: &reqwest::Client, url: &str) -> Histogram<u64> {
    let latencies = Arc::new(Mutex::new(Histogram::<u64>::new(3).unwrap()));
    let begun = Instant::now() + Duration::from_millis(50);
    let clients = (0..CLIENTS).map(|client| {
        let (http, latencies, url) = (http.clone(), latencies.clone(), url.to_owned());
        tokio::spawn(async move {
            let mut number = client;
            while number < PER_SECOND * SECONDS {
                let due = begun + Duration::from_secs(1) * number / PER_SECOND;
                tokio::time::sleep_until(due.into()).await;
                let request = http
                    .get(&url)
                    .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), 200);
                response.bytes().await.unwrap();
                let took = u64::try_from(due.elapsed().as_nanos()).unwrap();
                latencies.lock().unwrap().record(took).unwrap();
                number += CLIENTS;
            }
        })
    });
    for client in join_all(clients).await {
        client.unwrap();
    }
    let latencies = latencies.lock().unwrap();
    assert_eq!(latencies.len(), u64::from(PER_SECOND * SECONDS));
    latencies.clone()
}

fn said(latencies_ns: &Histogram<u64>) -> String {
    let ms = |quantile| latencies_ns.value_at_quantile(quantile) as f64 / 1e6;
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, longest {:.1} ms",
        ms(0.5),
        ms(0.99),
        latencies_ns.max() as f64 / 1e6
    )
}

/// One person with a token and a million entries. Of these only the rows are made, in one statement.
async fn fill(url: &str, clock: &Clock) {
    let store = Store::open(url, clock.clone()).await.unwrap();
    let profile = Profile {
        name: "Nina".to_owned(),
        time_zone: Some(chrono_tz::Europe::Berlin),
        locale: None,
        is_admin: false,
    };
    let nina = store.save_member("T1", "U1", Some(&profile)).await.unwrap();
    let until = clock.now() + TimeDelta::days(1);
    let scopes = Scopes::read("entries");
    let token = store.add_api_token(digest(TOKEN), nina.binding_id, scopes, until);
    token.await.unwrap();
    store.close().await;
    let columns = "id, user_id, source, status, description, date, duration_minutes, typed_text, version, billable, \
                   created_at, updated_at";
    let values = "$1, 'slack', 'pending', 'Wireframes of the checkout, second round with the team'";
    let rest = "90, '/time 1h30 wireframes of the checkout', 1, TRUE, $2, $2";
    let now: DateTime<Utc> = clock.now();
    if url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        let sql = format!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {ENTRIES}) \
             INSERT INTO time_entries ({columns}) \
             SELECT randomblob(16), {values}, date('2026-11-20', '-' || (i / 100) || ' days'), {rest} FROM n"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(nina.user_id)
            .bind(now);
        query.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let sql = format!(
            "INSERT INTO time_entries ({columns}) SELECT gen_random_uuid(), {values}, \
             DATE '2026-11-20' - (i / 100)::integer, {rest} FROM generate_series(0, {ENTRIES} - 1) AS n(i)"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(nina.user_id)
            .bind(now);
        query.execute(&mut connection).await.unwrap();
        connection.execute("ANALYZE time_entries").await.unwrap();
        connection.close().await.unwrap();
    }
}
