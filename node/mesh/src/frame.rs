//! Frames on the wire: four bytes of big-endian length of the body, one byte of kind, the body.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes before the body.
pub const HEADER: usize = 5;
/// Longest body.
pub const MOST_BODY: usize = 2 << 20;
/// Buffers longer than this are given back once they are empty.
pub(crate) const KEPT_BUFFER: usize = 256 << 10;

/// Queue of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Goes first.
    Consensus,
    /// Goes when nothing of consensus waits.
    Gossip,
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For the application.
    Lane(Lane),
    /// To be answered by a pong with the same body.
    Ping,
    /// Answer to a ping.
    Pong,
    /// The first frame of both ends.
    Hello,
    /// The hello was good.
    Welcome,
    /// The last frame of a connection, and why.
    Refusal,
}

impl Kind {
    /// The byte on the wire.
    pub fn byte(self) -> u8 {
        match self {
            Self::Lane(Lane::Consensus) => 0,
            Self::Lane(Lane::Gossip) => 1,
            Self::Ping => 2,
            Self::Pong => 3,
            Self::Hello => 4,
            Self::Welcome => 5,
            Self::Refusal => 6,
        }
    }

    fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Lane(Lane::Consensus),
            1 => Self::Lane(Lane::Gossip),
            2 => Self::Ping,
            3 => Self::Pong,
            4 => Self::Hello,
            5 => Self::Welcome,
            6 => Self::Refusal,
            _ => return None,
        })
    }

    /// Longest body of frames that are not the application's.
    fn most(self) -> usize {
        match self {
            Self::Lane(_) => MOST_BODY,
            Self::Ping | Self::Pong => 8,
            Self::Welcome => 0,
            Self::Hello | Self::Refusal => 1024,
        }
    }
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub body: Bytes,
}

/// Why bytes are no frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The header announces more than is read.
    #[error("a frame of {length} bytes exceeds the limit of {most}")]
    TooLong {
        /// Announced.
        length: usize,
        /// Allowed.
        most: usize,
    },
    /// The kind is not known.
    #[error("frames of kind {0} are not known")]
    Unknown(u8),
}

/// Appends a frame. The body must be at most [`MOST_BODY`] long.
pub fn encode(kind: Kind, body: &[u8], out: &mut BytesMut) {
    out.reserve(HEADER + body.len());
    out.put_u32(u32::try_from(body.len()).unwrap_or(u32::MAX));
    out.put_u8(kind.byte());
    out.put_slice(body);
}

/// Cuts a stream of bytes into frames. Holds what has arrived and never makes room for what was only announced.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: BytesMut,
}

impl Decoder {
    /// With nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the next bytes are read to.
    pub fn room(&mut self) -> &mut BytesMut {
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = BytesMut::new();
        }
        self.buffer.reserve(32 << 10);
        &mut self.buffer
    }

    /// The next frame, if all of it is there. Its body is a copy, so that keeping it keeps nothing else.
    ///
    /// # Errors
    /// [`FrameError`] as soon as the header is there; the stream is of no use afterwards.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some((&[a, b, c, d, byte], rest)) = self.buffer.split_first_chunk::<HEADER>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let kind = Kind::of(byte).ok_or(FrameError::Unknown(byte))?;
        if length > kind.most() {
            return Err(FrameError::TooLong { length, most: kind.most() });
        }
        let Some(body) = rest.get(..length).map(Bytes::copy_from_slice) else { return Ok(None) };
        self.buffer.advance(HEADER + length);
        Ok(Some(Frame { kind, body }))
    }
}
