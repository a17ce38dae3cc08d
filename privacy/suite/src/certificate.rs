//! The one signature without a label: over the body of an X.509 certificate, whose form is not ours to choose.
//!
//! It cannot be taken for a labelled signature, nor the other way round. A labelled one covers `len(label) ‖ label ‖ …`:
//! its second byte is the first of a UTF-8 text. What is signed here begins with `30 81` or `30 82`, a DER SEQUENCE of at
//! least 128 bytes, and no UTF-8 text begins with `81` or `82`. Both ends refuse everything else before they look at keys.

use crate::{Signature, SigningKey, SuiteError, VerifyingKey};

/// DER, X.690 section 8.9.1: a constructed SEQUENCE.
const SEQUENCE: u8 = 0x30;

impl SigningKey {
    /// Signs the DER of a `TBSCertificate` (RFC 5280, 4.1), as it stands. SM2 uses the default id, as X.509 wants it.
    ///
    /// # Errors
    /// [`SuiteError::Malformed`] for what is not one DER SEQUENCE of 128 to 65535 bytes.
    pub fn sign_certificate(&self, tbs: &[u8]) -> Result<Signature, SuiteError> {
        check(tbs)?;
        self.sign_bare(tbs)
    }
}

impl VerifyingKey {
    /// Verifies what [`SigningKey::sign_certificate`] made.
    ///
    /// # Errors
    /// [`SuiteError::Malformed`] as there, [`SuiteError::SuiteMismatch`] for a signature of the other suite,
    /// [`SuiteError::Signature`] for a wrong one.
    pub fn verify_certificate(&self, tbs: &[u8], signature: &Signature) -> Result<(), SuiteError> {
        check(tbs)?;
        self.prepare()?.verify_bare(tbs, signature)
    }
}

/// INVARIANT see the head of this file: without this check the signature could be one over a labelled message.
fn check(tbs: &[u8]) -> Result<(), SuiteError> {
    let stated = match *tbs {
        [SEQUENCE, 0x81, length, ..] if length >= 0x80 => 3 + usize::from(length),
        [SEQUENCE, 0x82, high, low, ..] if high != 0 => 4 + usize::from(u16::from_be_bytes([high, low])),
        _ => 0,
    };
    let fits = stated != 0 && stated == tbs.len();
    if fits { Ok(()) } else { Err(SuiteError::malformed("certificate body", "not one DER sequence of fitting length")) }
}
