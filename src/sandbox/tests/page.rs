//! What the page in the browser gets, and who does not.

use super::*;
use crate::sandbox::{ADA, FERN, NINA};

async fn post(sandbox: &Sandbox, path: &str, body: Value) -> Value {
    let url = format!("{}/page/{path}", sandbox.url());
    http()
        .post(url)
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

/// The stream of events of one open page.
struct Page {
    stream: reqwest::Response,
    text: String,
}

impl Page {
    async fn open(sandbox: &Sandbox, user: &str) -> Self {
        let url = format!("{}/page/events?user={user}", sandbox.url());
        let stream = http().get(url).send().await.unwrap();
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        Self {
            stream,
            text: String::new(),
        }
    }

    async fn event(&mut self) -> (String, Value) {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default().trim().to_owned()
                };
                if !field("data:").is_empty() {
                    return (
                        field("event:"),
                        serde_json::from_str(&field("data:")).unwrap(),
                    );
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(5), self.stream.chunk());
            let bytes = chunk.await.expect("an event in time").unwrap().unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The next event of that name.
    async fn next(&mut self, name: &str) -> Value {
        loop {
            let (event, data) = self.event().await;
            if event == name {
                return data;
            }
        }
    }
}

#[tokio::test]
async fn the_page_and_its_files_are_in_the_binary() {
    let sandbox = start().await;
    let get = async |path: &str| {
        http()
            .get(format!("{}{path}", sandbox.url()))
            .send()
            .await
            .unwrap()
    };
    let index = get("/").await;
    assert_eq!(index.headers()["content-type"], "text/html; charset=utf-8");
    let html = index.text().await.unwrap();
    for path in ["/page/app.js", "/page/style.css"] {
        assert!(html.contains(path));
        assert_eq!(get(path).await.status(), 200);
    }
    assert_eq!(get("/page/none.js").await.status(), 404);
}

#[test]
fn every_file_of_the_page_is_embedded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sandbox/page");
    let embedded = crate::sandbox::page::names();
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let web = ["html", "js", "css", "svg"]
            .iter()
            .any(|kind| name.ends_with(kind));
        assert!(
            !web || name == "index.html" || embedded.contains(&name.as_str()),
            "{name}"
        );
    }
}

#[tokio::test]
async fn other_websites_are_refused() {
    let sandbox = start().await;
    let world = || http().get(format!("{}/page/world", sandbox.url()));
    assert_eq!(world().send().await.unwrap().status(), 200);
    assert_eq!(
        world()
            .header("origin", sandbox.url())
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("host", "evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let status = world().header(name, value).send().await.unwrap().status();
        assert_eq!(status, 403, "{name}: {value}");
    }
    let say = format!("{}/page/say", sandbox.url());
    let body = json!({"user": NINA, "channel": "C07ACME001", "text": "hi"}).to_string();
    let form = http()
        .post(say)
        .header("content-type", "text/plain")
        .body(body);
    assert_eq!(
        form.send().await.unwrap().status(),
        415,
        "what a form can send is not taken"
    );
}

#[tokio::test]
async fn the_world_has_what_the_page_needs() {
    let sandbox = start().await;
    let url = format!("{}/page/world", sandbox.url());
    let world: Value = http().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(world["team"]["name"], "Tern Studio");
    let nina = &world["people"][0];
    assert_eq!(
        (&nina["id"], &nina["initials"], &nina["dm"]),
        (&json!(NINA), &json!("NB"), &json!("D07NINA001"))
    );
    assert_eq!(
        world["channels"].as_array().unwrap().len(),
        3,
        "direct messages are not channels"
    );
    assert_eq!(world["app"]["home_enabled"], true);
    assert_eq!(world["commands"][0]["command"], "/time");
    assert_eq!(world["app"]["shortcuts"][0]["type"], "global");
}

#[tokio::test]
async fn the_stream_shows_what_this_person_sees() {
    let sandbox = start().await;
    let mut nina = Page::open(&sandbox, NINA).await;
    let mut jonas = Page::open(&sandbox, "U07JONAS02").await;
    let (name, snapshot) = nina.event().await;
    assert_eq!(name, "snapshot");
    assert_eq!(snapshot["home"], Value::Null);
    assert_eq!(snapshot["bot"]["connections"], 0);
    let conversations = snapshot["conversations"].as_object().unwrap();
    assert!(conversations.contains_key("D07NINA001") && !conversations.contains_key("D07JONAS02"));
    jonas.next("snapshot").await;

    let view = home();
    Bot::connect(&sandbox)
        .await
        .answering(|envelope| (envelope["type"] == "slash_commands").then(card));
    assert_eq!(nina.next("bot").await["connections"], 1);
    let said = json!({"user": NINA, "channel": "C07ACME001", "text": "/time 2h: x"});
    assert_eq!(post(&sandbox, "say", said).await, json!({"ok": true}));
    let shown = nina.next("message").await;
    assert_eq!(shown["channel"], "C07ACME001");
    let message = &shown["message"];
    assert_eq!(
        (&message["ephemeral"], &message["bot"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(message["typed"], "/time 2h: x");

    call(
        &sandbox,
        "views.publish",
        json!({"user_id": NINA, "view": view}),
    )
    .await;
    assert_eq!(nina.next("home").await["view"]["type"], "home");
    let all = json!({"channel": "C07ACME001", "text": "for all"});
    let posted = call(&sandbox, "chat.postMessage", all).await;
    let seen = loop {
        match jonas.event().await {
            (name, seen) if name == "message" => break seen,
            (name, _) => assert!(
                ["bot", "traffic"].contains(&name.as_str()),
                "{name} is hers"
            ),
        }
    };
    assert_eq!(
        seen["message"]["text"], "for all",
        "the ephemeral one was not his"
    );
    let change = json!({"channel": "C07ACME001", "ts": posted["ts"], "text": "changed"});
    call(&sandbox, "chat.update", change).await;
    assert_eq!(
        jonas.next("message_changed").await["message"]["edited"],
        true
    );
    let gone = json!({"channel": "C07ACME001", "ts": posted["ts"]});
    call(&sandbox, "chat.delete", gone).await;
    assert_eq!(jonas.next("message_deleted").await["ts"], posted["ts"]);
}

#[tokio::test]
async fn what_went_wrong_is_told_to_the_page() {
    let sandbox = start().await;
    let say = |text: &str| json!({"user": NINA, "channel": "C07ACME001", "text": text});
    let answer = post(&sandbox, "say", say("/time 2h")).await;
    assert_eq!(answer, json!({"ok": false, "error": "dispatch_failed"}));
    // Slack says this in the conversation itself, and it is not the app's failure.
    assert_eq!(
        post(&sandbox, "say", say("/tiem 2h")).await,
        json!({"ok": true})
    );
}

#[tokio::test]
async fn traffic_is_shown_without_tokens() {
    let sandbox = start().await;
    let mut page = Page::open(&sandbox, NINA).await;
    let ask = http().post(format!("{}/users.info", sandbox.api_url()));
    let fields = [("token", sandbox.bot_token()), ("user", NINA)];
    form(ask, &fields).send().await.unwrap();
    let entry = page.next("traffic").await["entry"].clone();
    assert_eq!(entry["title"], "users.info");
    assert_eq!(
        (&entry["kind"], &entry["direction"]),
        (&json!("web_api"), &json!("from_bot"))
    );
    assert_eq!(entry["body"]["token"], "[redacted]");
    let _bot = with_bot(|_| None).await;
    let snapshot = Page::open(&sandbox, NINA).await.next("snapshot").await;
    assert_eq!(snapshot["traffic"][0], entry);
}

#[tokio::test]
async fn the_page_acts_for_the_person() {
    let sandbox = start().await;
    let mut bot = Bot::connect(&sandbox).await;
    let (tab, _) = envelope_of(
        &mut bot,
        post(&sandbox, "home", json!({"user": NINA, "tab": "home"})),
    )
    .await;
    assert_eq!(tab["payload"]["event"]["tab"], "home");
    call(
        &sandbox,
        "views.publish",
        json!({"user_id": NINA, "view": home()}),
    )
    .await;
    let view = sandbox.home("nina").unwrap();
    let press = json!({"user": NINA, "container": {"type": "view", "view_id": view.id},
        "block_id": "today.actions", "action_id": "entry.new", "value": "ignored", "state": {}});
    let (press, answer) = envelope_of(&mut bot, post(&sandbox, "action", press)).await;
    assert_eq!(answer, json!({"ok": true}));
    assert_eq!(
        press["payload"]["actions"][0]["value"], "e:1",
        "the button's own value"
    );

    let mut page = Page::open(&sandbox, NINA).await;
    let body = json!({"trigger_id": press["payload"]["trigger_id"], "view": modal("Log time")});
    let opened = call(&sandbox, "views.open", body).await;
    let views = page.next("modals").await["views"].clone();
    assert_eq!(views[0]["id"], opened["view"]["id"]);
    let container = json!({"type": "view", "view_id": opened["view"]["id"]});

    let ask = json!({"user": NINA, "container": container, "block_id": "project",
        "action_id": "value", "value": "a"});
    let ((), options) = tokio::join!(
        async {
            let envelope = bot.frame().await;
            bot.ack(
                &envelope,
                Some(fixture("docs_socket_block_suggestion_ack")["payload"].clone()),
            )
            .await;
        },
        post(&sandbox, "suggest", ask)
    );
    assert_eq!(options["options"].as_array().unwrap().len(), 2);

    let typed = json!({"type": "plain_text_input", "value": "2x"});
    let state = json!({"values": {"time": {"value": typed.clone()}}});
    let submit = json!({"user": NINA, "view_id": opened["view"]["id"], "state": state});
    let (sent, answer) = tokio::join!(
        async {
            let envelope = bot.frame().await;
            let errors = json!({"response_action": "errors", "errors": {"time": "No unit."}});
            bot.ack(&envelope, Some(errors)).await;
            envelope["payload"].clone()
        },
        post(&sandbox, "submit", submit)
    );
    assert_eq!(sent["view"]["state"]["values"]["time"]["value"], typed);
    assert_eq!(answer, json!({"ok": true, "errors": {"time": "No unit."}}));
    let close = json!({"user": NINA, "view_id": opened["view"]["id"]});
    assert_eq!(post(&sandbox, "close", close).await, json!({"ok": true}));
    assert_eq!(page.next("modals").await["views"], json!([]));

    let run = json!({"user": NINA, "callback_id": "entry.new"});
    let (sent, answer) = envelope_of(&mut bot, post(&sandbox, "shortcut", run)).await;
    assert_eq!(
        (&sent["payload"]["type"], &answer["ok"]),
        (&json!("shortcut"), &json!(true))
    );
    let unknown = json!({"user": NINA, "callback_id": "nothing"});
    assert_eq!(post(&sandbox, "shortcut", unknown).await["ok"], false);
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test]
async fn a_person_is_shown_their_own_workspace() {
    let sandbox = start().await;
    let world = async |user: &str| -> Value {
        let url = format!("{}/page/world?user={user}", sandbox.url());
        http().get(url).send().await.unwrap().json().await.unwrap()
    };
    let ada = world(ADA).await;
    assert_eq!(ada["team"]["name"], "Fern Garden");
    assert_eq!(ada["people"][0]["id"], ADA);
    assert_eq!(ada["installed"], json!({"T07TERN001": true, FERN: false}));
    assert_eq!(ada["workspaces"][1]["first_person"], ADA);
    assert_eq!(
        ada["install_url"],
        Value::Null,
        "no bot has said where it is"
    );
    assert_eq!(world("U0NOBODY").await["team"]["name"], "Tern Studio");
    sandbox.settings("127.0.0.1:8000".parse().unwrap(), "sqlite::memory:");
    let install = "http://127.0.0.1:8000/api/v1/integrations/slack/install";
    assert_eq!(world(ADA).await["install_url"], install);

    let mut page = Page::open(&sandbox, ADA).await;
    let snapshot = page.next("snapshot").await;
    let conversations = snapshot["conversations"].as_object().unwrap();
    let known: Vec<&String> = conversations.keys().collect();
    assert_eq!(known, ["C08GENERAL", "C08PONDS01", "D08ADA0001"]);
    let said = json!({"user": ADA, "channel": "C08PONDS01", "text": "Good morning"});
    assert_eq!(post(&sandbox, "say", said).await["ok"], true);
    let shown = page.next("message").await;
    assert_eq!(shown["message"]["text"], "Good morning");
    let elsewhere = json!({"user": ADA, "channel": "C07GENERAL", "text": "x"});
    assert_eq!(post(&sandbox, "say", elsewhere).await["ok"], false);
}

#[tokio::test]
async fn an_admin_removes_the_app_and_every_page_hears_it() {
    let sandbox = start().await;
    let mut here = Page::open(&sandbox, NINA).await;
    let mut there = Page::open(&sandbox, ADA).await;
    let remove = async |user: &str| post(&sandbox, "remove", json!({ "user": user })).await;
    let refused = json!({"ok": false, "error": "not_admin"});
    for user in ["U07JONAS02", "U0NOBODY"] {
        assert_eq!(remove(user).await, refused);
    }
    // Where it is not, there is nothing to remove.
    assert_eq!(remove(ADA).await, json!({"ok": true}));
    assert!(sandbox.is_installed());
    assert_eq!(remove(NINA).await, json!({"ok": true}));
    for page in [&mut here, &mut there] {
        let told = page.next("installed").await["installed"].clone();
        assert_eq!(told, json!({"T07TERN001": false, FERN: false}));
    }
    let said = call(&sandbox, "auth.test", json!({})).await;
    assert_eq!(said["error"], "account_inactive");
}
