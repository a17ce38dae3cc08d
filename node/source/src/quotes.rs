//! Watches the quotes of a CSV file (RFC 4180) as its bytes pass, so that a lost quote is an error with its line and
//! not one field that swallows the rest of the file. Also notes on which physical line each row starts.

use std::collections::VecDeque;
use std::io::{self, Read};

/// Longest row, in bytes.
const MAX_ROW: u64 = 8 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    RowStart,
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted field: its end, or the first half of a doubled quote.
    Closing,
}

/// What is wrong with the quotes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QuoteFault {
    #[error("a quoted field starts here and never ends: close it with `\"`")]
    Unterminated { line: u64 },
    #[error("text follows a closing quote: write a quote inside a quoted field as `\"\"`")]
    AfterQuote { line: u64 },
    #[error("a row starts here that is longer than 8 MiB: a closing quote may be missing")]
    TooLong { line: u64 },
}

impl QuoteFault {
    pub(crate) fn line(&self) -> u64 {
        match self {
            Self::Unterminated { line } | Self::AfterQuote { line } | Self::TooLong { line } => *line,
        }
    }
}

/// Passes bytes through.
pub(crate) struct Quotes<R> {
    inner: R,
    delimiter: u8,
    state: State,
    line: u64,
    opened: u64,
    row_bytes: u64,
    row_line: u64,
    /// Lines on which rows start that nobody has taken yet.
    starts: VecDeque<u64>,
    /// Bytes passed.
    pub(crate) passed: u64,
}

impl<R: Read> Quotes<R> {
    pub(crate) fn new(inner: R, delimiter: u8) -> Self {
        let starts = VecDeque::new();
        let state = State::RowStart;
        Self { inner, delimiter, state, line: 1, opened: 0, row_bytes: 0, row_line: 1, starts, passed: 0 }
    }

    /// The line on which the next row starts; to be called once per row.
    pub(crate) fn next_line(&mut self) -> u64 {
        self.starts.pop_front().unwrap_or(self.line)
    }

    fn step(&mut self, byte: u8) -> Result<(), QuoteFault> {
        let end = byte == b'\n' || byte == b'\r';
        if self.state == State::RowStart && !end {
            self.starts.push_back(self.line);
            (self.row_bytes, self.row_line) = (0, self.line);
        }
        self.row_bytes += 1;
        if self.row_bytes > MAX_ROW {
            return Err(QuoteFault::TooLong { line: self.row_line });
        }
        self.state = match (self.state, byte) {
            (State::Quoted, b'"') => State::Closing,
            (State::Quoted, _) | (State::Closing, b'"') => State::Quoted,
            (_, _) if end => State::RowStart,
            (_, _) if byte == self.delimiter => State::FieldStart,
            (State::Closing, _) => return Err(QuoteFault::AfterQuote { line: self.line }),
            (State::RowStart | State::FieldStart, b'"') => {
                self.opened = self.line;
                State::Quoted
            }
            _ => State::Plain,
        };
        self.line += u64::from(byte == b'\n');
        Ok(())
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        if length == 0 && !buffer.is_empty() && self.state == State::Quoted {
            return Err(io::Error::other(QuoteFault::Unterminated { line: self.opened }));
        }
        for byte in buffer.iter().take(length) {
            self.step(*byte).map_err(io::Error::other)?;
        }
        self.passed += length as u64;
        Ok(length)
    }
}
