//! A gateway that does not carry what it is given: evaluations, retrievals and sealed answers of another's making.

use std::sync::Arc;

use covenant_canon::{Digest, Label, to_bytes};
use covenant_client::ClientError;
use covenant_domain::{Evaluation, IntentId, Retrieved, SignedRetrieval};
use covenant_journeys::now_ms;
use covenant_suite::{Sealer, suite};

use crate::spy::{Forge, Tricks, Twist};
use crate::world::{Gate, World, expected, found, shared};

async fn honest(gate: &Gate, world: &World, n: usize) {
    gate.spy.be(Tricks::default());
    let answer = gate.look_up(&world.resident(n)).await.unwrap();
    assert_eq!(found(&answer), [expected(&world.city.residents[n])]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evaluation_of_another_query_point_or_proof_is_noticed() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    honest(&gate, world, 30).await;
    let old = gate.spy.evaluations.lock()[0].clone();
    let another = old.clone();
    let (mine, point, proof, both) = (old.clone(), old.evaluated, old.proof.clone(), old.clone());
    let twists: Vec<(&str, Twist<Evaluation>)> = vec![
        ("another query's", Arc::new(move |e| *e = another.clone())),
        ("another query's under this id", Arc::new(move |e| *e = Evaluation { intent: e.intent, ..mine.clone() })),
        ("another point", Arc::new(move |e| e.evaluated = point)),
        ("another proof", Arc::new(move |e| e.proof = proof.clone())),
        ("another id", Arc::new(move |e| e.intent = both.intent)),
        ("no point", Arc::new(|e| e.evaluated.0 = [0xff; 32])),
        ("the identity", Arc::new(|e| e.evaluated.0 = [0; 32])),
        ("a bit of the point", Arc::new(|e| e.evaluated.0[3] ^= 1)),
        ("a bit of the proof", Arc::new(|e| e.proof.0[3] ^= 1)),
        ("half a proof", Arc::new(|e| e.proof.0.truncate(32))),
        ("no proof", Arc::new(|e| e.proof.0.clear())),
    ];
    let retrieved = gate.spy.count("retrieve");
    for (what, twist) in twists {
        gate.spy.be(Tricks { evaluation: Some(twist), ..Tricks::default() });
        let tried = gate.look_up(&world.resident(31)).await;
        let noticed = matches!(tried, Err(ClientError::Evaluation { .. } | ClientError::Protocol { .. }));
        assert!(noticed, "{what}: {tried:?}");
    }
    assert_eq!(gate.spy.count("retrieve"), retrieved, "a question went out under a false evaluation");
    honest(&gate, world, 31).await;
}

/// Signs as somebody who is not the consumer.
fn signed_by(world: &World, member: &str, retrieval: &covenant_domain::Retrieval) -> SignedRetrieval {
    let id = world.consortium.founding.genesis.suite;
    let digest = Digest::of(id, Label::LOOKUP_RETRIEVAL, &to_bytes(retrieval));
    let keys = world.consortium.founding.identity(member).unwrap();
    let signature = suite(id).sign(&keys.signing, Label::LOOKUP_RETRIEVAL, digest.as_bytes()).unwrap();
    SignedRetrieval { retrieval: retrieval.clone(), signature: signature.to_string() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retrieval_of_the_gateways_making_is_refused_and_the_honest_one_works() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    honest(&gate, world, 32).await;
    let old = gate.spy.retrievals.lock()[0].clone();
    let forge: Forge = Arc::new(move |honest: &SignedRetrieval| {
        let altered = |change: &dyn Fn(&mut SignedRetrieval)| {
            let mut forged = honest.clone();
            change(&mut forged);
            forged
        };
        let mut own = honest.retrieval.clone();
        own.table_query.clone_from(&old.retrieval.table_query);
        vec![
            altered(&|f| f.retrieval.table_query[5] ^= 1),
            altered(&|f| f.retrieval.overlay_query[5] ^= 1),
            altered(&|f| f.retrieval.overlay += 1),
            altered(&|f| f.retrieval.table_query.truncate(4)),
            altered(&|f| f.signature.clear()),
            altered(&|f| f.signature.clone_from(&old.signature)),
            signed_by(world, "tax", &own),
            signed_by(world, "credit-centre", &own),
            // An old one, for this query and as it was.
            SignedRetrieval {
                retrieval: covenant_domain::Retrieval { intent: honest.retrieval.intent, ..old.retrieval.clone() },
                ..old.clone()
            },
            old.clone(),
            // For a query that nobody knows, and signed well.
            signed_by(
                world,
                "bank",
                &covenant_domain::Retrieval { intent: IntentId::from_parts(now_ms(), &[7; 10]), ..own.clone() },
            ),
            // Signed well, of another length, for an overlay that is not there.
            signed_by(world, "bank", &covenant_domain::Retrieval { table_query: vec![0; 8], ..own.clone() }),
            signed_by(world, "bank", &covenant_domain::Retrieval { overlay: 9, ..own }),
        ]
    });
    gate.spy.be(Tricks { retrieval: Some(forge), ..Tricks::default() });
    let answer = gate.look_up(&world.resident(33)).await.unwrap();
    assert_eq!(found(&answer), [expected(&world.city.residents[33])]);
    let forged = gate.spy.forged.lock().clone();
    let codes: Vec<_> = forged.iter().map(|(said, _)| said.clone().unwrap_err()).collect();
    assert_eq!(codes[..9], ["retrieval-signature"; 9]);
    assert_eq!(codes[9..], ["not-permitted", "not-permitted", "retrieval-length", "overlay-gone"]);
    assert!(forged.iter().all(|(_, stored)| !stored), "a forged retrieval was stored");
    // Once answered, the bank's own question is there and another of its own does not replace it.
    let kept = gate.bank.retrieval(&answer.intent).await.unwrap();
    let honest = gate.spy.retrievals.lock()[1].clone();
    assert_eq!(kept, to_bytes(&honest));
    let second = signed_by(
        world,
        "bank",
        &covenant_domain::Retrieval {
            table_query: gate.spy.retrievals.lock()[0].retrieval.table_query.clone(),
            ..honest.retrieval
        },
    );
    let again = gate.bank.retrieve(&answer.intent, to_bytes(&second)).await;
    assert_eq!(again.unwrap_err().code(), Some("not-permitted"));
    assert_eq!(gate.bank.retrieval(&answer.intent).await.unwrap(), kept);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_answer_of_another_query_or_maker_is_noticed() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    honest(&gate, world, 34).await;
    let old = gate.spy.sealed.lock().first_key_value().unwrap().1.clone();
    let sealed = |twist: Twist<Vec<u8>>| Tricks { sealed: Some(twist), ..Tricks::default() };
    gate.spy.be(sealed(Arc::new(move |bytes| bytes.clone_from(&old))));
    let tried = gate.look_up(&world.resident(35)).await;
    assert!(matches!(tried, Err(ClientError::Crypto { .. })), "{tried:?}");
    gate.spy.be(sealed(Arc::new(|bytes| *bytes.last_mut().unwrap() ^= 1)));
    let tried = gate.look_up(&world.resident(35)).await;
    assert!(matches!(tried, Err(ClientError::Crypto { .. })), "{tried:?}");
    // Anybody can seal to the bank: an answer of zeros, which would read as no record.
    let genesis = world.consortium.founding.genesis.clone();
    let key = genesis.members.iter().find(|m| m.id.as_str() == "bank").unwrap().sealing_key.parse().unwrap();
    let spy = Arc::downgrade(&gate.spy);
    gate.spy.be(sealed(Arc::new(move |bytes| {
        let intent = spy.upgrade().unwrap().retrievals.lock().last().unwrap().retrieval.intent;
        let made_up = to_bytes(&Retrieved { intent, table_answer: vec![0; 512], overlay_answer: vec![0; 512] });
        let sealer = Sealer::new(&key, Label::SEAL_ANSWER, &mut rand::rng()).unwrap();
        *bytes = sealer.seal(intent.as_bytes(), intent.as_bytes(), &made_up).unwrap().to_bytes();
    })));
    let tried = gate.look_up(&world.resident(35)).await;
    assert!(matches!(tried, Err(ClientError::Receipt { .. })), "{tried:?}");
    honest(&gate, world, 35).await;
}
