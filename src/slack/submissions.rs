//! Forms that are submitted, and what their fields suggest.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use slack_morphism::prelude::{SlackBlockChoiceItem, SlackBlockPlainTextOnly, SlackView};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

use super::{
    Door, Heard, forms,
    forms::Meta,
    inbound::{Interaction, View},
    logged, messages, own_data,
    text::clock_time,
    workspace::Saved,
};
use crate::{
    app::{EntryForm, FormOutcome, FormProblem, HomeTab, Notice, Request},
    domain::{member::Member, time_command::as_typed},
    error::Failed,
    store::EntryChange,
};

/// What a submission is acknowledged with. An empty acknowledgement closes the form.
#[derive(Serialize)]
#[serde(tag = "response_action", rename_all = "snake_case")]
enum Response {
    /// The form stays open, with a sentence under each of these fields.
    Errors {
        errors: BTreeMap<&'static str, String>,
    },
    /// The form stays open and shows something else.
    Update { view: Box<SlackView> },
    /// This form closes, and those below it.
    Clear,
}

#[derive(Serialize)]
struct Options {
    options: Vec<SlackBlockChoiceItem<SlackBlockPlainTextOnly>>,
}

pub(super) type Acknowledgement = Option<Arc<RawValue>>;

fn acknowledgement(response: &impl Serialize) -> Acknowledgement {
    to_raw_value(response).ok().map(Arc::from)
}

/// A form of ours was submitted. What is wrong is said at its field, all at once. Whatever the database does,
/// it is said before the acknowledgement is due, for a bare one closes the form.
pub(super) async fn submitted(
    door: &Door,
    heard: &Heard,
    interaction: &Interaction,
    workspace: &str,
) -> Acknowledgement {
    let saving = save(door, heard, interaction, workspace);
    match tokio::time::timeout_at(heard.save_by, saving).await {
        Ok(acknowledgement) => acknowledgement,
        Err(elapsed) => {
            let failed = Failed {
                is_certain: false,
                ..door.app.failed("saving a form", elapsed)
            };
            not_saved(&interaction.view.callback_id, logged(failed))
        }
    }
}

async fn save(
    door: &Door,
    heard: &Heard,
    interaction: &Interaction,
    workspace: &str,
) -> Acknowledgement {
    let view = &interaction.view;
    let meta = Meta::of(view);
    let member = match door.member(workspace, &interaction.user.id).await {
        Ok(member) => member,
        Err(failed) => return not_saved(&view.callback_id, logged(failed)),
    };
    let outcome = match &*view.callback_id {
        "entry.create" => create(door, heard, &member, view, &meta).await,
        "entry.update" => update(door, &member, view, &meta).await,
        "entry.set_project" => set_project(door, &member, view, &meta).await,
        "entry.move" => move_entry(door, &member, view, &meta).await,
        "timer.create" | "timer.update" | "timer.stop_as" => {
            super::timers::submitted(door, heard, &member, view, &meta).await
        }
        "project.create" | "project.update" => {
            super::projects::submitted(door, &member, view, &meta)
                .await
                .map(|problem| {
                    problem.and_then(|(field, sentence)| {
                        acknowledgement(&Response::Errors {
                            errors: BTreeMap::from([(field, sentence)]),
                        })
                    })
                })
        }
        "event.log_as" => super::meetings::submitted(door, &member, view, &meta).await,
        "rule.update" => super::rules::submitted(door, &member, view, &meta).await,
        "calendar.choose_save" | "calendar.disconnect" => {
            super::calendars::submitted(door, &member, view, &meta)
                .await
                .map(|()| None)
        }
        own_data::DELETE => own_data::submitted(door, &member, view).await.map(|wrong| {
            let Some(sentence) = wrong else {
                return acknowledgement(&Response::Clear);
            };
            acknowledgement(&Response::Errors {
                errors: BTreeMap::from([(own_data::CONFIRMATION, sentence.to_owned())]),
            })
        }),
        "report.share" => {
            let problem = super::reports::share_submitted(door, heard, &member, view, &meta).await;
            problem.map(|errors| acknowledgement(&Response::Errors { errors: errors? }))
        }
        forms::PREFERENCES => {
            let problems = super::preferences::submitted(door, &member, view).await;
            problems.map(|errors| {
                let is_wrong = !errors.is_empty();
                is_wrong.then(|| acknowledgement(&Response::Errors { errors }))?
            })
        }
        forms::WORKSPACE => {
            let saved = super::workspace::submitted(door, &member, view, &meta).await;
            saved.map(|saved| match saved {
                Saved::Done => None,
                Saved::Problems(errors) => acknowledgement(&Response::Errors { errors }),
                Saved::Stale(view) => acknowledgement(&Response::Update { view }),
            })
        }
        callback_id => {
            tracing::warn!(
                callback_id,
                "slack.unknown_form: closed, nothing is done with it"
            );
            return None;
        }
    };
    match outcome {
        Ok(acknowledgement) => acknowledgement,
        Err(failed) => not_saved(&view.callback_id, logged(failed)),
    }
}

/// The form stays open; nothing that was entered is lost.
fn not_saved(callback_id: &str, failed: Failed) -> Acknowledgement {
    let field = match callback_id {
        "entry.set_project" | "rule.update" => "project",
        "entry.move" => "date",
        "project.create" | "project.update" => "slug",
        "timer.create" | "timer.update" => "description",
        "report.share" => "channel",
        own_data::DELETE => own_data::CONFIRMATION,
        "calendar.choose_save" => "calendars",
        forms::PREFERENCES | forms::WORKSPACE => forms::TARGET,
        _ => "time",
    };
    let did = if failed.is_certain {
        "Not saved, the database did not answer. Nothing is lost; try again in a moment."
    } else {
        "Not confirmed, the database did not answer in time. Press the button again; it cannot be done twice."
    };
    let sentence = format!("{did} (Reference {})", failed.reference);
    if callback_id == "calendar.disconnect" {
        // There is no field to say it at.
        let view = super::calendars::said(callback_id, &sentence);
        return acknowledgement(&Response::Update {
            view: Box::new(view),
        });
    }
    acknowledgement(&Response::Errors {
        errors: BTreeMap::from([(field, sentence)]),
    })
}

pub(super) fn problems(problems: &[FormProblem]) -> Acknowledgement {
    acknowledgement(&Response::Errors {
        errors: problems.iter().map(forms::field_error).collect(),
    })
}

/// A field that Slack would not have let pass.
fn unreadable(field: &'static str) -> Acknowledgement {
    let sentence = "This cannot be read. Choose it again.".to_owned();
    acknowledgement(&Response::Errors {
        errors: BTreeMap::from([(field, sentence)]),
    })
}

async fn create(
    door: &Door,
    heard: &Heard,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<Acknowledgement, Failed> {
    let form = match entered(door, member, view, meta).await? {
        Ok(form) => form,
        Err(problem) => return Ok(problem),
    };
    let request = Request {
        member,
        channel: &meta.channel,
        key: meta
            .key
            .unwrap_or_else(|| super::request_key(heard, &[&view.id], "")),
        deadline: heard.save_by,
    };
    match door
        .app
        .log_form(request, &form, meta.permalink.clone())
        .await?
    {
        FormOutcome::Nothing => Ok(None),
        FormOutcome::Problems(found) => Ok(problems(&found)),
        FormOutcome::Done(logged) => {
            if meta.home {
                super::home::publish_now(door, member, None).await;
            } else {
                let card = messages::logged(door.reader(member, meta.round), &logged);
                door.answer_to(meta, member, card);
            }
            Ok(None)
        }
    }
}

async fn update(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<Acknowledgement, Failed> {
    let Some(entry) = meta.entry() else {
        return Ok(None);
    };
    let form = match entered(door, member, view, meta).await? {
        Ok(form) => form,
        Err(problem) => return Ok(problem),
    };
    let home = home_of(meta);
    match door.app.edit_form(member, entry, &form, home).await? {
        FormOutcome::Nothing => Ok(None),
        FormOutcome::Problems(found) => Ok(problems(&found)),
        FormOutcome::Done(EntryChange::Stale(receipt)) if receipt.entry.deleted_at.is_none() => {
            let projects = door.app.projects(member).await?;
            let project = forms::find_project(projects, receipt.entry.project.as_ref());
            let at = clock_time(receipt.entry.updated_at, member.zone());
            let view = forms::edit_entry(&receipt.entry, project, member, meta, Some(&at));
            Ok(acknowledgement(&Response::Update {
                view: Box::new(view),
            }))
        }
        FormOutcome::Done(change) => {
            after(door, member, meta, change).await;
            Ok(None)
        }
    }
}

/// What was entered in the form of an entry. A project that was chosen to be created is.
pub(super) async fn entered(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<Result<EntryForm, Acknowledgement>, Failed> {
    let project = match chosen_project(door, member, view).await? {
        Ok(project) => project,
        Err(problem) => return Ok(Err(problem)),
    };
    let form = forms::read_entry(view, meta, project);
    Ok(form.ok_or_else(|| unreadable("date")))
}

/// The project that was chosen in a form; one that was chosen to be created is.
pub(super) async fn chosen_project(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
) -> Result<Result<Option<Uuid>, Acknowledgement>, Failed> {
    let value = view.field("project").selected_option.value;
    let Some(typed) = value.strip_prefix("n:") else {
        return Ok(forms::project_of_value(&value).map_err(|_| unreadable("project")));
    };
    Ok(match super::projects::create(door, member, typed).await? {
        Ok(project) => Ok(Some(project.id)),
        Err(sentence) => Err(acknowledgement(&Response::Errors {
            errors: BTreeMap::from([("project", sentence)]),
        })),
    })
}

async fn set_project(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<Acknowledgement, Failed> {
    let Some(entry) = meta.entry() else {
        return Ok(None);
    };
    let project = match chosen_project(door, member, view).await? {
        Ok(project) => project,
        Err(problem) => return Ok(problem),
    };
    if project == meta.project {
        // Left as it was.
        return Ok(None);
    }
    let outcome = door
        .app
        .set_project(member, &meta.channel, entry, project, home_of(meta))
        .await?;
    match outcome {
        FormOutcome::Nothing => Ok(None),
        FormOutcome::Problems(found) => Ok(problems(&found)),
        FormOutcome::Done(change) => {
            after(door, member, meta, change).await;
            Ok(None)
        }
    }
}

async fn move_entry(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<Acknowledgement, Failed> {
    let Some(entry) = meta.entry() else {
        return Ok(None);
    };
    let Some(date) = forms::read_date(view) else {
        return Ok(unreadable("date"));
    };
    match door
        .app
        .move_entry(member, entry, date, home_of(meta))
        .await?
    {
        FormOutcome::Nothing => Ok(None),
        FormOutcome::Problems(found) => Ok(problems(&found)),
        FormOutcome::Done(change) => {
            after(door, member, meta, change).await;
            Ok(None)
        }
    }
}

pub(super) fn home_of(meta: &Meta) -> HomeTab {
    if meta.home {
        HomeTab::DrawnByCaller
    } else {
        HomeTab::Refresh
    }
}

/// Says what came of a form, where it was opened.
async fn after(door: &Door, member: &Arc<Member>, meta: &Meta, change: EntryChange) {
    if meta.home {
        let notice = match change {
            EntryChange::Done(changed) => Notice::Changed(changed),
            _ => Notice::NothingChanged,
        };
        return super::home::publish_now(door, member, Some(notice)).await;
    }
    if let (Some(skip), EntryChange::Done(changed)) = (meta.list, &change) {
        match door.app.entry_list(member, skip).await {
            Ok(list) => {
                let reader = door.reader(member, meta.round);
                return door.answer_to(
                    meta,
                    member,
                    messages::entries(reader, &list, Some(changed)),
                );
            }
            // The change is made; its card says so instead of the list.
            Err(failed) => drop(logged(failed)),
        }
    }
    let overlaps = match &change {
        EntryChange::Done(changed) => door.app.overlaps_after(changed).await,
        _ => Vec::new(),
    };
    let message =
        super::actions::change_message(door.reader(member, meta.round), &change, &overlaps);
    door.answer_to(meta, member, message);
}

/// What a field suggests for what was typed into it.
pub(super) async fn suggested(
    door: &Door,
    interaction: &Interaction,
    workspace: &str,
) -> Acknowledgement {
    let typed = as_typed(&interaction.value).into_owned();
    let found = async {
        let member = door.member(workspace, &interaction.user.id).await?;
        if interaction.block_id == "time_zone" {
            return Ok(super::preferences::suggested_zones(&member, &typed));
        }
        let suggested = door.app.suggest_projects(&member, &typed).await?;
        let projects = suggested.projects.iter().map(forms::project_option);
        if interaction.block_id == "default_project_id" {
            return Ok(std::iter::once(forms::last_project_option())
                .chain(projects)
                .collect());
        }
        let mut options: Vec<_> = projects.collect();
        options.extend(suggested.may_create.as_deref().map(forms::create_option));
        options.push(forms::no_project_option());
        Ok::<_, Failed>(options)
    };
    let options = match found.await {
        Ok(options) => options,
        Err(failed) => {
            let _ = logged(failed);
            // What needs no database.
            match &*interaction.block_id {
                "time_zone" => Vec::new(),
                "default_project_id" => vec![forms::last_project_option()],
                _ => vec![forms::no_project_option()],
            }
        }
    };
    acknowledgement(&Options { options })
}
