//! Certificates that a member's ledger key signs.

use std::net::IpAddr;

use covenant_domain::MemberId;
use covenant_suite::SigningKey;
use der::asn1::{Ia5String, ObjectIdentifier, OctetString};
use der::{Decode, Encode};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::CertificateDer;
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::constraints::name::{GeneralSubtree, NameConstraints};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::Validity as Times;

use crate::certificate::{INTERNAL, internal_name, is_plain_name};
use crate::x509::{self, Body, Signed, cannot};
use crate::{Profile, TlsError};

pub(crate) const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
pub(crate) const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// Most bytes of a consortium's name, RFC 5280 appendix A.1: `ub-organization-name`.
const MAX_CONSORTIUM: usize = 64;
/// Most names and addresses beside the member's own.
const MAX_NAMES: usize = 64;

/// What a certificate is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Member whose ledger key signs.
    pub member: MemberId,
    /// Name of the consortium, 1 to 64 bytes.
    pub consortium: String,
    /// Further DNS names, in lower case; the member's own name below `covenant.internal` is always there.
    pub dns_names: Vec<String>,
    /// IP addresses.
    pub addresses: Vec<IpAddr>,
    /// First moment of validity, Unix time in milliseconds, cut to the second.
    pub not_before_ms: u64,
    /// Last moment of validity, Unix time in milliseconds, cut to the second.
    pub not_after_ms: u64,
}

impl Request {
    fn check(&self) -> Result<(), TlsError> {
        if self.consortium.is_empty() || self.consortium.len() > MAX_CONSORTIUM {
            return Err(cannot(format!("name of the consortium has not 1 to {MAX_CONSORTIUM} bytes")));
        }
        if self.not_before_ms / 1000 > self.not_after_ms / 1000 {
            return Err(cannot("its end is before its beginning"));
        }
        if self.dns_names.len() + self.addresses.len() > MAX_NAMES {
            return Err(cannot(format!("more than {MAX_NAMES} names and addresses")));
        }
        let is_good = |name: &&String| is_plain_name(name) && !name.ends_with(INTERNAL);
        match self.dns_names.iter().find(|name| !is_good(name)) {
            Some(bad) => Err(cannot(format!("`{bad}` is no DNS name in lower case outside `{INTERNAL}`"))),
            None => Ok(()),
        }
    }

    fn general_names(&self) -> Result<Vec<GeneralName>, TlsError> {
        let dns = |name: &str| Ia5String::new(name).map(GeneralName::DnsName).map_err(cannot);
        let own = std::iter::once(dns(&internal_name(&self.member)));
        let further = self.dns_names.iter().map(|name| dns(name));
        let addresses = self.addresses.iter().map(|address| ip_name(octets(*address)));
        own.chain(further).chain(addresses).collect()
    }

    fn body(
        &self,
        authority: &SigningKey,
        serial: &[u8],
        key: SubjectPublicKeyInfoOwned,
        is_authority: bool,
    ) -> Result<Body, TlsError> {
        let issuer = x509::authority_name(&self.consortium, &self.member)?;
        let profile = Profile::from(authority.suite());
        let key_id = x509::key_id(profile, authority.verifying_key().as_bytes())?;
        let subject = if is_authority { issuer.clone() } else { x509::member_name(&self.consortium, &self.member)? };
        let extensions =
            if is_authority { self.authority_extensions(key_id)? } else { self.transport_extensions(key_id)? };
        Ok(Body {
            version: Version::V3,
            serial: SerialNumber::new(serial).map_err(cannot)?,
            algorithm: x509::signature_algorithm(profile),
            issuer,
            times: Times::new(x509::time(self.not_before_ms)?, x509::time(self.not_after_ms)?),
            subject,
            key,
            extensions,
        })
    }

    fn transport_extensions(&self, key_id: OctetString) -> Result<Vec<Extension>, TlsError> {
        Ok(vec![
            x509::extension(true, &KeyUsage(KeyUsages::DigitalSignature.into()))?,
            x509::extension(false, &ExtendedKeyUsage(vec![SERVER_AUTH, CLIENT_AUTH]))?,
            x509::extension(false, &SubjectAltName(self.general_names()?))?,
            x509::extension(false, &AuthorityKeyIdentifier { key_identifier: Some(key_id), ..Default::default() })?,
        ])
    }

    /// Without the constraint a program that trusts this authority would believe it about every site there is.
    fn authority_extensions(&self, key_id: OctetString) -> Result<Vec<Extension>, TlsError> {
        Ok(vec![
            x509::extension(true, &BasicConstraints { ca: true, path_len_constraint: Some(0) })?,
            x509::extension(true, &KeyUsage(KeyUsages::KeyCertSign.into()))?,
            x509::extension(false, &SubjectKeyIdentifier(key_id))?,
            x509::extension(true, &self.constraints()?)?,
        ])
    }

    /// RFC 5280, 4.2.1.10: the names of this request, and what lies below them.
    fn constraints(&self) -> Result<NameConstraints, TlsError> {
        let dns = self.general_names()?.into_iter().filter(|name| matches!(name, GeneralName::DnsName(_)));
        let alone = self.addresses.iter().map(|address| {
            let bytes = octets(*address);
            ip_name([bytes.clone(), vec![0xFF; bytes.len()]].concat())
        });
        let permitted = dns.map(Ok).chain(alone).map(|name| name.map(subtree)).collect::<Result<Vec<_>, _>>()?;
        // A form of name that no permitted subtree has would be free.
        let none = || [8, 32].into_iter().map(|length| ip_name(vec![0; length]).map(subtree)).collect();
        let excluded = if self.addresses.is_empty() { Some(none()).transpose()? } else { None };
        Ok(NameConstraints { permitted_subtrees: Some(permitted), excluded_subtrees: excluded })
    }
}

fn subtree(base: GeneralName) -> GeneralSubtree {
    GeneralSubtree { base, minimum: 0, maximum: None }
}

fn ip_name(bytes: Vec<u8>) -> Result<GeneralName, TlsError> {
    OctetString::new(bytes).map(GeneralName::IpAddress).map_err(cannot)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// A certificate of a transport key.
pub(crate) fn transport(
    authority: &SigningKey,
    request: &Request,
    key: &[u8],
) -> Result<CertificateDer<'static>, TlsError> {
    request.check()?;
    let key = SubjectPublicKeyInfoOwned::from_der(key).map_err(cannot)?;
    Signed::issue(request.body(authority, &random_serial()?, key, false)?, authority)
}

/// The ledger key's certificate of itself, for programs that know certificates only: OpenSSL, curl, a proxy.
///
/// It may sign certificates for the request's names and what lies below them. Same key and request, same bytes. Covenant
/// itself trusts no such certificate: its [`Directory`](crate::Directory) names the keys.
///
/// # Errors
/// [`TlsError::Request`] when it cannot say what is asked for.
pub fn authority_certificate(authority: &SigningKey, request: &Request) -> Result<CertificateDer<'static>, TlsError> {
    request.check()?;
    let profile = Profile::from(authority.suite());
    let key = x509::authority_key(authority)?;
    let unnumbered = request.body(authority, &[1], key.clone(), true)?.to_der().map_err(cannot)?;
    let serial = positive(x509::hash(profile, &unnumbered).into_iter().take(16).collect());
    Signed::issue(request.body(authority, &serial, key, true)?, authority)
}

fn random_serial() -> Result<Vec<u8>, TlsError> {
    let mut serial = [0; 16];
    SystemRandom::new().fill(&mut serial).map_err(|_| cannot("the system gives no random bytes"))?;
    Ok(positive(serial.to_vec()))
}

/// 16 bytes whose first is in 64..128: positive, and without leading zeros.
fn positive(mut serial: Vec<u8>) -> Vec<u8> {
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x3F | 0x40;
    }
    serial
}
