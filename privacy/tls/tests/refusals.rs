//! Handshakes that are refused, each with its reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod support;

use std::sync::Arc;

use covenant_domain::MemberId;
use covenant_tls::{Credentials, Identity, Profile, Request, Rotating, TlsError, explain};
use rustls::client::ResolvesClientCert;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use support::{BOTH, DAY, Meeting, NOW, World, ledger_key, meet, meet_at, member, other, request};

/// Shows a certificate, and signs with whatever key it has.
#[derive(Debug, Clone)]
struct Forged(Arc<CertifiedKey>);

impl ResolvesServerCert for Forged {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

impl ResolvesClientCert for Forged {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The key of `keys` under other certificate bytes.
fn forged(world: &World, keys: &Credentials, certificate: &[u8]) -> Forged {
    let dir = tempfile::tempdir().unwrap();
    let (path, key) = (dir.path().join("c"), dir.path().join("k"));
    keys.save(&path, &key, covenant_tls::Existing::Keep).unwrap();
    let key = rustls::pki_types::pem::PemObject::from_pem_file(&key).unwrap();
    let key = covenant_tls::provider(world.profile).key_provider.load_private_key(key).unwrap();
    Forged(Arc::new(CertifiedKey::new(vec![certificate.to_vec().into()], key)))
}

/// A bank whose certificate is replaced meets a good housing, and a housing whose certificate is replaced a good bank.
async fn forged_both_ways(world: &World, bank: Forged, housing: Forged) -> [Meeting; 2] {
    let mut client = Arc::unwrap_or_clone(world.client(Some(&world.of_bank()), Some("housing")));
    client.client_auth_cert_resolver = Arc::new(bank);
    let mut server = Arc::unwrap_or_clone(world.server(&world.of_housing()));
    server.cert_resolver = Arc::new(housing);
    [
        meet(world.server(&world.of_housing()), Arc::new(client)).await,
        meet(Arc::new(server), world.client(Some(&world.of_bank()), Some("housing"))).await,
    ]
}

/// The server refuses the client for this reason, and the client hears that it was refused.
fn server_refuses(meeting: Meeting, reason: &TlsError) {
    assert_eq!(meeting.server.unwrap_err(), *reason);
    assert!(matches!(meeting.client.unwrap_err(), TlsError::Refused(_) | TlsError::Connection(_)));
}

fn client_refuses(meeting: Meeting, reason: &TlsError) {
    assert_eq!(meeting.client.unwrap_err(), *reason);
    assert!(matches!(meeting.server.unwrap_err(), TlsError::Refused(_) | TlsError::Connection(_)));
}

fn issue(world: &World, name: &str, change: impl Fn(&mut Request)) -> Credentials {
    let mut request = request(name);
    change(&mut request);
    Credentials::issue(if name == "bank" { &world.bank } else { &world.housing }, &request).unwrap()
}

#[tokio::test]
async fn a_foreign_authority_is_refused() {
    for profile in BOTH {
        let world = World::new(profile);
        let foreign = ledger_key(profile, 7);
        let [bank, housing] = ["bank", "housing"].map(|name| Credentials::issue(&foreign, &request(name)).unwrap());
        let reason = TlsError::ForeignAuthority(member("bank"));
        server_refuses(world.meet(&world.of_housing(), &bank).await, &reason);
        let reason = TlsError::ForeignAuthority(member("housing"));
        client_refuses(world.meet(&housing, &world.of_bank()).await, &reason);
        // Another member's ledger key is as foreign as any.
        let by_bank = Credentials::issue(&world.bank, &request("housing")).unwrap();
        client_refuses(world.meet(&by_bank, &world.of_bank()).await, &reason);
    }
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    for profile in BOTH {
        let world = World::new(profile);
        let end = |request: &mut Request| request.not_after_ms = NOW - 1000;
        let reason = |name| TlsError::Expired { member: member(name), since: "2026-11-24T23:59:59Z".to_owned() };
        let bank = issue(&world, "bank", end);
        server_refuses(world.meet(&world.of_housing(), &bank).await, &reason("bank"));
        client_refuses(world.meet(&issue(&world, "housing", end), &world.of_bank()).await, &reason("housing"));
        assert!(reason("bank").to_string().contains("expired since 2026-11-24T23:59:59Z"));
    }
}

#[tokio::test]
async fn a_certificate_of_tomorrow_is_refused() {
    for profile in BOTH {
        let world = World::new(profile);
        let begin = |request: &mut Request| request.not_before_ms = NOW + DAY;
        let reason = |name| TlsError::NotYetValid { member: member(name), from: "2026-11-26T00:00:00Z".to_owned() };
        server_refuses(world.meet(&world.of_housing(), &issue(&world, "bank", begin)).await, &reason("bank"));
        client_refuses(world.meet(&issue(&world, "housing", begin), &world.of_bank()).await, &reason("housing"));
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_from_the_next_handshake_on() {
    for profile in BOTH {
        let world = World::new(profile);
        let (housing, bank) = (world.of_housing(), world.of_bank());
        let (server, client) = (world.server(&housing), world.client(Some(&bank), Some("housing")));
        meet(server.clone(), client.clone()).await.both();
        for (shown, name) in [(&bank, "bank"), (&housing, "housing")] {
            let serial = shown.info().serial.clone();
            let reason = TlsError::Revoked { member: member(name), serial: hex(&serial) };
            world.book.revoked.lock().unwrap().insert((member(name), serial));
            let meeting = meet(server.clone(), client.clone()).await;
            if name == "bank" { server_refuses(meeting, &reason) } else { client_refuses(meeting, &reason) }
        }
        // The same member with a fresh certificate is welcome.
        world.meet(&world.of_housing(), &world.of_bank()).await.both();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_member_that_may_not_connect_is_refused_from_the_next_handshake_on() {
    for profile in BOTH {
        let world = World::new(profile);
        let (housing, bank) = (world.of_housing(), world.of_bank());
        let (server, client) = (world.server(&housing), world.client(Some(&bank), Some("housing")));
        meet(server.clone(), client.clone()).await.both();
        world.book.keys.lock().unwrap().remove(&member("bank"));
        server_refuses(meet(server, client).await, &TlsError::UnknownMember(member("bank")));
    }
}

#[tokio::test]
async fn another_member_than_the_called_one_is_refused() {
    for profile in BOTH {
        let world = World::new(profile);
        let answers: &dyn Identity = &world.of_bank();
        let reason = TlsError::AnotherMember { expected: member("housing"), found: member("bank") };
        client_refuses(world.meet(answers, &world.of_bank()).await, &reason);
    }
}

#[tokio::test]
async fn a_name_that_is_not_in_the_certificate_is_refused() {
    for profile in BOTH {
        let world = World::new(profile);
        let (server, client) = (world.server(&world.of_housing()), world.client(Some(&world.of_bank()), None));
        for host in ["bank.covenant.internal", "example.org", "sub.housing.example.org", "127.0.0.2", "::2"] {
            let reason = TlsError::AnotherHost { member: member("housing"), host: host.to_owned() };
            client_refuses(meet_at(server.clone(), client.clone(), host).await, &reason);
        }
    }
}

#[tokio::test]
async fn a_client_without_certificate_is_refused() {
    for profile in BOTH {
        let world = World::new(profile);
        let meeting = meet(world.server(&world.of_housing()), world.client(None, Some("housing"))).await;
        server_refuses(meeting, &TlsError::NoCertificate);
    }
}

#[tokio::test]
async fn the_two_profiles_do_not_meet() {
    for profile in BOTH {
        let (here, there) = (World::new(profile), World::new(other(profile)));
        let client = there.client(Some(&there.of_bank()), Some("housing"));
        let meeting = meet(here.server(&here.of_housing()), client).await;
        assert_eq!(meeting.server.unwrap_err(), TlsError::NothingInCommon);
        assert_eq!(meeting.client.unwrap_err(), TlsError::NothingInCommon);
        assert!(TlsError::NothingInCommon.to_string().starts_with("wrong profile"));
    }
}

#[tokio::test]
async fn a_certificate_of_the_other_profile_is_refused() {
    for profile in BOTH {
        let world = World::new(profile);
        let there = World::new(other(profile));
        let shown = there.of_bank();
        let reason = |what| TlsError::WrongProfile { what, expected: profile, found: other(profile) };
        // In a config of one's own ...
        let config = covenant_tls::server_config(profile, &shown, world.directory(), world.clock(), &[]);
        assert_eq!(config.unwrap_err(), reason("own certificate"));
        let config = covenant_tls::client_config(profile, Some(&shown), world.directory(), None, world.clock(), &[]);
        assert_eq!(config.unwrap_err(), reason("own certificate"));
        let gateway = covenant_tls::gateway_config(profile, &shown, world.clock(), &[]);
        assert_eq!(gateway.unwrap_err(), reason("own certificate"));
        // ... in place of another, and shown by a peer.
        assert_eq!(Rotating::new(&world.of_bank()).replace(&shown).unwrap_err(), reason("certificate"));
        let bank = forged(&world, &world.of_bank(), shown.certificate());
        let housing = forged(&world, &world.of_housing(), there.of_housing().certificate());
        let [to_server, to_client] = forged_both_ways(&world, bank, housing).await;
        server_refuses(to_server, &reason("certificate"));
        client_refuses(to_client, &reason("certificate"));
    }
}

#[tokio::test]
async fn a_key_that_does_not_belong_to_the_certificate_is_refused() {
    for profile in BOTH {
        let world = World::new(profile);
        let bank = forged(&world, &world.of_bank(), world.of_bank().certificate());
        let housing = forged(&world, &world.of_housing(), world.of_housing().certificate());
        let [to_server, to_client] = forged_both_ways(&world, bank, housing).await;
        server_refuses(to_server, &TlsError::KeyMismatch);
        client_refuses(to_client, &TlsError::KeyMismatch);
    }
}

#[tokio::test]
async fn truncated_and_flipped_certificates_are_refused() {
    for profile in BOTH {
        let world = World::new(profile);
        let (bank, housing) = (world.of_bank(), world.of_housing());
        let damages: [Damage; 5] = [
            |der| der[..der.len() - 1].to_vec(),
            |der| der[..der.len() / 2].to_vec(),
            |der| [der, &[0]].concat(),
            |der| flip(der, der.len() - 3),
            |der| flip(der, der.len() / 2),
        ];
        for damage in damages {
            let forged_bank = forged(&world, &bank, &damage(bank.certificate()));
            let forged_housing = forged(&world, &housing, &damage(housing.certificate()));
            let [to_server, to_client] = forged_both_ways(&world, forged_bank, forged_housing).await;
            for (reason, name) in [(to_server.server.unwrap_err(), "bank"), (to_client.client.unwrap_err(), "housing")]
            {
                let foreign = TlsError::ForeignAuthority(member(name));
                assert!(matches!(reason, TlsError::Malformed(_)) || reason == foreign, "{reason}");
            }
        }
    }
}

type Damage = fn(&[u8]) -> Vec<u8>;

fn flip(der: &[u8], at: usize) -> Vec<u8> {
    let mut der = der.to_vec();
    der[at] ^= 1;
    der
}

#[tokio::test]
async fn another_consortium_is_refused() {
    for profile in BOTH {
        let world = World::new(profile);
        let elsewhere = issue(&world, "bank", |request| request.consortium = "valley".to_owned());
        let reason = TlsError::ForeignConsortium { expected: "harbour".to_owned(), found: "valley".to_owned() };
        server_refuses(world.meet(&world.of_housing(), &elsewhere).await, &reason);
    }
}

#[test]
fn a_successor_speaks_for_whom_its_predecessor_spoke() {
    let world = World::new(Profile::Standard);
    let rotating = Rotating::new(&world.of_bank());
    let reason = TlsError::AnotherMember { expected: member("bank"), found: member("housing") };
    assert_eq!(rotating.replace(&world.of_housing()).unwrap_err(), reason);
    let elsewhere = issue(&world, "bank", |request| request.consortium = "valley".to_owned());
    assert!(matches!(rotating.replace(&elsewhere).unwrap_err(), TlsError::ForeignConsortium { .. }));
}

#[test]
fn what_is_not_a_refusal_of_ours_is_explained_too() {
    let error = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRevoked);
    assert_eq!(explain(&error), TlsError::Refused("CertificateRevoked".to_owned()));
    assert!(matches!(explain(&rustls::Error::DecryptError), TlsError::Connection(_)));
    let id = MemberId::new("bank").unwrap();
    assert_eq!(explain(&TlsError::UnknownMember(id.clone()).into()), TlsError::UnknownMember(id));
}
