//! Administrative entries.

use covenant_api::{Code, EntriesRequest, EntryResult, Problem};
use covenant_canon::Digest;
use covenant_domain::{Body, Consent};
use covenant_ledger::EntryReceipt;

use crate::caller::Caller;
use crate::consent::may_read;
use crate::port::EntryOutcome;
use crate::problem::{not_a_party, of_port};
use crate::{Authentic, Gateway};

impl Gateway {
    /// Records entries and waits until they are final. An entry that the ledger rejects is in the result, with its reason.
    ///
    /// # Errors
    /// [`Problem`] when the batch is not the caller's own, does not hold, or carries queries.
    pub async fn record(&self, call: Authentic<EntriesRequest>) -> Result<Vec<EntryResult>, Problem> {
        let (caller, request) = call.into_parts();
        let batch = self.own_batch(&caller, &request.batch)?;
        if let Some(index) = batch.entries().iter().position(|e| matches!(e.body, Body::Intent(_))) {
            let detail = format!("entry {index} is an intent: send it to /v1/queries together with its sealed input");
            return Err(Problem::new(Code::IntentElsewhere, detail));
        }
        let outcomes = self.consortium.record(batch.batch().clone()).await.map_err(of_port)?;
        Ok(outcomes.into_iter().map(result).collect())
    }
}

impl Gateway {
    /// The receipt of an entry: for its author, for whom it is about, and for regulators. A revocation's receipt shows
    /// from which block on it holds.
    ///
    /// # Errors
    /// [`Problem`] `entry-unknown` or `not-a-party`.
    pub async fn receipt(&self, call: Authentic<()>, entry: &Digest) -> Result<EntryReceipt, Problem> {
        let caller = call.caller();
        let Some(receipt) = self.consortium.receipt(entry).await.map_err(of_port)? else {
            return Err(Problem::new(Code::EntryUnknown, format!("no entry `{entry}` is on the ledger")));
        };
        let leaf = &receipt.entry.leaf.entry;
        let own = caller.is_regulator() || leaf.author.as_ref() == Some(caller.id());
        if own || self.concerns(caller, &leaf.body).await? {
            return Ok(receipt);
        }
        Err(not_a_party(caller, "entry", entry))
    }

    /// Whether what an entry is about is the caller's to know.
    async fn concerns(&self, caller: &Caller, body: &Body) -> Result<bool, Problem> {
        Ok(match body {
            Body::GrantIssued(signed) => [&signed.grant.holder, &signed.grant.consumer].contains(&caller.id()),
            Body::GrantChanged { grant: id, .. } => {
                let own = self.consortium.grants(caller.id()).await.map_err(of_port)?;
                own.iter().any(|g| &g.state.grant.id == id)
            }
            Body::ConsentIssued(Consent { id, .. }) | Body::ConsentChanged { consent: id, .. } => {
                let found = self.consortium.consent(id).await.map_err(of_port)?;
                found.is_some_and(|c| may_read(caller, &c))
            }
            Body::PurposeRegistered(_)
            | Body::DatasetPublished(_)
            | Body::DatasetChanged { .. }
            | Body::PolicyAdopted(_)
            | Body::CalendarAdopted(_)
            | Body::NoticeRegistered(_)
            | Body::TariffAdopted(_)
            | Body::DelegationGiven(_)
            | Body::DelegationEnded(_)
            | Body::ProposalOpened(_)
            | Body::BallotCast(_) => true,
            _ => false,
        })
    }
}

fn result(outcome: EntryOutcome) -> EntryResult {
    let EntryOutcome { entry, leaf, height, rejected } = outcome;
    EntryResult { entry, leaf, height, rejected }
}
