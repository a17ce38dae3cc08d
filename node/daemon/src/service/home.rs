//! What a process has of its member: the trust root, keys and the transport.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use covenant_domain::MemberId;
use covenant_ledger::{Genesis, Trust};
use covenant_tls::Profile;

use super::config::TlsFiles;
use super::directory::Circle;
use super::secrets::{Certificates, Secrets, passphrase};
use super::security::Guarded;
use super::{ServiceError, read_trust};

/// Where it lies.
pub struct HomeFiles<'a> {
    /// Whose home it is.
    pub member: &'a MemberId,
    /// The founding document.
    pub genesis: &'a PathBuf,
    /// Handovers since, if any are at hand.
    pub handovers: Option<&'a PathBuf>,
    /// Folder of key files.
    pub keys: &'a Path,
    /// File of their passphrase; without it COVENANT_PASSPHRASE.
    pub passphrase_file: Option<&'a Path>,
    /// The transport certificate.
    pub tls: TlsFiles,
}

/// A member's home, opened and checked.
pub struct Home {
    /// The founding document.
    pub genesis: Arc<Genesis>,
    /// What is trusted from it and the handovers.
    pub trust: Trust,
    /// Keys.
    pub secrets: Secrets,
    /// Who may connect.
    pub circle: Arc<Circle>,
    /// The transport certificate.
    pub certificates: Certificates,
}

impl Home {
    /// Opens it.
    ///
    /// # Errors
    /// [`ServiceError`] naming what cannot be used.
    pub fn open(files: HomeFiles<'_>) -> Result<Self, ServiceError> {
        let (genesis, trust) = read_trust(files.genesis, files.handovers)?;
        let secret = passphrase(files.passphrase_file)?;
        let secrets = Secrets::open(files.member, files.keys, secret, trust.latest())?;
        let circle = Circle::new(genesis.consortium.clone(), trust.clone());
        let certificates = Certificates::load(files.tls, secrets.keyring.clone(), circle.clone())?;
        Ok(Self { genesis, trust, secrets, circle, certificates })
    }

    /// Its connections.
    ///
    /// # Errors
    /// [`ServiceError::Tls`] for a certificate of another profile than the consortium's.
    pub fn guarded(&self) -> Result<Arc<Guarded>, ServiceError> {
        let profile = Profile::from(self.genesis.suite);
        Ok(Arc::new(Guarded::new(profile, self.certificates.current.clone(), self.circle.clone())?))
    }
}
