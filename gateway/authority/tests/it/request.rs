//! What a consumer may ask, and what is refused.

use covenant_api::Base64Bytes;
use covenant_authority::{Addressee, NewRequest, RequestState, Wish};
use covenant_domain::{Mode, Quota, Subject};

use crate::support::{World, code, company, li, member, zhang};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_again_is_one_request() {
    let world = World::open().await;
    let (bank, new) = (world.identity("bank"), world.new_request("bank", world.wish(), &zhang()));
    let all = futures::future::join_all((0..4).map(|_| world.remote.request(bank, &new))).await;
    let ids: std::collections::BTreeSet<_> = all.into_iter().map(|r| r.unwrap().id.to_string()).collect();
    assert_eq!(ids.len(), 1);
    let token = world.token(0).await;
    let shown = world.only_request(&token).await;
    world.remote.decline(&token, &shown.id).await.unwrap();
    let again = world.remote.request(bank, &new).await.unwrap();
    assert_eq!(again.state, RequestState::Declined, "a refusal is not asked away");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_for_another_service_or_by_another_is_refused() {
    let world = World::open().await;
    let (bank, police) = (world.identity("bank"), world.identity("police"));
    let new = world.new_request("bank", world.wish(), &zhang());
    assert_eq!(code(world.remote.request(police, &new).await), "not-consumer", "another's request");
    let shown = world.shown();
    let elsewhere = |authoriser: &str, consortium: &covenant_ledger::Genesis| {
        let authoriser = member(authoriser);
        let to =
            Addressee { trust: consortium, authoriser: &authoriser, notice: Some(&shown), now_ms: new.terms.made_ms };
        NewRequest::make(bank, world.wish(), &zhang(), to).unwrap()
    };
    let other = elsewhere("police", &world.ledger.genesis);
    assert_eq!(code(world.remote.request(bank, &other).await), "other-service");
    let mut genesis = world.ledger.genesis.clone();
    genesis.consortium = "elsewhere".into();
    let mut other = elsewhere("authorisation", &genesis);
    assert_eq!(code(world.remote.request(bank, &other).await), "signature-invalid", "the call too names a consortium");
    // Even under a call that is signed for this consortium.
    other.terms.consortium = world.consortium();
    assert_eq!(code(world.remote.request(bank, &other).await), "signature-invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_the_signed_terms_can_be_changed() {
    let world = World::open().await;
    let bank = world.identity("bank");
    let change: [fn(&mut NewRequest); 5] = [
        |r| r.terms.max_uses = 1_000,
        |r| r.terms.modes = vec![Mode::Match],
        |r| r.terms.valid_until_ms += 1,
        |r| r.terms.frequency = Some(Quota { limit: 9, window_ms: 9 }),
        |r| r.terms.notice = None,
    ];
    for (at, change) in change.into_iter().enumerate() {
        let mut new = world.new_request("bank", world.wish(), &zhang());
        change(&mut new);
        assert_eq!(code(world.remote.request(bank, &new).await), "signature-invalid", "{at}");
    }
    let mut new = world.new_request("bank", world.wish(), &zhang());
    new.sealed_subject = world.new_request("bank", world.wish(), &li()).sealed_subject;
    assert_eq!(code(world.remote.request(bank, &new).await), "terms-invalid", "another subject in its place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_subject_cannot_be_passed_on() {
    let world = World::open().await;
    let police = world.identity("police");
    let sealed = world.new_request("bank", world.wish(), &zhang()).sealed_subject;
    let wish = world.wish();
    let mut new = world.new_request("police", wish, &li());
    new.terms.subject =
        covenant_canon::Digest::of(covenant_canon::SuiteId::Sm, covenant_canon::Label::SEAL_SUBJECT, &sealed.0);
    new.sealed_subject = sealed;
    let bytes = covenant_canon::to_bytes(&new.terms);
    let label = covenant_canon::Label::CONSENT_REQUEST;
    new.signature =
        covenant_suite::suite(covenant_canon::SuiteId::Sm).sign(&police.signing, label, &bytes).unwrap().to_string();
    assert_eq!(code(world.remote.request(police, &new).await), "subject-unreadable");
    let mut new = world.new_request("bank", world.wish(), &zhang());
    new.sealed_subject = Base64Bytes(vec![0; 40]);
    assert_eq!(code(world.remote.request(world.identity("bank"), &new).await), "terms-invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terms_that_do_not_hold_are_named() {
    let world = World::open().await;
    let refused = async |change: fn(&mut Wish), subject: &Subject| {
        let mut wish = world.wish();
        change(&mut wish);
        code(world.request("bank", wish, subject).await)
    };
    let terms: [fn(&mut Wish); 9] = [
        |w| w.scopes.clear(),
        |w| w.scopes[0].fields.clear(),
        |w| w.modes.clear(),
        |w| w.max_uses = 0,
        |w| w.valid_until_ms = w.valid_from_ms,
        |w| w.valid_until_ms = w.valid_from_ms + 400 * crate::support::DAY_MS,
        |w| w.frequency = Some(Quota { limit: 0, window_ms: 1 }),
        |w| w.modes = vec![Mode::Submit],
        |w| w.purpose = covenant_domain::PurposeCode::new("unheard-of").unwrap(),
    ];
    for (at, change) in terms.into_iter().enumerate() {
        assert_eq!(refused(change, &zhang()).await, "terms-invalid", "{at}");
    }
    let unit = Subject::parse("unit:110105001001GB00001F00010001").unwrap();
    assert_eq!(refused(|_| {}, &unit).await, "subject-unreadable", "a unit agrees to nothing");
    let fine = |w: &mut Wish| w.purpose = covenant_domain::PurposeCode::new("no-notice").unwrap();
    let mut wish = world.wish();
    fine(&mut wish);
    assert!(world.request("bank", wish, &company()).await.is_ok(), "a purpose without a notice needs none");
    for stranger in ["regulator", "node", "authorisation"] {
        assert_eq!(code(world.request(stranger, world.wish(), &zhang()).await), "not-consumer");
    }
}
