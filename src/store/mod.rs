//! Everything that is kept. The only room that names sqlx.
//!
//! One [`Store`] around two native pools. Every statement is written once, with `$1` placeholders,
//! and is compiled against both databases by [`read!`] and [`tx!`]. What differs between the two is
//! how a connection is opened (here) and the column types (in `migrations/`).
//!
//! Rules that hold in every file of this folder:
//! - Whatever belongs to a person is found by `user_id` *and* its own id; a foreign id is an unknown one.
//! - Instants are bound from the clock, to the microsecond; ids are bound as [`Uuid`], never as text.
//! - A method is one transaction, and no transaction waits for anything but the database.

mod api_requests;
mod audit;
mod batches;
mod busy;
mod changes;
mod clients;
mod commit;
mod connections;
mod ended;
mod entries;
mod entry_pages;
mod errands;
mod events;
mod export;
mod home;
mod import;
mod installs;
mod jobs;
mod known;
mod notices;
mod own_data;
mod people;
mod preferences;
mod projects;
mod reports;
mod rules;
mod sessions;
mod summaries;
mod sums;
mod sync;
mod timers;
mod tokens;
mod undo;
mod workspace;

use std::{path::PathBuf, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions as _, PgPool, SqlitePool,
    migrate::MigrateError,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use uuid::Uuid;

use crate::{
    clock::Clock,
    keyring::{Keyring, NotOpened, Place},
};

pub use api_requests::{RequestClaim, StoredAnswer};
pub use batches::{Batch, BatchOf};
pub use busy::is_busy;
pub use changes::{EntryChange, Step};
pub use clients::ClientChange;
pub use commit::{Made, NewEntry, NotSaved};
pub use connections::{NewAccount, SavedAccount};
pub use entry_pages::{EntryFilter, ListedEntry};
pub use errands::{Errand, LinkIntent, NewErrand, Parked};
pub use events::LogEvent;
pub use export::{ExportedEntry, ExportedPerson};
pub use home::{HomeRows, HomeSpans};
pub use import::{EntryTimes, KnownEntry};
pub use installs::{Install, InstallToken, NewInstall};
pub use jobs::{ClaimedJob, DeadJob, JobCounts, NewJob};
pub use notices::{NoticeClaim, NoticeState, SentNotice};
pub use own_data::{OwnData, OwnEntry, OwnEvent, OwnRecords};
pub use people::{Profile, Workspace};
pub use projects::{DefaultProject, NewProject, ProjectChange, ProjectEdit};
pub use reports::ShareClaim;
pub use sessions::{ApiToken, OpenSession};
pub use summaries::{Planned, Replan};
pub use sums::{Sum, SumBy};
pub use sync::{Shown, SyncTarget};
pub use timers::{TimerChange, TimerStep, TimerToAsk};
pub use tokens::{StoredTokens, TokenRow};
pub use workspace::{ConnectedCalendar, SettingsChange, WorkspaceFacts};

/// How long one statement may wait for the database before it is given up. The answer to a person is
/// due 2.5 s after they pressed Enter, and two waits may follow one another.
const PATIENCE: Duration = Duration::from_secs(1);

/// The database, SQLite or PostgreSQL. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    clock: Clock,
    commits: commit::Queue,
    /// One for the workers that do anything, one for those that do what somebody waits for.
    job_added: Arc<[tokio::sync::Notify; 2]>,
    keys: Option<Keyring>,
}

#[derive(Clone, Debug)]
enum Db {
    /// One connection writes, so that a transaction never fails on a lock it took too late; several
    /// read. In memory both are the same single connection, because each would be a database of its own.
    Sqlite {
        reader: SqlitePool,
        writer: SqlitePool,
    },
    Postgres(PgPool),
}

/// Runs an expression with a pool to read from: `read!(self, db => query.fetch_all(db).await)`.
macro_rules! read {
    ($store:expr, $db:ident => $body:expr) => {
        match &$store.db {
            $crate::store::Db::Sqlite { reader: $db, .. } => $body,
            $crate::store::Db::Postgres($db) => $body,
        }
    };
}

/// Runs a block in one transaction: `tx!(self, conn => { … })`. The block's value is kept if it is `Ok`
/// and committed; an `Err` (or a `?`) rolls back. Inside, `&mut *conn` is the executor.
macro_rules! tx {
    ($store:expr, $conn:ident => $body:block) => {
        match &$store.db {
            $crate::store::Db::Sqlite { writer, .. } => {
                let mut $conn = writer.begin_with("BEGIN IMMEDIATE").await?;
                let outcome: Result<_, $crate::store::StoreError> = async { $body }.await;
                if outcome.is_ok() {
                    $conn.commit().await?;
                }
                outcome
            }
            $crate::store::Db::Postgres(pool) => {
                let mut $conn = pool.begin().await?;
                let outcome: Result<_, $crate::store::StoreError> = async { $body }.await;
                if outcome.is_ok() {
                    // The connection may have broken before or after PostgreSQL committed.
                    $conn
                        .commit()
                        .await
                        .map_err($crate::store::StoreError::Unconfirmed)?;
                }
                outcome
            }
        }
    };
}
pub(in crate::store) use {read, tx};

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database did not do it")]
    Database(#[from] sqlx::Error),
    /// The database did not say whether it committed.
    #[error("the database did not confirm the commit")]
    Unconfirmed(#[source] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("the tables could not be brought up to date")]
    Migration(#[from] MigrateError),
    /// The address of the database cannot be read.
    #[error("DATABASE_URL cannot be read: {0}")]
    Address(String),
    /// The database cannot be opened.
    #[error("DATABASE_URL names {named}, which cannot be opened")]
    Unopened {
        /// The file or the server, without a password.
        named: String,
        /// Why not.
        source: sqlx::Error,
    },
    /// There is no such SQLite file, and none was to be made.
    #[error(
        "DATABASE_URL names the SQLite file {}, and there is none. Set it to the database that the bot uses",
        path.display()
    )]
    Absent {
        /// Where it would be.
        path: PathBuf,
    },
    /// A row holds something that this version cannot read.
    #[error("{table}.{column} of row {row} cannot be read: {problem}")]
    Unreadable {
        /// Where the row stands.
        table: &'static str,
        /// Which column it is.
        column: &'static str,
        /// The row's id.
        row: Uuid,
        /// What is wrong with it.
        problem: String,
    },
    /// A sealed value cannot be opened.
    #[error("{table}.{column} of row {row} cannot be opened: {problem}")]
    Sealed {
        /// Where the row stands.
        table: &'static str,
        /// Which column it is.
        column: &'static str,
        /// The row's id.
        row: Uuid,
        /// What is wrong with it.
        problem: NotOpened,
    },
    /// The store was opened without the keys that seal tokens.
    #[error("the store has no keys to seal with")]
    NoKeys,
    /// The same request is answered already, or by another replica at this moment.
    #[error("the same request was answered at the same moment")]
    Repeated,
    /// The database did not answer in time.
    #[error("the database did not answer within {} ms", PATIENCE.as_millis())]
    TooSlow,
}

impl Store {
    /// Opens the database at `url` (`sqlite://…`, `sqlite::memory:` or `postgres://…`), creates the
    /// SQLite file where it is missing, and brings the tables up to date.
    ///
    /// # Errors
    /// The address cannot be read, the database cannot be reached, or a migration fails.
    pub async fn open(url: &str, clock: Clock) -> Result<Self, StoreError> {
        let store = Self::connect(url, clock).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// As [`open`](Self::open), but makes no SQLite file where there is none: for whoever looks for what is in it.
    ///
    /// # Errors
    /// As [`open`](Self::open), and there is no such file.
    pub async fn open_existing(url: &str, clock: Clock) -> Result<Self, StoreError> {
        if let Some(path) = sqlite_file(url)?
            && matches!(path.try_exists(), Ok(false))
        {
            return Err(StoreError::Absent { path });
        }
        Self::open(url, clock).await
    }

    /// The same store, with the keys that seal tokens in it. Without them nothing secret can be stored or read.
    #[must_use]
    pub fn with_keys(self, keys: Keyring) -> Self {
        Self {
            keys: Some(keys),
            ..self
        }
    }

    /// Whether a key of this name is there.
    pub fn holds_key(&self, id: &str) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.holds(id))
    }

    /// The keys, for what is sealed and kept elsewhere.
    ///
    /// # Errors
    /// The store was opened without them.
    pub fn keys(&self) -> Result<&Keyring, StoreError> {
        self.keys.as_ref().ok_or(StoreError::NoKeys)
    }

    /// Opens what is sealed in a column of a row.
    fn unsealed(&self, place: Place, sealed: &str) -> Result<secrecy::SecretString, StoreError> {
        let Place { table, column, row } = place;
        self.keys()?
            .open(place, sealed)
            .map_err(|problem| StoreError::Sealed {
                table,
                column,
                row,
                problem,
            })
    }

    /// Opens the database without touching its tables (for `doctor`).
    ///
    /// # Errors
    /// The address cannot be read or the database cannot be reached.
    pub async fn connect(url: &str, clock: Clock) -> Result<Self, StoreError> {
        let db = if url.starts_with("sqlite:") {
            Db::open_sqlite(url).await?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Db::open_postgres(url).await?
        } else {
            return Err(StoreError::Address(
                "it must begin with sqlite:// or postgres://".to_owned(),
            ));
        };
        let commits = commit::Queue::start(db.clone(), clock.clone());
        Ok(Self {
            db,
            clock,
            commits,
            job_added: Arc::default(),
            keys: None,
        })
    }

    /// Brings the tables up to date. Safe to call from several replicas at once.
    ///
    /// # Errors
    /// A migration fails, or the tables were made by a newer version.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.db {
            Db::Sqlite { writer, .. } => sqlx::migrate!("migrations/sqlite").run(writer).await?,
            Db::Postgres(pool) => sqlx::migrate!("migrations/postgres").run(pool).await?,
        }
        Ok(())
    }

    /// How many table changes wait to be made.
    ///
    /// # Errors
    /// The database does not answer, or its tables were made by a newer version.
    pub async fn pending_migrations(&self) -> Result<usize, StoreError> {
        let (is_new,): (bool,) = match &self.db {
            Db::Sqlite { reader, .. } => {
                let sql = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations')";
                sqlx::query_as(sql).fetch_one(reader).await?
            }
            Db::Postgres(pool) => {
                sqlx::query_as("SELECT to_regclass('_sqlx_migrations') IS NULL")
                    .fetch_one(pool)
                    .await?
            }
        };
        let all = sqlx::migrate!("migrations/sqlite").iter().count();
        if is_new {
            return Ok(all);
        }
        let (done,): (i64,) = read!(self, db => {
            sqlx::query_as("SELECT COUNT(*) FROM _sqlx_migrations WHERE success").fetch_one(db).await
        })?;
        Ok(all.saturating_sub(usize::try_from(done).unwrap_or(0)))
    }

    /// Whether the database can be written to right now.
    ///
    /// # Errors
    /// It cannot; the error says why.
    pub async fn check(&self) -> Result<(), StoreError> {
        let check = async {
            tx!(self, conn => {
                // A statement that takes the write lock and finds nothing to do.
                sqlx::query("UPDATE jobs SET attempts = attempts WHERE unique_key = ''").execute(&mut *conn).await?;
                Ok(())
            })
        };
        tokio::time::timeout(PATIENCE * 2, check)
            .await
            .map_err(|_| StoreError::TooSlow)?
    }

    /// Which of the two databases it is, in one word.
    pub const fn kind(&self) -> &'static str {
        match self.db {
            Db::Sqlite { .. } => "SQLite",
            Db::Postgres(_) => "PostgreSQL",
        }
    }

    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Lets running statements end and closes every connection.
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite { reader, writer } => {
                reader.close().await;
                writer.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

/// Whether somebody listens to the statements when the database is opened, as the tests of their plans do.
/// The program's own log never does. Otherwise they are not even put together, for that costs every statement.
fn says_statements() -> bool {
    tracing::enabled!(target: "sqlx::query", tracing::Level::DEBUG)
}

/// How the address of a SQLite database is read.
fn sqlite_options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    url.parse()
        .map_err(|error: sqlx::Error| StoreError::Address(error.to_string()))
}

/// Whether an SQLite database lives in memory, and not in a file.
fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

/// The file of an SQLite database; `None` where it is in memory, or the address is not SQLite's.
fn sqlite_file(url: &str) -> Result<Option<PathBuf>, StoreError> {
    if !url.starts_with("sqlite:") || is_in_memory(url) {
        return Ok(None);
    }
    let options = sqlite_options(url)?;
    Ok(Some(options.get_filename().to_owned()))
}

impl Db {
    async fn open_sqlite(url: &str) -> Result<Self, StoreError> {
        let options = sqlite_options(url)?;
        let named = format!("the SQLite file {}", options.get_filename().display());
        let unopened = |source| StoreError::Unopened {
            named: named.clone(),
            source,
        };
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged entry must survive a power cut, so the log is synced at every commit.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            // What a statement would have to take back is kept in memory, not in a file beside.
            .pragma("temp_store", "memory")
            // Room for the days of a commit (or a usual page of a list) and the word that there are no more, so that
            // SQLite's thread need not wait for who reads them.
            .row_buffer_size(commit::BATCH + 1);
        let options = if says_statements() {
            options
        } else {
            options.disable_statement_logging()
        };
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(PATIENCE)
                // An in-memory database lives as long as its connection.
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        // In KiB. A commit of many people's entries touches a page for each of them; a reader looks at one
        // person's at a time, and what it does not hold is in the system's own cache.
        let writer = pool()
            .max_connections(1)
            .connect_with(
                options
                    .clone()
                    .pragma("cache_size", "-1024")
                    // In pages. Most of what a commit touches the next ones touch again: in a log of 16 MiB such a
                    // page is copied back once, where it would be four times.
                    .pragma("wal_autocheckpoint", "4000"),
            )
            .await
            .map_err(unopened)?;
        let reader = if is_in_memory(url) {
            writer.clone()
        } else {
            pool()
                .max_connections(3)
                .connect_with(options.pragma("cache_size", "-256"))
                .await
                .map_err(unopened)?
        };
        Ok(Self::Sqlite { reader, writer })
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url
            .parse()
            .map_err(|error: sqlx::Error| StoreError::Address(error.to_string()))?;
        let server = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let options = options.application_name("billops").options([
            // Never wait longer for a lock or a statement than a person waits for the answer.
            ("lock_timeout", PATIENCE.as_millis().to_string()),
            ("statement_timeout", (PATIENCE * 2).as_millis().to_string()),
        ]);
        let options = if says_statements() {
            options
        } else {
            options.disable_statement_logging()
        };
        let pool = PgPoolOptions::new()
            .max_connections(10)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Unopened {
                named: format!("the PostgreSQL server at {server}"),
                source,
            })?;
        Ok(Self::Postgres(pool))
    }
}

impl StoreError {
    fn unreadable(
        table: &'static str,
        column: &'static str,
        row: Uuid,
        problem: impl ToString,
    ) -> Self {
        Self::Unreadable {
            table,
            column,
            row,
            problem: problem.to_string(),
        }
    }
}
