//! The payloads of what people do, in the shapes that Slack documents.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{
    Sandbox, elements, locked,
    world::{Channel, Person, View, World},
};

/// Long dead at Slack too: requests are told apart by their signature.
const VERIFICATION_TOKEN: &str = "not-a-secret";

/// Slack's limit between an action and the modal that it opens.
const TRIGGER_LIFE: TimeDelta = TimeDelta::seconds(3);

/// The right to open one modal, for three seconds.
#[derive(Debug)]
pub(super) struct Trigger {
    pub(super) user: String,
    /// The modal that the action happened in.
    pub(super) view: Option<String>,
    /// The conversation that the action happened in.
    pub(super) channel: Option<String>,
    issued: DateTime<Utc>,
    used: bool,
}

/// What a trigger gives to whoever used it.
#[derive(Debug)]
pub(super) struct Triggered {
    pub(super) user: String,
    pub(super) view: Option<String>,
    pub(super) channel: Option<String>,
}

impl Sandbox {
    pub(super) fn new_trigger(
        &self,
        user: &str,
        view: Option<&str>,
        channel: Option<&str>,
    ) -> String {
        let issued = self.slack.options.clock.now();
        let id = format!(
            "{}.{}.{}",
            issued.timestamp_millis(),
            rand::random::<u32>(),
            super::random_hex()
        );
        let trigger = Trigger {
            user: user.to_owned(),
            view: view.map(str::to_owned),
            channel: channel.map(str::to_owned),
            issued,
            used: false,
        };
        locked(&self.here().triggers).insert(id.clone(), trigger);
        id
    }

    /// Whether the trigger could be used now. It is spent by [`spend_trigger`](Self::spend_trigger),
    /// which comes after everything else was found to be right.
    pub(super) fn check_trigger(&self, id: &str) -> Result<Triggered, &'static str> {
        let now = self.slack.options.clock.now();
        let triggers = locked(&self.here().triggers);
        let trigger = triggers.get(id).ok_or("invalid_trigger_id")?;
        if trigger.used {
            return Err("exchanged_trigger_id");
        }
        if now - trigger.issued > TRIGGER_LIFE {
            return Err("expired_trigger_id");
        }
        Ok(Triggered {
            user: trigger.user.clone(),
            view: trigger.view.clone(),
            channel: trigger.channel.clone(),
        })
    }

    pub(super) fn spend_trigger(&self, id: &str) {
        if let Some(trigger) = locked(&self.here().triggers).get_mut(id) {
            trigger.used = true;
        }
    }
}

/// Where something was done.
pub(super) enum Place<'a> {
    Message { channel: &'a Channel, ts: &'a str },
    View(&'a View),
}

impl World {
    fn user_json(&self, person: &Person) -> Value {
        json!({
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": self.team.id,
        })
    }

    /// What every interaction carries.
    fn interaction(&self, kind: &str, person: &Person) -> Value {
        json!({
            "type": kind,
            "team": self.team_json(),
            "user": self.user_json(person),
            "api_app_id": self.app.id,
            "token": VERIFICATION_TOKEN,
            "enterprise": self.enterprise_json(),
            "is_enterprise_install": self.org_wide(),
        })
    }

    pub(super) fn slash_command(
        &self,
        person: &Person,
        channel: &Channel,
        command: &str,
        text: &str,
        urls: (&str, &str),
    ) -> Value {
        let (response_url, trigger_id) = urls;
        let mut payload = json!({
            "token": VERIFICATION_TOKEN,
            "team_id": self.team.id,
            "team_domain": self.team.domain,
            "channel_id": channel.id,
            "channel_name": channel.payload_name(),
            "user_id": person.id,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": self.app.id,
            "is_enterprise_install": self.org_wide().to_string(),
            "response_url": response_url,
            "trigger_id": trigger_id,
        });
        if let Some(org) = &self.enterprise {
            payload["enterprise_id"] = json!(org.id);
            payload["enterprise_name"] = json!(org.name);
        }
        payload
    }

    /// `block_actions`, without `trigger_id`, `response_url` and `actions`.
    pub(super) fn block_actions(&self, person: &Person, place: &Place<'_>) -> Value {
        let mut payload = self.interaction("block_actions", person);
        match place {
            Place::Message { channel, ts } => {
                let message = channel.message(ts);
                let ephemeral = message.is_some_and(|m| m.ephemeral_to.is_some());
                payload["container"] = json!({
                    "type": "message",
                    "message_ts": ts,
                    "channel_id": channel.id,
                    "is_ephemeral": ephemeral,
                });
                payload["channel"] = json!({"id": channel.id, "name": channel.payload_name()});
                if let Some(message) = message {
                    let values = elements::state(&message.blocks, &message.entered);
                    payload["state"] = json!({"values": values});
                    // An ephemeral message is stored nowhere, so Slack cannot send it along.
                    if !ephemeral {
                        payload["message"] = self.message_json(message);
                    }
                }
            }
            Place::View(view) => {
                payload["container"] = json!({"type": "view", "view_id": view.id});
                payload["view"] = view.json();
            }
        }
        payload
    }

    pub(super) fn view_submission(&self, person: &Person, view: &View, trigger: &str) -> Value {
        let mut payload = self.interaction("view_submission", person);
        payload["trigger_id"] = json!(trigger);
        payload["view"] = view.json();
        payload["response_urls"] = json!([]);
        payload
    }

    pub(super) fn view_closed(&self, person: &Person, view: &View, is_cleared: bool) -> Value {
        let mut payload = self.interaction("view_closed", person);
        payload["view"] = view.json();
        payload["is_cleared"] = json!(is_cleared);
        payload
    }

    pub(super) fn block_suggestion(
        &self,
        person: &Person,
        place: &Place<'_>,
        element: (&str, &str),
        typed: &str,
    ) -> Value {
        let mut payload = self.block_actions(person, place);
        payload["type"] = json!("block_suggestion");
        payload["block_id"] = json!(element.0);
        payload["action_id"] = json!(element.1);
        payload["value"] = json!(typed);
        payload
    }

    pub(super) fn shortcut(
        &self,
        person: &Person,
        callback_id: &str,
        trigger: &str,
        action_ts: &str,
    ) -> Value {
        let mut payload = self.interaction("shortcut", person);
        payload["callback_id"] = json!(callback_id);
        payload["trigger_id"] = json!(trigger);
        payload["action_ts"] = json!(action_ts);
        payload
    }

    /// An event in the wrapper that the Events API puts around it.
    pub(super) fn event_callback(&self, event: &Value, id: &str, now: DateTime<Utc>) -> Value {
        let enterprise = self.enterprise.as_ref().map(|org| &org.id);
        let mut payload = json!({
            "token": VERIFICATION_TOKEN,
            "team_id": self.team.id,
            "api_app_id": self.app.id,
            "type": "event_callback",
            "event_id": id,
            "event_time": now.timestamp(),
            "authorizations": [{
                "enterprise_id": enterprise,
                "team_id": if self.org_wide() { Value::Null } else { json!(self.team.id) },
                "user_id": self.app.user_id,
                "is_bot": true,
                "is_enterprise_install": self.org_wide(),
            }],
            "is_ext_shared_channel": false,
            "event": event,
        });
        if let Some(enterprise) = enterprise {
            payload["enterprise_id"] = json!(enterprise);
        }
        payload
    }
}

impl View {
    /// The view as payloads carry it, with what was entered.
    pub(super) fn json(&self) -> Value {
        let mut json = self.body.clone();
        json["state"] = json!({"values": elements::state(self.blocks(), &self.entered)});
        json
    }

    /// The view as answers of `views.*` carry it, where an empty state is an array.
    pub(super) fn answer_json(&self) -> Value {
        let mut json = self.json();
        if json["state"]["values"]
            .as_object()
            .is_some_and(Map::is_empty)
        {
            json["state"]["values"] = json!([]);
        }
        json
    }
}
