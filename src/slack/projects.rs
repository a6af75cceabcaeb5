//! Projects, as people make and change them.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Door,
    actions::{Press, change_message, entry_of},
    forms::{self, Meta},
    inbound::View,
    logged,
    messages::{self, Message},
    open_form,
};
use crate::{
    app::{FormOutcome, Linked},
    domain::{
        member::Member,
        project::{LONGEST_NAME, NoProjectSlug, Project, ProjectRef, project_slug_of, slug_of},
    },
    error::Failed,
    store::{NewProject, ProjectChange, ProjectEdit},
};

/// A field of the form, and what is wrong with it.
type Problem = (&'static str, String);

/// Makes a project of what was typed behind `#`, or finds the one that was made so meanwhile, by another
/// press of the same button or by somebody else; otherwise the sentence that says why not.
pub(super) async fn create(
    door: &Door,
    member: &Member,
    typed: &str,
) -> Result<Result<ProjectRef, String>, Failed> {
    let slug = match project_slug_of(typed) {
        Ok(slug) => slug,
        Err(problem) => return Ok(Err(no_slug(&problem))),
    };
    let new = NewProject {
        name: slug.clone(),
        slug,
        client: None,
        is_billable: true,
    };
    let change = door.app.create_project(member, &new).await?;
    if let Some(ProjectChange::Taken(slug)) = &change {
        let projects = door.app.projects(member).await?;
        let made = projects
            .iter()
            .find(|project| project.slug == *slug && project.is_open());
        if let Some(made) = made {
            return Ok(Ok(made.to_ref()));
        }
    }
    Ok(outcome(change).map_err(|(_, sentence)| sentence))
}

/// Why nobody can type it, and what they could.
fn no_slug(problem: &NoProjectSlug) -> String {
    match problem {
        NoProjectSlug::Nothing => {
            "A project needs a short name with letters or digits, at most 80 characters.".to_owned()
        }
        NoProjectSlug::Number { instead } => {
            format!(
                "Behind #, a number alone is no project. Put a letter to it, such as {instead}."
            )
        }
    }
}

/// What became of a project, or what is wrong with which field.
fn outcome(change: Option<ProjectChange>) -> Result<ProjectRef, Problem> {
    let (field, sentence) = match change {
        Some(ProjectChange::Done(project)) => return Ok(project),
        None => (
            "slug",
            "Only admins of this workspace create and change projects.".to_owned(),
        ),
        Some(ProjectChange::Taken(slug)) => {
            ("slug", format!("#{slug} means another project already."))
        }
        Some(ProjectChange::ClientTaken(name)) => {
            ("client", format!("There is another client called {name}."))
        }
        Some(ProjectChange::Stale) => (
            "slug",
            "Somebody changed this project meanwhile. Close this form and open it again."
                .to_owned(),
        ),
        Some(ProjectChange::Unknown) => ("slug", "This project is no longer here.".to_owned()),
        Some(ProjectChange::TooMany) => (
            "slug",
            "This workspace has as many projects as it can have.".to_owned(),
        ),
    };
    Err((field, sentence))
}

/// A button or menu of a project was used.
pub(super) async fn pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let (app, reader) = (&press.door.app, press.reader(member));
    let (trigger, value) = (&press.interaction.trigger_id, press.value());
    let (menu_verb, reference) = value.split_once(' ').unwrap_or(("", value));
    match if verb == "menu" { menu_verb } else { verb } {
        "new" => {
            open_form::open(press.door, trigger, &forms::project(None, &press.meta())).await;
            Ok(None)
        }
        "list" => {
            let skip = value.strip_prefix("l:").and_then(|skip| skip.parse().ok());
            let projects = app.projects(member).await?;
            Ok(Some(messages::projects(
                reader,
                &projects,
                skip.unwrap_or(0),
                None,
            )))
        }
        "link" => {
            let (to, shown) = value.split_once(' ').unwrap_or((value, ""));
            let Ok(project) = forms::project_of_value(to) else {
                return Ok(None);
            };
            let channel = &press.interaction.container.channel_id;
            let known = match project {
                Some(id) => app.project(member, id).await?.filter(Project::is_open),
                None => None,
            };
            if project.is_some() && known.is_none() {
                let gone = "That project is archived or no longer here.";
                return Ok(Some(messages::project_not_changed(reader, gone)));
            }
            if let Ok(shown) = forms::project_of_value(shown) {
                let now = app.channel_project(member, channel).await?;
                if now.as_ref().map(|now| now.id) != shown {
                    return Ok(Some(messages::linked(reader, &Linked::Meanwhile(now))));
                }
            }
            let before = app.link_channel(member, channel, project).await?;
            let linked = match known {
                Some(project) => Linked::Now(project.to_ref(), before),
                None => Linked::Unlinked(before),
            };
            Ok(Some(messages::linked(reader, &linked)))
        }
        // Behind an entry whose project nobody knew.
        "create" => {
            let Some((entry, typed)) =
                entry_of(value).and_then(|(entry, more)| Some((entry, more.strip_prefix("n:")?)))
            else {
                return Ok(None);
            };
            let project = match create(press.door, member, typed).await? {
                Ok(project) => project,
                Err(sentence) => return Ok(Some(messages::project_not_changed(reader, &sentence))),
            };
            let channel = &press.interaction.container.channel_id;
            let outcome = app
                .set_project(
                    member,
                    channel,
                    entry,
                    Some(project.id),
                    crate::app::HomeTab::Refresh,
                )
                .await?;
            Ok(Some(match outcome {
                FormOutcome::Done(change) => change_message(reader, &change, &[]),
                FormOutcome::Nothing => return Ok(None),
                FormOutcome::Problems(_) => messages::project_not_changed(
                    reader,
                    "That project is archived or no longer here.",
                ),
            }))
        }
        verb @ ("edit" | "archive" | "reopen") => {
            let Some((id, version)) = project_version(reference) else {
                return Ok(None);
            };
            let Some(project) = app.project(member, id).await? else {
                return Ok(Some(messages::project_not_changed(
                    reader,
                    "This project is no longer here.",
                )));
            };
            if verb == "edit" {
                let view = forms::project(Some(&project), &press.meta());
                open_form::open(press.door, trigger, &view).await;
                return Ok(None);
            }
            let is_archived = verb == "archive";
            let edit = ProjectEdit {
                is_archived,
                ..as_it_is(&project)
            };
            let done = match outcome(app.edit_project(member, id, version, &edit).await?) {
                Ok(project) if is_archived => {
                    format!("#{} is archived: it takes no new entries.", project.slug)
                }
                Ok(project) => format!("#{} is open again.", project.slug),
                Err((_, sentence)) => format!("Nothing was changed. {sentence}"),
            };
            let projects = app.projects(member).await?;
            let skip = press.list().unwrap_or(0) as usize;
            Ok(Some(messages::projects(
                reader,
                &projects,
                skip,
                Some(&done),
            )))
        }
        _ => Ok(None),
    }
}

/// What a project is, as an edit that changes nothing.
fn as_it_is(project: &Project) -> ProjectEdit {
    let client = project.client.as_ref();
    ProjectEdit {
        to: NewProject {
            slug: project.slug.clone(),
            name: project.name.clone(),
            client: client.map(|client| (client.slug.clone(), client.name.clone())),
            is_billable: project.is_billable,
        },
        aliases: project.aliases.clone(),
        is_archived: !project.is_open(),
        renames_client: false,
    }
}

/// `p:ID:VERSION`.
fn project_version(reference: &str) -> Option<(Uuid, i32)> {
    let (id, version) = reference.strip_prefix("p:")?.split_once(':')?;
    Some((Uuid::parse_str(id).ok()?, version.parse().ok()?))
}

/// The form of a project was submitted; `None` closes it.
pub(super) async fn submitted(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<Option<Problem>, Failed> {
    let edit = match read(view) {
        Ok(edit) => edit,
        Err(problem) => return Ok(Some(problem)),
    };
    let (change, did) = match meta.id {
        None => {
            // Before anything is made: a project without the aliases that were asked for is not what was asked.
            let projects = door.app.projects(member).await?;
            let is_taken = |alias: &&String| {
                let mut others = projects.iter();
                others.any(|other| other.slug == **alias || other.aliases.contains(*alias))
            };
            if let Some(alias) = edit.aliases.iter().find(is_taken) {
                return Ok(Some((
                    "aliases",
                    format!("#{alias} means another project already."),
                )));
            }
            (
                door.app.create_project(member, &edit.to).await?,
                "is there now",
            )
        }
        Some(id) => {
            let Some(known) = door.app.project(member, id).await? else {
                return Ok(Some(("slug", "This project is no longer here.".to_owned())));
            };
            let edit = ProjectEdit {
                is_archived: !known.is_open(),
                ..edit.clone()
            };
            (
                door.app
                    .edit_project(member, id, meta.version, &edit)
                    .await?,
                "is saved",
            )
        }
    };
    let mut project = match outcome(change) {
        Ok(project) => project,
        Err(problem) => return Ok(Some(problem)),
    };
    if meta.id.is_none() && !edit.aliases.is_empty() {
        // A new project is at version 1.
        let change = door.app.edit_project(member, project.id, 1, &edit).await?;
        match outcome(change) {
            Ok(known) => project = known,
            Err((_, sentence)) => {
                return Ok(Some((
                    "aliases",
                    format!("The project is made; {sentence}"),
                )));
            }
        }
    }
    let done = format!("#{} {did}.", project.slug);
    match door.app.projects(member).await {
        Ok(projects) => {
            let reader = door.reader(member, meta.round);
            let skip = meta.list.unwrap_or(0) as usize;
            let message = messages::projects(reader, &projects, skip, Some(&done));
            door.answer_to(meta, member, message);
        }
        // It is saved; only the list cannot be shown.
        Err(failed) => drop(logged(failed)),
    }
    Ok(None)
}

fn read(view: &View) -> Result<ProjectEdit, Problem> {
    let slug = project_slug_of(&view.field("slug").value)
        .map_err(|problem| ("slug", no_slug(&problem)))?;
    let name = view.field("name").value.trim().to_owned();
    let client = view.field("client").value.trim().to_owned();
    for (field, text) in [("name", &name), ("client", &client)] {
        if text.chars().count() > LONGEST_NAME {
            return Err((field, format!("{LONGEST_NAME} characters are the limit.")));
        }
    }
    let client = match client.as_str() {
        "" => None,
        name => match slug_of(name) {
            Some(slug) => Some((slug, name.to_owned())),
            None => {
                return Err((
                    "client",
                    "A client needs a name with letters or digits.".to_owned(),
                ));
            }
        },
    };
    let mut aliases = Vec::new();
    for typed in view
        .field("aliases")
        .value
        .split(',')
        .map(str::trim)
        .filter(|typed| !typed.is_empty())
    {
        let alias = match project_slug_of(typed) {
            Ok(alias) => alias,
            Err(NoProjectSlug::Nothing) => {
                let sentence = format!("“{typed}” is not a short name: use letters and digits.");
                return Err(("aliases", sentence));
            }
            Err(problem) => return Err(("aliases", no_slug(&problem))),
        };
        if alias != slug && !aliases.contains(&alias) {
            aliases.push(alias);
        }
    }
    let is_billable = !view.field("billable").selected_options.is_empty();
    Ok(ProjectEdit {
        to: NewProject {
            name: if name.is_empty() { slug.clone() } else { name },
            slug,
            client,
            is_billable,
        },
        aliases,
        is_archived: false,
        renames_client: !view.field("rename_client").selected_options.is_empty(),
    })
}
