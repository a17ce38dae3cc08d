//! What can go wrong, told without helping an attacker.

use covenant_canon::SuiteId;

/// Failure of a suite operation. Decoding names what was malformed; checks of secrets or signatures only say that they
/// failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SuiteError {
    /// Bytes or text that are not a value of the named kind.
    #[error("malformed {what}: {reason}")]
    Malformed {
        /// Kind of value that was expected.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A value of one suite met an operation or a key of the other.
    #[error("{what} belongs to suite `{found}`, expected `{expected}`")]
    SuiteMismatch {
        /// Kind of value that was offered.
        what: &'static str,
        /// Suite of the operation or of the key.
        expected: SuiteId,
        /// Suite that the value names.
        found: SuiteId,
    },
    /// The signature does not verify under the key, the label and the message.
    #[error("signature does not verify")]
    Signature,
    /// The signing algorithm gave no signature; it happens with negligible probability.
    #[error("could not sign")]
    Signing,
    /// No secret could be encapsulated to the key.
    #[error("could not encapsulate to this key")]
    Encapsulate,
    /// Sealed bytes, their associated data, context or encapsulation are not what was sealed to this key.
    #[error("could not open")]
    Open,
    /// The context already sealed another message under this encapsulation; sealing again would reuse a nonce.
    #[error("context was already used under this encapsulation")]
    ContextReused,
    /// A message or ciphertext over the limit.
    #[error("{length} bytes exceed the limit of {limit}")]
    TooLong {
        /// Length that was offered.
        length: usize,
        /// Longest that is accepted.
        limit: usize,
    },
    /// A passphrase without characters.
    #[error("passphrase is empty")]
    EmptyPassphrase,
    /// The passphrase does not open the key file, or the file was altered; the two cannot be told apart.
    #[error("wrong passphrase for the key file of `{member}`, or the file was altered")]
    Passphrase {
        /// Member that the file names.
        member: String,
    },
    /// Key derivation parameters outside the accepted range.
    #[error("key derivation cost out of range: {reason}")]
    Cost {
        /// Which parameter, and its range.
        reason: String,
    },
}

impl SuiteError {
    pub(crate) fn malformed(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Malformed { what, reason: reason.into() }
    }

    /// Refuses a value of another suite than the one at hand.
    pub(crate) fn demand(what: &'static str, expected: SuiteId, found: SuiteId) -> Result<(), Self> {
        if expected == found { Ok(()) } else { Err(Self::SuiteMismatch { what, expected, found }) }
    }
}
