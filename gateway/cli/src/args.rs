//! What may be typed.

use clap::{Parser, Subcommand};

use crate::context::Globals;
use crate::{
    authority, calendar, consent, dataset, delegation, demo, dispute, epoch, evidence, explain, grant, keys, ledger,
    my, oversight, policy, proposal, purpose, query, receipt, request, usage, verify,
};
use crate::{backup, certificate, doctor, gateway, init, member, node, soak};
use crate::{catalogue, record_model, right};

const AFTER: &str = "\
Exit codes:
  0  done, answered, verified
  1  refused, rejected, not verified, a step failed
  2  wrong usage, or an input that cannot be read
  3  the gateway or a database is not reachable
  4  the query is not final yet: `covenant query resume INTENT`

Environment:
  COVENANT_GATEWAY, COVENANT_KEY, COVENANT_TRUST, COVENANT_HANDOVERS, COVENANT_EPOCH_DIR  as the options of these names
  COVENANT_AUTHORITY   the authorisation service; COVENANT_TOKEN_FILE the citizen's token
  COVENANT_PASSPHRASE  passphrase of the key file
  COVENANT_LOG         log filter, for example `info,covenant_daemon=debug`; logs go to standard error

Begin with `covenant demo`.";

/// Covenant (信约): audited data sharing between authorities.
#[derive(Debug, Parser)]
#[command(name = "covenant", version, after_help = AFTER, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One noun, or one deed.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a whole consortium with a synthetic city in this process, and tell its story
    Demo(demo::DemoArgs),
    /// Found a consortium: keys, certificates, genesis and a folder for every member
    Init(init::InitArgs),
    /// Run a member's node until interrupted
    Node(node::NodeArgs),
    /// Run a gateway until interrupted
    Gateway(gateway::GatewayArgs),
    /// Do the real operations of a node one after the other, and say which fails
    Doctor(doctor::DoctorArgs),
    /// Have a running node write a backup
    Backup(backup::BackupArgs),
    /// Fill an empty database from a backup or a snapshot
    Restore(backup::RestoreArgs),
    /// Members, their standing and keys, and the charter
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Transport certificates
    #[command(subcommand)]
    Certificate(certificate::CertificateCommand),
    /// Run a consortium of processes here, fault after fault, and check what must hold
    Soak(soak::SoakArgs),
    /// Verify evidence offline: exit 0 verified, 1 not verified, 2 cannot be read
    Verify(verify::VerifyArgs),
    /// Fetch the evidence of a query, or show a bundle
    Evidence(evidence::EvidenceArgs),
    /// Make, show, prove and rotate keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Ask audited questions
    #[command(subcommand)]
    Query(query::QueryCommand),
    /// Issue and change consents (for the authorisation service)
    #[command(subcommand)]
    Consent(consent::ConsentCommand),
    /// Run the authorisation service, and keep its representations
    #[command(subcommand)]
    Authority(authority::AuthorityCommand),
    /// See and decide who may use your data (for citizens and companies)
    My(my::MyArgs),
    /// Sign, issue and change grants
    #[command(subcommand)]
    Grant(grant::GrantCommand),
    /// Import and publish datasets
    #[command(subcommand)]
    Dataset(dataset::DatasetCommand),
    /// Ask for grants, and decide on who asks
    #[command(subcommand)]
    Request(request::RequestCommand),
    /// Let another member act for this one
    #[command(subcommand)]
    Delegation(delegation::DelegationCommand),
    /// Propose rule books, and vote on these and on members
    #[command(subcommand)]
    Proposal(proposal::ProposalCommand),
    /// Dispute records, and answer disputes
    #[command(subcommand)]
    Dispute(dispute::DisputeCommand),
    /// Working days and statutory clocks
    #[command(subcommand)]
    Calendar(calendar::CalendarCommand),
    /// Notice texts shown before consent
    #[command(subcommand)]
    Notice(calendar::NoticeCommand),
    /// What answers are worth
    #[command(subcommand)]
    Tariff(calendar::TariffCommand),
    /// Reports on usage, contribution accounts and reliability
    #[command(subcommand)]
    Usage(usage::UsageCommand),
    /// Fetch the receipt of an entry
    Receipt(receipt::ReceiptArgs),
    /// Search, show and export the catalogue
    #[command(subcommand)]
    Catalogue(catalogue::CatalogueCommand),
    /// List and show the record models that come with this build
    #[command(subcommand)]
    RecordModel(record_model::RecordModelCommand),
    /// Propose, sign and check changes of rights
    #[command(subcommand)]
    Right(right::RightCommand),
    /// Check and adopt rule books
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Register purposes of use
    #[command(subcommand)]
    Purpose(purpose::PurposeCommand),
    /// Build and show the tables of private lookup
    #[command(subcommand)]
    Epoch(epoch::EpochCommand),
    /// Make the escrow key, open cases, compute answers again
    #[command(subcommand)]
    Oversight(oversight::OversightCommand),
    /// Tell why a query was decided as it was
    Explain(explain::ExplainArgs),
    /// Health of the nodes and the newest block
    Status,
    /// Work on a replica's database
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_may_follow_the_command() {
        let cli = Cli::try_parse_from(["covenant", "status", "--json", "--gateway", "http://h:1"]).unwrap();
        assert!(cli.globals.json && cli.globals.gateway == "http://h:1");
        assert!(Cli::try_parse_from(["covenant", "evidence", "nonsense", "--out", "x"]).is_err());
        let id = "0197f3c2-0000-7000-8000-000000000000";
        assert!(Cli::try_parse_from(["covenant", "evidence", id, "--out", "x"]).is_ok());
        assert!(Cli::try_parse_from(["covenant", "evidence", id]).is_err(), "a place to write is needed");
        assert!(Cli::try_parse_from(["covenant", "evidence", "show", "x.cov"]).is_ok());
    }

    #[test]
    fn a_question_needs_one_subject_and_one_ground() {
        let base = ["covenant", "query", "ask", "--dataset", "cov:a/b/c/d/e", "--purpose", "p", "--mode", "detail"];
        let parse = |more: &[&str]| Cli::try_parse_from(base.iter().chain(more));
        assert!(parse(&["--field", "x", "--subject-file", "s"]).is_ok());
        assert!(parse(&["--field", "x"]).is_err());
        assert!(parse(&["--field", "x", "--subject", "-", "--subject-file", "s"]).is_err());
        assert!(parse(&["--field", "x", "--subject", "-", "--case", "1", "--consent", "t.json"]).is_err());
    }
}
