//! What a proof is bound to.
//!
//! INVARIANT every proof of a query hashes the canonical bytes of its [`Context`] into its challenge, preceded by the
//! label of its statement. The fields have no defaults: a proof that is not bound to its query does not compile, and a
//! proof made for one query, statement or version verifies for no other.

use covenant_canon::{Digest, Label, to_bytes};
use minicbor::Encode;

/// Layout of the statements below; a change of any relation raises it.
pub(crate) const STATEMENTS: u32 = 1;

/// The query that a proof belongs to. Both sides fill it from the intent on the ledger.
///
/// ```compile_fail,E0063
/// # use covenant_canon::{Digest, Label};
/// let unbound = covenant_sigma::Context {
///     protocol: Label::PROTOCOL_LOOKUP,
///     version: 1,
///     consortium: Digest::ZERO,
///     holder: "civil-affairs".into(),
///     consumer: "bank".into(),
///     dataset: "marriages".into(),
///     epoch: 7,
///     policy: Digest::ZERO,
///     // no intent
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Protocol that the proof is a step of, such as [`Label::PROTOCOL_LOOKUP`].
    pub protocol: Label,
    /// Version of the protocol.
    pub version: u32,
    /// Digest of the consortium's genesis document.
    pub consortium: Digest,
    /// Id of the intent.
    pub intent: [u8; 16],
    /// Member that holds the dataset.
    pub holder: String,
    /// Member that asks.
    pub consumer: String,
    /// Dataset that is asked of.
    pub dataset: String,
    /// Epoch of the dataset.
    pub epoch: u32,
    /// Digest of the holder's rule book in force.
    pub policy: Digest,
}

/// What an epoch key belongs to; there is no query yet when it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochScope {
    /// Digest of the consortium's genesis document.
    pub consortium: Digest,
    /// Member that holds the dataset and the key.
    pub holder: String,
    /// Dataset that the key serves.
    pub dataset: String,
    /// Epoch that the key serves.
    pub epoch: u32,
}

#[derive(Encode)]
#[cbor(map)]
struct ContextWire<'a> {
    #[n(0)]
    protocol: &'a str,
    #[n(1)]
    version: u32,
    #[n(2)]
    consortium: Digest,
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    intent: [u8; 16],
    #[n(4)]
    holder: &'a str,
    #[n(5)]
    consumer: &'a str,
    #[n(6)]
    dataset: &'a str,
    #[n(7)]
    epoch: u32,
    #[n(8)]
    policy: Digest,
}

#[derive(Encode)]
#[cbor(map)]
struct EpochScopeWire<'a> {
    #[n(0)]
    consortium: Digest,
    #[n(1)]
    holder: &'a str,
    #[n(2)]
    dataset: &'a str,
    #[n(3)]
    epoch: u32,
}

impl Context {
    /// The canonical bytes that every proof of the query is bound to.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&ContextWire {
            protocol: self.protocol.as_str(),
            version: self.version,
            consortium: self.consortium,
            intent: self.intent,
            holder: &self.holder,
            consumer: &self.consumer,
            dataset: &self.dataset,
            epoch: self.epoch,
            policy: self.policy,
        })
    }

    pub(crate) fn session(&self, statement: Label) -> Session {
        Session::new(statement, &self.to_bytes())
    }
}

impl EpochScope {
    /// The canonical bytes that a proof of possession is bound to.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&EpochScopeWire {
            consortium: self.consortium,
            holder: &self.holder,
            dataset: &self.dataset,
            epoch: self.epoch,
        })
    }

    pub(crate) fn session(&self, statement: Label) -> Session {
        Session::new(statement, &self.to_bytes())
    }
}

/// Session identifier of one proof: `len(label) ‖ label ‖ version ‖ bytes`, injective since only the bytes vary in length.
pub(crate) struct Session(Vec<u8>);

impl Session {
    pub(crate) fn new(statement: Label, bytes: &[u8]) -> Self {
        let label = statement.as_bytes();
        let mut out = Vec::with_capacity(label.len() + bytes.len() + 5);
        out.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(label);
        out.extend_from_slice(&STATEMENTS.to_be_bytes());
        out.extend_from_slice(bytes);
        Self(out)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
