//! What goes on the ledger.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    AccessRequest, Authority, Ballot, Calendar, CaseOpened, CaseResult, CaseShare, CeremonyCall, CeremonyStep,
    CertificateRevoked, ClockOverdue, Completion, Consent, ConsentChange, ConsentId, Dataset, DatasetChange, DatasetId,
    Decision, Delegation, DelegationId, DeletionAttestation, Dispute, DisputeAnswer, DisputeId, Epoch, Equivocation,
    Freeze, GrantChange, GrantId, Intent, Lapse, MemberId, NewKeys, Notice, Overlay, Proposal, ProposalClosed, Purpose,
    RequestId, RequestStep, RightChange, RightId, RuleApplied, RuleBook, SignedGrant, Tariff, Voided,
};

/// The content of an entry. Numbers are never reused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "kind", content = "content", rename_all = "snake_case")]
pub enum Body {
    /// A purpose of use, by a regulator.
    #[n(0)]
    PurposeRegistered(#[n(0)] Purpose),
    /// A dataset description, by its holder.
    #[n(1)]
    DatasetPublished(#[n(0)] Dataset),
    /// A holder's rule book, by the holder.
    #[n(2)]
    PolicyAdopted(#[n(0)] RuleBook),
    /// A grant, by its holder, counter-signed by the consumer.
    #[n(3)]
    GrantIssued(#[n(0)] SignedGrant),
    /// A grant suspended, resumed or revoked.
    #[n(4)]
    GrantChanged {
        /// The grant.
        #[n(0)]
        grant: GrantId,
        /// What happens.
        #[n(1)]
        change: GrantChange,
    },
    /// A consent, by an authorisation service.
    #[n(5)]
    ConsentIssued(#[n(0)] Consent),
    /// A consent paused, resumed or revoked, by the service that issued it.
    #[n(6)]
    ConsentChanged {
        /// The consent.
        #[n(0)]
        consent: ConsentId,
        /// What happens.
        #[n(1)]
        change: ConsentChange,
    },
    /// A query, by its consumer.
    #[n(7)]
    Intent(#[n(0)] Intent),
    /// Its answer's record, by the holder.
    #[n(8)]
    Completion(#[n(0)] Completion),
    /// The ledger's decision on an intent; derived, never submitted.
    #[n(9)]
    Decision(#[n(0)] Decision),
    /// A permit that ran out; derived, never submitted.
    #[n(10)]
    Lapse(#[n(0)] Lapse),
    /// An entry that was ordered but not accepted, with the reason; derived, never submitted.
    #[n(11)]
    Rejected {
        /// Digest of the entry.
        #[n(0)]
        entry: covenant_canon::Digest,
        /// Why.
        #[n(1)]
        reason: String,
    },
    /// An epoch of private lookup, by the dataset's holder.
    #[n(12)]
    EpochPublished(#[n(0)] Epoch),
    /// A later table of an epoch's same-day changes, by the dataset's holder.
    #[n(13)]
    OverlayPublished(#[n(0)] Overlay),
    /// A call to make an escrow key, by a regulator.
    #[n(14)]
    CeremonyCalled(#[n(0)] CeremonyCall),
    /// A trustee's step in a ceremony.
    #[n(15)]
    CeremonyStepped {
        /// The ceremony.
        #[n(0)]
        number: u32,
        /// The step.
        #[n(1)]
        step: CeremonyStep,
    },
    /// A case about lookups, by a regulator.
    #[n(16)]
    CaseOpened(#[n(0)] CaseOpened),
    /// A trustee's part in opening an escrow.
    #[n(17)]
    CaseShared(#[n(0)] CaseShare),
    /// What an opening showed, by the regulator of the case.
    #[n(18)]
    CaseConcluded(#[n(0)] CaseResult),
    /// A permit the holder could not use, by the holder.
    #[n(19)]
    Voided(#[n(0)] Voided),
    /// The calendar of working days and the statutory clocks, by a regulator.
    #[n(20)]
    CalendarAdopted(#[n(0)] Calendar),
    /// An access request, by its consumer or who acts for it.
    #[n(21)]
    RequestSubmitted(#[n(0)] AccessRequest),
    /// A step of an access request.
    #[n(22)]
    RequestStepped {
        /// The request.
        #[n(0)]
        request: RequestId,
        /// What happens.
        #[n(1)]
        step: RequestStep,
    },
    /// A delegation, by its principal.
    #[n(23)]
    DelegationGiven(#[n(0)] Delegation),
    /// A delegation ended, by principal or delegate.
    #[n(24)]
    DelegationEnded(#[n(0)] DelegationId),
    /// A proposal, by one who may vote.
    #[n(25)]
    ProposalOpened(#[n(0)] Proposal),
    /// A vote on it.
    #[n(26)]
    BallotCast(#[n(0)] Ballot),
    /// Its outcome; derived, never submitted.
    #[n(27)]
    ProposalClosed(#[n(0)] ProposalClosed),
    /// A dispute about a record, by the consumer that was answered.
    #[n(28)]
    DisputeOpened(#[n(0)] Dispute),
    /// The holder's answer to a dispute.
    #[n(29)]
    DisputeAnswered {
        /// The dispute.
        #[n(0)]
        dispute: DisputeId,
        /// The answer.
        #[n(1)]
        answer: DisputeAnswer,
    },
    /// What was learned under a grant is deleted, by its consumer.
    #[n(30)]
    DeletionAttested(#[n(0)] DeletionAttestation),
    /// A clock that ran out; derived, never submitted.
    #[n(31)]
    ClockOverdue(#[n(0)] ClockOverdue),
    /// A dataset deprecated, suspended, resumed or archived.
    #[n(32)]
    DatasetChanged {
        /// The dataset.
        #[n(0)]
        dataset: DatasetId,
        /// What happens.
        #[n(1)]
        change: DatasetChange,
    },
    /// A change of a right, by the first of its signers.
    #[n(33)]
    RightProposed(#[n(0)] RightChange),
    /// The signature of another signer.
    #[n(34)]
    RightSigned(#[n(0)] RightId),
    /// A notice text, by a regulator.
    #[n(35)]
    NoticeRegistered(#[n(0)] Notice),
    /// What answers are worth, by a regulator.
    #[n(36)]
    TariffAdopted(#[n(0)] Tariff),
    /// An access request approved by a rule; derived, never submitted.
    #[n(37)]
    RequestAutoApproved(#[n(0)] RuleApplied),
    /// New keys of a member, by itself.
    #[n(38)]
    KeysRotated(#[n(0)] NewKeys),
    /// A member's own key is lost or leaked, by itself.
    #[n(39)]
    KeyLocked(#[n(0)] MemberId),
    /// A member frozen or thawed, by a regulator.
    #[n(40)]
    MemberFrozen(#[n(0)] Freeze),
    /// A transport certificate that must not be used any more, by its member.
    #[n(41)]
    CertificateRevoked(#[n(0)] CertificateRevoked),
    /// Proof that a validator contradicted itself, by any validator.
    #[n(42)]
    EquivocationShown(#[n(0)] Equivocation),
    /// The officer whose second signature a member's acts of administration need, by the member; absent for none.
    #[n(43)]
    OfficerNamed(#[n(0)] Option<String>),
    /// An act of administration with the officer's signature.
    #[n(44)]
    Countersigned(#[n(0)] Countersigned),
}

/// An act of administration that two persons of a member have signed: the entry's author, and its officer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Countersigned {
    /// Canonical bytes of the act's [`Body`]; bytes, so that acts do not nest.
    #[cbor(n(0), with = "minicbor::bytes")]
    #[serde(with = "hex")]
    pub act: Vec<u8>,
    /// When the officer signed, milliseconds since 1970; fresh as an entry is.
    #[n(1)]
    pub signed_ms: u64,
    /// The officer's signature over what [`countersigned`] digests, in text form.
    #[n(2)]
    pub signature: String,
}

impl Countersigned {
    /// The act; none when the bytes hold no act of administration. A countersigned act is none, so acts do not nest.
    pub fn body(&self) -> Option<Body> {
        covenant_canon::from_bytes(&self.act).ok().filter(Body::is_administration)
    }
}

/// What an officer signs: digest of parts under the label `countersigned`.
pub fn countersigned(
    suite: covenant_canon::SuiteId,
    consortium: &covenant_canon::Digest,
    member: &MemberId,
    signed_ms: u64,
    act: &[u8],
) -> covenant_canon::Digest {
    let time = signed_ms.to_be_bytes();
    let parts: [&[u8]; 4] = [consortium.as_bytes(), member.as_str().as_bytes(), &time, act];
    covenant_canon::Digest::of_parts(suite, covenant_canon::Label::COUNTERSIGNED, &parts)
}

impl Body {
    /// The kind as stored in the index, and as JSON names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PurposeRegistered(_) => "purpose_registered",
            Self::DatasetPublished(_) => "dataset_published",
            Self::PolicyAdopted(_) => "policy_adopted",
            Self::GrantIssued(_) => "grant_issued",
            Self::GrantChanged { .. } => "grant_changed",
            Self::ConsentIssued(_) => "consent_issued",
            Self::ConsentChanged { .. } => "consent_changed",
            Self::Intent(_) => "intent",
            Self::Completion(_) => "completion",
            Self::Decision(_) => "decision",
            Self::Lapse(_) => "lapse",
            Self::Rejected { .. } => "rejected",
            Self::EpochPublished(_) => "epoch_published",
            Self::OverlayPublished(_) => "overlay_published",
            Self::CeremonyCalled(_) => "ceremony_called",
            Self::CeremonyStepped { .. } => "ceremony_stepped",
            Self::CaseOpened(_) => "case_opened",
            Self::CaseShared(_) => "case_shared",
            Self::CaseConcluded(_) => "case_concluded",
            Self::Voided(_) => "voided",
            Self::CalendarAdopted(_) => "calendar_adopted",
            Self::RequestSubmitted(_) => "request_submitted",
            Self::RequestStepped { .. } => "request_stepped",
            Self::DelegationGiven(_) => "delegation_given",
            Self::DelegationEnded(_) => "delegation_ended",
            Self::ProposalOpened(_) => "proposal_opened",
            Self::BallotCast(_) => "ballot_cast",
            Self::ProposalClosed(_) => "proposal_closed",
            Self::DisputeOpened(_) => "dispute_opened",
            Self::DisputeAnswered { .. } => "dispute_answered",
            Self::DeletionAttested(_) => "deletion_attested",
            Self::ClockOverdue(_) => "clock_overdue",
            Self::DatasetChanged { .. } => "dataset_changed",
            Self::RightProposed(_) => "right_proposed",
            Self::RightSigned(_) => "right_signed",
            Self::NoticeRegistered(_) => "notice_registered",
            Self::TariffAdopted(_) => "tariff_adopted",
            Self::RequestAutoApproved(_) => "request_auto_approved",
            Self::KeysRotated(_) => "keys_rotated",
            Self::KeyLocked(_) => "key_locked",
            Self::MemberFrozen(_) => "member_frozen",
            Self::CertificateRevoked(_) => "certificate_revoked",
            Self::EquivocationShown(_) => "equivocation_shown",
            Self::OfficerNamed(_) => "officer_named",
            Self::Countersigned(_) => "countersigned",
        }
    }

    /// The instance the entry is about, as text, for the index: intent, grant, consent, dataset and so on.
    pub fn about(&self) -> String {
        match self {
            Self::PurposeRegistered(purpose) => purpose.code.to_string(),
            Self::DatasetPublished(dataset) => dataset.id.to_string(),
            Self::PolicyAdopted(book) => book.holder.to_string(),
            Self::GrantIssued(signed) => signed.grant.id.to_string(),
            Self::GrantChanged { grant, .. } => grant.to_string(),
            Self::ConsentIssued(consent) => consent.id.to_string(),
            Self::ConsentChanged { consent, .. } => consent.to_string(),
            Self::Intent(intent) => intent.id.to_string(),
            Self::Completion(completion) => completion.intent.to_string(),
            Self::Decision(decision) => decision.intent.to_string(),
            Self::Lapse(lapse) => lapse.intent.to_string(),
            Self::Rejected { entry, .. } => entry.to_string(),
            Self::EpochPublished(epoch) => epoch.dataset.to_string(),
            Self::OverlayPublished(overlay) => overlay.dataset.to_string(),
            Self::CeremonyCalled(call) => format!("ceremony {}", call.number),
            Self::CeremonyStepped { number, .. } => format!("ceremony {number}"),
            Self::CaseOpened(opened) => opened.case.to_string(),
            Self::CaseShared(share) => share.case.to_string(),
            Self::CaseConcluded(result) => result.case.to_string(),
            Self::Voided(voided) => voided.intent.to_string(),
            Self::CalendarAdopted(calendar) => format!("calendar {}", calendar.revision),
            Self::RequestSubmitted(request) => request.id.to_string(),
            Self::RequestStepped { request, .. } => request.to_string(),
            Self::DelegationGiven(delegation) => delegation.id.to_string(),
            Self::DelegationEnded(id) => id.to_string(),
            Self::ProposalOpened(proposal) => proposal.id.to_string(),
            Self::BallotCast(ballot) => ballot.proposal.to_string(),
            Self::ProposalClosed(closed) => closed.proposal.to_string(),
            Self::DisputeOpened(dispute) => dispute.id.to_string(),
            Self::DisputeAnswered { dispute, .. } => dispute.to_string(),
            Self::DeletionAttested(attestation) => attestation.grant.to_string(),
            Self::ClockOverdue(overdue) => overdue.id.clone(),
            Self::DatasetChanged { dataset, .. } => dataset.to_string(),
            Self::RightProposed(change) => change.id.to_string(),
            Self::RightSigned(id) => id.to_string(),
            Self::NoticeRegistered(notice) => notice.purpose.to_string(),
            Self::TariffAdopted(tariff) => format!("tariff {}", tariff.revision),
            Self::RequestAutoApproved(applied) => applied.request.to_string(),
            Self::KeysRotated(keys) => keys.member.to_string(),
            Self::KeyLocked(member) => member.to_string(),
            Self::MemberFrozen(freeze) => freeze.member.to_string(),
            Self::CertificateRevoked(revoked) => revoked.serial.clone(),
            Self::EquivocationShown(shown) => shown.validator.to_string(),
            Self::OfficerNamed(_) => String::from("officer"),
            Self::Countersigned(signed) => signed.body().map(|act| act.about()).unwrap_or_default(),
        }
    }

    /// Whether it is an act of administration, which a member with an officer does with four eyes where the charter wants it.
    pub fn is_administration(&self) -> bool {
        matches!(
            self,
            Self::PolicyAdopted(_)
                | Self::ProposalOpened(_)
                | Self::BallotCast(_)
                | Self::KeysRotated(_)
                | Self::MemberFrozen(_)
                | Self::CertificateRevoked(_)
                | Self::OfficerNamed(_)
        )
    }

    /// What else the entry is about, for the index: the consent or authority that an intent names, and whom a permit is to
    /// be told, see [`told_to`](crate::told_to).
    pub fn under(&self) -> Vec<String> {
        match self {
            Self::Intent(Intent { authority: Authority::Consent { id }, .. }) => vec![id.to_string()],
            Self::Decision(decision) => decision.permit().map(crate::told::told).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Whether only execution may make it.
    pub fn is_derived(&self) -> bool {
        matches!(
            self,
            Self::Decision(_)
                | Self::Lapse(_)
                | Self::Rejected { .. }
                | Self::ProposalClosed(_)
                | Self::ClockOverdue(_)
                | Self::RequestAutoApproved(_)
        )
    }
}

/// A leaf of the evidence log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Entry {
    /// The member that signed it; absent for what execution derived.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<MemberId>,
    /// When its author made it, or block time for derived ones; milliseconds since 1970. Entries far from block time are
    /// refused, so remembering a window of ids suffices against replay.
    #[n(1)]
    pub made_ms: u64,
    /// Content.
    #[n(2)]
    pub body: Body,
}
