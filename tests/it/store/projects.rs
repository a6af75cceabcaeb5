//! Projects and clients, and which one is meant where none is named.

use billops::{
    clock::Clock,
    domain::{
        member::Member,
        project::ProjectRef,
        time_command::{BareNumberUnit, Unit},
        time_entry::ChangeKind,
        workspace::{AuditSubject, WorkspaceSettings},
    },
    store::{DefaultProject, NewProject, ProjectChange, ProjectEdit, SettingsChange, Step, Store},
};
use chrono::TimeDelta;

use super::{key, meeting, nina, soon};

super::on_every_database!(
    a_slug_is_one_projects,
    an_id_is_made_once,
    a_project_is_renamed_and_archived_by_version,
    projects_are_their_workspaces,
    a_client_is_renamed_for_all_its_projects,
    a_channel_and_the_last_use_name_the_default,
    entries_keep_their_project_under_its_new_name,
    who_may_create_projects_is_a_setting,
    corrections_of_a_unit_are_counted,
);

fn new(slug: &str) -> NewProject {
    NewProject {
        slug: slug.to_owned(),
        name: slug.to_uppercase(),
        client: Some(("tern".to_owned(), "Tern Studio".to_owned())),
        is_billable: true,
    }
}

/// Changes a project of Nina's workspace.
async fn edit(
    store: &Store,
    member: &Member,
    project: &ProjectRef,
    version: i32,
    edit: ProjectEdit,
) -> ProjectChange {
    let workspace = member.slack_integration_id;
    store
        .edit_project(workspace, project.id, version, &edit)
        .await
        .unwrap()
}

async fn create(store: &Store, member: &Member, slug: &str) -> ProjectRef {
    match store
        .create_project(member.slack_integration_id, &new(slug))
        .await
        .unwrap()
    {
        ProjectChange::Done(project) => project,
        other => panic!("{other:?}"),
    }
}

fn edited(slug: &str, aliases: &[&str], is_archived: bool) -> ProjectEdit {
    ProjectEdit {
        to: new(slug),
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        is_archived,
        renames_client: false,
    }
}

async fn a_slug_is_one_projects(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let workspace = nina.slack_integration_id;
    let acme = create(&store, &nina, "acme").await;
    let taken = ProjectChange::Taken("acme".to_owned());
    assert_eq!(
        store.create_project(workspace, &new("acme")).await.unwrap(),
        taken
    );
    let halden = create(&store, &nina, "halden").await;
    let steal = edit(
        &store,
        &nina,
        &halden,
        1,
        edited("halden", &["acme"], false),
    );
    assert_eq!(steal.await, taken);
    let alias = edit(
        &store,
        &nina,
        &acme,
        1,
        edited("acme", &["web", "web"], false),
    );
    assert!(matches!(alias.await, ProjectChange::Done(_)));
    assert_eq!(
        store.create_project(workspace, &new("web")).await.unwrap(),
        ProjectChange::Taken("web".to_owned())
    );
    // At the same moment, one of them.
    let racing: Vec<NewProject> = (0..8).map(|_| new("zephyr")).collect();
    let racing = racing
        .iter()
        .map(|new| store.create_project(workspace, new));
    let made = futures_util::future::join_all(racing).await;
    let is_done = |change: &&Result<ProjectChange, _>| matches!(change, Ok(ProjectChange::Done(_)));
    assert_eq!(made.iter().filter(is_done).count(), 1, "{made:?}");
    let all = store.projects(workspace).await.unwrap();
    let slugs: Vec<&str> = all.iter().map(|project| project.slug.as_str()).collect();
    assert_eq!(slugs, ["acme", "halden", "zephyr"]);
    assert_eq!(all[0].aliases, ["web"]);
    assert_eq!(all[0].client.as_ref().unwrap().name, "Tern Studio");
    assert_eq!(all[0].client, all[1].client, "one client");
}

async fn an_id_is_made_once(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let workspace = nina.slack_integration_id;
    let ask = async |id, slug| {
        let new = new(slug);
        let made = store.create_project_once(workspace, id, &new);
        made.await.unwrap()
    };
    let made = |slug: &str| {
        ProjectChange::Done(ProjectRef {
            id: key(7),
            slug: slug.to_owned(),
        })
    };
    for _ in 0..2 {
        assert_eq!(ask(key(7), "acme").await, made("acme"));
    }
    let taken = ProjectChange::Taken("acme".to_owned());
    assert_eq!(ask(key(8), "acme").await, taken);
    // Whatever it is called by now.
    let acme = ProjectRef {
        id: key(7),
        slug: "acme".to_owned(),
    };
    let renamed = edit(&store, &nina, &acme, 1, edited("halden", &[], false)).await;
    assert_eq!(renamed, made("halden"));
    assert_eq!(ask(key(7), "acme").await, made("halden"));
    assert_eq!(store.projects(workspace).await.unwrap().len(), 1);
}

async fn a_project_is_renamed_and_archived_by_version(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let workspace = nina.slack_integration_id;
    let acme = create(&store, &nina, "acme").await;
    let rename = edit(
        &store,
        &nina,
        &acme,
        1,
        edited("acme-web", &["acme"], false),
    );
    assert!(matches!(rename.await, ProjectChange::Done(now) if now.slug == "acme-web"));
    let late = edit(&store, &nina, &acme, 1, edited("other", &[], false));
    assert_eq!(late.await, ProjectChange::Stale);
    let archive = edit(&store, &nina, &acme, 2, edited("acme-web", &[], true));
    assert!(matches!(archive.await, ProjectChange::Done(_)));
    let all = store.projects(workspace).await.unwrap();
    assert_eq!(
        (all[0].archived_at, all[0].version, all[0].aliases.len()),
        (Some(clock.now()), 3, 0)
    );
}

async fn a_client_is_renamed_for_all_its_projects(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let (web, print) = (
        create(&store, &nina, "web").await,
        create(&store, &nina, "print").await,
    );
    let client = |slug: &str, renames_client| {
        let mut edit = ProjectEdit {
            renames_client,
            ..edited("web", &[], false)
        };
        edit.to.client = Some((slug.to_owned(), slug.to_uppercase()));
        edit
    };
    let rename = edit(&store, &nina, &web, 1, client("halden", true)).await;
    assert!(matches!(rename, ProjectChange::Done(_)), "{rename:?}");
    let clients = async || {
        let all = store.projects(nina.slack_integration_id).await.unwrap();
        all.into_iter()
            .map(|project| (project.client.unwrap().name, project.version))
            .collect::<Vec<_>>()
    };
    // By slug: print, then web. A form that shows the old name is out of date on both.
    let halden = || ("HALDEN".to_owned(), 2);
    assert_eq!(clients().await, [halden(), halden()]);
    let late = edit(&store, &nina, &print, 1, edited("print", &[], false));
    assert_eq!(late.await, ProjectChange::Stale);
    // Without the mark, this one project has another client.
    let other = edit(&store, &nina, &web, 2, client("acme", false)).await;
    assert!(matches!(other, ProjectChange::Done(_)), "{other:?}");
    assert_eq!(clients().await, [halden(), ("ACME".to_owned(), 3)]);
    let clash = edit(&store, &nina, &web, 3, client("halden", true)).await;
    assert_eq!(clash, ProjectChange::ClientTaken("HALDEN".to_owned()));
    assert_eq!(clients().await, [halden(), ("ACME".to_owned(), 3)]);
}

async fn projects_are_their_workspaces(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let other = store.save_member("T2", "U1", None).await.unwrap();
    let acme = create(&store, &nina, "acme").await;
    create(&store, &other, "acme").await;
    assert_eq!(
        store
            .projects(nina.slack_integration_id)
            .await
            .unwrap()
            .len(),
        1
    );
    let steal = edit(&store, &other, &acme, 1, edited("mine", &[], false));
    assert_eq!(steal.await, ProjectChange::Unknown);
    let link = store.link_channel(
        other.slack_integration_id,
        "C1",
        Some(acme.id),
        other.user_id,
    );
    assert_eq!(link.await.unwrap(), None);
    let linked = store
        .channel_project(other.slack_integration_id, "C1")
        .await
        .unwrap();
    assert_eq!(
        linked, None,
        "another workspace's project is an unknown one"
    );
}

async fn a_channel_and_the_last_use_name_the_default(store: Store, clock: Clock) {
    let nina = nina(&store).await;
    let workspace = nina.slack_integration_id;
    let (acme, halden) = (
        create(&store, &nina, "acme").await,
        create(&store, &nina, "halden").await,
    );
    let default = |channel| store.default_project(&nina, channel);
    assert_eq!(default("C1").await.unwrap(), None);
    store
        .note_last_project(nina.user_id, "C1", acme.id)
        .await
        .unwrap();
    let last = DefaultProject {
        project: acme.clone(),
        is_billable: true,
        is_last_named: true,
    };
    assert_eq!(default("C1").await.unwrap(), Some(last.clone()));
    assert_eq!(default("C2").await.unwrap(), None);
    assert_eq!(
        store
            .link_channel(workspace, "C1", Some(halden.id), nina.user_id)
            .await
            .unwrap(),
        None
    );
    let channels = DefaultProject {
        project: halden.clone(),
        is_last_named: false,
        ..last.clone()
    };
    assert_eq!(default("C1").await.unwrap(), Some(channels));
    clock.advance(TimeDelta::minutes(1));
    store
        .note_last_project(nina.user_id, "C2", halden.id)
        .await
        .unwrap();
    assert_eq!(
        store.recent_projects(nina.user_id, 5).await.unwrap(),
        [halden.id, acme.id]
    );
    edit(&store, &nina, &halden, 1, edited("halden", &[], true)).await;
    assert_eq!(
        default("C1").await.unwrap(),
        Some(last),
        "an archived project is not meant"
    );
    assert_eq!(
        store.recent_projects(nina.user_id, 5).await.unwrap(),
        [acme.id]
    );
    let before = store
        .link_channel(workspace, "C1", None, nina.user_id)
        .await
        .unwrap();
    assert_eq!(before, Some(halden));
    assert_eq!(store.channel_project(workspace, "C1").await.unwrap(), None);
}

async fn entries_keep_their_project_under_its_new_name(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let acme = create(&store, &nina, "acme").await;
    let mut meeting = meeting(&nina, key(1), 30);
    meeting.fields.project = Some(acme.clone());
    meeting.fields.billable = true;
    meeting.fields.tags = vec!["web".to_owned(), "späť".to_owned()];
    meeting.permalink = Some("https://tern.slack.com/archives/C1/p1".to_owned());
    let entry = store
        .insert_entry(meeting, soon())
        .await
        .unwrap()
        .receipt
        .entry;
    assert_eq!(
        store.entry(nina.user_id, entry.id).await.unwrap(),
        Some(entry.clone())
    );
    let rename = edit(&store, &nina, &acme, 1, edited("acme-web", &[], false));
    rename.await;
    let renamed = store.entry(nina.user_id, entry.id).await.unwrap().unwrap();
    assert_eq!(renamed.project.as_ref().unwrap().slug, "acme-web");
    let step = Step {
        entry_id: entry.id,
        version: 1,
        to: Some(renamed.fields()),
    };
    store
        .change_entries(nina.user_id, ChangeKind::Project, &[step], None)
        .await
        .unwrap();
}

async fn who_may_create_projects_is_a_setting(store: Store, _: Clock) {
    let mut admin = super::berlin("Nina Berg");
    admin.is_admin = true;
    let nina = store.save_member("T1", "U1", Some(&admin)).await.unwrap();
    assert!(nina.may_create_projects);
    let admins_only = WorkspaceSettings {
        everyone_creates_projects: false,
        ..WorkspaceSettings::default()
    };
    let saved = store.save_workspace_settings(nina.binding_id, 1, &admins_only);
    assert_eq!(saved.await.unwrap(), SettingsChange::Saved(1));
    let again = store.save_workspace_settings(nina.binding_id, 1, &admins_only);
    assert_eq!(again.await.unwrap(), SettingsChange::Stale);
    let now = store.member_by_binding(nina.binding_id).await.unwrap();
    assert!(now.unwrap().may_create_projects, "she is an admin");
    // Saving her without the right takes it from her, and she can change nothing more.
    let demoted = super::nina(&store).await;
    assert!(!demoted.may_create_projects);
    let all = WorkspaceSettings::default();
    let refused = store.save_workspace_settings(nina.binding_id, 2, &all);
    assert_eq!(refused.await.unwrap(), SettingsChange::NotAdmin);
    let nobody = store.save_workspace_settings(key(404), 2, &all);
    assert_eq!(nobody.await.unwrap(), SettingsChange::NotAdmin);

    let workspace = nina.slack_integration_id;
    let records = store.audit_records(workspace, None, 10).await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].slack_user_id, "U1");
    assert_eq!(records[0].subject, AuditSubject::ProjectCreators);
    let older = store.audit_records(workspace, Some(records[0].id), 10);
    assert_eq!(older.await.unwrap(), []);
    assert_eq!(store.audit_records(key(404), None, 10).await.unwrap(), []);
    let facts = store.workspace_facts(workspace).await.unwrap();
    assert_eq!((facts.people, facts.with_calendar), (1, 0));
    assert_eq!(store.connected_calendars(workspace, 10).await.unwrap(), []);
}

async fn corrections_of_a_unit_are_counted(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let flipped = std::sync::atomic::AtomicU64::new(0);
    let again = |unit| {
        let entry = flipped.load(std::sync::atomic::Ordering::Relaxed);
        store.note_flip(nina.binding_id, unit, key(entry.into()))
    };
    let flip = |unit| {
        flipped.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        again(unit)
    };
    assert_eq!(flip(Unit::Minutes).await.unwrap(), 1);
    assert_eq!(flip(Unit::Hours).await.unwrap(), 1);
    assert_eq!(again(Unit::Hours).await.unwrap(), 1, "pressed twice");
    assert_eq!(flip(Unit::Hours).await.unwrap(), 2);
    store
        .set_bare_number_unit(nina.binding_id, BareNumberUnit::Hours)
        .await
        .unwrap();
    let now = store.member("T1", "U1").await.unwrap().unwrap();
    assert_eq!(now.preferences.bare_number_unit, BareNumberUnit::Hours);
    assert_eq!(flip(Unit::Hours).await.unwrap(), 1, "counted anew");
}
