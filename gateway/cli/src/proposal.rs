//! `covenant proposal`: votes on rule books and members.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use covenant_canon::Digest;
use covenant_domain::{Ballot, Body, Proposal, ProposalId, ProposalState, ProposalSubject, RuleBook, Vote};
use covenant_engine::Guard;

use crate::act::Act;
use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::table::Table;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum ProposalCommand {
    /// Propose a rule book, as its holder
    Policy {
        /// The rule book, TOML or JSON
        file: PathBuf,
        /// Digest of its review, as `covenant policy review` prints it
        #[arg(long)]
        review: Digest,
        /// Why, for the voters
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        act: Act,
    },
    /// Vote on a proposal; a vote is final
    Vote {
        /// The proposal
        id: ProposalId,
        /// How
        vote: Choice,
        /// Why; an objection needs it
        #[arg(long, default_value = "")]
        reason: String,
        #[command(flatten)]
        act: Act,
    },
    /// List proposals
    List,
    /// Show one proposal with its votes
    Show {
        /// The proposal
        id: ProposalId,
    },
}

/// A vote as it is typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Choice {
    /// Agree
    Yes,
    /// Object
    No,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: ProposalCommand) -> Result<Document, CliError> {
    let client = context.client().await?;
    match command {
        ProposalCommand::Policy { file, review, reason, act } => {
            let book: RuleBook = files::read_value(&file, "a rule book")?;
            let members = client.membership();
            Guard::compile(client.trust().suite, &book, members.roster().members())?;
            let id = ProposalId::from_parts(words::now_ms(), &covenant_client::ten_random_bytes());
            let subject = ProposalSubject::Policy { book, review };
            act.publish(context, Body::ProposalOpened(Proposal { id, subject, reason })).await
        }
        ProposalCommand::Vote { id, vote, reason, act } => {
            let vote = match vote {
                Choice::Yes => Vote::Yes,
                Choice::No => Vote::No,
            };
            act.publish(context, Body::BallotCast(Ballot { proposal: id, vote, reason })).await
        }
        ProposalCommand::List => {
            let all = client.proposals().await?;
            Ok(Document::new(listed(&all), &all))
        }
        ProposalCommand::Show { id } => {
            let found = client.proposals().await?.into_iter().find(|p| p.proposal.id == id);
            let found = found.ok_or_else(|| CliError::usage(format!("no proposal {id} is on the ledger")))?;
            Ok(Document::new(told(&found), &found))
        }
    }
}

fn about(state: &ProposalState) -> String {
    match &state.proposal.subject {
        ProposalSubject::Policy { book, .. } => format!("rule book of {}, revision {}", book.holder, book.revision),
        ProposalSubject::Roster { change } => match change.member() {
            Some(member) => format!("{} {member}", change.name()),
            None => change.name().to_owned(),
        },
    }
}

fn listed(all: &[ProposalState]) -> String {
    let mut table = Table::new(["proposal", "about", "by", "status", "votes", "closes"]);
    for it in all {
        table.row([
            it.proposal.id.to_string(),
            about(it),
            it.proposer.to_string(),
            words::name(&it.status),
            format!("{}/{}", it.ballots.len(), it.voters.len()),
            words::time(it.closes_ms),
        ]);
    }
    table.to_string()
}

fn told(it: &ProposalState) -> String {
    let review = match &it.proposal.subject {
        ProposalSubject::Policy { review, .. } => format!(", review {review}"),
        ProposalSubject::Roster { .. } => String::new(),
    };
    let mut lines = vec![
        format!("proposal: {}, {}", it.proposal.id, words::name(&it.status)),
        format!("about:    {}{review}", about(it)),
        format!("reason:   {}", words::tame(&it.proposal.reason)),
        format!("open:     {} to {}", words::time(it.opened_ms), words::time(it.closes_ms)),
    ];
    for member in &it.voters {
        let vote = it.ballots.iter().find(|b| &b.member == member);
        let vote = vote.map(|b| format!("{} {}", words::name(&b.vote), words::tame(&b.reason))).unwrap_or_default();
        lines.push(format!("  {member}: {vote}").trim_end().to_owned());
    }
    lines.join("\n")
}
