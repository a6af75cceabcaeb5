//! What the app manifest grants and announces: scopes, commands, shortcuts, events, the Home tab.

use yaml_rust2::{Yaml, YamlLoader};

/// A slash command as the manifest announces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// With its slash: `/time`.
    pub command: String,
    /// One line for the list of commands.
    pub description: String,
    /// What follows the command, in brackets.
    pub usage_hint: String,
    /// Whether mentions arrive as `<@U…>` and `<#C…|name>`.
    pub should_escape: bool,
}

/// A global or message shortcut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortcut {
    /// What the bot tells it by.
    pub callback_id: String,
    /// What people see in the menu.
    pub name: String,
    /// A message shortcut, not a global one.
    pub on_message: bool,
}

/// The part of an app manifest that changes what Slack lets the app do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The app's name, and the name its messages stand under.
    pub name: String,
    /// Scopes of the bot token.
    pub scopes: Vec<String>,
    /// Slash commands.
    pub commands: Vec<Command>,
    /// Shortcuts.
    pub shortcuts: Vec<Shortcut>,
    /// Events that are sent. `None`: all of them.
    pub events: Option<Vec<String>>,
    /// Whether a Home view can be published.
    pub home_tab: bool,
}

impl Default for Manifest {
    /// An app with `/time`, the Home tab and the scopes these need.
    fn default() -> Self {
        Self {
            name: "BillOps".to_owned(),
            scopes: [
                "commands",
                "chat:write",
                "im:history",
                "im:write",
                "users:read",
            ]
            .map(str::to_owned)
            .to_vec(),
            commands: vec![Command {
                command: "/time".to_owned(),
                description: "Log time, or start a timer".to_owned(),
                usage_hint: "[2h acme review | start | stop | today | help]".to_owned(),
                should_escape: false,
            }],
            shortcuts: vec![
                Shortcut {
                    callback_id: "entry.new".to_owned(),
                    name: "Log time".to_owned(),
                    on_message: false,
                },
                Shortcut {
                    callback_id: "entry.from_message".to_owned(),
                    name: "Log time on this".to_owned(),
                    on_message: true,
                },
            ],
            events: None,
            home_tab: true,
        }
    }
}

/// The manifest could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the app manifest cannot be read: {0}")]
pub struct ManifestError(String);

impl Manifest {
    /// Reads the YAML that is pasted into Slack's “create an app” form.
    ///
    /// # Errors
    /// The text is not YAML, or names no bot scopes.
    pub fn parse(yaml: &str) -> Result<Self, ManifestError> {
        let documents =
            YamlLoader::load_from_str(yaml).map_err(|error| ManifestError(error.to_string()))?;
        let root = documents
            .first()
            .ok_or_else(|| ManifestError("it is empty".to_owned()))?;
        let features = &root["features"];
        let scopes = texts(&root["oauth_config"]["scopes"]["bot"]);
        if scopes.is_empty() {
            return Err(ManifestError("oauth_config.scopes.bot is empty".to_owned()));
        }
        let settings = &root["settings"];
        Ok(Self {
            name: text(&features["bot_user"]["display_name"])
                .or_else(|| text(&root["display_information"]["name"]))
                .unwrap_or_else(|| "App".to_owned()),
            scopes,
            commands: items(&features["slash_commands"])
                .iter()
                .map(|command| Command {
                    command: text(&command["command"]).unwrap_or_default(),
                    description: text(&command["description"]).unwrap_or_default(),
                    usage_hint: text(&command["usage_hint"]).unwrap_or_default(),
                    should_escape: command["should_escape"].as_bool().unwrap_or(false),
                })
                .collect(),
            shortcuts: items(&features["shortcuts"])
                .iter()
                .map(|shortcut| Shortcut {
                    callback_id: text(&shortcut["callback_id"]).unwrap_or_default(),
                    name: text(&shortcut["name"]).unwrap_or_default(),
                    on_message: shortcut["type"].as_str() == Some("message"),
                })
                .collect(),
            events: Some(texts(&settings["event_subscriptions"]["bot_events"])),
            home_tab: features["app_home"]["home_tab_enabled"]
                .as_bool()
                .unwrap_or(false),
        })
    }

    /// Whether this event is subscribed to.
    pub(super) fn sends(&self, event: &str) -> bool {
        self.events
            .as_ref()
            .is_none_or(|events| events.iter().any(|name| name == event))
    }
}

fn items(value: &Yaml) -> &[Yaml] {
    value.as_vec().map_or(&[], Vec::as_slice)
}

fn text(value: &Yaml) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Yaml) -> Vec<String> {
    items(value).iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = r#"
display_information:
  name: BillOps
features:
  app_home: {home_tab_enabled: true}
  bot_user: {display_name: BillOps bot}
  slash_commands:
    - {command: /time, description: Log time, usage_hint: "[2h]", should_escape: true}
  shortcuts:
    - {name: Log time on this, type: message, callback_id: entry.from_message}
oauth_config:
  scopes:
    bot: [commands, "chat:write"]
settings:
  event_subscriptions:
    bot_events: [app_home_opened]
"#;

    #[test]
    fn scopes_commands_shortcuts_and_events_are_read() {
        let manifest = Manifest::parse(YAML).unwrap();
        assert_eq!(manifest.name, "BillOps bot");
        assert_eq!(manifest.scopes, ["commands", "chat:write"]);
        assert_eq!(manifest.commands[0].command, "/time");
        assert!(manifest.commands[0].should_escape);
        assert!(manifest.shortcuts[0].on_message);
        assert!(manifest.home_tab);
        assert!(manifest.sends("app_home_opened"));
        assert!(!manifest.sends("tokens_revoked"));
    }

    #[test]
    fn a_manifest_without_scopes_is_refused() {
        assert!(Manifest::parse("display_information: {name: x}").is_err());
        assert!(Manifest::parse("a: [").is_err());
    }
}
