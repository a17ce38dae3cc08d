//! The file of refused rows.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Writer, WriterBuilder};
use serde::Serialize;

use crate::SourceError;

/// One refused row. The reason repeats no cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// The CSV file.
    pub file: PathBuf,
    /// Physical line on which the row starts, from 1.
    pub line: u64,
    /// The column, empty when the row as a whole is refused.
    pub column: String,
    /// Why, and what to do.
    pub reason: String,
}

impl std::fmt::Display for Reject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` line {}", self.file.display(), self.line)?;
        if !self.column.is_empty() {
            write!(f, ", column `{}`", self.column)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Refused rows as they were, each followed by `line`, `column` and `reason`. Created with the first of them, readable
/// by its owner alone: unlike everything else that an import prints it holds the department's own records.
pub(crate) struct RejectFile {
    path: PathBuf,
    header: ByteRecord,
    delimiter: u8,
    writer: Option<Writer<File>>,
}

impl RejectFile {
    pub(crate) fn new(path: PathBuf, header: &ByteRecord, delimiter: u8) -> Self {
        Self { path, header: header.clone(), delimiter, writer: None }
    }

    /// The file, if any row was refused.
    pub(crate) fn written(&self) -> Option<PathBuf> {
        self.writer.as_ref().map(|_| self.path.clone())
    }

    pub(crate) fn write(&mut self, row: &ByteRecord, reject: &Reject) -> Result<(), SourceError> {
        let width = self.header.len();
        let mut out: ByteRecord = (0..width).map(|i| row.get(i).unwrap_or_default()).collect();
        out.push_field(reject.line.to_string().as_bytes());
        out.push_field(reject.column.as_bytes());
        out.push_field(reject.reason.as_bytes());
        row.iter().skip(width).for_each(|surplus| out.push_field(surplus));
        let path = self.path.clone();
        self.writer()?.write_byte_record(&out).map_err(|e| failed(&path, e.into()))
    }

    pub(crate) fn flush(&mut self) -> Result<(), SourceError> {
        let path = self.path.clone();
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.flush().and_then(|()| writer.get_ref().sync_all()).map_err(|e| failed(&path, e))
    }

    fn writer(&mut self) -> Result<&mut Writer<File>, SourceError> {
        if self.writer.is_none() {
            self.writer = Some(self.create().map_err(|e| failed(&self.path, e))?);
        }
        self.writer.as_mut().ok_or(SourceError::Stopped)
    }

    fn create(&self) -> std::io::Result<Writer<File>> {
        let file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(&self.path)?;
        let mut writer = WriterBuilder::new().flexible(true).delimiter(self.delimiter).from_writer(file);
        let mut header = self.header.clone();
        let taken = self.header.iter().any(|h| [&b"line"[..], b"column", b"reason"].contains(&h));
        for name in ["line", "column", "reason"] {
            header.push_field(if taken { format!("reject_{name}") } else { name.to_owned() }.as_bytes());
        }
        writer.write_byte_record(&header)?;
        Ok(writer)
    }
}

fn failed(path: &Path, source: std::io::Error) -> SourceError {
    SourceError::File { action: "write", path: path.into(), source }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
