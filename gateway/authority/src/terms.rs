//! A consumer's request for a consent: what it signs, and the subject sealed to the service.

use covenant_api::Base64Bytes;
use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_client::Identity;
use covenant_domain::{ConsentKind, ConsentScope, MemberId, Mode, PurposeCode, Quota, Subject};
use covenant_ledger::Genesis;
use covenant_suite::{Opener, PreparedKey, Sealed, Sealer, SealingKey, Signature, SuiteError, suite};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Which text the subject is to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct NoticeShown {
    /// Version on the ledger.
    #[n(0)]
    pub version: u32,
    /// Digest of the text.
    #[n(1)]
    pub text: Digest,
}

/// What the consumer wants, as its people write it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Why.
    pub purpose: PurposeCode,
    /// About what.
    pub scopes: Vec<ConsentScope>,
    /// How.
    pub modes: Vec<Mode>,
    /// From when, milliseconds since 1970.
    pub valid_from_ms: u64,
    /// Until when, exclusive.
    pub valid_until_ms: u64,
    /// Queries in all.
    pub max_uses: u32,
    /// How long an answer may be kept, in days.
    pub data_life_days: u32,
    /// On what it is to rest.
    #[serde(default)]
    pub kind: ConsentKind,
    /// How often within a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Quota>,
}

/// The signed terms: the wish, for whom, by whom, to whom, when. Names no subject.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RequestTerms {
    /// Digest of the genesis: a request to one consortium is none to another.
    #[n(0)]
    pub consortium: Digest,
    /// The service it is made to.
    #[n(1)]
    pub authoriser: MemberId,
    /// Who asks.
    #[n(2)]
    pub consumer: MemberId,
    /// Why.
    #[n(3)]
    pub purpose: PurposeCode,
    /// About what.
    #[n(4)]
    pub scopes: Vec<ConsentScope>,
    /// How.
    #[n(5)]
    pub modes: Vec<Mode>,
    /// From when, milliseconds since 1970.
    #[n(6)]
    pub valid_from_ms: u64,
    /// Until when, exclusive.
    #[n(7)]
    pub valid_until_ms: u64,
    /// Queries in all.
    #[n(8)]
    pub max_uses: u32,
    /// How long an answer may be kept, in days.
    #[n(9)]
    pub data_life_days: u32,
    /// On what it is to rest.
    #[n(10)]
    #[serde(default)]
    pub kind: ConsentKind,
    /// How often within a window.
    #[n(11)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Quota>,
    /// The text to show.
    #[n(12)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeShown>,
    /// Digest of the sealed subject.
    #[n(13)]
    pub subject: Digest,
    /// When it was made, milliseconds since 1970.
    #[n(14)]
    pub made_ms: u64,
}

/// A request as it is posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// What is asked.
    pub terms: RequestTerms,
    /// The subject, sealed to the service.
    pub sealed_subject: Base64Bytes,
    /// The consumer's signature over the terms.
    pub signature: String,
}

/// Whom a wish goes to, and under which notice.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// The consortium.
    pub trust: &'a Genesis,
    /// The service.
    pub authoriser: &'a MemberId,
    /// The notice in force, if the purpose has one.
    pub notice: Option<&'a NoticeShown>,
    /// The time, milliseconds since 1970.
    pub now_ms: u64,
}

impl RequestTerms {
    /// The digest that names the request everywhere.
    pub fn digest(&self, id: SuiteId) -> Digest {
        Digest::of(id, Label::CONSENT_REQUEST, &to_bytes(self))
    }

    /// Whether the signature over it is the consumer's.
    ///
    /// # Errors
    /// [`SuiteError`].
    pub fn verify(&self, key: &PreparedKey, signature: &Signature) -> Result<(), SuiteError> {
        key.verify(Label::CONSENT_REQUEST, &to_bytes(self), signature)
    }
}

impl NewRequest {
    /// Seals the subject, fills in the terms and signs them, for the consumer.
    ///
    /// # Errors
    /// [`SuiteError`], also when the service's key cannot be read.
    pub fn make(identity: &Identity, wish: Wish, subject: &Subject, to: Addressee<'_>) -> Result<Self, SuiteError> {
        let words = suite(identity.signing.suite());
        let key = to.trust.member(to.authoriser).map(|m| m.sealing_key.clone()).unwrap_or_default();
        let canonical = Zeroizing::new(subject.canonical());
        let sealed = seal_to_service(&key.parse()?, &identity.member, to.authoriser, canonical.as_bytes())?;
        let terms = RequestTerms {
            consortium: to.trust.digest(),
            authoriser: to.authoriser.clone(),
            consumer: identity.member.clone(),
            purpose: wish.purpose,
            scopes: wish.scopes,
            modes: wish.modes,
            valid_from_ms: wish.valid_from_ms,
            valid_until_ms: wish.valid_until_ms,
            max_uses: wish.max_uses,
            data_life_days: wish.data_life_days,
            kind: wish.kind,
            frequency: wish.frequency,
            notice: to.notice.cloned(),
            subject: sealed_digest(words.id(), &sealed),
            made_ms: to.now_ms,
        };
        let signature = words.sign(&identity.signing, Label::CONSENT_REQUEST, &to_bytes(&terms))?;
        Ok(Self { terms, sealed_subject: sealed.into(), signature: signature.to_string() })
    }
}

/// Digest by which terms name a sealed subject.
pub(crate) fn sealed_digest(id: SuiteId, sealed: &[u8]) -> Digest {
    Digest::of(id, Label::SEAL_SUBJECT, sealed)
}

#[derive(Encode)]
#[cbor(map)]
struct Between<'a> {
    #[n(0)]
    from: &'a MemberId,
    #[n(1)]
    to: &'a MemberId,
}

/// Context of whatever is sealed to the service: one message per encapsulation.
const CONTEXT: &[u8] = b"subject";

/// Seals to the service what names somebody; who sent it is bound in, so that nobody passes it on as its own.
///
/// # Errors
/// [`SuiteError`].
pub fn seal_to_service(
    key: &SealingKey,
    from: &MemberId,
    to: &MemberId,
    plaintext: &[u8],
) -> Result<Vec<u8>, SuiteError> {
    let sealer = Sealer::new(key, Label::SEAL_SUBJECT, &mut rand::rng())?;
    Ok(sealer.seal(CONTEXT, &to_bytes(&Between { from, to }), plaintext)?.to_bytes())
}

/// Opens what [`seal_to_service`] made; nothing when it was not made so.
pub(crate) fn open_at_service(
    opener: &Opener,
    from: &MemberId,
    to: &MemberId,
    sealed: &[u8],
) -> Option<Zeroizing<String>> {
    let sealed = Sealed::from_bytes(sealed).ok()?;
    let plaintext = opener.open(CONTEXT, &to_bytes(&Between { from, to }), &sealed).ok()?;
    std::str::from_utf8(&plaintext).ok().map(|text| Zeroizing::new(text.to_owned()))
}
