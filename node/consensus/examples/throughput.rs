//! Blocks per second of four validators in one process whose signatures cost what SM2 costs here: 0.1 ms of processor
//! time to sign, 0.25 ms to verify. `cargo run --release -p covenant-consensus --example throughput [validators] [seconds] [block bytes]`
#![allow(clippy::print_stdout, reason = "it is a measurement for people")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use covenant_canon::{Digest, Label, SuiteId};
use covenant_consensus::{
    AppError, Application, Committed, Config, Evidence, MemoryHub, Proposal, SignError, Undecided, Verdict, VoteSigner,
    VoteVerifier, start,
};
use covenant_domain::MemberId;
use covenant_ledger::{Certificate, ValidatorSet};
use parking_lot::Mutex;

struct Chain {
    me: MemberId,
    set: ValidatorSet,
    size: usize,
    blocks: Mutex<BTreeMap<u64, Committed>>,
    undecided: Mutex<BTreeMap<(u64, u32), Undecided>>,
    late_rounds: AtomicU64,
}

impl Chain {
    fn tip_now(&self) -> u64 {
        self.blocks.lock().keys().next_back().copied().unwrap_or_default()
    }
}

fn id(block: &[u8]) -> Digest {
    Digest::of(SuiteId::Intl, Label::BLOCK, block)
}

#[async_trait]
impl Application for Chain {
    async fn tip(&self) -> Result<u64, AppError> {
        Ok(self.tip_now())
    }

    async fn validators(&self, _: u64) -> Result<ValidatorSet, AppError> {
        Ok(self.set.clone())
    }

    async fn wanted(&self, _: u64) {}

    async fn propose(&self, height: u64, round: u32) -> Result<Proposal, AppError> {
        let mut block = vec![0; self.size.max(12)];
        block.splice(..12, height.to_be_bytes().into_iter().chain(round.to_be_bytes()));
        let block: Bytes = block.into();
        let found = Undecided { proposer: self.me.clone(), id: id(&block), block: block.clone() };
        self.undecided.lock().insert((height, round), found);
        Ok(Proposal { id: id(&block), block })
    }

    async fn check(&self, height: u64, round: u32, who: &MemberId, block: Bytes) -> Result<Verdict, AppError> {
        let id = id(&block);
        self.undecided.lock().insert((height, round), Undecided { proposer: who.clone(), id, block });
        Ok(Verdict::Valid(id))
    }

    async fn undecided(&self, height: u64, round: u32) -> Result<Vec<Undecided>, AppError> {
        Ok(self.undecided.lock().get(&(height, round)).cloned().into_iter().collect())
    }

    async fn commit(&self, height: u64, id: Digest, cert: &Certificate, _: Vec<Evidence>) -> Result<(), AppError> {
        let mut undecided = self.undecided.lock();
        let found = undecided.values().find(|u| u.id == id).ok_or_else(|| AppError::new("unknown block"))?;
        let committed = Committed { block: found.block.clone(), certificate: cert.clone() };
        self.blocks.lock().insert(height, committed);
        undecided.retain(|(at, _), _| *at > height);
        self.late_rounds.fetch_add(u64::from(cert.round), Ordering::Relaxed);
        Ok(())
    }

    async fn committed(&self, height: u64) -> Result<Option<Committed>, AppError> {
        Ok(self.blocks.lock().get(&height).cloned())
    }

    async fn earliest(&self) -> Result<u64, AppError> {
        Ok(1)
    }
}

/// Signatures that are a hash, and as slow as SM2.
struct Slow {
    me: MemberId,
    verified: AtomicU64,
}

fn burn(micros: u64) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_micros(micros) {
        std::hint::spin_loop();
    }
}

fn stamp(member: &MemberId, message: &[u8]) -> Vec<u8> {
    Digest::of_parts(SuiteId::Intl, Label::VOTE, &[member.as_str().as_bytes(), message]).as_bytes().to_vec()
}

impl VoteSigner for Slow {
    fn member(&self) -> &MemberId {
        &self.me
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        burn(100);
        Ok(stamp(&self.me, message))
    }
}

impl VoteVerifier for Slow {
    fn verify(&self, member: &MemberId, message: &[u8], signature: &[u8]) -> bool {
        burn(250);
        self.verified.fetch_add(1, Ordering::Relaxed);
        stamp(member, message) == signature
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut number = |default| numbers.next().unwrap_or(Ok(default));
    let (count, seconds, size) = (number(4)?, number(10)?, number(100 * 1024)?);
    let members: Vec<_> = (0..count).map(|i| MemberId::new(&format!("m{i}"))).collect::<Result<_, _>>()?;
    let set = ValidatorSet::equal(members.iter().cloned())?;
    let folder = std::env::temp_dir().join(format!("covenant-throughput-{}", std::process::id()));
    let hub = MemoryHub::new();
    let mut running = Vec::new();
    for me in &members {
        let chain = Arc::new(Chain {
            me: me.clone(),
            set: set.clone(),
            size,
            blocks: Mutex::default(),
            undecided: Mutex::default(),
            late_rounds: AtomicU64::new(0),
        });
        let slow = Arc::new(Slow { me: me.clone(), verified: AtomicU64::new(0) });
        let config = Config::new(Digest([1; 32]), me.clone(), folder.join(me.as_str()));
        let engine = start(config, chain.clone(), slow.clone(), slow.clone(), hub.join(me)).await?;
        running.push((engine, chain, slow));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let tips = |running: &[(_, Arc<Chain>, _)]| running.iter().map(|(_, c, _)| c.tip_now()).min().unwrap_or_default();
    let (began, first) = (Instant::now(), tips(&running));
    tokio::time::sleep(Duration::from_secs(seconds as u64)).await;
    let (elapsed, made) = (began.elapsed().as_secs_f64(), tips(&running) - first);
    let total = tips(&running).max(1) as f64;
    let verified = running.iter().map(|(_, _, s)| s.verified.load(Ordering::Relaxed)).sum::<u64>() as f64;
    let late: u64 = running.iter().map(|(_, c, _)| c.late_rounds.load(Ordering::Relaxed)).sum();
    println!(
        "{count} validators, {size} bytes per block: {:.1} blocks/s, {:.1} verifications per block and validator, {late} late rounds",
        made as f64 / elapsed,
        verified / total / count as f64,
    );
    for (engine, _, _) in running {
        engine.stop().await;
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
