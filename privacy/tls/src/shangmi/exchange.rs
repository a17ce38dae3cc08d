//! Ephemeral Diffie-Hellman on curveSM2: RFC 8446 section 4.2.8.2 for the share, 7.4.2 for the secret.

use rustls::crypto::{ActiveKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup, PeerMisbehaved};
use sm2::elliptic_curve::point::AffineCoordinates;
use sm2::elliptic_curve::sec1::ToSec1Point;
use sm2::{NonZeroScalar, PublicKey};
use zeroize::Zeroizing;

/// 4 ‖ x ‖ y
const SHARE: usize = 65;
const UNCOMPRESSED: u8 = 4;

#[derive(Debug)]
pub(super) struct CurveSm2;

impl SupportedKxGroup for CurveSm2 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let secret = super::sign::random_scalar()?;
        let public = PublicKey::from_secret_scalar(&secret).to_sec1_point(false).as_bytes().to_vec();
        Ok(Box::new(Ephemeral { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        super::CURVE_SM2
    }
}

pub(super) struct Ephemeral {
    pub(super) secret: Zeroizing<NonZeroScalar>,
    pub(super) public: Vec<u8>,
}

impl ActiveKeyExchange for Ephemeral {
    /// The curve has cofactor 1: a point that parses, is on it and is not infinity generates the whole group.
    fn complete(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, Error> {
        let invalid = || Error::from(PeerMisbehaved::InvalidKeyShare);
        if peer_pub_key.len() != SHARE || peer_pub_key.first() != Some(&UNCOMPRESSED) {
            return Err(invalid());
        }
        let peer = PublicKey::from_sec1_bytes(peer_pub_key).map_err(|_| invalid())?;
        let point = (peer.to_projective() * **self.secret).to_affine();
        let x = Zeroizing::new(<[u8; 32]>::from(point.x()));
        Ok(SharedSecret::from(x.as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    fn group(&self) -> NamedGroup {
        super::CURVE_SM2
    }
}
