//! Requests, votes, delegation and simulation over the whole consortium, over both transports, across a restart.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]

use std::sync::Arc;

use covenant_api::QueryState;
use covenant_canon::{Digest, SuiteId};
use covenant_client::{Client, ClientConfig, Ground, Question, RequestDraft, Transport};
use covenant_demo::city::City;
use covenant_demo::{Consortium, publish};
use covenant_domain::*;
use covenant_journeys::{codes, dataset, fields, now_ms, running_city, settled};
use covenant_ledger::verify_receipt;

const DAY_MS: u64 = 86_400_000;

async fn client(consortium: &Consortium, member: &str, transport: Transport) -> Client {
    let identity = Arc::new(consortium.founding.identity(member).unwrap());
    let trust = (*consortium.founding.genesis).clone();
    Client::connect_with(&consortium.url(), identity, trust, ClientConfig::over(transport)).await.unwrap()
}

fn draft(supersedes: Option<GrantId>) -> RequestDraft {
    let answer = || RiskAnswer { level: RiskLevel::Medium, answer: "two officers, one branch".into() };
    RequestDraft {
        subsystem: "loans".into(),
        consumer: None,
        dataset: dataset("tax/levy/company-tax"),
        purpose: PurposeCode::new("account-opening").unwrap(),
        modes: vec![Mode::Match],
        fields: fields(&["arrears_fen"]),
        valid_from: Day::of_ms(now_ms()),
        valid_until: Day::of_ms(now_ms() + 30 * DAY_MS),
        data_life_days: 7,
        max_rows: 1,
        supersedes,
        quota: Quota { limit: 100, window_ms: DAY_MS },
        risk: RiskRecord {
            data: answer(),
            scene: answer(),
            mode: answer(),
            audience: answer(),
            author: "li-na".into(),
            reviewer: "wang-wei".into(),
        },
    }
}

fn arrears(city: &City) -> Question {
    Question {
        dataset: dataset("tax/levy/company-tax"),
        purpose: PurposeCode::new("account-opening").unwrap(),
        mode: Mode::Match,
        fields: fields(&["arrears_fen"]),
        subject: Subject::Company(city.companies[0].code.clone()),
        ground: Ground::Legal { case: Some("KYC-7".into()) },
        claims: vec![(fields(&["arrears_fen"])[0].clone(), Value::Integer(0))],
    }
}

/// Publishes one entry and demands that it took effect; its digest.
async fn done(client: &Client, body: Body) -> Digest {
    let outcome = client.publish(vec![body]).await.unwrap().remove(0);
    assert_eq!(outcome.rejected, None);
    outcome.entry
}

async fn step(consortium: &Consortium, member: &str, request: RequestId, step: RequestStep) {
    publish(consortium, member, vec![Body::RequestStepped { request, step }]).await.unwrap();
}

fn approved() -> RequestStep {
    RequestStep::Approved { reason: "duty".into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_goes_its_way_and_its_grant_comes_to_an_end() {
    let dir = tempfile::tempdir().unwrap();
    let city = City::generate(31, 120, 30);
    let consortium = running_city(dir.path(), SuiteId::Sm, &city, |_| {}).await;
    let bank = client(&consortium, "bank", Transport::Grpc).await;
    assert!(codes(&bank.ask(arrears(&city)).await.unwrap()).contains(&ReasonCode::GrantMissing));

    let request = bank.request_for(draft(None), None).await.unwrap();
    let (id, grant) = (request.id, request.grant.grant.id);
    done(&bank, Body::RequestSubmitted(request)).await;
    step(&consortium, "data-platform", id, RequestStep::Returned { reason: "state the branch".into() }).await;
    let amended = bank.request_for(draft(None), Some(id)).await.unwrap();
    let second = amended.grant.grant.id;
    done(&bank, Body::RequestStepped { request: id, step: RequestStep::Amended { request: amended } }).await;
    step(&consortium, "data-platform", id, RequestStep::Checked { note: "complete".into() }).await;

    // The housing bureau decides for the tax bureau, which is moving house.
    let tax = client(&consortium, "tax", Transport::Rest).await;
    let housing = client(&consortium, "housing", Transport::Rest).await;
    assert_eq!(housing.request(&id).await.unwrap_err().code(), Some("not-a-party"));
    let delegation = Delegation {
        id: DelegationId::from_parts(now_ms(), &[1; 10]),
        principal: tax.member().clone(),
        delegate: housing.member().clone(),
        powers: vec![Power::DecideRequests],
        datasets: vec![],
        valid_from_ms: 0,
        valid_until_ms: now_ms() + DAY_MS,
    };
    done(&tax, Body::DelegationGiven(delegation)).await;
    step(&consortium, "housing", id, approved()).await;
    let state = tax.request(&id).await.unwrap();
    assert_eq!(
        (state.status, state.events.last().unwrap().on_behalf_of.as_ref()),
        (RequestStatus::Approved, Some(tax.member()))
    );
    let steps: Vec<_> = state.events.iter().map(|e| e.step.as_str()).collect();
    assert_eq!(steps, ["submitted", "returned", "amended", "checked", "approved"]);

    assert_eq!(bank.ask(arrears(&city)).await.unwrap().state, QueryState::Answered);
    assert!(bank.grants().await.unwrap().iter().all(|g| g.state.grant.id != grant), "the first text was never granted");
    for (member, change) in [
        ("regulator", GrantChange::Suspended),
        ("data-platform", GrantChange::Suspended),
        ("regulator", GrantChange::Resumed),
    ] {
        publish(&consortium, member, vec![Body::GrantChanged { grant: second, change }]).await.unwrap();
    }
    assert!(codes(&bank.ask(arrears(&city)).await.unwrap()).contains(&ReasonCode::GrantSuspended));
    let entry = done(&tax, Body::GrantChanged { grant: second, change: GrantChange::Revoked }).await;
    let receipt = bank.entry_receipt(&entry).await.unwrap();
    assert!(verify_receipt(&receipt, bank.trust()).verified);
    assert!(codes(&bank.ask(arrears(&city)).await.unwrap()).contains(&ReasonCode::GrantRevoked));

    // Everything stands after a restart, on every node alike.
    let before = settled(&consortium.nodes).await;
    consortium.stop().await;
    let consortium = running_city(dir.path(), SuiteId::Sm, &city, |_| {}).await;
    assert_eq!(settled(&consortium.nodes).await, before);
    let bank = client(&consortium, "bank", Transport::Rest).await;
    assert_eq!(bank.request(&id).await.unwrap(), state);
    assert!(bank.reliability().await.unwrap().iter().any(|r| r.answers == 1 && r.per_mille == 1_000));
    consortium.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_book_is_tried_on_the_past_voted_on_and_tightened_alone() {
    let dir = tempfile::tempdir().unwrap();
    let city = City::generate(32, 120, 30);
    let consortium = running_city(dir.path(), SuiteId::Sm, &city, |_| {}).await;
    let officer = client(&consortium, "market-regulation", Transport::Rest).await;
    let company = &city.companies[0];
    let question = || Question {
        dataset: dataset("housing/registry/premises"),
        purpose: PurposeCode::new("address-verification").unwrap(),
        mode: Mode::Match,
        fields: fields(&["address"]),
        subject: Subject::Company(company.code.clone()),
        ground: Ground::Legal { case: None },
        claims: vec![(fields(&["address"])[0].clone(), Value::Text(company.address.clone()))],
    };
    for _ in 0..3 {
        assert_eq!(officer.ask(question()).await.unwrap().state, QueryState::Answered);
    }
    let housing = client(&consortium, "housing", Transport::Grpc).await;
    let mut book = housing.rule_books().await.unwrap().into_iter().find(|b| &b.holder == housing.member()).unwrap();
    book.revision += 1;
    let forbid = GuardRule { name: "moving-house".into(), effect: Effect::Forbid, ..book.rules[0].clone() };
    book.rules.push(forbid);
    // What would have changed: all three queries, and nothing in the ledger does.
    for transport in [Transport::Rest, Transport::Grpc] {
        let housing = client(&consortium, "housing", transport).await;
        let tried = housing.simulate(&book, 100).await.unwrap();
        assert_eq!((tried.compared, tried.changed.len()), (3, 3), "{tried:?}");
    }
    let bank = client(&consortium, "bank", Transport::Rest).await;
    assert_eq!(bank.simulate(&book, 100).await.unwrap_err().code(), Some("not-a-party"));
    assert_eq!(officer.ask(question()).await.unwrap().state, QueryState::Answered);

    // A door is closed alone; opened only by vote.
    done(&housing, Body::PolicyAdopted(book.clone())).await;
    assert!(codes(&officer.ask(question()).await.unwrap()).contains(&ReasonCode::GuardForbids));
    book.revision += 1;
    book.rules.pop();
    // From now on the bureau's stewards are told of each query.
    let told = RuleObligations { notify: vec![Notify::Steward], ..RuleObligations::default() };
    book.rules.iter_mut().for_each(|rule| rule.obligations = Some(told.clone()));
    let alone = housing.publish(vec![Body::PolicyAdopted(book.clone())]).await.unwrap().remove(0);
    assert!(alone.rejected.unwrap().contains("propose it"));
    let id = ProposalId::from_parts(now_ms(), &[2; 10]);
    let subject = ProposalSubject::Policy { book, review: Digest::ZERO };
    done(&housing, Body::ProposalOpened(Proposal { id, subject, reason: "moved".into() })).await;
    for voter in ["credit-centre", "data-platform", "market-regulation", "regulator", "tax"] {
        let ballot = Ballot { proposal: id, vote: Vote::Yes, reason: String::new() };
        publish(&consortium, voter, vec![Body::BallotCast(ballot)]).await.unwrap();
    }
    let proposal = housing.proposals().await.unwrap().into_iter().find(|p| p.proposal.id == id).unwrap();
    assert_eq!(proposal.status, ProposalStatus::Accepted);
    assert!(housing.notifications(None).await.unwrap().is_empty());
    let reply = officer.ask(question()).await.unwrap();
    assert_eq!(reply.state, QueryState::Answered);
    let notices = housing.notifications(None).await.unwrap();
    assert_eq!(notices.iter().map(|n| n.permit.intent).collect::<Vec<_>>(), [reply.intent]);
    assert!(officer.notifications(None).await.unwrap().is_empty());
    settled(&consortium.nodes).await;
    consortium.stop().await;
}
