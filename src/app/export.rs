//! Entries as CSV (RFC 4180, UTF-8), read and written page by page: however many there are, memory holds one page.

use std::{borrow::Cow, collections::VecDeque};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use uuid::Uuid;

use super::App;
use crate::{
    domain::{entry_import::is_formula, member::Member, period::Period},
    error::Failed,
    jobs::Job,
    store::{ExportedEntry, ExportedPerson, Store, StoreError},
};

/// Rows that are read at a time.
const PAGE: u32 = 1_000;
const PEOPLE_PAGE: u32 = 100;

/// The columns. What is added later comes behind them, and none is ever renamed.
const COLUMNS: [&str; 23] = [
    "id",
    "date",
    "duration_minutes",
    "started_at",
    "ended_at",
    "description",
    "project_id",
    "project",
    "client_id",
    "client",
    "tags",
    "billable",
    "status",
    "source",
    "source_event_id",
    "permalink",
    "typed_text",
    "person",
    "slack_user_id",
    "workspace_id",
    "created_at",
    "updated_at",
    "is_timed",
];

/// Between which days the exported entries are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportSpan {
    /// From this day on; from the first one unless it is said.
    pub from: Option<NaiveDate>,
    /// Up to this day; up to the last one unless it is said.
    pub to: Option<NaiveDate>,
}

impl ExportSpan {
    fn first(self) -> (NaiveDate, Uuid) {
        let first = self.from.unwrap_or(FIRST_DAY).max(FIRST_DAY);
        (first, Uuid::nil())
    }
}

/// Days that both databases have names of four digits for.
pub(super) const FIRST_DAY: NaiveDate =
    NaiveDate::from_ymd_opt(1, 1, 1).expect("there is such a day");
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("there is such a day");

/// An export under way: person after person, each from the oldest day on. An entry that is made or moved meanwhile
/// may be in it or not.
#[derive(Debug)]
pub struct EntryExport {
    store: Store,
    span: ExportSpan,
    /// Those who come next.
    people: VecDeque<ExportedPerson>,
    /// Where more of them come from, if they do.
    more: Option<MorePeople>,
    /// Behind which entry of the first of `people` the next page begins.
    place: (NaiveDate, Uuid),
    has_begun: bool,
    entries: u64,
}

#[derive(Debug)]
struct MorePeople {
    workspace_id: Option<String>,
    slack_user_id: Option<String>,
    /// The binding of the last one.
    after: Uuid,
}

impl EntryExport {
    /// One person's entries.
    pub fn of_member(store: Store, member: &Member, span: ExportSpan) -> Self {
        let person = ExportedPerson {
            binding_id: member.binding_id,
            user_id: member.user_id,
            name: member.name.clone(),
            slack_user_id: member.slack_user_id.clone(),
            workspace_id: member.workspace_id.clone(),
        };
        Self::begin(store, span, VecDeque::from([person]), None)
    }

    /// The entries of everybody whom BillOps has ever met; of one workspace or one Slack account only, where its id
    /// is given.
    pub fn of_everybody(
        store: Store,
        workspace_id: Option<String>,
        slack_user_id: Option<String>,
        span: ExportSpan,
    ) -> Self {
        let more = MorePeople {
            workspace_id,
            slack_user_id,
            after: Uuid::nil(),
        };
        Self::begin(store, span, VecDeque::new(), Some(more))
    }

    fn begin(
        store: Store,
        span: ExportSpan,
        people: VecDeque<ExportedPerson>,
        more: Option<MorePeople>,
    ) -> Self {
        Self {
            store,
            span,
            people,
            more,
            place: span.first(),
            has_begun: false,
            entries: 0,
        }
    }

    /// How many entries were given so far.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// The next lines, of at most 1,000 entries; the first ones begin with the names of the columns. `None` at the
    /// end.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read. The same lines can be asked for again.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        while let Some(person) = self.person().await? {
            let to = self.span.to.unwrap_or(LAST_DAY).min(LAST_DAY);
            let page = self
                .store
                .exported_entries(person.user_id, self.place, to, PAGE)
                .await?;
            if page.len() < PAGE as usize {
                self.people.pop_front();
                self.place = self.span.first();
            } else if let Some(last) = page.last() {
                self.place = (last.date, last.id);
            }
            if !page.is_empty() {
                self.entries += page.len() as u64;
                return Ok(Some(self.lines(Some(&person), &page)));
            }
        }
        // Where there is nothing, the columns are named all the same.
        Ok((!self.has_begun).then(|| self.lines(None, &[])))
    }

    /// Whose entries come next.
    async fn person(&mut self) -> Result<Option<ExportedPerson>, StoreError> {
        if self.people.is_empty()
            && let Some(more) = &mut self.more
        {
            let (workspace, slack_user) =
                (more.workspace_id.as_deref(), more.slack_user_id.as_deref());
            let page = self
                .store
                .exported_people(workspace, slack_user, more.after, PEOPLE_PAGE)
                .await?;
            match page.last() {
                Some(last) => more.after = last.binding_id,
                None => self.more = None,
            }
            self.people.extend(page);
        }
        Ok(self.people.front().cloned())
    }

    fn lines(&mut self, person: Option<&ExportedPerson>, page: &[ExportedEntry]) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        let mut write = |record: &[Cow<'_, str>]| {
            let record = record.iter().map(|cell| cell.as_bytes());
            writer
                .write_record(record)
                .expect("it is as long as the others, and memory takes it");
        };
        if !std::mem::replace(&mut self.has_begun, true) {
            write(&COLUMNS.map(Cow::Borrowed));
        }
        if let Some(person) = person {
            for entry in page {
                write(&record(person, entry));
            }
        }
        writer.into_inner().expect("memory takes it")
    }
}

impl App {
    /// Has a person's entries sent to them as a file: those of a period, or all. `request` names the command: it
    /// leads to one file, however often it is delivered.
    ///
    /// # Errors
    /// The database does not answer.
    pub(super) async fn ask_for_entries(
        &self,
        member: &Member,
        request: Uuid,
        period: Option<Period>,
    ) -> Result<(), Failed> {
        let job = Job::ExportEntries {
            binding: member.binding_id,
            request,
            days: period.map(|period| (period.from, period.to)),
        };
        self.store
            .add_job(&job.to_row())
            .await
            .map_err(|error| self.failed("asking for an export", error))
    }

    /// A person's entries from the first to the second day, or all of them, as one CSV file; and how many they are.
    ///
    /// # Errors
    /// The database does not answer, or a row cannot be read.
    pub async fn entries_file(
        &self,
        member: &Member,
        days: Option<(NaiveDate, NaiveDate)>,
    ) -> Result<(u64, Vec<u8>), Failed> {
        let (from, to) = days.unzip();
        let mut export =
            EntryExport::of_member(self.store.clone(), member, ExportSpan { from, to });
        let mut file = Vec::new();
        let failed = |error| self.failed("exporting entries", error);
        while let Some(lines) = export.next().await.map_err(failed)? {
            file.extend(lines);
        }
        Ok((export.entries(), file))
    }
}

fn record<'a>(person: &'a ExportedPerson, entry: &'a ExportedEntry) -> [Cow<'a, str>; 23] {
    let id = |id: Option<Uuid>| Cow::from(id.map_or_else(String::new, |id| id.to_string()));
    let said = |text: &'a Option<String>| text.as_deref().map_or(Cow::Borrowed(""), harmless);
    let at = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let at_all = |instant: Option<DateTime<Utc>>| Cow::from(instant.map_or_else(String::new, at));
    [
        entry.id.to_string().into(),
        entry.date.to_string().into(),
        entry.duration_minutes.to_string().into(),
        at_all(entry.started_at),
        at_all(entry.ended_at),
        harmless(&entry.description),
        id(entry.project_id),
        said(&entry.project),
        id(entry.client_id),
        said(&entry.client),
        // No tag has a blank in it.
        harmless(&entry.tags.join(" ")).into_owned().into(),
        yes_or_no(entry.billable),
        Cow::Borrowed(&entry.status),
        Cow::Borrowed(&entry.source),
        id(entry.source_event_id),
        said(&entry.permalink),
        said(&entry.typed_text),
        harmless(&person.name),
        harmless(&person.slack_user_id),
        harmless(&person.workspace_id),
        at(entry.created_at).into(),
        at(entry.updated_at).into(),
        yes_or_no(entry.is_timed),
    ]
}

const fn yes_or_no(is_so: bool) -> Cow<'static, str> {
    Cow::Borrowed(if is_so { "true" } else { "false" })
}

/// The text as a cell that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe in
/// front. So does one that begins like that behind apostrophes of its own: whoever takes the first one away again,
/// as the import does, has the text as it was.
fn harmless(text: &str) -> Cow<'_, str> {
    if is_formula(text) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn what_begins_like_a_formula_is_a_text() {
        for (text, cell) in [
            (
                "=HYPERLINK(\"https://x.example\")",
                "'=HYPERLINK(\"https://x.example\")",
            ),
            ("+1", "'+1"),
            ("-1+2", "'-1+2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("'=1", "''=1"),
            ("'quoted'", "'quoted'"),
            ("a = b", "a = b"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), cell, "{text:?}");
        }
    }
}
