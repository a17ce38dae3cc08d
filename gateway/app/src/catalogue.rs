//! Search over the catalogue, one dataset with its status, former revisions, rights, and the export.

use std::sync::Arc;

use covenant_api::{
    CATALOGUE_ITEMS, CatalogueItem, CataloguePage, CatalogueQuery, Code, DatasetVersion, ExportQuery,
    MAX_CATALOGUE_ITEMS, MAX_SEARCH_CHARS, Problem,
};
use covenant_domain::{DatasetId, DatasetStage, RightId, RightState};

use crate::index::{Index, Indexed, words};
use crate::port::PublishedDataset;
use crate::problem::{internal, of_port, reserved};
use crate::{Authentic, Gateway, dcat};

/// Longest address of a gateway in an export.
const MAX_BASE: usize = 200;
/// Where a gateway is unless the caller says.
const DEFAULT_BASE: &str = "http://127.0.0.1:8600";

impl Gateway {
    /// Datasets that hold all words and fit all filters, the best first. `now_ms` says whose grace period is over.
    ///
    /// # Errors
    /// [`Problem`] `parameter-invalid`.
    pub async fn catalogue(&self, call: Authentic<CatalogueQuery>, now_ms: u64) -> Result<CataloguePage, Problem> {
        let query = call.value();
        let (limit, after) = checked(query)?;
        let index = self.index().await?;
        let found = index.find(&words(&query.q)).into_iter();
        let mut found: Vec<_> = found.filter(|(item, _)| fits(query, item, now_ms)).map(|(i, s)| (s, i)).collect();
        found.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.dataset.id.cmp(&y.dataset.id)));
        let total = found.len() as u64;
        let behind = |(score, item): &(u32, &Indexed)| match &after {
            Some((least, id)) => score < least || (score == least && item.dataset.id > *id),
            None => true,
        };
        let mut rest = found.into_iter().filter(behind);
        let items: Vec<_> = rest.by_ref().take(limit).map(|(score, item)| view(item, score, now_ms)).collect();
        let last = items.last().map(|i: &CatalogueItem| format!("{}:{}", i.score, i.dataset.id));
        let next = rest.next().and(last);
        Ok(CataloguePage { total, items, next })
    }

    /// One dataset with where it stands.
    ///
    /// # Errors
    /// [`Problem`] `dataset-unknown`.
    pub async fn catalogue_item(
        &self,
        _call: Authentic<()>,
        id: &DatasetId,
        now_ms: u64,
    ) -> Result<CatalogueItem, Problem> {
        let index = self.index().await?;
        let items = index.items();
        let found = items.binary_search_by(|item| item.dataset.id.cmp(id)).ok().and_then(|at| items.get(at));
        found.map(|item| view(item, 0, now_ms)).ok_or_else(|| unknown(id))
    }

    /// The whole catalogue in JSON-LD, by DCAT-AP 3.
    ///
    /// # Errors
    /// [`Problem`] `parameter-invalid` when the base is no address.
    pub async fn catalogue_export(&self, call: Authentic<ExportQuery>, now_ms: u64) -> Result<String, Problem> {
        let base = call.value().base.as_deref().unwrap_or(DEFAULT_BASE).trim_end_matches('/');
        check_base(base)?;
        let index = self.index().await?;
        let roster = self.newest_roster().await?;
        let name = self.consortium.genesis().consortium.clone();
        let (digest, base) = (self.digest, base.to_owned());
        let made = tokio::task::spawn_blocking(move || {
            let items: Vec<_> = index.items().iter().map(|item| (&item.dataset, &item.status)).collect();
            dcat::export(&name, &digest, &roster, &items, &base, now_ms)
        });
        made.await.map_err(|_| internal("the export of the catalogue stopped"))
    }

    /// All revisions of a dataset, the oldest first.
    ///
    /// # Errors
    /// [`Problem`] `dataset-unknown`.
    pub async fn dataset_versions(&self, _call: Authentic<()>, id: &DatasetId) -> Result<Vec<DatasetVersion>, Problem> {
        let all = self.consortium.dataset_versions(id).await.map_err(of_port)?;
        if all.is_empty() {
            return Err(unknown(id));
        }
        let version = |PublishedDataset { dataset, entry, leaf, height, time_ms }| DatasetVersion {
            dataset,
            entry,
            leaf,
            height,
            time_ms,
        };
        Ok(all.into_iter().map(version).collect())
    }

    /// A change of a right with its signatures, for its signers and regulators.
    ///
    /// # Errors
    /// [`Problem`] `right-unknown` or `not-a-party`.
    pub async fn right(&self, call: Authentic<()>, id: &RightId) -> Result<RightState, Problem> {
        let Some(found) = self.consortium.right(id).await.map_err(of_port)? else {
            return Err(Problem::new(Code::RightUnknown, format!("no right change `{id}` is on the ledger")));
        };
        let caller = call.caller();
        if found.signers.contains(caller.id()) || caller.is_regulator() {
            return Ok(found);
        }
        Err(reserved(caller, "right change", id, "its signers and regulators"))
    }

    /// The index of the catalogue as it is now; built anew when it changed. Whoever comes meanwhile waits for it.
    async fn index(&self) -> Result<Arc<Index>, Problem> {
        let mut held = self.index.lock().await;
        if let Some(catalogue) = self.consortium.catalogue(held.mark()).await.map_err(of_port)? {
            let built = tokio::task::spawn_blocking(move || Index::build(catalogue));
            *held = Arc::new(built.await.map_err(|_| internal("the index of the catalogue stopped"))?);
        }
        Ok(Arc::clone(&held))
    }
}

fn unknown(id: &DatasetId) -> Problem {
    Problem::new(Code::DatasetUnknown, format!("no dataset `{id}` is in force"))
}

fn view(item: &Indexed, score: u32, now_ms: u64) -> CatalogueItem {
    let (dataset, status) = (item.dataset.clone(), item.status.clone());
    CatalogueItem { stage: status.stage(now_ms), dataset, status, score }
}

/// Limit and cursor of a search.
fn checked(query: &CatalogueQuery) -> Result<(usize, Option<(u32, DatasetId)>), Problem> {
    let wrong = |detail: String| Problem::new(Code::ParameterInvalid, detail);
    if query.q.chars().count() > MAX_SEARCH_CHARS {
        return Err(wrong(format!("query `q`: more than {MAX_SEARCH_CHARS} characters")));
    }
    let limit = query.limit.unwrap_or(CATALOGUE_ITEMS);
    if !(1..=MAX_CATALOGUE_ITEMS).contains(&limit) {
        return Err(wrong(format!("query `limit`: 1 to {MAX_CATALOGUE_ITEMS}, not {limit}")));
    }
    let cursor = |text: &String| {
        let parts = text.split_once(':').and_then(|(score, id)| Some((score.parse().ok()?, DatasetId::new(id).ok()?)));
        parts.ok_or_else(|| wrong("query `after`: give `next` of the page before, as it was".into()))
    };
    Ok((limit as usize, query.after.as_ref().map(cursor).transpose()?))
}

fn fits(query: &CatalogueQuery, item: &Indexed, now_ms: u64) -> bool {
    let dataset = &item.dataset;
    let stage = item.status.stage(now_ms);
    query.holder.as_ref().is_none_or(|h| *h == dataset.holder)
        && query.sharing.is_none_or(|s| s == dataset.sharing)
        && query.grade.is_none_or(|g| g == dataset.grade)
        && query.subject.is_none_or(|s| s == dataset.subject)
        && query.mode.is_none_or(|m| dataset.fields.iter().any(|f| f.modes.contains(&m)))
        && query.stage.map_or(stage != DatasetStage::Archived, |s| s == stage)
}

/// An address that may stand in an IRI.
fn check_base(base: &str) -> Result<(), Problem> {
    let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c);
    if base.len() <= MAX_BASE && rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(plain)) {
        return Ok(());
    }
    let detail = format!("query `base`: the gateway's address such as `{DEFAULT_BASE}`, at most {MAX_BASE} characters");
    Err(Problem::new(Code::ParameterInvalid, detail))
}
