//! Records as the fake consortium lists them: one of each kind, between the bank and the housing bureau.

use covenant_app::port::{RecordKind, Records};
use covenant_canon::Digest;
use covenant_domain::*;
use covenant_engine::GrantState;
use covenant_ledger::{EntryReceipt, SignedBatch};

use super::fake::Fake;
use super::record::{Log, grant};
use super::{HOMES, field, id};

pub fn request_id() -> RequestId {
    RequestId::from_parts(7, &[7; 10])
}

fn homes() -> DatasetId {
    DatasetId::new(HOMES).unwrap()
}

fn request() -> RequestState {
    let answer = |level| RiskAnswer { level, answer: "bounded by consent".into() };
    let risk = RiskRecord {
        data: answer(RiskLevel::Medium),
        scene: answer(RiskLevel::Low),
        mode: answer(RiskLevel::Low),
        audience: answer(RiskLevel::Low),
        author: "li-na".into(),
        reviewer: "wang-wei".into(),
    };
    let signed = SignedGrant { grant: grant(), consumer_signature: "sm:00".into() };
    let request =
        AccessRequest { id: request_id(), subsystem: "loans".into(), dataset_revision: 1, grant: signed, risk };
    let event = RequestEvent {
        by: id("bank"),
        on_behalf_of: None,
        at_ms: 5,
        step: "submitted".into(),
        words: String::new(),
        late_ms: 0,
    };
    RequestState {
        request,
        status: RequestStatus::Submitted,
        events: vec![event],
        clock: Some(clock()),
        approvals: vec![],
        approvers: vec![id("housing")],
        rule: None,
    }
}

fn clock() -> Clock {
    Clock { member: id("housing"), started_ms: 5, due_ms: 50, overdue: false }
}

/// The insurer decides for the housing bureau.
fn delegation() -> Delegation {
    Delegation {
        id: DelegationId::from_parts(8, &[8; 10]),
        principal: id("housing"),
        delegate: id("trustee"),
        powers: vec![Power::DecideRequests],
        datasets: vec![],
        valid_from_ms: 0,
        valid_until_ms: u64::MAX,
    }
}

fn book() -> RuleBook {
    serde_json::from_value(serde_json::json!({ "holder": "housing", "revision": 1, "rules": [], "roles": [] })).unwrap()
}

fn roster() -> Roster {
    let member = Member {
        id: id("housing"),
        names: Names { zh: "住房局".into(), en: "Housing".into() },
        class: Class::Government,
        roles: vec![Role::Holder],
        verifying_key: "sm2:key".into(),
        sealing_key: "sm2:key".into(),
    };
    let seat = Seat { member, standing: Standing::Suspended, officer_key: None };
    Roster { number: 2, from_height: 7, seats: vec![seat], charter: Charter::default() }
}

fn proposal() -> ProposalState {
    let subject = ProposalSubject::Policy { book: book(), review: Digest([4; 32]) };
    let proposal = Proposal { id: ProposalId::from_parts(9, &[9; 10]), subject, reason: "opening hours".into() };
    let ballot = CastBallot { member: id("housing"), vote: Vote::Yes, reason: "proposer".into() };
    let voters = vec![id("housing"), id("regulator")];
    let (proposer, status) = (id("housing"), ProposalStatus::Open);
    ProposalState { proposal, proposer, opened_ms: 1, closes_ms: 2, status, voters, ballots: vec![ballot] }
}

fn dispute() -> DisputeState {
    let dispute = Dispute {
        id: DisputeId::from_parts(10, &[1; 10]),
        intent: IntentId::from_parts(1, &[1; 10]),
        dataset: homes(),
        fields: vec![field("owner")],
        kind: DisputeKind::Outdated,
        grounds: Digest([5; 32]),
    };
    DisputeState {
        dispute,
        consumer: id("bank"),
        holder: id("housing"),
        clock: clock(),
        answer: Some(DisputeAnswer::Corrected { note: "entered anew".into() }),
        answered_ms: 9,
    }
}

fn usage(month: u32) -> Usage {
    let mut usage = Usage::new(month, id("bank"), id("housing"), homes());
    usage.count_answer(Mode::Match);
    usage.permitted = 1;
    usage
}

pub fn records(kind: RecordKind) -> Records {
    let code = PurposeCode::new("mortgage-review").unwrap();
    match kind {
        RecordKind::Grants => Records::Grants(vec![GrantState::new(grant(), vec![id("bank"), id("housing")])]),
        RecordKind::Requests => Records::Requests(vec![request()]),
        RecordKind::Delegations => Records::Delegations(vec![delegation()]),
        RecordKind::Proposals => Records::Proposals(vec![proposal()]),
        RecordKind::Disputes => Records::Disputes(vec![dispute()]),
        RecordKind::Usage => Records::Usage(vec![usage(202_610), usage(202_611)]),
        RecordKind::Calendar => Records::Calendar(vec![Calendar { revision: 1, ..Calendar::default() }]),
        RecordKind::Notices => Records::Notices(vec![Notice { purpose: code, version: 1, text: Digest([6; 32]) }]),
        RecordKind::Tariff => Records::Tariff(vec![Tariff { revision: 1, points: vec![(Mode::Match, 2)] }]),
        RecordKind::RuleBooks => Records::RuleBooks(vec![book()]),
        RecordKind::Roster => Records::Roster(vec![roster()]),
    }
}

/// Three uses of any consent.
pub fn uses(_consent: &ConsentId) -> Vec<ConsentUse> {
    let one = |leaf: u64| ConsentUse {
        intent: IntentId::from_parts(leaf, &[2; 10]),
        leaf,
        height: leaf,
        time_ms: leaf,
        consumer: id("bank"),
        holder: Some(id("housing")),
        dataset: homes(),
        purpose: PurposeCode::new("mortgage-review").unwrap(),
        mode: Mode::Match,
        fields: vec![field("owner")],
        outcome: UseOutcome::Answered,
    };
    [3, 5, 8].map(one).to_vec()
}

/// The housing bureau's revocation of the grant; the only entry there is, under the digest of ones.
pub fn receipt(fake: &Fake, entry: &Digest) -> Option<EntryReceipt> {
    if entry != &Digest([1; 32]) {
        return None;
    }
    let body = Body::GrantChanged { grant: grant().id, change: GrantChange::Revoked };
    let revoked = Entry { author: Some(id("housing")), made_ms: 5, body };
    let holder = &fake.keys[&id("housing")];
    let consortium = fake.genesis.digest();
    let signed =
        SignedBatch::sign(&consortium, &holder.member, std::slice::from_ref(&revoked), &holder.signing).unwrap();
    let log = Log(vec![revoked]);
    let entry = covenant_ledger::Authored { leaf: log.proof(0), signed: signed.proof(0) };
    let anchor = log.anchor(fake);
    Some(EntryReceipt { version: 1, consortium, entry, following: Some(vec![]), anchor, handovers: None })
}
