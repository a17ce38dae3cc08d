//! A member's keys at rest, as one JSON file under a passphrase.
//!
//! Bytes in, bytes out: who reads and writes the file also checks its permissions.

use argon2::{Algorithm, Argon2, Params, Version};
use covenant_canon::{Label, SuiteId, to_bytes};
use minicbor::Encode;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::gcm::TAG;
use crate::secret::{LENGTH, SecretBytes};
use crate::{OpeningKey, SealingKey, SharedSecret, SigningKey, SuiteError, VerifyingKey, suite};

/// Longest key file that is read, in bytes.
pub const MAX_KEY_FILE: usize = 16 * 1024;

const WHAT: &str = "key file";
const VERSION: u32 = 1;
const MAX_MEMBER: usize = 256;

/// Both secrets of a member, of one suite.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyPairSet {
    /// Signs the member's entries and requests.
    pub signing: SigningKey,
    /// Opens what is sealed to the member.
    pub opening: OpeningKey,
}

impl KeyPairSet {
    /// Two fresh keys.
    pub fn generate(id: SuiteId, rng: &mut dyn CryptoRng) -> Self {
        let suite = suite(id);
        Self { signing: suite.generate_signing_key(rng), opening: suite.generate_opening_key(rng) }
    }

    /// The suite of both keys.
    pub fn suite(&self) -> SuiteId {
        self.signing.suite()
    }
}

/// What guessing one passphrase costs: parameters of Argon2id (RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct KdfCost {
    /// Memory, in KiB.
    #[n(0)]
    pub memory_kib: u32,
    /// Passes over the memory.
    #[n(1)]
    pub passes: u32,
    /// Lanes, computed one after another here.
    #[n(2)]
    pub lanes: u32,
}

impl KdfCost {
    /// The least that is accepted: 19 MiB, 2 passes (OWASP password storage).
    pub const MINIMUM: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    /// What new files use: 64 MiB, 3 passes (RFC 9106, 4, second choice, on one lane).
    pub const DEFAULT: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// The most that is accepted: a hostile file must not exhaust the reader.
    pub const MAXIMUM: Self = Self { memory_kib: 256 * 1024, passes: 8, lanes: 4 };

    fn check(self) -> Result<Self, SuiteError> {
        let (low, high) = (Self::MINIMUM, Self::MAXIMUM);
        let out = |name: &str, low: u32, value: u32, high: u32| {
            let reason = format!("{name} is {value}, accepted are {low} to {high}");
            if (low..=high).contains(&value) { Ok(()) } else { Err(SuiteError::Cost { reason }) }
        };
        out("memory_kib", low.memory_kib, self.memory_kib, high.memory_kib)?;
        out("passes", low.passes, self.passes, high.passes)?;
        out("lanes", low.lanes, self.lanes, high.lanes)?;
        Ok(self)
    }
}

/// An encrypted key file: public halves in clear for listing, secrets under Argon2id and the suite's AEAD.
///
/// The header is authenticated with the secrets. Protects against who finds the file, as far as the passphrase resists
/// guessing; not against who reads the memory of the process that opened it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    header: Header,
    #[serde(with = "hex::serde")]
    ciphertext: Vec<u8>,
}

/// All that is known before the passphrase; its canonical bytes are the associated data.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
struct Header {
    #[n(0)]
    version: u32,
    #[n(1)]
    member: String,
    #[n(2)]
    suite: SuiteId,
    #[n(3)]
    created_ms: u64,
    #[n(4)]
    verifying_key: VerifyingKey,
    #[n(5)]
    sealing_key: SealingKey,
    #[n(6)]
    argon2id: KdfCost,
    #[n(7)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(with = "hex::serde")]
    salt: [u8; 32],
}

impl KeyFile {
    /// Encrypts a member's keys. `created_ms` is Unix time in milliseconds.
    ///
    /// # Errors
    /// [`SuiteError::EmptyPassphrase`], [`SuiteError::Cost`], [`SuiteError::SuiteMismatch`] for keys of two suites.
    pub fn seal(
        passphrase: &str,
        member: &str,
        created_ms: u64,
        keys: &KeyPairSet,
        cost: KdfCost,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, SuiteError> {
        SuiteError::demand("opening key", keys.suite(), keys.opening.suite())?;
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        let header = Header {
            version: VERSION,
            member: member.to_owned(),
            suite: keys.suite(),
            created_ms,
            verifying_key: keys.signing.verifying_key().clone(),
            sealing_key: keys.opening.sealing_key().clone(),
            argon2id: cost.check()?,
            salt,
        };
        header.check()?;
        let mut secrets = Zeroizing::new([0; 2 * LENGTH]);
        let (signing, opening) = secrets.split_at_mut(LENGTH);
        signing.copy_from_slice(keys.signing.secret_bytes().as_slice());
        opening.copy_from_slice(keys.opening.secret_bytes().as_slice());
        let key = header.derive(passphrase)?;
        // The salt is fresh, so the key is, and the one context under it is used once.
        let ciphertext = suite(header.suite).seal_with(&key, &[], &to_bytes(&header), secrets.as_slice())?;
        Ok(Self { header, ciphertext })
    }

    /// Decrypts the keys and checks that they are those the header names.
    ///
    /// # Errors
    /// [`SuiteError::Passphrase`] for a wrong passphrase or an altered file.
    pub fn open(&self, passphrase: &str) -> Result<KeyPairSet, SuiteError> {
        let header = &self.header;
        let refused = || SuiteError::Passphrase { member: header.member.clone() };
        let key = header.derive(passphrase)?;
        let secrets =
            suite(header.suite).open_with(&key, &[], &to_bytes(header), &self.ciphertext).map_err(|_| refused())?;
        let (signing, opening) = secrets.split_at_checked(LENGTH).ok_or_else(refused)?;
        let keys = KeyPairSet {
            signing: SigningKey::from_bytes(header.suite, signing)?,
            opening: OpeningKey::from_bytes(header.suite, opening)?,
        };
        let named = (&header.verifying_key, &header.sealing_key);
        if named == (keys.signing.verifying_key(), keys.opening.sealing_key()) { Ok(keys) } else { Err(refused()) }
    }

    /// The file's content.
    pub fn to_json(&self) -> String {
        // Plain structs of strings and numbers: serialisation has no failing case.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a file's content; opens nothing and spends no memory on the passphrase yet.
    ///
    /// # Errors
    /// [`SuiteError::TooLong`], [`SuiteError::Malformed`], [`SuiteError::Cost`] for parameters out of range.
    pub fn from_json(json: &[u8]) -> Result<Self, SuiteError> {
        if json.len() > MAX_KEY_FILE {
            return Err(SuiteError::TooLong { length: json.len(), limit: MAX_KEY_FILE });
        }
        let file: Self = serde_json::from_slice(json).map_err(|e| SuiteError::malformed(WHAT, e.to_string()))?;
        file.header.check()?;
        if file.ciphertext.len() != 2 * LENGTH + TAG {
            return Err(SuiteError::malformed(WHAT, format!("ciphertext of {} bytes", file.ciphertext.len())));
        }
        Ok(file)
    }

    /// The member that the file names.
    pub fn member(&self) -> &str {
        &self.header.member
    }

    /// The suite of the keys.
    pub fn suite(&self) -> SuiteId {
        self.header.suite
    }

    /// When it was made, Unix time in milliseconds, as its maker said.
    pub fn created_ms(&self) -> u64 {
        self.header.created_ms
    }

    /// Public half of the signing key; authenticated only once the file was opened.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.header.verifying_key
    }

    /// Public half of the opening key; authenticated only once the file was opened.
    pub fn sealing_key(&self) -> &SealingKey {
        &self.header.sealing_key
    }
}

impl Header {
    fn check(&self) -> Result<(), SuiteError> {
        if self.version != VERSION {
            return Err(SuiteError::malformed(WHAT, format!("version {} is not {VERSION}", self.version)));
        }
        if self.member.len() > MAX_MEMBER {
            return Err(SuiteError::malformed(WHAT, format!("member name longer than {MAX_MEMBER} bytes")));
        }
        self.verifying_key.demand(self.suite)?;
        self.sealing_key.demand(self.suite)?;
        self.argon2id.check().map(drop)
    }

    /// Argon2id over the passphrase; the AEAD key comes from it by HKDF under [`Label::KEY_FILE`].
    fn derive(&self, passphrase: &str) -> Result<SharedSecret, SuiteError> {
        if passphrase.is_empty() {
            return Err(SuiteError::EmptyPassphrase);
        }
        let KdfCost { memory_kib, passes, lanes } = self.argon2id;
        let cost = |e: argon2::Error| SuiteError::Cost { reason: e.to_string() };
        let params = Params::new(memory_kib, passes, lanes, Some(LENGTH)).map_err(cost)?;
        let mut bytes = SecretBytes::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, bytes.as_mut_slice())
            .map_err(cost)?;
        Ok(SharedSecret::new(self.suite, Label::KEY_FILE, bytes))
    }
}
