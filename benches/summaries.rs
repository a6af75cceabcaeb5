//! How long it takes each minute to find who is due among 100,000 people, to plan their next summary, and to build
//! one, over SQLite on disk and, where `BILLOPS_TEST_POSTGRES` is set, PostgreSQL. Promised: finding under 20 ms,
//! building one under 2 ms, memory flat.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement, not a service"
)]

use std::time::{Duration, Instant};

use billops::{
    app::{App, Reach},
    calendar::Providers,
    clock::Clock,
    config::CalendarConfig,
    domain::{
        member::Member,
        minutes::Minutes,
        time_entry::{EntryFields, EntrySource},
    },
    http,
    slack::messages::{self, Reader},
    store::{NewEntry, Profile, Store},
};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use hdrhistogram::Histogram;
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

const PEOPLE: u32 = 100_000;
/// So many of them are due at the minute that is looked at.
const DUE: u32 = 10_000;
const RUNS: u32 = 1_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // `cargo test --benches` calls this too; there is nothing to prove then.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let url = format!("sqlite://{}", disk.path().join("billops.db").display());
    println!("## SQLite on disk");
    measure(&url).await;
    match std::env::var("BILLOPS_TEST_POSTGRES") {
        Ok(server) => {
            println!("\n## PostgreSQL");
            let name = format!("summaries_{}", std::process::id());
            let mut db = PgConnection::connect(&server).await.unwrap();
            let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
            db.execute(create).await.unwrap();
            let (base, query) = server.split_once('?').unwrap_or((&server, ""));
            let base = base.rsplit_once('/').unwrap().0;
            measure(&format!("{base}/{name}?{query}")).await;
            let drop = sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
            db.execute(drop).await.unwrap();
        }
        Err(_) => println!("PostgreSQL: BILLOPS_TEST_POSTGRES is not set"),
    }
}

async fn measure(url: &str) {
    // 17:29 in Berlin; most people there are due at 17:30, the others an hour later.
    let clock = Clock::fixed(DateTime::from_timestamp(1_795_192_140, 0).unwrap());
    let store = Store::open(url, clock.clone()).await.unwrap();
    let nina = people(&store).await;
    entries(&store, &nina, clock.now()).await;
    let reach = Reach {
        providers: Providers::new(
            CalendarConfig::default(),
            http::client().unwrap(),
            clock.clone(),
        ),
        sign_in: None,
        installer: None,
        public_url: "http://localhost:8000".parse().unwrap(),
    };
    let app = App::new(store.clone(), clock.clone(), reach);

    let begun = Instant::now();
    app.queue_summaries().await.unwrap();
    println!(
        "planning all {PEOPLE} for the first time: {:.1} s, {:.1} MiB",
        begun.elapsed().as_secs_f64(),
        resident_mib()
    );
    let nobody =
        times(|| async { assert!(store.summaries_due(500).await.unwrap().is_empty()) }).await;
    println!("who is due of {PEOPLE}, nobody: {}", ms(&nobody));
    clock.advance(TimeDelta::minutes(1));
    let some =
        times(|| async { assert_eq!(store.summaries_due(500).await.unwrap().len(), 500) }).await;
    println!(
        "who is due of {PEOPLE}, the first 500 of {DUE}: {}",
        ms(&some)
    );
    let begun = Instant::now();
    app.queue_summaries().await.unwrap();
    let took = begun.elapsed();
    assert_eq!(store.job_counts().await.unwrap().open, i64::from(DUE));
    println!(
        "asking for {DUE} sendings and planning the next ones: {:.2} s, {:.1} MiB",
        took.as_secs_f64(),
        resident_mib()
    );

    let day = clock.now().date_naive();
    let built = times(|| async {
        let summary = app.day_summary(&nina, day).await.unwrap();
        let reader = Reader {
            member: &nina,
            now: clock.now(),
            round: 0,
            tag: "",
        };
        let message = messages::day_summary(reader, &summary, None, None);
        assert!(!message.blocks.is_empty());
    })
    .await;
    println!("one summary, read and drawn: {}", ms(&built));
    store.close().await;
}

async fn times<F: Future<Output = ()>>(mut what: impl FnMut() -> F) -> Histogram<u64> {
    let mut took_ns = Histogram::new(3).unwrap();
    for _ in 0..RUNS {
        let begun = Instant::now();
        what().await;
        took_ns
            .record(u64::try_from(begun.elapsed().as_nanos()).unwrap())
            .unwrap();
    }
    took_ns
}

fn ms(of: &Histogram<u64>) -> String {
    let at = |quantile| of.value_at_quantile(quantile) as f64 / 1e6;
    format!("p50 {:.3} ms, p99 {:.3} ms", at(0.5), at(0.99))
}

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1024.0
}

/// Everybody; `DUE` of them want their summary at 17:30, the others an hour later.
async fn people(store: &Store) -> Member {
    let profile = Profile {
        time_zone: Some(chrono_tz::Europe::Berlin),
        name: "Nina Berg".to_owned(),
        locale: None,
        is_admin: false,
    };
    let mut first = None;
    for number in 0..PEOPLE {
        let slack_user = format!("U{number}");
        let member = store
            .save_member("T1", &slack_user, Some(&profile))
            .await
            .unwrap();
        if number >= DUE {
            let mut preferences = member.preferences.clone();
            preferences.daily_summary_time = NaiveTime::from_hms_opt(18, 30, 0).unwrap();
            store
                .save_preferences(member.binding_id, &preferences, &[])
                .await
                .unwrap();
        }
        first.get_or_insert(member);
    }
    first.unwrap()
}

/// A year of entries, five a day.
async fn entries(store: &Store, member: &Member, now: DateTime<Utc>) {
    for number in 0..1_250_u32 {
        let date = (now - TimeDelta::days(i64::from(number / 5))).date_naive();
        let fields = EntryFields {
            description: "Wireframes".to_owned(),
            date,
            span: None,
            is_timed: false,
            duration: Minutes::new(60),
            project: None,
            billable: false,
            tags: Vec::new(),
        };
        let new = NewEntry {
            user_id: member.user_id,
            key: Uuid::from_u128(u128::from(number) + 1),
            source: EntrySource::Slack,
            fields,
            typed_text: None,
            permalink: None,
            then: None,
        };
        let by = tokio::time::Instant::now() + Duration::from_secs(10);
        store.insert_entry(new, by).await.unwrap();
    }
}
