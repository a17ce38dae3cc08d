//! The certificate that a running server or client shows, which can be changed under it.

use std::sync::Arc;

use parking_lot::RwLock;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::{CertificateInfo, Credentials, TlsError};

/// Whose certificate a config shows: [`Credentials`] for good, or [`Rotating`] ones.
pub trait Identity {
    /// The holder of the current certificate.
    fn rotating(&self) -> Rotating;
}

impl Identity for Credentials {
    fn rotating(&self) -> Rotating {
        Rotating::new(self)
    }
}

impl Identity for Rotating {
    fn rotating(&self) -> Rotating {
        self.clone()
    }
}

/// Credentials that can be replaced while connections are made. Clones share them. Connections that stand keep what they
/// began with.
#[derive(Clone)]
pub struct Rotating(Arc<RwLock<Current>>);

struct Current {
    info: CertificateInfo,
    certified: Arc<CertifiedKey>,
}

impl Rotating {
    /// Begins with these credentials.
    pub fn new(credentials: &Credentials) -> Self {
        Self(Arc::new(RwLock::new(Current::of(credentials))))
    }

    /// Every handshake from now on shows these.
    ///
    /// # Errors
    /// [`TlsError::WrongProfile`], [`TlsError::AnotherMember`], [`TlsError::ForeignConsortium`]: the successor speaks for
    /// whom its predecessor spoke.
    pub fn replace(&self, credentials: &Credentials) -> Result<(), TlsError> {
        let (old, new) = (self.info(), credentials.info());
        if old.profile != new.profile {
            return Err(TlsError::WrongProfile { what: "certificate", expected: old.profile, found: new.profile });
        }
        if old.member != new.member {
            return Err(TlsError::AnotherMember { expected: old.member, found: new.member.clone() });
        }
        if old.consortium != new.consortium {
            return Err(TlsError::ForeignConsortium { expected: old.consortium, found: new.consortium.clone() });
        }
        *self.0.write() = Current::of(credentials);
        Ok(())
    }

    /// What the current certificate says.
    pub fn info(&self) -> CertificateInfo {
        self.0.read().info.clone()
    }

    fn certified(&self) -> Arc<CertifiedKey> {
        self.0.read().certified.clone()
    }
}

impl Current {
    fn of(credentials: &Credentials) -> Self {
        Self { info: credentials.info().clone(), certified: credentials.certified().clone() }
    }
}

impl ResolvesServerCert for Rotating {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certified())
    }
}

impl ResolvesClientCert for Rotating {
    fn resolve(&self, _root_hint_subjects: &[&[u8]], _sigschemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.certified())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for Rotating {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rotating").field(&self.info()).finish()
    }
}
