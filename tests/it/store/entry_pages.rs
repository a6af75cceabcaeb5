//! A person's entries, page after page.

use billops::{
    clock::Clock,
    domain::{
        member::Member,
        time_entry::{ChangeKind, EntrySource, EntryStatus, TimeEntry},
    },
    store::{EntryFilter, ListedEntry, LogEvent, NewEntry, NewProject, ProjectChange, Step, Store},
};
use chrono::{Days, NaiveDate};
use uuid::Uuid;

use super::{
    day, key, meeting, nina, soon,
    syncs::{Watched, event},
};

super::on_every_database!(
    pages_go_on_behind_the_last_entry_of_the_one_before,
    each_filter_leaves_out_what_it_does_not_mean,
    a_list_is_its_persons_and_of_what_stands,
    a_listed_entry_says_what_it_was_made_of,
);

/// Behind this, everything is.
fn everything() -> (NaiveDate, Uuid) {
    (day(), Uuid::max())
}

fn all() -> EntryFilter {
    EntryFilter {
        from: before(30),
        to: day(),
        project_id: None,
        source: None,
        status: None,
    }
}

fn before(days: u64) -> NaiveDate {
    day() - Days::new(days)
}

async fn log(
    store: &Store,
    member: &Member,
    number: u128,
    change: impl FnOnce(&mut NewEntry),
) -> TimeEntry {
    let mut new = meeting(member, key(number), 30);
    change(&mut new);
    store.insert_entry(new, soon()).await.unwrap().receipt.entry
}

async fn listed(
    store: &Store,
    member: &Member,
    filter: EntryFilter,
    after: (NaiveDate, Uuid),
    limit: u32,
) -> Vec<ListedEntry> {
    let page = store.entries_before(member.user_id, &filter, after, limit);
    page.await.unwrap()
}

async fn ids(store: &Store, member: &Member, filter: EntryFilter) -> Vec<Uuid> {
    let page = listed(store, member, filter, everything(), 100).await;
    page.iter().map(|listed| listed.entry.id).collect()
}

async fn pages_go_on_behind_the_last_entry_of_the_one_before(store: Store, _: Clock) {
    let nina = nina(&store).await;
    // Days in no order: what was logged last is not of the last day.
    let days = [3, 0, 7, 0, 3, 3, 1, 0, 3, 7];
    let mut made = Vec::new();
    for (number, days_ago) in (1..).zip(days) {
        let entry = log(&store, &nina, number, |new| {
            new.fields.date = before(days_ago);
        });
        let entry = entry.await;
        made.push((entry.date, entry.id));
    }
    made.sort_unstable();
    made.reverse();
    for limit in 1..=11 {
        let mut after = everything();
        let mut seen = Vec::new();
        loop {
            let page = listed(&store, &nina, all(), after, limit).await;
            assert!(page.len() <= limit as usize);
            assert!(seen.len() <= made.len(), "it goes round: {seen:?}");
            let Some(last) = page.last() else { break };
            after = (last.entry.date, last.entry.id);
            seen.extend(page.iter().map(|one| (one.entry.date, one.entry.id)));
        }
        assert_eq!(seen, made, "pages of {limit}");
    }
    // The day before a day ends with the least of its ids.
    let page = listed(&store, &nina, all(), (before(3), Uuid::nil()), 9).await;
    assert!(page.iter().all(|one| one.entry.date == before(7)));
    assert_eq!(page.len(), 2);
    let from = EntryFilter {
        from: before(3),
        ..all()
    };
    assert_eq!(ids(&store, &nina, from).await.len(), 8, "both ends count");
}

async fn each_filter_leaves_out_what_it_does_not_mean(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let new = NewProject {
        slug: "acme".to_owned(),
        name: "Acme".to_owned(),
        client: Some(("tern".to_owned(), "Tern Studio".to_owned())),
        is_billable: true,
    };
    let workspace = nina.slack_integration_id;
    let made = store.create_project(workspace, &new).await.unwrap();
    let ProjectChange::Done(acme) = made else {
        panic!("{made:?}")
    };
    let plain = log(&store, &nina, 1, |_| {}).await.id;
    let of_acme = log(&store, &nina, 2, |new| {
        new.fields.project = Some(acme.clone());
    });
    let of_acme = of_acme.await.id;
    let by_program = log(&store, &nina, 3, |new| new.source = EntrySource::Api);
    let by_program = by_program.await.id;
    let both = log(&store, &nina, 4, |new| {
        new.source = EntrySource::Api;
        new.fields.project = Some(acme.clone());
    });
    let both = both.await.id;
    let project = Some(acme.id);
    let source = Some(EntrySource::Api);
    for (project_id, source, status, expected) in [
        (None, None, None, vec![both, by_program, of_acme, plain]),
        (project, None, None, vec![both, of_acme]),
        (None, source, None, vec![both, by_program]),
        (project, source, None, vec![both]),
        (project, source, Some(EntryStatus::Pending), vec![both]),
        (None, Some(EntrySource::Timer), None, vec![]),
        (None, None, Some(EntryStatus::Billed), vec![]),
        (Some(key(9)), None, None, vec![]),
    ] {
        let filter = EntryFilter {
            project_id,
            source,
            status,
            ..all()
        };
        assert_eq!(ids(&store, &nina, filter).await, expected, "{filter:?}");
    }
    let clients = store.clients(workspace).await.unwrap();
    let page = listed(&store, &nina, all(), everything(), 9).await;
    let client = |number: usize| page[number].client_id;
    assert_eq!((client(0), client(1)), (Some(clients[0].id), None));
}

async fn a_list_is_its_persons_and_of_what_stands(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T1", "U2", None).await.unwrap();
    let kept = log(&store, &nina, 1, |_| {}).await;
    let gone = log(&store, &nina, 2, |_| {}).await;
    let his = log(&store, &jonas, 1, |_| {}).await;
    let step = Step {
        entry_id: gone.id,
        version: 1,
        to: None,
    };
    store
        .change_entries(nina.user_id, ChangeKind::Delete, &[step], None)
        .await
        .unwrap();
    assert_eq!(ids(&store, &nina, all()).await, [kept.id]);
    assert_eq!(ids(&store, &jonas, all()).await, [his.id]);
    let one = async |id| store.listed_entry(nina.user_id, id).await.unwrap();
    assert_eq!(one(kept.id).await.map(|listed| listed.entry), Some(kept));
    assert_eq!(one(gone.id).await, None);
    assert_eq!(one(his.id).await, None);
}

async fn a_listed_entry_says_what_it_was_made_of(store: Store, clock: Clock) {
    let watched = Watched::new(&store, &clock).await;
    watched
        .read(&store, &clock, &[event("e1", clock.now())])
        .await;
    let event = watched.events(&store).await[0].id;
    let LogEvent::Logged(receipt) = watched.log(&store, event).await else {
        panic!("it was not logged")
    };
    let page = listed(&store, &watched.nina, all(), everything(), 9).await;
    assert_eq!(page.len(), 1);
    assert_eq!(
        (page[0].entry.id, page[0].event_id),
        (receipt.entry.id, Some(event))
    );
    assert_eq!(page[0].entry.source, EntrySource::Calendar);
}
