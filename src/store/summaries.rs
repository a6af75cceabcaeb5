//! When summaries are due, and what people said of their days.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError,
    events::{EventRow, event_sql},
    jobs::add_job,
    people::{MemberRow, select_member},
    read, tx,
};
use crate::domain::{
    calendar_event::SyncedEvent,
    due::{DayMark, Due, SummaryOf},
    member::Member,
};

/// The time between two summaries of one workspace: Slack takes several hundred messages a minute from an app there.
const PACE: TimeDelta = TimeDelta::milliseconds(250);

/// After this a plan is looked at again whose row cannot be read.
const PUT_OFF: TimeDelta = TimeDelta::hours(1);

/// A summary that is due, or has to be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Whose.
    pub member: Member,
    /// Whether BillOps still is in their workspace.
    pub is_active: bool,
    /// What it is about.
    pub of: SummaryOf,
    /// When it is due, or since when it has to be planned.
    pub due_at: DateTime<Utc>,
    /// The day it is about, of a week its Monday; `None` where it has to be planned.
    pub about: Option<NaiveDate>,
}

/// What follows a plan that was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replan {
    /// Whose.
    pub binding_id: Uuid,
    /// Their workspace's row.
    pub slack_integration_id: Uuid,
    /// What it is about.
    pub of: SummaryOf,
    /// When it was due: whoever finds another time there comes too late.
    pub was_due_at: DateTime<Utc>,
    /// The next one, if there is one.
    pub next: Option<Due>,
    /// What sends the one that was due, if it is sent.
    pub send: Option<NewJob>,
}

#[derive(sqlx::FromRow)]
struct PlanRow {
    kind: String,
    due_at: DateTime<Utc>,
    about: Option<NaiveDate>,
    is_active: bool,
    #[sqlx(flatten)]
    member: MemberRow,
}

impl TryFrom<PlanRow> for Planned {
    type Error = StoreError;

    fn try_from(row: PlanRow) -> Result<Self, StoreError> {
        let member = Member::try_from(row.member)?;
        let of = SummaryOf::from_name(&row.kind).ok_or_else(|| {
            StoreError::unreadable(
                "summary_plans",
                "kind",
                member.binding_id,
                format!("“{}”", row.kind),
            )
        })?;
        Ok(Self {
            member,
            is_active: row.is_active,
            of,
            due_at: row.due_at,
            about: row.about,
        })
    }
}

/// The person's summaries are planned anew from now on, inside a transaction of this room.
macro_rules! plan_anew {
    ($conn:ident, $binding_id:expr, $now:expr) => {
        for kind in ["day", "week"] {
            sqlx::query(
                "INSERT INTO summary_plans (binding_id, kind, due_at) \
                 SELECT id, $2, $3 FROM slack_user_bindings WHERE id = $1 \
                 ON CONFLICT (binding_id, kind) DO UPDATE SET due_at = excluded.due_at, about = NULL",
            )
            .bind($binding_id)
            .bind(kind)
            .bind($now)
            .execute(&mut *$conn)
            .await?;
        }
    };
}
pub(super) use plan_anew;

impl Store {
    /// The summaries that are due, those that are so longest first, at most `limit`. One whose row cannot be read is
    /// left out and planned anew later, so that everybody else gets theirs; the log says which.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn summaries_due(&self, limit: u32) -> Result<Vec<Planned>, StoreError> {
        let now = self.clock.now();
        let rows: Vec<PlanRow> = read!(self, db => {
            sqlx::query_as(select_member!(
                "p.kind, p.due_at, p.about, i.is_active, ",
                "JOIN summary_plans p ON p.binding_id = b.id",
                "p.due_at <= $1 ORDER BY p.due_at, p.binding_id LIMIT $2"
            ))
            .bind(now)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        let mut due = Vec::with_capacity(rows.len());
        for row in rows {
            let (binding_id, kind, due_at) = (row.member.binding_id, row.kind.clone(), row.due_at);
            match Planned::try_from(row) {
                Ok(planned) => due.push(planned),
                Err(problem) => {
                    tracing::error!(binding = %binding_id, kind, "summary.unreadable: left out: {problem}");
                    tx!(self, conn => {
                        sqlx::query(
                            "UPDATE summary_plans SET due_at = $4, about = NULL WHERE binding_id = $1 AND kind = $2 \
                             AND due_at = $3",
                        )
                        .bind(binding_id)
                        .bind(kind)
                        .bind(due_at)
                        .bind(now + PUT_OFF)
                        .execute(&mut *conn)
                        .await?;
                        Ok(())
                    })?;
                }
            }
        }
        Ok(due)
    }

    /// When the next summary is due of all that are planned.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn next_summary_at(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let next: Option<(DateTime<Utc>,)> = read!(self, db => {
            sqlx::query_as("SELECT due_at FROM summary_plans WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1")
                .fetch_optional(db)
                .await
        })?;
        Ok(next.map(|(at,)| at))
    }

    /// Puts the next plans in the place of those that were due, and asks for the sending of these, all or none of
    /// it. Of several that found the same plan due, one does. The sendings of a workspace are spread from now, or
    /// from the last that was spread before; those of different workspaces do not wait for one another.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn replan(&self, plans: &[Replan]) -> Result<(), StoreError> {
        let now = self.clock.now();
        // In one order, so that two that plan at the same moment do not wait for one another in a circle.
        let mut by_workspace: BTreeMap<Uuid, Vec<&Replan>> = BTreeMap::new();
        for plan in plans {
            by_workspace
                .entry(plan.slack_integration_id)
                .or_default()
                .push(plan);
        }
        tx!(self, conn => {
            for (workspace, mut plans) in by_workspace {
                plans.sort_by_key(|plan| plan.binding_id);
                let until: Option<(Option<DateTime<Utc>>,)> = sqlx::query_as(
                    "UPDATE slack_integrations SET summaries_until = summaries_until WHERE id = $1 \
                     RETURNING summaries_until",
                )
                .bind(workspace)
                .fetch_optional(&mut *conn)
                .await?;
                let mut at = until.and_then(|(until,)| until).map_or(now, |until| until.max(now));
                for plan in plans {
                    let planned = sqlx::query(
                        "UPDATE summary_plans SET due_at = $4, about = $5 WHERE binding_id = $1 AND kind = $2 \
                         AND due_at = $3",
                    )
                    .bind(plan.binding_id)
                    .bind(plan.of.as_str())
                    .bind(plan.was_due_at)
                    .bind(plan.next.map(|next| next.at))
                    .bind(plan.next.map(|next| next.about))
                    .execute(&mut *conn)
                    .await?;
                    let Some(send) = plan.send.as_ref().filter(|_| planned.rows_affected() == 1) else {
                        continue;
                    };
                    let send = NewJob { run_at: Some(at), ..send.clone() };
                    add_job!(self.clock, conn, &send);
                    at += PACE;
                }
                sqlx::query("UPDATE slack_integrations SET summaries_until = $2 WHERE id = $1")
                    .bind(workspace)
                    .bind(at)
                    .execute(&mut *conn)
                    .await?;
            }
            Ok(())
        })?;
        self.wake_workers();
        Ok(())
    }

    /// No summary is planned for the person any more, until they are heard of again.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn plan_no_summaries(&self, binding_id: Uuid) -> Result<(), StoreError> {
        tx!(self, conn => {
            sqlx::query("UPDATE summary_plans SET due_at = NULL, about = NULL WHERE binding_id = $1")
                .bind(binding_id)
                .execute(&mut *conn)
                .await?;
            Ok(())
        })
    }

    /// What the person said of the days from `from` to `to`, both included.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn day_marks(
        &self,
        user_id: Uuid,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<BTreeMap<NaiveDate, DayMark>, StoreError> {
        let rows: Vec<(NaiveDate, String)> = read!(self, db => {
            sqlx::query_as("SELECT date, mark FROM day_marks WHERE user_id = $1 AND date BETWEEN $2 AND $3")
                .bind(user_id)
                .bind(from)
                .bind(to)
                .fetch_all(db)
                .await
        })?;
        let mark = |(date, mark): (NaiveDate, String)| {
            let known = DayMark::from_name(&mark);
            let known = known.ok_or_else(|| {
                StoreError::unreadable("day_marks", "mark", user_id, format!("“{mark}”"))
            })?;
            Ok((date, known))
        };
        rows.into_iter().map(mark).collect()
    }

    /// The person says this of days, or takes back what they said, and asks for what follows.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn mark_days(
        &self,
        user_id: Uuid,
        days: &[NaiveDate],
        mark: Option<DayMark>,
        then: Option<&NewJob>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            for day in days {
                match mark {
                    Some(mark) => sqlx::query(
                        "INSERT INTO day_marks (user_id, date, mark, created_at) VALUES ($1, $2, $3, $4) \
                         ON CONFLICT (user_id, date) DO UPDATE SET mark = excluded.mark, \
                         created_at = excluded.created_at",
                    )
                    .bind(user_id)
                    .bind(day)
                    .bind(mark.as_str())
                    .bind(now),
                    None => sqlx::query("DELETE FROM day_marks WHERE user_id = $1 AND date = $2")
                        .bind(user_id)
                        .bind(day),
                }
                .execute(&mut *conn)
                .await?;
            }
            if let Some(job) = then {
                add_job!(self.clock, conn, job);
            }
            Ok(())
        })?;
        self.wake_workers();
        Ok(())
    }

    /// The person's meetings that begin in `span` and were logged or skipped at `since` or later, the earliest first,
    /// at most `limit`.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn settled_since(
        &self,
        user_id: Uuid,
        span: [DateTime<Utc>; 2],
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<SyncedEvent>, StoreError> {
        let rows: Vec<EventRow> = read!(self, db => {
            sqlx::query_as(event_sql!(
                "WHERE e.user_id = $1 AND e.event_start >= $2 AND e.event_start < $3 \
                 AND (e.state = 'dismissed' AND e.dismissed_at >= $4 OR e.state = 'logged' AND EXISTS \
                 (SELECT 1 FROM time_entries t WHERE t.id = e.time_entry_id AND t.updated_at >= $4)) \
                 ORDER BY e.event_start, e.id LIMIT $5"
            ))
            .bind(user_id)
            .bind(span[0])
            .bind(span[1])
            .bind(since)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        rows.into_iter().map(SyncedEvent::try_from).collect()
    }
}
