use arc_malachitebft_app_channel::app::types::SignedConsensusMsg;
use arc_malachitebft_core_types::PolkaCertificate;
use covenant_canon::Digest;
use covenant_domain::MemberId;
use covenant_ledger::{Certificate, CommitSignature, VoteKind};
use proptest::prelude::*;

use super::wire::*;
use super::*;
use crate::config::{MAX_BLOCK_BYTES, PART_BYTES};
use crate::context::Part;

fn member() -> MemberId {
    MemberId::new("housing").unwrap()
}

fn vote() -> VoteWire {
    VoteWire {
        kind: VoteKind::Precommit,
        height: 7,
        round: 2,
        block: Some(Digest([3; 32])),
        validator: member(),
        signature: vec![9; 64],
    }
}

fn part() -> PartWire {
    PartWire {
        height: 7,
        round: 0,
        valid_round: None,
        block: Digest([3; 32]),
        index: 0,
        count: 8,
        data: vec![1; PART_BYTES],
    }
}

fn certificate() -> Certificate {
    let signatures = vec![CommitSignature { validator: member(), signature: vec![9; 64] }];
    Certificate { height: 7, round: 2, block: Digest([3; 32]), signatures }
}

fn every_message() -> Vec<Message> {
    let signatures = certificate().signatures;
    let block = Digest([3; 32]);
    let round_vote = RoundVoteWire { kind: VoteKind::Prevote, block: None, validator: member(), signature: vec![1] };
    vec![
        Message::Vote(vote()),
        Message::Offer(OfferWire {
            height: 7,
            round: 2,
            block,
            valid_round: Some(1),
            proposer: member(),
            signature: vec![9; 64],
        }),
        Message::Part(part()),
        Message::Polka(PolkaWire { height: 7, round: 2, block, signatures }),
        Message::Round(RoundWire { height: 7, round: 2, skip: true, votes: vec![round_vote] }),
        Message::Status(StatusWire { tip: 7, earliest: 1 }),
        Message::Request(RequestWire { id: 1, first: 2, last: 3 }),
        Message::Response(ResponseWire {
            id: 1,
            first: 7,
            values: vec![ValueWire { block: vec![1, 2], certificate: certificate() }],
        }),
        Message::Wake(8),
        Message::Known(KnownWire { height: 7, round: 2, valid_round: None, proposer: member(), block, valid: true }),
    ]
}

#[test]
fn every_message_survives_and_any_damage_shows_or_changes_it() {
    for message in every_message() {
        let bytes = encode(message.clone());
        assert_eq!(decode(&bytes).unwrap(), message);
        assert!(decode(&bytes[..bytes.len() - 1]).is_err());
        for at in (0..bytes.len()).step_by(bytes.len().div_ceil(200)) {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 1;
            assert!(decode(&damaged).map_or(true, |other| other != message));
        }
    }
}

#[test]
fn other_versions_are_refused() {
    let bytes = to_bytes(&Frame { version: 2, message: Message::Wake(1) });
    assert!(matches!(decode(&bytes), Err(CodecError::Version(2))));
}

#[test]
fn engine_values_come_back_from_their_bytes() {
    for message in every_message().into_iter().take(2) {
        let value: SignedConsensusMsg<Context> = message.clone().try_into().unwrap();
        assert_eq!(Message::try_from(&value).unwrap(), message);
        let back: SignedConsensusMsg<Context> = Cbor.decode(Cbor.encode(&value).unwrap()).unwrap();
        assert_eq!(back, value);
    }
    let polka: PolkaCertificate<Context> = every_message().swap_remove(3).try_into().unwrap();
    let back: PolkaCertificate<Context> = Cbor.decode(Cbor.encode(&polka).unwrap()).unwrap();
    assert_eq!(back, polka);
    assert!(SignedConsensusMsg::try_from(Message::Wake(1)).is_err());
}

#[test]
fn lengths_and_numbers_are_bounded() {
    let long_signature = VoteWire { signature: vec![0; MAX_SIGNATURE_BYTES + 1], ..vote() };
    assert!(SignedConsensusMsg::try_from(Message::Vote(long_signature)).is_err());
    for (height, round) in [(0, 0), (u64::MAX, 0), (1, MAX_ROUND + 1), (1, u32::MAX)] {
        assert!(SignedConsensusMsg::try_from(Message::Vote(VoteWire { height, round, ..vote() })).is_err());
    }
    assert!(Part::try_from(part()).is_ok());
    let too_many = MAX_BLOCK_BYTES.div_ceil(PART_BYTES) as u32 + 1;
    for bad in [
        PartWire { index: 8, ..part() },
        PartWire { count: 0, ..part() },
        PartWire { count: too_many, ..part() },
        PartWire { data: vec![0; PART_BYTES + 1], ..part() },
    ] {
        assert!(Part::try_from(bad).is_err());
    }
    let value = ValueWire { block: Vec::new(), certificate: certificate() };
    let many = ResponseWire { id: 1, first: 7, values: vec![value; MAX_VALUES + 1] };
    assert!(Response::<Context>::try_from(many).is_err());
}

#[test]
fn peers_are_named_after_members() {
    let long = MemberId::new(&"x".repeat(40)).unwrap();
    for member in [member(), long] {
        assert_eq!(peer_member(&peer_id(&member).unwrap()), Some(member));
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _any = decode(&bytes);
    }

    #[test]
    fn no_damaged_message_panics(which in 0..10_usize, at: prop::sample::Index, to: u8) {
        let message = every_message().swap_remove(which);
        let mut bytes = encode(message).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(message) = decode(&bytes) {
            let _value = SignedConsensusMsg::<Context>::try_from(message.clone());
            let _value = PolkaCertificate::<Context>::try_from(message.clone());
            if let Message::Part(part) = message.clone() {
                let _part = Part::try_from(part);
            }
            let _value = Response::<Context>::try_from(message);
        }
    }
}
