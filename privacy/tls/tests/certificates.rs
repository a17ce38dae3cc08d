//! Certificates as bytes and as files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::LazyLock;

use covenant_tls::{
    Credentials, Existing, Profile, Request, TlsError, authority_certificate, check, inspect, internal_name,
};
use proptest::prelude::*;
use rustls::pki_types::CertificateDer;
use support::{BOTH, DAY, NOW, World, member, other, request};
use tempfile::TempDir;

#[test]
fn a_certificate_says_what_was_asked_for() {
    for profile in BOTH {
        let world = World::new(profile);
        let info = world.of_bank().info().clone();
        assert_eq!((info.member, info.consortium.as_str(), info.profile), (member("bank"), "harbour", profile));
        assert_eq!(info.names, ["bank.covenant.internal", "bank.example.org", "localhost", "127.0.0.1", "::1"]);
        assert_eq!((info.not_before_ms, info.not_after_ms), (NOW - DAY, NOW + 90 * DAY));
        assert_eq!(info.serial.len(), 16);
        let hash = if profile == Profile::Standard { "sha256:" } else { "sm3:" };
        assert!(info.fingerprint.starts_with(hash) && info.fingerprint.len() == hash.len() + 64);
        let again = world.of_bank().info().clone();
        assert!(again.serial != info.serial && again.fingerprint != info.fingerprint, "a fresh key each time");
    }
}

#[test]
fn times_are_cut_to_the_second_and_reach_past_2050() {
    let world = World::new(Profile::Standard);
    let far = 4_000_000_000_999;
    let request = Request { not_before_ms: NOW + 999, not_after_ms: far, ..request("bank") };
    let info = Credentials::issue(&world.bank, &request).unwrap().info().clone();
    assert_eq!((info.not_before_ms, info.not_after_ms), (NOW, 4_000_000_000_000));
}

#[test]
fn a_certificate_that_could_not_be_right_is_not_issued() {
    let world = World::new(Profile::Standard);
    let changes: [fn(&mut Request); 11] = [
        |request| request.consortium.clear(),
        |request| request.consortium = "x".repeat(65),
        |request| request.not_after_ms = request.not_before_ms - 1000,
        |request| request.not_after_ms = u64::MAX,
        |request| request.dns_names.push("housing.covenant.internal".to_owned()),
        |request| request.dns_names.push("housing.covenant.internal.".to_owned()),
        |request| request.dns_names.push("a.bank.covenant.internal".to_owned()),
        |request| request.dns_names.push("*.example.org".to_owned()),
        |request| request.dns_names.push("Example.org".to_owned()),
        |request| request.dns_names.push(String::new()),
        |request| request.addresses = vec![[1, 2, 3, 4].into(); 65],
    ];
    for change in changes {
        let mut request = request("bank");
        change(&mut request);
        assert!(matches!(Credentials::issue(&world.bank, &request), Err(TlsError::Request(_))), "{request:?}");
        assert!(matches!(authority_certificate(&world.bank, &request), Err(TlsError::Request(_))), "{request:?}");
    }
}

#[test]
fn an_authority_certificate_is_the_same_each_time_and_opens_no_door() {
    for profile in BOTH {
        let world = World::new(profile);
        let first = authority_certificate(&world.bank, &request("bank")).unwrap();
        assert_eq!(first, authority_certificate(&world.bank, &request("bank")).unwrap());
        assert_ne!(first, authority_certificate(&world.housing, &request("bank")).unwrap());
        let judged = check(profile, &first, world.book.as_ref(), NOW, None);
        assert!(matches!(judged, Err(TlsError::Malformed(_))), "{judged:?}");
    }
}

#[test]
fn a_check_says_the_first_thing_that_is_wrong() {
    for profile in BOTH {
        let world = World::new(profile);
        let bank = world.of_bank();
        let judge = |profile, now_ms, expected: Option<&str>| {
            let expected = expected.map(member);
            check(profile, bank.certificate(), world.book.as_ref(), now_ms, expected.as_ref())
        };
        assert_eq!(judge(profile, NOW, Some("bank")).unwrap(), *bank.info());
        assert!(matches!(judge(other(profile), NOW, None), Err(TlsError::WrongProfile { .. })));
        assert!(matches!(judge(profile, NOW, Some("housing")), Err(TlsError::AnotherMember { .. })));
        assert!(matches!(judge(profile, NOW - DAY - 1, None), Err(TlsError::NotYetValid { .. })));
        assert!(matches!(judge(profile, NOW + 90 * DAY + 1000, None), Err(TlsError::Expired { .. })));
        world.book.keys.lock().unwrap().clear();
        assert_eq!(judge(profile, NOW, None), Err(TlsError::UnknownMember(member("bank"))));
    }
}

/// Paths of a certificate and its key.
fn paths(folder: &TempDir) -> (PathBuf, PathBuf) {
    (folder.path().join("transport.pem"), folder.path().join("transport.key"))
}

#[test]
fn what_was_saved_is_loaded() {
    for profile in BOTH {
        let folder = TempDir::new().unwrap();
        let (certificate, key) = paths(&folder);
        let bank = World::new(profile).of_bank();
        bank.save(&certificate, &key, Existing::Keep).unwrap();
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        let loaded = Credentials::load(&certificate, &key).unwrap();
        assert_eq!((loaded.certificate(), loaded.info()), (bank.certificate(), bank.info()));
        assert!(fs::read_to_string(&certificate).unwrap().starts_with("-----BEGIN CERTIFICATE-----\n"));
        assert!(fs::read_to_string(&key).unwrap().starts_with("-----BEGIN PRIVATE KEY-----\n"));
        assert!(!format!("{loaded:?}").contains("pkcs8"));
    }
}

#[test]
fn a_file_is_replaced_only_when_asked() {
    let folder = TempDir::new().unwrap();
    let (certificate, key) = paths(&folder);
    let world = World::new(Profile::Standard);
    let (first, second) = (world.of_bank(), world.of_bank());
    fs::write(&certificate, "another").unwrap();
    let taken = TlsError::Exists(certificate.display().to_string());
    assert_eq!(first.save(&certificate, &key, Existing::Keep).unwrap_err(), taken);
    assert!(!key.exists(), "both or none");
    fs::remove_file(&certificate).unwrap();
    first.save(&certificate, &key, Existing::Keep).unwrap();
    assert_eq!(
        second.save(&certificate, &key, Existing::Keep).unwrap_err(),
        TlsError::Exists(taken_path(&certificate))
    );
    assert_eq!(Credentials::load(&certificate, &key).unwrap().info(), first.info());
    second.save(&certificate, &key, Existing::Replace).unwrap();
    assert_eq!(Credentials::load(&certificate, &key).unwrap().info(), second.info());
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside them");
}

fn taken_path(path: &std::path::Path) -> String {
    path.display().to_string()
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = TempDir::new().unwrap();
    let (certificate, key) = paths(&folder);
    World::new(Profile::ShangMi).of_bank().save(&certificate, &key, Existing::Keep).unwrap();
    for mode in [0o640, 0o604, 0o660, 0o601] {
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let error = Credentials::load(&certificate, &key).unwrap_err();
        assert_eq!(error, TlsError::Exposed { path: key.display().to_string(), mode });
        assert!(error.to_string().contains("chmod 600"));
    }
    fs::set_permissions(&key, Permissions::from_mode(0o400)).unwrap();
    Credentials::load(&certificate, &key).unwrap();
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    for profile in BOTH {
        let folder = TempDir::new().unwrap();
        let (certificate, key) = paths(&folder);
        let world = World::new(profile);
        world.of_bank().save(&certificate, &key, Existing::Keep).unwrap();
        for foreign in [world.of_bank(), World::new(other(profile)).of_bank()] {
            let (elsewhere, unused) = (folder.path().join("c"), folder.path().join("k"));
            foreign.save(&elsewhere, &unused, Existing::Replace).unwrap();
            assert_eq!(Credentials::load(&elsewhere, &key).unwrap_err(), TlsError::KeyMismatch);
        }
        let swapped = Credentials::load(&key, &key);
        assert!(matches!(swapped, Err(TlsError::File { .. })), "{swapped:?}");
        let absent = Credentials::load(&folder.path().join("absent"), &key);
        assert!(matches!(absent, Err(TlsError::File { .. })), "{absent:?}");
        let text = fs::read_to_string(&certificate).unwrap();
        for bad in [String::new(), text[..text.len() / 2].to_owned(), text.repeat(2), "x".repeat(1 << 17)] {
            fs::write(&certificate, bad).unwrap();
            assert!(matches!(Credentials::load(&certificate, &key), Err(TlsError::File { .. })));
        }
    }
}

#[test]
fn a_member_has_one_internal_name() {
    assert_eq!(internal_name(&member("market-regulation")), "market-regulation.covenant.internal");
}

/// One certificate of each profile, with the world that accepts it.
static ISSUED: LazyLock<Vec<(World, CertificateDer<'static>)>> = LazyLock::new(|| {
    let of = |profile| {
        let world = World::new(profile);
        let certificate = world.of_bank().certificate().clone();
        (world, certificate)
    };
    BOTH.into_iter().map(of).collect()
});

fn accepted(at: usize, der: &[u8]) -> bool {
    let (world, _) = &ISSUED[at];
    check(world.profile, &der.into(), world.book.as_ref(), NOW, None).is_ok()
}

/// All of them, not a sample.
#[test]
fn no_flipped_bit_and_no_cut_of_a_certificate_verifies() {
    for at in 0..ISSUED.len() {
        let good = &ISSUED[at].1;
        assert!(accepted(at, good));
        for place in 0..good.len() {
            for bit in 0..8 {
                let mut der = good.to_vec();
                der[place] ^= 1 << bit;
                assert!(!accepted(at, &der), "bit {bit} of byte {place}");
            }
            assert!(!accepted(at, &good[..place]), "cut at {place}");
        }
        assert!(!accepted(at, &[&good[..], &[0]].concat()));
    }
}

proptest! {
    #[test]
    fn no_changed_byte_of_a_certificate_verifies(at in 0..2_usize, place in any::<prop::sample::Index>(), to: u8) {
        let good = ISSUED[at].1.to_vec();
        let mut der = good.clone();
        der[place.index(good.len())] = to;
        prop_assert_eq!(accepted(at, &der), der == good);
    }

    #[test]
    fn random_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(inspect(&bytes.into()).is_err());
    }

    /// Parts cut out, doubled and put elsewhere: deeper into the parser than random bytes come.
    #[test]
    fn torn_certificates_are_read_without_panic(
        at in 0..2_usize,
        from in any::<prop::sample::Index>(),
        length in 0..200_usize,
        to in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let good = &ISSUED[at].1;
        let from = from.index(good.len());
        let part = &good[from..(from + length).min(good.len())];
        let to = to.index(good.len());
        let torn = [&good[..to], part, &noise, &good[to..]].concat();
        prop_assert!(torn == good[..] || !accepted(at, &torn));
        let over = [&good[..to], part, &good[(to + part.len()).min(good.len())..]].concat();
        prop_assert!(over == good[..] || !accepted(at, &over));
    }
}
