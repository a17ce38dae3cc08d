//! `covenant authority`: runs the authorisation service, and keeps its representations.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use covenant_authority::provider::serve_provider;
use covenant_authority::{
    AuthorityConfig, Clock, NewRepresentation, Remote, SystemClock, notice_digest, seal_to_service, serve,
};
use covenant_canon::{Digest, Label};
use covenant_domain::{Capacity, PurposeCode, Subject};
use serde_json::json;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::{files, words};

/// Where a service listens unless told otherwise.
pub(crate) const DEFAULT: &str = "http://127.0.0.1:8700";
/// Days of a representation unless told otherwise.
const DAYS: u64 = 365;
const DAY_MS: u64 = 24 * 3_600_000;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum AuthorityCommand {
    /// Run the service with the member's key until interrupted
    Run {
        /// Its configuration, TOML
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Register who may speak for whom, as an operator of the service
    Represent(RepresentArgs),
    /// End a representation, as an operator of the service
    EndRepresentation {
        /// Its id
        id: String,
        /// The service
        #[arg(long, value_name = "URL", env = "COVENANT_AUTHORITY", default_value = DEFAULT)]
        authority: String,
    },
    /// The digest of a notice text, for its registration on the ledger
    NoticeDigest {
        /// Text in Chinese
        #[arg(long, value_name = "FILE")]
        zh: PathBuf,
        /// Text in English
        #[arg(long, value_name = "FILE")]
        en: PathBuf,
    },
}

/// A representation.
#[derive(Debug, Args)]
pub(crate) struct RepresentArgs {
    /// In what capacity
    #[arg(long)]
    capacity: CapacityArg,
    /// File with the person or company that is spoken for, on one line
    #[arg(long, value_name = "FILE")]
    subject_file: PathBuf,
    /// File with the person that speaks, on one line
    #[arg(long, value_name = "FILE")]
    representative_file: PathBuf,
    /// The evidence: only its digest leaves this machine
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
    /// A purpose that is covered, several times for several; all without
    #[arg(long, value_name = "CODE")]
    purpose: Vec<PurposeCode>,
    /// For how many days from now
    #[arg(long, default_value_t = DAYS, value_parser = clap::value_parser!(u64).range(1..=7_000))]
    days: u64,
    /// The service
    #[arg(long, value_name = "URL", env = "COVENANT_AUTHORITY", default_value = DEFAULT)]
    authority: String,
}

/// In what capacity.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum CapacityArg {
    /// Guardian of a child under 14
    Guardian,
    /// Holder of a power of attorney
    Attorney,
    /// Legal representative of a company
    LegalRepresentative,
}

impl From<CapacityArg> for Capacity {
    fn from(capacity: CapacityArg) -> Self {
        match capacity {
            CapacityArg::Guardian => Self::Guardian,
            CapacityArg::Attorney => Self::Attorney,
            CapacityArg::LegalRepresentative => Self::LegalRepresentative,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: AuthorityCommand) -> Result<Document, CliError> {
    match command {
        AuthorityCommand::Run { config } => serve_until_asked(context, &config).await,
        AuthorityCommand::Represent(args) => represent(context, args).await,
        AuthorityCommand::EndRepresentation { id, authority } => {
            let (identity, consortium) = (context.identity()?, context.trust()?.digest());
            Remote::new(&authority)?.end_representation(&identity, &consortium, &id).await?;
            Ok(Document::new(format!("✓ representation `{id}` has ended"), &json!({ "id": id })))
        }
        AuthorityCommand::NoticeDigest { zh, en } => {
            let digest = notice_digest(
                context.trust()?.suite,
                &files::read_text(&zh, "a notice text")?,
                &files::read_text(&en, "a notice text")?,
            );
            Ok(Document::new(digest.to_string(), &json!({ "digest": digest })))
        }
    }
}

async fn serve_until_asked(context: &Context, path: &Path) -> Result<Document, CliError> {
    let config: AuthorityConfig = files::read_value(path, "a configuration of the authorisation service")?;
    let identity = context.identity()?;
    let client = context.client_of(Arc::clone(&identity)).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let provider = match config.provider.clone() {
        Some(provider) => Some(serve_provider(provider, Arc::clone(&clock)).await?),
        None => None,
    };
    let running = serve(config, identity, Arc::new(client), clock).await?;
    let url = running.base_url();
    context.printer.note(&format!("authorisation service at {url}; Ctrl-C stops it"));
    if let Some(provider) = &provider {
        context.printer.note(&format!("demo identity provider at {}: it checks nobody's identity", provider.issuer()));
    }
    tokio::signal::ctrl_c().await.map_err(CliError::Runtime)?;
    running.stop().await;
    Ok(Document::new("stopped", &json!({ "url": url })))
}

async fn represent(context: &Context, args: RepresentArgs) -> Result<Document, CliError> {
    let (identity, trust) = (context.identity()?, context.trust()?);
    let subject = |path: &Path| -> Result<Subject, CliError> {
        Ok(Subject::parse(files::read_secret_line(path, "a subject")?.trim())?)
    };
    let (subject, speaker) = (subject(&args.subject_file)?, subject(&args.representative_file)?);
    let names =
        Zeroizing::new(format!("{}\n{}", *Zeroizing::new(subject.canonical()), *Zeroizing::new(speaker.canonical())));
    let (own, key) = (&identity.member, identity.opening.sealing_key());
    let sealed = seal_to_service(key, own, own, names.as_bytes());
    let sealed = sealed.map_err(|source| CliError::Crypto { step: "sealing the names", source })?;
    let evidence = files::read(&args.evidence)?;
    let now_ms = words::now_ms();
    let new = NewRepresentation {
        capacity: args.capacity.into(),
        sealed_names: sealed.into(),
        evidence: Digest::of(trust.suite, Label::REPRESENTATION, &evidence),
        purposes: args.purpose,
        valid_from_ms: now_ms,
        valid_until_ms: now_ms.saturating_add(args.days * DAY_MS),
    };
    let registered = Remote::new(&args.authority)?.register(&identity, &trust.digest(), &new).await?;
    Ok(Document::new(format!("✓ representation `{}` is registered", registered.id), &registered))
}
