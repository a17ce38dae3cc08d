//! Assembles evidence bundles from the store.

use std::collections::BTreeMap;

use covenant_canon::{Digest, HashAlgorithm, from_bytes};
use covenant_domain::{Body, ConsentId, ConsentUse, Entry, IntentId, MemberId, Notification, UseOutcome, told_to};
use covenant_ledger::{
    Anchor, Authored, Block, Bundle, Certificate, Closure, EntryReceipt, LeafProof, MAX_FOLLOWING, NodeId, Roots, TILE,
    consistency_path, inclusion_path, merkle_root,
};
use covenant_store::{EntryRow, Store};

use crate::error::NodeError;
use crate::replica::Replica;
use crate::stored::block_of;
use crate::track::QueryState;

/// Uses that are told at once.
const USES_AT_ONCE: u32 = 256;

/// A block read for evidence.
struct Found {
    block: Block,
    anchor: Anchor,
}

impl Replica {
    /// The bundle of a query, once it is decided.
    pub(crate) async fn bundle(&self, intent: &IntentId) -> Result<Option<Bundle>, NodeError> {
        let rows = self.store.entries_about(&intent.to_string()).await?;
        let of_kind = |kind: &str| rows.iter().find(|r| r.kind == kind);
        let (Some(asked), Some(decided)) = (of_kind("intent"), of_kind("decision")) else { return Ok(None) };
        let found = self.found(asked.height).await?;
        let decision = self.leaf(decided, &found).await?;
        let closure = self.closure(&rows, &decision, &found).await?;
        let last = match &closure {
            Closure::Completed { anchor, .. } | Closure::Lapsed { anchor, .. } => anchor.header.height,
            Closure::Refused | Closure::Open => asked.height,
        };
        Ok(Some(Bundle {
            version: 1,
            consortium: self.consortium,
            intent: self.authored(asked, &found).await?,
            decision,
            anchor: found.anchor,
            closure,
            handovers: self.handovers_to(last),
        }))
    }

    /// The receipt of a submitted entry; absent when no such entry is on the ledger.
    pub(crate) async fn receipt(&self, entry: &Digest) -> Result<Option<EntryReceipt>, NodeError> {
        let Some(row) = self.store.entry_by_digest(entry).await?.filter(|r| r.batch.is_some()) else {
            return Ok(None);
        };
        let found = self.found(row.height).await?;
        let behind = found.anchor.header.log.size.saturating_sub(row.leaf + 1);
        let following = if behind <= MAX_FOLLOWING { Some(self.following(&row, behind, &found).await?) } else { None };
        let entry = self.authored(&row, &found).await?;
        let (version, consortium, handovers) = (1, self.consortium, self.handovers_to(row.height));
        Ok(Some(EntryReceipt { version, consortium, entry, following, anchor: found.anchor, handovers }))
    }

    /// All leaves behind an entry in its block.
    async fn following(&self, row: &EntryRow, count: u64, found: &Found) -> Result<Vec<LeafProof>, NodeError> {
        let rows = self.store.entries(row.leaf + 1, u32::try_from(count).unwrap_or(u32::MAX)).await?;
        let mut leaves = Vec::with_capacity(rows.len());
        for row in &rows {
            leaves.push(self.leaf(row, found).await?);
        }
        Ok(leaves)
    }

    /// Intents that name a consent, behind a leaf and in the order of the ledger, with how each stands.
    pub(crate) async fn uses(&self, consent: &ConsentId, after: Option<u64>) -> Result<Vec<ConsentUse>, NodeError> {
        let mut uses = Vec::new();
        for row in self.store.entries_under(&consent.to_string(), after, USES_AT_ONCE).await? {
            let Some(bundle) = self.bundle_of(&row).await? else { continue };
            uses.extend(use_of(&row, &bundle));
        }
        Ok(uses)
    }

    /// Permits that somebody is told of, behind a leaf and in the order of the ledger: a holder's stewards, or regulators.
    pub(crate) async fn told(
        &self,
        holder: Option<&MemberId>,
        after: Option<u64>,
    ) -> Result<Vec<Notification>, NodeError> {
        let rows = self.store.entries_under(&told_to(holder), after, USES_AT_ONCE).await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(bytes) = &row.derived else { continue };
            let Entry { made_ms, body, .. } = from_bytes(bytes)?;
            if let Body::Decision(decision) = body
                && let Some(permit) = decision.permit()
            {
                all.push(Notification { leaf: row.leaf, time_ms: made_ms, permit: permit.clone() });
            }
        }
        Ok(all)
    }

    async fn bundle_of(&self, row: &EntryRow) -> Result<Option<Bundle>, NodeError> {
        match row.about.parse() {
            Ok(intent) => self.bundle(&intent).await,
            Err(_) => Ok(None),
        }
    }

    async fn closure(&self, rows: &[EntryRow], decision: &LeafProof, first: &Found) -> Result<Closure, NodeError> {
        let permitted = matches!(&decision.entry.body, covenant_domain::Body::Decision(d) if d.permit().is_some());
        if !permitted {
            return Ok(Closure::Refused);
        }
        if let Some(row) = rows.iter().find(|r| r.kind == "lapse") {
            let found = self.found(row.height).await?;
            let (consistency_sm3, consistency_sha256) = self.consistency(first, &found).await?;
            let lapse = Box::new(self.leaf(row, &found).await?);
            return Ok(Closure::Lapsed { lapse, anchor: Box::new(found.anchor), consistency_sm3, consistency_sha256 });
        }
        for row in rows.iter().filter(|r| r.kind == "completion" || r.kind == "voided") {
            // A completion that execution rejected is on the ledger too; it closes nothing.
            let rejections = self.store.entries_about(&row.digest.to_string()).await?;
            if rejections.iter().any(|r| r.kind == "rejected") {
                continue;
            }
            let found = self.found(row.height).await?;
            let (consistency_sm3, consistency_sha256) = self.consistency(first, &found).await?;
            let completion = Box::new(self.authored(row, &found).await?);
            let anchor = Box::new(found.anchor);
            return Ok(Closure::Completed { completion, anchor, consistency_sm3, consistency_sha256 });
        }
        Ok(Closure::Open)
    }

    async fn found(&self, height: u64) -> Result<Found, NodeError> {
        let missing = || NodeError::Unexecutable { height, reason: "its bytes are not in the store".into() };
        let stored = self.store.block(height).await?.ok_or_else(missing)?;
        let block = block_of(&stored)?;
        let certificate: Certificate = from_bytes(&stored.certificate)?;
        Ok(Found { anchor: Anchor { header: block.header.clone(), certificate }, block })
    }

    async fn authored(&self, row: &EntryRow, found: &Found) -> Result<Authored, NodeError> {
        let missing = || NodeError::Unexecutable { height: row.height, reason: "an indexed entry is not in it".into() };
        let batch = row.batch.and_then(|b| found.block.batches.get(b as usize)).ok_or_else(missing)?;
        let signed = batch.proof(row.position as usize);
        Ok(Authored { leaf: self.leaf(row, found).await?, signed })
    }

    async fn leaf(&self, row: &EntryRow, found: &Found) -> Result<LeafProof, NodeError> {
        let log = &found.anchor.header.log;
        let path = |algorithm| path_of(&self.store, algorithm, Want::Leaf(row.leaf), log);
        Ok(LeafProof {
            entry: entry_of(row, &found.block)?,
            index: row.leaf,
            path_sm3: path(HashAlgorithm::Sm3).await?,
            path_sha256: path(HashAlgorithm::Sha256).await?,
        })
    }

    async fn consistency(&self, first: &Found, second: &Found) -> Result<(Vec<Digest>, Vec<Digest>), NodeError> {
        let (old, new) = (first.anchor.header.log.size, &second.anchor.header.log);
        let path = |algorithm| path_of(&self.store, algorithm, Want::Since(old), new);
        Ok((path(HashAlgorithm::Sm3).await?, path(HashAlgorithm::Sha256).await?))
    }
}

/// Whose a query is and where it stands, as its record tells.
pub(crate) fn state_of(bundle: &Bundle) -> Option<(MemberId, QueryState)> {
    let (Body::Intent(intent), Body::Decision(decision)) =
        (&bundle.intent.leaf.entry.body, &bundle.decision.entry.body)
    else {
        return None;
    };
    let state = match (decision.permit(), &bundle.closure) {
        (None, _) => QueryState::Refused(decision.reasons.clone()),
        (Some(_), Closure::Completed { completion, .. }) if let Body::Voided(voided) = &completion.leaf.entry.body => {
            QueryState::Voided(voided.reason.clone())
        }
        (Some(permit), Closure::Completed { .. }) => QueryState::Completed { holder: permit.holder.clone() },
        (Some(_), Closure::Lapsed { .. }) => QueryState::Lapsed,
        (Some(permit), _) => {
            QueryState::Permitted { holder: permit.holder.clone(), release: permit.obligations.release }
        }
    };
    Some((intent.consumer.clone(), state))
}

/// A use in the words of who looks at it.
fn use_of(row: &EntryRow, bundle: &Bundle) -> Option<ConsentUse> {
    let (Body::Intent(intent), Body::Decision(decision)) =
        (&bundle.intent.leaf.entry.body, &bundle.decision.entry.body)
    else {
        return None;
    };
    let outcome = match state_of(bundle)?.1 {
        QueryState::Refused(_) => UseOutcome::Refused,
        QueryState::Permitted { .. } => UseOutcome::Permitted,
        QueryState::Completed { .. } => UseOutcome::Answered,
        QueryState::Lapsed => UseOutcome::Lapsed,
        QueryState::Voided(_) => UseOutcome::Voided,
    };
    Some(ConsentUse {
        intent: intent.id,
        leaf: row.leaf,
        height: row.height,
        time_ms: bundle.anchor.header.time_ms,
        consumer: intent.consumer.clone(),
        holder: decision.permit().map(|p| p.holder.clone()),
        dataset: intent.dataset.clone(),
        purpose: intent.purpose.clone(),
        mode: intent.mode,
        fields: intent.fields.clone(),
        outcome,
    })
}

/// An indexed entry's content.
pub(crate) fn entry_of(row: &EntryRow, block: &Block) -> Result<Entry, NodeError> {
    if let Some(bytes) = &row.derived {
        return Ok(from_bytes(bytes)?);
    }
    let missing = || NodeError::Unexecutable { height: row.height, reason: "an indexed entry is not in it".into() };
    let batch = row.batch.and_then(|b| block.batches.get(b as usize)).ok_or_else(missing)?;
    Ok(from_bytes(batch.entries.get(row.position as usize).ok_or_else(missing)?)?)
}

/// Which proof is wanted.
#[derive(Clone, Copy)]
enum Want {
    /// Inclusion of a leaf.
    Leaf(u64),
    /// Consistency with an earlier size.
    Since(u64),
}

/// A proof from stored tiles: first learn which nodes it needs, then fetch their tiles, then make it.
async fn path_of(store: &Store, algorithm: HashAlgorithm, want: Want, log: &Roots) -> Result<Vec<Digest>, NodeError> {
    let make = |node: &mut dyn FnMut(NodeId) -> Result<Digest, NodeError>| {
        let mut node = |id| node(id);
        match want {
            Want::Leaf(leaf) => inclusion_path(algorithm, leaf, log.size, &mut node),
            Want::Since(old) => consistency_path(algorithm, old, log.size, &mut node),
        }
    };
    let mut needed = Vec::new();
    make(&mut |id| {
        needed.push(id);
        Ok(Digest::ZERO)
    })?;
    let mut tiles = BTreeMap::new();
    for id in needed {
        let at = tile_of(id);
        if let std::collections::btree_map::Entry::Vacant(slot) = tiles.entry(at) {
            let tile = store.tile(algorithm, at.0, at.1).await?;
            slot.insert(tile.map(|t| t.hashes).unwrap_or_default());
        }
    }
    make(&mut |id| {
        let (level, index) = tile_of(id);
        let within = id.level % 8;
        let start = ((id.index << within) % TILE as u64) as usize;
        let hashes = tiles.get(&(level, index)).and_then(|t| t.get(start..start + (1 << within)));
        let missing = || NodeError::Unexecutable { height: 0, reason: "a tile of the log is missing".into() };
        Ok(merkle_root(algorithm, hashes.ok_or_else(missing)?))
    })
}

/// The tile that holds what a node covers.
fn tile_of(id: NodeId) -> (u8, u64) {
    let within = id.level % 8;
    (id.level / 8, (id.index << within) / TILE as u64)
}
