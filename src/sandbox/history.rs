//! `conversations.history`: what stands in a conversation, as the bot may read it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    Sandbox,
    arguments::{Answered, Arguments, Refusal},
    world::{Channel, ChannelKind},
};

/// Of which Slack wants one at least; which one it is depends on the conversation.
pub(super) const SCOPES: &[&str] = &[
    "channels:history",
    "groups:history",
    "im:history",
    "mpim:history",
];

pub(super) const ARGUMENTS: &[&str] = &[
    "channel",
    "cursor",
    "inclusive",
    "include_all_metadata",
    "latest",
    "limit",
    "oldest",
];

/// How many messages there are in a page unless the call says otherwise, and at most.
const PAGE: u64 = 100;
const MOST: u64 = 999;

/// A cursor is this and the `ts` of the page's first message in microseconds, in Base64.
const NEXT: &str = "next_ts:";

/// A `ts` in microseconds: `1795170600.000200`, or whole seconds.
fn micros(ts: &str) -> Option<i64> {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || !digits(seconds) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    let seconds: i64 = seconds.parse().ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(fraction)
}

/// An argument that a form sends as text and JSON also as a number.
fn number_or_text(arguments: &Arguments, name: &str) -> Option<String> {
    match arguments.values.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// Which messages are asked for.
struct Asked {
    /// In microseconds; `inclusive` says whether messages of exactly these instants count.
    oldest: Option<i64>,
    latest: Option<i64>,
    inclusive: bool,
    /// Where the page begins, in microseconds; always inclusive.
    from: Option<i64>,
    limit: usize,
}

impl Asked {
    fn read(arguments: &Arguments) -> Result<Self, Refusal> {
        let edge = |name: &str| {
            let text = number_or_text(arguments, name);
            let edge = text.map(|text| micros(&text));
            edge.map(|edge| edge.ok_or_else(|| Refusal::new(format!("invalid_ts_{name}"))))
                .transpose()
        };
        let limit = number_or_text(arguments, "limit").map_or(Ok(PAGE), |text| {
            let limit = text.parse().ok();
            limit
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| Refusal::new("invalid_limit"))
        })?;
        let from = arguments.text("cursor").map(|cursor| {
            let text = STANDARD.decode(cursor).ok();
            let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
            text.and_then(|text| text.strip_prefix(NEXT)?.parse().ok())
                .ok_or_else(|| Refusal::new("invalid_cursor"))
        });
        Ok(Self {
            oldest: edge("oldest")?,
            latest: edge("latest")?,
            inclusive: arguments.flag("inclusive"),
            from: from.transpose()?,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        })
    }

    fn contains(&self, at: i64) -> bool {
        let on_edge = self.inclusive && (self.oldest == Some(at) || self.latest == Some(at));
        let within = self.oldest.is_none_or(|oldest| at > oldest)
            && self.latest.is_none_or(|latest| at < latest);
        (within || on_edge) && self.from.is_none_or(|from| at <= from)
    }
}

/// The scope that reading this conversation needs.
fn scope_for(channel: &Channel) -> &'static str {
    match channel.kind {
        ChannelKind::Public => "channels:history",
        ChannelKind::Private => "groups:history",
        ChannelKind::Direct(_) => "im:history",
    }
}

/// Newest first. Ephemeral messages are in nobody's history.
pub(super) fn read(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    let granted = &sandbox.slack.options.manifest.scopes;
    sandbox.world(|world| {
        let channel = arguments.text("channel").and_then(|id| world.channel(id));
        let is_member = |channel: &Channel| channel.members.contains(&world.app.user_id);
        let channel = channel
            // A private conversation does not show itself to those outside.
            .filter(|channel| channel.kind == ChannelKind::Public || is_member(channel))
            .ok_or_else(|| Refusal::new("channel_not_found"))?;
        let needed = scope_for(channel);
        if !granted.iter().any(|scope| scope == needed) {
            return Err(Refusal::missing_scope(needed, granted));
        }
        if !is_member(channel) {
            return Err(Refusal::new("not_in_channel"));
        }
        let asked = Asked::read(arguments)?;
        let mut found = channel
            .messages
            .iter()
            .rev()
            .filter(|message| message.ephemeral_to.is_none())
            .filter_map(|message| micros(&message.ts).map(|at| (at, message)))
            .filter(|(at, _)| asked.contains(*at));
        let messages: Vec<Value> = found
            .by_ref()
            .take(asked.limit)
            .map(|(_, message)| world.message_json(message))
            .collect();
        let next = found.next().map(|(at, _)| at);
        let mut answer = json!({
            "ok": true,
            "messages": messages,
            "has_more": next.is_some(),
            "pin_count": 0,
            "channel_actions_ts": null,
            "channel_actions_count": 0,
        });
        if let Some(next) = next {
            let cursor = STANDARD.encode(format!("{NEXT}{next}"));
            answer["response_metadata"] = json!({"next_cursor": cursor});
        }
        Ok(answer)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ts_is_read_to_the_microsecond_and_nothing_else_is() {
        assert_eq!(micros("1795170600.000200"), Some(1_795_170_600_000_200));
        assert_eq!(micros("1795170600.5"), Some(1_795_170_600_500_000));
        assert_eq!(micros("0"), Some(0));
        for text in [
            "",
            ".5",
            "-1",
            "1.2.3",
            "1.0000001",
            "now",
            "9223372036854775807",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
