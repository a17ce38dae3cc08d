//! Cutting bytes into frames.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

use bytes::{BufMut, Bytes, BytesMut};
use covenant_mesh::{Decoder, Frame, FrameError, HEADER, Kind, Lane, MOST_BODY, encode};
use proptest::prelude::*;

/// All frames of the bytes, offered in pieces of these lengths and the rest at once.
fn decode(bytes: &[u8], pieces: &[usize]) -> Result<Vec<Frame>, FrameError> {
    let (mut decoder, mut frames, mut rest) = (Decoder::new(), Vec::new(), bytes);
    for length in pieces.iter().copied().chain([usize::MAX]) {
        let (piece, later) = rest.split_at(length.min(rest.len()));
        decoder.room().put_slice(piece);
        rest = later;
        while let Some(frame) = decoder.next_frame()? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

fn frame() -> impl Strategy<Value = Frame> {
    let lane = prop_oneof![Just(Lane::Consensus), Just(Lane::Gossip)];
    let of_lane = (lane, prop::collection::vec(any::<u8>(), 0..5000))
        .prop_map(|(lane, body)| Frame { kind: Kind::Lane(lane), body: body.into() });
    let short = prop_oneof![Just(Kind::Ping), Just(Kind::Pong), Just(Kind::Hello), Just(Kind::Refusal)];
    let of_mesh =
        (short, any::<[u8; 8]>()).prop_map(|(kind, body)| Frame { kind, body: Bytes::copy_from_slice(&body) });
    prop_oneof![of_lane, of_mesh]
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(
        frames in prop::collection::vec(frame(), 0..12),
        pieces in prop::collection::vec(0_usize..3000, 0..60),
    ) {
        let mut bytes = BytesMut::new();
        frames.iter().for_each(|frame| encode(frame.kind, &frame.body, &mut bytes));
        prop_assert_eq!(decode(&bytes, &pieces), Ok(frames));
    }

    #[test]
    fn random_bytes_give_the_same_outcome_in_any_split(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        short in any::<bool>(),
        pieces in prop::collection::vec(0_usize..50, 0..60),
    ) {
        let mut bytes = bytes;
        if short {
            // Makes lengths likely that are within the limit.
            bytes.chunks_mut(7).for_each(|chunk| chunk.iter_mut().take(3).for_each(|byte| *byte = 0));
        }
        prop_assert_eq!(decode(&bytes, &pieces), decode(&bytes, &[]));
    }
}

#[test]
fn the_header_is_enough_to_refuse() {
    let header = |length: u32, kind: u8| [&length.to_be_bytes()[..], &[kind]].concat();
    let longest = u32::try_from(MOST_BODY).unwrap();
    assert_eq!(decode(&header(longest, 0), &[]), Ok(vec![]));
    let too_long = FrameError::TooLong { length: MOST_BODY + 1, most: MOST_BODY };
    assert_eq!(decode(&header(longest + 1, 1), &[]), Err(too_long));
    assert_eq!(decode(&header(9, 2), &[]), Err(FrameError::TooLong { length: 9, most: 8 }));
    assert_eq!(decode(&header(0, 7), &[]), Err(FrameError::Unknown(7)));
    assert_eq!(decode(&header(u32::MAX, 200), &[]), Err(FrameError::Unknown(200)));
}

#[test]
fn an_announced_frame_takes_no_room_before_it_comes() {
    let mut decoder = Decoder::new();
    decoder.room().put_slice(&[0, 32, 0, 0, 0]);
    assert_eq!(decoder.next_frame(), Ok(None));
    assert!(decoder.room().capacity() < 128 << 10);
}

#[test]
fn the_longest_frame_passes() {
    let mut bytes = BytesMut::new();
    encode(Kind::Lane(Lane::Gossip), &vec![5; MOST_BODY], &mut bytes);
    assert_eq!(bytes.len(), MOST_BODY + HEADER);
    let frames = decode(&bytes, &[1 << 20]).unwrap();
    assert_eq!(frames[0].body, vec![5; MOST_BODY]);
}
