//! The clock on the wall: somebody puts it forward, to see what happens then.

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};

use super::Sandbox;

impl Sandbox {
    /// Puts the clock forward to the next moment at which it is that time where the person is, and says what it is
    /// then. `None` if there is nobody of that id, or the clock cannot be moved.
    pub fn make_it(&self, user: &str, time: NaiveTime) -> Option<DateTime<Utc>> {
        let zone = self.world(|world| world.person(user).map(|person| person.tz))?;
        let clock = &self.slack.options.clock;
        let now = clock.now();
        let today = now.with_timezone(&zone).date_naive();
        // A time that the clocks leave out today is there tomorrow.
        let mut moments = today.iter_days().take(3).filter_map(|day| {
            let at = zone.from_local_datetime(&day.and_time(time)).earliest()?;
            Some(at.to_utc())
        });
        let at = moments.find(|at| *at > now)?;
        // Into that minute, and not to a moment before it.
        clock.advance(at - now + TimeDelta::milliseconds(1));
        self.slack.clock_moved.notify_one();
        let then = clock.now();
        (then >= at).then_some(then)
    }

    /// Waits until somebody has put the clock forward.
    pub async fn clock_moved(&self) {
        self.slack.clock_moved.notified().await;
    }

    /// What time it is.
    pub fn now(&self) -> DateTime<Utc> {
        self.slack.options.clock.now()
    }
}
