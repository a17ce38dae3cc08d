//! The catalogue: search, versions, export; and rights that several bureaus sign.

use covenant_api::{CatalogueItem, CataloguePage, CatalogueQuery, DatasetVersion, ExportQuery};
use covenant_canon::{Digest, Label};
use covenant_domain::{DatasetId, RightId, RightState};

use crate::{Client, ClientError};

/// Bytes of salt that hide a record behind its digest.
pub const SALT_BYTES: usize = 32;

impl Client {
    /// Searches the catalogue.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `parameter-invalid`.
    pub async fn catalogue(&self, query: &CatalogueQuery) -> Result<CataloguePage, ClientError> {
        self.again(|| self.0.link.catalogue(query.clone())).await
    }

    /// One dataset with where it stands.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `dataset-unknown`.
    pub async fn catalogue_item(&self, id: &DatasetId) -> Result<CatalogueItem, ClientError> {
        self.again(|| self.0.link.catalogue_item(id)).await
    }

    /// The whole catalogue by DCAT-AP 3, in JSON-LD. `base` is the address at which its readers reach the gateway.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `parameter-invalid`.
    pub async fn catalogue_export(&self, base: Option<&str>) -> Result<String, ClientError> {
        let query = ExportQuery { base: base.map(str::to_owned) };
        self.again(|| self.0.link.catalogue_export(query.clone())).await
    }

    /// All revisions of a dataset, the oldest first.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `dataset-unknown`.
    pub async fn dataset_versions(&self, id: &DatasetId) -> Result<Vec<DatasetVersion>, ClientError> {
        self.again(|| self.0.link.dataset_versions(id)).await
    }

    /// A change of a right, for its signers and regulators.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `right-unknown` or `not-a-party`.
    pub async fn right(&self, id: &RightId) -> Result<RightState, ClientError> {
        self.again(|| self.0.link.right(id)).await
    }

    /// The digest under which a record of a right stands on the ledger: of the id of the change, the salt and the record.
    pub fn right_digest(&self, id: &RightId, salt: &[u8; SALT_BYTES], record: &[u8]) -> Digest {
        Digest::of_parts(self.trust().suite, Label::RIGHT, &[id.as_bytes(), salt, record])
    }
}

/// A text as it may stand in the query of an address.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Names and values with `&` between, those without a value left out.
pub(crate) fn query_text(query: &CatalogueQuery) -> String {
    let Ok(serde_json::Value::Object(all)) = serde_json::to_value(query) else { return String::new() };
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let pairs = all.into_iter().map(|(name, value)| format!("{name}={}", escaped(&text(value))));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_become_queries_that_a_server_reads_back() {
        let query = CatalogueQuery {
            q: "不动产 & 100%".into(),
            grade: Some(covenant_domain::Grade::Core),
            limit: Some(5),
            after: Some("8:cov:a/gov/b/c/d".into()),
            ..CatalogueQuery::default()
        };
        assert_eq!(
            query_text(&query),
            "q=%E4%B8%8D%E5%8A%A8%E4%BA%A7%20%26%20100%25&grade=core&limit=5&after=8:cov:a/gov/b/c/d"
        );
        assert_eq!(query_text(&CatalogueQuery::default()), "");
    }
}
