//! From request to use to revocation.

use covenant_authority::{Approval, RequestState};
use covenant_domain::{ConsentChange, ConsentStatus};
use covenant_sigma::opens;

use crate::support::{World, code, notice, zhang};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_citizen_agrees_sees_and_revokes() {
    let world = World::open().await;
    let asked = world.request("bank", world.wish(), &zhang()).await.unwrap();
    assert_eq!((asked.state, asked.ticket), (RequestState::Requested, None));
    let token = world.token(0).await;
    let shown = world.only_request(&token).await;
    assert_eq!((shown.id, shown.capacity, shown.terms.consumer.as_str()), (asked.id, None, "bank"));
    assert!(shown.notice.as_ref().unwrap().zh.contains("征信"));
    let changed = world.remote.approve(&token, &shown).await.unwrap();
    let bank = world.identity("bank");
    let view = world.remote.status(bank, &world.consortium(), &asked.id).await.unwrap();
    assert_eq!(view.state, RequestState::Issued);
    let ticket = view.ticket.unwrap();
    let consent = &ticket.consent;
    assert_eq!(
        (consent.id, consent.request, consent.notice),
        (changed.consent, Some(asked.id), Some(world.shown().text))
    );
    assert!(opens(&consent.commitment.0, &zhang().canonical(), &ticket.open(bank).unwrap()).unwrap());
    assert!(ticket.open(world.identity("police")).is_err(), "sealed to the consumer alone");
    world.ledger.use_once(consent, 1_000);
    let uses = world.remote.my_uses(&token).await.unwrap();
    assert_eq!(uses.len(), 1);
    assert_eq!((uses[0].consent, uses[0].found.consumer.as_str()), (consent.id, "bank"));
    for (change, status) in [
        (ConsentChange::Paused, ConsentStatus::Paused),
        (ConsentChange::Resumed, ConsentStatus::Active),
        (ConsentChange::Revoked, ConsentStatus::Revoked),
    ] {
        world.remote.change(&token, &consent.id, change).await.unwrap();
        let mine = world.remote.my_consents(&token).await.unwrap();
        assert_eq!((mine.len(), mine[0].status, mine[0].uses, mine[0].leaf.is_some()), (1, status, 1, true));
    }
    assert!(world.remote.my_requests(&token).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_decides_about_another() {
    let world = World::open().await;
    let asked = world.request("bank", world.wish(), &zhang()).await.unwrap();
    let (zhang, li) = (world.token(0).await, world.token(1).await);
    assert!(world.remote.my_requests(&li).await.unwrap().is_empty());
    let shown = world.only_request(&zhang).await;
    assert_eq!(code(world.remote.approve(&li, &shown).await), "consent-request-unknown");
    assert_eq!(code(world.remote.decline(&li, &asked.id).await), "consent-request-unknown");
    let issued = world.remote.approve(&zhang, &shown).await.unwrap();
    let revoked = world.remote.change(&li, &issued.consent, ConsentChange::Revoked).await;
    assert_eq!(code(revoked), "consent-not-yours");
    assert!(
        world.remote.my_consents(&li).await.unwrap().is_empty() && world.remote.my_uses(&li).await.unwrap().is_empty()
    );
    let police = world.identity("police");
    assert_eq!(code(world.remote.status(police, &world.consortium(), &asked.id).await), "consent-request-unknown");
    assert_eq!(code(world.remote.withdraw(police, &world.consortium(), &asked.id).await), "consent-request-unknown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_decided_once() {
    let world = World::open().await;
    world.request("bank", world.wish(), &zhang()).await.unwrap();
    let token = world.token(0).await;
    let shown = world.only_request(&token).await;
    let all = futures::future::join_all((0..8).map(|_| world.remote.approve(&token, &shown))).await;
    let (given, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    assert_eq!((given.len(), world.ledger.consents().len()), (1, 1));
    for refusal in refused {
        assert_eq!(code(refusal), "request-decided");
    }
    assert_eq!(code(world.remote.approve(&token, &shown).await), "request-decided");
    assert_eq!(code(world.remote.decline(&token, &shown.id).await), "request-decided");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_withdrawn_declined_or_left_is_not_approved() {
    let world = World::open().await;
    let (bank, consortium, token) = (world.identity("bank"), world.consortium(), world.token(0).await);
    world.request("bank", world.wish(), &zhang()).await.unwrap();
    let shown = world.only_request(&token).await;
    let taken = world.remote.withdraw(bank, &consortium, &shown.id).await.unwrap();
    assert_eq!(taken.state, RequestState::Withdrawn);
    assert_eq!(code(world.remote.approve(&token, &shown).await), "request-decided");
    world.request("bank", world.wish(), &zhang()).await.unwrap();
    let shown = world.only_request(&token).await;
    world.remote.decline(&token, &shown.id).await.unwrap();
    assert_eq!(code(world.remote.approve(&token, &shown).await), "request-decided");
    assert_eq!(code(world.remote.withdraw(bank, &consortium, &shown.id).await), "request-decided");
    world.request("bank", world.wish(), &zhang()).await.unwrap();
    let shown = world.only_request(&token).await;
    world.clock.pass(8 * crate::support::DAY_MS);
    // The member's signed calls go by this machine's clock, so only the citizen is asked here.
    let token = world.token(0).await;
    assert!(world.remote.my_requests(&token).await.unwrap().is_empty());
    assert_eq!(code(world.remote.approve(&token, &shown).await), "request-expired");
    assert!(world.ledger.consents().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn approval_holds_for_the_text_and_the_terms_that_were_shown() {
    let world = World::open().await;
    world.request("bank", world.wish(), &zhang()).await.unwrap();
    let token = world.token(0).await;
    let shown = world.only_request(&token).await;
    let mut other = shown.clone();
    other.notice.as_mut().unwrap().digest = covenant_canon::Digest([1; 32]);
    assert_eq!(code(world.remote.approve(&token, &other).await), "notice-changed");
    other.notice = None;
    assert_eq!(code(world.remote.approve(&token, &other).await), "notice-changed");
    let approval = Approval { terms: covenant_canon::Digest([2; 32]), notice: Some(world.shown().text) };
    let target = world.at(&format!("/v1/my/requests/{}/approve", shown.id));
    let answer = world.browser().post(target).bearer_auth(token.as_str()).json(&approval).send().await.unwrap();
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["code"], "terms-changed");
    let newer = notice(covenant_suite::SuiteId::Sm, 2);
    world.ledger.set_notices(vec![newer]);
    assert_eq!(code(world.remote.approve(&token, &shown).await), "notice-stale", "the regulator registered another");
    assert_eq!(code(world.request("bank", world.wish(), &zhang()).await), "notice-stale");
    assert!(world.remote.service().await.unwrap().faults[0].contains("version 1"));
    assert!(world.ledger.consents().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_that_refuses_or_falls_silent_loses_nothing() {
    let world = World::open().await;
    let asked = world.request("bank", world.wish(), &zhang()).await.unwrap();
    let (bank, consortium, token) = (world.identity("bank"), world.consortium(), world.token(0).await);
    let shown = world.only_request(&token).await;
    world.ledger.refuse_once("no");
    assert_eq!(code(world.remote.approve(&token, &shown).await), "ledger-refused");
    let view = world.remote.status(bank, &consortium, &asked.id).await.unwrap();
    assert_eq!((view.state, view.ticket), (RequestState::Requested, None), "it may be tried again");
    world.ledger.be_silent_once();
    world.ledger.be_deaf(true);
    assert_eq!(code(world.remote.approve(&token, &shown).await), "ledger-unavailable");
    let view = world.remote.status(bank, &consortium, &asked.id).await.unwrap();
    assert_eq!((view.state, view.ticket), (RequestState::Issuing, None), "not known yet");
    assert_eq!(code(world.remote.approve(&token, &shown).await), "request-decided", "no second consent meanwhile");
    // After a restart the ledger is asked.
    world.ledger.be_deaf(false);
    let World { service, config, identities, ledger, clock, .. } = &world;
    let again = covenant_authority::serve(config.clone(), identities[0].clone(), ledger.clone(), clock.clone());
    let again = again.await.unwrap();
    assert_ne!(again.local_addr(), service.local_addr());
    let remote = covenant_authority::Remote::new(&again.base_url()).unwrap();
    let view = remote.status(bank, &consortium, &asked.id).await.unwrap();
    assert_eq!((view.state, view.ticket.is_some()), (RequestState::Issued, true));
    assert_eq!(world.ledger.consents().len(), 1);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consent_that_was_lost_on_its_way_is_given_up_when_the_ledger_takes_it_no_more() {
    let world = World::open().await;
    world.request("bank", world.wish(), &zhang()).await.unwrap();
    let token = world.token(0).await;
    let shown = world.only_request(&token).await;
    world.ledger.lose_once();
    assert_eq!(code(world.remote.approve(&token, &shown).await), "ledger-unavailable");
    assert!(world.remote.my_requests(&token).await.unwrap().is_empty(), "it may still arrive");
    world.clock.pass(11 * 60_000);
    let token = world.token(0).await;
    let again = world.only_request(&token).await;
    world.remote.approve(&token, &again).await.unwrap();
    assert_eq!(world.ledger.consents().len(), 1);
}
