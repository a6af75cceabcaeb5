//! What people decide is kept whole, each person's own, and has its effect where a project is meant.

use billops::{
    clock::Clock,
    domain::{
        calendar_event::Wishes,
        member::Member,
        minutes::Minutes,
        preferences::{Days, Preferences},
        project::ProjectRef,
        time_command::{BareNumberUnit, Unit},
    },
    store::{NewJob, NewProject, ProjectChange, Store},
};
use chrono::NaiveTime;
use uuid::Uuid;

use super::{berlin, key, nina};

super::on_every_database!(
    what_is_saved_is_read,
    preferences_are_one_persons,
    a_project_of_another_workspace_is_not_kept,
    the_preferred_project_stands_between_the_channels_and_the_last_one,
    corrections_are_forgotten_with_another_unit,
);

async fn now(store: &Store, member: &Member) -> Preferences {
    let member = store.member_by_binding(member.binding_id).await.unwrap();
    member.unwrap().preferences
}

async fn save(store: &Store, binding_id: Uuid, preferences: &Preferences) {
    let saved = store.save_preferences(binding_id, preferences, &[]).await;
    saved.unwrap();
}

async fn project(store: &Store, workspace: Uuid, slug: &str) -> ProjectRef {
    let new = NewProject {
        slug: slug.to_owned(),
        name: slug.to_owned(),
        client: None,
        is_billable: true,
    };
    match store.create_project(workspace, &new).await.unwrap() {
        ProjectChange::Done(project) => project,
        other => panic!("{other:?}"),
    }
}

/// Every one of them otherwise than it is at first.
fn other(project: Option<Uuid>) -> Preferences {
    let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    Preferences {
        daily_summary: false,
        daily_summary_time: time(23, 59),
        summary_days: Days::from_numbers([]).unwrap(),
        silent_when_done: false,
        monday: true,
        after_meeting: true,
        entry_notifications: false,
        invoice_notifications: false,
        time_zone: Some(chrono_tz::America::New_York),
        workday_start: time(0, 0),
        target_per_day: Minutes::new(0),
        default_project_id: project,
        wishes: Wishes {
            private: true,
            tentative: false,
        },
        bare_number_unit: BareNumberUnit::Minutes,
    }
}

async fn what_is_saved_is_read(store: Store, _: Clock) {
    let nina = nina(&store).await;
    assert_eq!(nina.preferences, Preferences::default());
    let acme = project(&store, nina.slack_integration_id, "acme").await;
    let preferences = other(Some(acme.id));
    let job = NewJob {
        unique_key: "home".to_owned(),
        payload: "{}".to_owned(),
        is_prompt: false,
        run_at: None,
    };
    store
        .save_preferences(nina.binding_id, &preferences, &[job])
        .await
        .unwrap();
    assert_eq!(now(&store, &nina).await, preferences);
    assert_eq!(store.job_counts().await.unwrap().open, 1);
    store
        .save_preferences(nina.binding_id, &Preferences::default(), &[])
        .await
        .unwrap();
    assert_eq!(now(&store, &nina).await, Preferences::default());
}

async fn preferences_are_one_persons(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T1", "U2", Some(&berlin("Jonas"))).await;
    let jonas = jonas.unwrap();
    save(&store, nina.binding_id, &other(None)).await;
    assert_eq!(now(&store, &jonas).await, Preferences::default());
    save(&store, key(7), &Preferences::default()).await;
    assert_eq!(now(&store, &nina).await, other(None));
}

async fn a_project_of_another_workspace_is_not_kept(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let stranger = store.save_member("T2", "U9", Some(&berlin("Eve"))).await;
    let theirs = project(&store, stranger.unwrap().slack_integration_id, "secret").await;
    for project in [theirs.id, key(7)] {
        save(&store, nina.binding_id, &other(Some(project))).await;
        assert_eq!(now(&store, &nina).await, other(None));
    }
}

async fn the_preferred_project_stands_between_the_channels_and_the_last_one(
    store: Store,
    _: Clock,
) {
    let nina = nina(&store).await;
    let workspace = nina.slack_integration_id;
    let acme = project(&store, workspace, "acme").await;
    let halden = project(&store, workspace, "halden").await;
    let last = project(&store, workspace, "last").await;
    let note = store.note_last_project(nina.user_id, "C1", last.id);
    note.await.unwrap();
    let meant = async |channel| {
        let found = store.default_project(&nina, channel);
        found.await.unwrap().map(|found| found.project.slug)
    };
    assert_eq!(meant("C1").await.as_deref(), Some("last"));
    save(&store, nina.binding_id, &other(Some(acme.id))).await;
    assert_eq!(meant("C1").await.as_deref(), Some("acme"));
    assert_eq!(meant("C2").await.as_deref(), Some("acme"));
    let link = store.link_channel(workspace, "C1", Some(halden.id), nina.user_id);
    link.await.unwrap();
    assert_eq!(meant("C1").await.as_deref(), Some("halden"));
}

async fn corrections_are_forgotten_with_another_unit(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let flip = |entry| store.note_flip(nina.binding_id, Unit::Minutes, key(entry));
    assert_eq!(flip(1).await.unwrap(), 1);
    save(&store, nina.binding_id, &Preferences::default()).await;
    assert_eq!(flip(2).await.unwrap(), 2);
    save(&store, nina.binding_id, &other(None)).await;
    assert_eq!(flip(3).await.unwrap(), 1);
}
