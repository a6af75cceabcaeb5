//! Buttons and menus.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Door, Heard, calendars, commands,
    forms::{self, Meta, Prefill},
    home,
    inbound::{Action, Interaction},
    invoices, logged, meetings,
    messages::{self, Conversation, Message, Reader, SummaryNotice},
    notices,
    open_form::{self, EntryFormKind},
    own_data, preferences, projects, reports, request_key, rules, stranger,
    summaries::{self, About},
    text::unescaped,
    timers, workspace,
};
use crate::{
    app::{EntryVersion, Flip, FormOutcome, HomeTab, Notice},
    domain::{
        member::Member,
        time_command::{BareNumberUnit, Unit},
        time_entry::TimeEntry,
    },
    error::Failed,
    store::EntryChange,
};

/// What a button that acts on an entry carries: `e:ID:VERSION:DAY`, with a verb in front for some, and for
/// some with something else behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EntryRef<'a> {
    verb: &'a str,
    entry: EntryVersion,
    more: &'a str,
}

impl<'a> EntryRef<'a> {
    fn read(value: &'a str) -> Option<Self> {
        let (verb, rest) = match value.split_once(' ') {
            Some((verb, rest)) if !verb.starts_with("e:") => (verb, rest),
            _ => ("", value),
        };
        let (reference, more) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut parts = reference.strip_prefix("e:")?.split(':');
        let id = Uuid::parse_str(parts.next()?).ok()?;
        let version = parts.next()?.parse().ok()?;
        Some(Self {
            verb,
            entry: EntryVersion { id, version },
            more,
        })
    }
}

/// Somebody pressed something: who, and where.
pub(super) struct Press<'a> {
    pub(super) door: &'a Door,
    pub(super) heard: &'a Heard,
    pub(super) interaction: &'a Interaction,
    pub(super) workspace: &'a str,
    pub(super) action: &'a Action,
}

impl<'a> Press<'a> {
    pub(super) fn slack_user(&self) -> &'a str {
        &self.interaction.user.id
    }

    /// What the element carries, or what was chosen in it.
    pub(super) fn value(&self) -> &'a str {
        if self.action.value.is_empty() {
            &self.action.selected_option.value
        } else {
            &self.action.value
        }
    }

    /// How often the message has been replaced whose button was pressed: its block ids say so.
    pub(super) fn round(&self) -> u32 {
        let round = self.action.block_id.rsplit_once(".r");
        round.and_then(|(_, round)| round.parse().ok()).unwrap_or(0)
    }

    /// The summary that the element stands in.
    pub(super) fn summary(&self) -> Option<About> {
        About::of_block(&self.action.block_id)
    }

    /// Whether what was pressed is answered with the summary already.
    fn draws_summaries(&self) -> bool {
        let kind = self.action.action_id.split('.').next();
        matches!(kind, Some("event" | "day" | "week" | "prefs"))
    }

    /// What was decided about a rule, where that is all there is to say.
    fn decided(&self, answer: &Message) -> Option<SummaryNotice> {
        let is_rule = self.action.action_id.starts_with("rule.");
        is_rule.then(|| SummaryNotice::Decided(unescaped(&answer.text)))
    }

    /// The page of a list that the element stands in a row of: how many come before it.
    pub(super) fn list(&self) -> Option<u32> {
        let (_, rest) = self.action.block_id.split_once(".s")?;
        rest.split('.').next()?.parse().ok()
    }

    /// Whoever draws the message anew keeps the mark that it is known by.
    pub(super) fn reader<'m>(&'m self, member: &'m Member) -> Reader<'m> {
        let tag = if self.is_beside() {
            ""
        } else {
            notices::mark_of(&self.action.block_id)
        };
        Reader {
            tag,
            ..self.door.reader(member, self.round())
        }
    }

    /// Whether the answer stands beside the message, which says something else than what was asked for there.
    fn is_beside(&self) -> bool {
        self.action.block_id.starts_with(messages::INVOICE)
            && self.action.action_id.starts_with("report.")
    }

    /// Where the message stands.
    pub(super) fn conversation(&self) -> Conversation<'a> {
        Conversation {
            id: &self.interaction.container.channel_id,
            name: &self.interaction.channel.name,
        }
    }

    /// Names what is pressed, so that one press is one change however often it is delivered.
    pub(super) fn key(&self) -> Uuid {
        let named = [
            self.workspace,
            self.slack_user(),
            &self.action.action_id,
            self.value(),
        ];
        request_key(self.heard, &named, &self.interaction.trigger_id)
    }

    pub(super) fn home(&self) -> HomeTab {
        if self.interaction.is_on_home() || self.summary().is_some() {
            HomeTab::DrawnByCaller
        } else {
            HomeTab::Refresh
        }
    }

    /// What a form that is opened here carries.
    pub(super) fn meta(&self) -> Meta {
        Meta {
            channel: self.interaction.container.channel_id.clone(),
            way: self.door.remember_way(&self.interaction.response_url),
            over: true,
            round: self.round(),
            home: self.interaction.is_on_home(),
            list: self.list(),
            summary: self.summary(),
            ..Meta::default()
        }
    }
}

/// Does what was pressed. The acknowledgement of a button carries nothing: what there is to see replaces
/// the message, or the Home tab.
pub(super) async fn pressed(
    door: &Door,
    heard: &Heard,
    interaction: &Interaction,
    workspace: &str,
) {
    for action in &interaction.actions {
        let press = Press {
            door,
            heard,
            interaction,
            workspace,
            action,
        };
        let Some(answer) = answer(&press).await else {
            continue;
        };
        let answer = if press.is_beside() {
            answer.beside()
        } else {
            answer.replacing()
        };
        door.answer_later(interaction, press.slack_user(), answer);
    }
}

async fn answer(press: &Press<'_>) -> Option<Message> {
    let member = match press.door.member(press.workspace, press.slack_user()).await {
        Ok(member) => member,
        Err(failed) => {
            let stranger = stranger(press.workspace, press.slack_user());
            return Some(messages::failed(press.reader(&stranger), &logged(failed)));
        }
    };
    match act(press, &member).await {
        Ok(None) => None,
        // A summary stays what it is, whatever is used in it.
        Ok(Some(answer)) => match press.summary() {
            Some(about) if !press.draws_summaries() => {
                let notice = press.decided(&answer);
                let summary = summaries::redrawn(press, &member, about, notice.as_ref()).await;
                summary.unwrap_or_else(|failed| {
                    drop(logged(failed));
                    Some(answer)
                })
            }
            _ => Some(answer),
        },
        Err(failed) if press.interaction.is_on_home() => {
            let _ = logged(failed);
            home::redraw(press, &member, Some(Notice::NothingChanged)).await;
            None
        }
        Err(failed) => Some(messages::failed(press.reader(&member), &logged(failed))),
    }
}

async fn act(press: &Press<'_>, member: &Arc<Member>) -> Result<Option<Message>, Failed> {
    let Press {
        door,
        heard,
        interaction,
        workspace,
        action,
    } = *press;
    // A second button of the same meaning has a number at its end.
    let name = action
        .action_id
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .trim_end_matches('.');
    let (kind, verb) = name.split_once('.').unwrap_or((name, ""));
    if name == forms::VALUE {
        // A field of a form; what it holds comes with the submission.
        return Ok(None);
    }
    match (kind, verb) {
        ("reading", "accept") => {
            let Some(line) = action.value.strip_prefix("t:") else {
                return Ok(None);
            };
            // Named by the message, so that one question is answered with one entry, however often and
            // whichever of its buttons is pressed.
            let channel = &interaction.container.channel_id;
            let named = [workspace, press.slack_user(), "reading", channel];
            let key = request_key(heard, &named, &interaction.container.message_ts);
            Ok(commands::line(press, key, line).await)
        }
        ("command", "retry") => {
            let value = action
                .value
                .strip_prefix("k:")
                .and_then(|value| value.split_once(" t:"));
            let Some((key, line)) = value else {
                return Ok(None);
            };
            let Ok(key) = Uuid::parse_str(key) else {
                return Ok(None);
            };
            Ok(commands::line(press, key, line).await)
        }
        ("reading", "form") => {
            let line = action.value.strip_prefix("t:").unwrap_or_default();
            let prefill = commands::prefill(door, member, line);
            open_form::open_new(door, member, &interaction.trigger_id, prefill, press.meta()).await;
            Ok(None)
        }
        ("entry", "new") => {
            let date = action.value.strip_prefix("d:").and_then(forms::read_day);
            let prefill = Prefill {
                date: date.unwrap_or_default(),
                ..Prefill::default()
            };
            // It leads to an entry of its own and does not take the place of what it stands on.
            let meta = press.meta().for_another_entry();
            open_form::open_new(door, member, &interaction.trigger_id, prefill, meta).await;
            Ok(None)
        }
        ("entry", _) => entry(press, member, verb).await,
        ("timer", "start") => {
            timers::open_new(press, member).await?;
            Ok(None)
        }
        ("waiting", "show") => {
            home::show_waiting(press, member).await;
            Ok(None)
        }
        ("timer", _) => timers::pressed(press, member, verb).await,
        ("report", _) => reports::pressed(press, member, verb).await,
        ("gap", "fill") => {
            reports::fill_gap(press, member).await;
            Ok(None)
        }
        ("project", _) => projects::pressed(press, member, verb).await,
        ("day" | "week", _) => summaries::pressed(press, member, verb).await,
        ("prefs", "silent" | "monday") => summaries::preference_pressed(press, member).await,
        ("prefs", "invoice") => invoices::preference_pressed(press, member).await,
        ("event", _) => meetings::pressed(press, member, verb).await,
        ("rule", _) => rules::pressed(press, member, verb).await,
        ("calendar", _) => calendars::pressed(press, member, verb).await,
        ("token", _) => calendars::token_pressed(press, member, verb).await,
        ("prefs", "open") => {
            preferences::open(door, member, &interaction.trigger_id).await?;
            Ok(None)
        }
        ("workspace", "open") => {
            workspace::pressed(press, member).await?;
            Ok(None)
        }
        // The button leads to a page; Slack tells of it all the same.
        ("workspace", "reinstall") => Ok(None),
        ("data", _) => own_data::pressed(press, member, verb).await,
        ("prefs", "set_unit") => {
            let unit = match action.value.strip_prefix("bare_number_unit:") {
                Some("hours") => BareNumberUnit::Hours,
                Some("minutes") => BareNumberUnit::Minutes,
                Some("guess") => BareNumberUnit::Guess,
                _ => return Ok(None),
            };
            door.app.set_bare_number_unit(member, unit).await?;
            let unit = match unit {
                BareNumberUnit::Guess => None,
                BareNumberUnit::Hours => Some(Unit::Hours),
                BareNumberUnit::Minutes => Some(Unit::Minutes),
            };
            Ok(Some(messages::taught(press.reader(member), unit)))
        }
        ("help", "open") => {
            home::open_help(door, &interaction.trigger_id, member).await;
            Ok(None)
        }
        _ => {
            tracing::warn!(
                action_id = action.action_id,
                "slack.unknown_action: nothing is tied to this element"
            );
            Ok(None)
        }
    }
}

/// What is done to one entry.
async fn entry(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let app = &press.door.app;
    if verb == "list" {
        let skip = press
            .value()
            .strip_prefix("l:")
            .and_then(|skip| skip.parse().ok());
        let list = app.entry_list(member, skip.unwrap_or(0)).await?;
        return Ok(Some(messages::entries(press.reader(member), &list, None)));
    }
    let Some(reference) = EntryRef::read(press.value()) else {
        return shown(press, member, EntryChange::Unknown).await;
    };
    // A menu names what is to be done in front of what it is done to.
    let verb = if verb == "menu" { reference.verb } else { verb };
    let entry = reference.entry;
    let form = match verb {
        "edit" => Some(EntryFormKind::Edit),
        "change_project" => Some(EntryFormKind::Project),
        "move" => Some(EntryFormKind::Move),
        _ => None,
    };
    if let Some(form) = form {
        let trigger = &press.interaction.trigger_id;
        let problem =
            open_form::open_for_entry(press.door, member, trigger, entry, &press.meta(), form)
                .await?;
        return match problem {
            Some(change) => shown(press, member, change).await,
            None => Ok(None),
        };
    }
    let change = match verb {
        "undo" | "redo" => app.take_back(member, entry, press.home()).await?,
        "delete" => app.delete(member, entry, press.home()).await?,
        "flip" => {
            let Some(flip) = flip_of(reference.verb) else {
                return shown(press, member, EntryChange::Unknown).await;
            };
            let flipped = app.flip(member, entry, flip).await?;
            if let EntryChange::Done(changed) = &flipped.change {
                let message = messages::flipped(press.reader(member), changed, flipped.teach);
                return Ok(Some(message));
            }
            flipped.change
        }
        "merge" => match EntryRef::read(reference.more) {
            Some(other) => app.merge(member, entry, other.entry).await?,
            None => EntryChange::Unknown,
        },
        "set_project" => {
            let channel = &press.interaction.container.channel_id;
            let Ok(project) = forms::project_of_value(reference.more) else {
                return shown(press, member, EntryChange::Unknown).await;
            };
            match app
                .set_project(member, channel, entry, project, press.home())
                .await?
            {
                FormOutcome::Done(change) => change,
                FormOutcome::Nothing => return Ok(None),
                FormOutcome::Problems(problems) => {
                    let now = app.entry(member, entry.id).await?;
                    let said = now.zip(problems.first()).map(|(now, problem)| {
                        messages::project_not_set(press.reader(member), &now, problem)
                    });
                    return Ok(said);
                }
            }
        }
        _ => EntryChange::Unknown,
    };
    shown(press, member, change).await
}

/// The entry that a button names, and what stands behind it.
pub(super) fn entry_of(value: &str) -> Option<(EntryVersion, &str)> {
    EntryRef::read(value).map(|reference| (reference.entry, reference.more))
}

/// The other reading that a button offers.
fn flip_of(verb: &str) -> Option<Flip> {
    match verb.split_once(':')? {
        ("unit", "hours") => Some(Flip::Unit(Unit::Hours)),
        ("unit", "minutes") => Some(Flip::Unit(Unit::Minutes)),
        ("half", "day") => Some(Flip::HalfDay),
        ("day", day) => forms::read_day(day).map(Flip::Day),
        _ => None,
    }
}

/// Shows what came of a press: in the place of the message, or on the Home tab.
pub(super) async fn shown(
    press: &Press<'_>,
    member: &Arc<Member>,
    change: EntryChange,
) -> Result<Option<Message>, Failed> {
    if press.interaction.is_on_home() {
        let notice = match change {
            // The timer that runs stands there.
            EntryChange::Done(changed)
                if changed.receipt.is_none() && changed.timer_after.is_some() =>
            {
                None
            }
            EntryChange::Done(changed) => Some(Notice::Changed(changed)),
            _ => Some(Notice::NothingChanged),
        };
        home::redraw(press, member, notice).await;
        return Ok(None);
    }
    if let (Some(skip), EntryChange::Done(changed)) = (press.list(), &change) {
        let list = press.door.app.entry_list(member, skip).await?;
        return Ok(Some(messages::entries(
            press.reader(member),
            &list,
            Some(changed),
        )));
    }
    let overlaps = match &change {
        EntryChange::Done(changed) => press.door.app.overlaps_after(changed).await,
        _ => Vec::new(),
    };
    Ok(Some(change_message(
        press.reader(member),
        &change,
        &overlaps,
    )))
}

/// What is said of a change.
pub(super) fn change_message(
    reader: Reader<'_>,
    change: &EntryChange,
    overlaps: &[TimeEntry],
) -> Message {
    match change {
        EntryChange::Done(changed) => messages::changed(reader, changed, overlaps),
        EntryChange::Stale(receipt) => messages::stale(reader, receipt),
        EntryChange::Settled(receipt) => messages::settled(reader, receipt),
        EntryChange::OtherTimer(timer) => messages::other_timer(reader, timer.as_ref()),
        EntryChange::Unknown => messages::no_longer_here(reader),
    }
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
            (read.verb, read.entry.version, read.more),
            ("unit:minutes", 3, "")
        );
        assert_eq!(read.entry.id.to_string(), id);
        let two = format!("e:{id}:1:2026-11-20 e:{id}:2:2026-11-20");
        let read = EntryRef::read(&two).unwrap();
        assert_eq!((read.verb, read.entry.version), ("", 1));
        assert_eq!(EntryRef::read(read.more).unwrap().entry.version, 2);
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
