//! Entries over the API.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use uuid::Uuid;

use super::{JONAS_ID, Program, TERN, fields, person};
use crate::{
    attacks::problem,
    bot::{NINA, TestBot},
    databases::Database,
};

fn meeting() -> Value {
    json!({"description": "Meeting", "duration_minutes": 90})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_is_made_read_changed_and_deleted() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let made = program.post("/time-entries", &meeting()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.headers["etag"], "\"1\"");
    let entry = made.json();
    let id = entry["id"].as_str().unwrap();
    assert_eq!(
        made.headers["location"],
        format!("/api/v1/time-entries/{id}")
    );
    // It is 13:30 in Berlin.
    let expected = json!({
        "id": id, "user_id": program.member.user_id, "project_id": null, "client_id": null, "source": "api",
        "status": "pending", "description": "Meeting", "date": "2026-11-20",
        "started_at": "2026-11-20T11:00:00Z", "ended_at": "2026-11-20T12:30:00Z", "is_timed": false,
        "duration_minutes": 90, "billable": false, "tags": [], "source_event_id": null, "permalink": null, "typed_text": null,
        "version": 1, "created_at": "2026-11-20T12:30:00Z", "updated_at": "2026-11-20T12:30:00Z",
    });
    assert_eq!(entry, expected);
    let path = format!("/time-entries/{id}");
    let read = program.get(&path).await;
    assert_eq!(
        (read.json(), &read.headers["etag"]),
        (expected, &made.headers["etag"])
    );

    let edit = json!({"description": "Planning", "duration_minutes": 30, "tags": ["q4", "q4"]});
    let changed = program.patch(&path, &edit).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(changed.headers["etag"], "\"2\"");
    let entry = changed.json();
    assert_eq!(entry["description"], "Planning");
    assert_eq!(entry["tags"], json!(["q4"]));
    // Today it keeps its end.
    assert_eq!(entry["started_at"], "2026-11-20T12:00:00Z");
    // Nothing new is no change.
    assert_eq!(program.patch(&path, &edit).await.json()["version"], 2);

    let deleted = program.send(Method::DELETE, &path, &[], None).await;
    assert_eq!(
        (deleted.status, &*deleted.body),
        (StatusCode::NO_CONTENT, "")
    );
    problem(&program.get(&path).await, "not-found");
    let again = program.send(Method::DELETE, &path, &[], None).await;
    problem(&again, "not-found");

    // Slack takes back what a program did, the last thing first.
    bot.say("/time undo").await;
    assert_eq!(program.get(&path).await.json()["description"], "Planning");
    bot.say("/time undo").await;
    assert_eq!(program.get(&path).await.json()["description"], "Meeting");
    bot.say("/time undo").await;
    problem(&program.get(&path).await, "not-found");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beginning_and_an_end_are_a_length_and_a_day() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let made = async |more: Value| {
        let mut body = json!({"description": "x"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        program.post("/time-entries", &body).await
    };
    // Half past midnight in Berlin is the day before in UTC.
    let night = json!({"started_at": "2026-11-18T23:30:00Z", "ended_at": "2026-11-19T01:00:59Z"});
    let page = made(night.clone()).await;
    assert_eq!(page.json()["date"], "2026-11-19", "{}", page.body);
    assert_eq!(page.json()["duration_minutes"], 90);
    let path = format!("/time-entries/{}", page.json()["id"].as_str().unwrap());
    let later = program
        .patch(&path, &json!({"ended_at": "2026-11-19T02:30:00+01:00"}))
        .await;
    assert_eq!(later.json()["duration_minutes"], 120, "{}", later.body);
    let moved = program.patch(&path, &json!({"date": "2026-11-17"})).await;
    assert_eq!(moved.json()["started_at"], "2026-11-16T23:30:00Z");
    let open = json!({"started_at": null, "ended_at": null, "duration_minutes": 15});
    let open = program.patch(&path, &open).await.json();
    assert_eq!(
        (&open["started_at"], &open["duration_minutes"]),
        (&Value::Null, &json!(15))
    );
    let half = program
        .patch(&path, &json!({"ended_at": "2026-11-17T02:30:00Z"}))
        .await;
    assert_eq!(fields(&half), ["ended_at"]);

    let with = |more: Value| {
        let mut body = night.clone();
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    // Breaks make it shorter, and nothing makes it longer.
    assert_eq!(
        made(with(json!({"duration_minutes": 60}))).await.json()["duration_minutes"],
        60
    );
    assert_eq!(
        fields(&made(with(json!({"duration_minutes": 91}))).await),
        ["duration_minutes"]
    );
    assert_eq!(
        fields(&made(with(json!({"date": "2026-11-18"}))).await),
        ["date"]
    );
    assert_eq!(
        fields(&made(with(json!({"ended_at": "2026-11-20T00:00:00Z"}))).await),
        ["ended_at"]
    );
    assert_eq!(
        fields(&made(with(json!({"ended_at": "2026-11-18T23:30:30Z"}))).await),
        ["ended_at"]
    );
    assert_eq!(
        fields(&made(with(json!({"ended_at": null}))).await),
        ["ended_at"]
    );
    assert_eq!(
        fields(&made(with(json!({"started_at": "1969-12-31T23:59:59Z"}))).await),
        ["started_at"]
    );
    assert_eq!(
        fields(&made(with(json!({"started_at": "9999-12-31T23:59:59Z"}))).await),
        ["started_at"]
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_said_by_its_field() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let path = program.post("/time-entries", &meeting()).await.json()["id"].clone();
    let path = format!("/time-entries/{}", path.as_str().unwrap());
    let wrong = [
        (json!({"description": " "}), "description"),
        (json!({"description": "a\u{0}b"}), "description"),
        (json!({"description": "é".repeat(3_001)}), "description"),
        (json!({"description": null}), "description"),
        (json!({"description": 7}), "description"),
        (json!({"duration_minutes": 0}), "duration_minutes"),
        (json!({"duration_minutes": 1_441}), "duration_minutes"),
        (json!({"duration_minutes": 1.5}), "duration_minutes"),
        (json!({"duration_minutes": -1}), "duration_minutes"),
        (json!({"duration_minutes": "90"}), "duration_minutes"),
        (json!({"duration_minutes": u64::MAX}), "duration_minutes"),
        (json!({"date": "2026-11-21"}), "date"),
        (json!({"date": "+262142-12-31"}), "date"),
        (json!({"date": "1969-12-31"}), "date"),
        (json!({"date": "2026-02-30"}), "date"),
        (json!({"project_id": Uuid::from_u128(7)}), "project_id"),
        (json!({"project_id": "' OR 1=1 --"}), "project_id"),
        (json!({"billable": "yes"}), "billable"),
        (json!({"tags": ["two words"]}), "tags"),
        (json!({"tags": ["a\u{0}"]}), "tags"),
        (json!({"tags": [1]}), "tags"),
        (json!({"tags": "x"}), "tags"),
        (json!({"tags": vec!["x"; 21]}), "tags"),
        (json!({"status": "billed"}), "status"),
        (json!({"user_id": Uuid::nil()}), "user_id"),
        (json!({"version": 3}), "version"),
    ];
    for (more, field) in wrong {
        let mut body = meeting();
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        for page in [
            program.post("/time-entries", &body).await,
            program.patch(&path, &more).await,
        ] {
            problem(&page, "invalid");
            assert_eq!(fields(&page), [field], "{more}");
            for word in ["u32", "struct", "enum", "line 1", "column", "sql"] {
                assert!(!page.body.contains(word), "{}", page.body);
            }
        }
    }
    let nothing = program.post("/time-entries", &json!({})).await;
    assert_eq!(fields(&nothing), ["description"]);
    let both = json!({"description": " ", "project_id": Uuid::from_u128(7)});
    let both = program.post("/time-entries", &both).await;
    assert_eq!(
        fields(&both),
        ["description", "duration_minutes", "project_id"]
    );
    for body in [json!([]), json!("x"), json!(7), Value::Null] {
        assert_eq!(
            fields(&program.post("/time-entries", &body).await),
            ["body"]
        );
    }
    assert_eq!(
        program.get("/time-entries").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(program.get(&path).await.json()["version"], 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_names_the_version_it_was_made_for() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let id = program.post("/time-entries", &meeting()).await.json()["id"].clone();
    let path = format!("/time-entries/{}", id.as_str().unwrap());
    let change = async |condition: &str, words: &str| {
        let headers = [("if-match", condition)];
        let body = json!({"description": words});
        program
            .send(Method::PATCH, &path, &headers, Some(&body))
            .await
    };
    assert_eq!(change("\"1\"", "a").await.json()["version"], 2);
    for unclear in ["2", "W/\"2\"", "", "\"2", "\"1\", 2", ","] {
        let page = change(unclear, "b").await;
        assert_eq!(fields(&page), ["If-Match"], "{unclear}");
        let message = page.json()["errors"][0]["message"].to_string();
        assert!(message.contains("\\\"2\\\""), "{message}");
    }
    for stale in ["\"1\"", "\"x\"", "\"\"", "\"99999999999\""] {
        let page = change(stale, "b").await;
        assert_eq!(page.status, StatusCode::PRECONDITION_FAILED, "{stale}");
        problem(&page, "entry-changed");
    }
    assert_eq!(change("\"7\", \"2\"", "c").await.json()["version"], 3);
    assert_eq!(change("*", "d").await.json()["version"], 4);
    let read = async |condition: &str| {
        let headers = [("if-none-match", condition)];
        program.send(Method::GET, &path, &headers, None).await
    };
    for known in ["\"4\"", "W/\"4\"", "\"1\", \"4\"", "*"] {
        let page = read(known).await;
        assert_eq!((page.status, &*page.body), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(page.headers["etag"], "\"4\"");
    }
    assert_eq!(read("\"3\"").await.status, StatusCode::OK);
    let delete = async |condition: &str| {
        let headers = [("if-match", condition)];
        program
            .send(Method::DELETE, &path, &headers, None)
            .await
            .status
    };
    assert_eq!(delete("\"3\"").await, StatusCode::PRECONDITION_FAILED);
    assert_eq!(delete("4").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(delete("\"4\"").await, StatusCode::NO_CONTENT);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_says_whether_its_times_were_said() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let day = json!({"description": "x", "date": "2026-11-19", "duration_minutes": 1440});
    let said = json!({
        "description": "y", "started_at": "2026-11-19T08:00:00Z", "ended_at": "2026-11-19T09:00:00Z",
    });
    for (body, is_timed) in [(day, false), (said, true)] {
        let entry = program.post("/time-entries", &body).await.json();
        assert_eq!(entry["is_timed"], is_timed, "{entry}");
        let path = format!("/time-entries/{}", entry["id"].as_str().unwrap());
        assert_eq!(program.get(&path).await.json(), entry);
    }
    let listed = program.get("/time-entries").await.json();
    let timed: Vec<&Value> = listed["items"].as_array().unwrap().iter().collect();
    assert!(timed.iter().all(|entry| entry["is_timed"].is_boolean()));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_are_asked_for_from_the_first_to_the_last() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    for path in ["/time-entries", "/time-entries/export"] {
        let page = program
            .get(&format!("{path}?from=2026-11-20&to=2026-11-19"))
            .await;
        assert_eq!(fields(&page), ["to"], "{path}");
        let page = program
            .get(&format!("{path}?from=2026-11-20&to=2026-11-20"))
            .await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_read_page_by_page_and_narrowed() {
    let bot = TestBot::start().await;
    let program = Program::of_nina(&bot).await;
    let project = program
        .post("/projects", &json!({"name": "Acme"}))
        .await
        .json()["id"]
        .clone();
    let mut made = Vec::new();
    for number in 0..7_u32 {
        let mut body = meeting();
        // Two on each day, made in no order of days.
        body["date"] = json!(format!("2026-11-{:02}", 10 + number * 2 % 7 / 2));
        if number % 3 == 0 {
            body["project_id"] = project.clone();
        }
        let entry = program.post("/time-entries", &body).await.json();
        made.push((entry["date"].clone(), entry["id"].clone()));
    }
    made.sort_by_key(|(date, id)| std::cmp::Reverse((date.to_string(), id.to_string())));
    let ids = |page: &Value| -> Vec<Value> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["id"].clone()).collect()
    };
    let expected: Vec<Value> = made.into_iter().map(|(_, id)| id).collect();
    let mut listed = Vec::new();
    let mut path = "/time-entries?limit=3".to_owned();
    let mut pages = 0;
    loop {
        let page = program.get(&path).await.json();
        listed.extend(ids(&page));
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/time-entries?limit=3&cursor={cursor}");
    }
    assert_eq!((listed, pages), (expected, 3));

    let count = async |query: &str| {
        let page = program.get(&format!("/time-entries?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        ids(&page.json()).len()
    };
    assert_eq!(
        count(&format!("project_id={}", project.as_str().unwrap())).await,
        3
    );
    assert_eq!(count("from=2026-11-10&to=2026-11-10").await, 2);
    assert_eq!(count("from=2026-11-13").await, 1);
    assert_eq!(count("to=2026-11-09").await, 0);
    assert_eq!(count("source=api&status=pending").await, 7);
    assert_eq!(count("source=slack").await, 0);
    assert_eq!(count("status=billed").await, 0);

    // A cursor is its person's and its list's, as it was.
    let page = program.get("/time-entries?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap().to_owned();
    let jonas = person(&bot, TERN, JONAS_ID, false).await;
    let jonas = Program::with(&bot, jonas, super::EVERYTHING).await;
    let foreign = jonas.get(&format!("/time-entries?cursor={cursor}")).await;
    assert_eq!(fields(&foreign), ["cursor"]);
    let elsewhere = program.get(&format!("/projects?cursor={cursor}")).await;
    assert_eq!(fields(&elsewhere), ["cursor"]);
    let mut last = cursor.clone();
    let end = if last.pop() == Some('A') { 'B' } else { 'A' };
    for (query, field) in [
        (&*format!("cursor={last}{end}"), "cursor"),
        ("cursor=", "cursor"),
        ("cursor=2026-11-20%200", "cursor"),
        ("cursor=%00%27", "cursor"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("from=yesterday", "from"),
        ("from=%2B262142-12-31", "from"),
        ("to=2026-11-31", "to"),
        ("project_id=1%27%20OR%201=1", "project_id"),
        ("source=import%27", "source"),
        ("status=done", "status"),
        ("user_id=1", "user_id"),
        ("limit=1&limit=2", "limit"),
    ] {
        let page = program.get(&format!("/time-entries?{query}")).await;
        assert_eq!(fields(&page), [field], "{query}");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_settled_stays_and_an_archived_project_takes_nothing_new() {
    let database = Database::on_disk();
    let url = database.url.clone();
    let bot = TestBot::with(database, &[]).await;
    let program = Program::of_nina(&bot).await;
    let new = json!({"name": "Acme"});
    let project = program.post("/projects", &new).await.json()["id"].clone();
    let mut body = meeting();
    body["project_id"] = project.clone();
    let entry = program.post("/time-entries", &body).await.json();
    assert_eq!(
        (&entry["billable"], &entry["project_id"]),
        (&json!(true), &project)
    );
    let archive = format!("/projects/{}", project.as_str().unwrap());
    program.patch(&archive, &json!({"archived": true})).await;
    assert_eq!(
        fields(&program.post("/time-entries", &body).await),
        ["project_id"]
    );
    // One that has it keeps it.
    let path = format!("/time-entries/{}", entry["id"].as_str().unwrap());
    let kept = program
        .patch(&path, &json!({"project_id": project, "description": "y"}))
        .await;
    assert_eq!(kept.json()["project_id"], project, "{}", kept.body);
    let none = program.patch(&path, &json!({"project_id": null})).await;
    assert_eq!(none.json()["project_id"], Value::Null);

    let id = Uuid::parse_str(entry["id"].as_str().unwrap()).unwrap();
    for status in ["approved", "billed"] {
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query("UPDATE time_entries SET status = $2 WHERE id = $1")
            .bind(id)
            .bind(status)
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        let page = program.patch(&path, &json!({"description": "z"})).await;
        assert_eq!(page.status, StatusCode::CONFLICT);
        problem(&page, "entry-settled");
        let page = program.send(Method::DELETE, &path, &[], None).await;
        problem(&page, "entry-settled");
    }
    assert_eq!(program.get(&path).await.json()["description"], "y");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_home_tab_follows() {
    let bot = TestBot::start().await;
    bot.slack.open_home(NINA).await.unwrap();
    let shows = |words: &'static str| {
        move |slack: &billops::sandbox::Sandbox| {
            let home = slack.home(NINA)?;
            let text = Value::from(home.blocks().to_vec()).to_string();
            text.contains(words).then_some(())
        }
    };
    bot.slack
        .wait_for("a Home tab", shows("API token"))
        .await
        .unwrap();
    let program = Program::of_nina(&bot).await;
    let id = program.post("/time-entries", &meeting()).await.json()["id"].clone();
    bot.slack
        .wait_for("the entry", shows("Meeting"))
        .await
        .unwrap();
    let path = format!("/time-entries/{}", id.as_str().unwrap());
    program
        .patch(&path, &json!({"description": "Planning"}))
        .await;
    bot.slack
        .wait_for("the change", shows("Planning"))
        .await
        .unwrap();
    bot.finish().await;
}
