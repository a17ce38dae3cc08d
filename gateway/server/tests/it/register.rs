//! Records of the ledger's state: the same over both transports, and only for whom they concern.

use covenant_canon::Digest;
use covenant_client::Transport;
use covenant_domain::{ConsentId, RequestId};
use covenant_ledger::verify_receipt;

use super::support::{World, request_id};

const REVOCATION: Digest = Digest([1; 32]);

#[tokio::test]
async fn both_transports_give_equal_records() {
    let world = World::new().await;
    let rest = world.client("bank", Transport::Rest).await;
    let grpc = world.client("bank", Transport::Grpc).await;
    assert_eq!(rest.requests().await.unwrap(), grpc.requests().await.unwrap());
    assert_eq!(rest.request(&request_id()).await.unwrap(), grpc.request(&request_id()).await.unwrap());
    assert_eq!(rest.delegations().await.unwrap(), grpc.delegations().await.unwrap());
    assert_eq!(rest.proposals().await.unwrap(), grpc.proposals().await.unwrap());
    assert_eq!(rest.disputes().await.unwrap(), grpc.disputes().await.unwrap());
    assert_eq!(rest.calendar().await.unwrap(), grpc.calendar().await.unwrap());
    assert_eq!(rest.notices().await.unwrap(), grpc.notices().await.unwrap());
    assert_eq!(rest.tariff().await.unwrap(), grpc.tariff().await.unwrap());
    assert_eq!(rest.rule_books().await.unwrap(), grpc.rule_books().await.unwrap());
    assert_eq!(rest.roster().await.unwrap(), grpc.roster().await.unwrap());
    assert_eq!(rest.reliability().await.unwrap(), grpc.reliability().await.unwrap());
    for month in [None, Some(202_611), Some(1)] {
        assert_eq!(rest.usage(month).await.unwrap(), grpc.usage(month).await.unwrap());
        assert_eq!(rest.settlement(month).await.unwrap(), grpc.settlement(month).await.unwrap());
    }
    assert_eq!(rest.usage(Some(202_611)).await.unwrap().len(), 1);
    let settlement = rest.settlement(None).await.unwrap();
    assert_eq!(settlement.accounts.iter().map(|a| (a.earned, a.spent)).collect::<Vec<_>>(), [(0, 4), (4, 0)]);
    assert_eq!(rest.entry_receipt(&REVOCATION).await.unwrap(), grpc.entry_receipt(&REVOCATION).await.unwrap());
}

#[tokio::test]
async fn a_revocation_s_receipt_verifies_from_its_bytes() {
    let world = World::new().await;
    let bytes = world.client("bank", Transport::Rest).await.entry_receipt(&REVOCATION).await.unwrap();
    let report = verify_receipt(&bytes, &world.genesis);
    assert!(report.verified, "{report:?}");
    assert!(report.outcome.unwrap().starts_with("grant_changed"));
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        assert!(!verify_receipt(&altered, &world.genesis).verified, "byte {at}");
    }
}

#[tokio::test]
async fn records_are_for_whom_they_concern() {
    let world = World::new().await;
    let stranger = world.client("insurer", Transport::Rest).await;
    assert!(stranger.requests().await.unwrap().is_empty());
    assert!(stranger.disputes().await.unwrap().is_empty());
    assert!(stranger.usage(None).await.unwrap().is_empty());
    assert_eq!(stranger.request(&request_id()).await.unwrap_err().code(), Some("not-a-party"));
    assert_eq!(stranger.entry_receipt(&REVOCATION).await.unwrap_err().code(), Some("not-a-party"));
    let unknown = RequestId::from_parts(1, &[0; 10]);
    assert_eq!(stranger.request(&unknown).await.unwrap_err().code(), Some("request-unknown"));
    assert_eq!(stranger.entry_receipt(&Digest([2; 32])).await.unwrap_err().code(), Some("entry-unknown"));
    for member in ["bank", "housing", "regulator"] {
        let party = world.client(member, Transport::Rest).await;
        assert_eq!(party.requests().await.unwrap().len(), 1, "{member}");
        assert_eq!(party.disputes().await.unwrap().len(), 1, "{member}");
        assert_eq!(party.usage(None).await.unwrap().len(), 2, "{member}");
        party.request(&request_id()).await.unwrap();
        party.entry_receipt(&REVOCATION).await.unwrap();
    }
    let delegate = world.client("trustee", Transport::Rest).await;
    assert_eq!(delegate.requests().await.unwrap().len(), 1, "it decides for the holder");
    assert!(delegate.disputes().await.unwrap().is_empty(), "it does not answer disputes for it");
}

#[tokio::test]
async fn uses_of_a_consent_are_told_to_the_end_and_to_its_parties_only() {
    let world = World::new().await;
    let consent = world.consent();
    for transport in [Transport::Rest, Transport::Grpc] {
        let uses = world.client("authority", transport).await.consent_uses(&consent).await.unwrap();
        assert_eq!(uses.iter().map(|u| u.leaf).collect::<Vec<_>>(), [3, 5, 8]);
        let refused = world.client("insurer", transport).await.consent_uses(&consent).await.unwrap_err();
        assert_eq!(refused.code(), Some("not-a-party"));
    }
    let unknown = ConsentId::from_parts(1, &[9; 10]);
    let refused = world.client("bank", Transport::Rest).await.consent_uses(&unknown).await.unwrap_err();
    assert_eq!(refused.code(), Some("consent-unknown"));
}

#[tokio::test]
async fn holders_and_regulators_are_told_and_nobody_else() {
    let world = World::new().await;
    let bank = world.client("bank", Transport::Rest).await;
    bank.ask(super::support::question(covenant_domain::Mode::Match, "mortgage-review")).await.unwrap();
    for member in ["housing", "regulator"] {
        let rest = world.client(member, Transport::Rest).await.notifications(None).await.unwrap();
        let grpc = world.client(member, Transport::Grpc).await.notifications(None).await.unwrap();
        assert_eq!((rest.len(), &rest), (1, &grpc), "{member}");
        assert!(world.client(member, Transport::Grpc).await.notifications(Some(1)).await.unwrap().is_empty());
    }
    assert!(bank.notifications(None).await.unwrap().is_empty());
}
