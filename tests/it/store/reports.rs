//! Reports: what is summed up, what is listed, and that a report is shared once.

use billops::{
    clock::Clock,
    domain::{
        member::Member,
        minutes::Minutes,
        project::ProjectRef,
        summary::{Summary, Total},
        time_entry::{ChangeKind, TimeEntry},
    },
    store::{NewEntry, NewProject, ProjectChange, ShareClaim, Step, Store},
};
use chrono::{Days, NaiveDate, TimeDelta};
use uuid::Uuid;

use super::{day, key, meeting, nina, soon};

super::on_every_database!(
    totals_are_by_day_project_and_billable,
    totals_are_of_one_person_and_what_stands,
    a_day_is_listed_in_its_order_and_cut,
    a_report_is_shared_once_for_a_key,
    a_share_that_failed_can_be_taken_again,
    a_share_is_its_persons,
);

async fn project(store: &Store, member: &Member, slug: &str, client: Option<&str>) -> ProjectRef {
    let new = NewProject {
        slug: slug.to_owned(),
        name: slug.to_owned(),
        client: client.map(|client| (client.to_lowercase(), client.to_owned())),
        is_billable: true,
    };
    let made = store.create_project(member.slack_integration_id, &new);
    match made.await.unwrap() {
        ProjectChange::Done(project) => project,
        other => panic!("{other:?}"),
    }
}

async fn log(store: &Store, new: NewEntry) -> TimeEntry {
    store.insert_entry(new, soon()).await.unwrap().receipt.entry
}

fn entry(
    member: &Member,
    number: u128,
    date: NaiveDate,
    minutes: u32,
    project: Option<&ProjectRef>,
    billable: bool,
) -> NewEntry {
    let mut new = meeting(member, key(number), minutes);
    new.fields.date = date;
    new.fields.project = project.cloned();
    new.fields.billable = billable;
    new
}

fn before(days: u64) -> NaiveDate {
    day() - Days::new(days)
}

async fn totals_are_by_day_project_and_billable(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let acme = project(&store, &nina, "acme", Some("Acme GmbH")).await;
    let own = project(&store, &nina, "own", None).await;
    for (number, new) in [
        entry(&nina, 0, before(8), 999, Some(&acme), true),
        entry(&nina, 0, before(4), 60, Some(&acme), true),
        entry(&nina, 0, before(4), 30, Some(&acme), true),
        entry(&nina, 0, before(4), 15, Some(&acme), false),
        entry(&nina, 0, before(1), 45, Some(&own), false),
        entry(&nina, 0, day(), 20, None, false),
    ]
    .into_iter()
    .enumerate()
    {
        let key = key(number as u128 + 1);
        log(&store, NewEntry { key, ..new }).await;
    }
    let totals = store.totals(nina.user_id, before(4), day(), None).await;
    let mut totals = totals.unwrap();
    assert!(totals.is_sorted_by_key(|total| total.date));
    totals.sort_by_key(|total| (total.date, total.is_billable));
    let total =
        |days, project: Option<&ProjectRef>, client: Option<&str>, is_billable, sum, entries| {
            Total {
                date: before(days),
                project: project.cloned(),
                client: client.map(str::to_owned),
                is_billable,
                minutes: Minutes::new(sum),
                entries,
            }
        };
    assert_eq!(
        totals,
        [
            total(4, Some(&acme), Some("Acme GmbH"), false, 15, 1),
            total(4, Some(&acme), Some("Acme GmbH"), true, 90, 2),
            total(1, Some(&own), None, false, 45, 1),
            total(0, None, None, false, 20, 1),
        ]
    );
    let summary = Summary::of(&totals, before(4), day());
    assert_eq!(
        (summary.total.get(), summary.billable.get(), summary.entries),
        (170, 90, 5)
    );
    let of_acme = store
        .totals(nina.user_id, before(4), day(), Some(acme.id))
        .await
        .unwrap();
    assert_eq!(Summary::of(&of_acme, before(4), day()).total.get(), 105);
    let listed = store
        .entries_between(nina.user_id, before(4), day(), Some(own.id), 9)
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
}

async fn totals_are_of_one_person_and_what_stands(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T1", "U2", None).await.unwrap();
    log(&store, entry(&nina, 1, day(), 60, None, false)).await;
    let gone = log(&store, entry(&nina, 2, day(), 30, None, false)).await;
    log(&store, entry(&jonas, 1, day(), 500, None, false)).await;
    let step = Step {
        entry_id: gone.id,
        version: 1,
        to: None,
    };
    store
        .change_entries(nina.user_id, ChangeKind::Delete, &[step], None)
        .await
        .unwrap();
    let sum = |person: Uuid| {
        let store = store.clone();
        async move {
            let totals = store.totals(person, day(), day(), None).await.unwrap();
            let listed = store.entries_between(person, day(), day(), None, 9);
            let sum = Summary::of(&totals, day(), day()).total.get();
            (sum, listed.await.unwrap().len())
        }
    };
    assert_eq!(sum(nina.user_id).await, (60, 1));
    assert_eq!(sum(jonas.user_id).await, (500, 1));
    assert_eq!(sum(Uuid::from_u128(7)).await, (0, 0));
}

async fn a_day_is_listed_in_its_order_and_cut(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let first = log(&store, entry(&nina, 1, day(), 10, None, false)).await;
    let second = log(&store, entry(&nina, 2, day(), 20, None, false)).await;
    let earlier = log(&store, entry(&nina, 3, before(1), 30, None, false)).await;
    let listed = |limit| {
        let store = store.clone();
        async move {
            let listed = store.entries_between(nina.user_id, before(1), day(), None, limit);
            let ids: Vec<Uuid> = listed.await.unwrap().iter().map(|one| one.id).collect();
            ids
        }
    };
    assert_eq!(listed(9).await, [earlier.id, first.id, second.id]);
    assert_eq!(listed(2).await, [earlier.id, first.id]);
}

async fn claim(store: &Store, member: &Member, number: u128) -> ShareClaim {
    store
        .claim_share(member.user_id, key(number))
        .await
        .unwrap()
}

async fn settle(store: &Store, member: &Member, number: u128, is_posted: bool) {
    store
        .settle_share(member.user_id, key(number), is_posted)
        .await
        .unwrap();
}

async fn a_report_is_shared_once_for_a_key(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let (first, second) = tokio::join!(claim(&store, &nina, 1), claim(&store, &nina, 1));
    let mut both = [first, second];
    both.sort_by_key(|claim| *claim != ShareClaim::Taken);
    assert_eq!(both, [ShareClaim::Taken, ShareClaim::UnderWay]);
    clock.advance(TimeDelta::seconds(29));
    assert_eq!(claim(&store, &nina, 1).await, ShareClaim::UnderWay);
    clock.advance(TimeDelta::seconds(1));
    // Nobody knows whether it was posted, so nobody posts it again.
    assert_eq!(claim(&store, &nina, 1).await, ShareClaim::Lost);
    settle(&store, &nina, 1, true).await;
    assert_eq!(claim(&store, &nina, 1).await, ShareClaim::Posted);
    assert_eq!(claim(&store, &nina, 2).await, ShareClaim::Taken);
}

async fn a_share_that_failed_can_be_taken_again(store: Store, _: Clock) {
    let nina = nina(&store).await;
    assert_eq!(claim(&store, &nina, 1).await, ShareClaim::Taken);
    settle(&store, &nina, 1, false).await;
    assert_eq!(claim(&store, &nina, 1).await, ShareClaim::Taken);
}

async fn a_share_is_its_persons(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T1", "U2", None).await.unwrap();
    assert_eq!(claim(&store, &nina, 1).await, ShareClaim::Taken);
    assert_eq!(claim(&store, &jonas, 1).await, ShareClaim::Taken);
    settle(&store, &jonas, 1, false).await;
    assert_eq!(claim(&store, &nina, 1).await, ShareClaim::UnderWay);
}
