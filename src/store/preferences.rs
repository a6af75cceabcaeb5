//! What people decide about BillOps, stored with the tie to their Slack account.

use chrono::{NaiveTime, Timelike as _};
use chrono_tz::Tz;
use uuid::Uuid;

use super::{NewJob, Store, StoreError, jobs::add_job, summaries::plan_anew, tx};
use crate::domain::{minutes::Minutes, preferences::Preferences};

/// A time of day as it is stored: minutes since midnight.
fn minutes_of(time: NaiveTime) -> i32 {
    i32::try_from(time.num_seconds_from_midnight() / 60).expect("a day has 1440 minutes")
}

/// A length of time as it is stored.
fn stored(length: Minutes) -> i32 {
    i32::try_from(length.get()).unwrap_or(i32::MAX)
}

impl Store {
    /// Stores all of a person's preferences and asks for what follows from them, both or neither. Where numbers
    /// are to be read otherwise than before, it is forgotten how often they were corrected. A default project
    /// that is not the workspace's is not stored: it becomes none.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn save_preferences(
        &self,
        binding_id: Uuid,
        preferences: &Preferences,
        then: &[NewJob],
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query(
                "UPDATE slack_user_bindings SET daily_summary = $2, daily_summary_minutes = $3, summary_days = $4, \
                 silent_when_done = $5, monday = $6, after_meeting = $7, entry_notifications = $8, \
                 invoice_notifications = $9, fixed_time_zone = $10, workday_start_minutes = $11, \
                 target_minutes_per_day = $12, has_own_target = $12 <> (SELECT i.target_minutes_per_day FROM \
                 slack_integrations i WHERE i.id = slack_user_bindings.slack_integration_id), default_project_id = (SELECT p.id FROM projects p WHERE p.id = $13 \
                 AND p.slack_integration_id = slack_user_bindings.slack_integration_id), suggest_private = $14, \
                 suggest_tentative = $15, flips = CASE WHEN bare_number_unit = $16 THEN flips ELSE 0 END, \
                 flipped_to = CASE WHEN bare_number_unit = $16 THEN flipped_to ELSE NULL END, \
                 bare_number_unit = $16, updated_at = $17 WHERE id = $1",
            )
            .bind(binding_id)
            .bind(preferences.daily_summary)
            .bind(minutes_of(preferences.daily_summary_time))
            .bind(i32::from(preferences.summary_days.bits()))
            .bind(preferences.silent_when_done)
            .bind(preferences.monday)
            .bind(preferences.after_meeting)
            .bind(preferences.entry_notifications)
            .bind(preferences.invoice_notifications)
            .bind(preferences.time_zone.map(Tz::name))
            .bind(minutes_of(preferences.workday_start))
            .bind(stored(preferences.target_per_day))
            .bind(preferences.default_project_id)
            .bind(preferences.wishes.private)
            .bind(preferences.wishes.tentative)
            .bind(preferences.bare_number_unit.as_str())
            .bind(now)
            .execute(&mut *conn)
            .await?;
            plan_anew!(conn, binding_id, now);
            for job in then {
                add_job!(self.clock, conn, job);
            }
            Ok(())
        })?;
        if !then.is_empty() {
            self.wake_workers();
        }
        Ok(())
    }
}
