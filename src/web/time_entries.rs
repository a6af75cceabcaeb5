//! The API about time entries: the caller's own, and nobody else's.

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    Site,
    fields::{Asked, Fields, Parameters, named},
    idempotency::RequestKey,
    lists::{self, CURSOR, DAY, LIMIT, List},
    problem::Problem,
    schema,
    session::Caller,
};
use crate::{
    app::{EntryInput, EntryOutcome, EntryProblem, Expected},
    domain::time_entry::{EntrySource, EntryStatus},
    store::{EntryFilter, ListedEntry},
};

const DESCRIPTION: &str = "This is a text of 1 to 3000 characters.";
const DATE: &str = "This is a day such as 2026-11-20, today at the latest.";
const INSTANT: &str =
    "This is an instant such as 2026-11-20T10:00:00Z; or null, where it is not known.";
const MINUTES: &str = "This is a number of whole minutes, from 1 to 1440.";
const PROJECT: &str = "This is the id of a project; or null, for none.";
const PROJECT_ONLY: &str = "This is the id of a project.";
const BILLABLE: &str = "This is true or false.";
const TAGS: &str = "This is a list of words, each begun with a letter; at most 20.";
const SOURCE: &str = "This is slack, calendar, timer, api or import.";
const IF_MATCH: &str = "This is the entry's ETag as it was sent, in its quotes and without W/, such as \"2\"; or *, for any.";
const STATUS: &str = "This is pending, approved, rejected or billed.";

/// A time entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimeEntry)]
pub(super) struct Entry {
    /// UUIDv7. Entries that are made later have greater ids, but for imported ones: in theirs, the first 48 bits are
    /// the seconds of the entry's beginning, and they are below all others.
    id: Uuid,
    /// Whose time it is.
    user_id: Uuid,
    /// What it is for.
    project_id: Option<Uuid>,
    /// For whom that is.
    client_id: Option<Uuid>,
    /// How it came in.
    #[schema(value_type = schema::EntrySource)]
    source: EntrySource,
    /// Where it stands on the way to an invoice.
    #[schema(value_type = schema::EntryStatus)]
    status: EntryStatus,
    /// What was done.
    #[schema(max_length = 3000, examples("Halden weekly"))]
    description: String,
    /// The day it counts for, in the person's zone.
    date: NaiveDate,
    /// When the work began, where that is known. Where `is_timed` is false, BillOps placed the entry: the time is no
    /// more than likely, and a long entry may begin on another day than `date`.
    started_at: Option<DateTime<Utc>>,
    /// When it ended; where `is_timed` is false, no more than likely, too.
    ended_at: Option<DateTime<Utc>>,
    /// Whether somebody said from when to when it was. Otherwise only its day and length are known, and BillOps placed
    /// it: `started_at` and `ended_at` are likely times, and follow when the entry is changed.
    is_timed: bool,
    /// 1 to 1,440; less than from beginning to end where there were breaks.
    #[schema(minimum = 1, maximum = 1440, examples(30))]
    duration_minutes: u32,
    /// Whether it goes on an invoice.
    billable: bool,
    /// Words to find it by.
    tags: Vec<String>,
    /// The calendar event it was made of.
    source_event_id: Option<Uuid>,
    /// The message it came from.
    permalink: Option<String>,
    /// The line as it was typed.
    typed_text: Option<String>,
    /// Rises with every change; it is the entry's `ETag`.
    version: i32,
    /// When it was first stored.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
}

impl From<ListedEntry> for Entry {
    fn from(listed: ListedEntry) -> Self {
        let entry = listed.entry;
        Self {
            id: entry.id,
            user_id: entry.user_id,
            project_id: entry.project.map(|project| project.id),
            client_id: listed.client_id,
            source: entry.source,
            status: entry.status,
            description: entry.description,
            date: entry.date,
            started_at: entry.started_at,
            ended_at: entry.ended_at,
            is_timed: entry.is_timed,
            duration_minutes: entry.duration_minutes.get(),
            billable: entry.billable,
            tags: entry.tags,
            source_event_id: listed.event_id,
            permalink: entry.permalink,
            typed_text: entry.typed_text,
            version: entry.version,
            created_at: entry.created_at,
            updated_at: entry.updated_at,
        }
    }
}

impl Entry {
    fn etag(&self) -> [(HeaderName, HeaderValue); 1] {
        let tag = format!("\"{}\"", self.version);
        let tag = HeaderValue::from_str(&tag).expect("a number in quotes is ASCII");
        [(header::ETAG, tag)]
    }
}

/// Which entries are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct EntriesAsked {
    /// From this day on.
    #[param(value_type = Option<NaiveDate>, nullable = false)]
    from: Option<String>,
    /// Up to this day.
    #[param(value_type = Option<NaiveDate>, nullable = false)]
    to: Option<String>,
    /// Of this project only.
    #[param(value_type = Option<Uuid>, nullable = false)]
    project_id: Option<String>,
    /// That came in so only.
    #[param(value_type = Option<schema::EntrySource>, nullable = false)]
    source: Option<String>,
    /// That stand there only.
    #[param(value_type = Option<schema::EntryStatus>, nullable = false)]
    status: Option<String>,
    /// How many a page holds, 1 to 200; 50 unless it is said.
    #[param(value_type = Option<u64>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
}

impl Asked for EntriesAsked {
    const FIELDS: &'static [(&'static str, &'static str)] = &[
        ("from", DAY),
        ("to", DAY),
        ("project_id", PROJECT_ONLY),
        ("source", SOURCE),
        ("status", STATUS),
        ("limit", LIMIT),
        ("cursor", CURSOR),
    ];
}

impl EntriesAsked {
    fn filter(&self) -> Result<EntryFilter, Problem> {
        let word = |field, takes| move |_| Problem::invalid(field, takes);
        let source = self.source.as_deref().map(str::parse);
        let status = self.status.as_deref().map(str::parse);
        let (from, to) = lists::days(self.from.as_deref(), self.to.as_deref())?;
        Ok(EntryFilter {
            from: from.unwrap_or(DateTime::UNIX_EPOCH.date_naive()),
            // The last day there is a name for in both databases.
            to: to.unwrap_or(LAST_DAY),
            project_id: lists::id("project_id", PROJECT_ONLY, self.project_id.as_deref())?,
            source: source.transpose().map_err(word("source", SOURCE))?,
            status: status.transpose().map_err(word("status", STATUS))?,
        })
    }
}

/// The last day that has four digits for its year.
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("there is such a day");

/// Time entries
///
/// The caller's: the newest day first, and in it the latest entry first.
#[utoipa::path(
    get, path = "/time-entries", operation_id = "listTimeEntries", tag = "Time entries",
    params(EntriesAsked),
    responses((
        status = 200, description = "A page of them.", body = List<Entry>,
        links(
            ("one" = (operation_id = "getTimeEntry", parameters(("id" = "$response.body#/items/0/id")))),
            ("change" = (operation_id = "changeTimeEntry", parameters(("id" = "$response.body#/items/0/id")))),
        ),
    )),
)]
pub(super) async fn list(
    State(site): State<Site>,
    caller: Caller,
    Parameters(asked): Parameters<EntriesAsked>,
) -> Result<Json<List<Entry>>, Problem> {
    let filter = asked.filter()?;
    let limit = lists::limit(asked.limit.as_deref())?;
    let page = site
        .app
        .entry_page(&caller.member, &filter, asked.cursor.as_deref(), limit)
        .await?
        .ok_or_else(lists::bad_cursor)?;
    Ok(Json(List {
        items: page.items.into_iter().map(Entry::from).collect(),
        next_cursor: page.next,
    }))
}

/// An entry to be made. It has a length, or a beginning and an end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTimeEntry {
    /// What was done; 1 to 3,000 characters.
    #[schema(min_length = 1, max_length = 3000, examples("Usability notes"))]
    description: String,
    /// The day it counts for: that of `started_at`, or today, unless it is said.
    #[serde(default)]
    date: Option<NaiveDate>,
    /// When the work began.
    #[serde(default)]
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default)]
    ended_at: Option<DateTime<Utc>>,
    /// 1 to 1,440; all from beginning to end unless it is said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1440, examples(90))]
    duration_minutes: Option<u32>,
    /// What it is for.
    #[serde(default)]
    project_id: Option<Uuid>,
    /// Whether it goes on an invoice; what is usual for the project unless it is said.
    #[serde(default)]
    billable: Option<bool>,
    /// Words to find it by.
    #[serde(default)]
    #[schema(max_items = 20)]
    tags: Vec<String>,
}

/// What both a new entry and a change can say.
const ENTRY_FIELDS: &[(&str, &str)] = &[
    ("description", DESCRIPTION),
    ("date", DATE),
    ("started_at", INSTANT),
    ("ended_at", INSTANT),
    ("duration_minutes", MINUTES),
    ("project_id", PROJECT),
    ("billable", BILLABLE),
    ("tags", TAGS),
];

impl Asked for NewTimeEntry {
    const FIELDS: &'static [(&'static str, &'static str)] = ENTRY_FIELDS;
}

/// Make a time entry
///
/// It has a length, or a beginning and an end, or all of them where there were breaks.
#[utoipa::path(
    post, path = "/time-entries", operation_id = "createTimeEntry", tag = "Time entries",
    request_body = NewTimeEntry,
    responses((
        status = 201, description = "The new entry.", body = Entry,
        headers(("ETag" = String, description = "Its version."), ("Location" = String, description = "Where it is.")),
        links(
            ("one" = (operation_id = "getTimeEntry", parameters(("id" = "$response.body#/id")))),
            ("change" = (operation_id = "changeTimeEntry", parameters(("id" = "$response.body#/id")))),
            ("delete" = (operation_id = "deleteTimeEntry", parameters(("id" = "$response.body#/id")))),
        ),
    )),
)]
pub(super) async fn create(
    State(site): State<Site>,
    caller: Caller,
    key: Option<Extension<RequestKey>>,
    Fields(new): Fields<NewTimeEntry>,
) -> Result<Response, Problem> {
    let input = EntryInput {
        description: Some(new.description),
        date: new.date,
        started_at: Some(new.started_at),
        ended_at: Some(new.ended_at),
        duration_minutes: new.duration_minutes,
        project_id: Some(new.project_id),
        billable: new.billable,
        tags: Some(new.tags),
    };
    let key = match key {
        Some(Extension(RequestKey(key))) => key,
        None => site.app.clock().new_id(),
    };
    let made = site.app.create_entry(&caller.member, key, &input).await?;
    let entry =
        Entry::from(made.map_err(|problems| not_so("The entry cannot be made", &problems))?);
    let location = format!("/api/v1/time-entries/{}", entry.id);
    let location = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, entry.etag(), location, Json(entry)).into_response())
}

/// One time entry
#[utoipa::path(
    get, path = "/time-entries/{id}", operation_id = "getTimeEntry", tag = "Time entries",
    params(("id" = Uuid, Path, description = "The entry's id."), ("If-None-Match" = Option<String>, Header, nullable = false, description = "Versions that are known; one of them is not sent again.")),
    responses(
        (status = 200, description = "The entry.", body = Entry, headers(("ETag" = String, description = "Its version."))),
        (status = 304, description = "It is as `If-None-Match` says.", headers(("ETag" = String, description = "Its version."))),
    ),
)]
pub(super) async fn one(
    State(site): State<Site>,
    Path(id): Path<String>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = site
        .app
        .listed_entry(&caller.member, entry_id(&id)?)
        .await?;
    let entry = Entry::from(found.ok_or_else(unknown)?);
    let etag = entry.etag();
    if is_known(&headers, entry.version) {
        return Ok((StatusCode::NOT_MODIFIED, etag).into_response());
    }
    Ok((etag, Json(entry)).into_response())
}

/// What is to be otherwise with an entry; what is not named stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TimeEntryPatch {
    /// What was done.
    #[serde(deserialize_with = "named")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 3000,
        examples("Usability notes")
    )]
    description: Option<String>,
    /// The day it counts for.
    #[serde(deserialize_with = "named")]
    #[schema(nullable = false)]
    date: Option<NaiveDate>,
    /// `null`, with `ended_at`, where it is no longer known.
    #[serde(deserialize_with = "named")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    #[expect(
        clippy::option_option,
        reason = "left out, null, and a value are three things"
    )]
    started_at: Option<Option<DateTime<Utc>>>,
    /// Like `started_at`.
    #[serde(deserialize_with = "named")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    #[expect(
        clippy::option_option,
        reason = "left out, null, and a value are three things"
    )]
    ended_at: Option<Option<DateTime<Utc>>>,
    /// 1 to 1,440.
    #[serde(deserialize_with = "named")]
    #[schema(nullable = false, minimum = 1, maximum = 1440, examples(90))]
    duration_minutes: Option<u32>,
    /// `null` for no project.
    #[serde(deserialize_with = "named")]
    #[schema(value_type = Option<Uuid>)]
    #[expect(
        clippy::option_option,
        reason = "left out, null, and a value are three things"
    )]
    project_id: Option<Option<Uuid>>,
    /// Whether it goes on an invoice.
    #[serde(deserialize_with = "named")]
    #[schema(nullable = false)]
    billable: Option<bool>,
    /// Words to find it by.
    #[serde(deserialize_with = "named")]
    #[schema(nullable = false, max_items = 20)]
    tags: Option<Vec<String>>,
}

impl Asked for TimeEntryPatch {
    const FIELDS: &'static [(&'static str, &'static str)] = ENTRY_FIELDS;
}

/// Change a time entry
///
/// What is not named stays. An entry that is approved or billed stays as it is.
#[utoipa::path(
    patch, path = "/time-entries/{id}", operation_id = "changeTimeEntry", tag = "Time entries",
    params(("id" = Uuid, Path, description = "The entry's id."), ("If-Match" = Option<String>, Header, nullable = false, description = "The version that the change is made for, from `ETag`.")),
    request_body = TimeEntryPatch,
    responses(
        (status = 200, description = "The entry as it is now.", body = Entry, headers(("ETag" = String, description = "Its version."))),
        (status = 409, description = "`entry-settled`: it is approved or billed."),
        (status = 412, description = "`entry-changed`: `If-Match` names another version than it has."),
        (status = 422, description = "`invalid`: also where `If-Match` is no strong tag, such as `\"2\"`."),
    ),
)]
pub(super) async fn change(
    State(site): State<Site>,
    Path(id): Path<String>,
    caller: Caller,
    headers: HeaderMap,
    Fields(patch): Fields<TimeEntryPatch>,
) -> Result<Response, Problem> {
    let input = EntryInput {
        description: patch.description,
        date: patch.date,
        started_at: patch.started_at,
        ended_at: patch.ended_at,
        duration_minutes: patch.duration_minutes,
        project_id: patch.project_id,
        billable: patch.billable,
        tags: patch.tags,
    };
    let (id, expected) = (entry_id(&id)?, expected(&headers)?);
    let outcome = site
        .app
        .patch_entry(&caller.member, id, &expected, &input)
        .await?;
    answer(outcome)
}

/// Delete a time entry
///
/// `/time undo` brings it back. An entry that is approved or billed stays.
#[utoipa::path(
    delete, path = "/time-entries/{id}", operation_id = "deleteTimeEntry", tag = "Time entries",
    params(("id" = Uuid, Path, description = "The entry's id."), ("If-Match" = Option<String>, Header, nullable = false, description = "The version that the change is made for, from `ETag`.")),
    responses(
        (status = 204, description = "It is deleted."),
        (status = 409, description = "`entry-settled`: it is approved or billed."),
        (status = 412, description = "`entry-changed`: `If-Match` names another version than it has."),
        (status = 422, description = "`invalid`: also where `If-Match` is no strong tag, such as `\"2\"`."),
    ),
)]
pub(super) async fn delete(
    State(site): State<Site>,
    Path(id): Path<String>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (id, expected) = (entry_id(&id)?, expected(&headers)?);
    answer(site.app.delete_entry(&caller.member, id, &expected).await?)
}

fn answer(outcome: EntryOutcome) -> Result<Response, Problem> {
    match outcome {
        EntryOutcome::Done(listed) => {
            let entry = Entry::from(*listed);
            Ok((entry.etag(), Json(entry)).into_response())
        }
        EntryOutcome::Deleted => Ok(StatusCode::NO_CONTENT.into_response()),
        EntryOutcome::Problems(problems) => {
            Err(not_so("The entry cannot be changed so", &problems))
        }
        EntryOutcome::Stale => Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "entry-changed",
            "The entry was changed meanwhile",
            "Read it again, and send the change with its ETag as it is now.",
        )),
        EntryOutcome::Settled => Err(Problem::new(
            StatusCode::CONFLICT,
            "entry-settled",
            "The entry is approved or billed",
            "It can be changed again once it is sent back.",
        )),
        EntryOutcome::Unknown => Err(unknown()),
    }
}

fn not_so(title: &str, problems: &[EntryProblem]) -> Problem {
    Problem::invalid_fields(
        title,
        "Nothing was changed. Each of errors names a field and what it takes.",
        problems
            .iter()
            .map(|problem| (problem.field().to_owned(), problem.sentence())),
    )
}

fn unknown() -> Problem {
    Problem::not_found("time entry")
}

fn entry_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| unknown())
}

/// The version that a change is made for, or any; a tag that compares with none is the sender's mistake (RFC 9110,
/// 13.1.1), and not a change of somebody else's.
fn expected(headers: &HeaderMap) -> Result<Expected, Problem> {
    let mut named = Vec::new();
    let mut is_sent = false;
    for value in headers.get_all(header::IF_MATCH) {
        is_sent = true;
        let value = value.to_str().map_err(|_| no_version())?;
        for tag in tags(value) {
            if tag == "*" {
                return Ok(Expected::Any);
            }
            named.push(quoted(tag).ok_or_else(no_version)?);
        }
    }
    match (is_sent, named.is_empty()) {
        (false, _) => Ok(Expected::Any),
        (true, true) => Err(no_version()),
        // What is no number is no version of ours.
        (true, false) => Ok(Expected::OneOf(
            named
                .into_iter()
                .filter_map(|tag| tag.parse().ok())
                .collect(),
        )),
    }
}

fn no_version() -> Problem {
    Problem::invalid("If-Match", IF_MATCH)
}

/// Whether `If-None-Match` names this version. What is no tag of ours names none; two of one version are the same
/// whichever way they are compared (RFC 9110, 13.1.2).
fn is_known(headers: &HeaderMap, version: i32) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(tags);
    tags.any(|tag| {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || quoted(strong).and_then(|tag| tag.parse().ok()) == Some(version)
    })
}

/// The tags of a list; it may have empty places.
fn tags(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
}

/// What stands in the quotes of a strong tag.
fn quoted(tag: &str) -> Option<&str> {
    let inner = tag.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('"')).then_some(inner)
}
