//! The form over a project.

use slack_morphism::prelude::SlackView;

use super::{Meta, checkbox, modal, text_field};
use crate::domain::project::{LONGEST_NAME, Project};

/// The form for a project, new where there is none yet.
pub(in crate::slack) fn project(project: Option<&Project>, meta: &Meta) -> SlackView {
    let client = project.and_then(|project| project.client.as_ref());
    let aliases = project
        .map(|project| project.aliases.join(","))
        .unwrap_or_default();
    let mut blocks = vec![
        text_field(
            "slug",
            "Short name, as one types it behind #",
            "acme",
            project.map_or("", |p| &p.slug),
        )
        .focused()
        .up_to(LONGEST_NAME as u64)
        .block(),
        text_field(
            "name",
            "Name in full",
            "Website relaunch",
            project.map_or("", |p| &p.name),
        )
        .optional()
        .up_to(LONGEST_NAME as u64)
        .block(),
        text_field(
            "client",
            "Client",
            "Acme",
            client.map_or("", |client| &client.name),
        )
        .optional()
        .up_to(LONGEST_NAME as u64)
        .block(),
        text_field("aliases", "Other short names", "web, site", &aliases)
            .optional()
            .hint(
                "Separated by commas. Old entries keep their project when its short name changes.",
            )
            .up_to(500)
            .block(),
        checkbox(
            "billable",
            "Billable",
            project.is_none_or(|project| project.is_billable),
        ),
    ];
    if client.is_some() {
        let rename = "The client is the same under a new name: all its projects follow";
        // Right below the client.
        blocks.insert(3, checkbox("rename_client", rename, false));
    }
    let meta = Meta {
        id: project.map(|project| project.id),
        version: project.map_or(0, |project| project.version),
        ..meta.clone()
    };
    match project {
        Some(_) => modal("project.update", "Edit project", "Save", blocks, &meta),
        None => modal("project.create", "New project", "Create", blocks, &meta),
    }
}
