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
mod roster;

use covenant_canon::Digest;
use covenant_domain::{Body, Countersigned, Entry, MemberId, Role, countersigned};
use covenant_engine::Facts;

use crate::draft::Draft;

pub(crate) use due::due;
pub(crate) use intent::{MAX_REASON, names_tables};

/// Why an entry was ordered but not accepted; the words go on the ledger.
pub(crate) type Rejection = String;

/// Applies one submitted entry. Whatever it asks for in vain is recorded as rejected.
pub(crate) fn entry(draft: &mut Draft<'_>, entry: &Entry, id: Digest) {
    let Some(author) = &entry.author else { return };
    let result = may_act(draft, author, &entry.body).and_then(|()| act(draft, author, &entry.body, false));
    if let Err(reason) = result {
        draft.reject(id, reason);
    }
}

/// A suspended or frozen member closes what is open, and takes a new key or locks its own; its queries are refused by
/// decision. An officer's second signature is demanded where the charter wants it.
fn may_act(draft: &Draft<'_>, author: &MemberId, body: &Body) -> Result<(), Rejection> {
    let Some(seat) = draft.base.membership().roster().seat(author) else {
        return Err(format!("`{author}` is not a member"));
    };
    let closes = matches!(
        body,
        Body::Intent(_)
            | Body::Completion(_)
            | Body::Voided(_)
            | Body::CeremonyStepped { .. }
            | Body::CaseShared(_)
            | Body::DeletionAttested(_)
            | Body::KeysRotated(_)
            | Body::KeyLocked(_)
            | Body::CertificateRevoked(_)
            | Body::EquivocationShown(_)
            | Body::Countersigned(_)
    );
    if !seat.standing.acts() && !closes {
        return Err(format!("`{author}` is {}", seat.standing.name()));
    }
    let four_eyes = draft.base.charter().four_eyes == Some(true) && seat.officer_key.is_some();
    if four_eyes && body.is_administration() {
        return Err(format!("an act of administration of `{author}` needs its officer's signature"));
    }
    Ok(())
}

/// Unpacks an act that two persons signed.
fn countersigned_act(draft: &mut Draft<'_>, author: &MemberId, signed: &Countersigned) -> Result<(), Rejection> {
    let Some(act_of) = signed.body() else { return Err("what was countersigned is no act of administration".into()) };
    let seat = draft.base.membership().roster().seat(author);
    let Some((seat, officer_key)) = seat.and_then(|seat| Some((seat, seat.officer_key.clone()?))) else {
        return Err(format!("`{author}` has named no officer"));
    };
    let may = matches!(act_of, Body::KeysRotated(_) | Body::CertificateRevoked(_));
    if !seat.standing.acts() && !may {
        return Err(format!("`{author}` is {}", seat.standing.name()));
    }
    if signed.signed_ms.abs_diff(draft.moment.time_ms) > draft.base.charter().freshness_ms {
        return Err("the officer's signature is not fresh".into());
    }
    let (suite, consortium) = (draft.base.suite(), draft.base.consortium());
    let digest = countersigned(suite, &consortium, author, signed.signed_ms, &signed.act);
    if !roster::officer_signed(draft, &officer_key, digest.as_bytes(), &signed.signature) {
        return Err(format!("the officer of `{author}` did not sign this"));
    }
    act(draft, author, &act_of, true)
}

/// Does what an entry asks for. `unpacked` says that it was countersigned, so that acts do not nest.
fn act(draft: &mut Draft<'_>, author: &MemberId, body: &Body, unpacked: bool) -> Result<(), Rejection> {
    match body {
        Body::KeysRotated(keys) => roster::rotated(draft, author, keys),
        Body::KeyLocked(member) => roster::locked(draft, author, member),
        Body::MemberFrozen(freeze) => roster::frozen(draft, author, freeze),
        Body::CertificateRevoked(one) => roster::revoked(draft, author, one),
        Body::EquivocationShown(shown) => roster::shown(draft, author, shown),
        Body::OfficerNamed(key) => roster::officer(draft, author, key.as_ref()),
        Body::Countersigned(_) if unpacked => Err("acts do not nest".into()),
        Body::Countersigned(signed) => countersigned_act(draft, author, signed),
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
    }
}

fn demand_role(draft: &Draft<'_>, author: &MemberId, role: Role) -> Result<(), Rejection> {
    if draft.member(author).is_some_and(|m| m.has(role)) {
        return Ok(());
    }
    Err(format!("`{author}` lacks the role {role:?}").to_lowercase())
}
