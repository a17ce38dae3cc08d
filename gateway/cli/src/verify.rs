//! `covenant verify`: evidence against the trust root, without network.

use std::path::{Path, PathBuf};

use clap::Args;
use covenant_ledger::{Genesis, Report, Step, verify_answer, verify_evidence};
use serde::Serialize;

use crate::answer::Kept;
use crate::context::Context;
use crate::document::{Document, Exit};
use crate::error::CliError;
use crate::{files, words};

/// What to verify.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Evidence bundles
    #[arg(required = true, value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
    /// The answer, as `covenant query ask --keep` wrote it
    #[arg(long, value_name = "FILE")]
    answer: Option<PathBuf>,
}

/// One of several.
#[derive(Serialize)]
struct Named<'a> {
    bundle: &'a Path,
    report: &'a Report,
}

/// Verifies. One bundle gives its report, several a list of them.
pub(crate) fn run(context: &Context, args: &VerifyArgs) -> Result<Document, CliError> {
    let genesis = context.trust()?;
    if args.answer.is_some() && args.bundles.len() > 1 {
        return Err(CliError::usage("an answer belongs to one bundle: give that bundle alone"));
    }
    let kept: Option<Kept> = args.answer.as_deref().map(|p| files::read_value(p, "a kept answer")).transpose()?;
    let mut reports = Vec::new();
    for path in &args.bundles {
        reports.push((path.as_path(), check(&files::read(path)?, &genesis, kept.as_ref())));
    }
    Ok(documented(&reports))
}

fn check(bytes: &[u8], genesis: &Genesis, kept: Option<&Kept>) -> Report {
    match kept {
        Some(Kept { sealed, answer }) => verify_answer(bytes, genesis, &sealed.0, answer),
        None => verify_evidence(bytes, genesis),
    }
}

fn documented(reports: &[(&Path, Report)]) -> Document {
    let worst = reports.iter().map(|(_, report)| exit(report)).max().unwrap_or(Exit::Unusable);
    if let [(_, report)] = reports {
        return Document::new(told(report), report).ending(worst);
    }
    let text = |(path, report): &(&Path, Report)| format!("{}\n{}", path.display(), told(report));
    let human = reports.iter().map(text).collect::<Vec<_>>().join("\n\n");
    let machine: Vec<_> = reports.iter().map(|(bundle, report)| Named { bundle, report }).collect();
    Document::new(human, &machine).ending(worst)
}

fn exit(report: &Report) -> Exit {
    match report.failed {
        _ if report.verified => Exit::Done,
        Some(Step::Format) => Exit::Unusable,
        _ => Exit::No,
    }
}

fn told(report: &Report) -> String {
    let step = |s: &covenant_ledger::StepResult| {
        format!("{} {}: {}", words::mark(s.ok), words::name(&s.step), words::tame(&s.detail))
    };
    let mut lines: Vec<String> = report.steps.iter().map(step).collect();
    lines.push(match (&report.outcome, &report.failed) {
        (Some(outcome), _) => format!("verified: the query was {outcome}"),
        (None, Some(failed)) => format!("NOT verified: `{}` does not hold", words::name(failed)),
        (None, None) => "NOT verified".into(),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests;
