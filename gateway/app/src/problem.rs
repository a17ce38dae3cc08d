//! The one place where failures of other rooms become problem documents.

use std::error::Error;

use covenant_api::{Code, Problem};
use covenant_domain::MemberId;
use covenant_ledger::BatchError;

use crate::caller::Caller;
use crate::port::PortError;

pub(crate) fn of_port(error: PortError) -> Problem {
    match error {
        PortError::Refused { code, reason } => match code.parse::<Code>() {
            Ok(code) => Problem::new(code, reason),
            Err(_) => Problem::other(&code, Code::Refused.status(), Code::Refused.title(), reason),
        },
        busy @ PortError::Busy { .. } => Problem::new(Code::BacklogFull, busy.to_string()).retry_after(1),
        PortError::Unavailable { reason } => {
            // What a node says of its own insides is for the operator.
            tracing::error!(reason, "consortium is not reachable");
            Problem::new(Code::Unavailable, "no node of the consortium is ready: try again shortly").retry_after(5)
        }
    }
}

pub(crate) fn of_batch(error: &BatchError) -> Problem {
    let code = match error {
        BatchError::Entry { .. } => Code::BatchMalformed,
        BatchError::NotOwn { .. } => Code::ForeignAuthor,
        BatchError::Count { .. } | BatchError::Signature { .. } => Code::BatchInvalid,
    };
    Problem::new(code, with_cause(error))
}

/// The error and what caused it, in one line.
pub(crate) fn with_cause(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", with_cause(cause)),
        None => error.to_string(),
    }
}

pub(crate) fn foreign_author(caller: &Caller, author: &MemberId) -> Problem {
    let detail = format!("the batch is signed by `{author}`, the request by `{}`: send your own", caller.id());
    Problem::new(Code::ForeignAuthor, detail)
}

/// Denies and says so in the log: denials are evidence too.
pub(crate) fn not_a_party(caller: &Caller, what: &str, id: &dyn std::fmt::Display) -> Problem {
    tracing::warn!(target: "covenant::audit", member = %caller.id(), what, about = %id, "denied: not a party");
    let detail = format!("`{}` is neither consumer nor holder of {what} `{id}`, nor a regulator", caller.id());
    Problem::new(Code::NotAParty, detail)
}

/// As [`not_a_party`], for what is only for some kinds of member.
pub(crate) fn reserved(caller: &Caller, what: &str, id: &dyn std::fmt::Display, whom: &str) -> Problem {
    tracing::warn!(target: "covenant::audit", member = %caller.id(), what, about = %id, "denied: reserved");
    Problem::new(Code::NotAParty, format!("{what} `{id}` is for {whom}, `{}` is not among them", caller.id()))
}

pub(crate) fn internal(what: &str) -> Problem {
    tracing::error!(what, "the gateway failed");
    Problem::new(Code::Internal, "the gateway failed; its operator finds the cause in the log")
}
