//! `C = P(id) + r·H`: hides the subject perfectly, binds under the discrete logarithm assumption.

use std::sync::LazyLock;

use covenant_canon::Label;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoBasepointTable, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use sha2::Sha512;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Second base, with a table since every commitment multiplies it. `H = HashToGroup("covenant/v1/base-h")`.
static BASE_H: LazyLock<RistrettoBasepointTable> =
    LazyLock::new(|| RistrettoBasepointTable::create(&hash_to_group(Label::BASE_H, b"")));

/// The second base `H`, as its table.
pub(crate) fn base_h() -> &'static RistrettoBasepointTable {
    &BASE_H
}

/// Why bytes are no commitment or opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommitmentError {
    /// Not the canonical encoding of a group element, or the identity.
    #[error("commitment is not a canonical ristretto255 element")]
    NotCanonical,
    /// Not a canonical scalar.
    #[error("opening is not a canonical scalar")]
    Opening,
}

/// The blinding factor `r` of a commitment. Whoever knows it can test candidates for the subject.
pub struct Opening(Scalar);

impl Opening {
    /// A uniform opening from 64 random bytes.
    pub fn from_wide(random: &[u8; 64]) -> Self {
        Self(Scalar::from_bytes_mod_order_wide(random))
    }

    /// Reads the 32 bytes of [`Opening::to_bytes`].
    ///
    /// # Errors
    /// [`CommitmentError::Opening`] when the scalar is not reduced.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, CommitmentError> {
        Option::from(Scalar::from_canonical_bytes(*bytes)).map(Self).ok_or(CommitmentError::Opening)
    }

    /// The canonical scalar; secret.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    pub(crate) fn scalar(&self) -> &Scalar {
        &self.0
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opening(…)")
    }
}

/// Maps canonical subject identifiers to the group.
pub struct Subjects;

impl Subjects {
    /// `P(id) = HashToGroup("covenant/v1/subject" ‖ id)`.
    pub fn point(canonical: &str) -> RistrettoPoint {
        hash_to_group(Label::SUBJECT, canonical.as_bytes())
    }

    /// Whether the encoded point is that of this subject; constant time in the point.
    pub fn matches(point: &[u8; 32], canonical: &str) -> bool {
        Self::point(canonical).compress().to_bytes().ct_eq(point).into()
    }
}

/// `C = P(id) + r·H`, 32 canonical bytes.
pub fn commit(canonical: &str, opening: &Opening) -> [u8; 32] {
    (Subjects::point(canonical) + &opening.0 * &*BASE_H).compress().to_bytes()
}

/// Whether the commitment opens to this subject; constant time in the opening.
///
/// # Errors
/// [`CommitmentError::NotCanonical`] when the bytes are no valid commitment.
pub fn opens(commitment: &[u8; 32], canonical: &str, opening: &Opening) -> Result<bool, CommitmentError> {
    let point = CompressedRistretto(*commitment).decompress().ok_or(CommitmentError::NotCanonical)?;
    if point.is_identity() {
        return Err(CommitmentError::NotCanonical);
    }
    Ok(commit(canonical, opening).ct_eq(commitment).into())
}

fn hash_to_group(label: Label, message: &[u8]) -> RistrettoPoint {
    let mut input = Vec::with_capacity(1 + label.as_bytes().len() + message.len());
    input.push(u8::try_from(label.as_bytes().len()).unwrap_or(u8::MAX));
    input.extend_from_slice(label.as_bytes());
    input.extend_from_slice(message);
    let point = RistrettoPoint::hash_from_bytes::<Sha512>(&input);
    input.zeroize();
    point
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "resident:11010519491231002X";

    #[test]
    fn opens_only_to_its_subject_and_opening() {
        let opening = Opening::from_wide(&[3; 64]);
        let commitment = commit(ID, &opening);
        assert!(opens(&commitment, ID, &opening).unwrap());
        assert!(!opens(&commitment, "resident:110105194912310038", &opening).unwrap());
        assert!(!opens(&commitment, ID, &Opening::from_wide(&[4; 64])).unwrap());
    }

    #[test]
    fn frozen_bytes() {
        // Freezes P(id) and H: a change here orphans every consent ever issued.
        let commitment = commit(ID, &Opening::from_wide(&[3; 64]));
        assert_eq!(hex(&commitment), include_str!("frozen.hex").trim());
    }

    #[test]
    fn identity_and_garbage_are_refused() {
        let opening = Opening::from_wide(&[1; 64]);
        assert_eq!(opens(&[0; 32], ID, &opening), Err(CommitmentError::NotCanonical));
        assert_eq!(opens(&[0xff; 32], ID, &opening), Err(CommitmentError::NotCanonical));
        assert!(Opening::from_bytes(&[0xff; 32]).is_err());
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    proptest! {
        #[test]
        fn opening_bytes_round_trip(random in prop::array::uniform32(any::<u8>())) {
            let mut wide = [0; 64];
            wide[..32].copy_from_slice(&random);
            let opening = Opening::from_wide(&wide);
            let again = Opening::from_bytes(&opening.to_bytes()).unwrap();
            prop_assert!(opens(&commit(ID, &opening), ID, &again).unwrap());
        }
    }
}
