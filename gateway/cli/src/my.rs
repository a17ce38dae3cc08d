//! `covenant my`: what a citizen or company does at the authorisation service.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use covenant_authority::{MyConsent, MyRequest, MyUse, Remote, log_in};
use covenant_canon::Digest;
use covenant_domain::{ConsentChange, ConsentId};
use serde_json::json;
use zeroize::Zeroizing;

use crate::authority::DEFAULT;
use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::{files, words};

/// Where the service is, and the identity token.
#[derive(Debug, Clone, Args)]
pub(crate) struct MyArgs {
    /// The authorisation service
    #[arg(long, global = true, value_name = "URL", env = "COVENANT_AUTHORITY", default_value = DEFAULT)]
    authority: String,
    /// File with the identity token; `my login` writes it
    #[arg(long, global = true, value_name = "FILE", env = "COVENANT_TOKEN_FILE", default_value = "covenant-token")]
    token_file: PathBuf,
    #[command(subcommand)]
    command: MyCommand,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum MyCommand {
    /// Log in at the identity provider with a browser
    Login {
        /// Click this name of the demo's provider, counted from 0, instead of opening a browser
        #[arg(long, value_name = "N")]
        demo_citizen: Option<usize>,
    },
    /// Requests that wait for you, with their notices
    Requests,
    /// Agree to a request that you have read
    Approve {
        /// Its id
        id: Digest,
        /// Digest of the notice that you have read, as `my requests` shows it
        #[arg(long, value_name = "DIGEST")]
        notice: Option<Digest>,
    },
    /// Say no to a request
    Decline {
        /// Its id
        id: Digest,
    },
    /// Your consents, and investigations once they are open
    Consents,
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
    /// Every use of your data
    Uses,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: MyArgs) -> Result<Document, CliError> {
    let remote = Remote::new(&args.authority)?;
    if let MyCommand::Login { demo_citizen } = args.command {
        return login(context, &remote, demo_citizen, &args.token_file).await;
    }
    let token = files::read_secret_line(&args.token_file, "an identity token")?;
    match args.command {
        // Done above; a login needs no token.
        MyCommand::Login { .. } | MyCommand::Requests => {
            let all = remote.my_requests(&token).await?;
            Ok(Document::new(shown(&all, "no request waits for you", request), &all))
        }
        MyCommand::Approve { id, notice } => approve(&remote, &token, &id, notice).await,
        MyCommand::Decline { id } => {
            remote.decline(&token, &id).await?;
            Ok(Document::new(format!("✓ request `{id}` is declined"), &json!({ "id": id })))
        }
        MyCommand::Consents => {
            let all = remote.my_consents(&token).await?;
            Ok(Document::new(shown(&all, "no consent is about you", consent), &all))
        }
        MyCommand::Pause { id } => change(&remote, &token, &id, ConsentChange::Paused).await,
        MyCommand::Resume { id } => change(&remote, &token, &id, ConsentChange::Resumed).await,
        MyCommand::Revoke { id } => change(&remote, &token, &id, ConsentChange::Revoked).await,
        MyCommand::Uses => {
            let all = remote.my_uses(&token).await?;
            Ok(Document::new(shown(&all, "nobody has used your data", used), &all))
        }
    }
}

async fn login(context: &Context, remote: &Remote, demo: Option<usize>, file: &Path) -> Result<Document, CliError> {
    let service = remote.service().await?;
    let show = |url: &str| context.printer.note(&format!("open this address in a browser:\n{url}"));
    let token: Zeroizing<String> = log_in(&service, demo, show).await?;
    // A former token is of no more use.
    match std::fs::remove_file(file) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(CliError::File { action: "replace", path: file.to_owned(), source });
        }
        _ => files::write_new(file, token.as_bytes(), true)?,
    }
    let who = remote.session(&token).await?;
    Ok(Document::new(
        format!("✓ logged in; token in `{}`", file.display()),
        &json!({ "kind": who.kind, "minor": who.minor }),
    ))
}

async fn approve(remote: &Remote, token: &str, id: &Digest, read: Option<Digest>) -> Result<Document, CliError> {
    let unknown = || CliError::usage("no such request waits for you: see `covenant my requests`");
    let request = remote.my_requests(token).await?.into_iter().find(|r| &r.id == id).ok_or_else(unknown)?;
    // Agreement is to what was read, not to what the service shows at this moment.
    let shown = request.notice.as_ref().map(|n| n.digest);
    if shown != read {
        let expected = shown.map_or_else(|| "no `--notice`".to_owned(), |d| format!("`--notice {d}`"));
        return Err(CliError::usage(format!("read the notice in `covenant my requests`, then give {expected}")));
    }
    let changed = remote.approve(token, &request).await?;
    Ok(Document::new(
        format!("✓ consent `{}`: block {}, leaf {}", changed.consent, changed.height, changed.leaf),
        &changed,
    ))
}

async fn change(remote: &Remote, token: &str, id: &ConsentId, change: ConsentChange) -> Result<Document, CliError> {
    let changed = remote.change(token, id, change).await?;
    let human = format!("✓ consent `{id}` {}: block {}, leaf {}", words::name(&change), changed.height, changed.leaf);
    Ok(Document::new(human, &changed))
}

fn shown<T>(all: &[T], none: &str, line: impl Fn(&T) -> String) -> String {
    if all.is_empty() { none.to_owned() } else { all.iter().map(line).collect::<Vec<_>>().join("\n\n") }
}

fn request(request: &MyRequest) -> String {
    let terms = &request.terms;
    let mut lines = vec![
        format!("request:  {}", request.id),
        format!("asked by: {} ({})", words::tame(&request.consumer_names.join(" / ")), terms.consumer),
        format!("purpose:  {}", terms.purpose),
        format!("modes:    {}", words::list(&terms.modes)),
        format!("valid:    {} to {}", words::time(terms.valid_from_ms), words::time(terms.valid_until_ms)),
        format!("uses:     {} in all; kept for {} days", terms.max_uses, terms.data_life_days),
        format!("decide:   before {}", words::time(request.expires_ms)),
    ];
    lines.extend(terms.frequency.map(|q| format!("at most:  {} within {} ms", q.limit, q.window_ms)));
    lines.extend(request.capacity.map(|c| format!("you are:  the subject's {}", words::name(&c))));
    lines.extend(terms.scopes.iter().map(|s| format!("data:     {}: {}", s.dataset, words::list(&s.fields))));
    if let Some(notice) = &request.notice {
        lines.push(format!("notice:   {}\n{}\n{}", notice.digest, tamed(&notice.zh), tamed(&notice.en)));
    }
    lines.join("\n")
}

/// A text of several lines that cannot steer a terminal.
fn tamed(text: &str) -> String {
    text.lines().map(words::tame).collect::<Vec<_>>().join("\n")
}

fn consent(mine: &MyConsent) -> String {
    let consent = &mine.consent;
    let mut lines = vec![
        format!("consent:  {}, {}", consent.id, words::name(&mine.status)),
        format!("consumer: {} for `{}`", consent.consumer, consent.purpose),
        format!("valid:    {} to {}", words::time(consent.valid_from_ms), words::time(consent.valid_until_ms)),
        format!("uses:     {} of {}", mine.uses, consent.max_uses),
    ];
    if let covenant_domain::ConsentKind::LegalAuthority { case, .. } = &consent.kind {
        lines.push(format!("by law:   case {case}"));
    }
    if let (Some(leaf), Some(height)) = (mine.leaf, mine.height) {
        lines.push(format!("on record: block {height}, leaf {leaf}"));
    }
    lines.join("\n")
}

fn used(mine: &MyUse) -> String {
    let found = &mine.found;
    let mut lines = vec![
        format!("{}: {} asked `{}` by {}", words::time(found.time_ms), found.consumer, found.dataset, found.mode),
        format!("  for `{}`, fields {}; {}", found.purpose, words::list(&found.fields), words::name(&found.outcome)),
        format!("  query {}, block {}, leaf {}, under {}", found.intent, found.height, found.leaf, mine.consent),
    ];
    lines.extend(mine.case.iter().map(|case| format!("  by law: case {}", words::tame(case))));
    lines.join("\n")
}
