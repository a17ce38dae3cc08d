//! One encapsulation, many messages.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use covenant_canon::{CanonError, Digest, Label, MAX_BYTES, from_bytes, to_bytes};
use minicbor::{Decode, Decoder, Encode};
use parking_lot::Mutex;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{Encapsulation, OpeningKey, SealingKey, SharedSecret, SuiteError, suite};

/// Longest ciphertext, tag included, in bytes: leaves room for the encapsulation within the canonical limit.
pub const MAX_CIPHERTEXT: usize = MAX_BYTES - 1024;

/// Decapsulations that an [`Opener`] remembers.
const REMEMBERED: usize = 64;

/// A sealed message: how to find the secret, and the bytes under it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(map)]
pub struct Sealed {
    /// The secret, encapsulated to the recipient. Names the suite.
    #[n(0)]
    pub encapsulation: Encapsulation,
    /// Ciphertext and tag, at most [`MAX_CIPHERTEXT`] bytes.
    #[n(1)]
    #[cbor(encode_with = "minicbor::bytes::encode", decode_with = "decode_ciphertext")]
    pub ciphertext: Vec<u8>,
}

impl Sealed {
    /// The canonical bytes; their digest is what an entry names.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// Decodes canonical bytes.
    ///
    /// # Errors
    /// [`CanonError`] when they are not the canonical encoding of a sealed message.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CanonError> {
        from_bytes(bytes)
    }
}

fn decode_ciphertext<C>(d: &mut Decoder<'_>, _ctx: &mut C) -> Result<Vec<u8>, minicbor::decode::Error> {
    let bytes = d.bytes()?;
    if bytes.len() > MAX_CIPHERTEXT {
        return Err(minicbor::decode::Error::message("ciphertext is too long"));
    }
    Ok(bytes.to_vec())
}

/// Seals many messages to one key under one encapsulation.
///
/// Each message has a context, in this house the id of its intent; the AEAD key and the nonce are derived from the secret
/// and the context. INVARIANT a context is used once per encapsulation: the sealer refuses the second use.
///
/// Protects the messages from all but the holder of the opening key. Does not tell the recipient who sealed: the digest
/// of the sealed bytes is signed elsewhere. Anyone who later gets the opening key can open.
pub struct Sealer {
    encapsulation: Encapsulation,
    secret: SharedSecret,
    used: Mutex<BTreeSet<Digest>>,
}

impl Sealer {
    /// Encapsulates a fresh secret to `to`.
    ///
    /// # Errors
    /// [`SuiteError::Encapsulate`] for a key of small order.
    pub fn new(to: &SealingKey, label: Label, rng: &mut dyn CryptoRng) -> Result<Self, SuiteError> {
        let (encapsulation, secret) = suite(to.suite()).encapsulate(to, label, rng)?;
        Ok(Self { encapsulation, secret, used: Mutex::default() })
    }

    /// Seals one message; `aad` is authenticated and not stored.
    ///
    /// # Errors
    /// [`SuiteError::ContextReused`] for a context that this sealer has seen, [`SuiteError::TooLong`].
    pub fn seal(&self, context: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<Sealed, SuiteError> {
        let id = self.secret.suite();
        let ciphertext = suite(id).seal_with(&self.secret, context, aad, plaintext)?;
        // Of two ciphertexts under one context only the first leaves.
        if !self.used.lock().insert(Digest::of(id, self.secret.label(), context)) {
            return Err(SuiteError::ContextReused);
        }
        Ok(Sealed { encapsulation: self.encapsulation.clone(), ciphertext })
    }

    /// What every message of this sealer carries.
    pub fn encapsulation(&self) -> &Encapsulation {
        &self.encapsulation
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({:?}, ..)", self.secret)
    }
}

/// Opens messages sealed to one key under one label, and remembers the last 64 secrets: a batch under one encapsulation
/// costs one decapsulation.
pub struct Opener {
    key: Arc<OpeningKey>,
    label: Label,
    /// Most recently used first.
    remembered: Mutex<VecDeque<(Encapsulation, Arc<SharedSecret>)>>,
}

impl Opener {
    /// An opener with nothing remembered.
    pub fn new(key: Arc<OpeningKey>, label: Label) -> Self {
        Self { key, label, remembered: Mutex::default() }
    }

    /// Opens one message.
    ///
    /// # Errors
    /// [`SuiteError::Open`] for another key, label, context, associated data or altered bytes;
    /// [`SuiteError::SuiteMismatch`] for a message of the other suite.
    pub fn open(&self, context: &[u8], aad: &[u8], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SuiteError> {
        let secret = self.secret(&sealed.encapsulation)?;
        suite(self.key.suite()).open_with(&secret, context, aad, &sealed.ciphertext)
    }

    /// The lock is not held while decapsulating: two threads may do the same work, none waits for it.
    fn secret(&self, encapsulation: &Encapsulation) -> Result<Arc<SharedSecret>, SuiteError> {
        if let Some(secret) = self.recall(encapsulation) {
            return Ok(secret);
        }
        let secret = Arc::new(self.key.decapsulate(self.label, encapsulation)?);
        let mut remembered = self.remembered.lock();
        remembered.push_front((encapsulation.clone(), Arc::clone(&secret)));
        remembered.truncate(REMEMBERED);
        Ok(secret)
    }

    fn recall(&self, encapsulation: &Encapsulation) -> Option<Arc<SharedSecret>> {
        let mut remembered = self.remembered.lock();
        let position = remembered.iter().position(|(known, _)| known == encapsulation)?;
        let entry = remembered.remove(position)?;
        let secret = Arc::clone(&entry.1);
        remembered.push_front(entry);
        Some(secret)
    }

    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        self.remembered.lock().len()
    }
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opener({:?}, ..)", self.key)
    }
}
