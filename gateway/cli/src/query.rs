//! `covenant query`: asks, resumes, plans.

use clap::{Args, Subcommand, ValueEnum};
use covenant_client::{Client, LookupQuestion, PlanRequest, PlanResponse, Question};
use covenant_domain::{DatasetId, FieldName, IntentId, Mode, PurposeCode, Reason, Value};
use covenant_engine::Need;

use crate::answer::{self, AnswerArgs};
use crate::claims::{self, ClaimArgs};
use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::ground::GroundArgs;
use crate::subject::SubjectArgs;
use crate::words;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum QueryCommand {
    /// Ask one question and wait for its answer
    Ask(Box<AskArgs>),
    /// Take up a query again: after an interruption, or when it was not final
    Resume(ResumeArgs),
    /// Tell the least revealing mode that would be permitted now
    Plan(PlanArgs),
}

/// A question.
#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    /// About what, `cov:consortium/class/org/subsystem/dataset`
    #[arg(long)]
    dataset: DatasetId,
    /// Code of the purpose
    #[arg(long)]
    purpose: PurposeCode,
    /// `match`, `lookup`, `detail` or `submit`
    #[arg(long)]
    mode: Mode,
    /// Field to match or release; repeat it for more. With claims, the claimed fields unless given
    #[arg(long = "field", value_name = "FIELD")]
    fields: Vec<FieldName>,
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    claims: ClaimArgs,
    #[command(flatten)]
    ground: GroundArgs,
    #[command(flatten)]
    output: AnswerArgs,
}

/// A query to take up.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Id of the query
    intent: IntentId,
    #[command(flatten)]
    output: AnswerArgs,
}

/// A query that is being considered.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// About what
    #[arg(long)]
    dataset: DatasetId,
    /// Code of the purpose
    #[arg(long)]
    purpose: PurposeCode,
    /// Field; repeat it for more
    #[arg(long = "field", value_name = "FIELD", required = true)]
    fields: Vec<FieldName>,
    /// To learn what
    #[arg(long)]
    need: NeedArg,
    #[command(flatten)]
    ground: GroundArgs,
}

/// What the consumer needs to learn.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum NeedArg {
    /// Whether values it already has are right
    Verify,
    /// The values
    Read,
    /// The licence itself
    Document,
}

impl From<NeedArg> for Need {
    fn from(need: NeedArg) -> Self {
        match need {
            NeedArg::Verify => Self::Verify,
            NeedArg::Read => Self::Read,
            NeedArg::Document => Self::Document,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(context: &Context, command: QueryCommand) -> Result<Document, CliError> {
    match command {
        QueryCommand::Ask(args) => ask(context, *args).await,
        QueryCommand::Resume(args) => {
            args.output.check()?;
            let client = context.client().await?;
            let reply = client.resume(&args.intent).await?;
            answer::deliver(&args.output, client.trust().suite, &reply)
        }
        QueryCommand::Plan(args) => plan(context, args).await,
    }
}

async fn ask(context: &Context, args: AskArgs) -> Result<Document, CliError> {
    let AskArgs { dataset, purpose, mode, fields, subject, claims, ground, output } = args;
    output.check()?;
    let subject = subject.read(context)?;
    let identity = context.identity()?;
    let ground = ground.open(&identity, &subject)?;
    let client = context.client_of(identity).await?;
    let claims = claimed(context, &client, &dataset, claims).await?;
    if mode == Mode::Lookup {
        if !fields.is_empty() || !claims.is_empty() {
            let text = "mode `lookup` gives the whole row of the epoch (`covenant epoch show`): leave `--field` and claims out";
            return Err(CliError::usage(text));
        }
        let found = client.look_up(LookupQuestion { dataset, purpose, subject, ground }).await?;
        return answer::deliver(&output, client.trust().suite, &found.into());
    }
    let fields = if fields.is_empty() { claims.iter().map(|(name, _)| name.clone()).collect() } else { fields };
    if fields.is_empty() {
        return Err(CliError::usage("no fields: give `--field NAME`, or `--claim NAME=VALUE` in mode `match`"));
    }
    let question = Question { dataset, purpose, mode, fields, subject, ground, claims };
    let prepared = client.prepare(vec![question])?;
    if let Some(Ok(intent)) = prepared.intents().first() {
        context.printer.note(&format!("query {intent}; if interrupted: `covenant query resume {intent}`"));
    }
    let unsent = || CliError::usage("the question could not be prepared");
    let reply = client.send(&prepared).await.pop().ok_or_else(unsent)??;
    answer::deliver(&output, client.trust().suite, &reply)
}

async fn claimed(
    context: &Context,
    client: &Client,
    dataset: &DatasetId,
    args: ClaimArgs,
) -> Result<Vec<(FieldName, Value)>, CliError> {
    let typed = args.typed();
    let claims = args.read()?;
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let dataset = client.dataset(dataset).await?;
    let values = claims::values(&dataset, claims)?;
    if typed {
        claims::warn_of_personal(context, &dataset, &values);
    }
    Ok(values)
}

async fn plan(context: &Context, args: PlanArgs) -> Result<Document, CliError> {
    let PlanArgs { dataset, purpose, mut fields, need, ground } = args;
    // Intents carry their fields in order, each once; the plan is about such an intent.
    fields.sort();
    fields.dedup();
    let request = PlanRequest { dataset, purpose, fields, need: need.into(), authority: ground.outline()? };
    let response = context.client().await?.plan(&request).await?;
    let human = planned(&response);
    Ok(Document::new(human, &response).demanding(response.mode.is_some()))
}

fn planned(response: &PlanResponse) -> String {
    let mut lines = vec![match response.mode {
        Some(mode) => format!("✓ use mode `{mode}`"),
        None => "✗ no mode would be permitted now".to_owned(),
    }];
    lines.extend(
        response
            .refused
            .iter()
            .flat_map(|r| r.reasons.iter().map(|why| format!("  not `{}`: {}", r.mode, reason(why)))),
    );
    lines.join("\n")
}

/// A reason in one line.
pub(crate) fn reason(reason: &Reason) -> String {
    format!("{} [{}]", words::tame(&reason.detail), words::name(&reason.code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_api::RefusedMode;
    use covenant_domain::ReasonCode;

    #[test]
    fn a_plan_tells_what_stands_against_less() {
        let reasons = vec![Reason::new(ReasonCode::ModeNotGranted, "grant allows `detail`")];
        let refused = vec![RefusedMode { mode: Mode::Match, reasons }];
        let text = planned(&PlanResponse { mode: Some(Mode::Detail), refused });
        assert_eq!(text, "✓ use mode `detail`\n  not `match`: grant allows `detail` [mode-not-granted]");
    }
}
