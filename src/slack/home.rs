//! The Home tab.

use std::fmt::Write as _;

use chrono_tz::Tz;
use slack_morphism::blocks::SlackAccessibilityLabel;
use slack_morphism::prelude::{
    SlackActionId, SlackActionsBlock, SlackBlock, SlackBlockButtonElement, SlackBlockButtonStyle,
    SlackBlockChoiceItem, SlackBlockId, SlackBlockMarkDownText, SlackBlockOverflowElement,
    SlackBlockPlainText, SlackCallbackId, SlackDividerBlock, SlackHeaderBlock, SlackHomeView,
    SlackModalView, SlackSectionBlock, SlackSectionBlockElement, SlackView,
};

use super::{
    Door, SlackError, logged,
    messages::{self, context, entry_value, label, section},
    text::{bar, clock_time, cut, long_day, plain, short_day, span},
};
use crate::{
    app::{Home, Notice},
    domain::{
        calendar_event::SyncedEvent,
        member::Member,
        minutes::Minutes,
        time_entry::{ChangeKind, Changed, TimeEntry},
        timer::Timer,
    },
    error::chain,
};

/// Draws the Home tab.
pub fn view(home: &Home) -> SlackView {
    let mut blocks = Vec::new();
    blocks.extend(messages::home_notices(&home.accounts, home.now, home.zone));
    if let Some(notice) = &home.notice {
        blocks.push(notice_line(home, notice));
    }
    let is_new = home.recent.is_empty()
        && home.notice.is_none()
        && home.timer.is_none()
        && home.accounts.is_empty();
    if is_new {
        blocks.extend(welcome(home));
    } else {
        blocks.extend(today(home));
        blocks.extend(home.timer.as_ref().map(|timer| timer_row(home, timer)));
        if !home.accounts.is_empty() {
            blocks.push(SlackDividerBlock::new().into());
            let (events, count) = &home.waiting;
            let project = home.waiting_project.as_ref();
            blocks.extend(messages::waiting_rows(
                events, *count, project, home.now, home.zone,
            ));
        }
        blocks.push(SlackDividerBlock::new().into());
        blocks.extend(last_entries(home));
    }
    let calendars = messages::home_rows(&home.accounts, &home.offered, home.now, home.zone);
    if !calendars.is_empty() {
        blocks.push(SlackDividerBlock::new().into());
        blocks.extend(calendars);
    }
    blocks.push(SlackDividerBlock::new().into());
    blocks.push(
        SlackActionsBlock::new(vec![
            log_button(home).into(),
            button("token.open", "API token", "home", "API token: for programs").into(),
            button(
                "data.open",
                "What BillOps knows about me",
                "home",
                "What BillOps knows about me: export or delete it",
            )
            .into(),
            button("help.open", "Help", "home", "Help with BillOps").into(),
        ])
        .with_block_id(id("settings"))
        .into(),
    );
    let zone = if home.is_zone_known {
        format!("Times in {}", home.zone.name())
    } else {
        "Times in UTC, because Slack has not told me your time zone yet".to_owned()
    };
    blocks.push(context(
        id("stamp"),
        format!(
            "{zone} · as of {}, {}",
            short_day(home.today, home.today),
            clock_time(home.now, home.zone)
        ),
    ));
    SlackView::Home(SlackHomeView::new(blocks).with_callback_id(SlackCallbackId("home".to_owned())))
}

/// Opens the form, for today.
fn log_button(home: &Home) -> SlackBlockButtonElement {
    let value = format!("d:{}", home.today);
    button("entry.new", "Log time", &value, "Log time: open the form")
        .with_style(SlackBlockButtonStyle::Primary)
}

fn welcome(home: &Home) -> [SlackBlock; 4] {
    [
        header("welcome", &cut(&format!("Welcome, {}", home.name), 150)),
        section(
            id("welcome.text"),
            "BillOps turns one line in Slack into a time entry. Type this in any channel:\n\
             `/time 2.5 hours: Meeting`\n\
             Only you see the answer, and everything can be undone. Or press *Log time* below for a form."
                .to_owned(),
        ),
        section(
            id("welcome.more"),
            "*More ways to say it*\n`/time 1h30 #acme wireframes` · `/time 9-11:30 workshop` · `/time yesterday 45 min: code review` · \
             `/time start icon set`, then `/time stop` · `/time week`"
                .to_owned(),
        ),
        section(
            id("today.total"),
            format!("*{}*\n{}", long_day(home.today), nothing_yet(home)),
        ),
    ]
}

fn nothing_yet(home: &Home) -> String {
    if home.target == Minutes::default() {
        return "Nothing logged yet".to_owned();
    }
    format!("Nothing logged yet · {} to go", home.target)
}

fn today(home: &Home) -> [SlackBlock; 2] {
    let (total, target) = (home.day_total, home.target);
    let strip = if total == Minutes::default() && target == Minutes::default() {
        nothing_yet(home)
    } else if target == Minutes::default() {
        format!("*{total}* logged")
    } else if total == Minutes::default() {
        format!("{}  {}", bar(total, target), nothing_yet(home))
    } else if total < target {
        let rest = Minutes::new(target.get() - total.get());
        format!(
            "{}  *{total}* of {target} · {rest} to go",
            bar(total, target)
        )
    } else {
        format!("{}  *{total}* of {target} · complete", bar(total, target))
    };
    [
        header("today", &long_day(home.today)),
        section(id("today.total"), strip),
    ]
}

fn last_entries(home: &Home) -> Vec<SlackBlock> {
    let mut blocks = vec![section(id("entries"), "*Last entries*".to_owned())];
    if home.recent.is_empty() {
        let empty = "None in the last 14 days. Type `/time 1h: what you did` in any channel.";
        blocks.push(section(id("entries.empty"), empty.to_owned()));
    }
    let mut day = None;
    for entry in &home.recent {
        if day != Some(entry.date) {
            day = Some(entry.date);
            let name = short_day(entry.date, home.today);
            let name = if entry.date == home.today {
                format!("Today, {name}")
            } else {
                name
            };
            blocks.push(context(id(&format!("entries:{}", entry.date)), name));
        }
        blocks.push(entry_row(home, entry));
    }
    blocks
}

/// `11:00–13:30 · *Meeting* · 2 h 30 min`, with a menu as long as the entry is the person's to change.
fn entry_row(home: &Home, entry: &TimeEntry) -> SlackBlock {
    let mut row = String::new();
    if let Some(span) = span(entry, home.zone) {
        row.push_str(&span);
        row.push_str(" · ");
    }
    let title = plain(&cut(&entry.description, 60));
    let _ = write!(row, "*{title}* · {}", entry.duration_minutes);
    if let Some(project) = &entry.project {
        let _ = write!(row, " · #{}", plain(&project.slug));
    }
    if entry.is_settled() {
        let _ = write!(row, " · {}", entry.status.as_str());
    }
    let tail = entry.id.simple().to_string().split_off(20);
    let block = SlackSectionBlock::new()
        .with_block_id(id(&format!("entry:{tail}")))
        .with_text(SlackBlockMarkDownText::new(row).with_verbatim(true).into());
    if entry.is_settled() {
        return block.into();
    }
    block.with_accessory(entry_menu(entry)).into()
}

/// `Timer running since 15:15 · *Usability notes* · #halden`.
fn timer_row(home: &Home, timer: &Timer) -> SlackBlock {
    let name = cut(&messages::name(timer), 60);
    let day = timer.day(home.zone);
    let mut since = clock_time(timer.started_at, home.zone);
    if day != home.today {
        since.insert_str(0, &format!("{}, ", short_day(day, home.today)));
    }
    let row = format!(
        "⏱️ Timer running since {since} · *{}*{}",
        plain(&name),
        plain(&messages::marks(timer))
    );
    let stop = button(
        "timer.stop",
        "Stop and log",
        &messages::timer_value(timer, home.zone),
        &cut(&format!("Stop and log the timer: {name}"), 75),
    );
    SlackSectionBlock::new()
        .with_block_id(id("today.timer"))
        .with_text(SlackBlockMarkDownText::new(row).with_verbatim(true).into())
        .with_accessory(stop.into())
        .into()
}

/// What can be done to an entry in a list.
pub(super) fn entry_menu(entry: &TimeEntry) -> SlackSectionBlockElement {
    let choices = [
        ("Edit", "edit"),
        ("Change project", "change_project"),
        ("Move to another day", "move"),
        ("Delete", "delete"),
    ];
    let choices = choices.map(|(name, verb)| {
        let text = SlackBlockPlainText::new(name.to_owned()).with_emoji(true);
        SlackBlockChoiceItem::new(text.into(), format!("{verb} {}", entry_value(entry)))
    });
    let menu = SlackBlockOverflowElement::new(choices.to_vec())
        .with_action_id(SlackActionId("entry.menu".to_owned()));
    SlackSectionBlockElement::Overflow(menu)
}

fn notice_line(home: &Home, notice: &Notice) -> SlackBlock {
    let unchanged = "*Nothing was changed.* This page was out of date; here is how things are now.";
    let words = match notice {
        Notice::Changed(changed) => notice_words(changed, home.zone),
        Notice::Skipped(event) => Some(skipped_words(event)),
        Notice::LoggedAll(count) => {
            let done = format!(
                "*{count} meetings are logged.* Each can be taken back below or with `/time undo`."
            );
            return section(id("notice"), done);
        }
        Notice::NothingChanged => None,
    };
    let Some((what, back)) = words else {
        return section(id("notice"), unchanged.to_owned());
    };
    let undo = button(back.action, back.label, &back.value, &back.spoken);
    SlackSectionBlock::new()
        .with_block_id(id("notice"))
        .with_text(
            SlackBlockMarkDownText::new(plain(&what))
                .with_verbatim(true)
                .into(),
        )
        .with_accessory(undo.into())
        .into()
}

/// A meeting was skipped.
fn skipped_words(event: &SyncedEvent) -> (String, WayBack) {
    let what = cut(&event.title, 60);
    let back = WayBack {
        action: "event.unskip",
        label: "Undo",
        value: format!("v:{}", event.id),
        spoken: cut(&format!("Undo: {what} waits again"), 75),
    };
    (format!("Skipped: {what}"), back)
}

/// The way back from what was done.
pub(super) struct WayBack {
    pub(super) action: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
    pub(super) spoken: String,
}

/// What was done to an entry or a timer in one line, and the way back; `None` where nothing was.
pub(super) fn notice_words(changed: &Changed, zone: Tz) -> Option<(String, WayBack)> {
    let Some(receipt) = &changed.receipt else {
        let timer = changed.timer_before.as_ref()?;
        let did = match changed.kind {
            ChangeKind::TimerStop => "Under a minute, nothing logged:",
            _ => "Timer discarded:",
        };
        let what = cut(&messages::name(timer), 60);
        let back = WayBack {
            action: "timer.restore",
            label: "Put it back",
            value: messages::timer_value(timer, zone),
            spoken: cut(&format!("Put it back: {what}"), 75),
        };
        return Some((format!("{did} {what}"), back));
    };
    let entry = &receipt.entry;
    let (did, label) = match (entry.deleted_at.is_some(), changed.is_undo, changed.kind) {
        (true, true, ChangeKind::TimerStop | ChangeKind::TimerStart) => {
            ("Undone, the timer runs on:", "Log it again")
        }
        (true, ..) => ("Deleted", "Undo"),
        (false, true, ChangeKind::Delete | ChangeKind::Create) => ("Put back", "Undo"),
        (false, _, ChangeKind::TimerStop | ChangeKind::TimerStart) => {
            ("Timer stopped: logged", "Undo")
        }
        (false, true, _) => ("Back to", "Redo"),
        (false, false, ChangeKind::Move) => ("Moved", "Undo"),
        (false, false, ChangeKind::Create) => ("Logged", "Undo"),
        (false, false, _) => ("Changed to", "Undo"),
    };
    let what = cut(&entry.description.replace('\n', " "), 60);
    let back = WayBack {
        action: if entry.deleted_at.is_some() {
            "entry.redo"
        } else {
            "entry.undo"
        },
        label,
        value: entry_value(entry),
        spoken: cut(
            &format!("{label}: {}, {}", cut(&what, 30), entry.duration_minutes),
            75,
        ),
    };
    let to = match (did, entry.deleted_at) {
        ("Moved", None) => format!(", to {}", entry.date.format("%a %-d %b")),
        _ => String::new(),
    };
    Some((
        format!("{did} {what}, {}{to}", entry.duration_minutes),
        back,
    ))
}

fn id(name: &str) -> SlackBlockId {
    SlackBlockId(name.to_owned())
}

fn header(name: &str, text: &str) -> SlackBlock {
    SlackHeaderBlock::new(label(text))
        .with_block_id(id(name))
        .into()
}

fn button(action: &str, text: &str, value: &str, spoken: &str) -> SlackBlockButtonElement {
    SlackBlockButtonElement::new(label(text))
        .with_action_id(SlackActionId(action.to_owned()))
        .with_value(value.to_owned())
        .with_accessibility_label(SlackAccessibilityLabel(spoken.to_owned()))
}

/// The tab was opened.
pub(super) async fn opened(door: &Door, workspace: &str, slack_user: &str) {
    match door.member(workspace, slack_user).await {
        Ok(member) => {
            if let Err(failed) = door.app.note_home_opened(&member).await {
                let _ = logged(failed);
            }
            let member = door.up_to_date(member).await;
            publish_now(door, &member, None).await;
        }
        Err(failed) => {
            let _ = logged(failed);
            let view = cannot_be_built();
            if let Err(problem) = door.client.publish_home(slack_user, &view, None).await {
                tracing::warn!("home.not_published: {problem}");
            }
        }
    }
}

/// Publishes at once; what fails is tried again as a job.
pub(super) async fn publish_now(door: &Door, member: &Member, notice: Option<Notice>) {
    if let Err(problem) = publish(door, member, notice).await {
        tracing::warn!("home.not_published: {problem}; it is tried again");
        let job = crate::jobs::Job::RefreshHome {
            binding: member.binding_id,
        }
        .to_row();
        if let Err(problem) = door.app.store().add_job(&job).await {
            tracing::error!("home.not_queued: {}", chain(&problem));
        }
    }
}

/// Publishes the Home tab as it is now, over the view that was published last. Where another view got in
/// between, once more over whatever is there.
pub(super) async fn publish(
    door: &Door,
    member: &Member,
    notice: Option<Notice>,
) -> Result<(), SlackError> {
    let stored = |error: &dyn std::error::Error| SlackError::Failed(error.to_string());
    let store = door.app.store();
    let hash = store
        .home_view_hash(member.binding_id)
        .await
        .map_err(|e| stored(&e))?;
    let home = door
        .app
        .home(member, notice.clone())
        .await
        .map_err(|e| stored(&e))?;
    let published = match door
        .client
        .publish_home(&member.slack_user_id, &view(&home), hash.as_deref())
        .await
    {
        Err(SlackError::Refused(code)) if code == "hash_conflict" => {
            let home = door
                .app
                .home(member, notice)
                .await
                .map_err(|e| stored(&e))?;
            door.client
                .publish_home(&member.slack_user_id, &view(&home), None)
                .await
        }
        other => other,
    }?;
    store
        .save_home_view_hash(member.binding_id, published.as_deref())
        .await
        .map_err(|e| stored(&e))
}

fn cannot_be_built() -> SlackView {
    let text = "BillOps cannot reach its database just now. What you log with `/time` will be refused until it \
                can. Open this tab again in a moment.";
    SlackView::Home(SlackHomeView::new(vec![section(
        id("unavailable"),
        text.to_owned(),
    )]))
}

/// Opens the help in a modal, where there is no message to answer with.
pub(super) async fn open_help(door: &Door, trigger_id: &str, member: &Member) {
    let reader = door.reader(member, 0);
    let view = SlackModalView::new(label("How to log time"), messages::help(reader).blocks)
        .with_close(label("Close"))
        .with_callback_id(SlackCallbackId("help".to_owned()));
    if let Err(problem) = door
        .client
        .open_modal(trigger_id, &SlackView::Modal(view))
        .await
    {
        tracing::warn!("help.not_opened: {problem}");
    }
}
