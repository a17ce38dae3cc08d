//! Who this call is for: key, passphrase, trust root, gateway.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use covenant_client::{Client, ClientConfig, Identity, load_identity};
use covenant_ledger::Genesis;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::files;
use crate::print::Printer;

/// Environment variable of the passphrase; never an argument, which other users of the machine could see.
const PASSPHRASE: &str = "COVENANT_PASSPHRASE";

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Globals {
    /// Print one JSON document to standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The gateway
    #[arg(long, global = true, value_name = "URL", env = "COVENANT_GATEWAY", default_value = "http://127.0.0.1:8600")]
    pub(crate) gateway: String,
    /// Key file of the member
    #[arg(long, global = true, value_name = "FILE", env = "COVENANT_KEY")]
    pub(crate) key: Option<PathBuf>,
    /// Trust root: the consortium's genesis.json
    #[arg(long, global = true, value_name = "FILE", env = "COVENANT_TRUST")]
    pub(crate) trust: Option<PathBuf>,
    /// Handovers since the genesis, as `covenant member handovers` wrote them: needed where the gateway's own key has changed
    #[arg(long, global = true, value_name = "FILE", env = "COVENANT_HANDOVERS")]
    pub(crate) handovers: Option<PathBuf>,
    /// Folder in which fetched files of private lookup are kept
    #[arg(long, global = true, value_name = "DIR", env = "COVENANT_EPOCH_DIR")]
    pub(crate) epoch_dir: Option<PathBuf>,
    /// File with the passphrase of the key file; otherwise it is taken from COVENANT_PASSPHRASE
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// The options, and where to print.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    globals: Globals,
    /// Where notes go.
    pub(crate) printer: Printer,
}

impl Context {
    /// The context of one call.
    pub(crate) fn new(globals: Globals) -> Self {
        let printer = Printer::new(globals.json);
        Self { globals, printer }
    }

    /// The trust root.
    pub(crate) fn trust(&self) -> Result<Genesis, CliError> {
        files::read_genesis(self.trust_file()?)
    }

    /// The trust root's file, if one is named.
    pub(crate) fn trust_if_named(&self) -> Result<Option<Genesis>, CliError> {
        self.globals.trust.as_deref().map(files::read_genesis).transpose()
    }

    fn trust_file(&self) -> Result<&Path, CliError> {
        let missing = || CliError::usage("no trust root: give `--trust genesis.json` or set COVENANT_TRUST");
        self.globals.trust.as_deref().ok_or_else(missing)
    }

    /// The passphrase.
    pub(crate) fn passphrase(&self) -> Result<Zeroizing<String>, CliError> {
        if let Some(path) = &self.globals.passphrase_file {
            return files::read_secret_line(path, "a passphrase");
        }
        match std::env::var(PASSPHRASE) {
            Ok(text) if !text.is_empty() => Ok(Zeroizing::new(text)),
            _ => Err(CliError::usage(format!("no passphrase: set {PASSPHRASE} or give `--passphrase-file`"))),
        }
    }

    /// The member's key file.
    pub(crate) fn key_file(&self) -> Result<&Path, CliError> {
        let missing = || CliError::usage("no key file: give `--key FILE` or set COVENANT_KEY");
        self.globals.key.as_deref().ok_or_else(missing)
    }

    /// The member's keys.
    pub(crate) fn identity(&self) -> Result<Arc<Identity>, CliError> {
        Ok(Arc::new(load_identity(self.key_file()?, &self.passphrase()?)?))
    }

    /// A client of the member.
    pub(crate) async fn client(&self) -> Result<Client, CliError> {
        self.client_of(self.identity()?).await
    }

    /// A client, with the keys at hand.
    pub(crate) async fn client_of(&self, identity: Arc<Identity>) -> Result<Client, CliError> {
        let handovers = match &self.globals.handovers {
            Some(path) => covenant_canon::from_bytes(&files::read(path)?)
                .map_err(|e| files::content(path, "a list of handovers", e.to_string()))?,
            None => Vec::new(),
        };
        let epoch_dir = self.globals.epoch_dir.clone();
        let config = ClientConfig { epoch_dir, handovers, ..ClientConfig::default() };
        Ok(Client::connect_with(&self.globals.gateway, identity, self.trust()?, config).await?)
    }
}
