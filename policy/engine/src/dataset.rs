//! Whether a dataset is answered at all.

use covenant_domain::{Dataset, DatasetStage, Reason, ReasonCode};

use crate::facts::{Facts, Moment};

/// What keeps a published dataset from being answered now. A deprecated one is answered until its grace period ends.
pub(crate) fn faults(facts: &impl Facts, dataset: &Dataset, moment: &Moment) -> Option<Reason> {
    let status = facts.dataset_status(&dataset.id)?;
    let id = &dataset.id;
    match status.stage(moment.time_ms) {
        DatasetStage::Published | DatasetStage::Deprecated => None,
        DatasetStage::Suspended => {
            let by: Vec<_> = status.suspended_by.iter().map(|m| format!("`{m}`")).collect();
            let detail = format!("dataset `{id}` is suspended by {}: ask again once it is resumed", by.join(", "));
            Some(Reason::new(ReasonCode::DatasetSuspended, detail))
        }
        DatasetStage::Archived => {
            let successor = status.deprecated.as_ref().and_then(|d| d.successor.as_ref());
            let next = successor.map_or_else(String::new, |s| format!(": `{s}` takes its place"));
            Some(Reason::new(ReasonCode::DatasetArchived, format!("dataset `{id}` is archived{next}")))
        }
    }
}
