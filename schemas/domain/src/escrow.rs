//! The regulators' threshold key, made together over the ledger, and the cases in which it opens an escrow.

use covenant_canon::{Digest, Label, SuiteId};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{IntentId, MemberId, Point};

/// Most trustees of one key.
pub const MAX_TRUSTEES: usize = 32;

/// A regulator calls the trustees to make a key together. Numbers follow each other; the newest finished ceremony's key is
/// in force.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct CeremonyCall {
    /// Number, from 1.
    #[n(0)]
    pub number: u32,
    /// How many trustees it takes to open an escrow.
    #[n(1)]
    pub threshold: u16,
    /// The trustees, sorted; the place in the list, from 1, is a trustee's index.
    #[n(2)]
    pub trustees: Vec<MemberId>,
}

/// A byte string that is opaque here; hex in JSON.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Package(
    /// The bytes.
    #[cbor(with = "minicbor::bytes")]
    #[serde(with = "hex")]
    pub Vec<u8>,
);

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Package({} bytes)", self.0.len())
    }
}

/// One trustee's secret share for another, sealed to that one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct SealedShare {
    /// For whom.
    #[n(0)]
    pub to: MemberId,
    /// Canonical bytes of the sealed share.
    #[n(1)]
    pub sealed: Package,
}

/// A trustee's step in a ceremony. The ledger is the echo broadcast: everyone sees the same.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum CeremonyStep {
    /// Commitments to the trustee's polynomial, with proof of knowledge.
    #[n(0)]
    Committed {
        /// The public package of the first round.
        #[n(0)]
        package: Package,
    },
    /// Shares for all others.
    #[n(1)]
    Shared {
        /// One for every other trustee, in the order of the list.
        #[n(0)]
        shares: Vec<SealedShare>,
    },
    /// The trustee holds a share of this key. When all have said so, the key is in force.
    #[n(2)]
    Confirmed {
        /// Canonical bytes of the public key with all verifying shares.
        #[n(0)]
        group: Package,
        /// `Y`.
        #[n(1)]
        key: Point,
        /// The trustee's signature over [`attested`], text form of `privacy/suite`: whoever has the genesis can tell a
        /// key of the trustees from one that a gateway made up.
        #[n(2)]
        attestation: String,
    },
    /// Something a trustee was sent does not hold; the ceremony is void.
    #[n(3)]
    Failed {
        /// Who is at fault.
        #[n(0)]
        accused: MemberId,
        /// What is wrong.
        #[n(1)]
        reason: String,
    },
}

/// Where a ceremony stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum CeremonyStatus {
    /// Under way.
    #[n(0)]
    Open,
    /// All confirmed: its key is, or was, in force.
    #[n(1)]
    Finished,
    /// Void.
    #[n(2)]
    Failed,
}

/// What one trustee has contributed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Contribution {
    /// First round.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
    /// Second round.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<SealedShare>,
    /// The trustee's signature over [`attested`], once it has confirmed.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<String>,
}

/// What a trustee signs when it confirms a key: the digest of consortium, ceremony, group and key.
pub fn attested(suite: SuiteId, consortium: &Digest, number: u32, group: &Package, key: &Point) -> Digest {
    Digest::of_parts(suite, Label::ESCROW_GROUP, &[consortium.as_bytes(), &number.to_be_bytes(), &group.0, &key.0])
}

/// A ceremony as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Ceremony {
    /// The call.
    #[n(0)]
    pub call: CeremonyCall,
    /// The regulator that called.
    #[n(1)]
    pub caller: MemberId,
    /// Status.
    #[n(2)]
    pub status: CeremonyStatus,
    /// In the order of the trustees.
    #[n(3)]
    pub contributions: Vec<Contribution>,
    /// The public key with all verifying shares, as first confirmed.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Package>,
    /// `Y`, as first confirmed.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Point>,
    /// Who is at fault and why, when it failed.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<(MemberId, String)>,
}

/// Number of a case: 1 to 64 letters, digits and `-`, `_`, `/`, `.`, so that nobody is named in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Serialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct CaseNumber(#[n(0)] String);

/// Why a text is no case number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no case number: use 1 to 64 letters, digits and `-`, `_`, `/`, `.`, at most 12 digits in a row")]
pub struct CaseNumberError {
    text: String,
}

/// A longer run of digits could be somebody's number.
const MOST_DIGITS: usize = 12;

impl CaseNumber {
    /// Parses a case number.
    ///
    /// # Errors
    /// [`CaseNumberError`] with the text.
    pub fn new(text: &str) -> Result<Self, CaseNumberError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
        let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
        match (1..=64).contains(&text.len()) && text.chars().all(plain) && longest <= MOST_DIGITS {
            true => Ok(Self(text.to_owned())),
            false => Err(CaseNumberError { text: text.chars().take(80).collect() }),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for CaseNumber {
    type Err = CaseNumberError;

    fn from_str(text: &str) -> Result<Self, CaseNumberError> {
        Self::new(text)
    }
}

impl<'b, C> Decode<'b, C> for CaseNumber {
    fn decode(d: &mut minicbor::Decoder<'b>, _ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.str()?).map_err(minicbor::decode::Error::message)
    }
}

impl<'de> Deserialize<'de> for CaseNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

/// A regulator opens a case about lookups: from then on trustees may help to open their escrows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct CaseOpened {
    /// Its number.
    #[n(0)]
    pub case: CaseNumber,
    /// The lookups it is about.
    #[n(1)]
    pub intents: Vec<IntentId>,
    /// Digest of the order that the regulator holds; trustees ask to see it.
    #[n(2)]
    pub order: Digest,
}

/// A trustee's part in opening one escrow, sealed to the regulator that opened the case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct CaseShare {
    /// The case.
    #[n(0)]
    pub case: CaseNumber,
    /// The lookup.
    #[n(1)]
    pub intent: IntentId,
    /// Canonical bytes of the sealed partial opening.
    #[n(2)]
    pub sealed: Package,
}

/// What opening an escrow showed. Names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// The subject is the one the regulator had in mind.
    #[n(0)]
    Confirmed,
    /// It is another.
    #[n(1)]
    Excluded,
    /// The escrow opens to no subject that fits its commitment: the consumer has cheated.
    #[n(2)]
    Mismatch,
}

/// The regulator's record of an opening.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct CaseResult {
    /// The case.
    #[n(0)]
    pub case: CaseNumber,
    /// The lookup.
    #[n(1)]
    pub intent: IntentId,
    /// What it showed.
    #[n(2)]
    pub outcome: CaseOutcome,
}

/// One lookup of a case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct CaseItem {
    /// The lookup.
    #[n(0)]
    pub intent: IntentId,
    /// Trustees that have helped, with their sealed parts, in the order they came.
    #[n(1)]
    pub shares: Vec<(MemberId, Package)>,
    /// What it showed.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<CaseOutcome>,
}

/// A case as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Case {
    /// Its number.
    #[n(0)]
    pub number: CaseNumber,
    /// The regulator that opened it.
    #[n(1)]
    pub regulator: MemberId,
    /// Digest of the order.
    #[n(2)]
    pub order: Digest,
    /// When, block time in milliseconds.
    #[n(3)]
    pub opened_ms: u64,
    /// The lookups.
    #[n(4)]
    pub items: Vec<CaseItem>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_numbers_name_nobody() {
        assert!(CaseNumber::new("JC-2026/0001").is_ok());
        for text in ["", "张三案", "case 1", "11010519491231002X-1", &"1".repeat(65)] {
            assert!(CaseNumber::new(text).is_err(), "{text}");
        }
    }
}
