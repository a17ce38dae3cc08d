//! Audited queries: sent once, asked for as often as need be.

use std::collections::BTreeMap;
use std::time::Duration;

use covenant_api::{Base64Bytes, Code, MAX_WAIT_MS, Problem, QueriesRequest, QueryInputItem, QueryResult, QueryState};
use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::{Body, Intent, IntentId, Mode};
use covenant_ledger::CheckedBatch;

use crate::caller::Caller;
use crate::port::{Progress, SealedInput};
use crate::problem::{internal, not_a_party, of_port};
use crate::{Authentic, Gateway};

impl Gateway {
    /// Sends queries and waits for their answers. Results are in the order of the batch; the same request gives the same
    /// results.
    ///
    /// # Errors
    /// [`Problem`] when the batch is not the caller's own, does not hold, carries something else than intents, or its
    /// inputs are not those the intents name.
    pub async fn ask(&self, call: Authentic<QueriesRequest>) -> Result<Vec<QueryResult>, Problem> {
        let (caller, request) = call.into_parts();
        let wait = checked_wait(request.wait_ms)?;
        let batch = self.own_batch(&caller, &request.batch)?;
        let intents = intents(&batch)?;
        let inputs = self.matching_inputs(&intents, request.inputs)?;
        let ids: Vec<IntentId> = intents.iter().map(|i| i.id).collect();
        self.consortium.ask(batch.batch().clone(), inputs).await.map_err(of_port)?;
        self.results(&caller, &ids, wait).await
    }

    /// Where a query of the caller stands; waits until that is final or `wait_ms` are over.
    ///
    /// # Errors
    /// [`Problem`] `not-a-party` when another member asked it.
    pub async fn progress(&self, call: Authentic<()>, intent: &IntentId, wait_ms: u64) -> Result<QueryResult, Problem> {
        let wait = checked_wait(wait_ms)?;
        let caller = call.caller();
        // Asked before waiting too, so that nobody waits for what is another's.
        self.own_queries(caller, std::slice::from_ref(intent)).await?;
        let mut results = self.results(caller, std::slice::from_ref(intent), wait).await?;
        results.pop().ok_or_else(|| internal("progress without a result"))
    }

    async fn results(&self, caller: &Caller, ids: &[IntentId], wait: Duration) -> Result<Vec<QueryResult>, Problem> {
        let progress = self.consortium.progress(ids, wait).await.map_err(of_port)?;
        if progress.len() != ids.len() {
            return Err(internal("progress of another length than asked"));
        }
        // An id the ledger knows belongs to whoever got there first: never show one member another's.
        let known = self.own_queries(caller, ids).await?;
        ids.iter().zip(progress).zip(known).map(|((id, progress), known)| shown(caller, *id, progress, known)).collect()
    }

    /// Whether each query is on the ledger, as the caller's.
    async fn own_queries(&self, caller: &Caller, ids: &[IntentId]) -> Result<Vec<bool>, Problem> {
        let owners = self.consortium.consumers_of(ids).await.map_err(of_port)?;
        let own = |(id, owner): (&IntentId, Option<_>)| match owner {
            Some(owner) if &owner != caller.id() => Err(not_a_party(caller, "query", id)),
            owner => Ok(owner.is_some()),
        };
        ids.iter().zip(owners).map(own).collect()
    }

    /// Pairs each intent with the input it names by digest. A lookup has none: its claim is in the intent.
    fn matching_inputs(&self, intents: &[&Intent], items: Vec<QueryInputItem>) -> Result<Vec<SealedInput>, Problem> {
        let wrong = |detail: String| Problem::new(Code::InputMismatch, detail);
        let suite = self.consortium.genesis().suite;
        let digest = |input: &[u8]| Digest::of(suite, Label::QUERY_INPUT, input);
        let (lookups, others): (Vec<_>, Vec<_>) = intents.iter().partition(|i| i.mode == Mode::Lookup);
        // Without a claim there is nothing to compare; the ledger refuses it.
        let claimed = |intent: &&Intent| intent.lookup.as_ref().is_none_or(|c| digest(&to_bytes(c)) == intent.input);
        if let Some(intent) = lookups.into_iter().find(|i| !claimed(i)) {
            return Err(wrong(format!("claim of intent `{}` is not the one whose digest it names", intent.id)));
        }
        if items.len() != others.len() {
            let detail = format!("{} intents came with {} inputs: send one each", others.len(), items.len());
            return Err(wrong(detail + ", and none for a lookup"));
        }
        let mut by_intent: BTreeMap<IntentId, Vec<u8>> = items.into_iter().map(|i| (i.intent, i.sealed.0)).collect();
        let pair = |intent: &Intent| {
            let sealed =
                by_intent.remove(&intent.id).ok_or_else(|| wrong(format!("intent `{}` has no input", intent.id)))?;
            if digest(&sealed) != intent.input {
                return Err(wrong(format!("input of intent `{}` is not the one whose digest it names", intent.id)));
            }
            Ok(SealedInput { intent: intent.id, sealed })
        };
        others.into_iter().map(pair).collect()
    }
}

fn checked_wait(wait_ms: u64) -> Result<Duration, Problem> {
    if wait_ms > MAX_WAIT_MS {
        let detail = format!("`wait_ms` is {wait_ms}, at most {MAX_WAIT_MS} are allowed: ask again instead");
        return Err(Problem::new(Code::WaitTooLong, detail));
    }
    Ok(Duration::from_millis(wait_ms))
}

fn intents(batch: &CheckedBatch) -> Result<Vec<&Intent>, Problem> {
    let mut all = Vec::with_capacity(batch.entries().len());
    for (index, entry) in batch.entries().iter().enumerate() {
        let Body::Intent(intent) = &entry.body else {
            let detail = format!("entry {index} is a `{}`: send it to /v1/entries", entry.body.kind());
            return Err(Problem::new(Code::NotAnIntent, detail));
        };
        all.push(intent);
    }
    Ok(all)
}

/// Shapes one state. Whatever goes beyond "received" was decided, so its consumer must be known by now.
fn shown(caller: &Caller, intent: IntentId, progress: Progress, known: bool) -> Result<QueryResult, Problem> {
    if !known && !matches!(progress, Progress::Unknown | Progress::Received) {
        return Err(not_a_party(caller, "query", &intent));
    }
    let plain = |state| QueryResult { intent, state, reasons: vec![], sealed: None, receipted: None, voided: None };
    Ok(match progress {
        Progress::Unknown => plain(QueryState::Unknown),
        Progress::Received => plain(QueryState::Received),
        Progress::Permitted => plain(QueryState::Permitted),
        Progress::Lapsed => plain(QueryState::Lapsed),
        Progress::Voided { reason } => QueryResult { voided: Some(reason), ..plain(QueryState::Voided) },
        Progress::Refused { reasons } => QueryResult { reasons, ..plain(QueryState::Refused) },
        Progress::Answered { sealed, receipted } => {
            QueryResult { sealed: Some(Base64Bytes(sealed)), receipted: Some(receipted), ..plain(QueryState::Answered) }
        }
    })
}
