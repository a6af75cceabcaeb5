//! Series that are always logged to one project: the offer, and the list in the Home tab.

use chrono::NaiveDate;
use chrono_tz::Tz;
use slack_morphism::prelude::{
    SlackActionId, SlackBlock, SlackBlockChoiceItem, SlackBlockId, SlackBlockOverflowElement,
    SlackSectionBlock, SlackSectionBlockElement,
};

use super::{
    Button, LABEL_MAX, Message, Reader, actions, context, label, markdown, section, with_button,
};
use crate::{
    domain::rule::{Rule, RuleState},
    slack::text::{cut, plain, short_day},
};

/// How many rules the Home tab shows.
const SHOWN: usize = 3;

fn title(rule: &Rule) -> String {
    cut(&rule.title, 60)
}

/// `#internal`, or `no project`.
fn project(rule: &Rule) -> String {
    rule.project.as_ref().map_or_else(
        || "no project".to_owned(),
        |project| format!("#{}", cut(&project.slug, 40)),
    )
}

/// The offer in words, with a space behind.
pub(super) fn offer_says(rule: &Rule) -> String {
    format!(
        "You have logged {} to {} twice. It can be logged there by itself from now on; you are told each time and \
         can undo it. ",
        title(rule),
        project(rule)
    )
}

/// The offer to log a series always; `tail` ends the ids of its blocks.
pub(in crate::slack) fn offer_blocks(rule: &Rule, tail: &str) -> [SlackBlock; 2] {
    let (title, project) = (title(rule), project(rule));
    let text = format!(
        "*Always log {} to {}?* You did so twice. Each one can still be undone, and the rule is listed in the Home tab.",
        plain(&title),
        plain(&project)
    );
    let button = |action, name: &str, spoken: String| {
        let value = format!("r:{}", rule.id);
        Button::new(action, name, value, &cut(&spoken, LABEL_MAX))
    };
    let yes = button(
        "rule.accept",
        "Always log it",
        format!("Always log it: {title} to {project}"),
    );
    let no = button(
        "rule.decline",
        "No, keep asking",
        format!("No, keep asking: do not always log {title}"),
    );
    [
        section(SlackBlockId(format!("rule.offer{tail}")), text),
        actions(SlackBlockId(format!("rule.actions{tail}")), vec![yes, no]),
    ]
}

/// What was decided about a rule, and the way back: its action, its label.
pub(in crate::slack) fn rule_words(rule: &Rule) -> (String, &'static str) {
    let (title, project) = (title(rule), project(rule));
    match rule.state {
        RuleState::Active => (
            format!("{title} is now always logged to {project}, from its next meeting on."),
            "rule.remove",
        ),
        RuleState::Removed => (
            format!("{title} is no longer logged by itself."),
            "rule.accept",
        ),
        RuleState::Declined | RuleState::Offered => {
            (format!("{title} is not logged by itself."), "rule.accept")
        }
    }
}

/// The same as a message.
pub fn rule_decided(reader: Reader<'_>, rule: &Rule) -> Message {
    let (text, back) = rule_words(rule);
    let name = if back == "rule.accept" {
        "Always log it"
    } else {
        "Undo"
    };
    let spoken = cut(&format!("{name}: {}", title(rule)), LABEL_MAX);
    let undo = Button::new(back, name, format!("r:{}", rule.id), &spoken);
    Message::new(
        text.clone(),
        vec![with_button(reader.id("rule"), plain(&text), undo)],
    )
}

/// The rules in the Home tab: one row each, and how many there are beyond those.
pub(super) fn rule_rows(rules: &[Rule], zone: Tz, today: NaiveDate) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    let mut blocks = Vec::new();
    for (at, rule) in rules.iter().take(SHOWN).enumerate() {
        let head = if at == 0 { "*Always logged*\n" } else { "" };
        let since = short_day(rule.since.with_timezone(&zone).date_naive(), today);
        let text = format!(
            "{head}{} to {}, since {since}",
            plain(&title(rule)),
            plain(&project(rule))
        );
        let choices = [("Change…", "change"), ("Remove rule", "remove")];
        let choices = choices.map(|(name, verb)| {
            SlackBlockChoiceItem::new(label(name), format!("{verb} r:{}", rule.id))
        });
        let menu = SlackBlockOverflowElement::new(choices.to_vec())
            .with_action_id(SlackActionId("rule.menu".to_owned()));
        let tail = rule.id.simple().to_string().split_off(20);
        blocks.push(
            SlackSectionBlock::new()
                .with_block_id(id(&format!("rule:{tail}")))
                .with_text(markdown(text).into())
                .with_accessory(SlackSectionBlockElement::Overflow(menu))
                .into(),
        );
    }
    let more = rules.len().saturating_sub(SHOWN);
    if more > 0 {
        blocks.push(context(id("rules.more"), format!("and {more} more")));
    }
    blocks
}
