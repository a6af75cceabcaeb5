//! “What BillOps knows about me”: shown, sent as a file, and deleted without a trace.

use billops::{
    sandbox::{Choice, NINA_EMAIL, NewEvent, Provider, Sandbox, View, When},
    slack::socket::Timings,
};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::{
    bot::{NINA, TestBot},
    databases::Database,
    visitor::connect,
};

const JONAS: &str = "jonas";

/// The tables in which any row says this anywhere, as text or as an id; looked at from outside, over every table
/// there is.
pub(crate) async fn tables_that_say(url: &str, needle: &str) -> Vec<String> {
    let mut found = Vec::new();
    if url.starts_with("postgres") {
        let mut database = PgConnection::connect(url).await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        for table in tables {
            let sql =
                format!("SELECT COUNT(*) FROM {table} t WHERE t::text ILIKE '%' || $1 || '%'");
            let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                .bind(needle)
                .fetch_one(&mut database)
                .await
                .unwrap();
            if rows > 0 {
                found.push(table);
            }
        }
        return found;
    }
    let mut database = SqliteConnection::connect(url).await.unwrap();
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    for (table, column) in columns {
        // An id is text in a payload and 16 bytes in a column of its own.
        let sql = format!(
            "SELECT COUNT(*) FROM {table} WHERE instr(lower(CAST({column} AS TEXT)), lower($1)) > 0 \
             OR instr(lower(hex({column})), lower($2)) > 0"
        );
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(needle)
            .bind(needle.replace('-', ""))
            .fetch_one(&mut database)
            .await
            .unwrap();
        if rows > 0 {
            found.push(format!("{table}.{column}"));
        }
    }
    found
}

fn on_top(slack: &Sandbox, person: &str, callback_id: &str) -> Option<View> {
    let top = slack.modals(person).pop()?;
    (top.callback_id() == callback_id).then_some(top)
}

fn text_of(view: &View) -> String {
    view.body.to_string()
}

impl TestBot {
    /// Opens Home and then the form.
    async fn open_own_data(&self, person: &str) -> View {
        self.slack.open_home(person).await.unwrap();
        let home = |slack: &Sandbox| {
            let home = slack.home(person)?;
            text_of(&home).contains("data.open").then_some(home)
        };
        let home = self.slack.wait_for("Home", home).await.unwrap();
        self.slack.click(person, &home, "data.open").await.unwrap();
        let form = |slack: &Sandbox| on_top(slack, person, "data.shown");
        self.slack.wait_for("the form", form).await.unwrap()
    }

    async fn ask_to_delete(&self, person: &str, form: &View) -> View {
        self.slack.click(person, form, "data.delete").await.unwrap();
        let form = |slack: &Sandbox| on_top(slack, person, "data.delete_confirmed");
        self.slack.wait_for("the second form", form).await.unwrap()
    }

    /// Has the export sent, and reads it.
    async fn exported(&self, person: &str, form: &View) -> (String, Value) {
        let before = self.files(person).len();
        self.slack.click(person, form, "data.export").await.unwrap();
        let arrived = |_: &Sandbox| self.files(person).into_iter().nth(before);
        let (name, bytes) = self.slack.wait_for("the file", arrived).await.unwrap();
        assert!(name.starts_with("billops-") && name.strip_suffix(".json").is_some());
        let text = String::from_utf8(bytes).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        (text, json)
    }

    pub(crate) fn files(&self, person: &str) -> Vec<(String, Vec<u8>)> {
        let messages = self.slack.world(|world| {
            let dm = world.person(person).unwrap().dm();
            world.channel(&dm).map(|channel| {
                let files = channel.messages.iter().flat_map(|message| &message.files);
                files
                    .map(|file| (file.name.clone(), file.bytes.clone()))
                    .collect()
            })
        });
        messages.unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_export_holds_everything_of_the_person_and_of_nobody_else() {
    let bot = TestBot::start().await;
    let card = bot.say("/time 2h: Secret plan").await;
    bot.click(&card, "entry.undo").await;
    bot.say("/time 30m: Own words").await;
    bot.say("/time start Own timer").await;
    bot.say_as(JONAS, "/time 1h: Words of Jonas").await;
    let start = "2026-11-20T09:00:00Z".parse().unwrap();
    let meeting = NewEvent::new("Own meeting", When::from(start, 30));
    bot.slack
        .provider(Provider::Google, |google| {
            google.add_event(NINA_EMAIL, "Nina Berg", meeting)
        })
        .unwrap();
    connect(&bot, "google").await;

    let form = bot.open_own_data(NINA).await;
    assert!(text_of(&form).contains("1 entry since Fri 20 Nov, with the text you typed."));
    assert!(text_of(&form).contains("1 connected, read-only."));
    let (text, export) = bot.exported(NINA, &form).await;
    let entries = export["time_entries"].as_array().unwrap();
    let words: Vec<_> = entries
        .iter()
        .map(|e| e["description"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["Own words", "Secret plan"], "deleted ones as well");
    assert!(entries[0]["deleted_at"].is_null() && entries[1]["deleted_at"].is_string());
    assert_eq!(export["records"]["profile"]["slack_user_id"], "U07NINA001");
    assert_eq!(export["records"]["timers"][0]["description"], "Own timer");
    assert_eq!(export["records"]["connections"][0]["provider"], "google");
    assert_eq!(export["calendar_events"][0]["title"], "Own meeting");
    let audited = export["records"]["audit_records"].as_array().unwrap();
    assert_eq!(audited.len(), 1, "{audited:?}");
    assert_eq!(audited[0]["subject"], "calendar");
    assert!(!text.contains("Jonas") && !text.contains("U07JONAS"));
    for secret in ["token\":", "refresh", "access_", "v1.", "hash"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let said = |slack: &Sandbox| {
        let form = on_top(slack, NINA, "data.shown")?;
        text_of(&form)
            .contains("On its way to your direct messages.")
            .then_some(())
    };
    bot.slack.wait_for("the answer", said).await.unwrap();
    assert_eq!(bot.files(NINA).len(), 1, "one request is one file");
    assert!(bot.files(JONAS).is_empty());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_deleted_only_after_the_word_and_then_without_a_trace() {
    let bot = TestBot::on(Database::on_disk(), Timings::default(), |options| options).await;
    let url = bot.database.url.clone();
    bot.say("/time 2h: Nina wrote this").await;
    bot.say("/time start Nina times this").await;
    bot.say_as(JONAS, "/time 1h: Words of Jonas").await;
    connect(&bot, "google").await;
    let member = bot.bot.store().member("T07TERN001", "U07NINA001").await;
    let member = member.unwrap().unwrap();

    let form = bot.open_own_data(NINA).await;
    let form = bot.ask_to_delete(NINA, &form).await;
    assert!(text_of(&form).contains("1 time entry, 2 h, since Fri 20 Nov"));
    let wrong = [("confirmation", Choice::Text("yes".to_owned()))];
    let answer = bot.slack.submit(NINA, &form, &wrong).await.unwrap();
    assert_eq!(
        answer.errors["confirmation"],
        "Type delete to go on, or press Keep my data."
    );
    assert!(!answer.closed);
    assert!(
        !tables_that_say(&url, &member.user_id.to_string())
            .await
            .is_empty()
    );

    // The form is Nina's: it is on nobody else's screen, and nobody else's word counts in it.
    let word = [("confirmation", Choice::Text(" Delete ".to_owned()))];
    assert!(bot.slack.submit(JONAS, &form, &word).await.is_err());

    let answer = bot.slack.submit(NINA, &form, &word).await.unwrap();
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    assert!(bot.slack.modals(NINA).is_empty(), "both forms close");
    let told = |slack: &Sandbox| {
        let mut messages = slack.unread(NINA).into_iter();
        messages.find(|message| message.text.starts_with("Everything about you"))
    };
    let told = bot.slack.wait_for("the message", told).await.unwrap();
    assert_eq!(
        told.text,
        "Everything about you in this workspace is deleted: 1 entry, 1 calendar connection, preferences, rules, \
         tokens. BillOps starts from zero if you use it again."
    );
    let emptied = |slack: &Sandbox| {
        let home = slack.home(NINA)?;
        (!text_of(&home).contains("Nina")).then_some(())
    };
    bot.slack.wait_for("an empty Home", emptied).await.unwrap();
    for needle in [
        member.user_id.to_string(),
        member.binding_id.to_string(),
        "U07NINA001".to_owned(),
        "Nina".to_owned(),
        NINA_EMAIL.to_owned(),
    ] {
        let none: Vec<String> = Vec::new();
        assert_eq!(tables_that_say(&url, &needle).await, none, "{needle}");
    }
    // Jonas has what he had.
    assert_eq!(bot.database.descriptions().await, ["Words of Jonas"]);

    // Whoever comes back starts from zero.
    let card = bot.say("/time 30m: Back again").await;
    assert!(card.text.contains("Today: 30 min of 8 h"), "{}", card.text);
    let form = bot.open_own_data(NINA).await;
    assert!(text_of(&form).contains("Your calendars*\\nNothing yet."));
    let (_, export) = bot.exported(NINA, &form).await;
    assert_eq!(export["time_entries"].as_array().unwrap().len(), 1);
    bot.finish().await;
}
