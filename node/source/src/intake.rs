//! Reads a CSV file row by row: each becomes a record or a reject.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use covenant_canon::{HashAlgorithm, Hasher, MAX_BYTES, to_bytes};
use covenant_domain::{Record, Subject};
use csv::ByteRecord;
use tokio::sync::mpsc::Sender;

use crate::import::RecordCheck;
use crate::plan::Plan;
use crate::quotes::{QuoteFault, Quotes};
use crate::rejects::{Reject, RejectFile};
use crate::{CellFault, KeyKind, Mapping, Origin, Progress, SourceError, cell, synthetic};

/// Rows of a batch; with four parameters each, half of what SQLite takes in one statement (32 766), a quarter of
/// PostgreSQL's (65 535).
const BATCH_ROWS: usize = 4_000;
const BATCH_BYTES: usize = 4 << 20;
/// Rejects that a report repeats; all are in the file.
const FIRST_REJECTS: usize = 20;

/// Accepted rows on their way to the database: subject and canonical record.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<(String, Vec<u8>)>,
    pub(crate) progress: Progress,
    bytes: usize,
    read: usize,
}

/// What became of a file.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    pub(crate) rejected: u64,
    pub(crate) first: Vec<Reject>,
    pub(crate) rejects_file: Option<PathBuf>,
}

/// Sixteen bytes that stand for a subject where only equality matters.
pub(crate) fn fingerprint(subject: &str) -> [u8; 16] {
    let mut hasher = Hasher::new(HashAlgorithm::Sha256);
    hasher.update(subject.as_bytes());
    let digest = hasher.finish();
    digest.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// Subjects met so far with the line of each; line zero stands for a record of an earlier import.
pub(crate) type Seen = HashMap<[u8; 16], u64>;

/// Why a row is refused, and for which column.
struct Refusal {
    column: String,
    reason: String,
}

pub(crate) struct Intake {
    file: PathBuf,
    length: u64,
    reader: csv::Reader<Quotes<BufReader<File>>>,
    header: Vec<String>,
    plan: Plan,
    key: KeyKind,
    subject_index: Option<usize>,
    /// Column index of each rule of the plan.
    columns: Vec<usize>,
    /// None when several rows per subject are welcome.
    seen: Option<Seen>,
    check: Option<RecordCheck>,
    keep_going: bool,
    rejects: RejectFile,
    tally: Tally,
}

impl Intake {
    /// Opens the file and checks its header.
    pub(crate) fn open(
        file: &Path,
        mapping: &Mapping,
        plan: Plan,
        rejects: PathBuf,
        keep_going: bool,
    ) -> Result<Self, SourceError> {
        let Origin::Csv { subject_column, delimiter } = &mapping.origin else {
            let detail = "it maps a `[table]`, which is read live and not imported".to_owned();
            return Err(SourceError::Mapping { file: mapping.file.clone(), detail });
        };
        let (input, length) = open_text(file)?;
        let quotes = Quotes::new(input, *delimiter);
        let mut builder = csv::ReaderBuilder::new();
        let mut reader = builder.has_headers(false).flexible(true).delimiter(*delimiter).from_reader(quotes);
        let raw = read_header(file, &mut reader)?;
        let header = header_names(file, &raw)?;
        let index = |column: &str| column_index(file, &header, column);
        let subject_index = subject_column.as_deref().map(index).transpose()?;
        let columns = plan.rules.iter().map(|r| index(&r.column)).collect::<Result<_, _>>()?;
        let rejects = RejectFile::new(rejects, &raw, *delimiter);
        let (key, tally) = (mapping.key, Tally::default());
        let file = file.to_owned();
        Ok(Self {
            file,
            length,
            reader,
            header,
            plan,
            key,
            subject_index,
            columns,
            seen: None,
            check: None,
            keep_going,
            rejects,
            tally,
        })
    }

    /// Demands that each subject appears once, and none of those in `seen`.
    pub(crate) fn unique(&mut self, seen: Seen) {
        self.seen = Some(seen);
    }

    /// Demands that each record passes a further check.
    pub(crate) fn check(&mut self, check: RecordCheck) {
        self.check = Some(check);
    }

    /// Reads to the end. Ends early when nobody receives any more.
    pub(crate) fn run(mut self, out: &Sender<Batch>) -> Result<Tally, SourceError> {
        let (mut batch, mut row) = (Batch::default(), ByteRecord::new());
        while let Some(line) = next_row(&self.file, &mut self.reader, &mut row)? {
            self.tally.rows += 1;
            batch.read += 1;
            match self.accept(&row, line) {
                Ok(entry) => {
                    batch.bytes += entry.1.len();
                    batch.rows.push(entry);
                }
                Err(refusal) => self.refuse(&row, line, refusal)?,
            }
            if batch.read >= BATCH_ROWS || batch.bytes >= BATCH_BYTES {
                self.send(std::mem::take(&mut batch), out)?;
            }
        }
        self.send(batch, out)?;
        self.rejects.flush()?;
        self.tally.rejects_file = self.rejects.written();
        if self.tally.rows == 0 {
            let detail = "there are no rows after the header".to_owned();
            return Err(SourceError::Header { file: self.file, detail });
        }
        Ok(self.tally)
    }

    fn send(&mut self, mut batch: Batch, out: &Sender<Batch>) -> Result<(), SourceError> {
        if self.tally.rejected > 0 && !self.keep_going {
            // The import will fail; the rest is read only to report every bad row at once.
            batch.rows.clear();
        }
        let bytes = self.reader.get_ref().passed.min(self.length);
        let (rows, rejected) = (self.tally.rows, self.tally.rejected);
        batch.progress = Progress { rows, rejected, bytes, total_bytes: self.length };
        out.blocking_send(batch).map_err(|_| SourceError::Stopped)
    }

    fn accept(&mut self, row: &ByteRecord, line: u64) -> Result<(String, Vec<u8>), Refusal> {
        if row.len() != self.header.len() {
            let reason = format!("has {} columns where the header has {}", row.len(), self.header.len());
            return Err(Refusal { column: String::new(), reason });
        }
        let subject = self.subject(row)?.canonical();
        let mut values = Vec::with_capacity(self.columns.len());
        for (rule, index) in self.plan.rules.iter().zip(&self.columns) {
            values.push(self.value(row, *index, |text| cell::convert(rule, text))?);
        }
        let record = self.plan.record(&values);
        self.passes(&record)?;
        let body = to_bytes(&record);
        if body.len() > MAX_BYTES {
            let reason = format!("makes a record of more than {MAX_BYTES} bytes");
            return Err(Refusal { column: String::new(), reason });
        }
        self.first_of(&subject, line)?;
        Ok((subject, body))
    }

    fn subject(&self, row: &ByteRecord) -> Result<Subject, Refusal> {
        match self.subject_index {
            None => Ok(synthetic::synthetic_subject(self.key.subject(), self.tally.rows)),
            Some(index) => self.value(row, index, |text| parse_subject(self.key, text)),
        }
    }

    fn value<T>(
        &self,
        row: &ByteRecord,
        index: usize,
        convert: impl FnOnce(&str) -> Result<T, CellFault>,
    ) -> Result<T, Refusal> {
        let bytes = row.get(index).unwrap_or_default();
        let value = std::str::from_utf8(bytes).map_err(|_| CellFault::Encoding).and_then(convert);
        value.map_err(|fault| Refusal { column: self.column(index), reason: fault.to_string() })
    }

    fn column(&self, index: usize) -> String {
        self.header.get(index).cloned().unwrap_or_default()
    }

    /// The first fault of the further check is told by its column, the others beside it.
    fn passes(&self, record: &Record) -> Result<(), Refusal> {
        let faults = self.check.as_ref().map(|check| check.faults(record)).unwrap_or_default();
        let Some((first, reason)) = faults.first() else { return Ok(()) };
        let rule = self.plan.rules.iter().position(|r| r.name.as_str() == first);
        let column = rule.and_then(|r| self.columns.get(r)).map(|index| self.column(*index)).unwrap_or_default();
        let others = faults.iter().skip(1).map(|(field, reason)| format!("; field `{field}` {reason}"));
        Err(Refusal { column, reason: format!("{reason}{}", others.collect::<String>()) })
    }

    fn first_of(&mut self, subject: &str, line: u64) -> Result<(), Refusal> {
        let Some(seen) = &mut self.seen else { return Ok(()) };
        let reason = match seen.entry(fingerprint(subject)) {
            Entry::Vacant(free) => {
                free.insert(line);
                return Ok(());
            }
            Entry::Occupied(first) if *first.get() == 0 => {
                "a record of this subject is in the vault already: replace the dataset instead".to_owned()
            }
            Entry::Occupied(first) => format!("repeats the subject of line {}", first.get()),
        };
        Err(Refusal { column: self.subject_index.map(|i| self.column(i)).unwrap_or_default(), reason })
    }

    fn refuse(&mut self, row: &ByteRecord, line: u64, refusal: Refusal) -> Result<(), SourceError> {
        let reject = Reject { file: self.file.clone(), line, column: refusal.column, reason: refusal.reason };
        self.rejects.write(row, &reject)?;
        self.tally.rejected += 1;
        if self.tally.first.len() < FIRST_REJECTS {
            self.tally.first.push(reject);
        }
        Ok(())
    }
}

fn parse_subject(key: KeyKind, text: &str) -> Result<Subject, CellFault> {
    let text = cell::normalised(text);
    if text.is_empty() {
        return Err(CellFault::Empty);
    }
    Subject::of_kind(key.subject(), &text).map_err(CellFault::NotSubject)
}

fn open_text(file: &Path) -> Result<(BufReader<File>, u64), SourceError> {
    let failed = |source| SourceError::File { action: "read", path: file.into(), source };
    let opened = File::open(file).map_err(failed)?;
    let mut length = opened.metadata().map_err(failed)?.len();
    let mut input = BufReader::with_capacity(1 << 16, opened);
    let head = input.fill_buf().map_err(failed)?;
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        let detail = "the file is utf-16: save it as csv in utf-8".to_owned();
        return Err(SourceError::Header { file: file.into(), detail });
    }
    if head.starts_with(&[0xef, 0xbb, 0xbf]) {
        input.consume(3);
        length = length.saturating_sub(3);
    }
    Ok((input, length))
}

fn read_header(file: &Path, reader: &mut csv::Reader<Quotes<BufReader<File>>>) -> Result<ByteRecord, SourceError> {
    let mut raw = ByteRecord::new();
    match next_row(file, reader, &mut raw)? {
        Some(_) => Ok(raw),
        None => Err(SourceError::Header { file: file.into(), detail: "the file is empty".into() }),
    }
}

/// The next row and the physical line on which it starts.
fn next_row(
    file: &Path,
    reader: &mut csv::Reader<Quotes<BufReader<File>>>,
    row: &mut ByteRecord,
) -> Result<Option<u64>, SourceError> {
    match reader.read_byte_record(row) {
        Ok(true) => Ok(Some(reader.get_mut().next_line())),
        Ok(false) => Ok(None),
        Err(error) => Err(match error.into_kind() {
            csv::ErrorKind::Io(cause) => malformed(file, cause),
            other => malformed(file, std::io::Error::other(format!("{other:?}"))),
        }),
    }
}

fn malformed(file: &Path, error: std::io::Error) -> SourceError {
    match error.get_ref().and_then(|e| e.downcast_ref::<QuoteFault>()) {
        Some(fault) => SourceError::Malformed { file: file.into(), line: fault.line(), detail: fault.to_string() },
        None => SourceError::File { action: "read", path: file.into(), source: error },
    }
}

fn header_names(file: &Path, raw: &ByteRecord) -> Result<Vec<String>, SourceError> {
    let wrong = |detail: String| SourceError::Header { file: file.into(), detail };
    let mut names: Vec<String> = Vec::with_capacity(raw.len());
    for bytes in raw {
        let name = std::str::from_utf8(bytes).map_err(|_| wrong("the header is not utf-8: convert the file".into()))?;
        if names.iter().any(|n| n == name.trim()) {
            return Err(wrong(format!("column `{}` appears twice in the header: rename one", name.trim())));
        }
        names.push(name.trim().to_owned());
    }
    Ok(names)
}

fn column_index(file: &Path, header: &[String], column: &str) -> Result<usize, SourceError> {
    header.iter().position(|name| name == column.trim()).ok_or_else(|| {
        let there = header.iter().map(|h| format!("`{h}`")).collect::<Vec<_>>().join(", ");
        let detail = format!("the header has no column `{column}` (wrong delimiter?); it has {there}");
        SourceError::Header { file: file.into(), detail }
    })
}
