//! Datasets.

use covenant_domain::{Dataset, MemberId, Role};
use covenant_engine::Facts;

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};

/// A holder publishes the next revision of its dataset.
pub(super) fn published(draft: &mut Draft<'_>, author: &MemberId, dataset: &Dataset) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Holder)?;
    if &dataset.holder != author || dataset.id.org() != author.as_str() {
        return Err(format!("dataset `{}` is not `{author}`'s to publish", dataset.id));
    }
    dataset.check().map_err(|e| e.to_string())?;
    let next = draft.dataset(&dataset.id).map_or(1, |d| d.revision + 1);
    if dataset.revision != next {
        return Err(format!("dataset `{}` is at revision {}, the next is {next}", dataset.id, next - 1));
    }
    draft.put(Key::Dataset(dataset.id.clone()), Object::Dataset(dataset.clone()));
    Ok(())
}
