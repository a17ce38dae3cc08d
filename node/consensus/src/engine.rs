//! Starting and stopping.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_malachitebft_app_channel::app::engine::node::NodeRef;
use arc_malachitebft_app_channel::{
    Channels, ConsensusContext, EngineBuilder, EngineHandle, RequestContext, SyncContext, WalContext,
};
use covenant_domain::MemberId;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::adapter::Adapter;
use crate::app::Application;
use crate::codec::Cbor;
use crate::config::{Config, EngineConfig};
use crate::context::{Address, Context};
use crate::error::ConsensusError;
use crate::pulse::Pulse;
use crate::signing::{Signing, VoteSigner, VoteVerifier};
use crate::transport::{Network, Switch, receive, spawn};

/// Longest wait for an engine that ran before in this process to let go of the log.
const LOG_WAIT: Duration = Duration::from_secs(5);

/// Longest wait for the engine to stop by itself.
const STOP_WAIT: Duration = Duration::from_secs(3);

/// Requests of peers that wait at the adapter.
const ASKS: usize = 64;

type Failure = Option<Arc<ConsensusError>>;

/// A running engine. Dropping it stops it, without waiting.
pub struct Engine {
    node: NodeRef,
    tasks: Vec<JoinHandle<()>>,
    failure: watch::Receiver<Failure>,
    /// Set before the actors are told to end, so that their end is not taken for a failure.
    stopping: Arc<AtomicBool>,
}

/// Starts the engine of one replica. It takes part once the validators that it needs for a quorum are connected.
///
/// # Errors
/// [`ConsensusError`] when the write-ahead log is in use or unreadable, the replica cannot say where it stands, or the
/// signer is somebody else's.
pub async fn start(
    config: Config,
    app: Arc<dyn Application>,
    signer: Arc<dyn VoteSigner>,
    verifier: Arc<dyn VoteVerifier>,
    network: Network,
) -> Result<Engine, ConsensusError> {
    if *signer.member() != config.member {
        let (signer, member) = (signer.member().to_string(), config.member.to_string());
        return Err(ConsensusError::Signer { signer, member });
    }
    let log = config.wal_dir.join("consensus.wal");
    free_log(&config.wal_dir, &log)
        .await
        .map_err(|source| ConsensusError::Wal { path: config.wal_dir.clone(), source })?;

    let signing = Signing::new(config.consortium, signer, verifier);
    let (asks, asked) = mpsc::channel(ASKS);
    let switch = Arc::new(Switch::new(network.link, Arc::new(Pulse::default()), asks));
    let adapter = Adapter::new(config.clone(), app, signing.clone(), switch.clone()).await?;
    let (channels, handle) = build(&config, &signing, &log, switch.clone()).await?;
    let EngineHandle { actor: node, handle } = handle;

    let (report, failure) = watch::channel(None);
    let stopping = Arc::new(AtomicBool::new(false));
    let asked_to_stop = stopping.clone();
    let hearing = tokio::spawn(receive(switch, network.events));
    let supervised = node.clone();
    let serving = tokio::spawn(async move {
        let Channels { consensus, .. } = channels;
        let cause = tokio::select! {
            done = adapter.run(consensus, asked) => {
                done.err().unwrap_or_else(|| ConsensusError::Engine("see its log".to_owned()))
            }
            _ = handle => ConsensusError::Engine("an actor of the engine ended".to_owned()),
        };
        if !asked_to_stop.load(Ordering::Acquire) {
            tracing::error!(error = ?cause, "consensus stopped");
        }
        supervised.get_cell().stop_children(None);
        supervised.stop(None);
        let _nobody_asks = report.send(Some(Arc::new(cause)));
    });
    Ok(Engine { node, tasks: vec![hearing, serving], failure, stopping })
}

async fn build(
    config: &Config,
    signing: &Signing,
    log: &Path,
    switch: Arc<Switch>,
) -> Result<(Channels<Context>, EngineHandle), ConsensusError> {
    let network = spawn(switch).await.map_err(|e| ConsensusError::Start(e.to_string()))?;
    // Blocks go out through the switch; the engine's channel for them has no other end.
    let (unused, _) = mpsc::channel(1);
    let address = Address(seat(config)?);
    let consensus = match config.observes {
        true => ConsensusContext::new_full_node(address, Box::new(signing.clone())),
        false => ConsensusContext::new_validator(address, Box::new(signing.clone()), Box::new(signing.clone())),
    };
    EngineBuilder::new(Context, EngineConfig::from(config))
        .with_default_wal(WalContext::new(log.to_owned(), Cbor))
        .with_custom_network(network, unused)
        .with_default_sync(SyncContext::new(Cbor))
        .with_default_consensus(consensus)
        .with_default_request(RequestContext::new(16))
        .build()
        .await
        .map_err(|e| ConsensusError::Start(format!("{e:#}")))
}

/// Under which name the engine sits among the validators. One that only follows sits nowhere: under its member's name
/// the engine would want to vote.
fn seat(config: &Config) -> Result<MemberId, ConsensusError> {
    if !config.observes {
        return Ok(config.member.clone());
    }
    let name = format!("observer-{}", config.consortium.short());
    MemberId::new(&name).map_err(|e| ConsensusError::Start(e.to_string()))
}

/// Makes the folder and waits until nobody holds the log: an engine stopped a moment ago may still flush it.
async fn free_log(folder: &Path, log: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let file = File::options().create(true).truncate(false).write(true).open(log)?;
    let give_up = tokio::time::Instant::now() + LOG_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return file.unlock(),
            Err(error) if tokio::time::Instant::now() > give_up => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

impl Engine {
    /// Resolves when the engine died: the application failed, the log cannot be written, an actor ended. Nothing is
    /// signed any more; start a new engine, after the cause is gone.
    pub async fn failed(&self) -> Arc<ConsensusError> {
        let mut failure = self.failure.clone();
        let found = failure.wait_for(Option::is_some).await.ok().and_then(|cause| cause.clone());
        found.unwrap_or_else(|| Arc::new(ConsensusError::Engine("it was stopped".to_owned())))
    }

    /// Whether the engine has died, as far as is known now.
    pub fn has_failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    /// Stops the engine and waits until it no longer signs or stores anything.
    pub async fn stop(mut self) {
        self.stopping.store(true, Ordering::Release);
        self.node.get_cell().stop_children_and_wait(None, Some(STOP_WAIT)).await;
        let _stopped_already = self.node.stop_and_wait(None, Some(STOP_WAIT)).await;
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            let _cancelled = task.await;
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for child in self.node.get_cell().get_children() {
            child.kill();
        }
        self.node.kill();
        for task in &self.tasks {
            task.abort();
        }
    }
}
