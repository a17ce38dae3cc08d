//! Which rows have changed since an epoch was built.

use std::collections::BTreeMap;

use covenant_canon::{Digest, Label, SuiteId};
use zeroize::Zeroizing;

/// Fingerprints of all rows of an epoch's table: subject → content, keyed by the epoch's key, so that the file tells
/// nothing without it.
pub(super) struct Fingerprints {
    suite: SuiteId,
    key: Zeroizing<[u8; 32]>,
    rows: BTreeMap<u64, u64>,
}

impl Fingerprints {
    pub(super) fn new(suite: SuiteId, key: [u8; 32]) -> Self {
        Self { suite, key: Zeroizing::new(key), rows: BTreeMap::new() }
    }

    /// Notes a row.
    pub(super) fn note(&mut self, subject: &str, content: &[u8]) {
        let (subject, content) = self.of(subject, content);
        self.rows.insert(subject, content);
    }

    /// Takes a row off the list; whether it was there with the same content.
    pub(super) fn strike(&mut self, subject: &str, content: &[u8]) -> bool {
        let (subject, content) = self.of(subject, content);
        self.rows.remove(&subject) == Some(content)
    }

    /// Rows on the list.
    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    fn of(&self, subject: &str, content: &[u8]) -> (u64, u64) {
        let half = |parts: &[&[u8]]| {
            let digest = Digest::of_parts(self.suite, Label::LOOKUP_FINGERPRINT, parts);
            u64::from_be_bytes(digest.as_bytes().first_chunk().copied().unwrap_or_default())
        };
        let (key, subject) = (self.key.as_slice(), subject.as_bytes());
        (half(&[key, subject]), half(&[key, subject, content]))
    }

    /// 16 bytes for each row, in order.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.rows
            .iter()
            .flat_map(|(subject, content)| [subject.to_be_bytes(), content.to_be_bytes()])
            .flatten()
            .collect()
    }

    /// Reads [`Fingerprints::to_bytes`]; none when the length is wrong.
    pub(super) fn from_bytes(suite: SuiteId, key: [u8; 32], bytes: &[u8]) -> Option<Self> {
        let (pairs, rest) = bytes.as_chunks::<16>();
        let pair = |bytes: &[u8; 16]| {
            let both = u128::from_be_bytes(*bytes);
            // The two halves of 128 bits.
            (
                u64::try_from(both >> 64).unwrap_or_default(),
                u64::try_from(both & u128::from(u64::MAX)).unwrap_or_default(),
            )
        };
        let rows = pairs.iter().map(pair).collect();
        rest.is_empty().then(|| Self { rows, ..Self::new(suite, key) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_row_is_told_and_bytes_round_trip() {
        let mut list = Fingerprints::new(SuiteId::Sm, [7; 32]);
        list.note("resident:1", b"a");
        list.note("resident:2", b"b");
        let mut again = Fingerprints::from_bytes(SuiteId::Sm, [7; 32], &list.to_bytes()).unwrap();
        assert!(again.strike("resident:1", b"a"));
        assert!(!again.strike("resident:2", b"c"));
        assert!(!again.strike("resident:3", b"d"));
        assert_eq!(again.len(), 0);
        assert!(Fingerprints::from_bytes(SuiteId::Sm, [7; 32], &[0; 17]).is_none());
        let mut other_key = Fingerprints::from_bytes(SuiteId::Sm, [8; 32], &list.to_bytes()).unwrap();
        assert!(!other_key.strike("resident:1", b"a"));
    }
}
