//! Calendars, as people connect, choose and give them up; and the token for programs.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use slack_morphism::prelude::{
    SlackBlock, SlackBlockId, SlackCallbackId, SlackModalView, SlackView,
};
use uuid::Uuid;

use super::{
    Door,
    actions::Press,
    forms::{self, Meta},
    home,
    inbound::View,
    logged,
    messages::{self, List, Message, Reader, label},
    notices::mark,
    open_form, preferences,
};
use crate::{
    app::{Listed, Notice, REMINDERS, SyncProblem, TokenProblem},
    domain::{
        member::Member,
        provider::Provider,
        scope::{Scope, Scopes},
    },
    error::{Failed, chain},
    jobs::Ran,
};

/// A button or menu about calendars was used.
pub(super) async fn pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let (door, trigger) = (press.door, &press.interaction.trigger_id);
    let value = press.value();
    let (verb, value) = match verb {
        "menu" => value.split_once(' ').unwrap_or((value, "")),
        verb => (verb, value),
    };
    if let Some(provider) = verb.strip_prefix("connect.").and_then(Provider::from_name) {
        return offer_link(press, member, provider, None).await;
    }
    if verb == "connect_link" {
        // The browser has opened the link; a form that still offers it would be in the way afterwards.
        if let Some(provider) = Provider::from_name(value)
            && !press.interaction.view.id.is_empty()
        {
            let (title, blocks) = (link_title(provider), messages::link_opened_blocks(provider));
            let view = modal("calendar.link", &title, None, blocks, &Meta::default());
            show(press, &view).await;
        }
        return Ok(None);
    }
    let account = value
        .strip_prefix("c:")
        .and_then(|id| Uuid::parse_str(id).ok());
    let account = match account {
        Some(id) => door.app.account(member, id).await?,
        None => None,
    };
    let Some(account) = account else {
        return gone(press, member).await;
    };
    match verb {
        "reconnect" => offer_link(press, member, account.provider, Some(account.id)).await,
        "choose" => {
            let view = choose_view(&account, List::Asking);
            let Some(view_id) = door.client.open_modal_id(trigger, &view).await else {
                return Ok(None);
            };
            // Opened at once with what is known; what the provider says follows.
            let listed = door.app.list_calendars(member, account.id).await?;
            let now = door.app.account(member, account.id).await?;
            if let Some(now) = now {
                let list = match listed {
                    Listed::Fresh => List::Fresh,
                    Listed::Stale => List::Old,
                    Listed::NeedsReconnect | Listed::Gone => List::NeedsReconnect,
                };
                let view = choose_view(&now, list);
                if let Err(problem) = door.client.update_modal(&view_id, &view).await {
                    tracing::warn!("calendars.form_not_updated: {problem}");
                }
            }
            Ok(None)
        }
        "sync" | "turn_on" => {
            if verb == "turn_on" {
                door.app.set_sync(member, account.id, true).await?;
            }
            home::redraw(press, member, Some(Notice::Reading(account.id))).await;
            let (door, member) = (door.clone(), member.clone());
            // Beside the press, for it takes as long as the provider does; what came of it is drawn at the end.
            press.door.answers.spawn(async move {
                for calendar in account.read() {
                    if let Err(problem) = door.app.sync_calendar(calendar.id).await {
                        tracing::warn!(calendar = %calendar.id, "calendars.not_read: {problem:?}");
                    }
                }
                home::publish_now(&door, &member, None).await;
            });
            Ok(None)
        }
        "turn_off" => {
            door.app.set_sync(member, account.id, false).await?;
            home::redraw(press, member, None).await;
            Ok(None)
        }
        "disconnect_form" => {
            let meta = Meta {
                id: Some(account.id),
                home: press.interaction.is_on_home(),
                ..Meta::default()
            };
            let title = format!("Disconnect {}", account.provider.name());
            let view = modal(
                "calendar.disconnect",
                &title,
                Some("Disconnect"),
                messages::disconnect_blocks(&account),
                &meta,
            );
            open_form::open(door, trigger, &view).await;
            Ok(None)
        }
        "disconnect" | "off" => {
            let Some(account) = door.app.disconnect(member, account.id).await? else {
                return gone(press, member).await;
            };
            if press.interaction.is_on_home() {
                home::redraw(press, member, None).await;
                return Ok(None);
            }
            Ok(Some(messages::disconnected(press.reader(member), &account)))
        }
        _ => Ok(None),
    }
}

async fn gone(press: &Press<'_>, member: &Arc<Member>) -> Result<Option<Message>, Failed> {
    if press.interaction.is_on_home() {
        home::redraw(press, member, None).await;
        return Ok(None);
    }
    Ok(Some(messages::no_account(press.reader(member))))
}

fn link_title(provider: Provider) -> String {
    format!("Connect {}", provider.name())
}

/// The link in a form of its own: only this person sees it, wherever the button was.
async fn offer_link(
    press: &Press<'_>,
    member: &Member,
    provider: Provider,
    account: Option<Uuid>,
) -> Result<Option<Message>, Failed> {
    let door = press.door;
    let link = door.app.connect_link(member, provider, account).await?;
    let reader = press.reader(member);
    let message = link.map_or_else(
        || messages::not_set_up(reader, provider),
        |link| messages::connect_link(reader, &link),
    );
    let view = modal(
        "calendar.link",
        &link_title(provider),
        None,
        message.blocks,
        &Meta::default(),
    );
    open_form::open(door, &press.interaction.trigger_id, &view).await;
    Ok(None)
}

fn choose_view(account: &crate::domain::calendar::Account, list: List) -> SlackView {
    let meta = Meta {
        id: Some(account.id),
        ..Meta::default()
    };
    modal(
        "calendar.choose_save",
        "Choose calendars",
        Some("Save"),
        messages::choose_blocks(account, list),
        &meta,
    )
}

/// A form that only says something.
pub(super) fn said(callback_id: &str, sentence: &str) -> SlackView {
    let id = SlackBlockId("said".to_owned());
    let block = messages::section(id, sentence.to_owned());
    modal(
        callback_id,
        "Calendars",
        None,
        vec![block],
        &Meta::default(),
    )
}

fn modal(
    callback_id: &str,
    title: &str,
    submit: Option<&str>,
    blocks: Vec<SlackBlock>,
    meta: &Meta,
) -> SlackView {
    let mut view = SlackModalView::new(label(title), blocks)
        .with_callback_id(SlackCallbackId(callback_id.to_owned()))
        .with_close(label(if submit.is_some() { "Cancel" } else { "Close" }))
        .with_private_metadata(serde_json::to_string(meta).expect("it is made of plain fields"));
    view.submit = submit.map(label);
    SlackView::Modal(view)
}

/// A form about calendars was submitted.
pub(super) async fn submitted(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<(), Failed> {
    let Some(account) = meta.id else {
        return Ok(());
    };
    match &*view.callback_id {
        "calendar.choose_save" => {
            let chosen: Vec<Uuid> = view
                .field("calendars")
                .selected_options
                .iter()
                .filter_map(|option| option.value.strip_prefix("k:"))
                .filter_map(|id| Uuid::parse_str(id).ok())
                .collect();
            door.app.choose_calendars(member, account, &chosen).await?;
        }
        "calendar.disconnect" => {
            door.app.disconnect(member, account).await?;
        }
        _ => {}
    }
    Ok(())
}

/// A button about the token for programs was used.
pub(super) async fn token_pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let (door, trigger) = (press.door, &press.interaction.trigger_id);
    let about = |made, ticked, ended| {
        let (now, zone) = (door.app.clock().now(), member.zone());
        let mut blocks = messages::api_token_blocks(made, ticked, now, zone);
        blocks.push(messages::sign_out_everywhere(ended));
        modal("token", "API token", None, blocks, &Meta::default())
    };
    match verb {
        "open" => {
            let made = door.app.api_token_of(member).await?;
            open_form::open(door, trigger, &about(made, usual(), None)).await;
        }
        "create" => {
            // Laid on the form for preferences.
            let made = door.app.api_token_of(member).await?;
            let view = about(made, usual(), None);
            if let Err(problem) = door.client.push_modal(trigger, &view).await {
                tracing::warn!("form.not_opened: {problem}");
            }
        }
        "new" => {
            let ticked = ticked(&press.interaction.view);
            if ticked.is_empty() {
                let made = door.app.api_token_of(member).await?;
                show(press, &about(made, ticked, None)).await;
                return Ok(None);
            }
            let token = door.app.new_api_token(member, ticked).await?;
            let blocks = messages::new_token_blocks(token.expose_secret());
            let view = modal("token", "API token", None, blocks, &Meta::default());
            show(press, &view).await;
            form_below_follows(press, member).await?;
        }
        "revoke" => {
            door.app.revoke_api_token(member).await?;
            let view = &press.interaction.view;
            if view.callback_id == forms::PREFERENCES {
                show(press, &preferences::form(door, member).await?).await;
                return Ok(None);
            }
            show(press, &about(None, usual(), None)).await;
            form_below_follows(press, member).await?;
        }
        "sign_out" => {
            let ended = door.app.sign_out_of(member, None).await?;
            let made = door.app.api_token_of(member).await?;
            show(press, &about(made, usual(), Some(ended))).await;
        }
        _ => {}
    }
    Ok(None)
}

/// What is ticked in a new form.
fn usual() -> Scopes {
    [Scope::Entries].into_iter().collect()
}

/// What is ticked in the form. One that was opened before there was anything to tick asks for the usual.
fn ticked(view: &View) -> Scopes {
    if !view.state.values.contains_key("scopes") {
        return usual();
    }
    let field = view.field("scopes");
    let words: Vec<&str> = field
        .selected_options
        .iter()
        .map(|option| &*option.value)
        .collect();
    Scopes::read(&words.join(" "))
}

/// A token is laid on the form for preferences, which says whether there is one.
async fn form_below_follows(press: &Press<'_>, member: &Arc<Member>) -> Result<(), Failed> {
    let (door, view) = (press.door, &press.interaction.view);
    let root = &view.root_view_id;
    if !root.is_empty() && *root != view.id {
        let form = preferences::form(door, member).await?;
        if let Err(problem) = door.client.update_modal(root, &form).await {
            tracing::warn!("form.not_updated: {problem}");
        }
    }
    Ok(())
}

/// Shows it in the form whose button was pressed.
async fn show(press: &Press<'_>, view: &SlackView) {
    let shown = press
        .door
        .client
        .update_modal(&press.interaction.view.id, view)
        .await;
    if let Err(problem) = shown {
        tracing::warn!("form.not_updated: {problem}");
    }
}

impl Door {
    /// Asks for a refresh of every account whose access token runs out.
    pub async fn queue_refreshes(&self) -> Ran {
        match self.app.queue_refreshes().await {
            Ok(()) => Ran::Done,
            Err(failed) => Ran::Failed(chain(&failed)),
        }
    }

    /// Asks for the reading of every calendar that is due.
    pub async fn queue_syncs(&self) -> Ran {
        match self.app.queue_syncs().await {
            Ok(()) => Ran::Done,
            Err(failed) => Ran::Failed(chain(&failed)),
        }
    }

    /// Asks for the reading of an account's calendars.
    pub async fn queue_account(&self, account: Uuid) -> Ran {
        match self.app.queue_account(account).await {
            Ok(()) => Ran::Done,
            Err(failed) => Ran::Failed(chain(&failed)),
        }
    }

    /// Reads a calendar.
    pub async fn sync_calendar(&self, calendar: Uuid) -> Ran {
        match self.app.sync_calendar(calendar).await {
            Ok(_) | Err(SyncProblem::Gone | SyncProblem::NeedsReconnect) => Ran::Done,
            Err(SyncProblem::Wait(wait)) => Ran::Later(wait.to_std().unwrap_or_default()),
            Err(SyncProblem::Failed(failed)) => Ran::Failed(chain(&failed)),
        }
    }

    /// Refreshes an account's tokens.
    pub async fn refresh_account(&self, account: Uuid) -> Ran {
        match self.app.access_token(account, None).await {
            Ok(_) | Err(TokenProblem::Gone | TokenProblem::NeedsReconnect) => Ran::Done,
            Err(problem) => Ran::Failed(chain(&problem)),
        }
    }

    /// Tells a person that a calendar is connected, since `at`.
    pub async fn tell_connected(
        &self,
        account: Uuid,
        at: chrono::DateTime<chrono::Utc>,
        is_again: bool,
    ) -> Ran {
        let found = async {
            let Some(tokens) = self.app.store().tokens(account).await? else {
                return Ok(None);
            };
            let Some(binding) = self.app.store().binding_of(tokens.user_id).await? else {
                return Ok(None);
            };
            self.app.store().member_by_binding(binding).await
        };
        let member = match found.await {
            Ok(Some(member)) => member,
            Ok(None) => return Ran::Done,
            Err(problem) => return Ran::Failed(chain(&problem)),
        };
        let waiting = self.app.read_for_the_first_time(&member, account).await;
        match self.app.account(&member, account).await {
            Ok(Some(account)) => {
                let notice = format!("connected:{}:{}", account.id, at.timestamp_micros());
                let mark = mark(&notice);
                let reader = Reader {
                    tag: &mark,
                    ..self.reader(&member, 0)
                };
                let message = messages::connected(reader, &account, is_again, waiting);
                self.say_once(&member, &notice, &mark, &message).await.ran()
            }
            Ok(None) => Ran::Done,
            Err(failed) => Ran::Failed(chain(&logged(failed))),
        }
    }

    /// Tells a person that a connection is broken, if it still is.
    pub async fn tell_broken(
        &self,
        account: Uuid,
        since: chrono::DateTime<chrono::Utc>,
        nth: i32,
    ) -> Ran {
        let next = usize::try_from(nth).ok().and_then(|nth| REMINDERS.get(nth));
        if next.is_some_and(|after| since + *after <= self.app.clock().now()) {
            // The next one is due, too, and says the same: nobody could be told until now.
            return Ran::Done;
        }
        let store = self.app.store();
        let found = async {
            let Some(account) = store.broken_account(account, since).await? else {
                return Ok(None);
            };
            let Some(binding) = store.binding_of(account.user_id).await? else {
                return Ok(None);
            };
            let member = store.member_by_binding(binding).await?;
            Ok::<_, crate::store::StoreError>(member.map(|member| (member, account)))
        };
        let (member, account) = match found.await {
            Ok(Some(found)) => found,
            Ok(None) => return Ran::Done,
            Err(problem) => return Ran::Failed(chain(&problem)),
        };
        let since = since.timestamp_micros();
        let notice = format!("broken:{}:{since}:{nth}", account.id);
        let mark = mark(&notice);
        let reader = Reader {
            tag: &mark,
            ..self.reader(&member, 0)
        };
        let message = messages::broken(reader, &account, nth);
        self.say_once(&member, &notice, &mark, &message).await.ran()
    }
}
