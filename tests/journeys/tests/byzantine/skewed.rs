//! A validator whose clock is wrong: time on the ledger stays that of the others.

use std::sync::Arc;

use covenant_daemon::{Clock, Keyring};
use covenant_journeys::now_ms;

use crate::square::{HONEST, ROGUE, Square, id};

const HOUR_MS: i64 = 3_600_000;

/// A clock that is off by so much.
struct Off(i64);

impl Clock for Off {
    fn now_ms(&self) -> u64 {
        now_ms().saturating_add_signed(self.0)
    }
}

async fn skewed(off_ms: i64) {
    let square = Square::founded().await;
    let founded_ms = now_ms();
    square.start_honest().await;
    let keyring = Keyring::of(id(ROGUE), square.key(ROGUE));
    let mut config = square.config(ROGUE, keyring, square.hub.join(&id(ROGUE)));
    config.clock = Arc::new(Off(off_ms));
    square.launch(config).await.unwrap();
    square.busy(&HONEST, 24).await;
    let everybody = [HONEST.as_slice(), &[ROGUE]].concat();
    square.assert_sound(&everybody).await;
    for entry in square.acknowledged() {
        let header = square.receipt(&square.node("housing"), &entry).await.anchor.header;
        // Ten seconds are what block time may run ahead of a right clock.
        assert!((founded_ms - 10_000..=now_ms() + 10_000).contains(&header.time_ms), "height {}", header.height);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_an_hour_ahead_does_not_move_the_ledger_s() {
    skewed(HOUR_MS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_an_hour_behind_does_not_move_the_ledger_s() {
    skewed(-HOUR_MS).await;
}
