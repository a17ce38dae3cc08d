//! Whether a certificate speaks for a member now.

use covenant_domain::MemberId;
use covenant_suite::VerifyingKey;
use der::DateTime;
use rustls::pki_types::CertificateDer;

use crate::certificate::Parsed;
use crate::{CertificateInfo, Profile, TlsError};

/// What the ledger's state says of members. It is asked at every handshake, so it answers from memory.
pub trait Directory: Send + Sync {
    /// The ledger keys of a member, each an authority over its transport certificates. None: not, or not any more, a
    /// member that may connect.
    fn authorities(&self, member: &MemberId) -> Vec<VerifyingKey>;

    /// Whether the member's certificate of this serial number, big-endian without leading zeros, is revoked.
    fn is_revoked(&self, member: &MemberId, serial: &[u8]) -> bool;

    /// The consortium's name, when certificates of another one are to be refused by name.
    fn consortium(&self) -> Option<String> {
        None
    }
}

/// Every check on a certificate but the possession of its key: shape, profile, member, authority, validity, revocation.
///
/// Handshakes call it by themselves. Who keeps connections open calls it again when the ledger's state has changed, and
/// closes those that fail.
///
/// # Errors
/// The first of [`TlsError::Malformed`], [`TlsError::WrongProfile`], [`TlsError::AnotherMember`],
/// [`TlsError::ForeignConsortium`], [`TlsError::UnknownMember`], [`TlsError::ForeignAuthority`],
/// [`TlsError::NotYetValid`], [`TlsError::Expired`] and [`TlsError::Revoked`] that applies.
pub fn check(
    profile: Profile,
    certificate: &CertificateDer<'_>,
    directory: &dyn Directory,
    now_ms: u64,
    expected: Option<&MemberId>,
) -> Result<CertificateInfo, TlsError> {
    let parsed = Parsed::new(certificate)?;
    demand_parties(profile, &parsed.info, directory, expected)?;
    demand_authority(&parsed, directory)?;
    demand_time(&parsed.info, now_ms)?;
    let info = parsed.info;
    if directory.is_revoked(&info.member, &info.serial) {
        return Err(TlsError::Revoked { serial: hex::encode(&info.serial), member: info.member });
    }
    Ok(info)
}

fn demand_parties(
    profile: Profile,
    info: &CertificateInfo,
    directory: &dyn Directory,
    expected: Option<&MemberId>,
) -> Result<(), TlsError> {
    if info.profile != profile {
        return Err(TlsError::WrongProfile { what: "certificate", expected: profile, found: info.profile });
    }
    if let Some(expected) = expected.filter(|expected| **expected != info.member) {
        return Err(TlsError::AnotherMember { expected: expected.clone(), found: info.member.clone() });
    }
    match directory.consortium().filter(|expected| *expected != info.consortium) {
        Some(expected) => Err(TlsError::ForeignConsortium { expected, found: info.consortium.clone() }),
        None => Ok(()),
    }
}

/// Keys of the other suite are passed over: a member may be changing suites.
fn demand_authority(parsed: &Parsed, directory: &dyn Directory) -> Result<(), TlsError> {
    let member = &parsed.info.member;
    let keys = directory.authorities(member);
    if keys.is_empty() {
        return Err(TlsError::UnknownMember(member.clone()));
    }
    let signed = keys
        .iter()
        .filter(|key| key.suite() == parsed.info.profile.suite())
        .any(|key| key.verify_certificate(&parsed.body, &parsed.signature).is_ok());
    if signed { Ok(()) } else { Err(TlsError::ForeignAuthority(member.clone())) }
}

/// Both ends belong to the validity, to the second (RFC 5280, 4.1.2.5).
fn demand_time(info: &CertificateInfo, now_ms: u64) -> Result<(), TlsError> {
    let (second, member) = (now_ms / 1000 * 1000, info.member.clone());
    if second < info.not_before_ms {
        return Err(TlsError::NotYetValid { member, from: moment(info.not_before_ms) });
    }
    if second > info.not_after_ms {
        return Err(TlsError::Expired { member, since: moment(info.not_after_ms) });
    }
    Ok(())
}

fn moment(ms: u64) -> String {
    let seconds = std::time::Duration::from_secs(ms / 1000);
    DateTime::from_unix_duration(seconds).map_or_else(|_| format!("{ms} ms"), |time| time.to_string())
}
