//! The three databases that everything which is kept is tested on.

use billops::{clock::Clock, store::Store};
use chrono::DateTime;
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

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
        let clock = Clock::fixed(DateTime::from_timestamp(1_795_177_800, 0).unwrap());
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
