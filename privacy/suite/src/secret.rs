//! Secrets: silent, cleared on drop, compared in constant time.

use covenant_canon::{Label, SuiteId};
use ed25519_dalek::Signer;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{Encapsulation, SealingKey, Signature, SuiteError, VerifyingKey, intl, sm};

/// Length of every secret in both suites, in bytes.
pub(crate) const LENGTH: usize = 32;

/// 32 secret bytes, cleared on drop.
pub(crate) type SecretBytes = Zeroizing<[u8; LENGTH]>;

/// Signs for a member. Holds the parsed secret and its [`VerifyingKey`], so that signing derives nothing anew.
pub struct SigningKey {
    parsed: Signing,
    verifying_key: VerifyingKey,
}

enum Signing {
    Sm(sm::Signing),
    Intl(Box<ed25519_dalek::SigningKey>),
}

impl SigningKey {
    /// Takes 32 secret bytes: the SM2 scalar d, big-endian, or the Ed25519 seed. The caller clears its own copy.
    ///
    /// # Errors
    /// [`SuiteError::Malformed`] for another length, or for d outside [1, n−2] (GB/T 32918.1, 6.1).
    pub fn from_bytes(suite: SuiteId, bytes: &[u8]) -> Result<Self, SuiteError> {
        let seed = exactly("signing key", bytes)?;
        Ok(match suite {
            SuiteId::Sm => {
                let key = sm::Signing::parse(&seed)?;
                Self { verifying_key: key.verifying_key(), parsed: Signing::Sm(key) }
            }
            SuiteId::Intl => {
                let key = Box::new(ed25519_dalek::SigningKey::from_bytes(&seed));
                let verifying_key = VerifyingKey::trusted(suite, key.verifying_key().as_bytes());
                Self { verifying_key, parsed: Signing::Intl(key) }
            }
        })
    }

    /// The key's suite.
    pub fn suite(&self) -> SuiteId {
        self.verifying_key.suite()
    }

    /// The public half.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    pub(crate) fn sign(&self, label: Label, message: &[u8]) -> Result<Signature, SuiteError> {
        let bytes = match &self.parsed {
            Signing::Sm(key) => key.sign(label, message)?,
            Signing::Intl(key) => intl::sign(key, label, message),
        };
        Ok(Signature::trusted(self.suite(), &bytes))
    }

    /// INVARIANT only for what `certificate.rs` let through.
    pub(crate) fn sign_bare(&self, message: &[u8]) -> Result<Signature, SuiteError> {
        let bytes = match &self.parsed {
            Signing::Sm(key) => key.sign_parts(&[message])?,
            Signing::Intl(key) => key.sign(message).to_bytes(),
        };
        Ok(Signature::trusted(self.suite(), &bytes))
    }

    pub(crate) fn secret_bytes(&self) -> SecretBytes {
        match &self.parsed {
            Signing::Sm(key) => key.secret_bytes(),
            Signing::Intl(key) => Zeroizing::new(key.to_bytes()),
        }
    }
}

/// Opens what was sealed to a member. Holds the parsed secret and its [`SealingKey`].
pub struct OpeningKey {
    parsed: Opening,
    sealing_key: SealingKey,
}

enum Opening {
    Sm(sm::Opening),
    Intl(Box<intl::Private>),
}

impl OpeningKey {
    /// Takes 32 secret bytes: the SM2 scalar d, big-endian, or the X25519 secret. The caller clears its own copy.
    ///
    /// # Errors
    /// [`SuiteError::Malformed`] for another length, or for d outside [1, n−2].
    pub fn from_bytes(suite: SuiteId, bytes: &[u8]) -> Result<Self, SuiteError> {
        let seed = exactly("opening key", bytes)?;
        Ok(match suite {
            SuiteId::Sm => {
                let key = sm::Opening::parse(&seed)?;
                Self { sealing_key: key.sealing_key(), parsed: Opening::Sm(key) }
            }
            SuiteId::Intl => {
                let (key, sealing_key) = intl::parse_opening(&seed)?;
                Self { sealing_key, parsed: Opening::Intl(Box::new(key)) }
            }
        })
    }

    /// The key's suite.
    pub fn suite(&self) -> SuiteId {
        self.sealing_key.suite()
    }

    /// The public half.
    pub fn sealing_key(&self) -> &SealingKey {
        &self.sealing_key
    }

    pub(crate) fn decapsulate(&self, label: Label, encapsulation: &Encapsulation) -> Result<SharedSecret, SuiteError> {
        encapsulation.demand(self.suite())?;
        match &self.parsed {
            Opening::Sm(key) => key.decapsulate(label, encapsulation, &self.sealing_key),
            Opening::Intl(key) => intl::decapsulate(key, label, encapsulation),
        }
    }

    pub(crate) fn secret_bytes(&self) -> SecretBytes {
        match &self.parsed {
            Opening::Sm(key) => key.secret_bytes(),
            Opening::Intl(key) => intl::secret_bytes(key),
        }
    }
}

/// What both ends of an encapsulation share: 32 bytes under a label, from which sealing keys are derived.
pub struct SharedSecret {
    suite: SuiteId,
    label: Label,
    bytes: SecretBytes,
}

impl SharedSecret {
    pub(crate) fn new(suite: SuiteId, label: Label, bytes: SecretBytes) -> Self {
        Self { suite, label, bytes }
    }

    /// A secret that both ends derived instead of encapsulating it, see [`derive`](crate::derive). The label names what it
    /// seals.
    pub fn from_derived(suite: SuiteId, label: Label, bytes: &Zeroizing<[u8; 32]>) -> Self {
        Self { suite, label, bytes: bytes.clone() }
    }

    /// The suite it belongs to.
    pub fn suite(&self) -> SuiteId {
        self.suite
    }

    /// The label it was encapsulated or derived under.
    pub fn label(&self) -> Label {
        self.label
    }

    pub(crate) fn secret_bytes(&self) -> &SecretBytes {
        &self.bytes
    }
}

macro_rules! secret_traits {
    ($($name:ident),*) => {$(
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                let same: bool = self.secret_bytes().ct_eq(other.secret_bytes().as_slice()).into();
                same && self.suite() == other.suite()
            }
        }

        impl Eq for $name {}

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({}, ..)"), self.suite())
            }
        }
    )*};
}

secret_traits!(SigningKey, OpeningKey, SharedSecret);

fn exactly(what: &'static str, bytes: &[u8]) -> Result<SecretBytes, SuiteError> {
    let wrong_length = || SuiteError::malformed(what, format!("{} bytes where there are {LENGTH}", bytes.len()));
    let mut seed = SecretBytes::default();
    if bytes.len() != LENGTH {
        return Err(wrong_length());
    }
    seed.copy_from_slice(bytes);
    Ok(seed)
}
