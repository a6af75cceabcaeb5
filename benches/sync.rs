//! How long reading a calendar takes: the application, its database and the HTTP between, with a provider that answers
//! at once. Promised on SQLite: 2,500 new events in under 300 ms, the same unchanged in under 50 ms and one request;
//! 1,000 calendars of 200 events in under 30 s, in memory that does not grow with their number. PostgreSQL is measured
//! where `BILLOPS_TEST_POSTGRES` names one.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement, not a service"
)]

use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use axum::{Router, body::Bytes, http::header};
use billops::{
    app::{App, Reach},
    calendar::Providers,
    clock::Clock,
    config::{CalendarConfig, ProviderConfig},
    domain::{calendar::ListedCalendar, provider::Provider},
    http,
    keyring::Keyring,
    store::{NewAccount, Store},
};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::net::TcpListener;
use url::Url;
use uuid::Uuid;

const FULL: usize = 2_500;
/// How often a reading is repeated that changes nothing.
const RUNS: usize = 20;
const CALENDARS: usize = 1_000;
const EACH: usize = 200;
const KEYS: &str = "bench:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Answers every list of events with the same page.
#[derive(Clone, Default)]
struct Calendar {
    page: Arc<RwLock<Bytes>>,
    requests: Arc<AtomicUsize>,
}

impl Calendar {
    fn shows(&self, events: &[Value]) {
        let page = json!({"kind": "calendar#events", "items": events, "nextSyncToken": "x"});
        *self.page.write().unwrap() = page.to_string().into();
    }

    async fn serve(&self) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calendar = self.clone();
        let router = Router::new().fallback(move || {
            calendar.requests.fetch_add(1, Ordering::Relaxed);
            let page = calendar.page.read().unwrap().clone();
            async move { ([(header::CONTENT_TYPE, "application/json")], page) }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        url.parse().unwrap()
    }
}

/// As Google shows a meeting of a series to one of two guests, in the fields that are asked for.
fn event(number: usize, title: &str, series: &str) -> Value {
    let start =
        now() - TimeDelta::days(6) + TimeDelta::minutes(i64::try_from(number).unwrap() * 20);
    let at = |at: DateTime<Utc>| json!({"dateTime": at.to_rfc3339(), "timeZone": "Europe/Berlin"});
    json!({
        "id": format!("{series}_{}", start.format("%Y%m%dT%H%M%SZ")),
        "status": "confirmed",
        "iCalUID": format!("{series}@google.com"),
        "recurringEventId": series,
        "originalStartTime": at(start),
        "summary": format!("{title} {number}: the checkout, second round with the team"),
        "start": at(start),
        "end": at(start + TimeDelta::minutes(30)),
        "attendees": [{"self": true, "responseStatus": "accepted"}],
        "eventType": "default",
    })
}

fn events(count: usize, title: &str, series: &str) -> Vec<Value> {
    (0..count)
        .map(|number| event(number, title, series))
        .collect()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_177_800, 0).unwrap()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // `cargo test --benches` calls this too; there is nothing to prove then.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    // Fails only where it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("machine: {cores} logical cores, {}", cpu_model());
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let url = |name: &str| format!("sqlite://{}", disk.path().join(name).display());
    one_calendar("SQLite on disk", &url("one.db")).await;
    many_calendars("SQLite on disk", &url("many.db")).await;
    let Ok(server) = std::env::var("BILLOPS_TEST_POSTGRES") else {
        println!("PostgreSQL: BILLOPS_TEST_POSTGRES is not set");
        return;
    };
    let mut admin = PgConnection::connect(&server).await.unwrap();
    let (base, query) = server.split_once('?').unwrap_or((&server, ""));
    let base = base.rsplit_once('/').unwrap().0;
    for is_one in [true, false] {
        let name = format!("bench_{}", Uuid::from_u128(rand::random()).simple());
        let create = format!("CREATE DATABASE {name}");
        admin.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
        let url = format!("{base}/{name}?{query}");
        if is_one {
            one_calendar("PostgreSQL", &url).await;
        } else {
            many_calendars("PostgreSQL", &url).await;
        }
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        admin.execute(sqlx::AssertSqlSafe(drop)).await.unwrap();
    }
}

async fn open(url: &str, calendar: &Calendar) -> (App, Store) {
    let clock = Clock::fixed(now());
    let store = Store::open(url, clock.clone()).await.unwrap();
    let store = store.with_keys(Keyring::parse(KEYS).unwrap());
    let api_url = calendar.serve().await;
    let google = ProviderConfig {
        client_id: "bench".to_owned(),
        client_secret: SecretString::from("bench"),
        redirect_uri: api_url.clone(),
        auth_url: api_url.clone(),
        token_url: api_url.clone(),
        revoke_url: None,
        api_url,
    };
    let config = CalendarConfig {
        google: Some(google),
        microsoft: None,
    };
    let reach = Reach {
        providers: Providers::new(config, http::client().unwrap(), clock.clone()),
        sign_in: None,
        installer: None,
        public_url: "http://localhost:8000".parse().unwrap(),
    };
    (App::new(store.clone(), clock, reach), store)
}

/// Somebody who has connected one calendar.
async fn connect(store: &Store, number: usize) -> Uuid {
    let met = store.save_member("T1", &format!("U{number}"), None).await;
    let subject = format!("sub-{number}");
    let new = NewAccount {
        user_id: met.unwrap().user_id,
        provider: Provider::Google,
        subject: &subject,
        email: "nina@tern.example",
        scopes: "openid",
        access: &SecretString::from("access"),
        refresh: &SecretString::from("refresh"),
        expires_at: now() + TimeDelta::hours(1),
    };
    let main = ListedCalendar {
        provider_calendar_id: "main".to_owned(),
        name: "Main".to_owned(),
        is_primary: true,
        has_details: true,
        is_own: true,
    };
    let saved = store.save_account(&new, &[main], |_| Vec::new()).await;
    store.calendars_of(saved.unwrap().id).await.unwrap()[0]
}

async fn one_calendar(database: &str, url: &str) {
    println!("\n## {database}: one calendar of {FULL} events, from the request to the commit");
    let calendar = Calendar::default();
    let (app, store) = open(url, &calendar).await;
    let id = connect(&store, 0).await;
    // What is opened and compiled once is not what is measured.
    calendar.shows(&events(1, "Warm", "warm"));
    app.sync_calendar(id).await.unwrap();
    let first = events(FULL, "Wireframes", "s1");
    let renamed = events(FULL, "Drafts", "s1");
    let split = events(FULL, "Drafts", "s1_R20261116T080000");
    for (what, events, runs) in [
        ("new", &first, 1),
        ("unchanged", &first, RUNS),
        ("renamed", &renamed, 1),
        ("under new ids", &split, 1),
        ("all but one gone", &split[..1].to_vec(), 1),
    ] {
        calendar.shows(events);
        let mut took_ms = Vec::new();
        for _ in 0..runs {
            let before = calendar.requests.load(Ordering::Relaxed);
            let begun = Instant::now();
            let counts = app.sync_calendar(id).await.unwrap();
            took_ms.push(begun.elapsed().as_secs_f64() * 1e3);
            let requests = calendar.requests.load(Ordering::Relaxed) - before;
            assert_eq!(requests, 1);
            assert_eq!(counts.events_synced as usize, events.len());
        }
        took_ms.sort_by(f64::total_cmp);
        let (least, most) = (took_ms[0], took_ms[runs - 1]);
        if runs == 1 {
            println!("{what}: {least:.1} ms, 1 request");
        } else {
            let half = took_ms[runs / 2];
            println!(
                "{what}, {runs} times: p50 {half:.1} ms, from {least:.1} to {most:.1} ms, 1 request each"
            );
        }
    }
    store.close().await;
}

async fn many_calendars(database: &str, url: &str) {
    println!("\n## {database}: {CALENDARS} calendars of {EACH} events, one after the other");
    let calendar = Calendar::default();
    let (app, store) = open(url, &calendar).await;
    for number in 0..CALENDARS {
        connect(&store, number).await;
    }
    calendar.shows(&events(EACH, "Wireframes", "s1"));
    for what in ["new", "unchanged"] {
        let (begun, mut done) = (Instant::now(), 0);
        app.sync_all(|_, result| {
            result.unwrap();
            done += 1;
            if done % (CALENDARS / 4) == 0 {
                println!(
                    "{what}: {done:>4} in {:.1} s, {:.1} MiB",
                    begun.elapsed().as_secs_f64(),
                    rss_mib()
                );
            }
        })
        .await
        .unwrap();
        assert_eq!(done, CALENDARS);
    }
    store.close().await;
}

/// What the process holds in memory, the provider that answers it included.
fn rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kib as f64 / 1024.0
}

fn cpu_model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    model
        .map_or("unknown", |line| line.trim_start_matches([':', '\t', ' ']))
        .to_owned()
}
