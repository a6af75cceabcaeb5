//! What a person types: commands and messages.

use serde_json::json;

use super::{
    Sandbox,
    acting::Unable,
    chat::Content,
    envelopes::{Answer, Envelope},
    world::{ChannelKind, Message, Person, World},
};

/// Everything between `&`, `<` and `>` would be markup, so Slack escapes what people type.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Mentions and links as Slack writes them for a command with `should_escape`.
fn with_mentions(world: &World, text: &str) -> String {
    text.split_inclusive(' ')
        .map(|piece| {
            let typed = piece.trim_end();
            let space = &piece[typed.len()..];
            let plain = escaped(typed);
            let found = if let Some(name) = typed.strip_prefix('@') {
                world
                    .people()
                    .iter()
                    .find(|person| person.name == name)
                    .map(|person| format!("<@{}|{}>", person.id, person.name))
            } else if let Some(name) = typed.strip_prefix('#') {
                let mut channels = world.channels().iter();
                channels
                    .find(|channel| channel.name == name)
                    .map(|channel| match channel.kind {
                        ChannelKind::Public => format!("<#{}|{}>", channel.id, channel.name),
                        _ => format!("<#{}|>", channel.id),
                    })
            } else {
                let link = typed.starts_with("https://") || typed.starts_with("http://");
                link.then(|| format!("<{plain}>"))
            };
            found.unwrap_or(plain) + space
        })
        .collect()
}

impl Sandbox {
    /// Types something into a conversation and sends it: a command, or a message. The person is an
    /// id or a handle; the conversation is an id, `#name`, or `dm` for the one with the app.
    ///
    /// # Errors
    /// There is no such person, or no such conversation for them.
    pub async fn say(&self, user: &str, channel: &str, text: &str) -> Result<Answer, Unable> {
        let (person, channel) = self.world(|world| {
            let person = world.someone(user)?.clone();
            let found = world
                .channel_for(&person.id, channel)
                .filter(|channel| channel.members.contains(&person.id))
                .ok_or_else(|| Unable::NoChannel(channel.to_owned()))?;
            Ok((person, found.id.clone()))
        })?;
        if text.starts_with('/') {
            return Ok(self.command(&person, &channel, text).await);
        }
        Ok(self.write(&person, &channel, text).await)
    }

    async fn write(&self, person: &Person, channel: &str, text: &str) -> Answer {
        let message = self.post(Message {
            channel: channel.to_owned(),
            user: Some(person.id.clone()),
            name: person.real_name.clone(),
            text: text.to_owned(),
            ..Message::default()
        });
        let event = self.world(|world| {
            let mut event = world.message_json(&message);
            event["channel"] = json!(channel);
            event["event_ts"] = json!(message.ts);
            event["channel_type"] = json!("im");
            event
        });
        let mut answer = Answer::default();
        if *channel == person.dm() && self.slack.options.manifest.sends("message.im") {
            answer = self.send_event(event).await;
        }
        answer.message = Some(message);
        answer
    }

    async fn command(&self, person: &Person, channel: &str, line: &str) -> Answer {
        let (command, text) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let manifest = &self.slack.options.manifest;
        let known = manifest
            .commands
            .iter()
            .find(|known| known.command == command);
        let Some(known) = known.filter(|_| manifest.scopes.iter().any(|s| s == "commands")) else {
            self.tell(
                person,
                channel,
                line,
                &format!("{command} is not a valid command."),
            );
            return Answer {
                error: Some("unknown_command".to_owned()),
                ..Answer::default()
            };
        };
        let trigger = self.new_trigger(&person.id, None, Some(channel));
        let url = self.new_response_url(&person.id, channel, None, Some(line));
        let payload = self.world(|world| {
            let text = if known.should_escape {
                with_mentions(world, text.trim())
            } else {
                escaped(text.trim())
            };
            world.channel(channel).map(|channel| {
                world.slash_command(person, channel, command, &text, (&url, &trigger))
            })
        });
        let mut answer = self
            .deliver(&Envelope {
                id: self.new_envelope_id(),
                kind: "slash_commands",
                accepts: true,
                title: line.to_owned(),
                payload: payload.unwrap_or_default(),
                retry: None,
            })
            .await;
        if let Some(error) = &answer.error {
            let text = format!("{command} failed with the error “{error}”");
            self.tell(person, channel, line, &text);
        } else if let Some(payload) = answer.payload.as_ref().filter(|p| **p != json!({})) {
            match Content::of(self, payload.clone(), "ack.slash_command") {
                Ok(content) => {
                    let shared = payload["response_type"] == "in_channel";
                    answer.message = Some(self.answer(person, channel, line, content, shared));
                }
                Err(refusal) => {
                    let text = format!("{command} failed with the error “{}”", refusal.error);
                    self.tell(person, channel, line, &text);
                    self.violated("ack", &refusal.error, refusal.messages);
                    answer.error = Some(refusal.error);
                }
            }
        }
        answer
    }

    fn answer(
        &self,
        person: &Person,
        channel: &str,
        line: &str,
        content: Content,
        shared: bool,
    ) -> Message {
        if shared {
            self.post(Message {
                channel: channel.to_owned(),
                user: Some(person.id.clone()),
                name: person.real_name.clone(),
                text: line.to_owned(),
                ..Message::default()
            });
        }
        let message = self.world(|world| world.by_app(channel, content));
        self.post(Message {
            ephemeral_to: (!shared).then(|| person.id.clone()),
            typed: (!shared).then(|| line.to_owned()),
            ..message
        })
    }

    /// What Slack itself says to a person.
    fn tell(&self, person: &Person, channel: &str, line: &str, text: &str) {
        self.post(Message {
            channel: channel.to_owned(),
            name: "Slack".to_owned(),
            text: text.to_owned(),
            ephemeral_to: Some(person.id.clone()),
            typed: Some(line.to_owned()),
            ..Message::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::seed;
    use super::*;

    #[test]
    fn mentions_and_links_arrive_as_slack_writes_them() {
        let world = seed::world("BillOps", 10);
        assert_eq!(
            with_mentions(&world, "2h @nina #acme a<b https://x.example/?a=1&b=2"),
            "2h <@U07NINA001|nina> <#C07ACME001|acme> a&lt;b <https://x.example/?a=1&amp;b=2>"
        );
        assert_eq!(with_mentions(&world, "@nobody  #none"), "@nobody  #none");
    }
}
