//! From a parsed command line to the module that does it.

use covenant_server::telemetry::{self, TelemetryConfig};

use crate::args::{Cli, Command};
use crate::context::Context;
use crate::document::{Document, Exit};
use crate::error::CliError;
use crate::{
    authority, calendar, consent, dataset, delegation, demo, dispute, epoch, evidence, explain, grant, keys, ledger,
    my, oversight, policy, proposal, purpose, query, receipt, request, status, usage, verify,
};
use crate::{backup, certificate, doctor, gateway, init, member, node, soak};
use crate::{catalogue, record_model, right};

/// What is logged unless COVENANT_LOG says otherwise.
const LOG: &str = "warn,arc_malachitebft=error";

/// Runs one command to its end and prints what it says.
pub(crate) fn start(cli: Cli) -> Exit {
    let context = Context::new(cli.globals);
    let printer = context.printer;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Runtime);
    match runtime.and_then(|runtime| runtime.block_on(run(context, cli.command))) {
        Ok(document) => {
            if let Some(document) = &document {
                printer.document(document);
            }
            document.map_or(Exit::Done, |d| d.exit)
        }
        Err(error) => {
            printer.failure(&error);
            error.exit()
        }
    }
}

/// What the command says; nothing if it has said everything already.
async fn run(context: Context, command: Command) -> Result<Option<Document>, CliError> {
    let _until_the_end = telemetry::init(&telemetry_of(&command))?;
    let context = &context;
    let document = match command {
        Command::Demo(args) => return demo::run(context, args).await.map(|()| None),
        Command::Init(args) => init::run(context, &args),
        Command::Node(args) => node::run(context, &args).await,
        Command::Gateway(args) => gateway::run(context, &args).await,
        Command::Doctor(args) => doctor::run(context, &args).await,
        Command::Backup(args) => backup::backup(context, &args).await,
        Command::Restore(args) => backup::restore(context, &args).await,
        Command::Member(command) => member::run(context, command).await,
        Command::Certificate(command) => certificate::run(context, command).await,
        Command::Soak(args) => soak::run(context, args).await,
        Command::Verify(args) => verify::run(context, &args),
        Command::Evidence(args) => evidence::run(context, args).await,
        Command::Keys(command) => keys::run(context, command).await,
        Command::Query(command) => query::run(context, command).await,
        Command::Consent(command) => consent::run(context, command).await,
        Command::Authority(command) => authority::run(context, command).await,
        Command::My(args) => my::run(context, args).await,
        Command::Grant(command) => grant::run(context, command).await,
        Command::Dataset(command) => dataset::run(context, command).await,
        Command::Request(command) => request::run(context, command).await,
        Command::Delegation(command) => delegation::run(context, command).await,
        Command::Proposal(command) => proposal::run(context, command).await,
        Command::Dispute(command) => dispute::run(context, command).await,
        Command::Calendar(command) => calendar::run(context, command).await,
        Command::Notice(command) => calendar::notice(context, command).await,
        Command::Tariff(command) => calendar::tariff(context, command).await,
        Command::Usage(command) => usage::run(context, command).await,
        Command::Receipt(args) => receipt::run(context, args).await,
        Command::Catalogue(command) => catalogue::run(context, command).await,
        Command::RecordModel(command) => record_model::run(command),
        Command::Right(command) => right::run(context, command).await,
        Command::Policy(command) => policy::run(context, command).await,
        Command::Purpose(command) => purpose::run(context, command).await,
        Command::Epoch(command) => epoch::run(context, command).await,
        Command::Oversight(command) => oversight::run(context, command).await,
        Command::Explain(args) => explain::run(context, &args).await,
        Command::Status => status::run(context).await,
        Command::Ledger(command) => ledger::run(context, command).await,
    };
    document.map(Some)
}

fn telemetry_of(command: &Command) -> TelemetryConfig {
    let otlp_endpoint = if let Command::Demo(args) = command { args.otlp.clone() } else { None };
    let filter = std::env::var("COVENANT_LOG").ok().filter(|f| !f.is_empty()).unwrap_or_else(|| LOG.to_owned());
    TelemetryConfig { otlp_endpoint, json_logs: false, filter, service: "covenant".into() }
}
