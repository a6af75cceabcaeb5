//! Sums over the API.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{EVERYTHING, JONAS_ID, Program, TERN, fields, person};
use crate::bot::TestBot;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_logged_is_summed_up() {
    let bot = TestBot::start().await;
    let nina = Program::of_nina(&bot).await;
    let jonas = person(&bot, TERN, JONAS_ID, true).await;
    let jonas = Program::with(&bot, jonas, EVERYTHING).await;
    let elsewhere = person(&bot, "T2", "U2", true).await;
    let elsewhere = Program::with(&bot, elsewhere, EVERYTHING).await;
    let client = nina.post("/clients", &json!({"name": "Tern"})).await.json()["id"].clone();
    let new = json!({"name": "Acme", "client_id": client});
    let acme = nina.post("/projects", &new).await.json()["id"].clone();
    let internal = json!({"name": "Internal", "billable": false});
    let internal = nina.post("/projects", &internal).await.json()["id"].clone();
    for (who, date, minutes, project) in [
        (&nina, "2026-11-18", 30, &acme),
        (&nina, "2026-11-19", 60, &internal),
        (&nina, "2026-11-19", 45, &acme),
        (&nina, "2026-11-19", 5, &Value::Null),
        (&nina, "2026-11-20", 600, &Value::Null),
        (&jonas, "2026-11-19", 15, &acme),
        (&elsewhere, "2026-11-19", 7, &Value::Null),
    ] {
        let body = json!({"description": "x", "date": date, "duration_minutes": minutes, "project_id": project});
        let page = who.post("/time-entries", &body).await;
        assert_eq!(page.status, StatusCode::CREATED, "{}", page.body);
    }
    let sums = async |who: &Program, by: &str| {
        let path = format!("/reports/summary?from=2026-11-18&to=2026-11-19&group_by={by}");
        who.get(&path).await.json()
    };
    let group = |set: Value, minutes: u32, billable: u32, entries: u32| {
        let mut group = json!({
            "date": null, "project_id": null, "client_id": null, "user_id": null, "name": null,
            "total_minutes": minutes, "billable_minutes": billable, "entries": entries,
        });
        group
            .as_object_mut()
            .unwrap()
            .extend(set.as_object().unwrap().clone());
        group
    };
    let day = sums(&nina, "day").await;
    let expected = json!({
        "from": "2026-11-18", "to": "2026-11-19", "group_by": "day",
        "total_minutes": 140, "billable_minutes": 75, "entries": 4,
        "items": [
            group(json!({"date": "2026-11-18"}), 30, 30, 1),
            group(json!({"date": "2026-11-19"}), 110, 45, 3),
        ],
    });
    assert_eq!(day, expected);
    let by_project = sums(&nina, "project").await;
    let expected = json!([
        group(json!({"project_id": acme, "name": "Acme"}), 75, 75, 2),
        group(
            json!({"project_id": internal, "name": "Internal"}),
            60,
            0,
            1
        ),
        group(json!({}), 5, 0, 1),
    ]);
    assert_eq!(by_project["items"], expected);
    let by_client = sums(&nina, "client").await;
    let expected = json!([
        group(json!({"client_id": client, "name": "Tern"}), 75, 75, 2),
        group(json!({}), 65, 0, 2),
    ]);
    assert_eq!(by_client["items"], expected);
    let hers = group(
        json!({"user_id": nina.member.user_id, "name": nina.member.name}),
        140,
        75,
        4,
    );
    let his = group(
        json!({"user_id": jonas.member.user_id, "name": jonas.member.name}),
        15,
        15,
        1,
    );
    assert_eq!(sums(&nina, "user").await["items"], json!([hers]));
    // An admin sees everybody of their workspace, and nobody else; by anything else only their own.
    assert_eq!(sums(&jonas, "user").await["items"], json!([hers, his]));
    assert_eq!(sums(&jonas, "day").await["total_minutes"], 15);
    assert_eq!(sums(&elsewhere, "user").await["total_minutes"], 7);

    for (query, field) in [
        ("from=2026-11-18", "to"),
        ("to=2026-11-18", "from"),
        ("from=2026-11-18&to=2026-11-17", "to"),
        ("from=2025-11-18&to=2026-11-20", "to"),
        ("from=0000-01-01&to=9999-12-31", "to"),
        ("from=2026-11-18&to=2026-11-19&group_by=week", "group_by"),
        ("from=%27&to=2026-11-19", "from"),
        ("from=2026-11-18&to=2026-11-19&user_id=1", "user_id"),
    ] {
        let page = nina.get(&format!("/reports/summary?{query}")).await;
        assert_eq!(fields(&page), [field], "{query}");
    }
    for query in ["", "?group_by=day"] {
        let page = nina.get(&format!("/reports/summary{query}")).await;
        assert_eq!(fields(&page), ["from", "to"], "{query}");
    }
    let none = nina
        .get("/reports/summary?from=2020-01-01&to=2020-01-01")
        .await
        .json();
    assert_eq!(
        (&none["total_minutes"], &none["items"]),
        (&json!(0), &json!([]))
    );
    bot.finish().await;
}
