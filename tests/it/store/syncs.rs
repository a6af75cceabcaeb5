//! Calendars that are read, and their events: seen, logged, skipped and gone.

use billops::{
    clock::Clock,
    domain::{
        calendar::ListedCalendar,
        calendar_event::{
            CalendarEvent, EventKind, EventState, Reply, SkipReason, SyncCounts, SyncedEvent,
            Wishes,
        },
        member::Member,
        minutes::Minutes,
        provider::Provider,
        time_entry::EntryFields,
    },
    keyring::Keyring,
    store::{LogEvent, NewAccount, NewJob, Shown, Store},
};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use super::{berlin, day, nina};

super::on_every_database!(
    a_calendar_is_read_by_one_at_a_time_and_when_it_is_due,
    many_events_come_change_and_go,
    a_split_series_keeps_its_rows_and_a_known_id_may_come_back_from_outside,
    one_event_is_one_entry,
    a_skipped_event_that_left_the_calendar_is_not_suggested_again,
    a_skipped_event_waits_no_more,
    events_are_their_persons,
);

const KEYS: &str = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A calendar of Nina's.
pub(crate) struct Watched {
    pub(crate) nina: Member,
    pub(crate) calendar: Uuid,
}

impl Watched {
    pub(crate) async fn new(store: &Store, clock: &Clock) -> Self {
        let store = store.clone().with_keys(Keyring::parse(KEYS).unwrap());
        let nina = nina(&store).await;
        let new = NewAccount {
            user_id: nina.user_id,
            provider: Provider::Google,
            subject: "sub-7",
            email: "nina@tern.example",
            scopes: "openid",
            access: &SecretString::from("access"),
            refresh: &SecretString::from("refresh"),
            expires_at: clock.now() + TimeDelta::hours(1),
        };
        let main = ListedCalendar {
            provider_calendar_id: "main".to_owned(),
            name: "Main".to_owned(),
            is_primary: true,
            has_details: true,
            is_own: true,
        };
        let saved = store.save_account(&new, &[main], |_| Vec::new()).await;
        let calendars = store.calendars_of(saved.unwrap().id).await.unwrap();
        Self {
            nina,
            calendar: calendars[0],
        }
    }

    /// A whole reading that shows these events.
    pub(crate) async fn read(
        &self,
        store: &Store,
        clock: &Clock,
        events: &[CalendarEvent],
    ) -> SyncCounts {
        let lease = clock.new_id();
        let until = clock.now() + TimeDelta::minutes(2);
        assert!(store.take_sync(self.calendar, lease, until).await.unwrap());
        let target = store.sync_target(self.calendar).await.unwrap().unwrap();
        let counts = store
            .reconcile(
                &target,
                lease,
                Shown {
                    window: window(clock),
                    events,
                    wishes: Wishes::default(),
                },
                None,
                &|_, _| None,
            )
            .await;
        counts.unwrap().unwrap()
    }

    pub(crate) async fn events(&self, store: &Store) -> Vec<SyncedEvent> {
        let all = [DateTime::UNIX_EPOCH, at("2099-01-01T00:00:00Z")];
        let events = store.events_between(self.nina.user_id, all, None, 5_000);
        events.await.unwrap()
    }

    pub(crate) async fn log(&self, store: &Store, event: Uuid) -> LogEvent {
        let fields = fields();
        let logged = store.log_event(self.nina.user_id, event, &fields, &[]);
        logged.await.unwrap()
    }
}

pub(crate) fn window(clock: &Clock) -> [DateTime<Utc>; 2] {
    let now = clock.now();
    [now - TimeDelta::days(7), now + TimeDelta::days(30)]
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn fields() -> EntryFields {
    EntryFields {
        description: "Meeting".to_owned(),
        date: day(),
        span: None,
        is_timed: false,
        duration: Minutes::new(30),
        project: None,
        billable: false,
        tags: Vec::new(),
    }
}

/// A meeting of half an hour.
pub(crate) fn event(id: &str, start: DateTime<Utc>) -> CalendarEvent {
    CalendarEvent {
        provider_event_id: id.to_owned(),
        ical_uid: Some(format!("{id}@google.com")),
        series_id: None,
        original_start: None,
        title: Some(format!("Meeting {id}")),
        start,
        end: start + TimeDelta::minutes(30),
        is_all_day: false,
        is_cancelled: false,
        reply: Reply::Accepted,
        is_free: false,
        kind: EventKind::Ordinary,
        is_private: false,
    }
}

fn numbers(counts: &SyncCounts) -> [u32; 4] {
    [
        counts.events_synced,
        counts.new_events,
        counts.updated_events,
        counts.removed_events,
    ]
}

async fn a_calendar_is_read_by_one_at_a_time_and_when_it_is_due(store: Store, clock: Clock) {
    let watched = Watched::new(&store, &clock).await;
    let id = watched.calendar;
    let due = async |before| store.calendars_to_sync(before, None, 10).await.unwrap();
    assert_eq!(due(clock.now()).await, [id]);
    assert_eq!(
        store
            .calendars_to_sync(clock.now(), Some(id), 10)
            .await
            .unwrap(),
        Vec::<Uuid>::new()
    );
    let (mine, theirs) = (clock.new_id(), clock.new_id());
    let until = clock.now() + TimeDelta::minutes(2);
    assert!(store.take_sync(id, mine, until).await.unwrap());
    assert!(!store.take_sync(id, theirs, until).await.unwrap());
    // Whoever does not hold it neither gives it back nor stores anything.
    store.fail_sync(id, theirs, None, true).await.unwrap();
    let target = store.sync_target(id).await.unwrap().unwrap();
    assert_eq!((target.sync_until, target.fails), (Some(until), 0));
    let events = [event("a", clock.now())];
    let shown = Shown {
        window: window(&clock),
        events: &events,
        wishes: Wishes::default(),
    };
    let stored = store.reconcile(&target, theirs, shown, None, &|_, _| None);
    assert_eq!(stored.await.unwrap(), None);
    assert_eq!(watched.events(&store).await, []);
    // Not to be asked before.
    let next = clock.now() + TimeDelta::minutes(5);
    store.fail_sync(id, mine, Some(next), false).await.unwrap();
    let target = store.sync_target(id).await.unwrap().unwrap();
    let told = (target.next_attempt_at, target.fails, target.sync_until);
    assert_eq!(told, (Some(next), 1, None));
    assert!(due(clock.now()).await.is_empty());
    clock.advance(TimeDelta::minutes(5));
    assert_eq!(due(clock.now()).await, [id]);
    // One that never came back is taken over.
    let until = clock.now() + TimeDelta::minutes(2);
    assert!(store.take_sync(id, mine, until).await.unwrap());
    clock.advance(TimeDelta::minutes(2));
    let counts = watched.read(&store, &clock, &events).await;
    assert_eq!(numbers(&counts), [1, 1, 0, 0]);
    let target = store.sync_target(id).await.unwrap().unwrap();
    assert_eq!(target.last, Some((clock.now(), counts)));
    assert_eq!((target.fails, target.next_attempt_at), (0, None));
    assert!(due(clock.now() - TimeDelta::minutes(1)).await.is_empty());
    // It is gone.
    assert!(
        store
            .take_sync(id, mine, clock.now() + TimeDelta::minutes(2))
            .await
            .unwrap()
    );
    store.fail_sync(id, mine, None, true).await.unwrap();
    assert!(store.sync_target(id).await.unwrap().is_none());
    assert!(due(clock.now()).await.is_empty());
}

async fn many_events_come_change_and_go(store: Store, clock: Clock) {
    // More than one statement holds.
    const MANY: usize = 450;
    let watched = Watched::new(&store, &clock).await;
    let start = clock.now() - TimeDelta::days(6);
    let mut events: Vec<_> = (0..MANY)
        .map(|n| {
            event(
                &format!("e{n:03}"),
                start + TimeDelta::minutes(i64::try_from(n).unwrap() * 20),
            )
        })
        .collect();
    let many = u32::try_from(MANY).unwrap();
    // One that comes twice counts once.
    events.push(events[0].clone());
    let counts = watched.read(&store, &clock, &events).await;
    assert_eq!(numbers(&counts), [many + 1, many, 0, 0]);
    events.pop();
    assert_eq!(
        numbers(&watched.read(&store, &clock, &events).await),
        [many, 0, 0, 0]
    );
    let before = watched.events(&store).await;
    watched.log(&store, before[0].id).await;
    let me = watched.nina.user_id;
    store
        .dismiss_event(me, before[1].id, true, None)
        .await
        .unwrap();
    for event in &mut events {
        event.title = event.title.take().map(|title| title + " (moved)");
        event.start += TimeDelta::minutes(5);
        event.end += TimeDelta::minutes(5);
    }
    events[2].reply = Reply::Declined;
    let counts = watched.read(&store, &clock, &events).await;
    assert_eq!(numbers(&counts), [many, 0, many, 0]);
    assert_eq!(counts.skipped["declined"], 1);
    let after = watched.events(&store).await;
    let ids = |events: &[SyncedEvent]| events.iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&after));
    let states: Vec<_> = after.iter().map(|event| event.state).collect();
    assert_eq!(
        states[..4],
        [
            EventState::Logged,
            EventState::Dismissed,
            EventState::Skipped,
            EventState::Suggested
        ]
    );
    assert_eq!(after[2].skip_reason, Some(SkipReason::Declined));
    assert_eq!(after[3].title, "Meeting e003 (moved)");
    // All but one go; what was decided stays.
    let counts = watched.read(&store, &clock, &events[9..10]).await;
    assert_eq!(numbers(&counts), [1, 0, 0, many - 1]);
    let after = watched.events(&store).await;
    let gone = after.iter().filter(|event| event.state == EventState::Gone);
    assert_eq!(gone.count(), MANY - 3);
    assert_eq!(
        after
            .iter()
            .filter(|event| event.removed_at.is_some())
            .count(),
        MANY - 1
    );
    assert_eq!(
        numbers(&watched.read(&store, &clock, &events[9..10]).await),
        [1, 0, 0, 0]
    );
    // And come back as they were.
    let counts = watched.read(&store, &clock, &events).await;
    assert_eq!(numbers(&counts), [many, 0, many - 1, 0]);
    let again = watched.events(&store).await;
    assert_eq!(
        states,
        again.iter().map(|event| event.state).collect::<Vec<_>>()
    );
}

async fn a_split_series_keeps_its_rows_and_a_known_id_may_come_back_from_outside(
    store: Store,
    clock: Clock,
) {
    let watched = Watched::new(&store, &clock).await;
    let slot = |id: &str, days: i64| {
        let start = clock.now() - TimeDelta::days(6) + TimeDelta::days(days);
        CalendarEvent {
            ical_uid: Some("series@google.com".to_owned()),
            series_id: Some("series".to_owned()),
            original_start: Some(start),
            ..event(id, start)
        }
    };
    let first = [slot("s0", 0), slot("s1", 1), slot("s2", 2)];
    watched.read(&store, &clock, &first).await;
    let rows = watched.events(&store).await;
    watched.log(&store, rows[1].id).await;
    // New ids for the same meetings, one of them moved.
    let mut split = [slot("s0", 0), slot("t1", 1), slot("t2", 2)];
    split[2].start += TimeDelta::hours(1);
    split[2].end += TimeDelta::hours(1);
    let counts = watched.read(&store, &clock, &split).await;
    assert_eq!(numbers(&counts), [3, 0, 2, 0]);
    let after = watched.events(&store).await;
    for (before, after) in rows.iter().zip(&after) {
        assert_eq!(before.id, after.id);
    }
    assert_eq!(after[1].provider_event_id, "t1");
    assert_eq!(after[1].state, EventState::Logged);
    // The window leaves the first one behind; it comes back into it, at the time of another that goes.
    clock.advance(TimeDelta::days(2));
    watched.read(&store, &clock, &split[2..]).await;
    let mut back = slot("s0", 0);
    (back.start, back.end) = (split[2].start, split[2].end);
    let counts = watched.read(&store, &clock, &[back]).await;
    assert_eq!(numbers(&counts), [1, 0, 1, 1]);
    let after = watched.events(&store).await;
    let of = |id: Uuid| after.iter().find(|event| event.id == id).unwrap();
    assert_eq!(of(rows[0].id).start, split[2].start);
    assert_eq!(of(rows[2].id).state, EventState::Gone);
}

async fn one_event_is_one_entry(store: Store, clock: Clock) {
    let watched = Watched::new(&store, &clock).await;
    let me = watched.nina.user_id;
    let mut free = event("b", clock.now() - TimeDelta::hours(3));
    free.is_free = true;
    let events = [event("a", clock.now() - TimeDelta::hours(2)), free];
    watched.read(&store, &clock, &events).await;
    let rows = watched.events(&store).await;
    let (skipped, id) = (rows[0].id, rows[1].id);
    let (one, two) = tokio::join!(watched.log(&store, id), watched.log(&store, id));
    let entry = |logged: &LogEvent| match logged {
        LogEvent::Logged(receipt) | LogEvent::Already(receipt) => receipt.entry.id,
        other => panic!("{other:?}"),
    };
    assert_eq!(entry(&one), entry(&two));
    let made = [&one, &two]
        .into_iter()
        .filter(|one| matches!(one, LogEvent::Logged(_)));
    assert_eq!(made.count(), 1);
    // Taken back and logged again, it is the same entry.
    store
        .undo_last(me, clock.new_id(), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        store.event(me, id).await.unwrap().unwrap().state,
        EventState::Suggested
    );
    let again = watched.log(&store, id).await;
    assert!(matches!(&again, LogEvent::Logged(_)), "{again:?}");
    assert_eq!(entry(&again), entry(&one));
    let logged = store.event(me, id).await.unwrap().unwrap();
    assert_eq!(logged.time_entry_id, Some(entry(&one)));
    assert_eq!(
        watched.log(&store, skipped).await,
        LogEvent::Not(EventState::Skipped)
    );
    assert_eq!(
        watched.log(&store, Uuid::from_u128(7)).await,
        LogEvent::Unknown
    );
    // Gone from the calendar and then taken back, it does not wait again.
    watched.read(&store, &clock, &events[1..]).await;
    assert_eq!(
        store.event(me, id).await.unwrap().unwrap().state,
        EventState::Logged
    );
    store
        .undo_last(me, clock.new_id(), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        store.event(me, id).await.unwrap().unwrap().state,
        EventState::Gone
    );
}

async fn a_skipped_event_that_left_the_calendar_is_not_suggested_again(store: Store, clock: Clock) {
    let watched = Watched::new(&store, &clock).await;
    let me = watched.nina.user_id;
    let hours = |hours| clock.now() - TimeDelta::hours(hours);
    let events = [event("a", hours(2)), event("b", hours(3))];
    watched.read(&store, &clock, &events).await;
    let known = watched.events(&store).await;
    let is_a = |known: &&SyncedEvent| known.provider_event_id == "a";
    let id = known.iter().find(is_a).unwrap().id;
    store.dismiss_event(me, id, true, None).await.unwrap();
    watched.read(&store, &clock, &events[1..]).await;
    let state = store.dismiss_event(me, id, false, None).await.unwrap();
    assert_eq!(state, Some(EventState::Gone));
}

async fn a_skipped_event_waits_no_more(store: Store, clock: Clock) {
    let watched = Watched::new(&store, &clock).await;
    let me = watched.nina.user_id;
    let since = clock.now() - TimeDelta::days(7);
    let hours = |hours| clock.now() - TimeDelta::hours(hours);
    // The third has not ended.
    let events = [
        event("a", hours(2)),
        event("b", hours(3)),
        event("c", hours(0)),
    ];
    watched.read(&store, &clock, &events).await;
    let waiting = async |limit| {
        let (events, count) = store.waiting(me, since, limit).await.unwrap();
        let ids: Vec<_> = events
            .into_iter()
            .map(|event| event.provider_event_id)
            .collect();
        (ids.join(" "), count)
    };
    assert_eq!(waiting(9).await, ("a b".to_owned(), 2));
    assert_eq!(waiting(1).await, ("a".to_owned(), 2));
    let id = watched.events(&store).await[1].id;
    let job = NewJob {
        unique_key: "home".to_owned(),
        payload: "{}".to_owned(),
        is_prompt: false,
        run_at: None,
    };
    let state = store.dismiss_event(me, id, true, Some(&job)).await.unwrap();
    assert_eq!(state, Some(EventState::Dismissed));
    assert_eq!(store.job_counts().await.unwrap().open, 1);
    assert_eq!(waiting(9).await, ("b".to_owned(), 1));
    let event = store.event(me, id).await.unwrap().unwrap();
    assert_eq!(event.dismissed_at, Some(clock.now()));
    // It stays skipped, whatever the calendar shows.
    assert_eq!(
        watched.log(&store, id).await,
        LogEvent::Not(EventState::Dismissed)
    );
    watched.read(&store, &clock, &events[1..]).await;
    watched.read(&store, &clock, &events).await;
    assert_eq!(waiting(9).await, ("b".to_owned(), 1));
    let state = store.dismiss_event(me, id, false, None).await.unwrap();
    assert_eq!(state, Some(EventState::Suggested));
    assert_eq!(waiting(9).await, ("a b".to_owned(), 2));
    let unknown = store
        .dismiss_event(me, Uuid::from_u128(7), true, None)
        .await;
    assert_eq!(unknown.unwrap(), None);
}

async fn events_are_their_persons(store: Store, clock: Clock) {
    let watched = Watched::new(&store, &clock).await;
    let me = watched.nina.user_id;
    let jonas = store.save_member("T1", "U2", Some(&berlin("Jonas"))).await;
    let jonas = jonas.unwrap().user_id;
    let events: Vec<_> = (0..5)
        .map(|n| event(&n.to_string(), clock.now() - TimeDelta::hours(9 - n / 2)))
        .collect();
    watched.read(&store, &clock, &events).await;
    let id = watched.events(&store).await[0].id;
    assert_eq!(store.event(jonas, id).await.unwrap(), None);
    assert_eq!(
        store.dismiss_event(jonas, id, true, None).await.unwrap(),
        None
    );
    let logged = store.log_event(jonas, id, &fields(), &[]).await.unwrap();
    assert_eq!(logged, LogEvent::Unknown);
    let (waiting, count) = store.waiting(jonas, DateTime::UNIX_EPOCH, 9).await.unwrap();
    assert_eq!((waiting.len(), count), (0, 0));
    // Page by page, with two at a time: each once, in order.
    let all = [clock.now() - TimeDelta::days(1), clock.now()];
    assert_eq!(store.events_between(jonas, all, None, 9).await.unwrap(), []);
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.events_between(me, all, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.start, last.id));
        seen.extend(page);
    }
    assert_eq!(seen, watched.events(&store).await);
    assert_eq!(seen.len(), 5);
}
