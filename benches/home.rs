//! How long it takes to read and to draw a Home tab with 100 meetings that wait, over SQLite on disk and without
//! Slack. Promised: one read, in under 5 ms.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement, not a service"
)]

use std::time::Instant;

use billops::{
    app::{App, Reach, Unfolded},
    calendar::Providers,
    clock::Clock,
    config::CalendarConfig,
    domain::{
        member::Member,
        minutes::Minutes,
        time_entry::{EntryFields, EntrySource},
    },
    http, slack,
    store::{NewEntry, Profile, Store},
};
use chrono::{DateTime, TimeDelta, Utc};
use hdrhistogram::Histogram;
use sqlx::{Connection as _, SqliteConnection};
use uuid::Uuid;

const MEETINGS: u32 = 100;
const RUNS: usize = 1_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // `cargo test --benches` calls this too; there is nothing to prove then.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let url = format!("sqlite://{}", disk.path().join("billops.db").display());
    let now = DateTime::from_timestamp(1_795_177_800, 0).unwrap();
    let clock = Clock::fixed(now);
    let store = Store::open(&url, clock.clone()).await.unwrap();
    let profile = Profile {
        time_zone: Some(chrono_tz::Europe::Berlin),
        name: "Nina Berg".to_owned(),
        locale: None,
        is_admin: false,
    };
    let nina = store.save_member("T1", "U1", Some(&profile)).await.unwrap();
    entries(&store, &nina, now).await;
    meetings(&url, &clock, &nina, now).await;
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
    let app = App::new(store, clock, reach);
    let (mut read_ns, mut drawn_ns) = (
        Histogram::<u64>::new(3).unwrap(),
        Histogram::<u64>::new(3).unwrap(),
    );
    let (mut blocks, mut bytes) = (0, 0);
    for _ in 0..RUNS {
        let begun = Instant::now();
        let home = app.home(&nina, None, Unfolded::default()).await.unwrap();
        read_ns
            .record(u64::try_from(begun.elapsed().as_nanos()).unwrap())
            .unwrap();
        assert_eq!(home.waiting.len(), usize::try_from(MEETINGS).unwrap());
        let begun = Instant::now();
        let view = serde_json::to_value(slack::messages::home(&home)).unwrap();
        drawn_ns
            .record(u64::try_from(begun.elapsed().as_nanos()).unwrap())
            .unwrap();
        blocks = view["blocks"].as_array().unwrap().len();
        bytes = view.to_string().len();
    }
    let ms = |of: &Histogram<u64>, quantile| of.value_at_quantile(quantile) as f64 / 1e6;
    println!("Home with {MEETINGS} meetings that wait: {blocks} blocks, {bytes} bytes");
    for (what, of) in [("read", &read_ns), ("drawn", &drawn_ns)] {
        let (p50, p99) = (ms(of, 0.5), ms(of, 0.99));
        println!("{what:>6}: p50 {p50:.3} ms, p99 {p99:.3} ms");
    }
}

/// 1,250 entries, five a day.
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
        let by = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
        store.insert_entry(new, by).await.unwrap();
    }
}

/// A connected account with a calendar, and in it the meetings that wait and as many that are left out or logged.
async fn meetings(url: &str, clock: &Clock, member: &Member, now: DateTime<Utc>) {
    let mut db = SqliteConnection::connect(url).await.unwrap();
    let (account, calendar) = (clock.new_id(), clock.new_id());
    sqlx::query(
        "INSERT INTO user_oauth_accounts (id, user_id, provider, subject, email, scopes, state, state_since, \
         refreshed_at, created_at, updated_at) \
         VALUES ($1, $2, 'google', '1', 'nina@tern.example', '', 'active', $3, $3, $3, $3)",
    )
    .bind(account)
    .bind(member.user_id)
    .bind(now)
    .execute(&mut db)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO calendar_integrations (id, user_id, oauth_account_id, provider, provider_calendar_id, \
         calendar_name, is_primary, has_details, is_active, sync_enabled, created_at, updated_at) \
         VALUES ($1, $2, $3, 'google', 'main', 'Nina Berg', TRUE, TRUE, TRUE, TRUE, $4, $4)",
    )
    .bind(calendar)
    .bind(member.user_id)
    .bind(account)
    .bind(now)
    .execute(&mut db)
    .await
    .unwrap();
    for number in 0..2 * MEETINGS {
        let start = now - TimeDelta::days(i64::from(number % 20)) - TimeDelta::minutes(40);
        let (state, reason) = match number {
            number if number < MEETINGS => ("suggested", None),
            _ => ("skipped", Some("declined")),
        };
        sqlx::query(
            "INSERT INTO synced_calendar_events (id, calendar_id, user_id, provider_event_id, event_title, \
             event_start, event_end, state, skip_reason, is_synced, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, 'Halden weekly', $5, $6, $7, $8, FALSE, $9, $9)",
        )
        .bind(clock.new_id())
        .bind(calendar)
        .bind(member.user_id)
        .bind(number.to_string())
        .bind(start)
        .bind(start + TimeDelta::minutes(30))
        .bind(state)
        .bind(reason)
        .bind(now)
        .execute(&mut db)
        .await
        .unwrap();
    }
}
