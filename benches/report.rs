//! How long a report takes over a workspace's 100,000 entries: the application and its database, without
//! Slack. Promised: a week in under 50 ms. PostgreSQL is measured where `BILLOPS_TEST_POSTGRES` names one.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement, not a service"
)]

use std::time::{Duration, Instant};

use billops::{
    app::{App, Reach, ReportOf, ReportOutcome},
    calendar::Providers,
    clock::Clock,
    config::CalendarConfig,
    domain::{
        member::Member,
        minutes::Minutes,
        period::Period,
        project::ProjectRef,
        time_entry::{EntryFields, EntrySource},
    },
    http,
    store::{NewEntry, NewProject, Profile, ProjectChange, Store},
};
use chrono::{DateTime, Days, NaiveDate};
use futures_util::future::join_all;
use hdrhistogram::Histogram;
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

const ENTRIES: u64 = 100_000;
/// Five a day for a working year.
const REALISTIC: (u64, u64) = (1_250, 5);
/// A fifth of everything: a machine that logs a hundred a day.
const HEAVY: (u64, u64) = (20_000, 100);
const OTHERS: u64 = 400;
const PROJECTS: u64 = 300;
const RUNS: usize = 1_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // `cargo test --benches` calls this too; there is nothing to prove then.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
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
    let store = Store::open(url, clock.clone()).await.unwrap();
    let begun = Instant::now();
    let [nina, heavy] = fill(&store).await;
    println!(
        "\n## {database}: {ENTRIES} entries made in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
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
    let app = App::new(store.clone(), clock, reach);
    for (who, member) in [
        ("1,250 of them one's own", &nina),
        ("20,000 of them one's own", &heavy),
    ] {
        for (name, period) in [
            ("day", Period::day(friday())),
            ("week", Period::week(friday())),
            ("month", Period::month(friday())),
        ] {
            let mut latencies_ns = Histogram::<u64>::new(3).unwrap();
            let mut entries = 0;
            for _ in 0..RUNS {
                let start = Instant::now();
                let report = app.report(member, ReportOf::of(period)).await.unwrap();
                latencies_ns
                    .record(u64::try_from(start.elapsed().as_nanos()).unwrap())
                    .unwrap();
                let ReportOutcome::Report(report) = report else {
                    panic!("{report:?}")
                };
                entries = report.summary.entries;
            }
            let ms = |quantile| latencies_ns.value_at_quantile(quantile) as f64 / 1e6;
            println!(
                "{who}, {name} of {entries:>4}: p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms",
                ms(0.5),
                ms(0.99),
                latencies_ns.max() as f64 / 1e6
            );
        }
    }
    store.close().await;
}

fn friday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
}

/// A workspace of 402 people; gives the one with a realistic and the one with a heavy share.
async fn fill(store: &Store) -> [Member; 2] {
    let mut people = Vec::new();
    for number in 0..OTHERS + 2 {
        let profile = Profile {
            name: format!("Person {number}"),
            time_zone: Some(chrono_tz::Europe::Berlin),
            locale: None,
            is_admin: false,
        };
        let id = format!("U{number}");
        let met = store.save_member("T1", &id, Some(&profile));
        people.push(met.await.unwrap());
    }
    let mut projects = Vec::new();
    for number in 0..PROJECTS {
        let new = NewProject {
            slug: format!("project-{number}"),
            name: format!("Project {number}"),
            client: Some((
                format!("client-{}", number % 40),
                format!("Client {}", number % 40),
            )),
            is_billable: true,
        };
        let made = store.create_project(people[0].slack_integration_id, &new);
        match made.await.unwrap() {
            ProjectChange::Done(project) => projects.push(project),
            other => panic!("{other:?}"),
        }
    }
    let rest = (ENTRIES - REALISTIC.0 - HEAVY.0) / OTHERS;
    let shares = [REALISTIC, HEAVY]
        .into_iter()
        .chain((0..OTHERS).map(|_| (rest, 4)));
    // Everybody's days beside each other, as they come in over a year.
    let mut news: Vec<(u64, NewEntry)> = Vec::new();
    for (member, (count, per_day)) in people.iter().zip(shares) {
        for number in 0..count {
            let days = number / per_day;
            news.push((
                days,
                entry(member, &projects, friday() - Days::new(days), number),
            ));
        }
    }
    news.sort_by_key(|(days, _)| std::cmp::Reverse(*days));
    let mut news = news.into_iter().map(|(_, new)| new).peekable();
    while news.peek().is_some() {
        let until = tokio::time::Instant::now() + Duration::from_secs(60);
        let some: Vec<NewEntry> = news.by_ref().take(1_000).collect();
        let made = join_all(some.into_iter().map(|new| store.insert_entry(new, until))).await;
        assert!(made.iter().all(Result::is_ok));
    }
    [people.remove(0), people.remove(0)]
}

fn entry(member: &Member, projects: &[ProjectRef], date: NaiveDate, number: u64) -> NewEntry {
    let project = usize::try_from(number * 7).unwrap() % projects.len();
    NewEntry {
        key: Uuid::from_u128(u128::from(number)),
        user_id: member.user_id,
        source: EntrySource::Slack,
        fields: EntryFields {
            description: "Wireframes of the checkout, second round with the team".to_owned(),
            date,
            span: None,
            is_timed: false,
            duration: Minutes::new(90),
            project: (!number.is_multiple_of(10)).then(|| projects[project].clone()),
            billable: !number.is_multiple_of(3),
            tags: Vec::new(),
        },
        typed_text: Some("/time 1h30 wireframes of the checkout".to_owned()),
        permalink: None,
        then: None,
    }
}
