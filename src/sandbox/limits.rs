//! How often `chat.postMessage` may be called, and how often it was.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Sandbox, locked};

/// Slack's limits of `chat.postMessage`, reckoned by the sandbox's clock: the bot waits by that clock
/// too, so a test that moves it needs no real seconds, and what is let through does not depend on how
/// fast the machine is. On a clock that stands still, what was refused once stays refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The pace within one conversation: one message in this time.
    pub channel_pace: TimeDelta,
    /// How many messages a conversation takes at once after a pause.
    pub channel_burst: u32,
    /// How many messages the workspace takes in a minute.
    pub workspace_per_minute: u32,
    /// How many of them at once after a pause.
    pub workspace_burst: u32,
}

impl Default for Limits {
    /// Slack says “about 1 per second per channel” with short bursts tolerated, and “several hundred
    /// per minute” in a workspace.
    fn default() -> Self {
        Self {
            channel_pace: TimeDelta::seconds(1),
            channel_burst: 3,
            workspace_per_minute: 300,
            workspace_burst: 30,
        }
    }
}

/// How `chat.postMessage` was called under [`Limits`]. What was refused counts as called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// How many calls were refused with 429.
    pub refused: u64,
    /// The most calls within sixty seconds, in all conversations together.
    pub most_in_a_minute: u32,
    /// The most calls within one second of the clock, in one conversation.
    pub most_in_a_second: u32,
}

/// When the next call would be due if all came evenly. All instants are in microseconds.
#[derive(Clone, Copy, Debug)]
struct Bucket(i64);

impl Default for Bucket {
    fn default() -> Self {
        Self(i64::MIN)
    }
}

impl Bucket {
    /// How long until this bucket takes one more; 0 or less is now.
    const fn wait(self, now: i64, pace: i64, burst: u32) -> i64 {
        let ahead = pace.saturating_mul(burst.saturating_sub(1) as i64);
        self.0.saturating_sub(ahead).saturating_sub(now)
    }

    fn take(&mut self, now: i64, pace: i64) {
        self.0 = self.0.max(now).saturating_add(pace);
    }
}

#[derive(Debug, Default)]
struct Conversation {
    bucket: Bucket,
    /// The second of the last call, and how many there were in it.
    second: i64,
    in_second: u32,
}

#[derive(Debug, Default)]
struct State {
    workspace: Bucket,
    conversations: HashMap<String, Conversation>,
    /// Calls in each of the last sixty seconds in which there were any.
    minute: VecDeque<(i64, u32)>,
    rates: Rates,
}

impl State {
    fn count(&mut self, channel: &str, second: i64) {
        while self
            .minute
            .front()
            .is_some_and(|(at, _)| *at <= second - 60)
        {
            self.minute.pop_front();
        }
        match self.minute.back_mut() {
            Some((at, calls)) if *at >= second => *calls += 1,
            _ => self.minute.push_back((second, 1)),
        }
        let in_minute = self.minute.iter().map(|(_, calls)| calls).sum();
        let conversation = self.conversations.entry(channel.to_owned()).or_default();
        if conversation.second != second {
            (conversation.second, conversation.in_second) = (second, 0);
        }
        conversation.in_second += 1;
        let rates = &mut self.rates;
        rates.most_in_a_minute = rates.most_in_a_minute.max(in_minute);
        rates.most_in_a_second = rates.most_in_a_second.max(conversation.in_second);
    }

    /// Whole seconds until the call may be made again, if it may not be made now.
    fn refuse(&mut self, limits: &Limits, channel: &str, now: DateTime<Utc>) -> Option<u32> {
        self.count(channel, now.timestamp());
        let now = now.timestamp_micros();
        let channel_pace = limits.channel_pace.num_microseconds().unwrap_or(i64::MAX);
        let workspace_pace = 60_000_000 / i64::from(limits.workspace_per_minute.max(1));
        let conversation = self.conversations.entry(channel.to_owned()).or_default();
        let in_channel = conversation
            .bucket
            .wait(now, channel_pace, limits.channel_burst);
        let in_workspace = self
            .workspace
            .wait(now, workspace_pace, limits.workspace_burst);
        let wait = in_channel.max(in_workspace);
        if wait > 0 {
            self.rates.refused += 1;
            let seconds = wait / 1_000_000 + i64::from(wait % 1_000_000 > 0);
            return Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        }
        conversation.bucket.take(now, channel_pace);
        self.workspace.take(now, workspace_pace);
        None
    }
}

#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<State>);

impl Sandbox {
    /// How `chat.postMessage` was called so far; all 0 without [`Limits`].
    pub fn rates(&self) -> Rates {
        locked(&self.here().pace.0).rates
    }

    /// Whole seconds that a call of `chat.postMessage` to this conversation comes too early.
    pub(super) fn too_early(&self, channel: &str) -> Option<u32> {
        let limits = self.slack.options.limits.as_ref()?;
        // A person's id and their direct message are the same conversation; what does not exist is
        // refused for that, and remembered nowhere.
        let channel = self.world(|world| {
            let direct = world.person(channel).map(super::world::Person::dm);
            direct.or_else(|| world.channel(channel).map(|found| found.id.clone()))
        })?;
        let now = self.slack.options.clock.now();
        locked(&self.here().pace.0).refuse(limits, &channel, now)
    }
}
