//! Blocks are made, and they are the same everywhere.

use std::sync::atomic::Ordering;

use covenant_consensus::Conditions;

use crate::cluster::Cluster;

#[tokio::test]
async fn one_validator_commits_fifty_blocks() {
    let cluster = Cluster::started(1).await;
    cluster.submit(0..50);
    cluster.reached([0], 50).await;
    assert_eq!(cluster.rounds(0, 1..=50), [0; 50]);
    cluster.assert_one_chain();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_validators_commit_a_hundred_equal_blocks() {
    let cluster = Cluster::started(4).await;
    cluster.submit(0..100);
    cluster.reached(0..4, 100).await;
    cluster.assert_one_chain();
    let disk = cluster.nodes[0].disk.lock();
    let mut entries: Vec<_> = (1..=disk.tip()).flat_map(|h| disk.block(h).entries).collect();
    entries.sort_unstable();
    assert_eq!(entries, (0..100).collect::<Vec<_>>(), "every entry once");
    // Per height at most: one proposal, three prevotes, three precommits of others. Own signatures and the precommits
    // of a certificate are not verified a second time.
    for node in &cluster.nodes {
        let per_block = node.check.count.load(Ordering::Relaxed) as u64 / 100;
        assert!((4..=7).contains(&per_block), "{per_block} verifications for each block");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_of_many_parts_arrive() {
    let cluster = Cluster::started(4).await;
    for node in &cluster.nodes {
        node.replica.padding.store(700_000, Ordering::Relaxed);
    }
    cluster.submit(0..8);
    cluster.reached(0..4, 8).await;
    cluster.assert_one_chain();
    assert!(cluster.nodes[3].disk.lock().chain.values().all(|c| c.block.len() > 700_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_network_slows_but_does_not_stop() {
    let cluster = Cluster::started(4).await;
    cluster.hub.set_conditions(Conditions { seed: 3, lost_permille: 30, delay_ms: 5, ..Conditions::default() });
    cluster.submit(0..15);
    cluster.reached(0..4, 15).await;
    cluster.assert_one_chain();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_precommits_strengthen_the_certificate_of_the_next_block() {
    let cluster = Cluster::started(4).await;
    for entry in 0..12 {
        cluster.submit([entry]);
        cluster.reached(0..4, entry + 1).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let disk = cluster.nodes[0].disk.lock();
    let signers: Vec<_> = (2..=12).filter_map(|h| disk.block(h).last).map(|c| c.signatures.len()).collect();
    assert!(signers.iter().filter(|n| **n == 4).count() > 5, "{signers:?}");
    drop(disk);
    cluster.assert_one_chain();
}
