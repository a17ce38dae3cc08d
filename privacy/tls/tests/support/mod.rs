//! A consortium of members with ledger keys, a directory that tests change, and two ends that meet over loopback.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use covenant_domain::MemberId;
use covenant_suite::{SigningKey, VerifyingKey, suite};
use covenant_tls::{Clock, Credentials, Directory, Identity, Profile, Request, TlsError, explain_io, peer_member};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

pub(crate) const BOTH: [Profile; 2] = [Profile::Standard, Profile::ShangMi];
/// 2026-11-25, 00:00:00 UTC.
pub(crate) const NOW: u64 = 1_795_564_800_000;
pub(crate) const DAY: u64 = 24 * 3600 * 1000;

pub(crate) fn member(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

pub(crate) fn other(profile: Profile) -> Profile {
    if profile == Profile::Standard { Profile::ShangMi } else { Profile::Standard }
}

pub(crate) fn ledger_key(profile: Profile, seed: u8) -> SigningKey {
    suite(profile.suite()).generate_signing_key(&mut ChaCha20Rng::from_seed([seed; 32]))
}

pub(crate) fn request(name: &str) -> Request {
    Request {
        member: member(name),
        consortium: "harbour".to_owned(),
        dns_names: vec![format!("{name}.example.org"), "localhost".to_owned()],
        addresses: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        not_before_ms: NOW - DAY,
        not_after_ms: NOW + 90 * DAY,
    }
}

/// What the ledger would say.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) keys: Mutex<BTreeMap<MemberId, Vec<VerifyingKey>>>,
    pub(crate) revoked: Mutex<BTreeSet<(MemberId, Vec<u8>)>>,
}

impl Directory for Book {
    fn authorities(&self, member: &MemberId) -> Vec<VerifyingKey> {
        self.keys.lock().unwrap().get(member).cloned().unwrap_or_default()
    }

    fn is_revoked(&self, member: &MemberId, serial: &[u8]) -> bool {
        self.revoked.lock().unwrap().contains(&(member.clone(), serial.to_vec()))
    }

    fn consortium(&self) -> Option<String> {
        Some("harbour".to_owned())
    }
}

/// Two members, `housing` and `bank`, in one profile.
pub(crate) struct World {
    pub(crate) profile: Profile,
    pub(crate) book: Arc<Book>,
    pub(crate) housing: SigningKey,
    pub(crate) bank: SigningKey,
    now: Arc<AtomicU64>,
}

impl World {
    pub(crate) fn new(profile: Profile) -> Self {
        let (housing, bank) = (ledger_key(profile, 1), ledger_key(profile, 2));
        let book = Book::default();
        for (name, key) in [("housing", &housing), ("bank", &bank)] {
            book.keys.lock().unwrap().insert(member(name), vec![key.verifying_key().clone()]);
        }
        Self { profile, book: Arc::new(book), housing, bank, now: Arc::new(AtomicU64::new(NOW)) }
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        let now = self.now.clone();
        Arc::new(move || now.load(Ordering::Relaxed))
    }

    pub(crate) fn set_now(&self, now_ms: u64) {
        self.now.store(now_ms, Ordering::Relaxed);
    }

    pub(crate) fn directory(&self) -> Arc<dyn Directory> {
        self.book.clone()
    }

    pub(crate) fn of_housing(&self) -> Credentials {
        Credentials::issue(&self.housing, &request("housing")).unwrap()
    }

    pub(crate) fn of_bank(&self) -> Credentials {
        Credentials::issue(&self.bank, &request("bank")).unwrap()
    }

    /// `housing` serves.
    pub(crate) fn server(&self, identity: &dyn Identity) -> Arc<ServerConfig> {
        covenant_tls::server_config(self.profile, identity, self.directory(), self.clock(), &[b"h2"]).unwrap()
    }

    pub(crate) fn client(&self, identity: Option<&dyn Identity>, expected: Option<&str>) -> Arc<ClientConfig> {
        let expected = expected.map(member);
        covenant_tls::client_config(self.profile, identity, self.directory(), expected, self.clock(), &[b"h2"]).unwrap()
    }

    /// A mutual handshake of `bank`'s client, which expects `housing`, with a server of this identity.
    pub(crate) async fn meet(&self, server: &dyn Identity, client: &dyn Identity) -> Meeting {
        meet(self.server(server), self.client(Some(client), Some("housing"))).await
    }
}

/// What one end knows afterwards.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct End {
    pub(crate) peer: Result<MemberId, TlsError>,
    pub(crate) suite: u16,
    pub(crate) group: u16,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) resumed: bool,
    pub(crate) serial: Option<Vec<u8>>,
}

impl End {
    fn of(connection: &rustls::CommonState) -> Self {
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        Self {
            peer: peer_member(connection),
            suite: connection.negotiated_cipher_suite().unwrap().suite().into(),
            group: connection.negotiated_key_exchange_group().unwrap().name().into(),
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            resumed: connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
            serial: shown.map(|certificate| covenant_tls::inspect(certificate).unwrap().serial),
        }
    }
}

/// How a handshake and an echo went at each end.
#[derive(Debug)]
pub(crate) struct Meeting {
    pub(crate) server: Result<End, TlsError>,
    pub(crate) client: Result<End, TlsError>,
}

impl Meeting {
    pub(crate) fn both(self) -> (End, End) {
        (self.server.expect("server"), self.client.expect("client"))
    }
}

pub(crate) async fn meet(server: Arc<ServerConfig>, client: Arc<ClientConfig>) -> Meeting {
    meet_at(server, client, "housing.covenant.internal").await
}

pub(crate) async fn meet_at(server: Arc<ServerConfig>, client: Arc<ClientConfig>, host: &str) -> Meeting {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let host = ServerName::try_from(host.to_owned()).unwrap();
    let server = async {
        let (socket, _) = listener.accept().await?;
        let mut stream = TlsAcceptor::from(server).accept(socket).await?;
        let mut bytes = [0; 4];
        stream.read_exact(&mut bytes).await?;
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        Ok(End::of(stream.get_ref().1))
    };
    let client = async {
        let socket = TcpStream::connect(address).await?;
        let mut stream = TlsConnector::from(client).connect(host, socket).await?;
        let mut bytes = [0; 4];
        stream.write_all(b"ping").await?;
        stream.flush().await?;
        stream.read_exact(&mut bytes).await?;
        assert_eq!(&bytes, b"ping");
        Ok(End::of(stream.get_ref().1))
    };
    let both = async { tokio::join!(server, client) };
    let (server, client) = tokio::time::timeout(Duration::from_secs(30), both).await.expect("both ends within 30 s");
    let reason = |error: std::io::Error| explain_io(&error).unwrap_or(TlsError::Connection(error.to_string()));
    Meeting { server: server.map_err(reason), client: client.map_err(reason) }
}
