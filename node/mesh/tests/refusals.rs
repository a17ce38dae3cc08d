//! Each reason not to connect is named at both ends, and nobody is told of a connection.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod support;

use covenant_canon::Digest;
use covenant_mesh::{ALPN_MESH, Hello, Kind, MeshConfig, RefusalCode, Side};
use support::member;
use support::node::{GENESIS, Node};
use support::pki::Pki;
use support::raw::Raw;

async fn pair(pki: &Pki, at_b: impl FnOnce(&mut MeshConfig)) -> (Node, Node) {
    let a = Node::start("a", &pki.security("a"), |_| {}).await;
    let b = Node::start("b", &pki.security("b"), at_b).await;
    (a, b)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_genesis() {
    for a_dials in [true, false] {
        let (mut a, mut b) = pair(&Pki::new(), |config| config.consortium = Digest::ZERO).await;
        if a_dials {
            a.dial(&[("b", b.at())])
        } else {
            b.dial(&[("a", a.at())])
        }
        a.refused("b", Side::Us, RefusalCode::WrongGenesis).await;
        b.refused("a", Side::Us, RefusalCode::WrongGenesis).await;
        assert!(a.info("b").unwrap().refusal.unwrap().1.text.contains("genesis `07070707` here"));
        assert!(a.drain().is_empty() && b.drain().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_not_admitted() {
    for a_dials in [true, false] {
        for a_bars in [true, false] {
            let (mut a, mut b) = pair(&Pki::new(), |_| {}).await;
            let (barring, barred) = if a_bars { (&a, &b) } else { (&b, &a) };
            if a_dials == a_bars {
                // Whoever bars does not dial: it knows already.
                barring.security.bar(&barred.name);
                barring.dial(&[(&barred.name, barred.at())]);
                barring.refused(&barred.name, Side::Us, RefusalCode::NotAdmitted).await;
                assert!(barred.info(&barring.name).is_none());
            } else {
                barring.security.bar(&barred.name);
                barred.dial(&[(&barring.name, barring.at())]);
                barred.refused(&barring.name, Side::Them, RefusalCode::NotAdmitted).await;
                barring.refused(&barred.name, Side::Us, RefusalCode::NotAdmitted).await;
            }
            assert!(a.drain().is_empty() && b.drain().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_or_earlier_version_of_the_protocol() {
    let pki = Pki::new();
    let mut a = Node::start("a", &pki.security("a"), |_| {}).await;
    let z = pki.security("z");
    for (version, lowest) in [(9, 9), (0, 0)] {
        let mut raw = Raw::connect(&z, "a", a.at(), ALPN_MESH).await;
        raw.say(Kind::Hello, &Hello { version, lowest, genesis: GENESIS, member: member("z") }.to_body()).await;
        assert_eq!(raw.refused().await, Some(RefusalCode::ProtocolVersion));
        a.refused("z", Side::Us, RefusalCode::ProtocolVersion).await;
    }
    let mut raw = Raw::connect(&z, "a", a.at(), ALPN_MESH).await;
    raw.say(Kind::Hello, b"not CBOR").await;
    assert_eq!(raw.refused().await, Some(RefusalCode::Malformed));
    assert!(a.drain().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_that_names_somebody_else() {
    let pki = Pki::new();
    let mut a = Node::start("a", &pki.security("a"), |_| {}).await;
    let mut raw = Raw::connect(&pki.security("z"), "a", a.at(), ALPN_MESH).await;
    raw.say(Kind::Hello, &Hello::new(GENESIS, member("b")).to_body()).await;
    assert_eq!(raw.refused().await, Some(RefusalCode::OtherMember));
    a.refused("z", Side::Us, RefusalCode::OtherMember).await;
    assert!(a.drain().is_empty());
}

/// The node's configuration says another member than its certificate.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_the_certificate_of_another() {
    let pki = Pki::new();
    let mut a = Node::start("a", &pki.security("a"), |_| {}).await;
    let mut b = Node::start("b", &pki.security("z"), |_| {}).await;
    b.dial(&[("a", a.at())]);
    b.refused("a", Side::Them, RefusalCode::OtherMember).await;
    a.refused("z", Side::Us, RefusalCode::OtherMember).await;
    assert!(a.drain().is_empty() && b.drain().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_where_a_certificate_of_another_name_is_shown() {
    let (mut a, mut b) = pair(&Pki::new(), |_| {}).await;
    a.dial(&[("c", b.at())]);
    support::until("TLS fails", || a.info("c").and_then(|c| c.trouble).is_some_and(|t| t.contains("TLS"))).await;
    assert!(a.drain().is_empty() && b.drain().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_where_another_member_answers_under_a_name_that_fits() {
    let pki = Pki::new();
    let mut a =
        Node::start("a", &pki.security("a"), |config| config.server_name = |_| "b.covenant.internal".to_owned()).await;
    let mut b = Node::start("b", &pki.security("b"), |_| {}).await;
    a.dial(&[("c", b.at())]);
    a.refused("c", Side::Us, RefusalCode::OtherMember).await;
    b.refused("a", Side::Them, RefusalCode::OtherMember).await;
    assert!(a.drain().is_empty() && b.drain().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dials_itself() {
    let pki = Pki::new();
    let mut a =
        Node::start("a", &pki.security("a"), |config| config.server_name = |_| "a.covenant.internal".to_owned()).await;
    a.dial(&[("b", a.at()), ("a", a.at())]);
    a.refused("b", Side::Us, RefusalCode::Oneself).await;
    assert!(a.drain().is_empty());
    assert!(a.info("a").is_none());
}
