//! What opens a form: shortcuts, buttons, `/time` alone. And where the answer to a form goes.

use std::sync::Arc;

use slack_morphism::prelude::SlackView;

use super::{
    Door, forms,
    forms::{Meta, Prefill},
    inbound::Interaction,
    logged,
    messages::Message,
    summaries,
    text::{clock_time, cut, short_day},
};
use crate::{
    app::EntryVersion,
    domain::{member::Member, time_command::as_typed, time_entry::LONGEST_DESCRIPTION},
    error::Failed,
    store::EntryChange,
};

/// A shortcut opens the form.
pub(super) async fn shortcut(door: &Door, interaction: &Interaction, workspace: &str) {
    let member = match door.member(workspace, &interaction.user.id).await {
        Ok(member) => member,
        Err(failed) => return drop(logged(failed)),
    };
    let mut meta = Meta::default();
    let mut prefill = Prefill::default();
    if interaction.callback_id == "entry.from_message" {
        let (channel, message) = (&interaction.channel.id, &interaction.message);
        meta.channel.clone_from(channel);
        meta.way = door.remember_way(&interaction.response_url);
        let text = as_typed(&message.text);
        prefill.description = cut(text.trim(), LONGEST_DESCRIPTION);
        let domain = &interaction.team.domain;
        let at = message
            .ts
            .split_once('.')
            .and_then(|(seconds, _)| chrono::DateTime::from_timestamp(seconds.parse().ok()?, 0));
        let when = at.map_or(String::new(), |at| {
            let day = at.with_timezone(&member.zone()).date_naive();
            let today = door
                .app
                .clock()
                .now()
                .with_timezone(&member.zone())
                .date_naive();
            format!(
                ", {}, {}",
                short_day(day, today),
                clock_time(at, member.zone())
            )
        });
        let mut origin = format!("From a message{when}.");
        // An organisation-wide install names no domain, and then there is no link to keep.
        if is_domain(domain) && is_id(channel) && is_ts(&message.ts) {
            let link = format!(
                "https://{domain}.slack.com/archives/{channel}/p{}",
                message.ts.replace('.', "")
            );
            origin = format!("{origin} <{link}|The link> stays on the entry.");
            meta.permalink = Some(link);
        }
        prefill.origin = Some(origin);
    }
    open_new(door, &member, &interaction.trigger_id, prefill, meta).await;
}

fn is_domain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// `1795165920.000200`.
fn is_ts(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    text.split_once('.')
        .is_some_and(|(seconds, rest)| digits(seconds) && digits(rest))
}

pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Opens the form for a new entry; project, day and billable come from the last use. `false` where Slack
/// did not open it.
pub(super) async fn open_new(
    door: &Door,
    member: &Arc<Member>,
    trigger_id: &str,
    mut prefill: Prefill,
    meta: Meta,
) -> bool {
    let now = door.app.clock().now();
    if prefill.date == chrono::NaiveDate::default() {
        prefill.date = now.with_timezone(&member.zone()).date_naive();
    }
    let meta = Meta {
        key: Some(door.app.clock().new_id()),
        ..meta
    };
    let view = async {
        if prefill.project.is_none() {
            let chosen = door.app.default_project(member, &meta.channel).await?;
            prefill.is_billable = chosen.is_billable;
            if let Some(project) = &chosen.project {
                prefill.project = door.app.project(member, project.id).await?;
            }
        }
        Ok::<_, Failed>(forms::new_entry(&prefill, &meta))
    };
    match view.await {
        Ok(view) => open(door, trigger_id, &view).await,
        Err(failed) => {
            let _ = logged(failed);
            false
        }
    }
}

/// Opens a form over an entry of the person's. Where it is no longer what the button showed, the message
/// says so.
pub(super) async fn open_for_entry(
    door: &Door,
    member: &Arc<Member>,
    trigger_id: &str,
    entry: EntryVersion,
    meta: &Meta,
    form: EntryFormKind,
) -> Result<Option<EntryChange>, Failed> {
    let Some(now) = door.app.entry(member, entry.id).await? else {
        return Ok(Some(EntryChange::Unknown));
    };
    if now.is_settled() || now.version != entry.version || now.deleted_at.is_some() {
        return door.app.as_it_is(member, now).await.map(Some);
    }
    let view = match form {
        EntryFormKind::Move => forms::move_entry(&now, meta),
        EntryFormKind::Edit | EntryFormKind::Project => {
            let projects = door.app.projects(member).await?;
            let project = forms::find_project(projects, now.project.as_ref());
            if form == EntryFormKind::Edit {
                forms::edit_entry(&now, project, member, meta, None)
            } else {
                forms::change_project(&now, project.as_ref(), meta)
            }
        }
    };
    open(door, trigger_id, &view).await;
    Ok(None)
}

/// Which form over an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryFormKind {
    Edit,
    Project,
    Move,
}

pub(super) async fn open(door: &Door, trigger_id: &str, view: &SlackView) -> bool {
    match door.client.open_modal(trigger_id, view).await {
        Ok(()) => true,
        Err(problem) => {
            tracing::warn!("form.not_opened: {problem}");
            false
        }
    }
}

impl Door {
    /// Sends what came of a form to where it was opened: over the message whose button was pressed, into the
    /// channel, or else as a direct message.
    pub(super) fn answer_to(&self, meta: &Meta, member: &Member, message: Message) {
        let client = self.client.clone();
        let url = meta.way.and_then(|way| self.ways.get(&way));
        let (channel, user) = (meta.channel.clone(), member.slack_user_id.clone());
        let is_over = meta.over;
        let (door, summary, round) = (self.clone(), meta.summary, meta.round);
        let whose = summary.map(|_| member.clone());
        self.answers.spawn(async move {
            let mut problem = None;
            let mut message = message;
            if let (Some(about), Some(member)) = (summary, whose) {
                match summaries::drawn(&door, &member, about, round, None).await {
                    Ok(summary) => message = summary,
                    Err(failed) => drop(logged(failed)),
                }
            }
            if let Some(url) = url {
                let message = message.clone();
                let message = if is_over {
                    message.replacing()
                } else {
                    message.beside()
                };
                match client.respond(&url, &message).await {
                    Ok(()) => return,
                    Err(error) => problem = Some(error),
                }
            }
            if !channel.is_empty() {
                match client.post_ephemeral(&channel, &user, &message).await {
                    Ok(()) => return,
                    Err(error) => problem = Some(error),
                }
            }
            if let Err(error) = client.post(&user, &message).await {
                let before = problem.map_or(String::new(), |problem| format!("{problem}; then "));
                tracing::warn!("slack.answer_not_sent: {before}{error}");
            }
        });
    }
}
