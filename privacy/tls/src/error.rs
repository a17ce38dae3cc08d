//! Why a certificate, a file or a handshake was refused.

use covenant_domain::MemberId;
use rustls::{AlertDescription, CertificateError, Error, OtherError, PeerIncompatible};

use crate::Profile;

/// Failure of a transport certificate, its files, or a handshake.
///
/// A check of the peer's certificate travels inside rustls' error; [`explain`] takes it out again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// Bytes that are no transport certificate.
    #[error("malformed certificate: {0}")]
    Malformed(String),
    /// A certificate or key of the other profile.
    #[error("wrong profile: {what} is `{found}`, this side speaks `{expected}`")]
    WrongProfile {
        /// What was looked at.
        what: &'static str,
        /// The profile at hand.
        expected: Profile,
        /// The profile of what was offered.
        found: Profile,
    },
    /// The handshake found no algorithm that both sides have.
    #[error("wrong profile: the peer shares no cipher suite, group or signature algorithm with this side")]
    NothingInCommon,
    /// The peer showed no certificate where one is needed.
    #[error("the peer showed no certificate")]
    NoCertificate,
    /// The directory lists no authority for this member.
    #[error("unknown member `{0}`, or one that may not connect any more")]
    UnknownMember(MemberId),
    /// The certificate is of another consortium.
    #[error("certificate of consortium `{found}`, expected `{expected}`")]
    ForeignConsortium {
        /// Consortium of the directory.
        expected: String,
        /// Consortium that the certificate names.
        found: String,
    },
    /// None of the member's ledger keys signed the certificate.
    #[error("foreign authority: no ledger key of `{0}` signed this certificate")]
    ForeignAuthority(MemberId),
    /// The certificate is past its end.
    #[error("certificate of `{member}` expired since {since}")]
    Expired {
        /// Member that the certificate names.
        member: MemberId,
        /// Its last second.
        since: String,
    },
    /// The certificate is before its beginning.
    #[error("certificate of `{member}` not yet valid, it begins {from}")]
    NotYetValid {
        /// Member that the certificate names.
        member: MemberId,
        /// Its first second.
        from: String,
    },
    /// The ledger revoked the certificate.
    #[error("certificate {serial} of `{member}` is revoked")]
    Revoked {
        /// Member that the certificate names.
        member: MemberId,
        /// Its serial number in hexadecimal.
        serial: String,
    },
    /// Another member answered than the one that was called.
    #[error("certificate names another member: `{found}`, expected `{expected}`")]
    AnotherMember {
        /// Member that was called.
        expected: MemberId,
        /// Member that answered.
        found: MemberId,
    },
    /// The certificate does not hold the name or address that was called.
    #[error("certificate of `{member}` does not name `{host}`")]
    AnotherHost {
        /// Member that the certificate names.
        member: MemberId,
        /// Name or address that was called.
        host: String,
    },
    /// The private key is not that of the certificate.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// What is asked to be in a certificate cannot be.
    #[error("certificate cannot be issued: {0}")]
    Request(String),
    /// A private key that others on the machine can read.
    #[error(
        "key file `{path}` is open to others (mode {mode:04o}): `chmod 600` it, and issue anew if it may have been read"
    )]
    Exposed {
        /// The file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// A file stands where one would be written.
    #[error("`{0}` exists; ask for replacement, or choose another path")]
    Exists(String),
    /// A file cannot be read or written.
    #[error("`{path}`: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the system, or the reader of PEM, says.
        reason: String,
    },
    /// The peer refused this side and named an alert; its own log has the reason.
    #[error("the peer refused with alert `{0}`")]
    Refused(String),
    /// Any other failure of a handshake or connection.
    #[error("tls: {0}")]
    Connection(String),
}

impl TlsError {
    pub(crate) fn malformed(reason: impl std::fmt::Display) -> Self {
        Self::Malformed(reason.to_string())
    }
}

impl From<TlsError> for Error {
    fn from(error: TlsError) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(std::sync::Arc::new(error))))
    }
}

/// The reason behind an error of rustls.
pub fn explain(error: &Error) -> TlsError {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => match other.0.downcast_ref::<TlsError>() {
            Some(ours) => ours.clone(),
            None => TlsError::malformed(other),
        },
        Error::InvalidCertificate(CertificateError::BadSignature) => TlsError::KeyMismatch,
        Error::InvalidCertificate(other) => TlsError::malformed(other),
        Error::NoCertificatesPresented => TlsError::NoCertificate,
        Error::PeerIncompatible(
            PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon,
        )
        // RFC 8446, 6.2: unable to negotiate an acceptable set of parameters.
        | Error::AlertReceived(AlertDescription::HandshakeFailure) => TlsError::NothingInCommon,
        Error::AlertReceived(alert) => TlsError::Refused(alert.as_str().unwrap_or("unknown").to_owned()),
        other => TlsError::Connection(other.to_string()),
    }
}

/// The reason behind an error of a stream over rustls, such as tokio-rustls'; `None` when rustls is not in it.
pub fn explain_io(error: &std::io::Error) -> Option<TlsError> {
    error.get_ref()?.downcast_ref::<Error>().map(explain)
}
