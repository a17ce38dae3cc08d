//! Validators that contradict themselves.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::MemberId;

/// One of two contradicting statements.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct SignedStatement {
    /// The canonical bytes that were signed: a vote's or a proposal's.
    #[cbor(n(0), with = "minicbor::bytes")]
    #[serde(with = "hex")]
    pub message: Vec<u8>,
    /// The signature.
    #[cbor(n(1), with = "minicbor::bytes")]
    #[serde(with = "hex")]
    pub signature: Vec<u8>,
}

/// Two statements of one validator of one height and round that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Equivocation {
    /// Who contradicted itself.
    #[n(0)]
    pub validator: MemberId,
    /// At which height.
    #[n(1)]
    pub height: u64,
    /// One statement.
    #[n(2)]
    pub first: SignedStatement,
    /// The other.
    #[n(3)]
    pub second: SignedStatement,
}
