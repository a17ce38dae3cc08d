//! Size of the ledger.

use covenant_api::{Problem, Tip};

use crate::port::LedgerTip;
use crate::problem::of_port;
use crate::{Authentic, Gateway};

impl Gateway {
    /// The newest block.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn tip(&self, _call: Authentic<()>) -> Result<Tip, Problem> {
        self.recent_tip().await
    }

    /// The newest block, for the index page; heights are no secret.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn recent_tip(&self) -> Result<Tip, Problem> {
        let LedgerTip { height, block, leaves, time_ms } = self.consortium.tip().await.map_err(of_port)?;
        Ok(Tip { height, block, leaves, time_ms })
    }
}
