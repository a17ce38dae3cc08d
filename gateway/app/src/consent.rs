//! Consents: for the consumer they name, the service that issued them, the holders they reach and regulators.

use covenant_api::{Code, ConsentStatusView, Problem, UsesQuery};
use covenant_domain::{ConsentId, ConsentUse, Notification};

use crate::caller::Caller;
use crate::port::ConsentView;
use crate::problem::{not_a_party, of_port};
use crate::{Authentic, Gateway};

impl Gateway {
    /// One consent with its status.
    ///
    /// # Errors
    /// [`Problem`] `consent-unknown` or `not-a-party`.
    pub async fn consent(&self, call: Authentic<()>, id: &ConsentId) -> Result<ConsentStatusView, Problem> {
        let Some(found) = self.consortium.consent(id).await.map_err(of_port)? else {
            return Err(Problem::new(Code::ConsentUnknown, format!("no consent `{id}` is on the ledger")));
        };
        if !may_read(call.caller(), &found) {
            return Err(not_a_party(call.caller(), "consent", id));
        }
        let ConsentView { consent, issuer, status, uses } = found;
        Ok(ConsentStatusView { consent, issuer, status, uses })
    }
}

impl Gateway {
    /// Up to 256 queries that named a consent, behind a leaf and in the order of the ledger: who used it, for what.
    ///
    /// # Errors
    /// [`Problem`] as for [`Gateway::consent`].
    pub async fn consent_uses(
        &self,
        call: Authentic<()>,
        id: &ConsentId,
        query: UsesQuery,
    ) -> Result<Vec<ConsentUse>, Problem> {
        self.consent(call, id).await?;
        self.consortium.uses(id, query.after).await.map_err(of_port)
    }
}

impl Gateway {
    /// Up to 256 permits that the caller is told of because a guard rule says so: as holder, or as a regulator.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn notifications(&self, call: Authentic<()>, query: UsesQuery) -> Result<Vec<Notification>, Problem> {
        let caller = call.caller();
        let holder = (!caller.is_regulator()).then(|| caller.id());
        self.consortium.told(holder, query.after).await.map_err(of_port)
    }
}

pub(crate) fn may_read(caller: &Caller, found: &ConsentView) -> bool {
    let holds = found.consent.scopes.iter().any(|s| s.dataset.org() == caller.id().as_str());
    caller.is_regulator() || holds || [&found.consent.consumer, &found.issuer].contains(&caller.id())
}
