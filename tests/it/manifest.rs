//! manifest.yml: valid by Slack's own schema, and asking for exactly what the code uses.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use billops::{
    manifest::{self, MANIFEST},
    sandbox::{Manifest, Options, Sandbox},
};
use serde_json::{Map, Value, json};
use yaml_rust2::{Yaml, YamlLoader};

use crate::{
    bot::{NINA, TestBot},
    databases::Database,
};

/// The scope of the bot's token that each method of the Web API needs, by its page under
/// <https://docs.slack.dev/reference/methods>; `None` for those that need none.
const METHODS: [(&str, Option<&str>); 20] = [
    ("apps.connections.open", None),
    ("apps.uninstall", None),
    ("auth.revoke", None),
    ("auth.teams.list", None),
    ("auth.test", None),
    ("chat.postEphemeral", Some("chat:write")),
    ("chat.postMessage", Some("chat:write")),
    ("chat.update", Some("chat:write")),
    ("conversations.history", Some("im:history")),
    ("conversations.open", Some("im:write")),
    ("files.completeUploadExternal", Some("files:write")),
    ("files.getUploadURLExternal", Some("files:write")),
    ("oauth.v2.access", None),
    ("oauth.v2.exchange", None),
    ("openid.connect.token", None),
    ("users.info", Some("users:read")),
    ("views.open", None),
    ("views.publish", None),
    ("views.push", None),
    ("views.update", None),
];

/// What the methods of the Web API begin with, by <https://docs.slack.dev/reference/methods>.
const FAMILIES: [&str; 36] = [
    "admin",
    "api",
    "apps",
    "assistant",
    "auth",
    "bookmarks",
    "bots",
    "calls",
    "canvases",
    "chat",
    "conversations",
    "dialog",
    "dnd",
    "emoji",
    "files",
    "functions",
    "groups",
    "im",
    "migration",
    "mpim",
    "oauth",
    "openid",
    "pins",
    "reactions",
    "reminders",
    "rtm",
    "search",
    "slackLists",
    "stars",
    "team",
    "tooling",
    "usergroups",
    "users",
    "views",
    "workflows",
    "entity",
];

/// The scope that each event needs, by its page under <https://docs.slack.dev/reference/events>.
const EVENTS: [(&str, Option<&str>); 4] = [
    ("app_home_opened", None),
    ("app_uninstalled", None),
    ("tokens_revoked", None),
    ("user_change", Some("users:read")),
];

fn json_of(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Hash(pairs) => pairs
            .iter()
            .map(|(key, value)| (key.as_str().unwrap().to_owned(), json_of(value)))
            .collect::<Map<_, _>>()
            .into(),
        Yaml::Array(items) => items.iter().map(json_of).collect(),
        Yaml::String(text) => json!(text),
        Yaml::Integer(number) => json!(number),
        Yaml::Boolean(is_it) => json!(is_it),
        other => panic!("a manifest holds no {other:?}"),
    }
}

fn read(text: &str) -> Value {
    json_of(&YamlLoader::load_from_str(text).unwrap()[0])
}

/// What Slack's schema has to say against it.
fn problems(manifest: &Value) -> Vec<String> {
    let schema: Value =
        serde_json::from_str(include_str!("../data/slack/manifest.schema.json")).unwrap();
    let first = json!({
        "$schema": schema["$schema"], "$ref": "#/definitions/v1", "definitions": schema["definitions"],
    });
    let validator = jsonschema::draft7::new(&first).unwrap();
    let found = validator.iter_errors(manifest);
    found
        .map(|one| format!("{}: {one}", one.instance_path()))
        .collect()
}

fn listed(list: &Value) -> BTreeSet<String> {
    let items = list.as_array().unwrap().iter();
    items.map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// The source text of what talks to Slack.
fn sources() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/slack")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let openid = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/calendar/openid.rs");
    found.push(std::fs::read_to_string(openid).unwrap());
    found
}

/// Every string of the source that is named as a method of the Web API is.
fn methods() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in sources() {
        for literal in text.split('"') {
            let is_name = literal
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '.');
            let family = literal.split_once('.').map(|(family, _)| family);
            if is_name && family.is_some_and(|family| FAMILIES.contains(&family)) {
                found.insert(literal.to_owned());
            }
        }
    }
    found
}

/// The events that the door does something with: the arms of the one match over an event's kind.
fn handled() -> BTreeSet<String> {
    let door = include_str!("../../src/slack/mod.rs");
    let (_, rest) = door.split_once("match (&*callback.event.kind").unwrap();
    let (arms, _) = rest.split_once("(kind, _) =>").unwrap();
    let arms = arms
        .lines()
        .filter_map(|line| line.trim().strip_prefix("(\""));
    arms.map(|arm| arm.split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
fn each_manifest_is_valid_by_slacks_own_schema() {
    let url = "https://time.example.com/".parse().unwrap();
    let texts = [
        MANIFEST.to_owned(),
        manifest::for_server(Some(&url)),
        manifest::for_http(&url),
    ];
    for text in texts {
        let manifest = read(&text);
        assert_eq!(problems(&manifest), [""; 0], "{text}");
        // The schema is one that refuses.
        let mut wrong = manifest.clone();
        wrong["features"]["slash_commands"][0]["command"] = json!(7);
        assert!(!problems(&wrong).is_empty());
        let mut wrong = manifest;
        wrong["settings"]["event_subscriptions"]["bot_events"] = json!("app_home_opened");
        assert!(!problems(&wrong).is_empty());
    }
}

#[test]
fn for_http_slack_is_told_where_everything_goes() {
    let manifest = read(&manifest::for_http(
        &"https://time.example.com".parse().unwrap(),
    ));
    let base = "https://time.example.com/api/v1";
    let settings = &manifest["settings"];
    assert_eq!(settings["socket_mode_enabled"], false);
    let at = |path: &str| json!(format!("{base}{path}"));
    let interactions = at("/integrations/slack/interactions");
    assert_eq!(
        settings["event_subscriptions"]["request_url"],
        at("/integrations/slack/events")
    );
    assert_eq!(settings["interactivity"]["request_url"], interactions);
    assert_eq!(
        settings["interactivity"]["message_menu_options_url"],
        interactions
    );
    let command = &manifest["features"]["slash_commands"][0];
    assert_eq!(command["url"], at("/integrations/slack/commands/time"));
    assert_eq!(
        manifest["oauth_config"]["redirect_urls"],
        json!([
            at("/integrations/slack/callback"),
            at("/auth/slack/callback")
        ])
    );
    // Nothing else differs.
    let mut same = manifest;
    let mut original = read(MANIFEST);
    for one in [&mut same, &mut original] {
        one["settings"] = json!(null);
        one["oauth_config"]
            .as_object_mut()
            .unwrap()
            .remove("redirect_urls");
        one["features"]["slash_commands"][0]
            .as_object_mut()
            .unwrap()
            .remove("url");
    }
    assert_eq!(same, original);
}

#[test]
fn every_method_and_event_is_covered_and_nothing_is_asked_for_without_use() {
    let table: BTreeMap<_, _> = METHODS.into_iter().collect();
    let manifest = read(MANIFEST);
    let scopes = listed(&manifest["oauth_config"]["scopes"]["bot"]);
    let events = listed(&manifest["settings"]["event_subscriptions"]["bot_events"]);
    // `/time` and the shortcuts.
    let mut used: BTreeSet<String> = ["commands".to_owned()].into();
    let methods = methods();
    assert!(methods.len() > 12, "{methods:?}");
    for method in &methods {
        let scope = table
            .get(method.as_str())
            .unwrap_or_else(|| panic!("{method}: which scope does it need? Add it to METHODS."));
        used.extend(scope.map(str::to_owned));
    }
    let handled = handled();
    assert!(handled.contains("app_home_opened"), "{handled:?}");
    let subscribed: BTreeSet<String> = events.iter().cloned().collect();
    assert_eq!(
        handled, subscribed,
        "what is handled, and what is subscribed to"
    );
    for event in &events {
        let (_, scope) = EVENTS
            .into_iter()
            .find(|(known, _)| known == event)
            .unwrap_or_else(|| panic!("{event}: which scope does it need? Add it to EVENTS."));
        used.extend(scope.map(str::to_owned));
    }
    assert_eq!(used, scopes, "what is used, and what manifest.yml asks for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_reads_which_permissions_the_installed_app_lacks() {
    let mut granted = Manifest::parse(MANIFEST).unwrap();
    granted.scopes.retain(|scope| scope != "files:write");
    let with = |options| Options {
        manifest: granted,
        ..options
    };
    let timings = billops::slack::socket::Timings::default();
    let bot = TestBot::on(Database::in_memory(), timings, with).await;
    let home = bot.home_of(NINA, "One permission is missing").await;
    let shown = Value::from(home.blocks().to_vec()).to_string();
    assert!(shown.contains("`files:write`"), "{shown}");
    assert!(
        shown.contains("/api/v1/integrations/slack/install"),
        "{shown}"
    );
    bot.slack.open_home("jonas").await.unwrap();
    let drawn = |slack: &Sandbox| slack.home("jonas");
    let home = bot.slack.wait_for("Jonas' Home tab", drawn).await.unwrap();
    let shown = Value::from(home.blocks().to_vec()).to_string();
    assert!(!shown.contains("files:write"), "{shown}");
    bot.finish().await;
}
