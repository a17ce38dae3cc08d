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
    /// Text of a notice, shown to a subject before it agrees.
    pub const NOTICE: Self = Self("covenant/v1/notice");
    /// A consumer's signed request for a consent.
    pub const CONSENT_REQUEST: Self = Self("covenant/v1/consent-request");
    /// Sealing of a consent request's subject to the authorisation service.
    pub const SEAL_SUBJECT: Self = Self("covenant/v1/seal/subject");
    /// Sealing of what names somebody in the authorisation service's own database.
    pub const AUTHORITY_VAULT: Self = Self("covenant/v1/authority/vault");
    /// Keyed digests by which that database finds people, sessions and logins.
    pub const AUTHORITY_INDEX: Self = Self("covenant/v1/authority/index");
    /// Evidence that somebody may speak for a subject, salted.
    pub const REPRESENTATION: Self = Self("covenant/v1/representation");
    /// Attestation that what was learned under a grant is deleted.
    pub const DELETION: Self = Self("covenant/v1/deletion");
    /// Grounds of a dispute, salted.
    pub const GROUNDS: Self = Self("covenant/v1/grounds");
    /// Record of a right, salted.
    pub const RIGHT: Self = Self("covenant/v1/right");
    /// Roster of members; a block header names the one that follows it.
    pub const ROSTER: Self = Self("covenant/v1/roster");
    /// Possession of a new key.
    pub const NEW_KEYS: Self = Self("covenant/v1/new-keys");
    /// An act of administration, signed by a second officer.
    pub const COUNTERSIGNED: Self = Self("covenant/v1/countersigned");
    /// A review of a rule book.
    pub const REVIEW: Self = Self("covenant/v1/review");
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
    /// The `lookup` protocol, as the context of a proof names it (protocols.md section 2).
    pub const PROTOCOL_LOOKUP: Self = Self("covenant/v1/protocol/lookup");
    /// The `list_match` protocol, as the context of a proof names it (protocols.md section 3).
    pub const PROTOCOL_LIST_MATCH: Self = Self("covenant/v1/protocol/list-match");
    /// Proof that a blinded element and an escrow hold the subject of a commitment.
    pub const PROOF_CLAIM: Self = Self("covenant/v1/proof/claim");
    /// Proof that an element was evaluated under a published key.
    pub const PROOF_EVALUATION: Self = Self("covenant/v1/proof/evaluation");
    /// Proof of possession of an epoch key.
    pub const PROOF_POSSESSION: Self = Self("covenant/v1/proof/possession");
    /// Proof that two commitments hold one subject.
    pub const PROOF_EQUALITY: Self = Self("covenant/v1/proof/equality");
    /// Proof of a regulator's share in the opening of an escrow.
    pub const PROOF_PARTIAL_OPENING: Self = Self("covenant/v1/proof/partial-opening");
    /// Coefficients by which many proofs are verified at once.
    pub const PROOF_BATCH: Self = Self("covenant/v1/proof/batch");
    /// Output of an oblivious evaluation, from which the tag and key of a row are derived.
    pub const ROW_SECRET: Self = Self("covenant/v1/row-secret");
    /// Sealing of a row under its key.
    pub const SEAL_ROW: Self = Self("covenant/v1/seal/row");

    /// Matrix of sealed rows of a private lookup.
    pub const LOOKUP_MATRIX: Self = Self("covenant/v1/lookup/matrix");
    /// Hint of a private lookup.
    pub const LOOKUP_HINT: Self = Self("covenant/v1/lookup/hint");
    /// Locator of a private lookup.
    pub const LOOKUP_LOCATOR: Self = Self("covenant/v1/lookup/locator");
    /// Description of a table of private lookup.
    pub const LOOKUP_TABLE: Self = Self("covenant/v1/lookup/table");
    /// Name of a dataset's folder of epochs at its holder.
    pub const LOOKUP_FOLDER: Self = Self("covenant/v1/lookup/folder");
    /// Evaluation of a lookup.
    pub const LOOKUP_EVALUATION: Self = Self("covenant/v1/lookup/evaluation");
    /// Keyed fingerprint of a row's content, by which same-day changes are found.
    pub const LOOKUP_FINGERPRINT: Self = Self("covenant/v1/lookup/fingerprint");
    /// Encrypted question of a lookup, signed by its consumer.
    pub const LOOKUP_RETRIEVAL: Self = Self("covenant/v1/lookup/retrieval");
    /// What a retrieval gave, before sealing.
    pub const LOOKUP_RETRIEVED: Self = Self("covenant/v1/lookup/retrieved");
    /// Public key of a ceremony with its verifying shares.
    pub const ESCROW_GROUP: Self = Self("covenant/v1/escrow/group");
    /// Sealing of a ceremony's share to a trustee.
    pub const SEAL_SHARE: Self = Self("covenant/v1/seal/share");
    /// Sealing of a trustee's part in opening an escrow to the regulator.
    pub const SEAL_OPENING: Self = Self("covenant/v1/seal/opening");
    /// Sealing of an epoch's key to the holder itself, at rest.
    pub const SEAL_EPOCH: Self = Self("covenant/v1/seal/epoch");
    /// An order to open a case, which the regulator holds.
    pub const CASE_ORDER: Self = Self("covenant/v1/case/order");

    /// The registered text.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The registered text as bytes.
    pub fn as_bytes(self) -> &'static [u8] {
        self.0.as_bytes()
    }
}
