//! What is deleted leaves no trace, and what is billed stays without a name.

use billops::{domain::member::Member, jobs::Job, store::Store};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use uuid::Uuid;

use super::{berlin, day, log};
use crate::{databases::Database, own_data::tables_that_say};

/// Runs a statement from outside.
macro_rules! run {
    ($url:expr, $sql:expr $(, $bound:expr)*) => {
        if $url.starts_with("postgres") {
            let mut database = PgConnection::connect($url).await.unwrap();
            sqlx::query($sql)$(.bind($bound))*.execute(&mut database).await.unwrap();
        } else {
            let mut database = SqliteConnection::connect($url).await.unwrap();
            sqlx::query($sql)$(.bind($bound))*.execute(&mut database).await.unwrap();
        }
    };
}

async fn person(store: &Store, slack_user: &str, name: &str) -> Member {
    let member = store
        .save_member("T1", slack_user, Some(&berlin(name)))
        .await;
    member.unwrap()
}

async fn nothing_is_left(database: Database) {
    let (store, clock) = database.open().await;
    let url = &*database.url;
    let gone = person(&store, "U0GONE", "Gone Girl").await;
    let other = person(&store, "U0OTHER", "Other Person").await;
    log(&store, &gone, 1, 60).await;
    let billed = log(&store, &gone, 2, 90).await.entry;
    let kept = log(&store, &other, 3, 30).await.entry;
    let refresh = Job::RefreshHome {
        binding: gone.binding_id,
    };
    store.add_job(&refresh.to_row()).await.unwrap();
    let theirs = Job::RefreshHome {
        binding: other.binding_id,
    };
    store.add_job(&theirs.to_row()).await.unwrap();
    run!(
        url,
        "UPDATE time_entries SET status = 'billed' WHERE id = $1",
        billed.id
    );
    for (number, owner) in [(1_u128, &gone), (2, &other)] {
        run!(
            url,
            "INSERT INTO rules (id, user_id, series_id, title, billable, state, created_at, updated_at) \
             VALUES ($1, $2, 's', 'Standup', FALSE, 'active', $3, $3)",
            Uuid::from_u128(number),
            owner.user_id,
            clock.now()
        );
        run!(
            url,
            "INSERT INTO api_tokens (id, token_hash, binding_id, created_at) VALUES ($1, $2, $3, $4)",
            Uuid::from_u128(number),
            vec![u8::try_from(number).unwrap(); 32],
            owner.binding_id,
            clock.now()
        );
        run!(
            url,
            "INSERT INTO audit_events (id, slack_integration_id, slack_user_id, subject, value_after, created_at) \
             VALUES ($1, $2, $3, 'api_token', $3, $4)",
            Uuid::from_u128(number),
            owner.slack_integration_id,
            &owner.slack_user_id,
            clock.now()
        );
    }
    // What is on record of a person is theirs, and nobody else's.
    for owner in [&gone, &other] {
        let records = store.own_records(owner.user_id, owner.binding_id).await;
        let records = serde_json::to_value(records.unwrap().unwrap()).unwrap();
        let audited = records["audit_records"].as_array().unwrap();
        assert_eq!(audited.len(), 1, "{audited:?}");
        assert_eq!(audited[0]["subject"], "api_token");
        assert_eq!(audited[0]["value_after"], *owner.slack_user_id);
    }
    let was = store.own_data(gone.user_id, gone.binding_id).await.unwrap();
    assert_eq!((was.entries, was.minutes, was.settled), (2, 150, 1));
    assert_eq!(
        (was.rules.len(), was.tokens, was.since),
        (1, 1, Some(super::day()))
    );
    let others = store
        .own_data(other.user_id, other.binding_id)
        .await
        .unwrap();

    store
        .delete_person(gone.user_id, gone.binding_id, gone.slack_integration_id)
        .await
        .unwrap();
    let none: Vec<String> = Vec::new();
    for needle in [
        gone.user_id.to_string(),
        gone.binding_id.to_string(),
        "U0GONE".to_owned(),
        "Gone Girl".to_owned(),
    ] {
        assert_eq!(tables_that_say(url, &needle).await, none, "{needle}");
    }
    // What is billed still adds up.
    assert_eq!(
        database.descriptions().await,
        ["Deleted by its author", "Meeting"]
    );
    assert!(tables_that_say(url, &billed.id.to_string()).await.len() == 1);
    // The other person has what they had.
    let now = store
        .own_data(other.user_id, other.binding_id)
        .await
        .unwrap();
    assert_eq!(now, others);
    assert!(
        !tables_that_say(url, &other.user_id.to_string())
            .await
            .is_empty()
    );
    let entries = store
        .own_entries(other.user_id, false, (day(), Uuid::nil()), 10)
        .await
        .unwrap();
    assert_eq!((entries.len(), entries[0].id), (1, kept.id));
    assert_eq!(store.job_counts().await.unwrap().open, 1);

    // Whoever comes back is somebody new, and a second person without a name is not made.
    let back = person(&store, "U0GONE", "Gone Girl").await;
    assert_ne!(back.user_id, gone.user_id);
    let zero = store.own_data(back.user_id, back.binding_id).await.unwrap();
    assert_eq!((zero.entries, zero.settled, zero.tokens), (0, 0, 0));
    let billed = log(&store, &back, 4, 15).await.entry;
    run!(
        url,
        "UPDATE time_entries SET status = 'approved' WHERE id = $1",
        billed.id
    );
    store
        .delete_person(back.user_id, back.binding_id, back.slack_integration_id)
        .await
        .unwrap();
    assert_eq!(tables_that_say(url, "U0GONE").await, none);
    store.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_on_disk() {
    nothing_is_left(Database::on_disk()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_in_postgres() {
    nothing_is_left(Database::postgres().await).await;
}

/// Nobody else can look into memory, so this asks the store itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_in_memory() {
    let database = Database::in_memory();
    let (store, _) = database.open().await;
    let gone = person(&store, "U0GONE", "Gone Girl").await;
    log(&store, &gone, 1, 60).await;
    store
        .delete_person(gone.user_id, gone.binding_id, gone.slack_integration_id)
        .await
        .unwrap();
    let records = store.own_records(gone.user_id, gone.binding_id).await;
    assert!(records.unwrap().is_none());
    let entries = store
        .own_entries(gone.user_id, false, (day(), Uuid::nil()), 10)
        .await;
    assert!(entries.unwrap().is_empty());
    store.close().await;
}
