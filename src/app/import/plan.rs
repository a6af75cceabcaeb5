//! What an import would do.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    io::Read,
};

use chrono::NaiveDate;

use super::{
    Import, ImportStop, NAMES_MAX, Standing,
    file::{Found, Reading},
};
use crate::{
    domain::{
        entry_import::{Author, ImportedRow, RowProblem},
        member::Member,
        project::{NoProjectSlug, Project, ProjectRef, project_slug_of, slug_of},
    },
    store::EntryTimes,
};

/// Problems and lost tags that are kept to be shown; the others are counted.
const SHOWN: usize = 20;

/// What an import would do.
#[derive(Clone, Debug, Default)]
pub struct ImportPlan {
    /// The first and the last day with an entry.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// Each person, and how much is theirs.
    pub people: Vec<PlannedPerson>,
    /// The projects, in the order of the file.
    pub projects: Vec<PlannedProject>,
    /// People of the file who are not imported, and how many rows are theirs.
    pub left_out: BTreeMap<Author, u64>,
    /// New entries whose length was no whole minute: how many, how long in the file in seconds, how long here in
    /// minutes.
    pub rounded: (u64, u64, u64),
    /// Tags that are written otherwise here, and how; at most 20.
    pub changed_tags: BTreeSet<(String, String)>,
    /// Tags that no tag can be here; at most 20.
    pub lost_tags: BTreeSet<String>,
    /// The lines of new entries that began or ended at a time that the clocks left out or had twice; the first 20.
    pub odd: Vec<u64>,
    /// The lines of new entries that begin and last just as others that are there already; the first 20.
    pub twins: Vec<u64>,
    /// How many such entries there are.
    pub twin_count: u64,
    /// The line and the problem of rows that are no entries as they stand; the first 20.
    pub problems: Vec<(u64, RowProblem)>,
    /// How many such rows there are.
    pub problem_count: u64,
    /// How many rows the file has.
    pub rows: u64,
    places: HashMap<Named, usize>,
    /// The same by what makes two names one project.
    projects_by_key: HashMap<Named, usize>,
    /// Slugs that no project can be made under.
    taken: HashSet<String>,
    /// Up to where the numbers behind a slug are taken.
    numbered: HashMap<String, u32>,
}

/// A project and a client in the words of the file.
type Named = (String, Option<String>);

/// How much is one person's.
#[derive(Clone, Debug)]
pub struct PlannedPerson {
    /// The person.
    pub member: Member,
    /// Who that is in the file.
    pub author: Author,
    /// Where the clocks are that their times are of.
    pub zone: chrono_tz::Tz,
    /// Entries that would be made.
    pub new: u64,
    /// How long those are together, in minutes.
    pub new_minutes: u64,
    /// Entries that are there already.
    pub there: u64,
    /// Entries that were there, and were deleted.
    pub deleted: u64,
}

/// A project that entries of the file are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedProject {
    /// Its name; in the words of the file where it would be made.
    pub name: String,
    /// Its client, likewise.
    pub client: Option<String>,
    /// What people type behind `#`.
    pub slug: String,
    /// The project, where there is one.
    pub existing: Option<ProjectRef>,
    /// Whether its entries are billable where the file does not say so. One that would be made is, unless none of its
    /// entries is.
    pub is_billable: bool,
    /// Entries that would be made for it.
    pub new: u64,
    says_billable: Option<bool>,
}

impl PlannedProject {
    /// The slug and the name of its client.
    pub(super) fn client_slug(&self) -> Option<(String, String)> {
        let name = self.client.clone()?;
        Some((slug_of(&name)?, name))
    }
}

/// An entry that would be made, or is there already.
#[derive(Debug)]
pub struct PlannedEntry<'a> {
    /// The line of the file that it begins in.
    pub line: u64,
    /// Whose it is.
    pub member: &'a Member,
    /// What it says.
    pub row: &'a ImportedRow,
    /// What it is for.
    pub project: Option<&'a PlannedProject>,
    /// Where the clocks are that its times are of.
    pub zone: chrono_tz::Tz,
    /// What there is of it.
    pub standing: Standing,
}

impl ImportPlan {
    /// How many entries would be made.
    pub fn new_entries(&self) -> u64 {
        self.people.iter().map(|person| person.new).sum()
    }

    /// How many are there already.
    pub fn there(&self) -> u64 {
        self.people.iter().map(|person| person.there).sum()
    }

    fn note(&mut self, line: u64, problem: RowProblem) {
        self.problem_count += 1;
        if self.problems.len() < SHOWN {
            self.problems.push((line, problem));
        }
    }

    /// What an entry is for, and its place among the projects.
    pub(super) fn project_of(&self, row: &ImportedRow) -> Option<(usize, &PlannedProject)> {
        let place = *self.places.get(&named(row)?)?;
        Some((place, &self.projects[place]))
    }
}

fn named(row: &ImportedRow) -> Option<Named> {
    Some((row.project.clone()?, row.client.clone()))
}

impl<R: Read, O: Fn() -> std::io::Result<R>> Import<O> {
    /// What would be done; nothing is. `each` sees every entry.
    ///
    /// # Errors
    /// The file cannot be read, the database does not answer, or a project of the file is several here.
    pub async fn plan(
        &self,
        mut each: impl FnMut(&PlannedEntry<'_>),
    ) -> Result<ImportPlan, ImportStop> {
        let mut plan = ImportPlan {
            people: self
                .people
                .iter()
                .map(|person| PlannedPerson {
                    member: person.member.clone(),
                    author: person.author.clone(),
                    zone: person.zone,
                    new: 0,
                    new_minutes: 0,
                    there: 0,
                    deleted: 0,
                })
                .collect(),
            taken: self
                .projects
                .iter()
                .flat_map(|project| [&project.slug].into_iter().chain(&project.aliases))
                .cloned()
                .collect(),
            ..ImportPlan::default()
        };
        let mut seen = HashSet::new();
        let mut batches = self.batches()?;
        while let Some(batch) = batches.next()? {
            let mut entries = Vec::new();
            for reading in batch {
                plan.rows += 1;
                match reading {
                    Reading::Found(found) => entries.push(*found),
                    Reading::LeftOut(author) => *plan.left_out.entry(author).or_default() += 1,
                    Reading::Problem(line, problem) => plan.note(line, problem),
                }
            }
            let known = self.known(&entries).await?;
            let twins = self.twins(&entries).await?;
            for found in entries {
                // An export of BillOps that holds a row twice holds one entry.
                let standing = match self.standing(known.get(&found.id), found.person) {
                    Standing::New if found.row.id.is_some_and(|id| !seen.insert(id)) => {
                        Standing::There
                    }
                    standing => standing,
                };
                if standing == Standing::SomebodyElses {
                    plan.note(found.line, RowProblem::SomebodyElses);
                    continue;
                }
                let times = found.times();
                let is_twin = times.is_some_and(|times| twins.contains(&(found.person, times)));
                if standing == Standing::New && is_twin {
                    plan.twin_count += 1;
                    if plan.twins.len() < SHOWN {
                        plan.twins.push(found.line);
                    }
                }
                self.add(&mut plan, &found, standing)?;
                each(&PlannedEntry {
                    line: found.line,
                    member: &self.people[found.person].member,
                    project: plan.project_of(&found.row).map(|(_, project)| project),
                    row: &found.row,
                    zone: self.people[found.person].zone,
                    standing,
                });
            }
        }
        for project in &mut plan.projects {
            if project.existing.is_none() {
                project.is_billable = project.says_billable.unwrap_or(true);
            }
        }
        Ok(plan)
    }

    /// The times of these entries that their people have other entries with.
    async fn twins(&self, found: &[Found]) -> Result<HashSet<(usize, EntryTimes)>, ImportStop> {
        let mut twins = HashSet::new();
        for (place, person) in self.people.iter().enumerate() {
            let theirs = found.iter().filter(|found| found.person == place);
            let times: Vec<EntryTimes> = theirs.filter_map(Found::times).collect();
            let user_id = person.member.user_id;
            let known = self.store.same_times(user_id, &times).await?;
            twins.extend(known.into_iter().map(|times| (place, times)));
        }
        Ok(twins)
    }

    fn add(
        &self,
        plan: &mut ImportPlan,
        found: &Found,
        standing: Standing,
    ) -> Result<(), ImportStop> {
        let row = &found.row;
        let is_new = standing == Standing::New;
        let (first, last) = plan.days.unwrap_or((row.date, row.date));
        plan.days = Some((first.min(row.date), last.max(row.date)));
        if let Some(named) = named(row) {
            let place = match plan.places.get(&named) {
                Some(place) => *place,
                None => self.place(plan, named)?,
            };
            let project = &mut plan.projects[place];
            project.new += u64::from(is_new);
            if let Some(billable) = row.billable {
                project.says_billable = Some(project.says_billable.unwrap_or(false) | billable);
            }
        }
        let person = &mut plan.people[found.person];
        person.there += u64::from(standing == Standing::There);
        person.deleted += u64::from(standing == Standing::Deleted);
        if !is_new {
            return Ok(());
        }
        let minutes = u64::from(row.minutes().get());
        person.new += 1;
        person.new_minutes += minutes;
        if !row.seconds.is_multiple_of(60) {
            let (entries, seconds, here) = &mut plan.rounded;
            *entries += 1;
            *seconds += u64::from(row.seconds);
            *here += minutes;
        }
        if row.is_odd && plan.odd.len() < SHOWN {
            plan.odd.push(found.line);
        }
        for tag in &row.lost_tags {
            if plan.lost_tags.len() < SHOWN {
                plan.lost_tags.insert(tag.clone());
            }
        }
        for tag in &row.changed_tags {
            if plan.changed_tags.len() < SHOWN {
                plan.changed_tags.insert(tag.clone());
            }
        }
        Ok(())
    }

    /// The place of the project that is called so, among those of the plan.
    fn place(&self, plan: &mut ImportPlan, named: Named) -> Result<usize, ImportStop> {
        if plan.places.len() >= NAMES_MAX {
            return Err(ImportStop::TooMany("projects"));
        }
        let (name, client) = &named;
        let existing = self.existing(name, client.as_deref())?;
        // `Acme` and `ACME` are one.
        let key = match existing {
            Some(project) => (project.id.to_string(), None),
            None => (
                name.to_lowercase(),
                client.as_ref().map(|client| client.to_lowercase()),
            ),
        };
        if let Some(place) = plan.projects_by_key.get(&key).copied() {
            plan.places.insert(named, place);
            return Ok(place);
        }
        let planned = match existing {
            Some(project) => PlannedProject {
                name: project.name.clone(),
                client: project.client.as_ref().map(|client| client.name.clone()),
                slug: project.slug.clone(),
                existing: Some(project.to_ref()),
                is_billable: project.is_billable,
                new: 0,
                says_billable: None,
            },
            None => PlannedProject {
                name: name.clone(),
                // Nobody could type a client without a letter or a digit.
                client: client.clone().filter(|client| slug_of(client).is_some()),
                slug: Self::free_slug(plan, name, client.as_deref()),
                existing: None,
                is_billable: true,
                new: 0,
                says_billable: None,
            },
        };
        plan.projects.push(planned);
        let place = plan.projects.len() - 1;
        plan.projects_by_key.insert(key, place);
        plan.places.insert(named, place);
        Ok(place)
    }

    /// The project that is called exactly so, of exactly that client if one is said.
    fn existing(&self, name: &str, client: Option<&str>) -> Result<Option<&Project>, ImportStop> {
        let of_client = |project: &&Project| {
            let is_theirs = |said| {
                project
                    .client
                    .as_ref()
                    .is_some_and(|one| one.is_called(said))
            };
            client.is_none_or(is_theirs)
        };
        let called: Vec<&Project> = self
            .projects
            .iter()
            .filter(|project| project.is_called(name))
            .filter(of_client)
            .collect();
        let open: Vec<&Project> = called
            .iter()
            .copied()
            .filter(|project| project.is_open())
            .collect();
        match (called.as_slice(), open.as_slice()) {
            ([], _) => Ok(None),
            ([only], _) | (_, [only]) => Ok(Some(only)),
            _ => {
                // A slug is one project's.
                let by_slug = called.iter().find(|project| project.slug == name);
                let several = || ImportStop::AmbiguousProject(name.to_owned());
                by_slug.copied().map(Some).ok_or_else(several)
            }
        }
    }

    /// What people can type for a project that would be made: its name, with its client's in front where that is
    /// taken, or a number behind. It is taken from now on.
    fn free_slug(plan: &mut ImportPlan, name: &str, client: Option<&str>) -> String {
        let typed = |name: &str| match project_slug_of(name) {
            Ok(slug) | Err(NoProjectSlug::Number { instead: slug }) => Some(slug),
            Err(NoProjectSlug::Nothing) => None,
        };
        let own = typed(name);
        let with_client = client.and_then(|client| typed(&format!("{client} {name}")));
        let stem: String = own
            .as_deref()
            .unwrap_or("project")
            .chars()
            .take(70)
            .collect();
        let free = own
            .into_iter()
            .chain(with_client)
            .find(|slug| !plan.taken.contains(slug));
        let slug = free.unwrap_or_else(|| {
            let number = plan.numbered.entry(stem.clone()).or_insert(1);
            loop {
                *number += 1;
                let slug = format!("{stem}-{number}");
                if !plan.taken.contains(&slug) {
                    break slug;
                }
            }
        });
        plan.taken.insert(slug.clone());
        slug
    }
}
