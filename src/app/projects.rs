//! Which project is meant, and what projects there are.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::{App, Request};
use crate::{
    domain::{
        member::Member,
        project::{Meant, Project, ProjectRef, meant, of_client, project_slug_of, suggestions},
    },
    error::Failed,
    store::{NewProject, ProjectChange, ProjectEdit},
};

/// How long a channel's default is taken from memory. Another replica's link is seen after this.
const FRESH_FOR: Duration = Duration::from_secs(10);
/// What a menu of projects holds at most, `No project` and `Create` not counted; Slack takes 100.
const SUGGESTED: usize = 98;
/// How many of the projects used last come first while nothing is typed.
const RECENT: u32 = 5;

/// The project of an entry, and how it came to be that one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The project, if there is one.
    pub project: Option<ProjectRef>,
    /// Whether its entries are billable unless one says otherwise.
    pub is_billable: bool,
    /// What is to be said about the choice.
    pub note: ProjectNote,
}

/// What is to be said about the choice of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProjectNote {
    /// Nothing: it is what was typed, or the channel's, or the one the person prefers, or there is none.
    #[default]
    Nothing,
    /// None was typed; it is the one that this person named last in this channel.
    AsLastTime,
    /// What was typed is the beginning or a close spelling of its name.
    From(String),
    /// What was typed could be each of these.
    OneOf(String, Vec<ProjectRef>),
    /// What was typed takes no more entries.
    Archived(String),
    /// No project is called what was typed; the nearest, if there is one, and the slug under which the
    /// person may create it.
    Unknown {
        /// As it was typed.
        typed: String,
        /// The nearest by name.
        nearest: Option<ProjectRef>,
        /// What would be created.
        may_create: Option<String>,
    },
    /// No client with open projects is called what was typed.
    UnknownClient(String),
}

/// What a project field offers for what was typed into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggested {
    /// The projects, the best first.
    pub projects: Vec<Project>,
    /// The slug under which the person may create what was typed.
    pub may_create: Option<String>,
}

/// What became of linking a channel to a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linked {
    /// Nothing was asked for but to see it.
    Is(Option<ProjectRef>),
    /// It is linked now; before, it was linked to this.
    Now(ProjectRef, Option<ProjectRef>),
    /// Somebody linked it to this meanwhile, or to nothing; nothing was changed.
    Meanwhile(Option<ProjectRef>),
    /// It is linked to nothing now; before, it was linked to this.
    Unlinked(Option<ProjectRef>),
    /// It is not clear which project is meant; nothing was changed.
    Unclear(ProjectNote),
}

/// A channel's default as it is remembered.
#[derive(Clone, Debug)]
pub(super) struct RememberedDefault {
    chosen: Chosen,
    /// What the person preferred then.
    preferred: Option<Uuid>,
    read_at: Instant,
}

impl App {
    /// The project that is meant by `#project` and `@client` as they were typed, or else the channel's, or
    /// else the one this person prefers, or else the one they named last there.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn choose_project(
        &self,
        member: &Member,
        channel: &str,
        project: Option<&str>,
        client: Option<&str>,
    ) -> Result<Chosen, Failed> {
        if project.is_none() && client.is_none() {
            return self.default_project(member, channel).await;
        }
        let projects = self.projects(member).await?;
        let chosen = |project: &Project, note| Chosen {
            project: Some(project.to_ref()),
            is_billable: project.is_billable,
            note,
        };
        let open = |note| Chosen {
            note,
            ..Chosen::default()
        };
        let refs = |several: Vec<&Project>| several.into_iter().map(Project::to_ref).collect();
        let Some(typed) = project else {
            let typed = client.unwrap_or_default();
            let candidates = of_client(&projects, typed);
            return Ok(match candidates.as_slice() {
                [] => open(ProjectNote::UnknownClient(typed.to_owned())),
                [only] => chosen(only, ProjectNote::From(format!("@{typed}"))),
                several => open(ProjectNote::OneOf(
                    format!("@{typed}"),
                    refs(several.iter().copied().take(3).collect()),
                )),
            });
        };
        Ok(match meant(&projects, typed, client) {
            Meant::Exactly(project) => chosen(project, ProjectNote::Nothing),
            Meant::Probably(project) => chosen(project, ProjectNote::From(typed.to_owned())),
            Meant::OneOf(several) => open(ProjectNote::OneOf(format!("#{typed}"), refs(several))),
            Meant::Archived(_) => open(ProjectNote::Archived(typed.to_owned())),
            Meant::Unknown(nearest) => open(ProjectNote::Unknown {
                typed: typed.to_owned(),
                nearest: nearest.map(Project::to_ref),
                may_create: project_slug_of(typed)
                    .ok()
                    .filter(|_| member.may_create_projects),
            }),
        })
    }

    /// The project that is meant in a channel where none is named: the channel's, or else the one the person prefers,
    /// or else the one they named last there.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn default_project(&self, member: &Member, channel: &str) -> Result<Chosen, Failed> {
        let key = (member.user_id, channel.to_owned());
        if let Some(known) = self.defaults.get(&key)
            && known.read_at.elapsed() < FRESH_FOR
            && known.preferred == member.preferences.default_project_id
        {
            return Ok(known.chosen);
        }
        let found = self
            .store
            .default_project(member, channel)
            .await
            .map_err(|error| self.failed("looking up the project of a channel", error))?;
        let chosen = found.map_or_else(Chosen::default, |found| Chosen {
            project: Some(found.project),
            is_billable: found.is_billable,
            note: if found.is_last_named {
                ProjectNote::AsLastTime
            } else {
                ProjectNote::Nothing
            },
        });
        let remembered = RememberedDefault {
            chosen: chosen.clone(),
            preferred: member.preferences.default_project_id,
            read_at: Instant::now(),
        };
        self.defaults.insert(key, remembered);
        Ok(chosen)
    }

    /// The person has named this project in this channel: it is the next default there.
    pub(super) async fn note_last_project(
        &self,
        member: &Member,
        channel: &str,
        project: &ProjectRef,
    ) {
        let default = self.default_project(member, channel).await;
        if default.is_ok_and(|default| default.project.as_ref() == Some(project)) {
            return;
        }
        let noted = self
            .store
            .note_last_project(member.user_id, channel, project.id)
            .await;
        self.defaults.remove(&(member.user_id, channel.to_owned()));
        if let Err(problem) = noted {
            // The entry is stored; only the next default is another.
            tracing::warn!(
                "store.last_project_not_noted: {}",
                crate::error::chain(&problem)
            );
        }
    }

    /// All projects of the person's workspace, by slug, archived ones included.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn projects(&self, member: &Member) -> Result<Vec<Project>, Failed> {
        self.store
            .projects(member.slack_integration_id)
            .await
            .map_err(|error| self.failed("reading the projects", error))
    }

    /// One project of the person's workspace.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn project(&self, member: &Member, id: Uuid) -> Result<Option<Project>, Failed> {
        let projects = self.projects(member).await?;
        Ok(projects.into_iter().find(|project| project.id == id))
    }

    /// What a project field offers for what was typed into it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn suggest_projects(
        &self,
        member: &Member,
        typed: &str,
    ) -> Result<Suggested, Failed> {
        let projects = self.projects(member).await?;
        let mut found: Vec<Project> = suggestions(&projects, typed).into_iter().cloned().collect();
        if typed.trim().is_empty() {
            let recent = self
                .store
                .recent_projects(member.user_id, RECENT)
                .await
                .map_err(|error| self.failed("reading the projects", error))?;
            let place = |project: &Project| recent.iter().position(|id| *id == project.id);
            found.sort_by_key(|project| place(project).unwrap_or(usize::MAX));
        }
        found.truncate(SUGGESTED);
        let slug = project_slug_of(typed)
            .ok()
            .filter(|_| member.may_create_projects);
        let may_create = slug.filter(|slug| projects.iter().all(|project| project.slug != *slug));
        Ok(Suggested {
            projects: found,
            may_create,
        })
    }

    /// Makes a project with this name, if the person may; `None` if they may not.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn create_project(
        &self,
        member: &Member,
        new: &NewProject,
    ) -> Result<Option<ProjectChange>, Failed> {
        if !member.may_create_projects {
            return Ok(None);
        }
        self.store
            .create_project(member.slack_integration_id, new)
            .await
            .map(Some)
            .map_err(|error| self.failed("creating a project", error))
    }

    /// Renames or archives a project, or gives it other aliases, if the person may and it still is at
    /// `version`; `None` if they may not.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn edit_project(
        &self,
        member: &Member,
        id: Uuid,
        version: i32,
        edit: &ProjectEdit,
    ) -> Result<Option<ProjectChange>, Failed> {
        if !member.may_create_projects {
            return Ok(None);
        }
        let change = self
            .store
            .edit_project(member.slack_integration_id, id, version, edit)
            .await
            .map_err(|error| self.failed("changing a project", error))?;
        self.defaults.clear();
        Ok(Some(change))
    }

    /// Links the channel the person is in to what they typed, or shows what it is linked to.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn link(
        &self,
        request: Request<'_>,
        typed: Option<&str>,
    ) -> Result<Linked, Failed> {
        let Request {
            member, channel, ..
        } = request;
        let Some(typed) = typed else {
            return self.channel_project(member, channel).await.map(Linked::Is);
        };
        let chosen = self
            .choose_project(member, channel, Some(typed), None)
            .await?;
        let Some(project) = chosen.project else {
            return Ok(Linked::Unclear(chosen.note));
        };
        let before = self.link_channel(member, channel, Some(project.id)).await?;
        Ok(Linked::Now(project, before))
    }

    /// What a channel is linked to.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn channel_project(
        &self,
        member: &Member,
        channel: &str,
    ) -> Result<Option<ProjectRef>, Failed> {
        self.store
            .channel_project(member.slack_integration_id, channel)
            .await
            .map_err(|error| self.failed("looking up the project of a channel", error))
    }

    /// Links a channel to a project, or to none, and returns what it was linked to before.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn link_channel(
        &self,
        member: &Member,
        channel: &str,
        project: Option<Uuid>,
    ) -> Result<Option<ProjectRef>, Failed> {
        let before = self
            .store
            .link_channel(
                member.slack_integration_id,
                channel,
                project,
                member.user_id,
            )
            .await
            .map_err(|error| self.failed("linking a channel", error))?;
        self.defaults.clear();
        Ok(before)
    }
}
