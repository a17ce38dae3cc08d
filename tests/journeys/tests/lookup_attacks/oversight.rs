//! Cases: two trustees of three open a lookup, whoever is not among them cannot help, and the bank sees none of it.

use covenant_client::{ClientError, Ground, QueryState, Question, Transport};
use covenant_domain::{Body, CaseNumber, CaseOutcome, CaseShare, Mode, Package, PurposeCode, Subject};
use covenant_journeys::{dataset, fields};

use crate::spy::Tricks;
use crate::world::{found, shared};

fn named(tried: &ClientError, what: &str) -> bool {
    matches!(tried, ClientError::Case { .. }) && tried.to_string().contains(what)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_three_open_a_lookup_and_nobody_else() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    let (who, miss) = (world.resident(40), world.absent[5].clone());
    let (hit, absent) = (gate.look_up(&who).await.unwrap(), gate.look_up(&miss).await.unwrap());
    assert_eq!((found(&hit).len(), found(&absent).len()), (1, 0));
    let regulator = gate.client("regulator", Transport::Rest).await;
    let case = CaseNumber::new("JC-2026/40").unwrap();
    regulator.open_case(&case, vec![hit.intent, absent.intent], b"order").await.unwrap();
    assert!(named(&regulator.open_escrow(&case, &hit.intent).await.unwrap_err(), &hit.intent.to_string()));

    let court = gate.client("court", Transport::Grpc).await;
    assert_eq!(court.help_case(&case, &world.shares["court"]).await.unwrap(), 2);
    assert_eq!(court.help_case(&case, &world.shares["court"]).await.unwrap(), 0, "helped twice");
    assert!(regulator.open_escrow(&case, &hit.intent).await.is_err(), "one part opened it");

    // Nobody helps with another's share, or is a trustee by saying so.
    let audit = gate.client("audit-office", Transport::Rest).await;
    assert!(matches!(audit.help_case(&case, &world.shares["court"]).await, Err(ClientError::Ceremony { .. })));
    for stranger in ["bank", "housing", "tax"] {
        let client = gate.client(stranger, Transport::Rest).await;
        assert!(client.help_case(&case, &world.shares["audit-office"]).await.is_err());
        let share = CaseShare { case: case.clone(), intent: hit.intent, sealed: Package(vec![1; 200]) };
        let published = client.publish(vec![Body::CaseShared(share)]).await;
        assert!(published.is_err() || published.unwrap()[0].rejected.is_some(), "{stranger} helped");
        assert_eq!(client.cases().await.unwrap_err().code(), Some("not-a-party"), "{stranger} sees cases");
        let opened = client.open_case(&CaseNumber::new("X-1").unwrap(), vec![hit.intent], b"").await;
        assert!(opened.is_err(), "{stranger} opened a case");
    }
    assert!(regulator.open_escrow(&case, &hit.intent).await.is_err(), "a stranger's part counted");

    audit.help_case(&case, &world.shares["audit-office"]).await.unwrap();
    let opened = regulator.open_escrow(&case, &hit.intent).await.unwrap();
    assert!(opened.is(&who) && !opened.is(&miss));
    assert!((41..60).all(|n| !opened.is(&world.resident(n))), "taken for another");
    assert!(!format!("{opened:?}").contains("point"));
    // A lookup that found nothing opens as well.
    assert!(regulator.open_escrow(&case, &absent.intent).await.unwrap().is(&miss));
    // Whom the parts are not sealed to cannot open.
    assert!(court.open_escrow(&case, &hit.intent).await.is_err(), "the court opened the regulator's case");
    regulator.conclude_case(&case, &hit.intent, CaseOutcome::Confirmed).await.unwrap();
    let on_ledger = serde_json::to_string(&court.cases().await.unwrap()).unwrap();
    assert!(!on_ledger.contains(who.expose()) && !on_ledger.contains(miss.expose()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_about_lookups() {
    let world = shared().await;
    let gate = world.gate(Tricks::default()).await;
    let question = Question {
        dataset: dataset("market-regulation/licensing/licences"),
        purpose: PurposeCode::new("account-opening").unwrap(),
        mode: Mode::Detail,
        fields: fields(&["company_name"]),
        subject: Subject::Company(world.city.companies[0].code.clone()),
        ground: Ground::Legal { case: Some("K-2".into()) },
        claims: Vec::new(),
    };
    let detail = gate.bank.ask(question).await.unwrap();
    assert_eq!(detail.state, QueryState::Answered);
    let regulator = gate.client("regulator", Transport::Rest).await;
    let case = CaseNumber::new("JC-2026/41").unwrap();
    match regulator.open_case(&case, vec![detail.intent], b"order").await {
        Err(error) => assert!(named(&error, &detail.intent.to_string()), "{error}"),
        // The ledger keeps no closed queries: then the evidence tells, by name.
        Ok(()) => {
            let court = gate.client("court", Transport::Rest).await;
            let helped = court.help_case(&case, &world.shares["court"]).await.unwrap_err();
            assert!(named(&helped, &detail.intent.to_string()) && named(&helped, "no lookup"), "{helped}");
            let opened = regulator.open_escrow(&case, &detail.intent).await.unwrap_err();
            assert!(named(&opened, &detail.intent.to_string()) && named(&opened, "no lookup"), "{opened}");
        }
    }
}
