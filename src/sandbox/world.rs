//! What exists in the workspace: people, conversations, messages, views.

use std::collections::{BTreeSet, HashMap, VecDeque};

use chrono::{DateTime, Offset, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

/// What a person has entered or chosen: block id, then action id, then Slack's value object.
pub type Entered = Map<String, Value>;

/// The team, called workspace in Slack's own interface.
#[derive(Clone, Debug)]
pub struct Team {
    /// `T…`
    pub id: String,
    /// The name people see.
    pub name: String,
    /// The part before `.slack.com`.
    pub domain: String,
}

/// The organisation that a team belongs to.
#[derive(Clone, Debug)]
pub struct Enterprise {
    /// `E…`
    pub id: String,
    /// The name people see.
    pub name: String,
    /// Installed for the whole organisation: payloads then carry `team: null`.
    pub org_wide: bool,
}

/// The app's own ids.
#[derive(Clone, Debug)]
pub struct App {
    /// `A…`
    pub id: String,
    /// The name its messages stand under.
    pub name: String,
    /// `U…`: the user that the bot is.
    pub user_id: String,
    /// `B…`
    pub bot_id: String,
}

/// Somebody in the workspace.
#[derive(Clone, Debug)]
pub struct Person {
    /// `U…`
    pub id: String,
    /// The handle, without `@`.
    pub name: String,
    /// First and last name.
    pub real_name: String,
    /// What the profile says they do.
    pub title: String,
    /// Only shown with the scope `users:read.email`.
    pub email: String,
    /// Where their clock is.
    pub tz: Tz,
    /// As Slack writes it: `de-DE`.
    pub locale: String,
    /// May change workspace settings.
    pub is_admin: bool,
    /// A bot user.
    pub is_bot: bool,
    /// Six hexadecimal digits.
    pub color: String,
}

impl Person {
    /// Their direct message with the app: `D…`.
    pub fn dm(&self) -> String {
        direct_with(&self.id)
    }

    /// Distance from UTC in seconds at that instant.
    pub fn tz_offset(&self, at: DateTime<Utc>) -> i32 {
        at.with_timezone(&self.tz).offset().fix().local_minus_utc()
    }
}

/// The id of the direct message between a person and the app.
pub(super) fn direct_with(user: &str) -> String {
    format!("D{}", user.get(1..).unwrap_or_default())
}

/// Who may see a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// Everybody may join.
    Public,
    /// By invitation.
    Private,
    /// This person and the app.
    Direct(String),
}

/// A conversation and its messages, oldest first.
#[derive(Clone, Debug)]
pub struct Channel {
    /// `C…`, or `D…` for a direct message.
    pub id: String,
    /// Without `#`.
    pub name: String,
    /// The line under the name.
    pub topic: String,
    /// Who may see it.
    pub kind: ChannelKind,
    /// User ids, the bot's among them where it was invited.
    pub members: BTreeSet<String>,
    /// The latest messages, in the order of their `ts`.
    pub messages: VecDeque<Message>,
}

impl Channel {
    /// The name as payloads carry it.
    pub(super) fn payload_name(&self) -> &str {
        match self.kind {
            ChannelKind::Public => &self.name,
            ChannelKind::Private => "privategroup",
            ChannelKind::Direct(_) => "directmessage",
        }
    }

    fn position(&self, ts: &str) -> Option<usize> {
        self.messages
            .binary_search_by(|message| message.ts.as_str().cmp(ts))
            .ok()
    }

    pub(super) fn message(&self, ts: &str) -> Option<&Message> {
        self.position(ts).and_then(|at| self.messages.get(at))
    }

    pub(super) fn message_mut(&mut self, ts: &str) -> Option<&mut Message> {
        self.position(ts).and_then(|at| self.messages.get_mut(at))
    }

    pub(super) fn remove(&mut self, ts: &str) -> Option<Message> {
        self.position(ts).and_then(|at| self.messages.remove(at))
    }
}

/// One message, as it stands in a conversation.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Slack's id of a message within its conversation.
    pub ts: String,
    /// The conversation's id.
    pub channel: String,
    /// Who wrote it; `None` for Slack itself.
    pub user: Option<String>,
    /// Written by the app.
    pub bot: bool,
    /// The name it stands under.
    pub name: String,
    /// The plain text: what notifications and screen readers get.
    pub text: String,
    /// Block Kit, with the ids that Slack filled in.
    pub blocks: Vec<Value>,
    /// Secondary attachments.
    pub attachments: Vec<Value>,
    /// Visible to this person only.
    pub ephemeral_to: Option<String>,
    /// Changed after it was posted.
    pub edited: bool,
    /// The command line that this answers.
    pub typed: Option<String>,
    /// The message whose thread it stands in.
    pub thread_ts: Option<String>,
    /// What was chosen in its blocks.
    pub entered: Entered,
    /// What hangs on it.
    pub files: Vec<File>,
}

/// A file that was shared.
#[derive(Clone, Debug)]
pub struct File {
    /// `F…`
    pub id: String,
    /// What it is called where it is shown.
    pub title: String,
    /// Its name on a disk.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Message {
    /// Whether this person sees it, given that they see the conversation.
    pub fn visible_to(&self, user: &str) -> bool {
        self.ephemeral_to.as_deref().is_none_or(|to| to == user)
    }
}

/// A modal or a Home tab.
#[derive(Clone, Debug)]
pub struct View {
    /// `V…`
    pub id: String,
    /// Changes with every update.
    pub hash: String,
    /// Whose screen it is on.
    pub user: String,
    /// Slack's view object, without the state.
    pub body: Value,
    /// What was entered since it was shown.
    pub entered: Entered,
    /// Where the modal was opened: the conversation its command or message stands in.
    pub(super) origin: Option<String>,
}

impl View {
    /// Its blocks.
    pub fn blocks(&self) -> &[Value] {
        self.body["blocks"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The text of its title; empty for a Home tab.
    pub fn title(&self) -> &str {
        self.body["title"]["text"].as_str().unwrap_or_default()
    }

    /// What the bot tells it by.
    pub fn callback_id(&self) -> &str {
        self.body["callback_id"].as_str().unwrap_or_default()
    }

    /// A modal, not a Home tab.
    pub fn is_modal(&self) -> bool {
        self.body["type"] == "modal"
    }
}

/// Everything. Read it through [`Sandbox::world`](super::Sandbox::world).
#[derive(Debug)]
pub struct World {
    /// The workspace.
    pub team: Team,
    /// The organisation, if the team belongs to one.
    pub enterprise: Option<Enterprise>,
    /// The app.
    pub app: App,
    /// Views by id.
    pub views: HashMap<String, View>,
    /// The Home view of each person.
    pub homes: HashMap<String, String>,
    /// The modals open for each person, the topmost last.
    pub modals: HashMap<String, Vec<String>>,
    pub(super) read_up_to: HashMap<String, String>,
    people: Vec<Person>,
    person_at: HashMap<String, usize>,
    channels: Vec<Channel>,
    channel_at: HashMap<String, usize>,
    messages_kept: usize,
    last_ts: i64,
    serial: u64,
}

impl World {
    pub(super) fn new(team: Team, app: App, messages_kept: usize) -> Self {
        Self {
            team,
            enterprise: None,
            app,
            views: HashMap::new(),
            homes: HashMap::new(),
            modals: HashMap::new(),
            read_up_to: HashMap::new(),
            people: Vec::new(),
            person_at: HashMap::new(),
            channels: Vec::new(),
            channel_at: HashMap::new(),
            messages_kept,
            last_ts: 0,
            serial: 0,
        }
    }

    /// Everybody, in the order in which they were added.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// All conversations, direct messages included.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// By id or by handle.
    pub fn person(&self, who: &str) -> Option<&Person> {
        match self.person_at.get(who) {
            Some(at) => self.people.get(*at),
            None => self.people.iter().find(|person| person.name == who),
        }
    }

    pub(super) fn person_mut(&mut self, id: &str) -> Option<&mut Person> {
        self.people.iter_mut().find(|person| person.id == id)
    }

    /// By id.
    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.get(*self.channel_at.get(id)?)
    }

    pub(super) fn channel_mut(&mut self, id: &str) -> Option<&mut Channel> {
        self.channels.get_mut(*self.channel_at.get(id)?)
    }

    /// By id, by `#name`, or `dm` for the person's direct message with the app.
    pub(super) fn channel_for(&self, user: &str, name: &str) -> Option<&Channel> {
        if name == "dm" {
            return self.channel(&direct_with(user));
        }
        match name.strip_prefix('#') {
            Some(name) => self.channels.iter().find(|channel| channel.name == name),
            None => self.channel(name),
        }
    }

    pub(super) fn add_person(&mut self, person: Person) {
        if self.person_at.contains_key(&person.id) {
            return;
        }
        self.person_at.insert(person.id.clone(), self.people.len());
        self.people.push(person);
    }

    pub(super) fn add_channel(&mut self, channel: Channel) {
        self.channel_at
            .insert(channel.id.clone(), self.channels.len());
        self.channels.push(channel);
    }

    /// Without the app, its user is in no channel; the direct messages with it stay where they are.
    pub(super) fn take_bot_out(&mut self) {
        let channels = self.channels.iter_mut();
        for channel in channels.filter(|channel| !matches!(channel.kind, ChannelKind::Direct(_))) {
            channel.members.remove(&self.app.user_id);
        }
    }

    /// The person's direct message with the app, opened if it was not.
    pub(super) fn open_direct(&mut self, user: &str) -> String {
        let id = direct_with(user);
        if !self.channel_at.contains_key(&id) {
            self.add_channel(Channel {
                id: id.clone(),
                name: String::new(),
                topic: String::new(),
                kind: ChannelKind::Direct(user.to_owned()),
                members: BTreeSet::from([user.to_owned(), self.app.user_id.clone()]),
                messages: VecDeque::new(),
            });
        }
        id
    }

    /// Puts the message at the end of its conversation and gives it its `ts`.
    pub(super) fn post(&mut self, mut message: Message, now: DateTime<Utc>) -> Message {
        message.ts = self.next_ts(now);
        let kept = self.messages_kept;
        if let Some(channel) = self.channel_mut(&message.channel) {
            if channel.messages.len() >= kept {
                channel.messages.pop_front();
            }
            channel.messages.push_back(message.clone());
        }
        message
    }

    /// Rises even when the clock stands still: a `ts` is unique in its conversation.
    pub(super) fn next_ts(&mut self, now: DateTime<Utc>) -> String {
        let micros = now.timestamp_micros().max(self.last_ts + 1);
        self.last_ts = micros;
        format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// The team as payloads carry it.
    pub(super) fn team_json(&self) -> Value {
        if self.org_wide() {
            return Value::Null;
        }
        json!({"id": self.team.id, "domain": self.team.domain})
    }

    pub(super) fn enterprise_json(&self) -> Value {
        self.enterprise
            .as_ref()
            .map_or(Value::Null, |org| json!({"id": org.id, "name": org.name}))
    }

    pub(super) fn org_wide(&self) -> bool {
        self.enterprise.as_ref().is_some_and(|org| org.org_wide)
    }

    /// Whether this person may see the conversation.
    pub(super) fn sees(&self, user: &str, channel: &str) -> bool {
        self.channel(channel)
            .is_some_and(|channel| channel.members.contains(user))
    }

    /// The modals open for this person, the topmost last.
    pub fn modals_of(&self, user: &str) -> Vec<&View> {
        self.modals
            .get(user)
            .into_iter()
            .flatten()
            .filter_map(|id| self.views.get(id))
            .collect()
    }

    /// What this person sees on the Home tab.
    pub fn home_of(&self, user: &str) -> Option<&View> {
        self.views.get(self.homes.get(user)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::seed;
    use super::*;

    #[test]
    fn a_ts_is_never_given_twice_while_the_clock_stands_still() {
        let mut world = seed::world("BillOps", 1000);
        let now = DateTime::from_timestamp(1_795_168_800, 0).unwrap();
        let first = world.next_ts(now);
        assert_eq!(first, "1795168800.000000");
        assert_eq!(world.next_ts(now), "1795168800.000001");
    }

    #[test]
    fn a_conversation_keeps_its_latest_messages() {
        let mut world = seed::world("BillOps", 3);
        let now = DateTime::from_timestamp(1_795_168_800, 0).unwrap();
        let channel = world.channel_for("U07NINA001", "#acme").unwrap().id.clone();
        for n in 0..5 {
            world.post(
                Message {
                    channel: channel.clone(),
                    text: n.to_string(),
                    ..Message::default()
                },
                now,
            );
        }
        let texts: Vec<_> = world
            .channel(&channel)
            .unwrap()
            .messages
            .iter()
            .map(|message| message.text.as_str())
            .collect();
        assert_eq!(texts, ["2", "3", "4"]);
    }

    #[test]
    fn zones_are_read_at_the_instant_asked_for() {
        let world = seed::world("BillOps", 3);
        let nina = world.person("nina").unwrap();
        let winter = DateTime::from_timestamp(1_795_168_800, 0).unwrap();
        assert_eq!(nina.tz_offset(winter), 3600);
        assert_eq!(nina.tz_offset(winter + chrono::TimeDelta::days(200)), 7200);
    }
}
