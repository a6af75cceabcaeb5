//! What was logged, in sum.

use std::collections::HashMap;

use billops::{
    clock::Clock,
    domain::{member::Member, project::ProjectRef, time_entry::ChangeKind},
    store::{NewProject, ProjectChange, Step, Store, Sum, SumBy},
};
use chrono::{Days, NaiveDate};
use uuid::Uuid;

use super::{berlin, day, key, meeting, nina, soon};

super::on_every_database!(
    entries_are_summed_up_by_day_project_client_and_user,
    sums_are_of_one_person_and_what_stands,
    a_workspace_is_summed_up_by_user,
    what_is_as_much_comes_by_name_and_what_has_none_last,
);

fn before(days: u64) -> NaiveDate {
    day() - Days::new(days)
}

async fn project(store: &Store, member: &Member, slug: &str, client: Option<&str>) -> ProjectRef {
    let new = NewProject {
        slug: slug.to_owned(),
        name: slug.to_uppercase(),
        client: client.map(|client| (client.to_lowercase(), client.to_owned())),
        is_billable: true,
    };
    let made = store.create_project(member.slack_integration_id, &new);
    match made.await.unwrap() {
        ProjectChange::Done(project) => project,
        other => panic!("{other:?}"),
    }
}

/// Logs, and gives the entry's id.
async fn log(
    store: &Store,
    member: &Member,
    (number, days_ago, minutes): (u128, u64, u32),
    project: Option<&ProjectRef>,
    billable: bool,
) -> Uuid {
    let mut new = meeting(member, key(number), minutes);
    new.fields.date = before(days_ago);
    new.fields.project = project.cloned();
    new.fields.billable = billable;
    let made = store.insert_entry(new, soon()).await.unwrap();
    made.receipt.entry.id
}

/// By name: minutes, billable minutes, entries.
fn named(sums: &[Sum]) -> Vec<(Option<&str>, u64, u64, u64)> {
    sums.iter()
        .map(|sum| {
            assert_eq!(sum.date, None);
            assert_eq!(sum.id.is_some(), sum.name.is_some());
            let name = sum.name.as_deref();
            (name, sum.minutes, sum.billable_minutes, sum.entries)
        })
        .collect()
}

async fn entries_are_summed_up_by_day_project_client_and_user(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let web = project(&store, &nina, "web", Some("Tern")).await;
    let app = project(&store, &nina, "app", Some("Tern")).await;
    let own = project(&store, &nina, "own", None).await;
    log(&store, &nina, (1, 5, 999), Some(&web), true).await;
    log(&store, &nina, (2, 4, 60), Some(&web), true).await;
    log(&store, &nina, (3, 4, 15), Some(&web), false).await;
    log(&store, &nina, (4, 1, 120), Some(&app), true).await;
    log(&store, &nina, (5, 1, 45), Some(&own), false).await;
    log(&store, &nina, (6, 0, 20), None, true).await;
    let by = async |by| {
        let sums = store.sums(nina.user_id, before(4), before(0), by);
        sums.await.unwrap()
    };
    let sum = |days_ago, minutes, billable_minutes, entries| Sum {
        date: Some(before(days_ago)),
        id: None,
        name: None,
        minutes,
        billable_minutes,
        entries,
    };
    let days = [sum(4, 75, 60, 2), sum(1, 165, 120, 2), sum(0, 20, 20, 1)];
    assert_eq!(by(SumBy::Day).await, days);
    let projects = by(SumBy::Project).await;
    assert_eq!(
        named(&projects),
        [
            (Some("APP"), 120, 120, 1),
            (Some("WEB"), 75, 60, 2),
            (Some("OWN"), 45, 0, 1),
            (None, 20, 20, 1),
        ]
    );
    assert_eq!(projects[0].id, Some(app.id));
    let clients = by(SumBy::Client).await;
    assert_eq!(
        named(&clients),
        [(Some("Tern"), 195, 180, 3), (None, 65, 20, 2)]
    );
    let users = by(SumBy::User).await;
    assert_eq!(named(&users), [(Some("Nina Berg"), 260, 200, 5)]);
    assert_eq!(users[0].id, Some(nina.user_id));
    let one_day = store.sums(nina.user_id, before(5), before(5), SumBy::Project);
    let only = [(Some("WEB"), 999, 999, 1)];
    assert_eq!(named(&one_day.await.unwrap()), only);
}

async fn sums_are_of_one_person_and_what_stands(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T1", "U2", None).await.unwrap();
    log(&store, &nina, (1, 0, 60), None, true).await;
    let gone = log(&store, &nina, (2, 0, 30), None, true).await;
    log(&store, &jonas, (1, 0, 500), None, false).await;
    let step = Step {
        entry_id: gone,
        version: 1,
        to: None,
    };
    store
        .change_entries(nina.user_id, ChangeKind::Delete, &[step], None)
        .await
        .unwrap();
    for by in [SumBy::Day, SumBy::Project, SumBy::Client, SumBy::User] {
        let of = async |person| {
            let sums = store.sums(person, before(9), day(), by).await.unwrap();
            let minutes = sums.iter().map(|sum| (sum.minutes, sum.billable_minutes));
            minutes.collect::<Vec<_>>()
        };
        assert_eq!(of(nina.user_id).await, [(60, 60)], "{by:?}");
        assert_eq!(of(jonas.user_id).await, [(500, 0)], "{by:?}");
        assert_eq!(of(key(9)).await, [], "{by:?}");
    }
}

async fn a_workspace_is_summed_up_by_user(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let person = async |workspace, slack_user, name| {
        let profile = berlin(name);
        let met = store.save_member(workspace, slack_user, Some(&profile));
        met.await.unwrap()
    };
    let jonas = person("T1", "U2", "Jonas").await;
    person("T1", "U3", "Idle").await;
    let stranger = person("T2", "U1", "Stranger").await;
    log(&store, &nina, (1, 0, 60), None, true).await;
    log(&store, &nina, (2, 3, 30), None, false).await;
    log(&store, &nina, (3, 4, 999), None, false).await;
    log(&store, &jonas, (1, 1, 500), None, false).await;
    log(&store, &stranger, (1, 1, 700), None, false).await;
    let sums = store
        .sums_of_workspace(nina.slack_integration_id, before(3), day())
        .await
        .unwrap();
    assert_eq!(
        named(&sums),
        [(Some("Jonas"), 500, 0, 1), (Some("Nina Berg"), 90, 60, 2)]
    );
    assert_eq!(
        (sums[0].id, sums[1].id),
        (Some(jonas.user_id), Some(nina.user_id))
    );
    let none = store.sums_of_workspace(key(9), before(3), day());
    assert_eq!(none.await.unwrap(), []);
}

async fn what_is_as_much_comes_by_name_and_what_has_none_last(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let mut ids = HashMap::new();
    for (number, slug) in (1..).zip(["zeta", "beta", "ähre", "alfa"]) {
        let project = project(&store, &nina, slug, None).await;
        log(&store, &nina, (number, 0, 30), Some(&project), true).await;
        ids.insert(slug.to_uppercase(), project.id);
    }
    log(&store, &nina, (9, 0, 30), None, true).await;
    let sums = store.sums(nina.user_id, day(), day(), SumBy::Project);
    let sums = sums.await.unwrap();
    let names: Vec<_> = sums.iter().map(|sum| sum.name.as_deref()).collect();
    // The same order on every database.
    let order = [Some("ALFA"), Some("BETA"), Some("ZETA"), Some("ÄHRE"), None];
    assert_eq!(names, order);
    for sum in sums.iter().filter(|sum| sum.name.is_some()) {
        assert_eq!(sum.id, ids.get(sum.name.as_ref().unwrap()).copied());
    }
}
