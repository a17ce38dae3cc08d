//! Merkle trees and proofs of RFC 6962 section 2, over either hash function.

use covenant_canon::{Digest, HashAlgorithm, Hasher};

/// A complete subtree: `2^level` leaves starting at leaf `index << level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// Height above the leaves.
    pub level: u8,
    /// Position among the nodes of its level.
    pub index: u64,
}

/// `H(0x00 ‖ data)`.
pub fn leaf_hash(algorithm: HashAlgorithm, data: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(&[0]);
    hasher.update(data);
    hasher.finish()
}

/// `H(0x01 ‖ left ‖ right)`.
pub(crate) fn node_hash(algorithm: HashAlgorithm, left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(&[1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    hasher.finish()
}

/// Root over leaf hashes; the hash of nothing for an empty tree.
pub fn merkle_root(algorithm: HashAlgorithm, leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Hasher::new(algorithm).finish(),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
            node_hash(algorithm, &merkle_root(algorithm, left), &merkle_root(algorithm, right))
        }
    }
}

/// Largest power of two smaller than `size`, which is at least two.
fn split(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

/// The audit path of leaf `index` in a tree of `size` leaves (RFC 6962 section 2.1.1), bottom up. `node` yields the
/// hashes of complete subtrees.
///
/// # Errors
/// Whatever `node` returns.
pub fn inclusion_path<E>(
    algorithm: HashAlgorithm,
    index: u64,
    size: u64,
    node: &mut impl FnMut(NodeId) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    let (mut start, mut end, mut path) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        let sibling = if index < middle { (middle, end) } else { (start, middle) };
        path.push(range_root(algorithm, sibling.0, sibling.1, node)?);
        (start, end) = if index < middle { (start, middle) } else { (middle, end) };
    }
    path.reverse();
    Ok(path)
}

/// Root of the subtree over leaves `start..end`, which starts at a multiple of its own power of two.
fn range_root<E>(
    algorithm: HashAlgorithm,
    start: u64,
    end: u64,
    node: &mut impl FnMut(NodeId) -> Result<Digest, E>,
) -> Result<Digest, E> {
    let size = end - start;
    if size.is_power_of_two() {
        let level = size.trailing_zeros() as u8;
        return node(NodeId { level, index: start >> level });
    }
    let middle = start + split(size);
    let left = range_root(algorithm, start, middle, node)?;
    let right = range_root(algorithm, middle, end, node)?;
    Ok(node_hash(algorithm, &left, &right))
}

/// The proof that the tree of `new` leaves extends the one of `old` leaves (RFC 6962 section 2.1.2); empty when `old`
/// is zero or equals `new`.
///
/// # Errors
/// Whatever `node` returns.
pub fn consistency_path<E>(
    algorithm: HashAlgorithm,
    old: u64,
    new: u64,
    node: &mut impl FnMut(NodeId) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    if old == 0 || old >= new {
        return Ok(Vec::new());
    }
    let (mut start, mut end, mut path) = (0, new, Vec::new());
    // Whether the current subtree's left edge has been complete in the old tree all the way down.
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(range_root(algorithm, middle, end, node)?);
            end = middle;
        } else {
            path.push(range_root(algorithm, start, middle, node)?);
            start = middle;
        }
        if end == old {
            break;
        }
    }
    if start != 0 {
        path.push(range_root(algorithm, start, end, node)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks an audit path (RFC 9162 section 2.1.3.2).
pub fn verify_inclusion(
    algorithm: HashAlgorithm,
    leaf: &Digest,
    index: u64,
    size: u64,
    path: &[Digest],
    root: &Digest,
) -> bool {
    if index >= size {
        return false;
    }
    let (mut position, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            hash = node_hash(algorithm, sibling, &hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(algorithm, &hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && &hash == root
}

/// Checks a consistency proof (RFC 9162 section 2.1.4.2).
pub fn verify_consistency(
    algorithm: HashAlgorithm,
    old: u64,
    new: u64,
    path: &[Digest],
    old_root: &Digest,
    new_root: &Digest,
) -> bool {
    if old == new {
        return path.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return path.is_empty();
    }
    if old > new {
        return false;
    }
    let mut rest = path.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { rest.next() };
    let Some(first) = first else { return false };
    let (mut position, mut last) = (old - 1, new - 1);
    while position & 1 == 1 {
        position >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            old_hash = node_hash(algorithm, sibling, &old_hash);
            new_hash = node_hash(algorithm, sibling, &new_hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(algorithm, &new_hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && &old_hash == old_root && &new_hash == new_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    const SHA: HashAlgorithm = HashAlgorithm::Sha256;

    fn leaves(count: u64) -> Vec<Digest> {
        (0..count).map(|i| leaf_hash(SHA, &i.to_be_bytes())).collect()
    }

    fn nodes(leaves: &[Digest]) -> impl FnMut(NodeId) -> Result<Digest, Infallible> + '_ {
        |id| {
            let start = (id.index << id.level) as usize;
            Ok(merkle_root(SHA, &leaves[start..start + (1 << id.level)]))
        }
    }

    #[test]
    fn published_roots() {
        // Test vectors of certificate-transparency, reference tree of RFC 6962.
        let data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let hashes: Vec<_> = data.iter().map(|d| leaf_hash(SHA, &hex::decode(d).unwrap())).collect();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(merkle_root(SHA, &[]).to_string(), empty);
        let one = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(merkle_root(SHA, &hashes[..1]).to_string(), one);
        let eight = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
        assert_eq!(merkle_root(SHA, &hashes).to_string(), eight);
    }

    #[test]
    fn every_inclusion_proof_up_to_40_leaves() {
        let all = leaves(40);
        for size in 1..=40u64 {
            let now = &all[..size as usize];
            let root = merkle_root(SHA, now);
            for index in 0..size {
                let path = inclusion_path(SHA, index, size, &mut nodes(now)).unwrap();
                assert!(verify_inclusion(SHA, &now[index as usize], index, size, &path, &root));
                assert!(!verify_inclusion(SHA, &now[index as usize], index + 1, size, &path, &root));
                let mut long = path.clone();
                long.push(root);
                assert!(!verify_inclusion(SHA, &now[index as usize], index, size, &long, &root));
                if let Some((_, short)) = path.split_last() {
                    assert!(!verify_inclusion(SHA, &now[index as usize], index, size, short, &root));
                }
            }
        }
    }

    #[test]
    fn every_consistency_proof_up_to_24_leaves() {
        let all = leaves(24);
        for new in 1..=24u64 {
            let new_root = merkle_root(SHA, &all[..new as usize]);
            for old in 1..=new {
                let old_root = merkle_root(SHA, &all[..old as usize]);
                let path = consistency_path(SHA, old, new, &mut nodes(&all[..new as usize])).unwrap();
                assert!(verify_consistency(SHA, old, new, &path, &old_root, &new_root), "{old} {new}");
                assert!(!verify_consistency(SHA, old, new, &path, &new_root, &old_root) || old == new);
                for i in 0..path.len() {
                    let mut bad = path.clone();
                    bad[i] = Digest::ZERO;
                    assert!(!verify_consistency(SHA, old, new, &bad, &old_root, &new_root));
                }
            }
        }
    }
}
