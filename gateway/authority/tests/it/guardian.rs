//! Minors and representatives.

use covenant_domain::{Capacity, ConsentChange, PurposeCode, Subject};
use covenant_sigma::opens;

use crate::support::{DAY_MS, World, child, code, company, li, resident, zhang};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guardian_decides_for_a_child_and_nobody_else_does() {
    let world = World::open().await;
    world.request("bank", world.wish(), &child()).await.unwrap();
    let (stranger, guardian, minor) = (world.token(0).await, world.token(1).await, world.token(2).await);
    assert!(world.remote.session(&minor).await.unwrap().minor);
    let shown = world.only_request(&minor).await;
    assert_eq!(code(world.remote.approve(&minor, &shown).await), "minor-needs-guardian");
    assert_eq!(code(world.remote.approve(&guardian, &shown).await), "consent-request-unknown", "not registered yet");
    world.represent(Capacity::Guardian, &child(), &li()).await.unwrap();
    assert_eq!(code(world.remote.approve(&stranger, &shown).await), "consent-request-unknown");
    let shown = world.only_request(&guardian).await;
    assert_eq!(shown.capacity, Some(Capacity::Guardian));
    let issued = world.remote.approve(&guardian, &shown).await.unwrap();
    let consent = world.ledger.consents().remove(0);
    let spoken = consent.representative.clone().unwrap();
    assert_eq!((consent.id, spoken.capacity), (issued.consent, Capacity::Guardian));
    assert_ne!(spoken.evidence, covenant_canon::Digest([7; 32]), "salted");
    let bank = world.identity("bank");
    let ticket = world.remote.status(bank, &world.consortium(), &shown.id).await.unwrap().ticket.unwrap();
    let opening = ticket.open(bank).unwrap();
    assert!(opens(&consent.commitment.0, &child().canonical(), &opening).unwrap());
    assert!(
        !opens(&spoken.commitment.0, &li().canonical(), &opening).unwrap(),
        "the guardian has an opening of its own"
    );
    world.remote.change(&minor, &issued.consent, ConsentChange::Paused).await.unwrap();
    let resumed = world.remote.change(&minor, &issued.consent, ConsentChange::Resumed).await;
    assert_eq!(code(resumed), "minor-needs-guardian", "less is any subject's to decide, more is not");
    world.remote.change(&guardian, &issued.consent, ConsentChange::Resumed).await.unwrap();
    assert_eq!(world.remote.my_consents(&guardian).await.unwrap()[0].capacity, Some(Capacity::Guardian));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guardian_has_no_say_once_the_child_is_fourteen() {
    let world = World::open().await;
    world.represent(Capacity::Guardian, &child(), &li()).await.unwrap();
    let mut new = world.representation("authorisation", Capacity::Guardian, &child(), &zhang());
    new.valid_until_ms += 20 * 365 * DAY_MS;
    world.represent_as("authorisation", new).await.unwrap();
    let mut wish = world.wish();
    wish.valid_until_ms += 300 * DAY_MS;
    world.request("bank", wish, &child()).await.unwrap();
    assert_eq!(world.remote.my_requests(&world.token(0).await).await.unwrap().len(), 1);
    // The child was born in March 2018.
    world.clock.pass(6 * 366 * DAY_MS);
    let token = world.token(0).await;
    assert!(world.remote.my_requests(&token).await.unwrap().is_empty());
    assert!(!world.remote.session(&world.token(2).await).await.unwrap().minor);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn representations_that_cannot_be_are_not_registered() {
    let world = World::open().await;
    let refused =
        async |capacity, subject: &Subject, speaker: &Subject| code(world.represent(capacity, subject, speaker).await);
    let invalid = "representation-invalid";
    assert_eq!(refused(Capacity::Guardian, &child(), &child()).await, invalid, "oneself");
    assert_eq!(refused(Capacity::Attorney, &zhang(), &zhang()).await, invalid, "oneself");
    assert_eq!(refused(Capacity::Guardian, &child(), &resident(2012, 21)).await, invalid, "by a minor");
    assert_eq!(refused(Capacity::Guardian, &zhang(), &li()).await, invalid, "of an adult");
    assert_eq!(refused(Capacity::Attorney, &child(), &li()).await, invalid, "a child gives no power");
    assert_eq!(refused(Capacity::LegalRepresentative, &zhang(), &li()).await, invalid, "of a person");
    assert_eq!(refused(Capacity::Attorney, &zhang(), &company()).await, invalid, "by a company");
    let mut long = world.representation("authorisation", Capacity::Attorney, &zhang(), &li());
    long.valid_until_ms += 4 * 366 * DAY_MS;
    assert_eq!(code(world.represent_as("authorisation", long).await), invalid, "for too long");
    let mut over = world.representation("authorisation", Capacity::Attorney, &zhang(), &li());
    (over.valid_from_ms, over.valid_until_ms) = (1, 2);
    assert_eq!(code(world.represent_as("authorisation", over).await), invalid, "over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn representations_close_no_circle() {
    let world = World::open().await;
    let third = resident(1970, 31);
    world.represent(Capacity::Attorney, &zhang(), &li()).await.unwrap();
    assert_eq!(code(world.represent(Capacity::Attorney, &li(), &zhang()).await), "representation-invalid");
    world.represent(Capacity::Attorney, &li(), &third).await.unwrap();
    let circle = world.represent(Capacity::Attorney, &third, &zhang()).await;
    assert_eq!(code(circle), "representation-invalid", "through a third");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_representation_is_refused() {
    let world = World::open().await;
    let own = world.representation("bank", Capacity::Attorney, &zhang(), &li());
    assert_eq!(code(world.represent_as("bank", own).await), "not-authoriser");
    let foreign = world.representation("bank", Capacity::Attorney, &zhang(), &li());
    let sent = world.represent_as("authorisation", foreign).await;
    assert_eq!(code(sent), "representation-invalid", "names that another sealed");
    assert_eq!(
        code(world.remote.end_representation(world.identity("bank"), &world.consortium(), "x").await),
        "not-authoriser"
    );
    world.request("bank", world.wish(), &zhang()).await.unwrap();
    assert!(world.remote.my_requests(&world.token(1).await).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_of_attorney_ends_with_its_date_its_purposes_and_its_revocation() {
    let world = World::open().await;
    let operator = world.identity("authorisation");
    world.request("bank", world.wish(), &zhang()).await.unwrap();
    let mut narrow = world.representation("authorisation", Capacity::Attorney, &zhang(), &li());
    narrow.purposes = vec![PurposeCode::new("no-notice").unwrap()];
    world.represent_as("authorisation", narrow).await.unwrap();
    let (own, attorney) = (world.token(0).await, world.token(1).await);
    assert!(world.remote.my_requests(&attorney).await.unwrap().is_empty(), "another purpose");
    let shown = world.only_request(&own).await;
    assert_eq!(code(world.remote.approve(&attorney, &shown).await), "representation-refused");
    let wide = world.represent(Capacity::Attorney, &zhang(), &li()).await.unwrap();
    assert_eq!(world.remote.my_requests(&attorney).await.unwrap().len(), 1);
    world.remote.end_representation(operator, &world.consortium(), &wide.id).await.unwrap();
    assert!(world.remote.my_requests(&attorney).await.unwrap().is_empty(), "revoked");
    let twice = world.remote.end_representation(operator, &world.consortium(), &wide.id).await;
    assert_eq!(code(twice), "representation-unknown");
    let mut short = world.representation("authorisation", Capacity::Attorney, &zhang(), &li());
    short.valid_until_ms = short.valid_from_ms + DAY_MS;
    world.represent_as("authorisation", short).await.unwrap();
    assert_eq!(world.remote.my_requests(&attorney).await.unwrap().len(), 1);
    world.clock.pass(DAY_MS + 1);
    let attorney = world.token(1).await;
    assert!(world.remote.my_requests(&attorney).await.unwrap().is_empty(), "expired");
    assert_eq!(code(world.remote.approve(&attorney, &shown).await), "representation-refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_decides_itself_or_through_its_legal_representative() {
    let world = World::open().await;
    world.represent(Capacity::LegalRepresentative, &company(), &zhang()).await.unwrap();
    world.request("bank", world.wish(), &company()).await.unwrap();
    let shown = world.only_request(&world.token(0).await).await;
    assert_eq!(shown.capacity, Some(Capacity::LegalRepresentative));
    let own = world.token(3).await;
    assert_eq!(world.remote.session(&own).await.unwrap().kind, "company");
    let shown = world.only_request(&own).await;
    world.remote.approve(&own, &shown).await.unwrap();
    assert_eq!(world.ledger.consents()[0].representative, None);
}
