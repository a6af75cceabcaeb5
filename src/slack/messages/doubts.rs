//! What was doubtful in a line: the reading that was taken and the other one, and which project was meant.

use chrono::NaiveDate;
use slack_morphism::prelude::SlackBlock;

use super::{Button, PROJECT_MAX, Reader, actions, entry_value, section};
use crate::{
    app::ProjectNote,
    domain::{
        minutes::Minutes,
        time_command::{Guess, Unit},
        time_entry::TimeEntry,
    },
    slack::text::{cut, plain, short_day},
};

/// What was guessed, for the grey line. Nothing where the other reading cannot be meant: nobody works 90
/// hours in a day.
pub(super) fn reading_note(guess: &Guess, today: NaiveDate) -> Option<String> {
    match guess {
        Guess::BareNumber {
            written, read_as, ..
        } => {
            other_unit(guess)?;
            Some(format!("I read “{written}” as {}", unit_word(*read_as)))
        }
        Guess::Weekday {
            written, read_as, ..
        } => Some(format!(
            "I read “{written}” as {}",
            short_day(*read_as, today)
        )),
        Guess::HalfDay { read_as, other } => Some(format!(
            "I read the time as {}, not {}",
            read_as.format("%H:%M"),
            other.format("%H:%M")
        )),
    }
}

/// The other reading of a guess, at once.
pub(super) fn flip_button(entry: &TimeEntry, guess: &Guess, today: NaiveDate) -> Option<Button> {
    let (verb, label) = match guess {
        Guess::BareNumber { .. } => {
            let (unit, other) = other_unit(guess)?;
            (
                format!("unit:{} ", unit_word(unit)),
                format!("I meant {}", other.words()),
            )
        }
        Guess::Weekday { other, .. } => (
            format!("day:{other} "),
            format!("I meant {}", short_day(*other, today)),
        ),
        Guess::HalfDay { other, .. } => (
            "half:day ".to_owned(),
            format!("I meant {}", other.format("%H:%M")),
        ),
    };
    Some(Button::on(entry, "entry.flip", &label, &verb))
}

pub(super) const fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Hours => "hours",
        Unit::Minutes => "minutes",
    }
}

/// The other unit of a bare number, and the length with it.
fn other_unit(guess: &Guess) -> Option<(Unit, Minutes)> {
    match guess {
        Guess::BareNumber { read_as, other, .. } if *other <= Minutes::DAY => Some(match read_as {
            Unit::Hours => (Unit::Minutes, *other),
            Unit::Minutes => (Unit::Hours, *other),
        }),
        _ => None,
    }
}

/// How the project came to be this one, for the grey line.
pub(super) fn project_note(note: &ProjectNote) -> Option<String> {
    match note {
        ProjectNote::Nothing => None,
        ProjectNote::AsLastTime => Some("The project is the one you named here last".to_owned()),
        ProjectNote::From(typed) => Some(format!("I read the project from “{}”", cut(typed, 40))),
        ProjectNote::OneOf(typed, _) => {
            Some(format!("“{}” could be several projects", cut(typed, 40)))
        }
        ProjectNote::Archived(typed) => Some(format!(
            "#{} is archived and takes no more entries",
            cut(typed, 40)
        )),
        ProjectNote::Unknown { typed, .. } => {
            Some(format!("There is no project “#{}”", cut(typed, 40)))
        }
        ProjectNote::UnknownClient(typed) => Some(format!(
            "No client with open projects is called “@{}”",
            cut(typed, 40)
        )),
    }
}

/// Where it is not clear which project is meant: the question, and a button for each answer.
pub(super) fn project_question(
    reader: Reader<'_>,
    entry: &TimeEntry,
    note: &ProjectNote,
) -> Option<(String, Vec<SlackBlock>)> {
    let (question, says, candidates, may_create) = match note {
        ProjectNote::Nothing | ProjectNote::AsLastTime | ProjectNote::From(_) => return None,
        ProjectNote::OneOf(typed, candidates) => {
            let names: Vec<String> = candidates.iter().map(|p| format!("#{}", p.slug)).collect();
            let typed = cut(typed, 40);
            (
                format!("*Which project is “{}”?*", plain(&typed)),
                format!(
                    "Which project is “{typed}”? {} or another one. ",
                    names.join(", ")
                ),
                candidates.clone(),
                None,
            )
        }
        ProjectNote::Archived(typed) => {
            let typed = cut(typed, 40);
            (
                format!("*#{} is archived.* Which project is it now?", plain(&typed)),
                format!("#{typed} is archived. Choose another project, or leave it without. "),
                Vec::new(),
                None,
            )
        }
        ProjectNote::Unknown {
            typed,
            nearest,
            may_create,
        } => {
            let typed = cut(typed, 40);
            let near = nearest
                .as_ref()
                .map_or(String::new(), |p| format!(" The nearest is #{}.", p.slug));
            let admins = if may_create.is_none() && !reader.member.may_create_projects {
                " Your admins can create it."
            } else {
                ""
            };
            (
                format!(
                    "*There is no project “#{}”.*{}{admins}",
                    plain(&typed),
                    plain(&near)
                ),
                format!(
                    "There is no project “#{typed}”.{near}{admins} Until you choose, it has none. "
                ),
                nearest.iter().cloned().collect(),
                may_create.clone(),
            )
        }
        ProjectNote::UnknownClient(typed) => {
            let typed = cut(typed, 40);
            (
                format!(
                    "*No client with open projects is called “@{}”.* Which project is it?",
                    plain(&typed)
                ),
                format!(
                    "No client with open projects is called “@{typed}”. Until you choose a project, it has none. "
                ),
                Vec::new(),
                None,
            )
        }
    };
    let what = cut(&entry.description.replace('\n', " "), 28);
    let mut buttons: Vec<Button> = candidates
        .iter()
        .enumerate()
        .map(|(place, project)| {
            Button::new(
                &format!("entry.set_project.{}", place + 1),
                format!("#{}", cut(&project.slug, PROJECT_MAX)),
                format!("{} p:{}", entry_value(entry), project.id),
                &format!("#{}: log {what} to it", project.slug),
            )
        })
        .collect();
    if let Some(slug) = may_create {
        buttons.push(Button::new(
            "project.create",
            format!("Create #{}", cut(&slug, PROJECT_MAX)),
            format!("{} n:{slug}", entry_value(entry)),
            &format!("Create #{}: and log {what} to it", cut(&slug, 30)),
        ));
    }
    buttons.push(Button::on(entry, "entry.change_project", "Another…", ""));
    buttons.push(Button::new(
        &format!("entry.set_project.{}", candidates.len() + 1),
        "No project",
        format!("{} p:none", entry_value(entry)),
        &format!("No project: leave {what} without one"),
    ));
    let blocks = vec![
        section(reader.id("pick"), question),
        actions(reader.id("pick.actions"), buttons),
    ];
    Some((says, blocks))
}
