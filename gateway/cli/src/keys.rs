//! `covenant keys`: key files.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use covenant_client::save_identity;
use covenant_domain::MemberId;
use covenant_suite::{KeyFile, KeyPairSet, SuiteId};
use serde_json::json;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make keys and write them to a new file under the passphrase
    New {
        /// Whose they are
        #[arg(long)]
        member: MemberId,
        /// `sm` (SM2, SM3, SM4) or `intl` (Ed25519, X25519, AES-256)
        #[arg(long, default_value = "sm")]
        suite: SuiteId,
        /// The new file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Show the public keys of a file
    Show {
        /// The key file
        file: PathBuf,
        /// Also open it, to see that the passphrase fits
        #[arg(long)]
        open: bool,
    },
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: KeysCommand) -> Result<Document, CliError> {
    match command {
        KeysCommand::New { member, suite, out } => {
            let passphrase = context.passphrase()?;
            save_identity(&out, &member, &KeyPairSet::generate(suite, &mut rand::rng()), &passphrase)?;
            show(&out)
        }
        KeysCommand::Show { file, open } => {
            if open {
                covenant_client::load_identity(&file, &context.passphrase()?)?;
            }
            show(&file)
        }
    }
}

fn show(path: &Path) -> Result<Document, CliError> {
    let bytes = files::read(path)?;
    let file = KeyFile::from_json(&bytes).map_err(|e| files::content(path, "a key file", e.to_string()))?;
    let (verifying, sealing) = (file.verifying_key().to_string(), file.sealing_key().to_string());
    let human = format!(
        "member:        {}\nsuite:         {}\ncreated:       {}\nverifying key: {verifying}\nsealing key:   {sealing}",
        words::tame(file.member()),
        file.suite(),
        words::time(file.created_ms()),
    );
    let machine = json!({
        "id": file.member(),
        "suite": file.suite(),
        "created_ms": file.created_ms(),
        "verifying_key": verifying,
        "sealing_key": sealing,
    });
    Ok(Document::new(human, &machine))
}
