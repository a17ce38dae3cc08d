//! Every text of an entry that its author is free to choose.

use super::{Found, scan};
use crate::{
    AccessRequest, Authority, Body, CeremonyStep, ConsentKind, Dataset, Description, DisputeAnswer, GuardRule, Names,
    ProposalSubject, Purpose, RequestStep, RiskRecord, RosterChange, RuleBook, SignedGrant,
};

/// The first personal number or address in the texts of an entry, ids that its author chose included. Digests, points
/// and proofs are not read: they have no room for words.
pub fn personal(body: &Body) -> Option<Found> {
    let mut found = None;
    texts(body, &mut |text| found = found.or_else(|| scan(text)));
    found
}

type Each<'a> = &'a mut dyn FnMut(&str);

fn texts(body: &Body, each: Each<'_>) {
    match body {
        Body::PurposeRegistered(purpose) => of_purpose(purpose, each),
        Body::DatasetPublished(dataset) => of_dataset(dataset, each),
        Body::PolicyAdopted(book) => of_book(book, each),
        Body::GrantIssued(signed) => of_grant(signed, each),
        Body::ConsentIssued(consent) => {
            if let ConsentKind::LegalAuthority { case, .. } = &consent.kind {
                each(&case.to_string());
            }
            each(consent.purpose.as_str());
        }
        Body::Intent(intent) => {
            if let Authority::Legal { case: Some(case), .. } = &intent.authority {
                each(case);
            }
            each(intent.purpose.as_str());
            each(&intent.dataset.to_string());
            intent.fields.iter().for_each(|field| each(field.as_str()));
        }
        Body::CeremonyStepped { step, .. } => match step {
            CeremonyStep::Failed { reason, .. } => each(reason),
            CeremonyStep::Confirmed { attestation, .. } => each(attestation),
            CeremonyStep::Committed { .. } | CeremonyStep::Shared { .. } => {}
        },
        Body::CaseOpened(opened) => each(&opened.case.to_string()),
        Body::CaseShared(share) => each(&share.case.to_string()),
        Body::CaseConcluded(result) => each(&result.case.to_string()),
        Body::Voided(voided) => each(&voided.reason),
        Body::RequestSubmitted(request) => of_request(request, each),
        Body::RequestStepped { step, .. } => match step {
            RequestStep::Amended { request } => of_request(request, each),
            other => each(other.words()),
        },
        Body::ProposalOpened(proposal) => {
            each(&proposal.reason);
            match &proposal.subject {
                ProposalSubject::Policy { book, .. } => of_book(book, each),
                ProposalSubject::Roster { change } => {
                    if let RosterChange::Admit { member, .. } = &**change {
                        each(member.id.as_str());
                        of_names(&member.names, each);
                    }
                }
            }
        }
        Body::BallotCast(ballot) => each(&ballot.reason),
        Body::DisputeAnswered { answer, .. } => match answer {
            DisputeAnswer::Corrected { note: words } | DisputeAnswer::Refused { reason: words } => each(words),
        },
        Body::DisputeOpened(dispute) => dispute.fields.iter().for_each(|field| each(field.as_str())),
        Body::MemberFrozen(freeze) => each(&freeze.reason),
        Body::Countersigned(signed) => {
            // What cannot be read is rejected.
            if let Some(act) = signed.body() {
                texts(&act, each);
            }
        }
        Body::DeletionAttested(attestation) => {
            each(&attestation.method);
            each(&attestation.operator);
        }
        Body::NoticeRegistered(notice) => each(notice.purpose.as_str()),
        Body::EpochPublished(epoch) => epoch.fields.iter().for_each(|field| each(field.as_str())),
        // No text of the author's own, or texts made by execution of what was read before.
        Body::GrantChanged { .. }
        | Body::ConsentChanged { .. }
        | Body::Completion(_)
        | Body::Decision(_)
        | Body::Lapse(_)
        | Body::Rejected { .. }
        | Body::OverlayPublished(_)
        | Body::CeremonyCalled(_)
        | Body::CalendarAdopted(_)
        | Body::DelegationGiven(_)
        | Body::DelegationEnded(_)
        | Body::ProposalClosed(_)
        | Body::ClockOverdue(_)
        | Body::DatasetChanged { .. }
        | Body::RightProposed(_)
        | Body::RightSigned(_)
        | Body::TariffAdopted(_)
        | Body::RequestAutoApproved(_)
        | Body::KeysRotated(_)
        | Body::KeyLocked(_)
        | Body::CertificateRevoked(_)
        | Body::EquivocationShown(_)
        | Body::OfficerNamed(_) => {}
    }
}

fn of_names(names: &Names, each: Each<'_>) {
    each(&names.zh);
    each(&names.en);
}

fn of_purpose(purpose: &Purpose, each: Each<'_>) {
    each(purpose.code.as_str());
    of_names(&purpose.names, each);
    each(&purpose.legal_basis);
}

fn of_dataset(dataset: &Dataset, each: Each<'_>) {
    each(&dataset.id.to_string());
    of_names(&dataset.names, each);
    each(&dataset.duty_basis);
    dataset.about.iter().for_each(|about| of_description(about, each));
    for field in &dataset.fields {
        each(field.name.as_str());
        of_names(&field.names, each);
        field.unit.iter().for_each(|unit| each(unit));
    }
}

fn of_description(about: &Description, each: Each<'_>) {
    let Description { summary, steward, keywords, spatial, conditions, model, .. } = about;
    [summary, spatial, conditions].into_iter().flatten().chain(keywords).for_each(|names| of_names(names, each));
    [steward, model].into_iter().flatten().for_each(|text| each(text));
}

fn of_book(book: &RuleBook, each: Each<'_>) {
    for rule in &book.rules {
        let GuardRule { name, subject, dataset, purpose, .. } = rule;
        [name, subject, dataset, purpose].into_iter().for_each(|text| each(text));
        rule.fields.iter().for_each(|field| each(field.as_str()));
    }
    for rule in &book.auto {
        [&rule.name, &rule.subject, &rule.dataset].into_iter().for_each(|text| each(text));
    }
    book.roles.iter().for_each(|link| {
        each(&link.member);
        each(&link.role);
    });
}

fn of_grant(signed: &SignedGrant, each: Each<'_>) {
    each(&signed.consumer_signature);
    each(&signed.grant.dataset.to_string());
    each(signed.grant.purpose.as_str());
    signed.grant.fields.iter().for_each(|field| each(field.as_str()));
}

fn of_request(request: &AccessRequest, each: Each<'_>) {
    let RiskRecord { data, scene, mode, audience, author, reviewer } = &request.risk;
    each(&request.subsystem);
    of_grant(&request.grant, each);
    [data, scene, mode, audience].into_iter().for_each(|answer| each(&answer.answer));
    each(author);
    each(reviewer);
}
