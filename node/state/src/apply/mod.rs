//! One file per noun: what an entry of that kind does.

mod calendar;
mod case;
mod ceremony;
mod consent;
mod dataset;
mod delegation;
mod deletion;
mod dispute;
mod due;
mod epoch;
mod grant;
mod intent;
mod policy;
mod proposal;
mod purpose;
mod request;
mod right;

use covenant_canon::Digest;
use covenant_domain::{Body, Entry, MemberId, Role};
use covenant_engine::Facts;

use crate::draft::Draft;

pub(crate) use due::due;
pub(crate) use intent::{MAX_REASON, names_tables};

/// Why an entry was ordered but not accepted; the words go on the ledger.
pub(crate) type Rejection = String;

/// Applies one submitted entry. Whatever it asks for in vain is recorded as rejected.
pub(crate) fn entry(draft: &mut Draft<'_>, entry: &Entry, id: Digest) {
    let Some(author) = &entry.author else { return };
    let result = match &entry.body {
        Body::PurposeRegistered(purpose) => purpose::registered(draft, author, purpose),
        Body::DatasetPublished(dataset) => dataset::published(draft, author, dataset),
        Body::DatasetChanged { dataset, change } => dataset::changed(draft, author, dataset, change),
        Body::RightProposed(change) => right::proposed(draft, author, change),
        Body::RightSigned(right) => right::signed(draft, author, right),
        Body::PolicyAdopted(book) => policy::adopted(draft, author, book),
        Body::GrantIssued(signed) => grant::issued(draft, author, signed),
        Body::GrantChanged { grant, change } => grant::changed(draft, author, grant, *change),
        Body::ConsentIssued(consent) => consent::issued(draft, author, consent),
        Body::ConsentChanged { consent, change } => consent::changed(draft, author, consent, *change),
        Body::Intent(intent) => {
            intent::asked(draft, intent);
            Ok(())
        }
        Body::Completion(completion) => intent::completed(draft, author, completion),
        Body::Voided(voided) => intent::voided(draft, author, voided),
        Body::EpochPublished(epoch) => epoch::published(draft, author, epoch),
        Body::OverlayPublished(overlay) => epoch::overlaid(draft, author, overlay),
        Body::CeremonyCalled(call) => ceremony::called(draft, author, call),
        Body::CeremonyStepped { number, step } => ceremony::stepped(draft, author, *number, step),
        Body::CaseOpened(opened) => case::opened(draft, author, opened),
        Body::CaseShared(share) => case::shared(draft, author, share),
        Body::CaseConcluded(result) => case::concluded(draft, author, result),
        Body::Decision(_)
        | Body::Lapse(_)
        | Body::Rejected { .. }
        | Body::ProposalClosed(_)
        | Body::RequestAutoApproved(_)
        | Body::ClockOverdue(_) => Err("this kind is derived, not submitted".into()),
        Body::CalendarAdopted(calendar) => calendar::adopted(draft, author, calendar),
        Body::TariffAdopted(tariff) => calendar::tariff(draft, author, tariff),
        Body::NoticeRegistered(notice) => calendar::notice(draft, author, notice),
        Body::RequestSubmitted(request) => request::submitted(draft, author, request),
        Body::RequestStepped { request, step } => request::stepped(draft, author, request, step),
        Body::DelegationGiven(delegation) => delegation::given(draft, author, delegation),
        Body::DelegationEnded(id) => delegation::ended(draft, author, id),
        Body::ProposalOpened(proposal) => proposal::opened(draft, author, proposal),
        Body::BallotCast(ballot) => proposal::voted(draft, author, ballot),
        Body::DisputeOpened(dispute) => dispute::opened(draft, author, dispute),
        Body::DisputeAnswered { dispute, answer } => dispute::answered(draft, author, dispute, answer),
        Body::DeletionAttested(attestation) => deletion::attested(draft, author, attestation),
    };
    if let Err(reason) = result {
        draft.reject(id, reason);
    }
}

fn demand_role(draft: &Draft<'_>, author: &MemberId, role: Role) -> Result<(), Rejection> {
    if draft.member(author).is_some_and(|m| m.has(role)) {
        return Ok(());
    }
    Err(format!("`{author}` lacks the role {role:?}").to_lowercase())
}
