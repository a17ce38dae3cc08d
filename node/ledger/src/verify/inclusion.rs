//! Whether an entry is a leaf of the log that a block names.

use covenant_canon::{HashAlgorithm, to_bytes};

use crate::merkle::{leaf_hash, verify_inclusion};
use crate::{Anchor, LeafProof};

pub(super) fn included(leaf: &LeafProof, anchor: &Anchor) -> bool {
    let bytes = to_bytes(&leaf.entry);
    let log = &anchor.header.log;
    [(HashAlgorithm::Sm3, &leaf.path_sm3), (HashAlgorithm::Sha256, &leaf.path_sha256)].into_iter().all(
        |(algorithm, path)| {
            verify_inclusion(algorithm, &leaf_hash(algorithm, &bytes), leaf.index, log.size, path, log.of(algorithm))
        },
    )
}

/// A derived entry has no author: nobody could have submitted it. It bears the time of the block that derived it, so a
/// later block does not pass for that one.
pub(super) fn included_derived(leaf: &LeafProof, anchor: &Anchor) -> bool {
    let derived = leaf.entry.author.is_none() && leaf.entry.body.is_derived();
    derived && leaf.entry.made_ms == anchor.header.time_ms && included(leaf, anchor)
}
