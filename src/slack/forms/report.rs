//! The form in which a report is shared.

use slack_morphism::prelude::{
    SlackActionId, SlackBlockConversationFilter, SlackBlockConversationsSelectElement,
    SlackBlockId, SlackConversationFilterInclude, SlackInputBlockElement, SlackView,
};

use super::{Meta, VALUE, input, modal};
use crate::slack::{
    messages::{context, label},
    text::plain,
};

/// The small form with the channel that a report is shared in; `about` are people's words, not escaped.
pub(in crate::slack) fn share_report(about: &str, meta: &Meta) -> SlackView {
    let channels = SlackBlockConversationFilter::new()
        .with_include(vec![
            SlackConversationFilterInclude::Public,
            SlackConversationFilterInclude::Private,
        ])
        .with_exclude_bot_users(true);
    let select = SlackBlockConversationsSelectElement::new()
        .with_action_id(SlackActionId(VALUE.to_owned()))
        .with_placeholder(label("Choose a channel"))
        .with_filter(channels)
        .with_focus_on_load(true);
    let blocks = vec![
        input(
            "channel",
            "Channel",
            SlackInputBlockElement::ConversationsSelect(select),
        ),
        context(
            SlackBlockId("about".to_owned()),
            format!(
                "{} · Everyone there sees your totals by project. Descriptions stay with you.",
                plain(about)
            ),
        ),
    ];
    modal("report.share", "Share your totals", "Share", blocks, meta)
}
