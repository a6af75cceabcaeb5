//! Changing entries, and taking changes back.

use billops::{
    clock::Clock,
    domain::{
        member::Member,
        minutes::Minutes,
        time_entry::{ChangeKind, Changed, EntryFields, Receipt, TimeEntry},
    },
    store::{EntryChange, NewJob, Step, Store},
};
use chrono::{NaiveDate, TimeDelta};
use uuid::Uuid;

use super::{day, key, log, meeting, nina, soon, total};

super::on_every_database!(
    the_making_of_an_entry_is_taken_back_and_put_back,
    nobody_touches_what_is_not_theirs,
    an_edit_is_made_once_and_taken_back_and_made_again,
    of_two_edits_at_once_the_second_is_told,
    undo_goes_back_step_by_step,
    undo_takes_one_back_for_a_key,
    undo_reaches_one_day,
    undo_passes_over_what_can_no_longer_be_undone,
    a_deletion_is_undone_and_its_making_after_it,
    two_entries_are_merged_and_parted,
    a_merge_is_done_whole_or_not_at_all,
    old_changes_are_forgotten,
    undo_after_putting_back_takes_back_the_putting_back,
    a_key_that_was_used_for_something_else_harms_no_other,
    undo_does_not_touch_what_was_changed_or_settled_meanwhile,
    lists_and_overlaps_see_what_stands,
);

/// The entry, changed by this.
fn edit(entry: &TimeEntry, change: impl FnOnce(&mut EntryFields)) -> Step {
    let mut fields = entry.fields();
    change(&mut fields);
    Step {
        entry_id: entry.id,
        version: entry.version,
        to: Some(fields),
    }
}

fn deletion(entry: &TimeEntry) -> Step {
    Step {
        entry_id: entry.id,
        version: entry.version,
        to: None,
    }
}

fn minutes(minutes: u32) -> impl FnOnce(&mut EntryFields) {
    move |fields| fields.duration = Minutes::new(minutes)
}

async fn change(store: &Store, member: &Member, kind: ChangeKind, step: Step) -> EntryChange {
    store
        .change_entries(member.user_id, kind, &[step], None)
        .await
        .unwrap()
}

async fn back(store: &Store, member: &Member, entry: &TimeEntry, version: i32) -> EntryChange {
    store
        .take_back(member.user_id, entry.id, version, None)
        .await
        .unwrap()
}

fn done(change: EntryChange) -> Changed {
    match change {
        EntryChange::Done(changed) => *changed,
        other => panic!("not done: {other:?}"),
    }
}

fn receipt(change: EntryChange) -> Receipt {
    done(change).receipt.unwrap()
}

async fn undo(store: &Store, member: &Member, number: u128) -> Option<Changed> {
    store
        .undo_last(member.user_id, key(number), None)
        .await
        .unwrap()
}

async fn the_making_of_an_entry_is_taken_back_and_put_back(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let entry = log(&store, &nina, 1, 150).await.entry;
    clock.advance(TimeDelta::minutes(1));
    let taken = done(back(&store, &nina, &entry, 1).await);
    assert_eq!((taken.kind, taken.is_undo), (ChangeKind::Create, true));
    let now = taken.receipt.as_ref().unwrap();
    assert_eq!((now.entry.version, now.day_total.get()), (2, 0));
    assert_eq!(now.entry.deleted_at, Some(clock.now()));
    // Pressed twice.
    assert_eq!(
        receipt(back(&store, &nina, &entry, 1).await).entry,
        now.entry
    );
    let put_back = receipt(back(&store, &nina, &entry, 2).await);
    assert_eq!(
        (
            put_back.entry.version,
            put_back.entry.deleted_at,
            put_back.day_total.get()
        ),
        (3, None, 150)
    );
    // A card that still shows the first version changes nothing.
    assert!(
        matches!(back(&store, &nina, &entry, 1).await, EntryChange::Stale(now) if now.entry.version == 3)
    );
    assert_eq!(total(&store, &nina).await, 150);
}

async fn nobody_touches_what_is_not_theirs(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T1", "U2", None).await.unwrap();
    let entry = log(&store, &nina, 1, 150).await.entry;
    let mine = log(&store, &jonas, 1, 10).await.entry;
    let job = NewJob {
        unique_key: "refresh".into(),
        payload: "{}".into(),
        is_prompt: false,
        run_at: None,
    };
    assert_eq!(store.entry(jonas.user_id, entry.id).await.unwrap(), None);
    let steal = store
        .take_back(jonas.user_id, entry.id, 1, Some(&job))
        .await
        .unwrap();
    assert_eq!(steal, EntryChange::Unknown);
    for steps in [
        vec![edit(&entry, minutes(1))],
        vec![deletion(&entry)],
        vec![edit(&mine, minutes(5)), deletion(&entry)],
    ] {
        let steal = store
            .change_entries(jonas.user_id, ChangeKind::Merge, &steps, Some(&job))
            .await
            .unwrap();
        assert_eq!(steal, EntryChange::Unknown);
    }
    assert_eq!(
        undo(&store, &jonas, 9)
            .await
            .unwrap()
            .receipt
            .unwrap()
            .entry
            .id,
        mine.id
    );
    assert_eq!(undo(&store, &jonas, 10).await, None);
    assert_eq!(
        store.entry(nina.user_id, entry.id).await.unwrap(),
        Some(entry.clone())
    );
    assert_eq!(store.last_entries(jonas.user_id, 0, 10).await.unwrap(), []);
    assert_eq!(store.job_counts().await.unwrap().open, 0);
    // A change of Nina's is not Jonas's to take back either.
    let edited =
        receipt(change(&store, &nina, ChangeKind::Edit, edit(&entry, minutes(7))).await).entry;
    assert_eq!(back(&store, &jonas, &edited, 2).await, EntryChange::Unknown);
}

async fn an_edit_is_made_once_and_taken_back_and_made_again(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let entry = log(&store, &nina, 1, 120).await.entry;
    let step = edit(&entry, |fields| {
        "Kick-off".clone_into(&mut fields.description);
        fields.duration = Minutes::new(30);
        fields.tags = vec!["late".to_owned()];
        fields.billable = true;
    });
    let edited = done(change(&store, &nina, ChangeKind::Edit, step.clone()).await);
    let now = edited.receipt.clone().unwrap();
    assert_eq!(
        (now.entry.version, now.entry.fields(), now.day_total.get()),
        (2, step.to.clone().unwrap(), 30)
    );
    assert_eq!(edited.before.as_ref(), Some(&entry));
    // The same press once more is the same answer; another one is told.
    assert_eq!(
        done(change(&store, &nina, ChangeKind::Edit, step).await),
        edited
    );
    let late = change(&store, &nina, ChangeKind::Edit, edit(&entry, minutes(5))).await;
    assert!(matches!(late, EntryChange::Stale(now) if now.entry.version == 2));

    let undone = done(back(&store, &nina, &entry, 2).await);
    assert!(undone.is_undo);
    let as_before = undone.receipt.clone().unwrap();
    assert_eq!(
        (as_before.entry.version, as_before.entry.fields()),
        (3, entry.fields())
    );
    assert_eq!(
        done(back(&store, &nina, &entry, 2).await).receipt,
        undone.receipt,
        "pressed twice"
    );
    let redone = done(back(&store, &nina, &entry, 3).await);
    assert!(!redone.is_undo);
    assert_eq!(redone.receipt.unwrap().entry.fields(), now.entry.fields());
}

async fn of_two_edits_at_once_the_second_is_told(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let entry = log(&store, &nina, 1, 120).await.entry;
    let edits = (1..=8).map(|length| {
        let step = edit(&entry, minutes(length));
        let (store, user_id) = (store.clone(), nina.user_id);
        async move {
            store
                .change_entries(user_id, ChangeKind::Edit, &[step], None)
                .await
                .unwrap()
        }
    });
    let changes = futures_util::future::join_all(edits).await;
    let is_done = |change: &&EntryChange| matches!(change, EntryChange::Done(_));
    assert_eq!(changes.iter().filter(is_done).count(), 1, "{changes:?}");
    assert!(
        changes
            .iter()
            .all(|change| is_done(&change) || matches!(change, EntryChange::Stale(_)))
    );
    assert_eq!(
        store
            .entry(nina.user_id, entry.id)
            .await
            .unwrap()
            .unwrap()
            .version,
        2
    );
}

async fn undo_goes_back_step_by_step(store: Store, _: Clock) {
    let nina = nina(&store).await;
    log(&store, &nina, 1, 10).await;
    let entry = log(&store, &nina, 2, 60).await.entry;
    let longer =
        receipt(change(&store, &nina, ChangeKind::Edit, edit(&entry, minutes(90))).await).entry;
    let moved = edit(&longer, |fields| fields.date = day() - TimeDelta::days(1));
    change(&store, &nina, ChangeKind::Move, moved).await;

    let now = |changed: Option<Changed>| {
        let entry = changed.unwrap().receipt.unwrap().entry;
        (
            entry.date,
            entry.duration_minutes.get(),
            entry.deleted_at.is_some(),
        )
    };
    assert_eq!(now(undo(&store, &nina, 50).await), (day(), 90, false));
    assert_eq!(now(undo(&store, &nina, 51).await), (day(), 60, false));
    assert_eq!(now(undo(&store, &nina, 52).await), (day(), 60, true));
    assert_eq!(now(undo(&store, &nina, 53).await), (day(), 10, true));
    assert_eq!(undo(&store, &nina, 54).await, None);
}

async fn undo_takes_one_back_for_a_key(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let first = log(&store, &nina, 1, 10).await.entry;
    let second = log(&store, &nina, 2, 20).await.entry;
    let undone = undo(&store, &nina, 50).await.unwrap();
    let now = undone.receipt.clone().unwrap();
    assert_eq!((now.entry.id, now.day_total.get()), (second.id, 10));
    // Delivered again: the same answer, and the first entry stays.
    assert_eq!(undo(&store, &nina, 50).await.unwrap(), undone);
    assert_eq!(total(&store, &nina).await, 10);
    assert_eq!(
        undo(&store, &nina, 51)
            .await
            .unwrap()
            .receipt
            .unwrap()
            .entry
            .id,
        first.id
    );
    assert_eq!(undo(&store, &nina, 52).await, None);
    log(&store, &nina, 3, 5).await;
    assert_eq!(undo(&store, &nina, 52).await, None, "answered before");
}

async fn undo_reaches_one_day(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let entry = log(&store, &nina, 1, 10).await.entry;
    change(&store, &nina, ChangeKind::Edit, edit(&entry, minutes(20))).await;
    clock.advance(TimeDelta::hours(25));
    assert_eq!(undo(&store, &nina, 50).await, None);
}

async fn undo_passes_over_what_can_no_longer_be_undone(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let first = log(&store, &nina, 1, 10).await.entry;
    let entry = log(&store, &nina, 2, 60).await.entry;
    change(&store, &nina, ChangeKind::Edit, edit(&first, minutes(15))).await;
    let edited =
        receipt(change(&store, &nina, ChangeKind::Edit, edit(&entry, minutes(90))).await).entry;
    // Taken back by its card, so there is nothing left of it to undo; put back, it can be again.
    assert!(done(back(&store, &nina, &edited, 2).await).is_undo);
    let undone = undo(&store, &nina, 50).await.unwrap().receipt.unwrap();
    assert_eq!(
        (undone.entry.id, undone.entry.duration_minutes.get()),
        (first.id, 10)
    );
    let undone = undo(&store, &nina, 51).await.unwrap().receipt.unwrap();
    assert_eq!(
        (undone.entry.id, undone.entry.deleted_at.is_some()),
        (entry.id, true)
    );
}

async fn a_deletion_is_undone_and_its_making_after_it(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let entry = log(&store, &nina, 1, 60).await.entry;
    let gone = receipt(change(&store, &nina, ChangeKind::Delete, deletion(&entry)).await);
    assert!(gone.entry.deleted_at.is_some());
    // What is deleted cannot be edited.
    let late = change(
        &store,
        &nina,
        ChangeKind::Edit,
        edit(&gone.entry, minutes(5)),
    )
    .await;
    assert!(matches!(late, EntryChange::Stale(_)));
    let restored = undo(&store, &nina, 50).await.unwrap();
    assert_eq!(
        (restored.kind, restored.receipt.unwrap().entry.deleted_at),
        (ChangeKind::Delete, None)
    );
    assert_eq!(total(&store, &nina).await, 60);
    assert_eq!(
        undo(&store, &nina, 51).await.unwrap().kind,
        ChangeKind::Create
    );
    assert_eq!(total(&store, &nina).await, 0);
}

async fn two_entries_are_merged_and_parted(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let older = log(&store, &nina, 1, 60).await.entry;
    let newer = log(&store, &nina, 2, 30).await.entry;
    let steps = [edit(&older, minutes(75)), deletion(&newer)];
    let merged = store
        .change_entries(nina.user_id, ChangeKind::Merge, &steps, None)
        .await
        .unwrap();
    let merged = done(merged);
    assert_eq!(merged.receipt.as_ref().unwrap().day_total.get(), 75);
    assert_eq!(merged.other.as_ref().map(|entry| entry.id), Some(newer.id));
    let again = store
        .change_entries(nina.user_id, ChangeKind::Merge, &steps, None)
        .await
        .unwrap();
    assert_eq!(done(again).receipt, merged.receipt, "pressed twice");
    let parted = done(back(&store, &nina, &older, 2).await);
    assert_eq!(total(&store, &nina).await, 90);
    assert!(parted.other.unwrap().deleted_at.is_none());
    // Either of the two takes the parting back.
    done(back(&store, &nina, &newer, 3).await);
    assert_eq!(total(&store, &nina).await, 75);
}

async fn a_merge_is_done_whole_or_not_at_all(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let older = log(&store, &nina, 1, 60).await.entry;
    let newer = log(&store, &nina, 2, 30).await.entry;
    let steps = [edit(&older, minutes(75)), deletion(&newer)];
    change(&store, &nina, ChangeKind::Edit, edit(&newer, minutes(31))).await;
    let merged = store
        .change_entries(nina.user_id, ChangeKind::Merge, &steps, None)
        .await
        .unwrap();
    assert!(matches!(merged, EntryChange::Stale(now) if now.entry.id == newer.id));
    assert_eq!(total(&store, &nina).await, 91);
}

async fn old_changes_are_forgotten(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let entry = log(&store, &nina, 1, 60).await.entry;
    change(&store, &nina, ChangeKind::Edit, edit(&entry, minutes(90))).await;
    clock.advance(TimeDelta::days(4));
    store
        .forget_requests_older_than(TimeDelta::days(3))
        .await
        .unwrap();
    // Nobody knows any more what led here: a button that says “Undo change” must not delete the entry.
    assert!(matches!(
        back(&store, &nina, &entry, 2).await,
        EntryChange::Stale(_)
    ));
    assert!(matches!(
        back(&store, &nina, &entry, 1).await,
        EntryChange::Stale(_)
    ));
    assert_eq!(total(&store, &nina).await, 90);
    // What is deleted can be put back however long ago that was.
    let now = store.entry(nina.user_id, entry.id).await.unwrap().unwrap();
    let gone = receipt(change(&store, &nina, ChangeKind::Delete, deletion(&now)).await).entry;
    clock.advance(TimeDelta::days(4));
    store
        .forget_requests_older_than(TimeDelta::days(3))
        .await
        .unwrap();
    let stands = receipt(back(&store, &nina, &gone, gone.version).await).entry;
    assert_eq!(stands.deleted_at, None);
}

async fn lists_and_overlaps_see_what_stands(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let at = |minutes: i64| clock.now() + TimeDelta::minutes(minutes);
    let timed = |number: u128, from: i64, to: i64, date: NaiveDate| {
        let mut new = meeting(
            &nina,
            Uuid::from_u128(number),
            u32::try_from(to - from).unwrap(),
        );
        new.fields.span = Some((at(from), at(to)));
        new.fields.is_timed = true;
        new.fields.date = date;
        store.insert_entry(new, soon())
    };
    let first = timed(1, 0, 60, day()).await.unwrap();
    assert!(first.may_overlap);
    let night = timed(2, -600, 30, day() - TimeDelta::days(1))
        .await
        .unwrap()
        .receipt
        .entry;
    let apart = timed(3, 60, 90, day()).await.unwrap().receipt.entry;
    let mut placed = meeting(&nina, key(4), 20);
    placed.fields.span = Some((at(10), at(30)));
    let placed = store.insert_entry(placed, soon()).await.unwrap();
    assert!(
        placed.may_overlap,
        "somebody gave the times of others of that day"
    );
    let placed = placed.receipt.entry;

    let ids = |entries: Vec<TimeEntry>| entries.iter().map(|entry| entry.id).collect::<Vec<_>>();
    let first = first.receipt.entry;
    assert_eq!(ids(store.overlapping(&first, 9).await.unwrap()), [night.id]);
    assert_eq!(
        ids(store.overlapping(&placed, 9).await.unwrap()),
        [night.id, first.id]
    );
    assert_eq!(
        ids(store.overlapping(&placed, 1).await.unwrap()),
        [night.id]
    );
    assert_eq!(
        ids(store.overlapping(&apart, 9).await.unwrap()),
        Vec::<Uuid>::new()
    );
    change(&store, &nina, ChangeKind::Delete, deletion(&night)).await;
    assert_eq!(
        ids(store.overlapping(&first, 9).await.unwrap()),
        Vec::<Uuid>::new()
    );

    let last = |skip, limit| store.last_entries(nina.user_id, skip, limit);
    assert_eq!(ids(last(0, 2).await.unwrap()), [placed.id, apart.id]);
    assert_eq!(ids(last(2, 9).await.unwrap()), [first.id]);
    assert_eq!(
        store.last_end_on(nina.user_id, day()).await.unwrap(),
        Some(at(90))
    );
    assert_eq!(
        store
            .last_end_on(nina.user_id, day() - TimeDelta::days(1))
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        store.day_total(nina.user_id, day()).await.unwrap().get(),
        110
    );
}

async fn undo_after_putting_back_takes_back_the_putting_back(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let entry = log(&store, &nina, 1, 300).await.entry;
    change(&store, &nina, ChangeKind::Flip, edit(&entry, minutes(5))).await;
    undo(&store, &nina, 50).await;
    let gone = undo(&store, &nina, 51)
        .await
        .unwrap()
        .receipt
        .unwrap()
        .entry;
    assert!(gone.deleted_at.is_some());
    let stands = receipt(back(&store, &nina, &gone, gone.version).await).entry;
    assert_eq!(
        (stands.deleted_at, stands.duration_minutes.get()),
        (None, 300)
    );
    let again = receipt(back(&store, &nina, &stands, stands.version).await).entry;
    assert!(
        again.deleted_at.is_some(),
        "not the edit that was undone before: {again:?}"
    );
    assert_eq!(undo(&store, &nina, 52).await, None);
}

async fn a_key_that_was_used_for_something_else_harms_no_other(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T1", "U2", None).await.unwrap();
    log(&store, &nina, 1, 10).await;
    undo(&store, &nina, 7).await;
    undo(&store, &jonas, 7).await;
    // Both keys are used: one for a change, one for nothing. All in one commit with twenty innocent ones.
    let bad = [
        store.insert_entry(meeting(&nina, key(7), 5), soon()),
        store.insert_entry(meeting(&jonas, key(7), 5), soon()),
    ];
    let good = (100..120).map(|number| store.insert_entry(meeting(&nina, key(number), 1), soon()));
    let (bad, good) = tokio::join!(
        futures_util::future::join_all(bad),
        futures_util::future::join_all(good)
    );
    assert!(bad.iter().all(Result::is_err), "{bad:?}");
    assert!(good.iter().all(Result::is_ok), "{good:?}");
    assert_eq!(
        (total(&store, &nina).await, total(&store, &jonas).await),
        (20, 0)
    );
}

async fn undo_does_not_touch_what_was_changed_or_settled_meanwhile(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let entry = log(&store, &nina, 1, 60).await.entry;
    for number in 50..60 {
        let now = store.entry(nina.user_id, entry.id).await.unwrap().unwrap();
        let longer = edit(&now, minutes(60 + u32::try_from(number).unwrap()));
        let change = change(&store, &nina, ChangeKind::Edit, longer);
        let (change, undone) = tokio::join!(change, undo(&store, &nina, number));
        let last = store.entry(nina.user_id, entry.id).await.unwrap().unwrap();
        let undone = undone.unwrap().receipt.unwrap().entry;
        match change {
            // The edit came first and was taken back, or the making was and the edit came too late.
            EntryChange::Done(done) => {
                assert_eq!(done.receipt.unwrap().entry.version + 1, undone.version);
                assert_eq!(last.deleted_at, None);
            }
            EntryChange::Stale(_) => {
                assert!(last.deleted_at.is_some());
                back(&store, &nina, &last, last.version).await;
            }
            other => panic!("{other:?}"),
        }
    }
}
