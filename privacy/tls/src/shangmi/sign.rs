//! The SM2 key of a transport certificate.

use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use ring::rand::{SecureRandom, SystemRandom};
use rustls::crypto::KeyProvider;
use rustls::pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};
use rustls::sign::{Signer, SigningKey, public_key_to_spki};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use sm2::dsa::signature::Signer as _;
use sm2::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use sm2::{NonZeroScalar, Scalar, SecretKey};
use zeroize::{Zeroize, Zeroizing};

use super::verify::{SM2_KEY, TLS_ID};

/// A scalar in [1, n−2], drawn by rejection; for n−1 there is no signature.
pub(super) fn random_scalar() -> Result<Zeroizing<NonZeroScalar>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    loop {
        SystemRandom::new().fill(bytes.as_mut_slice()).map_err(|_| Error::FailedToGetRandomBytes)?;
        if let Ok(scalar) = NonZeroScalar::try_from(bytes.as_slice()).map(Zeroizing::new)
            && **scalar != -Scalar::ONE
        {
            return Ok(scalar);
        }
    }
}

/// Reads the PKCS#8 of an SM2 key for rustls.
#[derive(Debug)]
pub(super) struct Sm2Keys;

impl KeyProvider for Sm2Keys {
    fn load_private_key(&self, mut key_der: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        let key = Sm2Key::from_pkcs8(key_der.secret_der());
        key_der.zeroize();
        Ok(Arc::new(key?))
    }
}

/// Signs handshakes, and nothing else: its signer id is that of RFC 8998.
#[derive(Clone)]
pub(crate) struct Sm2Key(Arc<Guarded>);

/// `sm2::dsa::SigningKey` does not clear itself: its secret is overwritten with that of a public dummy key.
struct Guarded(Box<sm2::dsa::SigningKey>);

static DUMMY: LazyLock<Option<sm2::dsa::SigningKey>> = LazyLock::new(|| {
    let one = NonZeroScalar::new(Scalar::ONE).into_option()?;
    sm2::dsa::SigningKey::from_nonzero_scalar(TLS_ID, one).ok()
});

impl Drop for Guarded {
    fn drop(&mut self) {
        if let Some(dummy) = &*DUMMY {
            *self.0 = dummy.clone();
            black_box(&self.0);
        }
    }
}

impl Sm2Key {
    /// A fresh key in PKCS#8.
    pub(crate) fn generate() -> Result<Zeroizing<Vec<u8>>, Error> {
        let scalar = random_scalar()?;
        let pkcs8 = SecretKey::from(*scalar).to_pkcs8_der().map_err(|_| refused())?;
        Ok(Zeroizing::new(pkcs8.as_bytes().to_vec()))
    }

    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        let secret = SecretKey::from_pkcs8_der(der).map_err(|_| refused())?;
        let key = sm2::dsa::SigningKey::new(TLS_ID, &secret).map_err(|_| refused())?;
        if **key.as_nonzero_scalar() == -Scalar::ONE {
            return Err(refused());
        }
        Ok(Self(Arc::new(Guarded(Box::new(key)))))
    }
}

fn refused() -> Error {
    Error::General("not an sm2 private key in pkcs#8".to_owned())
}

impl std::fmt::Debug for Sm2Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sm2Key(..)")
    }
}

impl SigningKey for Sm2Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&super::SM2SIG_SM3).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(public_key_to_spki(&SM2_KEY, self.0.0.verifying_key().to_sec1_bytes()))
    }

    /// The number that `sm2sig_sm3` (0x0708) implies.
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Unknown(8)
    }
}

impl Signer for Sm2Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.0.0.try_sign(message).map_err(|_| Error::General("could not sign".to_owned()))?;
        Ok(signature.to_der().as_ref().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        super::SM2SIG_SM3
    }
}
