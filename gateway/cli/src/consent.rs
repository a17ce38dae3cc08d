//! `covenant consent`: for the authorisation service, which knows the subject.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use covenant_authority::{Addressee, NewRequest, Remote, RequestState, Wish};
use covenant_canon::Digest;
use covenant_client::{Client, Terms, authorise};
use covenant_domain::{Body, ConsentChange, ConsentId, Role};
use covenant_suite::SealingKey;
use serde_json::json;

use crate::authority::DEFAULT;
use crate::context::Context;
use crate::document::{Document, Exit};
use crate::error::CliError;
use crate::publish::publish;
use crate::subject::SubjectArgs;
use crate::table::Table;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    /// Record a subject's consent and write the ticket for the consumer
    Issue(IssueArgs),
    /// Ask a subject for its consent at the authorisation service (for consumers)
    Request(RequestArgs),
    /// Fetch what became of a request (for consumers)
    Fetch(FetchArgs),
    /// Take a request back (for consumers)
    Withdraw {
        /// Its id
        id: Digest,
        /// The service
        #[arg(long, value_name = "URL", env = "COVENANT_AUTHORITY", default_value = DEFAULT)]
        authority: String,
    },
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
    /// List every query that named a consent
    Uses {
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

/// A request to a subject.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// What is asked, TOML or JSON
    #[arg(long, value_name = "FILE")]
    terms: PathBuf,
    /// How long to wait for a decision, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// The new ticket, once there is one
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The service
    #[arg(long, value_name = "URL", env = "COVENANT_AUTHORITY", default_value = DEFAULT)]
    authority: String,
}

/// A request that was made.
#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// Its id
    id: Digest,
    /// How long to wait for a decision, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// The new ticket, once there is one
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The service
    #[arg(long, value_name = "URL", env = "COVENANT_AUTHORITY", default_value = DEFAULT)]
    authority: String,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: ConsentCommand) -> Result<Document, CliError> {
    let (consent, change) = match command {
        ConsentCommand::Issue(args) => return issue(context, args).await,
        ConsentCommand::Request(args) => return request(context, args).await,
        ConsentCommand::Fetch(args) => {
            let remote = Remote::new(&args.authority)?;
            return decided(context, &remote, &args.id, args.wait, &args.out).await;
        }
        ConsentCommand::Withdraw { id, authority } => {
            let (identity, consortium) = (context.identity()?, context.trust()?.digest());
            let view = Remote::new(&authority)?.withdraw(&identity, &consortium, &id).await?;
            return Ok(Document::new(format!("✓ request `{id}` is withdrawn"), &view));
        }
        ConsentCommand::Show { id } => return show(context, &id).await,
        ConsentCommand::Uses { id } => return uses(context, &id).await,
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

async fn request(context: &Context, args: RequestArgs) -> Result<Document, CliError> {
    let wish: Wish = files::read_value(&args.terms, "terms of a consent request")?;
    let subject = args.subject.read(context)?;
    let (identity, trust) = (context.identity()?, context.trust()?);
    let remote = Remote::new(&args.authority)?;
    let service = remote.service().await?;
    if service.consortium != trust.digest() {
        return Err(CliError::usage("the authorisation service is of another consortium than `--trust`"));
    }
    if !trust.member(&service.authoriser).is_some_and(|m| m.has(Role::Authoriser)) {
        return Err(CliError::usage(format!("`{}` is no authorisation service by `--trust`", service.authoriser)));
    }
    // The key to which the subject is sealed comes from the trust root, never from the service.
    let notice = remote.notice(&wish.purpose).await?.map(|n| n.shown());
    let to =
        Addressee { trust: &trust, authoriser: &service.authoriser, notice: notice.as_ref(), now_ms: words::now_ms() };
    let new = NewRequest::make(&identity, wish, &subject, to)
        .map_err(|source| CliError::Crypto { step: "making the request", source })?;
    let view = remote.request(&identity, &new).await?;
    context.printer.note(&format!("request `{}`", view.id));
    decided(context, &remote, &view.id, args.wait, &args.out).await
}

/// Waits for a decision and writes the ticket.
async fn decided(
    context: &Context,
    remote: &Remote,
    id: &Digest,
    wait_s: u64,
    out: &Path,
) -> Result<Document, CliError> {
    let (identity, consortium) = (context.identity()?, context.trust()?.digest());
    let deadline = Instant::now() + Duration::from_secs(wait_s.min(7 * 24 * 3_600));
    let view = loop {
        let view = remote.status(&identity, &consortium, id).await?;
        let open = matches!(view.state, RequestState::Requested | RequestState::Issuing);
        if !open || Instant::now() >= deadline {
            break view;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    let machine = json!({ "id": view.id, "state": view.state, "expires_ms": view.expires_ms });
    let told = format!("request `{}` is {}", view.id, words::name(&view.state));
    match view.ticket {
        Some(ticket) => {
            ticket.open(&identity)?;
            if ticket.consent.request.as_ref() != Some(id) {
                return Err(CliError::usage("the service's ticket answers another request"));
            }
            files::write_new(out, ticket.to_json().as_bytes(), true)?;
            Ok(Document::new(format!("✓ {told}\nticket: `{}`", out.display()), &machine))
        }
        None if matches!(view.state, RequestState::Requested | RequestState::Issuing) => {
            Ok(Document::new(format!("{told}: `covenant consent fetch` later"), &machine).ending(Exit::Pending))
        }
        None => Ok(Document::new(format!("✗ {told}"), &machine).ending(Exit::No)),
    }
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

async fn uses(context: &Context, id: &ConsentId) -> Result<Document, CliError> {
    let all = context.client().await?.consent_uses(id).await?;
    let mut table = Table::new(["time", "consumer", "purpose", "dataset", "mode", "fields", "outcome", "query"]);
    for it in &all {
        table.row([
            words::time(it.time_ms),
            it.consumer.to_string(),
            it.purpose.to_string(),
            it.dataset.to_string(),
            it.mode.to_string(),
            words::list(&it.fields),
            words::name(&it.outcome),
            it.intent.to_string(),
        ]);
    }
    Ok(Document::new(table.to_string(), &all))
}
