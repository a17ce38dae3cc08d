//! Checks and repairs of a replica at rest.

use covenant_canon::Digest;
use covenant_domain::RosterStep;
use covenant_ledger::{Block, CheckedBatch, Genesis, Handover, LogTail, Trust};
use covenant_state::State;
use covenant_store::{Body, Commit, Store};

use crate::chain::Chain;
use crate::error::NodeError;
use crate::stored::{anchor_of, block_of};

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Lowest height that the replica has.
    pub first: u64,
    /// Newest height.
    pub last: u64,
    /// Blocks whose bodies are at hand and were checked too.
    pub bodies: u64,
}

/// Checks that stored blocks follow each other, that each was made final by the validators of its height, and that bodies
/// are those of their headers. Nothing is executed; rosters are those of the state table, which `rebuild` proves.
///
/// # Errors
/// [`NodeError`] naming the first height at fault.
pub async fn check_chain(store: &Store, genesis: &Genesis) -> Result<Checked, NodeError> {
    let tip = store.tip().await?.ok_or(NodeError::Unexecutable { height: 0, reason: "there is no block".into() })?;
    let loaded = store.load(i64::MAX.unsigned_abs()).await?;
    let state = State::restore(genesis, tip.height, tip.time_ms, loaded.rows, Vec::new())?;
    let trust = state.trust();
    let failed = |height, reason: String| NodeError::Unexecutable { height, reason };
    let mut below: Option<Digest> = None;
    let mut checked = Checked { first: 0, last: tip.height, bodies: 0 };
    for height in 1..=tip.height {
        let Some(stored) = store.block(height).await? else {
            if below.is_some() {
                return Err(failed(height, "it is missing in the middle of the chain".into()));
            }
            continue;
        };
        if below.is_none() {
            checked.first = height;
        }
        let anchor = anchor_of(&stored)?;
        if !anchor.belongs_to(trust.consortium(), trust.suite()) || anchor.header.height != height {
            return Err(failed(height, "header and certificate do not belong together".into()));
        }
        trust.certified(&anchor).map_err(|e| failed(height, e.to_string()))?;
        if below.is_some_and(|id| id != anchor.header.parent) {
            return Err(failed(height, "its parent is another block than the one below".into()));
        }
        if stored.body == Body::Full {
            let membership = trust.at(height);
            let block = block_of(&stored)?;
            check_body(&block, height, &|author| membership.keys(author).map(|k| k.verifying.clone()), genesis)?;
            checked.bodies += 1;
        }
        below = Some(anchor.header.id());
    }
    Ok(checked)
}

type KeyOf<'a> = &'a dyn Fn(&covenant_domain::MemberId) -> Option<covenant_suite::PreparedKey>;

/// Batches of a block, each signed by its author, together what the header covers.
fn check_body(block: &Block, height: u64, key: KeyOf<'_>, genesis: &Genesis) -> Result<Vec<CheckedBatch>, NodeError> {
    let consortium = genesis.digest();
    let checked = block.batches.iter().cloned().map(|batch| {
        let unknown = || NodeError::Unexecutable { height, reason: format!("`{}` is not a member", batch.author) };
        let key = key(&batch.author).ok_or_else(unknown)?;
        batch.check(&consortium, &key).map_err(|source| NodeError::Batch { height, source })
    });
    let checked = checked.collect::<Result<Vec<_>, _>>()?;
    block.header.covers(&checked).map_err(|source| NodeError::Block { height, source })?;
    Ok(checked)
}

/// Writes index, state, log and tip anew from the blocks, executing each and comparing it with its header. Bodies that are
/// in archives are read from there.
///
/// # Errors
/// [`NodeError`] at the first block that comes out differently or is not at hand; the database then says so at its next
/// opening, and the command may be run again.
pub async fn rewrite(store: &Store, genesis: &Genesis) -> Result<u64, NodeError> {
    let last = store.newest_block().await?;
    let genesis = std::sync::Arc::new(genesis.clone());
    let mut chain = Chain::begin(&genesis)?;
    let mut trust = Trust::new(&genesis)?;
    let mut rewrite = store.rewrite().await?;
    for height in 1..=last {
        let missing = || NodeError::Unexecutable { height, reason: "its bytes are not in the store".into() };
        let stored = store.block(height).await?.ok_or_else(missing)?;
        let block = block_of(&stored)?;
        let key = |author: &covenant_domain::MemberId| chain.state.keys(author).map(|k| k.verifying.clone());
        let batches = check_body(&block, height, &key, &genesis)?;
        let failed = |reason: String| NodeError::Unexecutable { height, reason };
        // Signers of the parent are judged when blocks are agreed on; here the certificate itself is.
        let prepared = chain.execute_stored(block.header, stored.bytes.clone().into(), batches).map_err(failed)?;
        let anchor = anchor_of(&stored)?;
        trust.certified(&anchor).map_err(|e| failed(e.to_string()))?;
        let entries = prepared.rows();
        let (header, execution, tail) = (prepared.header, prepared.execution, prepared.tail);
        rewrite
            .push(Commit {
                height,
                block: stored.id,
                time_ms: header.time_ms,
                bytes: Vec::new(),
                certificate: Vec::new(),
                entries,
                seen: execution.seen.clone(),
                rows: execution.rows.clone(),
                tiles: prepared.tiles,
                log_size: header.log.size,
                included: Vec::new(),
                evidence: Vec::new(),
            })
            .await?;
        let before = chain.state.membership().clone();
        chain.advance(execution, tail, &header, Vec::new());
        if header.next_roster.is_some() {
            let step = RosterStep::between(before.roster(), chain.state.membership().roster());
            trust.follow(&[Handover { step, anchor }]).map_err(|e| failed(e.to_string()))?;
        }
    }
    rewrite.finish().await?;
    Ok(last)
}

impl Chain {
    /// The chain before its first block.
    pub(crate) fn begin(genesis: &std::sync::Arc<Genesis>) -> Result<Self, NodeError> {
        Ok(Self {
            genesis: genesis.clone(),
            consortium: genesis.digest(),
            state: State::genesis(genesis)?,
            tail: LogTail::default(),
            parent: Digest::ZERO,
            signers: std::collections::VecDeque::new(),
            tip_signers: Vec::new(),
            idle: 0,
        })
    }
}
