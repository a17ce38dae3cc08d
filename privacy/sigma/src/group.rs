//! Elements and secret scalars as this house parses and keeps them.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::ProofError;

/// A group element other than the identity, with its canonical encoding. INVARIANT the two agree.
#[derive(Clone, Copy)]
pub struct Element {
    point: RistrettoPoint,
    bytes: [u8; 32],
}

impl Element {
    /// Parses 32 bytes.
    ///
    /// # Errors
    /// [`ProofError::Element`] for a non-canonical encoding and for the identity.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, ProofError> {
        let point = CompressedRistretto(*bytes).decompress().ok_or(ProofError::Element)?;
        if point.is_identity() {
            return Err(ProofError::Element);
        }
        Ok(Self { point, bytes: *bytes })
    }

    /// Wraps a point.
    ///
    /// # Errors
    /// [`ProofError::Element`] for the identity.
    pub fn from_point(point: RistrettoPoint) -> Result<Self, ProofError> {
        if point.is_identity() {
            return Err(ProofError::Element);
        }
        Ok(Self { point, bytes: point.compress().to_bytes() })
    }

    /// The canonical encoding.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.bytes
    }

    /// The point.
    pub fn point(&self) -> &RistrettoPoint {
        &self.point
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Element {}

impl std::fmt::Debug for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, ..] = self.bytes;
        write!(f, "Element({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// A secret scalar other than zero: cleared on drop, silent in `Debug`, compared in constant time.
pub struct SecretScalar(Scalar);

impl SecretScalar {
    /// A uniform scalar other than zero.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut wide = [0; 64];
        loop {
            rng.fill_bytes(&mut wide);
            let scalar = Scalar::from_bytes_mod_order_wide(&wide);
            if scalar != Scalar::ZERO {
                wide.zeroize();
                return Self(scalar);
            }
        }
    }

    /// Parses 32 little-endian bytes. The caller clears its own copy.
    ///
    /// # Errors
    /// [`ProofError::Scalar`] when not reduced, or zero.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, ProofError> {
        Option::from(Scalar::from_canonical_bytes(*bytes)).ok_or(ProofError::Scalar).and_then(Self::from_scalar)
    }

    /// Wraps a scalar. The caller clears its own copy.
    ///
    /// # Errors
    /// [`ProofError::Scalar`] when zero.
    pub fn from_scalar(scalar: Scalar) -> Result<Self, ProofError> {
        if scalar == Scalar::ZERO { Err(ProofError::Scalar) } else { Ok(Self(scalar)) }
    }

    /// The canonical bytes; secret.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The scalar; secret, and not cleared where it is copied to.
    pub fn expose(&self) -> &Scalar {
        &self.0
    }

    /// The public half, this scalar times `G`.
    pub fn public(&self) -> Element {
        let point = RistrettoPoint::mul_base(&self.0);
        // A scalar other than zero times a generator of a prime-order group is never the identity.
        Element { bytes: point.compress().to_bytes(), point }
    }
}

impl Drop for SecretScalar {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PartialEq for SecretScalar {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretScalar {}

impl std::fmt::Debug for SecretScalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretScalar(…)")
    }
}
