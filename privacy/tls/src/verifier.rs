//! What rustls asks about a peer, answered from the directory.

use std::sync::Arc;

use covenant_domain::MemberId;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::{CertificateInfo, Directory, Profile, TlsError, check, provider};

/// Judges servers and clients alike.
pub(crate) struct Peers {
    pub(crate) profile: Profile,
    pub(crate) directory: Arc<dyn Directory>,
    /// The one member that may answer.
    pub(crate) expected: Option<MemberId>,
}

impl Peers {
    /// A chain is not followed: what comes after the first certificate is not looked at.
    fn judge(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> Result<CertificateInfo, TlsError> {
        let now_ms = now.as_secs().saturating_mul(1000);
        check(self.profile, certificate, self.directory.as_ref(), now_ms, self.expected.as_ref())
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = provider(self.profile).signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        provider(self.profile).signature_verification_algorithms.supported_schemes()
    }
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Peers({}, {:?})", self.profile, self.expected)
    }
}

/// No config of this crate speaks TLS 1.2.
fn no_tls12() -> Error {
    Error::General("tls 1.2 is not spoken here".to_owned())
}

impl ServerCertVerifier for Peers {
    /// A member that is expected is known by its id, whatever address it was found under. Without expectation the
    /// certificate must hold the name that was called.
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let info = self.judge(end_entity, now)?;
        if self.expected.is_none() && !info.names_host(server_name) {
            return Err(TlsError::AnotherHost { member: info.member, host: server_name.to_str().into_owned() }.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ClientCertVerifier for Peers {
    /// Authorities are not named: there is one for every member.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge(end_entity, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}
