//! The workspaces as the page shows them: who and what is in one, where the app is installed, and removing it.

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    install::Removal,
    locked,
    openid::workspace_of,
    page_events::Shown,
    world::{ChannelKind, World},
};

impl Sandbox {
    /// The workspace of whoever a request of the page is for. Somebody who is in none is not found in the first one,
    /// either, which is then what the page is told.
    pub(super) fn workspace_with(&self, person: &str) -> Self {
        workspace_of(self, person).unwrap_or_else(|| self.clone())
    }

    /// By the team's id, whether the app is installed there.
    pub(super) fn installed(&self) -> Map<String, Value> {
        self.everywhere()
            .map(|one| (one.here().team.clone(), json!(one.is_installed())))
            .collect()
    }

    /// Tells every page, as each offers the way to the others.
    pub(super) fn show_installed(&self) {
        for workspace in &self.slack.workspaces {
            let shown = || Shown::Installed(self.installed());
            workspace.page.show(shown);
        }
        self.slack.changed.notify_waiters();
    }
}

fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter_map(|word| word.chars().next())
        .take(2)
        .collect()
}

#[derive(Deserialize)]
pub(super) struct Viewer {
    /// Whoever looks; without it, somebody in the first workspace.
    #[serde(default)]
    user: String,
}

/// Everything that does not change while the page shows one workspace, and where the app is installed.
pub(super) async fn world(
    State(sandbox): State<Sandbox>,
    Query(viewer): Query<Viewer>,
) -> Json<Value> {
    let manifest = &sandbox.slack.options.manifest;
    let commands: Vec<Value> = manifest
        .commands
        .iter()
        .map(|command| {
            json!({"command": command.command, "description": command.description,
                "usage_hint": command.usage_hint})
        })
        .collect();
    let shortcuts: Vec<Value> = manifest
        .shortcuts
        .iter()
        .map(|shortcut| {
            json!({"callback_id": shortcut.callback_id, "name": shortcut.name,
                "type": if shortcut.on_message { "message" } else { "global" }})
        })
        .collect();
    let workspaces: Vec<Value> = sandbox
        .everywhere()
        .map(|one| one.world(workspace_json))
        .collect();
    let bot = locked(&sandbox.slack.bot_url).clone();
    let install_url = bot.map(|bot| format!("{bot}/api/v1/integrations/slack/install"));
    let answer = sandbox.workspace_with(&viewer.user).world(|world| {
        json!({
            "team": {"id": world.team.id, "name": world.team.name, "domain": world.team.domain},
            "people": people_json(world),
            "channels": channels_json(world),
            "app": {"id": world.app.id, "name": world.app.name,
                "bot_user_id": world.app.user_id, "home_enabled": manifest.home_tab,
                "shortcuts": shortcuts},
            "commands": commands,
            "workspaces": workspaces,
            "installed": sandbox.installed(),
            "install_url": install_url,
            "now_ms": sandbox.now().timestamp_millis(),
        })
    });
    Json(answer)
}

/// A workspace by its name, and whom the page shows first there.
fn workspace_json(world: &World) -> Value {
    let first = world.people().first();
    json!({"id": world.team.id, "name": world.team.name, "initials": initials(&world.team.name),
        "first_person": first.map(|person| &person.id)})
}

fn people_json(world: &World) -> Vec<Value> {
    world
        .people()
        .iter()
        .map(|person| {
            json!({"id": person.id, "name": person.name, "real_name": person.real_name,
                "title": person.title, "tz": person.tz.name(), "is_admin": person.is_admin,
                "initials": initials(&person.real_name), "color": format!("#{}", person.color),
                "dm": person.dm()})
        })
        .collect()
}

fn channels_json(world: &World) -> Vec<Value> {
    world
        .channels()
        .iter()
        .filter(|channel| !matches!(channel.kind, ChannelKind::Direct(_)))
        .map(|channel| {
            json!({"id": channel.id, "name": channel.name, "topic": channel.topic,
                "is_private": channel.kind == ChannelKind::Private})
        })
        .collect()
}

#[derive(Deserialize)]
pub(super) struct Remove {
    user: String,
}

/// An admin removes the app from their workspace.
pub(super) async fn remove(
    State(sandbox): State<Sandbox>,
    Json(asked): Json<Remove>,
) -> Json<Value> {
    let here = sandbox.workspace_with(&asked.user);
    let is_admin = here.world(|world| {
        let person = world.person(&asked.user);
        person.is_some_and(|person| person.is_admin)
    });
    if !is_admin {
        return Json(json!({"ok": false, "error": "not_admin"}));
    }
    if here.is_installed() {
        here.uninstall(Removal::UninstalledFirst).await;
    }
    Json(json!({"ok": true}))
}
