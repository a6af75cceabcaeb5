//! Projects, as people make and change them.

use std::sync::Arc;

use super::{
    Door,
    actions::{Press, shown},
    messages::Message,
};
use crate::{
    domain::{
        member::Member,
        project::{ProjectRef, slug_of},
    },
    error::Failed,
    store::{NewProject, ProjectChange},
};

/// Makes a project of what was typed behind `#`; otherwise the sentence that says why not.
pub(super) async fn create(
    door: &Door,
    member: &Member,
    typed: &str,
) -> Result<Result<ProjectRef, String>, Failed> {
    let Some(slug) = slug_of(typed) else {
        return Ok(Err(
            "A project needs a name with letters or digits, 80 at most.".to_owned(),
        ));
    };
    let new = NewProject {
        name: slug.clone(),
        slug,
        client: None,
        is_billable: true,
    };
    Ok(match door.app.create_project(member, &new).await? {
        None => Err("Only admins of this workspace create projects.".to_owned()),
        Some(ProjectChange::Done(project)) => Ok(project),
        Some(ProjectChange::Taken(slug)) => Err(format!("#{slug} is there already.")),
        Some(ProjectChange::TooMany) => {
            Err("This workspace has as many projects as it can have.".to_owned())
        }
        Some(ProjectChange::Stale | ProjectChange::Unknown) => {
            Err("Nothing was changed.".to_owned())
        }
    })
}

/// A button of a project was pressed.
pub(super) async fn pressed(
    press: &Press<'_>,
    member: &Arc<Member>,
    verb: &str,
) -> Result<Option<Message>, Failed> {
    let _ = (press, member, verb, shown);
    Ok(None)
}
