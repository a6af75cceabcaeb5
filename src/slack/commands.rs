//! `/time`.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Door, Heard,
    actions::Press,
    forms::{Meta, Prefill},
    inbound::SlashCommand,
    logged,
    messages::{self, Conversation, Message, Reader},
    open_form, preferences, reports, request_key, stranger,
    text::cut,
    timers,
};
use crate::{
    app::{CommandOutcome, Request, TimerOutcome},
    domain::{
        member::Member,
        provider::Provider,
        time_command::{StartLine, TimeCommand, as_typed},
        time_entry::LONGEST_DESCRIPTION,
    },
    error::Failed,
};

/// One line, typed or carried by a button.
struct Line<'a> {
    door: &'a Door,
    heard: &'a Heard,
    workspace: &'a str,
    slack_user: &'a str,
    channel: Conversation<'a>,
    /// Names the request.
    key: Uuid,
    typed: &'a str,
    trigger_id: &'a str,
    response_url: &'a str,
    /// How often the message was replaced that carried it.
    round: u32,
}

/// Answers a slash command. The answer is a card, a question, help, or what failed; `None` where a form
/// was opened instead.
pub(super) async fn time(door: &Door, heard: &Heard, command: &SlashCommand) -> Option<Message> {
    let (workspace, key) = named(heard, command);
    answer(&Line {
        door,
        heard,
        workspace,
        slack_user: &command.user_id,
        channel: Conversation {
            id: &command.channel_id,
            name: &command.channel_name,
        },
        key,
        typed: &command.text,
        trigger_id: &command.trigger_id,
        response_url: &command.response_url,
        round: 0,
    })
    .await
}

/// Does what a line says that a button carries.
pub(super) async fn line(press: &Press<'_>, key: Uuid, typed: &str) -> Option<Message> {
    answer(&Line {
        door: press.door,
        heard: press.heard,
        workspace: press.workspace,
        slack_user: press.slack_user(),
        channel: press.conversation(),
        key,
        typed,
        trigger_id: &press.interaction.trigger_id,
        response_url: &press.interaction.response_url,
        round: press.round(),
    })
    .await
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
    let workspace = command.workspace();
    let said = [
        workspace,
        &command.user_id,
        &command.channel_id,
        &command.command,
        &command.text,
    ];
    (workspace, request_key(heard, &said, &command.trigger_id))
}

async fn answer(line: &Line<'_>) -> Option<Message> {
    let door = line.door;
    let member = match door.member(line.workspace, line.slack_user).await {
        Ok(member) => member,
        Err(failed) => {
            let stranger = stranger(line.workspace, line.slack_user);
            let reader = door.reader(&stranger, line.round);
            return Some(messages::not_stored(
                reader,
                &logged(failed),
                line.typed,
                line.key,
            ));
        }
    };
    if !member.workspace.time_enabled {
        let reader = door.reader(&member, line.round);
        return Some(messages::time_is_off(reader, line.typed));
    }
    let request = Request {
        member: &member,
        channel: line.channel.id,
        key: line.key,
        deadline: line.heard.save_by,
    };
    // What asks Slack first is kept apart, so that the many entries under way at once stay small.
    match door.app.time_command(request, line.typed).await {
        Ok(CommandOutcome::Form) => Box::pin(open_form(line, &member)).await,
        Ok(CommandOutcome::Preferences) => Box::pin(open_preferences(line, &member)).await,
        Ok(CommandOutcome::StartForm(start)) => {
            Box::pin(start_form(line, &member, request, &start)).await
        }
        Ok(CommandOutcome::Timer(outcome)) => Box::pin(timer(line, &member, outcome)).await,
        Ok(CommandOutcome::Report(outcome)) => {
            let reader = door.reader(&member, line.round);
            Some(reports::said(reader, &outcome, line.channel))
        }
        Ok(outcome) => {
            let reader = door.reader(&member, line.round);
            Some(said(reader, outcome, line.typed, &door.app.offered()))
        }
        Err(failed) => {
            let reader = door.reader(&member, line.round);
            Some(messages::not_stored(
                reader,
                &logged(failed),
                line.typed,
                line.key,
            ))
        }
    }
}

/// What is said of what came of a line.
fn said(reader: Reader<'_>, outcome: CommandOutcome, typed: &str, offered: &[Provider]) -> Message {
    match outcome {
        CommandOutcome::Logged(logged) => messages::logged(reader, &logged),
        CommandOutcome::Undone(Some(changed)) => messages::changed(reader, &changed, &[]),
        CommandOutcome::Undone(None) => messages::nothing_to_undo(reader),
        CommandOutcome::Timer(outcome) => messages::timer(reader, &outcome, Some(typed)),
        CommandOutcome::Form
        | CommandOutcome::StartForm(_)
        | CommandOutcome::Report(_)
        | CommandOutcome::Help => messages::help(reader),
        CommandOutcome::Entries(list) => messages::entries(reader, &list, None),
        CommandOutcome::Projects(projects) => messages::projects(reader, &projects, 0, None),
        CommandOutcome::Linked(linked) => messages::linked(reader, &linked),
        CommandOutcome::Connect(_, Some(link)) => messages::connect_link(reader, &link),
        CommandOutcome::Connect(Some(provider), None) => messages::not_set_up(reader, provider),
        CommandOutcome::Connect(None, None) => messages::which_calendar(reader, offered),
        CommandOutcome::Preferences => messages::open_preferences(reader),
        CommandOutcome::Reading(count) => messages::reading_calendars(reader, count),
        CommandOutcome::Typed(typed) => messages::typed_code(reader, &typed),
        CommandOutcome::Exporting(period) => messages::exporting(reader, period),
        CommandOutcome::Explained(line, chosen) => messages::explained(reader, &line, &chosen),
        CommandOutcome::OnlyTime(line) => messages::only_time(reader, &line, typed),
        CommandOutcome::NotUnderstood(error) => messages::not_understood(reader, &error, typed),
    }
}

/// Opens the form. Where Slack does not, help says how to do without.
async fn open_form(line: &Line<'_>, member: &Arc<Member>) -> Option<Message> {
    let (prefill, meta) = (Prefill::default(), meta(line));
    let is_open = open_form::open_new(line.door, member, line.trigger_id, prefill, meta).await;
    (!is_open).then(|| messages::help(line.door.reader(member, line.round)))
}

/// Opens the form for preferences. Where Slack does not, a button does.
async fn open_preferences(line: &Line<'_>, member: &Arc<Member>) -> Option<Message> {
    let reader = line.door.reader(member, line.round);
    match preferences::open(line.door, member, line.trigger_id).await {
        Ok(true) => None,
        Ok(false) => Some(messages::open_preferences(reader)),
        Err(failed) => Some(messages::failed(reader, &logged(failed))),
    }
}

/// What a form that a command opens carries.
fn meta(line: &Line<'_>) -> Meta {
    Meta {
        channel: line.channel.id.to_owned(),
        way: line.door.remember_way(line.response_url),
        ..Meta::default()
    }
}

/// Opens the form in which a timer is started. Where Slack does not, it is started as it was typed.
async fn start_form(
    line: &Line<'_>,
    member: &Arc<Member>,
    request: Request<'_>,
    start: &StartLine,
) -> Option<Message> {
    let door = line.door;
    let outcome = async {
        if timers::open_start(door, request, line.trigger_id, start, meta(line)).await? {
            return Ok(None);
        }
        door.app.start_timer(request, start).await.map(Some)
    };
    let reader = door.reader(member, line.round);
    match outcome.await {
        Ok(outcome) => outcome.map(|outcome| messages::timer(reader, &outcome, Some(line.typed))),
        Err(failed) => {
            let failed = logged(failed);
            Some(messages::not_stored(reader, &failed, line.typed, line.key))
        }
    }
}

/// What is said of a timer. One that has to be asked about is asked about in its form, if Slack opens it.
async fn timer(line: &Line<'_>, member: &Arc<Member>, outcome: TimerOutcome) -> Option<Message> {
    let reader = line.door.reader(member, line.round);
    if let TimerOutcome::Asks(timer, problem) = &outcome {
        let (door, trigger, problem) = (line.door, line.trigger_id, Some(*problem));
        match timers::open_stop(door, member, trigger, timer, problem, meta(line)).await {
            Ok(true) => return None,
            Ok(false) => {}
            // Nothing was to be stored; the message asks instead.
            Err(failed) => drop(logged(failed)),
        }
    }
    Some(messages::timer(reader, &outcome, Some(line.typed)))
}

/// What of a line that could not be logged goes into the form: its time, where that could be read, and
/// everything else as it was typed.
pub(super) fn prefill(door: &Door, member: &Member, typed: &str) -> Prefill {
    match door.app.read(member, typed) {
        Ok(TimeCommand::Log(line)) => Prefill {
            time: line.duration.to_string(),
            description: line.description,
            date: line.date,
            ..Prefill::default()
        },
        _ => Prefill {
            description: cut(as_typed(typed).trim(), LONGEST_DESCRIPTION),
            ..Prefill::default()
        },
    }
}
