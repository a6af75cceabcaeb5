//! `/me` and `/me/calendars`, and what every call of Graph goes through.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use serde_json::{Map, Value, json};

use super::{answer, errors, errors::Refusal};
use crate::sandbox::{
    Sandbox,
    calendars::{AccessRole, Calendar},
    oauth::{Account, Endpoint, Params, Provider, Service, lost},
    record::Traffic,
};

/// What a call says about itself.
pub(super) struct Call<'a> {
    pub(super) account: &'a str,
    pub(super) params: &'a Params,
    pub(super) preferences: &'a Preferences,
    /// Where this sandbox is.
    pub(super) host: &'a str,
}

/// The `Prefer` headers. Each applies to its request alone.
#[derive(Debug, Default)]
pub(super) struct Preferences {
    pub(super) time_zone: Option<String>,
    pub(super) wants_immutable_ids: bool,
    applied: Vec<String>,
}

impl Preferences {
    fn read(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        let texts = headers.get_all("prefer").iter();
        for text in texts.filter_map(|value| value.to_str().ok()) {
            for preference in text.split([',', ';']).map(str::trim) {
                let Some((name, value)) = preference.split_once('=') else {
                    continue;
                };
                let value = value.trim_matches('"');
                if name.eq_ignore_ascii_case("outlook.timezone") {
                    found.time_zone = Some(value.to_owned());
                } else if name.eq_ignore_ascii_case("IdType") && value == "ImmutableId" {
                    found.wants_immutable_ids = true;
                } else {
                    continue;
                }
                found.applied.push(preference.to_owned());
            }
        }
        found
    }
}

/// Title of the traffic, known parameters, and scopes of which one is needed.
pub(super) type Rules = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

pub(super) async fn call(
    sandbox: &Sandbox,
    endpoint: Endpoint,
    headers: &HeaderMap,
    query: Option<String>,
    (title, known, scopes): Rules,
    act: impl FnOnce(&Service, &Call<'_>) -> Result<Value, Refusal>,
) -> Response {
    let now = sandbox.slack.options.clock.now();
    let params = Params::read(&query.unwrap_or_default());
    let trace = |error: Option<String>| {
        sandbox.trace(|| Traffic {
            ok: error.is_none(),
            error,
            body: params.json(),
            ..Traffic::from_bot("microsoft", title)
        });
    };
    let passed = match sandbox.arrive(Provider::Microsoft, endpoint).await {
        Ok(passed) => passed,
        Err(outage) => {
            trace(Some(format!("{outage:?}")));
            return errors::graph_outage(&outage, now);
        }
    };
    let unknown = params.unknown(known);
    if !unknown.is_empty() {
        // Graph lets most of these pass without a word.
        sandbox.violated(&format!("microsoft.{title}"), "unknown_parameter", unknown);
    }
    let preferences = Preferences::read(headers);
    let host = sandbox.url();
    let result: Result<Value, Refusal> = sandbox.provider(Provider::Microsoft, |service| {
        let account = authorize(service, headers, scopes)?;
        let call = Call {
            account: &account,
            params: &params,
            preferences: &preferences,
            host: service.switches.foreign_next_link.as_ref().unwrap_or(&host),
        };
        act(service, &call)
    });
    match result {
        Ok(value) => {
            trace(None);
            let mut response = answer(&value);
            let applied = HeaderValue::from_str(&preferences.applied.join(", "));
            if let Some(applied) = applied.ok().filter(|applied| !applied.is_empty()) {
                let name = HeaderName::from_static("preference-applied");
                response.headers_mut().insert(name, applied);
            }
            lost(passed, response).await
        }
        Err(refusal) => {
            trace(Some(refusal.code.to_owned()));
            if refusal.is_mistake {
                let details = vec![refusal.message.clone()];
                sandbox.violated(&format!("microsoft.{title}"), refusal.code, details);
            }
            refusal.response(now)
        }
    }
}

fn authorize(service: &Service, headers: &HeaderMap, scopes: &[&str]) -> Result<String, Refusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(|| Refusal::no_token("Access token is empty."))?;
    let access = service.bearer(token).ok_or_else(|| {
        if service.issued.find_access(token).is_some() {
            Refusal::expired()
        } else {
            Refusal::no_token("CompactToken parsing failed with error code: 80049217")
        }
    })?;
    let is_allowed = access
        .scopes
        .iter()
        .any(|has| scopes.contains(&has.as_str()));
    if is_allowed {
        Ok(access.account.clone())
    } else {
        Err(Refusal::denied())
    }
}

/// `$top` and `$skip`: the window of a list.
pub(super) fn window(
    service: &Service,
    params: &Params,
    default: usize,
) -> Result<(usize, usize), Refusal> {
    let number = |name: &str, most: usize| match params.get(name) {
        None => Ok(None),
        Some(text) => match text.parse::<usize>() {
            Ok(number) if number <= most => Ok(Some(number)),
            _ => {
                let message = format!("Invalid value '{text}' for {name} query option found.");
                Err(Refusal::mistake("BadRequest", &message))
            }
        },
    };
    let top = number("$top", 1000)?.unwrap_or(default);
    if top == 0 {
        let message = "The value of $top must be between 1 and 1000.";
        return Err(Refusal::mistake("BadRequest", message));
    }
    let largest = service.switches.largest_page.unwrap_or(top).max(1);
    Ok((number("$skip", usize::MAX)?.unwrap_or(0), top.min(largest)))
}

/// The next page's address: absolute, and with everything in it.
pub(super) fn next_link(call: &Call<'_>, path: &str, skip: usize) -> String {
    let pairs = call.params.pairs().filter(|(name, _)| *name != "$skip");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .append_pair("$skip", &skip.to_string())
        .finish();
    format!("{}/microsoft/v1.0/{path}?{query}", call.host)
}

/// `$select`: these fields, and always the id.
pub(super) fn select(value: &Value, params: &Params, kind: &str) -> Result<Value, Refusal> {
    let (Some(names), Value::Object(fields)) = (params.get("$select"), value) else {
        return Ok(value.clone());
    };
    let mut kept = Map::new();
    for (name, field) in fields {
        if name == "id" || name.starts_with('@') {
            kept.insert(name.clone(), field.clone());
        }
    }
    for name in names.split(',').map(str::trim) {
        let found = fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        let (known, field) = found.ok_or_else(|| {
            let message = format!(
                "Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."
            );
            Refusal::mistake("BadRequest", &message)
        })?;
        kept.insert(known.clone(), field.clone());
    }
    Ok(Value::Object(kept))
}

pub(super) fn account<'a>(service: &'a Service, call: &Call<'_>) -> Result<&'a Account, Refusal> {
    service.account(call.account).ok_or_else(Refusal::not_found)
}

const ME: Rules = ("me", &["$select"], &["User.Read"]);

/// `GET /microsoft/v1.0/me`
pub(in crate::sandbox) async fn me(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let act = |service: &Service, call: &Call<'_>| {
        let account = account(service, call)?;
        let (given, family) = account.name.split_once(' ').unwrap_or_default();
        let me = json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users/$entity",
            "businessPhones": [],
            "displayName": account.name,
            "givenName": given,
            "jobTitle": null,
            "mail": account.email,
            "mobilePhone": null,
            "officeLocation": null,
            "preferredLanguage": null,
            "surname": family,
            "userPrincipalName": account.email,
            "id": account.id,
        });
        select(&me, call.params, "user")
    };
    call(&sandbox, Endpoint::Me, &headers, query, ME, act).await
}

const CALENDARS: Rules = (
    "me/calendars",
    &["$top", "$skip", "$select"],
    &[
        "Calendars.Read",
        "Calendars.ReadBasic",
        "Calendars.ReadWrite",
        "Calendars.Read.Shared",
    ],
);

/// The page when nobody asks for a size: small, so that a list must be followed.
const PAGE: usize = 10;

/// `GET /microsoft/v1.0/me/calendars`
pub(in crate::sandbox) async fn calendars(
    State(sandbox): State<Sandbox>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let act = |service: &Service, call: &Call<'_>| {
        let account = account(service, call)?;
        let (skip, top) = window(service, call.params, PAGE)?;
        let shown = account.calendars.iter().skip(skip).take(top);
        let value: Vec<Value> = shown
            .map(|calendar| select(&calendar_json(calendar), call.params, "calendar"))
            .collect::<Result<_, _>>()?;
        let end = skip + value.len();
        let user = account.email.replace('@', "%40");
        let mut page = json!({
            "@odata.context": format!("https://graph.microsoft.com/v1.0/$metadata#users('{user}')/calendars"),
            "value": value,
        });
        if end < account.calendars.len() {
            page["@odata.nextLink"] = json!(next_link(call, "me/calendars", end));
        }
        Ok(page)
    };
    call(
        &sandbox,
        Endpoint::Calendars,
        &headers,
        query,
        CALENDARS,
        act,
    )
    .await
}

fn calendar_json(calendar: &Calendar) -> Value {
    let is_own = calendar.access == AccessRole::Owner;
    json!({
        "id": calendar.id,
        "name": calendar.name,
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": calendar.is_primary,
        "changeKey": "nfZyf7VcrEKLNoU37KWlkQAAA0x0+w==",
        "canShare": is_own,
        "canViewPrivateItems": is_own,
        "canEdit": calendar.access >= AccessRole::Writer,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": is_own,
        "isRemovable": !calendar.is_primary,
        "owner": {"name": calendar.owner.0, "address": calendar.owner.1},
    })
}
