//! The register of digest and signature labels.

/// The purpose of a digest, signature or key derivation. Constructed only here, so that two purposes never share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label(&'static str);

impl Label {
    /// Genesis document of a consortium.
    pub const GENESIS: Self = Self("covenant/v1/genesis");
    /// Block header; its digest is the block id that validators vote on.
    pub const BLOCK: Self = Self("covenant/v1/block");
    /// Batches of a block and the entries its execution derived.
    pub const PAYLOAD: Self = Self("covenant/v1/payload");
    /// Merkle root over a member's batch of entries, signed.
    pub const BATCH: Self = Self("covenant/v1/batch");
    /// A validator's vote.
    pub const VOTE: Self = Self("covenant/v1/vote");
    /// A validator's proposal.
    pub const PROPOSAL: Self = Self("covenant/v1/proposal");
    /// Key of the state tree.
    pub const STATE_KEY: Self = Self("covenant/v1/state-key");
    /// Leaf of the state tree.
    pub const STATE_LEAF: Self = Self("covenant/v1/state-leaf");
    /// Inner node of the state tree.
    pub const STATE_NODE: Self = Self("covenant/v1/state-node");
    /// A holder's rule book.
    pub const POLICY: Self = Self("covenant/v1/policy");
    /// A grant, signed by both parties.
    pub const GRANT: Self = Self("covenant/v1/grant");
    /// Sealed input of a query; the query digest of the permit covers it.
    pub const QUERY_INPUT: Self = Self("covenant/v1/query-input");
    /// An intent as the permit names it.
    pub const INTENT: Self = Self("covenant/v1/intent");
    /// A permit as the completion names it.
    pub const PERMIT: Self = Self("covenant/v1/permit");
    /// Sealed answer; the completion carries this digest.
    pub const ANSWER: Self = Self("covenant/v1/answer");
    /// Per-field salted commitment of an answer.
    pub const FIELD: Self = Self("covenant/v1/field");
    /// Salted commitment to a delivered document.
    pub const DOCUMENT: Self = Self("covenant/v1/document");
    /// Request signature of a caller at the gateway.
    pub const REQUEST: Self = Self("covenant/v1/request");
    /// Sealing of a query's input to its holder.
    pub const SEAL_INPUT: Self = Self("covenant/v1/seal/input");
    /// Sealing of an answer to its consumer.
    pub const SEAL_ANSWER: Self = Self("covenant/v1/seal/answer");
    /// Sealing of a consent's opening to its consumer.
    pub const SEAL_CONSENT: Self = Self("covenant/v1/seal/consent");
    /// Encryption of a key file under a passphrase.
    pub const KEY_FILE: Self = Self("covenant/v1/key-file");
    /// Subject identifiers mapped to the group (protocols.md, P(id)).
    pub const SUBJECT: Self = Self("covenant/v1/subject");
    /// Second base H of commitments.
    pub const BASE_H: Self = Self("covenant/v1/base-h");

    /// The registered text.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The registered text as bytes.
    pub fn as_bytes(self) -> &'static [u8] {
        self.0.as_bytes()
    }
}
