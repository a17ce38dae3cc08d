//! What was used, what it is worth, and how far answers can be relied on.

use covenant_api::{MonthQuery, Problem, Settlement};
use covenant_domain::{Reliability, Tariff, Usage, reliability, settle};

use crate::{Authentic, Gateway};

impl Gateway {
    /// Counters of which the caller is consumer or holder; all of them for a regulator.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn usage(&self, call: Authentic<()>, query: MonthQuery) -> Result<Vec<Usage>, Problem> {
        let caller = call.caller();
        let own = |u: &Usage| caller.is_regulator() || [&u.consumer, &u.holder].contains(&caller.id());
        Ok(self.usage_of(query).await?.into_iter().filter(own).collect())
    }

    /// Contribution accounts of all members: who gives and who takes is everybody's to know.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn settlement(&self, _call: Authentic<()>, query: MonthQuery) -> Result<Settlement, Problem> {
        let tariff: Tariff = self.records().await?.pop().unwrap_or_default();
        let usage = self.usage_of(query).await?;
        Ok(Settlement { month: query.month, accounts: settle(&tariff, &usage), tariff })
    }

    /// How far the answers of each dataset can be relied on.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn reliability(&self, _call: Authentic<()>) -> Result<Vec<Reliability>, Problem> {
        Ok(reliability(&self.records::<Usage>().await?))
    }

    async fn usage_of(&self, query: MonthQuery) -> Result<Vec<Usage>, Problem> {
        let all = self.records::<Usage>().await?;
        Ok(all.into_iter().filter(|u| query.month.is_none_or(|month| month == u.month)).collect())
    }
}
