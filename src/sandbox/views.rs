//! `views.*`: modals and Home tabs that the bot opens, changes and publishes.

use serde_json::{Value, json};

use super::{
    Sandbox,
    arguments::{Answered, Arguments, Refusal},
    blocks::{self, Surface},
    elements,
    page_events::Shown,
    world::{Entered, View, World},
};

/// Slack's limit of modals on top of each other.
pub(super) const STACK: usize = 3;

/// What a view is made of before it is on a screen.
pub(super) struct NewView {
    pub(super) user: String,
    pub(super) view: Value,
    pub(super) root: Option<String>,
    pub(super) previous: Option<String>,
    pub(super) origin: Option<String>,
}

impl World {
    pub(super) fn add_view(&mut self, new: NewView, seconds: i64) -> View {
        let id = format!("V07{:07X}", self.next_serial());
        let mut view = View {
            id: id.clone(),
            hash: String::new(),
            user: new.user,
            body: json!({
                "id": id,
                "previous_view_id": new.previous,
                "root_view_id": new.root.as_ref().unwrap_or(&id),
            }),
            entered: Entered::new(),
            origin: new.origin,
        };
        self.fill_view(&mut view, new.view, seconds);
        self.views.insert(id, view.clone());
        view
    }

    /// Puts new contents into a view; what was entered stays where its element stays.
    pub(super) fn fill_view(&mut self, view: &mut View, mut contents: Value, seconds: i64) {
        view.hash = format!("{seconds}.{:08x}", self.next_serial());
        let mut blocks = match contents["blocks"].take() {
            Value::Array(blocks) => blocks,
            _ => Vec::new(),
        };
        elements::complete(&mut blocks);
        elements::forget(&mut view.entered, &blocks);
        let body = &mut view.body;
        body["team_id"] = json!(self.team.id);
        body["type"] = contents["type"].take();
        body["blocks"] = json!(blocks);
        for name in ["private_metadata", "callback_id", "external_id"] {
            body[name] = json!(contents[name].as_str().unwrap_or_default());
        }
        for name in ["clear_on_close", "notify_on_close"] {
            body[name] = json!(contents[name] == true);
        }
        for name in ["title", "close", "submit"] {
            let mut text = contents[name].take();
            if text.is_object() && !text["emoji"].is_boolean() {
                text["emoji"] = json!(true);
            }
            if name != "title" || !text.is_null() {
                body[name] = text;
            }
        }
        body["hash"] = json!(view.hash);
        body["app_id"] = json!(self.app.id);
        body["app_installed_team_id"] = json!(self.team.id);
        body["bot_id"] = json!(self.app.bot_id);
    }

    fn taken(&self, external_id: &str, by_another_than: Option<&str>) -> bool {
        !external_id.is_empty()
            && self.views.values().any(|view| {
                view.body["external_id"] == external_id && Some(view.id.as_str()) != by_another_than
            })
    }
}

impl Sandbox {
    /// Refuses a view that Slack would refuse. `name` is the definition it must fit.
    pub(super) fn check_view(&self, method: &str, view: &Value) -> Result<(), Refusal> {
        if !view.is_object() {
            let message = "[ERROR] missing required field: view".to_owned();
            return Err(Refusal::with("invalid_arguments", vec![message]));
        }
        if blocks::too_large(view) {
            return Err(Refusal::new("view_too_large"));
        }
        if !self.slack.options.validate_blocks {
            return Ok(());
        }
        let problems = blocks::check(&Surface::view(method), &json!({"view": view}));
        if problems.is_empty() {
            return Ok(());
        }
        Err(Refusal::with(
            "invalid_arguments",
            blocks::messages(&problems),
        ))
    }

    pub(super) fn show_modals(&self, world: &World, user: &str) {
        self.here().page.show(|| Shown::Modals {
            user: user.to_owned(),
            views: world.modals_of(user).into_iter().map(View::json).collect(),
        });
    }

    fn show_home(&self, view: &View) {
        self.here().page.show(|| Shown::Home {
            user: view.user.clone(),
            view: view.json(),
        });
    }

    fn seconds(&self) -> i64 {
        self.slack.options.clock.now().timestamp()
    }

    /// Puts a modal on top of the one that is open, or opens the first.
    pub(super) fn stack_modal(
        &self,
        world: &mut World,
        user: &str,
        view: Value,
        origin: Option<String>,
        on_top: bool,
    ) -> Result<View, Refusal> {
        if world.taken(view["external_id"].as_str().unwrap_or_default(), None) {
            return Err(Refusal::new("duplicate_external_id"));
        }
        let mut stack = world.modals.remove(user).unwrap_or_default();
        if on_top && stack.len() >= STACK {
            world.modals.insert(user.to_owned(), stack);
            return Err(Refusal::new("push_limit_reached"));
        }
        if !on_top {
            for id in stack.drain(..) {
                world.views.remove(&id);
            }
        }
        let new = NewView {
            user: user.to_owned(),
            view,
            root: stack.first().cloned(),
            previous: stack.last().cloned(),
            origin,
        };
        let view = world.add_view(new, self.seconds());
        stack.push(view.id.clone());
        world.modals.insert(user.to_owned(), stack);
        self.show_modals(world, user);
        Ok(view)
    }

    /// New contents for a view that is there, whoever asked for it.
    pub(super) fn change_view(
        &self,
        world: &mut World,
        id: &str,
        contents: Value,
        hash: Option<&str>,
    ) -> Result<View, Refusal> {
        let not_found = || Refusal::new("not_found");
        let current = world.views.get(id).ok_or_else(not_found)?;
        if hash.is_some_and(|hash| hash != current.hash) {
            return Err(Refusal::new("hash_conflict"));
        }
        if contents["type"] != current.body["type"] {
            let message = "[ERROR] the type of a view cannot change [json-pointer:/view/type]";
            return Err(Refusal::with("invalid_arguments", vec![message.to_owned()]));
        }
        if world.taken(
            contents["external_id"].as_str().unwrap_or_default(),
            Some(id),
        ) {
            return Err(Refusal::new("duplicate_external_id"));
        }
        let mut view = world.views.remove(id).ok_or_else(not_found)?;
        world.fill_view(&mut view, contents, self.seconds());
        world.views.insert(id.to_owned(), view.clone());
        if view.is_modal() {
            self.show_modals(world, &view.user);
        } else {
            self.show_home(&view);
        }
        Ok(view)
    }
}

fn answer(view: &View) -> Value {
    json!({"ok": true, "view": view.answer_json()})
}

fn view_argument(sandbox: &Sandbox, method: &str, arguments: &Arguments) -> Result<Value, Refusal> {
    let view = arguments.structure("view")?.unwrap_or_default();
    sandbox.check_view(method, &view)?;
    Ok(view)
}

pub(super) fn open(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    open_or_push(sandbox, arguments, "views.open")
}

pub(super) fn push(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    open_or_push(sandbox, arguments, "views.push")
}

fn open_or_push(sandbox: &Sandbox, arguments: &Arguments, method: &str) -> Answered {
    let trigger = arguments.needed("trigger_id")?;
    let view = view_argument(sandbox, method, arguments)?;
    let by = sandbox.check_trigger(trigger).map_err(Refusal::new)?;
    let view = sandbox.change(|world| {
        let on_top = method == "views.push";
        let mut origin = by.channel.clone();
        if on_top {
            let below = by.view.as_ref().and_then(|id| world.views.get(id));
            let below = below
                .filter(|view| view.is_modal())
                .ok_or_else(|| Refusal::new("not_found"))?;
            origin.clone_from(&below.origin);
        }
        sandbox.stack_modal(world, &by.user, view, origin, on_top)
    })?;
    sandbox.spend_trigger(trigger);
    Ok(answer(&view))
}

pub(super) fn update(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    let named = (arguments.text("view_id"), arguments.text("external_id"));
    if named == (None, None) {
        return arguments.needed("view_id").map(|_| Value::Null);
    }
    let view = view_argument(sandbox, "views.update", arguments)?;
    sandbox.change(|world| {
        let id = world
            .views
            .values()
            .find(|view| match named {
                (Some(id), _) => view.id == id,
                (None, external_id) => view.body["external_id"].as_str() == external_id,
            })
            .map(|view| view.id.clone())
            .ok_or_else(|| Refusal::new("not_found"))?;
        let hash = arguments.text("hash");
        let view = sandbox.change_view(world, &id, view, hash)?;
        Ok(answer(&view))
    })
}

pub(super) fn publish(sandbox: &Sandbox, arguments: &Arguments) -> Answered {
    let user = arguments.needed("user_id")?;
    let view = view_argument(sandbox, "views.publish", arguments)?;
    if !sandbox.slack.options.manifest.home_tab {
        return Err(Refusal::new("not_enabled"));
    }
    sandbox.change(|world| {
        if !world.people().iter().any(|person| person.id == user) {
            let message = "[ERROR] invalid user_id".to_owned();
            return Err(Refusal::with("invalid_arguments", vec![message]));
        }
        let hash = arguments.text("hash");
        if let Some(id) = world.homes.get(user).cloned() {
            let view = sandbox.change_view(world, &id, view, hash)?;
            return Ok(answer(&view));
        }
        if hash.is_some() {
            return Err(Refusal::new("hash_conflict"));
        }
        let new = NewView {
            user: user.to_owned(),
            view,
            root: None,
            previous: None,
            origin: None,
        };
        let view = world.add_view(new, sandbox.seconds());
        world.homes.insert(user.to_owned(), view.id.clone());
        sandbox.show_home(&view);
        Ok(answer(&view))
    })
}
