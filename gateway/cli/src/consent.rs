//! `covenant consent`: for the authorisation service, which knows the subject.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use covenant_client::{Client, Terms, authorise};
use covenant_domain::{Body, ConsentChange, ConsentId};
use covenant_suite::SealingKey;

use crate::context::Context;
use crate::document::{Document, Exit};
use crate::error::CliError;
use crate::publish::publish;
use crate::subject::SubjectArgs;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    /// Record a subject's consent and write the ticket for the consumer
    Issue(IssueArgs),
    /// Pause a consent
    Pause {
        /// Its id
        id: ConsentId,
    },
    /// Resume a paused consent
    Resume {
        /// Its id
        id: ConsentId,
    },
    /// Revoke a consent for good
    Revoke {
        /// Its id
        id: ConsentId,
    },
    /// Show a consent with its status
    Show {
        /// Its id
        id: ConsentId,
    },
}

/// A consent to record.
#[derive(Debug, Args)]
pub(crate) struct IssueArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// What the subject allows, TOML or JSON
    #[arg(long, value_name = "FILE")]
    terms: PathBuf,
    /// The new ticket; hand it to the consumer
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: ConsentCommand) -> Result<Document, CliError> {
    let (consent, change) = match command {
        ConsentCommand::Issue(args) => return issue(context, args).await,
        ConsentCommand::Show { id } => return show(context, &id).await,
        ConsentCommand::Pause { id } => (id, ConsentChange::Paused),
        ConsentCommand::Resume { id } => (id, ConsentChange::Resumed),
        ConsentCommand::Revoke { id } => (id, ConsentChange::Revoked),
    };
    publish(&context.client().await?, Body::ConsentChanged { consent, change }).await
}

async fn issue(context: &Context, args: IssueArgs) -> Result<Document, CliError> {
    let terms: Terms = files::read_value(&args.terms, "terms of a consent")?;
    let subject = args.subject.read(context)?;
    let client = context.client().await?;
    let key = consumer_key(&client, &terms, &args.terms)?;
    let (body, ticket) = authorise::issue(&subject, terms, &key)?;
    // Written first: without the opening in the ticket, a consent on the ledger would be of no use.
    files::write_new(&args.out, ticket.to_json().as_bytes(), true)?;
    let published = publish(&client, body).await?;
    if published.exit != Exit::Done {
        std::fs::remove_file(&args.out).map_err(|source| CliError::File {
            action: "remove",
            path: args.out.clone(),
            source,
        })?;
        return Ok(published);
    }
    let human = format!("{}\nticket for the consumer: `{}`", published.human, args.out.display());
    let mut machine = published.machine;
    if let Some(object) = machine.as_object_mut() {
        object.insert("ticket".into(), args.out.display().to_string().into());
    }
    Ok(Document { human, machine, exit: published.exit })
}

fn consumer_key(client: &Client, terms: &Terms, file: &Path) -> Result<SealingKey, CliError> {
    let missing = || files::content(file, "terms of a consent", format!("consumer `{}` is no member", terms.consumer));
    let member = client.trust().member(&terms.consumer).ok_or_else(missing)?;
    member.sealing_key.parse().map_err(|source| CliError::Crypto { step: "reading the consumer's key", source })
}

async fn show(context: &Context, id: &ConsentId) -> Result<Document, CliError> {
    let view = context.client().await?.consent(id).await?;
    let consent = &view.consent;
    let mut lines = vec![
        format!("consent:  {id}, {}", words::name(&view.status)),
        format!("issuer:   {}", view.issuer),
        format!("consumer: {} for `{}`", consent.consumer, consent.purpose),
        format!("modes:    {}", words::list(&consent.modes)),
        format!("valid:    {} to {}", words::time(consent.valid_from_ms), words::time(consent.valid_until_ms)),
        format!("uses:     {} of {}", view.uses, consent.max_uses),
    ];
    lines.extend(consent.scopes.iter().map(|s| format!("scope:    {}: {}", s.dataset, words::list(&s.fields))));
    Ok(Document::new(lines.join("\n"), &view))
}
