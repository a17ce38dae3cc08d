//! The one module that writes to the terminal: results to standard output, everything else to standard error.

use std::io::{IsTerminal as _, Write as _};

use serde_json::json;

use crate::document::Document;
use crate::error::CliError;

/// How results are printed. A closed pipe is no failure: whoever read has seen enough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    json: bool,
}

impl Printer {
    /// For people, or one JSON document.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result.
    pub(crate) fn document(self, document: &Document) {
        if self.json {
            // A JSON value always has a text.
            self.out(&serde_json::to_string_pretty(&document.machine).unwrap_or_default());
        } else {
            self.out(&document.human);
        }
    }

    /// Prints a line as things happen; programs get it with the result.
    pub(crate) fn progress(self, line: &str) {
        if !self.json {
            self.out(line);
        }
    }

    /// Tells something that is not a result.
    pub(crate) fn note(self, line: &str) {
        let _closed = writeln!(std::io::stderr().lock(), "{line}");
    }

    /// Prints a failure with its causes.
    pub(crate) fn failure(self, error: &CliError) {
        let causes = error.causes();
        if self.json {
            let (message, causes) = (causes.first(), causes.get(1..).unwrap_or_default());
            let document = json!({ "error": { "message": message, "causes": causes, "code": error.code() } });
            self.out(&format!("{document:#}"));
        }
        self.note(&format!("error: {}", causes.join("\n  because: ")));
    }

    /// Whether somebody watches standard error.
    pub(crate) fn is_watched(self) -> bool {
        std::io::stderr().is_terminal()
    }

    fn out(self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _closed = writeln!(out, "{text}").and_then(|()| out.flush());
    }
}
