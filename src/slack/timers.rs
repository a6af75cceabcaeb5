//! Buttons and forms of timers.

use std::sync::Arc;

use chrono::NaiveTime;
use uuid::Uuid;

use super::{
    Door, Heard, SlackError,
    actions::{Press, shown},
    forms::{self, Meta, Prefill},
    home,
    inbound::View,
    logged,
    messages::{self, Message},
    open_form,
    submissions::{self, Acknowledgement},
    text::clock_times,
};
use crate::{
    app::{FormOutcome, HomeTab, Notice, Request, TimerOutcome, TimerVersion},
    domain::{
        member::Member,
        time_command::StartLine,
        timer::{StopProblem, Timer},
    },
    error::{Failed, chain},
    jobs::Ran,
    store::EntryChange,
};

/// What a button that acts on a timer carries: `t:ID:VERSION:DAY`, for one with `at:HH:MM` in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TimerRef {
    timer: TimerVersion,
    at: Option<NaiveTime>,
}

impl TimerRef {
    fn read(value: &str) -> Option<Self> {
        let (at, reference) = match value.split_once(' ') {
            Some((at, reference)) => {
                let at = at.strip_prefix("at:")?;
                let at = NaiveTime::parse_from_str(at, "%H:%M").ok()?;
                (Some(at), reference)
            }
            None => (None, value),
        };
        let mut parts = reference.strip_prefix("t:")?.split(':');
        let id = Uuid::parse_str(parts.next()?).ok()?;
        let version = parts.next()?.parse().ok()?;
        Some(Self {
            timer: TimerVersion { id, version },
            at,
        })
    }
}

/// A button of a timer was pressed.
pub(super) async fn pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let app = &press.door.app;
    let Some(TimerRef { timer, at }) = TimerRef::read(press.value()) else {
        return shown(press, member, EntryChange::Unknown).await;
    };
    let (key, home) = (press.key(), press.home());
    let outcome = match verb {
        "stop" => app.stop_timer(member, key, timer, None, home).await?,
        "stop_at" if at.is_some() => app.stop_timer(member, key, timer, at, home).await?,
        "discard" => app.discard_timer(member, key, timer, home).await?,
        "keep" => app.keep_timer(member, timer).await?,
        "restore" => {
            let change = app.restore_timer(member, timer, home).await?;
            return shown(press, member, change).await;
        }
        "edit" | "stop_as" => match app.timer(member).await? {
            Some(runs) if (runs.id, runs.version) == (timer.id, timer.version) => {
                let (door, trigger) = (press.door, &press.interaction.trigger_id);
                if verb == "edit" {
                    let projects = app.projects(member).await?;
                    let project = forms::find_project(projects, runs.project.as_ref());
                    let view = forms::edit_timer(&runs, project.as_ref(), &press.meta());
                    open_form::open(door, trigger, &view).await;
                } else {
                    open_stop(door, member, trigger, &runs, None, press.meta()).await?;
                }
                return Ok(None);
            }
            other => TimerOutcome::Other(other),
        },
        _ => return shown(press, member, EntryChange::Unknown).await,
    };
    if let TimerOutcome::Asks(runs, problem) = &outcome {
        let (door, trigger) = (press.door, &press.interaction.trigger_id);
        if open_stop(door, member, trigger, runs, Some(*problem), press.meta()).await? {
            return Ok(None);
        }
    }
    if press.interaction.is_on_home() {
        home::redraw(press, member, notice(outcome)).await;
        return Ok(None);
    }
    Ok(Some(messages::timer(press.reader(member), &outcome, None)))
}

/// What is said on top of the Home tab; the timer that runs stands there anyway.
fn notice(outcome: TimerOutcome) -> Option<Notice> {
    match outcome {
        TimerOutcome::Done(step) if step.changed.timer_after.is_none() => {
            Some(Notice::Changed(Box::new(step.changed)))
        }
        TimerOutcome::Done(_) | TimerOutcome::Runs(_) | TimerOutcome::Kept(_) => None,
        _ => Some(Notice::NothingChanged),
    }
}

/// Opens the form in which a timer is stopped: until when, and what it was for. `false` where Slack did not
/// open it.
pub(super) async fn open_stop(
    door: &Door,
    member: &Arc<Member>,
    trigger_id: &str,
    timer: &Timer,
    problem: Option<StopProblem>,
    meta: Meta,
) -> Result<bool, Failed> {
    let now = door.app.clock().now();
    let zone = member.zone();
    let end = match problem {
        Some(StopProblem::NoDescription) => now,
        _ => member.workday().likely_end(timer.started_at, now).at,
    };
    let reader = door.reader(member, 0);
    let origin = problem.map_or_else(
        || format!("Timer running since {}", messages::since(reader, timer)),
        |problem| messages::stop_problem(reader, timer, problem),
    );
    let projects = door.app.projects(member).await?;
    let prefill = Prefill {
        time: clock_times((timer.started_at, end), zone),
        description: timer.description.clone(),
        project: forms::find_project(projects, timer.project.as_ref()),
        date: timer.day(zone),
        is_billable: timer.billable,
        origin: Some(origin),
    };
    let meta = Meta {
        key: Some(door.app.clock().new_id()),
        id: Some(timer.id),
        version: timer.version,
        ..meta
    };
    let view = forms::stop_timer(&prefill, &meta);
    Ok(open_form::open(door, trigger_id, &view).await)
}

/// Opens the form in which a timer is started. `false` where Slack did not open it.
pub(super) async fn open_start(
    door: &Door,
    request: Request<'_>,
    trigger_id: &str,
    line: &StartLine,
    meta: Meta,
) -> Result<bool, Failed> {
    let chosen = door.app.timer_project(request, line).await?;
    let projects = door.app.projects(request.member).await?;
    let project = forms::find_project(projects, chosen.project.as_ref());
    let meta = Meta {
        // Its own: where Slack opens the form too late, the timer was started as it was typed.
        key: Some(door.app.clock().new_id()),
        ..meta
    };
    let view = forms::new_timer(project.as_ref(), &meta);
    Ok(open_form::open(door, trigger_id, &view).await)
}

/// *Start timer* opens that form, empty.
pub(super) async fn open_new(press: &Press<'_>, member: &Arc<Member>) -> Result<(), Failed> {
    let meta = Meta {
        way: None,
        ..press.meta()
    };
    let request = Request {
        member,
        channel: &meta.channel.clone(),
        key: press.key(),
        deadline: press.heard.save_by,
    };
    let trigger = &press.interaction.trigger_id;
    open_start(press.door, request, trigger, &StartLine::default(), meta).await?;
    Ok(())
}

/// A form of a timer was submitted.
pub(super) async fn submitted(
    door: &Door,
    heard: &Heard,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<Acknowledgement, Failed> {
    let key = meta
        .key
        .unwrap_or_else(|| super::request_key(heard, &[&view.id], ""));
    let home = if meta.home {
        HomeTab::DrawnByCaller
    } else {
        HomeTab::Refresh
    };
    let timer = TimerVersion {
        id: meta.id.unwrap_or_default(),
        version: meta.version,
    };
    let outcome = if view.callback_id == "timer.stop_as" {
        let form = match submissions::entered(door, member, view, meta).await? {
            Ok(form) => form,
            Err(problem) => return Ok(problem),
        };
        door.app
            .stop_timer_form(member, key, timer, &form, home)
            .await?
    } else {
        let project = match submissions::chosen_project(door, member, view).await? {
            Ok(project) => project,
            Err(problem) => return Ok(problem),
        };
        let description = view.field("description").value;
        if view.callback_id == "timer.create" {
            let request = Request {
                member,
                channel: &meta.channel,
                key,
                deadline: heard.save_by,
            };
            door.app
                .start_timer_form(request, &description, project)
                .await?
        } else {
            door.app
                .edit_timer(member, key, timer, &description, project)
                .await?
        }
    };
    let outcome = match outcome {
        FormOutcome::Done(outcome) => outcome,
        FormOutcome::Nothing => return Ok(None),
        FormOutcome::Problems(found) => return Ok(submissions::problems(&found)),
    };
    if meta.home {
        home::publish_now(door, member, notice(outcome)).await;
    } else {
        let reader = door.reader(member, meta.round);
        door.answer_to(meta, member, messages::timer(reader, &outcome, None));
    }
    Ok(None)
}

impl Door {
    /// Asks for a question about each timer that may have been forgotten by now, for the job that looks.
    pub async fn ask_forgotten_timers(&self) -> Ran {
        match self.app.ask_forgotten_timers().await {
            Ok(()) => Ran::Done,
            Err(failed) => Ran::Failed(chain(&failed)),
        }
    }

    /// Asks a person whether their timer was forgotten, for the job that does.
    pub async fn ask_timer(&self, binding: Uuid, timer: Uuid) -> Ran {
        let question = match self.app.claim_timer_question(binding, timer).await {
            Ok(Some(question)) => question,
            Ok(None) => return Ran::Done,
            Err(failed) => return Ran::Failed(chain(&failed)),
        };
        let message = messages::forgotten(self.reader(&question.member, 0), &question);
        let posted = self
            .client_for(&question.member)
            .post(&question.member.slack_user_id, &message)
            .await;
        let (noted, ran) = match posted {
            Ok(_) => (self.app.timer_asked(&question).await, Ran::Done),
            Err(SlackError::RateLimited(wait)) => {
                let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                let at = self
                    .app
                    .clock()
                    .now()
                    .checked_add_signed(chrono::TimeDelta::milliseconds(wait_ms));
                let noted = self.app.timer_not_asked(&question, at).await;
                (noted, Ran::Later(wait))
            }
            Err(SlackError::Failed(problem)) => {
                let noted = self.app.timer_not_asked(&question, None).await;
                (noted, Ran::Failed(problem))
            }
            Err(problem @ SlackError::Unanswered(_)) => {
                // It may have been posted. It is asked again only when a second question makes sense.
                tracing::warn!(%binding, "timer.maybe_not_asked: {problem}");
                return Ran::Done;
            }
            Err(SlackError::Refused(code)) => {
                // Slack's answer will be the same next time: a person who left.
                tracing::warn!(%binding, code, "timer.not_asked: the question was refused");
                (self.app.timer_asked(&question).await, Ran::Done)
            }
        };
        if let Err(failed) = noted {
            // It stands as claimed, and is asked again when a second question makes sense.
            let _ = logged(failed);
        }
        ran
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_button_carries_is_read_or_refused() {
        let id = "01a1f8ef-74c8-70fd-9243-62117d03662f";
        let read = TimerRef::read(&format!("at:17:00 t:{id}:3:2026-11-19")).unwrap();
        assert_eq!(
            (read.timer.id.to_string(), read.timer.version),
            (id.to_owned(), 3)
        );
        assert_eq!(read.at, NaiveTime::from_hms_opt(17, 0, 0));
        let read = TimerRef::read(&format!("t:{id}:1:2026-11-19")).unwrap();
        assert_eq!((read.timer.version, read.at), (1, None));
        for bad in [
            "",
            "t:",
            &format!("t:{id}"),
            &format!("t:{id}:x:d"),
            &format!("e:{id}:1:d"),
            &format!("at:25:00 t:{id}:1:d"),
            &format!("17:00 t:{id}:1:d"),
        ] {
            assert_eq!(TimerRef::read(bad), None, "{bad}");
        }
    }
}
