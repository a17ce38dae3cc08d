//! Frames on the wire: four bytes of length, big-endian, one byte of kind, the body.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Longest body of a frame, in bytes: a block's part or a batch with room to spare.
pub const MAX_FRAME: usize = 2 * 1024 * 1024;

/// Bytes before the body.
pub(crate) const HEAD: usize = 5;

/// What a frame is for. Consensus goes before gossip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Votes, proposals, blocks, catching up.
    Consensus,
    /// Batches on their way between mempools.
    Gossip,
}

/// The kinds of frames. Numbers are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ping,
    Pong,
    Carries(Lane),
    Hello,
    Welcome,
    Refusal,
}

impl Kind {
    fn number(self) -> u8 {
        match self {
            Self::Ping => 0,
            Self::Pong => 1,
            Self::Carries(Lane::Consensus) => 2,
            Self::Carries(Lane::Gossip) => 3,
            Self::Hello => 4,
            Self::Welcome => 5,
            Self::Refusal => 6,
        }
    }

    fn of(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Ping,
            1 => Self::Pong,
            2 => Self::Carries(Lane::Consensus),
            3 => Self::Carries(Lane::Gossip),
            4 => Self::Hello,
            5 => Self::Welcome,
            6 => Self::Refusal,
            _ => return None,
        })
    }
}

/// Why bytes are no frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a frame of {0} bytes exceeds {MAX_FRAME}")]
    TooLong(usize),
    #[error("a frame of unknown kind {0}")]
    Kind(u8),
}

/// The bytes before a body.
pub(crate) fn head(kind: Kind, length: usize) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let mut rest = head.as_mut_slice();
    rest.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    rest.put_u8(kind.number());
    head
}

/// Takes the next whole frame out of what was read.
pub(crate) fn next(read: &mut BytesMut) -> Result<Option<(Kind, Bytes)>, FrameError> {
    let Some((mut head, _)) = read.split_at_checked(HEAD) else { return Ok(None) };
    let (length, number) = (head.get_u32() as usize, head.get_u8());
    if length > MAX_FRAME {
        return Err(FrameError::TooLong(length));
    }
    let kind = Kind::of(number).ok_or(FrameError::Kind(number))?;
    if read.len() < HEAD + length {
        return Ok(None);
    }
    read.advance(HEAD);
    Ok(Some((kind, read.split_to(length).freeze())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wire(frames: &[(Kind, Vec<u8>)]) -> Vec<u8> {
        frames.iter().flat_map(|(kind, body)| head(*kind, body.len()).into_iter().chain(body.iter().copied())).collect()
    }

    fn kind() -> impl Strategy<Value = Kind> {
        (0u8..7).prop_map(|n| Kind::of(n).unwrap())
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_they_are_cut(
            frames in prop::collection::vec((kind(), prop::collection::vec(any::<u8>(), 0..50)), 0..8),
            cut in 1usize..40,
        ) {
            let (mut read, mut found) = (BytesMut::new(), Vec::new());
            for piece in wire(&frames).chunks(cut) {
                read.extend_from_slice(piece);
                while let Some((kind, body)) = next(&mut read).unwrap() {
                    found.push((kind, body.to_vec()));
                }
            }
            prop_assert_eq!(found, frames);
            prop_assert!(read.is_empty());
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut read = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = next(&mut read) {}
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_it_is_read() {
        let mut read = BytesMut::from(&head(Kind::Ping, MAX_FRAME + 1)[..]);
        assert_eq!(next(&mut read), Err(FrameError::TooLong(MAX_FRAME + 1)));
        let mut read = BytesMut::from(&[0, 0, 0, 0, 7][..]);
        assert_eq!(next(&mut read), Err(FrameError::Kind(7)));
    }
}
