//! For regulators: computing the answer of a past lookup again, from a copy of the tables.

use std::path::{Path, PathBuf};

use covenant_api::EpochPart;
use covenant_canon::{Digest, Label, from_bytes, to_bytes};
use covenant_domain::{Body, DatasetId, IntentId, LookupRecord, LookupTable, Retrieved, SignedRetrieval};
use covenant_ledger::{Bundle, Closure, verify_bundle};
use covenant_pir::{Matrix, Params, Query};

use crate::{Client, ClientError};

/// What computing an answer again showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recomputed {
    /// The query.
    pub intent: IntentId,
    /// Whether tables and question give the answer that the holder recorded.
    pub equal: bool,
    /// In words.
    pub detail: String,
}

impl Client {
    /// Keeps a copy of both tables of a dataset's epoch in the folder for epoch files, so that answers can be computed again
    /// after the holder has destroyed them. Rows are ciphertext: the copy tells nothing of any record. Bytes kept.
    ///
    /// # Errors
    /// [`ClientError`] when something cannot be fetched or kept.
    pub async fn mirror_epoch(&self, dataset: &DatasetId) -> Result<u64, ClientError> {
        let state = self.epoch(dataset).await?.state;
        let (epoch, revision) = (&state.epoch, state.overlay_revision);
        let mut kept = 0;
        for (table, part) in [(&epoch.table, EpochPart::Matrix), (&state.overlay, EpochPart::OverlayMatrix)] {
            let params = params(table).map_err(|reason| ClientError::Epoch { dataset: dataset.clone(), reason })?;
            let bytes = self.matrix_file(epoch, revision, part, table.matrix, params.matrix_bytes()).await?;
            kept += bytes.len() as u64;
            let path = self.mirrored(&table.digest(self.0.trust.suite), "table")?;
            std::fs::write(&path, to_bytes(table)).map_err(|e| file(&path, &e))?;
        }
        Ok(kept)
    }

    /// Computes the answer of a past lookup again and compares it with what its holder signed. Takes the evidence, the
    /// consumer's stored question and mirrored tables; opens nothing.
    ///
    /// # Errors
    /// [`ClientError::Audit`] when something it takes is missing.
    pub async fn recompute(&self, intent: &IntentId) -> Result<Recomputed, ClientError> {
        let wrong = |reason: String| ClientError::Audit { intent: *intent, reason };
        let evidence = self.evidence(intent).await?;
        if !verify_bundle(&evidence, &self.0.trust).verified {
            return Err(wrong("its evidence does not verify".into()));
        }
        let bundle: Bundle = from_bytes(&evidence).map_err(ClientError::protocol)?;
        let record = record(&bundle).ok_or_else(|| wrong("it is no completed lookup".into()))?;
        let stored = self.retrieval(intent).await?;
        let signed: SignedRetrieval = from_bytes(&stored).map_err(|_| wrong("its question cannot be read".into()))?;
        let id = self.0.trust.suite;
        if Digest::of(id, Label::LOOKUP_RETRIEVAL, &to_bytes(&signed.retrieval)) != record.retrieval {
            return Ok(unequal(*intent, "the stored question is not the one the holder recorded"));
        }
        let (table, overlay) = (self.mirror(intent, &record.table)?, self.mirror(intent, &record.overlay)?);
        let retrieval = signed.retrieval;
        let compute = move || {
            let answer = |matrix: &Matrix, query: &[u8]| {
                let query = Query::from_bytes(matrix.params(), query).ok()?;
                Some(matrix.answer(&[query]).ok()?.pop()?.to_bytes())
            };
            Some(Retrieved {
                intent: retrieval.intent,
                table_answer: answer(&table, &retrieval.table_query)?,
                overlay_answer: answer(&overlay, &retrieval.overlay_query)?,
            })
        };
        let computed = tokio::task::spawn_blocking(compute).await.map_err(|_| ClientError::Stopped)?;
        let Some(computed) = computed else { return Ok(unequal(*intent, "the question does not fit the tables")) };
        match Digest::of(id, Label::LOOKUP_RETRIEVED, &to_bytes(&computed)) == record.retrieved {
            true => {
                Ok(Recomputed { intent: *intent, equal: true, detail: "tables and question give this answer".into() })
            }
            false => Ok(unequal(*intent, "tables and question give another answer: the holder has lied")),
        }
    }

    /// A mirrored table, by the digest of its description and checked against it.
    fn mirror(&self, intent: &IntentId, digest: &Digest) -> Result<Matrix, ClientError> {
        let wrong = |reason: String| ClientError::Audit { intent: *intent, reason };
        let absent = |path: &Path, _: std::io::Error| {
            wrong(format!("table {} is not in `{}`: mirror epochs while they are open", digest.short(), path.display()))
        };
        let described = self.mirrored(digest, "table")?;
        let table = std::fs::read(&described).map_err(|e| absent(&described, e))?;
        let table: LookupTable = from_bytes(&table).map_err(ClientError::protocol)?;
        if &table.digest(self.0.trust.suite) != digest {
            return Err(wrong(format!("`{}` is damaged: mirror it again", described.display())));
        }
        let bytes = self.mirrored(&table.matrix, "bin")?;
        let matrix = std::fs::read(&bytes).map_err(|e| absent(&bytes, e))?;
        if Digest::of(self.0.trust.suite, Label::LOOKUP_MATRIX, &matrix) != table.matrix {
            return Err(wrong(format!("`{}` is damaged: mirror it again", bytes.display())));
        }
        let params = params(&table).map_err(wrong)?;
        Matrix::from_bytes(params, matrix).map_err(|e| wrong(e.to_string()))
    }

    fn mirrored(&self, digest: &Digest, extension: &str) -> Result<PathBuf, ClientError> {
        let dir = self.0.config.epoch_dir.as_ref();
        let missing = || ClientError::File { path: PathBuf::new(), reason: "name a folder for epoch files".into() };
        Ok(dir.ok_or_else(missing)?.join(format!("{digest}.{extension}")))
    }
}

fn params(table: &LookupTable) -> Result<Params, String> {
    Params::new(table.rows, table.row_bytes, table.columns).map_err(|e| e.to_string())
}

fn record(bundle: &Bundle) -> Option<LookupRecord> {
    let Closure::Completed { completion, .. } = &bundle.closure else { return None };
    let Body::Completion(completion) = &completion.leaf.entry.body else { return None };
    completion.lookup.clone()
}

fn unequal(intent: IntentId, detail: &str) -> Recomputed {
    Recomputed { intent, equal: false, detail: detail.to_owned() }
}

fn file(path: &Path, error: &std::io::Error) -> ClientError {
    ClientError::File { path: path.to_owned(), reason: error.to_string() }
}
