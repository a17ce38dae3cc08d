//! A TCP relay that can be cut, frozen, slow and lossy: for soaks and tests. No node runs one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// How bad the link is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions {
    /// Delay of every chunk.
    pub delay_ms: u64,
    /// At most so much more, by chance; order is kept.
    pub jitter_ms: u64,
    /// How many of a thousand chunks are lost once, which TCP makes a stall of `STALL`.
    pub loss_permille: u32,
    /// Most bytes a second and direction; 0 for no limit.
    pub bytes_per_s: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Connections are closed, and new ones at once.
    Cut,
    /// Connections stay and carry nothing, as when a peer's machine loses its power.
    Frozen,
}

/// What a lost chunk costs.
const STALL: Duration = Duration::from_millis(200);
const CHUNK: usize = 16 << 10;
/// Chunks on their way.
const ON_THE_WAY: usize = 64;

/// A relay before one target. Gone when dropped.
pub struct FaultProxy {
    at: SocketAddr,
    way: watch::Sender<Way>,
    conditions: watch::Sender<Conditions>,
    _relay: JoinSet<()>,
}

impl FaultProxy {
    /// Relays from a free port of this machine.
    ///
    /// # Errors
    /// What the system says.
    pub async fn start(target: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let at = listener.local_addr()?;
        let (way, ways) = watch::channel(Way::Open);
        let (conditions, current) = watch::channel(Conditions::default());
        let mut relay = JoinSet::new();
        relay.spawn(accept(listener, target, ways, current));
        Ok(Self { at, way, conditions, _relay: relay })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.at
    }

    /// Closes all connections, and new ones at once.
    pub fn cut(&self) {
        self.way.send_replace(Way::Cut);
    }

    /// Connections stay and carry nothing.
    pub fn freeze(&self) {
        self.way.send_replace(Way::Frozen);
    }

    /// New connections pass again, and those that were frozen; those that were cut are gone.
    pub fn heal(&self) {
        self.way.send_replace(Way::Open);
    }

    /// Makes the link better or worse.
    pub fn set(&self, conditions: Conditions) {
        self.conditions.send_replace(conditions);
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    ways: watch::Receiver<Way>,
    conditions: watch::Receiver<Conditions>,
) {
    let mut relays = JoinSet::new();
    loop {
        let near = tokio::select! {
            Some(_) = relays.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((near, _)) => near,
                Err(_) => continue,
            },
        };
        relays.spawn(relay(near, target, ways.clone(), conditions.clone()));
    }
}

async fn relay(
    near: TcpStream,
    target: SocketAddr,
    ways: watch::Receiver<Way>,
    conditions: watch::Receiver<Conditions>,
) {
    let pumps = async {
        let mut open = ways.clone();
        is(&mut open, Way::Open).await;
        let Ok(far) = TcpStream::connect(target).await else { return };
        let _options = (near.set_nodelay(true), far.set_nodelay(true));
        let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
        // As soon as one direction ends, both do.
        tokio::select! {
            () = pump(near_in, far_out, ways.clone(), conditions.clone()) => {}
            () = pump(far_in, near_out, ways.clone(), conditions.clone()) => {}
        }
    };
    let mut cut = ways.clone();
    tokio::select! {
        () = is(&mut cut, Way::Cut) => {}
        () = pumps => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut ways: watch::Receiver<Way>,
    conditions: watch::Receiver<Conditions>,
) {
    let (sender, mut chunks) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let current = Arc::new(conditions);
    let reading = async {
        let mut last = Instant::now();
        loop {
            let mut chunk = vec![0; CHUNK];
            let Ok(length @ 1..) = from.read(&mut chunk).await else { break };
            chunk.truncate(length);
            let now = *current.borrow();
            let mut due = Instant::now() + Duration::from_millis(now.delay_ms + dice(now.jitter_ms));
            if dice(999) < u64::from(now.loss_permille) {
                due += STALL;
            }
            last = last.max(due);
            if sender.send((last, chunk)).await.is_err() {
                break;
            }
        }
        drop(sender);
    };
    let writing = async {
        while let Some((due, chunk)) = chunks.recv().await {
            sleep_until(due).await;
            is(&mut ways, Way::Open).await;
            if to.write_all(&chunk).await.is_err() {
                return;
            }
            let rate = current.borrow().bytes_per_s;
            if let Some(micros) = (chunk.len() as u64 * 1_000_000).checked_div(rate) {
                sleep(Duration::from_micros(micros)).await;
            }
        }
    };
    tokio::join!(reading, writing);
}

/// Waits for it, or until the relay is gone.
async fn is(ways: &mut watch::Receiver<Way>, wanted: Way) {
    let _gone = ways.wait_for(|way| *way == wanted).await;
}

/// From 0 to `most`.
fn dice(most: u64) -> u64 {
    rand::random_range(0..=most)
}
