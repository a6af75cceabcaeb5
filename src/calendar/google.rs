//! Google Calendar.
//!
//! Source: Calendar API v3, `calendarList.list`.

use secrecy::SecretString;
use serde::Deserialize;

use super::{
    api::{self, ReadProblem},
    endpoint,
};
use crate::{clock::Clock, config::ProviderConfig, domain::calendar::ListedCalendar};

/// Pages of 250; nobody has more calendars than this many pages, and a provider that never ends is not followed.
const PAGES_MAX: usize = 40;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    items: Vec<Item>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    summary: Option<String>,
    /// The person's own name for it.
    summary_override: Option<String>,
    #[serde(default)]
    primary: bool,
    /// Shown in the person's own view.
    #[serde(default)]
    selected: bool,
    #[serde(default)]
    access_role: String,
    #[serde(default)]
    deleted: bool,
}

/// The account's calendars, to the last page.
pub(super) async fn calendars(
    http: &reqwest::Client,
    config: &ProviderConfig,
    access_token: &SecretString,
    clock: &Clock,
) -> Result<Vec<ListedCalendar>, ReadProblem> {
    let mut found = Vec::new();
    let mut page_token: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let mut url = endpoint(&config.api_url, &["users", "me", "calendarList"]);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("maxResults", "250");
            if let Some(token) = &page_token {
                query.append_pair("pageToken", token);
            }
        }
        let page: Page = api::get(http, url, access_token, &[], || clock.now()).await?;
        found.extend(
            page.items
                .into_iter()
                .filter(|item| !item.deleted)
                .map(listed),
        );
        page_token = page.next_page_token;
        if page_token.is_none() {
            return Ok(found);
        }
    }
    Err(ReadProblem::Unavailable(
        "the list of calendars does not end".to_owned(),
    ))
}

fn listed(item: Item) -> ListedCalendar {
    let is_theirs = matches!(&*item.access_role, "owner" | "writer");
    ListedCalendar {
        name: item
            .summary_override
            .or(item.summary)
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| item.id.clone()),
        is_primary: item.primary,
        has_details: item.access_role != "freeBusyReader",
        is_own: item.primary || (is_theirs && item.selected),
        provider_calendar_id: item.id,
    }
}
