//! What the state knows of the catalogue beside the datasets: their status, and rights that several bureaus sign.

use covenant_domain::{Dataset, DatasetId, DatasetStatus, RightId, RightState};
use covenant_engine::GrantState;

use crate::State;
use crate::draft::Draft;
use crate::execution::Execution;
use crate::object::{Key, Object};

impl State {
    /// What happened to a dataset since it was published; absent when nothing did.
    pub fn dataset_status(&self, id: &DatasetId) -> Option<&DatasetStatus> {
        status(self.object(&Key::DatasetStatus(id.clone())))
    }

    /// All datasets with what happened to them, in the order of their ids.
    pub fn catalogue(&self) -> impl Iterator<Item = (&Dataset, DatasetStatus)> {
        self.datasets().map(|d| (d, self.dataset_status(&d.id).cloned().unwrap_or_default()))
    }

    /// A mark of the catalogue: equal marks, on whatever node, mean equal catalogues. It is the height of the newest block
    /// that changed it, or that at which this state was restored.
    pub fn catalogue_height(&self) -> u64 {
        self.catalogue_height
    }

    /// A change of a right.
    pub fn right(&self, id: &RightId) -> Option<&RightState> {
        right(self.object(&Key::Right(*id)))
    }

    pub(crate) fn note_catalogue(&mut self, execution: &Execution) {
        if execution.changes.iter().any(|(key, _)| matches!(key, Key::Dataset(_) | Key::DatasetStatus(_))) {
            self.catalogue_height = execution.height;
        }
    }
}

impl Draft<'_> {
    pub(crate) fn status_of(&self, id: &DatasetId) -> Option<&DatasetStatus> {
        status(self.object(&Key::DatasetStatus(id.clone())))
    }

    pub(crate) fn right(&self, id: &RightId) -> Option<&RightState> {
        right(self.object(&Key::Right(*id)))
    }

    /// Grants of a dataset that are on the ledger, whatever happened to them.
    pub(crate) fn grants_of(&self, dataset: &DatasetId) -> Vec<&GrantState> {
        let known = self.base.grants_of(dataset).chain(self.new_grants());
        known.filter_map(|id| self.grant(id)).filter(|s| &s.grant.dataset == dataset).collect()
    }
}

fn status(object: Option<&Object>) -> Option<&DatasetStatus> {
    match object {
        Some(Object::DatasetStatus(status)) => Some(status),
        _ => None,
    }
}

fn right(object: Option<&Object>) -> Option<&RightState> {
    match object {
        Some(Object::Right(state)) => Some(state),
        _ => None,
    }
}
