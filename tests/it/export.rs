//! Entries as CSV: over the API, and by `billops export`.

use std::process::Stdio;

use billops::{
    app::{EntryExport, ExportSpan},
    clock::Clock,
    domain::{member::Member, time_entry::TimeEntry},
    sandbox::Sandbox,
    store::{NewEntry, NewProject, ProjectChange, Store},
};
use chrono::{Days, NaiveDate};
use reqwest::Method;
use tokio::process::Command;
use uuid::Uuid;

use crate::{
    attacks::{api_token, problem},
    bot::{NINA, TestBot},
    databases::Database,
    store::{berlin, day, key, meeting, nina, on_every_database, soon},
    visitor::Visitor,
};

const JONAS: &str = "jonas";

on_every_database!(
    every_entry_is_exported_once_over_many_pages,
    an_export_is_of_its_days_and_its_person,
    a_row_says_everything_and_nothing_that_runs,
);

/// The lines of a CSV, each with its cells.
fn rows(text: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text);
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        row.iter().map(str::to_owned).collect()
    });
    rows.collect()
}

/// The cells under this name.
fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let at = rows[0].iter().position(|column| column == name).unwrap();
    rows[1..].iter().map(|row| row[at].clone()).collect()
}

async fn exported(mut export: EntryExport) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some(lines) = export.next().await.unwrap() {
        text.extend(lines);
    }
    assert_eq!(rows(&text).len() as u64, export.entries() + 1);
    text
}

async fn log(store: &Store, new: NewEntry) -> TimeEntry {
    store.insert_entry(new, soon()).await.unwrap().receipt.entry
}

async fn log_on(store: &Store, member: &Member, number: u128, date: NaiveDate) -> TimeEntry {
    let mut new = meeting(member, key(number), 30);
    new.fields.date = date;
    log(store, new).await
}

async fn every_entry_is_exported_once_over_many_pages(store: Store, _clock: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T2", "U1", Some(&berlin("Jonas"))).await;
    let jonas = jonas.unwrap();
    let mut expected = Vec::new();
    // A page of 1,000 that ends within a day, and one that ends with the entries.
    for number in 0..2_000_u64 {
        let date = day() - Days::new(number % 7);
        let entry = log_on(&store, &nina, u128::from(number), date).await;
        expected.push((entry.date, entry.id));
    }
    expected.sort();
    let mut expected: Vec<Uuid> = expected.into_iter().map(|(_, id)| id).collect();
    expected.push(log_on(&store, &jonas, 3_000, day()).await.id);
    let span = ExportSpan::default();
    let export = EntryExport::of_everybody(store.clone(), None, None, span);
    let ids = column(&rows(&exported(export).await), "id");
    let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(ids, expected);

    let export = EntryExport::of_everybody(store.clone(), Some("T2".to_owned()), None, span);
    let ids = column(&rows(&exported(export).await), "id");
    assert_eq!(ids, expected[2_000..]);
    let export = EntryExport::of_everybody(store, None, Some("U2".to_owned()), span);
    assert_eq!(rows(&exported(export).await).len(), 1, "the columns alone");
}

async fn an_export_is_of_its_days_and_its_person(store: Store, _clock: Clock) {
    let nina = nina(&store).await;
    let jonas = store.save_member("T1", "U2", Some(&berlin("Jonas"))).await;
    log_on(&store, &jonas.unwrap(), 1, day()).await;
    let mut entries = Vec::new();
    for number in 0..5_u64 {
        entries.push(
            log_on(
                &store,
                &nina,
                10 + u128::from(number),
                day() - Days::new(number),
            )
            .await,
        );
    }
    let deleted = &entries[2];
    let change = store.take_back(nina.user_id, deleted.id, deleted.version, None);
    change.await.unwrap();
    let of = async |from: Option<u64>, to: Option<u64>| {
        let day = |days: u64| day() - Days::new(days);
        let span = ExportSpan {
            from: from.map(day),
            to: to.map(day),
        };
        let export = EntryExport::of_member(store.clone(), &nina, span);
        column(&rows(&exported(export).await), "date")
    };
    let all = ["2026-11-16", "2026-11-17", "2026-11-19", "2026-11-20"];
    assert_eq!(of(None, None).await, all);
    assert_eq!(of(Some(3), Some(1)).await, all[1..3]);
    assert_eq!(of(Some(1), None).await, all[2..]);
    assert_eq!(of(None, Some(3)).await, all[..2]);
    assert_eq!(of(Some(0), Some(1)).await, [""; 0]);
}

async fn a_row_says_everything_and_nothing_that_runs(store: Store, _clock: Clock) {
    let nina = nina(&store).await;
    let project = NewProject {
        slug: "acme".to_owned(),
        name: "=Acme".to_owned(),
        client: Some(("tern".to_owned(), "Tern, \"Ltd\"".to_owned())),
        is_billable: true,
    };
    let project = store
        .create_project(nina.slack_integration_id, &project)
        .await;
    let ProjectChange::Done(project) = project.unwrap() else {
        panic!("it is made")
    };
    let mut new = meeting(&nina, key(1), 90);
    "@SUM(1+1)*cmd|' /C calc'!A0\nand more".clone_into(&mut new.fields.description);
    new.fields.span = Some((
        "2026-11-20T08:00:00Z".parse().unwrap(),
        "2026-11-20T09:30:00.25Z".parse().unwrap(),
    ));
    new.fields.project = Some(project.clone());
    new.fields.billable = true;
    new.fields.tags = vec!["design".to_owned(), "on-site".to_owned()];
    new.typed_text = Some("-1d 1h30 x".to_owned());
    new.permalink = Some("https://tern.slack.com/archives/C1/p1".to_owned());
    new.fields.is_timed = true;
    let entry = log(&store, new).await;
    let text = exported(EntryExport::of_member(store, &nina, ExportSpan::default())).await;
    let rows = rows(&text);
    let (id, project_id) = (entry.id.to_string(), project.id.to_string());
    let one = |name| column(&rows, name).remove(0);
    // What is added comes behind what was there before.
    assert_eq!(rows[0][21..], ["updated_at", "is_timed"]);
    for (name, value) in [
        ("id", &*id),
        ("date", "2026-11-20"),
        ("duration_minutes", "90"),
        ("started_at", "2026-11-20T08:00:00Z"),
        ("ended_at", "2026-11-20T09:30:00.250Z"),
        ("description", "'@SUM(1+1)*cmd|' /C calc'!A0\nand more"),
        ("project_id", &project_id),
        ("project", "'=Acme"),
        ("client", "Tern, \"Ltd\""),
        ("tags", "design on-site"),
        ("billable", "true"),
        ("status", "pending"),
        ("source", "slack"),
        ("source_event_id", ""),
        ("permalink", "https://tern.slack.com/archives/C1/p1"),
        ("typed_text", "'-1d 1h30 x"),
        ("person", "Nina Berg"),
        ("slack_user_id", "U1"),
        ("workspace_id", "T1"),
        ("is_timed", "true"),
    ] {
        assert_eq!(one(name), value, "{name}");
    }
    for name in ["client_id", "created_at", "updated_at"] {
        assert!(!one(name).is_empty(), "{name}");
    }
    assert!(text.ends_with(b"\r\n"), "lines end as RFC 4180 says");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_gives_the_callers_entries_as_a_file() {
    let bot = TestBot::start().await;
    bot.say("/time 2h: Meeting of Nina").await;
    bot.say("/time yesterday 45 min: Review").await;
    bot.say_as(JONAS, "/time 1h: Words of Jonas").await;
    let token = format!("Bearer {}", api_token(&bot, NINA).await);
    let mut program = Visitor::new(&bot);
    let mut get = async |query: &str, token: &str| {
        let url = program.at(&format!("/api/v1/time-entries/export{query}"));
        let headers = [("authorization", token), ("origin", "")];
        program.send(Method::GET, &url, None, &headers).await
    };
    let page = get("", &token).await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.headers["content-type"],
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        page.headers["content-disposition"],
        "attachment; filename=\"billops-entries.csv\""
    );
    let said = column(&rows(page.body.as_bytes()), "description");
    assert_eq!(said, ["Review", "Meeting of Nina"]);
    let page = get("?from=2026-11-20&to=2026-11-20", &token).await;
    let said = column(&rows(page.body.as_bytes()), "description");
    assert_eq!(said, ["Meeting of Nina"]);
    let page = get("?from=2026-12-01", &token).await;
    assert_eq!(rows(page.body.as_bytes()).len(), 1, "the columns alone");
    for query in ["?from=yesterday", "?to=2026-02-30", "?user_id=1", "?from="] {
        problem(&get(query, &token).await, "invalid");
    }
    assert_eq!(get("", "").await.status, 401);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_period_comes_as_a_file_in_the_direct_message() {
    let bot = TestBot::start().await;
    bot.say("/time 2h: Meeting").await;
    bot.say("/time 20 Oct 45 min: Review").await;
    bot.say_as(JONAS, "/time 20 Oct 1h: Words of Jonas").await;
    let said = bot.say("/time export last month").await;
    assert_eq!(
        said.text,
        "On its way to your direct messages: a CSV file of your entries from 2026-10-01 to 2026-10-31."
    );
    let arrived = |_: &Sandbox| bot.files(NINA).into_iter().next();
    let (name, file) = bot.slack.wait_for("the file", arrived).await.unwrap();
    assert_eq!(name, "billops-entries-2026-10-01-to-2026-10-31.csv");
    assert_eq!(column(&rows(&file), "description"), ["Review"]);
    assert_eq!(
        column(&rows(&file), "typed_text"),
        ["20 Oct 45 min: Review"]
    );

    let said = bot.say("/time export").await;
    assert_eq!(
        said.text,
        "On its way to your direct messages: a CSV file of your entries."
    );
    let arrived = |_: &Sandbox| bot.files(NINA).into_iter().nth(1);
    let (name, file) = bot.slack.wait_for("the file", arrived).await.unwrap();
    assert_eq!(name, "billops-entries-2026-11-20.csv");
    assert_eq!(column(&rows(&file), "description"), ["Review", "Meeting"]);
    assert!(bot.files(JONAS).is_empty());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_writes_to_the_output_or_to_a_whole_file() {
    let database = Database::on_disk();
    let (store, _clock) = database.open().await;
    let nina = nina(&store).await;
    let mut new = meeting(&nina, key(1), 30);
    new.fields.description = "Grüße".to_owned();
    log(&store, new).await;
    store.close().await;
    let folder = tempfile::tempdir().unwrap();
    let run = async |arguments: &[&str]| {
        let ended = Command::new(env!("CARGO_BIN_EXE_billops"))
            .arg("export")
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", &database.url)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        (ended.status.code(), ended.stdout, said)
    };
    let (code, text, said) = run(&[]).await;
    assert_eq!((code, &*said), (Some(0), ""));
    assert_eq!(column(&rows(&text), "description"), ["Grüße"]);
    let (code, text, _) = run(&["--from", "2026-11-21", "--workspace", "T1"]).await;
    assert_eq!((code, rows(&text).len()), (Some(0), 1));

    let (code, out, said) = run(&["--user", "U1", "--output", "all.csv"]).await;
    assert_eq!((code, out.len()), (Some(0), 0), "{said}");
    assert_eq!(said, "1 entry is in all.csv.\n");
    let written = std::fs::read(folder.path().join("all.csv")).unwrap();
    assert_eq!(column(&rows(&written), "description"), ["Grüße"]);
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "nothing is left beside it");

    let mut child = Command::new(env!("CARGO_BIN_EXE_billops"))
        .arg("export")
        .env_clear()
        .env("DATABASE_URL", &database.url)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(
        (ended.status.code(), &*said),
        (Some(0), ""),
        "nobody reads on"
    );

    for (arguments, problem) in [
        (&["--user", "U9"][..], "nobody by these ids"),
        (
            &["--from", "2026-11-20", "--to", "2026-11-19"],
            "--to 2026-11-19 is before --from 2026-11-20",
        ),
        (
            &["--output", "no/such/folder.csv"],
            "folder.csv cannot be written",
        ),
    ] {
        let (code, out, said) = run(arguments).await;
        assert_eq!((code, out.len()), (Some(1), 0), "{said}");
        assert!(said.contains(problem), "{said}");
    }
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_is_no_database_nothing_is_exported_and_none_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("absent.db");
    let whole = whole.to_str().unwrap();
    for (url, path) in [
        (Some(format!("sqlite://{whole}")), whole),
        (Some("sqlite://absent.db?mode=rwc".to_owned()), "absent.db"),
        (None, "billops.db"),
    ] {
        let ended = Command::new(env!("CARGO_BIN_EXE_billops"))
            .args(["export", "--output", "all.csv"])
            .env_clear()
            .envs(url.as_ref().map(|url| ("DATABASE_URL", url)))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{said}");
        let expected = format!("DATABASE_URL names the SQLite file {path}, and there is none");
        assert!(said.contains(&expected), "{said}");
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 0, "{url:?} made something");
    }
}
