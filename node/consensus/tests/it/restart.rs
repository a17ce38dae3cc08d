//! Crashes. Each validator has its own runtime here; dropping that drops every task of it wherever it stands.

use tokio::runtime::{Builder, Runtime};

use crate::cluster::Cluster;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn all_crash_at_once_and_nothing_is_lost() {
    let watcher = runtime();
    let mut cluster = Cluster::new(4);
    let mut goal = 0;
    for crash in 0..4 {
        let runtimes: Vec<_> = (0..4).map(|_| runtime()).collect();
        for (index, runtime) in runtimes.iter().enumerate() {
            runtime.block_on(cluster.start(index));
        }
        cluster.submit((0..25).map(|n| crash * 100 + n));
        goal += 15;
        watcher.block_on(cluster.reached(0..1, goal));
        let tips: Vec<_> = (0..4).map(|i| cluster.tip(i)).collect();
        for runtime in runtimes {
            runtime.shutdown_background();
        }
        for (index, tip) in tips.iter().enumerate() {
            cluster.nodes[index].engine = None;
            assert!(cluster.tip(index) >= *tip);
        }
        cluster.assert_one_chain();
    }
    watcher.block_on(async {
        for index in 0..4 {
            cluster.start(index).await;
        }
        for node in &cluster.nodes {
            crate::cluster::soon("all entries", node.replica.idle()).await;
        }
    });
    let disk = cluster.nodes[0].disk.lock();
    let mut entries: Vec<_> = (1..=disk.tip()).flat_map(|h| disk.block(h).entries).collect();
    entries.sort_unstable();
    assert_eq!(entries, (0..4).flat_map(|c| (0..25).map(move |n| c * 100 + n)).collect::<Vec<u64>>());
    drop(disk);
    cluster.assert_one_chain();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_validator_catches_up_from_resting_peers() {
    let mut cluster = Cluster::started(4).await;
    cluster.submit(0..4);
    cluster.reached(0..4, 4).await;
    cluster.stop(1).await;
    cluster.submit(10..50);
    cluster.reached([0, 2, 3], 44).await;
    // Everybody restarts and rests: whoever has blocks must serve them without having started a height.
    for index in [0, 2, 3] {
        cluster.stop(index).await;
    }
    for index in 0..4 {
        cluster.start(index).await;
    }
    cluster.nodes[1].disk.lock().mempool.clear();
    cluster.reached(0..4, 44).await;
    cluster.assert_one_chain();
}
