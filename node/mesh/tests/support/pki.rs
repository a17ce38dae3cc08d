//! A certificate authority and the [`Security`] of its members.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use covenant_domain::MemberId;
use covenant_mesh::{Security, internal_name};
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, CommonState, RootCertStore, ServerConfig};

use super::member;

pub struct Pki {
    authority: Certificate,
    key: KeyPair,
    /// Whose certificate is whose.
    known: Arc<Mutex<BTreeMap<Vec<u8>, MemberId>>>,
}

impl Pki {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority of the tests");
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        Self { authority, key, known: Arc::default() }
    }

    /// The security of a member that admits everybody with a certificate.
    pub fn security(&self, name: &str) -> Arc<TestSecurity> {
        let member = member(name);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![internal_name(&member)]).unwrap();
        let certificate = params.signed_by(&key, &self.authority, &self.key).unwrap().der().clone();
        self.known.lock().unwrap().insert(certificate.to_vec(), member);
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let (known, barred) = (self.known.clone(), Mutex::default());
        Arc::new(TestSecurity { certificate, key, roots: Arc::new(roots), known, barred })
    }
}

pub struct TestSecurity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    roots: Arc<RootCertStore>,
    known: Arc<Mutex<BTreeMap<Vec<u8>, MemberId>>>,
    /// Who is not admitted.
    pub barred: Mutex<BTreeSet<MemberId>>,
}

impl TestSecurity {
    pub fn bar(&self, name: &str) {
        self.barred.lock().unwrap().insert(member(name));
    }

    pub fn unbar(&self, name: &str) {
        self.barred.lock().unwrap().remove(&member(name));
    }
}

impl Security for TestSecurity {
    fn server(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(self.roots.clone(), provider.clone()).build().unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key());
        Arc::new(config.unwrap())
    }

    fn client(&self, _: &MemberId) -> Arc<ClientConfig> {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_client_auth_cert(vec![self.certificate.clone()], self.key.clone_key());
        Arc::new(config.unwrap())
    }

    fn member(&self, session: &CommonState) -> Result<MemberId, String> {
        let shown = session.peer_certificates().and_then(|chain| chain.first()).ok_or("no certificate was shown")?;
        let known = self.known.lock().unwrap().get(shown.as_ref()).cloned();
        known.ok_or_else(|| "the certificate names no member".to_owned())
    }

    fn admits(&self, peer: &MemberId) -> bool {
        !self.barred.lock().unwrap().contains(peer)
    }
}
