//! What may be typed.

use clap::{Parser, Subcommand};

use crate::context::Globals;
use crate::{
    consent, dataset, demo, epoch, evidence, explain, grant, keys, ledger, oversight, policy, purpose, query, verify,
};

const AFTER: &str = "\
Exit codes:
  0  done, answered, verified
  1  refused, rejected, not verified, a step failed
  2  wrong usage, or an input that cannot be read
  3  the gateway or a database is not reachable
  4  the query is not final yet: `covenant query resume INTENT`

Environment:
  COVENANT_GATEWAY, COVENANT_KEY, COVENANT_TRUST, COVENANT_EPOCH_DIR  as the options of these names
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
    /// Verify evidence offline: exit 0 verified, 1 not verified, 2 cannot be read
    Verify(verify::VerifyArgs),
    /// Fetch the evidence of a query, or show a bundle
    Evidence(evidence::EvidenceArgs),
    /// Make and show key files
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Ask audited questions
    #[command(subcommand)]
    Query(query::QueryCommand),
    /// Issue and change consents (for the authorisation service)
    #[command(subcommand)]
    Consent(consent::ConsentCommand),
    /// Sign, issue and change grants
    #[command(subcommand)]
    Grant(grant::GrantCommand),
    /// Import and publish datasets
    #[command(subcommand)]
    Dataset(dataset::DatasetCommand),
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
