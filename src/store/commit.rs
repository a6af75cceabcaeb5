//! Making time entries, many in one commit.
//!
//! A durable commit costs one sync of the disk however much it holds. Requests therefore queue up while
//! a commit is under way, and all that wait go into the next one together. Nobody is made to wait for
//! company: a single request is committed at once.
//!
//! What a request is told is always true:
//! - it is answered only after the commit that holds its entry;
//! - one whose time ran out while it still queued is taken out and told that nothing was saved;
//! - one whose time ran out during the commit is told that it is not known. Its key makes sure that
//!   asking again cannot log twice.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use chrono::NaiveDate;
use sqlx::{QueryBuilder, types::Json};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use uuid::Uuid;

use super::{Db, NewJob, PATIENCE, Store, StoreError, entries::minutes_of, jobs::add_job};
use crate::{
    clock::Clock,
    domain::{
        minutes::Minutes,
        time_entry::{EntryFields, EntrySource, Receipt, TimeEntry},
    },
};

/// Requests that may wait for the next commit. More than this and the database is not keeping up.
const QUEUE: usize = 2048;
/// Rows in one commit: far below what a statement may bind (32,766 values on SQLite).
pub(super) const BATCH: usize = 64;
/// No answer waits longer than this for the next commit to begin, whatever keeps that.
const TOLD_AFTER: Duration = Duration::from_millis(5);
/// The numbers of rows that statements are prepared for. A statement for each number from 1 to 64 would be
/// prepared again and again, and keeping them all prepared takes much memory; these few are kept. What is
/// missing to the next number is filled with the last row once more, which changes nothing: every
/// statement here ignores a row that is there already.
const SIZES: [usize; 7] = [1, 2, 4, 8, 16, 32, BATCH];

/// The rows, filled up to one of [`SIZES`].
fn filled<T>(rows: &[T]) -> impl Iterator<Item = &T> {
    let size = SIZES
        .into_iter()
        .find(|size| *size >= rows.len())
        .unwrap_or(rows.len());
    rows.iter()
        .chain(rows.last())
        .chain(rows.last().into_iter().cycle())
        .take(size)
}

/// An entry to be made.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Names the request. Under one key a person gets one entry, however often it is asked.
    pub key: Uuid,
    /// Whose time it is.
    pub user_id: Uuid,
    /// How it came in.
    pub source: EntrySource,
    /// What the person says of it.
    pub fields: EntryFields,
    /// The line as it was typed.
    pub typed_text: Option<String>,
    /// The message it came from.
    pub permalink: Option<String>,
    /// What has to follow, in the same transaction.
    pub then: Option<NewJob>,
}

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The entry and its day.
    pub receipt: Receipt,
    /// Whether it may share time with another: somebody said from when to when one of the day's was.
    pub may_overlap: bool,
}

/// Why a request was not answered with an entry.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotSaved {
    /// Nothing is stored.
    #[error("the entry was not saved")]
    Nothing(#[source] Arc<StoreError>),
    /// The database did not answer while it was committing: the entry may be stored or not.
    #[error("the database did not answer during the commit")]
    Unknown,
}

/// The way to the task that commits.
#[derive(Clone, Debug)]
pub(super) struct Queue(mpsc::Sender<Request>);

#[derive(Debug)]
struct Request {
    new: NewEntry,
    stage: Arc<AtomicU8>,
    answer: Listener,
}

/// A request waits until either the commit takes it or its own deadline does; never both.
const WAITING: u8 = 0;
const COMMITTING: u8 = 1;
const GIVEN_UP: u8 = 2;

fn take(stage: &AtomicU8, to: u8) -> bool {
    stage
        .compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire)
        .is_ok()
}

impl Store {
    /// Makes an entry, durably, or says why not, at `deadline` at the latest. A key that was used
    /// before gets the answer it got then.
    ///
    /// # Errors
    /// See [`NotSaved`].
    pub async fn insert_entry(&self, new: NewEntry, deadline: Instant) -> Result<Made, NotSaved> {
        let too_slow = || NotSaved::Nothing(Arc::new(StoreError::TooSlow));
        // What comes too late is not even tried: nobody could say in time what came of it.
        if Instant::now() >= deadline {
            return Err(too_slow());
        }
        let has_job = new.then.is_some();
        let stage = Arc::new(AtomicU8::new(WAITING));
        let (answer, answered) = oneshot::channel();
        match tokio::time::timeout_at(deadline, self.commits.0.reserve()).await {
            Ok(Ok(place)) => place.send(Request {
                new,
                stage: stage.clone(),
                answer,
            }),
            Ok(Err(_)) | Err(_) => return Err(too_slow()),
        }
        let made = match tokio::time::timeout_at(deadline, answered).await {
            Ok(Ok(result)) => result?,
            // The answer is gone unsent: the committing task panicked, or the program is ending.
            Ok(Err(_)) => return Err(NotSaved::Unknown),
            Err(_) if take(&stage, GIVEN_UP) => return Err(too_slow()),
            Err(_) => return Err(NotSaved::Unknown),
        };
        if has_job {
            self.wake_workers();
        }
        Ok(made)
    }
}

impl Queue {
    pub(super) fn start(db: Db, clock: Clock) -> Self {
        let (sender, mut requests) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            let mut told = Told::default();
            while requests.recv_many(&mut batch, BATCH).await > 0 {
                batch.retain(|request: &Request| take(&request.stage, COMMITTING));
                commit(&db, &mut told, &clock, std::mem::take(&mut batch)).await;
                if requests.is_empty() {
                    told.send();
                }
            }
        });
        Self(sender)
    }
}

/// Answers of the last commit. Where requests wait already they go out when SQLite has begun the next one, which takes
/// it a moment: those who are answered first would keep the processors from SQLite's thread for longer than that.
#[derive(Default)]
struct Told(Vec<(Listener, Result<Made, NotSaved>)>);

type Listener = oneshot::Sender<Result<Made, NotSaved>>;

impl Told {
    fn send(&mut self) {
        let answers = std::mem::take(&mut self.0);
        if answers.is_empty() {
            return;
        }
        // A task, so that what comes next is asked of the database before.
        tokio::spawn(async move {
            for (listener, answer) in answers {
                // Nobody listens any more if the deadline passed: the key keeps the answer.
                let _ = listener.send(answer);
            }
        });
    }
}

/// Commits the requests together; where one of them breaks a rule of the tables, each on its own, so
/// that it harms no other.
async fn commit(db: &Db, told: &mut Told, clock: &Clock, requests: Vec<Request>) {
    if requests.is_empty() {
        return;
    }
    let news: Vec<&NewEntry> = requests.iter().map(|request| &request.new).collect();
    // Almost always no request is a repetition, and asking first would cost every commit a statement. Where
    // one is, the second attempt looks for its answer; where another replica is answering the same request
    // at this moment, the attempt after it has committed.
    let mut written = write(db, told, clock, &news, Repetitions::Unlikely).await;
    for _ in 0..3 {
        match &written {
            Err(NotSaved::Nothing(problem)) if matches!(**problem, StoreError::Repeated) => {
                written = write(db, told, clock, &news, Repetitions::Known).await;
            }
            _ => break,
        }
    }
    let problem = match written {
        Ok(made) => {
            let answers = made
                .into_iter()
                .map(|made| made.map_err(|problem| NotSaved::Nothing(Arc::new(problem))));
            let listeners = requests.into_iter().map(|request| request.answer);
            told.0.extend(listeners.zip(answers));
            return;
        }
        Err(problem) => problem,
    };
    if requests.len() > 1 && concerns_one(&problem) {
        for request in requests {
            Box::pin(commit(db, told, clock, vec![request])).await;
        }
        return;
    }
    for request in requests {
        let _ = request.answer.send(Err(problem.clone()));
    }
}

/// Whether the problem lies in one request and not in the database.
fn concerns_one(problem: &NotSaved) -> bool {
    let NotSaved::Nothing(problem) = problem else {
        return false;
    };
    match &**problem {
        StoreError::Repeated => true,
        StoreError::Database(sqlx::Error::Database(error)) => {
            // PostgreSQL's classes 22 (a value that it does not take) and 40 (given up for another's sake), and
            // a key that another replica is writing at this moment.
            let code = error.code();
            let code = code.as_deref().unwrap_or_default();
            let is_one = code.starts_with("22") || code.starts_with("40") || code == "55P03";
            is_one || !matches!(error.kind(), sqlx::error::ErrorKind::Other)
        }
        _ => false,
    }
}

/// The rows of one commit, in a fixed number of statements: who has answers already (where that is known
/// of some), the sums of the days, the keys with their answers, the entries, the jobs. Each is a wait for
/// the database; one that takes several statements at a time gets keys and entries together.
macro_rules! rows {
    ($database:ty, takes_several: $takes_several:literal, $conn:ident, $clock:expr, $news:expr, $repetitions:expr) => {
        async {
            let news: &[&NewEntry] = $news;
            let mut answers = Answers::default();
            if $repetitions == Repetitions::Known {
                let mut query = QueryBuilder::<$database>::new(
                    "SELECT user_id, key, answer FROM idempotency_keys WHERE (user_id, key) IN (",
                );
                query.push_values(filled(news), |mut row, new| {
                    row.push_bind(new.user_id).push_bind(new.key);
                });
                query.push(")");
                let known: Vec<KnownAnswer> = query.build_query_as().fetch_all(&mut *$conn).await?;
                answers = Answers::from(known);
            }
            let fresh = answers.missing(news);
            if fresh.is_empty() {
                return Ok(answers.in_order(news));
            }

            // Each day for itself, so that its entries are summed up as the index holds them: of all days in one list
            // SQLite would sort the entries first.
            let mut days: Vec<(Uuid, NaiveDate)> = fresh.iter().map(|new| (new.user_id, new.fields.date)).collect();
            days.sort_unstable();
            days.dedup();
            let mut query = QueryBuilder::<$database>::new("");
            let mut each = query.separated(" UNION ALL ");
            for (nth, (user_id, date)) in filled(&days).enumerate() {
                each.push(format_args!("SELECT {nth}"))
                    .push_unseparated(
                        ", COALESCE(CAST(SUM(duration_minutes) AS BIGINT), 0), COUNT(*) FILTER (WHERE is_timed) \
                         FROM time_entries WHERE deleted_at IS NULL AND user_id = ",
                    )
                    .push_bind_unseparated(*user_id)
                    .push_unseparated(" AND date = ")
                    .push_bind_unseparated(*date);
            }
            let sums: Vec<DaySum> = query.build_query_as().fetch_all(&mut *$conn).await?;
            let made = made(&fresh, &days, sums, $clock);
            let receipts: Vec<&Receipt> = made.iter().map(|made| &made.receipt).collect();

            let mut query = QueryBuilder::<$database>::new(
                "INSERT INTO idempotency_keys (user_id, key, answer, created_at) ",
            );
            query.push_values(filled(&fresh).zip(filled(&receipts)), |mut row, (new, receipt)| {
                row.push_bind(new.user_id)
                    .push_bind(new.key)
                    .push_bind(Json(Some(receipt)))
                    .push_bind(receipt.entry.created_at);
            });
            query.push(" ON CONFLICT (user_id, key) DO NOTHING");
            let mut written = 0;
            if $takes_several {
                query.push("; ");
            } else {
                written += query.build().execute(&mut *$conn).await?.rows_affected();
                query = QueryBuilder::new("");
            }
            query.push(
                "INSERT INTO time_entries (id, user_id, source, status, description, date, started_at, ended_at, \
                 is_timed, duration_minutes, project_id, billable, tags, permalink, typed_text, version, \
                 created_at, updated_at) ",
            );
            query.push_values(filled(&receipts), |mut row, Receipt { entry, .. }| {
                row.push_bind(entry.id)
                    .push_bind(entry.user_id)
                    .push_bind(entry.source.as_str())
                    .push_bind(entry.status.as_str())
                    .push_bind(entry.description.as_str())
                    .push_bind(entry.date)
                    .push_bind(entry.started_at)
                    .push_bind(entry.ended_at)
                    .push_bind(entry.is_timed)
                    .push_bind(i32::try_from(entry.duration_minutes.get()).unwrap_or(i32::MAX))
                    .push_bind(entry.project.as_ref().map(|project| project.id))
                    .push_bind(entry.billable)
                    .push_bind(Json(&entry.tags))
                    .push_bind(entry.permalink.as_deref())
                    .push_bind(entry.typed_text.as_deref())
                    .push_bind(entry.version)
                    .push_bind(entry.created_at)
                    .push_bind(entry.updated_at);
            });
            query.push(" ON CONFLICT (id) DO NOTHING");
            written += query.build().execute(&mut *$conn).await?.rows_affected();
            // A key and an entry each; a key less means that it was used before.
            if written != 2 * fresh.len() as u64 {
                return Err(StoreError::Repeated);
            }

            for job in jobs(&fresh) {
                add_job!($clock, $conn, job);
            }
            answers.add(&fresh, made);
            Ok(answers.in_order(news))
        }
        .await
    };
}
/// Whether some of the requests were answered before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repetitions {
    Unlikely,
    Known,
}

/// Writes the entries in one transaction; the receipts come in the same order.
async fn write(
    db: &Db,
    told: &mut Told,
    clock: &Clock,
    news: &[&NewEntry],
    repetitions: Repetitions,
) -> Result<Vec<Result<Made, StoreError>>, NotSaved> {
    let nothing = |error: StoreError| NotSaved::Nothing(Arc::new(error));
    let attempt = async {
        match db {
            Db::Sqlite { writer, .. } => {
                let mut beginning = pin!(writer.begin_with("BEGIN IMMEDIATE"));
                let in_time = tokio::time::timeout(TOLD_AFTER, &mut beginning).await;
                told.send();
                let begun = match in_time {
                    Ok(begun) => begun,
                    Err(_) => beginning.await,
                };
                let mut conn = begun.map_err(|e| nothing(e.into()))?;
                let made = rows!(sqlx::Sqlite, takes_several: true, conn, clock, news, repetitions)
                    .map_err(nothing)?;
                // A commit that SQLite refuses is rolled back.
                conn.commit().await.map_err(|e| nothing(e.into()))?;
                Ok(made)
            }
            Db::Postgres(pool) => {
                told.send();
                let mut conn = pool.begin().await.map_err(|e| nothing(e.into()))?;
                let made =
                    rows!(sqlx::Postgres, takes_several: false, conn, clock, news, repetitions)
                        .map_err(nothing)?;
                // The connection may have broken before or after PostgreSQL committed.
                conn.commit().await.map_err(|_| NotSaved::Unknown)?;
                Ok(made)
            }
        }
    };
    tokio::time::timeout(PATIENCE * 2, attempt)
        .await
        .unwrap_or(Err(NotSaved::Unknown))
}

type KnownAnswer = (Uuid, Uuid, Json<serde_json::Value>);
/// Which of the days it is, its minutes, and how many of its entries somebody gave times for.
type DaySum = (i32, i64, i64);

/// What each request of a commit is told, by person and key.
#[derive(Default)]
struct Answers(HashMap<(Uuid, Uuid), Result<Made, String>>);

impl From<Vec<KnownAnswer>> for Answers {
    fn from(known: Vec<KnownAnswer>) -> Self {
        Self(
            known
                .into_iter()
                .map(|(user, key, answer)| {
                    let made = serde_json::from_value(answer.0).map(|receipt| Made {
                        receipt,
                        // Asked for again, it is looked up.
                        may_overlap: true,
                    });
                    ((user, key), made.map_err(|problem| problem.to_string()))
                })
                .collect(),
        )
    }
}

impl Answers {
    /// The requests that have no answer yet, each key once. Sorted, so that two replicas never wait for
    /// each other's keys.
    fn missing<'a>(&self, news: &[&'a NewEntry]) -> Vec<&'a NewEntry> {
        let mut missing: Vec<&NewEntry> = news
            .iter()
            .copied()
            .filter(|new| !self.0.contains_key(&(new.user_id, new.key)))
            .collect();
        missing.sort_by_key(|new| (new.user_id, new.key));
        missing.dedup_by_key(|new| (new.user_id, new.key));
        missing
    }

    fn add(&mut self, fresh: &[&NewEntry], made: Vec<Made>) {
        for (new, made) in fresh.iter().zip(made) {
            self.0.insert((new.user_id, new.key), Ok(made));
        }
    }

    /// Each request's own answer. One whose key was used for something else harms no other.
    fn in_order(&self, news: &[&NewEntry]) -> Vec<Result<Made, StoreError>> {
        let unreadable =
            |key, problem: &str| StoreError::unreadable("idempotency_keys", "answer", key, problem);
        let answer = |new: &&NewEntry| match self.0.get(&(new.user_id, new.key)) {
            Some(Ok(made)) => Ok(made.clone()),
            Some(Err(problem)) => Err(unreadable(new.key, problem)),
            None => Err(unreadable(new.key, "it is not there")),
        };
        news.iter().map(answer).collect()
    }
}

/// The entries as they will stand, each with the sum of its day up to and including itself.
fn made(
    fresh: &[&NewEntry],
    days: &[(Uuid, NaiveDate)],
    sums: Vec<DaySum>,
    clock: &Clock,
) -> Vec<Made> {
    let sum_of = |(nth, sum, timed): DaySum| {
        // No day is there where the list was filled up.
        let day = days.get(usize::try_from(nth).ok()?)?;
        Some((*day, (minutes_of(sum), timed > 0)))
    };
    let mut days: HashMap<_, (Minutes, bool)> = sums.into_iter().filter_map(sum_of).collect();
    let now = clock.now();
    let made = |new: &&NewEntry| {
        let fields = &new.fields;
        let (total, has_timed) = days.entry((new.user_id, fields.date)).or_default();
        let may_overlap = fields.is_timed || *has_timed;
        *total += fields.duration;
        *has_timed |= fields.is_timed;
        let entry = TimeEntry {
            permalink: new.permalink.clone(),
            typed_text: new.typed_text.clone(),
            ..fields
                .clone()
                .into_entry(clock.new_id(), new.user_id, new.source, now)
        };
        Made {
            receipt: Receipt {
                entry,
                day_total: *total,
            },
            may_overlap,
        }
    };
    fresh.iter().map(made).collect()
}

/// What has to follow, each job once and in a fixed order, for the same reason as the keys.
fn jobs<'a>(fresh: &[&'a NewEntry]) -> Vec<&'a NewJob> {
    let mut jobs: Vec<&NewJob> = fresh.iter().filter_map(|new| new.then.as_ref()).collect();
    jobs.sort_by(|a, b| a.unique_key.cmp(&b.unique_key));
    jobs.dedup_by(|a, b| a.unique_key == b.unique_key);
    jobs
}
