//! What the service needs of the ledger, behind a trait.

use async_trait::async_trait;
use covenant_api::ConsentStatusView;
use covenant_client::{Client, ClientError};
use covenant_domain::{Body, ConsentId, ConsentUse, Notice, Purpose};
use covenant_ledger::Genesis;

/// Why the ledger did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// It said no, for this reason.
    #[error("the ledger refused: {0}")]
    Refused(String),
    /// There is no such thing on it.
    #[error("not on the ledger")]
    Unknown,
    /// It did not answer; what was asked may have happened.
    #[error("the ledger did not answer: {0}")]
    Unreachable(String),
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Leaf in the log.
    pub leaf: u64,
    /// Height of its block.
    pub height: u64,
}

/// What the gateway will serve to issuers and everybody: notices in force, and the uses of a consent.
#[async_trait]
pub trait Register: Send + Sync {
    /// Newest notice of every purpose that has one.
    async fn notices(&self) -> Result<Vec<Notice>, LedgerError>;
    /// Every query that named the consent, in the order of the ledger.
    async fn uses(&self, consent: &ConsentId) -> Result<Vec<ConsentUse>, LedgerError>;
}

/// The ledger as the service sees it.
#[async_trait]
pub trait Ledger: Register {
    /// The founding document: members and their keys.
    fn trust(&self) -> &Genesis;
    /// All purposes.
    async fn purposes(&self) -> Result<Vec<Purpose>, LedgerError>;
    /// Publishes as the service's member and waits until it took effect.
    async fn publish(&self, body: Body) -> Result<Placed, LedgerError>;
    /// A consent of this service with its status.
    async fn consent(&self, id: &ConsentId) -> Result<ConsentStatusView, LedgerError>;
}

#[async_trait]
impl Register for Client {
    async fn notices(&self) -> Result<Vec<Notice>, LedgerError> {
        Self::notices(self).await.map_err(told)
    }

    async fn uses(&self, consent: &ConsentId) -> Result<Vec<ConsentUse>, LedgerError> {
        self.consent_uses(consent).await.map_err(told)
    }
}

/// The ledger through a gateway, as the client's member.
#[async_trait]
impl Ledger for Client {
    fn trust(&self) -> &Genesis {
        Self::trust(self)
    }

    async fn purposes(&self) -> Result<Vec<Purpose>, LedgerError> {
        Self::purposes(self).await.map_err(told)
    }

    async fn publish(&self, body: Body) -> Result<Placed, LedgerError> {
        let results = Self::publish(self, vec![body]).await.map_err(told)?;
        let result = results.into_iter().next();
        let result = result.ok_or_else(|| LedgerError::Unreachable("no outcome for the entry".into()))?;
        match result.rejected {
            Some(reason) => Err(LedgerError::Refused(reason)),
            None => Ok(Placed { leaf: result.leaf, height: result.height }),
        }
    }

    async fn consent(&self, id: &ConsentId) -> Result<ConsentStatusView, LedgerError> {
        Self::consent(self, id).await.map_err(told)
    }
}

/// A client's failure in the words of this trait.
fn told(error: ClientError) -> LedgerError {
    match &error {
        ClientError::Problem(problem) if problem.status == 404 => LedgerError::Unknown,
        ClientError::Problem(problem) if problem.status < 500 && problem.status != 429 => {
            LedgerError::Refused(problem.detail.clone())
        }
        _ => LedgerError::Unreachable(error.to_string()),
    }
}
