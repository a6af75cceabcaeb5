//! Projects and clients over the API.

use billops::{domain::workspace::WorkspaceSettings, store::SettingsChange};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{EVERYTHING, JONAS_ID, Program, TERN, fields, person};
use crate::{attacks::problem, bot::TestBot};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn projects_are_made_listed_and_changed() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let client = program
        .post("/clients", &json!({"name": " Tern Studio "}))
        .await;
    assert_eq!(client.status, StatusCode::CREATED, "{}", client.body);
    let client = client.json();
    assert_eq!(
        client,
        json!({"id": client["id"], "slug": "tern-studio", "name": "Tern Studio"})
    );
    let new = json!({"name": "Website relaunch", "slug": "#Acme", "client_id": client["id"], "billable": false});
    let made = program.post("/projects", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let project = made.json();
    let expected = json!({
        "id": project["id"], "slug": "acme", "name": "Website relaunch", "client_id": client["id"],
        "billable": false, "aliases": [], "archived_at": null, "version": 1,
    });
    assert_eq!(project, expected);
    let path = format!("/projects/{}", project["id"].as_str().unwrap());
    let read = program.get(&path).await;
    assert_eq!((read.status, read.json()), (StatusCode::OK, expected));
    let edit = json!({"name": "Relaunch", "aliases": ["Web", "web", "acme"], "archived": true, "client_id": null});
    let changed = program.patch(&path, &edit).await.json();
    assert_eq!(changed["aliases"], json!(["web"]));
    assert_eq!(
        (&changed["slug"], &changed["name"]),
        (&json!("acme"), &json!("Relaunch"))
    );
    assert_eq!(
        (&changed["client_id"], &changed["version"]),
        (&Value::Null, &json!(2))
    );
    assert!(changed["archived_at"].is_string());
    assert_eq!(program.patch(&path, &edit).await.json()["version"], 2);
    for name in ["Halden", "Beta", "Internal"] {
        program.post("/projects", &json!({"name": name})).await;
    }
    let slugs = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["slug"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = program.get("/projects?limit=3").await.json();
    assert_eq!(slugs(&first), ["acme", "beta", "halden"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let last = program
        .get(&format!("/projects?limit=3&cursor={cursor}"))
        .await
        .json();
    assert_eq!(
        (slugs(&last), &last["next_cursor"]),
        (vec!["internal".to_owned()], &Value::Null)
    );
    assert_eq!(
        slugs(&program.get("/projects?archived=true").await.json()),
        ["acme"]
    );
    assert_eq!(
        slugs(&program.get("/projects?archived=false").await.json()).len(),
        3
    );
    assert_eq!(
        fields(&program.get("/projects?archived=maybe").await),
        ["archived"]
    );

    // A client keeps its projects under its new name.
    let client_path = format!("/clients/{}", client["id"].as_str().unwrap());
    program
        .patch(&path, &json!({"client_id": client["id"]}))
        .await;
    let renamed = program
        .patch(&client_path, &json!({"name": "Tern"}))
        .await
        .json();
    assert_eq!(renamed["slug"], "tern");
    let listed = program.get("/projects?archived=true").await.json();
    assert_eq!(listed["items"][0]["client_id"], client["id"]);
    assert_eq!(slugs(&program.get("/clients").await.json()), ["tern"]);
    // Entries say for whom they are.
    program.patch(&path, &json!({"archived": false})).await;
    let entry = json!({"description": "x", "duration_minutes": 5, "project_id": project["id"]});
    let entry = program.post("/time-entries", &entry).await.json();
    assert_eq!(entry["client_id"], client["id"]);

    problem(
        &program.post("/projects", &json!({"name": "ACME"})).await,
        "name-taken",
    );
    problem(
        &program.patch(&path, &json!({"slug": "beta"})).await,
        "name-taken",
    );
    problem(
        &program.post("/clients", &json!({"name": "tern"})).await,
        "name-taken",
    );
    for (body, field) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "?!"}), "name"),
        (json!({"name": "a\u{0}"}), "name"),
        (json!({"name": "a\nb"}), "name"),
        (json!({"name": "x".repeat(81)}), "name"),
        (json!({"name": "y", "slug": "--"}), "slug"),
        (
            json!({"name": "y", "client_id": Uuid::from_u128(7)}),
            "client_id",
        ),
        (json!({"name": "y", "archived_at": null}), "archived_at"),
        (json!({"name": 1}), "name"),
    ] {
        assert_eq!(
            fields(&program.post("/projects", &body).await),
            [field],
            "{body}"
        );
    }
    assert_eq!(
        fields(&program.post("/projects", &json!({})).await),
        ["name"]
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_is_where_its_location_says() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let jonas = person(&bot, TERN, JONAS_ID, false).await;
    let jonas = Program::with(&bot, jonas, EVERYTHING).await;
    let other = person(&bot, "T2", "U2", true).await;
    let other = Program::with(&bot, other, EVERYTHING).await;
    for list in ["/projects", "/clients"] {
        let made = program.post(list, &json!({"name": "Acme"})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let location = made.headers["location"].to_str().unwrap();
        let path = location.strip_prefix("/api/v1").unwrap();
        for colleague in [&program, &jonas] {
            let read = colleague.get(path).await;
            assert_eq!((read.status, read.json()), (StatusCode::OK, made.json()));
        }
        problem(&other.get(path).await, "not-found");
        problem(
            &program.get(&format!("{list}/{}", Uuid::nil())).await,
            "not-found",
        );
        problem(&program.get(&format!("{list}/x")).await, "not-found");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_project_can_be_named_in_slack() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    for (name, slug) in [
        ("2h", "2h"),
        ("Nine", "9-11"),
        ("_x", "x"),
        ("3M & Co.", "3m-co"),
    ] {
        let mut new = json!({"name": name});
        if name == "Nine" {
            new["slug"] = json!(slug);
        }
        let made = program.post("/projects", &new).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let project = made.json();
        assert_eq!(project["slug"], slug);
        bot.say(&format!("/time 1h #{slug} Meeting about {slug}"))
            .await;
        let listed = program.get("/time-entries?limit=1").await.json();
        let entry = &listed["items"][0];
        assert_eq!(entry["description"], format!("Meeting about {slug}"));
        assert_eq!(entry["project_id"], project["id"], "{slug}");
    }
    // A number alone is a ticket's, or anything's.
    let beta = program.post("/projects", &json!({"name": "Beta"})).await;
    let path = format!("/projects/{}", beta.json()["id"].as_str().unwrap());
    let said = |page: &crate::visitor::Page| {
        let message = page.json()["errors"][0]["message"].clone();
        (fields(page), message.as_str().unwrap().to_owned())
    };
    for (body, field) in [
        (json!({"name": "2026"}), "slug"),
        (json!({"name": "Year", "slug": "#2026"}), "slug"),
    ] {
        let (named, message) = said(&program.post("/projects", &body).await);
        assert_eq!(named, [field], "{body}");
        assert!(message.contains("such as p2026"), "{message}");
    }
    let page = program.patch(&path, &json!({"slug": "12"})).await;
    assert_eq!(said(&page).0, ["slug"]);
    let page = program.patch(&path, &json!({"aliases": ["b", "12"]})).await;
    assert_eq!(said(&page).0, ["aliases"]);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_create_projects_is_told_and_another_workspace_is_unknown() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let project = program
        .post("/projects", &json!({"name": "Acme"}))
        .await
        .json();
    let client = program
        .post("/clients", &json!({"name": "Tern"}))
        .await
        .json();
    let (project, client) = (
        project["id"].as_str().unwrap(),
        client["id"].as_str().unwrap(),
    );
    let (project, client) = (format!("/projects/{project}"), format!("/clients/{client}"));

    let other = person(&bot, "T2", "U2", true).await;
    let other = Program::with(&bot, other, EVERYTHING).await;
    assert_eq!(other.get("/projects").await.json()["items"], json!([]));
    assert_eq!(other.get("/clients").await.json()["items"], json!([]));
    problem(
        &other.patch(&project, &json!({"name": "x"})).await,
        "not-found",
    );
    problem(
        &other.patch(&client, &json!({"name": "x"})).await,
        "not-found",
    );
    let theirs = json!({"name": "x", "client_id": client.rsplit('/').next()});
    assert_eq!(
        fields(&other.post("/projects", &theirs).await),
        ["client_id"]
    );
    // The same name in another workspace is another project.
    assert_eq!(
        other
            .post("/projects", &json!({"name": "Acme"}))
            .await
            .status,
        StatusCode::CREATED
    );

    let jonas = person(&bot, TERN, JONAS_ID, false).await;
    let jonas = Program::with(&bot, jonas, EVERYTHING).await;
    let admins_only = WorkspaceSettings {
        everyone_creates_projects: false,
        ..WorkspaceSettings::default()
    };
    let store = bot.bot.store();
    let nina = person(&bot, TERN, "U07NINA001", true).await;
    let saved = store.save_workspace_settings(nina.binding_id, 1, &admins_only);
    assert!(matches!(saved.await.unwrap(), SettingsChange::Saved(1)));
    for page in [
        jonas.post("/projects", &json!({"name": "Mine"})).await,
        jonas.post("/clients", &json!({"name": "Mine"})).await,
        jonas.patch(&project, &json!({"name": "Mine"})).await,
        jonas.patch(&client, &json!({"name": "Mine"})).await,
    ] {
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        problem(&page, "admins-only");
    }
    assert_eq!(
        jonas.get("/projects").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    bot.finish().await;
}
