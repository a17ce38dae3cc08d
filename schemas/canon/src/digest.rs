//! 32-byte digests under a label.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;

use crate::{Label, SuiteId};

/// A hash function of 32 bytes of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashAlgorithm {
    /// SM3, GB/T 32905.
    Sm3,
    /// SHA-256, FIPS 180-4.
    Sha256,
}

/// Incremental hashing with either algorithm.
#[derive(Clone)]
pub struct Hasher(Inner);

#[derive(Clone)]
enum Inner {
    Sm3(sm3::Sm3),
    Sha256(sha2::Sha256),
}

impl Hasher {
    /// An empty hash state.
    pub fn new(algorithm: HashAlgorithm) -> Self {
        Self(match algorithm {
            HashAlgorithm::Sm3 => Inner::Sm3(sm3::Sm3::default()),
            HashAlgorithm::Sha256 => Inner::Sha256(sha2::Sha256::default()),
        })
    }

    /// Absorbs bytes as they are.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Inner::Sm3(h) => sm3::Digest::update(h, bytes),
            Inner::Sha256(h) => sha2::Digest::update(h, bytes),
        }
    }

    /// The digest of everything absorbed.
    pub fn finish(self) -> Digest {
        Digest(match self.0 {
            Inner::Sm3(h) => sm3::Digest::finalize(h).into(),
            Inner::Sha256(h) => sha2::Digest::finalize(h).into(),
        })
    }
}

/// A 32-byte digest. Printed and parsed as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Digest(#[cbor(with = "minicbor::bytes")] pub [u8; 32]);

impl Digest {
    /// All zero: the parent of the first block, the root of nothing.
    pub const ZERO: Self = Self([0; 32]);

    /// The suite's hash over the label and the bytes: `H(len(label) ‖ label ‖ bytes)`.
    pub fn of(suite: SuiteId, label: Label, bytes: &[u8]) -> Self {
        Self::of_parts(suite, label, &[bytes])
    }

    /// As [`Digest::of`], over several parts, each preceded by its length as eight big-endian bytes when there are
    /// more than one, so that no two splits of the same bytes share a digest.
    pub fn of_parts(suite: SuiteId, label: Label, parts: &[&[u8]]) -> Self {
        let mut hasher = Hasher::new(suite.hash());
        hasher.update(&[u8::try_from(label.as_bytes().len()).unwrap_or(u8::MAX)]);
        hasher.update(label.as_bytes());
        for part in parts {
            if parts.len() > 1 {
                hasher.update(&(part.len() as u64).to_be_bytes());
            }
            hasher.update(part);
        }
        hasher.finish()
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Comparison in constant time, for digests that stand for secrets.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// The first eight hex digits, for people.
    pub fn short(&self) -> String {
        let mut text = hex::encode(self.0);
        text.truncate(8);
        text
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl std::str::FromStr for Digest {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut out = [0; 32];
        hex::decode_to_slice(text, &mut out)?;
        Ok(Self(out))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sm3_standard_vector() {
        // GB/T 32905-2016 annex A.1
        let mut hasher = Hasher::new(HashAlgorithm::Sm3);
        hasher.update(b"abc");
        assert_eq!(hasher.finish().to_string(), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    }

    #[test]
    fn labels_and_splits_separate() {
        let suite = SuiteId::Sm;
        assert_ne!(Digest::of(suite, Label::GRANT, b"x"), Digest::of(suite, Label::BATCH, b"x"));
        assert_ne!(
            Digest::of_parts(suite, Label::GRANT, &[b"ab", b"c"]),
            Digest::of_parts(suite, Label::GRANT, &[b"a", b"bc"])
        );
        assert_ne!(Digest::of(SuiteId::Sm, Label::GRANT, b"x"), Digest::of(SuiteId::Intl, Label::GRANT, b"x"));
    }

    #[test]
    fn hex_round_trip() {
        let digest = Digest::of(SuiteId::Intl, Label::GRANT, b"x");
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert!("zz".parse::<Digest>().is_err());
    }
}
