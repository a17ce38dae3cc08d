//! Failures of nodes as the gateway's port names them.

use covenant_app::port::PortError;
use covenant_state::Inadmissible;

use crate::error::{NodeError, SubmitError};
use crate::lookup::LookupError;

pub(super) fn stopped(error: &tokio::task::JoinError) -> PortError {
    PortError::unavailable(error.to_string())
}

pub(super) fn lookup_refused(error: LookupError) -> PortError {
    use covenant_worker::lookup::RetrieveError;
    let code = match &error {
        LookupError::Node(_) => return PortError::unavailable(error.to_string()),
        LookupError::NotHolder { .. } => "not-holder",
        LookupError::Busy { .. } => "build-busy",
        LookupError::Refused(refused) => match refused {
            RetrieveError::EpochGone { .. } => "epoch-gone",
            RetrieveError::OverlayGone { .. } => "overlay-gone",
            RetrieveError::Length { .. } => "retrieval-length",
            RetrieveError::Signature { .. } => "retrieval-signature",
            RetrieveError::NotPermitted { .. } => "not-permitted",
            RetrieveError::Blinded { .. } => "blinded-invalid",
        },
    };
    PortError::refused(code, error.to_string())
}

pub(super) fn unavailable(error: NodeError) -> PortError {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        reason = format!("{reason}: {inner}");
        cause = inner.source();
    }
    PortError::unavailable(reason)
}

pub(super) fn refused(error: SubmitError) -> PortError {
    use covenant_ledger::BatchError;
    let code = match &error {
        SubmitError::Busy { member, waiting, limit } => {
            return PortError::Busy { member: member.clone(), waiting: *waiting, limit: *limit };
        }
        SubmitError::Node(_) => return PortError::unavailable(error.to_string()),
        SubmitError::Batch(BatchError::Signature { .. }) => "batch-signature",
        SubmitError::Batch(BatchError::NotOwn { .. }) => "entry-not-own",
        SubmitError::Batch(BatchError::Count { .. }) => "batch-count",
        SubmitError::Batch(BatchError::Entry { .. }) => "entry-malformed",
        SubmitError::TooLarge { .. } => "batch-too-large",
        SubmitError::Inadmissible(fault) => match fault {
            Inadmissible::Stale { .. } => "entry-stale",
            Inadmissible::Personal { .. } => "personal-data",
            Inadmissible::NotMember { .. } => "not-a-member",
            Inadmissible::IntentReused { .. } => "intent-reused",
            Inadmissible::Duplicate { .. } => "entry-recorded",
            Inadmissible::NotOpen { .. } => "completion-not-open",
            Inadmissible::Time { .. } => "block-time",
        },
    };
    let cause = std::error::Error::source(&error).map(|e| format!(": {e}")).unwrap_or_default();
    PortError::refused(code, format!("{error}{cause}"))
}
