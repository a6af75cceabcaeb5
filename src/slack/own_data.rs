//! “What BillOps knows about me”: its form, the export, and deleting everything.

use std::sync::Arc;

use chrono::NaiveDate;
use slack_morphism::prelude::{
    SlackBlock, SlackBlockId, SlackCallbackId, SlackHomeView, SlackModalView, SlackView,
};
use uuid::Uuid;

use super::{
    Door, SlackError,
    actions::Press,
    forms::text_field,
    inbound::View,
    logged,
    messages::{self, EXPORT_NOTE, Export, Message, label},
};
use crate::{domain::member::Member, error::Failed, error::chain, jobs::Ran};

/// The form that confirms.
pub(super) const DELETE: &str = "data.delete_confirmed";
/// Its field.
pub(super) const CONFIRMATION: &str = "confirmation";
/// Longer than the word by far, so that whatever is typed instead is answered and not cut.
const CONFIRMATION_MAX: u64 = 20;

/// A button about a person's data was pressed.
pub(super) async fn pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let (door, shown) = (press.door, &press.interaction.view);
    let trigger = &press.interaction.trigger_id;
    let today = today(door, member);
    let done = match verb {
        "open" => {
            let data = door.app.own_data(member).await?;
            let view = shown_view(messages::own_data_blocks(&data, today, Export::NotAsked));
            if press.interaction.is_on_home() || shown.id.is_empty() {
                door.client.open_modal(trigger, &view).await
            } else {
                door.client.push_modal(trigger, &view).await
            }
        }
        "export" => {
            door.app.ask_for_export(member, press.key()).await?;
            let data = door.app.own_data(member).await?;
            let view = if shown.callback_id == DELETE {
                delete_view(messages::delete_blocks(&data, today, Export::OnItsWay))
            } else {
                shown_view(messages::own_data_blocks(&data, today, Export::OnItsWay))
            };
            door.client.update_modal(&shown.id, &view).await
        }
        "delete" => {
            let data = door.app.own_data(member).await?;
            let view = delete_view(messages::delete_blocks(&data, today, Export::NotAsked));
            door.client.push_modal(trigger, &view).await
        }
        _ => Ok(()),
    };
    if let Err(problem) = done {
        tracing::warn!(verb, "own_data.form_not_shown: {problem}");
    }
    Ok(None)
}

fn today(door: &Door, member: &Member) -> NaiveDate {
    let now = door.app.clock().now();
    now.with_timezone(&member.zone()).date_naive()
}

fn shown_view(blocks: Vec<SlackBlock>) -> SlackView {
    SlackView::Modal(
        SlackModalView::new(label("What BillOps knows"), blocks)
            .with_callback_id(SlackCallbackId("data.shown".to_owned()))
            .with_close(label("Close")),
    )
}

fn delete_view(mut blocks: Vec<SlackBlock>) -> SlackView {
    let field = text_field(CONFIRMATION, "Type delete to confirm", "delete", "");
    blocks.push(field.up_to(CONFIRMATION_MAX).block());
    SlackView::Modal(
        SlackModalView::new(label("Delete everything"), blocks)
            .with_callback_id(SlackCallbackId(DELETE.to_owned()))
            .with_close(label("Keep my data"))
            .with_submit(label("Delete everything")),
    )
}

/// The deletion was confirmed, or was it: what is wrong with the word, else `None`. Everything is deleted then.
pub(super) async fn submitted(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
) -> Result<Option<&'static str>, Failed> {
    let typed = view.field(CONFIRMATION).value;
    if !typed.trim().eq_ignore_ascii_case("delete") {
        return Ok(Some("Type delete to go on, or press Keep my data."));
    }
    let was = door.app.delete_everything(member).await?;
    let (client, slack_user) = (door.client.clone(), member.slack_user_id.clone());
    door.answers.spawn(async move {
        // The tab still shows what it showed.
        if let Err(problem) = client.publish_home(&slack_user, &emptied(), None).await {
            tracing::warn!("own_data.home_not_emptied: {problem}");
        }
        let message = messages::everything_deleted(&was);
        if let Err(problem) = client.post(&slack_user, &message).await {
            tracing::warn!("own_data.deletion_not_told: {problem}");
        }
    });
    Ok(None)
}

/// The Home tab of somebody of whom nothing is kept, drawn without knowing who looks at it.
pub(super) fn emptied() -> SlackView {
    let deleted = messages::section(
        SlackBlockId("deleted".to_owned()),
        "Everything about you in this workspace is deleted. BillOps starts from zero if you use it again."
            .to_owned(),
    );
    SlackView::Home(SlackHomeView::new(vec![deleted]))
}

/// What is sent to a person as a file.
#[derive(Clone, Copy, Debug)]
pub enum Exported {
    /// Everything that is kept about them.
    Everything,
    /// Their entries from the first to the second day, or all of them.
    Entries(Option<(NaiveDate, NaiveDate)>),
}

/// A file as it is sent.
struct Attached {
    name: String,
    bytes: Vec<u8>,
    /// What stands beside it.
    note: String,
}

impl Door {
    /// Sends a person a file in their direct messages, once for each request.
    pub async fn export(&self, binding: Uuid, request: Uuid, what: Exported) -> Ran {
        let member = match self.app.member_by_binding(binding).await {
            Ok(Some(member)) => member,
            Ok(None) => return Ran::Done,
            Err(failed) => return Ran::Failed(chain(&logged(failed))),
        };
        match self.app.begin_export(&member, request).await {
            Ok(true) => {}
            Ok(false) => return Ran::Done,
            Err(failed) => return Ran::Failed(chain(&logged(failed))),
        }
        let sent = match self.attached(&member, what).await {
            Ok(Some(file)) => self.send_export(&member, file).await,
            Ok(None) => return Ran::Done,
            Err(failed) => Ran::Failed(chain(&logged(failed))),
        };
        let is_sent = matches!(sent, Ran::Done);
        match self.app.end_export(&member, request, is_sent).await {
            Ok(()) => sent,
            Err(failed) => Ran::Failed(chain(&logged(failed))),
        }
    }

    /// The file; `None` if the person is not known any more.
    async fn attached(&self, member: &Member, what: Exported) -> Result<Option<Attached>, Failed> {
        let today = today(self, member);
        Ok(match what {
            Exported::Everything => self.app.export(member).await?.map(|bytes| Attached {
                name: format!("billops-{today}.json"),
                bytes,
                note: EXPORT_NOTE.to_owned(),
            }),
            Exported::Entries(days) => {
                let (entries, bytes) = self.app.entries_file(member, days).await?;
                let name = match days {
                    Some((from, to)) => format!("billops-entries-{from}-to-{to}.csv"),
                    None => format!("billops-entries-{today}.csv"),
                };
                let note = messages::entries_note(entries, days);
                Some(Attached { name, bytes, note })
            }
        })
    }

    async fn send_export(&self, member: &Member, file: Attached) -> Ran {
        let channel = match self
            .client_for(member)
            .direct_channel(&member.slack_user_id)
            .await
        {
            Ok(channel) => channel,
            Err(problem) => return after(problem),
        };
        match self
            .client_for(member)
            .upload(&channel, &file.name, file.bytes, &file.note)
            .await
        {
            Ok(()) => Ran::Done,
            Err(problem) => after(problem),
        }
    }
}

fn after(problem: SlackError) -> Ran {
    match problem {
        SlackError::RateLimited(wait) => Ran::Later(wait),
        SlackError::Failed(problem) => Ran::Failed(problem),
        problem @ (SlackError::Unanswered(_) | SlackError::Refused(_)) => {
            // The file may have arrived; or Slack's answer will be the same next time.
            tracing::warn!("own_data.export_maybe_not_sent: {problem}");
            Ran::Done
        }
    }
}
