//! Certificates, and meshes of named members.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use covenant_canon::Digest;
use covenant_domain::MemberId;
use covenant_mesh::{CALLS, MESH, Mesh, MeshConfig, MeshEvent, PeerInfo, Security, Visit};
use parking_lot::Mutex;
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, CommonState, RootCertStore, ServerConfig};
use tokio::sync::mpsc;

pub(crate) const CONSORTIUM: Digest = Digest([7; 32]);

pub(crate) fn id(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

/// One authority for all members, which here is enough.
pub(crate) struct World {
    ca: Certificate,
    key: KeyPair,
    pub(crate) banned: Arc<Mutex<BTreeSet<MemberId>>>,
}

pub(crate) struct Plain {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    banned: Arc<Mutex<BTreeSet<MemberId>>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { ca: params.self_signed(&key).unwrap(), key, banned: Arc::default() }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.der().clone()).unwrap();
        Arc::new(roots)
    }

    fn certified(&self, name: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![format!("{name}.covenant.internal")]).unwrap();
        let certificate = params.signed_by(&key, &self.ca, &self.key).unwrap();
        (vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    /// A client of a member that offers these protocols.
    pub(crate) fn client(&self, name: &str, protocols: &[&[u8]]) -> Arc<ClientConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let (chain, key) = self.certified(name);
        let mut config = builder.with_root_certificates(self.roots()).with_client_auth_cert(chain, key).unwrap();
        config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
        Arc::new(config)
    }

    pub(crate) fn security(&self, name: &str) -> Arc<Plain> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(self.roots(), provider.clone()).build().unwrap();
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let (chain, key) = self.certified(name);
        let mut server = builder.with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap();
        server.alpn_protocols = vec![MESH.to_vec(), CALLS.to_vec()];
        Arc::new(Plain { server: Arc::new(server), client: self.client(name, &[MESH]), banned: self.banned.clone() })
    }

    pub(crate) async fn start(&self, name: &str, listen: SocketAddr, addresses: &[(&str, SocketAddr)]) -> Node {
        self.start_as(name, CONSORTIUM, listen, addresses).await
    }

    pub(crate) async fn start_as(
        &self,
        name: &str,
        consortium: Digest,
        listen: SocketAddr,
        addresses: &[(&str, SocketAddr)],
    ) -> Node {
        let addresses: BTreeMap<_, _> = addresses.iter().map(|(n, a)| (id(n), a.to_string())).collect();
        let security = self.security(name);
        let config = MeshConfig { me: id(name), consortium, listen, security, addresses };
        let (mesh, events, visits) = Mesh::start(config).await.unwrap();
        Node { mesh, events, visits }
    }
}

impl Security for Plain {
    fn server(&self) -> Arc<ServerConfig> {
        self.server.clone()
    }

    fn client(&self, _: &MemberId) -> Result<Arc<ClientConfig>, String> {
        Ok(self.client.clone())
    }

    /// The name is found by looking for it: parsing certificates is not what is tested here.
    fn member(&self, session: &CommonState) -> Result<MemberId, String> {
        let der = session.peer_certificates().and_then(|c| c.first()).ok_or("no certificate")?;
        let text: String = der.iter().map(|b| *b as char).collect();
        let end = text.rfind(".covenant.internal").ok_or("no name")?;
        let name: String = text[..end].chars().rev().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        Ok(id(&name.chars().rev().collect::<String>()))
    }

    fn admits(&self, peer: &MemberId) -> bool {
        !self.banned.lock().contains(peer)
    }
}

pub(crate) struct Node {
    pub(crate) mesh: Mesh,
    pub(crate) events: mpsc::Receiver<MeshEvent>,
    pub(crate) visits: mpsc::Receiver<Visit>,
}

impl Node {
    pub(crate) async fn next(&mut self) -> MeshEvent {
        tokio::time::timeout(Duration::from_secs(30), self.events.recv()).await.expect("an event in time").unwrap()
    }

    /// Waits until these are connected; other events are passed over.
    pub(crate) async fn connected(&mut self, peers: &[&str]) {
        let mut missing: BTreeSet<MemberId> = peers.iter().map(|p| id(p)).collect();
        while !missing.is_empty() {
            match self.next().await {
                MeshEvent::Connected(peer) => {
                    missing.remove(&peer);
                }
                MeshEvent::Disconnected(peer) => {
                    missing.insert(peer);
                }
                MeshEvent::Frame(..) => {}
            }
        }
    }

    pub(crate) async fn disconnected(&mut self, peer: &str) {
        while self.next().await != MeshEvent::Disconnected(id(peer)) {}
    }

    pub(crate) async fn frame(&mut self) -> (MemberId, covenant_mesh::Lane, Bytes) {
        loop {
            if let MeshEvent::Frame(peer, lane, frame) = self.next().await {
                return (peer, lane, frame);
            }
        }
    }

    pub(crate) fn peer(&self, name: &str) -> PeerInfo {
        self.mesh.peers().into_iter().find(|p| p.member == id(name)).expect("a known peer")
    }

    /// Waits until it is known why a peer is not connected.
    pub(crate) async fn refusal(&self, peer: &str, words: &str) {
        for _ in 0..600 {
            let known = self.mesh.peers().into_iter().find(|p| p.member == id(peer)).and_then(|p| p.refusal);
            if known.is_some_and(|refusal| refusal.contains(words)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no refusal with `{words}`: {:?}", self.mesh.peers());
    }
}

/// A port that is free now.
pub(crate) fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
