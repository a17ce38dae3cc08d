//! SM3 (GB/T 32905) and HMAC over it.

use hmac::{KeyInit, Mac};
use rustls::crypto::hash::{Context, Hash, HashAlgorithm, Output};
use rustls::crypto::hmac::{Hmac, Key, Tag};
use sm3::digest::array::Array;
use sm3::{Digest, Sm3};
use zeroize::Zeroizing;

const OUTPUT: usize = 32;
/// Block of SM3, to which HMAC pads its key.
const BLOCK: usize = 64;

pub(super) struct Sm3Hash;

impl Hash for Sm3Hash {
    fn start(&self) -> Box<dyn Context> {
        Box::new(Running(Sm3::new()))
    }

    fn hash(&self, data: &[u8]) -> Output {
        Output::new(&Sm3::digest(data))
    }

    fn output_len(&self) -> usize {
        OUTPUT
    }

    /// The number that `sm2sig_sm3` (0x0708) implies.
    fn algorithm(&self) -> HashAlgorithm {
        HashAlgorithm::Unknown(7)
    }
}

struct Running(Sm3);

impl Context for Running {
    fn fork_finish(&self) -> Output {
        Output::new(&self.0.clone().finalize())
    }

    fn fork(&self) -> Box<dyn Context> {
        Box::new(Self(self.0.clone()))
    }

    fn finish(self: Box<Self>) -> Output {
        Output::new(&self.0.finalize())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
}

pub(super) struct Sm3Hmac;

impl Hmac for Sm3Hmac {
    /// RFC 2104 section 2: longer keys are hashed, shorter ones padded with zeros.
    fn with_key(&self, key: &[u8]) -> Box<dyn Key> {
        let mut block = Zeroizing::new([0; BLOCK]);
        let fill =
            |block: &mut [u8; BLOCK], bytes: &[u8]| block.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        if key.len() > BLOCK {
            fill(&mut block, &Zeroizing::new(<[u8; OUTPUT]>::from(Sm3::digest(key)))[..]);
        } else {
            fill(&mut block, key);
        }
        Box::new(Keyed(hmac::Hmac::new(<&Array<u8, _>>::from(&*block))))
    }

    fn hash_output_len(&self) -> usize {
        OUTPUT
    }
}

struct Keyed(hmac::Hmac<Sm3>);

impl Key for Keyed {
    fn sign_concat(&self, first: &[u8], middle: &[&[u8]], last: &[u8]) -> Tag {
        let mut mac = self.0.clone();
        mac.update(first);
        middle.iter().for_each(|part| mac.update(part));
        mac.update(last);
        Tag::new(&mac.finalize().into_bytes())
    }

    fn tag_len(&self) -> usize {
        OUTPUT
    }
}
