//! What can go wrong at the consumer.

use std::path::PathBuf;
use std::sync::Arc;

use covenant_api::Problem;
use covenant_canon::Digest;
use covenant_domain::{AnswerError, DatasetId, IntentId, MemberId};
use covenant_ledger::{BatchError, GenesisError, HandoverError};
use covenant_suite::SuiteError;

/// Failure of a client. Cheap to clone: one failure may answer many questions of a batch.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// The gateway refused, with its problem document.
    #[error(transparent)]
    Problem(Problem),
    /// No answer came.
    #[error("gateway `{base}` is not reachable: {reason}")]
    Unreachable {
        /// Its address.
        base: String,
        /// What the transport says.
        reason: String,
    },
    /// The gateway answered something else than its interface promises.
    #[error("gateway answered something unreadable: {reason}")]
    Protocol {
        /// What is wrong with it.
        reason: String,
    },
    /// The address cannot be used.
    #[error("`{base}` is not a gateway address: {reason}")]
    Address {
        /// The address.
        base: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What was written down does not hold.
    #[error("the draft does not hold: {reason}")]
    Draft {
        /// What is wrong.
        reason: String,
    },
    /// The trust root does not hold.
    #[error("trust root does not hold")]
    TrustRoot(#[source] Arc<GenesisError>),
    /// The gateway shows members that do not follow from the trust root.
    #[error("the members that the gateway shows do not follow from the trust root")]
    Handover(#[source] Arc<HandoverError>),
    /// The gateway serves another consortium.
    #[error("gateway serves consortium {found}, the trust root is {expected}")]
    OtherConsortium {
        /// Digest of the trust root.
        expected: Digest,
        /// Digest that the gateway names.
        found: Digest,
    },
    /// The identity is not that of a member.
    #[error("`{member}` is not a member with these keys in the trust root")]
    NotMember {
        /// The member.
        member: MemberId,
    },
    /// The dataset's holder is not a member.
    #[error("holder `{holder}` of dataset `{dataset}` is not a member in the trust root")]
    HolderUnknown {
        /// The dataset.
        dataset: DatasetId,
        /// Organisation that its id names.
        holder: String,
    },
    /// A question of mode `lookup`, which has no input that its holder could open.
    #[error("a question of mode `lookup` cannot be sealed to its holder: ask it as a private lookup")]
    LookupSealed,
    /// The answer of a lookup, whose secrets are gone.
    #[error("the answer to lookup `{intent}` opens only in the process that asked: look up again")]
    LookupGone {
        /// The intent.
        intent: IntentId,
    },
    /// A cryptographic step failed.
    #[error("{step} failed")]
    Crypto {
        /// Which step.
        step: &'static str,
        /// The suite's word.
        #[source]
        source: SuiteError,
    },
    /// Entries could not be signed.
    #[error("batch could not be signed")]
    Batch(#[source] Arc<BatchError>),
    /// The answer cannot be read.
    #[error("answer to `{intent}` cannot be read")]
    Answer {
        /// The intent.
        intent: IntentId,
        /// What is wrong with it.
        #[source]
        source: Arc<AnswerError>,
    },
    /// The opened answer is to another question; the holder is at fault.
    #[error("answer to `{intent}` is not to the question asked: `{what}` differs")]
    OtherAnswer {
        /// The intent.
        intent: IntentId,
        /// What differs.
        what: &'static str,
    },
    /// A file could not be read or written, or may be read by others.
    #[error("file `{path}`: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A ticket cannot be read.
    #[error("consent ticket cannot be read: {reason}")]
    Ticket {
        /// What is wrong with it.
        reason: String,
    },
    /// An escrow key is not the trustees'. Nothing was escrowed under it.
    #[error("escrow key {ceremony} is not the trustees': {reason}")]
    Escrow {
        /// Number of the ceremony.
        ceremony: u32,
        /// What does not hold.
        reason: String,
    },
    /// An epoch is not what its holder published.
    #[error("epoch of `{dataset}`: {reason}")]
    Epoch {
        /// The dataset.
        dataset: DatasetId,
        /// What does not hold.
        reason: String,
    },
    /// The holder's evaluation was not made with the epoch's key; the holder, or the gateway, is at fault.
    #[error("the evaluation of `{intent}` was not made with the key of the epoch")]
    Evaluation {
        /// The intent.
        intent: IntentId,
    },
    /// The holder's record of a lookup is not of what was sent and received here.
    #[error("receipt of `{intent}`: {reason}")]
    Receipt {
        /// The intent.
        intent: IntentId,
        /// What does not hold.
        reason: String,
    },
    /// A ceremony of the trustees did not get on.
    #[error("ceremony {number}: {reason}")]
    Ceremony {
        /// Its number.
        number: u32,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A case did not get on.
    #[error("case `{case}`: {reason}")]
    Case {
        /// Its number.
        case: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// An answer could not be computed again.
    #[error("audit of `{intent}`: {reason}")]
    Audit {
        /// The intent.
        intent: IntentId,
        /// What is missing.
        reason: String,
    },
    /// The batcher was stopped.
    #[error("batcher was stopped")]
    Stopped,
}

impl ClientError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.is_transient(),
            Self::Unreachable { .. } => true,
            _ => false,
        }
    }

    /// The stable code, when the gateway refused.
    pub fn code(&self) -> Option<&str> {
        if let Self::Problem(problem) = self { Some(&problem.code) } else { None }
    }

    pub(crate) fn crypto(step: &'static str) -> impl Fn(SuiteError) -> Self {
        move |source| Self::Crypto { step, source }
    }

    pub(crate) fn protocol(reason: impl std::fmt::Display) -> Self {
        Self::Protocol { reason: reason.to_string() }
    }
}
