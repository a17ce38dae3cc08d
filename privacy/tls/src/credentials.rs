//! A transport key and its certificate: issued, written down, read again.

use std::path::Path;
use std::sync::Arc;

use covenant_suite::SigningKey;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rustls::crypto::ring::sign as standard;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{self, CertifiedKey};
use zeroize::Zeroizing;

use crate::certificate::Parsed;
use crate::files::{self, Existing};
use crate::shangmi::Sm2Key;
use crate::x509::cannot;
use crate::{CertificateInfo, Profile, Request, TlsError, issue};

const CERTIFICATE: &str = "CERTIFICATE";
const PRIVATE_KEY: &str = "PRIVATE KEY";

/// A member's transport certificate and the private key that belongs to it.
///
/// The key is fresh with every certificate: SM2 in profile ShangMi, P-256 in profile Standard. Its bytes are cleared on
/// drop; what rustls and ring parsed from them in profile Standard is theirs, and not cleared.
pub struct Credentials {
    info: CertificateInfo,
    pkcs8: Zeroizing<Vec<u8>>,
    certified: Arc<CertifiedKey>,
}

impl Credentials {
    /// A fresh key, and its certificate signed by the ledger key of the request's member. Randomness is the system's.
    ///
    /// Whether that key is the member's is for the ledger to say: the [`Directory`](crate::Directory) of whoever verifies.
    ///
    /// # Errors
    /// [`TlsError::Request`] when a certificate cannot say what is asked for.
    pub fn issue(authority: &SigningKey, request: &Request) -> Result<Self, TlsError> {
        let profile = Profile::from(authority.suite());
        let pkcs8 = generate(profile)?;
        let public = private_key(profile, &pkcs8)?.public_key().ok_or(TlsError::KeyMismatch)?.to_vec();
        Self::new(issue::transport(authority, request, &public)?, pkcs8)
    }

    /// Reads what [`Credentials::save`] wrote.
    ///
    /// # Errors
    /// [`TlsError::Exposed`] for a key that others may read, [`TlsError::File`] for files that are missing or no PEM of
    /// the right kind, [`TlsError::Malformed`] for another certificate, [`TlsError::KeyMismatch`].
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let der = files::read_pem(certificate, CERTIFICATE)?;
        let pkcs8 = files::read_secret_pem(key, PRIVATE_KEY)?;
        Self::new(CertificateDer::from(der.to_vec()), pkcs8)
    }

    /// Writes two PEM files, the key's with mode 0600.
    ///
    /// # Errors
    /// [`TlsError::Exists`] when one is there and not to be replaced, [`TlsError::File`].
    pub fn save(&self, certificate: &Path, key: &Path, existing: Existing) -> Result<(), TlsError> {
        files::demand_absent(existing, &[certificate, key])?;
        files::write_pem(key, PRIVATE_KEY, &self.pkcs8, 0o600, existing)?;
        files::write_pem(certificate, CERTIFICATE, self.certificate(), 0o644, existing)
    }

    fn new(certificate: CertificateDer<'static>, pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, TlsError> {
        let parsed = Parsed::new(&certificate)?;
        let key = private_key(parsed.info.profile, &pkcs8)?;
        if key.public_key().is_none_or(|public| public.as_ref() != parsed.key) {
            return Err(TlsError::KeyMismatch);
        }
        Ok(Self { info: parsed.info, pkcs8, certified: Arc::new(CertifiedKey::new(vec![certificate], key)) })
    }

    /// What the certificate says.
    pub fn info(&self) -> &CertificateInfo {
        &self.info
    }

    /// The certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        // `new` put exactly one there.
        static NONE: CertificateDer<'static> = CertificateDer::from_slice(&[]);
        self.certified.cert.first().unwrap_or(&NONE)
    }

    pub(crate) fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("info", &self.info).finish_non_exhaustive()
    }
}

/// PKCS#8.
fn generate(profile: Profile) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    match profile {
        Profile::ShangMi => Sm2Key::generate().map_err(cannot),
        Profile::Standard => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
            .map(|document| Zeroizing::new(document.as_ref().to_vec()))
            .map_err(cannot),
    }
}

/// A key that is none of the profile's belongs to none of its certificates.
fn private_key(profile: Profile, pkcs8: &[u8]) -> Result<Arc<dyn sign::SigningKey>, TlsError> {
    let der = PrivatePkcs8KeyDer::from(pkcs8);
    match profile {
        Profile::ShangMi => Sm2Key::from_pkcs8(pkcs8).map(|key| Arc::new(key) as Arc<dyn sign::SigningKey>),
        Profile::Standard => {
            standard::any_eddsa_type(&der).or_else(|_| standard::any_ecdsa_type(&PrivateKeyDer::Pkcs8(der)))
        }
    }
    .map_err(|_| TlsError::KeyMismatch)
}
