//! Old blocks in a file of their own.
//!
//! ```text
//! covenant-archive
//! head      [version, first height, last height]
//! block*    [height, id, time, block bytes, certificate, [[leaf, derived entry]]]   one for each height, ascending
//! index     [where each block's frame begins]
//! trailer   [SHA-256 over every byte before]
//! 8 bytes   where the index begins, big endian
//! ```
//!
//! The frames around them are those of `frame.rs`; the file's name is `blocks-<first>-<last>.cova`. An archive vouches
//! for nothing: a replica compares what it reads with the digests it kept, anybody else with the certificates.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use covenant_canon::{Digest, to_bytes};
use minicbor::{Decode, Encode};

use crate::frame::{FileError, Frame, FrameReader, FrameWriter, sha256, version};
use crate::record::Hidden;

const MAGIC: &str = "covenant-archive\n";
const VERSION: u64 = 1;

/// The name of the file that holds these heights.
pub fn archive_name(heights: &RangeInclusive<u64>) -> String {
    format!("blocks-{}-{}.cova", heights.start(), heights.end())
}

/// The heights that a file says it holds by its name.
pub(crate) fn heights_of(name: &str) -> Option<RangeInclusive<u64>> {
    let (first, last) = name.strip_prefix("blocks-")?.strip_suffix(".cova")?.split_once('-')?;
    let heights = first.parse().ok()?..=last.parse().ok()?;
    (archive_name(&heights) == name && !heights.is_empty()).then_some(heights)
}

/// A derived entry of an archived block.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct ArchivedEntry {
    /// Its leaf of the evidence log.
    #[n(0)]
    pub leaf: u64,
    /// Its canonical bytes.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

/// A block as an archive holds it.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct ArchivedBlock {
    /// Height.
    #[n(0)]
    pub height: u64,
    /// Block id.
    #[n(1)]
    pub id: Digest,
    /// Block time, milliseconds since 1970.
    #[n(2)]
    pub time_ms: u64,
    /// The block as it travels.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Canonical bytes of its certificate.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub certificate: Vec<u8>,
    /// Its derived entries, by leaf.
    #[n(5)]
    pub derived: Vec<ArchivedEntry>,
}

impl ArchivedBlock {
    /// SHA-256 over the block's bytes, and over its derived entries.
    pub(crate) fn digests(&self) -> (Digest, Digest) {
        (sha256(&self.bytes), sha256(&to_bytes(&self.derived)))
    }
}

impl std::fmt::Debug for ArchivedBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { height, id, time_ms, bytes, derived, .. } = self;
        let mut shown = f.debug_struct("ArchivedBlock");
        shown.field("height", height).field("id", id).field("time_ms", time_ms).field("bytes", &Hidden(bytes));
        shown.field("derived", &derived.len()).finish_non_exhaustive()
    }
}

/// Writes an archive.
pub struct ArchiveWriter<W> {
    frames: FrameWriter<W>,
    heights: RangeInclusive<u64>,
    offsets: Vec<u64>,
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins an archive of these heights.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn new(out: W, heights: RangeInclusive<u64>) -> Result<Self, FileError> {
        let mut frames = FrameWriter::new(out, MAGIC)?;
        frames.frame(&to_bytes(&(VERSION, *heights.start(), *heights.end())))?;
        Ok(Self { frames, heights, offsets: Vec::new() })
    }

    /// Adds the next block.
    ///
    /// # Errors
    /// [`FileError::Damaged`] when it is not the next height, [`FileError::Io`].
    pub fn push(&mut self, block: &ArchivedBlock) -> Result<(), FileError> {
        let next = self.heights.start().saturating_add(self.offsets.len() as u64);
        if block.height != next || !self.heights.contains(&next) {
            let detail = format!("height {} comes where {next} belongs", block.height);
            return Err(FileError::damaged(self.frames.offset(), detail));
        }
        self.offsets.push(self.frames.frame(&to_bytes(block))?);
        Ok(())
    }

    /// Writes index and trailer and returns what it wrote to, flushed.
    ///
    /// # Errors
    /// [`FileError::Damaged`] when heights are missing, [`FileError::Io`].
    pub fn finish(mut self) -> Result<W, FileError> {
        if self.offsets.len() as u64 != count(&self.heights) {
            return Err(FileError::damaged(self.frames.offset(), "heights are missing at the end"));
        }
        let index = self.frames.frame(&to_bytes(&self.offsets))?;
        Ok(self.frames.finish(|digest| to_bytes(&(digest,)), &index.to_be_bytes())?.0)
    }
}

fn count(heights: &RangeInclusive<u64>) -> u64 {
    heights.end().saturating_sub(*heights.start()).saturating_add(1)
}

/// An archive whose structure is known.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    heights: RangeInclusive<u64>,
    offsets: Vec<u64>,
}

impl Archive {
    /// Reads a whole archive and checks its structure and digest; one block is in memory at a time.
    ///
    /// # Errors
    /// What [`FileError`] lists.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let file = File::open(path).map_err(|source| FileError::Io { offset: 0, source })?;
        let mut reader = FrameReader::new(BufReader::new(file), MAGIC)?;
        let heights = head(&reader.frame()?)?;
        let mut offsets = Vec::new();
        for height in heights.clone() {
            let frame = reader.frame()?;
            block_of(&frame, height)?;
            offsets.push(frame.offset);
        }
        let index = reader.frame()?;
        if exact::<Vec<u64>>(&index)? != offsets {
            return Err(FileError::damaged(index.offset, "its index leads elsewhere"));
        }
        let trailer = reader.frame()?;
        let (digest,): (Digest,) = exact(&trailer)?;
        reader.finish(&trailer, &digest, &index.offset.to_be_bytes())?;
        Ok(Self { path: path.to_owned(), heights, offsets })
    }

    /// Reads head and index only: each block is checked when it is read, against what the replica kept of it.
    pub(crate) fn glance(path: &Path) -> Result<Self, FileError> {
        let io = |source| FileError::Io { offset: 0, source };
        let mut file = File::open(path).map_err(io)?;
        let heights = head(&FrameReader::new(&mut file, MAGIC)?.frame()?)?;
        let end = file.seek(SeekFrom::End(0)).map_err(io)?;
        let mut at = [0; 8];
        file.seek(SeekFrom::Start(end.saturating_sub(8))).and_then(|_| file.read_exact(&mut at)).map_err(io)?;
        let index = frame_at(&mut file, u64::from_be_bytes(at))?;
        let offsets: Vec<u64> = exact(&index)?;
        if offsets.len() as u64 != count(&heights) {
            return Err(FileError::damaged(index.offset, "its index has another length"));
        }
        Ok(Self { path: path.to_owned(), heights, offsets })
    }

    /// The heights it holds.
    pub fn heights(&self) -> RangeInclusive<u64> {
        self.heights.clone()
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A block; absent when the archive does not hold its height.
    ///
    /// # Errors
    /// [`FileError::Damaged`], [`FileError::Io`].
    pub fn block(&self, height: u64) -> Result<Option<ArchivedBlock>, FileError> {
        let Some(at) = height.checked_sub(*self.heights.start()) else { return Ok(None) };
        let offset = usize::try_from(at).ok().and_then(|at| self.offsets.get(at));
        let Some(offset) = offset else { return Ok(None) };
        let mut file = File::open(&self.path).map_err(|source| FileError::Io { offset: 0, source })?;
        block_of(&frame_at(&mut file, *offset)?, height).map(Some)
    }
}

fn frame_at(file: &mut File, offset: u64) -> Result<Frame, FileError> {
    file.seek(SeekFrom::Start(offset)).map_err(|source| FileError::Io { offset, source })?;
    FrameReader::at(BufReader::new(file), offset).frame()
}

fn head(frame: &Frame) -> Result<RangeInclusive<u64>, FileError> {
    version(frame, VERSION)?;
    let (_, first, last): (u64, u64, u64) = exact(frame)?;
    if first > last {
        return Err(FileError::damaged(frame.offset, "no heights"));
    }
    Ok(first..=last)
}

fn block_of(frame: &Frame, height: u64) -> Result<ArchivedBlock, FileError> {
    let block: ArchivedBlock = exact(frame)?;
    if block.height == height {
        return Ok(block);
    }
    Err(FileError::damaged(frame.offset, format!("height {} where {height} belongs", block.height)))
}

/// A payload that is the canonical encoding of a value. Unlike other canonical bytes it may be longer than 4 MiB.
fn exact<T: for<'b> Decode<'b, ()> + Encode<()>>(frame: &Frame) -> Result<T, FileError> {
    let value: T = minicbor::decode(&frame.payload).map_err(|e| FileError::damaged(frame.offset, e))?;
    if to_bytes(&value) == frame.payload {
        return Ok(value);
    }
    Err(FileError::damaged(frame.offset, "not canonical"))
}
