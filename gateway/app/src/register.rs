//! Records of the ledger's state: access requests, delegations, votes, disputes, and what regulators set for all.

use covenant_api::{Code, Problem};
use covenant_domain::{
    Calendar, Delegation, DisputeState, MemberId, Notice, Power, ProposalState, RequestId, RequestState, Roster,
    RuleBook, Tariff,
};

use crate::caller::Caller;
use crate::port::Recorded;
use crate::problem::{internal, not_a_party, of_port};
use crate::{Authentic, Gateway};

impl Gateway {
    pub(crate) async fn records<T: Recorded>(&self) -> Result<Vec<T>, Problem> {
        let records = self.consortium.records(T::KIND).await.map_err(of_port)?;
        T::of(records).ok_or_else(|| internal("records of another kind than asked"))
    }

    /// Access requests that concern the caller; all of them for platforms and regulators.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn requests(&self, call: Authentic<()>) -> Result<Vec<RequestState>, Problem> {
        let (all, delegations) = (self.records::<RequestState>().await?, self.records::<Delegation>().await?);
        Ok(all.into_iter().filter(|r| concerned(call.caller(), r, &delegations)).collect())
    }

    /// One access request.
    ///
    /// # Errors
    /// [`Problem`] `request-unknown` or `not-a-party`.
    pub async fn request(&self, call: Authentic<()>, id: &RequestId) -> Result<RequestState, Problem> {
        let found = self.records::<RequestState>().await?.into_iter().find(|r| &r.request.id == id);
        let Some(found) = found else {
            return Err(Problem::new(Code::RequestUnknown, format!("no access request `{id}` is on the ledger")));
        };
        if !concerned(call.caller(), &found, &self.records::<Delegation>().await?) {
            return Err(not_a_party(call.caller(), "access request", id));
        }
        Ok(found)
    }

    /// All delegations: everybody may know who acts for whom.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn delegations(&self, _call: Authentic<()>) -> Result<Vec<Delegation>, Problem> {
        self.records().await
    }

    /// All proposals with their votes: votes are open.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn proposals(&self, _call: Authentic<()>) -> Result<Vec<ProposalState>, Problem> {
        self.records().await
    }

    /// Disputes of which the caller is a party; all of them for a regulator.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn disputes(&self, call: Authentic<()>) -> Result<Vec<DisputeState>, Problem> {
        let caller = call.caller();
        let delegations = self.records::<Delegation>().await?;
        let own = |d: &DisputeState| {
            caller.is_regulator()
                || [&d.consumer, &d.holder].contains(&caller.id())
                || acts(&delegations, caller, &d.holder, Power::AnswerDisputes)
        };
        Ok(self.records::<DisputeState>().await?.into_iter().filter(own).collect())
    }

    /// The calendar in force.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn calendar(&self, _call: Authentic<()>) -> Result<Calendar, Problem> {
        Ok(self.records().await?.pop().unwrap_or_default())
    }

    /// The newest notice of each purpose.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn notices(&self, _call: Authentic<()>) -> Result<Vec<Notice>, Problem> {
        self.records().await
    }

    /// Who belongs to the consortium and how each stands, with the charter.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn roster(&self, _call: Authentic<()>) -> Result<Roster, Problem> {
        self.newest_roster().await
    }

    /// The roster in force, of a node that is asked now.
    pub(crate) async fn newest_roster(&self) -> Result<Roster, Problem> {
        self.records().await?.pop().ok_or_else(|| internal("no roster"))
    }

    /// The tariff in force.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn tariff(&self, _call: Authentic<()>) -> Result<Tariff, Problem> {
        Ok(self.records().await?.pop().unwrap_or_default())
    }

    /// Rule books in force: whoever is judged by rules may read them, and voters must.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn rule_books(&self, _call: Authentic<()>) -> Result<Vec<RuleBook>, Problem> {
        self.records().await
    }
}

/// Whether a request is the caller's to see: its consumer's, an approver's, or one that it may act on.
fn concerned(caller: &Caller, request: &RequestState, delegations: &[Delegation]) -> bool {
    let consumer = &request.request.grant.grant.consumer;
    caller.is_regulator()
        || caller.is_platform()
        || consumer == caller.id()
        || request.approvers.contains(caller.id())
        || acts(delegations, caller, consumer, Power::RequestAccess)
        || request.approvers.iter().any(|m| acts(delegations, caller, m, Power::DecideRequests))
}

fn acts(delegations: &[Delegation], caller: &Caller, principal: &MemberId, power: Power) -> bool {
    let gives = |d: &&Delegation| &d.principal == principal && &d.delegate == caller.id() && d.powers.contains(&power);
    delegations.iter().any(|d| gives(&d))
}
