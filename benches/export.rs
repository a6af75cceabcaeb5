//! How long `billops export` takes for 1,000,000 entries, and how much memory it holds at most: the real program,
//! writing a file. Promised: under 50 MiB. PostgreSQL is measured where `BILLOPS_TEST_POSTGRES` names one.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement, not a service"
)]

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use billops::{
    clock::Clock,
    domain::{
        minutes::Minutes,
        time_entry::{EntryFields, EntrySource},
    },
    store::{NewEntry, Profile, Store},
};
use chrono::{DateTime, Days};
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use uuid::Uuid;

/// Entries that are made one by one, and how many there are of each in the end.
const MADE: u64 = 1_000;
const OF_EACH: u64 = 1_000;
const PEOPLE: u64 = 20;
const PROMISED_KIB: u64 = 50 * 1024;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // `cargo test --benches` calls this too; there is nothing to prove then.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let url = format!("sqlite://{}", disk.path().join("billops.db").display());
    fill(&url).await;
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    database.execute(multiply("randomblob(16)")).await.unwrap();
    database.close().await.unwrap();
    measure("SQLite on disk", &url, disk.path());
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
    let url = format!("{base}/{name}?{query}");
    fill(&url).await;
    let mut database = PgConnection::connect(&url).await.unwrap();
    database
        .execute(multiply("gen_random_uuid()"))
        .await
        .unwrap();
    database.execute("ANALYZE").await.unwrap();
    database.close().await.unwrap();
    measure("PostgreSQL", &url, disk.path());
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    admin.execute(sqlx::AssertSqlSafe(drop)).await.unwrap();
}

/// Some people with some entries.
async fn fill(url: &str) {
    let clock = Clock::fixed(DateTime::from_timestamp(1_795_177_800, 0).unwrap());
    let store = Store::open(url, clock.clone()).await.unwrap();
    let profile = Profile {
        name: "Nina Berg".to_owned(),
        time_zone: Some(chrono_tz::Europe::Berlin),
        locale: None,
        is_admin: false,
    };
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let id = format!("U{number}");
        let met = store.save_member("T1", &id, Some(&profile)).await;
        people.push(met.unwrap());
    }
    let until = tokio::time::Instant::now() + Duration::from_secs(60);
    let made = (0..MADE).map(|number| {
        let person = &people[usize::try_from(number % PEOPLE).unwrap()];
        let now = clock.now();
        let new = NewEntry {
            key: Uuid::from_u128(u128::from(number)),
            user_id: person.user_id,
            source: EntrySource::Slack,
            fields: EntryFields {
                description: "Wireframes of the checkout, second round with the team".to_owned(),
                date: now.date_naive() - Days::new(number / PEOPLE),
                span: Some((now, now)),
                is_timed: false,
                duration: Minutes::new(90),
                project: None,
                billable: true,
                tags: vec!["design".to_owned()],
            },
            typed_text: Some("/time 1h30 wireframes of the checkout".to_owned()),
            permalink: Some("https://tern.slack.com/archives/C07TERN/p1795177800".to_owned()),
            then: None,
        };
        store.insert_entry(new, until)
    });
    let made = futures_util::future::join_all(made).await;
    assert!(made.iter().all(Result::is_ok));
    store.close().await;
}

/// A statement that makes many entries of each; every one of them has an id of its own.
fn multiply(new_id: &str) -> sqlx::AssertSqlSafe<String> {
    const COLUMNS: &str = "user_id, source, status, description, date, started_at, ended_at, duration_minutes, \
                           typed_text, version, created_at, updated_at, billable, tags, permalink, is_timed";
    sqlx::AssertSqlSafe(format!(
        "INSERT INTO time_entries (id, {COLUMNS}) \
         WITH RECURSIVE times (number) AS \
         (SELECT 2 UNION ALL SELECT number + 1 FROM times WHERE number < {OF_EACH}) \
         SELECT {new_id}, {COLUMNS} FROM time_entries CROSS JOIN times"
    ))
}

fn measure(database: &str, url: &str, folder: &Path) {
    let file = folder.join("entries.csv");
    let begun = Instant::now();
    let mut program = Command::new(env!("CARGO_BIN_EXE_billops"))
        .arg("export")
        .arg("--output")
        .arg(&file)
        .env("DATABASE_URL", url)
        .current_dir(folder)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut most_kib = 0;
    while program.try_wait().unwrap().is_none() {
        most_kib = most_resident_kib(program.id()).unwrap_or(0).max(most_kib);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(program.wait().unwrap().success());
    let took = begun.elapsed();
    let size = std::fs::metadata(&file).unwrap().len();
    println!(
        "{database}: {} entries, {} MB, in {:.1} s; at most {:.1} MiB resident",
        MADE * OF_EACH,
        size / 1_000_000,
        took.as_secs_f64(),
        most_kib as f64 / 1024.0
    );
    assert!(most_kib < PROMISED_KIB, "more memory than was promised");
}

/// The most that the process ever held. `None` once it has ended.
fn most_resident_kib(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
