//! `covenant explain`: why a query was decided as it was.

use clap::Args;
use covenant_client::Explanation;
use covenant_domain::IntentId;

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::query::reason;
use crate::words;

/// Which query.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Id of the query
    intent: IntentId,
    /// Have a node execute the ledger again and compare
    #[arg(long)]
    replay: bool,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &ExplainArgs) -> Result<Document, CliError> {
    let explanation = context.client().await?.explain(&args.intent, args.replay).await?;
    let same = explanation.replayed_equal != Some(false);
    Ok(Document::new(told(&explanation), &explanation).demanding(same))
}

fn told(explanation: &Explanation) -> String {
    let Explanation { decision, height, replayed_equal } = explanation;
    let permit = decision.permit();
    let word = if permit.is_some() { "permitted" } else { "refused" };
    let mut lines =
        vec![format!("{} query {} was {word} in block {height}", words::mark(permit.is_some()), decision.intent)];
    lines.extend(decision.reasons.iter().map(|r| format!("  {}", reason(r))));
    let book = decision.policy.map_or("none was consulted".to_owned(), |d| d.to_string());
    lines.push(format!("rule book: {book}"));
    if let Some(permit) = permit {
        let duties = &permit.obligations;
        lines.push(format!("grant: {}", permit.grant));
        lines.push(format!("fields: {}", words::list(&duties.fields)));
        if !duties.masked.is_empty() {
            lines.push(format!("masked: {}", words::list(&duties.masked)));
        }
        lines.push(format!("records: at most {}, to be kept {} days", duties.max_rows, duties.data_life_days));
        lines.extend(
            duties.rate_per_minute.map(|rate| format!("rate: at most {rate} queries a minute under the grant")),
        );
        if !duties.notify.is_empty() {
            lines.push(format!("told: {}", duties.notify.iter().map(words::name).collect::<Vec<_>>().join(", ")));
        }
    }
    lines.extend(replayed_equal.map(|same| {
        let text = if same { "gives the same decision" } else { "gives ANOTHER decision" };
        format!("{} executing the ledger again {text}", words::mark(same))
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_canon::Digest;
    use covenant_domain::{Decision, Outcome, Reason, ReasonCode};

    #[test]
    fn a_refusal_names_its_reason_rule_book_and_replay() {
        let decision = Decision {
            intent: IntentId::from_parts(1, &[0; 10]),
            query: Digest::ZERO,
            outcome: Outcome::Refused,
            reasons: vec![Reason::new(ReasonCode::ConsentRevoked, "revoked by the citizen")],
            policy: Some(Digest::ZERO),
        };
        let text = told(&Explanation { decision, height: 7, replayed_equal: Some(true) });
        for part in ["refused in block 7", "[consent-revoked]", &Digest::ZERO.to_string(), "the same decision"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
