//! Entries under one member signature.

use std::sync::Arc;

use covenant_canon::{CanonError, Digest, Label, SuiteId, from_bytes, to_bytes};
use covenant_domain::{Body, Entry, MemberId};
use covenant_suite::{PreparedKey, Signature, SigningKey, SuiteError, suite};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::merkle::{NodeId, inclusion_path, leaf_hash, merkle_root, verify_inclusion};

/// Most entries under one signature.
pub const MAX_BATCH: usize = 512;

/// Entries of one member, signed once over the Merkle root of their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedBatch {
    /// Who signed.
    #[n(0)]
    pub author: MemberId,
    /// Canonical bytes of each [`Entry`].
    #[n(1)]
    pub entries: Vec<ByteVec>,
    /// Signature over the root.
    #[n(2)]
    pub signature: Signature,
}

/// Why a batch is refused.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// No entries, or too many.
    #[error("batch of `{author}` has {count} entries: 1 to {MAX_BATCH} are allowed")]
    Count {
        /// The author.
        author: MemberId,
        /// Entries found.
        count: usize,
    },
    /// An entry is not canonical.
    #[error("entry {index} of a batch of `{author}` cannot be read")]
    Entry {
        /// The author.
        author: MemberId,
        /// Position in the batch.
        index: usize,
        /// What is wrong with the bytes.
        #[source]
        source: CanonError,
    },
    /// An entry names another author, or is of a kind that only execution makes.
    #[error("entry {index} of a batch of `{author}` is not that member's to submit")]
    NotOwn {
        /// The author.
        author: MemberId,
        /// Position in the batch.
        index: usize,
    },
    /// The signature does not verify.
    #[error("signature of a batch of `{author}` does not verify")]
    Signature {
        /// The author.
        author: MemberId,
        /// The suite's word.
        #[source]
        source: SuiteError,
    },
}

/// The bytes a member signs for a batch: bound to the consortium, the author and the number of entries.
fn signed_bytes(consortium: &Digest, author: &MemberId, count: u64, root: &Digest) -> Vec<u8> {
    #[derive(Encode)]
    #[cbor(map)]
    struct Signed<'a> {
        #[n(0)]
        consortium: &'a Digest,
        #[n(1)]
        author: &'a MemberId,
        #[n(2)]
        count: u64,
        #[n(3)]
        root: &'a Digest,
    }
    to_bytes(&Signed { consortium, author, count, root })
}

impl SignedBatch {
    /// Signs entries. All must be the author's own.
    ///
    /// # Errors
    /// [`BatchError::Count`], [`BatchError::NotOwn`], or [`BatchError::Signature`] when signing fails.
    pub fn sign(
        consortium: &Digest,
        author: &MemberId,
        entries: &[Entry],
        key: &SigningKey,
    ) -> Result<Self, BatchError> {
        check_count(author, entries.len())?;
        check_own(author, entries)?;
        let entries: Vec<ByteVec> = entries.iter().map(|e| to_bytes(e).into()).collect();
        let root = root(key.suite(), &entries);
        let message = signed_bytes(consortium, author, entries.len() as u64, &root);
        let signature = suite(key.suite())
            .sign(key, Label::BATCH, &message)
            .map_err(|source| BatchError::Signature { author: author.clone(), source })?;
        Ok(Self { author: author.clone(), entries, signature })
    }

    /// Names the batch; equal for equal content and signature.
    pub fn id(&self, suite: SuiteId) -> Digest {
        self.id_of(suite, &root(suite, &self.entries))
    }

    fn id_of(&self, suite: SuiteId, root: &Digest) -> Digest {
        Digest::of_parts(
            suite,
            Label::BATCH,
            &[self.author.as_str().as_bytes(), root.as_bytes(), self.signature.as_bytes()],
        )
    }

    /// Decodes every entry and verifies the signature; after this nothing of the batch is decoded again.
    ///
    /// # Errors
    /// [`BatchError`] naming the entry at fault.
    pub fn check(self, consortium: &Digest, key: &PreparedKey) -> Result<CheckedBatch, BatchError> {
        let author = &self.author;
        check_count(author, self.entries.len())?;
        let decode = |(index, bytes): (usize, &ByteVec)| {
            from_bytes::<Entry>(bytes).map_err(|source| BatchError::Entry { author: author.clone(), index, source })
        };
        let entries = self.entries.iter().enumerate().map(decode).collect::<Result<Vec<_>, _>>()?;
        check_own(author, &entries)?;
        let suite = self.signature.suite();
        let ids: Vec<Digest> = self.entries.iter().map(|e| entry_id(suite, e)).collect();
        let root = merkle_root(suite.hash(), &ids);
        let message = signed_bytes(consortium, author, entries.len() as u64, &root);
        key.verify(Label::BATCH, &message, &self.signature)
            .map_err(|source| BatchError::Signature { author: author.clone(), source })?;
        let id = self.id_of(suite, &root);
        Ok(CheckedBatch(Arc::new(Checked { id, batch: self, entries, ids })))
    }

    /// Proof that entry `index` is covered by this batch's signature.
    pub fn proof(&self, index: usize) -> BatchProof {
        let suite = self.signature.suite();
        let leaves: Vec<_> = self.entries.iter().map(|e| leaf_hash(suite.hash(), e)).collect();
        let mut node = |id: NodeId| {
            let start = (id.index << id.level) as usize;
            let covered = leaves.get(start..start + (1 << id.level)).unwrap_or_default();
            Ok::<_, std::convert::Infallible>(merkle_root(suite.hash(), covered))
        };
        let path = match inclusion_path(suite.hash(), index as u64, leaves.len() as u64, &mut node) {
            Ok(path) => path,
            Err(never) => match never {},
        };
        BatchProof { index: index as u64, count: leaves.len() as u64, path, signature: self.signature.clone() }
    }
}

fn check_count(author: &MemberId, count: usize) -> Result<(), BatchError> {
    if (1..=MAX_BATCH).contains(&count) { Ok(()) } else { Err(BatchError::Count { author: author.clone(), count }) }
}

fn check_own(author: &MemberId, entries: &[Entry]) -> Result<(), BatchError> {
    let foreign = |e: &Entry| {
        let wrong_consumer = matches!(&e.body, Body::Intent(intent) if &intent.consumer != author);
        e.author.as_ref() != Some(author) || e.body.is_derived() || wrong_consumer
    };
    match entries.iter().position(foreign) {
        Some(index) => Err(BatchError::NotOwn { author: author.clone(), index }),
        None => Ok(()),
    }
}

/// The id of an entry, under which it is recorded at most once: its leaf hash in the suite's profile of the log.
pub fn entry_id(suite: SuiteId, entry: &[u8]) -> Digest {
    leaf_hash(suite.hash(), entry)
}

fn root(suite: SuiteId, entries: &[ByteVec]) -> Digest {
    let leaves: Vec<_> = entries.iter().map(|e| entry_id(suite, e)).collect();
    merkle_root(suite.hash(), &leaves)
}

/// A batch whose signature and entries were checked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CheckedBatch(Arc<Checked>);

#[derive(Debug)]
struct Checked {
    id: Digest,
    batch: SignedBatch,
    entries: Vec<Entry>,
    ids: Vec<Digest>,
}

impl CheckedBatch {
    /// Names the batch.
    pub fn id(&self) -> Digest {
        self.0.id
    }

    /// The batch as signed.
    pub fn batch(&self) -> &SignedBatch {
        &self.0.batch
    }

    /// Its entries, decoded.
    pub fn entries(&self) -> &[Entry] {
        &self.0.entries
    }

    /// The [`entry_id`] of each entry.
    pub fn ids(&self) -> &[Digest] {
        &self.0.ids
    }

    /// Size of all entries in bytes.
    pub fn size(&self) -> usize {
        self.0.batch.entries.iter().map(|e| e.len() + 8).sum::<usize>() + 200
    }
}

/// Proof that one entry is covered by its author's batch signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct BatchProof {
    /// Position in the batch.
    #[n(0)]
    pub index: u64,
    /// Entries in the batch.
    #[n(1)]
    pub count: u64,
    /// Audit path to the signed root.
    #[n(2)]
    pub path: Vec<Digest>,
    /// The author's signature over the root.
    #[n(3)]
    pub signature: Signature,
}

impl BatchProof {
    /// Whether the author signed a batch that holds these entry bytes at this position.
    pub fn verify(&self, consortium: &Digest, author: &MemberId, entry: &[u8], key: &PreparedKey) -> bool {
        let hash = self.signature.suite().hash();
        // The root is not stored: it is computed from the leaf, so path and signature fail together.
        let Some(root) = root_from_path(hash, &leaf_hash(hash, entry), self.index, self.count, &self.path) else {
            return false;
        };
        let message = signed_bytes(consortium, author, self.count, &root);
        key.verify(Label::BATCH, &message, &self.signature).is_ok()
    }
}

fn root_from_path(
    hash: covenant_canon::HashAlgorithm,
    leaf: &Digest,
    index: u64,
    size: u64,
    path: &[Digest],
) -> Option<Digest> {
    if index >= size || size > MAX_BATCH as u64 {
        return None;
    }
    // Replays the recursion of the path from the top, then folds upwards.
    let (mut start, mut end, mut left_turns) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + (1 << (63 - (end - start - 1).leading_zeros()));
        left_turns.push(index < middle);
        (start, end) = if index < middle { (start, middle) } else { (middle, end) };
    }
    if left_turns.len() != path.len() {
        return None;
    }
    let mut acc = *leaf;
    for (is_left, sibling) in left_turns.iter().rev().zip(path) {
        acc = if *is_left {
            crate::merkle::node_hash(hash, &acc, sibling)
        } else {
            crate::merkle::node_hash(hash, sibling, &acc)
        };
    }
    debug_assert!(verify_inclusion(hash, leaf, index, size, path, &acc));
    Some(acc)
}
