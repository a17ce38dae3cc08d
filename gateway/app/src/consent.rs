//! Consents: for the consumer they name, the service that issued them, the holders they reach and regulators.

use covenant_api::{Code, ConsentStatusView, Problem};
use covenant_domain::ConsentId;

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

fn may_read(caller: &Caller, found: &ConsentView) -> bool {
    let holds = found.consent.scopes.iter().any(|s| s.dataset.org() == caller.id().as_str());
    caller.is_regulator() || holds || [&found.consent.consumer, &found.issuer].contains(&caller.id())
}
