//! What is said about projects, and about what a channel is linked to.

use std::fmt::Write as _;

use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockChoiceItem, SlackBlockOverflowElement, SlackSectionBlock,
    SlackSectionBlockElement,
};

use super::{
    Button, Message, PROJECT_MAX, Reader, actions, context, label, markdown, section, with_button,
};
use crate::{
    app::{Linked, ProjectNote},
    domain::project::{Project, ProjectRef},
    slack::text::{cut, plain},
};

/// How many projects a page shows.
const PAGE: usize = 15;

/// A page of the projects, the open ones first, with what was just done on top.
pub fn projects(
    reader: Reader<'_>,
    projects: &[Project],
    skip: usize,
    done: Option<&str>,
) -> Message {
    let may_change = reader.member.may_create_projects;
    let mut ordered: Vec<&Project> = projects.iter().collect();
    ordered.sort_by_key(|project| !project.is_open());
    let open = projects.iter().filter(|project| project.is_open()).count();
    let skip = if skip < ordered.len() { skip } else { 0 };
    let page: Vec<&Project> = ordered.iter().copied().skip(skip).take(PAGE).collect();

    let mut blocks = Vec::new();
    let mut text = String::new();
    if let Some(done) = done {
        let _ = write!(text, "{done} ");
        blocks.push(section(reader.id("projects.notice"), plain(done)));
    }
    let new = Button::new(
        "project.new",
        "New project…",
        "p:new",
        "New project: open the form",
    );
    if projects.is_empty() {
        let way = if may_change {
            "Press New project, or type a new one behind `#`: `/time 1h #acme: kick-off`."
        } else {
            "Only admins of this workspace create projects."
        };
        let _ = write!(text, "There are no projects yet. {}", way.replace('`', ""));
        blocks.push(section(
            reader.id("projects"),
            format!("*There are no projects yet.* {way}"),
        ));
        if may_change {
            blocks.push(actions(reader.id("projects.actions"), vec![new]));
        }
        return Message::new(text, blocks);
    }
    let _ = write!(text, "{}:", count(open));
    blocks.push(section(reader.id("projects"), format!("*{}*", count(open))));
    for project in page {
        let mut row = project.label();
        if !project.aliases.is_empty() {
            let _ = write!(row, " · also #{}", project.aliases.join(", #"));
        }
        if !project.is_open() {
            row.push_str(" · archived");
        }
        let _ = write!(text, " {row}.");
        blocks.push(project_row(reader, project, &row, skip, may_change));
    }
    let mut buttons = Vec::new();
    if may_change {
        buttons.push(new);
    }
    if skip > 0 {
        let value = format!("l:{}", skip.saturating_sub(PAGE));
        buttons.push(Button::new(
            "project.list.1",
            "Previous",
            value,
            "Previous projects",
        ));
    }
    let rest = ordered.len().saturating_sub(skip + PAGE);
    if rest > 0 {
        let _ = write!(text, " And {rest} more.");
        let value = format!("l:{}", skip + PAGE);
        buttons.push(Button::new(
            "project.list.2",
            format!("Next ({rest} more)"),
            value,
            "Next projects",
        ));
    }
    if !buttons.is_empty() {
        blocks.push(actions(reader.id("projects.actions"), buttons));
    }
    let note = "`/time link #acme` in a channel makes a project the default there.";
    blocks.push(context(reader.id("projects.note"), note.to_owned()));
    Message::new(text, blocks)
}

fn count(open: usize) -> String {
    match open {
        0 => "No open projects".to_owned(),
        1 => "1 open project".to_owned(),
        open => format!("{open} open projects"),
    }
}

fn project_row(
    reader: Reader<'_>,
    project: &Project,
    row: &str,
    skip: usize,
    may_change: bool,
) -> SlackBlock {
    let tail = project.id.simple().to_string().split_off(20);
    let words = cut(row, 300);
    let block = SlackSectionBlock::new()
        .with_block_id(reader.id(&format!("project.s{skip}.{tail}")))
        .with_text(markdown(plain(&words)).into());
    if !may_change {
        return block.into();
    }
    let reference = format!("p:{}:{}", project.id, project.version);
    let choices: &[(&str, &str)] = if project.is_open() {
        &[("Edit…", "edit"), ("Archive", "archive")]
    } else {
        &[("Edit…", "edit"), ("Reopen", "reopen")]
    };
    let choices = choices
        .iter()
        .map(|(name, verb)| SlackBlockChoiceItem::new(label(name), format!("{verb} {reference}")));
    let menu = SlackBlockOverflowElement::new(choices.collect())
        .with_action_id(SlackActionId("project.menu".to_owned()));
    block
        .with_accessory(SlackSectionBlockElement::Overflow(menu))
        .into()
}

/// What was, or is, linked to the channel.
pub fn linked(reader: Reader<'_>, linked: &Linked) -> Message {
    // What it is to be linked to then, and what it is linked to as this is shown.
    let link = |to: Option<&ProjectRef>, now: Option<&ProjectRef>, text: &str| {
        let value = |project: Option<&ProjectRef>| {
            project.map_or_else(
                || "p:none".to_owned(),
                |project| format!("p:{}", project.id),
            )
        };
        Button::new(
            "project.link",
            text,
            format!("{} {}", value(to), value(now)),
            text,
        )
    };
    let name = |project: &ProjectRef| format!("#{}", cut(&project.slug, 40));
    let (text, button) = match linked {
        Linked::Is(None) => (
            "This channel is not linked to a project. Link it with /time link #acme.".to_owned(),
            None,
        ),
        Linked::Is(Some(project)) => (
            format!(
                "What is logged in this channel goes to {} unless another project is named.",
                name(project)
            ),
            Some(link(None, Some(project), "Unlink")),
        ),
        Linked::Now(project, Some(before)) if project == before => (
            format!(
                "What is logged in this channel goes to {} already.",
                name(project)
            ),
            None,
        ),
        Linked::Meanwhile(now) => (
            match now {
                Some(now) => format!(
                    "Nothing was changed: somebody linked this channel to {} meanwhile.",
                    name(now)
                ),
                None => "Nothing was changed: somebody unlinked this channel meanwhile.".to_owned(),
            },
            None,
        ),
        Linked::Now(project, before) => (
            format!(
                "From now on what is logged in this channel goes to {} unless another project is named{}.",
                name(project),
                before
                    .as_ref()
                    .filter(|before| *before != project)
                    .map_or(String::new(), |before| {
                        format!(". Before, it went to {}", name(before))
                    })
            ),
            Some(link(before.as_ref(), Some(project), "Undo")),
        ),
        Linked::Unlinked(Some(before)) => (
            format!("This channel is no longer linked to {}.", name(before)),
            Some(link(Some(before), None, "Undo")),
        ),
        Linked::Unlinked(None) => ("This channel was not linked to a project.".to_owned(), None),
        Linked::Unclear(note) => return unclear(reader, note),
    };
    let id = reader.id("link");
    let block = match button {
        Some(button) => with_button(id, plain(&text), button),
        None => section(id, plain(&text)),
    };
    Message::new(text, vec![block])
}

/// It is not clear which project the channel is to be linked to.
fn unclear(reader: Reader<'_>, note: &ProjectNote) -> Message {
    let (text, candidates) = match note {
        ProjectNote::OneOf(typed, candidates) => (
            format!(
                "Nothing was changed. Which project is “{}”?",
                cut(typed, 40)
            ),
            candidates.clone(),
        ),
        ProjectNote::Archived(typed) => (
            format!("Nothing was changed: #{} is archived.", cut(typed, 40)),
            Vec::new(),
        ),
        ProjectNote::Unknown { typed, nearest, .. } => {
            let near = nearest.as_ref().map_or(String::new(), |near| {
                format!(" The nearest is #{}.", near.slug)
            });
            (
                format!(
                    "Nothing was changed: there is no project “#{}”.{near} /time projects shows all of them.",
                    cut(typed, 40)
                ),
                nearest.iter().cloned().collect(),
            )
        }
        _ => ("Nothing was changed.".to_owned(), Vec::new()),
    };
    let buttons: Vec<Button> = candidates
        .iter()
        .enumerate()
        .map(|(place, project)| {
            Button::new(
                &format!("project.link.{}", place + 1),
                format!("#{}", cut(&project.slug, PROJECT_MAX)),
                format!("p:{}", project.id),
                &format!("#{}: link this channel to it", project.slug),
            )
        })
        .collect();
    let mut blocks = vec![section(reader.id("link"), plain(&text))];
    if !buttons.is_empty() {
        blocks.push(actions(reader.id("link.actions"), buttons));
    }
    Message::new(text, blocks)
}

/// The project could not be made or changed.
pub fn project_not_changed(reader: Reader<'_>, sentence: &str) -> Message {
    let text = format!("Nothing was changed. {sentence}");
    let block = section(reader.id("projects.notice"), plain(&text));
    Message::new(text, vec![block])
}
