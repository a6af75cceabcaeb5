//! Timers: one for each person, whoever starts one when.

use billops::{
    clock::Clock,
    domain::{
        member::Member,
        minutes::Minutes,
        time_entry::{ChangeKind, Changed, EntryFields, EntrySource},
        timer::{LONG, Timer},
    },
    store::{EntryChange, NewJob, Store, TimerChange, TimerStep},
};
use chrono::TimeDelta;

use super::{day, key, nina, total};

super::on_every_database!(
    a_timer_is_started_stopped_and_let_run_on,
    a_request_is_one_step,
    two_started_at_once_are_one,
    starting_logs_what_ran_and_is_undone_as_one,
    a_discarded_timer_is_put_back_once,
    nobody_puts_back_what_is_not_theirs,
    a_button_pressed_twice_finds_what_it_did,
    an_edit_is_undone_and_keeps_when_to_ask,
    undoing_does_not_overwrite_what_was_started_meanwhile,
    of_several_that_ask_one_does,
    who_is_to_be_asked_is_found,
);

fn timer(clock: &Clock, words: &str) -> Timer {
    let now = clock.now();
    Timer {
        id: clock.new_id(),
        description: words.to_owned(),
        project: None,
        billable: true,
        tags: vec!["web".to_owned()],
        started_at: now,
        version: 1,
        ask_at: Some(now + TimeDelta::hours(5)),
    }
}

fn entry(timer: &Timer, clock: &Clock) -> EntryFields {
    let now = clock.now();
    let minutes = (now - timer.started_at).num_minutes();
    EntryFields {
        description: timer.description.clone(),
        date: day(),
        span: Some((timer.started_at, now)),
        is_timed: true,
        duration: Minutes::new(u32::try_from(minutes).unwrap()),
        project: None,
        billable: timer.billable,
        tags: timer.tags.clone(),
    }
}

fn step(
    number: u128,
    kind: ChangeKind,
    from: Option<&Timer>,
    to: Option<&Timer>,
    log: Option<EntryFields>,
) -> TimerStep {
    TimerStep {
        key: key(number),
        kind,
        from: from.cloned(),
        to: to.cloned(),
        log,
        then: None,
    }
}

fn starting(number: u128, from: Option<&Timer>, to: &Timer) -> TimerStep {
    step(number, ChangeKind::TimerStart, from, Some(to), None)
}

fn discarding(number: u128, timer: &Timer) -> TimerStep {
    step(number, ChangeKind::TimerCancel, Some(timer), None, None)
}

async fn take(store: &Store, member: &Member, step: TimerStep) -> Changed {
    match store.step_timer(member.user_id, &step).await.unwrap() {
        TimerChange::Done(changed) => *changed,
        TimerChange::Stale(runs) => panic!("not done: {runs:?}"),
    }
}

async fn runs(store: &Store, member: &Member) -> Option<Timer> {
    store.timer(member.user_id).await.unwrap()
}

async fn restore(store: &Store, member: &Member, timer: &Timer) -> EntryChange {
    let restored = store.restore_timer(member.user_id, timer.id, timer.version, None);
    restored.await.unwrap()
}

fn done(change: EntryChange) -> Changed {
    match change {
        EntryChange::Done(changed) => *changed,
        other => panic!("not done: {other:?}"),
    }
}

async fn a_timer_is_started_stopped_and_let_run_on(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    assert_eq!(runs(&store, &nina).await, None);
    let notes = timer(&clock, "Usability notes");
    take(&store, &nina, starting(1, None, &notes)).await;
    assert_eq!(runs(&store, &nina).await.as_ref(), Some(&notes));

    clock.advance(TimeDelta::minutes(50));
    let log = entry(&notes, &clock);
    let stop = step(
        2,
        ChangeKind::TimerStop,
        Some(&notes),
        None,
        Some(log.clone()),
    );
    let stopped = take(&store, &nina, stop).await;
    let receipt = stopped.receipt.unwrap();
    assert_eq!(receipt.entry.fields(), log);
    assert_eq!(
        (receipt.entry.source, receipt.day_total.get()),
        (EntrySource::Timer, 50)
    );
    let kept = store.entry(nina.user_id, receipt.entry.id).await.unwrap();
    assert_eq!(kept.as_ref(), Some(&receipt.entry));
    assert_eq!(runs(&store, &nina).await, None);

    let back = store.take_back(nina.user_id, receipt.entry.id, 1, None);
    let back = done(back.await.unwrap());
    assert_eq!(back.timer_after.as_ref(), Some(&notes));
    assert_eq!(runs(&store, &nina).await.as_ref(), Some(&notes));
    assert_eq!(total(&store, &nina).await, 0);

    // And stopped again, by putting the entry back.
    let again = store.take_back(nina.user_id, receipt.entry.id, 2, None);
    assert!(!done(again.await.unwrap()).is_undo);
    assert_eq!(runs(&store, &nina).await, None);
    assert_eq!(total(&store, &nina).await, 50);

    // Undone step by step, to the beginning.
    let undo = async |number| {
        store
            .undo_last(nina.user_id, key(number), None)
            .await
            .unwrap()
    };
    assert_eq!(undo(10).await.unwrap().timer_after.unwrap().id, notes.id);
    assert_eq!(undo(11).await.unwrap().kind, ChangeKind::TimerStart);
    assert_eq!(runs(&store, &nina).await, None);
    assert_eq!(undo(12).await, None);
}

async fn a_request_is_one_step(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let job = NewJob {
        unique_key: "refresh".into(),
        payload: "{}".into(),
        is_prompt: false,
        run_at: None,
    };
    let first = timer(&clock, "first");
    let start = TimerStep {
        then: Some(job),
        ..starting(1, None, &first)
    };
    let changed = take(&store, &nina, start.clone()).await;
    assert_eq!(store.job_counts().await.unwrap().open, 1);
    // The repetition makes an id of its own, and finds another timer than the first time.
    let repeated = starting(1, Some(&first), &timer(&clock, "first"));
    assert_eq!(take(&store, &nina, repeated).await, changed);
    assert_eq!(take(&store, &nina, start).await, changed);
    assert_eq!(runs(&store, &nina).await.unwrap().id, first.id);
    let answer = async |number| store.timer_answer(nina.user_id, key(number)).await.unwrap();
    assert_eq!(answer(1).await, Some(changed));
    assert_eq!(answer(2).await, None);
}

async fn two_started_at_once_are_one(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    for round in 0..20_u128 {
        let (one, other) = (timer(&clock, "one"), timer(&clock, "other"));
        let now = runs(&store, &nina).await;
        let steps = [
            starting(round * 2 + 1, now.as_ref(), &one),
            starting(round * 2 + 2, now.as_ref(), &other),
        ];
        let [first, second] = &steps;
        let (first, second) = tokio::join!(
            store.step_timer(nina.user_id, first),
            store.step_timer(nina.user_id, second),
        );
        let runs = runs(&store, &nina).await.unwrap();
        let (won, lost) = match (first.unwrap(), second.unwrap()) {
            (TimerChange::Done(won), TimerChange::Stale(lost))
            | (TimerChange::Stale(lost), TimerChange::Done(won)) => (won, lost),
            both => panic!("{both:?}"),
        };
        assert_eq!(won.timer_after.as_ref(), Some(&runs));
        assert_eq!(lost.as_ref(), Some(&runs));
        // Every other time none runs, and there is no row to wait for.
        if round % 2 == 0 {
            take(&store, &nina, discarding(1000 + round, &runs)).await;
        }
    }
}

async fn starting_logs_what_ran_and_is_undone_as_one(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let icons = timer(&clock, "Icon set");
    take(&store, &nina, starting(1, None, &icons)).await;
    clock.advance(TimeDelta::minutes(40));
    let notes = timer(&clock, "Usability notes");
    let start = TimerStep {
        log: Some(entry(&icons, &clock)),
        ..starting(2, Some(&icons), &notes)
    };
    let started = take(&store, &nina, start).await;
    let logged = started.receipt.unwrap().entry;
    assert_eq!(logged.duration_minutes.get(), 40);
    assert_eq!(runs(&store, &nina).await.unwrap().id, notes.id);
    let back = store.take_back(nina.user_id, logged.id, 1, None);
    done(back.await.unwrap());
    assert_eq!(runs(&store, &nina).await.as_ref(), Some(&icons));
    assert_eq!(total(&store, &nina).await, 0);
    let again = store.take_back(nina.user_id, logged.id, 2, None);
    done(again.await.unwrap());
    assert_eq!(runs(&store, &nina).await.unwrap().id, notes.id);
    assert_eq!(total(&store, &nina).await, 40);
}

async fn a_discarded_timer_is_put_back_once(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let notes = timer(&clock, "Usability notes");
    take(&store, &nina, starting(1, None, &notes)).await;
    take(&store, &nina, discarding(2, &notes)).await;
    assert_eq!(runs(&store, &nina).await, None);
    let (one, other) = tokio::join!(
        restore(&store, &nina, &notes),
        restore(&store, &nina, &notes)
    );
    for back in [one, other, restore(&store, &nina, &notes).await] {
        let back = done(back);
        assert_eq!(
            (back.receipt, back.timer_after.as_ref()),
            (None, Some(&notes))
        );
    }
    assert_eq!(runs(&store, &nina).await.as_ref(), Some(&notes));

    // The last thing that stands is the start.
    let undone = store.undo_last(nina.user_id, key(3), None).await.unwrap();
    assert_eq!(undone.unwrap().kind, ChangeKind::TimerStart);
    // That it was undone can be taken back, too.
    done(restore(&store, &nina, &notes).await);
    assert_eq!(runs(&store, &nina).await.as_ref(), Some(&notes));

    // Not over another one that runs.
    take(&store, &nina, discarding(4, &notes)).await;
    let icons = timer(&clock, "Icon set");
    take(&store, &nina, starting(5, None, &icons)).await;
    let other = restore(&store, &nina, &notes).await;
    assert_eq!(other, EntryChange::OtherTimer(Some(icons.clone())));
    assert_eq!(runs(&store, &nina).await, Some(icons));
}

async fn nobody_puts_back_what_is_not_theirs(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T1", "U2", None).await.unwrap();
    let notes = timer(&clock, "Usability notes");
    take(&store, &nina, starting(1, None, &notes)).await;
    let steal = discarding(1, &notes);
    let steal = store.step_timer(jonas.user_id, &steal).await;
    assert_eq!(steal.unwrap(), TimerChange::Stale(None));
    take(&store, &nina, discarding(2, &notes)).await;
    assert_eq!(restore(&store, &jonas, &notes).await, EntryChange::Unknown);
    assert_eq!(runs(&store, &jonas).await, None);
    let kind = ChangeKind::TimerCancel;
    let done = store.timer_step_done(jonas.user_id, kind, notes.id, 1);
    assert_eq!(done.await.unwrap(), None);
}

async fn a_button_pressed_twice_finds_what_it_did(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let notes = timer(&clock, "Usability notes");
    take(&store, &nina, starting(1, None, &notes)).await;
    clock.advance(TimeDelta::minutes(50));
    let log = entry(&notes, &clock);
    let stop = step(2, ChangeKind::TimerStop, Some(&notes), None, Some(log));
    let stopped = take(&store, &nina, stop).await;
    let found = async |kind| {
        let found = store.timer_step_done(nina.user_id, kind, notes.id, 1);
        found.await.unwrap()
    };
    assert_eq!(found(ChangeKind::TimerStop).await, Some(stopped.clone()));
    assert_eq!(found(ChangeKind::TimerCancel).await, None);
    let id = stopped.receipt.unwrap().entry.id;
    done(store.take_back(nina.user_id, id, 1, None).await.unwrap());
    assert_eq!(found(ChangeKind::TimerStop).await, None);
}

async fn an_edit_is_undone_and_keeps_when_to_ask(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let notes = timer(&clock, "Usability notes");
    take(&store, &nina, starting(1, None, &notes)).await;
    // Asked about after the form was opened.
    let asked = store.set_timer_ask(nina.user_id, notes.id, notes.ask_at, None);
    assert!(asked.await.unwrap());
    let edited = Timer {
        description: "Interview notes".to_owned(),
        version: 2,
        ..notes.clone()
    };
    let edit = step(2, ChangeKind::TimerEdit, Some(&notes), Some(&edited), None);
    take(&store, &nina, edit).await;
    let now = runs(&store, &nina).await.unwrap();
    assert_eq!(
        (now.description.as_str(), now.ask_at),
        ("Interview notes", None)
    );
    // A step that was meant for the first version does nothing.
    let late = store.step_timer(nina.user_id, &discarding(3, &notes)).await;
    assert_eq!(late.unwrap(), TimerChange::Stale(Some(now)));
    let undone = store.undo_last(nina.user_id, key(4), None).await.unwrap();
    assert_eq!(undone.unwrap().kind, ChangeKind::TimerEdit);
    assert_eq!(
        runs(&store, &nina).await.unwrap().description,
        "Usability notes"
    );
    // One that had been asked about and is let run on is asked about again, later.
    let now = Timer {
        ask_at: None,
        ..runs(&store, &nina).await.unwrap()
    };
    let cleared = store.set_timer_ask(nina.user_id, notes.id, notes.ask_at, None);
    assert!(cleared.await.unwrap());
    take(&store, &nina, discarding(5, &now)).await;
    done(restore(&store, &nina, &now).await);
    let ask_at = runs(&store, &nina).await.unwrap().ask_at;
    assert_eq!(ask_at, Some(clock.now() + LONG));
}

async fn undoing_does_not_overwrite_what_was_started_meanwhile(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    for round in 0..20_u128 {
        let number = round * 4;
        let notes = timer(&clock, "Usability notes");
        take(&store, &nina, starting(number + 1, None, &notes)).await;
        take(&store, &nina, discarding(number + 2, &notes)).await;
        let icons = timer(&clock, "Icon set");
        let start = starting(number + 3, None, &icons);
        let (started, restored) = tokio::join!(
            store.step_timer(nina.user_id, &start),
            restore(&store, &nina, &notes),
        );
        let runs = runs(&store, &nina).await.unwrap();
        match (started.unwrap(), restored) {
            (TimerChange::Done(_), EntryChange::OtherTimer(Some(now))) => assert_eq!(now, runs),
            (TimerChange::Stale(Some(now)), EntryChange::Done(_)) => assert_eq!(now, runs),
            both => panic!("{both:?}"),
        }
        take(&store, &nina, discarding(number + 4, &runs)).await;
    }
}

async fn of_several_that_ask_one_does(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let notes = timer(&clock, "Usability notes");
    take(&store, &nina, starting(1, None, &notes)).await;
    let claim = async || {
        let later = Some(clock.now() + LONG);
        let set = store.set_timer_ask(nina.user_id, notes.id, notes.ask_at, later);
        set.await.unwrap()
    };
    let (a, b, c) = tokio::join!(claim(), claim(), claim());
    assert_eq!([a, b, c].iter().filter(|won| **won).count(), 1);
    let ask = async |at, then| {
        let set = store.set_timer_ask(nina.user_id, notes.id, at, then);
        set.await.unwrap()
    };
    let claimed = Some(clock.now() + LONG);
    assert!(ask(claimed, None).await);
    assert!(!ask(claimed, None).await);
    assert!(ask(None, claimed).await);
    assert!(!ask(None, claimed).await);
    let version = runs(&store, &nina).await.unwrap().version;
    assert_eq!(version, 1, "asking is no change of the timer");
}

async fn who_is_to_be_asked_is_found(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T1", "U2", None).await.unwrap();
    let notes = timer(&clock, "Usability notes");
    take(&store, &nina, starting(1, None, &notes)).await;
    clock.advance(TimeDelta::minutes(1));
    let icons = timer(&clock, "Icon set");
    take(&store, &jonas, starting(1, None, &icons)).await;
    let asked = async |limit| {
        let timers = store.timers_to_ask(limit).await.unwrap();
        let ids = timers.into_iter().map(|ask| (ask.binding_id, ask.timer_id));
        ids.collect::<Vec<_>>()
    };
    clock.advance(TimeDelta::minutes(298));
    assert_eq!(asked(10).await, []);
    clock.advance(TimeDelta::minutes(1));
    assert_eq!(asked(10).await, [(nina.binding_id, notes.id)]);
    clock.advance(TimeDelta::minutes(1));
    let (first, second) = ((nina.binding_id, notes.id), (jonas.binding_id, icons.id));
    assert_eq!(asked(10).await, [first, second]);
    assert_eq!(asked(1).await, [first]);
    let set = store.set_timer_ask(nina.user_id, notes.id, notes.ask_at, None);
    assert!(set.await.unwrap());
    assert_eq!(asked(10).await, [second]);
}
