//! X.509 (RFC 5280) as DER: the structures, and the parts that every certificate of ours has.

use covenant_domain::MemberId;
use covenant_suite::{Signature, SigningKey};
use der::asn1::{Any, BitString, ObjectIdentifier, OctetString, SetOfVec, Utf8StringRef};
use der::oid::AssociatedOid;
use der::{DateTime, Decode, Encode, Sequence, Tag, Tagged};
use rustls::pki_types::CertificateDer;
use sm3::{Digest, Sm3};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity as Times};

use crate::{Profile, TlsError};

pub(crate) const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
pub(crate) const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const ORGANISATIONAL_UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SM2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301");
const SM2_WITH_SM3: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.501");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// RFC 5280, 4.1.
#[derive(Sequence)]
pub(crate) struct Signed {
    pub(crate) body: Body,
    pub(crate) algorithm: AlgorithmIdentifierOwned,
    pub(crate) signature: BitString,
}

/// `TBSCertificate` without the unique identifiers of version 2.
#[derive(Sequence)]
pub(crate) struct Body {
    #[asn1(context_specific = "0", default = "Default::default")]
    pub(crate) version: Version,
    pub(crate) serial: SerialNumber,
    pub(crate) algorithm: AlgorithmIdentifierOwned,
    pub(crate) issuer: RdnSequence,
    pub(crate) times: Times,
    pub(crate) subject: RdnSequence,
    pub(crate) key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    pub(crate) extensions: Vec<Extension>,
}

impl Signed {
    /// Strict: whatever does not encode to the same bytes again is refused, so the signature covers all that was read.
    pub(crate) fn parse(der: &[u8]) -> Result<Self, TlsError> {
        let signed = Self::from_der(der).map_err(TlsError::malformed)?;
        if signed.to_der().map_err(TlsError::malformed)? != der {
            return Err(TlsError::malformed("not the one encoding of its content"));
        }
        Ok(signed)
    }

    pub(crate) fn issue(body: Body, authority: &SigningKey) -> Result<CertificateDer<'static>, TlsError> {
        let tbs = body.to_der().map_err(cannot)?;
        let signature = authority.sign_certificate(&tbs).map_err(cannot)?;
        let signature = BitString::from_bytes(&to_x509(&signature)?).map_err(cannot)?;
        let signed = Self { algorithm: body.algorithm.clone(), body, signature };
        Ok(signed.to_der().map_err(cannot)?.into())
    }

    /// The profile whose ledger keys sign with this algorithm.
    pub(crate) fn profile(&self) -> Result<Profile, TlsError> {
        if self.algorithm != self.body.algorithm || self.algorithm.parameters.is_some() {
            return Err(TlsError::malformed("signature algorithm stated twice, differently or with parameters"));
        }
        match self.algorithm.oid {
            ED25519 => Ok(Profile::Standard),
            SM2_WITH_SM3 => Ok(Profile::ShangMi),
            other => Err(TlsError::malformed(format!("signature algorithm {other} is of neither profile"))),
        }
    }

    pub(crate) fn signature(&self, profile: Profile) -> Result<Signature, TlsError> {
        let bytes = self.signature.as_bytes().ok_or_else(|| TlsError::malformed("signature of broken bytes"))?;
        let bytes = match profile {
            Profile::Standard => bytes.to_vec(),
            Profile::ShangMi => sm2::dsa::Signature::from_der(bytes).map_err(TlsError::malformed)?.to_vec(),
        };
        Signature::from_bytes(profile.suite(), &bytes).map_err(TlsError::malformed)
    }
}

/// SM2 signatures are a SEQUENCE of two integers in X.509, and 64 bytes on the ledger.
fn to_x509(signature: &Signature) -> Result<Vec<u8>, TlsError> {
    match Profile::from(signature.suite()) {
        Profile::Standard => Ok(signature.as_bytes().to_vec()),
        Profile::ShangMi => {
            let parsed = sm2::dsa::Signature::from_slice(signature.as_bytes()).map_err(cannot)?;
            Ok(parsed.to_der().as_ref().to_vec())
        }
    }
}

pub(crate) fn cannot(reason: impl std::fmt::Display) -> TlsError {
    TlsError::Request(reason.to_string())
}

pub(crate) fn signature_algorithm(profile: Profile) -> AlgorithmIdentifierOwned {
    let oid = match profile {
        Profile::Standard => ED25519,
        Profile::ShangMi => SM2_WITH_SM3,
    };
    AlgorithmIdentifierOwned { oid, parameters: None }
}

/// The public key of a ledger key, as the subject of its authority certificate has it.
pub(crate) fn authority_key(authority: &SigningKey) -> Result<SubjectPublicKeyInfoOwned, TlsError> {
    let algorithm = match Profile::from(authority.suite()) {
        Profile::Standard => AlgorithmIdentifierOwned { oid: ED25519, parameters: None },
        Profile::ShangMi => AlgorithmIdentifierOwned { oid: EC_PUBLIC_KEY, parameters: Some(Any::from(SM2)) },
    };
    let subject_public_key = BitString::from_bytes(authority.verifying_key().as_bytes()).map_err(cannot)?;
    Ok(SubjectPublicKeyInfoOwned { algorithm, subject_public_key })
}

/// Whether a transport key is one that the profile signs handshakes with.
pub(crate) fn is_transport_key(profile: Profile, key: &SubjectPublicKeyInfoOwned) -> bool {
    let curve = key.algorithm.parameters.as_ref().map(|any| any.decode_as::<ObjectIdentifier>().ok());
    let length = key.subject_public_key.as_bytes().map(<[u8]>::len);
    matches!(
        (profile, key.algorithm.oid, curve, length),
        (Profile::Standard, ED25519, None, Some(32))
            | (Profile::Standard, EC_PUBLIC_KEY, Some(Some(P256)), Some(65))
            | (Profile::ShangMi, EC_PUBLIC_KEY, Some(Some(SM2)), Some(65))
    )
}

/// RFC 7093, section 2, method 1, with the profile's hash: tells a member's successive ledger keys apart.
pub(crate) fn key_id(profile: Profile, key: &[u8]) -> Result<OctetString, TlsError> {
    let digest = hash(profile, key);
    OctetString::new(digest.get(..20).unwrap_or_default()).map_err(cannot)
}

pub(crate) fn hash(profile: Profile, bytes: &[u8]) -> Vec<u8> {
    match profile {
        Profile::Standard => ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec(),
        Profile::ShangMi => Sm3::digest(bytes).to_vec(),
    }
}

/// Subject of a transport certificate.
pub(crate) fn member_name(consortium: &str, member: &MemberId) -> Result<RdnSequence, TlsError> {
    name(&[(ORGANISATION, consortium), (COMMON_NAME, member.as_str())])
}

/// Its issuer: the same member's ledger key.
pub(crate) fn authority_name(consortium: &str, member: &MemberId) -> Result<RdnSequence, TlsError> {
    name(&[(ORGANISATION, consortium), (ORGANISATIONAL_UNIT, "authority"), (COMMON_NAME, member.as_str())])
}

fn name(parts: &[(ObjectIdentifier, &str)]) -> Result<RdnSequence, TlsError> {
    let mut sequence = RdnSequence::default();
    for (oid, text) in parts {
        let value = Any::from(Utf8StringRef::new(text).map_err(cannot)?);
        let set = SetOfVec::try_from(vec![AttributeTypeAndValue { oid: *oid, value }]).map_err(cannot)?;
        sequence.push(RelativeDistinguishedName::from(set));
    }
    Ok(sequence)
}

/// The UTF-8 text under an attribute; `None` when it is not there, or not once.
pub(crate) fn text_in(name: &RdnSequence, oid: ObjectIdentifier) -> Option<String> {
    let mut found = name.iter().flat_map(RelativeDistinguishedName::iter).filter(|part| part.oid == oid);
    let (one, more) = (found.next()?, found.next());
    let is_text = more.is_none() && one.value.tag() == Tag::Utf8String;
    is_text.then(|| String::from_utf8(one.value.value().to_vec()).ok()).flatten()
}

pub(crate) fn extension<T: Encode + AssociatedOid>(critical: bool, value: &T) -> Result<Extension, TlsError> {
    let bytes = value.to_der().map_err(cannot)?;
    Ok(Extension { extn_id: T::OID, critical, extn_value: OctetString::new(bytes).map_err(cannot)? })
}

/// X.509 counts seconds: the rest of the millisecond is cut off.
pub(crate) fn time(ms: u64) -> Result<Time, TlsError> {
    DateTime::from_unix_duration(std::time::Duration::from_secs(ms / 1000)).map(Time::from).map_err(cannot)
}

pub(crate) fn ms(time: &Time) -> u64 {
    time.to_unix_duration().as_secs().saturating_mul(1000)
}
