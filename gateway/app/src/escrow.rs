//! Oversight of lookups: ceremonies of the escrow key, and cases.

use covenant_api::Problem;
use covenant_domain::{Case, Ceremony, IntentId};

use crate::problem::{of_port, reserved};
use crate::{Authentic, Gateway};

impl Gateway {
    /// All ceremonies; what they hold is public or sealed.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn ceremonies(&self, _call: Authentic<()>) -> Result<Vec<Ceremony>, Problem> {
        self.consortium.ceremonies().await.map_err(of_port)
    }

    /// All cases, for regulators and trustees: nobody else learns which lookups are under suspicion.
    ///
    /// # Errors
    /// [`Problem`] `not-a-party`.
    pub async fn cases(&self, call: Authentic<()>) -> Result<Vec<Case>, Problem> {
        let caller = call.caller();
        if !caller.is_regulator() && !caller.is_trustee() {
            return Err(reserved(caller, "list", &"cases", "regulators and trustees"));
        }
        self.consortium.cases().await.map_err(of_port)
    }

    /// Whether a query is one of a case that waits for its outcome.
    pub(crate) async fn in_open_case(&self, intent: &IntentId) -> Result<bool, Problem> {
        let cases = self.consortium.cases().await.map_err(of_port)?;
        Ok(cases.iter().flat_map(|c| &c.items).any(|i| &i.intent == intent && i.outcome.is_none()))
    }
}
