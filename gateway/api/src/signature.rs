//! How a member signs a request: one preimage for REST and gRPC.
//!
//! | header or field | content |
//! |---|---|
//! | `covenant-member` | member id |
//! | `covenant-created` | milliseconds since 1970, decimal |
//! | `covenant-nonce` | 16 random bytes, hex |
//! | `covenant-signature` | suite text form, over the canonical CBOR of [`SignedContent`] and these |

use covenant_canon::{Digest, Label, to_bytes};
use covenant_domain::MemberId;
use covenant_suite::{PreparedKey, Signature, SigningKey, SuiteError, suite};
use minicbor::Encode;

/// Names of the headers: member, created, nonce, signature.
pub const HEADERS: [&str; 4] = ["covenant-member", "covenant-created", "covenant-nonce", "covenant-signature"];

/// How far a request's time may lie from the gateway's clock, in milliseconds.
pub const FRESHNESS_MS: u64 = 60_000;

/// Sixteen random bytes that make a request unlike any other.
pub type Nonce = [u8; 16];

/// What a request asks, apart from who and when.
#[derive(Debug, Clone, Copy)]
pub struct SignedContent<'a> {
    /// Digest of the genesis, so that a request to one consortium is none to another.
    pub consortium: &'a Digest,
    /// HTTP method; `POST` for gRPC.
    pub method: &'a str,
    /// Path and query as sent; for gRPC the full method name with its leading slash.
    pub target: &'a str,
    /// The body as sent; for gRPC the inner payload.
    pub body: &'a [u8],
}

/// Who signed, when, and the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSignature {
    /// The member.
    pub member: MemberId,
    /// When, milliseconds since 1970.
    pub created_ms: u64,
    /// Never used before by this member.
    pub nonce: Nonce,
    /// Over all of it, under [`Label::REQUEST`].
    pub signature: Signature,
}

/// Why headers hold no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is absent.
    #[error("header `{header}` is missing: sign the request")]
    Missing {
        /// Its name.
        header: &'static str,
    },
    /// A header cannot be read.
    #[error("header `{header}` is not {expected}")]
    Malformed {
        /// Its name.
        header: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

#[derive(Encode)]
#[cbor(map)]
struct Preimage<'a> {
    #[n(0)]
    consortium: &'a Digest,
    #[n(1)]
    method: &'a str,
    #[n(2)]
    target: &'a str,
    #[n(3)]
    member: &'a MemberId,
    #[n(4)]
    created_ms: u64,
    #[cbor(n(5), with = "minicbor::bytes")]
    nonce: &'a [u8],
    #[n(6)]
    body: Digest,
}

fn preimage(content: &SignedContent<'_>, body: Digest, member: &MemberId, created_ms: u64, nonce: &Nonce) -> Vec<u8> {
    let SignedContent { consortium, method, target, .. } = *content;
    to_bytes(&Preimage { consortium, method, target, member, created_ms, nonce, body })
}

impl RequestSignature {
    /// Signs a request.
    ///
    /// # Errors
    /// [`SuiteError::Signing`] with negligible probability.
    pub fn sign(
        content: &SignedContent<'_>,
        member: &MemberId,
        created_ms: u64,
        nonce: Nonce,
        key: &SigningKey,
    ) -> Result<Self, SuiteError> {
        let body = Digest::of(key.suite(), Label::REQUEST, content.body);
        let message = preimage(content, body, member, created_ms, &nonce);
        let signature = suite(key.suite()).sign(key, Label::REQUEST, &message)?;
        Ok(Self { member: member.clone(), created_ms, nonce, signature })
    }

    /// Verifies the signature alone: not whether the request is fresh, nor whether it was seen before.
    ///
    /// # Errors
    /// [`SuiteError::Signature`], or [`SuiteError::SuiteMismatch`].
    pub fn verify(&self, content: &SignedContent<'_>, key: &PreparedKey) -> Result<(), SuiteError> {
        let body = Digest::of(key.suite(), Label::REQUEST, content.body);
        let message = preimage(content, body, &self.member, self.created_ms, &self.nonce);
        key.verify(Label::REQUEST, &message, &self.signature)
    }

    /// The headers to send, in the order of [`HEADERS`].
    pub fn to_headers(&self) -> [(&'static str, String); 4] {
        let [member, created, nonce, signature] = HEADERS;
        [
            (member, self.member.to_string()),
            (created, self.created_ms.to_string()),
            (nonce, hex::encode(self.nonce)),
            (signature, self.signature.to_string()),
        ]
    }

    /// Reads the headers through a lookup by lower-case name.
    ///
    /// # Errors
    /// [`SignatureError`] naming the header at fault.
    pub fn from_headers<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Self, SignatureError> {
        let [member, created, nonce, signature] = HEADERS;
        let text = |header| get(header).ok_or(SignatureError::Missing { header });
        let wrong = |header, expected| SignatureError::Malformed { header, expected };
        let mut bytes = Nonce::default();
        let member_text = text(member)?;
        let created_text = text(created)?;
        hex::decode_to_slice(text(nonce)?, &mut bytes).map_err(|_| wrong(nonce, "16 bytes in hex"))?;
        Ok(Self {
            member: member_text.parse().map_err(|_| wrong(member, "a member id"))?,
            created_ms: created_text.parse().map_err(|_| wrong(created, "a time in milliseconds since 1970"))?,
            nonce: bytes,
            signature: text(signature)?.parse().map_err(|_| wrong(signature, "a signature such as `sm:04ab...`"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_canon::SuiteId;

    const CONSORTIUM: Digest = Digest::ZERO;

    fn content<'a>(method: &'a str, target: &'a str, body: &'a [u8]) -> SignedContent<'a> {
        SignedContent { consortium: &CONSORTIUM, method, target, body }
    }

    #[test]
    fn every_part_is_covered() {
        for id in [SuiteId::Sm, SuiteId::Intl] {
            let key = suite(id).generate_signing_key(&mut rand::rng());
            let prepared = key.verifying_key().prepare().unwrap();
            let member = MemberId::new("bank").unwrap();
            let good = content("GET", "/v1/ledger/tip?x=1", b"body");
            let signed = RequestSignature::sign(&good, &member, 7, [1; 16], &key).unwrap();
            signed.verify(&good, &prepared).unwrap();
            let headers = signed.to_headers();
            let read = RequestSignature::from_headers(|n| headers.iter().find(|h| h.0 == n).map(|h| h.1.as_str()));
            assert_eq!(read.unwrap(), signed);
            for bad in [
                content("POST", good.target, good.body),
                content("GET", "/v1/ledger/tip?x=2", good.body),
                content("GET", good.target, b"Body"),
                SignedContent { consortium: &Digest([1; 32]), ..good },
            ] {
                signed.verify(&bad, &prepared).unwrap_err();
            }
            let other = MemberId::new("housing").unwrap();
            for forged in [
                RequestSignature { created_ms: 8, ..signed.clone() },
                RequestSignature { nonce: [2; 16], ..signed.clone() },
                RequestSignature { member: other, ..signed.clone() },
            ] {
                forged.verify(&good, &prepared).unwrap_err();
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn reading_headers_never_panics(a: String, b: String, c: String, d: String) {
            let texts = [a, b, c, d];
            let get = |n: &str| HEADERS.iter().position(|h| *h == n).map(|i| texts[i].as_str());
            let _any = RequestSignature::from_headers(get);
        }
    }
}
