//! Time and ids. The only place that asks the machine what time it is.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// Where the time comes from: the machine, or a test that moves it by hand.
///
/// Instants are truncated to the microsecond, which is what both databases keep; otherwise a value
/// read back would differ from the value written.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    ids: Arc<std::sync::Mutex<ContextV7>>,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    /// The machine's, so many microseconds later.
    Ahead(Arc<AtomicI64>),
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::from(Source::System)
    }

    /// The machine's clock, until [`advance`](Self::advance) puts it forward. Clones share the hand.
    pub fn movable() -> Self {
        Self::from(Source::Ahead(Arc::default()))
    }

    /// A clock that stands still until [`advance`](Self::advance) moves it. Clones share the hand.
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Self::from(Source::Fixed(Arc::new(AtomicI64::new(
            at.timestamp_micros(),
        ))))
    }

    fn from(source: Source) -> Self {
        Self {
            source,
            ids: Arc::new(std::sync::Mutex::new(ContextV7::new())),
        }
    }

    /// The present instant, to the microsecond.
    pub fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "this is the one caller")]
        let machine = || Utc::now().timestamp_micros();
        let micros = match &self.source {
            Source::System => machine(),
            Source::Ahead(ahead) => machine().saturating_add(ahead.load(Ordering::Acquire)),
            Source::Fixed(micros) => micros.load(Ordering::Acquire),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Moves a fixed clock forward (or back), and a movable one forward. Does nothing to the machine's clock.
    pub fn advance(&self, by: TimeDelta) {
        let by = by.num_microseconds().unwrap_or(0);
        match &self.source {
            Source::System => {}
            // What happened stays in the past.
            Source::Ahead(ahead) => {
                ahead.fetch_add(by.max(0), Ordering::AcqRel);
            }
            Source::Fixed(micros) => {
                micros.fetch_add(by, Ordering::AcqRel);
            }
        }
    }

    /// A new UUIDv7: ids of one process rise in the order in which they were made.
    pub fn new_id(&self) -> Uuid {
        let now = self.now();
        let context = self
            .ids
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(
            &*context,
            u64::try_from(now.timestamp()).unwrap_or(0),
            now.timestamp_subsec_nanos(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_by_hand_and_its_clones_move_with_it() {
        let start = DateTime::from_timestamp(1_795_168_800, 123_456_000).unwrap();
        let clock = Clock::fixed(start);
        let clone = clock.clone();
        clock.advance(TimeDelta::minutes(5));
        assert_eq!(clone.now(), start + TimeDelta::minutes(5));
    }

    #[test]
    fn a_movable_clock_goes_with_the_machines_and_is_never_put_back() {
        let (machine, clock) = (Clock::system(), Clock::movable());
        clock.advance(TimeDelta::hours(3));
        clock.clone().advance(TimeDelta::hours(-2));
        let ahead = clock.now() - machine.now();
        assert!(
            ahead > TimeDelta::minutes(179) && ahead < TimeDelta::minutes(181),
            "{ahead}"
        );
        let before = clock.now();
        while clock.now() == before {}
        assert!(clock.now() > before);
    }

    #[test]
    fn ids_rise_even_when_time_stands_still() {
        let clock = Clock::fixed(DateTime::from_timestamp(1_795_168_800, 0).unwrap());
        let ids: Vec<_> = (0..1000).map(|_| clock.new_id()).collect();
        assert!(ids.is_sorted());
    }
}
