//! Which failures pass by themselves: the database has too much to do, or is away for a moment.

use std::{error::Error, iter::successors, sync::Arc};

use super::{NotSaved, StoreError};

/// SQLite's `SQLITE_BUSY` and `SQLITE_LOCKED`, which an extended code has in its lowest byte.
const SQLITE_BUSY: [i32; 2] = [5, 6];
/// What PostgreSQL's codes begin with that have nothing to do with what was asked: the connection broke (08), one of two
/// was given up for the other's sake (40), the server has no more connections, memory or disk (53), something is locked
/// or lets nobody in (55), and a statement took too long, or the server stops or starts (57).
const POSTGRES_BUSY: [&str; 5] = ["08", "40", "53", "55", "57"];

/// Whether a failure, or what caused it, is the database's for this moment only: later the same may work.
pub fn is_busy(failure: &(dyn Error + 'static)) -> bool {
    successors(Some(failure), |&error| error.source()).any(|cause| {
        if let Some(cause) = cause.downcast_ref::<sqlx::Error>() {
            return passes(cause);
        }
        // A commit that many wait for fails for all of them at once.
        let shared = cause.downcast_ref::<Arc<StoreError>>();
        let cause_of_store = cause.downcast_ref().or(shared.map(|shared| &**shared));
        matches!(
            cause_of_store,
            Some(StoreError::TooSlow | StoreError::Repeated)
        ) || matches!(cause.downcast_ref(), Some(NotSaved::Unknown))
    })
}

fn passes(error: &sqlx::Error) -> bool {
    let error = match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => return true,
        sqlx::Error::Database(error) => error,
        _ => return false,
    };
    let code = error.code().unwrap_or_default();
    // A code of PostgreSQL's can be all digits, but is longer than any of SQLite's.
    match code.parse::<i32>() {
        Ok(number) if code.len() < 5 => SQLITE_BUSY.contains(&(number & 0xff)),
        _ => POSTGRES_BUSY.iter().any(|begin| code.starts_with(begin)),
    }
}
