//! Files of frames: a magic line, then records with their lengths and checks, the last of which is a trailer.
//!
//! ```text
//! magic line
//! frame*    length (4 bytes, big endian) · payload · first 8 bytes of SHA-256(payload)
//! ```
//!
//! The first frame's payload begins with the version. The trailer's payload holds SHA-256 over every
//! byte before it. A frame's own check tells where a file is damaged before its rows are believed; the trailer tells
//! that frames are complete and in order. Both find damage, not malice.

use std::io::{self, Read, Write};

use covenant_canon::{Digest, HashAlgorithm, Hasher};

/// Longest payload that is read, in bytes.
pub const MAX_FRAME: usize = 512 * 1024 * 1024;
/// Bytes read at once: a damaged length must not take memory that the file does not have.
const CHUNK: u64 = 1024 * 1024;
const CHECK: usize = 8;

/// Why a file of frames was not believed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It begins otherwise.
    #[error("the file does not begin with `{magic}`: it is not of this kind")]
    Magic {
        /// The line it should begin with.
        magic: &'static str,
    },
    /// Written by a build that knows more.
    #[error("the file has version {found}, this build reads {known}: use the build that wrote it")]
    Version {
        /// Version of the file.
        found: u64,
        /// The version that is read.
        known: u64,
    },
    /// It ends too early.
    #[error("the file ends at byte {offset} in the middle of a record: it is cut off, bring a whole copy")]
    Truncated {
        /// Where it ends.
        offset: u64,
    },
    /// A record is not what was written.
    #[error("the record at byte {offset} is damaged ({detail}): bring another copy")]
    Damaged {
        /// Where the record begins.
        offset: u64,
        /// What was found.
        detail: String,
    },
    /// Records are whole but not the ones that were written.
    #[error("the trailer at byte {offset} has another digest than the bytes before it: bring another copy")]
    Digest {
        /// Where the trailer begins.
        offset: u64,
    },
    /// Something follows the trailer.
    #[error("the file goes on at byte {offset}, behind its trailer: bring another copy")]
    Trailing {
        /// The first byte too many.
        offset: u64,
    },
    /// The file cannot be read or written.
    #[error("the file cannot be read or written at byte {offset}")]
    Io {
        /// Where.
        offset: u64,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

impl FileError {
    /// A record that is not what it should be.
    pub fn damaged(offset: u64, detail: impl ToString) -> Self {
        Self::Damaged { offset, detail: detail.to_string() }
    }
}

fn check(payload: &[u8]) -> [u8; CHECK] {
    let [a, b, c, d, e, f, g, h, ..] = sha256(payload).0;
    [a, b, c, d, e, f, g, h]
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(HashAlgorithm::Sha256);
    hasher.update(bytes);
    hasher.finish()
}

/// Writes frames.
pub struct FrameWriter<W> {
    out: W,
    hasher: Hasher,
    offset: u64,
}

impl<W: Write> FrameWriter<W> {
    /// Writes the magic line.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn new(out: W, magic: &'static str) -> Result<Self, FileError> {
        let mut writer = Self { out, hasher: Hasher::new(HashAlgorithm::Sha256), offset: 0 };
        writer.put(magic.as_bytes(), true)?;
        Ok(writer)
    }

    /// Bytes written.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Writes one record and tells where it begins.
    ///
    /// # Errors
    /// [`FileError::Io`], [`FileError::Damaged`] when it is longer than [`MAX_FRAME`].
    pub fn frame(&mut self, payload: &[u8]) -> Result<u64, FileError> {
        self.put_frame(payload, true)
    }

    /// Writes the trailer, made from the digest of every byte before it, and what follows it; flushes.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn finish(
        mut self,
        trailer: impl FnOnce(&Digest) -> Vec<u8>,
        behind: &[u8],
    ) -> Result<(W, Digest, u64), FileError> {
        let hasher = std::mem::replace(&mut self.hasher, Hasher::new(HashAlgorithm::Sha256));
        let digest = hasher.finish();
        self.put_frame(&trailer(&digest), false)?;
        self.put(behind, false)?;
        let offset = self.offset;
        self.out.flush().map_err(|source| FileError::Io { offset, source })?;
        Ok((self.out, digest, offset))
    }

    fn put_frame(&mut self, payload: &[u8], hashed: bool) -> Result<u64, FileError> {
        let offset = self.offset;
        let length = u32::try_from(payload.len()).ok().filter(|n| *n as usize <= MAX_FRAME);
        let length = length.ok_or_else(|| FileError::damaged(offset, "a record is too long to be written"))?;
        self.put(&length.to_be_bytes(), hashed)?;
        self.put(payload, hashed)?;
        self.put(&check(payload), hashed)?;
        Ok(offset)
    }

    fn put(&mut self, bytes: &[u8], hashed: bool) -> Result<(), FileError> {
        let offset = self.offset;
        self.out.write_all(bytes).map_err(|source| FileError::Io { offset, source })?;
        self.offset += bytes.len() as u64;
        if hashed {
            self.hasher.update(bytes);
        }
        Ok(())
    }
}

/// One record that was read.
pub struct Frame {
    /// Where it begins.
    pub offset: u64,
    /// What it holds.
    pub payload: Vec<u8>,
}

/// Reads frames one after the other.
pub struct FrameReader<R> {
    input: R,
    hasher: Hasher,
    offset: u64,
    /// The newest frame's bytes, hashed once another one is read: the trailer's digest is over what is before it.
    newest: Vec<u8>,
}

impl<R: Read> FrameReader<R> {
    /// Reads the magic line.
    ///
    /// # Errors
    /// [`FileError::Magic`], [`FileError::Truncated`], [`FileError::Io`].
    pub fn new(input: R, magic: &'static str) -> Result<Self, FileError> {
        let mut reader = Self { input, hasher: Hasher::new(HashAlgorithm::Sha256), offset: 0, newest: Vec::new() };
        let mut found = Vec::new();
        let whole = reader.take(&mut found, magic.len());
        if !magic.as_bytes().starts_with(&found) {
            return Err(FileError::Magic { magic });
        }
        whole?;
        reader.newest = found;
        Ok(reader)
    }

    /// Reads frames from the middle of a file.
    pub(crate) fn at(input: R, offset: u64) -> Self {
        Self { input, hasher: Hasher::new(HashAlgorithm::Sha256), offset, newest: Vec::new() }
    }

    /// Bytes read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next record.
    ///
    /// # Errors
    /// [`FileError::Truncated`] at the end of the file, [`FileError::Damaged`], [`FileError::Io`].
    pub fn frame(&mut self) -> Result<Frame, FileError> {
        let offset = self.offset;
        self.hasher.update(&self.newest);
        self.newest.clear();
        let mut bytes = std::mem::take(&mut self.newest);
        self.take(&mut bytes, 4)?;
        let length = bytes.iter().fold(0_usize, |n, byte| n << 8 | usize::from(*byte));
        if length > MAX_FRAME {
            return Err(FileError::damaged(offset, format!("a length of {length} bytes")));
        }
        self.take(&mut bytes, length + CHECK)?;
        let (payload, sum) = bytes.get(4..).unwrap_or_default().split_at_checked(length).unwrap_or_default();
        if sum != check(payload) {
            return Err(FileError::damaged(offset, "its check differs"));
        }
        let payload = payload.to_vec();
        self.newest = bytes;
        Ok(Frame { offset, payload })
    }

    /// Ends the reading after the trailer: its digest must be that of the bytes before it, and `behind` and nothing
    /// else must follow.
    ///
    /// # Errors
    /// [`FileError::Digest`], [`FileError::Truncated`], [`FileError::Damaged`], [`FileError::Trailing`].
    pub fn finish(mut self, trailer: &Frame, digest: &Digest, behind: &[u8]) -> Result<u64, FileError> {
        let hasher = std::mem::replace(&mut self.hasher, Hasher::new(HashAlgorithm::Sha256));
        if hasher.finish() != *digest {
            return Err(FileError::Digest { offset: trailer.offset });
        }
        let (offset, mut found) = (self.offset, Vec::new());
        self.take(&mut found, behind.len())?;
        if found != behind {
            return Err(FileError::damaged(offset, "not what stands behind the trailer"));
        }
        let (end, mut more) = (self.offset, Vec::new());
        match self.take(&mut more, 1) {
            Err(FileError::Truncated { .. }) => Ok(end),
            Err(other) => Err(other),
            Ok(()) => Err(FileError::Trailing { offset: end }),
        }
    }

    fn take(&mut self, into: &mut Vec<u8>, length: usize) -> Result<(), FileError> {
        let mut left = length as u64;
        while left > 0 {
            let read = self.input.by_ref().take(left.min(CHUNK)).read_to_end(into);
            let read = read.map_err(|source| FileError::Io { offset: self.offset, source })? as u64;
            self.offset += read;
            left -= read;
            if read == 0 {
                return Err(FileError::Truncated { offset: self.offset });
            }
        }
        Ok(())
    }
}

/// Reads the version that a file's first record begins with.
pub(crate) fn version(head: &Frame, known: u64) -> Result<minicbor::Decoder<'_>, FileError> {
    let told = |e: minicbor::decode::Error| FileError::damaged(head.offset, e);
    let mut decoder = minicbor::Decoder::new(&head.payload);
    decoder.array().map_err(told)?;
    let found = decoder.u64().map_err(told)?;
    if found == known { Ok(decoder) } else { Err(FileError::Version { found, known }) }
}
