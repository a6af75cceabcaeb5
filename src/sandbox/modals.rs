//! Modals as a person uses them: filling in, submitting, closing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Sandbox,
    acting::{self, Choice, Target, Unable},
    arguments::Refusal,
    blocks::{self, Surface},
    elements,
    envelopes::Answer,
    world::{Entered, Person, View, World},
};

/// What became of a form.
#[derive(Clone, Debug, Default)]
pub struct Submission {
    /// How the acknowledgement went.
    pub answer: Answer,
    /// The sentences under the fields, by block id.
    pub errors: BTreeMap<String, String>,
    /// The form is no longer on the screen.
    pub closed: bool,
}

impl World {
    /// Takes a modal off the screen, and those on top of it.
    fn take_modal(&mut self, user: &str, id: &str) -> Vec<View> {
        let Some(stack) = self.modals.get_mut(user) else {
            return Vec::new();
        };
        let Some(at) = stack.iter().position(|open| open == id) else {
            return Vec::new();
        };
        let gone = stack.split_off(at);
        gone.iter().filter_map(|id| self.views.remove(id)).collect()
    }
}

fn view_id(target: &Target) -> Result<&str, Unable> {
    match target {
        Target::View(id) => Ok(id),
        Target::Message { ts, .. } => Err(Unable::NoView(ts.clone())),
    }
}

/// The action id of the only field in a block, or of the one that is named.
fn field<'a>(blocks: &'a [Value], name: &str) -> Result<elements::Found<'a>, Unable> {
    let mut fields = elements::all(blocks)
        .into_iter()
        .filter(|found| found.block_id == name && elements::keeps_value(found.element));
    match (fields.next(), fields.next()) {
        (Some(only), None) => Ok(only),
        _ => acting::find(blocks, name),
    }
}

/// Slack's own interface does not send a form while a field that is not optional is empty.
fn empty_fields(view: &View) -> Vec<String> {
    let state = elements::state(view.blocks(), &view.entered);
    view.blocks()
        .iter()
        .filter(|block| block["type"] == "input" && block["optional"] != true)
        .filter(|block| {
            let element = &block["element"];
            let (Some(id), Some(action), Some(field)) = (
                block["block_id"].as_str(),
                element["action_id"].as_str(),
                elements::value_field(element["type"].as_str().unwrap_or_default()),
            ) else {
                return false;
            };
            let empty = |value: &Value| match value {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                _ => false,
            };
            state
                .get(id)
                .is_none_or(|block| empty(&block[action][field]))
        })
        .filter_map(|block| block["block_id"].as_str().map(str::to_owned))
        .collect()
}

impl Sandbox {
    /// Fills in a form and submits it. A field is named by its block id, or by
    /// `block_id/action_id` where a block has several. What is not mentioned stays as it is.
    ///
    /// # Errors
    /// The form is not on top of this person's screen, a field is not there or does not take that,
    /// or a field that must be filled is empty.
    pub async fn submit(
        &self,
        user: &str,
        view: impl Into<Target>,
        values: &[(&str, Choice)],
    ) -> Result<Submission, Unable> {
        let target = view.into();
        let entered = self.world(|world| {
            let person = world.someone(user)?;
            let view = world.on_screen(&person.id, view_id(&target)?)?;
            let mut entered = Entered::new();
            for (name, choice) in values {
                let found = field(view.blocks(), name)?;
                let value = choice.value(found.element)?;
                elements::put(&mut entered, found.block_id, found.action_id(), value);
            }
            Ok(entered)
        })?;
        self.submit_entered(user, view_id(&target)?, &entered).await
    }

    pub(super) async fn submit_entered(
        &self,
        user: &str,
        id: &str,
        entered: &Entered,
    ) -> Result<Submission, Unable> {
        let (person, view, payload) = self.change(|world| {
            let person = world.someone(user)?.clone();
            world.on_screen(&person.id, id)?;
            let view = world
                .views
                .get_mut(id)
                .ok_or_else(|| Unable::NoView(id.to_owned()))?;
            if view.body["submit"].is_null() {
                return Err(Unable::NoSubmit);
            }
            elements::merge(&mut view.entered, entered);
            let empty = empty_fields(view);
            if !empty.is_empty() {
                return Err(Unable::EmptyFields(empty.join(", ")));
            }
            let view = view.clone();
            let trigger = self.new_trigger(&person.id, Some(id), view.origin.as_deref());
            let payload = world.view_submission(&person, &view, &trigger);
            Ok((person, view, payload))
        })?;
        let title = format!("submit {}", view.callback_id());
        let answer = self.interact(title, payload, true).await;
        if answer.error.is_some() {
            return Ok(Submission {
                answer,
                ..Submission::default()
            });
        }
        Ok(self.take_response(&person, &view, answer))
    }

    /// Does what the acknowledgement of a submission asks for.
    fn take_response(&self, person: &Person, view: &View, mut answer: Answer) -> Submission {
        let body = answer.payload.clone().unwrap_or_default();
        let mut errors = BTreeMap::new();
        let result = self.apply_response(person, view, body, &mut errors);
        if let Err(refusal) = result {
            self.violated("ack", &refusal.error, refusal.messages);
            answer.error = Some(refusal.error);
        }
        let closed = self.world(|world| !world.views.contains_key(&view.id));
        Submission {
            answer,
            errors,
            closed,
        }
    }

    fn apply_response(
        &self,
        person: &Person,
        view: &View,
        mut body: Value,
        errors: &mut BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        let user = person.id.as_str();
        if body.is_null() || body == json!({}) {
            self.change(|world| {
                world.take_modal(user, &view.id);
                self.show_modals(world, user);
            });
            return Ok(());
        }
        let problems = blocks::check(&Surface::Submission, &body);
        if !problems.is_empty() {
            let messages = blocks::messages(&problems);
            return Err(Refusal::with("invalid_submission_response", messages));
        }
        let next = body["view"].take();
        if next.is_object() {
            self.check_view("ack.view_submission", &next)?;
        }
        match body["response_action"].as_str().unwrap_or_default() {
            "errors" => {
                for (block_id, sentence) in body["errors"].as_object().into_iter().flatten() {
                    let sentence = sentence.as_str().unwrap_or_default().to_owned();
                    errors.insert(block_id.clone(), sentence);
                }
                let is_input = |id: &str| {
                    view.blocks()
                        .iter()
                        .any(|block| block["type"] == "input" && block["block_id"] == id)
                };
                let strangers: Vec<String> = errors
                    .keys()
                    .filter(|id| !is_input(id))
                    .map(|id| format!("errors name {id}, which is not an input block"))
                    .collect();
                if strangers.is_empty() {
                    return Ok(());
                }
                Err(Refusal::with("invalid_submission_response", strangers))
            }
            "clear" => {
                self.change(|world| {
                    let root = world
                        .modals
                        .get(user)
                        .and_then(|stack| stack.first().cloned());
                    if let Some(root) = root {
                        world.take_modal(user, &root);
                    }
                    self.show_modals(world, user);
                });
                Ok(())
            }
            "update" => self
                .change(|world| self.change_view(world, &view.id, next, None))
                .map(|_| ()),
            _ => self
                .change(|world| self.stack_modal(world, user, next, view.origin.clone(), true))
                .map(|_| ()),
        }
    }

    /// Closes the topmost modal with its *Cancel* button.
    ///
    /// # Errors
    /// It is not on top of this person's screen.
    pub async fn close(&self, user: &str, view: impl Into<Target>) -> Result<Answer, Unable> {
        let target = view.into();
        let id = view_id(&target)?;
        let clears = self.world(|world| {
            let person = world.someone(user)?;
            let view = world.on_screen(&person.id, id)?;
            Ok(view.body["clear_on_close"] == true)
        })?;
        self.take_off(user, if clears { None } else { Some(id) })
            .await
    }

    /// Closes all modals with the × in the corner.
    ///
    /// # Errors
    /// There is no such person.
    pub async fn close_all(&self, user: &str) -> Result<Answer, Unable> {
        self.take_off(user, None).await
    }

    /// Tells the app of every modal that asked for it. `None`: the whole stack.
    async fn take_off(&self, user: &str, id: Option<&str>) -> Result<Answer, Unable> {
        let cleared = id.is_none();
        let (person, gone) = self.change(|world| {
            let person = world.someone(user)?.clone();
            let root = world.modals.get(&person.id).and_then(|stack| stack.first());
            let id = id.map(str::to_owned).or_else(|| root.cloned());
            let gone = id.map_or_else(Vec::new, |id| world.take_modal(&person.id, &id));
            self.show_modals(world, &person.id);
            Ok((person, gone))
        })?;
        let mut answer = Answer::default();
        for view in gone
            .iter()
            .filter(|view| view.body["notify_on_close"] == true)
        {
            let payload = self.world(|world| world.view_closed(&person, view, cleared));
            let title = format!("close {}", view.callback_id());
            answer = self.interact(title, payload, false).await;
        }
        Ok(answer)
    }
}
