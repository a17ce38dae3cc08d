//! A snapshot: what a replica needs to begin at a height, with proof that it is the consortium's.
//!
//! The state after block h is named by the header of block h+1, which more than two thirds of the validators signed; who
//! they are follows from the genesis through the handovers. So whoever has the genesis can believe a snapshot from
//! anybody. What is not proven is the list of entries remembered against replay: with a false one a replica would vote for
//! a block that the others refuse, and stop, which harms nobody else.

use std::io::{Read, Write};

use covenant_canon::{Digest, HashAlgorithm, SuiteId, from_bytes, to_bytes};
use covenant_ledger::{Anchor, Genesis, Handover, HandoverError, LogTail, Tile, Trust};
use covenant_state::{Row, SeenEntry, State};
use covenant_store::{Body, FileError, Frame, FrameReader, FrameWriter, Seed, Store, StoredBlock, Tip};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::error::NodeError;
use crate::stored::{anchor_of, block_of, header_of};

const MAGIC: &str = "covenant-snapshot\n";
const VERSION: u64 = 1;
/// Rows in one record of the file.
const ROWS: usize = 2_000;

/// The first record.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Head {
    #[n(0)]
    version: u64,
    #[n(1)]
    consortium: Digest,
    #[n(2)]
    handovers: Vec<Handover>,
    /// Block h+1: its header names the state after h.
    #[n(3)]
    witness: Anchor,
    /// Height, id, time and leaves of block h.
    #[n(4)]
    tip: (u64, Digest, u64, u64),
    /// Records of blocks, rows and remembered entries that follow; tiles stand in the last one.
    #[n(5)]
    records: (u64, u64, u64),
}

/// A block: height, id, bytes, certificate, time, whether it is whole.
type BlockRecord = (u64, Digest, ByteVec, ByteVec, u64, bool);
/// A state row: key and value.
type RowRecord = (ByteVec, ByteVec);
/// A remembered entry: freshness, digest, intent.
type SeenRecord = (u64, Digest, Option<covenant_domain::IntentId>);

/// A tile: whether it is of the SM3 tree, level, position, hashes.
type TileRecord = (bool, u8, u64, Vec<Digest>);

/// Why a snapshot is not used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file is damaged, of another kind or of a later version.
    #[error("the file is no whole snapshot")]
    File(#[from] FileError),
    /// It is of another consortium.
    #[error("the snapshot is of consortium {found}, the genesis is {expected}")]
    Foreign {
        /// Digest of the genesis at hand.
        expected: Digest,
        /// Digest that the snapshot names.
        found: Digest,
    },
    /// Its members do not follow from the genesis.
    #[error("the members of the snapshot do not follow from the genesis")]
    Handover(#[from] HandoverError),
    /// It is not what validators signed.
    #[error("the snapshot is not what the validators signed: {0}")]
    Unproven(String),
    /// The replica.
    #[error(transparent)]
    Node(#[from] NodeError),
}

fn unproven(what: impl Into<String>) -> SnapshotError {
    SnapshotError::Unproven(what.into())
}

fn bytes(of: &[u8]) -> ByteVec {
    ByteVec::from(of.to_vec())
}

/// Writes a snapshot. `witness` is block h+1, `seed` what the replica was at h.
pub(crate) fn write<W: Write>(
    out: W,
    consortium: Digest,
    handovers: Vec<Handover>,
    witness: Anchor,
    seed: &Seed,
) -> Result<W, FileError> {
    let Tip { height, block, time_ms, log_size } = seed.tip;
    let blocks = seed.blocks.iter().map(|b| {
        let record: BlockRecord =
            (b.height, b.id, bytes(&b.bytes), bytes(&b.certificate), b.time_ms, b.body == Body::Full);
        to_bytes(&record)
    });
    let blocks: Vec<Vec<u8>> = blocks.collect();
    let row = |row: &Row| (bytes(&row.key), bytes(row.value.as_deref().unwrap_or_default()));
    let rows: Vec<Vec<u8>> =
        seed.rows.chunks(ROWS).map(|some| to_bytes(&some.iter().map(row).collect::<Vec<RowRecord>>())).collect();
    let one = |seen: &SeenEntry| (seen.fresh_ms, seen.entry, seen.intent);
    let seen: Vec<Vec<u8>> =
        seed.seen.chunks(ROWS).map(|some| to_bytes(&some.iter().map(one).collect::<Vec<SeenRecord>>())).collect();
    let head = Head {
        version: VERSION,
        consortium,
        handovers,
        witness,
        tip: (height, block, time_ms, log_size),
        records: (blocks.len() as u64, rows.len() as u64, seen.len() as u64),
    };
    let mut writer = FrameWriter::new(out, MAGIC)?;
    writer.frame(&to_bytes(&head))?;
    for record in blocks.iter().chain(&rows).chain(&seen) {
        writer.frame(record)?;
    }
    let tile = |tile: &Tile| (tile.algorithm == HashAlgorithm::Sm3, tile.level, tile.index, tile.hashes.clone());
    writer.frame(&to_bytes(&seed.tiles.iter().map(tile).collect::<Vec<TileRecord>>()))?;
    Ok(writer.finish(|digest| to_bytes(&(*digest,)), &[])?.0)
}

/// Reads one record.
fn record<T: for<'b> Decode<'b, ()> + Encode<()>, R: Read>(reader: &mut FrameReader<R>) -> Result<T, SnapshotError> {
    let Frame { offset, payload, .. } = reader.frame()?;
    from_bytes(&payload).map_err(|e| FileError::damaged(offset, e.to_string()).into())
}

/// Reads a snapshot and checks it against the genesis.
///
/// # Errors
/// [`SnapshotError`] with what does not hold; nothing was changed then.
pub fn read_snapshot<R: Read>(input: R, genesis: &Genesis) -> Result<(Seed, Vec<Handover>), SnapshotError> {
    let mut reader = FrameReader::new(input, MAGIC)?;
    let head: Head = record(&mut reader)?;
    if head.version != VERSION {
        return Err(
            FileError::damaged(0, format!("it has version {}, this build reads {VERSION}", head.version)).into()
        );
    }
    let expected = genesis.digest();
    if head.consortium != expected {
        return Err(SnapshotError::Foreign { expected, found: head.consortium });
    }
    let mut blocks = Vec::new();
    for _ in 0..head.records.0 {
        let (height, id, whole, certificate, time_ms, full): BlockRecord = record(&mut reader)?;
        let body = if full { Body::Full } else { Body::Header };
        let (bytes, certificate) = (whole.to_vec(), certificate.to_vec());
        blocks.push(StoredBlock { height, id, bytes, certificate, time_ms, body });
    }
    let (mut rows, mut seen) = (Vec::new(), Vec::new());
    for _ in 0..head.records.1 {
        let some: Vec<RowRecord> = record(&mut reader)?;
        rows.extend(some.into_iter().map(|(key, value)| Row { key: key.to_vec(), value: Some(value.to_vec()) }));
    }
    for _ in 0..head.records.2 {
        let some: Vec<SeenRecord> = record(&mut reader)?;
        seen.extend(some.into_iter().map(|(fresh_ms, entry, intent)| SeenEntry { fresh_ms, entry, intent }));
    }
    let tiles: Vec<TileRecord> = record(&mut reader)?;
    let tile = |(sm3, level, index, hashes): TileRecord| {
        let algorithm = if sm3 { HashAlgorithm::Sm3 } else { HashAlgorithm::Sha256 };
        Tile { algorithm, level, index, hashes }
    };
    let tiles = tiles.into_iter().map(tile).collect();
    let trailer = reader.frame()?;
    let digest = from_bytes::<(Digest,)>(&trailer.payload);
    let (digest,) = digest.map_err(|e| FileError::damaged(trailer.offset, e.to_string()))?;
    reader.finish(&trailer, &digest, &[])?;
    let (height, block, time_ms, log_size) = head.tip;
    let seed = Seed { tip: Tip { height, block, time_ms, log_size }, blocks, rows, seen, tiles };
    check(&seed, &head.handovers, &head.witness, genesis)?;
    Ok((seed, head.handovers))
}

fn check(seed: &Seed, handovers: &[Handover], witness: &Anchor, genesis: &Genesis) -> Result<(), SnapshotError> {
    let (suite, consortium): (SuiteId, Digest) = (genesis.suite, genesis.digest());
    let mut trust = Trust::new(genesis).map_err(NodeError::from)?;
    trust.follow(handovers)?;
    let signed = |anchor: &Anchor| {
        let height = anchor.header.height;
        if !anchor.belongs_to(&consortium, suite) {
            return Err(unproven(format!("block {height} and its certificate do not belong together")));
        }
        trust.certified(anchor).map_err(|e| unproven(e.to_string()))
    };
    signed(witness)?;
    let mut above = witness.header.clone();
    for stored in seed.blocks.iter().rev() {
        let anchor = anchor_of(stored)?;
        signed(&anchor)?;
        let header = anchor.header;
        if header.id() != above.parent || header.height.checked_add(1) != Some(above.height) || stored.id != header.id()
        {
            return Err(unproven(format!("block {} does not precede block {}", stored.height, above.height)));
        }
        if stored.body == Body::Full {
            let block = block_of(stored)?;
            if block.header != header {
                return Err(unproven(format!("block {} has two headers", stored.height)));
            }
        }
        above = header;
    }
    let Some(newest) = seed.blocks.last() else { return Err(unproven("it holds no block")) };
    let newest = header_of(newest)?;
    if (newest.height, newest.id(), newest.time_ms, newest.log.size)
        != (seed.tip.height, seed.tip.block, seed.tip.time_ms, seed.tip.log_size)
    {
        return Err(unproven("its tip is not its newest block"));
    }
    let state = State::restore(genesis, newest.height, newest.time_ms, seed.rows.clone(), Vec::new());
    let state = state.map_err(NodeError::from)?;
    if state.digest() != witness.header.state {
        return Err(unproven(format!("its state is not the one that block {} names", witness.header.height)));
    }
    if LogTail::restore(newest.log.size, seed.tiles.clone()).roots() != newest.log {
        return Err(unproven("its log is not the one that its newest block names"));
    }
    Ok(())
}

/// Begins an empty replica with a snapshot.
///
/// # Errors
/// [`NodeError::Store`]: the database is not empty, or cannot be written.
pub async fn begin_with(store: &Store, seed: &Seed, handovers: &[Handover]) -> Result<(), NodeError> {
    Ok(store.seed(seed, &[(HANDOVERS, &to_bytes(&handovers.to_vec()))]).await?)
}

/// Mark under which a replica that began with a snapshot keeps the handovers before it.
pub(crate) const HANDOVERS: &str = "node/handovers";
