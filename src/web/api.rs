//! The API about calendars and who is signed in. It never returns a provider's token.

use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Site,
    fields::{Asked, Fields, refused},
    lists::List,
    problem::Problem,
    schema,
    session::Caller,
};
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

/// Where to send the person for consent.
#[derive(Serialize, ToSchema)]
pub(super) struct Authorization {
    /// The provider's page.
    #[schema(value_type = url::Url, examples("https://accounts.google.com/o/oauth2/v2/auth?client_id=…"))]
    auth_url: String,
    /// What comes back with the code. It works once, for 10 minutes, for the caller.
    #[schema(examples("3q2-7wAAAAAAAAAAAAAAAAAAAAA"))]
    state: String,
}

/// Begin to connect a calendar
///
/// Answers with the provider's page, where the person consents, and the `state` with which they come back.
#[utoipa::path(
    get, path = "/integrations/{provider}/authorize", operation_id = "beginConnection", tag = "Calendars",
    params(("provider" = schema::Provider, Path, description = "Who keeps the calendar.")),
    responses(
        (status = 200, description = "Where to send the person.", body = Authorization),
        (status = 404, description = "`provider-not-offered`: it is not set up on this server."),
    ),
)]
pub(super) async fn authorize(
    State(site): State<Site>,
    Path(provider): Path<String>,
    caller: Caller,
) -> Result<Json<Authorization>, Problem> {
    let provider = provider_of(&provider)?;
    let browser = caller.browser.as_ref().map(SecretString::expose_secret);
    let begun = site
        .app
        .begin_errand(&caller.member, provider, browser)
        .await?;
    let Some(authorization) = begun else {
        return Err(Problem::not_offered(provider.name()));
    };
    Ok(Json(Authorization {
        auth_url: authorization.url.to_string(),
        state: authorization.state.expose_secret().to_owned(),
    }))
}

/// What a frontend hands over: of what stood in its own address, no more than this.
#[derive(Default, Deserialize, IntoParams, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HandedOver {
    /// What `authorize` answered with.
    #[schema(examples("3q2-7wAAAAAAAAAAAAAAAAAAAAA"))]
    state: String,
    /// What the provider gave the browser, where the person consented.
    #[schema(examples("4/0AX4XfWh"))]
    code: String,
    /// What the provider said instead.
    error: String,
    /// The provider's words about it.
    error_description: String,
    /// Which issuer answers, where it says so (RFC 9207).
    iss: String,
}

impl HandedOver {
    /// From the body where there is one, or from the query.
    pub(super) fn read(
        body: &[u8],
        query: Result<Query<Returned>, QueryRejection>,
    ) -> Result<Returned, Problem> {
        if body.is_empty() {
            let query = query.map_err(|error| refused::<Self>("", &error.body_text()));
            return query.map(|Query(returned)| returned);
        }
        let handed: Self = serde_json::from_slice(body)
            .map_err(|error| refused::<Self>("", &error.to_string()))?;
        Ok(Returned {
            state: handed.state,
            code: handed.code,
            error: handed.error,
            error_description: handed.error_description,
            iss: handed.iss,
        })
    }
}

impl Asked for HandedOver {
    const FIELDS: &'static [(&'static str, &'static str)] = &[];
}

/// An account that is connected now.
#[derive(Serialize, ToSchema)]
pub(super) struct Connected {
    /// That it worked.
    status: Success,
    /// The account.
    oauth_account_id: Uuid,
    /// Its calendars, the primary one first.
    calendars: Vec<ListedCalendar>,
}

/// That it worked; what did not is a problem.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Success {
    /// It worked.
    Success,
}

/// A calendar of an account.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedCalendar {
    /// The provider's id of it.
    #[schema(examples("nina@ternstudio.example"))]
    id: String,
    /// What the provider calls it.
    #[schema(examples("Nina Berg"))]
    summary: String,
    /// Whether it is the account's main one.
    primary: bool,
    /// Whether it is read.
    selected: bool,
}

/// End what was begun
///
/// A frontend hands over what the provider gave the browser, in the query or as JSON. A `state` works once. Nothing
/// that is answered holds a provider's token.
#[utoipa::path(
    post, path = "/integrations/{provider}/callback", operation_id = "endConnection", tag = "Calendars",
    params(("provider" = schema::Provider, Path, description = "Who keeps the calendar."), HandedOver),
    request_body(content = Option<HandedOver>, description = "The same as in the query, which is not read then."),
    responses(
        (status = 200, description = "It is connected, and read from now on.", body = Connected),
        (status = 400, description = "`state-invalid`, `other-provider`, `code-refused`: begin again."),
        (status = 403, description = "`other-person`: the state belongs to somebody else. `denied`, `admin-approval`, \
            `scope-missing`: consent was not given, or not to everything."),
        (status = 502, description = "`provider-unavailable`, `server-settings`: the provider does not answer, or not to this server."),
    ),
)]
pub(super) async fn callback(
    State(site): State<Site>,
    Path(provider): Path<String>,
    caller: Caller,
    query: Result<Query<Returned>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Connected>, Problem> {
    let provider = provider_of(&provider)?;
    let body = body.map_err(|rejection| Problem::unreadable(rejection.status()))?;
    let returned = HandedOver::read(&body, query)?;
    let bearer = Bearer {
        browser: caller.browser.as_ref().map(SecretString::expose_secret),
        member: Some(&caller.member),
        is_program: caller.is_program,
    };
    match site.app.end_errand(provider, &returned, &bearer).await? {
        Ended::Connected { account, .. } => Ok(Json(Connected {
            status: Success::Success,
            oauth_account_id: account.id,
            calendars: account
                .calendars
                .into_iter()
                .filter(|calendar| calendar.gone_at.is_none())
                .map(|calendar| ListedCalendar {
                    id: calendar.provider_calendar_id,
                    summary: calendar.name,
                    primary: calendar.is_primary,
                    selected: calendar.is_active,
                })
                .collect(),
        })),
        // Only links from Slack are parked, and those come back as GET.
        Ended::Parked { .. } => Err(Problem::sign_in_first()),
        Ended::Not(reason, _) => Err(Problem::not_connected(&reason, provider)),
    }
}

/// Which calendar is to be read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SelectCalendar {
    /// The provider's id of it.
    #[schema(examples("nina@ternstudio.example"))]
    calendar_id: String,
    /// What the frontend calls it. The provider's own list says how it is called.
    #[serde(default, rename = "calendar_name")]
    _calendar_name: Option<String>,
    /// In which account, where several have it.
    #[serde(default)]
    oauth_account_id: Option<Uuid>,
}

impl Asked for SelectCalendar {
    const FIELDS: &'static [(&'static str, &'static str)] = &[
        ("calendar_id", "This is the provider's id of a calendar."),
        ("calendar_name", "This is a text; or null."),
        (
            "oauth_account_id",
            "This is the id of a connected account; or null, where only one has the calendar.",
        ),
    ];
}

/// A calendar that is read now.
#[derive(Serialize, ToSchema)]
pub(super) struct SelectedCalendar {
    /// That it worked.
    status: Success,
    /// BillOps' id of it, by which it is read and disconnected.
    calendar_id: Uuid,
    /// What happened, for people.
    #[schema(examples("Calendar 'Nina Berg' selected"))]
    message: String,
}

/// Have a calendar read
///
/// From now on, and on its schedule. To select it again changes nothing.
#[utoipa::path(
    post, path = "/integrations/{provider}/select-calendar", operation_id = "selectCalendar", tag = "Calendars",
    params(("provider" = schema::Provider, Path, description = "Who keeps the calendar.")),
    request_body = SelectCalendar,
    responses(
        (status = 200, description = "It is read.", body = SelectedCalendar),
        (status = 422, description = "`calendar-without-details`: it shows only free and busy."),
    ),
)]
pub(super) async fn select_calendar(
    State(site): State<Site>,
    Path(provider): Path<String>,
    caller: Caller,
    Fields(asked): Fields<SelectCalendar>,
) -> Result<Json<SelectedCalendar>, Problem> {
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
        Selected::Calendar { id, name } => Ok(Json(SelectedCalendar {
            status: Success::Success,
            calendar_id: id,
            message: format!("Calendar '{name}' selected"),
        })),
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

/// A calendar of a connected account, and how it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct Integration {
    /// BillOps' id of the calendar.
    id: Uuid,
    /// Who keeps it.
    #[schema(value_type = schema::Provider)]
    provider: Provider,
    /// In which account it is.
    oauth_account_id: Uuid,
    /// The address that the account is known by.
    #[schema(examples("nina@ternstudio.example"))]
    account_email: String,
    /// The provider's id of it.
    calendar_id: String,
    /// What the provider calls it.
    #[schema(examples("Nina Berg"))]
    calendar_name: String,
    /// Whether it is selected.
    is_active: bool,
    /// Whether it is read on its schedule.
    sync_enabled: bool,
    /// How the connection to the account stands.
    #[schema(value_type = schema::AccountState)]
    state: AccountState,
    /// Why it needs consent again, where it does.
    #[schema(value_type = Option<schema::ReconnectReason>)]
    state_reason: Option<&'static str>,
    /// Where the person gives consent again, where it is needed.
    #[schema(value_type = Option<url::Url>)]
    connect_url: Option<String>,
    /// When it was read last.
    last_synced_at: Option<DateTime<Utc>>,
}

/// Connected calendars
///
/// Every calendar of every connected account, read or not.
#[utoipa::path(
    get, path = "/integrations", operation_id = "listIntegrations", tag = "Calendars",
    responses((
        status = 200, description = "All of them; there is no second page.", body = List<Integration>,
        links(("sync" = (
            operation_id = "syncCalendar",
            parameters(("provider" = "$response.body#/items/0/provider"), ("id" = "$response.body#/items/0/id")),
        ))),
    )),
)]
pub(super) async fn integrations(
    State(site): State<Site>,
    caller: Caller,
) -> Result<Json<List<Integration>>, Problem> {
    let accounts = site.app.accounts(&caller.member).await?;
    let items = accounts
        .iter()
        .flat_map(|account| {
            account
                .calendars
                .iter()
                .filter(|calendar| calendar.gone_at.is_none())
                .map(|calendar| integration(&site, account, calendar))
        })
        .collect();
    Ok(Json(List {
        items,
        next_cursor: None,
    }))
}

fn integration(site: &Site, account: &Account, calendar: &Calendar) -> Integration {
    let connect_url = (account.state == AccountState::NeedsReconnect).then(|| {
        let provider = account.provider.as_str();
        let page = site
            .app
            .page(&["api", "v1", "integrations", provider, "authorize"]);
        page.to_string()
    });
    Integration {
        id: calendar.id,
        provider: account.provider,
        oauth_account_id: account.id,
        account_email: account.email.clone(),
        calendar_id: calendar.provider_calendar_id.clone(),
        calendar_name: calendar.name.clone(),
        is_active: calendar.is_active,
        sync_enabled: calendar.sync_enabled,
        state: account.state,
        state_reason: account.reason.map(ReconnectReason::as_str),
        connect_url,
        last_synced_at: calendar.last_synced_at,
    }
}

/// Disconnect
///
/// `id` is an account, which is disconnected and whose tokens are deleted; or one of its calendars, which is no longer
/// read, and with the last one the account is disconnected. What was logged stays.
#[utoipa::path(
    delete, path = "/integrations/{provider}/{id}", operation_id = "disconnect", tag = "Calendars",
    params(
        ("provider" = schema::Provider, Path, description = "Who keeps the calendar."),
        ("id" = Uuid, Path, description = "An account's id, or a calendar's."),
    ),
    responses((status = 204, description = "It is disconnected.")),
)]
pub(super) async fn disconnect(
    State(site): State<Site>,
    Path((provider, id)): Path<(String, String)>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
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
    Ok(StatusCode::NO_CONTENT)
}

/// A person.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// BillOps' id of them.
    id: Uuid,
    /// Slack's id of them.
    #[schema(examples("U07NINA001"))]
    slack_user_id: String,
    /// Slack's id of their workspace.
    #[schema(examples("T07TERN001"))]
    workspace_id: String,
    /// As Slack shows it.
    #[schema(examples("Nina Berg"))]
    name: String,
    /// Not known: BillOps does not ask Slack for it.
    email: Option<String>,
    /// The zone that their days are reckoned in.
    #[schema(examples("Europe/Berlin"))]
    time_zone: &'static str,
    /// Whether they are an admin or owner of the workspace.
    is_admin: bool,
}

/// Who is calling
#[utoipa::path(
    get, path = "/me", operation_id = "getMe", tag = "Person",
    responses((status = 200, description = "The person whose session or token it is.", body = Me)),
)]
pub(super) async fn me(caller: Caller) -> Json<Me> {
    let member = caller.member;
    Json(Me {
        id: member.user_id,
        time_zone: member.zone().name(),
        slack_user_id: member.slack_user_id,
        workspace_id: member.workspace_id,
        name: member.name,
        email: None,
        is_admin: member.is_admin,
    })
}
