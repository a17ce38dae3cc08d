//! `covenant member`: who belongs to the consortium, and what changes it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use covenant_client::Client;
use covenant_domain::{
    Body, Charter, Freeze, Member, MemberId, NewKeys, Proposal, ProposalId, ProposalSubject, Role, Roster,
    RosterChange, Standing,
};
use covenant_ledger::Handover;
use serde_json::json;

use crate::act::Act;
use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::table::Table;
use crate::{files, words};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum MemberCommand {
    /// List the members, how each stands, and the charter
    List,
    /// Write how the present members follow from those of the genesis, for nodes and clients that have been away for long
    Handovers {
        /// The new file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Propose to admit a member: its description with public keys, and the proof of its new keys
    Admit {
        /// Description of the member, TOML or JSON
        file: PathBuf,
        /// What `covenant keys prove` printed at the new member
        #[arg(long, value_name = "TEXT")]
        possession: String,
        #[command(flatten)]
        why: Why,
    },
    /// Propose to remove a member
    Remove(Whom),
    /// Propose to suspend a member
    Suspend(Whom),
    /// Propose that a suspended or frozen member takes part again
    Reinstate(Whom),
    /// Propose to lock a member's key, which is lost or known to others
    Lock(Whom),
    /// Propose other keys for a member: what `covenant keys prove --json` printed there
    ReplaceKeys {
        /// The new keys, JSON
        file: PathBuf,
        #[command(flatten)]
        why: Why,
    },
    /// Propose other roles for a member
    SetRoles {
        /// Who
        member: MemberId,
        /// A role, several times for several: holder, consumer, authoriser, regulator, validator, trustee, platform, observer
        #[arg(long, required = true, value_parser = role)]
        role: Vec<Role>,
        #[command(flatten)]
        why: Why,
    },
    /// Propose another charter
    Amend {
        /// The charter, TOML or JSON
        file: PathBuf,
        #[command(flatten)]
        why: Why,
    },
    /// Freeze a member at once, as a regulator
    Freeze(Whom),
    /// Lift a freeze, as a regulator
    Thaw(Whom),
    /// Say that the own key is lost or known to others: nothing signed with it counts any more
    LockOwn {
        /// The own member's id, to be sure
        member: MemberId,
    },
    /// Name the officer whose second signature acts of administration need; its key as `covenant keys show` prints it
    Officer {
        /// The officer's verifying key; without it none is needed any more
        key: Option<String>,
        #[command(flatten)]
        act: Act,
    },
}

/// Whom it is about, and why.
#[derive(Debug, Args)]
pub(crate) struct Whom {
    /// Who
    member: MemberId,
    #[command(flatten)]
    why: Why,
}

/// Why.
#[derive(Debug, Args)]
pub(crate) struct Why {
    /// Why, for the voters and the record
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    act: Act,
}

fn role(text: &str) -> Result<Role, String> {
    serde_json::from_value(json!(text)).map_err(|_| format!("`{text}` is no role"))
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: MemberCommand) -> Result<Document, CliError> {
    let (change, why) = match command {
        MemberCommand::List => {
            let roster = context.client().await?.roster().await?;
            return Ok(Document::new(listed(&roster), &roster));
        }
        MemberCommand::Handovers { out } => {
            let handovers = handovers(&context.client().await?).await?;
            files::write_new(&out, &covenant_canon::to_bytes(&handovers), false)?;
            let (count, path) = (handovers.len(), out.display());
            let human = format!("✓ {count} handovers in `{path}`, which verify from the genesis");
            return Ok(Document::new(human, &json!({ "handovers": count, "file": out })));
        }
        MemberCommand::Freeze(Whom { member, why }) => return freeze(context, member, true, why).await,
        MemberCommand::Thaw(Whom { member, why }) => return freeze(context, member, false, why).await,
        MemberCommand::LockOwn { member } => {
            let client = context.client().await?;
            if &member != client.member() {
                return Err(CliError::usage(format!("this key is of `{}`, not of `{member}`", client.member())));
            }
            return crate::publish::publish(&client, Body::KeyLocked(member)).await;
        }
        MemberCommand::Officer { key, act } => return act.publish(context, Body::OfficerNamed(key)).await,
        MemberCommand::Admit { file, possession, why } => {
            let member: Member = files::read_value(&file, "a member")?;
            (RosterChange::Admit { member, possession }, why)
        }
        MemberCommand::Remove(Whom { member, why }) => (RosterChange::Remove { member }, why),
        MemberCommand::Suspend(Whom { member, why }) => (RosterChange::Suspend { member }, why),
        MemberCommand::Reinstate(Whom { member, why }) => (RosterChange::Reinstate { member }, why),
        MemberCommand::Lock(Whom { member, why }) => (RosterChange::Lock { member }, why),
        MemberCommand::ReplaceKeys { file, why } => {
            let keys: NewKeys = files::read_value(&file, "new keys")?;
            (RosterChange::ReplaceKeys { keys }, why)
        }
        MemberCommand::SetRoles { member, role: mut roles, why } => {
            roles.sort();
            roles.dedup();
            (RosterChange::SetRoles { member, roles }, why)
        }
        MemberCommand::Amend { file, why } => {
            let charter: Charter = files::read_value(&file, "a charter")?;
            charter.check().map_err(|e| files::content(&file, "a charter", e.to_string()))?;
            (RosterChange::Amend { charter }, why)
        }
    };
    let id = ProposalId::from_parts(words::now_ms(), &covenant_client::ten_random_bytes());
    let subject = ProposalSubject::Roster { change: Box::new(change) };
    let proposal = Proposal { id, subject, reason: why.reason };
    why.act.publish(context, Body::ProposalOpened(proposal)).await
}

/// How often a gateway is asked that is behind the nodes, and how long apart.
const TRIES: u32 = 20;
const APART: Duration = Duration::from_millis(500);

/// The handovers up to the present roster.
async fn handovers(client: &Client) -> Result<Vec<Handover>, CliError> {
    let wanted = client.roster().await?.number as usize;
    for _ in 0..TRIES {
        let handovers = client.consortium().await?.handovers;
        if handovers.len() >= wanted {
            return Ok(handovers);
        }
        tokio::time::sleep(APART).await;
    }
    Err(CliError::usage(format!("the gateway shows no handover to roster {wanted} yet: try again shortly")))
}

async fn freeze(context: &Context, member: MemberId, frozen: bool, why: Why) -> Result<Document, CliError> {
    let freeze = Freeze { member, frozen, reason: why.reason };
    why.act.publish(context, Body::MemberFrozen(freeze)).await
}

fn listed(roster: &Roster) -> String {
    let mut table = Table::new(["member", "name", "standing", "roles", "officer"]);
    for seat in &roster.seats {
        let standing = match seat.standing {
            Standing::Active => "active".to_owned(),
            other => other.name().to_uppercase(),
        };
        table.row([
            seat.member.id.to_string(),
            seat.member.names.zh.clone(),
            standing,
            words::list(seat.member.roles.iter().map(words::name)),
            if seat.officer_key.is_some() { "yes".into() } else { String::new() },
        ]);
    }
    let Charter { freshness_ms, completion_ms, pending_per_member, four_eyes, policy_vote, member_vote, .. } =
        &roster.charter;
    let vote = |rule: &Option<covenant_domain::VoteRule>| match rule {
        Some(rule) => format!("{} % within {} h", rule.quorum_percent, rule.objection_ms as f64 / 3_600_000.0),
        None => "none".into(),
    };
    format!(
        "roster {} from height {}\n{table}\ncharter: entries fresh for {} s, completion within {} s, {pending_per_member} entries waiting; four eyes {}\nvotes: on rule books {}; on members {}",
        roster.number,
        roster.from_height,
        freshness_ms / 1000,
        completion_ms / 1000,
        words::mark(*four_eyes == Some(true)),
        vote(policy_vote),
        vote(member_vote),
    )
}
