//! `covenant certificate`: transport certificates.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use covenant_daemon::service::{Home, NodeFile};
use covenant_domain::{Body, CertificateRevoked};
use covenant_tls::CertificateInfo;
use serde_json::json;

use crate::act::Act;
use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// Show what a certificate says; nothing of it is verified
    Show {
        /// The certificate, PEM
        file: PathBuf,
    },
    /// Issue a new certificate in the place of the one that a node's configuration names, now instead of when it is due
    Renew {
        /// The node's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Revoke a certificate of one's own on the ledger: every node refuses it at once
    Revoke {
        /// The certificate, PEM
        file: PathBuf,
        #[command(flatten)]
        act: Act,
    },
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: CertificateCommand) -> Result<Document, CliError> {
    match command {
        CertificateCommand::Show { file } => Ok(told(&read(&file)?)),
        CertificateCommand::Renew { config } => {
            let file = NodeFile::read(&config)?;
            let certificates = Home::open(file.home())?.certificates;
            certificates.issue_now()?;
            Ok(told(&certificates.current.info()))
        }
        CertificateCommand::Revoke { file, act } => {
            let info = read(&file)?;
            let revoked = CertificateRevoked { serial: serial(&info), not_after_ms: info.not_after_ms };
            act.publish(context, Body::CertificateRevoked(revoked)).await
        }
    }
}

fn read(path: &Path) -> Result<CertificateInfo, CliError> {
    let bytes = files::read(path)?;
    let wrong = |reason: String| files::content(path, "a transport certificate", reason);
    let text = std::str::from_utf8(&bytes).map_err(|e| wrong(e.to_string()))?;
    covenant_tls::inspect_pem(text).map_err(|e| wrong(e.to_string()))
}

fn serial(info: &CertificateInfo) -> String {
    info.serial.iter().map(|b| format!("{b:02x}")).collect()
}

fn told(info: &CertificateInfo) -> Document {
    let human = format!(
        "member:      {}\nconsortium:  {}\nprofile:     {}\nserial:      {}\nvalid:       {} to {}\nnames:       {}\nfingerprint: {}",
        info.member,
        words::tame(&info.consortium),
        info.profile,
        serial(info),
        words::time(info.not_before_ms),
        words::time(info.not_after_ms),
        words::list(&info.names),
        info.fingerprint,
    );
    let machine = json!({
        "member": info.member,
        "consortium": info.consortium,
        "profile": info.profile.to_string(),
        "serial": serial(info),
        "not_before_ms": info.not_before_ms,
        "not_after_ms": info.not_after_ms,
        "names": info.names,
        "fingerprint": info.fingerprint,
    });
    Document::new(human, &machine)
}
