//! The holder's node goes away in the middle of a lookup and comes back.

use std::sync::Arc;

use covenant_client::Transport;
use covenant_domain::Subject;
use covenant_journeys::{Town, dataset};
use tokio::sync::Notify;

use crate::spy::{Hook, Tricks};
use crate::world::{CREDIT, Gate, TRUSTEES, built, ceremony, city, expected, found, subject};

const HOLDER: &str = "credit-centre";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_goes_on_after_its_holder_was_away() {
    let (dir, (city, absent)) = (tempfile::tempdir().unwrap(), city());
    let mut town = Town::open(dir.path(), &city).await;
    let gate = Gate::open(town.founding.clone(), town.port(), Tricks::default()).await;
    let mut trustees = Vec::new();
    for trustee in TRUSTEES {
        trustees.push(gate.client(trustee, Transport::Rest).await);
    }
    ceremony(trustees, 2).await;
    let centre = gate.client(HOLDER, Transport::Rest).await;
    centre.build_epoch(&dataset(CREDIT), 1).await.unwrap();
    built(&centre).await.unwrap();
    let present: Subject = subject(&city.residents[2]);
    // Away after the permit and before the evaluation; after the evaluation and before the question.
    for call in ["evaluate", "retrieve"] {
        for who in [&present, &absent[0]] {
            let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
            let (at, on) = (reached.clone(), go.clone());
            let hook: Hook = Arc::new(move |_| {
                let (at, on) = (at.clone(), on.clone());
                Box::pin(async move {
                    at.notify_one();
                    on.notified().await;
                })
            });
            let ticket = gate.consents(std::slice::from_ref(who), 1).await.remove(0);
            gate.spy.be(Tricks { before: Some((call, hook)), ..Tricks::default() });
            let (bank, question) = (gate.bank.clone(), gate.question(&ticket, who));
            let asked = tokio::spawn(async move { bank.look_up(question).await });
            reached.notified().await;
            gate.spy.be(Tricks::default());
            town.stop(HOLDER).await;
            town.start(HOLDER).await.unwrap();
            go.notify_one();
            let answer = asked.await.unwrap().unwrap();
            let rows = if who == &present { vec![expected(&city.residents[2])] } else { vec![] };
            assert_eq!(found(&answer), rows, "{call}");
        }
    }
}
