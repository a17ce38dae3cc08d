//! Without work there are no blocks; with work there soon is one.

use std::time::{Duration, Instant};

use crate::cluster::{Cluster, name, soon};
use crate::evidence::wake;

async fn quiet() {
    tokio::time::sleep(Duration::from_secs(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_made_until_somebody_wants_it() {
    let cluster = Cluster::started(4).await;
    quiet().await;
    assert_eq!((0..4).map(|i| cluster.tip(i)).collect::<Vec<_>>(), [0; 4]);

    // Only one replica knows of the work, each in turn, so all others are woken by it.
    for wisher in 0..4 {
        let before = cluster.tip(wisher);
        let began = Instant::now();
        cluster.nodes[wisher].replica.submit([wisher as u64]);
        soon("the entry", cluster.nodes[wisher].replica.idle()).await;
        println!("m{wisher}: committed {} ms after submit", began.elapsed().as_millis());
        let made = cluster.tip(wisher);
        assert!(made > before);
        cluster.reached(0..4, made).await;
        assert_eq!(cluster.nodes[wisher].disk.lock().mempool.len(), 0);
    }

    // The last block is reached by a quorum; the votes beyond it are still coming in.
    quiet().await;
    let rested = cluster.tip(0);
    let verified: Vec<_> =
        cluster.nodes.iter().map(|n| n.check.count.load(std::sync::atomic::Ordering::Relaxed)).collect();
    quiet().await;
    assert_eq!((0..4).map(|i| cluster.tip(i)).collect::<Vec<_>>(), [rested; 4]);
    let later: Vec<_> =
        cluster.nodes.iter().map(|n| n.check.count.load(std::sync::atomic::Ordering::Relaxed)).collect();
    assert_eq!(later, verified, "an idle consortium verifies nothing");
    // All rounds are the first: nobody waited for a timeout.
    assert!(cluster.rounds(0, 1..=rested).iter().all(|r| *r == 0));
    cluster.assert_one_chain();
}

/// One frame that says "I work on a height far away" is not enough to have blocks made without end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_that_cries_wolf_is_believed_less_each_time() {
    let mut cluster = Cluster::new(4);
    for index in 0..3 {
        cluster.start(index).await;
    }
    let liar = cluster.hub.join(&name(3));
    cluster.submit([1]);
    cluster.reached(0..3, 1).await;
    liar.link.broadcast(wake(u64::MAX));
    quiet().await;
    let made = cluster.tip(0);
    assert!((2..12).contains(&made), "{made} blocks for nobody");
    // Real work is not held up by it, and makes the others ready again.
    for entry in 10..20 {
        cluster.submit([entry]);
        soon("the entry", cluster.nodes[0].replica.idle()).await;
    }
    cluster.reached(0..3, cluster.tip(0)).await;
    cluster.assert_one_chain();
}

#[tokio::test]
async fn one_validator_rests_too() {
    let cluster = Cluster::started(1).await;
    quiet().await;
    assert_eq!(cluster.tip(0), 0);
    cluster.submit([1]);
    cluster.reached([0], 1).await;
    quiet().await;
    assert_eq!(cluster.tip(0), 1);
}
