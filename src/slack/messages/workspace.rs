//! What admins read about their workspace: what was changed, and who has connected a calendar.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use slack_morphism::prelude::{SlackBlock, SlackBlockId, SlackDividerBlock};

use super::{Message, Reader, context, section};
use crate::{
    app::WorkspaceForm,
    domain::{
        calendar::AccountState,
        minutes::Minutes,
        rounding::Rounding,
        time_command::as_typed,
        workspace::{AuditRecord, AuditSubject},
    },
    slack::text::{clock_time, cut, plain, plain_within, short_day},
};

/// What a name takes in a row.
const NAME_MAX: usize = 40;

/// What stands below the fields of the form: who has connected what, and the last changes.
pub fn workspace_about(form: &WorkspaceForm, now: DateTime<Utc>, zone: Tz) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    let day = |at: DateTime<Utc>| {
        let today = now.with_timezone(&zone).date_naive();
        short_day(at.with_timezone(&zone).date_naive(), today)
    };
    let mut lines: Vec<String> = form
        .connected
        .iter()
        .map(|one| {
            let state = match one.state {
                AccountState::Active => "works",
                AccountState::NeedsReconnect => "has to be connected again",
                AccountState::Disconnected => "disconnected",
            };
            let name = plain_within(&cut(&one.name, NAME_MAX), 2 * NAME_MAX);
            let provider = one.provider.name();
            format!("{name} · {provider} · {state} · since {}", day(one.since))
        })
        .collect();
    if form.has_more_connected {
        lines.push("and more people".to_owned());
    }
    if lines.is_empty() {
        lines.push("Nobody yet.".to_owned());
    }
    let changes: Vec<String> = form
        .changes
        .iter()
        .map(|change| {
            let who = match &*change.slack_user_id {
                "" => "somebody who deleted their data".to_owned(),
                id => format!("<@{}>", plain(id)),
            };
            let (day, time) = (day(change.at), clock_time(change.at, zone));
            format!("{day}, {time} · {who}: {}", change_words(change))
        })
        .collect();
    let changes = if changes.is_empty() {
        "Nothing was changed yet.".to_owned()
    } else {
        format!("Last changes\n{}", changes.join("\n"))
    };
    vec![
        SlackDividerBlock::new().into(),
        section(
            id("workspace.calendars"),
            format!(
                "*Connected calendars*\n{}\nWhich calendars these are and what is in them, only their owners see.",
                lines.join("\n")
            ),
        ),
        context(id("workspace.audit"), changes),
    ]
}

/// A change in words: `rounding, from none to up to 15 min`.
pub(in crate::slack) fn change_words(change: &AuditRecord) -> String {
    let value = |text: &Option<String>| match text.as_deref() {
        None => "nothing".to_owned(),
        Some(text) => match change.subject {
            AuditSubject::TargetPerDay => text
                .parse()
                .map(Minutes::new)
                .map_or_else(|_| plain(text), |minutes| minutes.to_string()),
            AuditSubject::Rounding => text
                .parse()
                .map_or_else(|_| plain(text), |rounding: Rounding| rounding.words()),
            _ => plain(text),
        },
    };
    let what = match change.subject {
        AuditSubject::TargetPerDay => "hours a day",
        AuditSubject::Rounding => "rounding",
        AuditSubject::ProjectCreators => "who may create projects",
        AuditSubject::TimeCommand => "`/time`",
        AuditSubject::Notices => "summaries and notices",
        AuditSubject::ApiToken if change.after.is_some() => return "made an API token".to_owned(),
        AuditSubject::ApiToken => return "revoked an API token".to_owned(),
        AuditSubject::Calendar => {
            let name = |name: &Option<String>| {
                let provider = name
                    .as_deref()
                    .and_then(crate::domain::provider::Provider::from_name);
                provider.map_or("a", crate::domain::provider::Provider::name)
            };
            return if change.after.is_some() {
                format!("connected a calendar at {}", name(&change.after))
            } else {
                format!("disconnected a calendar at {}", name(&change.before))
            };
        }
    };
    format!(
        "{what}, from {} to {}",
        value(&change.before),
        value(&change.after)
    )
}

/// Above the fields, where somebody else was faster.
pub fn workspace_changed_meanwhile() -> SlackBlock {
    section(
        SlackBlockId("workspace.stale".to_owned()),
        "*Nothing was saved.* These settings were changed while the form was open. Here is how they are now."
            .to_owned(),
    )
}

/// The workspace has switched `/time` off. What was typed is repeated, so that it is not lost.
pub fn time_is_off(reader: Reader<'_>, typed: &str) -> Message {
    let said = "The admins of this workspace have switched /time off, so nothing was saved.";
    let way = "The Home tab of BillOps still works. Ask an admin to switch /time on again.";
    let typed = as_typed(typed);
    let typed = typed.trim();
    let mut text = said.to_owned();
    let mut shown = format!(
        "*The admins of this workspace have switched `/time` off.* Nothing was saved.\n{way}"
    );
    if !typed.is_empty() {
        let repeated = format!("You typed: /time {typed}");
        text = format!("{text} {repeated}.");
        shown = format!("{shown}\n{}", plain_within(&repeated, super::WORDS_MAX));
    }
    text = format!("{text} {way}");
    Message::new(text, vec![section(reader.id("time.off"), shown)])
}
