//! Whom a command is about: personal data that should not stand on a command line.

use std::path::{Path, PathBuf};

use clap::Args;
use covenant_domain::Subject;

use crate::context::Context;
use crate::error::CliError;
use crate::files;

/// How the subject is given.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SubjectArgs {
    /// File with the subject on one line: `resident:…`, `company:…` or `unit:…`
    #[arg(long, value_name = "FILE")]
    subject_file: Option<PathBuf>,
    /// `-` reads the subject from standard input; the subject itself works too but stays in the shell's history
    #[arg(long, value_name = "-")]
    subject: Option<String>,
}

impl SubjectArgs {
    /// Reads the subject.
    pub(crate) fn read(&self, context: &Context) -> Result<Subject, CliError> {
        let line = match (&self.subject_file, self.subject.as_deref()) {
            (Some(path), _) => files::read_secret_line(path, "a subject")?,
            (None, Some("-")) => files::read_secret_line(Path::new("-"), "a subject")?,
            (None, Some(text)) => {
                context.printer.note(
                    "warning: the subject is personal data and now stands in the shell's history and in the list of \
                     processes; use `--subject-file FILE` or `--subject -`",
                );
                zeroize::Zeroizing::new(text.to_owned())
            }
            (None, None) => return Err(CliError::usage("no subject: give `--subject-file FILE` or `--subject -`")),
        };
        Ok(Subject::parse(line.trim())?)
    }
}
