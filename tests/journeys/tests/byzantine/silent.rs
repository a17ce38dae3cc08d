//! A validator that is there and never says a word.

use crate::mouth::Said;
use crate::square::{HONEST, ROGUE, Square, id};

/// Headers of four validators that are looked back at to tell who is live.
const WINDOW: u64 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_validator_is_not_waited_for_once_its_silence_is_on_record() {
    let square = Square::with(Box::new(|_, _| Said::Instead(Vec::new()))).await;
    let seen = square.watch("housing");
    square.busy(&HONEST, 40).await;
    square.stop(ROGUE).await;
    square.assert_sound(&HONEST).await;

    let (mut late, mut wasted) = (0, 0);
    for entry in square.acknowledged() {
        let anchor = square.receipt(&square.node("housing"), &entry).await.anchor;
        assert!(anchor.certificate.signatures.iter().all(|s| s.validator != id(ROGUE)));
        let (height, round) = (anchor.header.height, u64::from(anchor.certificate.round));
        if height <= WINDOW {
            wasted += u64::from(round > 0);
            continue;
        }
        // A turn is counted among those who are live: from here on there are three.
        let turn = ((height + round) % 3) as usize;
        assert_eq!(anchor.header.proposer, id(HONEST[turn]), "height {height}, round {round}");
        late += 1;
    }
    assert!(late > 10 && wasted > 0, "{late} blocks without it, {wasted} turns wasted on it before");
    let seen = seen.lock();
    assert!(seen.iter().all(|b| b.header.proposer != id(ROGUE) && !b.header.parent_signers.contains(&id(ROGUE))));
}
