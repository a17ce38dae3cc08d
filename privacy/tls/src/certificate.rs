//! What a transport certificate says: read strictly, so that nothing in it is left unjudged.

use std::net::IpAddr;

use covenant_domain::MemberId;
use covenant_suite::Signature;
use der::oid::AssociatedOid;
use der::{Decode, Encode};
use rustls::pki_types::{CertificateDer, DnsName, ServerName};
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};

use crate::issue::{CLIENT_AUTH, SERVER_AUTH};
use crate::x509::{self, COMMON_NAME, ORGANISATION, Signed};
use crate::{Profile, TlsError};

/// Longest certificate that is looked at.
const MAX_CERTIFICATE: usize = 16 * 1024;

/// Under this name every member has one of its own; it resolves nowhere.
pub(crate) const INTERNAL: &str = ".covenant.internal";

/// The DNS name that stands for a member: `<member>.covenant.internal`.
pub fn internal_name(member: &MemberId) -> String {
    format!("{member}{INTERNAL}")
}

/// What a transport certificate says of itself. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateInfo {
    /// Member that it names.
    pub member: MemberId,
    /// Consortium that it names.
    pub consortium: String,
    /// Serial number, big-endian, without leading zeros.
    pub serial: Vec<u8>,
    /// First millisecond of its validity, Unix time.
    pub not_before_ms: u64,
    /// Beginning of the last second of its validity, Unix time in milliseconds.
    pub not_after_ms: u64,
    /// DNS names and IP addresses; the member's own name is the first.
    pub names: Vec<String>,
    /// Digest of the certificate: `sha256:` or `sm3:` and hexadecimal digits.
    pub fingerprint: String,
    /// Profile that it belongs to.
    pub profile: Profile,
}

impl CertificateInfo {
    /// Whether the certificate holds this name or address.
    pub fn names_host(&self, host: &ServerName<'_>) -> bool {
        let host = match host {
            ServerName::DnsName(name) => name.as_ref().trim_end_matches('.').to_ascii_lowercase(),
            ServerName::IpAddress(address) => IpAddr::from(*address).to_string(),
            _ => return false,
        };
        self.names.contains(&host)
    }
}

/// What a transport certificate says.
///
/// # Errors
/// [`TlsError::Malformed`] for whatever has not the shape that [`Credentials::issue`](crate::Credentials::issue) gives.
pub fn inspect(certificate: &CertificateDer<'_>) -> Result<CertificateInfo, TlsError> {
    Ok(Parsed::new(certificate)?.info)
}

/// A certificate of the right shape, its signature not yet verified.
pub(crate) struct Parsed {
    pub(crate) info: CertificateInfo,
    /// What the signature covers.
    pub(crate) body: Vec<u8>,
    pub(crate) signature: Signature,
    /// DER of the `SubjectPublicKeyInfo`.
    pub(crate) key: Vec<u8>,
}

impl Parsed {
    pub(crate) fn new(certificate: &[u8]) -> Result<Self, TlsError> {
        if certificate.len() > MAX_CERTIFICATE {
            return Err(TlsError::malformed(format!("longer than {MAX_CERTIFICATE} bytes")));
        }
        let signed = Signed::parse(certificate)?;
        let profile = signed.profile()?;
        let body = &signed.body;
        if body.version != Version::V3 {
            return Err(TlsError::malformed("not of version 3"));
        }
        if !x509::is_transport_key(profile, &body.key) {
            return Err(TlsError::malformed(format!("public key is none of profile `{profile}`")));
        }
        let (consortium, member) = parties(&signed)?;
        let info = CertificateInfo {
            names: names(&body.extensions, &member)?,
            member,
            consortium,
            serial: body.serial.as_bytes().to_vec(),
            not_before_ms: x509::ms(&body.times.not_before),
            not_after_ms: x509::ms(&body.times.not_after),
            fingerprint: fingerprint(profile, certificate),
            profile,
        };
        usage(&body.extensions)?;
        Ok(Self {
            info,
            body: body.to_der().map_err(TlsError::malformed)?,
            signature: signed.signature(profile)?,
            key: body.key.to_der().map_err(TlsError::malformed)?,
        })
    }
}

/// Subject and issuer, which hold the same consortium and member and nothing else.
fn parties(signed: &Signed) -> Result<(String, MemberId), TlsError> {
    let subject = &signed.body.subject;
    let missing = || TlsError::malformed("subject does not name one member of one consortium");
    let consortium = x509::text_in(subject, ORGANISATION).ok_or_else(missing)?;
    let member = MemberId::new(&x509::text_in(subject, COMMON_NAME).ok_or_else(missing)?).map_err(|_| missing())?;
    if *subject != x509::member_name(&consortium, &member)? {
        return Err(missing());
    }
    if signed.body.issuer != x509::authority_name(&consortium, &member)? {
        return Err(TlsError::malformed(format!("issuer is not the authority of `{member}`")));
    }
    Ok((consortium, member))
}

/// Alternative names: the member's own, once, and no other below [`INTERNAL`].
fn names(extensions: &[Extension], member: &MemberId) -> Result<Vec<String>, TlsError> {
    let SubjectAltName(found) = required(extensions)?;
    let mut names = Vec::with_capacity(found.len());
    for name in found {
        names.push(match name {
            GeneralName::DnsName(name) => dns_name(name.as_str())?,
            GeneralName::IpAddress(bytes) => address(bytes.as_bytes())?.to_string(),
            _ => return Err(TlsError::malformed("a name that is neither of DNS nor an address")),
        });
    }
    let own = internal_name(member);
    let internal = names.iter().filter(|name| name.ends_with(INTERNAL)).count();
    if names.first() != Some(&own) || internal != 1 {
        return Err(TlsError::malformed(format!("names are not `{own}` and names outside `{INTERNAL}`")));
    }
    Ok(names)
}

/// A DNS name in the one form that is compared: lower case, without wildcard, without the dot of the root.
pub(crate) fn is_plain_name(text: &str) -> bool {
    let plain = text.bytes().all(|byte| !byte.is_ascii_uppercase()) && !text.ends_with('.');
    plain && DnsName::try_from(text).is_ok()
}

fn dns_name(text: &str) -> Result<String, TlsError> {
    let reason = "a DNS name that is none, or not in lower case";
    if is_plain_name(text) { Ok(text.to_owned()) } else { Err(TlsError::malformed(reason)) }
}

fn address(bytes: &[u8]) -> Result<IpAddr, TlsError> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let sixteen = || <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| sixteen()).map_err(|_| TlsError::malformed("an address of neither 4 nor 16 bytes"))
}

/// Signs handshakes of servers and clients and nothing else; no extension is critical that is not understood here.
fn usage(extensions: &[Extension]) -> Result<(), TlsError> {
    let KeyUsage(usage) = required(extensions)?;
    if usage != KeyUsages::DigitalSignature {
        return Err(TlsError::malformed("key usage is not the digital signature alone"));
    }
    let ExtendedKeyUsage(purposes) = required(extensions)?;
    if purposes != [SERVER_AUTH, CLIENT_AUTH] {
        return Err(TlsError::malformed("extended key usage is not that of server and client"));
    }
    if optional::<BasicConstraints>(extensions)?.is_some_and(|constraints| constraints.ca) {
        return Err(TlsError::malformed("certificate of an authority, not of a transport key"));
    }
    let known = [KeyUsage::OID, ExtendedKeyUsage::OID, SubjectAltName::OID, BasicConstraints::OID];
    match extensions.iter().find(|one| one.critical && !known.contains(&one.extn_id)) {
        Some(one) => Err(TlsError::malformed(format!("unknown critical extension {}", one.extn_id))),
        None => Ok(()),
    }
}

fn required<T: for<'a> Decode<'a, Error = der::Error> + AssociatedOid>(
    extensions: &[Extension],
) -> Result<T, TlsError> {
    optional(extensions)?.ok_or_else(|| TlsError::malformed(format!("extension {} is missing", T::OID)))
}

fn optional<T: for<'a> Decode<'a, Error = der::Error> + AssociatedOid>(
    extensions: &[Extension],
) -> Result<Option<T>, TlsError> {
    let mut found = extensions.iter().filter(|one| one.extn_id == T::OID);
    let Some(one) = found.next() else { return Ok(None) };
    if found.next().is_some() {
        return Err(TlsError::malformed(format!("extension {} is there twice", T::OID)));
    }
    T::from_der(one.extn_value.as_bytes()).map(Some).map_err(TlsError::malformed)
}

fn fingerprint(profile: Profile, certificate: &[u8]) -> String {
    let name = match profile {
        Profile::Standard => "sha256",
        Profile::ShangMi => "sm3",
    };
    format!("{name}:{}", hex::encode(x509::hash(profile, certificate)))
}
