//! Cutting a block into parts and putting parts together again.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use covenant_canon::Digest;
use covenant_domain::MemberId;

use crate::config::{MAX_BLOCK_BYTES, PART_BYTES};
use crate::context::Part;

/// Blocks of one peer that may be incomplete at the same time; more push out the lowest.
const OPEN_PER_PEER: usize = 4;

/// Where a block belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) height: u64,
    pub(crate) round: u32,
    pub(crate) valid_round: Option<u32>,
    pub(crate) block: Digest,
}

/// A block whose parts have all arrived. Nothing of it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assembled {
    pub(crate) from: MemberId,
    pub(crate) place: Place,
    pub(crate) bytes: Bytes,
}

/// The parts of a block.
pub(crate) fn cut(place: &Place, bytes: &Bytes) -> Vec<Part> {
    let count = bytes.len().div_ceil(PART_BYTES).max(1);
    let part = |index: usize| {
        let start = index * PART_BYTES;
        let end = bytes.len().min(start + PART_BYTES);
        Part {
            height: place.height,
            round: place.round,
            valid_round: place.valid_round,
            block: place.block,
            index: index as u32,
            count: count as u32,
            data: bytes.slice(start..end),
        }
    };
    (0..count).map(part).collect()
}

/// Parts that wait for the rest of their block: at most four blocks of each peer, so a hostile one costs 4 MiB.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    open: BTreeMap<MemberId, BTreeMap<Place, Pieces>>,
}

#[derive(Debug, Default)]
struct Pieces {
    count: u32,
    have: BTreeMap<u32, Bytes>,
}

impl Assembly {
    /// Takes a part; gives the block when it was the last that missed.
    pub(crate) fn add(&mut self, from: &MemberId, part: Part) -> Option<Assembled> {
        let last = part.index + 1 == part.count;
        if part.data.len() > PART_BYTES || (!last && part.data.len() != PART_BYTES) {
            return None;
        }
        let Part { height, round, valid_round, block, index, count, data } = part;
        let place = Place { height, round, valid_round, block };
        let blocks = self.open.entry(from.clone()).or_default();
        let pieces = blocks.entry(place.clone()).or_default();
        if pieces.have.is_empty() {
            pieces.count = count;
        }
        if pieces.count != count || count as usize > MAX_BLOCK_BYTES.div_ceil(PART_BYTES) {
            blocks.remove(&place);
            return None;
        }
        pieces.have.insert(index, data);
        if pieces.have.len() == count as usize {
            let pieces = blocks.remove(&place)?;
            let bytes = pieces.have.into_values().fold(BytesMut::new(), |mut all, piece| {
                all.extend_from_slice(&piece);
                all
            });
            return Some(Assembled { from: from.clone(), place, bytes: bytes.freeze() });
        }
        while blocks.len() > OPEN_PER_PEER {
            blocks.pop_first();
        }
        None
    }

    /// Forgets what is below this height.
    pub(crate) fn forget_below(&mut self, height: u64) {
        for blocks in self.open.values_mut() {
            blocks.retain(|place, _| place.height >= height);
        }
        self.open.retain(|_, blocks| !blocks.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(height: u64) -> Place {
        Place { height, round: 0, valid_round: None, block: Digest([height as u8; 32]) }
    }

    fn who() -> MemberId {
        MemberId::new("a").unwrap()
    }

    #[test]
    fn parts_come_together_in_any_order() {
        for length in [0, 1, PART_BYTES, PART_BYTES + 1, MAX_BLOCK_BYTES] {
            let bytes: Bytes = (0..length).map(|i| i as u8).collect::<Vec<_>>().into();
            let mut parts = cut(&place(1), &bytes);
            parts.reverse();
            let mut assembly = Assembly::default();
            let mut done = None;
            for part in parts.iter().chain(parts.first()) {
                done = done.or(assembly.add(&who(), part.clone()));
            }
            assert_eq!(done.unwrap().bytes, bytes);
        }
    }

    #[test]
    fn a_peer_cannot_pile_up_unfinished_blocks() {
        let mut assembly = Assembly::default();
        let bytes: Bytes = vec![0; PART_BYTES + 1].into();
        for height in 1..100 {
            assert!(assembly.add(&who(), cut(&place(height), &bytes)[0].clone()).is_none());
        }
        assert_eq!(assembly.open[&who()].len(), OPEN_PER_PEER);
        assert!(assembly.open[&who()].contains_key(&place(99)));
        assembly.forget_below(100);
        assert!(assembly.open.is_empty());
    }

    #[test]
    fn short_middles_and_changing_counts_are_dropped() {
        let bytes: Bytes = vec![0; PART_BYTES * 2 + 1].into();
        let parts = cut(&place(1), &bytes);
        let mut assembly = Assembly::default();
        let short = Part { data: Bytes::from_static(b"x"), ..parts[0].clone() };
        assert!(assembly.add(&who(), short).is_none() && assembly.open.is_empty());
        assembly.add(&who(), parts[0].clone());
        assembly.add(&who(), Part { count: 4, ..parts[1].clone() });
        assert!(assembly.open[&who()].is_empty());
    }
}
