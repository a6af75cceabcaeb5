//! Summaries: sent once when they are due, and drawn anew in their place whenever something in them is used.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use uuid::Uuid;

use super::{
    Door, SlackError,
    actions::Press,
    forms, home,
    messages::{self, Message, Reader, SummaryNotice},
    notices::{Said, fingerprint},
};
use crate::{
    app::App,
    domain::{
        due::{DayMark, SummaryOf},
        member::Member,
    },
    error::{Failed, chain},
    jobs::Ran,
};

/// The time between two messages of one workspace.
const PACE: Duration = Duration::from_millis(250);
/// The longest that a command waits for Slack before it goes on.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Which summary a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    of: SummaryOf,
    #[serde(deserialize_with = "day_of_form")]
    day: NaiveDate,
}

/// A form carries a day as a message does, and is held to the same.
fn day_of_form<'de, D: Deserializer<'de>>(from: D) -> Result<NaiveDate, D::Error> {
    let day = String::deserialize(from)?;
    forms::read_day(&day).ok_or_else(|| D::Error::custom("not a day that a calendar shows"))
}

impl About {
    /// What stands in the ids of the message's blocks: `.d2026-11-20`, of a week `.w2026-11-16`.
    fn tag(self) -> String {
        let letter = match self.of {
            SummaryOf::Day => 'd',
            SummaryOf::Week => 'w',
        };
        format!(".{letter}{}", self.day)
    }

    /// The summary that a block of this id stands in, if it stands in one.
    pub(super) fn of_block(block_id: &str) -> Option<Self> {
        let (rest, _) = block_id.rsplit_once(".r")?;
        let (_, tag) = rest.rsplit_once('.')?;
        let (of, day) = match (tag.strip_prefix('d'), tag.strip_prefix('w')) {
            (Some(day), _) => (SummaryOf::Day, day),
            (_, Some(day)) => (SummaryOf::Week, day),
            _ => return None,
        };
        let day = forms::read_day(day)?;
        Some(Self { of, day })
    }

    fn notice(self) -> String {
        App::summary_notice(self.of, self.day)
    }
}

/// The summary as it is now, for the place of the message that shows it.
pub(super) async fn drawn(
    door: &Door,
    member: &Member,
    about: About,
    round: u32,
    notice: Option<&SummaryNotice>,
) -> Result<Message, Failed> {
    // With their preferences as they are, which another replica may have changed a moment ago.
    let now = door.app.member_by_binding(member.binding_id).await?;
    let member = now.as_ref().unwrap_or(member);
    let tag = about.tag();
    let reader = Reader {
        tag: &tag,
        ..door.reader(member, round)
    };
    Ok(match about.of {
        SummaryOf::Day => {
            let day = door.app.day_summary(member, about.day).await?;
            messages::day_summary(reader, &day, None, notice)
        }
        SummaryOf::Week => {
            let week = door.app.week_summary(member, about.day).await?;
            messages::week_summary(reader, &week, notice)
        }
    })
}

/// The summary that was pressed, as it is after that.
pub(super) async fn redrawn(
    press: &Press<'_>,
    member: &Member,
    about: About,
    notice: Option<&SummaryNotice>,
) -> Result<Option<Message>, Failed> {
    let message = drawn(press.door, member, about, press.round(), notice).await?;
    // What was just done stands there until the day itself changes.
    let day = match notice {
        Some(_) => drawn(press.door, member, about, press.round(), None).await?,
        None => message.clone(),
    };
    note_drawn(press.door, member, about, &day).await;
    // Nobody waits for it, and a refresh that comes with the change would take what was just done away.
    let (door, member) = (press.door.clone(), member.clone());
    press
        .door
        .answers
        .spawn(async move { home::follow(&door, &member).await });
    Ok(Some(message))
}

/// Keeps what the message says of the day, so that it is not drawn anew for nothing.
async fn note_drawn(door: &Door, member: &Member, about: About, message: &Message) {
    let (notice, said) = (about.notice(), fingerprint(message));
    let noted = door
        .app
        .store()
        .note_said(member.binding_id, &notice, &said);
    if let Err(problem) = noted.await {
        tracing::warn!("summary.not_noted: {}", chain(&problem));
    }
}

/// A button that says something of a day, or of a week.
pub(super) async fn pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let app = &press.door.app;
    let day = press.value().strip_prefix("d:").and_then(forms::read_day);
    let Some(day) = day else {
        return Ok(Some(messages::no_longer_here(press.reader(member))));
    };
    let about = press.summary();
    let (days, mark) = match (verb, about.map(|about| about.of)) {
        ("close", Some(SummaryOf::Week)) => {
            let week = app.week_summary(member, day).await?;
            let open = week.open().iter().map(|day| day.day).collect();
            (open, Some(DayMark::Closed))
        }
        ("close", _) => (vec![day], Some(DayMark::Closed)),
        ("off", _) => (vec![day], Some(DayMark::Off)),
        ("on", _) => (vec![day], None),
        _ => return Ok(None),
    };
    app.mark_days(member, &days, mark, press.home()).await?;
    let about = about.unwrap_or(About {
        of: SummaryOf::Day,
        day,
    });
    redrawn(press, member, about, None).await
}

/// A preference that a summary offers to change.
pub(super) async fn preference_pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
) -> Result<Option<Message>, Failed> {
    let mut preferences = member.preferences.clone();
    let notice = match press.value() {
        "silent_when_done:on" => {
            preferences.silent_when_done = true;
            SummaryNotice::OnlyWhenOpen(true)
        }
        "silent_when_done:off" => {
            preferences.silent_when_done = false;
            SummaryNotice::OnlyWhenOpen(false)
        }
        "monday:on" => {
            preferences.monday = true;
            SummaryNotice::Mondays(true)
        }
        "monday:off" => {
            preferences.monday = false;
            SummaryNotice::Mondays(false)
        }
        _ => return Ok(None),
    };
    let app = &press.door.app;
    let problems = app.save_preferences(member, &preferences).await?;
    let Some(about) = press.summary().filter(|_| problems.is_empty()) else {
        return Ok(Some(messages::no_longer_here(press.reader(member))));
    };
    redrawn(press, member, about, Some(&notice)).await
}

/// What became of one person's summary, for the command that sends them.
#[derive(Debug)]
pub enum SummaryNow {
    /// It would say this.
    Would(String),
    /// It was sent.
    Sent,
    /// It was not, and why.
    Not(String),
}

impl Door {
    /// Sends every summary that is due now and was not sent, or those of `date`; or says what they would say. Slack
    /// takes several hundred messages a minute: so fast it goes, and no faster.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn summaries_now(
        &self,
        date: Option<NaiveDate>,
        is_dry: bool,
        mut said: impl FnMut(&Member, SummaryNow),
    ) -> Result<(), Failed> {
        let mut pace = tokio::time::interval(PACE);
        let mut after = Uuid::nil();
        loop {
            let members = self.app.members_after(after).await?;
            let Some(last) = members.last() else {
                return Ok(());
            };
            after = last.binding_id;
            for member in &members {
                let Some(day) = self.app.day_due(member, date).await? else {
                    continue;
                };
                let about = About {
                    of: SummaryOf::Day,
                    day: day.day,
                };
                let tag = about.tag();
                let reader = Reader {
                    tag: &tag,
                    ..self.reader(member, 0)
                };
                let message = messages::day_summary(reader, &day, None, None);
                if is_dry {
                    said(member, SummaryNow::Would(message.text));
                    continue;
                }
                pace.tick().await;
                let mark = format!("{tag}.");
                let became = match self
                    .say_once(member, &about.notice(), &mark, &message)
                    .await
                {
                    Said::Sent(_) => SummaryNow::Sent,
                    Said::Off => SummaryNow::Not(
                        "the workspace's admins have switched summaries off".to_owned(),
                    ),
                    Said::Unreachable => {
                        SummaryNow::Not("Slack does not let the bot write to them".to_owned())
                    }
                    Said::Not(Ran::Later(wait)) => {
                        // All of them have to wait then.
                        tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
                        match self
                            .say_once(member, &about.notice(), &mark, &message)
                            .await
                        {
                            Said::Sent(_) => SummaryNow::Sent,
                            _ => SummaryNow::Not(
                                "Slack asks to wait; run the command again later".to_owned(),
                            ),
                        }
                    }
                    Said::Not(Ran::Failed(problem)) => SummaryNow::Not(problem),
                    Said::Not(Ran::Done) => SummaryNow::Sent,
                };
                said(member, became);
            }
        }
    }

    /// Asks for the sending of every summary that is due.
    pub async fn look_for_summaries(&self) -> Ran {
        match self.app.queue_summaries().await {
            Ok(()) => Ran::Done,
            Err(failed) => Ran::Failed(chain(&failed)),
        }
    }

    /// Sends a person a summary, once, unless nothing is to be said. `due_at` is when it was to come; `is_missed`
    /// where BillOps was not running then.
    pub async fn send_summary(
        &self,
        binding: Uuid,
        of: SummaryOf,
        day: NaiveDate,
        due_at: DateTime<Utc>,
        is_missed: bool,
    ) -> Ran {
        let about = About { of, day };
        let drawn = async {
            let Some(member) = self.app.member_by_binding(binding).await? else {
                return Ok(None);
            };
            let tag = about.tag();
            let reader = Reader {
                tag: &tag,
                ..self.reader(&member, 0)
            };
            let message = match of {
                SummaryOf::Day => self
                    .app
                    .day_to_send(&member, day, due_at)
                    .await?
                    .map(|day| {
                        messages::day_summary(reader, &day, is_missed.then_some(due_at), None)
                    }),
                SummaryOf::Week => self
                    .app
                    .week_to_send(&member, day, due_at)
                    .await?
                    .map(|week| messages::week_summary(reader, &week, None)),
            };
            Ok::<_, Failed>(message.map(|message| (member, message)))
        };
        let (member, message) = match drawn.await {
            Ok(Some(drawn)) => drawn,
            Ok(None) => return Ran::Done,
            Err(failed) => return Ran::Failed(chain(&failed)),
        };
        // The end of the tag, so that one date is not found in another's place.
        let mark = format!("{}.", about.tag());
        match self
            .say_once(&member, &about.notice(), &mark, &message)
            .await
        {
            Said::Sent(_) | Said::Off => Ran::Done,
            Said::Not(ran) => ran,
            Said::Unreachable => {
                // Not each evening anew. When something is heard of them, they are planned for again.
                match self.app.store().plan_no_summaries(binding).await {
                    Ok(()) => Ran::Done,
                    Err(problem) => Ran::Failed(chain(&problem)),
                }
            }
        }
    }

    /// Draws today's summary anew, if it was sent and says something else now: something was logged elsewhere.
    pub(super) async fn refresh_summary(&self, member: &Member) -> Result<(), SlackError> {
        let failed =
            |problem: &(dyn std::error::Error + 'static)| SlackError::Failed(chain(problem));
        let now = self.app.clock().now();
        let about = About {
            of: SummaryOf::Day,
            day: now.with_timezone(&member.zone()).date_naive(),
        };
        let sent = self
            .app
            .store()
            .sent_notice(member.binding_id, &about.notice())
            .await;
        let Some(sent) = sent.map_err(|e| failed(&e))? else {
            return Ok(());
        };
        // Slack wants block ids that it has not seen in this message.
        let round = u32::try_from(now.timestamp() % 1_000_000_000).unwrap_or(1);
        let message = drawn(self, member, about, round, None)
            .await
            .map_err(|e| failed(&e))?;
        if sent.said.as_deref() == Some(&*fingerprint(&message)) {
            return Ok(());
        }
        self.client_for(member)
            .update(&sent.channel, &sent.ts, &message)
            .await?;
        note_drawn(self, member, about, &message).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_says_which_summary_it_stands_in() {
        let friday = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        for of in [SummaryOf::Day, SummaryOf::Week] {
            let about = About { of, day: friday };
            let id = format!("event.actions:62117d03662f{}.r7", about.tag());
            assert_eq!(About::of_block(&id), Some(about));
        }
        for other in [
            "",
            "day.r1",
            "day.d2026-11-20",
            "row.s10.notice.r2",
            "card.actions.r1",
            "day.d2026-13-20.r1",
            "open:2026-11-20.r1",
        ] {
            assert_eq!(About::of_block(other), None, "{other}");
        }
    }
}
