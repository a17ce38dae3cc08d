//! What only a holder's own node can do.

use covenant_domain::{DatasetId, IntentId, MemberId};

use super::{Answering, Nodes, miscounted};
use crate::port::{NodePort, PortError, QueryStanding};

impl Nodes {
    /// Asks a holder's own node; a failure names the holder.
    pub(super) async fn at<T>(
        &self,
        holder: &MemberId,
        ask: impl for<'a> Fn(&'a dyn NodePort) -> Answering<'a, T> + Send + Sync,
    ) -> Result<T, PortError> {
        let node = self.nodes.read().get(holder).cloned();
        let node = node.ok_or_else(|| PortError::unavailable(format!("holder `{holder}` has no running node")))?;
        ask(&*node).await.map_err(|error| match error {
            PortError::Unavailable { reason } => {
                PortError::unavailable(format!("the node of holder `{holder}` does not answer: {reason}"))
            }
            other => other,
        })
    }

    /// Asks the node that holds a dataset.
    pub(super) async fn at_holder_of<T>(
        &self,
        dataset: &DatasetId,
        ask: impl for<'a> Fn(&'a dyn NodePort) -> Answering<'a, T> + Send + Sync,
    ) -> Result<T, PortError> {
        let holder = self.holders(vec![dataset.clone()]).await?.pop().flatten();
        let unknown = || PortError::refused("dataset-unknown", format!("no dataset `{dataset}` is in force"));
        self.at(&holder.ok_or_else(unknown)?, ask).await
    }

    /// Who holds datasets, in the order asked.
    pub(super) async fn holders(&self, datasets: Vec<DatasetId>) -> Result<Vec<Option<MemberId>>, PortError> {
        let (member, holders) = self.asked(|node| node.holders(datasets.clone())).await?;
        match holders.len() == datasets.len() {
            true => Ok(holders),
            false => Err(miscounted(&member, holders.len(), datasets.len())),
        }
    }

    /// Who answers a query; nobody unless it is permitted.
    pub(super) async fn answering(&self, intent: &IntentId) -> Result<Option<MemberId>, PortError> {
        Ok(match self.standing(intent).await? {
            QueryStanding::Permitted { holder, .. } => Some(holder),
            _ => None,
        })
    }
}
