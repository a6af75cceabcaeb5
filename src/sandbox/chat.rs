//! `chat.*`: messages that the bot posts, changes and deletes.

use serde_json::{Value, json};

use super::{
    Sandbox,
    arguments::{Answered, Arguments, Refusal},
    blocks::{self, Surface},
    elements,
    page_events::Shown,
    world::{Channel, ChannelKind, Message, World},
};

/// Slack refuses longer texts.
const TEXT_LIMIT: usize = 40_000;

/// What a message says, before it has a place.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) text: String,
    pub(super) blocks: Vec<Value>,
    pub(super) attachments: Vec<Value>,
}

impl Content {
    fn of_arguments(sandbox: &Sandbox, arguments: &Arguments) -> Result<Self, Refusal> {
        let invalid = |_| Refusal::new("invalid_blocks_format");
        let mut body = json!({});
        for name in ["blocks", "attachments", "metadata"] {
            if let Some(value) = arguments.structure(name).map_err(invalid)? {
                body[name] = value;
            }
        }
        for name in ["text", "markdown_text"] {
            if let Some(text) = arguments.text(name) {
                body[name] = json!(text);
            }
        }
        Self::of(sandbox, body, "chat.postMessage")
    }

    /// Checks a message, whether it came as a call, as an acknowledgement or to a response URL.
    pub(super) fn of(sandbox: &Sandbox, mut body: Value, surface: &str) -> Result<Self, Refusal> {
        let texts = ["text", "markdown_text"].map(|name| body[name].as_str().unwrap_or_default());
        let structures = ["blocks", "attachments"]
            .map(|name| body[name].as_array().is_some_and(|a| !a.is_empty()));
        if texts.iter().all(|text| text.is_empty()) && structures == [false, false] {
            return Err(Refusal::new("no_text"));
        }
        if texts[0].chars().count() > TEXT_LIMIT {
            return Err(Refusal::new("msg_too_long"));
        }
        if sandbox.slack.options.validate_blocks {
            let problems = blocks::check(&Surface::message(surface), &body);
            if !problems.is_empty() {
                let in_attachments = problems[0].pointer.starts_with("/attachments");
                let error = if in_attachments {
                    "invalid_attachments"
                } else {
                    "invalid_blocks"
                };
                return Err(Refusal::with(error, blocks::messages(&problems)));
            }
        }
        let text = if texts[0].is_empty() {
            texts[1]
        } else {
            texts[0]
        }
        .to_owned();
        let mut take = |name: &str| match body[name].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        let (mut blocks, attachments) = (take("blocks"), take("attachments"));
        elements::complete(&mut blocks);
        Ok(Self {
            text,
            blocks,
            attachments,
        })
    }
}

impl World {
    /// A message by the app, without its place in a conversation.
    pub(super) fn by_app(&self, channel: &str, content: Content) -> Message {
        Message {
            channel: channel.to_owned(),
            user: Some(self.app.user_id.clone()),
            bot: true,
            name: self.app.name.clone(),
            text: content.text,
            blocks: content.blocks,
            attachments: content.attachments,
            ..Message::default()
        }
    }

    /// A message as payloads and answers carry it.
    pub(super) fn message_json(&self, message: &Message) -> Value {
        let mut json = json!({
            "type": "message",
            "user": message.user,
            "text": message.text,
            "ts": message.ts,
            "team": self.team.id,
        });
        if message.bot {
            json["bot_id"] = json!(self.app.bot_id);
            json["app_id"] = json!(self.app.id);
        }
        if !message.blocks.is_empty() {
            json["blocks"] = json!(message.blocks);
        }
        if !message.attachments.is_empty() {
            json["attachments"] = json!(message.attachments);
        }
        if message.edited {
            json["edited"] = json!({"user": message.user, "ts": message.ts});
        }
        if let Some(thread) = &message.thread_ts {
            json["thread_ts"] = json!(thread);
        }
        json
    }
}

impl Sandbox {
    /// Posts, and tells whoever looks at the page.
    pub(super) fn post(&self, message: Message) -> Message {
        let now = self.slack.options.clock.now();
        self.change(|world| {
            let message = world.post(message, now);
            let shown = || Shown::Message(Box::new(message.clone()));
            self.here().page.show(shown);
            message
        })
    }
}

/// The conversation that the bot may write to: by id, or by the id of a person.
pub(super) fn writable(world: &mut World, channel: &str) -> Result<String, Refusal> {
    if world.people().iter().any(|person| person.id == channel) {
        return Ok(world.open_direct(channel));
    }
    let found = world
        .channel(channel)
        .ok_or_else(|| Refusal::new("channel_not_found"))?;
    if found.members.contains(&world.app.user_id) {
        return Ok(found.id.clone());
    }
    Err(Refusal::new(match found.kind {
        ChannelKind::Private => "channel_not_found",
        _ => "not_in_channel",
    }))
}

pub(super) fn post_message(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    let channel = arguments
        .text("channel")
        .ok_or_else(|| Refusal::new("channel_not_found"))?;
    let channel = sandbox.change(|world| writable(world, channel))?;
    let content = Content::of_arguments(sandbox, arguments)?;
    let message = Message {
        thread_ts: arguments.text("thread_ts").map(str::to_owned),
        ..sandbox.world(|world| world.by_app(&channel, content))
    };
    let message = sandbox.post(message);
    Ok(sandbox.world(|world| {
        json!({
            "ok": true,
            "channel": channel,
            "ts": message.ts,
            "message": world.message_json(&message),
        })
    }))
}

pub(super) fn post_ephemeral(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    let channel = arguments
        .text("channel")
        .ok_or_else(|| Refusal::new("channel_not_found"))?;
    let user = arguments
        .text("user")
        .ok_or_else(|| Refusal::new("user_not_in_channel"))?;
    let channel = sandbox.change(|world| {
        let channel = writable(world, channel)?;
        if world.sees(user, &channel) {
            Ok(channel)
        } else {
            Err(Refusal::new("user_not_in_channel"))
        }
    })?;
    let content = Content::of_arguments(sandbox, arguments)?;
    let message = Message {
        ephemeral_to: Some(user.to_owned()),
        thread_ts: arguments.text("thread_ts").map(str::to_owned),
        ..sandbox.world(|world| world.by_app(&channel, content))
    };
    let message = sandbox.post(message);
    Ok(json!({"ok": true, "message_ts": message.ts}))
}

/// The bot's own message that a call names. Ephemeral ones are out of its reach.
fn own<'a>(
    world: &'a mut World,
    arguments: &Arguments,
    not_own: &str,
) -> Result<(&'a mut Channel, String), Refusal> {
    let channel = arguments.text("channel").unwrap_or_default();
    let ts = arguments.text("ts").unwrap_or_default().to_owned();
    let channel = world
        .channel_mut(channel)
        .ok_or_else(|| Refusal::new("channel_not_found"))?;
    match channel.message(&ts) {
        Some(message) if message.ephemeral_to.is_some() => Err(Refusal::new("message_not_found")),
        Some(message) if !message.bot => Err(Refusal::new(not_own)),
        Some(_) => Ok((channel, ts)),
        None => Err(Refusal::new("message_not_found")),
    }
}

pub(super) fn update(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    sandbox.change(|world| own(world, arguments, "cant_update_message").map(|_| ()))?;
    let content = Content::of_arguments(sandbox, arguments)?;
    sandbox.change(|world| {
        let (channel, ts) = own(world, arguments, "cant_update_message")?;
        let id = channel.id.clone();
        let message = channel
            .message_mut(&ts)
            .ok_or_else(|| Refusal::new("message_not_found"))?;
        sandbox.replace(message, content);
        let message = message.clone();
        Ok(json!({
            "ok": true,
            "channel": id,
            "ts": ts,
            "text": message.text,
            "message": world.message_json(&message),
        }))
    })
}

pub(super) fn delete(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    sandbox.change(|world| {
        let (channel, ts) = own(world, arguments, "cant_delete_message")?;
        let id = channel.id.clone();
        sandbox.remove(channel, &ts);
        Ok(json!({"ok": true, "channel": id, "ts": ts}))
    })
}

impl Sandbox {
    pub(super) fn replace(&self, message: &mut Message, content: Content) {
        message.text = content.text;
        message.blocks = content.blocks;
        message.attachments = content.attachments;
        // Slack marks no change of a message that only one person sees.
        message.edited = message.ephemeral_to.is_none();
        elements::forget(&mut message.entered, &message.blocks);
        let shown = || Shown::MessageChanged(Box::new(message.clone()));
        self.here().page.show(shown);
    }

    pub(super) fn remove(&self, channel: &mut Channel, ts: &str) {
        if let Some(message) = channel.remove(ts) {
            self.here()
                .page
                .show(|| Shown::MessageDeleted(Box::new(message)));
        }
    }
}
