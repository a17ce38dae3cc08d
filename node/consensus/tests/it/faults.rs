//! Validators that are absent, malicious or cut off.

use std::sync::atomic::Ordering;
use std::time::Duration;

use covenant_consensus::ConsensusError;

use crate::cluster::{Cluster, name, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_validator_costs_rounds_only_until_it_is_known_to_be_absent() {
    let mut cluster = Cluster::started(4).await;
    cluster.submit(0..8);
    cluster.reached(0..4, 8).await;
    cluster.stop(3).await;
    cluster.submit(100..140);
    cluster.reached(0..3, 48).await;
    let rounds = cluster.rounds(0, 9..=48);
    let wasted = rounds.iter().filter(|r| **r > 0).count();
    assert!(wasted <= 4, "{rounds:?}");
    assert_eq!(rounds[15..], [0; 25], "its turns are skipped");
    cluster.assert_one_chain();

    // It comes back, fetches what it missed, signs and is asked to propose again.
    cluster.start(3).await;
    cluster.reached([3], 48).await;
    for entry in 200..230 {
        cluster.submit([entry]);
        let next = cluster.tip(0) + 1;
        cluster.reached(0..4, next).await;
    }
    let disk = cluster.nodes[0].disk.lock();
    let back = (49..=disk.tip()).filter(|h| disk.block(*h).proposer == name(3)).count();
    assert!(back > 0, "it proposes again");
    drop(disk);
    cluster.assert_one_chain();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rubbish_is_voted_down() {
    let cluster = Cluster::started(4).await;
    cluster.nodes[2].replica.spoils.store(true, Ordering::Relaxed);
    cluster.submit(0..12);
    cluster.reached(0..4, 12).await;
    cluster.assert_one_chain();
    let disk = cluster.nodes[0].disk.lock();
    assert!((1..=12).all(|h| disk.block(h).proposer != name(2)));
    assert!((1..=12).any(|h| disk.chain[&h].certificate.round > 0), "its turns ended without a block");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_signatures_count_for_nothing() {
    let mut cluster = Cluster::new(4);
    cluster.nodes[1].forges = true;
    for index in 0..4 {
        cluster.start(index).await;
    }
    cluster.submit(0..12);
    cluster.reached([0, 2, 3], 12).await;
    for index in [0, 2, 3] {
        let disk = cluster.nodes[index].disk.lock();
        assert!(disk.chain.values().all(|c| c.certificate.signatures.iter().all(|s| s.validator != name(1))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minority_makes_no_progress_and_heals() {
    let cluster = Cluster::started(4).await;
    cluster.submit(0..4);
    cluster.reached(0..4, 4).await;
    for other in 0..3 {
        cluster.hub.cut(&name(3), &name(other));
    }
    cluster.submit(10..20);
    cluster.reached(0..3, 14).await;
    assert!(cluster.tip(3) <= 5, "at most what was under way");
    for other in 0..3 {
        cluster.hub.heal(&name(3), &name(other));
    }
    cluster.reached([3], 14).await;
    cluster.submit(20..24);
    cluster.reached(0..4, 18).await;
    cluster.assert_one_chain();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_halves_stand_still_and_go_on_together() {
    let cluster = Cluster::started(4).await;
    cluster.submit(0..4);
    cluster.reached(0..4, 4).await;
    let across = [(0, 2), (0, 3), (1, 2), (1, 3)];
    for (a, b) in across {
        cluster.hub.cut(&name(a), &name(b));
    }
    let before = cluster.tip(0);
    cluster.submit(10..20);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!((0..4).all(|i| cluster.tip(i) <= before + 1));
    for (a, b) in across {
        cluster.hub.heal(&name(a), &name(b));
    }
    cluster.reached(0..4, 14).await;
    cluster.assert_one_chain();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_whose_replica_fails_stops_and_says_why() {
    let mut cluster = Cluster::started(4).await;
    cluster.submit(0..4);
    cluster.reached(0..4, 4).await;
    cluster.nodes[0].replica.broken.store(true, Ordering::Relaxed);
    cluster.submit(10..14);
    let engine = cluster.nodes[0].engine.take().unwrap();
    let cause = soon("the failure", engine.failed()).await;
    assert!(matches!(*cause, ConsensusError::Application { step: "commit", .. }), "{cause:?}");
    cluster.reached(1..4, 8).await;
    engine.stop().await;
    // The cause is gone: it starts again where it was.
    cluster.start(0).await;
    cluster.reached(0..4, 8).await;
    cluster.assert_one_chain();
}

#[tokio::test]
async fn a_log_belongs_to_one_engine() {
    let mut cluster = Cluster::started(1).await;
    let first = cluster.nodes[0].engine.take();
    let refused = cluster.try_start(0).await;
    assert!(matches!(refused, Err(ConsensusError::Wal { .. })));
    drop(first);
    cluster.start(0).await;
}
