//! The key of one dataset and epoch.

use covenant_sigma::{Element, EpochScope, SecretScalar, prove_possession, verify_possession};
use curve25519_dalek::scalar::Scalar;
use rand_core::CryptoRng;

use crate::OprfError;

/// `k`: whoever has it can evaluate every subject, so it never leaves the holder and is destroyed at rotation.
#[derive(Debug, PartialEq, Eq)]
pub struct EpochKey {
    k: SecretScalar,
    public: EpochPublicKey,
}

impl EpochKey {
    /// A fresh key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self::new(SecretScalar::random(rng))
    }

    /// Reads the bytes of [`EpochKey::to_bytes`]. The caller clears its own copy.
    ///
    /// # Errors
    /// [`OprfError::Key`] for zero and for a scalar that is not reduced.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, OprfError> {
        SecretScalar::from_bytes(bytes).map(Self::new).map_err(|_| OprfError::Key)
    }

    /// The secret bytes, for a sealed file.
    pub fn to_bytes(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.k.to_bytes())
    }

    /// `K = k·G`.
    pub fn public(&self) -> &EpochPublicKey {
        &self.public
    }

    /// Proves that the publisher of `K` knows `k`; goes on the ledger with `K`.
    ///
    /// # Errors
    /// [`OprfError::Refused`] with negligible probability.
    pub fn prove_possession(&self, scope: &EpochScope, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, OprfError> {
        prove_possession(scope, &self.k, rng).map_err(|_| OprfError::Refused)
    }

    /// Splits the key between two evaluators, neither of whom can evaluate alone: `k = k₁ + k₂`, `k₁` uniform.
    pub fn split(&self, rng: &mut dyn CryptoRng) -> (KeyPart, KeyPart) {
        loop {
            let first = SecretScalar::random(rng);
            // Zero only for k₁ = k.
            if let Ok(second) = SecretScalar::from_scalar(self.k.expose() - first.expose()) {
                return (KeyPart(Self::new(first)), KeyPart(Self::new(second)));
            }
        }
    }

    pub(crate) fn secret(&self) -> &SecretScalar {
        &self.k
    }

    pub(crate) fn scalar(&self) -> &Scalar {
        self.k.expose()
    }

    fn new(k: SecretScalar) -> Self {
        Self { public: EpochPublicKey(k.public()), k }
    }
}

/// `K = k·G`, published with a proof of possession before the epoch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochPublicKey(Element);

impl EpochPublicKey {
    /// Parses 32 bytes.
    ///
    /// # Errors
    /// [`OprfError::Key`] for a non-canonical encoding and for the identity.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, OprfError> {
        Element::from_bytes(bytes).map(Self).map_err(|_| OprfError::Key)
    }

    /// The canonical encoding.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Verifies the proof of possession.
    ///
    /// # Errors
    /// [`OprfError::Key`] when it is refused.
    pub fn verify_possession(&self, scope: &EpochScope, proof: &[u8]) -> Result<(), OprfError> {
        verify_possession(scope, &self.0, proof).map_err(|_| OprfError::Key)
    }

    /// `K₁ + K₂`, the key that two parts evaluate under together.
    ///
    /// Each part needs its own proof of possession: without, the second party could choose its part against the first's.
    ///
    /// # Errors
    /// [`OprfError::Key`] when the parts cancel out.
    pub fn combine(first: &Self, second: &Self) -> Result<Self, OprfError> {
        Element::from_point(first.0.point() + second.0.point()).map(Self).map_err(|_| OprfError::Key)
    }

    pub(crate) fn element(&self) -> &Element {
        &self.0
    }
}

/// One of two parts of an epoch key. Alone it evaluates to something that opens no row.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyPart(EpochKey);

impl KeyPart {
    /// Reads the bytes of [`KeyPart::to_bytes`]. The caller clears its own copy.
    ///
    /// # Errors
    /// [`OprfError::Key`] for zero and for a scalar that is not reduced.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, OprfError> {
        EpochKey::from_bytes(bytes).map(Self)
    }

    /// The secret bytes, for a sealed file.
    pub fn to_bytes(&self) -> zeroize::Zeroizing<[u8; 32]> {
        self.0.to_bytes()
    }

    /// The part's public key.
    pub fn public(&self) -> &EpochPublicKey {
        self.0.public()
    }

    /// As [`EpochKey::prove_possession`], of this part.
    ///
    /// # Errors
    /// [`OprfError::Refused`] with negligible probability.
    pub fn prove_possession(&self, scope: &EpochScope, rng: &mut dyn CryptoRng) -> Result<Vec<u8>, OprfError> {
        self.0.prove_possession(scope, rng)
    }

    pub(crate) fn key(&self) -> &EpochKey {
        &self.0
    }
}
