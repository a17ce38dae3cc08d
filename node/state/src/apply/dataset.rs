//! Datasets.

use covenant_domain::{
    Dataset, DatasetChange, DatasetId, DatasetStage, DatasetStatus, Deprecation, FieldName, MemberId, Role,
};
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
    if let Some(stranger) = dataset.cosigners.iter().find(|m| draft.member(m).is_none()) {
        return Err(format!("co-signer `{stranger}` of dataset `{}` is no member", dataset.id));
    }
    let next = draft.dataset(&dataset.id).map_or(1, |d| d.revision + 1);
    if dataset.revision != next {
        return Err(format!("dataset `{}` is at revision {}, the next is {next}", dataset.id, next - 1));
    }
    if let Some(before) = draft.dataset(&dataset.id) {
        check_revision(draft, before, dataset)?;
    }
    draft.put(Key::Dataset(dataset.id.clone()), Object::Dataset(dataset.clone()));
    Ok(())
}

/// What a revision may not do to those who rely on the one before.
fn check_revision(draft: &Draft<'_>, before: &Dataset, after: &Dataset) -> Result<(), Rejection> {
    let id = &after.id;
    let stage = stage(draft, id);
    if stage == DatasetStage::Archived {
        return Err(format!("dataset `{id}` is archived: publish its successor under another id"));
    }
    if let Some(lost) = before.cosigners.iter().find(|m| !after.cosigners.contains(m)) {
        // Else the holder alone could shed the second signature that protects the register.
        return Err(format!("`{lost}` signs for dataset `{id}` and is left out: publish another dataset instead"));
    }
    if after.subject != before.subject {
        return Err(format!("dataset `{id}` is keyed by {}: publish another dataset instead", before.subject));
    }
    let deprecated = draft.status_of(id).is_some_and(|s| s.deprecated.is_some());
    match granted_field_dropped(draft, after) {
        Some((field, grant)) if !deprecated => Err(format!(
            "revision {} of dataset `{id}` drops field `{field}`, which grant {grant} names: keep it, or deprecate the dataset first",
            after.revision
        )),
        _ => Ok(()),
    }
}

/// A field that a grant still in force names and the new revision lacks.
fn granted_field_dropped(draft: &Draft<'_>, after: &Dataset) -> Option<(FieldName, covenant_domain::GrantId)> {
    let now_ms = draft.moment.time_ms;
    draft.grants_of(&after.id).into_iter().find_map(|state| {
        let in_force = !state.revoked && state.grant.valid_until_ms > now_ms;
        let lost = state.grant.fields.iter().find(|f| in_force && after.field(f).is_none())?;
        Some((lost.clone(), state.grant.id))
    })
}

fn stage(draft: &Draft<'_>, id: &DatasetId) -> DatasetStage {
    draft.status_of(id).map_or(DatasetStage::Published, |s| s.stage(draft.moment.time_ms))
}

/// Its holder deprecates and archives a dataset; holder, platform and regulators suspend and resume, each for itself.
pub(super) fn changed(
    draft: &mut Draft<'_>,
    author: &MemberId,
    id: &DatasetId,
    change: &DatasetChange,
) -> Result<(), Rejection> {
    let Some(dataset) = draft.dataset(id) else { return Err(format!("no dataset `{id}` is published")) };
    let holder = &dataset.holder == author;
    let overseer = draft.member(author).is_some_and(|m| m.has(Role::Regulator) || m.has(Role::Platform));
    let may = holder || (overseer && matches!(change, DatasetChange::Suspended | DatasetChange::Resumed));
    if !may {
        return Err(format!("dataset `{id}` is not `{author}`'s to change"));
    }
    if stage(draft, id) == DatasetStage::Archived {
        return Err(format!("dataset `{id}` is archived for good"));
    }
    let mut status = draft.status_of(id).cloned().unwrap_or_default();
    match change {
        DatasetChange::Deprecated { until_ms, successor } => {
            check_successor(draft, id, *until_ms, successor.as_ref())?;
            status.deprecated = Some(Deprecation { until_ms: *until_ms, successor: successor.clone() });
        }
        DatasetChange::Suspended => suspend(&mut status, author, id)?,
        DatasetChange::Resumed if status.suspended_by.contains(author) => status.suspended_by.retain(|m| m != author),
        DatasetChange::Resumed => return Err(format!("dataset `{id}` is not suspended by `{author}`")),
        DatasetChange::Archived => status.archived = true,
    }
    draft.put(Key::DatasetStatus(id.clone()), Object::DatasetStatus(status));
    Ok(())
}

fn suspend(status: &mut DatasetStatus, author: &MemberId, id: &DatasetId) -> Result<(), Rejection> {
    if status.suspended_by.contains(author) {
        return Err(format!("dataset `{id}` is suspended by `{author}` already"));
    }
    status.suspended_by.push(author.clone());
    status.suspended_by.sort();
    Ok(())
}

fn check_successor(
    draft: &Draft<'_>,
    id: &DatasetId,
    until_ms: u64,
    successor: Option<&DatasetId>,
) -> Result<(), Rejection> {
    if until_ms <= draft.moment.time_ms {
        return Err(format!(
            "the grace period of dataset `{id}` ends before it begins: name a later time, or archive it"
        ));
    }
    let Some(successor) = successor else { return Ok(()) };
    if successor == id {
        return Err(format!("dataset `{id}` cannot take its own place"));
    }
    if draft.dataset(successor).is_none() || stage(draft, successor) == DatasetStage::Archived {
        return Err(format!("successor `{successor}` is not in force: publish it first"));
    }
    Ok(())
}
