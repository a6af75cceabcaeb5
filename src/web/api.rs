//! The API about calendars and who is signed in. It never returns a provider's token.

use axum::{
    Json,
    body::Bytes,
    extract::{
        FromRequest, Path, Query, Request, State,
        rejection::{BytesRejection, JsonRejection, QueryRejection},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Site, problem::Problem, session::Caller};
use crate::{
    app::{Bearer, Ended, Listed, Returned, Selected},
    domain::{
        calendar::{Account, AccountState, Calendar, ReconnectReason},
        provider::Provider,
    },
};

fn provider_of(name: &str) -> Result<Provider, Problem> {
    Provider::from_name(name).ok_or_else(|| Problem::not_found("provider"))
}

/// JSON whose mistakes are said by the field's name.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Site> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Problem> {
        let body = Json::<T>::from_request(request, site).await;
        body.map(|Json(body)| Self(body)).map_err(|rejection| {
            let status = rejection.status();
            match rejection {
                JsonRejection::JsonDataError(error) => Problem::invalid("body", &error.body_text()),
                other => Problem::unreadable(status, other.body_text()),
            }
        })
    }
}

/// `GET /integrations/{provider}/authorize`.
pub(super) async fn authorize(
    State(site): State<Site>,
    Path(provider): Path<String>,
    caller: Caller,
) -> Result<Response, Problem> {
    let provider = provider_of(&provider)?;
    let browser = caller.browser.as_ref().map(SecretString::expose_secret);
    let begun = site
        .app
        .begin_errand(&caller.member, provider, browser)
        .await?;
    let Some(authorization) = begun else {
        return Err(Problem::not_offered(provider.name()));
    };
    Ok(Json(json!({
        "auth_url": authorization.url,
        "state": authorization.state.expose_secret(),
    }))
    .into_response())
}

/// What a frontend hands over as JSON: of what stood in its own address, no more than this.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HandedOver {
    state: String,
    code: String,
    error: String,
    error_description: String,
    iss: String,
}

impl HandedOver {
    /// From the body where there is one, or from the query.
    pub(super) fn read(
        body: &[u8],
        query: Result<Query<Returned>, QueryRejection>,
    ) -> Result<Returned, Problem> {
        if body.is_empty() {
            let query = query.map_err(|error| Problem::invalid("query", &error.body_text()));
            return query.map(|Query(returned)| returned);
        }
        let handed: Self = serde_json::from_slice(body).map_err(|error| {
            Problem::invalid(
                "body",
                &format!("It is not the JSON that is expected: {error}."),
            )
        })?;
        Ok(Returned {
            state: handed.state,
            code: handed.code,
            error: handed.error,
            error_description: handed.error_description,
            iss: handed.iss,
        })
    }
}

/// `POST /integrations/{provider}/callback`: a frontend hands over what the provider gave the browser, in the query or
/// as JSON.
pub(super) async fn callback(
    State(site): State<Site>,
    Path(provider): Path<String>,
    caller: Caller,
    query: Result<Query<Returned>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let provider = provider_of(&provider)?;
    let body =
        body.map_err(|rejection| Problem::unreadable(rejection.status(), rejection.body_text()))?;
    let returned = HandedOver::read(&body, query)?;
    let bearer = Bearer {
        browser: caller.browser.as_ref().map(SecretString::expose_secret),
        member: Some(&caller.member),
        is_program: caller.is_program,
    };
    match site.app.end_errand(provider, &returned, &bearer).await? {
        Ended::Connected { account, .. } => Ok(Json(json!({
            "status": "success",
            "oauth_account_id": account.id,
            "calendars": account.calendars.iter().filter(|calendar| calendar.gone_at.is_none()).map(|calendar| json!({
                "id": calendar.provider_calendar_id,
                "summary": calendar.name,
                "primary": calendar.is_primary,
                "selected": calendar.is_active,
            })).collect::<Vec<_>>(),
        }))
        .into_response()),
        // Only links from Slack are parked, and those come back as GET.
        Ended::Parked { .. } => Err(Problem::sign_in_first()),
        Ended::Not(reason, _) => Err(Problem::not_connected(&reason, provider.as_str())),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SelectCalendar {
    calendar_id: String,
    /// What the frontend calls it. The provider's own list says how it is called.
    #[serde(default, rename = "calendar_name")]
    _calendar_name: Option<String>,
    #[serde(default)]
    oauth_account_id: Option<Uuid>,
}

/// `POST /integrations/{provider}/select-calendar`.
pub(super) async fn select_calendar(
    State(site): State<Site>,
    Path(provider): Path<String>,
    caller: Caller,
    Body(asked): Body<SelectCalendar>,
) -> Result<Response, Problem> {
    let provider = provider_of(&provider)?;
    let member = &caller.member;
    let (account, id) = (asked.oauth_account_id, &*asked.calendar_id);
    let mut selected = site
        .app
        .select_calendar(member, provider, account, id)
        .await?;
    if matches!(selected, Selected::Unknown) {
        // It may be newer than the list we know.
        for known in site.app.accounts(member).await? {
            let is_meant = known.provider == provider && account.is_none_or(|id| known.id == id);
            if is_meant
                && !matches!(
                    site.app.list_calendars(member, known.id).await?,
                    Listed::Gone
                )
            {
                selected = site
                    .app
                    .select_calendar(member, provider, account, id)
                    .await?;
            }
        }
    }
    match selected {
        Selected::Calendar { id, name } => Ok(Json(json!({
            "status": "success",
            "calendar_id": id,
            "message": format!("Calendar '{name}' selected"),
        }))
        .into_response()),
        Selected::Unknown => Err(Problem::not_found("calendar")),
        Selected::NoDetails(name) => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "calendar-without-details",
            "There is nothing to log from this calendar",
            format!("'{name}' shows only free and busy. Its owner can share its details."),
        )),
        Selected::Ambiguous => Err(Problem::invalid(
            "oauth_account_id",
            "Several of your accounts have this calendar. Say which one with oauth_account_id.",
        )),
    }
}

/// `GET /integrations`: every calendar of every connected account.
pub(super) async fn integrations(
    State(site): State<Site>,
    caller: Caller,
) -> Result<Response, Problem> {
    let accounts = site.app.accounts(&caller.member).await?;
    let items: Vec<Value> = accounts
        .iter()
        .flat_map(|account| {
            account
                .calendars
                .iter()
                .filter(|calendar| calendar.gone_at.is_none())
                .map(|calendar| integration(&site, account, calendar))
        })
        .collect();
    Ok(Json(json!({ "items": items, "next_cursor": null })).into_response())
}

fn integration(site: &Site, account: &Account, calendar: &Calendar) -> Value {
    let connect_url = (account.state == AccountState::NeedsReconnect).then(|| {
        site.app.page(&[
            "api",
            "v1",
            "integrations",
            account.provider.as_str(),
            "authorize",
        ])
    });
    json!({
        "id": calendar.id,
        "provider": account.provider,
        "oauth_account_id": account.id,
        "account_email": account.email,
        "calendar_id": calendar.provider_calendar_id,
        "calendar_name": calendar.name,
        "is_active": calendar.is_active,
        "sync_enabled": calendar.sync_enabled,
        "state": account.state,
        "state_reason": account.reason.map(ReconnectReason::as_str),
        "connect_url": connect_url,
        "last_synced_at": calendar.last_synced_at.map(rfc3339),
    })
}

fn rfc3339(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// `DELETE /integrations/{provider}/{id}`: `id` is an account, which is disconnected; or one of its calendars, which is
/// no longer read, and with the last one the account is disconnected.
pub(super) async fn disconnect(
    State(site): State<Site>,
    Path((provider, id)): Path<(String, String)>,
    caller: Caller,
) -> Result<Response, Problem> {
    let provider = provider_of(&provider)?;
    let unknown = || Problem::not_found("integration");
    let id = Uuid::parse_str(&id).map_err(|_| unknown())?;
    let member = &caller.member;
    let accounts = site.app.accounts(member).await?;
    let account = accounts
        .iter()
        .filter(|account| account.provider == provider)
        .find(|account| {
            account.id == id || account.calendars.iter().any(|calendar| calendar.id == id)
        })
        .ok_or_else(unknown)?;
    let others: Vec<Uuid> = account
        .read()
        .map(|calendar| calendar.id)
        .filter(|calendar| *calendar != id)
        .collect();
    if account.id == id || others.is_empty() {
        site.app.disconnect(member, account.id).await?;
    } else {
        site.app
            .choose_calendars(member, account.id, &others)
            .await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /me`.
pub(super) async fn me(caller: Caller) -> Response {
    let member = &caller.member;
    let body = Json(json!({
        "id": member.user_id,
        "slack_user_id": member.slack_user_id,
        "workspace_id": member.workspace_id,
        "name": member.name,
        "email": null,
        "time_zone": member.zone().name(),
        "is_admin": member.is_admin,
    }));
    ([(header::CACHE_CONTROL, "no-store")], body).into_response()
}
