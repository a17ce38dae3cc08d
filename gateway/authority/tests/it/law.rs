//! Investigations by law.

use covenant_authority::RequestState;
use covenant_domain::{Capacity, ConsentChange, ConsentKind};

use crate::support::{DAY_MS, World, child, code, li, zhang};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_investigation_is_shown_after_its_date_with_its_place_on_the_ledger() {
    let world = World::open().await;
    let until = world.clock.now() + 60 * DAY_MS;
    let asked = world.request("police", world.by_law(Some(until)), &zhang()).await.unwrap();
    assert_eq!(asked.state, RequestState::Issued, "nobody is asked");
    let consent = asked.ticket.unwrap().consent;
    let ConsentKind::LegalAuthority { case, sealed_until_ms } = &consent.kind else { panic!("not by law") };
    assert_eq!((case.to_string().as_str(), *sealed_until_ms), ("JC-2026-7", Some(until)));
    world.ledger.use_once(&consent, 5_000);
    let token = world.token(0).await;
    assert!(world.remote.my_requests(&token).await.unwrap().is_empty());
    assert!(world.remote.my_consents(&token).await.unwrap().is_empty());
    assert!(world.remote.my_uses(&token).await.unwrap().is_empty());
    // Whoever guesses its id learns no more than of one that is not there.
    assert_eq!(code(world.remote.decline(&token, &asked.id).await), "consent-request-unknown");
    let guessed = world.remote.change(&token, &consent.id, ConsentChange::Revoked).await.unwrap_err();
    let unknown = covenant_domain::ConsentId::from_parts(1, &[1; 10]);
    let other = world.remote.change(&token, &unknown, ConsentChange::Revoked).await.unwrap_err();
    assert_eq!(guessed.to_string(), other.to_string());
    world.clock.pass(60 * DAY_MS - 60_000);
    assert!(world.remote.my_uses(&world.token(0).await).await.unwrap().is_empty(), "a minute early");
    world.clock.pass(120_000);
    let token = world.token(0).await;
    let mine = world.remote.my_consents(&token).await.unwrap();
    assert_eq!((mine.len(), mine[0].consent.id, mine[0].leaf, mine[0].height), (1, consent.id, Some(1), Some(1)));
    let uses = world.remote.my_uses(&token).await.unwrap();
    assert_eq!(uses.len(), 1);
    assert_eq!((uses[0].case.as_deref(), uses[0].found.time_ms, uses[0].found.leaf), (Some("JC-2026-7"), 5_000, 2));
    let revoked = world.remote.change(&token, &consent.id, ConsentChange::Revoked).await;
    assert_eq!(code(revoked), "not-revocable");
    assert!(world.remote.my_uses(&world.token(1).await).await.unwrap().is_empty(), "still nobody else's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_law_serves_no_purpose_that_needs_consent() {
    let world = World::open().await;
    let mut wish = world.by_law(None);
    wish.purpose = world.wish().purpose;
    assert_eq!(code(world.request("police", wish, &zhang()).await), "needs-consent");
    let too_long = world.by_law(Some(world.clock.now() + 900 * DAY_MS));
    assert_eq!(code(world.request("police", too_long, &zhang()).await), "terms-invalid");
    assert!(world.ledger.consents().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_investigation_is_shown_at_once_and_an_attorney_sees_none() {
    let world = World::open().await;
    world.represent(Capacity::Attorney, &zhang(), &li()).await.unwrap();
    world.represent(Capacity::Guardian, &child(), &li()).await.unwrap();
    world.request("police", world.by_law(None), &zhang()).await.unwrap();
    assert_eq!(world.remote.my_consents(&world.token(0).await).await.unwrap().len(), 1);
    assert!(world.remote.my_consents(&world.token(1).await).await.unwrap().is_empty());
    world.request("police", world.by_law(None), &child()).await.unwrap();
    assert_eq!(world.remote.my_consents(&world.token(1).await).await.unwrap().len(), 1, "a child's guardian does");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_the_ledger_refused_is_issued_when_it_is_asked_again() {
    let world = World::open().await;
    let new = world.new_request("police", world.by_law(None), &zhang());
    world.ledger.refuse_once("not now");
    let police = world.identity("police");
    assert_eq!(code(world.remote.request(police, &new).await), "ledger-refused");
    let again = world.remote.request(police, &new).await.unwrap();
    assert_eq!((again.state, again.ticket.is_some()), (RequestState::Issued, true));
    world.remote.request(police, &new).await.unwrap();
    assert_eq!(world.ledger.consents().len(), 1);
}
