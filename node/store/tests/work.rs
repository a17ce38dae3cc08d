//! What is not the ledger: proposed blocks, the mempool, the worker's inputs and answers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod support;

use covenant_domain::IntentId;
use covenant_store::{Input, Pending, Store, StoredAnswer, Undecided};
use support::blocks::{Chain, bytes, digest, intent, member};
use support::sites;

fn undecided(height: u64, round: u32, seed: u64) -> Undecided {
    Undecided { height, round, proposer: member("housing"), id: digest(seed), bytes: bytes(seed, 900) }
}

fn pending(seed: u64) -> Pending {
    Pending { id: digest(seed), author: member("bank"), bytes: bytes(seed, 300) }
}

#[tokio::test]
async fn proposed_blocks_stay_until_their_height_is_committed() {
    for site in sites("proposed_blocks_stay_until_their_height_is_committed") {
        let store = Store::open(&site.url).await.unwrap();
        let all = [undecided(1, 0, 5), undecided(1, 1, 4), undecided(1, 1, 6), undecided(2, 0, 7)];
        for proposed in all.iter().chain(&all).rev() {
            store.put_undecided(proposed).await.unwrap();
        }
        let mut round = store.undecided(1, 1).await.unwrap();
        round.sort_by_key(|u| u.bytes != all[1].bytes);
        assert_eq!(round, all[1..3]);
        drop(store);
        let store = Store::open(&site.url).await.unwrap();
        assert_eq!(store.undecided_all().await.unwrap().len(), 4);
        store.commit(&Chain::default().next(0)).await.unwrap();
        assert_eq!(store.undecided_all().await.unwrap(), all[3..]);
    }
}

#[tokio::test]
async fn the_mempool_keeps_the_order_of_arrival() {
    for site in sites("the_mempool_keeps_the_order_of_arrival") {
        let store = Store::open(&site.url).await.unwrap();
        let all: Vec<Pending> = (0..1500).map(pending).collect();
        store.put_pending(&all[..700]).await.unwrap();
        store.put_pending(&all[600..]).await.unwrap();
        store.put_pending(&[]).await.unwrap();
        assert_eq!(store.pending().await.unwrap(), all);
        let ids: Vec<_> = all.iter().map(|p| p.id).collect();
        store.drop_pending(&ids[1300..]).await.unwrap();
        let mut commit = Chain::default().next(3);
        commit.included = ids[..1200].to_vec();
        store.commit(&commit).await.unwrap();
        store.put_pending(&all[..1]).await.unwrap();
        assert_eq!(store.pending().await.unwrap(), [&all[1200..1300], &all[..1]].concat());
    }
}

#[tokio::test]
async fn the_first_input_and_the_first_answer_stay() {
    for site in sites("the_first_input_and_the_first_answer_stay") {
        let store = Store::open(&site.url).await.unwrap();
        let input = |n: u64, seed: u64| Input {
            intent: intent(n),
            consumer: member("bank"),
            sealed: bytes(seed, 100),
            received_ms: n,
        };
        let answer = |n: u64, seed: u64| StoredAnswer {
            intent: intent(n),
            consumer: member("bank"),
            sealed: bytes(seed, 100),
            completion: bytes(seed, 60),
            submitted: false,
            created_ms: n,
        };
        let inputs: Vec<Input> = (0..1400).map(|n| input(n, n)).collect();
        let answers: Vec<StoredAnswer> = (0..1400).map(|n| answer(n, n)).collect();
        store.put_inputs(&inputs).await.unwrap();
        store.put_answers(&answers).await.unwrap();
        store.put_inputs(&[input(3, 99), input(3, 98), input(1400, 97), input(1400, 96)]).await.unwrap();
        store.put_answers(&[answer(3, 99), answer(1400, 97), answer(1400, 96)]).await.unwrap();
        let stranger = Input { consumer: member("tax"), ..input(3, 95) };
        store.put_inputs(std::slice::from_ref(&stranger)).await.unwrap();
        let ids: Vec<IntentId> = [3, 1400, 9999, 3].into_iter().map(intent).collect();
        assert_eq!(store.inputs(&ids).await.unwrap(), [input(3, 3), stranger, input(1400, 97)]);
        assert_eq!(store.answers(&ids).await.unwrap(), [answer(3, 3), answer(1400, 97)]);
        assert_eq!(store.answers(&[]).await.unwrap(), []);

        store.mark_submitted(&(0..1399).map(intent).collect::<Vec<_>>()).await.unwrap();
        assert_eq!(store.unsubmitted().await.unwrap(), [answer(1399, 1399), answer(1400, 97)]);
        assert_eq!(store.prune_work(1000).await.unwrap(), 2001);
        let all: Vec<IntentId> = (0..1401).map(intent).collect();
        assert_eq!(store.inputs(&all).await.unwrap()[..400], inputs[1000..]);
        assert_eq!(store.answers(&all).await.unwrap().len(), 401);
    }
}
