//! The three databases that everything which is kept is tested on.

use billops::{clock::Clock, store::Store};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// Stands still on Friday 20 November 2026 at 13:30 in Berlin. What a day shows depends on the hour: on a Monday just
/// after midnight no meeting waits to be logged.
pub(crate) fn friday() -> Clock {
    Clock::fixed(DateTime::from_timestamp(1_795_177_800, 0).unwrap())
}

/// A fresh database that goes away with the test.
pub(crate) struct Database {
    pub(crate) url: String,
    _folder: Option<TempDir>,
    postgres: Option<String>,
}

impl Database {
    pub(crate) fn in_memory() -> Self {
        Self {
            url: "sqlite::memory:".to_owned(),
            _folder: None,
            postgres: None,
        }
    }

    pub(crate) fn on_disk() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("billops.db").display());
        Self {
            url,
            _folder: Some(folder),
            postgres: None,
        }
    }

    /// A database of its own on the server that `./test` starts.
    pub(crate) async fn postgres() -> Self {
        let server = std::env::var("BILLOPS_TEST_POSTGRES").expect(
            "BILLOPS_TEST_POSTGRES is not set: run ./test, which starts a PostgreSQL and sets it",
        );
        let name = format!("it_{}", Uuid::from_u128(rand::random()).simple());
        let mut connection = PgConnection::connect(&server).await.unwrap();
        connection
            .execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .await
            .unwrap();
        let (base, query) = server.split_once('?').unwrap_or((&server, ""));
        let base = base.rsplit_once('/').unwrap().0;
        Self {
            url: format!("{base}/{name}?{query}"),
            _folder: None,
            postgres: Some(name),
        }
    }

    pub(crate) async fn open(&self) -> (Store, Clock) {
        let clock = friday();
        (Store::open(&self.url, clock.clone()).await.unwrap(), clock)
    }

    /// What the entries that stand are for, read from outside, in order.
    pub(crate) async fn descriptions(&self) -> Vec<String> {
        const SQL: &str =
            "SELECT description FROM time_entries WHERE deleted_at IS NULL ORDER BY description";
        if self.postgres.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(SQL).fetch_all(&mut connection).await
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(SQL).fetch_all(&mut connection).await
        }
        .unwrap()
    }

    /// Says something to the database that no program of ours says.
    pub(crate) async fn execute(&self, statement: &'static str) {
        if self.postgres.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            connection.execute(statement).await.unwrap();
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            connection.execute(statement).await.unwrap();
        }
    }

    /// As if so much time had passed that whatever a process has taken, and which died since, may be taken by another.
    pub(crate) async fn forget_who_took_what(&self) {
        // The moment at which a row was made is long enough ago, in the form that the database keeps.
        const SQL: [&str; 2] = [
            "UPDATE jobs SET leased_until = created_at WHERE leased_until IS NOT NULL",
            "UPDATE calendar_integrations SET sync_until = created_at WHERE sync_until IS NOT NULL",
        ];
        for statement in SQL {
            if self.postgres.is_some() {
                let mut connection = PgConnection::connect(&self.url).await.unwrap();
                connection.execute(statement).await.unwrap();
            } else {
                let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
                connection.execute(statement).await.unwrap();
            }
        }
    }

    /// Everybody's summary of that day is due at that moment.
    pub(crate) async fn plan_summaries(&self, due_at: DateTime<Utc>, about: NaiveDate) {
        const SQL: &str = "UPDATE summary_plans SET due_at = $1, about = $2 WHERE kind = 'day'";
        const NO_WEEK: &str = "UPDATE summary_plans SET due_at = NULL WHERE kind = 'week'";
        if self.postgres.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            let plan = sqlx::query(SQL).bind(due_at).bind(about);
            plan.execute(&mut connection).await.unwrap();
            connection.execute(NO_WEEK).await.unwrap();
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            let plan = sqlx::query(SQL).bind(due_at).bind(about);
            plan.execute(&mut connection).await.unwrap();
            connection.execute(NO_WEEK).await.unwrap();
        }
    }

    /// The summaries of every workspace are spread up to that moment already.
    pub(crate) async fn spread_summaries_until(&self, until: DateTime<Utc>) {
        self.set("UPDATE slack_integrations SET summaries_until = $1", until)
            .await;
    }

    /// Whatever waits for its time is due now.
    pub(crate) async fn make_all_due(&self, now: DateTime<Utc>) {
        const SQL: &str = "UPDATE jobs SET run_at = $1 WHERE run_at > $1";
        self.set(SQL, now).await;
    }

    /// As if so much time had passed: whatever was taken by a process, and waits for its time, is anybody's, and a
    /// message that was claimed is so long ago.
    pub(crate) async fn lets_all_run_out(&self, now: DateTime<Utc>, age: TimeDelta) {
        const LEASES: &str = "UPDATE jobs SET leased_until = $1 WHERE leased_until > $1";
        const CLAIMS: &str = "UPDATE notices SET claimed_at = $1 WHERE state = 'sending'";
        const BUSY: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND pid <> pg_backend_pid() AND state <> 'idle'";
        // What a killed program had under way ends first: a lease that is committed later would last.
        if self.postgres.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            let by = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
            while tokio::time::Instant::now() < by {
                let busy: i64 = sqlx::query_scalar(BUSY)
                    .fetch_one(&mut connection)
                    .await
                    .unwrap();
                if busy == 0 {
                    break;
                }
            }
        }
        self.make_all_due(now).await;
        self.set(LEASES, now).await;
        self.set(CLAIMS, now - age).await;
    }

    async fn set(&self, sql: &'static str, at: DateTime<Utc>) {
        if self.postgres.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            let change = sqlx::query(sql).bind(at);
            change.execute(&mut connection).await.unwrap();
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            let change = sqlx::query(sql).bind(at);
            change.execute(&mut connection).await.unwrap();
        }
    }

    /// Whether some process has taken the job whose key is like this; `None` where there is none.
    pub(crate) async fn job(&self, unique_key: &str) -> Option<bool> {
        const SQL: &str = "SELECT leased_until IS NOT NULL FROM jobs WHERE unique_key LIKE $1";
        if self.postgres.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            let taken = sqlx::query_scalar(SQL).bind(unique_key);
            taken.fetch_optional(&mut connection).await
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            let taken = sqlx::query_scalar(SQL).bind(unique_key);
            taken.fetch_optional(&mut connection).await
        }
        .unwrap()
    }

    /// Whoever comes to do this waits in the middle of it, until [`Hold::end`] or their own.
    pub(crate) async fn hold(&self, held: Held) -> Hold {
        let on = match held {
            Held::Asking => {
                "INSERT ON jobs FOR EACH ROW WHEN (NEW.unique_key LIKE 'send_summary:%')"
            }
            Held::Claiming => "INSERT ON notices FOR EACH ROW",
            Held::Noting => "UPDATE ON notices FOR EACH ROW",
            Held::Finishing => {
                "DELETE ON jobs FOR EACH ROW WHEN (OLD.unique_key LIKE 'send_summary:%')"
            }
        };
        let table = on.split(' ').nth(2).unwrap_or_default();
        if self.postgres.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            for statement in [
                "SELECT pg_advisory_lock(1)",
                "CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS \
                 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN COALESCE(NEW, OLD); END'",
                &format!("CREATE TRIGGER held BEFORE {on} EXECUTE FUNCTION held()"),
            ] {
                let statement = sqlx::AssertSqlSafe(statement.to_owned());
                connection.execute(statement).await.unwrap();
            }
            return Hold::Postgres(connection, table);
        }
        let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
        for statement in [
            // Counts for ever, and is killed with its process.
            "CREATE VIEW held AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) \
             SELECT COUNT(*) AS n FROM n",
            &format!("CREATE TRIGGER holds BEFORE {on} BEGIN SELECT n FROM held; END"),
        ] {
            let statement = sqlx::AssertSqlSafe(statement.to_owned());
            connection.execute(statement).await.unwrap();
        }
        Hold::Sqlite
    }

    /// Nothing can be written until [`Outage::end`]: SQLite is locked by somebody else, PostgreSQL throws
    /// everybody out and lets nobody in.
    pub(crate) async fn outage(&self) -> Outage {
        let Some(name) = &self.postgres else {
            let mut lock = SqliteConnection::connect(&self.url).await.unwrap();
            lock.execute("BEGIN EXCLUSIVE").await.unwrap();
            return Outage::Locked(lock);
        };
        let server = std::env::var("BILLOPS_TEST_POSTGRES").unwrap();
        let mut admin = PgConnection::connect(&server).await.unwrap();
        for statement in [
            format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
            format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            ),
        ] {
            let statement = sqlx::AssertSqlSafe(statement);
            admin.execute(statement).await.unwrap();
        }
        Outage::Closed(admin, name.clone())
    }

    pub(crate) async fn remove(self) {
        if let Some(name) = self.postgres {
            let server = std::env::var("BILLOPS_TEST_POSTGRES").unwrap();
            let mut connection = PgConnection::connect(&server).await.unwrap();
            connection
                .execute(sqlx::AssertSqlSafe(format!(
                    "DROP DATABASE {name} WITH (FORCE)"
                )))
                .await
                .unwrap();
        }
    }
}

/// What the database does not come to the end of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Held {
    /// The sending of a summary is asked for.
    Asking,
    /// A message is claimed.
    Claiming,
    /// What became of a message is noted.
    Noting,
    /// The sending of a summary is done.
    Finishing,
}

/// A database that lets whoever does something wait.
pub(crate) enum Hold {
    Sqlite,
    Postgres(PgConnection, &'static str),
}

impl Hold {
    /// Whether somebody waits.
    pub(crate) async fn is_reached(&self, database: &Database) -> bool {
        const WAITING: &str = "SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
             WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted";
        if database.postgres.is_some() {
            let mut connection = PgConnection::connect(&database.url).await.unwrap();
            let waiting = sqlx::query_scalar(WAITING);
            let waiting: i64 = waiting.fetch_one(&mut connection).await.unwrap();
            return waiting > 0;
        }
        let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
        // Nobody else writes for so long, in milliseconds.
        let patience = "PRAGMA busy_timeout = 200";
        connection.execute(patience).await.unwrap();
        connection.execute("BEGIN IMMEDIATE").await.is_err()
    }

    /// Whoever waited was killed; from now on nobody waits.
    pub(crate) async fn end(self, database: &Database) {
        match self {
            Self::Sqlite => {
                let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
                connection.execute("DROP TRIGGER holds").await.unwrap();
                connection.execute("DROP VIEW held").await.unwrap();
            }
            Self::Postgres(mut connection, table) => {
                // The server finds only now that they are gone, and undoes what they had begun.
                let unlock = "SELECT pg_advisory_unlock(1)";
                connection.execute(unlock).await.unwrap();
                let drop = format!("DROP TRIGGER held ON {table}");
                let drop = sqlx::AssertSqlSafe(drop);
                connection.execute(drop).await.unwrap();
                connection.execute("DROP FUNCTION held").await.unwrap();
            }
        }
    }
}

/// A database that cannot be written to.
pub(crate) enum Outage {
    Locked(SqliteConnection),
    Closed(PgConnection, String),
}

impl Outage {
    pub(crate) async fn end(self) {
        match self {
            Self::Locked(mut lock) => {
                lock.execute("ROLLBACK").await.unwrap();
            }
            Self::Closed(mut admin, name) => {
                let statement = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true");
                admin.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
            }
        }
    }
}
