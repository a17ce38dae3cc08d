//! `covenant request`: access requests, for consumers, platforms and holders.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use covenant_client::RequestDraft;
use covenant_domain::{Body, RequestId, RequestState, RequestStep};

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::publish::publish;
use crate::table::Table;
use crate::{files, words};

/// A draft to begin with; every line is to be read.
const TEMPLATE: &str = include_str!("request.toml");

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    /// Write a draft to fill in
    Draft {
        /// The new file
        file: PathBuf,
    },
    /// Submit a draft: the grant in it is signed by this member
    Submit {
        /// The draft, TOML or JSON
        file: PathBuf,
    },
    /// Submit a better draft of a request that was returned
    Amend {
        /// The request
        id: RequestId,
        /// The draft, TOML or JSON
        file: PathBuf,
    },
    /// Return a request to its consumer, as platform or holder
    Return {
        /// The request
        id: RequestId,
        /// What is missing
        #[arg(long)]
        reason: String,
    },
    /// Find a request in order, as the platform
    Check {
        /// The request
        id: RequestId,
        /// What was looked at
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Approve a request, as holder or co-signer: this signs the grant in it
    Approve {
        /// The request
        id: RequestId,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Reject a request for good, as holder or co-signer
    Reject {
        /// The request
        id: RequestId,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Take a request back, as its consumer
    Withdraw {
        /// The request
        id: RequestId,
    },
    /// List requests that concern this member
    List {
        /// Only those whose clock has run out
        #[arg(long)]
        overdue: bool,
    },
    /// Show one request with its steps
    Show {
        /// The request
        id: RequestId,
    },
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: RequestCommand) -> Result<Document, CliError> {
    let (request, step) = match command {
        RequestCommand::Draft { file } => return draft(&file),
        RequestCommand::Submit { file } => return submit(context, &file).await,
        RequestCommand::Amend { id, file } => {
            let draft: RequestDraft = files::read_value(&file, "a draft of an access request")?;
            (id, RequestStep::Amended { request: context.client().await?.request_for(draft, Some(id)).await? })
        }
        RequestCommand::List { overdue } => return list(context, overdue).await,
        RequestCommand::Show { id } => {
            let found = context.client().await?.request(&id).await?;
            return Ok(Document::new(told(&found), &found));
        }
        RequestCommand::Return { id, reason } => (id, RequestStep::Returned { reason }),
        RequestCommand::Check { id, note } => (id, RequestStep::Checked { note }),
        RequestCommand::Approve { id, reason } => (id, RequestStep::Approved { reason }),
        RequestCommand::Reject { id, reason } => (id, RequestStep::Rejected { reason }),
        RequestCommand::Withdraw { id } => (id, RequestStep::Withdrawn),
    };
    publish(&context.client().await?, Body::RequestStepped { request, step }).await
}

fn draft(file: &Path) -> Result<Document, CliError> {
    files::write_new(file, TEMPLATE.as_bytes(), false)?;
    let path = file.display().to_string();
    Ok(Document::new(
        format!("✓ draft `{path}`: fill it in, then `covenant request submit {}`", words::shell(&path)),
        &path,
    ))
}

async fn submit(context: &Context, file: &Path) -> Result<Document, CliError> {
    let draft: RequestDraft = files::read_value(file, "a draft of an access request")?;
    let client = context.client().await?;
    let request = client.request_for(draft, None).await?;
    publish(&client, Body::RequestSubmitted(request)).await
}

async fn list(context: &Context, overdue: bool) -> Result<Document, CliError> {
    let mut all = context.client().await?.requests().await?;
    all.retain(|r| !overdue || r.clock.as_ref().is_some_and(|c| c.overdue));
    let mut table = Table::new(["request", "consumer", "dataset", "purpose", "status", "waits for", "due"]);
    for state in &all {
        let grant = &state.request.grant.grant;
        let clock = state.clock.as_ref();
        table.row([
            state.request.id.to_string(),
            grant.consumer.to_string(),
            grant.dataset.to_string(),
            grant.purpose.to_string(),
            words::name(&state.status),
            clock.map(|c| c.member.to_string()).unwrap_or_default(),
            clock.map(|c| due(c.due_ms, c.overdue)).unwrap_or_default(),
        ]);
    }
    Ok(Document::new(table.to_string(), &all))
}

fn due(due_ms: u64, overdue: bool) -> String {
    format!("{}{}", words::time(due_ms), if overdue { " OVERDUE" } else { "" })
}

fn told(state: &RequestState) -> String {
    let (grant, risk) = (&state.request.grant.grant, &state.request.risk);
    let mut lines = vec![
        format!("request:   {}, {}", state.request.id, words::name(&state.status)),
        format!("consumer:  {} (subsystem `{}`)", grant.consumer, words::tame(&state.request.subsystem)),
        format!("dataset:   {}, revision {}", grant.dataset, state.request.dataset_revision),
        format!("purpose:   {}", grant.purpose),
        format!("fields:    {}", words::list(&grant.fields)),
        format!("modes:     {}", words::list(&grant.modes)),
        format!("quota:     {} per {} ms, {} record(s) each", grant.quota.limit, grant.quota.window_ms, grant.max_rows),
        format!("valid:     {} to {}", words::time(grant.valid_from_ms), words::time(grant.valid_until_ms)),
        format!("kept:      {} days", grant.data_life_days),
        format!("grant:     {}", grant.id),
        format!("risk:      {}, by {}, reviewed by {}", words::name(&risk.level()), risk.author, risk.reviewer),
        format!("approvals: {} of {}", words::list(&state.approvals), words::list(&state.approvers)),
    ];
    lines.extend(state.rule.as_ref().map(|rule| format!("rule:      {rule}")));
    lines.extend(state.clock.as_ref().map(|c| format!("waits for: {} until {}", c.member, due(c.due_ms, c.overdue))));
    for event in &state.events {
        let whom = event.on_behalf_of.as_ref().map(|m| format!(" for {m}")).unwrap_or_default();
        let late = if event.late_ms > 0 { format!(", {} h late", event.late_ms / 3_600_000) } else { String::new() };
        let (when, step) = (words::time(event.at_ms), &event.step);
        lines.push(
            format!("  {when} {} by {}{whom}{late} {}", step, event.by, words::tame(&event.words))
                .trim_end()
                .to_owned(),
        );
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_draft_that_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("request.toml");
        draft(&file).unwrap();
        let read: RequestDraft = files::read_value(&file, "a draft").unwrap();
        assert!(read.valid_from < read.valid_until && read.risk.author != read.risk.reviewer);
        let error = std::fs::write(&file, format!("priority = 1\n{TEMPLATE}"))
            .map(|()| files::read_value::<RequestDraft>(&file, "a draft").unwrap_err().to_string())
            .unwrap();
        assert!(error.contains("priority"), "{error}");
    }
}
