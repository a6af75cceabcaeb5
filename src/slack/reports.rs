//! Reports: leafing, breaking them down another way, sharing them, and filling their gaps.
//!
//! A report is posted once for a press, however often the button is pressed or Slack delivers the press: the
//! press is taken in the database before anything is posted, and only who took it posts. What is taken and
//! never heard of again is not posted a second time; the person is told to look.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use uuid::Uuid;

use super::{
    Door, Heard, SlackError,
    actions::Press,
    forms::{self, Meta, Prefill},
    inbound::View,
    logged, messages,
    messages::{Conversation, Message, Reader, ShareNews, ShareRefusal},
    open_form, request_key,
};
use crate::{
    app::{Report, ReportOf, ReportOutcome, Share},
    domain::member::Member,
    error::Failed,
};

/// What is said of what came of asking for a report.
pub(super) fn said(reader: Reader<'_>, outcome: &ReportOutcome, at: Conversation<'_>) -> Message {
    match outcome {
        ReportOutcome::Report(report) => messages::report(reader, report, at, None),
        ReportOutcome::WhichProject(of, note) => messages::which_project(reader, *of, note),
        ReportOutcome::Unknown => messages::no_longer_here(reader),
    }
}

/// A button of a report was pressed.
pub(super) async fn pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let door = press.door;
    let Ok(of) = press.value().parse::<ReportOf>() else {
        return Ok(Some(messages::no_longer_here(press.reader(member))));
    };
    let outcome = door.app.report(member, of).await?;
    let report = match (verb, outcome) {
        ("share" | "choose", ReportOutcome::Report(report)) => report,
        (_, outcome) => {
            let message = said(press.reader(member), &outcome, press.conversation());
            return Ok(Some(message));
        }
    };
    if verb == "choose" {
        let meta = Meta {
            key: Some(door.app.clock().new_id()),
            report: Some(of.to_string()),
            ..press.meta()
        };
        let view = forms::share_report(&messages::report_title(&report), &meta);
        open_form::open(door, &press.interaction.trigger_id, &view).await;
        return Ok(None);
    }
    // Named by the message and how often it was replaced: a second press is the same one, but who leafs on,
    // or is told why it did not work, can share again.
    let at = &press.interaction.container;
    let (channel, block) = (&at.channel_id, &press.action.block_id);
    let said = [
        press.workspace,
        press.slack_user(),
        "report.share",
        channel,
        block,
        press.value(),
    ];
    let key = request_key(press.heard, &said, &at.message_ts);
    match door.app.begin_share(member, key).await? {
        Share::Begun => {
            post_later(press, member.clone(), key, report);
            Ok(None)
        }
        Share::Settled => Ok(None),
        Share::Unclear => {
            let unclear = Some(&ShareNews::Unclear);
            let message =
                messages::report(press.reader(member), &report, press.conversation(), unclear);
            Ok(Some(message))
        }
    }
}

/// Posts after the acknowledgement, for Slack may take longer than that has time, and says on the report
/// what came of it.
fn post_later(press: &Press<'_>, member: Arc<Member>, key: Uuid, report: Box<Report>) {
    let (door, round) = (press.door.clone(), press.round());
    let interaction = press.interaction.clone();
    press.door.answers.spawn(async move {
        let at = Conversation {
            id: &interaction.container.channel_id,
            name: &interaction.channel.name,
        };
        let news = post(&door, &member, key, &report, at.id).await;
        let message = messages::report(door.reader(&member, round), &report, at, Some(&news));
        door.answer_later(&interaction, &member.slack_user_id, message.replacing());
    });
}

/// Posts a report that was taken under this key, and notes what came of it.
async fn post(
    door: &Door,
    member: &Member,
    key: Uuid,
    report: &Report,
    channel: &str,
) -> ShareNews {
    let message = messages::shared_report(door.reader(member, 0), report);
    let news = match door.client.post(channel, &message).await {
        Ok(_) => ShareNews::Shared,
        Err(SlackError::Refused(code)) => ShareNews::NotShared(match &*code {
            "not_in_channel" | "channel_not_found" => ShareRefusal::NotAMember,
            _ => ShareRefusal::Other(code),
        }),
        Err(SlackError::RateLimited(_)) => ShareNews::NotShared(ShareRefusal::TooBusy),
        Err(problem @ (SlackError::Failed(_) | SlackError::Unanswered(_))) => {
            tracing::warn!("report.share_unclear: {problem}");
            ShareNews::Unclear
        }
    };
    let is_posted = news == ShareNews::Shared;
    if news != ShareNews::Unclear
        && let Err(failed) = door.app.end_share(member, key, is_posted).await
    {
        // The key stays taken: a second press posts nothing and says so.
        let _ = logged(failed);
    }
    news
}

/// A channel was chosen for a report.
pub(super) async fn share_submitted(
    door: &Door,
    heard: &Heard,
    member: &Arc<Member>,
    view: &View,
    meta: &Meta,
) -> Result<Option<BTreeMap<&'static str, String>>, Failed> {
    let problem = |sentence: &str| Ok(Some(BTreeMap::from([("channel", sentence.to_owned())])));
    let channel = view.field("channel").selected_conversation;
    let of = meta.report.as_deref().map(str::parse::<ReportOf>);
    let (Some(key), Some(Ok(of))) = (meta.key, of) else {
        return problem("This form is of another version of BillOps. Close it and share again.");
    };
    let ReportOutcome::Report(report) = door.app.report(member, of).await? else {
        return problem("This report is no longer here. Close the form and ask for it again.");
    };
    if !open_form::is_id(&channel) {
        return problem("Choose a channel.");
    }
    match door.app.begin_share(member, key).await? {
        Share::Settled => return Ok(None),
        Share::Unclear => return problem(messages::SHARE_UNCLEAR),
        Share::Begun => {}
    }
    // It goes on where the form cannot wait for it any longer.
    let posting = door.answers.spawn({
        let (door, member, report, channel) = (
            door.clone(),
            member.clone(),
            report.clone(),
            channel.clone(),
        );
        async move { post(&door, &member, key, &report, &channel).await }
    });
    match tokio::time::timeout_at(heard.save_by, posting).await {
        Ok(Ok(ShareNews::Shared | ShareNews::SharedIn(_))) => {
            let at = Conversation {
                id: &meta.channel,
                name: "",
            };
            let news = ShareNews::SharedIn(channel);
            let message =
                messages::report(door.reader(member, meta.round), &report, at, Some(&news));
            // Over the report that the form was opened on.
            door.answer_to(meta, member, message.replacing());
            Ok(None)
        }
        Ok(Ok(ShareNews::NotShared(refusal))) => problem(&refusal.sentence(false)),
        Ok(Ok(ShareNews::Unclear) | Err(_)) | Err(_) => problem(messages::SHARE_UNCLEAR),
    }
}

/// *Fill gap* opens the form with these times.
pub(super) async fn fill_gap(press: &Press<'_>, member: &Arc<Member>) {
    let Some((date, time)) = read_gap(press.value()) else {
        return;
    };
    let prefill = Prefill {
        time,
        date,
        ..Prefill::default()
    };
    // It leads to an entry of its own and does not take the place of the report.
    let meta = press.meta().for_another_entry();
    let trigger = &press.interaction.trigger_id;
    open_form::open_new(press.door, member, trigger, prefill, meta).await;
}

/// Reads `g:2026-11-20:13:30-14:00` as a day and what is typed for these times.
fn read_gap(value: &str) -> Option<(NaiveDate, String)> {
    let (day, times) = value.strip_prefix("g:")?.split_once(':')?;
    let (from, to) = times.split_once('-')?;
    Some((forms::read_day(day)?, format!("{from}–{to}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_read_or_refused() {
        let (day, times) = read_gap("g:2026-11-20:13:30-14:00").unwrap();
        assert_eq!(
            (day.to_string().as_str(), &*times),
            ("2026-11-20", "13:30–14:00")
        );
        for bad in [
            "",
            "g:",
            "g:2026-11-20",
            "d:2026-11-20:13:30-14:00",
            "g:x:1-2",
            "g:2026-11-20:1330",
        ] {
            assert_eq!(read_gap(bad), None, "{bad}");
        }
    }
}
