//! `covenant demo`: a whole consortium with a synthetic city in this process, and its story.

mod bundles;
mod city;
mod ending;
mod home;
mod teller;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use covenant_canon::SuiteId;
use covenant_demo::city::City;
use covenant_demo::{Consortium, DemoError, Desk, Founding, MEMBERS, Settings, Story, catalogue, publish_rules};

use crate::context::Context;
use crate::document::Document;
use crate::error::CliError;
use crate::words;
use bundles::Written;
use city::Citizens;
use ending::Ending;
use home::Home;
use teller::Teller;

/// How to run the demo.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End after the story
    #[arg(long)]
    once: bool,
    /// Folder of keys, records and ledgers; a temporary one, removed at the end, unless given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// People in the city
    #[arg(long, default_value_t = 20_000)]
    residents: usize,
    /// Companies in the city
    #[arg(long, default_value_t = 3_000)]
    companies: usize,
    /// The city's seed: equal figures give equal cities
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// `sm` (SM2, SM3, SM4) or `intl` (Ed25519, X25519, AES-256)
    #[arg(long, default_value = "sm")]
    suite: SuiteId,
    /// Language of the story
    #[arg(long, default_value = "en")]
    lang: Lang,
    /// Where the gateway listens; a free port when this one is taken
    #[arg(long, default_value = "127.0.0.1:8600")]
    listen: SocketAddr,
    /// OTLP gRPC endpoint for traces and metrics
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
}

/// Language of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// English
    En,
    /// Simplified Chinese
    Zh,
}

/// Runs the demo: to its end with `--once`, otherwise until Ctrl-C.
pub(crate) async fn run(context: &Context, args: DemoArgs) -> Result<(), CliError> {
    let mut teller = Teller::new(context.printer, args.lang);
    let (began, home) = (Instant::now(), Home::open(args.dir.as_deref())?);
    let ready = unless_stopped(ready(context, &args, &home, &mut teller)).await;
    let Ready { consortium, city } = ready.map_err(|e| teller.failed(e))?;
    let ready_ms = began.elapsed().as_millis();
    let done = unless_stopped(tell(&consortium, &city, &home, &mut teller)).await;
    let story_ms = began.elapsed().as_millis();
    match done {
        Ok((bundles, desk)) => {
            let kept = !(args.once && home.is_temporary());
            let ending = Ending::new((&consortium, &desk), &home, bundles, ready_ms, story_ms, kept);
            let (human, machine) = (ending.told(args.lang, args.once), ending.machine(teller.steps(), args.once));
            context.printer.document(&Document::new(human, &machine));
            if !args.once {
                stop_asked().await;
            }
            desk.stop().await;
            consortium.stop().await;
            Ok(())
        }
        Err(error) => {
            consortium.stop().await;
            Err(teller.failed(error))
        }
    }
}

async fn unless_stopped<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::select! {
        done = work => done,
        () = stop_asked() => Err(CliError::Interrupted),
    }
}

struct Ready {
    consortium: Consortium,
    city: City,
}

/// Keys, records, nodes and rules.
async fn ready(context: &Context, args: &DemoArgs, home: &Home, teller: &mut Teller) -> Result<Ready, CliError> {
    teller.open("建立联盟：密钥与创世文件", "The consortium is founded: keys and genesis");
    let began = Instant::now();
    let founding = Founding::open_under(home.path(), catalogue::CONSORTIUM, args.suite, MEMBERS, catalogue::charter())?;
    let (suite, dir) = (founding.genesis.suite, home.path().display());
    if suite != args.suite {
        let text = format!("`{dir}` holds a consortium of suite `{suite}`: use `--suite {suite}`, or another `--dir`");
        return Err(CliError::usage(text));
    }
    let members = founding.genesis.members.len();
    let digest = founding.genesis.digest().short();
    teller.say(began, format!("{members} 个成员，创世摘要 {digest}…"), format!("{members} members, genesis {digest}…"));
    let citizens = Citizens { seed: args.seed, residents: args.residents, companies: args.companies };
    let datasets = catalogue::datasets().map_err(DemoError::from)?;
    let (city, sources) = city::settle(citizens, &founding, &datasets, home, teller).await?;
    teller.open("启动节点与网关", "Nodes and gateway start");
    let began = Instant::now();
    let listen = free(context, args.listen)?;
    let consortium = Consortium::start(Settings { sources, listen, ..Settings::new(founding) }).await?;
    let (nodes, url) = (consortium.nodes.len(), consortium.url());
    teller.say(began, format!("{nodes} 个共识节点，网关 {url}"), format!("{nodes} validating nodes, gateway at {url}"));
    let fresh = consortium.nodes.first().is_none_or(|n| n.with_state(|s| s.datasets().next().is_none()));
    if fresh {
        let began = Instant::now();
        publish_rules(&consortium, &datasets, words::now_ms()).await?;
        teller.say(
            began,
            "目录、用途、规则与共享许可已上账",
            "catalogue, purposes, rule books and grants are on the ledger",
        );
    }
    Ok(Ready { consortium, city })
}

/// Tells the story and writes its evidence.
async fn tell(
    consortium: &Consortium,
    city: &City,
    home: &Home,
    teller: &mut Teller,
) -> Result<(Vec<Written>, Desk), CliError> {
    let first_leaf = consortium.nodes.first().map_or(0, |n| n.tip().leaves);
    let mut line = |line| teller.tell(line);
    let desk = Story::new(consortium, city, &mut line)?.tell().await?;
    teller.open("保存证据文件", "The story's evidence is written to files");
    let began = Instant::now();
    let written = bundles::write(consortium, &home.path().join("evidence"), first_leaf).await?;
    let count = written.len();
    teller.say(began, format!("{count} 份证据，均已验证"), format!("{count} bundles, all verified"));
    Ok((written, desk))
}

/// The address if nobody has it, otherwise one with a free port.
fn free(context: &Context, listen: SocketAddr) -> Result<SocketAddr, CliError> {
    match TcpListener::bind(listen) {
        Ok(_released) => Ok(listen),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            context.printer.note(&format!("{listen} is taken: using a free port"));
            Ok(SocketAddr::new(listen.ip(), 0))
        }
        Err(error) => Err(CliError::usage(format!("cannot listen on {listen}: {error}"))),
    }
}

/// Resolves at Ctrl-C, or when the system asks the process to end.
async fn stop_asked() {
    #[cfg(unix)]
    if let Ok(mut term) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! { _ = tokio::signal::ctrl_c() => {}, _ = term.recv() => {} }
        return;
    }
    // Without signals there is nothing to wait for but the end of the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
