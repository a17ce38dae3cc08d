//! The state digest: a Merkle tree over all objects, brought up to date by what changed.
//!
//! Objects fall by the digest of their key into 65 536 buckets; a bucket's hash covers its leaves in key order and a
//! binary tree covers the buckets. A change costs one bucket and sixteen nodes, many changes share the upper ones.

use std::collections::{BTreeMap, BTreeSet};

use covenant_canon::{Digest, Label, SuiteId};

use crate::Row;

const LEVELS: usize = 16;

#[derive(Clone)]
pub(crate) struct StateTree {
    suite: SuiteId,
    buckets: BTreeMap<u16, BTreeMap<Digest, Digest>>,
    /// Nodes that differ from the empty tree, by level (0 is the buckets) and index.
    nodes: BTreeMap<(u8, u16), Digest>,
    /// Hash of an empty subtree per level.
    empty: Vec<Digest>,
}

impl StateTree {
    pub(crate) fn new(suite: SuiteId) -> Self {
        let mut empty = vec![Digest::of(suite, Label::STATE_LEAF, b"")];
        for _ in 0..LEVELS {
            let below = empty.last().copied().unwrap_or_default();
            empty.push(pair(suite, &below, &below));
        }
        Self { suite, buckets: BTreeMap::new(), nodes: BTreeMap::new(), empty }
    }

    pub(crate) fn root(&self) -> Digest {
        self.node(LEVELS as u8, 0)
    }

    pub(crate) fn update(&mut self, rows: &[Row]) {
        let mut touched = BTreeSet::new();
        for row in rows {
            let key = Digest::of(self.suite, Label::STATE_KEY, &row.key);
            let [high, low, ..] = *key.as_bytes();
            let at = u16::from_be_bytes([high, low]);
            let bucket = self.buckets.entry(at).or_default();
            match &row.value {
                Some(value) => {
                    bucket.insert(key, Digest::of_parts(self.suite, Label::STATE_LEAF, &[&row.key, value]));
                }
                None => {
                    bucket.remove(&key);
                }
            }
            touched.insert(at);
        }
        for at in &touched {
            let hash = self.bucket_hash(*at);
            self.set(0, *at, hash);
        }
        for level in 0..LEVELS as u8 {
            touched = touched.iter().map(|at| at >> 1).collect();
            for at in &touched {
                let (left, right) = (self.node(level, at << 1), self.node(level, (at << 1) | 1));
                let hash = pair(self.suite, &left, &right);
                self.set(level + 1, *at, hash);
            }
        }
    }

    fn bucket_hash(&self, at: u16) -> Digest {
        let Some(bucket) = self.buckets.get(&at) else { return self.empty_at(0) };
        let leaves: Vec<u8> = bucket.values().flat_map(|d| *d.as_bytes()).collect();
        Digest::of(self.suite, Label::STATE_LEAF, &leaves)
    }

    fn empty_at(&self, level: u8) -> Digest {
        self.empty.get(usize::from(level)).copied().unwrap_or_default()
    }

    fn node(&self, level: u8, at: u16) -> Digest {
        self.nodes.get(&(level, at)).copied().unwrap_or_else(|| self.empty_at(level))
    }

    fn set(&mut self, level: u8, at: u16, hash: Digest) {
        self.nodes.insert((level, at), hash);
    }
}

fn pair(suite: SuiteId, left: &Digest, right: &Digest) -> Digest {
    let mut both = [0; 64];
    let (a, b) = both.split_at_mut(32);
    a.copy_from_slice(left.as_bytes());
    b.copy_from_slice(right.as_bytes());
    Digest::of(suite, Label::STATE_NODE, &both)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(key: u16, value: Option<u8>) -> Row {
        Row { key: key.to_be_bytes().to_vec(), value: value.map(|v| vec![v]) }
    }

    proptest! {
        #[test]
        fn the_digest_depends_on_the_content_only(mut content in prop::collection::btree_map(0u16..300, any::<u8>(), 0..60), extra in prop::collection::vec((0u16..300, any::<u8>()), 0..30)) {
            let rows: Vec<Row> = content.iter().map(|(k, v)| row(*k, Some(*v))).collect();
            let mut straight = StateTree::new(SuiteId::Sm);
            straight.update(&rows);
            let mut detour = StateTree::new(SuiteId::Sm);
            for (k, v) in &extra {
                detour.update(&[row(*k, Some(*v))]);
            }
            for (k, _) in &extra {
                detour.update(&[row(*k, None)]);
            }
            for chunk in rows.chunks(7) {
                detour.update(chunk);
            }
            prop_assert_eq!(straight.root(), detour.root());
            if let Some(mut first) = content.first_entry() {
                let value = first.get().wrapping_add(1);
                first.insert(value);
                let key = *first.key();
                detour.update(&[row(key, Some(value))]);
                prop_assert_ne!(straight.root(), detour.root());
            }
        }
    }
}
