//! Doing what was planned, and taking it back.

use std::{
    collections::{HashMap, HashSet},
    io::Read,
};

use uuid::Uuid;

use super::{
    Import, ImportPlan, ImportStop, PlannedProject, Standing,
    file::{Found, Reading},
};
use crate::{
    domain::{
        project::ProjectRef,
        time_entry::{EntryFields, EntrySource, EntryStatus, TimeEntry},
    },
    jobs::Job,
    store::{NewProject, ProjectChange},
};

/// What came of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Entries that are there since now.
    pub new: u64,
    /// Entries that were there already.
    pub there: u64,
    /// Projects that were made.
    pub projects: u64,
}

/// What came of taking an import back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Entries that are gone since now.
    pub removed: u64,
    /// Entries that stay, because somebody has changed them since.
    pub changed: u64,
}

impl<R: Read, O: Fn() -> std::io::Result<R>> Import<O> {
    /// Does what [`plan`](Self::plan) has found, and says after each batch how many rows are done. Rows with problems
    /// are left out.
    ///
    /// # Errors
    /// The file or the database does not go on. What was imported until then stays; a new try adds the rest.
    pub async fn run(
        &self,
        plan: &ImportPlan,
        mut progress: impl FnMut(u64),
    ) -> Result<Imported, ImportStop> {
        let mut done = Imported::default();
        let mut rows = 0;
        let mut projects: HashMap<usize, ProjectRef> = HashMap::new();
        let mut touched = HashSet::new();
        let mut batches = self.batches()?;
        while let Some(batch) = batches.next()? {
            rows += batch.len() as u64;
            let found: Vec<Found> = batch.into_iter().filter_map(Reading::found).collect();
            let known = self.known(&found).await?;
            let mut entries = Vec::new();
            for found in found {
                match self.standing(known.get(&found.id), found.person) {
                    Standing::New => {}
                    Standing::There => {
                        done.there += 1;
                        continue;
                    }
                    Standing::Deleted | Standing::SomebodyElses => continue,
                }
                let project = match plan.project_of(&found.row) {
                    Some((place, planned)) => {
                        let project = match projects.get(&place) {
                            Some(project) => project.clone(),
                            None => self.project(planned, &mut done).await?,
                        };
                        projects.insert(place, project.clone());
                        Some((project, planned.is_billable))
                    }
                    None if found.row.project.is_some() => return Err(ImportStop::Changed),
                    None => None,
                };
                touched.insert(found.person);
                entries.push(self.entry(found, project));
            }
            let new = self.store.import_entries(&entries).await?;
            done.new += new;
            done.there += entries.len() as u64 - new;
            progress(rows);
        }
        self.refresh_homes(touched).await?;
        Ok(done)
    }

    /// Removes what [`run`](Self::run) has made of this file, but for what somebody has changed since. Projects stay.
    ///
    /// # Errors
    /// The file or the database does not go on; a new try removes the rest.
    pub async fn take_back(&self, mut progress: impl FnMut(u64)) -> Result<TakenBack, ImportStop> {
        let mut done = TakenBack::default();
        let mut rows = 0;
        let mut touched = HashSet::new();
        let mut batches = self.batches()?;
        while let Some(batch) = batches.next()? {
            rows += batch.len() as u64;
            let found: Vec<Found> = batch.into_iter().filter_map(Reading::found).collect();
            let known = self.known(&found).await?;
            for (person, one) in self.people.iter().enumerate() {
                // What is approved or billed here since is no longer what the file says.
                for status in EntryStatus::ALL {
                    let is_there = |found: &&Found| {
                        found.person == person
                            && found.row.status == *status
                            && self.standing(known.get(&found.id), person) == Standing::There
                    };
                    let ids: Vec<Uuid> = found
                        .iter()
                        .filter(is_there)
                        .map(|found| found.id)
                        .collect();
                    let user_id = one.member.user_id;
                    let removed = self.store.forget_imported(user_id, *status, &ids).await?;
                    if removed > 0 {
                        touched.insert(person);
                    }
                    done.removed += removed;
                    done.changed += ids.len() as u64 - removed;
                }
            }
            progress(rows);
        }
        self.refresh_homes(touched).await?;
        Ok(done)
    }

    async fn refresh_homes(&self, people: HashSet<usize>) -> Result<(), ImportStop> {
        for person in people {
            let member = &self.people[person].member;
            let binding = member.binding_id;
            if member.has_opened_home {
                self.store
                    .add_job(&Job::RefreshHome { binding }.to_row())
                    .await?;
            }
        }
        Ok(())
    }

    /// The project that is planned, made if there is none.
    async fn project(
        &self,
        planned: &PlannedProject,
        done: &mut Imported,
    ) -> Result<ProjectRef, ImportStop> {
        if let Some(project) = &planned.existing {
            return Ok(project.clone());
        }
        let new = NewProject {
            slug: planned.slug.clone(),
            name: planned.name.clone(),
            client: planned.client_slug(),
            is_billable: planned.is_billable,
        };
        let workspace = self.people[0].member.slack_integration_id;
        match self.store.create_project(workspace, &new).await? {
            ProjectChange::Done(project) => {
                done.projects += 1;
                Ok(project)
            }
            ProjectChange::TooMany => Err(ImportStop::ProjectsFull),
            _ => Err(ImportStop::ProjectTaken(new.slug)),
        }
    }

    fn entry(&self, found: Found, project: Option<(ProjectRef, bool)>) -> TimeEntry {
        let Found {
            person, row, id, ..
        } = found;
        let duration = row.minutes();
        let (project, is_billable) = project.unzip();
        let fields = EntryFields {
            description: row.description,
            date: row.date,
            span: row.span,
            is_timed: row.is_timed && row.span.is_some(),
            duration,
            project,
            billable: row.billable.or(is_billable).unwrap_or(false),
            tags: row.tags,
        };
        let now = self.store.clock().now();
        let user_id = self.people[person].member.user_id;
        TimeEntry {
            status: row.status,
            permalink: row.permalink,
            typed_text: row.typed_text,
            ..fields.into_entry(id, user_id, EntrySource::Import, now)
        }
    }
}
