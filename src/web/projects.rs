//! The API about the projects and clients of the caller's workspace.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Site,
    fields::{Asked, Fields, Parameters, named},
    idempotency::RequestKey,
    lists::{self, CURSOR, LIMIT, List},
    problem::Problem,
    session::Caller,
};
use crate::{
    app::{ProjectInput, ProjectOutcome, ProjectProblem},
    domain::project::{self, Client},
};

const NAME: &str = "This is a text of 1 to 80 characters.";
const SLUG: &str = "This is what people type behind #, such as acme: 1 to 80 characters.";
const CLIENT: &str = "This is the id of a client; or null, for none.";
const YES_NO: &str = "This is true or false.";
const ALIASES: &str = "This is a list of other slugs, at most 20.";

/// A project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Project)]
pub(super) struct ProjectShown {
    /// BillOps' id of it.
    id: Uuid,
    /// What people type behind `#`.
    #[schema(examples("acme"))]
    slug: String,
    /// Its name in full.
    name: String,
    /// For whom it is.
    client_id: Option<Uuid>,
    /// Whether its entries are billable, unless one says otherwise.
    billable: bool,
    /// Other slugs that mean it.
    aliases: Vec<String>,
    /// Since when it takes no new entries.
    archived_at: Option<DateTime<Utc>>,
    /// Rises with every change.
    version: i32,
}

impl From<project::Project> for ProjectShown {
    fn from(project: project::Project) -> Self {
        Self {
            id: project.id,
            slug: project.slug,
            name: project.name,
            client_id: project.client.map(|client| client.id),
            billable: project.is_billable,
            aliases: project.aliases,
            archived_at: project.archived_at,
            version: project.version,
        }
    }
}

/// A client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Client)]
pub(super) struct ClientShown {
    /// BillOps' id of it.
    id: Uuid,
    /// What people type behind `@`.
    slug: String,
    /// Its name in full.
    name: String,
}

impl From<Client> for ClientShown {
    fn from(client: Client) -> Self {
        Self {
            id: client.id,
            slug: client.slug,
            name: client.name,
        }
    }
}

/// Which projects are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ProjectsAsked {
    /// Only those that are archived, or are not; all unless it is said.
    #[param(value_type = Option<bool>, nullable = false)]
    archived: Option<String>,
    /// How many a page holds, 1 to 200; 50 unless it is said.
    #[param(value_type = Option<u64>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
}

impl Asked for ProjectsAsked {
    const FIELDS: &'static [(&'static str, &'static str)] =
        &[("archived", YES_NO), ("limit", LIMIT), ("cursor", CURSOR)];
}

/// Projects
///
/// Those of the workspace, by slug.
#[utoipa::path(
    get, path = "/projects", operation_id = "listProjects", tag = "Projects and clients",
    params(ProjectsAsked),
    responses((status = 200, description = "A page of them.", body = List<ProjectShown>)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    Parameters(asked): Parameters<ProjectsAsked>,
) -> Result<Json<List<ProjectShown>>, Problem> {
    let is_archived = match asked.archived.as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Problem::invalid("archived", YES_NO)),
    };
    let limit = lists::limit(asked.limit.as_deref())?;
    let page = site
        .app
        .project_page(&caller.member, is_archived, asked.cursor.as_deref(), limit)
        .await?
        .ok_or_else(lists::bad_cursor)?;
    Ok(Json(List {
        items: page.items.into_iter().map(ProjectShown::from).collect(),
        next_cursor: page.next,
    }))
}

/// A project to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewProject {
    /// Its name in full; 1 to 80 characters.
    #[schema(min_length = 1, max_length = 80, examples("Acme"))]
    name: String,
    /// What people type behind `#`; made of the name unless it is said.
    #[serde(default)]
    slug: Option<String>,
    /// For whom it is.
    #[serde(default)]
    client_id: Option<Uuid>,
    /// Whether its entries are billable; they are unless it is said.
    #[serde(default)]
    billable: Option<bool>,
}

impl Asked for NewProject {
    const FIELDS: &'static [(&'static str, &'static str)] = &[
        ("name", NAME),
        ("slug", SLUG),
        ("client_id", CLIENT),
        ("billable", YES_NO),
    ];
}

/// Make a project
#[utoipa::path(
    post, path = "/projects", operation_id = "createProject", tag = "Projects and clients",
    request_body = NewProject,
    responses(
        (status = 201, description = "The new project.", body = ProjectShown, headers(("Location" = String, description = "Where it is."))),
        (status = 403, description = "`admins-only`: only admins of this workspace may."),
        (status = 409, description = "`name-taken`, `too-many`, `changed-meanwhile`: nothing was changed."),
    ),
)]
pub(super) async fn create(
    State(site): State<Site>,
    caller: Caller,
    key: Option<Extension<RequestKey>>,
    Fields(new): Fields<NewProject>,
) -> Result<Response, Problem> {
    let input = ProjectInput {
        name: Some(new.name),
        slug: new.slug,
        client_id: Some(new.client_id),
        billable: new.billable,
        ..ProjectInput::default()
    };
    let id = id_of_made(&site, &caller, key);
    let outcome = site.app.make_project(&caller.member, id, &input).await?;
    let project: ProjectShown = done(outcome, "project")?;
    let location = [(header::LOCATION, format!("/api/v1/projects/{}", project.id))];
    Ok((StatusCode::CREATED, location, Json(project)).into_response())
}

/// The id of what a request makes: under a key always the same, so that it is made once, even where its answer was not
/// kept.
fn id_of_made(site: &Site, caller: &Caller, key: Option<Extension<RequestKey>>) -> Uuid {
    match key {
        Some(Extension(key)) => key.id_of_made(caller.member.user_id),
        None => site.app.clock().new_id(),
    }
}

/// One project
#[utoipa::path(
    get, path = "/projects/{id}", operation_id = "getProject", tag = "Projects and clients",
    params(("id" = Uuid, Path, description = "The project's id.")),
    responses((status = 200, description = "The project.", body = ProjectShown)),
)]
pub(super) async fn one(
    State(site): State<Site>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Json<ProjectShown>, Problem> {
    let unknown = || Problem::not_found("project");
    let id = Uuid::parse_str(&id).map_err(|_| unknown())?;
    let project = site.app.project(&caller.member, id).await?;
    Ok(Json(project.ok_or_else(unknown)?.into()))
}

/// What is to be otherwise with a project; what is not named stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ProjectPatch {
    /// Its name in full.
    #[serde(deserialize_with = "named")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 80,
        examples("Website relaunch")
    )]
    name: Option<String>,
    /// What people type behind `#`.
    #[serde(deserialize_with = "named")]
    #[schema(nullable = false, min_length = 1, max_length = 80, examples("acme"))]
    slug: Option<String>,
    /// `null` for nobody.
    #[serde(deserialize_with = "named")]
    #[schema(value_type = Option<Uuid>)]
    #[expect(
        clippy::option_option,
        reason = "left out, null, and a value are three things"
    )]
    client_id: Option<Option<Uuid>>,
    /// Whether its entries are billable, unless one says otherwise.
    #[serde(deserialize_with = "named")]
    #[schema(nullable = false)]
    billable: Option<bool>,
    /// Other slugs that mean it.
    #[serde(deserialize_with = "named")]
    #[schema(nullable = false, max_items = 20)]
    aliases: Option<Vec<String>>,
    /// An archived project keeps its entries and takes no new ones.
    #[serde(deserialize_with = "named")]
    #[schema(nullable = false)]
    archived: Option<bool>,
}

impl Asked for ProjectPatch {
    const FIELDS: &'static [(&'static str, &'static str)] = &[
        ("name", NAME),
        ("slug", SLUG),
        ("client_id", CLIENT),
        ("billable", YES_NO),
        ("aliases", ALIASES),
        ("archived", YES_NO),
    ];
}

/// Change a project
///
/// What is not named stays.
#[utoipa::path(
    patch, path = "/projects/{id}", operation_id = "changeProject", tag = "Projects and clients",
    params(("id" = Uuid, Path, description = "The project's id.")),
    request_body = ProjectPatch,
    responses(
        (status = 200, description = "The project as it is now.", body = ProjectShown),
        (status = 403, description = "`admins-only`: only admins of this workspace may."),
        (status = 409, description = "`name-taken`, `too-many`, `changed-meanwhile`: nothing was changed."),
    ),
)]
pub(super) async fn change(
    State(site): State<Site>,
    Path(id): Path<String>,
    caller: Caller,
    Fields(patch): Fields<ProjectPatch>,
) -> Result<Json<ProjectShown>, Problem> {
    let id = Uuid::parse_str(&id).map_err(|_| Problem::not_found("project"))?;
    let input = ProjectInput {
        name: patch.name,
        slug: patch.slug,
        client_id: patch.client_id,
        billable: patch.billable,
        aliases: patch.aliases,
        is_archived: patch.archived,
    };
    let outcome = site.app.patch_project(&caller.member, id, &input).await?;
    done(outcome, "project").map(Json)
}

/// Which clients are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ClientsAsked {
    /// How many a page holds, 1 to 200; 50 unless it is said.
    #[param(value_type = Option<u64>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
}

impl Asked for ClientsAsked {
    const FIELDS: &'static [(&'static str, &'static str)] = &[("limit", LIMIT), ("cursor", CURSOR)];
}

/// Clients
///
/// Those of the workspace, by slug.
#[utoipa::path(
    get, path = "/clients", operation_id = "listClients", tag = "Projects and clients",
    params(ClientsAsked),
    responses((status = 200, description = "A page of them.", body = List<ClientShown>)),
)]
pub(super) async fn clients(
    State(site): State<Site>,
    caller: Caller,
    Parameters(asked): Parameters<ClientsAsked>,
) -> Result<Json<List<ClientShown>>, Problem> {
    let limit = lists::limit(asked.limit.as_deref())?;
    let page = site
        .app
        .client_page(&caller.member, asked.cursor.as_deref(), limit)
        .await?
        .ok_or_else(lists::bad_cursor)?;
    Ok(Json(List {
        items: page.items.into_iter().map(ClientShown::from).collect(),
        next_cursor: page.next,
    }))
}

/// One client
#[utoipa::path(
    get, path = "/clients/{id}", operation_id = "getClient", tag = "Projects and clients",
    params(("id" = Uuid, Path, description = "The client's id.")),
    responses((status = 200, description = "The client.", body = ClientShown)),
)]
pub(super) async fn one_client(
    State(site): State<Site>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Json<ClientShown>, Problem> {
    let unknown = || Problem::not_found("client");
    let id = Uuid::parse_str(&id).map_err(|_| unknown())?;
    let client = site.app.client(&caller.member, id).await?;
    Ok(Json(client.ok_or_else(unknown)?.into()))
}

/// What a client is called.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientNamed {
    /// Its name in full; 1 to 80 characters.
    #[schema(min_length = 1, max_length = 80, examples("Acme"))]
    name: String,
}

impl Asked for ClientNamed {
    const FIELDS: &'static [(&'static str, &'static str)] = &[("name", NAME)];
}

/// Make a client
#[utoipa::path(
    post, path = "/clients", operation_id = "createClient", tag = "Projects and clients",
    request_body = ClientNamed,
    responses(
        (status = 201, description = "The new client.", body = ClientShown, headers(("Location" = String, description = "Where it is."))),
        (status = 403, description = "`admins-only`: only admins of this workspace may."),
        (status = 409, description = "`name-taken`, `too-many`, `changed-meanwhile`: nothing was changed."),
    ),
)]
pub(super) async fn create_client(
    State(site): State<Site>,
    caller: Caller,
    key: Option<Extension<RequestKey>>,
    Fields(new): Fields<ClientNamed>,
) -> Result<Response, Problem> {
    let id = id_of_made(&site, &caller, key);
    let outcome = site.app.make_client(&caller.member, id, &new.name).await?;
    let client: ClientShown = done(outcome, "client")?;
    let location = [(header::LOCATION, format!("/api/v1/clients/{}", client.id))];
    Ok((StatusCode::CREATED, location, Json(client)).into_response())
}

/// Rename a client
///
/// For all its projects.
#[utoipa::path(
    patch, path = "/clients/{id}", operation_id = "renameClient", tag = "Projects and clients",
    params(("id" = Uuid, Path, description = "The client's id.")),
    request_body = ClientNamed,
    responses(
        (status = 200, description = "The client as it is now.", body = ClientShown),
        (status = 403, description = "`admins-only`: only admins of this workspace may."),
        (status = 409, description = "`name-taken`, `too-many`, `changed-meanwhile`: nothing was changed."),
    ),
)]
pub(super) async fn change_client(
    State(site): State<Site>,
    Path(id): Path<String>,
    caller: Caller,
    Fields(patch): Fields<ClientNamed>,
) -> Result<Json<ClientShown>, Problem> {
    let id = Uuid::parse_str(&id).map_err(|_| Problem::not_found("client"))?;
    let outcome = site
        .app
        .rename_client(&caller.member, id, &patch.name)
        .await?;
    done(outcome, "client").map(Json)
}

/// What there is now, or why it is not so.
fn done<T, Shown: From<T>>(outcome: ProjectOutcome<T>, what: &str) -> Result<Shown, Problem> {
    match outcome {
        ProjectOutcome::Done(one) => Ok(one.into()),
        ProjectOutcome::Problems(problems) => Err(not_so(what, &problems)),
        ProjectOutcome::Taken(name) => Err(Problem::new(
            StatusCode::CONFLICT,
            "name-taken",
            format!("Another {what} is called {name}"),
            "Nothing was changed. Choose another name.",
        )),
        ProjectOutcome::TooMany => Err(Problem::new(
            StatusCode::CONFLICT,
            "too-many",
            format!("The workspace has as many {what}s as it can have"),
            "10,000 are the limit, archived ones included.",
        )),
        ProjectOutcome::Stale => Err(Problem::new(
            StatusCode::CONFLICT,
            "changed-meanwhile",
            format!("Others are changing this {what}"),
            "Nothing was changed. Try again.",
        )),
        ProjectOutcome::NotAllowed => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "admins-only",
            "Only admins of this workspace create and change projects and clients",
            "Ask an admin to do it, or to let everybody.",
        )),
        ProjectOutcome::Unknown => Err(Problem::not_found(what)),
    }
}

fn not_so(what: &str, problems: &[ProjectProblem]) -> Problem {
    Problem::invalid_fields(
        &format!("The {what} cannot be so"),
        "Nothing was changed. Each of errors names a field and what it takes.",
        problems
            .iter()
            .map(|problem| (problem.field().to_owned(), problem.sentence())),
    )
}
