//! `covenant keys`: key files.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use covenant_canon::Label;
use covenant_client::{Identity, save_identity};
use covenant_domain::{Body, MemberId, NewKeys, possession};
use covenant_ledger::Genesis;
use covenant_suite::{KeyFile, KeyPairSet, SuiteId, suite};
use serde_json::json;

use crate::act::Act;
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
    /// Prove that new keys are the member's own, for a proposal that admits it or replaces its keys
    Prove {
        /// The new key file
        file: PathBuf,
    },
    /// Take a new signing key: writes its file, and puts it on the ledger with the present key
    Rotate {
        /// The new key file; in a node's folder of keys, so that the node finds it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Also take a new key for what is sealed to the member: what is under way is lost, epochs are built again
        #[arg(long)]
        sealing: bool,
        #[command(flatten)]
        act: Act,
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
pub(crate) async fn run(context: &Context, command: KeysCommand) -> Result<Document, CliError> {
    match command {
        KeysCommand::Prove { file } => {
            let identity = covenant_client::load_identity(&file, &context.passphrase()?)?;
            let keys = proven(&context.trust()?, &identity)?;
            let human = format!(
                "member:        {}\nverifying key: {}\nsealing key:   {}\npossession:    {}",
                keys.member, keys.verifying_key, keys.sealing_key, keys.possession
            );
            Ok(Document::new(human, &keys))
        }
        KeysCommand::Rotate { out, sealing, act } => {
            let (path, passphrase) = (context.key_file()?, context.passphrase()?);
            let present = KeyFile::from_json(&files::read(path)?);
            let present = present.map_err(|e| files::content(path, "a key file", e.to_string()))?;
            let crypto = |source| CliError::Crypto { step: "opening the key file", source };
            let kept = present.open(&passphrase).map_err(crypto)?;
            let fresh = KeyPairSet::generate(present.suite(), &mut rand::rng());
            let opening = if sealing { fresh.opening } else { kept.opening };
            let member = MemberId::new(present.member()).map_err(|e| CliError::usage(e.to_string()))?;
            save_identity(&out, &member, &KeyPairSet { signing: fresh.signing, opening }, &passphrase)?;
            let identity = covenant_client::load_identity(&out, &passphrase)?;
            let keys = proven(&context.trust()?, &identity)?;
            let document = act.publish(context, Body::KeysRotated(keys)).await?;
            let human =
                format!("{}\nkeep the former key file until evidence of it is no longer wanted", document.human);
            Ok(Document { human, ..document })
        }
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

/// New keys with the proof that their owner has them.
fn proven(genesis: &Genesis, identity: &Identity) -> Result<NewKeys, CliError> {
    let verifying_key = identity.signing.verifying_key().to_string();
    let sealing_key = identity.opening.sealing_key().to_string();
    let digest = possession(genesis.suite, &genesis.digest(), &identity.member, &verifying_key, &sealing_key);
    let signature = suite(genesis.suite).sign(&identity.signing, Label::NEW_KEYS, digest.as_bytes());
    let signature = signature.map_err(|source| CliError::Crypto { step: "the proof of possession", source })?;
    let (member, possession) = (identity.member.clone(), signature.to_string());
    Ok(NewKeys { member, verifying_key, sealing_key, possession })
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
