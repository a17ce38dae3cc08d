//! Acts of administration, with the signature of a second officer where the charter wants one.

use std::path::PathBuf;

use clap::Args;
use covenant_canon::{Label, to_bytes};
use covenant_client::load_identity;
use covenant_domain::{Body, Countersigned, countersigned};
use covenant_suite::suite;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::publish::publish;
use crate::{files, words};

/// Who else signs.
#[derive(Debug, Args)]
pub(crate) struct Act {
    /// Key file of the member's officer, whose second signature the charter may demand
    #[arg(long, value_name = "FILE")]
    officer_key: Option<PathBuf>,
    /// File with the passphrase of the officer's key file
    #[arg(long, value_name = "FILE", requires = "officer_key")]
    officer_passphrase_file: Option<PathBuf>,
}

impl Act {
    /// Publishes an act, countersigned where an officer's key is given.
    pub(crate) async fn publish(&self, context: &Context, act: Body) -> Result<Document, CliError> {
        let client = context.client().await?;
        let Some(path) = &self.officer_key else { return publish(&client, act).await };
        let passphrase = match &self.officer_passphrase_file {
            Some(file) => files::read_secret_line(file, "a passphrase")?,
            None => return Err(CliError::usage("an officer's key needs `--officer-passphrase-file`")),
        };
        let officer = load_identity(path, &passphrase)?;
        let (genesis, signed_ms, act) = (client.trust(), words::now_ms(), to_bytes(&act));
        let digest = countersigned(genesis.suite, &genesis.digest(), client.member(), signed_ms, &act);
        let signature = suite(genesis.suite).sign(&officer.signing, Label::COUNTERSIGNED, digest.as_bytes());
        let signature = signature.map_err(|source| CliError::Crypto { step: "the officer's signature", source })?;
        let signed = Countersigned { act, signed_ms, signature: signature.to_string() };
        publish(&client, Body::Countersigned(signed)).await
    }
}
