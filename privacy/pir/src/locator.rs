//! From pseudorandom tags to row numbers: a minimal perfect hash that cannot say "absent".
//!
//! Every tag is hashed to a part of about 2048 tags, and within it to a bucket of about 4. Each bucket has a *pilot*: the
//! number for which all its tags fall on rows of the part that no other tag has. Buckets are settled from the largest
//! down (hash and displace: Belazzougui, Botelho and Dietzfelbinger, ESA 2009; PTHash: Pibiri and Trani, SIGIR 2021).
//! Every row is taken in the end, and a tag that was never put in falls on some row like any other: the bytes tell the
//! number of rows and no more, since tags are outputs of a pseudorandom function. Half a byte per tag.
//!
//! Why not a crate: `ph` 0.11 decodes lengths it does not bound and answers `None` for some absent keys, which tells
//! membership, and its bytes follow the hash crate it is built with.

use rayon::prelude::*;

use crate::error::{Part, PirError};
use crate::matrix::check;
use crate::params::size;
use crate::public::Seed;

/// Expected tags of a part.
const PART_TAGS: u64 = 2048;

/// Most tags of a part: 45 standard deviations above the mean.
const MAX_PART: u16 = 4096;

/// Expected tags of a bucket.
const BUCKET_TAGS: u64 = 4;

/// Keys tried. The last tag of a part of 2048 finds no pilot with probability (1 − 1/2048)^65536, about 2⁻⁴⁶; parts of a
/// handful of tags have fewer arrangements and now and then need another key.
const ROUNDS: u32 = 64;

/// Most tags: 2³⁰, half a gigabyte.
const MAX_TAGS: u64 = 1 << 30;

/// Number of rows and key, before the sizes of the parts.
const HEADER: usize = 12;

/// Maps every 16-byte tag to a row number; those it was built from to all rows, each to its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Locator {
    rows: u64,
    key: u64,
    /// For each part the number of its first row, its first pilot and its size.
    parts: Vec<Extent>,
    pilots: Vec<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Extent {
    first_row: u64,
    first_pilot: usize,
    size: u16,
}

impl Locator {
    /// Arranges the tags, on the threads of the current rayon pool. The same tags in any order, with the same seed, give
    /// the same bytes.
    ///
    /// Record number [`Locator::row`] of its tag is where a record's row belongs.
    ///
    /// # Errors
    /// [`PirError::EmptyTable`], [`PirError::DuplicateTags`], [`PirError::Length`] above 2³⁰ tags,
    /// [`PirError::LocatorRounds`].
    pub fn build(tags: &[[u8; 16]], seed: &Seed) -> Result<Self, PirError> {
        let rows = tags.len() as u64;
        if rows == 0 {
            return Err(PirError::EmptyTable);
        }
        if rows > MAX_TAGS {
            return Err(PirError::Length { part: Part::Locator, got: 16 * rows, expected: 16 * MAX_TAGS });
        }
        (0..ROUNDS).find_map(|round| Self::round(tags, round_key(seed, round))).unwrap_or_else(|| {
            let failed = PirError::LocatorRounds { rounds: ROUNDS };
            Err(duplicates(tags).map_or(failed, |(first, second)| PirError::DuplicateTags { first, second }))
        })
    }

    /// One try with one key; `None` when it does not work out.
    fn round(tags: &[[u8; 16]], key: u64) -> Option<Result<Self, PirError>> {
        let rows = tags.len() as u64;
        let mut parts = vec![Vec::new(); size(part_count(rows))];
        for (at, tag) in (0_u64..).zip(tags) {
            let hash = Hash::of(tag, key);
            parts.get_mut(hash.part(rows))?.push((hash, at));
        }
        let settled: Vec<_> = parts.into_par_iter().map(settle).collect();
        let (mut sizes, mut pilots) = (Vec::with_capacity(settled.len()), Vec::new());
        for part in settled {
            match part {
                Ok(part) => {
                    sizes.push(part.size);
                    pilots.extend(part.pilots);
                }
                Err(Unsettled::Duplicate(first, second)) => {
                    return Some(Err(PirError::DuplicateTags { first: first.min(second), second: first.max(second) }));
                }
                Err(Unsettled::Again) => return None,
            }
        }
        Some(Ok(Self { rows, key, parts: extents(&sizes), pilots }))
    }

    /// The row of a tag: below [`Locator::rows`] whatever the tag.
    pub fn row(&self, tag: &[u8; 16]) -> u64 {
        let hash = Hash::of(tag, self.key);
        let part = self.parts.get(hash.part(self.rows)).filter(|part| part.size > 0);
        let pilot = part.and_then(|part| self.pilots.get(part.first_pilot + hash.bucket(part.size)));
        match (part, pilot) {
            (Some(part), Some(pilot)) => part.first_row + u64::from(hash.place(*pilot, part.size)),
            // A part without tags, as only tables of a few thousand rows can have.
            _ => below(hash.low, self.rows),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows, key, sizes of the parts, pilots: `12 + 2·parts + 2·buckets` bytes, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let rows = u32::try_from(self.rows).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(HEADER + 2 * (self.parts.len() + self.pilots.len()));
        bytes.extend(rows.to_le_bytes());
        bytes.extend(self.key.to_le_bytes());
        bytes.extend(self.parts.iter().flat_map(|part| part.size.to_le_bytes()));
        bytes.extend(self.pilots.iter().flat_map(|pilot| pilot.to_le_bytes()));
        bytes
    }

    /// Reads [`Locator::to_bytes`]. Whatever the pilots of hostile bytes are, rows stay in range.
    ///
    /// # Errors
    /// [`PirError::EmptyTable`], [`PirError::Length`], [`PirError::Locator`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PirError> {
        let wrong = |expected: u64| PirError::Length { part: Part::Locator, got: bytes.len() as u64, expected };
        let (rows, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| wrong(HEADER as u64))?;
        let (key, rest) = rest.split_first_chunk::<8>().ok_or_else(|| wrong(HEADER as u64))?;
        let rows = u64::from(u32::from_le_bytes(*rows));
        if rows == 0 {
            return Err(PirError::EmptyTable);
        }
        let part_bytes = 2 * part_count(rows);
        let (sizes, pilots) =
            rest.split_at_checked(size(part_bytes)).ok_or_else(|| wrong(HEADER as u64 + part_bytes))?;
        let sizes: Vec<u16> = words(sizes);
        let total: u64 = sizes.iter().map(|size| u64::from(*size)).sum();
        if rows > MAX_TAGS || total != rows || sizes.iter().any(|size| *size > MAX_PART) {
            return Err(PirError::Locator);
        }
        let buckets: u64 = sizes.iter().map(|size| bucket_count(*size)).sum();
        check(Part::Locator, bytes.len() as u64, HEADER as u64 + part_bytes + 2 * buckets)?;
        Ok(Self { rows, key: u64::from_le_bytes(*key), parts: extents(&sizes), pilots: words(pilots) })
    }
}

impl std::fmt::Debug for Locator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Locator").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// A tag under a key: a bijection of its 128 bits, so that different tags stay different.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hash {
    high: u64,
    low: u64,
}

impl Hash {
    fn of(tag: &[u8; 16], key: u64) -> Self {
        let [left, right] =
            [0, 8].map(|at| tag.iter().skip(at).take(8).fold(0, |word, byte| word << 8 | u64::from(*byte)));
        let first = mix(left ^ key);
        let low = mix(right ^ first.rotate_left(32));
        Self { high: mix(first ^ low), low }
    }

    fn part(self, rows: u64) -> usize {
        size(below(self.high, part_count(rows)))
    }

    fn bucket(self, size: u16) -> usize {
        crate::params::size(below(mix(self.high), bucket_count(size)))
    }

    fn place(self, pilot: u16, size: u16) -> u16 {
        let spread = u64::from(pilot).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        u16::try_from(below(mix(self.low ^ spread), u64::from(size))).unwrap_or(0)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), a bijection.
fn mix(mut word: u64) -> u64 {
    word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

/// A number below `bound`, spread as evenly as the word.
fn below(word: u64, bound: u64) -> u64 {
    u64::try_from((u128::from(word) * u128::from(bound)) >> 64).unwrap_or(0)
}

fn round_key(seed: &Seed, round: u32) -> u64 {
    let words = seed.0.as_chunks::<8>().0.iter().copied().map(u64::from_le_bytes);
    words.fold(u64::from(round), |key, word| mix(key.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ word))
}

fn part_count(rows: u64) -> u64 {
    rows.div_ceil(PART_TAGS)
}

fn bucket_count(size: u16) -> u64 {
    u64::from(size).div_ceil(BUCKET_TAGS)
}

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks().0.iter().copied().map(u16::from_le_bytes).collect()
}

fn extents(sizes: &[u16]) -> Vec<Extent> {
    let start = (0_u64, 0_usize);
    let extents = sizes.iter().scan(start, |(first_row, first_pilot), size| {
        let extent = Extent { first_row: *first_row, first_pilot: *first_pilot, size: *size };
        *first_row += u64::from(*size);
        *first_pilot += crate::params::size(bucket_count(*size));
        Some(extent)
    });
    extents.collect()
}

struct Settled {
    size: u16,
    pilots: Vec<u16>,
}

enum Unsettled {
    Duplicate(u64, u64),
    Again,
}

/// Finds the pilots of one part.
fn settle(mut tags: Vec<(Hash, u64)>) -> Result<Settled, Unsettled> {
    tags.sort_unstable();
    for ((hash, first), (next, second)) in tags.iter().zip(tags.iter().skip(1)) {
        if hash == next {
            return Err(Unsettled::Duplicate(*first, *second));
        }
    }
    let size = u16::try_from(tags.len()).ok().filter(|size| *size <= MAX_PART).ok_or(Unsettled::Again)?;
    let mut buckets = vec![(Vec::new(), 0_usize); crate::params::size(bucket_count(size))];
    for (number, (_, at)) in buckets.iter_mut().enumerate() {
        *at = number;
    }
    for (hash, _) in &tags {
        if let Some((bucket, _)) = buckets.get_mut(hash.bucket(size)) {
            bucket.push(*hash);
        }
    }
    buckets.sort_by_key(|(bucket, number)| (std::cmp::Reverse(bucket.len()), *number));
    let mut taken = vec![false; tags.len()];
    let mut pilots = vec![0; buckets.len()];
    for (bucket, number) in &buckets {
        let pilot = (0..=u16::MAX).find(|pilot| claim(bucket, *pilot, size, &mut taken)).ok_or(Unsettled::Again)?;
        if let Some(slot) = pilots.get_mut(*number) {
            *slot = pilot;
        }
    }
    Ok(Settled { size, pilots })
}

/// Takes the places of a bucket under a pilot, all or none.
fn claim(bucket: &[Hash], pilot: u16, size: u16, taken: &mut [bool]) -> bool {
    for (count, hash) in bucket.iter().enumerate() {
        match taken.get_mut(usize::from(hash.place(pilot, size))) {
            Some(place) if !*place => *place = true,
            _ => {
                for hash in bucket.iter().take(count) {
                    if let Some(place) = taken.get_mut(usize::from(hash.place(pilot, size))) {
                        *place = false;
                    }
                }
                return false;
            }
        }
    }
    true
}

/// Two equal tags, for the message when so many are equal that a part overflowed.
fn duplicates(tags: &[[u8; 16]]) -> Option<(u64, u64)> {
    let mut sorted: Vec<_> = tags.iter().zip(0_u64..).collect();
    sorted.sort_unstable();
    sorted.iter().zip(sorted.iter().skip(1)).find(|(one, next)| one.0 == next.0).map(|(one, next)| (one.1, next.1))
}
