//! Public words: a suite and the bytes that suite prescribes.

use covenant_canon::SuiteId;
use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{PreparedKey, SuiteError, intl, sm};

/// The shape of all four on the wire.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Wire<'b> {
    #[n(0)]
    suite: SuiteId,
    #[b(1)]
    #[cbor(with = "minicbor::bytes")]
    bytes: &'b [u8],
}

/// Splits `sm:hex` and decodes the hex, at most `limit` bytes of it.
fn parse_text(what: &'static str, limit: usize, text: &str) -> Result<(SuiteId, Vec<u8>), SuiteError> {
    let (suite, digits) =
        text.split_once(':').ok_or_else(|| SuiteError::malformed(what, "expected `sm:` or `intl:` and hex digits"))?;
    let suite = suite.parse().map_err(|e: String| SuiteError::malformed(what, e))?;
    if digits.len() > 2 * limit {
        return Err(SuiteError::malformed(what, format!("longer than {limit} bytes")));
    }
    let bytes = hex::decode(digits).map_err(|e| SuiteError::malformed(what, e.to_string()))?;
    Ok((suite, bytes))
}

macro_rules! public_word {
    ($(#[$doc:meta])* $name:ident, $what:literal, sm: $sm_len:expr, intl: $intl_len:expr, check: $check:path) => {
        $(#[$doc])*
        ///
        /// Text form `sm:hex` or `intl:hex`; CBOR `{0: suite, 1: bytes}`.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            suite: SuiteId,
            bytes: Box<[u8]>,
        }

        impl $name {
            /// Takes the suite's bytes, checked.
            ///
            /// # Errors
            /// [`SuiteError::Malformed`] when the length is not the suite's or the bytes are not such a value.
            pub fn from_bytes(suite: SuiteId, bytes: &[u8]) -> Result<Self, SuiteError> {
                let expected = Self::length(suite);
                if bytes.len() != expected {
                    let reason = format!("{} bytes where suite `{suite}` has {expected}", bytes.len());
                    return Err(SuiteError::malformed($what, reason));
                }
                $check(suite, bytes)?;
                Ok(Self { suite, bytes: bytes.into() })
            }

            /// Bytes that this crate made itself.
            pub(crate) fn trusted(suite: SuiteId, bytes: &[u8]) -> Self {
                Self { suite, bytes: bytes.into() }
            }

            /// Length of the bytes in a suite.
            pub const fn length(suite: SuiteId) -> usize {
                match suite {
                    SuiteId::Sm => $sm_len,
                    SuiteId::Intl => $intl_len,
                }
            }

            /// The suite it belongs to.
            pub fn suite(&self) -> SuiteId {
                self.suite
            }

            /// The bytes, as the suite's standard lays them out.
            pub fn as_bytes(&self) -> &[u8] {
                &self.bytes
            }

            pub(crate) fn demand(&self, expected: SuiteId) -> Result<(), SuiteError> {
                SuiteError::demand($what, expected, self.suite)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}:{}", self.suite, hex::encode(&self.bytes))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = SuiteError;

            fn from_str(text: &str) -> Result<Self, SuiteError> {
                let (suite, bytes) = parse_text($what, $sm_len, text)?;
                Self::from_bytes(suite, &bytes)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
                ctx: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                Wire { suite: self.suite, bytes: &self.bytes }.encode(e, ctx)
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
                let wire = Wire::decode(d, ctx)?;
                Self::from_bytes(wire.suite, wire.bytes).map_err(minicbor::decode::Error::message)
            }
        }
    };
}

public_word! {
    /// Checks a member's signatures. SM2: uncompressed SEC1 point, 65 bytes. Ed25519: 32 bytes.
    VerifyingKey, "verifying key", sm: 65, intl: 32, check: check_verifying_key
}

public_word! {
    /// What others seal to. SM2: uncompressed SEC1 point, 65 bytes. X25519: 32 bytes.
    SealingKey, "sealing key", sm: 65, intl: 32, check: check_sealing_key
}

public_word! {
    /// A signature. SM2: r ‖ s, 32 bytes each, big-endian. Ed25519: R ‖ S. Ranges are checked when it is verified.
    Signature, "signature", sm: 64, intl: 64, check: unchecked
}

public_word! {
    /// A secret sent to a [`SealingKey`]. SM2: C1 ‖ C3 ‖ C2 with C1 uncompressed, 129 bytes. HPKE: `enc`, 32 bytes.
    Encapsulation, "encapsulation", sm: 129, intl: 32, check: unchecked
}

impl VerifyingKey {
    /// The key in parsed form, for who verifies many signatures under it.
    ///
    /// # Errors
    /// [`SuiteError::Malformed`] when the bytes are no point of the curve.
    pub fn prepare(&self) -> Result<PreparedKey, SuiteError> {
        PreparedKey::new(self)
    }
}

fn check_verifying_key(suite: SuiteId, bytes: &[u8]) -> Result<(), SuiteError> {
    match suite {
        SuiteId::Sm => sm::parse_verifying(bytes).map(drop),
        SuiteId::Intl => intl::parse_verifying(bytes).map(drop),
    }
}

fn check_sealing_key(suite: SuiteId, bytes: &[u8]) -> Result<(), SuiteError> {
    match suite {
        SuiteId::Sm => sm::parse_sealing(bytes).map(drop),
        SuiteId::Intl => intl::parse_sealing(bytes).map(drop),
    }
}

/// Values that only a secret, or a key and a message, can judge.
fn unchecked(_suite: SuiteId, _bytes: &[u8]) -> Result<(), SuiteError> {
    Ok(())
}
