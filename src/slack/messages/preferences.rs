//! What stands around the fields of the form for preferences, and what is said where it does not open.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use slack_morphism::prelude::{SlackBlock, SlackBlockId, SlackSectionBlock};

use super::{
    Button, Message, Reader, actions,
    calendar_forms::{revoke_token, token_line},
    markdown, section,
};
use crate::store::ApiToken;

/// The token for programs, and what BillOps knows about the person: the end of the form for preferences.
pub fn preferences_about_me(
    made: Option<ApiToken>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Vec<SlackBlock> {
    let (token, button) = match made {
        None => (
            "None. For scripts and other programs that read or write your time.".to_owned(),
            Button::new(
                "token.create",
                "Create token…",
                "prefs",
                "Create token for programs: choose what it may do",
            ),
        ),
        Some(_) => (token_line(made, now, zone), revoke_token()),
    };
    let data = "What BillOps knows about me";
    vec![
        beside("api_token", format!("*API token*\n{token}"), button),
        beside(
            "my_data",
            "*My data*\nSee, export or delete all of it.".to_owned(),
            Button::new("data.open", data, "prefs", data),
        ),
    ]
}

fn beside(id: &str, text: String, button: Button) -> SlackBlock {
    SlackSectionBlock::new()
        .with_block_id(SlackBlockId(id.to_owned()))
        .with_text(markdown(text).into())
        .with_accessory(button.element().into())
        .into()
}

/// Where the form could not be opened: a button that opens it.
pub fn open_preferences(reader: Reader<'_>) -> Message {
    let text = "Your preferences did not open. Press Preferences to open them.";
    let button = Button::new(
        "prefs.open",
        "Preferences",
        "prefs",
        "Preferences: open the form",
    );
    let blocks = vec![
        section(reader.id("prefs.said"), text.to_owned()),
        actions(reader.id("prefs.actions"), vec![button]),
    ];
    Message::new(text, blocks)
}
