//! The trait, and the two suites behind it.

use covenant_canon::{Label, SuiteId};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Encapsulation, OpeningKey, SealingKey, SharedSecret, Signature, SigningKey, SuiteError, VerifyingKey, gcm, intl,
    secret, sm,
};

/// Signing, encapsulation and sealing of one suite. Get one with [`suite`].
///
/// Every method refuses keys and values of the other suite with [`SuiteError::SuiteMismatch`].
pub trait Suite: Send + Sync {
    /// Which suite this is.
    fn id(&self) -> SuiteId;

    /// A fresh signing key, drawn from `rng` by rejection.
    fn generate_signing_key(&self, rng: &mut dyn CryptoRng) -> SigningKey {
        generate(rng, |bytes| SigningKey::from_bytes(self.id(), bytes))
    }

    /// A fresh opening key, drawn from `rng` by rejection.
    fn generate_opening_key(&self, rng: &mut dyn CryptoRng) -> OpeningKey {
        generate(rng, |bytes| OpeningKey::from_bytes(self.id(), bytes))
    }

    /// Signs `len(label) ‖ label ‖ message`. Deterministic: nonces come from the key and the message (RFC 6979 with SM3,
    /// RFC 8032).
    ///
    /// # Errors
    /// [`SuiteError::Signing`] with negligible probability.
    fn sign(&self, key: &SigningKey, label: Label, message: &[u8]) -> Result<Signature, SuiteError> {
        SuiteError::demand("signing key", self.id(), key.suite())?;
        key.sign(label, message)
    }

    /// Verifies a signature. Who verifies often under one key prepares it: [`VerifyingKey::prepare`].
    ///
    /// # Errors
    /// [`SuiteError::Signature`] for whatever is not a signature by this key over this label and message.
    fn verify(
        &self,
        key: &VerifyingKey,
        label: Label,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SuiteError> {
        key.demand(self.id())?;
        key.prepare()?.verify(label, message, signature)
    }

    /// Sends a fresh 32-byte secret to a key. The secret is bound to the label, the key and the encapsulation. It says
    /// nothing about who sent it.
    ///
    /// # Errors
    /// [`SuiteError::Encapsulate`] for a key of small order.
    fn encapsulate(
        &self,
        to: &SealingKey,
        label: Label,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Encapsulation, SharedSecret), SuiteError> {
        to.demand(self.id())?;
        match self.id() {
            SuiteId::Sm => sm::encapsulate(to, label, rng),
            SuiteId::Intl => intl::encapsulate(to, label, rng),
        }
    }

    /// The secret that was sent.
    ///
    /// # Errors
    /// [`SuiteError::Open`]. The international suite has no redundancy in an encapsulation: there a wrong key or label
    /// gives another secret, and the failure shows when opening with it.
    fn decapsulate(
        &self,
        key: &OpeningKey,
        label: Label,
        encapsulation: &Encapsulation,
    ) -> Result<SharedSecret, SuiteError> {
        SuiteError::demand("opening key", self.id(), key.suite())?;
        key.decapsulate(label, encapsulation)
    }

    /// Encrypts under a key and nonce that are derived from the secret, its label and the context.
    ///
    /// INVARIANT a context seals at most one message per secret: a second one would reuse the GCM nonce. [`Sealer`]
    /// enforces it, this method cannot.
    ///
    /// [`Sealer`]: crate::Sealer
    ///
    /// # Errors
    /// [`SuiteError::TooLong`] over [`MAX_CIPHERTEXT`](crate::MAX_CIPHERTEXT).
    fn seal_with(
        &self,
        secret: &SharedSecret,
        context: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SuiteError> {
        SuiteError::demand("shared secret", self.id(), secret.suite())?;
        gcm::seal(secret, context, aad, plaintext)
    }

    /// Decrypts what [`Suite::seal_with`] made from the same secret, context and associated data.
    ///
    /// # Errors
    /// [`SuiteError::Open`].
    fn open_with(
        &self,
        secret: &SharedSecret,
        context: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SuiteError> {
        SuiteError::demand("shared secret", self.id(), secret.suite())?;
        gcm::open(secret, context, aad, ciphertext)
    }
}

/// The suite of an id.
pub fn suite(id: SuiteId) -> &'static dyn Suite {
    match id {
        SuiteId::Sm => &Sm,
        SuiteId::Intl => &Intl,
    }
}

/// The ShangMi suite: SM2, SM3, SM4-GCM.
#[derive(Debug, Clone, Copy)]
pub struct Sm;

/// The international suite: Ed25519, HPKE X25519, SHA-256, AES-256-GCM.
#[derive(Debug, Clone, Copy)]
pub struct Intl;

impl Suite for Sm {
    fn id(&self) -> SuiteId {
        SuiteId::Sm
    }
}

impl Suite for Intl {
    fn id(&self) -> SuiteId {
        SuiteId::Intl
    }
}

/// Draws candidates until one is a key. All but about one in 2³² candidates are.
fn generate<K>(rng: &mut dyn CryptoRng, parse: impl Fn(&[u8]) -> Result<K, SuiteError>) -> K {
    let mut bytes = [0; secret::LENGTH];
    loop {
        rng.fill_bytes(&mut bytes);
        if let Ok(key) = parse(&bytes) {
            bytes.zeroize();
            return key;
        }
    }
}

/// `len(label) ‖ label`, what precedes every signed message and every derivation context.
pub(crate) fn label_head(label: Label) -> Vec<u8> {
    let text = label.as_bytes();
    let mut head = Vec::with_capacity(1 + text.len());
    head.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    head.extend_from_slice(text);
    head
}
