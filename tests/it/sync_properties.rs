//! Whatever happens in a calendar, at the provider's and to the bot, in whatever order: each meeting is one entry at
//! most, and what is suggested in the end is what somebody is suggested who connects the calendar only then.

use std::collections::{BTreeMap, BTreeSet};

use billops::{
    clock::Clock,
    domain::calendar_event::{CalendarEvent, EventState, Reply, SkipReason, SyncedEvent},
    store::{LogEvent, Store},
};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    databases::Database,
    store::syncs::{Watched, event, window},
};

/// What happens. Numbers choose among the meetings that there are.
#[derive(Clone, Debug)]
enum Step {
    Add(i64),
    AddSeries(i64, i64),
    Move(usize, i64),
    MoveAway(usize),
    Cancel(usize),
    Delete(usize),
    Rename(usize),
    Decline(usize),
    Accept(usize),
    HideTitle(usize),
    Split(usize),
    Read,
    ReadNothing,
    ReadAndFail,
    /// The bot ends while it reads, and starts again.
    End,
    Log(usize),
    LogTwice(usize),
    Skip(usize),
    Unskip(usize),
    Undo,
}

fn step() -> impl Strategy<Value = Step> {
    let which = || 0..64_usize;
    // Few places, so that meetings meet.
    let place = || 0..12_i64;
    prop_oneof![
        3 => place().prop_map(Step::Add),
        2 => (place(), 2..6_i64).prop_map(|(place, count)| Step::AddSeries(place, count)),
        3 => (which(), place()).prop_map(|(which, place)| Step::Move(which, place)),
        1 => which().prop_map(Step::MoveAway),
        1 => which().prop_map(Step::Cancel),
        2 => which().prop_map(Step::Delete),
        1 => which().prop_map(Step::Rename),
        1 => which().prop_map(Step::Decline),
        1 => which().prop_map(Step::Accept),
        1 => which().prop_map(Step::HideTitle),
        3 => which().prop_map(Step::Split),
        8 => Just(Step::Read),
        2 => Just(Step::ReadNothing),
        1 => Just(Step::ReadAndFail),
        1 => Just(Step::End),
        4 => which().prop_map(Step::Log),
        2 => which().prop_map(Step::LogTwice),
        2 => which().prop_map(Step::Skip),
        1 => which().prop_map(Step::Unskip),
        2 => Just(Step::Undo),
    ]
}

/// A meeting as people think of it, whatever the provider calls it at the moment.
struct Meeting {
    number: usize,
    shown: CalendarEvent,
    /// It was moved, and nobody has read that yet.
    is_moved: bool,
}

/// The calendar, and a bot that reads it.
struct Story {
    database: Database,
    store: Store,
    clock: Clock,
    watched: Watched,
    start: DateTime<Utc>,
    meetings: Vec<Meeting>,
    made: usize,
    /// Of which meeting an event is, by every id it ever had.
    numbers: BTreeMap<String, usize>,
    /// The entries that were made of each meeting.
    entries: BTreeMap<usize, BTreeSet<Uuid>>,
}

impl Story {
    async fn begin() -> Self {
        let database = Database::on_disk();
        let (store, clock) = database.open().await;
        let watched = Watched::new(&store, &clock).await;
        Self {
            start: clock.now() - TimeDelta::days(3),
            database,
            store,
            clock,
            watched,
            meetings: Vec::new(),
            made: 0,
            numbers: BTreeMap::new(),
            entries: BTreeMap::new(),
        }
    }

    fn place(&self, place: i64) -> DateTime<Utc> {
        self.start + TimeDelta::hours(place)
    }

    fn add(&mut self, mut shown: CalendarEvent) {
        let number = self.made;
        self.made += 1;
        if shown.series_id.is_none() {
            shown.ical_uid = Some(format!("single{number}@google.com"));
        }
        self.numbers.insert(shown.provider_event_id.clone(), number);
        self.meetings.push(Meeting {
            number,
            shown,
            is_moved: false,
        });
    }

    fn meeting(&mut self, which: usize) -> Option<&mut Meeting> {
        let count = self.meetings.len();
        self.meetings.get_mut(which.checked_rem(count)?)
    }

    fn change(&mut self, which: usize, change: impl FnOnce(&mut CalendarEvent)) {
        if let Some(meeting) = self.meeting(which) {
            change(&mut meeting.shown);
        }
    }

    fn move_to(&mut self, which: usize, start: DateTime<Utc>) {
        if let Some(meeting) = self.meeting(which) {
            meeting.shown.start = start;
            meeting.shown.end = start + TimeDelta::minutes(30);
            meeting.is_moved = true;
        }
    }

    /// “This and following”: the same slots under new ids. Where a meeting was moved and nobody has seen that, nothing
    /// tells that it is the same one; that is not tried.
    fn split(&mut self, which: usize) {
        let Some(first) = self.meeting(which) else {
            return;
        };
        let (Some(series), Some(from)) =
            (first.shown.series_id.clone(), first.shown.original_start)
        else {
            return;
        };
        let is_later = |meeting: &Meeting| {
            meeting.shown.series_id.as_ref() == Some(&series)
                && meeting.shown.original_start >= Some(from)
        };
        if self
            .meetings
            .iter()
            .any(|one| is_later(one) && one.is_moved)
        {
            return;
        }
        self.made += 1;
        let made = self.made;
        for meeting in self.meetings.iter_mut().filter(|one| is_later(one)) {
            let id = format!("split{made}_{}", meeting.number);
            meeting.shown.series_id = Some(format!("split{made}"));
            meeting.shown.provider_event_id.clone_from(&id);
            self.numbers.insert(id, meeting.number);
        }
    }

    /// What the provider shows of the window.
    fn shown(&self) -> Vec<CalendarEvent> {
        let [from, to] = window(&self.clock);
        let shown = self.meetings.iter().map(|meeting| meeting.shown.clone());
        shown
            .filter(|event| event.end > from && event.start < to)
            .collect()
    }

    async fn read(&mut self) {
        self.watched
            .read(&self.store, &self.clock, &self.shown())
            .await;
        for meeting in &mut self.meetings {
            meeting.is_moved = false;
        }
    }

    async fn event(&self, which: usize) -> Option<SyncedEvent> {
        let mut events = self.watched.events(&self.store).await;
        let at = which.checked_rem(events.len())?;
        Some(events.swap_remove(at))
    }

    async fn log(&mut self, which: usize) {
        let Some(event) = self.event(which).await else {
            return;
        };
        let logged = self.watched.log(&self.store, event.id).await;
        if let LogEvent::Logged(receipt) | LogEvent::Already(receipt) = logged {
            let number = self.numbers[&event.provider_event_id];
            let entries = self.entries.entry(number).or_default();
            entries.insert(receipt.entry.id);
        }
    }

    async fn dismiss(&self, which: usize, is_dismissed: bool) {
        if let Some(event) = self.event(which).await {
            let me = self.watched.nina.user_id;
            let done = self.store.dismiss_event(me, event.id, is_dismissed, None);
            done.await.unwrap();
        }
    }

    async fn take(&self) -> Uuid {
        let lease = self.clock.new_id();
        let until = self.clock.now() + TimeDelta::minutes(2);
        let taken = self.store.take_sync(self.watched.calendar, lease, until);
        assert!(taken.await.unwrap());
        lease
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Add(place) => {
                let id = format!("e{}", self.made);
                let event = event(&id, self.place(place));
                self.add(event);
            }
            Step::AddSeries(place, count) => {
                let series = format!("series{}", self.made);
                for n in 0..count {
                    let start = self.place(place + n * 2);
                    self.add(CalendarEvent {
                        ical_uid: Some(format!("{series}@google.com")),
                        series_id: Some(series.clone()),
                        original_start: Some(start),
                        ..event(&format!("{series}_{n}"), start)
                    });
                }
            }
            Step::Move(which, place) => self.move_to(which, self.place(place)),
            Step::MoveAway(which) => self.move_to(which, self.start + TimeDelta::days(90)),
            Step::Cancel(which) => self.change(which, |event| event.is_cancelled = true),
            Step::Delete(which) => {
                if let Some(at) = which.checked_rem(self.meetings.len()) {
                    self.meetings.remove(at);
                }
            }
            Step::Rename(which) => self.change(which, |event| event.title = Some("New".to_owned())),
            Step::Decline(which) => self.change(which, |event| event.reply = Reply::Declined),
            Step::Accept(which) => self.change(which, |event| event.reply = Reply::Accepted),
            Step::HideTitle(which) => self.change(which, |event| event.is_private = true),
            Step::Split(which) => self.split(which),
            Step::Read => self.read().await,
            Step::ReadNothing => {
                self.watched.read(&self.store, &self.clock, &[]).await;
            }
            Step::ReadAndFail => {
                let lease = self.take().await;
                let (calendar, next) = (self.watched.calendar, self.clock.now());
                let given = self.store.fail_sync(calendar, lease, Some(next), false);
                given.await.unwrap();
            }
            Step::End => {
                self.take().await;
                self.store.close().await;
                self.store = Store::open(&self.database.url, self.clock.clone())
                    .await
                    .unwrap();
                self.clock.advance(TimeDelta::minutes(2));
            }
            Step::Log(which) => self.log(which).await,
            Step::LogTwice(which) => {
                self.log(which).await;
                self.log(which).await;
            }
            Step::Skip(which) => self.dismiss(which, true).await,
            Step::Unskip(which) => self.dismiss(which, false).await,
            Step::Undo => {
                let me = self.watched.nina.user_id;
                let key = self.clock.new_id();
                self.store.undo_last(me, key, None).await.unwrap();
            }
        }
    }

    /// What somebody sees who connects this calendar only now.
    async fn fresh(&self) -> Vec<SyncedEvent> {
        let database = Database::in_memory();
        let store = Store::open(&database.url, self.clock.clone())
            .await
            .unwrap();
        let watched = Watched::new(&store, &self.clock).await;
        watched.read(&store, &self.clock, &self.shown()).await;
        let events = watched.events(&store).await;
        store.close().await;
        events
    }

    async fn end(mut self) {
        self.read().await;
        let events = self.watched.events(&self.store).await;
        // A meeting has one row that it is in, and one entry.
        for (number, entries) in &self.entries {
            assert!(entries.len() <= 1, "meeting {number} is {entries:?}");
        }
        let decided: BTreeSet<&str> = events
            .iter()
            .filter(|event| matches!(event.state, EventState::Logged | EventState::Dismissed))
            .map(|event| &*event.provider_event_id)
            .collect();
        let fresh = self.fresh().await;
        assert_eq!(plain(&events, &decided), plain(&fresh, &decided));
        self.store.close().await;
        self.database.remove().await;
    }
}

type Plain = (
    String,
    String,
    DateTime<Utc>,
    DateTime<Utc>,
    Option<SkipReason>,
);

/// What is suggested or left out, in an order, without what was decided.
fn plain(events: &[SyncedEvent], decided: &BTreeSet<&str>) -> Vec<Plain> {
    let mut found: Vec<_> = events
        .iter()
        .filter(|event| matches!(event.state, EventState::Suggested | EventState::Skipped))
        .filter(|event| !decided.contains(&*event.provider_event_id))
        .map(|event| {
            (
                event.provider_event_id.clone(),
                event.title.clone(),
                event.start,
                event.end,
                event.skip_reason,
            )
        })
        .collect();
    found.sort_unstable();
    found
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_meeting_is_one_entry_and_what_is_suggested_is_what_the_calendar_shows(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut story = Story::begin().await;
            for step in steps {
                story.step(step).await;
            }
            story.end().await;
        });
    }
}
