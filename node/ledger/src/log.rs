//! The growing end of the log: tiles of 256 hashes (C2SP `tlog-tiles`) in both profiles.

use covenant_canon::{Digest, HashAlgorithm};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::merkle::{leaf_hash, merkle_root, node_hash};

/// Hashes per full tile.
pub const TILE: usize = 256;

/// Roots of the log at one size, in the legal profile (SM3) and the C2SP profile (SHA-256).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Roots {
    /// Number of leaves.
    #[n(0)]
    pub size: u64,
    /// Root of the SM3 tree.
    #[n(1)]
    pub sm3: Digest,
    /// Root of the SHA-256 tree.
    #[n(2)]
    pub sha256: Digest,
}

impl Roots {
    /// The root in a profile.
    pub fn of(&self, algorithm: HashAlgorithm) -> &Digest {
        match algorithm {
            HashAlgorithm::Sm3 => &self.sm3,
            HashAlgorithm::Sha256 => &self.sha256,
        }
    }
}

/// A tile as it is stored: level in tiles (a hash at level `l` covers `256^l` leaves), position, its hashes so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Hash function.
    pub algorithm: HashAlgorithm,
    /// Level, counted in tiles.
    pub level: u8,
    /// Position in the level.
    pub index: u64,
    /// One to 256 hashes.
    pub hashes: Vec<Digest>,
}

/// The unfinished tiles of every level: enough to append and to compute the roots.
#[derive(Debug, Clone)]
pub struct LogTail {
    size: u64,
    trees: [Tree; 2],
}

#[derive(Debug, Clone)]
struct Tree {
    algorithm: HashAlgorithm,
    /// Per level: number of full tiles before the tail, and the tail's hashes.
    levels: Vec<(u64, Vec<Digest>)>,
}

impl Default for LogTail {
    fn default() -> Self {
        let tree = |algorithm| Tree { algorithm, levels: Vec::new() };
        Self { size: 0, trees: [tree(HashAlgorithm::Sm3), tree(HashAlgorithm::Sha256)] }
    }
}

impl LogTail {
    /// Rebuilds the tail from the newest stored tile of each level and profile.
    pub fn restore(size: u64, newest: Vec<Tile>) -> Self {
        let mut tail = Self { size, ..Self::default() };
        for tree in &mut tail.trees {
            let mut tiles: Vec<_> = newest.iter().filter(|t| t.algorithm == tree.algorithm).collect();
            tiles.sort_by_key(|t| t.level);
            tree.levels = tiles
                .iter()
                .map(|t| match t.hashes.len() {
                    TILE => (t.index + 1, Vec::new()),
                    _ => (t.index, t.hashes.clone()),
                })
                .collect();
        }
        tail
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends leaves and returns the tiles that changed, newest content.
    pub fn append(&mut self, leaves: &[&[u8]]) -> Vec<Tile> {
        self.append_known(leaves, None)
    }

    /// As [`LogTail::append`], with the leaf hashes in one profile at hand.
    pub fn append_known(&mut self, leaves: &[&[u8]], known: Option<(HashAlgorithm, &[Digest])>) -> Vec<Tile> {
        self.size += leaves.len() as u64;
        let mut changed = Vec::new();
        for tree in &mut self.trees {
            match known {
                Some((algorithm, hashes)) if algorithm == tree.algorithm && hashes.len() == leaves.len() => {
                    tree.append(hashes.iter().copied(), &mut changed);
                }
                _ => {
                    let algorithm = tree.algorithm;
                    tree.append(leaves.iter().map(|l| leaf_hash(algorithm, l)), &mut changed);
                }
            }
        }
        changed
    }

    /// The roots at the current size.
    pub fn roots(&self) -> Roots {
        let [sm3, sha256] = &self.trees;
        Roots { size: self.size, sm3: sm3.root(), sha256: sha256.root() }
    }
}

impl Tree {
    fn append(&mut self, leaves: impl ExactSizeIterator<Item = Digest>, changed: &mut Vec<Tile>) {
        let grows = leaves.len() > 0;
        for leaf in leaves {
            let mut carry = Some(leaf);
            let mut level = 0;
            while let Some(hash) = carry.take() {
                if self.levels.len() == level {
                    self.levels.push((0, Vec::with_capacity(TILE)));
                }
                let Some((full, tail)) = self.levels.get_mut(level) else { break };
                tail.push(hash);
                if tail.len() == TILE {
                    carry = Some(merkle_root(self.algorithm, tail));
                    let hashes = std::mem::replace(tail, Vec::with_capacity(TILE));
                    changed.push(Tile { algorithm: self.algorithm, level: level as u8, index: *full, hashes });
                    *full += 1;
                }
                level += 1;
            }
        }
        for (level, (full, tail)) in (0u8..).zip(&self.levels) {
            if !tail.is_empty() && grows {
                changed.push(Tile { algorithm: self.algorithm, level, index: *full, hashes: tail.clone() });
            }
        }
    }

    /// Folds the complete subtrees from the smallest to the largest.
    fn root(&self) -> Digest {
        let mut acc: Option<Digest> = None;
        for (_, tail) in &self.levels {
            let mut end = tail.len();
            while end > 0 {
                let run = 1usize << end.trailing_zeros();
                let subtree = merkle_root(self.algorithm, tail.get(end - run..end).unwrap_or_default());
                acc = Some(match acc {
                    Some(right) => node_hash(self.algorithm, &subtree, &right),
                    None => subtree,
                });
                end -= run;
            }
        }
        acc.unwrap_or_else(|| merkle_root(self.algorithm, &[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_equal_the_plain_tree_across_tile_borders() {
        let data: Vec<Vec<u8>> = (0..70_000u32).map(|i| i.to_be_bytes().to_vec()).collect();
        let mut tail = LogTail::default();
        let mut done = 0;
        for size in [1usize, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 70_000] {
            let new: Vec<&[u8]> = data[done..size].iter().map(Vec::as_slice).collect();
            tail.append(&new);
            done = size;
            let hashes: Vec<_> = data[..size].iter().map(|d| leaf_hash(HashAlgorithm::Sha256, d)).collect();
            assert_eq!(tail.roots().sha256, merkle_root(HashAlgorithm::Sha256, &hashes), "{size}");
        }
    }

    #[test]
    fn a_restored_tail_goes_on() {
        let data: Vec<Vec<u8>> = (0..1_000u32).map(|i| i.to_be_bytes().to_vec()).collect();
        let all: Vec<&[u8]> = data.iter().map(Vec::as_slice).collect();
        let (mut straight, mut stored) = (LogTail::default(), std::collections::BTreeMap::new());
        straight.append(&all);
        let mut tail = LogTail::default();
        for chunk in all.chunks(64) {
            for tile in tail.append(chunk) {
                stored.insert((tile.algorithm, tile.level), tile);
            }
            tail = LogTail::restore(tail.size(), stored.values().cloned().collect());
        }
        assert_eq!(tail.roots(), straight.roots());
    }
}
