//! Executes the ledger again from its bytes, to prove that what is recorded follows from it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use covenant_canon::{Digest, from_bytes, to_bytes};
use covenant_domain::{Decision, IntentId, Simulated, Simulation};
use covenant_engine::Guard;
use covenant_ledger::{Anchor, Block, Certificate, Genesis, LogTail};
use covenant_state::{Beside, State, Twice};
use covenant_store::Store;

use crate::error::NodeError;
use crate::stored::block_of;

/// What executing the ledger again gave.
pub struct Rebuilt {
    /// The state after the last block executed.
    pub state: State,
    /// Leaves in the log.
    pub leaves: u64,
    /// Blocks executed.
    pub blocks: u64,
    /// The decision looked for, as made now.
    pub decision: Option<Decision>,
}

/// Executes blocks 1 to `until` again and compares every header: log roots, state digests, the chain of ids. `looked_for`
/// is an intent whose decision is wanted.
///
/// # Errors
/// [`NodeError::Diverged`] at the first block that comes out differently.
pub async fn rebuild(
    store: &Store,
    genesis: &Genesis,
    until: u64,
    looked_for: Option<IntentId>,
) -> Result<Rebuilt, NodeError> {
    replay(store, genesis, until, looked_for, None).await
}

/// Decides the newest `last` queries to one holder's datasets a second time under another rule book, while the ledger
/// is executed again and compared as by [`rebuild`].
///
/// # Errors
/// As [`rebuild`].
pub async fn simulate(
    store: &Store,
    genesis: &Genesis,
    guard: Arc<Guard>,
    last: usize,
) -> Result<Simulation, NodeError> {
    let book = guard.digest();
    let mut aside = Aside { beside: Beside::new(guard), last, twice: VecDeque::new() };
    let rebuilt = replay(store, genesis, u64::MAX, None, Some(&mut aside)).await?;
    let compared = aside.twice.len() as u64;
    let changed = aside.twice.into_iter().filter(|(_, t)| t.differs()).map(|(height, t)| simulated(height, t));
    Ok(Simulation { book, height: rebuilt.blocks, compared, changed: changed.collect() })
}

/// Another rule book, and the newest queries decided under it, with their heights.
struct Aside {
    beside: Beside,
    last: usize,
    twice: VecDeque<(u64, Twice)>,
}

impl Aside {
    fn keep(&mut self, height: u64) {
        self.twice.extend(self.beside.take().into_iter().map(|t| (height, t)));
        let surplus = self.twice.len().saturating_sub(self.last);
        self.twice.drain(..surplus);
    }
}

fn simulated(height: u64, twice: Twice) -> Simulated {
    let Twice { intent, real, other } = twice;
    let obligations = |decision: &Decision| decision.permit().map(|p| p.obligations.clone());
    Simulated {
        intent: intent.id,
        height,
        consumer: intent.consumer,
        dataset: intent.dataset,
        purpose: intent.purpose,
        mode: intent.mode,
        was: obligations(&real),
        would: obligations(&other),
        reasons: other.reasons,
    }
}

async fn replay(
    store: &Store,
    genesis: &Genesis,
    until: u64,
    looked_for: Option<IntentId>,
    mut aside: Option<&mut Aside>,
) -> Result<Rebuilt, NodeError> {
    let consortium = genesis.digest();
    let (mut state, mut tail, mut parent) = (State::genesis(genesis)?, LogTail::default(), Digest::ZERO);
    let mut decision = None;
    let tip = store.tip().await?.map_or(0, |t| t.height);
    let last = until.min(tip);
    for height in 1..=last {
        let missing = || NodeError::Unexecutable { height, reason: "its bytes are not in the store".into() };
        let stored = store.block(height).await?.ok_or_else(missing)?;
        let Block { header, batches } = block_of(&stored)?;
        same(height, "parent", parent, header.parent)?;
        same(height, "state digest", state.digest(), header.state)?;
        let checked = batches.into_iter().map(|batch| {
            let unknown = || NodeError::Unexecutable { height, reason: format!("`{}` is not a member", batch.author) };
            let key = state.keys(&batch.author).ok_or_else(unknown)?;
            batch.check(&consortium, &key.verifying).map_err(|source| NodeError::Batch { height, source })
        });
        let checked = checked.collect::<Result<Vec<_>, _>>()?;
        header.covers(&checked).map_err(|source| NodeError::Block { height, source })?;
        let unfit = |e: covenant_state::Inadmissible| NodeError::Unexecutable { height, reason: e.to_string() };
        let execution = match &mut aside {
            None => state.execute(height, header.time_ms, &checked).map_err(unfit)?,
            Some(aside) => {
                let beside = &mut aside.beside;
                let execution = state.execute_beside(height, header.time_ms, &checked, beside).map_err(unfit)?;
                aside.keep(height);
                execution
            }
        };
        let derived: Vec<Vec<u8>> = execution.derived.iter().map(to_bytes).collect();
        let submitted = checked.iter().flat_map(|b| b.batch().entries.iter().map(|e| e.as_slice()));
        let leaves: Vec<&[u8]> = submitted.chain(derived.iter().map(Vec::as_slice)).collect();
        tail.append(&leaves);
        same(height, "log root", tail.roots().sm3, header.log.sm3)?;
        same(height, "log root", tail.roots().sha256, header.log.sha256)?;
        decision = decision.or_else(|| find(&execution.derived, looked_for));
        parent = header.id();
        same(height, "block id", parent, stored.id)?;
        let handed_over = state.next_roster().map(|next| next.digest(genesis.suite));
        if header.next_roster != handed_over {
            let reason = "its header hands over to another roster than its execution gives".into();
            return Err(NodeError::Unexecutable { height, reason });
        }
        let certificate: Certificate = from_bytes(&stored.certificate)?;
        let anchor = Anchor { header, certificate };
        let failed = |reason: String| NodeError::Unexecutable { height, reason };
        if !anchor.belongs_to(&consortium, genesis.suite) {
            return Err(failed("its certificate is for another block".into()));
        }
        state.trust().certified(&anchor).map_err(|e| failed(e.to_string()))?;
        state.apply(execution);
    }
    Ok(Rebuilt { state, leaves: tail.size(), blocks: last, decision })
}

fn find(derived: &[covenant_domain::Entry], looked_for: Option<IntentId>) -> Option<Decision> {
    derived.iter().find_map(|entry| match &entry.body {
        covenant_domain::Body::Decision(d) if Some(d.intent) == looked_for => Some(d.clone()),
        _ => None,
    })
}

fn same(height: u64, what: &'static str, found: Digest, recorded: Digest) -> Result<(), NodeError> {
    if found == recorded { Ok(()) } else { Err(NodeError::Diverged { height, what, found, recorded }) }
}

/// Compares the state rebuilt from blocks with the rows beside them. Rows and tip are read at one moment and blocks up to
/// that tip, since a running node commits more meanwhile.
pub(crate) async fn compare(store: &Store, genesis: &Genesis) -> Result<BTreeMap<&'static str, u64>, NodeError> {
    let loaded = store.load(i64::MAX as u64).await?;
    let (height, time_ms) = loaded.tip.as_ref().map_or((0, genesis.created_ms), |t| (t.height, t.time_ms));
    let rebuilt = rebuild(store, genesis, height, None).await?;
    let rows = loaded.rows.len() as u64;
    let stored = State::restore(genesis, height, time_ms, loaded.rows, Vec::new())?;
    same(height, "state digest of the tables", stored.digest(), rebuilt.state.digest())?;
    Ok(BTreeMap::from([("blocks", rebuilt.blocks), ("leaves", rebuilt.leaves), ("objects", rows)]))
}
