//! Epochs of private lookup.

use covenant_domain::{Dataset, Epoch, FieldName, MemberId, Mode, Overlay, Role};
use covenant_engine::{EpochState, Facts, RecentTables};
use covenant_oprf::{EpochPublicKey, epoch_scope};

use super::{Rejection, demand_role};
use crate::draft::Draft;
use crate::object::{Key, Object};

/// Pairs of table and overlay that queries under way may still name.
const RECENT: usize = 16;

/// A holder opens the next epoch of its dataset; the former one serves no new intent from here on.
pub(super) fn published(draft: &mut Draft<'_>, author: &MemberId, epoch: &Epoch) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Holder)?;
    let dataset = own(draft, author, &epoch.dataset)?;
    epoch.check().map_err(|e| e.to_string())?;
    let id = &epoch.dataset;
    if epoch.dataset_revision != dataset.revision {
        return Err(format!("epoch {} of `{id}` was built for another revision of the dataset", epoch.number));
    }
    if let Some(field) = epoch.fields.iter().find(|f| !open_to_lookup(dataset, f)) {
        return Err(format!("field `{field}` of `{id}` is not open to mode `lookup`"));
    }
    if !(1..=dataset.max_rows).contains(&epoch.max_rows) {
        return Err(format!("epoch {} of `{id}` carries more records in a row than the dataset allows", epoch.number));
    }
    let former = draft.epoch(id);
    let next = former.map_or(1, |s| s.epoch.number + 1);
    if epoch.number != next {
        return Err(format!("`{id}` is at epoch {}, the next is {next}", next - 1));
    }
    let scope = epoch_scope(draft.base.consortium(), author, id, epoch.number);
    EpochPublicKey::from_bytes(&epoch.key.0)
        .and_then(|key| key.verify_possession(&scope, &epoch.possession.0))
        .map_err(|_| format!("the key of epoch {} of `{id}` or its proof of possession does not hold", epoch.number))?;
    let recent = former.map(|s| s.recent.clone()).unwrap_or_default();
    let state = EpochState {
        epoch: epoch.clone(),
        overlay_revision: 0,
        overlay: epoch.overlay.clone(),
        recent: with_newest(draft, recent, epoch, &epoch.overlay),
    };
    draft.put(Key::Epoch(id.clone()), Object::Epoch(state));
    Ok(())
}

/// A holder replaces the same-day changes of the epoch in force.
pub(super) fn overlaid(draft: &mut Draft<'_>, author: &MemberId, overlay: &Overlay) -> Result<(), Rejection> {
    demand_role(draft, author, Role::Holder)?;
    own(draft, author, &overlay.dataset)?;
    overlay.check().map_err(|e| e.to_string())?;
    let id = &overlay.dataset;
    let Some(state) = draft.epoch(id) else { return Err(format!("`{id}` has no epoch")) };
    let mut state = state.clone();
    let (number, next) = (state.epoch.number, state.overlay_revision + 1);
    if (overlay.epoch, overlay.revision) != (number, next) {
        return Err(format!("`{id}` is at epoch {number}, overlay {}: the next overlay is {next}", next - 1));
    }
    let (table, former) = (&overlay.table, &state.overlay);
    if (table.rows, table.row_bytes, table.columns) != (former.rows, former.row_bytes, former.columns) {
        return Err(format!("overlay {next} of `{id}` has another shape than the former: that would tell its size"));
    }
    state.recent = with_newest(draft, state.recent, &state.epoch, table);
    (state.overlay_revision, state.overlay) = (next, table.clone());
    draft.put(Key::Epoch(id.clone()), Object::Epoch(state));
    Ok(())
}

fn own<'a>(draft: &'a Draft<'_>, author: &MemberId, id: &covenant_domain::DatasetId) -> Result<&'a Dataset, Rejection> {
    let dataset = draft.dataset(id).ok_or_else(|| format!("no dataset `{id}` is published"))?;
    if &dataset.holder == author { Ok(dataset) } else { Err(format!("dataset `{id}` is not `{author}`'s")) }
}

fn open_to_lookup(dataset: &Dataset, name: &FieldName) -> bool {
    dataset.field(name).is_some_and(|f| f.modes.contains(&Mode::Lookup))
}

fn with_newest(
    draft: &Draft<'_>,
    mut recent: Vec<RecentTables>,
    epoch: &Epoch,
    overlay: &covenant_domain::LookupTable,
) -> Vec<RecentTables> {
    let suite = draft.base.suite();
    let (table, overlay) = (epoch.table.digest(suite), overlay.digest(suite));
    recent.push(RecentTables { epoch: epoch.number, table, overlay });
    let surplus = recent.len().saturating_sub(RECENT);
    recent.drain(..surplus);
    recent
}
