//! What is said about timers.

use std::fmt::Write as _;

use chrono_tz::Tz;
use slack_morphism::prelude::SlackBlock;

use super::{
    Button, MARKS_MAX, Message, Reader, WORDS_MAX, actions, card, context, doubts, section,
    with_button,
};
use crate::{
    app::{ProjectNote, Stepped, TimerOutcome, TimerQuestion},
    domain::{
        minutes::Minutes,
        time_command::as_typed,
        time_entry::{ChangeKind, Changed},
        timer::{StopProblem, Timer},
    },
    slack::text::{clock_time, cut, long_day, plain, plain_within, short_day},
};

/// What became of a person's timer. A line that asked for it and was not followed is repeated.
pub fn timer(reader: Reader<'_>, outcome: &TimerOutcome, typed: Option<&str>) -> Message {
    match outcome {
        TimerOutcome::Done(step) => stepped(reader, step),
        TimerOutcome::Runs(timer) => {
            let since = format!("Timer running since {}", since(reader, timer));
            running(reader, &since, timer, Extra::default())
        }
        TimerOutcome::Kept(timer) => {
            let again = timer.ask_at.map(|at| {
                let day = at.with_timezone(&reader.zone()).date_naive();
                let day = short_day(day, reader.today());
                format!("I ask again on {day} at {}", clock_time(at, reader.zone()))
            });
            let says = format!("Still running since {}", since(reader, timer));
            let extra = Extra {
                notes: again.into_iter().collect(),
                ..Extra::default()
            };
            running(reader, &says, timer, extra)
        }
        TimerOutcome::NoTimer => {
            let shown = "No timer is running. Start one with `/time start what you do`.";
            let block = section(reader.id("timer"), shown.to_owned());
            Message::new(shown.replace('`', ""), vec![block])
        }
        TimerOutcome::Asks(timer, problem) => {
            asks(reader, "Not logged yet.", timer, *problem, None)
        }
        TimerOutcome::InTheWay(timer, problem) => {
            asks(reader, "Nothing was started.", timer, *problem, typed)
        }
        TimerOutcome::Other(Some(timer)) => {
            let says = format!(
                "Nothing was changed. The timer running now is since {}",
                since(reader, timer)
            );
            running(reader, &says, timer, Extra::default())
        }
        TimerOutcome::Other(None) => {
            let text = "Nothing was changed: that timer no longer runs.";
            Message::new(text, vec![section(reader.id("timer"), text.to_owned())])
        }
    }
}

fn stepped(reader: Reader<'_>, step: &Stepped) -> Message {
    let changed = &step.changed;
    match (changed.kind, &changed.timer_after) {
        (ChangeKind::TimerStart, Some(timer)) => started(reader, changed, timer, &step.project),
        (_, _) if changed.receipt.is_some() => card::changed(reader, changed, &step.overlaps),
        _ => only_timer(reader, changed),
    }
}

/// Nothing but a timer changed.
pub(super) fn only_timer(reader: Reader<'_>, changed: &Changed) -> Message {
    match (&changed.timer_before, &changed.timer_after) {
        (_, Some(timer)) if changed.kind == ChangeKind::TimerStart && !changed.is_undo => {
            started(reader, changed, timer, &ProjectNote::Nothing)
        }
        (_, Some(timer)) => {
            let did = if changed.kind == ChangeKind::TimerEdit && !changed.is_undo {
                "Timer changed. It is running since"
            } else {
                "Timer running since"
            };
            let says = format!("{did} {}", since(reader, timer));
            running(reader, &says, timer, Extra::default())
        }
        (Some(timer), None) => gone(reader, changed, timer),
        (None, None) => {
            let text = "Nothing was changed.";
            Message::new(text, vec![section(reader.id("timer"), text.to_owned())])
        }
    }
}

/// A timer was started. One that ran before is stopped, and what came of it can be undone here.
pub(super) fn started(
    reader: Reader<'_>,
    changed: &Changed,
    timer: &Timer,
    project: &ProjectNote,
) -> Message {
    let mut extra = Extra {
        notes: doubts::project_note(project).into_iter().collect(),
        hint: " · stop here or with `/time stop`",
        says: "Stop it with /time stop. ".to_owned(),
        ..Extra::default()
    };
    if let Some(before) = &changed.timer_before {
        let what = name(before);
        let (did, button) = match &changed.receipt {
            Some(receipt) => {
                let entry = &receipt.entry;
                let did = format!("stopped: logged {}.", entry.duration_minutes);
                (did, Button::on(entry, "entry.undo", "Undo", ""))
            }
            None => (
                "stopped: under a minute, nothing logged.".to_owned(),
                on_timer(reader, before, "timer.restore", "Put it back"),
            ),
        };
        let _ = write!(extra.says, "{what} {did} ");
        extra.stopped = Some(with_button(
            reader.id("timer.stopped"),
            format!("{} {did}", plain_within(&what, WORDS_MAX)),
            button,
        ));
    }
    let at = clock_time(timer.started_at, reader.zone());
    running(reader, &format!("Timer started at {at}"), timer, extra)
}

/// What stands beside the timer in a message about a running one.
#[derive(Default)]
struct Extra {
    /// Grey lines.
    notes: Vec<String>,
    /// Behind the project, as markup.
    hint: &'static str,
    /// More sentences for the plain text, each with a space behind it.
    says: String,
    /// What was stopped to start it.
    stopped: Option<SlackBlock>,
}

/// The timer that runs, and what can be done about it. `says` is how the sentence about it begins.
fn running(reader: Reader<'_>, says: &str, timer: &Timer, extra: Extra) -> Message {
    let what = name(timer);
    let marks = marks(timer);
    let mut text = format!("{says} · {what}{marks}. {}", extra.says);
    for note in &extra.notes {
        let _ = write!(text, "{note}. ");
    }
    let day = short_day(timer.day(reader.zone()), reader.today());
    let shown = format!(
        "⏱️ {} · *{}*\n{day}{}{}",
        plain(says),
        plain_within(&what, WORDS_MAX),
        plain(&marks),
        extra.hint
    );
    let mut blocks = vec![section(reader.id("timer"), shown)];
    blocks.extend(extra.stopped);
    let notes = extra.notes.iter().map(|note| plain(note));
    let notes: Vec<String> = notes.chain(reader.zone_note().map(str::to_owned)).collect();
    if !notes.is_empty() {
        blocks.push(context(reader.id("timer.note"), notes.join("  ·  ")));
    }
    let buttons = vec![
        on_timer(reader, timer, "timer.stop", "Stop and log").primary(),
        on_timer(reader, timer, "timer.edit", "Edit"),
        on_timer(reader, timer, "timer.discard", "Discard"),
    ];
    blocks.push(actions(reader.id("timer.actions"), buttons));
    Message::new(text.trim_end(), blocks)
}

/// The timer went without an entry.
fn gone(reader: Reader<'_>, changed: &Changed, timer: &Timer) -> Message {
    let (did, more) = match (changed.kind, changed.is_undo) {
        (ChangeKind::TimerStop, false) => ("Under a minute, nothing logged", String::new()),
        (ChangeKind::TimerCancel, false) => (
            "Timer discarded, nothing logged",
            format!(", running since {}", since(reader, timer)),
        ),
        _ => (
            "Undone: the timer is gone, nothing logged",
            format!(", running since {}", since(reader, timer)),
        ),
    };
    let what = name(timer);
    let text = format!("{did}: {what}{}{more}.", marks(timer));
    let shown = format!(
        "*{did}.*\n~{}~{}{more}",
        plain_within(&what, WORDS_MAX),
        plain(&marks(timer))
    );
    let back = on_timer(reader, timer, "timer.restore", "Put it back");
    let blocks = vec![
        section(reader.id("timer"), shown),
        actions(reader.id("timer.actions"), vec![back]),
    ];
    Message::new(text, blocks)
}

/// The timer cannot become an entry without another word of the person.
fn asks(
    reader: Reader<'_>,
    first: &str,
    timer: &Timer,
    problem: StopProblem,
    typed: Option<&str>,
) -> Message {
    // One without words is known by when it began, which is said anyway.
    let what = if timer.description.is_empty() {
        String::new()
    } else {
        format!(" {}{}", name(timer), marks(timer))
    };
    let why = stop_problem(reader, timer, problem);
    let dot = if what.is_empty() { "" } else { "." };
    let mut text = format!("{first}{what}{dot} {why}");
    let mut shown = format!(
        "⚠️ *{first}*{}\n{}",
        plain_within(&what, WORDS_MAX / 2),
        plain(&why)
    );
    if let Some(typed) = typed {
        let line = cut(&as_typed(typed), 500);
        let _ = write!(text, " You typed: /time {line}");
        let _ = write!(shown, "\n> /time {}", plain(&line));
    }
    let buttons = vec![
        on_timer(reader, timer, "timer.stop_as", "Stop and log…"),
        on_timer(reader, timer, "timer.discard", "Discard"),
    ];
    let blocks = vec![
        section(reader.id("timer"), shown),
        actions(reader.id("timer.actions"), buttons),
    ];
    Message::new(text, blocks)
}

/// Why the timer cannot become an entry as it stands, and what to do: one or two sentences.
pub(in crate::slack) fn stop_problem(
    reader: Reader<'_>,
    timer: &Timer,
    problem: StopProblem,
) -> String {
    let since = since(reader, timer);
    match problem {
        StopProblem::TooLong(length) => format!(
            "This timer runs since {since}: {length}. An entry holds 24 h at most. Say when it really ended."
        ),
        StopProblem::NoDescription => format!(
            "This timer runs since {since}, and nobody has said what it is for. Say it in a few words."
        ),
    }
}

/// Was the timer forgotten? Proposes when it most likely ended.
pub fn forgotten(reader: Reader<'_>, question: &TimerQuestion) -> Message {
    let (timer, end) = (&question.timer, question.end);
    let zone = reader.zone();
    let what = name(timer);
    let marks = marks(timer);
    let since = format!(
        "{}, {}",
        short_day(timer.day(zone), reader.today()),
        clock_time(timer.started_at, zone)
    );
    let until = clock_time(end.at, zone);
    let ended = if end.is_end_of_work {
        format!(" Your working day ended at {until}.")
    } else {
        String::new()
    };
    // As it will be logged: from minute to minute.
    let minutes =
        (end.at.timestamp().div_euclid(60)) - (timer.started_at.timestamp().div_euclid(60));
    let length = Minutes::new(u32::try_from(minutes).unwrap_or(0));
    let day = long_day(end.at.with_timezone(&zone).date_naive());
    let text = format!(
        "Your timer is still running: {what}{marks}, since {since}.{ended} Log it until {until} ({length}), choose \
         another time, or keep it running."
    );
    let shown = format!(
        "⏱️ *Is this timer still right?* {}{}\nRunning since {since}.{ended}",
        plain_within(&what, WORDS_MAX),
        plain(&marks)
    );
    let short = cut(&what, 20);
    let log_until = Button::new(
        "timer.stop_at",
        format!("Log until {until}, {length}"),
        format!("at:{until} {}", timer_value(timer, reader.zone())),
        &format!("Log until {until}, {length}: {short}, {day}"),
    );
    let buttons = vec![
        log_until.primary(),
        on_timer(reader, timer, "timer.stop_as", "Other end time…"),
        on_timer(reader, timer, "timer.keep", "Still running"),
        on_timer(reader, timer, "timer.discard", "Discard"),
    ];
    let mut blocks = vec![section(reader.id("timer"), shown)];
    blocks.extend(
        reader
            .zone_note()
            .map(str::to_owned)
            .map(|note| context(reader.id("timer.note"), note)),
    );
    blocks.push(actions(reader.id("timer.actions"), buttons));
    Message::new(text, blocks)
}

/// `15:15`, or `Thu 19 Nov, 15:15` where it was another day.
pub(in crate::slack) fn since(reader: Reader<'_>, timer: &Timer) -> String {
    let at = clock_time(timer.started_at, reader.zone());
    let day = timer.day(reader.zone());
    if day == reader.today() {
        at
    } else {
        format!("{}, {at}", short_day(day, reader.today()))
    }
}

/// What it is for, on one line.
pub(in crate::slack) fn name(timer: &Timer) -> String {
    if timer.description.is_empty() {
        "not described yet".to_owned()
    } else {
        timer.description.replace(['\n', '\r'], " ")
    }
}

/// ` · #halden · +web`.
pub(in crate::slack) fn marks(timer: &Timer) -> String {
    let mut marks = String::new();
    if let Some(project) = &timer.project {
        let _ = write!(marks, " · #{}", project.slug);
    }
    for tag in &timer.tags {
        let _ = write!(marks, " · +{tag}");
    }
    cut(&marks, MARKS_MAX)
}

/// What a button carries to act on this timer: its id, the version that was shown, and its day.
pub(in crate::slack) fn timer_value(timer: &Timer, zone: Tz) -> String {
    let day = timer.day(zone);
    format!("t:{}:{}:{day}", timer.id, timer.version)
}

fn on_timer(reader: Reader<'_>, timer: &Timer, action: &str, label: &str) -> Button {
    Button::new(
        action,
        label,
        timer_value(timer, reader.zone()),
        &format!("{label}: {}", name(timer)),
    )
}
