//! Records of the ledger's state, as far as they are this member's to see.

use covenant_api::Settlement;
use covenant_canon::Digest;
use covenant_domain::{
    Calendar, ConsentId, ConsentUse, Delegation, DisputeState, Notice, Notification, ProposalState, Reliability,
    RequestId, RequestState, Roster, RuleBook, Tariff, Usage,
};

use crate::{Client, ClientError};

impl Client {
    /// Access requests that concern this member.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn requests(&self) -> Result<Vec<RequestState>, ClientError> {
        self.again(|| self.0.link.requests()).await
    }

    /// Who acts for whom.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn delegations(&self) -> Result<Vec<Delegation>, ClientError> {
        self.again(|| self.0.link.delegations()).await
    }

    /// All proposals with their votes.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn proposals(&self) -> Result<Vec<ProposalState>, ClientError> {
        self.again(|| self.0.link.proposals()).await
    }

    /// Disputes of which this member is a party.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn disputes(&self) -> Result<Vec<DisputeState>, ClientError> {
        self.again(|| self.0.link.disputes()).await
    }

    /// The newest notice text of each purpose, by digest.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn notices(&self) -> Result<Vec<Notice>, ClientError> {
        self.again(|| self.0.link.notices()).await
    }

    /// Rule books in force.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn rule_books(&self) -> Result<Vec<RuleBook>, ClientError> {
        self.again(|| self.0.link.rule_books()).await
    }

    /// How far the answers of each dataset can be relied on.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn reliability(&self) -> Result<Vec<Reliability>, ClientError> {
        self.again(|| self.0.link.reliability()).await
    }

    /// Working days and statutory clocks in force.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn calendar(&self) -> Result<Calendar, ClientError> {
        self.again(|| self.0.link.calendar()).await
    }

    /// Members, former ones too, how each stands, and the charter; as the gateway says.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn roster(&self) -> Result<Roster, ClientError> {
        self.again(|| self.0.link.roster()).await
    }

    /// What answers are worth.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn tariff(&self) -> Result<Tariff, ClientError> {
        self.again(|| self.0.link.tariff()).await
    }

    /// One access request.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `request-unknown` or `not-a-party`.
    pub async fn request(&self, id: &RequestId) -> Result<RequestState, ClientError> {
        self.again(|| self.0.link.request(id)).await
    }

    /// All queries that named a consent, in the order of the ledger.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `consent-unknown` or `not-a-party`.
    pub async fn consent_uses(&self, id: &ConsentId) -> Result<Vec<ConsentUse>, ClientError> {
        let mut all: Vec<ConsentUse> = Vec::new();
        loop {
            let after = all.last().map(|u| u.leaf);
            let more = self.again(|| self.0.link.consent_uses(id, after)).await?;
            // A gateway that goes round in circles is not followed.
            if more.is_empty() || more.iter().any(|u| Some(u.leaf) <= after) {
                return Ok(all);
            }
            all.extend(more);
        }
    }

    /// Permits that this member is told of by guard rules, behind a leaf of the log: as holder, or as a regulator. Up to 256;
    /// ask again behind the last one.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn notifications(&self, after: Option<u64>) -> Result<Vec<Notification>, ClientError> {
        self.again(|| self.0.link.notifications(after)).await
    }

    /// Counters of this member's queries and answers, of one month or all.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn usage(&self, month: Option<u32>) -> Result<Vec<Usage>, ClientError> {
        self.again(|| self.0.link.usage(month)).await
    }

    /// Contribution accounts of all members, of one month or all.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn settlement(&self, month: Option<u32>) -> Result<Settlement, ClientError> {
        self.again(|| self.0.link.settlement(month)).await
    }

    /// Canonical bytes of an entry's receipt; not verified yet, see `covenant_ledger::verify_receipt`.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `entry-unknown` or `not-a-party`.
    pub async fn entry_receipt(&self, entry: &Digest) -> Result<Vec<u8>, ClientError> {
        self.again(|| self.0.link.receipt(entry)).await
    }
}
