//! `covenant policy`: rule books.

mod cases;
mod review;
mod simulate;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use covenant_canon::SuiteId;
use covenant_domain::{Body, RuleBook};
use covenant_engine::Guard;
use covenant_ledger::Genesis;
use serde_json::json;

use crate::act::Act;
use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::files;
use review::CatalogueArgs;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Compile a rule book without adopting it; no network. With `--trust`, roles of members are known
    Check {
        /// The rule book, TOML or JSON
        file: PathBuf,
    },
    /// Look for conflicts, idle rules and unknown names; tell who could see what. Needs the trust root
    Review {
        /// The rule book, TOML or JSON
        file: PathBuf,
        /// The revision before, to be told what changes
        #[arg(long, value_name = "FILE")]
        previous: Option<PathBuf>,
        #[command(flatten)]
        catalogue: CatalogueArgs,
    },
    /// Tell which questions two rule books answer differently. Needs the trust root
    Diff {
        /// The one before
        old: PathBuf,
        /// The one after
        new: PathBuf,
        #[command(flatten)]
        catalogue: CatalogueArgs,
    },
    /// Ask a rule book the questions of a file and compare with the answers that are meant; no network
    Test {
        /// The rule book, TOML or JSON
        file: PathBuf,
        /// The cases, TOML or JSON; see docs/policy.md
        cases: PathBuf,
    },
    /// Have a node try a rule book on past queries, as its holder or a regulator
    Simulate {
        /// The rule book, TOML or JSON
        file: PathBuf,
        /// How many of the newest queries
        #[arg(long, value_name = "N", default_value_t = 1_000)]
        last: u32,
    },
    /// Adopt a rule book, as its holder
    Adopt {
        /// The rule book, TOML or JSON
        file: PathBuf,
        #[command(flatten)]
        act: Act,
    },
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: PolicyCommand) -> Result<Document, CliError> {
    match command {
        PolicyCommand::Check { file } => check(&file, context.trust_if_named()?.as_ref()),
        PolicyCommand::Review { file, previous, catalogue } => {
            review::run(context, &file, previous.as_deref(), &catalogue).await
        }
        PolicyCommand::Diff { old, new, catalogue } => review::compare(context, &old, &new, &catalogue).await,
        PolicyCommand::Test { file, cases } => cases::run(&file, &cases, context.trust_if_named()?.as_ref()),
        PolicyCommand::Simulate { file, last } => simulate::run(context, &file, last).await,
        PolicyCommand::Adopt { file, act } => {
            let client = context.client().await?;
            let (book, members) = (read(&file)?, client.membership());
            Guard::compile(client.trust().suite, &book, members.roster().members())?;
            act.publish(context, Body::PolicyAdopted(book)).await
        }
    }
}

fn check(file: &Path, trust: Option<&Genesis>) -> Result<Document, CliError> {
    let book = read(file)?;
    let (suite, members) = trust.map_or((SuiteId::Sm, &[][..]), |g| (g.suite, &g.members));
    let guard = Guard::compile(suite, &book, members)?;
    let (holder, revision, rules, digest) = (&book.holder, guard.revision(), book.rules.len(), guard.digest());
    let human =
        format!("✓ rule book of `{holder}`, revision {revision}: {rules} rules, digest {digest} (suite {suite})");
    let machine = json!({ "holder": holder, "revision": revision, "rules": rules, "suite": suite, "digest": digest });
    Ok(Document::new(human, &machine))
}

fn read(file: &Path) -> Result<RuleBook, CliError> {
    files::read_value(file, "a rule book")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_s_rule_books_hold_and_a_rule_without_hours_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("book.toml");
        for book in covenant_demo::catalogue::rule_books().unwrap() {
            std::fs::write(&file, toml::to_string(&book).unwrap()).unwrap();
            let document = check(&file, None).unwrap();
            assert!(document.human.contains(book.holder.as_str()), "{}", document.human);
        }
        let mut book = covenant_demo::catalogue::rule_books().unwrap().remove(0);
        book.rules[0].until_hour = 0;
        std::fs::write(&file, toml::to_string(&book).unwrap()).unwrap();
        let causes = check(&file, None).unwrap_err().causes().join(" ");
        assert!(causes.contains(&book.rules[0].name), "{causes}");
    }
}
