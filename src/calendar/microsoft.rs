//! Outlook, through Microsoft Graph.
//!
//! Source: Microsoft Graph v1.0, “List calendars”.

use secrecy::SecretString;
use serde::Deserialize;

use super::{
    api::{self, ReadProblem, next_link},
    endpoint,
};
use crate::{clock::Clock, config::ProviderConfig, domain::calendar::ListedCalendar};

/// Nobody has more calendars than this many pages, and a provider that never ends is not followed.
const PAGES_MAX: usize = 40;
/// Without it ids change when an item moves. Sent with every request, as it counts for one only.
const PREFER: [&str; 2] = [r#"IdType="ImmutableId""#, r#"outlook.timezone="UTC""#];

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    value: Vec<Item>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    name: Option<String>,
    #[serde(default)]
    is_default_calendar: bool,
}

/// The account's calendars, to the last page.
pub(super) async fn calendars(
    http: &reqwest::Client,
    config: &ProviderConfig,
    access_token: &SecretString,
    clock: &Clock,
) -> Result<Vec<ListedCalendar>, ReadProblem> {
    let mut found = Vec::new();
    let mut url = endpoint(&config.api_url, &["me", "calendars"]);
    url.query_pairs_mut()
        .append_pair("$top", "100")
        .append_pair("$select", "id,name,isDefaultCalendar");
    for _ in 0..PAGES_MAX {
        let page: Page = api::get(http, url, access_token, &PREFER, || clock.now()).await?;
        found.extend(page.value.into_iter().map(listed));
        match page.next_link {
            Some(link) => url = next_link(&config.api_url, &link)?,
            None => return Ok(found),
        }
    }
    Err(ReadProblem::Unavailable(
        "the list of calendars does not end".to_owned(),
    ))
}

fn listed(item: Item) -> ListedCalendar {
    ListedCalendar {
        name: item
            .name
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| item.id.clone()),
        is_primary: item.is_default_calendar,
        has_details: true,
        // A second calendar of one's own is often a hobby's or a room's; the person adds it with one click.
        is_own: item.is_default_calendar,
        provider_calendar_id: item.id,
    }
}
