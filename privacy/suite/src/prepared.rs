//! A verifying key parsed once.

use std::sync::Arc;

use covenant_canon::{Label, SuiteId};

use crate::{Signature, SuiteError, VerifyingKey, intl, sm};

/// A [`VerifyingKey`] in parsed form. Cheap to clone; shared between threads.
#[derive(Clone)]
pub struct PreparedKey(Arc<Inner>);

struct Inner {
    key: VerifyingKey,
    parsed: Parsed,
}

/// For SM2 this holds the point and the hash Z of the signer's identity (GB/T 32918.2, 5.5).
enum Parsed {
    Sm(sm2::dsa::VerifyingKey),
    Intl(ed25519_dalek::VerifyingKey),
}

impl PreparedKey {
    pub(crate) fn new(key: &VerifyingKey) -> Result<Self, SuiteError> {
        let parsed = match key.suite() {
            SuiteId::Sm => Parsed::Sm(sm::parse_verifying(key.as_bytes())?),
            SuiteId::Intl => Parsed::Intl(intl::parse_verifying(key.as_bytes())?),
        };
        Ok(Self(Arc::new(Inner { key: key.clone(), parsed })))
    }

    /// The key that was parsed.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.0.key
    }

    /// The key's suite.
    pub fn suite(&self) -> SuiteId {
        self.0.key.suite()
    }

    /// Verifies a signature over a message under a label.
    ///
    /// # Errors
    /// [`SuiteError::SuiteMismatch`] for a signature of the other suite, [`SuiteError::Signature`] for a wrong one.
    pub fn verify(&self, label: Label, message: &[u8], signature: &Signature) -> Result<(), SuiteError> {
        signature.demand(self.suite())?;
        match &self.0.parsed {
            Parsed::Sm(key) => sm::verify(key, label, message, signature.as_bytes()),
            Parsed::Intl(key) => intl::verify(key, label, message, signature.as_bytes()),
        }
    }

    /// INVARIANT only for what `certificate.rs` let through.
    pub(crate) fn verify_bare(&self, message: &[u8], signature: &Signature) -> Result<(), SuiteError> {
        signature.demand(self.suite())?;
        match &self.0.parsed {
            Parsed::Sm(key) => sm::verify_parts(key, &[message], signature.as_bytes()),
            Parsed::Intl(key) => intl::verify_bare(key, message, signature.as_bytes()),
        }
    }
}

impl PartialEq for PreparedKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for PreparedKey {}

impl std::fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PreparedKey({})", self.0.key)
    }
}
