//! Published vectors, frozen vectors, other implementations, and behaviour.

mod behaviour;
mod certificate;
mod frozen;
mod keyfile;
mod openssl;
mod sm_crypto;
mod standards;

use std::path::PathBuf;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use covenant_canon::{Label, SuiteId};
use serde::de::DeserializeOwned;

use crate::KeyPairSet;

pub(crate) const BOTH: [SuiteId; 2] = [SuiteId::Sm, SuiteId::Intl];

pub(crate) fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

pub(crate) fn keys(suite: SuiteId, seed: u8) -> KeyPairSet {
    KeyPairSet::generate(suite, &mut rng(seed))
}

/// What a signature covers, written a second time.
pub(crate) fn preimage(label: Label, message: &[u8]) -> Vec<u8> {
    [&[label.as_str().len() as u8], label.as_bytes(), message].concat()
}

pub(crate) fn label(name: &str) -> Label {
    let known = [Label::BATCH, Label::VOTE, Label::SEAL_ANSWER, Label::SEAL_INPUT];
    *known.iter().find(|l| l.as_str() == name).unwrap_or_else(|| panic!("label {name} is not used by vectors"))
}

pub(crate) fn vector_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/suite/v1").join(name)
}

pub(crate) fn vectors<T: DeserializeOwned>(name: &str) -> T {
    let path = vector_path(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Bytes written as hex in a vector file.
#[derive(Clone, serde::Deserialize, serde::Serialize)]
#[serde(transparent)]
pub(crate) struct Hex(#[serde(with = "hex::serde")] pub(crate) Vec<u8>);

impl std::ops::Deref for Hex {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
