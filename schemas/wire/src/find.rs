//! Search over the catalogue, versions of a dataset, export.

use covenant_api::{CatalogueItem, CataloguePage, CatalogueQuery, DatasetVersion, ExportQuery};
use covenant_canon::to_bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{canonical, parse, word, word_of};
use crate::{WireError, v1};

fn said<T: Serialize>(value: Option<&T>) -> Option<String> {
    value.map(word_of)
}

fn read<T: DeserializeOwned>(field: &'static str, text: Option<&String>) -> Result<Option<T>, WireError> {
    text.map(|text| word(field, text)).transpose()
}

impl From<CatalogueQuery> for v1::CatalogueRequest {
    fn from(it: CatalogueQuery) -> Self {
        Self {
            q: it.q,
            holder: it.holder.map(|h| h.to_string()),
            sharing: said(it.sharing.as_ref()),
            grade: said(it.grade.as_ref()),
            mode: said(it.mode.as_ref()),
            subject: said(it.subject.as_ref()),
            stage: said(it.stage.as_ref()),
            limit: it.limit,
            after: it.after,
        }
    }
}

impl TryFrom<v1::CatalogueRequest> for CatalogueQuery {
    type Error = WireError;
    fn try_from(it: v1::CatalogueRequest) -> Result<Self, WireError> {
        Ok(Self {
            holder: it.holder.as_deref().map(|h| parse("holder", h)).transpose()?,
            sharing: read("sharing", it.sharing.as_ref())?,
            grade: read("grade", it.grade.as_ref())?,
            mode: read("mode", it.mode.as_ref())?,
            subject: read("subject", it.subject.as_ref())?,
            stage: read("stage", it.stage.as_ref())?,
            q: it.q,
            limit: it.limit,
            after: it.after,
        })
    }
}

impl From<CatalogueItem> for v1::CatalogueItem {
    fn from(it: CatalogueItem) -> Self {
        let CatalogueItem { dataset, stage, status, score } = it;
        Self { dataset: to_bytes(&dataset), status: to_bytes(&status), stage: word_of(&stage), score }
    }
}

impl TryFrom<v1::CatalogueItem> for CatalogueItem {
    type Error = WireError;
    fn try_from(it: v1::CatalogueItem) -> Result<Self, WireError> {
        Ok(Self {
            dataset: canonical("dataset", &it.dataset)?,
            status: canonical("status", &it.status)?,
            stage: word("stage", &it.stage)?,
            score: it.score,
        })
    }
}

impl From<CataloguePage> for v1::CataloguePage {
    fn from(CataloguePage { total, items, next }: CataloguePage) -> Self {
        Self { total, items: items.into_iter().map(Into::into).collect(), next }
    }
}

impl TryFrom<v1::CataloguePage> for CataloguePage {
    type Error = WireError;
    fn try_from(v1::CataloguePage { total, items, next }: v1::CataloguePage) -> Result<Self, WireError> {
        Ok(Self { total, items: items.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?, next })
    }
}

impl From<DatasetVersion> for v1::DatasetVersion {
    fn from(it: DatasetVersion) -> Self {
        let DatasetVersion { dataset, entry, leaf, height, time_ms } = it;
        Self { dataset: to_bytes(&dataset), entry: entry.to_string(), leaf, height, time_ms }
    }
}

impl TryFrom<v1::DatasetVersion> for DatasetVersion {
    type Error = WireError;
    fn try_from(it: v1::DatasetVersion) -> Result<Self, WireError> {
        let v1::DatasetVersion { dataset, entry, leaf, height, time_ms } = it;
        Ok(Self { dataset: canonical("dataset", &dataset)?, entry: parse("entry", &entry)?, leaf, height, time_ms })
    }
}

impl From<ExportQuery> for v1::ExportRequest {
    fn from(ExportQuery { base }: ExportQuery) -> Self {
        Self { base }
    }
}

impl From<v1::ExportRequest> for ExportQuery {
    fn from(v1::ExportRequest { base }: v1::ExportRequest) -> Self {
        Self { base }
    }
}
