//! Notice texts: what is shown before anybody agrees.

use std::collections::BTreeMap;
use std::path::Path;

use covenant_canon::{Digest, Label, SuiteId};
use covenant_domain::{Notice, PurposeCode};
use serde::{Deserialize, Serialize};

use crate::StartError;
use crate::config::NoticeFiles;
use crate::terms::NoticeShown;

/// Longest text, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// A notice as it is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeText {
    /// The purpose.
    pub purpose: PurposeCode,
    /// Version on the ledger.
    pub version: u32,
    /// Digest of both texts, as on the ledger.
    pub digest: Digest,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// The digest of a notice: both texts, Chinese first, a form feed between. A form feed stands in neither.
pub fn notice_digest(suite: SuiteId, zh: &str, en: &str) -> Digest {
    Digest::of(suite, Label::NOTICE, format!("{zh}\u{c}{en}").as_bytes())
}

/// The texts of the configuration.
#[derive(Debug, Default)]
pub(crate) struct Notices(BTreeMap<PurposeCode, NoticeText>);

impl Notices {
    /// Reads the files.
    pub(crate) fn load(suite: SuiteId, files: &[NoticeFiles]) -> Result<Self, StartError> {
        let mut all = BTreeMap::new();
        for file in files {
            let (zh, en) = (read(&file.zh)?, read(&file.en)?);
            let text = NoticeText {
                purpose: file.purpose.clone(),
                version: file.version,
                digest: notice_digest(suite, &zh, &en),
                zh,
                en,
            };
            all.insert(file.purpose.clone(), text);
        }
        Ok(Self(all))
    }

    /// The text of a purpose.
    pub(crate) fn get(&self, purpose: &PurposeCode) -> Option<&NoticeText> {
        self.0.get(purpose)
    }

    /// Purposes with a text.
    pub(crate) fn purposes(&self) -> Vec<PurposeCode> {
        self.0.keys().cloned().collect()
    }

    /// What is wrong between the texts here and the newest ones on the ledger, a line each.
    pub(crate) fn faults(&self, registered: &[Notice]) -> Vec<String> {
        let fault = |text: &NoticeText| match registered.iter().find(|n| n.purpose == text.purpose) {
            None => Some(format!("the notice of `{}` is not registered on the ledger", text.purpose)),
            Some(newest) if newest.text != text.digest || newest.version != text.version => Some(format!(
                "the notice of `{}` is version {} with digest {} here, version {} with digest {} on the ledger",
                text.purpose,
                text.version,
                text.digest.short(),
                newest.version,
                newest.text.short()
            )),
            Some(_) => None,
        };
        self.0.values().filter_map(fault).collect()
    }
}

impl NoticeText {
    /// How terms name it.
    pub fn shown(&self) -> NoticeShown {
        NoticeShown { version: self.version, text: self.digest }
    }
}

fn read(path: &Path) -> Result<String, StartError> {
    let wrong = |reason: String| StartError::Notice { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    if text.trim().is_empty() || text.len() > MAX_TEXT || text.contains('\u{c}') {
        return Err(wrong(format!("expected 1 to {MAX_TEXT} bytes of text without form feeds")));
    }
    Ok(text)
}
