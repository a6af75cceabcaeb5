//! Every method of the store, on SQLite in memory, SQLite on disk and PostgreSQL.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use billops::{
    clock::Clock,
    domain::{
        member::Member,
        minutes::Minutes,
        time_entry::{EntryFields, EntrySource, Receipt},
    },
    store::{HomeSpans, NewEntry, NewJob, NotSaved, Profile, Store, Workspace},
};
use chrono::{Days, NaiveDate, TimeDelta};
use sqlx::{ConnectOptions as _, Executor as _, sqlite::SqliteConnectOptions};
use tokio::time::Instant;
use uuid::Uuid;

use crate::databases::Database;

/// Runs each function on each database.
macro_rules! on_every_database {
    ($($test:ident),+ $(,)?) => {
        mod in_memory { $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { $crate::store::run($crate::databases::Database::in_memory(), super::$test).await; })+ }
        mod on_disk { $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { $crate::store::run($crate::databases::Database::on_disk(), super::$test).await; })+ }
        mod postgres { $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { $crate::store::run($crate::databases::Database::postgres().await, super::$test).await; })+ }
    };
}

pub(crate) use on_every_database;

mod api_requests;
mod changes;
mod clients;
mod connections;
mod entry_pages;
mod jobs;
mod own_data;
mod preferences;
mod projects;
mod reports;
mod sums;
pub(crate) mod syncs;
mod timers;
mod workspace;

on_every_database!(
    a_person_is_met_once_and_keeps_what_was_known,
    two_meetings_at_once_make_one_person,
    workspaces_keep_what_is_left_open,
    an_entry_is_made_once_for_a_key,
    the_total_of_the_day_counts_what_came_before,
    many_at_once_are_all_kept_and_counted,
    each_day_of_a_commit_has_its_own_sum,
    one_bad_request_harms_no_other,
    what_is_too_late_is_not_saved,
    home_reads_the_day_and_the_last_entries,
    the_home_fingerprint_is_kept,
    requests_are_forgotten_after_a_while,
    a_job_is_one_however_often_it_is_asked_for,
    a_job_asked_for_while_it_runs_runs_again,
    a_job_is_taken_by_one_and_comes_back_when_its_lease_ends,
    a_failed_job_waits_and_dies,
    a_lost_lease_ends_nothing,
    waiting_is_no_attempt,
    health_is_checked_by_writing,
    migrations_run_once,
);

pub(crate) async fn run<F>(database: Database, test: impl FnOnce(Store, Clock) -> F)
where
    F: Future<Output = ()>,
{
    let (store, clock) = database.open().await;
    test(store.clone(), clock).await;
    store.close().await;
    database.remove().await;
}

pub(crate) fn berlin(name: &str) -> Profile {
    Profile {
        name: name.to_owned(),
        time_zone: Some(chrono_tz::Europe::Berlin),
        locale: Some("de-DE".to_owned()),
        is_admin: false,
    }
}

pub(crate) async fn nina(store: &Store) -> Member {
    store
        .save_member("T1", "U1", Some(&berlin("Nina Berg")))
        .await
        .unwrap()
}

pub(crate) fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
}

pub(crate) fn key(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn meeting(member: &Member, key: Uuid, minutes: u32) -> NewEntry {
    NewEntry {
        key,
        user_id: member.user_id,
        source: EntrySource::Slack,
        fields: EntryFields {
            description: "Meeting".to_owned(),
            date: day(),
            span: None,
            is_timed: false,
            duration: Minutes::new(minutes),
            project: None,
            billable: false,
            tags: Vec::new(),
        },
        typed_text: Some("Meeting".to_owned()),
        permalink: None,
        then: None,
    }
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

pub(crate) async fn log(store: &Store, member: &Member, number: u128, minutes: u32) -> Receipt {
    let made = store.insert_entry(meeting(member, key(number), minutes), soon());
    made.await.unwrap().receipt
}

pub(crate) async fn total(store: &Store, member: &Member) -> u32 {
    store.day_total(member.user_id, day()).await.unwrap().get()
}

async fn a_person_is_met_once_and_keeps_what_was_known(store: Store, clock: Clock) {
    assert_eq!(store.member("T1", "U1").await.unwrap(), None);
    let unknown = store.save_member("T1", "U1", None).await.unwrap();
    assert_eq!(
        (unknown.name.as_str(), unknown.slack_time_zone),
        ("U1", None)
    );
    assert_eq!(store.profile_read_at(unknown.user_id).await.unwrap(), None);
    let known = nina(&store).await;
    assert_eq!(known.user_id, unknown.user_id);
    assert_eq!(
        (known.name.as_str(), known.slack_time_zone),
        ("Nina Berg", Some(chrono_tz::Europe::Berlin))
    );
    assert_eq!(
        store.profile_read_at(known.user_id).await.unwrap(),
        Some(clock.now())
    );
    // Slack does not answer the next time: what was known stays.
    let again = store.save_member("T1", "U1", None).await.unwrap();
    assert_eq!(again, known);
    assert_eq!(store.member("T1", "U1").await.unwrap(), Some(known.clone()));
    assert_eq!(
        store.member_by_binding(known.binding_id).await.unwrap(),
        Some(known.clone())
    );
    // The same Slack id in another workspace is somebody else.
    assert_eq!(store.member("T2", "U1").await.unwrap(), None);
    let other = store.save_member("T2", "U1", None).await.unwrap();
    assert_ne!(other.user_id, known.user_id);
}

async fn two_meetings_at_once_make_one_person(store: Store, _: Clock) {
    let meet = || store.save_member("T1", "U1", None);
    let (a, b, c, d) = tokio::join!(meet(), meet(), meet(), meet());
    let ids: Vec<_> = [a, b, c, d]
        .into_iter()
        .map(|member| member.unwrap().user_id)
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

async fn workspaces_keep_what_is_left_open(store: Store, _: Clock) {
    let named = Workspace {
        workspace_id: "T1".into(),
        name: Some("Tern Studio".into()),
        ..Workspace::default()
    };
    store.save_workspace(&named).await.unwrap();
    store
        .save_workspace(&Workspace {
            workspace_id: "T1".into(),
            ..Workspace::default()
        })
        .await
        .unwrap();
    let member = nina(&store).await;
    assert_eq!(member.workspace_id, "T1");
}

async fn an_entry_is_made_once_for_a_key(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let first = log(&store, &nina, 1, 150).await;
    assert_eq!((first.entry.version, first.day_total.get()), (1, 150));
    assert_eq!(first.entry.created_at, clock.now());
    clock.advance(TimeDelta::minutes(1));
    log(&store, &nina, 2, 15).await;
    // Delivered again: the same answer as the first time, and no second entry.
    let again = log(&store, &nina, 1, 150).await;
    assert_eq!(again, first);
    assert_eq!(total(&store, &nina).await, 165);
    assert_eq!(
        store.entry(nina.user_id, first.entry.id).await.unwrap(),
        Some(first.entry.clone())
    );
    // Twice in one commit.
    let twice = || store.insert_entry(meeting(&nina, key(3), 10), soon());
    let (a, b) = tokio::join!(twice(), twice());
    assert_eq!(a.unwrap().receipt, b.unwrap().receipt);
    assert_eq!(total(&store, &nina).await, 175);
    // Somebody else's key of the same value is another key.
    let jonas = store.save_member("T1", "U2", None).await.unwrap();
    let theirs = log(&store, &jonas, 1, 60).await;
    assert_ne!(theirs.entry.id, first.entry.id);
}

async fn the_total_of_the_day_counts_what_came_before(store: Store, _: Clock) {
    let nina = nina(&store).await;
    for (number, sum) in [(1, 100), (2, 200), (3, 300)] {
        assert_eq!(log(&store, &nina, number, 100).await.day_total.get(), sum);
    }
    let mut other_day = meeting(&nina, key(4), 7);
    other_day.fields.date = day().pred_opt().unwrap();
    assert_eq!(
        store
            .insert_entry(other_day, soon())
            .await
            .unwrap()
            .receipt
            .day_total
            .get(),
        7
    );
}

async fn many_at_once_are_all_kept_and_counted(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let job = NewJob {
        unique_key: "refresh".into(),
        payload: "{}".into(),
        is_prompt: false,
        run_at: None,
    };
    let requests = (0..500).map(|number| {
        let mut new = meeting(&nina, key(number), 1);
        new.then = Some(job.clone());
        store.insert_entry(new, soon())
    });
    let receipts = futures_util::future::join_all(requests).await;
    let mut totals: Vec<u32> = receipts
        .into_iter()
        .map(|r| r.unwrap().receipt.day_total.get())
        .collect();
    totals.sort_unstable();
    assert_eq!(
        totals,
        (1..=500).collect::<Vec<_>>(),
        "each answer counts exactly what came before it"
    );
    assert_eq!(total(&store, &nina).await, 500);
    assert_eq!(store.job_counts().await.unwrap().open, 1);
}

async fn each_day_of_a_commit_has_its_own_sum(store: Store, _: Clock) {
    let nina = nina(&store).await;
    // Five, which is none of the sizes that statements are prepared for.
    let days = || (1..=5).map(|number| (number, day() - Days::new(number)));
    let on = |number: u64, date, minutes| {
        let mut new = meeting(&nina, key(number.into()), minutes);
        new.fields.date = date;
        new.fields.is_timed = number == 3;
        store.insert_entry(new, soon())
    };
    for (number, date) in days() {
        on(number, date, 10 * u32::try_from(number).unwrap())
            .await
            .unwrap();
    }
    // The first is committed at once, and the others, which come meanwhile, together.
    let second = days()
        .chain([(6, day())])
        .map(|(number, date)| on(number + 10, date, 1));
    let made = futures_util::future::join_all(second).await;
    let told = made.into_iter().map(|made| {
        let made = made.unwrap();
        (made.receipt.day_total.get(), made.may_overlap)
    });
    let expected = [
        (11, false),
        (21, false),
        (31, true),
        (41, false),
        (51, false),
        (1, false),
    ];
    assert!(told.eq(expected), "each its own");
}

/// Answers of a commit may wait for the next one to begin, and not for whoever keeps it from that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_waits_for_a_commit_that_cannot_begin() {
    const REQUESTS: usize = 1500;
    let database = Database::on_disk();
    let (store, _) = database.open().await;
    let nina = nina(&store).await;
    let answered = AtomicUsize::new(0);
    let requests = (0..REQUESTS).map(async |number| {
        let new = meeting(&nina, key(number as u128), 1);
        store.insert_entry(new, soon()).await.unwrap();
        answered.fetch_add(1, Ordering::Relaxed);
    });
    let held = async {
        let options: SqliteConnectOptions = database.url.parse().unwrap();
        let mut other = options
            .busy_timeout(Duration::ZERO)
            .connect()
            .await
            .unwrap();
        while answered.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        // Between two commits, whenever that is.
        while other.execute("BEGIN IMMEDIATE").await.is_err() {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM time_entries");
        let stored: i64 = count.fetch_one(&mut other).await.unwrap();
        let told = answered.load(Ordering::Relaxed);
        other.execute("ROLLBACK").await.unwrap();
        (usize::try_from(stored).unwrap(), told)
    };
    let (_, (stored, told)) = tokio::join!(futures_util::future::join_all(requests), held);
    assert!(stored < REQUESTS, "some are to wait");
    assert_eq!(told, stored, "who is stored has heard it");
}

async fn one_bad_request_harms_no_other(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let mut stranger = meeting(&nina, key(1), 10);
    stranger.user_id = Uuid::from_u128(99);
    let requests = (0..20).map(|number| {
        let new = if number == 7 {
            stranger.clone()
        } else {
            meeting(&nina, key(number), 1)
        };
        store.insert_entry(new, soon())
    });
    let results = futures_util::future::join_all(requests).await;
    let failed: Vec<usize> = results
        .iter()
        .enumerate()
        .filter(|(_, r)| r.is_err())
        .map(|(n, _)| n)
        .collect();
    assert_eq!(failed, [7]);
    assert!(matches!(results[7], Err(NotSaved::Nothing(_))));
    assert_eq!(total(&store, &nina).await, 19);
}

async fn what_is_too_late_is_not_saved(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let too_late = Instant::now()
        .checked_sub(Duration::from_millis(1))
        .unwrap();
    let result = store
        .insert_entry(meeting(&nina, key(1), 10), too_late)
        .await;
    match result {
        // What is said to be not saved must not be saved, also later.
        Err(NotSaved::Nothing(_)) => {
            log(&store, &nina, 2, 5).await;
            assert_eq!(total(&store, &nina).await, 5);
        }
        // The commit had begun; then the key says what became of it.
        Err(NotSaved::Unknown) => {
            let receipt = log(&store, &nina, 1, 10).await;
            assert_eq!(total(&store, &nina).await, receipt.day_total.get());
        }
        Ok(receipt) => panic!("answered after the deadline: {receipt:?}"),
    }
}

async fn home_reads_the_day_and_the_last_entries(store: Store, _: Clock) {
    let nina = nina(&store).await;
    for (number, days_ago) in [(1, 0), (2, 20), (3, 1), (4, 0)] {
        let mut new = meeting(&nina, key(number), 10);
        new.fields.date = day() - TimeDelta::days(days_ago);
        store.insert_entry(new, soon()).await.unwrap();
    }
    let noon = day().and_hms_opt(12, 0, 0).unwrap().and_utc();
    let spans = HomeSpans {
        today: day(),
        day: [noon - TimeDelta::hours(12), noon + TimeDelta::hours(12)],
        week: [day() - TimeDelta::days(4), day() + TimeDelta::days(2)],
        recent_since: day() - TimeDelta::days(14),
        waits_since: noon - TimeDelta::days(28),
    };
    let home = store.home(nina.user_id, spans).await.unwrap();
    let sums: Vec<(i64, u32)> = home
        .week
        .iter()
        .map(|total| ((day() - total.date).num_days(), total.minutes.get()))
        .collect();
    assert_eq!(sums, [(1, 10), (0, 20)]);
    assert_eq!(home.today.len(), 2);
    let days: Vec<i64> = home
        .recent
        .iter()
        .map(|e| (day() - e.date).num_days())
        .collect();
    assert_eq!(days, [0, 0, 1]);
    assert!(
        home.recent[0].id > home.recent[1].id,
        "the latest of a day comes first"
    );
    assert!(home.waiting.is_empty() && home.left_out.is_empty() && home.accounts.is_empty());
    assert_eq!(home.timer, None);
}

async fn the_home_fingerprint_is_kept(store: Store, _: Clock) {
    let nina = nina(&store).await;
    assert!(!nina.has_opened_home);
    store.note_home_opened(nina.binding_id).await.unwrap();
    assert!(
        store
            .member("T1", "U1")
            .await
            .unwrap()
            .unwrap()
            .has_opened_home
    );
    assert_eq!(store.home_view_hash(nina.binding_id).await.unwrap(), None);
    for (before, hash, is_saved) in [
        (None, Some("1.abc"), true),
        // Somebody else published meanwhile.
        (None, Some("1.def"), false),
        (Some("1.abc"), Some("1.ghi"), true),
        (Some("1.abc"), Some("1.jkl"), false),
    ] {
        let saved = store.save_home_view_hash(nina.binding_id, before, hash);
        assert_eq!(saved.await.unwrap(), is_saved, "{hash:?}");
    }
    assert_eq!(
        store
            .home_view_hash(nina.binding_id)
            .await
            .unwrap()
            .as_deref(),
        Some("1.ghi")
    );
}

async fn requests_are_forgotten_after_a_while(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    log(&store, &nina, 1, 10).await;
    clock.advance(TimeDelta::hours(2));
    log(&store, &nina, 2, 10).await;
    assert_eq!(
        store
            .forget_requests_older_than(TimeDelta::hours(1))
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .forget_requests_older_than(TimeDelta::hours(1))
            .await
            .unwrap(),
        0
    );
    assert_eq!(total(&store, &nina).await, 20, "the entries stay");
}

fn a_job() -> NewJob {
    NewJob {
        unique_key: "a".into(),
        payload: r#"{"x":1}"#.into(),
        is_prompt: false,
        run_at: None,
    }
}

const LEASE: TimeDelta = TimeDelta::seconds(60);

async fn a_job_is_one_however_often_it_is_asked_for(store: Store, _: Clock) {
    for _ in 0..3 {
        store.add_job(&a_job()).await.unwrap();
    }
    assert_eq!(store.job_counts().await.unwrap().open, 1);
    let job = store.claim_job(LEASE, false).await.unwrap().unwrap();
    assert_eq!(
        (job.payload.as_str(), job.asked, job.attempts),
        (r#"{"x":1}"#, 3, 1)
    );
    store.finish_job(&job).await.unwrap();
    assert_eq!(store.job_counts().await.unwrap().open, 0);
}

async fn a_job_asked_for_while_it_runs_runs_again(store: Store, _: Clock) {
    store.add_job(&a_job()).await.unwrap();
    let job = store.claim_job(LEASE, false).await.unwrap().unwrap();
    store.add_job(&a_job()).await.unwrap();
    store.finish_job(&job).await.unwrap();
    let again = store.claim_job(LEASE, false).await.unwrap().unwrap();
    store.finish_job(&again).await.unwrap();
    assert_eq!(store.claim_job(LEASE, false).await.unwrap(), None);
}

async fn a_job_is_taken_by_one_and_comes_back_when_its_lease_ends(store: Store, clock: Clock) {
    store.add_job(&a_job()).await.unwrap();
    let claims =
        futures_util::future::join_all((0..16).map(|_| store.claim_job(LEASE, false))).await;
    let taken = claims
        .into_iter()
        .filter(|claim| matches!(claim, Ok(Some(_))))
        .count();
    assert_eq!(taken, 1);
    clock.advance(LEASE);
    assert_eq!(
        store
            .claim_job(LEASE, false)
            .await
            .unwrap()
            .unwrap()
            .attempts,
        2
    );
}

async fn a_failed_job_waits_and_dies(store: Store, clock: Clock) {
    store.add_job(&a_job()).await.unwrap();
    let job = store.claim_job(LEASE, false).await.unwrap().unwrap();
    let later = clock.now() + TimeDelta::seconds(10);
    store
        .fail_job(&job, "Slack is away", Some(later))
        .await
        .unwrap();
    assert_eq!(store.claim_job(LEASE, false).await.unwrap(), None);
    clock.advance(TimeDelta::seconds(10));
    let job = store.claim_job(LEASE, false).await.unwrap().unwrap();
    store.fail_job(&job, "Slack is away", None).await.unwrap();
    let counts = store.job_counts().await.unwrap();
    assert_eq!((counts.open, counts.dead), (0, 1));
    clock.advance(TimeDelta::days(1));
    assert_eq!(store.claim_job(LEASE, false).await.unwrap(), None);
    // Asked for anew, it lives again.
    store.add_job(&a_job()).await.unwrap();
    assert!(store.claim_job(LEASE, false).await.unwrap().is_some());
}

async fn a_lost_lease_ends_nothing(store: Store, clock: Clock) {
    store.add_job(&a_job()).await.unwrap();
    let lost = store.claim_job(LEASE, false).await.unwrap().unwrap();
    clock.advance(LEASE);
    let taken = store.claim_job(LEASE, false).await.unwrap().unwrap();
    store.finish_job(&lost).await.unwrap();
    store.fail_job(&lost, "late", None).await.unwrap();
    store.postpone_job(&lost, clock.now()).await.unwrap();
    let counts = store.job_counts().await.unwrap();
    assert_eq!((counts.open, counts.dead), (1, 0));
    assert_eq!(store.claim_job(LEASE, false).await.unwrap(), None);
    store.finish_job(&taken).await.unwrap();
    assert_eq!(store.job_counts().await.unwrap().open, 0);
}

async fn waiting_is_no_attempt(store: Store, clock: Clock) {
    store.add_job(&a_job()).await.unwrap();
    for _ in 0..10 {
        let job = store.claim_job(LEASE, false).await.unwrap().unwrap();
        assert_eq!(job.attempts, 1);
        let later = clock.now() + TimeDelta::seconds(1);
        store.postpone_job(&job, later).await.unwrap();
        assert_eq!(store.claim_job(LEASE, false).await.unwrap(), None);
        clock.advance(TimeDelta::seconds(1));
    }
}

async fn health_is_checked_by_writing(store: Store, _: Clock) {
    store.check().await.unwrap();
    store.job_wanted(Duration::from_millis(1), false).await;
    store.close().await;
    assert!(store.check().await.is_err());
}

async fn migrations_run_once(store: Store, _: Clock) {
    assert_eq!(store.pending_migrations().await.unwrap(), 0);
    store.migrate().await.unwrap();
    assert!(["SQLite", "PostgreSQL"].contains(&store.kind()));
}
