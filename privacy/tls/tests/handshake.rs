//! Handshakes that succeed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod support;

use std::sync::Arc;

use covenant_tls::{Credentials, Profile, Rotating, client_config, gateway_config, provider};
use support::{BOTH, NOW, World, ledger_key, meet, meet_at, member, request};

const SM4_GCM_SM3: u16 = 0x00C6;
const AES_256_GCM_SHA384: u16 = 0x1302;
const CURVE_SM2: u16 = 41;
const X25519: u16 = 29;

#[tokio::test]
async fn two_members_meet_and_know_each_other() {
    for profile in BOTH {
        let world = World::new(profile);
        let (server, client) = world.meet(&world.of_housing(), &world.of_bank()).await.both();
        assert_eq!((server.peer, client.peer), (Ok(member("bank")), Ok(member("housing"))));
        let expected = match profile {
            Profile::Standard => (AES_256_GCM_SHA384, X25519),
            Profile::ShangMi => (SM4_GCM_SM3, CURVE_SM2),
        };
        assert_eq!((server.suite, server.group), expected);
        assert_eq!((client.suite, client.group), expected);
        assert_eq!((server.alpn.as_deref(), client.alpn.as_deref()), (Some(&b"h2"[..]), Some(&b"h2"[..])));
    }
}

#[tokio::test]
async fn an_anonymous_client_meets_a_gateway_and_no_member_server() {
    for profile in BOTH {
        let world = World::new(profile);
        let gateway = gateway_config(profile, &world.of_housing(), world.clock(), &[b"h2", b"http/1.1"]).unwrap();
        let client = client_config(profile, None, world.directory(), None, world.clock(), &[b"http/1.1"]).unwrap();
        for host in ["housing.example.org", "localhost", "127.0.0.1", "::1", "HOUSING.covenant.internal", "localhost."]
        {
            let (server, client) = meet_at(gateway.clone(), client.clone(), host).await.both();
            assert!(server.peer.is_err());
            assert_eq!((client.peer, client.alpn.as_deref()), (Ok(member("housing")), Some(&b"http/1.1"[..])));
        }
    }
}

#[tokio::test]
async fn nothing_is_resumed() {
    for profile in BOTH {
        let world = World::new(profile);
        let (server, client) = (world.server(&world.of_housing()), world.client(Some(&world.of_bank()), None));
        for _ in 0..3 {
            let (server, client) = meet(server.clone(), client.clone()).await.both();
            assert!(!server.resumed && !client.resumed);
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_without_a_restart() {
    for profile in BOTH {
        let world = World::new(profile);
        let (housing, bank) = (Rotating::new(&world.of_housing()), Rotating::new(&world.of_bank()));
        let (server, client) = (world.server(&housing), world.client(Some(&bank), Some("housing")));
        let before = meet(server.clone(), client.clone()).await.both();
        for (holder, next) in [(&housing, world.of_housing()), (&bank, world.of_bank())] {
            holder.replace(&next).unwrap();
        }
        let after = meet(server, client).await.both();
        assert_eq!(after.1.serial, Some(housing.info().serial));
        assert_eq!(after.0.serial, Some(bank.info().serial));
        assert!(before.0.serial != after.0.serial && before.1.serial != after.1.serial);
    }
}

#[tokio::test]
async fn a_new_ledger_key_replaces_the_old_one() {
    for profile in BOTH {
        let world = World::new(profile);
        let (old, next) = (world.of_housing(), ledger_key(profile, 9));
        let new = Credentials::issue(&next, &request("housing")).unwrap();
        let authorities = |keys: &[&covenant_suite::SigningKey]| {
            let keys = keys.iter().map(|key| key.verifying_key().clone()).collect();
            world.book.keys.lock().unwrap().insert(member("housing"), keys);
        };
        authorities(&[&world.housing, &next]);
        for shown in [&old, &new] {
            world.meet(shown, &world.of_bank()).await.both();
        }
        authorities(&[&next]);
        world.meet(&new, &world.of_bank()).await.both();
        assert!(world.meet(&old, &world.of_bank()).await.client.is_err());
    }
}

#[tokio::test]
async fn a_certificate_holds_from_its_first_second_to_its_last() {
    let world = World::new(Profile::Standard);
    let (housing, bank) = (world.of_housing(), world.of_bank());
    let ends = [request("bank").not_before_ms, NOW, request("bank").not_after_ms + 999];
    for moment in ends {
        world.set_now(moment);
        world.meet(&housing, &bank).await.both();
    }
}

#[tokio::test]
async fn keys_are_renewed_under_a_connection() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    for profile in BOTH {
        let world = World::new(profile);
        let (server, client) = (world.server(&world.of_housing()), world.client(Some(&world.of_bank()), None));
        let (near, far) = tokio::io::duplex(1 << 16);
        let host = "housing.covenant.internal".try_into().unwrap();
        let accept = tokio_rustls::TlsAcceptor::from(server).accept(far);
        let connect = tokio_rustls::TlsConnector::from(client).connect(host, near);
        let (server, client) = tokio::join!(accept, connect);
        let (mut server, mut client) = (server.unwrap(), client.unwrap());
        for _ in 0..3 {
            client.get_mut().1.refresh_traffic_keys().unwrap();
            server.get_mut().1.refresh_traffic_keys().unwrap();
            let mut bytes = [0; 4];
            client.write_all(b"ping").await.unwrap();
            client.flush().await.unwrap();
            server.read_exact(&mut bytes).await.unwrap();
            server.write_all(&bytes).await.unwrap();
            server.flush().await.unwrap();
            client.read_exact(&mut bytes).await.unwrap();
            assert_eq!(&bytes, b"ping");
        }
    }
}

/// Records of every size up to several at once, in both directions.
#[tokio::test]
async fn long_messages_pass_whole() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    for profile in BOTH {
        let world = World::new(profile);
        let (server, client) = (world.server(&world.of_housing()), world.client(Some(&world.of_bank()), None));
        let (near, far) = tokio::io::duplex(1 << 16);
        let sizes = [0, 1, 15, 16, 17, 255, 1 << 10, 16_383, 16_384, 16_385, 100_000];
        let message = |size: usize| -> Vec<u8> { (0..size).map(|at| (at * 31 + size) as u8).collect() };
        let serve = async {
            let mut stream = tokio_rustls::TlsAcceptor::from(server).accept(far).await.unwrap();
            for size in sizes {
                let mut bytes = vec![0; size];
                stream.read_exact(&mut bytes).await.unwrap();
                stream.write_all(&bytes).await.unwrap();
                stream.flush().await.unwrap();
            }
        };
        let call = async {
            let host = "housing.covenant.internal".try_into().unwrap();
            let mut stream = tokio_rustls::TlsConnector::from(client).connect(host, near).await.unwrap();
            for size in sizes {
                let mut bytes = vec![0; size];
                stream.write_all(&message(size)).await.unwrap();
                stream.flush().await.unwrap();
                stream.read_exact(&mut bytes).await.unwrap();
                assert_eq!(bytes, message(size), "{profile} {size}");
            }
        };
        let both = async { tokio::join!(serve, call) };
        tokio::time::timeout(std::time::Duration::from_secs(60), both).await.expect("both ends within 60 s");
    }
}

#[test]
fn each_profile_offers_its_own_algorithms_only() {
    let standard = provider(Profile::Standard);
    let suites: Vec<u16> = standard.cipher_suites.iter().map(|suite| suite.suite().into()).collect();
    let groups: Vec<u16> = standard.kx_groups.iter().map(|group| group.name().into()).collect();
    assert_eq!((suites, groups), (vec![0x1302, 0x1301, 0x1303], vec![X25519, 23]));
    let shangmi = provider(Profile::ShangMi);
    let suites: Vec<u16> = shangmi.cipher_suites.iter().map(|suite| suite.suite().into()).collect();
    let groups: Vec<u16> = shangmi.kx_groups.iter().map(|group| group.name().into()).collect();
    let schemes = shangmi.signature_verification_algorithms.supported_schemes();
    let schemes: Vec<u16> = schemes.into_iter().map(u16::from).collect();
    assert_eq!((suites, groups, schemes), (vec![SM4_GCM_SM3], vec![CURVE_SM2], vec![0x0708]));
    assert!(Arc::ptr_eq(&provider(Profile::ShangMi), &shangmi));
}
