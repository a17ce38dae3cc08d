//! On what ground a question is asked: a consent ticket, or the law.

use std::path::{Path, PathBuf};

use clap::Args;
use covenant_client::{ConsentTicket, Ground, Identity};
use covenant_domain::{Authority, Commitment, Subject};

use crate::error::CliError;
use crate::files;

/// How the ground is given.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct GroundArgs {
    /// Consent ticket, as the authorisation service gave it
    #[arg(long, value_name = "TICKET")]
    consent: Option<PathBuf>,
    /// File or case number, where the purpose rests on the law
    #[arg(long, value_name = "NUMBER")]
    case: Option<String>,
}

impl GroundArgs {
    /// The ground of a question about this subject.
    pub(crate) fn open(self, identity: &Identity, subject: &Subject) -> Result<Ground, CliError> {
        match self.consent {
            Some(path) => Ok(read_ticket(&path)?.ground(identity, subject)?),
            None => Ok(Ground::Legal { case: self.case }),
        }
    }

    /// The ground as a plan needs it: nothing about a subject.
    pub(crate) fn outline(self) -> Result<Authority, CliError> {
        match self.consent {
            Some(path) => Ok(Authority::Consent { id: read_ticket(&path)?.consent.id }),
            None => Ok(Authority::Legal { commitment: Commitment([0; 32]), case: self.case }),
        }
    }
}

fn read_ticket(path: &Path) -> Result<ConsentTicket, CliError> {
    let bytes = files::read(path)?;
    ConsentTicket::from_json(&bytes).map_err(|e| files::content(path, "a consent ticket", e.to_string()))
}
