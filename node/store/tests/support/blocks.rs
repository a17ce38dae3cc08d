//! A chain that looks like a busy consortium's: intents, decisions, open queries and quota counters.

use covenant_canon::Digest;
use covenant_domain::{IntentId, MemberId};
use covenant_ledger::LogTail;
use covenant_state::{Row, SeenEntry};
use covenant_store::{Commit, EntryRow};

/// Block time of height zero; every block is a second later.
pub const START_MS: u64 = 1_795_000_000_000;
const GRANTS: u64 = 5_000;

/// Makes the blocks of one chain, one after the other.
#[derive(Default)]
pub struct Chain {
    height: u64,
    tail: LogTail,
}

/// SplitMix64: well-spread numbers from small ones.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let words = (0..len.div_ceil(8) as u64).map(|n| mix(seed.wrapping_add(n)).to_le_bytes());
    words.flatten().take(len).collect()
}

pub fn digest(seed: u64) -> Digest {
    let mut out = Digest::ZERO;
    out.0.copy_from_slice(&bytes(seed, 32));
    out
}

pub fn member(name: &str) -> MemberId {
    MemberId::new(name).unwrap_or_else(|e| unreachable!("{e}"))
}

/// The intent of a leaf: version 7, so that ids grow with time.
pub fn intent(leaf: u64) -> IntentId {
    let mut random = [0; 10];
    random.copy_from_slice(&bytes(leaf ^ 0xabcd, 10));
    IntentId::from_parts(START_MS.wrapping_add(leaf), &random)
}

impl Chain {
    /// The next block, with so many entries: half of them intents, half the decisions on them; three state rows each.
    pub fn next(&mut self, entries: u64) -> Commit {
        self.height += 1;
        let (height, first) = (self.height, self.tail.size());
        let time_ms = START_MS + height * 1000;
        let rows = (first..first + entries).map(|leaf| entry(leaf, height, leaf - first, (leaf - first) * 2 < entries));
        let entries: Vec<EntryRow> = rows.collect();
        let leaves: Vec<&[u8]> = entries.iter().map(|e| e.digest.0.as_slice()).collect();
        let tiles = self.tail.append(&leaves);
        Commit {
            height,
            block: digest(height << 32),
            time_ms,
            bytes: bytes(height << 40, 200 + entries.len() * 300),
            certificate: bytes(height << 41, 400),
            seen: entries.iter().filter_map(seen).collect(),
            rows: entries.iter().flat_map(|e| state_rows(e.leaf)).collect(),
            entries,
            tiles,
            log_size: self.tail.size(),
            included: Vec::new(),
            evidence: Vec::new(),
        }
    }
}

fn entry(leaf: u64, height: u64, position: u64, submitted: bool) -> EntryRow {
    EntryRow {
        leaf,
        height,
        batch: submitted.then_some(u32::try_from(position / 100).unwrap_or_default()),
        position: u32::try_from(position).unwrap_or_default(),
        digest: digest(leaf),
        author: submitted.then(|| member("bank")),
        kind: if submitted { "intent" } else { "decision" }.to_owned(),
        about: intent(leaf).to_string(),
        under: Vec::new(),
        fresh_ms: START_MS + height * 1000 - 3,
        derived: (!submitted).then(|| bytes(leaf, 300)),
    }
}

fn seen(entry: &EntryRow) -> Option<SeenEntry> {
    entry.author.as_ref()?;
    Some(SeenEntry { fresh_ms: entry.fresh_ms, entry: entry.digest, intent: entry.about.parse().ok() })
}

/// A new open query, a used quota, and the open query of a thousand leaves ago, which is closed.
fn state_rows(leaf: u64) -> [Row; 3] {
    let open = |leaf: u64| [&[0x82, 6, 0x81, 0x50], intent(leaf).as_bytes().as_slice()].concat();
    let quota = [&[0x82, 4, 0x81, 0x50], bytes(mix(leaf) % GRANTS, 16).as_slice()].concat();
    [
        Row { key: open(leaf), value: Some(bytes(leaf, 400)) },
        Row { key: quota, value: Some(bytes(leaf, 20)) },
        Row { key: open(leaf.wrapping_sub(1000)), value: None },
    ]
}
