//! Access requests: how a consumer asks a holder for a grant, and every step on the way.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{GrantId, MemberId, RequestId, SignedGrant};

/// Longest reason, answer or note, in characters.
pub const MAX_WORDS: usize = 1_000;
/// Most steps of one request; whoever returns it more often should talk.
pub const MAX_STEPS: usize = 32;

/// How much can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    /// Little.
    #[n(0)]
    Low,
    /// Some.
    #[n(1)]
    Medium,
    /// Much: never approved without a person.
    #[n(2)]
    High,
}

/// One of the four dimensions of a risk record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RiskAnswer {
    /// How much can go wrong.
    #[n(0)]
    pub level: RiskLevel,
    /// Why, and what is done about it.
    #[n(1)]
    pub answer: String,
}

/// What the consumer has thought through before it asks. Author and reviewer are two operators (four eyes).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RiskRecord {
    /// Which data: type and grade (类型).
    #[n(0)]
    pub data: RiskAnswer,
    /// In which scene it is used (场景).
    #[n(1)]
    pub scene: RiskAnswer,
    /// In which modes it is supplied (方式).
    #[n(2)]
    pub mode: RiskAnswer,
    /// Who gets to see it (对象).
    #[n(3)]
    pub audience: RiskAnswer,
    /// Who wrote it: an operator's short name.
    #[n(4)]
    pub author: String,
    /// Who reviewed it: another operator.
    #[n(5)]
    pub reviewer: String,
}

impl RiskRecord {
    /// The highest level of the four.
    pub fn level(&self) -> RiskLevel {
        [&self.data, &self.scene, &self.mode, &self.audience]
            .into_iter()
            .map(|a| a.level)
            .fold(RiskLevel::Low, Ord::max)
    }

    fn fault(&self) -> Option<String> {
        let dimensions =
            [("data", &self.data), ("scene", &self.scene), ("mode", &self.mode), ("audience", &self.audience)];
        for (name, answer) in dimensions {
            if answer.answer.trim().is_empty() || answer.answer.chars().count() > MAX_WORDS {
                return Some(format!("risk record: `{name}` needs an answer of 1 to {MAX_WORDS} characters"));
            }
        }
        let operator = |name: &str| MemberId::new(name).is_ok();
        if !operator(&self.author) || !operator(&self.reviewer) {
            return Some("risk record: author and reviewer are operators' short names".into());
        }
        (self.author == self.reviewer).then(|| "risk record: author and reviewer must be two operators".into())
    }
}

/// A consumer's request for a grant. It carries the whole grant, signed by the consumer: what the holder approves is
/// what was asked, word for word.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct AccessRequest {
    /// Id.
    #[n(0)]
    pub id: RequestId,
    /// The application that will ask, by its short name.
    #[n(1)]
    pub subsystem: String,
    /// Revision of the dataset's description that the consumer has read.
    #[n(2)]
    pub dataset_revision: u32,
    /// The grant asked for, with the consumer's signature.
    #[n(3)]
    pub grant: SignedGrant,
    /// What can go wrong.
    #[n(4)]
    pub risk: RiskRecord,
}

impl AccessRequest {
    /// What the types alone do not say; the fault in words.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self) -> Result<(), String> {
        if MemberId::new(&self.subsystem).is_err() {
            return Err("subsystem is 1 to 40 characters of `a-z`, `0-9`, `-` and `_`".into());
        }
        self.risk.fault().map_or(Ok(()), Err)
    }
}

/// What happens to a request after it was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a step is short-lived")]
pub enum RequestStep {
    /// Back to the consumer, by platform or holder: what is missing.
    #[n(0)]
    Returned {
        /// What to change.
        #[n(0)]
        reason: String,
    },
    /// The consumer submits a better one under the same id.
    #[n(1)]
    Amended {
        /// The new text.
        #[n(0)]
        request: AccessRequest,
    },
    /// The platform found it in order.
    #[n(2)]
    Checked {
        /// What it looked at.
        #[n(0)]
        note: String,
    },
    /// The holder, or a co-signer of the dataset, agrees. The grant is in force once all have.
    #[n(3)]
    Approved {
        /// Why.
        #[n(0)]
        reason: String,
    },
    /// The holder, or a co-signer, refuses; final.
    #[n(4)]
    Rejected {
        /// Why.
        #[n(0)]
        reason: String,
    },
    /// The consumer takes it back; final.
    #[n(5)]
    Withdrawn,
}

impl RequestStep {
    /// Its name in listings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Returned { .. } => "returned",
            Self::Amended { .. } => "amended",
            Self::Checked { .. } => "checked",
            Self::Approved { .. } => "approved",
            Self::Rejected { .. } => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Its reason or note, if it carries one.
    pub fn words(&self) -> &str {
        match self {
            Self::Returned { reason: words }
            | Self::Approved { reason: words }
            | Self::Rejected { reason: words }
            | Self::Checked { note: words } => words,
            Self::Amended { .. } | Self::Withdrawn => "",
        }
    }
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// Waits for the platform's check, or for the holder where no platform is.
    #[n(0)]
    Submitted,
    /// Waits for the consumer.
    #[n(1)]
    Returned,
    /// Waits for the holder.
    #[n(2)]
    Checked,
    /// The grant is issued.
    #[n(3)]
    Approved,
    /// Refused.
    #[n(4)]
    Rejected,
    /// Taken back.
    #[n(5)]
    Withdrawn,
}

/// A statutory clock that runs, or ran out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Clock {
    /// Who must act.
    #[n(0)]
    pub member: MemberId,
    /// When it started, block time in milliseconds.
    #[n(1)]
    pub started_ms: u64,
    /// When the step is overdue.
    #[n(2)]
    pub due_ms: u64,
    /// Whether that has been recorded.
    #[n(3)]
    pub overdue: bool,
}

/// One step that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct RequestEvent {
    /// Who took it.
    #[n(0)]
    pub by: MemberId,
    /// For whom, where it was done under a delegation.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<MemberId>,
    /// When, block time in milliseconds.
    #[n(2)]
    pub at_ms: u64,
    /// Which: `submitted`, or as [`RequestStep::name`].
    #[n(3)]
    pub step: String,
    /// Reason or note.
    #[n(4)]
    pub words: String,
    /// By how much the member was late, milliseconds; zero when in time.
    #[n(5)]
    pub late_ms: u64,
}

/// A request with what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct RequestState {
    /// The newest text.
    #[n(0)]
    pub request: AccessRequest,
    /// Where it stands.
    #[n(1)]
    pub status: RequestStatus,
    /// Steps so far, the oldest first.
    #[n(2)]
    pub events: Vec<RequestEvent>,
    /// The clock that runs, if one does.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// Members whose approval is in, sorted.
    #[n(4)]
    pub approvals: Vec<MemberId>,
    /// Members whose approval it takes, sorted.
    #[n(5)]
    pub approvers: Vec<MemberId>,
    /// The holder's rule that approved it without a person, if one did.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

impl RequestState {
    /// The grant it asks for.
    pub fn grant(&self) -> GrantId {
        self.request.grant.grant.id
    }
}

/// A clock that ran out; derived, never submitted. Says who delays what since when.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct ClockOverdue {
    /// The kind of record: `request`, `dispute` or `deletion`.
    #[n(0)]
    pub what: String,
    /// Its id.
    #[n(1)]
    pub id: String,
    /// Who had to act.
    #[n(2)]
    pub member: MemberId,
    /// Until when, block time in milliseconds.
    #[n(3)]
    pub due_ms: u64,
}

/// A holder's rule approved a request without a person; derived, never submitted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct RuleApplied {
    /// The request.
    #[n(0)]
    pub request: RequestId,
    /// The rule's name; it stands in the holder's rule book in force.
    #[n(1)]
    pub rule: String,
}

/// The end of data life: a consumer says that it has deleted what it learned under a grant.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct DeletionAttestation {
    /// The grant, ended.
    #[n(0)]
    pub grant: GrantId,
    /// How it was deleted: in words, for an auditor.
    #[n(1)]
    pub method: String,
    /// The operator who answers for it.
    #[n(2)]
    pub operator: String,
    /// Answers deleted.
    #[n(3)]
    pub answers: u64,
}
