//! Batches waiting for a block.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use covenant_canon::Digest;
use covenant_domain::{Body, IntentId, MemberId};
use covenant_ledger::{CheckedBatch, SignedBatch};
use covenant_suite::Signature;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::error::SubmitError;

/// In order of arrival, each batch once, each member within its quota.
pub(crate) struct Mempool {
    limit: usize,
    inner: Mutex<Inner>,
    pub(crate) arrived: Notify,
}

#[derive(Default)]
struct Inner {
    order: VecDeque<Digest>,
    batches: BTreeMap<Digest, CheckedBatch>,
    by_signature: HashMap<Signature, Digest>,
    waiting: BTreeMap<MemberId, usize>,
    intents: HashSet<IntentId>,
}

fn intents(batch: &CheckedBatch) -> impl Iterator<Item = IntentId> {
    batch.entries().iter().filter_map(|e| match &e.body {
        Body::Intent(intent) => Some(intent.id),
        _ => None,
    })
}

impl Mempool {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, inner: Mutex::default(), arrived: Notify::new() }
    }

    /// Adds a batch; false when it is there already.
    pub(crate) fn add(&self, batch: CheckedBatch) -> Result<bool, SubmitError> {
        let mut inner = self.inner.lock();
        if inner.batches.contains_key(&batch.id()) {
            return Ok(false);
        }
        let member = batch.batch().author.clone();
        let waiting = inner.waiting.entry(member.clone()).or_default();
        if *waiting + batch.entries().len() > self.limit {
            return Err(SubmitError::Busy { member, waiting: *waiting, limit: self.limit });
        }
        *waiting += batch.entries().len();
        inner.order.push_back(batch.id());
        inner.intents.extend(intents(&batch));
        inner.by_signature.insert(batch.batch().signature.clone(), batch.id());
        inner.batches.insert(batch.id(), batch);
        drop(inner);
        self.arrived.notify_waiters();
        Ok(true)
    }

    pub(crate) fn get(&self, id: &Digest) -> Option<CheckedBatch> {
        self.inner.lock().batches.get(id).cloned()
    }

    /// The checked form of a batch that waits here; found by its signature and compared byte by byte, which is far
    /// cheaper than hashing it again.
    pub(crate) fn checked(&self, batch: &SignedBatch) -> Option<CheckedBatch> {
        let inner = self.inner.lock();
        let known = inner.batches.get(inner.by_signature.get(&batch.signature)?)?.clone();
        drop(inner);
        (known.batch() == batch).then_some(known)
    }

    /// The oldest batches that fit into `bytes`.
    pub(crate) fn oldest(&self, bytes: usize) -> Vec<CheckedBatch> {
        let inner = self.inner.lock();
        let mut left = bytes;
        let fitting = inner.order.iter().filter_map(|id| inner.batches.get(id)).take_while(|batch| {
            let fits = batch.size() <= left;
            left = left.saturating_sub(batch.size());
            fits
        });
        fitting.cloned().collect()
    }

    pub(crate) fn remove<'a>(&self, ids: impl IntoIterator<Item = &'a Digest>) {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        for id in ids {
            let Some(batch) = inner.batches.remove(id) else { continue };
            inner.by_signature.remove(&batch.batch().signature);
            for intent in intents(&batch) {
                inner.intents.remove(&intent);
            }
            if let Some(waiting) = inner.waiting.get_mut(&batch.batch().author) {
                *waiting = waiting.saturating_sub(batch.entries().len());
            }
        }
        inner.order.retain(|id| inner.batches.contains_key(id));
    }

    /// Takes out what members signed with keys that count no more; gives the ids.
    pub(crate) fn retain(&self, counts: impl Fn(&SignedBatch) -> bool) -> Vec<Digest> {
        let waiting: Vec<CheckedBatch> = self.inner.lock().batches.values().cloned().collect();
        let gone: Vec<Digest> = waiting.iter().filter(|b| !counts(b.batch())).map(CheckedBatch::id).collect();
        self.remove(&gone);
        gone
    }

    /// Whether a batch with this intent waits.
    pub(crate) fn has_intent(&self, intent: &IntentId) -> bool {
        self.inner.lock().intents.contains(intent)
    }

    /// Entries of one member waiting.
    pub(crate) fn waiting(&self, member: &MemberId) -> usize {
        self.inner.lock().waiting.get(member).copied().unwrap_or_default()
    }

    /// Entries waiting.
    pub(crate) fn backlog(&self) -> usize {
        self.inner.lock().waiting.values().sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inner.lock().batches.is_empty()
    }
}
