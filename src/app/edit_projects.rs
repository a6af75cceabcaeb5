//! Projects and clients as programs list, make and change them.

use uuid::Uuid;

use super::{App, Page};
use crate::{
    domain::{
        member::Member,
        project::{Client, LONGEST_NAME, NoProjectSlug, Project, project_slug_of, slug_of},
        time_entry::is_text,
    },
    error::Failed,
    store::{ClientChange, NewProject, ProjectChange, ProjectEdit},
};

/// How often a change is tried again where another one came between.
const TRIES: u32 = 3;
/// How many aliases a project has at most.
const ALIASES_MAX: usize = 20;
/// The lists, for their cursors.
const PROJECTS: &str = "projects";
const CLIENTS: &str = "clients";

/// What is said of a project; what is `None` is left as it is, or as is usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectInput {
    /// Its name in full.
    pub name: Option<String>,
    /// What people type behind `#`.
    pub slug: Option<String>,
    /// For whom it is; `Some(None)` for nobody.
    pub client_id: Option<Option<Uuid>>,
    /// Whether its entries are billable, unless one says otherwise.
    pub billable: Option<bool>,
    /// Other slugs that mean it.
    pub aliases: Option<Vec<String>>,
    /// Whether it takes no more entries.
    pub is_archived: Option<bool>,
}

/// Why a project or a client cannot be what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectProblem {
    /// There is no name.
    NoName,
    /// The name is too long, or no text.
    BadName,
    /// Nobody can type this in this field.
    NoSlug(&'static str),
    /// Behind `#`, it is a number and no project; the second one could be typed in its place.
    Number(&'static str, String),
    /// More aliases than a project has.
    TooManyAliases,
    /// The workspace has no such client.
    NoClient,
}

impl ProjectProblem {
    /// What has to be said otherwise.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::NoName | Self::BadName => "name",
            Self::NoSlug(field) | Self::Number(field, _) => field,
            Self::TooManyAliases => "aliases",
            Self::NoClient => "client_id",
        }
    }

    /// What to do, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::NoName => "It is needed.".to_owned(),
            Self::BadName => {
                format!("This is a text of 1 to {LONGEST_NAME} characters, no control characters.")
            }
            Self::NoSlug(_) => {
                format!("It holds a letter or a digit, and {LONGEST_NAME} characters at most.")
            }
            Self::Number(_, instead) => {
                format!(
                    "Behind #, a number alone is no project. Say one with a letter, such as {instead}."
                )
            }
            Self::TooManyAliases => format!("A project has {ALIASES_MAX} aliases at most."),
            Self::NoClient => "There is no such client. GET /clients lists them.".to_owned(),
        }
    }
}

/// What became of making or changing a project or a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectOutcome<T> {
    /// It is so now.
    Done(T),
    /// It cannot be what was said; nothing was done.
    Problems(Vec<ProjectProblem>),
    /// Another one is called so; nothing was done.
    Taken(String),
    /// The workspace has as many as it can have.
    TooMany,
    /// Others change it again and again.
    Stale,
    /// The person may not.
    NotAllowed,
    /// The workspace has none of this id.
    Unknown,
}

impl App {
    /// A page of the workspace's projects by slug; only those that are archived, or are not, if that is said. `None`
    /// where `cursor` is not what a page of this person's ended with.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn project_page(
        &self,
        member: &Member,
        is_archived: Option<bool>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Page<Project>>, Failed> {
        let mut projects = self.projects(member).await?;
        projects.retain(|project| is_archived.is_none_or(|wanted| project.is_open() != wanted));
        self.page_of(
            member,
            PROJECTS,
            projects,
            |project| &project.slug,
            cursor,
            limit,
        )
    }

    /// A page of the workspace's clients by slug, as [`project_page`](Self::project_page).
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn client_page(
        &self,
        member: &Member,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Page<Client>>, Failed> {
        let clients = self.clients(member).await?;
        self.page_of(
            member,
            CLIENTS,
            clients,
            |client| &client.slug,
            cursor,
            limit,
        )
    }

    /// A client of the workspace's; `None` where it has none of this id.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn client(&self, member: &Member, id: Uuid) -> Result<Option<Client>, Failed> {
        let clients = self.clients(member).await?;
        Ok(clients.into_iter().find(|client| client.id == id))
    }

    async fn clients(&self, member: &Member) -> Result<Vec<Client>, Failed> {
        self.store
            .clients(member.slack_integration_id)
            .await
            .map_err(|error| self.failed("reading the clients", error))
    }

    /// One page of a list that is at hand.
    fn page_of<T>(
        &self,
        member: &Member,
        list: &'static str,
        mut all: Vec<T>,
        slug: impl Fn(&T) -> &String,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Option<Page<T>>, Failed> {
        // Not as the database sorts, which is another order on each.
        all.sort_by(|a, b| slug(a).cmp(slug(b)));
        if let Some(cursor) = cursor {
            let Some(from) = self.opened(member, list, cursor)? else {
                return Ok(None);
            };
            all.retain(|one| *slug(one) > from);
        }
        let has_more = all.len() > limit as usize;
        all.truncate(limit as usize);
        let next = match all.last().filter(|_| has_more) {
            Some(end) => Some(self.sealed(member, list, slug(end))?),
            None => None,
        };
        Ok(Some(Page { items: all, next }))
    }

    /// Makes a project of what was said, under this id, once.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn make_project(
        &self,
        member: &Member,
        id: Uuid,
        input: &ProjectInput,
    ) -> Result<ProjectOutcome<Project>, Failed> {
        if !member.may_create_projects {
            return Ok(ProjectOutcome::NotAllowed);
        }
        let nothing = NewProject {
            slug: String::new(),
            name: String::new(),
            client: None,
            is_billable: true,
        };
        let edit = ProjectEdit {
            to: nothing,
            aliases: Vec::new(),
            is_archived: false,
            renames_client: false,
        };
        let new = match self.said(member, input, edit).await? {
            Ok(edit) => edit.to,
            Err(problems) => return Ok(ProjectOutcome::Problems(problems)),
        };
        let workspace = member.slack_integration_id;
        let change = self.store.create_project_once(workspace, id, &new).await;
        let change = change.map_err(|error| self.failed("creating a project", error))?;
        self.project_outcome(member, Some(change)).await
    }

    /// Changes what is said of a project and leaves the rest of it as it is.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn patch_project(
        &self,
        member: &Member,
        id: Uuid,
        input: &ProjectInput,
    ) -> Result<ProjectOutcome<Project>, Failed> {
        if !member.may_create_projects {
            return Ok(ProjectOutcome::NotAllowed);
        }
        for _ in 0..TRIES {
            let Some(project) = self.project(member, id).await? else {
                return Ok(ProjectOutcome::Unknown);
            };
            let client = project.client.as_ref();
            let before = ProjectEdit {
                to: NewProject {
                    slug: project.slug.clone(),
                    name: project.name.clone(),
                    client: client.map(|client| (client.slug.clone(), client.name.clone())),
                    is_billable: project.is_billable,
                },
                aliases: project.aliases.clone(),
                is_archived: !project.is_open(),
                renames_client: false,
            };
            let edit = match self.said(member, input, before.clone()).await? {
                Ok(edit) => edit,
                Err(problems) => return Ok(ProjectOutcome::Problems(problems)),
            };
            if edit == before {
                return Ok(ProjectOutcome::Done(project));
            }
            let version = project.version;
            let change = self.edit_project(member, id, version, &edit).await?;
            match self.project_outcome(member, change).await? {
                ProjectOutcome::Stale => {}
                outcome => return Ok(outcome),
            }
        }
        Ok(ProjectOutcome::Stale)
    }

    async fn project_outcome(
        &self,
        member: &Member,
        change: Option<ProjectChange>,
    ) -> Result<ProjectOutcome<Project>, Failed> {
        Ok(match change {
            None => ProjectOutcome::NotAllowed,
            Some(ProjectChange::Done(project)) => match self.project(member, project.id).await? {
                Some(project) => ProjectOutcome::Done(project),
                None => ProjectOutcome::Unknown,
            },
            Some(ProjectChange::Taken(name) | ProjectChange::ClientTaken(name)) => {
                ProjectOutcome::Taken(name)
            }
            Some(ProjectChange::Stale) => ProjectOutcome::Stale,
            Some(ProjectChange::Unknown) => ProjectOutcome::Unknown,
            Some(ProjectChange::TooMany) => ProjectOutcome::TooMany,
        })
    }

    /// What a project is to be after what was said, or everything that is wrong with that.
    async fn said(
        &self,
        member: &Member,
        input: &ProjectInput,
        mut edit: ProjectEdit,
    ) -> Result<Result<ProjectEdit, Vec<ProjectProblem>>, Failed> {
        let mut problems = Vec::new();
        match input.name.as_deref().map(name_of) {
            Some(Ok(name)) => edit.to.name = name,
            Some(Err(problem)) => problems.push(problem),
            None if edit.to.name.is_empty() => problems.push(ProjectProblem::NoName),
            None => {}
        }
        let (slug, field) = match &input.slug {
            Some(slug) => (Some(slug), "slug"),
            None => (
                Some(&edit.to.name).filter(|_| edit.to.slug.is_empty()),
                "name",
            ),
        };
        match slug.map(|slug| project_slug_of(slug)) {
            Some(Ok(slug)) => edit.to.slug = slug,
            // The name may stay; what is typed for it has to be said.
            Some(Err(NoProjectSlug::Number { instead })) => {
                problems.push(ProjectProblem::Number("slug", instead));
            }
            // A name that is missing is said already.
            Some(Err(NoProjectSlug::Nothing)) if problems.is_empty() => {
                problems.push(ProjectProblem::NoSlug(field));
            }
            _ => {}
        }
        match input.client_id {
            Some(Some(id)) => {
                let clients = self.clients(member).await?;
                match clients.into_iter().find(|client| client.id == id) {
                    Some(client) => edit.to.client = Some((client.slug, client.name)),
                    None => problems.push(ProjectProblem::NoClient),
                }
            }
            Some(None) => edit.to.client = None,
            None => {}
        }
        edit.to.is_billable = input.billable.unwrap_or(edit.to.is_billable);
        edit.is_archived = input.is_archived.unwrap_or(edit.is_archived);
        if let Some(aliases) = &input.aliases {
            let mut slugs: Vec<String> = Vec::new();
            for alias in aliases {
                match project_slug_of(alias) {
                    Ok(slug) if slug == edit.to.slug || slugs.contains(&slug) => {}
                    Ok(slug) => slugs.push(slug),
                    Err(NoProjectSlug::Nothing) => {
                        problems.push(ProjectProblem::NoSlug("aliases"));
                    }
                    Err(NoProjectSlug::Number { instead }) => {
                        problems.push(ProjectProblem::Number("aliases", instead));
                    }
                }
            }
            if slugs.len() > ALIASES_MAX {
                problems.push(ProjectProblem::TooManyAliases);
            }
            slugs.sort();
            edit.aliases = slugs;
        }
        problems.dedup();
        Ok(if problems.is_empty() {
            Ok(edit)
        } else {
            Err(problems)
        })
    }

    /// Makes a client with this name, under this id, once.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn make_client(
        &self,
        member: &Member,
        id: Uuid,
        name: &str,
    ) -> Result<ProjectOutcome<Client>, Failed> {
        if !member.may_create_projects {
            return Ok(ProjectOutcome::NotAllowed);
        }
        let (slug, name) = match called(name) {
            Ok(called) => called,
            Err(problem) => return Ok(ProjectOutcome::Problems(vec![problem])),
        };
        let workspace = member.slack_integration_id;
        let change = self.store.create_client(workspace, id, &slug, &name).await;
        let change = change.map_err(|error| self.failed("creating a client", error))?;
        Ok(client_outcome(change))
    }

    /// Gives a client another name.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn rename_client(
        &self,
        member: &Member,
        id: Uuid,
        name: &str,
    ) -> Result<ProjectOutcome<Client>, Failed> {
        if !member.may_create_projects {
            return Ok(ProjectOutcome::NotAllowed);
        }
        let (slug, name) = match called(name) {
            Ok(called) => called,
            Err(problem) => return Ok(ProjectOutcome::Problems(vec![problem])),
        };
        let workspace = member.slack_integration_id;
        let change = self.store.rename_client(workspace, id, &slug, &name).await;
        let change = change.map_err(|error| self.failed("renaming a client", error))?;
        Ok(client_outcome(change))
    }
}

fn client_outcome(change: ClientChange) -> ProjectOutcome<Client> {
    match change {
        ClientChange::Done(client) => ProjectOutcome::Done(client),
        ClientChange::Taken(other) => ProjectOutcome::Taken(other.name),
        ClientChange::Unknown => ProjectOutcome::Unknown,
        ClientChange::TooMany => ProjectOutcome::TooMany,
    }
}

/// A name as it is kept.
fn name_of(said: &str) -> Result<String, ProjectProblem> {
    let name = said.trim();
    if name.is_empty() {
        return Err(ProjectProblem::NoName);
    }
    // Of one line.
    let is_name = is_text(name) && !name.contains(['\n', '\r', '\t']);
    if !is_name || name.chars().count() > LONGEST_NAME {
        return Err(ProjectProblem::BadName);
    }
    Ok(name.to_owned())
}

/// What one types for a name, and the name.
fn called(said: &str) -> Result<(String, String), ProjectProblem> {
    let name = name_of(said)?;
    let slug = slug_of(&name).ok_or(ProjectProblem::NoSlug("name"))?;
    Ok((slug, name))
}
