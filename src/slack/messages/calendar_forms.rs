//! The forms about calendars: which are read, giving an account up, and the token for programs.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use slack_morphism::prelude::{
    SlackActionId, SlackActionsBlock, SlackBlock, SlackBlockCheckboxesElement,
    SlackBlockChoiceItem, SlackBlockConfirmItem, SlackBlockId, SlackBlockMultiStaticSelectElement,
    SlackBlockText, SlackInputBlock,
};

use super::{
    Button, actions,
    calendars::{and, because},
    context, label, markdown, section, with_button,
};
use crate::{
    domain::{
        calendar::{Account, Calendar},
        provider::Provider,
        scope::{Scope, Scopes},
    },
    slack::text::{cut, isolated, plain, plain_within, short_day},
    store::ApiToken,
};

/// The most options that checkboxes may have.
const CHECKBOXES_MAX: usize = 10;
/// The most characters that the text of an option may have.
const OPTION_TEXT_MAX: usize = 75;
/// The most options that a menu may have.
const MENU_MAX: usize = 100;

/// How far the list of calendars in the form is that of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// As it was last; the provider is being asked.
    Asking,
    /// As the provider has it.
    Fresh,
    /// As it was last; the provider does not answer.
    Old,
    /// As it was last; the provider wants consent again.
    NeedsReconnect,
}

/// A calendar beside its box, as long as Slack lets it be with the marks around it.
fn choice_text(calendar: &Calendar) -> String {
    let main = if calendar.is_primary {
        " · your main calendar"
    } else {
        ""
    };
    // Two stars, and two signs around what is read from right to left.
    let room = OPTION_TEXT_MAX - 4 - main.chars().count();
    format!("*{}*{main}", isolated(&plain_within(&calendar.name, room)))
}

/// The form in which calendars are chosen.
pub fn choose_blocks(account: &Account, list: List) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    let (usable, unusable): (Vec<&Calendar>, Vec<&Calendar>) = account
        .calendars
        .iter()
        .filter(|calendar| calendar.gone_at.is_none())
        .partition(|calendar| calendar.has_details);
    let mut blocks = vec![section(
        id("choose.account"),
        format!("{} · {}", account.provider.name(), plain(&account.email)),
    )];
    if usable.is_empty() {
        blocks.push(section(
            id("choose.none"),
            "This account shows no calendar with details, so there is nothing to log.".to_owned(),
        ));
    } else if usable.len() <= CHECKBOXES_MAX {
        let option = |calendar: &&Calendar| {
            SlackBlockChoiceItem::new(
                SlackBlockText::MarkDown(markdown(choice_text(calendar))),
                format!("k:{}", calendar.id),
            )
        };
        let chosen: Vec<_> = usable
            .iter()
            .filter(|calendar| calendar.is_active)
            .map(option)
            .collect();
        let mut boxes = SlackBlockCheckboxesElement::new(usable.iter().map(option).collect())
            .with_action_id(SlackActionId("value".to_owned()));
        boxes.initial_options = (!chosen.is_empty()).then_some(chosen);
        blocks.push(
            SlackActionsBlock::new(vec![boxes.into()])
                .with_block_id(id("calendars"))
                .into(),
        );
    } else {
        let option = |calendar: &&Calendar| {
            SlackBlockChoiceItem::new(
                label(&isolated(&cut(&calendar.name, 70))),
                format!("k:{}", calendar.id),
            )
        };
        let shown: Vec<&Calendar> = usable.iter().copied().take(MENU_MAX).collect();
        let chosen: Vec<_> = shown
            .iter()
            .filter(|calendar| calendar.is_active)
            .map(option)
            .collect();
        let mut menu = SlackBlockMultiStaticSelectElement::new()
            .with_action_id(SlackActionId("value".to_owned()))
            .with_options(shown.iter().map(option).collect());
        menu.initial_options = (!chosen.is_empty()).then_some(chosen);
        blocks.push(
            SlackInputBlock::new(label("Read these"), menu.into())
                .with_optional(true)
                .with_block_id(id("calendars"))
                .into(),
        );
    }
    if !unusable.is_empty() {
        let names: Vec<String> = unusable
            .iter()
            .take(5)
            .map(|calendar| format!("*{}*", plain(&isolated(&cut(&calendar.name, 60)))))
            .collect();
        let shows = if names.len() == 1 { "shows" } else { "show" };
        blocks.push(section(
            id("choose.unusable"),
            format!(
                "{} {shows} only free and busy, so there is nothing to log from it.",
                and(&names)
            ),
        ));
    }
    let mut note = "What you already logged or skipped stays, whatever you choose here".to_owned();
    let company = account.provider.company();
    let _ = match list {
        List::Asking => write!(note, " · asking {company} for newer calendars…"),
        List::Fresh => Ok(()),
        List::Old => write!(
            note,
            " · {company} does not answer just now, so newer calendars may be missing"
        ),
        List::NeedsReconnect => write!(
            note,
            " · {}: close this and press *Reconnect* in the Home tab",
            because(account)
        ),
    };
    blocks.push(context(id("choose.note"), note));
    blocks
}

/// What disconnecting means, in the form that asks.
pub fn disconnect_blocks(account: &Account) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    let back = match account.provider {
        Provider::Google => "gives its key back to Google",
        Provider::Microsoft => {
            "forgets its key. Microsoft keeps listing the permission until you remove it at myapps.microsoft.com"
        }
    };
    vec![
        section(
            id("disconnect.text"),
            format!("BillOps stops reading *{}* and {back}.", plain(&account.email)),
        ),
        section(
            id("disconnect.list"),
            "•  Your entries stay, also those made from meetings\n•  You can connect again at any time".to_owned(),
        ),
    ]
}

/// What a token allows, in a word and as one ticks it.
const SCOPES: [(Scope, &str, &str); 3] = [
    (
        Scope::Entries,
        "entries",
        "Read and change my entries, calendars and preferences",
    ),
    (Scope::Reports, "reports", "Read reports"),
    (
        Scope::Notifications,
        "notices",
        "Have people told that an invoice is ready",
    ),
];

/// The form about the token for programs; `None` ticked is said to be too little.
pub fn api_token_blocks(
    made: Option<ApiToken>,
    ticked: Scopes,
    now: DateTime<Utc>,
    zone: Tz,
) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    let intro = "A token lets a program use BillOps’ API, as you. Give it to nobody.";
    let mut blocks = vec![section(id("token.text"), intro.to_owned())];
    let line = section(
        id(if made.is_none() {
            "token.none"
        } else {
            "token.made"
        }),
        token_line(made, now, zone),
    );
    blocks.push(line);
    blocks.push(scope_boxes(ticked));
    if ticked.is_empty() {
        let too_little = "Tick at least one thing that the program may do.";
        blocks.push(context(id("token.nothing"), too_little.to_owned()));
    }
    if made.is_none() {
        blocks.push(actions(
            id("token.actions"),
            vec![Button::new(
                "token.new",
                "Create token",
                "token",
                "Create token",
            )],
        ));
        return blocks;
    }
    let replace = Button {
        confirm: Some(ask_about_token("Replace the token?", "Replace")),
        ..Button::new("token.new", "Replace", "token", "Replace the token")
    };
    blocks.push(actions(id("token.actions"), vec![replace, revoke_token()]));
    blocks
}

/// The browsers in which the person is signed in, and how all of those are signed out; `ended` says of how many that was
/// just done.
pub fn sign_out_everywhere(ended: Option<u64>) -> SlackBlock {
    let text = match ended {
        None => "*Browsers*\nWherever you signed in to BillOps’ pages with Slack.".to_owned(),
        Some(0) => "*Browsers*\nYou were signed in nowhere.".to_owned(),
        Some(1) => "*Browsers*\nYou are signed out of 1 browser.".to_owned(),
        Some(count) => format!("*Browsers*\nYou are signed out of {count} browsers."),
    };
    let button = Button::new(
        "token.sign_out",
        "Sign out everywhere",
        "token",
        "Sign out everywhere: of all browsers",
    );
    with_button(SlackBlockId("token.sessions".to_owned()), text, button)
}

fn scope_boxes(ticked: Scopes) -> SlackBlock {
    let options = |wanted: &dyn Fn(Scope) -> bool| {
        let wanted = SCOPES.iter().filter(|(scope, ..)| wanted(*scope));
        let option = |(scope, _, allows): &(Scope, &str, &str)| {
            let text = SlackBlockText::from(label(allows));
            SlackBlockChoiceItem::new(text, scope.as_str().to_owned())
        };
        wanted.map(option).collect::<Vec<_>>()
    };
    let mut boxes = SlackBlockCheckboxesElement::new(options(&|_| true))
        .with_action_id(SlackActionId("value".to_owned()));
    let initial = options(&|scope| ticked.allows(scope));
    boxes.initial_options = (!initial.is_empty()).then_some(initial);
    SlackActionsBlock::new(vec![boxes.into()])
        .with_block_id(SlackBlockId("scopes".to_owned()))
        .into()
}

/// When the token for programs was made and last used.
pub(super) fn token_line(made: Option<ApiToken>, now: DateTime<Utc>, zone: Tz) -> String {
    let today = now.with_timezone(&zone).date_naive();
    let day = |at: DateTime<Utc>| {
        let day = at.with_timezone(&zone).date_naive();
        if day == today {
            "today".to_owned()
        } else {
            short_day(day, today)
        }
    };
    let Some(made) = made else {
        return "There is no token yet.".to_owned();
    };
    let used = match made.last_used_at {
        None => "not used yet".to_owned(),
        Some(used_at) => format!("last used {}", day(used_at)),
    };
    let ends = match made.expires_at {
        None => String::new(),
        Some(at) if at <= now => format!(" It ran out {}.", day(at)),
        Some(at) => format!(" Works until {}.", day(at)),
    };
    let allowed = SCOPES
        .iter()
        .filter(|(scope, ..)| made.scopes.allows(*scope));
    let allowed: Vec<&str> = allowed.map(|(_, name, _)| *name).collect();
    format!(
        "Made {}, {used}. For: {}.{ends}",
        day(made.made_at),
        allowed.join(", ")
    )
}

/// The button that takes the token back.
pub(super) fn revoke_token() -> Button {
    Button {
        confirm: Some(ask_about_token("Revoke the token?", "Revoke")),
        ..Button::new("token.revoke", "Revoke", "token", "Revoke the token")
    }
}

fn ask_about_token(title: &str, yes: &str) -> SlackBlockConfirmItem {
    SlackBlockConfirmItem::new(
        label(title),
        SlackBlockText::from(label("Programs that use it stop working at once.")),
        label(yes),
        label("Cancel"),
    )
    .with_style("danger".to_owned())
}

/// A new token, shown once.
pub fn new_token_blocks(token: &str) -> Vec<SlackBlock> {
    let id = |name: &str| SlackBlockId(name.to_owned());
    vec![
        section(
            id("token.shown"),
            format!("*Your token.* Copy it now; it is not shown again.\n```{token}```"),
        ),
        context(
            id("token.how"),
            "Send it as `Authorization: Bearer …`. Whoever has it acts as you; revoke it here."
                .to_owned(),
        ),
        actions(id("token.actions"), vec![revoke_token()]),
    ]
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_long_name_fits_beside_its_box() {
        let named = |name: &str, is_primary| Calendar {
            id: Uuid::nil(),
            account_id: Uuid::nil(),
            provider_calendar_id: String::new(),
            name: name.to_owned(),
            is_primary,
            has_details: true,
            is_active: true,
            sync_enabled: true,
            gone_at: None,
            last_synced_at: None,
            next_attempt_at: None,
        };
        assert_eq!(
            choice_text(&named("Nina Berg", true)),
            "*Nina Berg* · your main calendar"
        );
        for name in ["a".repeat(200), "&*".repeat(100), "ع".repeat(200)] {
            for is_primary in [true, false] {
                let text = choice_text(&named(&name, is_primary));
                assert!(text.chars().count() <= OPTION_TEXT_MAX, "{text}");
                let ends = text.matches(['\u{2068}', '\u{2069}']).count();
                assert!(ends == 0 || ends == 2, "{text}");
            }
        }
    }
}
