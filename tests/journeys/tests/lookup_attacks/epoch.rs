//! A gateway that serves other files than the holder's, or says something else of the epoch than the ledger.

use std::sync::Arc;

use covenant_api::EpochPart;
use covenant_app::port::EpochView;
use covenant_canon::{Digest, Label};
use covenant_client::{ClientError, QueryState, Transport};
use covenant_domain::{FieldName, ReasonCode};
use covenant_journeys::dataset;

use crate::spy::{Tricks, Twist};
use crate::world::{CREDIT, Gate, expected, found, shared};

fn last_byte() -> Twist<Vec<u8>> {
    Arc::new(|bytes| *bytes.last_mut().unwrap() ^= 1)
}

fn cut() -> Twist<Vec<u8>> {
    Arc::new(|bytes| bytes.truncate(bytes.len() - 1))
}

fn every_byte() -> Twist<Vec<u8>> {
    Arc::new(|bytes| bytes.iter_mut().for_each(|b| *b ^= 0x80))
}

fn with_file(part: EpochPart, twist: Twist<Vec<u8>>) -> Tricks {
    Tricks { file: Some((part, twist)), ..Tricks::default() }
}

fn with_epoch(twist: Twist<EpochView>) -> Tricks {
    Tricks { epoch: Some(twist), ..Tricks::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_changed_byte_of_a_file_is_noticed() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    for part in [EpochPart::Hint, EpochPart::Locator, EpochPart::OverlayHint, EpochPart::OverlayLocator] {
        gate.spy.be(with_file(part, last_byte()));
        let bank = gate.client("bank", Transport::Rest).await;
        let tried = bank.prepare_lookups(&dataset(CREDIT)).await;
        assert!(matches!(tried, Err(ClientError::Epoch { .. })), "{part}: {tried:?}");
        gate.spy.be(with_file(part, cut()));
        assert!(bank.prepare_lookups(&dataset(CREDIT)).await.is_err(), "{part}");
        gate.spy.be(Tricks::default());
        bank.prepare_lookups(&dataset(CREDIT)).await.unwrap();
    }
    let regulator = gate.client("regulator", Transport::Rest).await;
    for part in [EpochPart::Matrix, EpochPart::OverlayMatrix] {
        gate.spy.be(with_file(part, last_byte()));
        let tried = regulator.mirror_epoch(&dataset(CREDIT)).await;
        assert!(matches!(tried, Err(ClientError::Epoch { .. })), "{part}: {tried:?}");
        gate.spy.be(Tricks::default());
    }
    assert!(regulator.mirror_epoch(&dataset(CREDIT)).await.unwrap() > 0);
    // Rows, though sealed, are not for those who ask.
    let matrix = gate.bank.epoch_file(&dataset(CREDIT), 1, 0, EpochPart::Matrix, 0, 100).await;
    assert_eq!(matrix.unwrap_err().code(), Some("not-a-party"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_with_another_key_number_or_proof_is_refused() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    let escrow = gate.bank.ceremonies().await.unwrap()[0].key.unwrap();
    let twists: [(&str, Twist<EpochView>); 6] = [
        ("another key", Arc::new(move |view| view.state.epoch.key = escrow)),
        ("no point", Arc::new(|view| view.state.epoch.key.0 = [0xff; 32])),
        ("identity", Arc::new(|view| view.state.epoch.key.0 = [0; 32])),
        ("another proof", Arc::new(|view| view.state.epoch.possession.0[40] ^= 1)),
        ("another number", Arc::new(|view| view.state.epoch.number += 1)),
        ("another dataset", Arc::new(|view| view.state.epoch.dataset = dataset("tax/levy/income"))),
    ];
    for (what, twist) in twists {
        gate.spy.be(with_epoch(twist));
        let bank = gate.client("bank", Transport::Rest).await;
        let tried = bank.prepare_lookups(&dataset(CREDIT)).await;
        assert!(matches!(tried, Err(ClientError::Epoch { .. })), "{what}: {tried:?}");
    }
    // Other fields than the row carries: the ledger knows which.
    gate.spy.be(with_epoch(Arc::new(|view| view.state.epoch.fields[1] = FieldName::new("open_loans").unwrap())));
    let reply = gate.look_up(&world.resident(21)).await.unwrap();
    let named = reply.reasons.iter().any(|r| r.code == ReasonCode::EpochMismatch);
    assert!(reply.state == QueryState::Refused && named, "{:?} {:?}", reply.state, reply.reasons);
}

/// What a bank is told of somebody on record by a gateway that lies about the epoch: the truth or an error, never that
/// there is no record.
async fn not_hidden(gate: &Gate, what: &str) {
    let world = shared().await;
    let bank = gate.client("bank", Transport::Rest).await;
    let who = world.resident(22);
    let ticket = gate.consents(std::slice::from_ref(&who), 1).await.remove(0);
    match bank.look_up(gate.question(&ticket, &who)).await {
        Err(error) => println!("{what}: {error}"),
        Ok(answer) => assert_eq!(
            found(&answer),
            [expected(&world.city.residents[22])],
            "{what}: a gateway made a record vanish, and the evidence verified"
        ),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_cannot_hide_a_record_by_another_seed() {
    let gate = shared().await.gate(Tricks::default()).await;
    gate.spy.be(with_epoch(Arc::new(|view| view.state.epoch.table.seed[0] ^= 1)));
    not_hidden(&gate, "seed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_cannot_hide_a_record_by_another_hint() {
    let gate = shared().await.gate(Tricks::default()).await;
    let suite = shared().await.consortium.founding.genesis.suite;
    // The whole of it as the gateway will serve it: every byte changed, so that chunks do not matter.
    let mut hint = Vec::new();
    loop {
        let at = hint.len() as u64;
        let chunk = gate.bank.epoch_file(&dataset(CREDIT), 1, 0, EpochPart::Hint, at, 1 << 20).await.unwrap();
        hint.extend(chunk.bytes);
        if hint.len() as u64 == chunk.total {
            break;
        }
    }
    every_byte()(&mut hint);
    let digest = Digest::of(suite, Label::LOOKUP_HINT, &hint);
    let epoch: Twist<EpochView> = Arc::new(move |view| view.state.epoch.table.hint = digest);
    gate.spy.be(Tricks { epoch: Some(epoch), ..with_file(EpochPart::Hint, every_byte()) });
    not_hidden(&gate, "hint").await;
}
