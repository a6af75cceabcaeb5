//! Meetings that have just ended: who has some, and what was said about them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    NewJob, Store, StoreError,
    events::{EventRow, event_sql},
    jobs::add_job,
    read, tx,
};
use crate::domain::calendar_event::SyncedEvent;

impl Store {
    /// The bindings of people with meetings that ended after `since` and were not dealt with yet, at most `limit`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn people_with_ended(
        &self,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Uuid>, StoreError> {
        let now = self.clock.now();
        let rows: Vec<(Uuid,)> = read!(self, db => {
            sqlx::query_as(
                "SELECT DISTINCT b.id FROM synced_calendar_events e \
                 JOIN slack_user_bindings b ON b.user_id = e.user_id WHERE e.state = 'suggested' \
                 AND e.end_handled_at IS NULL AND e.event_end > $1 AND e.event_end <= $2 LIMIT $3",
            )
            .bind(since)
            .bind(now)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The person's meetings that ended after `since` and were not dealt with yet, the earliest first.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn ended(
        &self,
        user_id: Uuid,
        since: DateTime<Utc>,
    ) -> Result<Vec<SyncedEvent>, StoreError> {
        let now = self.clock.now();
        let rows: Vec<EventRow> = read!(self, db => {
            sqlx::query_as(event_sql!(
                "WHERE e.user_id = $1 AND e.state = 'suggested' AND e.end_handled_at IS NULL AND e.event_end > $2 \
                 AND e.event_end <= $3 ORDER BY e.event_start, e.id LIMIT 500"
            ))
            .bind(user_id)
            .bind(since)
            .bind(now)
            .fetch_all(db)
            .await
        })?;
        rows.into_iter().map(SyncedEvent::try_from).collect()
    }

    /// Notes that the end of these meetings was dealt with, and asks for what follows. Of several that deal with one
    /// at the same time, one does: `then` is handed those that are the caller's.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_ended(
        &self,
        user_id: Uuid,
        events: &[Uuid],
        then: &(dyn Fn(&[Uuid]) -> Vec<NewJob> + Sync),
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let mut taken = Vec::with_capacity(events.len());
            for event_id in events {
                let noted = sqlx::query(
                    "UPDATE synced_calendar_events SET end_handled_at = $3 WHERE user_id = $1 AND id = $2 \
                     AND end_handled_at IS NULL",
                )
                .bind(user_id)
                .bind(event_id)
                .bind(now)
                .execute(&mut *conn)
                .await?;
                if noted.rows_affected() == 1 {
                    taken.push(*event_id);
                }
            }
            for job in &then(&taken) {
                add_job!(self.clock, conn, job);
            }
            Ok(())
        })?;
        self.wake_workers();
        Ok(())
    }

    /// Notes where the message about these meetings stands.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn place_card(
        &self,
        user_id: Uuid,
        events: &[Uuid],
        (channel, ts): (&str, &str),
    ) -> Result<(), StoreError> {
        tx!(self, conn => {
            for event_id in events {
                sqlx::query(
                    "UPDATE synced_calendar_events SET card_channel = $3, card_ts = $4 WHERE user_id = $1 AND id = $2",
                )
                .bind(user_id)
                .bind(event_id)
                .bind(channel)
                .bind(ts)
                .execute(&mut *conn)
                .await?;
            }
            Ok(())
        })
    }

    /// The person's meetings that one message is about, the earliest first.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn events_of_card(
        &self,
        user_id: Uuid,
        channel: &str,
        ts: &str,
    ) -> Result<Vec<SyncedEvent>, StoreError> {
        let rows: Vec<EventRow> = read!(self, db => {
            sqlx::query_as(event_sql!(
                "WHERE e.user_id = $1 AND e.card_channel = $2 AND e.card_ts = $3 ORDER BY e.event_start, e.id LIMIT 100"
            ))
            .bind(user_id)
            .bind(channel)
            .bind(ts)
            .fetch_all(db)
            .await
        })?;
        rows.into_iter().map(SyncedEvent::try_from).collect()
    }

    /// The message that one of the person's meetings was announced in: its conversation and `ts`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn card_of(
        &self,
        user_id: Uuid,
        event_id: Uuid,
    ) -> Result<Option<(String, String)>, StoreError> {
        read!(self, db => {
            sqlx::query_as(
                "SELECT card_channel, card_ts FROM synced_calendar_events WHERE user_id = $1 AND id = $2 \
                 AND card_ts IS NOT NULL",
            )
            .bind(user_id)
            .bind(event_id)
            .fetch_optional(db)
            .await
        })
        .map_err(StoreError::from)
    }
}
