//! Acting as a person: typing, pressing, choosing, opening the Home tab, and looking.

use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    acting::{self, Choice, Target, Unable},
    blocks::{self, Surface},
    elements,
    envelopes::{Answer, Envelope},
    payloads::Place,
    world::{Entered, Person, View, World},
};

/// What a menu that asks the app for its options got.
#[derive(Clone, Debug, Default)]
pub struct Suggestions {
    /// How the acknowledgement went.
    pub answer: Answer,
    /// The options, those of groups included.
    pub options: Vec<Value>,
    /// The groups, if the app answered with groups.
    pub option_groups: Vec<Value>,
}

/// How an element is named.
#[derive(Clone, Copy)]
pub(super) enum Named<'a> {
    /// `action_id`, or `block_id/action_id`.
    Name(&'a str),
    /// Both, from the page.
    Both(&'a str, &'a str),
}

/// What is done with it.
#[derive(Clone, Copy)]
pub(super) enum Input<'a> {
    Press,
    Choose(&'a Choice),
    /// The fields of an action as the page sends them.
    Fields(&'a Value),
}

impl World {
    pub(super) fn someone(&self, user: &str) -> Result<&Person, Unable> {
        self.person(user)
            .ok_or_else(|| Unable::NoPerson(user.to_owned()))
    }

    /// The blocks this person has before them there, and what is entered in them.
    fn surface(
        &self,
        user: &str,
        target: &Target,
    ) -> Result<(Place<'_>, &[Value], &Entered), Unable> {
        match target {
            Target::Message { channel, ts } => {
                let missing = || Unable::NoMessage(ts.clone());
                let channel = self.channel(channel).ok_or_else(missing)?;
                let message = channel
                    .message(ts)
                    .filter(|message| channel.members.contains(user) && message.visible_to(user))
                    .ok_or_else(missing)?;
                let place = Place::Message {
                    channel,
                    ts: &message.ts,
                };
                Ok((place, &message.blocks, &message.entered))
            }
            Target::View(id) => {
                let view = self.on_screen(user, id)?;
                Ok((Place::View(view), view.blocks(), &view.entered))
            }
        }
    }

    /// The view, if it is this person's Home tab or their topmost modal.
    pub(super) fn on_screen(&self, user: &str, id: &str) -> Result<&View, Unable> {
        let home = self.homes.get(user).is_some_and(|home| home == id);
        let top = self.modals.get(user).and_then(|stack| stack.last());
        self.views
            .get(id)
            .filter(|_| home || top.is_some_and(|top| top == id))
            .ok_or_else(|| Unable::NoView(id.to_owned()))
    }

    pub(super) fn entered_mut(&mut self, target: &Target) -> Option<&mut Entered> {
        match target {
            Target::Message { channel, ts } => self
                .channel_mut(channel)?
                .message_mut(ts)
                .map(|message| &mut message.entered),
            Target::View(id) => self.views.get_mut(id).map(|view| &mut view.entered),
        }
    }
}

impl Sandbox {
    /// Presses a button in a message or a view. The element is an `action_id`, or
    /// `block_id/action_id` where the same action stands in several blocks.
    ///
    /// # Errors
    /// The button is not on this person's screen, or there are several of that name.
    pub async fn click(
        &self,
        user: &str,
        target: impl Into<Target>,
        element: &str,
    ) -> Result<Answer, Unable> {
        let (target, element) = (target.into(), Named::Name(element));
        self.act(user, &target, element, Input::Press, &Entered::new())
            .await
    }

    /// Picks something from a menu, a set of boxes or a date or time picker, which tells the app.
    ///
    /// # Errors
    /// The element is not there, or does not offer that.
    pub async fn choose(
        &self,
        user: &str,
        target: impl Into<Target>,
        element: &str,
        choice: Choice,
    ) -> Result<Answer, Unable> {
        let (target, element) = (target.into(), Named::Name(element));
        self.act(
            user,
            &target,
            element,
            Input::Choose(&choice),
            &Entered::new(),
        )
        .await
    }

    pub(super) async fn act(
        &self,
        user: &str,
        target: &Target,
        element: Named<'_>,
        input: Input<'_>,
        entered: &Entered,
    ) -> Result<Answer, Unable> {
        let now = self.slack.options.clock.now();
        let (title, payload) = self.change(|world| {
            let person = world.someone(user)?.clone();
            let action_ts = world.next_ts(now);
            let (place, blocks, _) = world.surface(&person.id, target)?;
            let found = match element {
                Named::Name(name) => acting::find(blocks, name)?,
                Named::Both(block, action) => acting::find(blocks, &format!("{block}/{action}"))?,
            };
            let chosen = chosen(found.element, input)?;
            let action = elements::action(&found, chosen.as_ref(), &action_ts);
            let (view, channel, original) = match &place {
                Place::Message { channel, ts } => (None, Some(channel.id.as_str()), Some(*ts)),
                Place::View(view) => (Some(view.id.as_str()), view.origin.as_deref(), None),
            };
            let trigger = self.new_trigger(&person.id, view, channel);
            let url = channel
                .zip(original)
                .map(|(channel, ts)| self.new_response_url(&person.id, channel, Some(ts), None));
            let keep = chosen
                .filter(|_| elements::keeps_value(found.element))
                .map(|value| {
                    (
                        found.block_id.to_owned(),
                        found.action_id().to_owned(),
                        value,
                    )
                });
            let title = found.action_id().to_owned();
            if let Some(current) = world.entered_mut(target) {
                elements::merge(current, entered);
                if let Some((block_id, action_id, value)) = keep {
                    elements::put(current, &block_id, &action_id, value);
                }
            }
            let (place, ..) = world.surface(&person.id, target)?;
            let mut payload = world.block_actions(&person, &place);
            payload["trigger_id"] = json!(trigger);
            payload["actions"] = json!([action]);
            if let Some(url) = url {
                payload["response_url"] = json!(url);
            }
            Ok((title, payload))
        })?;
        Ok(self.interact(title, payload, false).await)
    }

    pub(super) async fn interact(&self, title: String, payload: Value, accepts: bool) -> Answer {
        self.deliver(&Envelope {
            id: self.new_envelope_id(),
            kind: "interactive",
            accepts,
            title,
            payload,
            retry: None,
        })
        .await
    }

    /// Types into a menu that asks the app for its options.
    ///
    /// # Errors
    /// The menu is not on this person's screen.
    pub async fn suggest(
        &self,
        user: &str,
        target: impl Into<Target>,
        element: &str,
        typed: &str,
    ) -> Result<Suggestions, Unable> {
        self.ask_options(user, &target.into(), Named::Name(element), typed)
            .await
    }

    pub(super) async fn ask_options(
        &self,
        user: &str,
        target: &Target,
        element: Named<'_>,
        typed: &str,
    ) -> Result<Suggestions, Unable> {
        let (title, payload) = self.world(|world| {
            let person = world.someone(user)?;
            let (place, blocks, _) = world.surface(&person.id, target)?;
            let found = match element {
                Named::Name(name) => acting::find(blocks, name)?,
                Named::Both(block, action) => acting::find(blocks, &format!("{block}/{action}"))?,
            };
            let kind = found.element["type"].as_str().unwrap_or_default();
            if !kind.ends_with("external_select") {
                return Err(Unable::WrongChoice(kind.to_owned()));
            }
            let names = (found.block_id, found.action_id());
            let payload = world.block_suggestion(person, &place, names, typed);
            Ok((format!("{}: {typed}", found.action_id()), payload))
        })?;
        let mut answer = self.interact(title, payload, true).await;
        let body = answer.payload.clone().unwrap_or_default();
        if answer.error.is_none() {
            let problems = blocks::check(&Surface::Suggestion, &body);
            if !problems.is_empty() {
                self.violated("ack", "invalid_options", blocks::messages(&problems));
                answer.error = Some("invalid_options".to_owned());
            }
        }
        if answer.error.is_some() {
            return Ok(Suggestions {
                answer,
                ..Suggestions::default()
            });
        }
        Ok(Suggestions {
            answer,
            options: elements::options(&body).cloned().collect(),
            option_groups: body["option_groups"]
                .as_array()
                .cloned()
                .unwrap_or_default(),
        })
    }

    /// Runs a global shortcut, or a message shortcut on a message.
    ///
    /// # Errors
    /// The manifest has no such shortcut, or the message is not visible to this person.
    pub async fn shortcut(
        &self,
        user: &str,
        callback_id: &str,
        message: Option<&Target>,
    ) -> Result<Answer, Unable> {
        let known = self
            .slack
            .options
            .manifest
            .shortcuts
            .iter()
            .any(|shortcut| {
                shortcut.callback_id == callback_id && shortcut.on_message == message.is_some()
            });
        if !known {
            return Err(Unable::NoShortcut(callback_id.to_owned()));
        }
        let now = self.slack.options.clock.now();
        let payload = self.change(|world| {
            let action_ts = world.next_ts(now);
            let person = world.someone(user)?;
            let Some(target) = message else {
                let trigger = self.new_trigger(&person.id, None, None);
                return Ok(world.shortcut(person, callback_id, &trigger, &action_ts));
            };
            let Place::Message { channel, ts } = world.surface(&person.id, target)?.0 else {
                return Err(Unable::NoMessage(callback_id.to_owned()));
            };
            let trigger = self.new_trigger(&person.id, None, Some(&channel.id));
            let mut payload = world.shortcut(person, callback_id, &trigger, &action_ts);
            payload["type"] = json!("message_action");
            payload["message_ts"] = json!(ts);
            payload["channel"] = json!({"id": channel.id, "name": channel.payload_name()});
            payload["message"] = channel
                .message(ts)
                .map_or(Value::Null, |message| world.message_json(message));
            let url = self.new_response_url(&person.id, &channel.id, Some(ts), None);
            payload["response_url"] = json!(url);
            Ok(payload)
        })?;
        Ok(self.interact(callback_id.to_owned(), payload, false).await)
    }

    /// Opens the app's Home tab. Answers after the first attempt to tell the app.
    ///
    /// # Errors
    /// There is no such person.
    pub async fn open_home(&self, user: &str) -> Result<Answer, Unable> {
        self.open_tab(user, "home").await
    }

    /// Opens a tab of the app: `home` or `messages`.
    pub(super) async fn open_tab(&self, user: &str, tab: &str) -> Result<Answer, Unable> {
        let now = self.slack.options.clock.now();
        let event = self.world(|world| {
            let person = world.someone(user)?;
            let mut event = json!({
                "type": "app_home_opened",
                "user": person.id,
                "channel": person.dm(),
                "event_ts": now.timestamp_micros().to_string(),
                "tab": tab,
            });
            if let Some(home) = world.home_of(&person.id) {
                event["view"] = home.json();
            }
            Ok(event)
        })?;
        if !self.slack.options.manifest.sends("app_home_opened") {
            return Ok(Answer::default());
        }
        Ok(self.send_event(event).await)
    }

    /// The person is in another zone from now on, as their client tells Slack. The app hears of it if it subscribes to
    /// `user_change`.
    ///
    /// # Errors
    /// There is no such person.
    pub async fn travel(&self, user: &str, zone: chrono_tz::Tz) -> Result<Answer, Unable> {
        let now = self.slack.options.clock.now();
        let id = self.world(|world| world.someone(user).map(|person| person.id.clone()))?;
        self.change(|world| {
            if let Some(person) = world.person_mut(&id) {
                person.tz = zone;
            }
        });
        if !self.slack.options.manifest.sends("user_change") {
            return Ok(Answer::default());
        }
        let event = self.world(|world| {
            let person = world.someone(&id)?;
            Ok(json!({
                "type": "user_change",
                "user": super::methods::person_json(person, &world.team.id, now),
                "cache_ts": now.timestamp(),
                "event_ts": now.timestamp_micros().to_string(),
            }))
        })?;
        Ok(self.send_event(event).await)
    }

    /// The person becomes an admin of the workspace, or ceases to be one. The app is not told.
    ///
    /// # Errors
    /// There is no such person.
    pub fn set_admin(&self, user: &str, is_admin: bool) -> Result<(), Unable> {
        let id = self.world(|world| world.someone(user).map(|person| person.id.clone()))?;
        self.change(|world| {
            if let Some(person) = world.person_mut(&id) {
                person.is_admin = is_admin;
            }
        });
        Ok(())
    }

    /// Sends an event of the Events API, which is repeated until it is acknowledged.
    pub async fn send_event(&self, event: Value) -> Answer {
        let now = self.slack.options.clock.now();
        let title = event["type"].as_str().unwrap_or("event").to_owned();
        let payload = self.change(|world| {
            let team = world.team.id.get(1..3).unwrap_or("07").to_owned();
            let id = format!("Ev{team}{:08X}", world.next_serial());
            world.event_callback(&event, &id, now)
        });
        self.event(title, payload).await
    }
}

/// The value object of what is chosen; `None` for a button.
fn chosen(element: &Value, input: Input<'_>) -> Result<Option<Value>, Unable> {
    let kind = element["type"].as_str().unwrap_or_default();
    let wrong = || Unable::WrongChoice(kind.to_owned());
    match (input, elements::value_field(kind)) {
        (Input::Press | Input::Fields(_), None) => Ok(None),
        (Input::Choose(choice), Some(_)) => choice.value(element).map(Some),
        (Input::Fields(fields), Some(field)) => {
            let value = fields.get(field).cloned().unwrap_or_default();
            let mut object = Map::new();
            object.insert("type".to_owned(), json!(kind));
            object.insert(field.to_owned(), value);
            Ok(Some(Value::Object(object)))
        }
        (Input::Press, Some(_)) | (Input::Choose(_), None) => Err(wrong()),
    }
}
