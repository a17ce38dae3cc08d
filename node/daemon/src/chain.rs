//! The tip of the chain in memory: builds the next block, or checks somebody else's.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use covenant_canon::{Digest, to_bytes};
use covenant_domain::{Entry, MemberId};
use covenant_ledger::{
    Block, CheckedBatch, Genesis, Header, LogTail, MAX_BLOCK_BYTES, SignedBatch, Tile, Validator, ValidatorSet,
    entry_id,
};
use covenant_state::{Execution, State};
use covenant_store::EntryRow;

/// Headers looked back at to tell which validators are live, per validator.
const LIVE_WINDOW: usize = 4;
/// How far block time may run ahead of a validator's clock, in milliseconds.
const AHEAD_MS: u64 = 10_000;

/// The newest block's consequences.
pub(crate) struct Chain {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) consortium: Digest,
    pub(crate) state: State,
    pub(crate) tail: LogTail,
    pub(crate) parent: Digest,
    /// Signer lists of recent headers under the roster in force, newest last.
    pub(crate) signers: VecDeque<Vec<MemberId>>,
    /// Who signed the newest block, as this node has seen it.
    pub(crate) tip_signers: Vec<MemberId>,
    /// How many of the newest blocks hold nothing, as far as this process has seen.
    pub(crate) idle: u32,
}

/// The log after a block.
struct Grown {
    derived: Vec<(Vec<u8>, Digest)>,
    tail: LogTail,
    tiles: Vec<Tile>,
}

/// A block executed on top of the tip; nothing has happened yet.
pub(crate) struct Prepared {
    pub(crate) id: Digest,
    pub(crate) header: Header,
    pub(crate) bytes: Bytes,
    pub(crate) batches: Vec<CheckedBatch>,
    pub(crate) execution: Execution,
    /// Bytes and ids of the derived entries.
    derived: Vec<(Vec<u8>, Digest)>,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) first_leaf: u64,
    pub(crate) tail: LogTail,
}

impl Chain {
    /// Makes the next block of these batches, leaving out what cannot stand in it. Also returns what was left out.
    pub(crate) fn build(
        &self,
        proposer: &MemberId,
        now_ms: u64,
        batches: Vec<CheckedBatch>,
    ) -> (Prepared, Vec<Digest>) {
        let time_ms = now_ms.max(self.state.time_ms());
        let (fit, unfit) = self.state.select(time_ms, batches);
        for (batch, fault) in &unfit {
            tracing::debug!(author = %batch.batch().author, %fault, "a batch is left out of the block");
        }
        let left_out = unfit.iter().map(|(b, _)| b.id()).collect();
        let height = self.state.height() + 1;
        // `select` and `execute` apply the same test, and time does not run backwards here, so this cannot fail; an empty
        // block is the safe answer if it ever did.
        let (fit, execution) = match self.state.execute(height, time_ms, &fit) {
            Ok(execution) => (fit, execution),
            Err(fault) => {
                tracing::error!(%fault, "selected batches could not be executed");
                (Vec::new(), Execution::empty(height, time_ms))
            }
        };
        (self.prepare(proposer.clone(), execution, fit), left_out)
    }

    /// Checks a block against the tip by executing it.
    pub(crate) fn check(
        &self,
        now_ms: u64,
        bytes: &Bytes,
        checked: impl Fn(SignedBatch) -> Result<CheckedBatch, String>,
    ) -> Result<Prepared, String> {
        let Block { header, batches } = Block::read(bytes).map_err(|e| e.to_string())?;
        self.check_header(now_ms, &header)?;
        let batches = batches.into_iter().map(checked).collect::<Result<Vec<_>, _>>()?;
        header.covers(&batches).map_err(|e| e.to_string())?;
        let execution = self.state.execute(header.height, header.time_ms, &batches).map_err(|e| e.to_string())?;
        let grown = self.grow(&execution, &batches);
        if grown.tail.roots() != header.log {
            return Err(format!("executing block {} gives another log root than its header says", header.height));
        }
        Ok(self.prepared(header, bytes.clone(), batches, execution, grown))
    }

    /// Executes a stored block again and compares what comes out with its header.
    pub(crate) fn execute_stored(
        &self,
        header: Header,
        bytes: Bytes,
        batches: Vec<CheckedBatch>,
    ) -> Result<Prepared, String> {
        if header.parent != self.parent || header.height != self.state.height() + 1 {
            return Err("it does not follow the block below".into());
        }
        if header.state != self.state.digest() || header.next_roster != self.next_roster() {
            return Err("its header names another state or roster than executing the blocks below gives".into());
        }
        let execution = self.state.execute(header.height, header.time_ms, &batches).map_err(|e| e.to_string())?;
        let grown = self.grow(&execution, &batches);
        if grown.tail.roots() != header.log {
            return Err("executing it gives another log root than its header says".into());
        }
        Ok(self.prepared(header, bytes, batches, execution, grown))
    }

    fn check_header(&self, now_ms: u64, header: &Header) -> Result<(), String> {
        let signers = &header.parent_signers;
        let sorted = signers.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        // They agreed on the parent, so they are those of its height.
        let before = self.state.trust().at(header.height.saturating_sub(1)).clone();
        let power: u64 = signers.iter().filter_map(|m| before.validators().get(m)).map(|v| v.power).sum();
        let known = signers.iter().all(|m| before.validators().get(m).is_some());
        let next_roster = self.next_roster();
        let fault = if header.consortium != self.consortium || header.suite != self.genesis.suite {
            "belongs to another consortium"
        } else if header.height != self.state.height() + 1 || header.parent != self.parent {
            "does not follow the tip"
        } else if header.state != self.state.digest() {
            "names another state digest than this replica has"
        } else if header.next_roster != next_roster {
            "hands over to another roster than this replica has"
        } else if self.validators().get(&header.proposer).is_none() {
            "is not proposed by a validator"
        } else if header.time_ms > now_ms.saturating_add(AHEAD_MS) {
            "is dated in the future"
        } else if !sorted || !known || (header.height > 1 && power < before.validators().quorum()) {
            "lists signers of its parent that make no quorum"
        } else {
            return Ok(());
        };
        Err(format!("block {} {fault}", header.height))
    }

    fn prepare(&self, proposer: MemberId, execution: Execution, batches: Vec<CheckedBatch>) -> Prepared {
        let suite = self.genesis.suite;
        let grown = self.grow(&execution, &batches);
        let header = Header {
            version: 1,
            consortium: self.consortium,
            height: execution.height,
            parent: self.parent,
            time_ms: execution.time_ms,
            proposer,
            payload: Block::payload(suite, batches.iter().map(CheckedBatch::id)),
            log: grown.tail.roots(),
            state: self.state.digest(),
            suite,
            parent_signers: self.tip_signers.clone(),
            next_roster: self.next_roster(),
        };
        let block = Block { header, batches: batches.iter().map(|b| b.batch().clone()).collect() };
        let bytes = Bytes::from(to_bytes(&block));
        debug_assert!(bytes.len() <= MAX_BLOCK_BYTES);
        self.prepared(block.header, bytes, batches, execution, grown)
    }

    fn prepared(
        &self,
        header: Header,
        bytes: Bytes,
        batches: Vec<CheckedBatch>,
        execution: Execution,
        grown: Grown,
    ) -> Prepared {
        let Grown { derived, tail, tiles } = grown;
        Prepared {
            id: header.id(),
            header,
            bytes,
            batches,
            execution,
            derived,
            tiles,
            first_leaf: self.tail.size(),
            tail,
        }
    }

    /// The log with a block's entries, submitted and derived. Ids are leaf hashes of one profile: hashed once.
    fn grow(&self, execution: &Execution, batches: &[CheckedBatch]) -> Grown {
        let suite = self.genesis.suite;
        let derived: Vec<(Vec<u8>, Digest)> = execution
            .derived
            .iter()
            .map(|entry| {
                let bytes = to_bytes(entry);
                let id = entry_id(suite, &bytes);
                (bytes, id)
            })
            .collect();
        let submitted = batches.iter().flat_map(|b| b.batch().entries.iter().map(|e| e.as_slice()));
        let leaves: Vec<&[u8]> = submitted.chain(derived.iter().map(|(bytes, _)| bytes.as_slice())).collect();
        let ids: Vec<Digest> =
            batches.iter().flat_map(CheckedBatch::ids).chain(derived.iter().map(|(_, id)| id)).copied().collect();
        let mut tail = self.tail.clone();
        let tiles = tail.append_known(&leaves, Some((suite.hash(), &ids)));
        Grown { derived, tail, tiles }
    }

    /// Who agrees on the next block.
    pub(crate) fn validators(&self) -> &ValidatorSet {
        self.state.membership().validators()
    }

    /// The roster that the next block hands over to.
    fn next_roster(&self) -> Option<Digest> {
        self.state.next_roster().map(|next| next.digest(self.genesis.suite))
    }

    /// Makes a prepared block the tip.
    pub(crate) fn advance(&mut self, execution: Execution, tail: LogTail, header: &Header, signers: Vec<MemberId>) {
        self.state.apply(execution);
        self.idle = if tail.size() == self.tail.size() { self.idle.saturating_add(1) } else { 0 };
        self.tail = tail;
        self.parent = header.id();
        self.tip_signers = signers;
        self.note_signers(header);
    }

    /// The lowest height whose header counts for who is live. A new roster counts anew, so that nodes which restart and
    /// nodes which do not look at the same headers.
    pub(crate) fn window(&self) -> u64 {
        let length = (LIVE_WINDOW * self.validators().validators().len()) as u64;
        let begun = self.state.membership().roster().from_height;
        self.state.height().saturating_sub(length.saturating_sub(1)).max(begun)
    }

    pub(crate) fn note_signers(&mut self, header: &Header) {
        if header.height < self.window() {
            self.signers.clear();
            return;
        }
        self.signers.push_back(header.parent_signers.clone());
        while self.signers.len() > LIVE_WINDOW * self.validators().validators().len() {
            self.signers.pop_front();
        }
    }

    /// The validators with their liveness, derived from committed headers alone.
    pub(crate) fn live_validators(&self) -> ValidatorSet {
        let full = self.signers.len() >= LIVE_WINDOW * self.validators().validators().len();
        let live = |member: &MemberId| !full || self.signers.iter().any(|list| list.contains(member));
        let with_flags =
            self.validators().validators().iter().map(|v| Validator { live: live(&v.member), ..v.clone() });
        ValidatorSet::new(with_flags.collect()).unwrap_or_else(|_| self.validators().clone())
    }
}

impl Prepared {
    /// Index rows of all leaves.
    pub(crate) fn rows(&self) -> Vec<EntryRow> {
        let mut rows = Vec::new();
        let mut fresh = self.execution.seen.iter();
        for (number, batch) in (0u32..).zip(&self.batches) {
            for (position, (entry, digest)) in (0u32..).zip(batch.entries().iter().zip(batch.ids())) {
                let fresh_ms = fresh.next().map_or(entry.made_ms, |s| s.fresh_ms);
                rows.push(self.row(entry, *digest, Some(number), position, fresh_ms, None));
            }
        }
        for (position, (entry, (bytes, id))) in (0u32..).zip(self.execution.derived.iter().zip(&self.derived)) {
            rows.push(self.row(entry, *id, None, position, entry.made_ms, Some(bytes.clone())));
        }
        for (leaf, row) in (self.first_leaf..).zip(&mut rows) {
            row.leaf = leaf;
        }
        rows
    }

    fn row(
        &self,
        entry: &Entry,
        digest: Digest,
        batch: Option<u32>,
        position: u32,
        fresh_ms: u64,
        derived: Option<Vec<u8>>,
    ) -> EntryRow {
        EntryRow {
            leaf: 0,
            height: self.header.height,
            batch,
            position,
            digest,
            author: entry.author.clone(),
            kind: entry.body.kind().to_owned(),
            about: entry.body.about(),
            under: entry.body.under(),
            fresh_ms,
            derived,
        }
    }
}
