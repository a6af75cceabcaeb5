//! No list that a person waits for reads a table from its beginning to its end.
//!
//! A program of its own, because it listens to everything that is said to the database: the statements are
//! those that the store really sends, and each of them is explained on the database it was sent to.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "it/databases.rs"]
#[expect(dead_code, reason = "what the other tests need is there, too")]
mod databases;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, OnceLock},
    time::Duration,
};

use billops::{
    domain::{
        calendar::ListedCalendar,
        calendar_event::{CalendarEvent, EventKind, Reply, Wishes},
        member::Member,
        minutes::Minutes,
        project::ProjectRef,
        provider::Provider,
        time_entry::{EntryFields, EntrySource, EntryStatus, TimeEntry},
    },
    keyring::Keyring,
    store::{
        EntryFilter, HomeSpans, NewAccount, NewEntry, NewJob, NewProject, ProjectChange, Shown,
        Store, SumBy, SyncTarget,
    },
};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use secrecy::SecretString;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt as _};
use uuid::Uuid;

use databases::Database;

/// Entries of each person, so that the databases have something to choose between.
const ENTRIES: u64 = 100;
const PEOPLE: u64 = 10;
/// The tables that grow without end.
const LARGE: [&str; 11] = [
    "api_requests",
    "api_tokens",
    "day_marks",
    "notices",
    "sessions",
    "summary_plans",
    "time_entries",
    "changes",
    "idempotency_keys",
    "synced_calendar_events",
    "used_states",
];

/// Lists that go on page after page, from behind a day and an id.
const PAGED: [&str; 3] = ["entries_before", "exported_entries", "own_entries"];

/// The statements that were sent since they were last taken.
#[derive(Clone, Copy)]
struct Heard;

fn heard() -> &'static Mutex<BTreeSet<String>> {
    static HEARD: OnceLock<Mutex<BTreeSet<String>>> = OnceLock::new();
    HEARD.get_or_init(Mutex::default)
}

impl<S: tracing::Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        #[derive(Default)]
        struct Statement {
            summary: String,
            whole: String,
        }
        impl tracing::field::Visit for Statement {
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                match field.name() {
                    "summary" => value.clone_into(&mut self.summary),
                    "db.statement" => value.trim().clone_into(&mut self.whole),
                    _ => {}
                }
            }
            fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn fmt::Debug) {}
        }
        let mut statement = Statement::default();
        event.record(&mut statement);
        // A short statement is its own summary.
        let sql = if statement.whole.is_empty() {
            statement.summary
        } else {
            statement.whole
        };
        heard().lock().unwrap().insert(sql);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_is_found_through_an_index() {
    let listening =
        Heard.with_filter(Targets::new().with_target("sqlx::query", tracing::Level::DEBUG));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(listening))
        .unwrap();
    for database in [Database::on_disk(), Database::postgres().await] {
        let (store, _) = database.open().await;
        let (nina, entry) = fill(&store).await;
        let reading = read(&store, &nina).await;
        let mut explainer = Explainer::connect(&database.url).await;
        explainer.analyze().await;
        heard().lock().unwrap().clear();
        for (method, statements) in ask(&store, &nina, &entry, &reading).await {
            assert!(!statements.is_empty(), "nothing was heard of {method}");
            for sql in statements.iter().filter(|sql| has_plan(sql)) {
                let plan = explainer.plan(sql).await;
                for step in &plan {
                    // All of an index is no better than all of the table.
                    let reads_all = LARGE.iter().any(|table| {
                        step.contains(&format!("Seq Scan on {table}"))
                            || scanned(step).is_some_and(|name| is_called(table, name, sql))
                    });
                    assert!(!reads_all, "{}: {method}: {step}\n{sql}", store.kind());
                }
                if PAGED.contains(&method) && sql.contains("LIMIT") {
                    // The index leads to where the page begins, and gives it in its order.
                    let begins = plan.iter().any(|step| {
                        let names_place =
                            step.contains("(date,id)") || step.contains("ROW(date, id)");
                        names_place && !step.contains("Filter")
                    });
                    let sorts =
                        |step: &String| step.contains("Sort") || step.contains("TEMP B-TREE");
                    let is_good = begins && !plan.iter().any(sorts);
                    assert!(is_good, "{}: {method}: {plan:#?}\n{sql}", store.kind());
                }
            }
        }
        store.close().await;
        database.remove().await;
    }
}

/// What SQLite reads from its beginning to its end in a step.
fn scanned(step: &str) -> Option<&str> {
    step.strip_prefix("SCAN ")?.split(' ').next()
}

/// Whether a statement calls the table so.
fn is_called(table: &str, name: &str, sql: &str) -> bool {
    name == table || sql.contains(&format!("{table} {name} "))
}

/// Beginning and ending a transaction has none.
fn has_plan(sql: &str) -> bool {
    ["SELECT", "INSERT", "UPDATE", "DELETE"]
        .iter()
        .any(|verb| sql.starts_with(verb))
}

/// Calls every list there is, and gives the statements that each sent.
async fn ask(
    store: &Store,
    nina: &Member,
    entry: &TimeEntry,
    reading: &Reading,
) -> Vec<(&'static str, Vec<String>)> {
    let (me, day) = (nina.user_id, entry.date);
    let week = day - Days::new(6);
    let project = entry.project.as_ref().unwrap().id;
    let mut asked = Vec::new();
    macro_rules! ask {
        ($($method:ident($($argument:expr),*)),+ $(,)?) => { $(
            store.$method($($argument),*).await.unwrap();
            asked.push((stringify!($method), std::mem::take(&mut *heard().lock().unwrap()).into_iter().collect()));
        )+ };
    }
    let noon = day.and_hms_opt(12, 0, 0).unwrap().and_utc();
    let spans = HomeSpans {
        today: day,
        day: [noon - TimeDelta::hours(12), noon + TimeDelta::hours(12)],
        week: [week, day],
        recent_since: week,
        waits_since: noon - TimeDelta::days(28),
    };
    let job = NewJob {
        unique_key: "job".to_owned(),
        payload: "{}".to_owned(),
        is_prompt: false,
        run_at: None,
    };
    ask!(
        totals(me, week, day, None),
        totals(me, week, day, Some(project)),
        entries_between(me, week, day, None, 15),
        entries_between(me, week, day, Some(project), 15),
        last_entries(me, 10, 10),
        home(me, spans),
        day_total(me, day),
        overlapping(entry, 4),
        last_end_on(me, day),
        entry(me, entry.id),
        default_project(nina, "C1"),
        recent_projects(me, 5),
        timers_to_ask(9),
        undo_last(me, Uuid::from_u128(7), Some(&job)),
        claim_share(me, Uuid::from_u128(8)),
        claim_job(TimeDelta::seconds(60), false),
        claim_job(TimeDelta::seconds(60), true),
    );
    let filter = EntryFilter {
        from: week,
        to: day,
        project_id: Some(project),
        source: Some(EntrySource::Slack),
        status: None,
    };
    let (place, workspace) = ((day, entry.id), nina.slack_integration_id);
    let request = Uuid::from_u128(10);
    ask!(
        entries_before(me, &filter, place, 50),
        listed_entry(me, entry.id),
        exported_entries(me, place, day, 1_000),
        own_entries(me, false, place, 1_000),
        own_entries(me, true, place, 1_000),
        known_entries(&[entry.id]),
        same_times(me, &[(day, noon, 30)]),
        forget_imported(me, EntryStatus::Pending, &[entry.id]),
        exported_people(Some("T1"), Some("U1"), nina.binding_id, 100),
        sums(me, week, day, SumBy::Day),
        sums(me, week, day, SumBy::Project),
        sums(me, week, day, SumBy::Client),
        sums(me, week, day, SumBy::User),
        sums_of_workspace(workspace, week, day),
        people_short(workspace, &[week, day], noon, Minutes::from_hours(4)),
        use_state([3; 32], store_now() + TimeDelta::minutes(10)),
        // For the first time, and once more.
        claim_request(me, "key", [7; 32]),
        claim_request(me, "key", [7; 32]),
        settle_request(me, "key", request, None),
        forget_requests_older_than(TimeDelta::days(3)),
        session([1; 32]),
        open_sessions(nina.binding_id, [1; 32]),
        api_token([2; 32]),
        api_token_of(nina.binding_id),
    );
    let now = store_now();
    let (window, calendar) = (reading.window, reading.target.calendar_id);
    let event = store.events_between(me, window, None, 1).await.unwrap()[0].id;
    let after = Some((now, event));
    let wishes = Wishes::default();
    let lease = Uuid::from_u128(9);
    let until = now + TimeDelta::minutes(2);
    let mut changed = reading.events.clone();
    // One has a new id, one is renamed, and the last one is gone.
    changed.pop();
    "other".clone_into(&mut changed[0].provider_event_id);
    changed[1].title = None;
    let shown = Shown {
        window,
        events: &changed,
        wishes,
    };
    let nobody = |_, _| None;
    heard().lock().unwrap().clear();
    ask!(
        waiting(me, now - TimeDelta::days(7), 5),
        event(me, event),
        events_between(me, window, None, 50),
        events_between(me, window, after, 50),
        calendars_to_sync(now, None, 500),
        calendars_of(reading.target.account_id),
        sync_target(calendar),
        take_sync(calendar, lease, until),
        reconcile(&reading.target, lease, shown, None, &nobody),
        fail_sync(calendar, lease, None, false),
        summaries_due(500),
        day_marks(me, week, day),
        settled_since(me, window, now, 12),
        claim_notice(nina.binding_id, "day:2026-11-20"),
        sent_notice(nina.binding_id, "day:2026-11-20"),
        log_event(me, event, &fields(entry.date, entry.project.as_ref()), &[]),
        dismiss_event(me, event, true, None),
    );
    asked
}

enum Explainer {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Explainer {
    async fn connect(url: &str) -> Self {
        if url.starts_with("sqlite") {
            Self::Sqlite(SqliteConnection::connect(url).await.unwrap())
        } else {
            Self::Postgres(PgConnection::connect(url).await.unwrap())
        }
    }

    /// What production knows of its tables after a while.
    async fn analyze(&mut self) {
        if let Self::Postgres(db) = self {
            db.execute("ANALYZE").await.unwrap();
        }
    }

    /// The steps in which the statement is answered, whatever is bound to it.
    async fn plan(&mut self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(db) => {
                let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
                let rows = sqlx::raw_sql(explain).fetch_all(db).await.unwrap();
                rows.iter().map(|row| row.get("detail")).collect()
            }
            Self::Postgres(db) => {
                // Whatever is bound, and however few rows there are here: where an index can be used, it is.
                let prepare = format!(
                    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
                     PREPARE asked AS {sql}"
                );
                sqlx::raw_sql(sqlx::AssertSqlSafe(prepare))
                    .execute(&mut *db)
                    .await
                    .unwrap();
                let count = "SELECT COALESCE(array_length(parameter_types, 1), 0) AS count FROM pg_prepared_statements \
                             WHERE name = 'asked'";
                let count: i32 = db.fetch_one(count).await.unwrap().get("count");
                let nulls = vec!["NULL"; usize::try_from(count).unwrap()].join(", ");
                let arguments = if count == 0 {
                    String::new()
                } else {
                    format!("({nulls})")
                };
                let explain = sqlx::AssertSqlSafe(format!("EXPLAIN EXECUTE asked{arguments}"));
                let rows = sqlx::raw_sql(explain).fetch_all(&mut *db).await.unwrap();
                db.execute("DEALLOCATE asked").await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }
}

/// A workspace in which an index is worth its while.
async fn fill(store: &Store) -> (Member, TimeEntry) {
    let day = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let mut first = None;
    for person in 0..PEOPLE {
        let member = store
            .save_member("T1", &format!("U{person}"), None)
            .await
            .unwrap();
        let new = NewProject {
            slug: format!("project-{person}"),
            name: "Project".to_owned(),
            client: None,
            is_billable: true,
        };
        let ProjectChange::Done(project) = store
            .create_project(member.slack_integration_id, &new)
            .await
            .unwrap()
        else {
            panic!("no project")
        };
        let entries = (0..ENTRIES).map(|number| {
            let new = NewEntry {
                key: Uuid::from_u128(u128::from(number) + 100),
                user_id: member.user_id,
                source: EntrySource::Slack,
                fields: fields(day - Days::new(number / 3), Some(&project)),
                typed_text: None,
                permalink: None,
                then: None,
            };
            store.insert_entry(new, tokio::time::Instant::now() + Duration::from_secs(30))
        });
        let made = futures_util::future::join_all(entries).await;
        let entry = made.into_iter().next().unwrap().unwrap().receipt.entry;
        first.get_or_insert((member, entry));
    }
    first.unwrap()
}

fn fields(date: NaiveDate, project: Option<&ProjectRef>) -> EntryFields {
    let now = store_now();
    EntryFields {
        description: "Meeting".to_owned(),
        date,
        span: Some((now, now + TimeDelta::minutes(30))),
        is_timed: true,
        duration: Minutes::new(30),
        project: project.cloned(),
        billable: true,
        tags: Vec::new(),
    }
}

/// A calendar that was read.
struct Reading {
    target: SyncTarget,
    window: [DateTime<Utc>; 2],
    events: Vec<CalendarEvent>,
}

/// Nina connects a calendar, and it is read.
async fn read(store: &Store, nina: &Member) -> Reading {
    let keys = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let store = store.clone().with_keys(Keyring::parse(keys).unwrap());
    let now = store_now();
    let new = NewAccount {
        user_id: nina.user_id,
        provider: Provider::Google,
        subject: "sub-7",
        email: "nina@tern.example",
        scopes: "openid",
        access: &SecretString::from("access"),
        refresh: &SecretString::from("refresh"),
        expires_at: now + TimeDelta::hours(1),
    };
    let main = ListedCalendar {
        provider_calendar_id: "main".to_owned(),
        name: "Main".to_owned(),
        is_primary: true,
        has_details: true,
        is_own: true,
    };
    let saved = store.save_account(&new, &[main], |_| Vec::new()).await;
    let calendar = store.calendars_of(saved.unwrap().id).await.unwrap()[0];
    let target = store.sync_target(calendar).await.unwrap().unwrap();
    let event = |number: u64| {
        let start = now - TimeDelta::hours(i64::try_from(number).unwrap() + 1);
        CalendarEvent {
            provider_event_id: format!("e{number}"),
            ical_uid: Some(format!("e{number}@google.com")),
            series_id: None,
            original_start: None,
            title: Some("Meeting".to_owned()),
            start,
            end: start + TimeDelta::minutes(30),
            is_all_day: false,
            is_cancelled: false,
            reply: Reply::Accepted,
            is_free: false,
            kind: EventKind::Ordinary,
            is_private: false,
        }
    };
    let events: Vec<_> = (0..ENTRIES).map(event).collect();
    let (lease, window) = (
        Uuid::from_u128(1),
        [now - TimeDelta::days(7), now + TimeDelta::days(30)],
    );
    let until = now + TimeDelta::minutes(2);
    assert!(store.take_sync(calendar, lease, until).await.unwrap());
    let wishes = Wishes::default();
    let shown = Shown {
        window,
        events: &events,
        wishes,
    };
    let read = store.reconcile(&target, lease, shown, None, &|_, _| None);
    assert!(read.await.unwrap().is_some());
    Reading {
        target,
        window,
        events,
    }
}

fn store_now() -> chrono::DateTime<chrono::Utc> {
    databases::friday().now()
}
