//! Oversight of lookups: ceremonies and cases.

use covenant_domain::{Case, Ceremony};

use crate::{Client, ClientError};

impl Client {
    /// All ceremonies of the escrow key.
    ///
    /// # Errors
    /// [`ClientError`] when the gateway does not answer.
    pub async fn ceremonies(&self) -> Result<Vec<Ceremony>, ClientError> {
        self.again(|| self.0.link.ceremonies()).await
    }

    /// All cases about lookups.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `not-a-party` for neither a regulator nor a trustee.
    pub async fn cases(&self) -> Result<Vec<Case>, ClientError> {
        self.again(|| self.0.link.cases()).await
    }
}
