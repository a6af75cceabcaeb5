//! `/time`.

use super::{
    Door, Heard,
    inbound::{SlashCommand, workspace_of},
    logged,
    messages::{self, Message},
    request_key, stranger,
};
use uuid::Uuid;

use crate::{
    app::{CommandOutcome, Request},
    error::Failed,
};

/// Answers a slash command. The answer is always something: a card, a question, help, or what failed.
pub(super) async fn time(door: &Door, heard: &Heard, command: &SlashCommand) -> Message {
    let (workspace, key) = named(heard, command);
    let person = (workspace, &*command.user_id);
    line(door, heard, person, key, &command.text, 0).await
}

/// Answers a slash command whose handling panicked.
pub(super) fn broken(door: &Door, heard: &Heard, command: &SlashCommand) -> Message {
    let (workspace, key) = named(heard, command);
    let stranger = stranger(workspace, &command.user_id);
    let failed = Failed {
        is_certain: false,
        ..door.app.failed(
            "answering a command",
            "the handler panicked; the line before says where",
        )
    };
    messages::not_stored(
        door.reader(&stranger, 0),
        &logged(failed),
        &command.text,
        key,
    )
}

/// Where the command was typed, and the key of the request.
fn named<'a>(heard: &Heard, command: &'a SlashCommand) -> (&'a str, Uuid) {
    let workspace = workspace_of(
        &command.team_id,
        &command.enterprise_id,
        command.is_enterprise_install,
    );
    let said = [
        workspace,
        &command.user_id,
        &command.channel_id,
        &command.command,
        &command.text,
    ];
    (workspace, request_key(heard, &said, &command.trigger_id))
}

/// Does what a line says, typed or carried by a button of a message that was replaced `round` times.
pub(super) async fn line(
    door: &Door,
    heard: &Heard,
    (workspace, slack_user): (&str, &str),
    key: Uuid,
    typed: &str,
    round: u32,
) -> Message {
    let member = match door.member(workspace, slack_user).await {
        Ok(member) => member,
        Err(failed) => {
            let stranger = stranger(workspace, slack_user);
            let reader = door.reader(&stranger, round);
            return messages::not_stored(reader, &logged(failed), typed, key);
        }
    };
    let request = Request {
        member: &member,
        key,
        deadline: heard.save_by,
    };
    let outcome = door.app.time_command(request, typed).await;
    let reader = door.reader(&member, round);
    match outcome {
        Ok(CommandOutcome::Logged(logged)) => messages::logged(
            reader,
            &logged.receipt,
            logged.guess.as_ref(),
            &logged.ranges,
        ),
        Ok(CommandOutcome::Undone(Some(receipt))) => messages::undone(reader, &receipt),
        Ok(CommandOutcome::Undone(None)) => messages::nothing_to_undo(reader),
        Ok(CommandOutcome::Help) => messages::help(reader),
        Ok(CommandOutcome::Explained(line)) => messages::explained(reader, &line),
        Ok(CommandOutcome::OnlyTime(line)) => messages::only_time(reader, &line, typed),
        Ok(CommandOutcome::NotUnderstood(error)) => messages::not_understood(reader, &error, typed),
        Err(failed) => messages::not_stored(reader, &logged(failed), typed, key),
    }
}
