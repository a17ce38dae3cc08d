//! What names somebody, at rest: sealed under a key that only the service's own key file opens.
//!
//! One random data key per database, kept in it sealed to the service's opening key. Values are sealed under it with a
//! fresh random context each; people are found by a keyed digest. Whoever has the database without the key file learns
//! how many requests there are and when, not about whom.

use std::sync::Arc;

use covenant_canon::{Label, SuiteId};
use covenant_domain::Subject;
use covenant_suite::{Opener, OpeningKey, Sealed, Sealer, SharedSecret, SuiteError, derive, suite};
use rand::Rng as _;
use zeroize::Zeroizing;

const CONTEXT: usize = 16;
const WRAP: &[u8] = b"data key";

/// Seals and finds.
pub(crate) struct Vault {
    id: SuiteId,
    secret: SharedSecret,
    index: Zeroizing<[u8; 32]>,
}

impl Vault {
    /// A fresh data key, and its form for the database.
    pub(crate) fn create(key: &OpeningKey) -> Result<(Self, Vec<u8>), SuiteError> {
        let mut data = Zeroizing::new([0; 32]);
        rand::rng().fill_bytes(data.as_mut_slice());
        let sealer = Sealer::new(key.sealing_key(), Label::AUTHORITY_VAULT, &mut rand::rng())?;
        let wrapped = sealer.seal(WRAP, WRAP, data.as_slice())?.to_bytes();
        Ok((Self::of(key.suite(), &data)?, wrapped))
    }

    /// The data key of a database, opened with the service's own key.
    pub(crate) fn open(key: Arc<OpeningKey>, wrapped: &[u8]) -> Result<Self, SuiteError> {
        let id = key.suite();
        let sealed = Sealed::from_bytes(wrapped).map_err(|_| SuiteError::Open)?;
        let plaintext = Opener::new(key, Label::AUTHORITY_VAULT).open(WRAP, WRAP, &sealed)?;
        let data = Zeroizing::new(<[u8; 32]>::try_from(plaintext.as_slice()).map_err(|_| SuiteError::Open)?);
        Self::of(id, &data)
    }

    fn of(id: SuiteId, data: &Zeroizing<[u8; 32]>) -> Result<Self, SuiteError> {
        let (mut seals, mut index) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        derive(id, Label::AUTHORITY_VAULT, data.as_slice(), b"rows", seals.as_mut_slice())?;
        derive(id, Label::AUTHORITY_INDEX, data.as_slice(), b"people", index.as_mut_slice())?;
        Ok(Self { id, secret: SharedSecret::from_derived(id, Label::AUTHORITY_VAULT, &seals), index })
    }

    /// Seals a value for its place: table, row and column.
    pub(crate) fn seal(&self, place: &str, plaintext: &[u8]) -> Result<Vec<u8>, SuiteError> {
        let mut context = [0; CONTEXT];
        rand::rng().fill_bytes(&mut context);
        let sealed = suite(self.id).seal_with(&self.secret, &context, place.as_bytes(), plaintext)?;
        Ok([context.as_slice(), &sealed].concat())
    }

    /// Opens a value that was sealed for this place.
    pub(crate) fn unseal(&self, place: &str, stored: &[u8]) -> Result<Zeroizing<Vec<u8>>, SuiteError> {
        let (context, sealed) = stored.split_at_checked(CONTEXT).ok_or(SuiteError::Open)?;
        suite(self.id).open_with(&self.secret, context, place.as_bytes(), sealed)
    }

    /// The keyed digest by which a person or company is found.
    pub(crate) fn person(&self, subject: &Subject) -> Result<Vec<u8>, SuiteError> {
        self.digest(&Zeroizing::new(subject.canonical()))
    }

    /// Keyed digest of a secret text: a session's id, a login's state.
    pub(crate) fn digest(&self, text: &str) -> Result<Vec<u8>, SuiteError> {
        let mut out = [0; 32];
        derive(self.id, Label::AUTHORITY_INDEX, self.index.as_slice(), text.as_bytes(), &mut out)?;
        Ok(out.to_vec())
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_suite::KeyPairSet;

    #[test]
    fn what_is_sealed_opens_in_its_place_and_with_its_key_only() {
        for id in [SuiteId::Sm, SuiteId::Intl] {
            let keys = KeyPairSet::generate(id, &mut rand::rng());
            let (vault, wrapped) = Vault::create(&keys.opening).unwrap();
            let sealed = vault.seal("requests/1/subject", b"resident:1").unwrap();
            assert_ne!(sealed, vault.seal("requests/1/subject", b"resident:1").unwrap(), "two seals differ");
            let again = Vault::open(Arc::new(keys.opening), &wrapped).unwrap();
            assert_eq!(again.unseal("requests/1/subject", &sealed).unwrap().as_slice(), b"resident:1");
            assert!(again.unseal("requests/2/subject", &sealed).is_err(), "moved to another row");
            assert!(again.unseal("requests/1/subject", &sealed[..20]).is_err());
            assert_eq!(vault.digest("x").unwrap(), again.digest("x").unwrap());
            let other = KeyPairSet::generate(id, &mut rand::rng());
            assert!(Vault::open(Arc::new(other.opening), &wrapped).is_err());
            let (other, _) = Vault::create(&KeyPairSet::generate(id, &mut rand::rng()).opening).unwrap();
            assert_ne!(vault.digest("x").unwrap(), other.digest("x").unwrap(), "an index tells nothing elsewhere");
        }
    }
}
