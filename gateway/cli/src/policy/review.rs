//! `covenant policy review` and `diff`: a rule book looked at before it is adopted.

use std::path::{Path, PathBuf};

use clap::Args;
use covenant_domain::{Dataset, Purpose};
use covenant_ledger::Genesis;
use covenant_review::{Answer, Catalogue, Change, Difference, Reach, Review, Severity, diff, review};
use serde_json::json;

use super::read;
use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::files;
use crate::table::Table;
use crate::words;

/// Where datasets and purposes come from.
#[derive(Debug, Args)]
pub(crate) struct CatalogueArgs {
    /// Dataset descriptions, to review without a gateway; purposes come from files then too
    #[arg(long, num_args = 1.., value_name = "FILE")]
    datasets: Vec<PathBuf>,
    /// Purposes
    #[arg(long, num_args = 1.., value_name = "FILE", requires = "datasets")]
    purposes: Vec<PathBuf>,
}

/// What the files or the gateway say.
struct Known {
    trust: Genesis,
    datasets: Vec<Dataset>,
    purposes: Vec<Purpose>,
}

impl Known {
    async fn load(context: &Context, args: &CatalogueArgs) -> Result<Self, CliError> {
        let trust = context.trust()?;
        if args.datasets.is_empty() {
            let client = context.client().await?;
            return Ok(Self { trust, datasets: client.datasets().await?, purposes: client.purposes().await? });
        }
        let datasets = args.datasets.iter().map(|f| files::read_value(f, "a dataset description"));
        let purposes = args.purposes.iter().map(|f| files::read_value(f, "a purpose"));
        Ok(Self { trust, datasets: datasets.collect::<Result<_, _>>()?, purposes: purposes.collect::<Result<_, _>>()? })
    }

    fn catalogue(&self) -> Catalogue<'_> {
        Catalogue { datasets: &self.datasets, purposes: &self.purposes, members: &self.trust.members }
    }
}

/// Reviews a book; fails when it cannot be adopted.
pub(super) async fn run(
    context: &Context,
    file: &Path,
    previous: Option<&Path>,
    args: &CatalogueArgs,
) -> Result<Document, CliError> {
    let (book, previous) = (read(file)?, previous.map(read).transpose()?);
    let known = Known::load(context, args).await?;
    let suite = known.trust.suite;
    let review = review(suite, &book, previous.as_ref(), &known.catalogue());
    let digest = review.digest(suite);
    let machine = json!({ "review": review, "digest": digest });
    let human = format!("{}\n\nreview {digest} (suite {suite})", tell(&review));
    Ok(Document::new(human, &machine).demanding(review.passes()))
}

/// Compares two books.
pub(super) async fn compare(
    context: &Context,
    old: &Path,
    new: &Path,
    args: &CatalogueArgs,
) -> Result<Document, CliError> {
    let (old, new) = (read(old)?, read(new)?);
    let known = Known::load(context, args).await?;
    let difference = diff(known.trust.suite, &old, &new, &known.catalogue())?;
    Ok(Document::new(tell_difference(&difference), &difference))
}

fn tell(review: &Review) -> String {
    let mut parts = vec![format!("rule book of `{}`, revision {}", review.holder, review.revision)];
    if review.findings.is_empty() {
        parts.push("✓ nothing to find fault with".into());
    } else {
        let mut table = Table::new(["severity", "code", "rule", "finding"]);
        for finding in &review.findings {
            let severity = match finding.severity {
                Severity::Note => "note",
                Severity::Warning => "warning",
                Severity::Error => "error",
            };
            let code = words::name(&finding.code);
            table.row([severity.into(), code, finding.rule.clone(), finding.detail.clone()]);
        }
        parts.push(table.to_string());
    }
    parts.push(tell_reach(&review.reach));
    if review.truncated {
        parts.push("there are more ways than are looked at: this list is cut".into());
    }
    parts.extend(review.difference.as_ref().map(tell_difference));
    parts.join("\n\n")
}

fn tell_reach(reach: &[Reach]) -> String {
    if reach.is_empty() {
        return "nobody could see anything".into();
    }
    let mut table = Table::new(["who could see", "dataset", "fields", "mode", "purpose", "ground", "days", "hours"]);
    for way in reach {
        let hours: Vec<String> = way.hours.iter().map(|(from, until)| format!("{from}-{until}")).collect();
        table.row([
            way.member.to_string(),
            way.dataset.name().to_owned(),
            words::list(&way.fields),
            way.mode.to_string(),
            way.purpose.to_string(),
            words::name(&way.ground),
            words::name(&way.days),
            hours.join(", "),
        ]);
    }
    format!("with a grant, and a consent where one is needed:\n{table}")
}

fn tell_difference(difference: &Difference) -> String {
    let Difference { questions, truncated, changes } = difference;
    let cut = if *truncated { "; there are more, which were not compared" } else { "" };
    let head = format!("{} of the changes below open something; {questions} questions compared{cut}", {
        changes.iter().filter(|c| c.now.is_yes() && !c.was.is_yes()).count()
    });
    if changes.is_empty() {
        return format!("no question gets another answer; {questions} questions compared{cut}");
    }
    let mut table =
        Table::new(["who", "dataset", "fields", "mode", "purpose", "ground", "days", "hours", "was", "now"]);
    changes.iter().for_each(|change| table.row(line(change)));
    format!("{head}\n{table}")
}

fn line(change: &Change) -> [String; 10] {
    let said = |answer: &Answer| match answer {
        Answer::Allowed { obligations } if obligations == &covenant_domain::RuleObligations::default() => "allowed",
        Answer::Allowed { .. } => "allowed, with demands",
        Answer::Forbidden => "forbidden",
        Answer::Silent => "silent",
        Answer::Failed => "failed",
    };
    [
        change.member.to_string(),
        change.dataset.name().to_owned(),
        words::list(&change.fields),
        change.mode.to_string(),
        change.purpose.to_string(),
        words::name(&change.ground),
        words::name(&change.days),
        format!("{}-{}", change.from_hour, change.until_hour),
        said(&change.was).into(),
        said(&change.now).into(),
    ]
}
