//! Taking in what another time tracker has exported.
//!
//! The file is read from its beginning several times and never held: once for what its dates and people say, once for
//! what would be done, once for doing it. Every entry's id is made of whose it is and what it says, so that a file, or
//! a longer one that holds it, can be read again after anything, and no entry is doubled.

mod file;
mod plan;
mod run;

use std::{
    collections::{BTreeSet, HashMap},
    io::Read,
};

use chrono_tz::Tz;
use uuid::Uuid;

use self::file::{Batches, Found, ImportFile};
use crate::{
    domain::{
        entry_import::{Author, DateEvidence, DateOrder, ImportFormat, UnknownColumns},
        member::Member,
        project::Project,
    },
    error::chain,
    store::{KnownEntry, Store, StoreError},
};

pub use plan::{ImportPlan, PlannedEntry, PlannedPerson, PlannedProject};
pub use run::{Imported, TakenBack};

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
    /// A quotation mark is missing, or it is no such file.
    #[error(
        "the row that begins in line {0} is longer than 1 MiB. Perhaps a quotation mark is missing there"
    )]
    RowTooLong(u64),
    /// It can be read only once.
    #[error(
        "it is no regular file. It is read more than once, so save what comes from a pipe first"
    )]
    NoFile,
    /// Somebody writes to it.
    #[error("it was changed while it was read. Import it again")]
    Changed,
    /// A cell has no end.
    #[error(
        "its quotation marks do not come in pairs: one is missing, and rows would run into each other"
    )]
    OddQuotes,
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
        "BillOps has met nobody with the Slack id “{0}”{in_workspace}. Slack shows it in a person's profile under “Copy \
         member ID” (U…); whoever has not used BillOps yet types /time help once",
        in_workspace = .1.as_ref().map_or_else(String::new, |workspace| format!(" in the workspace {workspace}"))
    )]
    Unknown(String, Option<String>),
    /// Two workspaces have this account.
    #[error("“{0}” is somebody in several workspaces. Say which with --workspace")]
    SeveralWorkspaces(String),
    /// An import is for one workspace.
    #[error("these people are not of one workspace. Import for each workspace by itself")]
    NotTogether,
    /// Somebody of the file is to be two people, or one twice.
    #[error("two of --user mean the same person of the file, {0}")]
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

/// What there is of an entry of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    New,
    /// It is there.
    There,
    /// It was there, and was deleted or taken back; it stays so.
    Deleted,
    /// It is there, as somebody else's.
    SomebodyElses,
}

/// Somebody whose entries are imported.
#[derive(Clone, Debug)]
struct Person {
    member: Member,
    zone: Tz,
    /// Who it is in the file.
    author: Author,
}

impl<R: Read, O: Fn() -> std::io::Result<R>> Import<O> {
    /// Looks through the file that `open` opens, each time at its beginning.
    ///
    /// # Errors
    /// It cannot be imported as it is; nothing was done.
    pub async fn open(store: Store, open: O, options: ImportOptions) -> Result<Self, ImportStop> {
        let file = ImportFile::open(open)?;
        let mut evidence = DateEvidence::default();
        let mut authors: BTreeSet<Author> = BTreeSet::new();
        let mut rows = file.rows()?;
        while rows.advance()? {
            let cells = rows.cells();
            let row = rows.row(&cells);
            evidence.add(&row);
            authors.insert(row.author());
            if authors.len() > NAMES_MAX {
                return Err(ImportStop::TooMany("people"));
            }
        }
        if rows.has_odd_quotes() {
            return Err(ImportStop::OddQuotes);
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

    /// Which of these there are entries of already.
    async fn known(&self, found: &[Found]) -> Result<HashMap<Uuid, KnownEntry>, ImportStop> {
        let ids: Vec<Uuid> = found.iter().map(|found| found.id).collect();
        Ok(self.store.known_entries(&ids).await?)
    }

    /// How the entry with this id stands to this person.
    fn standing(&self, known: Option<&KnownEntry>, person: usize) -> Standing {
        match known {
            None => Standing::New,
            Some(known) if known.user_id != self.people[person].member.user_id => {
                Standing::SomebodyElses
            }
            Some(known) if known.is_deleted => Standing::Deleted,
            Some(_) => Standing::There,
        }
    }

    /// The rows of the file, batch by batch.
    fn batches(&self) -> Result<Batches<'_, R>, ImportStop> {
        let rows = self.file.rows()?;
        let now = self.store.clock().now();
        Ok(Batches::new(rows, self.order, &self.people, now))
    }
}

/// Who the people are whose entries are to be imported.
async fn people(
    store: &Store,
    options: &ImportOptions,
    authors: &BTreeSet<Author>,
) -> Result<Vec<Person>, ImportStop> {
    let listed = || {
        let mut names: Vec<String> = authors.iter().map(ToString::to_string).take(20).collect();
        let more = authors.len() - names.len();
        names.extend((more > 0).then(|| format!("and {more} more")));
        names.join(", ")
    };
    let mut people: Vec<Person> = Vec::new();
    for (slack_user_id, said) in &options.people {
        let member = member(store, options.workspace_id.as_deref(), slack_user_id).await?;
        let called = |author: &&Author| said.as_ref().is_none_or(|said| author.is_called(said));
        let mut called = authors.iter().filter(called);
        let author = match (called.next(), said) {
            (Some(author), _) => author.clone(),
            (None, Some(said)) => return Err(ImportStop::NoAuthor(said.clone(), listed())),
            // There is no row at all.
            (None, None) => Author::default(),
        };
        if called.next().is_some() {
            return Err(ImportStop::SeveralAuthors(listed()));
        }
        if people.iter().any(|one| one.author == author) {
            return Err(ImportStop::Twice(author.to_string()));
        }
        let workspace = member.slack_integration_id;
        if people
            .iter()
            .any(|one| one.member.slack_integration_id != workspace)
        {
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
        (None, _) => Err(ImportStop::Unknown(
            slack_user_id.to_owned(),
            workspace_id.map(str::to_owned),
        )),
    }
}
