//! The catalogue: members, purposes and datasets.

use covenant_api::{Code, Consortium as ConsortiumDocument, Problem};
use covenant_domain::{Dataset, DatasetId, Member, Purpose};

use crate::problem::of_port;
use crate::{Authentic, Gateway};

impl Gateway {
    /// The trust root; public.
    pub fn consortium(&self) -> ConsortiumDocument {
        let handovers = self.handovers().as_ref().clone();
        ConsortiumDocument { digest: self.digest, genesis: self.consortium.genesis().clone(), handovers }
    }

    /// All members.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn members(&self, _call: Authentic<()>) -> Result<Vec<Member>, Problem> {
        self.consortium.members().await.map_err(of_port)
    }

    /// All purposes.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn purposes(&self, _call: Authentic<()>) -> Result<Vec<Purpose>, Problem> {
        self.consortium.purposes().await.map_err(of_port)
    }

    /// All datasets in force.
    ///
    /// # Errors
    /// [`Problem`] when no node answers.
    pub async fn datasets(&self, _call: Authentic<()>) -> Result<Vec<Dataset>, Problem> {
        self.consortium.datasets().await.map_err(of_port)
    }

    /// One dataset.
    ///
    /// # Errors
    /// [`Problem`] `dataset-unknown`.
    pub async fn dataset(&self, call: Authentic<()>, id: &DatasetId) -> Result<Dataset, Problem> {
        let found = self.datasets(call).await?.into_iter().find(|d| &d.id == id);
        found.ok_or_else(|| Problem::new(Code::DatasetUnknown, format!("no dataset `{id}` is in force")))
    }
}
