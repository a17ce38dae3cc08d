//! A replica in memory: what survives a crash lies in [`Disk`], the rest in [`Replica`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use covenant_canon::{Digest, Label, SuiteId, from_bytes, to_bytes};
use covenant_consensus::{
    AppError, Application, Committed, Evidence, Proposal, SignError, Undecided, Verdict, VoteSigner, VoteVerifier,
};
use covenant_domain::MemberId;
use covenant_ledger::{Certificate, Validator, ValidatorSet};
use minicbor::{Decode, Encode};
use parking_lot::Mutex;
use tokio::sync::watch;

/// A validator that signed none of so many certificates is not asked to propose.
pub(crate) const ABSENT_AFTER: u64 = 5;

pub(crate) const CONSORTIUM: Digest = Digest([42; 32]);

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Block {
    #[n(0)]
    pub(crate) height: u64,
    #[n(1)]
    pub(crate) parent: Digest,
    /// Certificate of the parent: what liveness is derived from, equal on all replicas.
    #[n(2)]
    pub(crate) last: Option<Certificate>,
    #[n(3)]
    pub(crate) proposer: MemberId,
    #[n(4)]
    pub(crate) entries: Vec<u64>,
    #[cbor(n(5), with = "minicbor::bytes")]
    pub(crate) padding: Vec<u8>,
}

pub(crate) fn block_id(bytes: &[u8]) -> Digest {
    Digest::of(SuiteId::Intl, Label::BLOCK, bytes)
}

/// What survives a crash.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) chain: BTreeMap<u64, Committed>,
    undecided: BTreeMap<(u64, u32), Vec<Undecided>>,
    pub(crate) mempool: BTreeSet<u64>,
    done: BTreeSet<u64>,
    pub(crate) evidence: Vec<Evidence>,
}

impl Disk {
    pub(crate) fn tip(&self) -> u64 {
        self.chain.keys().next_back().copied().unwrap_or_default()
    }

    pub(crate) fn block(&self, height: u64) -> Block {
        from_bytes(&self.chain[&height].block).unwrap()
    }

    fn parent(&self) -> Digest {
        self.chain.values().next_back().map_or(Digest::ZERO, |c| c.certificate.block)
    }
}

pub(crate) struct Replica {
    pub(crate) me: MemberId,
    members: Vec<MemberId>,
    pub(crate) disk: Arc<Mutex<Disk>>,
    tip: watch::Sender<u64>,
    work: watch::Sender<usize>,
    pub(crate) padding: AtomicUsize,
    /// Offers rubbish when it is its turn.
    pub(crate) spoils: AtomicBool,
    /// Says that its disk is full.
    pub(crate) broken: AtomicBool,
}

impl Replica {
    pub(crate) fn new(me: &MemberId, members: &[MemberId], disk: Arc<Mutex<Disk>>) -> Arc<Self> {
        let tip = disk.lock().tip();
        let work = disk.lock().mempool.len();
        Arc::new(Self {
            me: me.clone(),
            members: members.to_vec(),
            disk,
            tip: watch::channel(tip).0,
            work: watch::channel(work).0,
            padding: AtomicUsize::new(0),
            spoils: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        })
    }

    pub(crate) fn submit(&self, entries: impl IntoIterator<Item = u64>) {
        let mut disk = self.disk.lock();
        for entry in entries {
            if !disk.done.contains(&entry) {
                disk.mempool.insert(entry);
            }
        }
        self.work.send_replace(disk.mempool.len());
    }

    pub(crate) async fn reached(&self, height: u64) {
        let mut tip = self.tip.subscribe();
        tip.wait_for(|tip| *tip >= height).await.unwrap();
    }

    pub(crate) async fn idle(&self) {
        let mut work = self.work.subscribe();
        work.wait_for(|left| *left == 0).await.unwrap();
    }

    fn set(&self, disk: &Disk, height: u64) -> ValidatorSet {
        let certificates: Vec<_> = (height.saturating_sub(ABSENT_AFTER)..height)
            .filter_map(|h| disk.chain.contains_key(&h).then(|| disk.block(h).last).flatten())
            .collect();
        let signed = |m: &MemberId| certificates.iter().any(|c| c.signatures.iter().any(|s| s.validator == *m));
        let known = certificates.len() as u64 == ABSENT_AFTER;
        let validator = |m: &MemberId| Validator { member: m.clone(), power: 1, live: !known || signed(m) };
        ValidatorSet::new(self.members.iter().map(validator).collect()).unwrap()
    }

    fn verdict(&self, disk: &Disk, height: u64, bytes: &[u8]) -> Result<Block, String> {
        let block: Block = from_bytes(bytes).map_err(|e| e.to_string())?;
        if (block.height, block.parent) != (height, disk.parent()) || height != disk.tip() + 1 {
            return Err("not the next block".into());
        }
        if let Some(last) = &block.last {
            let set = self.set(disk, height - 1);
            last.check(&CONSORTIUM, &set, |who, m, s| stamp(who, m) == s).map_err(|e| e.to_string())?;
        }
        if block.last.as_ref().map(|c| c.block) != (height > 1).then(|| disk.parent()) {
            return Err("wrong certificate of the parent".into());
        }
        if block.entries.iter().any(|e| disk.done.contains(e)) {
            return Err("an entry twice".into());
        }
        Ok(block)
    }
}

#[async_trait]
impl Application for Replica {
    async fn tip(&self) -> Result<u64, AppError> {
        Ok(self.disk.lock().tip())
    }

    async fn validators(&self, height: u64) -> Result<ValidatorSet, AppError> {
        Ok(self.set(&self.disk.lock(), height))
    }

    async fn wanted(&self, _: u64) {
        let mut work = self.work.subscribe();
        work.wait_for(|left| *left > 0).await.unwrap();
    }

    async fn propose(&self, height: u64, round: u32) -> Result<Proposal, AppError> {
        let mut disk = self.disk.lock();
        let stored = disk.undecided.get(&(height, round)).and_then(|l| l.iter().find(|u| u.proposer == self.me));
        if let Some(Undecided { id, block, .. }) = stored.cloned() {
            return Ok(Proposal { id, block });
        }
        let block = Block {
            height,
            parent: disk.parent(),
            last: disk.chain.values().next_back().map(|c| c.certificate.clone()),
            proposer: self.me.clone(),
            entries: disk.mempool.first().copied().into_iter().collect(),
            padding: vec![7; self.padding.load(Ordering::Relaxed)],
        };
        let spoils = self.spoils.load(Ordering::Relaxed);
        let block: Bytes = if spoils { format!("rubbish {round}").into_bytes() } else { to_bytes(&block) }.into();
        let id = block_id(&block);
        let undecided = Undecided { proposer: self.me.clone(), id, block: block.clone() };
        disk.undecided.entry((height, round)).or_default().push(undecided);
        Ok(Proposal { id, block })
    }

    async fn check(&self, height: u64, round: u32, who: &MemberId, block: Bytes) -> Result<Verdict, AppError> {
        let mut disk = self.disk.lock();
        if let Err(reason) = self.verdict(&disk, height, &block) {
            return Ok(Verdict::Invalid(reason));
        }
        let id = block_id(&block);
        disk.undecided.entry((height, round)).or_default().push(Undecided { proposer: who.clone(), id, block });
        Ok(Verdict::Valid(id))
    }

    async fn undecided(&self, height: u64, round: u32) -> Result<Vec<Undecided>, AppError> {
        Ok(self.disk.lock().undecided.get(&(height, round)).cloned().unwrap_or_default())
    }

    async fn commit(&self, height: u64, id: Digest, cert: &Certificate, found: Vec<Evidence>) -> Result<(), AppError> {
        let mut disk = self.disk.lock();
        if self.broken.load(Ordering::Relaxed) {
            return Err(AppError::new("disk is full"));
        }
        if disk.tip() >= height {
            let same = disk.chain.get(&height).is_some_and(|c| c.certificate.block == id);
            return if same { Ok(()) } else { Err(AppError::new("a fork")) };
        }
        let stored = disk.undecided.iter().filter(|((h, _), _)| *h == height).flat_map(|(_, list)| list);
        let block = stored.clone().find(|u| u.id == id).map(|u| u.block.clone());
        let Some(block) = block else { return Err(AppError::new("decided block is not stored")) };
        let entries = from_bytes::<Block>(&block).map_err(AppError::new)?.entries;
        for entry in entries {
            disk.mempool.remove(&entry);
            disk.done.insert(entry);
        }
        disk.chain.insert(height, Committed { block, certificate: cert.clone() });
        disk.undecided.retain(|(h, _), _| *h > height);
        disk.evidence.extend(found);
        self.work.send_replace(disk.mempool.len());
        self.tip.send_replace(height);
        Ok(())
    }

    async fn strengthened(&self, certificate: &Certificate) -> Result<(), AppError> {
        let mut disk = self.disk.lock();
        if let Some(committed) = disk.chain.get_mut(&certificate.height) {
            committed.certificate = certificate.clone();
        }
        Ok(())
    }

    async fn idle_blocks(&self) -> Result<u32, AppError> {
        let disk = self.disk.lock();
        let empty = |height: &u64| disk.block(*height).entries.is_empty();
        Ok((1..=disk.tip()).rev().take_while(empty).count() as u32)
    }

    async fn committed(&self, height: u64) -> Result<Option<Committed>, AppError> {
        Ok(self.disk.lock().chain.get(&height).cloned())
    }

    async fn earliest(&self) -> Result<u64, AppError> {
        Ok(1)
    }
}

/// Stands for a signature: a hash over who signs what. Anything tampered with fails.
pub(crate) fn stamp(member: &MemberId, message: &[u8]) -> Vec<u8> {
    Digest::of_parts(SuiteId::Intl, Label::VOTE, &[member.as_str().as_bytes(), message]).as_bytes().to_vec()
}

/// Signs, or pretends to.
pub(crate) struct Stamp {
    pub(crate) me: MemberId,
    pub(crate) forges: bool,
}

impl VoteSigner for Stamp {
    fn member(&self) -> &MemberId {
        &self.me
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = stamp(&self.me, message);
        if self.forges {
            signature[0] ^= 1;
        }
        Ok(signature)
    }
}

/// Verifies and counts how often.
#[derive(Default)]
pub(crate) struct Check {
    pub(crate) count: AtomicUsize,
}

impl VoteVerifier for Check {
    fn verify(&self, member: &MemberId, message: &[u8], signature: &[u8]) -> bool {
        self.count.fetch_add(1, Ordering::Relaxed);
        stamp(member, message) == signature
    }
}
