//! Advice before a query.

use covenant_api::{PlanRequest, PlanResponse, Problem, RefusedMode};
use covenant_engine::Wish;

use crate::problem::of_port;
use crate::{Authentic, Gateway};

impl Gateway {
    /// The least revealing mode that would be permitted to the caller now.
    ///
    /// # Errors
    /// [`Problem`] when the consortium cannot say.
    pub async fn plan(&self, call: Authentic<PlanRequest>) -> Result<PlanResponse, Problem> {
        let (caller, request) = call.into_parts();
        let PlanRequest { dataset, purpose, fields, need, authority } = request;
        let wish = Wish { consumer: caller.id().clone(), dataset, purpose, fields, need, authority };
        let plan = self.consortium.plan(&wish).await.map_err(of_port)?;
        let refused = plan.refused.into_iter().map(|(mode, reasons)| RefusedMode { mode, reasons }).collect();
        Ok(PlanResponse { mode: plan.mode, refused })
    }
}
