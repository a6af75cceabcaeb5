//! Meetings, as people log and skip them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Door, SlackError,
    actions::{self, Press},
    forms::{self, Meta},
    home,
    inbound::View,
    messages::{self, Message, Reader, SummaryNotice},
    notices::{Said, mark},
    open_form, request_key, submissions,
    submissions::Acknowledgement,
    summaries,
};
use crate::{
    app::{
        EndedMeetings, EntryVersion, FormOutcome, LogAs, MeetingChange, Notice, WaitingDays,
        WaitingOf,
    },
    domain::{
        calendar_event::{EventState, LoggedAs},
        member::Member,
        rule::Rule,
        time_entry::{ChangeKind, Changed, Receipt},
    },
    error::{Failed, chain},
    jobs::Ran,
    store::{EntryChange, LogEvent},
};

/// The event that a button names.
fn event_of(value: &str) -> Option<Uuid> {
    Uuid::parse_str(value.strip_prefix("v:")?).ok()
}

/// A button about meetings was pressed.
pub(super) async fn pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let app = &press.door.app;
    match verb {
        "log_all" | "log_day" | "skip_before" | "undo_batch" => {
            return at_once(press, member, verb).await;
        }
        "apply_change" | "keep" => return changed(press, member, verb).await,
        _ => {}
    }
    let Some(event_id) = event_of(press.value()) else {
        return Ok(None);
    };
    let mut offer = None;
    let notice = match verb {
        "log_as" => return open_log_as(press, member, event_id).await,
        "log" => match app
            .log_event(member, event_id, LogAs::default(), press.home())
            .await?
        {
            // Pressed twice, it is the same entry, and the same is said.
            LogEvent::Logged(receipt) | LogEvent::Already(receipt) => {
                offer = app.offer_rule(member, event_id).await?;
                Some(logged(receipt, offer.clone()))
            }
            LogEvent::Not(_) | LogEvent::Unknown => Some(Notice::NothingChanged),
        },
        "unlog" => unlogged(press, member, event_id).await?,
        "skip" | "unskip" => {
            let is_dismissed = verb == "skip";
            let state = app
                .dismiss_event(member, event_id, is_dismissed, press.home())
                .await?;
            let event = app.event(member, event_id).await?;
            match (state, event) {
                (Some(EventState::Dismissed), Some(event)) => {
                    Some(Notice::Skipped(Box::new(event)))
                }
                (Some(EventState::Suggested), _) => None,
                _ => Some(Notice::NothingChanged),
            }
        }
        _ => return Ok(None),
    };
    if press.interaction.is_on_home() {
        app.card_follows(member, event_id).await?;
        home::redraw(press, member, notice).await;
        return Ok(None);
    }
    if let Some(about) = press.summary() {
        app.card_follows(member, event_id).await?;
        let offer = offer.map(SummaryNotice::Offer);
        return summaries::redrawn(press, member, about, offer.as_ref()).await;
    }
    let container = &press.interaction.container;
    let (channel, ts) = (&container.channel_id, &container.message_ts);
    let meetings = app.meetings_of_card(member, channel, ts).await?;
    if !meetings.is_empty() {
        let reader = press.reader(member);
        return Ok(Some(messages::ended_meetings(
            reader,
            &meetings,
            offer.as_ref(),
        )));
    }
    Ok(Some(match notice {
        Some(Notice::Meeting(changed, _)) => messages::changed(press.reader(member), &changed, &[]),
        _ => messages::no_longer_here(press.reader(member)),
    }))
}

/// Several are logged or skipped at once, or that is taken back.
async fn at_once(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let (app, home) = (&press.door.app, press.home());
    let notice = if verb == "undo_batch" {
        let key = press
            .value()
            .strip_prefix("b:")
            .and_then(|key| Uuid::parse_str(key).ok());
        match key {
            Some(key) => app.undo_batch(member, key, home).await?,
            None => None,
        }
        .map(Notice::BatchUndone)
    } else {
        // Named by what it was drawn for and not by the press: pressed twice, it is the same batch.
        let named = [press.workspace, press.slack_user(), "event.batch", verb];
        let key = request_key(press.heard, &named, press.value());
        match read_several(press.value(), verb == "skip_before") {
            None => None,
            Some(of) if verb == "skip_before" => app.skip_waiting(member, key, of, home).await?,
            Some(of) => app.log_waiting(member, key, of, home).await?,
        }
        .map(Notice::Batch)
    };
    if let Some(about) = press.summary() {
        let notice = match notice {
            Some(Notice::Batch(batch)) => Some(SummaryNotice::Batch(batch)),
            Some(Notice::BatchUndone(batch)) => Some(SummaryNotice::BatchUndone(batch)),
            _ => None,
        };
        return summaries::redrawn(press, member, about, notice.as_ref()).await;
    }
    home::redraw(
        press,
        member,
        Some(notice.unwrap_or(Notice::NothingChanged)),
    )
    .await;
    Ok(None)
}

/// Reads `n:4 d:2026-11-20 until:ID ended:1795186920`.
fn read_several(value: &str, is_before: bool) -> Option<WaitingOf> {
    let part = |name: &str| value.split(' ').find_map(|part| part.strip_prefix(name));
    let day = part("d:").map(forms::read_day);
    Some(WaitingOf {
        until: Uuid::parse_str(part("until:")?).ok()?,
        ended_by: DateTime::from_timestamp(part("ended:")?.parse().ok()?, 0)?,
        days: match (day, is_before) {
            (None, false) => WaitingDays::All,
            (Some(Some(day)), false) => WaitingDays::On(day),
            (Some(Some(day)), true) => WaitingDays::Before(day),
            _ => return None,
        },
    })
}

/// Takes the entry of a meeting back, at whatever version it is.
async fn unlogged(
    press: &Press<'_>,
    member: &Arc<Member>,
    event_id: Uuid,
) -> Result<Option<Notice>, Failed> {
    let app = &press.door.app;
    let event = app.event(member, event_id).await?;
    let entry = match event.and_then(|event| event.time_entry_id) {
        Some(id) => app.entry(member, id).await?,
        None => None,
    };
    let Some(entry) = entry.filter(|entry| entry.deleted_at.is_none()) else {
        return Ok(Some(Notice::NothingChanged));
    };
    let version = EntryVersion {
        id: entry.id,
        version: entry.version,
    };
    Ok(Some(
        match app.delete(member, version, press.home()).await? {
            EntryChange::Done(changed) => Notice::Changed(changed),
            _ => Notice::NothingChanged,
        },
    ))
}

/// The entry of a meeting that has changed in the calendar is changed, too, or stays.
async fn changed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let app = &press.door.app;
    let unknown = || Ok(Some(messages::no_longer_here(press.reader(member))));
    let Some((entry, more)) = actions::entry_of(press.value()) else {
        return unknown();
    };
    if verb == "keep" {
        let now = app.entry(member, entry.id).await?;
        return Ok(now.map(|entry| messages::kept(press.reader(member), &entry)));
    }
    let change = match press.value().split_once(' ') {
        Some(("times", _)) => MeetingChange::Moved,
        Some(("title", _)) => MeetingChange::Renamed,
        Some(("delete", _)) => MeetingChange::Cancelled,
        _ => return unknown(),
    };
    let Some(event_id) = event_of(more) else {
        return unknown();
    };
    let change = app
        .follow_meeting(member, entry, event_id, change, press.home())
        .await?;
    actions::shown(press, member, change).await
}

async fn open_log_as(
    press: &Press<'_>,
    member: &Arc<Member>,
    event_id: Uuid,
) -> Result<Option<Message>, Failed> {
    let (door, app) = (press.door, &press.door.app);
    let event = app.event(member, event_id).await?;
    let Some(event) = event.filter(|event| event.state == EventState::Suggested) else {
        if let Some(about) = press.summary() {
            return summaries::redrawn(press, member, about, None).await;
        }
        if press.interaction.is_on_home() {
            home::redraw(press, member, Some(Notice::NothingChanged)).await;
            return Ok(None);
        }
        return Ok(Some(messages::no_longer_here(press.reader(member))));
    };
    let guess = app.guess(member, &event).await?;
    let projects = app.projects(member).await?;
    let project = forms::find_project(projects, guess.project.as_ref());
    let view = forms::log_meeting(
        &event,
        project,
        guess.is_billable,
        member.zone(),
        &press.meta(),
    );
    open_form::open(door, &press.interaction.trigger_id, &view).await;
    Ok(None)
}

/// The form in which a meeting is logged was submitted.
pub(super) async fn submitted(
    door: &Door,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<Acknowledgement, Failed> {
    let Some(event_id) = meta.id else {
        return Ok(None);
    };
    let form = match submissions::entered(door, member, view, meta).await? {
        Ok(form) => form,
        Err(problem) => return Ok(problem),
    };
    let is_always = !view.field(forms::ALWAYS).selected_options.is_empty();
    let home = submissions::home_of(meta);
    let done = match door
        .app
        .log_event_form(member, event_id, &form, is_always, home)
        .await?
    {
        FormOutcome::Done(done) => done,
        FormOutcome::Nothing => return Ok(None),
        FormOutcome::Problems(found) => return Ok(submissions::problems(&found)),
    };
    let (receipt, offer) = match done.logged {
        LogEvent::Logged(receipt) | LogEvent::Already(receipt) => {
            let offer = match done.rule {
                Some(_) => None,
                None => door.app.offer_rule(member, event_id).await?,
            };
            (receipt, offer)
        }
        LogEvent::Not(_) | LogEvent::Unknown => {
            if meta.home {
                home::publish_now(door, member, Some(Notice::NothingChanged)).await;
            } else {
                let reader = door.reader(member, meta.round);
                door.answer_to(meta, member, messages::no_longer_here(reader));
            }
            return Ok(None);
        }
    };
    if meta.home {
        door.app.card_follows(member, event_id).await?;
        home::publish_now(door, member, Some(logged(receipt, offer))).await;
        return Ok(None);
    }
    let card = door.app.card_of(member, event_id).await?;
    let meetings = match &card {
        Some((channel, ts)) => door.app.meetings_of_card(member, channel, ts).await?,
        None => Vec::new(),
    };
    let reader = door.reader(member, meta.round);
    let message = if meetings.is_empty() {
        messages::changed(reader, &created(receipt), &[])
    } else {
        messages::ended_meetings(reader, &meetings, offer.as_ref())
    };
    door.answer_to(meta, member, message);
    Ok(None)
}

fn logged(receipt: Receipt, offer: Option<Rule>) -> Notice {
    Notice::Meeting(Box::new(created(receipt)), offer.map(Box::new))
}

fn created(receipt: Receipt) -> Changed {
    Changed {
        kind: ChangeKind::Create,
        is_undo: false,
        receipt: Some(receipt),
        before: None,
        other: None,
        timer_before: None,
        timer_after: None,
    }
}

impl Door {
    /// Asks for a look at each person whose meetings have ended.
    pub async fn look_for_ended(&self) -> Ran {
        ran(self.app.queue_ended().await)
    }

    /// Deals with the meetings of a person that have ended.
    pub async fn meetings_ended(&self, binding: Uuid) -> Ran {
        ran(self.app.deal_with_ended(binding).await)
    }

    /// Tells a person about meetings that have ended, which were dealt with at `at`.
    pub async fn tell_meetings(&self, binding: Uuid, events: &[Uuid], at: DateTime<Utc>) -> Ran {
        let first = events.first().copied().unwrap_or_default();
        let notice = format!("ended:{first}:{}", at.timestamp_micros());
        match self.app.ended_to_tell(binding, events).await {
            Ok(Some(ended)) => self.show_meetings(&ended, &notice).await,
            Ok(None) => Ran::Done,
            Err(failed) => Ran::Failed(chain(&failed)),
        }
    }

    /// Tells a person of the entry that was made of a meeting, by a rule or a program.
    pub async fn tell_entry(&self, binding: Uuid, event: Uuid) -> Ran {
        let ended = match self.app.entry_to_tell(binding, event).await {
            Ok(Some(ended)) => ended,
            Ok(None) => return Ran::Done,
            Err(failed) => return Ran::Failed(chain(&failed)),
        };
        let entry = ended.meetings.first();
        let entry = entry.and_then(|meeting| meeting.event.time_entry_id);
        let notice = format!("entry:{}", entry.unwrap_or_default());
        self.show_meetings(&ended, &notice).await
    }

    /// Posts the message about these meetings, once, and notes where it stands, to draw it anew there.
    async fn show_meetings(&self, ended: &EndedMeetings, notice: &str) -> Ran {
        let mark = mark(notice);
        let reader = Reader {
            tag: &mark,
            ..self.reader(&ended.member, 0)
        };
        let message = messages::ended_meetings(reader, &ended.meetings, None);
        let said = self.say_once(&ended.member, notice, &mark, &message).await;
        if let Said::Sent(Some((channel, ts))) = &said
            && let Err(failed) = self.app.place_card(ended, (channel, ts)).await
        {
            return Ran::Failed(chain(&failed));
        }
        said.ran()
    }

    /// Draws the message about a meeting anew, because it was logged or skipped elsewhere.
    pub async fn update_card(&self, binding: Uuid, event: Uuid) -> Ran {
        let found = async {
            let Some(member) = self.app.member_by_binding(binding).await? else {
                return Ok(None);
            };
            let Some((channel, ts)) = self.app.card_of(&member, event).await? else {
                return Ok(None);
            };
            let meetings = self.app.meetings_of_card(&member, &channel, &ts).await?;
            Ok::<_, Failed>(Some((member, channel, ts, meetings)))
        };
        let (member, channel, ts, meetings) = match found.await {
            Ok(Some(found)) => found,
            Ok(None) => return Ran::Done,
            Err(failed) => return Ran::Failed(chain(&failed)),
        };
        // Slack wants block ids that it has not seen in this message.
        let round = u32::try_from(self.app.clock().now().timestamp() % 1_000_000_000).unwrap_or(1);
        let message = messages::ended_meetings(self.reader(&member, round), &meetings, None);
        match self
            .client_for(&member)
            .update(&channel, &ts, &message)
            .await
        {
            Ok(()) => Ran::Done,
            Err(SlackError::RateLimited(wait)) => Ran::Later(wait),
            Err(SlackError::Failed(problem)) => Ran::Failed(problem),
            Err(problem) => {
                tracing::warn!(%binding, "meetings.card_not_updated: {problem}");
                Ran::Done
            }
        }
    }

    /// Tells a person that a meeting they logged is otherwise in their calendar now. `change` names what
    /// was seen there.
    pub async fn tell_changed(
        &self,
        binding: Uuid,
        event: Uuid,
        was: &LoggedAs,
        change: Uuid,
    ) -> Ran {
        let changed = match self.app.changed_meeting(binding, event, was).await {
            Ok(Some(changed)) => changed,
            Ok(None) => return Ran::Done,
            Err(failed) => return Ran::Failed(chain(&failed)),
        };
        let member = &changed.member;
        let notice = format!("changed:{event}:{change}");
        let mark = mark(&notice);
        let reader = Reader {
            tag: &mark,
            ..self.reader(member, 0)
        };
        let message = messages::changed_meeting(reader, &changed);
        self.say_once(member, &notice, &mark, &message).await.ran()
    }
}

fn ran(done: Result<(), Failed>) -> Ran {
    match done {
        Ok(()) => Ran::Done,
        Err(failed) => Ran::Failed(chain(&failed)),
    }
}
