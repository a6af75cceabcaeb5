//! The clients of a workspace.

use billops::{
    clock::Clock,
    domain::{member::Member, project::Client},
    store::{ClientChange, NewProject, ProjectChange, Store},
};
use futures_util::future::join_all;
use uuid::Uuid;

use super::{key, nina};
use crate::databases::Database;

super::on_every_database!(
    a_slug_is_one_clients,
    an_id_is_made_once,
    a_client_is_renamed_and_forms_about_its_projects_are_old,
    clients_are_their_workspaces,
);

/// A client of this person's workspace.
async fn create(store: &Store, member: &Member, slug: &str, name: &str) -> ClientChange {
    create_as(store, member, Uuid::from_u128(rand::random()), (slug, name)).await
}

async fn create_as(
    store: &Store,
    member: &Member,
    id: Uuid,
    (slug, name): (&str, &str),
) -> ClientChange {
    let made = store.create_client(member.slack_integration_id, id, slug, name);
    made.await.unwrap()
}

async fn made(store: &Store, member: &Member, slug: &str, name: &str) -> Client {
    match create(store, member, slug, name).await {
        ClientChange::Done(client) => client,
        other => panic!("{other:?}"),
    }
}

async fn rename(store: &Store, member: &Member, id: Uuid, slug: &str, name: &str) -> ClientChange {
    let renamed = store.rename_client(member.slack_integration_id, id, slug, name);
    renamed.await.unwrap()
}

/// All of them, by slug.
async fn all(store: &Store, member: &Member) -> Vec<Client> {
    let mut all = store.clients(member.slack_integration_id).await.unwrap();
    all.sort_by(|a, b| a.slug.cmp(&b.slug));
    all
}

async fn a_slug_is_one_clients(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let tern = made(&store, &nina, "tern", "Tern Studio").await;
    assert_eq!((&*tern.slug, &*tern.name), ("tern", "Tern Studio"));
    let taken = create(&store, &nina, "tern", "Tern GmbH").await;
    assert_eq!(taken, ClientChange::Taken(tern.clone()));
    // Of many who make one at once, one does.
    let at_once = (0..8).map(|_| create(&store, &nina, "halden", "Halden"));
    let done = |change: &ClientChange| matches!(change, ClientChange::Done(_));
    let changes = join_all(at_once).await;
    assert_eq!(changes.iter().filter(|one| done(one)).count(), 1);
    let taken = |change: &ClientChange| matches!(change, ClientChange::Taken(_));
    assert_eq!(changes.iter().filter(|one| taken(one)).count(), 7);
    assert_eq!(all(&store, &nina).await.len(), 2);
}

async fn an_id_is_made_once(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let other = store.save_member("T2", "U1", None).await.unwrap();
    let tern = ("tern", "Tern Studio");
    let ClientChange::Done(made) = create_as(&store, &nina, key(7), tern).await else {
        panic!("it was not made")
    };
    assert_eq!(made.id, key(7));
    let again = create_as(&store, &nina, key(7), tern).await;
    assert_eq!(again, ClientChange::Done(made));
    let taken = create_as(&store, &nina, key(8), tern).await;
    assert!(matches!(taken, ClientChange::Taken(_)));
    // Whatever it is called by now.
    let ClientChange::Done(renamed) = rename(&store, &nina, key(7), "gone", "Gone").await else {
        panic!("it was not renamed")
    };
    let again = create_as(&store, &nina, key(7), tern).await;
    assert_eq!(again, ClientChange::Done(renamed.clone()));
    assert_eq!(all(&store, &nina).await, [renamed]);
    assert_eq!(all(&store, &other).await, []);
}

async fn a_client_is_renamed_and_forms_about_its_projects_are_old(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let tern = made(&store, &nina, "tern", "Tern Studio").await;
    let halden = made(&store, &nina, "halden", "Halden").await;
    for (slug, client) in [("web", Some(&tern)), ("app", Some(&halden)), ("own", None)] {
        let new = NewProject {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            client: client.map(|client| (client.slug.clone(), client.name.clone())),
            is_billable: true,
        };
        let made = store.create_project(nina.slack_integration_id, &new).await;
        assert!(matches!(made.unwrap(), ProjectChange::Done(_)));
    }
    let to = Client {
        slug: "tern-gmbh".to_owned(),
        name: "Tern GmbH".to_owned(),
        ..tern.clone()
    };
    let renamed = rename(&store, &nina, tern.id, &to.slug, &to.name).await;
    assert_eq!(renamed, ClientChange::Done(to.clone()));
    assert_eq!(all(&store, &nina).await, [halden.clone(), to.clone()]);
    let projects = store.projects(nina.slack_integration_id).await.unwrap();
    let seen: Vec<_> = projects
        .iter()
        .map(|one| (&*one.slug, one.client.as_ref(), one.version))
        .collect();
    assert_eq!(
        seen,
        [
            ("app", Some(&halden), 1),
            ("own", None, 1),
            ("web", Some(&to), 2)
        ]
    );
    // Its own slug is not another's.
    let capital = rename(&store, &nina, tern.id, "tern-gmbh", "TERN GmbH").await;
    assert!(matches!(capital, ClientChange::Done(_)));
    let taken = rename(&store, &nina, tern.id, "halden", "Halden").await;
    assert_eq!(taken, ClientChange::Taken(halden.clone()));
    let unknown = rename(&store, &nina, key(9), "new", "New").await;
    assert_eq!(unknown, ClientChange::Unknown);
    let names: Vec<String> = all(&store, &nina)
        .await
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(names, ["Halden", "TERN GmbH"], "nothing else was changed");
}

async fn clients_are_their_workspaces(store: Store, _: Clock) {
    let nina = nina(&store).await;
    let other = store.save_member("T2", "U1", None).await.unwrap();
    let hers = made(&store, &nina, "tern", "Tern Studio").await;
    let theirs = made(&store, &other, "tern", "Tern").await;
    assert_ne!(hers.id, theirs.id);
    let unknown = rename(&store, &other, hers.id, "gone", "Gone").await;
    assert_eq!(unknown, ClientChange::Unknown);
    assert_eq!(all(&store, &nina).await, [hers]);
    assert_eq!(all(&store, &other).await, [theirs]);
}

/// As many as there may be but one, from outside.
const ALMOST_ALL: [&str; 2] = [
    "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9999) \
     INSERT INTO clients (id, slack_integration_id, slug, name, created_at, updated_at) \
     SELECT randomblob(16), i.id, 'c' || n, 'C' || n, i.created_at, i.created_at FROM n, slack_integrations i \
     WHERE i.workspace_id = 'T1'",
    "INSERT INTO clients (id, slack_integration_id, slug, name, created_at, updated_at) \
     SELECT gen_random_uuid(), i.id, 'c' || n, 'C' || n, i.created_at, i.created_at \
     FROM generate_series(1, 9999) n, slack_integrations i WHERE i.workspace_id = 'T1'",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_has_ten_thousand_at_most() {
    let databases = [Database::on_disk(), Database::postgres().await];
    for (database, almost_all) in databases.into_iter().zip(ALMOST_ALL) {
        let (store, _) = database.open().await;
        let nina = nina(&store).await;
        let other = store.save_member("T2", "U1", None).await.unwrap();
        database.execute(almost_all).await;
        made(&store, &nina, "last", "Last").await;
        let full = create(&store, &nina, "more", "More").await;
        assert_eq!(full, ClientChange::TooMany);
        assert_eq!(all(&store, &nina).await.len(), 10_000);
        // What is there is still found to be there, and renamed.
        let ClientChange::Taken(seventh) = create(&store, &nina, "c7", "C7").await else {
            panic!("it is not found")
        };
        let renamed = rename(&store, &nina, seventh.id, "more", "More").await;
        assert!(matches!(renamed, ClientChange::Done(_)));
        made(&store, &other, "more", "More").await;
        store.close().await;
        database.remove().await;
    }
}
