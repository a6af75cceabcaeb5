//! The rows of a file, and which entry each of them is.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read},
};

use chrono::{DateTime, NaiveDate, Utc};
use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{BATCH, ImportStop, Person};
use crate::{
    app::time_entries::AHEAD_MAX,
    domain::entry_import::{Author, Columns, DateOrder, ImportedRow, Row, RowProblem},
    store::EntryTimes,
};

/// What separates cells: a comma, or what spreadsheets write where the comma is the decimal point, or tabs.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// What is looked through to find out which; a longer first line names no columns.
const HEADER_MAX: usize = 64 * 1024;
/// The longest row, in bytes: far more than all texts of an entry. Without a limit a quotation mark that is missing
/// would bring the rest of the file into memory.
const ROW_MAX: usize = 1024 * 1024;

/// A file and what its first line says.
#[derive(Debug)]
pub(super) struct ImportFile<O> {
    open: O,
    separator: u8,
    /// Lines that end in two bytes: the reader counts a line when it meets the second one, which is at the next row.
    has_crlf: bool,
    pub(super) columns: Columns,
}

impl<R: Read, O: Fn() -> std::io::Result<R>> ImportFile<O> {
    pub(super) fn open(open: O) -> Result<Self, ImportStop> {
        let mut beginning = Vec::new();
        let limit = u64::try_from(HEADER_MAX).unwrap_or(u64::MAX);
        BufReader::new(open()?.take(limit)).read_until(b'\n', &mut beginning)?;
        if beginning.starts_with(&[0xff, 0xfe]) || beginning.starts_with(&[0xfe, 0xff]) {
            return Err(ImportStop::Utf16);
        }
        let separator = separator_of(&beginning);
        let mut header = reader(beginning.as_slice(), separator);
        // A heading that is no text is none of those that are looked for.
        let header = StringRecord::from_byte_record_lossy(header.byte_headers()?.clone());
        if header.iter().all(|cell| cell.trim().is_empty()) {
            return Err(ImportStop::Empty);
        }
        let columns = Columns::of_header(header.iter())?;
        Ok(Self {
            open,
            separator,
            has_crlf: beginning.ends_with(b"\r\n"),
            columns,
        })
    }

    pub(super) fn rows(&self) -> Result<Rows<'_, R>, ImportStop> {
        Ok(Rows {
            columns: &self.columns,
            has_crlf: self.has_crlf,
            reader: reader(
                Metered {
                    inner: (self.open)()?,
                    since: 0,
                    has_odd_quotes: false,
                },
                self.separator,
            ),
            record: ByteRecord::new(),
        })
    }
}

/// The one of [`SEPARATORS`] that stands most often outside quotation marks.
fn separator_of(line: &[u8]) -> u8 {
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut is_quoted = false;
    for byte in line {
        is_quoted ^= *byte == b'"';
        if let Some(place) = SEPARATORS.iter().position(|one| one == byte)
            && !is_quoted
        {
            counts[place] += 1;
        }
    }
    // The first of equals: a line of one column has none of them.
    let most = (0..SEPARATORS.len())
        .rev()
        .max_by_key(|place| counts[*place]);
    most.map_or(b',', |place| SEPARATORS[place])
}

fn reader<R: Read>(from: R, separator: u8) -> Reader<R> {
    ReaderBuilder::new()
        .delimiter(separator)
        // A row with too few cells says nothing in the last columns; one with too many is a problem of its own.
        .flexible(true)
        .from_reader(from)
}

/// What is read, and how much of it since it was last asked.
#[derive(Debug)]
struct Metered<R> {
    inner: R,
    since: usize,
    has_odd_quotes: bool,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.since > ROW_MAX {
            return Err(std::io::Error::other("the row is too long"));
        }
        let read = self.inner.read(into)?;
        self.since += read;
        for byte in &into[..read] {
            self.has_odd_quotes ^= *byte == b'"';
        }
        Ok(read)
    }
}

/// The rows that are left of a file.
#[derive(Debug)]
pub(super) struct Rows<'a, R> {
    columns: &'a Columns,
    has_crlf: bool,
    reader: Reader<Metered<R>>,
    record: ByteRecord,
}

impl<'a, R: Read> Rows<'a, R> {
    /// Goes to the next row that is not empty; `false` at the end.
    pub(super) fn advance(&mut self) -> Result<bool, ImportStop> {
        loop {
            self.reader.get_mut().since = 0;
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(_) if self.reader.get_ref().since > ROW_MAX => {
                    return Err(ImportStop::RowTooLong(self.line()));
                }
                Err(error) => return Err(error.into()),
            }
            if self.record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                return Ok(true);
            }
        }
    }

    /// Whether a quotation mark that has come so far has none that belongs to it.
    pub(super) fn has_odd_quotes(&self) -> bool {
        self.reader.get_ref().has_odd_quotes
    }

    /// The line that the row begins in, the first one of the file being 1.
    fn line(&self) -> u64 {
        let line = self.record.position().map_or(0, csv::Position::line);
        line + u64::from(self.has_crlf)
    }

    /// Its cells; what is no text is empty.
    pub(super) fn cells(&self) -> Vec<&str> {
        let text = |cell| std::str::from_utf8(cell).unwrap_or_default();
        self.record.iter().map(text).collect()
    }

    pub(super) fn row<'b>(&self, cells: &'b [&'b str]) -> Row<'b>
    where
        'a: 'b,
    {
        Row::new(self.columns, cells)
    }

    fn is_text(&self) -> bool {
        self.record
            .iter()
            .all(|cell| std::str::from_utf8(cell).is_ok())
    }
}

/// A row, and what is to be done with it.
#[derive(Debug)]
pub(super) enum Reading {
    /// It is an entry.
    Found(Box<Found>),
    /// It is an entry of somebody who is not imported.
    LeftOut(Author),
    /// It is none as it stands.
    Problem(u64, RowProblem),
}

impl Reading {
    pub(super) fn found(self) -> Option<Found> {
        match self {
            Self::Found(found) => Some(*found),
            Self::LeftOut(_) | Self::Problem(..) => None,
        }
    }
}

/// An entry of a file.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) line: u64,
    /// The place of its person.
    pub(super) person: usize,
    pub(super) row: ImportedRow,
    /// The id it has here.
    pub(super) id: Uuid,
}

impl Found {
    /// When it was, where that is known.
    pub(super) fn times(&self) -> Option<EntryTimes> {
        let (start, _) = self.row.span.filter(|_| self.row.is_timed)?;
        let minutes = i32::try_from(self.row.minutes().get()).ok()?;
        Some((self.row.date, start, minutes))
    }
}

/// The rows of a file, so many at a time.
pub(super) struct Batches<'a, R> {
    rows: Rows<'a, R>,
    order: DateOrder,
    people: &'a [Person],
    /// No day of anybody's is later than this yet.
    latest: NaiveDate,
    /// How often each entry was there so far: two rows that say the same are two entries.
    times: HashMap<[u8; 16], u32>,
}

impl<'a, R: Read> Batches<'a, R> {
    pub(super) fn new(
        rows: Rows<'a, R>,
        order: DateOrder,
        people: &'a [Person],
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            rows,
            order,
            people,
            latest: (now + AHEAD_MAX).date_naive(),
            times: HashMap::new(),
        }
    }

    /// The next rows; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Reading>>, ImportStop> {
        let mut batch = Vec::new();
        while batch.len() < BATCH && self.rows.advance()? {
            batch.push(self.reading());
        }
        Ok((!batch.is_empty()).then_some(batch))
    }

    fn reading(&mut self) -> Reading {
        let line = self.rows.line();
        if !self.rows.is_text() {
            return Reading::Problem(line, RowProblem::NotUtf8);
        }
        let cells = self.rows.cells();
        let row = self.rows.row(&cells);
        let author = row.author();
        let is_theirs = |person: &Person| person.author == author;
        let Some(person) = self.people.iter().position(is_theirs) else {
            return Reading::LeftOut(author);
        };
        let row = match row.read(self.order, self.people[person].zone) {
            Ok(row) if row.date > self.latest => {
                return Reading::Problem(line, RowProblem::Future(row.date));
            }
            Ok(row) => row,
            Err(problem) => return Reading::Problem(line, problem),
        };
        let id = match row.id {
            Some(id) => id,
            None => {
                let says = digest(self.people[person].member.user_id, &row);
                let times = self.times.entry(says).or_default();
                *times += 1;
                id_of(&row, says, *times)
            }
        };
        Reading::Found(Box::new(Found {
            line,
            person,
            row,
            id,
        }))
    }
}

/// What makes an entry the one it is: whose, when, how long and what for. Not its tags, nor whether it is billable:
/// those are what people change afterwards, and a report of the same month that is imported again must not double it.
fn digest(user_id: Uuid, row: &ImportedRow) -> [u8; 16] {
    let mut digest = Sha256::new();
    digest.update(user_id.as_bytes());
    let started = row.started.map(|time| time.to_string());
    for text in [
        &row.date.to_string(),
        started.as_deref().unwrap_or_default(),
        &row.seconds.to_string(),
        row.project.as_deref().unwrap_or_default(),
        row.client.as_deref().unwrap_or_default(),
        row.task.as_deref().unwrap_or_default(),
        &row.description,
    ] {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    let digest = digest.finalize();
    std::array::from_fn(|place| digest[place])
}

/// The id of the entry that says this for the first, second or later time. In the place of a UUIDv7's milliseconds stand the
/// seconds of its beginning: imported entries are in the order of their days, and before all that was ever logged
/// here, so that none of them is the last one that was made.
fn id_of(row: &ImportedRow, says: [u8; 16], times: u32) -> Uuid {
    let digest = Sha256::new()
        .chain_update(says)
        .chain_update(times.to_be_bytes())
        .finalize();
    let began = row
        .date
        .and_time(row.started.unwrap_or_default())
        .and_utc()
        .timestamp();
    let random = std::array::from_fn(|place| digest[place]);
    let began = u64::try_from(began).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(began, &random).into_uuid()
}
