//! Projects and clients of a workspace, and which one is meant where none is named.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Store, StoreError, entries::project_ref, read, tx};
use crate::domain::{
    member::Member,
    project::{Client, Project, ProjectRef},
};

/// How many projects a workspace may have, archived ones included: what one reading of them may hold.
const PROJECTS_MAX: i64 = 10_000;

/// A project to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProject {
    /// What people type behind `#`.
    pub slug: String,
    /// Its name in full.
    pub name: String,
    /// The slug and the name of its client; one that is not there yet is made.
    pub client: Option<(String, String)>,
    /// Whether its entries are billable, unless one says otherwise.
    pub is_billable: bool,
}

/// What a project is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectEdit {
    /// What it is called and whose it is from now on.
    pub to: NewProject,
    /// All its aliases from now on.
    pub aliases: Vec<String>,
    /// Whether it takes no more entries.
    pub is_archived: bool,
    /// Whether its client stays the same one under the name in `to`, for all of the client's projects, instead
    /// of another client taking its place. Without effect where there is no client before or after.
    pub renames_client: bool,
}

/// What became of making or changing a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectChange {
    /// It was done.
    Done(ProjectRef),
    /// This slug or alias is another project's.
    Taken(String),
    /// The new name of the client is this other client's. Nothing was done.
    ClientTaken(String),
    /// The project was changed by somebody else meanwhile. Nothing was done.
    Stale,
    /// The workspace has no such project.
    Unknown,
    /// The workspace has as many projects as it can have.
    TooMany,
}

/// What is meant in a channel when no project is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultProject {
    /// The project.
    pub project: ProjectRef,
    /// Whether its entries are billable unless one says otherwise.
    pub is_billable: bool,
    /// Whether the person named it there last; otherwise the channel is linked to it, or they prefer it.
    pub is_last_named: bool,
}

#[derive(sqlx::FromRow)]
struct ProjectRow {
    id: Uuid,
    slug: String,
    name: String,
    is_billable: bool,
    archived_at: Option<DateTime<Utc>>,
    version: i32,
    client_id: Option<Uuid>,
    client_slug: Option<String>,
    client_name: Option<String>,
}

impl ProjectRow {
    fn into_project(self, aliases: Vec<String>) -> Project {
        let client = match (self.client_id, self.client_slug, self.client_name) {
            (Some(id), Some(slug), Some(name)) => Some(Client { id, slug, name }),
            _ => None,
        };
        Project {
            id: self.id,
            slug: self.slug,
            name: self.name,
            client,
            is_billable: self.is_billable,
            aliases,
            archived_at: self.archived_at,
            version: self.version,
        }
    }
}

/// The client with this slug, made where it is missing.
macro_rules! client_id {
    ($store:expr, $conn:ident, $integration_id:expr, $client:expr) => {{
        let client: Option<&(String, String)> = $client;
        match client {
            None => None,
            Some((slug, name)) => {
                sqlx::query(
                    "INSERT INTO clients (id, slack_integration_id, slug, name, created_at, updated_at) \
                     VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (slack_integration_id, slug) DO NOTHING",
                )
                .bind($store.clock.new_id())
                .bind($integration_id)
                .bind(slug)
                .bind(name)
                .bind($store.clock.now())
                .execute(&mut *$conn)
                .await?;
                let (id,): (Uuid,) =
                    sqlx::query_as("SELECT id FROM clients WHERE slack_integration_id = $1 AND slug = $2")
                        .bind($integration_id)
                        .bind(slug)
                        .fetch_one(&mut *$conn)
                        .await?;
                Some(id)
            }
        }
    }};
}

/// The first of these slugs and aliases that belongs to another project of the workspace.
macro_rules! taken {
    ($conn:ident, $integration_id:expr, $project_id:expr, $names:expr) => {{
        let mut taken = None;
        for name in $names {
            let row: Option<(Uuid,)> = sqlx::query_as(
                "SELECT id FROM projects WHERE slack_integration_id = $1 AND slug = $2 AND id <> $3 \
                 UNION ALL SELECT project_id FROM project_aliases WHERE slack_integration_id = $1 \
                 AND alias = $2 AND project_id <> $3 LIMIT 1",
            )
            .bind($integration_id)
            .bind(name)
            .bind($project_id)
            .fetch_optional(&mut *$conn)
            .await?;
            if row.is_some() {
                taken = Some(name.clone());
                break;
            }
        }
        taken
    }};
}

/// Takes the workspace's row, so that of two who want one slug the second sees the first's.
macro_rules! take_workspace {
    ($conn:ident, $integration_id:expr) => {
        sqlx::query("UPDATE slack_integrations SET updated_at = updated_at WHERE id = $1")
            .bind($integration_id)
            .execute(&mut *$conn)
            .await?
    };
}

pub(super) use take_workspace;

impl Store {
    /// All projects of a workspace, by slug, archived ones included.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn projects(&self, slack_integration_id: Uuid) -> Result<Vec<Project>, StoreError> {
        let rows: Vec<ProjectRow> = read!(self, db => {
            sqlx::query_as(
                "SELECT p.id, p.slug, p.name, p.is_billable, p.archived_at, p.version, p.client_id, \
                 c.slug AS client_slug, c.name AS client_name FROM projects p \
                 LEFT JOIN clients c ON c.id = p.client_id WHERE p.slack_integration_id = $1 ORDER BY p.slug",
            )
            .bind(slack_integration_id)
            .fetch_all(db)
            .await
        })?;
        let names: Vec<(Uuid, String)> = read!(self, db => {
            sqlx::query_as(
                "SELECT project_id, alias FROM project_aliases WHERE slack_integration_id = $1 ORDER BY alias",
            )
            .bind(slack_integration_id)
            .fetch_all(db)
            .await
        })?;
        let mut aliases: HashMap<Uuid, Vec<String>> = HashMap::new();
        for (project, alias) in names {
            aliases.entry(project).or_default().push(alias);
        }
        let project = |row: ProjectRow| {
            let aliases = aliases.remove(&row.id).unwrap_or_default();
            row.into_project(aliases)
        };
        Ok(rows.into_iter().map(project).collect())
    }

    /// Makes a project. Asked twice for one slug, the second is told that it is taken.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn create_project(
        &self,
        slack_integration_id: Uuid,
        new: &NewProject,
    ) -> Result<ProjectChange, StoreError> {
        let id = self.clock.new_id();
        self.create_project_once(slack_integration_id, id, new)
            .await
    }

    /// Makes a project under an id that stands for the request: asked again, it is the one that was made then,
    /// whatever it is called by now.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn create_project_once(
        &self,
        slack_integration_id: Uuid,
        id: Uuid,
        new: &NewProject,
    ) -> Result<ProjectChange, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            take_workspace!(conn, slack_integration_id);
            let made: Option<(String,)> =
                sqlx::query_as("SELECT slug FROM projects WHERE slack_integration_id = $1 AND id = $2")
                    .bind(slack_integration_id)
                    .bind(id)
                    .fetch_optional(&mut *conn)
                    .await?;
            if let Some((slug,)) = made {
                return Ok(ProjectChange::Done(ProjectRef { id, slug }));
            }
            if let Some(name) = taken!(conn, slack_integration_id, id, [&new.slug]) {
                return Ok(ProjectChange::Taken(name));
            }
            let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM projects WHERE slack_integration_id = $1")
                .bind(slack_integration_id)
                .fetch_one(&mut *conn)
                .await?;
            if count >= PROJECTS_MAX {
                return Ok(ProjectChange::TooMany);
            }
            let client_id = client_id!(self, conn, slack_integration_id, new.client.as_ref());
            sqlx::query(
                "INSERT INTO projects (id, slack_integration_id, client_id, slug, name, is_billable, version, \
                 created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7)",
            )
            .bind(id)
            .bind(slack_integration_id)
            .bind(client_id)
            .bind(&new.slug)
            .bind(&new.name)
            .bind(new.is_billable)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(ProjectChange::Done(ProjectRef { id, slug: new.slug.clone() }))
        })
    }

    /// Changes a project, if it still is at `version`. Its entries keep it under its new name.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn edit_project(
        &self,
        slack_integration_id: Uuid,
        project_id: Uuid,
        version: i32,
        edit: &ProjectEdit,
    ) -> Result<ProjectChange, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            take_workspace!(conn, slack_integration_id);
            let known: Option<(i32, Option<DateTime<Utc>>, Option<Uuid>)> = sqlx::query_as(
                "SELECT version, archived_at, client_id FROM projects WHERE slack_integration_id = $1 AND id = $2",
            )
            .bind(slack_integration_id)
            .bind(project_id)
            .fetch_optional(&mut *conn)
            .await?;
            let Some((current, archived_at, old_client_id)) = known else { return Ok(ProjectChange::Unknown) };
            if current != version {
                return Ok(ProjectChange::Stale);
            }
            let names: Vec<&String> = [&edit.to.slug].into_iter().chain(&edit.aliases).collect();
            if let Some(name) = taken!(conn, slack_integration_id, project_id, names) {
                return Ok(ProjectChange::Taken(name));
            }
            let renamed = old_client_id.filter(|_| edit.renames_client).zip(edit.to.client.as_ref());
            if let Some((client_id, (slug, name))) = renamed {
                let other: Option<(String,)> = sqlx::query_as(
                    "SELECT name FROM clients WHERE slack_integration_id = $1 AND slug = $2 AND id <> $3",
                )
                .bind(slack_integration_id)
                .bind(slug)
                .bind(client_id)
                .fetch_optional(&mut *conn)
                .await?;
                if let Some((other,)) = other {
                    return Ok(ProjectChange::ClientTaken(other));
                }
                sqlx::query(
                    "UPDATE clients SET slug = $3, name = $4, updated_at = $5 \
                     WHERE slack_integration_id = $1 AND id = $2",
                )
                .bind(slack_integration_id)
                .bind(client_id)
                .bind(slug)
                .bind(name)
                .bind(now)
                .execute(&mut *conn)
                .await?;
                // A form that was opened before shows the old name and would bring it back.
                sqlx::query(
                    "UPDATE projects SET version = version + 1, updated_at = $4 \
                     WHERE slack_integration_id = $1 AND client_id = $2 AND id <> $3",
                )
                .bind(slack_integration_id)
                .bind(client_id)
                .bind(project_id)
                .bind(now)
                .execute(&mut *conn)
                .await?;
            }
            let client_id = client_id!(self, conn, slack_integration_id, edit.to.client.as_ref());
            sqlx::query(
                "UPDATE projects SET client_id = $3, slug = $4, name = $5, is_billable = $6, archived_at = $7, \
                 version = version + 1, updated_at = $8 WHERE slack_integration_id = $1 AND id = $2",
            )
            .bind(slack_integration_id)
            .bind(project_id)
            .bind(client_id)
            .bind(&edit.to.slug)
            .bind(&edit.to.name)
            .bind(edit.to.is_billable)
            .bind(edit.is_archived.then(|| archived_at.unwrap_or(now)))
            .bind(now)
            .execute(&mut *conn)
            .await?;
            sqlx::query("DELETE FROM project_aliases WHERE slack_integration_id = $1 AND project_id = $2")
                .bind(slack_integration_id)
                .bind(project_id)
                .execute(&mut *conn)
                .await?;
            for alias in &edit.aliases {
                sqlx::query(
                    "INSERT INTO project_aliases (slack_integration_id, alias, project_id) VALUES ($1, $2, $3) \
                     ON CONFLICT (slack_integration_id, alias) DO NOTHING",
                )
                .bind(slack_integration_id)
                .bind(alias)
                .bind(project_id)
                .execute(&mut *conn)
                .await?;
            }
            Ok(ProjectChange::Done(ProjectRef { id: project_id, slug: edit.to.slug.clone() }))
        })
    }

    /// The project that is meant in a channel when none is named: the channel's, or else the one this person
    /// prefers, or else the one they named there last. Archived projects are never meant.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn default_project(
        &self,
        member: &Member,
        channel_id: &str,
    ) -> Result<Option<DefaultProject>, StoreError> {
        let row: Option<(Uuid, String, bool, i32)> = read!(self, db => {
            sqlx::query_as(
                "SELECT p.id, p.slug, p.is_billable, d.place FROM ( \
                 SELECT project_id, 0 AS place FROM channel_projects \
                 WHERE slack_integration_id = $1 AND channel_id = $3 \
                 UNION ALL SELECT default_project_id, 1 AS place FROM slack_user_bindings \
                 WHERE id = $4 \
                 UNION ALL SELECT project_id, 2 AS place FROM last_projects \
                 WHERE user_id = $2 AND channel_id = $3) d \
                 JOIN projects p ON p.id = d.project_id WHERE p.archived_at IS NULL ORDER BY d.place LIMIT 1",
            )
            .bind(member.slack_integration_id)
            .bind(member.user_id)
            .bind(channel_id)
            .bind(member.binding_id)
            .fetch_optional(db)
            .await
        })?;
        Ok(row.map(|(id, slug, is_billable, place)| DefaultProject {
            project: ProjectRef { id, slug },
            is_billable,
            is_last_named: place == 2,
        }))
    }

    /// Notes that this is the project the person named last in this channel.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn note_last_project(
        &self,
        user_id: Uuid,
        channel_id: &str,
        project_id: Uuid,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            sqlx::query(
                "INSERT INTO last_projects (user_id, channel_id, project_id, used_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (user_id, channel_id) DO UPDATE SET project_id = excluded.project_id, \
                 used_at = excluded.used_at",
            )
            .bind(user_id)
            .bind(channel_id)
            .bind(project_id)
            .bind(now)
            .execute(&mut *conn)
            .await?;
            Ok(())
        })
    }

    /// The open projects that this person used last, the latest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn recent_projects(
        &self,
        user_id: Uuid,
        limit: u32,
    ) -> Result<Vec<Uuid>, StoreError> {
        let rows: Vec<(Uuid,)> = read!(self, db => {
            sqlx::query_as(
                "SELECT l.project_id FROM last_projects l JOIN projects p ON p.id = l.project_id \
                 WHERE l.user_id = $1 AND p.archived_at IS NULL \
                 GROUP BY l.project_id ORDER BY MAX(l.used_at) DESC LIMIT $2",
            )
            .bind(user_id)
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Links a channel to a project of its workspace, or to none. Returns what it was linked to before.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn link_channel(
        &self,
        slack_integration_id: Uuid,
        channel_id: &str,
        project_id: Option<Uuid>,
        user_id: Uuid,
    ) -> Result<Option<ProjectRef>, StoreError> {
        let now = self.clock.now();
        tx!(self, conn => {
            let before: Option<(Uuid, String)> = sqlx::query_as(
                "SELECT p.id, p.slug FROM channel_projects l JOIN projects p ON p.id = l.project_id \
                 WHERE l.slack_integration_id = $1 AND l.channel_id = $2",
            )
            .bind(slack_integration_id)
            .bind(channel_id)
            .fetch_optional(&mut *conn)
            .await?;
            if let Some(project_id) = project_id {
                // Only a project of this workspace.
                sqlx::query(
                    "INSERT INTO channel_projects (slack_integration_id, channel_id, project_id, linked_by, \
                     created_at) SELECT $1, $2, id, $4, $5 FROM projects WHERE slack_integration_id = $1 AND id = $3 \
                     ON CONFLICT (slack_integration_id, channel_id) DO UPDATE SET \
                     project_id = excluded.project_id, linked_by = excluded.linked_by, \
                     created_at = excluded.created_at",
                )
                .bind(slack_integration_id)
                .bind(channel_id)
                .bind(project_id)
                .bind(user_id)
                .bind(now)
                .execute(&mut *conn)
                .await?;
            } else {
                sqlx::query("DELETE FROM channel_projects WHERE slack_integration_id = $1 AND channel_id = $2")
                    .bind(slack_integration_id)
                    .bind(channel_id)
                    .execute(&mut *conn)
                    .await?;
            }
            Ok(before.and_then(|(id, slug)| project_ref(Some(id), Some(slug))))
        })
    }

    /// What a channel is linked to, archived or not.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn channel_project(
        &self,
        slack_integration_id: Uuid,
        channel_id: &str,
    ) -> Result<Option<ProjectRef>, StoreError> {
        let row: Option<(Uuid, String)> = read!(self, db => {
            sqlx::query_as(
                "SELECT p.id, p.slug FROM channel_projects l JOIN projects p ON p.id = l.project_id \
                 WHERE l.slack_integration_id = $1 AND l.channel_id = $2",
            )
            .bind(slack_integration_id)
            .bind(channel_id)
            .fetch_optional(db)
            .await
        })?;
        Ok(row.and_then(|(id, slug)| project_ref(Some(id), Some(slug))))
    }
}
