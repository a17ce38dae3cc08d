//! Known answers. The vectors of RFC 8998 are its appendix A.1; the others come from the `openssl` command, 3.0.19, and the
//! shared secret from textbook arithmetic written for it.

use aes_gcm::aead::{AeadInOut, KeyInit};
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, Iv, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundPlainMessage,
};
use rustls::crypto::hash::Hash;
use rustls::crypto::tls13::{Hkdf, HkdfUsingHmac};
use rustls::crypto::{ActiveKeyExchange, SupportedKxGroup, hmac::Hmac};
use rustls::pki_types::SignatureVerificationAlgorithm;
use rustls::sign::{Signer, SigningKey};
use rustls::{ContentType, ProtocolVersion};
use sm2::NonZeroScalar;
use zeroize::Zeroizing;

use super::exchange::{CurveSm2, Ephemeral};
use super::hash::{Sm3Hash, Sm3Hmac};
use super::record::{Records, Sm4Gcm};
use super::verify::{CERTIFICATES, HANDSHAKES};
use super::{SM2SIG_SM3, Sm2Key};

/// An SM2 key that `openssl genpkey` made for these tests: PKCS#8, secret and public half.
const PKCS8: &str = "308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420\
    48f47dfaded30187623693561762d22228784278f99905ec395b013d858f6089a144034200";
const SECRET: &str = "48f47dfaded30187623693561762d22228784278f99905ec395b013d858f6089";
const PUBLIC: &str = "04e042369573c6a0cb90727006df78cacf3a63af8d59c83b8fefd1d5eada820af4\
    3f68e47656e37d1a0b2059115cf59b00877cf83f36340f965ab0b79bd4e278a5";

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits).unwrap()
}

#[test]
fn sm4_gcm_gives_the_answer_of_rfc_8998() {
    let cipher = Sm4Gcm::new_from_slice(&bytes("0123456789abcdeffedcba9876543210")).unwrap();
    let nonce = <[u8; 12]>::try_from(bytes("00001234567800000000abcd")).unwrap().into();
    let aad = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let text: Vec<u8> = [0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA].iter().flat_map(|byte| [*byte; 8]).collect();
    let mut sealed = text.clone();
    let tag = cipher.encrypt_inout_detached(&nonce, &aad, sealed.as_mut_slice().into()).unwrap();
    let expected = "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
        d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d";
    assert_eq!(hex::encode(sealed), expected);
    assert_eq!(hex::encode(tag), "83de3541e4c2b58177e065a9bf7b62ec");
}

#[test]
fn sm3_gives_the_answer_of_gb_t_32905() {
    let expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
    assert_eq!(hex::encode(Sm3Hash.hash(b"abc")), expected);
    let mut running = Sm3Hash.start();
    running.update(b"a");
    let mut forked = running.fork();
    running.update(b"bc");
    forked.update(b"bc");
    assert_eq!(hex::encode(running.fork_finish()), expected);
    assert_eq!(hex::encode(running.finish()), expected);
    assert_eq!(hex::encode(forked.finish()), expected);
}

/// Keys shorter than a block, of a block, and longer.
#[test]
fn hmac_gives_the_answers_of_openssl() {
    for (key, expected) in [
        (vec![0x0B; 22], "36f2159f720efa445a40519a83c7e7041d56b496cd81e2ff40ad067ed39eb4fd"),
        (vec![0xAA; 64], "727b66ad27f13669e01f30310305d234f680dc887421111b3e28227c21e9eaf1"),
        (vec![0xAA; 80], "da7b7a52ef9391112a811e9f1cf2d72c5bfaaefe4f71bf2a7ace5f1a4fa37a1c"),
    ] {
        let keyed = Sm3Hmac.with_key(&key);
        assert_eq!(hex::encode(keyed.sign(&[b"abc"])), expected);
        assert_eq!(hex::encode(keyed.sign_concat(b"a", &[b"", b"b"], b"c")), expected);
    }
}

#[test]
fn hkdf_gives_the_answer_of_openssl() {
    let salt: Vec<u8> = (0..=0x0C).collect();
    let info: Vec<u8> = (0xF0..=0xF9).collect();
    let mut output = [0; 42];
    let expander = HkdfUsingHmac(&Sm3Hmac).extract_from_secret(Some(&salt), &[0x0B; 22]);
    assert!(expander.expand_slice(&[&info], &mut output).is_ok());
    let expected = "c69fe91b7aaee2dd5718d72dcaee0cce93f1b8e41f792da51261b6a517e68b36ed2c595572b01dfa359b";
    assert_eq!(hex::encode(output), expected);
}

#[test]
fn openssl_and_ours_sign_handshakes_under_the_id_of_rfc_8998() {
    let of_handshake = "3045022025869e946ea3adcabf53d415382142129d7029d5e47d2a4d6a2f675f12b55306\
        022100d77f49fe6e0556be5d21c599b1aa684aa89d3368cb0d2da63032281c2316da8f";
    let of_certificate = "3045022100ef3f763b141dbc91b3992f29fa264039be73303fb5bb0f5af982616f7eef93b2\
        022000bf034a9e926707852d358f94ec1c7ad81c3308dfd3abb2988fc4990ce3b456";
    let public = bytes(PUBLIC);
    HANDSHAKES.verify_signature(&public, b"abc", &bytes(of_handshake)).unwrap();
    CERTIFICATES.verify_signature(&public, b"abc", &bytes(of_certificate)).unwrap();
    HANDSHAKES.verify_signature(&public, b"abc", &bytes(of_certificate)).unwrap_err();
    CERTIFICATES.verify_signature(&public, b"abc", &bytes(of_handshake)).unwrap_err();

    let key = Sm2Key::from_pkcs8(&bytes(&[PKCS8, PUBLIC].concat())).unwrap();
    let signature = key.sign(b"abc").unwrap();
    HANDSHAKES.verify_signature(&public, b"abc", &signature).unwrap();
    HANDSHAKES.verify_signature(&public, b"abd", &signature).unwrap_err();
    CERTIFICATES.verify_signature(&public, b"abc", &signature).unwrap_err();
    assert!(key.choose_scheme(&[rustls::SignatureScheme::ED25519]).is_none());
    assert_eq!(key.choose_scheme(&[SM2SIG_SM3]).unwrap().scheme(), SM2SIG_SM3);
    assert_eq!(format!("{key:?}"), "Sm2Key(..)");
}

fn known() -> Box<Ephemeral> {
    let secret = NonZeroScalar::try_from(bytes(SECRET).as_slice()).unwrap();
    Box::new(Ephemeral { secret: Zeroizing::new(secret), public: bytes(PUBLIC) })
}

#[test]
fn the_shared_secret_is_the_x_of_the_common_point() {
    let peer = "0446d1086f6e5c938447f05280db707c279a7b459c38f19e4d9a30ad2dadf9f28a\
        f45fc1dc5b377736b57e97e7e0563ccca24c97f440e1d137e5941d84d2eb43c9";
    let expected = "dc13a15d6c52f7d05886685f96b2fd4c8710b07b6ed36f9b3a9d5712299048c8";
    assert_eq!(hex::encode(known().complete(&bytes(peer)).unwrap().secret_bytes()), expected);
    let (here, there) = (CurveSm2.start().unwrap(), CurveSm2.start().unwrap());
    let (share_here, share_there) = (here.pub_key().to_vec(), there.pub_key().to_vec());
    assert_ne!(share_here, share_there);
    let secrets = (here.complete(&share_there).unwrap(), there.complete(&share_here).unwrap());
    assert_eq!(secrets.0.secret_bytes(), secrets.1.secret_bytes());
}

#[test]
fn what_is_no_point_of_the_curve_is_no_share() {
    let good = bytes(PUBLIC);
    let compressed = [&[3], &good[1..33]].concat();
    let hybrid = [&[7], &good[1..]].concat();
    let (mut off, longer) = (good.clone(), [&good[..], &[0]].concat());
    off[64] ^= 1;
    for bad in [&[][..], &[0], &[0; 65], &[4; 65], &good[..64], &compressed, &hybrid, &off, &longer] {
        assert!(known().complete(bad).is_err(), "{bad:?}");
    }
}

/// A record of a connection: opened at its place in the sequence only, and only whole.
#[test]
fn a_changed_or_moved_record_does_not_open() {
    let record = || {
        let payload = OutboundChunks::Single(b"application data");
        OutboundPlainMessage { typ: ContentType::ApplicationData, version: ProtocolVersion::TLSv1_3, payload }
    };
    // rustls cuts a key to `key_len` before it hands it over. One that is not cut seals nothing.
    let mut uncut = super::SUITE.aead_alg.encrypter(AeadKey::from([5; 32]), Iv::from([9; 12]));
    assert!(uncut.encrypt(record(), 0).is_err());

    let ends = || Records::new(&[5; 16], Iv::from([9; 12]));
    let (mut sealer, mut opener) = (ends(), ends());
    let sealed = sealer.encrypt(record(), 3).unwrap().encode()[5..].to_vec();
    assert_eq!(sealed.len(), 16 + 1 + 16);
    let mut open = |bytes: &[u8], seq| {
        let mut bytes = bytes.to_vec();
        let message =
            InboundOpaqueMessage::new(ContentType::ApplicationData, ProtocolVersion::TLSv1_2, bytes.as_mut_slice());
        opener.decrypt(message, seq).map(|plain| plain.payload.to_vec())
    };
    assert_eq!(open(&sealed, 3).unwrap(), b"application data");
    assert!(open(&sealed, 2).is_err() && open(&sealed, 4).is_err());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(open(&changed, 3).is_err() && open(&sealed[..at], 3).is_err());
    }
}
