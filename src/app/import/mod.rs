//! Taking in what another time tracker has exported.
//!
//! The file is read from its beginning several times and never held: once for what its dates and people say, once for
//! what would be done, once for doing it. Every entry's id is made of whose it is and what it says, so that a file, or
//! a longer one that holds it, can be read again after anything, and no entry is doubled.

mod file;
mod plan;

use std::{
    collections::{HashMap, HashSet},
    io::Read,
};

use chrono_tz::Tz;
use uuid::Uuid;

use self::file::{Batches, Found, ImportFile, Reading};
use crate::{
    domain::{
        entry_import::{Author, DateEvidence, DateOrder, ImportFormat, RowProblem, UnknownColumns},
        member::Member,
        project::{Project, ProjectRef},
        time_entry::{EntryFields, EntrySource, TimeEntry},
    },
    error::chain,
    jobs::Job,
    store::{NewProject, ProjectChange, Store, StoreError},
};

pub use plan::{ImportPlan, PlannedEntry, PlannedPerson, PlannedProject};

/// Entries that are stored in one transaction.
const BATCH: usize = 500;
/// People and projects of one file. One that has more is none of a team's.
const NAMES_MAX: usize = 10_000;

/// Whose entries a file holds, and how it is to be read.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Slack's id of the workspace; it is needed only where a person is in several.
    pub workspace_id: Option<String>,
    /// Whose the entries are: Slack's id, and the name or address that the file has for them. Without one, all of the
    /// file is theirs.
    pub people: Vec<(String, Option<String>)>,
    /// Where the clocks were that the file's times are of; each person's own zone unless it is said.
    pub zone: Option<Tz>,
    /// How dates are written that can be read in two ways.
    pub order: Option<DateOrder>,
}

/// Why nothing is imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportStop {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    File(#[from] std::io::Error),
    /// The file is no CSV.
    #[error("it cannot be read as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// A spreadsheet's own text format.
    #[error("it is written in UTF-16. Save it as “CSV UTF-8” and import that")]
    Utf16,
    /// No known export begins so.
    #[error(transparent)]
    Columns(#[from] UnknownColumns),
    /// Two readings of its dates are possible.
    #[error(
        "its dates can be read in two ways: “{0}” is a day in either order, and no other date of the file tells which. \
         Say it with --dates day-first or --dates month-first"
    )]
    AmbiguousDates(String),
    /// Its dates are written in two orders.
    #[error(
        "its dates are written in two orders, some with the day first and some with the month. Say with --dates which \
         is right; the others are then listed as problems"
    )]
    MixedDates,
    /// Nobody has this account.
    #[error(
        "BillOps has met nobody with the Slack id “{0}” in a workspace it is installed in. Whoever it is has to use \
         BillOps once, by typing /time help"
    )]
    Unknown(String),
    /// Two workspaces have this account.
    #[error("“{0}” is somebody in several workspaces. Say which with --workspace")]
    SeveralWorkspaces(String),
    /// An import is for one workspace.
    #[error("these people are not of one workspace. Import for each workspace by itself")]
    NotTogether,
    /// The same person twice, or the same words for two.
    #[error("--user {0} is there twice, or two people would be the same one in the file")]
    Twice(String),
    /// It has entries of several people, and nobody said who they are.
    #[error(
        "it holds entries of several people: {0}. Say whose are whose, for each of them who is to be imported: \
         --user \"U0123=NAME OR ADDRESS\""
    )]
    SeveralAuthors(String),
    /// It has no entries of such a person.
    #[error("it holds no entries of “{0}”. It holds those of: {1}")]
    NoAuthor(String, String),
    /// Two projects here are called so.
    #[error(
        "“{0}” is what several projects are called here. Rename or archive one of them, or give it its client, and \
         import then"
    )]
    AmbiguousProject(String),
    /// More names than a team has.
    #[error("it names more than 10,000 {0}")]
    TooMany(&'static str),
    /// Somebody made the project meanwhile.
    #[error("#{0} was made by somebody at this moment. Import the file again")]
    ProjectTaken(String),
    /// As many as there can be.
    #[error("the workspace has as many projects as it can have. Nothing more was imported")]
    ProjectsFull,
    /// The database does not answer.
    #[error("{}", chain(.0))]
    Store(#[from] StoreError),
}

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

/// A file that can be imported: whose it is, how its dates are read and whose entries are whose is known.
#[derive(Debug)]
pub struct Import<O> {
    store: Store,
    file: ImportFile<O>,
    order: DateOrder,
    /// Whether the order makes a difference.
    has_order: bool,
    people: Vec<Person>,
    projects: Vec<Project>,
}

/// Somebody whose entries are imported.
#[derive(Clone, Debug)]
struct Person {
    member: Member,
    zone: Tz,
    /// Who it is in the file; `None` for everybody in it.
    author: Option<Author>,
}

impl<R: Read, O: Fn() -> std::io::Result<R>> Import<O> {
    /// Looks through the file that `open` opens, each time at its beginning.
    ///
    /// # Errors
    /// It cannot be imported as it is; nothing was done.
    pub async fn open(store: Store, open: O, options: ImportOptions) -> Result<Self, ImportStop> {
        let file = ImportFile::open(open)?;
        let mut evidence = DateEvidence::default();
        let mut authors: HashMap<Author, u64> = HashMap::new();
        let mut rows = file.rows()?;
        while rows.advance()? {
            let cells = rows.cells();
            let row = rows.row(&cells);
            evidence.add(&row);
            *authors.entry(row.author()).or_default() += 1;
            if authors.len() > NAMES_MAX {
                return Err(ImportStop::TooMany("people"));
            }
        }
        let Some(order) = options.order.or(evidence.order()) else {
            return Err(match evidence.ambiguous() {
                Some(text) => ImportStop::AmbiguousDates(text.to_owned()),
                None => ImportStop::MixedDates,
            });
        };
        let people = people(&store, &options, &authors).await?;
        let projects = match people.first() {
            Some(person) => store.projects(person.member.slack_integration_id).await?,
            None => Vec::new(),
        };
        Ok(Self {
            store,
            file,
            order,
            has_order: evidence.makes_a_difference(),
            people,
            projects,
        })
    }

    /// Whose export it is.
    pub const fn format(&self) -> ImportFormat {
        self.file.columns.format()
    }

    /// In which order its dates are read, where that makes a difference.
    pub fn order(&self) -> Option<DateOrder> {
        self.has_order.then_some(self.order)
    }

    /// The rows of the file, batch by batch.
    fn batches(&self) -> Result<Batches<'_, R>, ImportStop> {
        let rows = self.file.rows()?;
        let now = self.store.clock().now();
        Ok(Batches::new(rows, self.order, &self.people, now))
    }

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
            let ids: Vec<Uuid> = found.iter().map(|found| found.id).collect();
            let known = self.store.known_entries(&ids).await?;
            let mut entries = Vec::new();
            for found in found {
                if known.contains(&found.id) {
                    done.there += 1;
                    continue;
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
        for person in touched {
            let binding = self.people[person].member.binding_id;
            if self.people[person].member.has_opened_home {
                self.store
                    .add_job(&Job::RefreshHome { binding }.to_row())
                    .await?;
            }
        }
        Ok(done)
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
            is_timed: row.span.is_some(),
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

/// Who the people are whose entries are to be imported.
async fn people(
    store: &Store,
    options: &ImportOptions,
    authors: &HashMap<Author, u64>,
) -> Result<Vec<Person>, ImportStop> {
    let listed = || {
        let mut names: Vec<String> = authors.keys().map(ToString::to_string).collect();
        names.sort();
        let more = names.len().saturating_sub(20);
        names.truncate(20);
        let more = (more > 0).then(|| format!("and {more} more"));
        names.into_iter().chain(more).collect::<Vec<_>>().join(", ")
    };
    let mut people: Vec<Person> = Vec::new();
    for (slack_user_id, said) in &options.people {
        let member = member(store, options.workspace_id.as_deref(), slack_user_id).await?;
        let author = match said {
            Some(said) => {
                let mut called = authors.keys().filter(|author| author.is_called(said));
                let author = called.next();
                if called.next().is_some() {
                    return Err(ImportStop::SeveralAuthors(listed()));
                }
                let none = || ImportStop::NoAuthor(said.clone(), listed());
                Some(author.ok_or_else(none)?.clone())
            }
            None if authors.len() > 1 => return Err(ImportStop::SeveralAuthors(listed())),
            None => None,
        };
        let is_there = |one: &Person| {
            one.member.binding_id == member.binding_id
                || one.author.is_none()
                || one.author == author
        };
        if author.is_none() && !people.is_empty() || people.iter().any(is_there) {
            return Err(ImportStop::Twice(slack_user_id.clone()));
        }
        let other = |one: &Person| one.member.slack_integration_id != member.slack_integration_id;
        if people.iter().any(other) {
            return Err(ImportStop::NotTogether);
        }
        people.push(Person {
            zone: options.zone.unwrap_or_else(|| member.zone()),
            member,
            author,
        });
    }
    Ok(people)
}

async fn member(
    store: &Store,
    workspace_id: Option<&str>,
    slack_user_id: &str,
) -> Result<Member, ImportStop> {
    let mut members = Vec::new();
    let mut after = Uuid::nil();
    loop {
        let page = store
            .exported_people(workspace_id, Some(slack_user_id), after, 10)
            .await?;
        let Some(last) = page.last() else { break };
        after = last.binding_id;
        for person in page {
            members.extend(store.member_by_binding(person.binding_id).await?);
        }
    }
    match (members.pop(), members.len()) {
        (Some(member), 0) => Ok(member),
        (Some(_), _) => Err(ImportStop::SeveralWorkspaces(slack_user_id.to_owned())),
        (None, _) => Err(ImportStop::Unknown(slack_user_id.to_owned())),
    }
}
