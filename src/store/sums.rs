//! What was logged between two days, in sum.

use chrono::NaiveDate;
use uuid::Uuid;

use super::{Store, StoreError, read};

/// What entries are summed up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SumBy {
    /// The day they count for.
    Day,
    /// What they are for.
    Project,
    /// For whom that is.
    Client,
    /// Whose time it is.
    User,
}

/// The sum of some entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The day, where it is of one.
    pub date: Option<NaiveDate>,
    /// The id of the project, client or user; `None` for entries without one.
    pub id: Option<Uuid>,
    /// How that is called.
    pub name: Option<String>,
    /// All of them.
    pub minutes: u64,
    /// Those that go on an invoice.
    pub billable_minutes: u64,
    /// How many entries there are.
    pub entries: u64,
}

type DayRow = (NaiveDate, i64, i64, i64);
type NamedRow = (Option<Uuid>, Option<String>, i64, i64, i64);

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn of_day((date, minutes, billable, entries): DayRow) -> Sum {
    Sum {
        date: Some(date),
        id: None,
        name: None,
        minutes: count(minutes),
        billable_minutes: count(billable),
        entries: count(entries),
    }
}

/// The most first; what has no name last among equals.
fn most_first(rows: Vec<NamedRow>) -> Vec<Sum> {
    let sum = |(id, name, minutes, billable, entries): NamedRow| Sum {
        date: None,
        id,
        name,
        minutes: count(minutes),
        billable_minutes: count(billable),
        entries: count(entries),
    };
    let mut sums: Vec<Sum> = rows.into_iter().map(sum).collect();
    sums.sort_by(|a, b| {
        let names = (a.id.is_none(), &a.name, a.id).cmp(&(b.id.is_none(), &b.name, b.id));
        b.minutes.cmp(&a.minutes).then(names)
    });
    sums
}

/// A statement that sums up: what it is by, and of which entries.
macro_rules! sums_sql {
    ($by:literal, $of:literal) => {
        concat!(
            "SELECT ",
            $by,
            ", CAST(SUM(e.duration_minutes) AS BIGINT), \
             CAST(SUM(CASE WHEN e.billable THEN e.duration_minutes ELSE 0 END) AS BIGINT), COUNT(*) ",
            $of,
            " AND e.date BETWEEN $2 AND $3 AND e.deleted_at IS NULL GROUP BY ",
            $by
        )
    };
}

impl Store {
    /// The sums of a person's entries from `from` to `to`, both included: by day in order, by anything else the most
    /// first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sums(
        &self,
        user_id: Uuid,
        from: NaiveDate,
        to: NaiveDate,
        by: SumBy,
    ) -> Result<Vec<Sum>, StoreError> {
        let sql = match by {
            SumBy::Day => {
                let mut rows: Vec<DayRow> = read!(self, db => {
                    sqlx::query_as(sums_sql!("e.date", "FROM time_entries e WHERE e.user_id = $1"))
                        .bind(user_id)
                        .bind(from)
                        .bind(to)
                        .fetch_all(db)
                        .await
                })?;
                rows.sort_by_key(|(date, ..)| *date);
                return Ok(rows.into_iter().map(of_day).collect());
            }
            SumBy::Project => sums_sql!(
                "p.id, p.name",
                "FROM time_entries e LEFT JOIN projects p ON p.id = e.project_id WHERE e.user_id = $1"
            ),
            SumBy::Client => sums_sql!(
                "c.id, c.name",
                "FROM time_entries e LEFT JOIN projects p ON p.id = e.project_id \
                 LEFT JOIN clients c ON c.id = p.client_id WHERE e.user_id = $1"
            ),
            SumBy::User => sums_sql!(
                "u.id, u.name",
                "FROM time_entries e JOIN users u ON u.id = e.user_id WHERE e.user_id = $1"
            ),
        };
        let rows: Vec<NamedRow> = read!(self, db => {
            sqlx::query_as(sql).bind(user_id).bind(from).bind(to).fetch_all(db).await
        })?;
        Ok(most_first(rows))
    }

    /// The sums of everybody's entries in a workspace from `from` to `to`, by user, the most first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sums_of_workspace(
        &self,
        slack_integration_id: Uuid,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<Sum>, StoreError> {
        let rows: Vec<NamedRow> = read!(self, db => {
            sqlx::query_as(sums_sql!(
                "u.id, u.name",
                "FROM slack_user_bindings b JOIN users u ON u.id = b.user_id \
                 JOIN time_entries e ON e.user_id = b.user_id WHERE b.slack_integration_id = $1"
            ))
            .bind(slack_integration_id)
            .bind(from)
            .bind(to)
            .fetch_all(db)
            .await
        })?;
        Ok(most_first(rows))
    }
}
