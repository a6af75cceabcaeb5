//! What Slack sends, read tolerantly: a field that is missing or `null` never makes a payload unreadable
//! unless nothing can be done without it. Fields that BillOps does not use are not named.
//!
//! Source of the shapes: docs.slack.dev, “Interaction payloads”, “Slash commands”, “Events API”.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};

/// Treats `null` like a missing field.
fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads a flag that Slack writes as `true` over the socket and as `"true"` in a form.
fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(from)?;
    Ok(value.is_some_and(|value| value == true || value == "true"))
}

/// A slash command.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct SlashCommand {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) team_id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) enterprise_id: String,
    #[serde(default, deserialize_with = "flag")]
    pub(super) is_enterprise_install: bool,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) channel_id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) channel_name: String,
    pub(super) user_id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) command: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) text: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) response_url: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) trigger_id: String,
}

impl SlashCommand {
    /// The workspace it was typed in; empty where Slack names none.
    pub(super) fn workspace(&self) -> &str {
        workspace_of(
            &self.team_id,
            &self.enterprise_id,
            self.is_enterprise_install,
        )
    }
}

/// What a person did with a message, a view or a shortcut.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Interaction {
    #[serde(rename = "type", default, deserialize_with = "nullable")]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) team: Team,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) enterprise: WithId,
    #[serde(default, deserialize_with = "flag")]
    pub(super) is_enterprise_install: bool,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) user: WithId,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) response_url: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) trigger_id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) container: Container,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) actions: Vec<Action>,
    /// Where the message stands that was used, or on which a shortcut was.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) channel: Channel,
    /// The message a shortcut was used on.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) message: SourceMessage,
    /// Which shortcut was used.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) callback_id: String,
    /// The form that was submitted, or in which something was used.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) view: View,
    /// What was typed into a field that asks for suggestions.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) value: String,
    /// Which field that is.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) block_id: String,
}

/// A message that a shortcut was used on.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct SourceMessage {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) ts: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) text: String,
}

/// A form, with what was entered.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct View {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) id: String,
    /// The form at the bottom, where this one lies on others.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) root_view_id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) callback_id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) private_metadata: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) state: State,
}

impl View {
    /// What was entered in a field. A field is named by its block; what it holds is called `value`.
    pub(super) fn field(&self, block_id: &str) -> Field {
        let block = self.state.values.get(block_id);
        block
            .and_then(|block| block.get("value"))
            .cloned()
            .unwrap_or_default()
    }
}

/// What was entered, by block and action.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct State {
    #[serde(default, deserialize_with = "map_or_list")]
    pub(super) values: HashMap<String, HashMap<String, Field>>,
}

/// What one field holds.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Field {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) value: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) selected_option: Choice,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) selected_options: Vec<Choice>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) selected_date: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) selected_time: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) selected_conversation: String,
}

/// Slack writes an empty map as an empty list at times.
fn map_or_list<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Map(T),
        List(serde::de::IgnoredAny),
    }
    Ok(match Option::<Either<T>>::deserialize(from)? {
        Some(Either::Map(map)) => map,
        Some(Either::List(_)) | None => T::default(),
    })
}

impl Interaction {
    /// The workspace it happened in; empty where Slack names none.
    pub(super) fn workspace(&self) -> &str {
        workspace_of(
            &self.team.id,
            &self.enterprise.id,
            self.is_enterprise_install,
        )
    }

    /// Whether the element stands on the Home tab, where there is no message to replace.
    pub(super) fn is_on_home(&self) -> bool {
        self.container.kind == "view"
    }
}

/// Where the element stands that was used.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Container {
    #[serde(rename = "type", default, deserialize_with = "nullable")]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) channel_id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) message_ts: String,
}

/// The team somebody is in.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Team {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) id: String,
    /// The part before `.slack.com`.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) domain: String,
}

/// A conversation.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Channel {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) id: String,
    /// `directmessage` and `privategroup` where Slack does not say.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) name: String,
}

/// Anything of which only the id matters.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct WithId {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) id: String,
}

/// One element that was used.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Action {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) action_id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) block_id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) value: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) selected_option: Choice,
}

/// The option of a menu that was chosen.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Choice {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) value: String,
}

/// The outer wrapper of an event.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct EventCallback {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) team_id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) enterprise_id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) authorizations: Vec<Authorization>,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) event: Event,
    /// When it happened, in seconds since 1970.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) event_time: i64,
}

impl EventCallback {
    /// The workspace it happened in; empty where Slack names none.
    pub(super) fn workspace(&self) -> &str {
        let authorization = self.authorizations.first();
        let enterprise = authorization.map_or("", |authorization| &authorization.enterprise_id);
        let enterprise = if self.enterprise_id.is_empty() {
            enterprise
        } else {
            &self.enterprise_id
        };
        let is_org_wide =
            authorization.is_some_and(|authorization| authorization.is_enterprise_install);
        workspace_of(&self.team_id, enterprise, is_org_wide)
    }
}

/// For whom an event is delivered.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Authorization {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) enterprise_id: String,
    #[serde(default, deserialize_with = "flag")]
    pub(super) is_enterprise_install: bool,
}

/// The event itself.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "type", default, deserialize_with = "nullable")]
    pub(super) kind: String,
    /// Whom it is about.
    #[serde(default, deserialize_with = "someone")]
    pub(super) user: EventUser,
    #[serde(default, deserialize_with = "nullable")]
    pub(super) tab: String,
    /// Whose tokens work no longer.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) tokens: Revoked,
}

/// Whose tokens work no longer: people's, and bots'.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Revoked {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) bot: Vec<String>,
}

/// Whom an event is about: most name the person by id, `user_change` comes with what Slack knows of them.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct EventUser {
    #[serde(default, deserialize_with = "nullable")]
    pub(super) id: String,
    /// The zone they are in.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) tz: String,
    /// Whether they may no longer sign in to Slack.
    #[serde(default, deserialize_with = "nullable")]
    pub(super) deleted: bool,
    /// Whether they administer the workspace, where that is said.
    #[serde(default)]
    pub(super) is_admin: Option<bool>,
    /// Whether it is theirs.
    #[serde(default)]
    pub(super) is_owner: Option<bool>,
}

fn someone<'de, D: Deserializer<'de>>(from: D) -> Result<EventUser, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Id(String),
        Person(EventUser),
    }
    Ok(match Option::<Either>::deserialize(from)? {
        Some(Either::Id(id)) => EventUser {
            id,
            ..EventUser::default()
        },
        Some(Either::Person(person)) => person,
        None => EventUser::default(),
    })
}

/// The id under which a workspace is kept. An app that is installed for a whole organisation is one
/// workspace, whichever of the organisation's teams the person is in; Slack then leaves `team` empty in
/// some payloads and not in others.
fn workspace_of<'a>(team: &'a str, enterprise: &'a str, is_org_wide: bool) -> &'a str {
    if (is_org_wide || team.is_empty()) && !enterprise.is_empty() {
        enterprise
    } else {
        team
    }
}
