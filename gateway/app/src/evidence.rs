//! Evidence and explanations: for the consumer, the holder and regulators; evidence also for trustees in an open case.

use covenant_api::{Code, Explanation, Problem};
use covenant_domain::{Body, DatasetId, Decision, IntentId, MemberId};
use covenant_ledger::Bundle;

use crate::caller::Caller;
use crate::problem::{internal, not_a_party, of_port};
use crate::{Authentic, Gateway};

impl Gateway {
    /// The evidence bundle of a query.
    ///
    /// # Errors
    /// [`Problem`] `not-a-party`, `intent-unknown` or `not-decided`.
    pub async fn evidence(&self, call: Authentic<()>, intent: &IntentId) -> Result<Bundle, Problem> {
        let caller = call.caller();
        let consumer = self.consumer(intent).await?;
        let Some(bundle) = self.consortium.evidence(intent).await.map_err(of_port)? else {
            return Err(undecided(caller, intent, &consumer));
        };
        let Body::Intent(asked) = &bundle.intent.leaf.entry.body else { return Err(internal("bundle without intent")) };
        // A trustee helps to open an escrow only after it has seen whose it is and why.
        if !(caller.is_trustee() && self.in_open_case(intent).await?) {
            self.party(caller, intent, &consumer, Some(&asked.dataset))?;
        }
        Ok(bundle)
    }

    /// Why a query was decided as it was; `replay` executes the ledger again to prove it.
    ///
    /// # Errors
    /// [`Problem`] as for [`Gateway::evidence`], and `busy` when too many replays run.
    pub async fn explain(&self, call: Authentic<()>, intent: &IntentId, replay: bool) -> Result<Explanation, Problem> {
        let caller = call.caller();
        let consumer = self.consumer(intent).await?;
        // Without replay first: nobody makes the nodes work for what they may not read.
        let Some(told) = self.consortium.explain(intent, false).await.map_err(of_port)? else {
            return Err(undecided(caller, intent, &consumer));
        };
        let dataset = self.dataset_of(&told.decision).await?;
        self.party(caller, intent, &consumer, dataset.as_ref())?;
        let told = if replay { self.replayed(intent).await? } else { told };
        Ok(Explanation { decision: told.decision, height: told.height, replayed_equal: told.replayed_equal })
    }

    /// A permit names the dataset; of a refused query only the intent does.
    async fn dataset_of(&self, decision: &Decision) -> Result<Option<DatasetId>, Problem> {
        if let Some(permit) = decision.permit() {
            return Ok(Some(permit.dataset.clone()));
        }
        let bundle = self.consortium.evidence(&decision.intent).await.map_err(of_port)?;
        Ok(bundle.and_then(|b| match b.intent.leaf.entry.body {
            Body::Intent(asked) => Some(asked.dataset),
            _ => None,
        }))
    }

    async fn replayed(&self, intent: &IntentId) -> Result<crate::port::Explanation, Problem> {
        let _turn = self.executions.try_acquire().map_err(|_| {
            Problem::new(Code::Busy, "other explanations are being replayed: try again shortly").retry_after(5)
        })?;
        let told = self.consortium.explain(intent, true).await.map_err(of_port)?;
        told.ok_or_else(|| internal("explanation vanished"))
    }

    pub(crate) async fn consumer(&self, intent: &IntentId) -> Result<MemberId, Problem> {
        let consumer = self.consortium.consumer_of(intent).await.map_err(of_port)?;
        consumer.ok_or_else(|| Problem::new(Code::IntentUnknown, format!("no query `{intent}` is on the ledger")))
    }

    /// INVARIANT the holder is the organisation that the dataset id names; the ledger accepts no other.
    fn party(
        &self,
        caller: &Caller,
        intent: &IntentId,
        consumer: &MemberId,
        dataset: Option<&DatasetId>,
    ) -> Result<(), Problem> {
        let holds = dataset.is_some_and(|d| d.org() == caller.id().as_str());
        if caller.id() == consumer || holds || caller.is_regulator() {
            return Ok(());
        }
        Err(not_a_party(caller, "query", intent))
    }
}

fn undecided(caller: &Caller, intent: &IntentId, consumer: &MemberId) -> Problem {
    if caller.id() != consumer && !caller.is_regulator() {
        return not_a_party(caller, "query", intent);
    }
    Problem::new(Code::NotDecided, format!("query `{intent}` waits for its block: ask again shortly")).retry_after(1)
}
