//! A report for a channel: totals only, and what is said of posting them.

use std::fmt::Write as _;

use slack_morphism::prelude::{SlackBlock, SlackBlockConfirmItem, SlackBlockId};

use super::{
    NAME_MAX, last_shown_day, name_of_month, rounding_note, said_days, spoken_period,
    sums::{clients_of, projects_of, rows, say},
};
use crate::{
    app::Report,
    domain::{period::PeriodKind, time_command::Grouping},
    slack::{
        messages::{Button, Message, Reader, context, expanded, label, section, with_button},
        text::{clock_time, cut, days, isolated, plain, short_day},
    },
};

/// The conversation that a report is read in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conversation<'a> {
    /// Slack's id; empty where there is none.
    pub id: &'a str,
    /// What Slack calls it. Private ones and direct messages have a name that says nothing.
    pub name: &'a str,
}

impl Conversation<'_> {
    /// Whether others read along; a bot can write nothing into a direct message between people.
    fn is_channel(&self) -> bool {
        !self.id.is_empty() && !self.id.starts_with('D')
    }

    fn called(&self) -> String {
        match self.name {
            "" | "directmessage" | "privategroup" => "this channel".to_owned(),
            name if name.starts_with("mpdm-") => "this conversation".to_owned(),
            name => format!("#{}", cut(name, 80)),
        }
    }
}

/// What came of sharing a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareNews {
    /// It stands in the channel that it is read in.
    Shared,
    /// It stands in the channel with this id.
    SharedIn(String),
    /// It does not; Slack said why.
    NotShared(ShareRefusal),
    /// Slack did not answer, so nobody knows.
    Unclear,
}

/// Why a report could not be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareRefusal {
    /// The bot is not a member of the channel.
    NotAMember,
    /// Slack takes no more messages for the moment.
    TooBusy,
    /// Anything else, as Slack names it.
    Other(String),
}

impl ShareRefusal {
    /// What is wrong and what to do, for a report that is read in the channel, and for a form.
    pub(in crate::slack) fn sentence(&self, in_the_channel: bool) -> String {
        match (self, in_the_channel) {
            (Self::NotAMember, true) => {
                "BillOps is not in this channel. Type /invite @BillOps here and press \
                                         Share again, or choose another channel."
                    .to_owned()
            }
            (Self::NotAMember, false) => {
                "BillOps is not in this channel. Type /invite @BillOps there, or \
                                          choose another channel."
                    .to_owned()
            }
            (Self::TooBusy, _) => {
                "Slack takes no more messages just now. Share again in a minute.".to_owned()
            }
            (Self::Other(code), _) => {
                format!(
                    "Slack does not let me post there ({}). Choose another channel.",
                    cut(code, 60)
                )
            }
        }
    }
}

/// What is said where nobody knows whether a report was posted.
pub(in crate::slack) const SHARE_UNCLEAR: &str = "Slack did not answer, so I cannot say whether this was shared. Look in the channel before you share again.";

pub(super) fn news_said(news: &ShareNews, at: Conversation<'_>) -> String {
    match news {
        ShareNews::Shared => format!("Shared in {}. ", at.called()),
        ShareNews::SharedIn(_) => "Shared in the channel you chose. ".to_owned(),
        ShareNews::NotShared(refusal) => format!("Not shared. {} ", refusal.sentence(true)),
        ShareNews::Unclear => format!("{SHARE_UNCLEAR} "),
    }
}

pub(super) fn news_block(
    reader: Reader<'_>,
    report: &Report,
    news: &ShareNews,
    at: Conversation<'_>,
) -> SlackBlock {
    let id = reader.id("report.shared");
    let when = format!("at {} · totals only", clock_time(reader.now, reader.zone()));
    match news {
        ShareNews::Shared => context(id, format!("Shared in {} {when}", plain(&at.called()))),
        ShareNews::SharedIn(channel) => {
            context(id, format!("Shared in <#{}> {when}", plain(channel)))
        }
        ShareNews::NotShared(refusal) => with_button(
            id,
            format!("⚠️ *Not shared.* {}", plain(&refusal.sentence(true))),
            choose_button(report, "Choose channel…"),
        ),
        ShareNews::Unclear => section(id, format!("⚠️ {SHARE_UNCLEAR}")),
    }
}

/// Opens the form in which a channel is chosen.
pub(super) fn choose_button(report: &Report, label: &str) -> Button {
    Button::new(
        "report.choose",
        label,
        report.of.to_string(),
        &format!("{label} Choose where to share your totals"),
    )
}

pub(super) fn share_button(report: &Report, at: Conversation<'_>) -> Button {
    if !at.is_channel() {
        return choose_button(report, "Share…");
    }
    let spoken = format!(
        "Share in channel: the totals of {}",
        spoken_period(report.of.period)
    );
    let what = match &report.project {
        None => "your totals by project".to_owned(),
        Some(project) => format!("your total of #{}", cut(&project.slug, NAME_MAX)),
    };
    Button {
        confirm: Some(SlackBlockConfirmItem::new(
            label(&cut(&format!("Share in {}?", at.called()), 100)),
            label(&format!(
                "Everyone there sees {what}. Descriptions stay with you."
            ))
            .into(),
            label("Share"),
            label("Cancel"),
        )),
        ..Button::new(
            "report.share",
            "Share in channel",
            report.of.to_string(),
            &spoken,
        )
    }
}

/// What a channel sees of a report: totals, and whose they are.
pub fn shared_report(reader: Reader<'_>, report: &Report) -> Message {
    let (period, today, total) = (report.of.period, report.today, report.summary.total);
    let until = last_shown_day(report);
    let (what, shown, said) = match period.kind {
        PeriodKind::Day => {
            let day = short_day(period.from, today);
            ("a day", day.clone(), day)
        }
        PeriodKind::Week => (
            "a week",
            format!("week of {}", days(period.from, until, today)),
            said_days(period.from, until, today),
        ),
        PeriodKind::Month => {
            let name = name_of_month(period, today);
            let name = if period.contains(today) {
                format!("{name}, until {}", short_day(until, today))
            } else {
                name
            };
            ("a month", name.clone(), name)
        }
    };
    let member = reader.member;
    let mut text = format!(
        "{} shared {what}, {said}: {total}. ",
        isolated(&cut(&member.name, NAME_MAX))
    );
    let parts = if report.of.group == Some(Grouping::Client) {
        clients_of(report)
    } else {
        projects_of(report)
    };
    say(&mut text, &parts, None);
    let zone = if member.time_zone().is_none() {
        " UTC"
    } else {
        ""
    };
    let rounded = rounding_note(report).map_or(String::new(), |note| format!("{note} · "));
    let note = format!(
        "{rounded}Totals only · shared on {}, {}{zone}",
        short_day(today, today),
        clock_time(reader.now, reader.zone())
    );
    let id = |name: &str| SlackBlockId(name.to_owned());
    let mut blocks = vec![section(
        id("shared"),
        format!("<@{}> · {shown} · *{total}*", member.slack_user_id),
    )];
    blocks.push(expanded(
        id("shared.bars"),
        &rows(&parts, total, None).join("\n"),
    ));
    blocks.push(context(id("shared.note"), note.clone()));
    let _ = write!(text, "{}.", note.replace(" · ", ", "));
    Message::new(text, blocks)
}
