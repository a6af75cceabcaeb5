//! Buttons and menus.

use uuid::Uuid;

use super::{
    Door, Heard, commands, home,
    inbound::{Action, Interaction, workspace_of},
    logged,
    messages::{self, Message},
    request_key, stranger,
};
use crate::{
    app::{HomeTab, Notice},
    domain::{member::Member, time_command::Unit},
    error::Failed,
    store::EntryChange,
};

/// What a button that acts on an entry carries: `e:ID:VERSION:DAY`, with a verb in front for some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EntryRef<'a> {
    verb: &'a str,
    id: Uuid,
    version: i32,
}

impl<'a> EntryRef<'a> {
    fn read(value: &'a str) -> Option<Self> {
        let (verb, reference) = value.rsplit_once(' ').unwrap_or(("", value));
        let mut parts = reference.strip_prefix("e:")?.split(':');
        let id = Uuid::parse_str(parts.next()?).ok()?;
        let version = parts.next()?.parse().ok()?;
        Some(Self { verb, id, version })
    }
}

/// Does what was pressed. The acknowledgement of a button carries nothing: what there is to see replaces
/// the message, or the Home tab.
pub(super) async fn pressed(door: &Door, heard: &Heard, interaction: &Interaction) {
    let workspace = workspace_of(
        &interaction.team.id,
        &interaction.enterprise.id,
        interaction.is_enterprise_install,
    );
    let slack_user = &*interaction.user.id;
    for action in &interaction.actions {
        let Some(answer) = answer(door, heard, interaction, workspace, slack_user, action).await
        else {
            continue;
        };
        door.answer_later(interaction, slack_user, answer.replacing());
    }
}

async fn answer(
    door: &Door,
    heard: &Heard,
    interaction: &Interaction,
    workspace: &str,
    slack_user: &str,
    action: &Action,
) -> Option<Message> {
    // A second button of the same meaning has a number at its end.
    let name = action
        .action_id
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .trim_end_matches('.');
    let round = round_of(&action.block_id);
    match name {
        "reading.accept" => {
            let line = action.value.strip_prefix("t:")?;
            // Named by the message, so that one question is answered with one entry, however often and
            // whichever of its buttons is pressed.
            let key = request_key(
                heard,
                &[
                    workspace,
                    slack_user,
                    "reading",
                    &interaction.container.channel_id,
                ],
                &interaction.container.message_ts,
            );
            Some(commands::line(door, heard, (workspace, slack_user), key, line, round).await)
        }
        "command.retry" => {
            let (key, line) = action.value.strip_prefix("k:")?.split_once(" t:")?;
            let key = Uuid::parse_str(key).ok()?;
            Some(commands::line(door, heard, (workspace, slack_user), key, line, round).await)
        }
        "entry.undo" | "entry.redo" | "entry.flip" | "entry.menu" => {
            let member = match door.member(workspace, slack_user).await {
                Ok(member) => member,
                Err(failed) => {
                    let stranger = stranger(workspace, slack_user);
                    return Some(messages::failed(
                        door.reader(&stranger, round),
                        &logged(failed),
                    ));
                }
            };
            let home = if interaction.is_on_home() {
                HomeTab::DrawnByCaller
            } else {
                HomeTab::Refresh
            };
            let change = change(door, &member, name, action, home).await;
            if home == HomeTab::DrawnByCaller {
                after_change_on_home(door, &member, change).await;
                return None;
            }
            Some(after_change(door, &member, name, action, change))
        }
        "help.open" => {
            let stranger = stranger(workspace, slack_user);
            home::open_help(door, &interaction.trigger_id, &stranger).await;
            None
        }
        _ => {
            tracing::warn!(
                action_id = action.action_id,
                "slack.unknown_action: nothing is tied to this element"
            );
            None
        }
    }
}

/// How often the message has been replaced whose button was pressed: its block ids say so.
fn round_of(block_id: &str) -> u32 {
    block_id
        .rsplit_once(".r")
        .and_then(|(_, round)| round.parse().ok())
        .unwrap_or(0)
}

async fn change(
    door: &Door,
    member: &Member,
    name: &str,
    action: &Action,
    home: HomeTab,
) -> Result<EntryChange, Failed> {
    let value = if action.value.is_empty() {
        &action.selected_option.value
    } else {
        &action.value
    };
    let Some(entry) = EntryRef::read(value) else {
        return Ok(EntryChange::Unknown);
    };
    match (name, entry.verb) {
        ("entry.undo", _) | ("entry.menu", "delete") => {
            door.app.undo(member, entry.id, entry.version, home).await
        }
        ("entry.redo", _) => door.app.redo(member, entry.id, entry.version, home).await,
        ("entry.flip", "unit:hours") => {
            door.app
                .flip_unit(member, entry.id, entry.version, Unit::Hours)
                .await
        }
        ("entry.flip", "unit:minutes") => {
            door.app
                .flip_unit(member, entry.id, entry.version, Unit::Minutes)
                .await
        }
        _ => Ok(EntryChange::Unknown),
    }
}

fn after_change(
    door: &Door,
    member: &Member,
    name: &str,
    action: &Action,
    change: Result<EntryChange, Failed>,
) -> Message {
    let reader = door.reader(member, round_of(&action.block_id));
    match change {
        Ok(EntryChange::Done(receipt)) => match name {
            "entry.redo" => messages::logged(reader, &receipt, None, &[]),
            "entry.flip" if action.value.starts_with("unit:hours") => {
                messages::flipped(reader, &receipt, Unit::Hours)
            }
            "entry.flip" => messages::flipped(reader, &receipt, Unit::Minutes),
            _ => messages::undone(reader, &receipt),
        },
        Ok(EntryChange::Stale(receipt)) => messages::stale(reader, &receipt),
        Ok(EntryChange::Settled(receipt)) => messages::settled(reader, &receipt),
        Ok(EntryChange::Unknown) => messages::no_longer_here(reader),
        Err(failed) => messages::failed(reader, &logged(failed)),
    }
}

async fn after_change_on_home(door: &Door, member: &Member, change: Result<EntryChange, Failed>) {
    let notice = match change {
        Ok(EntryChange::Done(receipt)) if receipt.entry.deleted_at.is_some() => {
            Some(Notice::Deleted(receipt.entry))
        }
        Ok(EntryChange::Done(_)) => None,
        Ok(EntryChange::Stale(_) | EntryChange::Settled(_) | EntryChange::Unknown) => {
            Some(Notice::NothingChanged)
        }
        Err(failed) => {
            let _ = logged(failed);
            Some(Notice::NothingChanged)
        }
    };
    home::publish_now(door, member, notice).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_button_carries_is_read_or_refused() {
        let id = "01a1f8ef-74c8-70fd-9243-62117d03662f";
        let with_verb = format!("unit:minutes e:{id}:3:2026-11-20");
        let read = EntryRef::read(&with_verb).unwrap();
        assert_eq!(
            (read.verb, read.version, read.id.to_string().as_str()),
            ("unit:minutes", 3, id)
        );
        assert_eq!(
            EntryRef::read(&format!("e:{id}:1:2026-11-20"))
                .unwrap()
                .verb,
            ""
        );
        for bad in [
            "",
            "e:",
            "e:x:1",
            &format!("e:{id}"),
            &format!("e:{id}:x:d"),
            &format!("f:{id}:1:d"),
            " e:",
        ] {
            assert_eq!(EntryRef::read(bad), None, "{bad}");
        }
    }
}
