//! One call of each kind, with an answer that is like no other.

use std::path::Path;
use std::time::Duration;

use covenant_app::port::*;
use covenant_canon::{Digest, SuiteId, from_bytes};
use covenant_domain::*;
use covenant_engine::{EpochState, GrantState, Need, Plan, Wish};
use covenant_ledger::{Bundle, EntryReceipt, SignedBatch};
use covenant_suite::KeyPairSet;
use rand::SeedableRng;

pub(super) fn member(id: &str) -> MemberId {
    MemberId::new(id).unwrap()
}

pub(super) fn intent(n: u8) -> IntentId {
    IntentId::from_parts(u64::from(n), &[n; 10])
}

fn digest(n: u8) -> Digest {
    Digest([n; 32])
}

fn homes() -> DatasetId {
    DatasetId::new("cov:test/gov/housing/registry/homes").unwrap()
}

fn review() -> PurposeCode {
    PurposeCode::new("review").unwrap()
}

fn field() -> FieldName {
    FieldName::new("address").unwrap()
}

pub(super) fn batch() -> SignedBatch {
    let keys = KeyPairSet::generate(SuiteId::Intl, &mut rand::rngs::StdRng::from_seed([1; 32]));
    let body = Body::PurposeRegistered(purpose());
    let entry = Entry { author: Some(member("bank")), made_ms: 5, body };
    SignedBatch::sign(&digest(1), &member("bank"), &[entry], &keys.signing).unwrap()
}

fn purpose() -> Purpose {
    Purpose {
        code: review(),
        names: Names::new("审查", "review"),
        legal_basis: "law".into(),
        needs_consent: true,
        needs_case: false,
        modes: vec![Mode::Lookup],
        retention_days: 3,
        needs_record: None,
    }
}

fn dataset() -> Dataset {
    let field = Field::new(field(), Names::new("地址", "Address"), FieldKind::Text, &[Mode::Match]);
    Dataset::new(homes(), member("housing"), Names::new("住宅", "Homes"), vec![field])
}

/// A bundle of the published vectors, which completed.
fn bundle() -> Bundle {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/ledger/v1/bundles-sm.json");
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    from_bytes(&hex::decode(file["bundles"][0]["bundle"].as_str().unwrap()).unwrap()).unwrap()
}

fn decision() -> Decision {
    let Body::Decision(decision) = bundle().decision.entry.body else { panic!("no decision") };
    decision
}

fn grant() -> GrantState {
    let grant = Grant {
        id: GrantId::from_parts(7, &[7; 10]),
        holder: member("housing"),
        consumer: member("bank"),
        dataset: homes(),
        purpose: review(),
        modes: vec![Mode::Match, Mode::Detail],
        fields: vec![field()],
        quota: Quota { limit: 100, window_ms: 86_400_000 },
        valid_from_ms: 1,
        valid_until_ms: 2,
        data_life_days: 3,
        max_rows: 4,
        supersedes: None,
    };
    GrantState {
        grant,
        suspended_by: vec![member("housing")],
        revoked: true,
        signed_by: vec![member("bank")],
        request: None,
        superseded_by: Some(GrantId::from_parts(8, &[8; 10])),
        deletion_due_ms: Some(8),
        deletion_overdue: true,
        deletion: None,
    }
}

fn consent() -> Consent {
    Consent {
        id: ConsentId::from_parts(9, &[9; 10]),
        consumer: member("bank"),
        purpose: review(),
        scopes: vec![ConsentScope { dataset: homes(), fields: vec![field()] }],
        modes: vec![Mode::Lookup],
        commitment: Commitment([9; 32]),
        valid_from_ms: 1,
        valid_until_ms: 2,
        max_uses: 3,
        data_life_days: 4,
        kind: ConsentKind::Consent,
        frequency: None,
        notice: Some(digest(9)),
        representative: None,
        request: None,
    }
}

fn epoch() -> EpochState {
    let table = |n: u8| LookupTable {
        rows: u64::from(n),
        row_bytes: 256,
        columns: 16,
        seed: [n; 32],
        matrix: digest(n),
        hint: digest(n + 1),
        locator: digest(n + 2),
        locator_bytes: 99,
    };
    let epoch = Epoch {
        dataset: homes(),
        number: 4,
        dataset_revision: 2,
        fields: vec![field()],
        max_rows: 1,
        key: Point([4; 32]),
        possession: Proof(vec![4; 64]),
        table: table(10),
        overlay: table(20),
        opens_ms: 5,
        closes_ms: 6,
    };
    EpochState { epoch, overlay_revision: 3, overlay: table(30), recent: vec![] }
}

fn right() -> RightState {
    let id = RightId::from_parts(3, &[3; 10]);
    let change = RightChange { id, dataset: homes(), kind: RightKind::Transfer, record: digest(3), follows: Some(id) };
    let (signed, signers) = (vec![member("housing")], vec![member("housing"), member("tax")]);
    RightState { change, signed, signers, effective_ms: 0, followed_by: None }
}

fn book() -> RuleBook {
    let rule = GuardRule { name: "open".into(), effect: Effect::Allow, ..GuardRule::default() };
    RuleBook { holder: member("housing"), revision: 2, rules: vec![rule], roles: vec![], auto: vec![] }
}

fn ceremony() -> Ceremony {
    Ceremony {
        call: CeremonyCall { number: 1, threshold: 2, trustees: vec![member("audit"), member("court")] },
        caller: member("audit"),
        status: CeremonyStatus::Failed,
        contributions: vec![Contribution::default()],
        group: Some(Package(vec![1, 2, 3])),
        key: Some(Point([6; 32])),
        fault: Some((member("court"), "no share".into())),
    }
}

fn case() -> Case {
    let number = CaseNumber::new("JC-2026/0001").unwrap();
    Case { number, regulator: member("audit"), order: digest(7), opened_ms: 8, items: vec![] }
}

fn wish() -> Wish {
    Wish {
        consumer: member("bank"),
        dataset: homes(),
        purpose: review(),
        fields: vec![field()],
        need: Need::Read,
        authority: Authority::Consent { id: consent().id },
    }
}

fn reasons() -> Vec<Reason> {
    vec![Reason::new(ReasonCode::GuardForbids, "rule `closed`")]
}

fn used() -> ConsentUse {
    ConsentUse {
        intent: intent(1),
        leaf: 2,
        height: 3,
        time_ms: 4,
        consumer: member("bank"),
        holder: None,
        dataset: homes(),
        purpose: review(),
        mode: Mode::Match,
        fields: vec![field()],
        outcome: UseOutcome::Refused,
    }
}

fn standings() -> Vec<QueryStanding> {
    let consumer = member("bank");
    vec![
        QueryStanding::Unknown,
        QueryStanding::Waiting,
        QueryStanding::Refused { consumer: consumer.clone(), reasons: reasons() },
        QueryStanding::Permitted { consumer: consumer.clone(), holder: member("housing") },
        QueryStanding::Lapsed { consumer: consumer.clone() },
        QueryStanding::Voided { consumer, reason: "no key of epoch 1".into() },
    ]
}

fn receipt() -> EntryReceipt {
    let Bundle { version, consortium, intent, decision, anchor, .. } = bundle();
    EntryReceipt { version, consortium, entry: intent, following: Some(vec![decision]), anchor, handovers: None }
}

/// What a node is asked about the ledger.
fn ledger() -> Vec<(NodeAsk, NodeAnswer)> {
    use {NodeAnswer as A, NodeAsk as Q};
    let member_of_bundle: Member = {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/ledger/v1/bundles-sm.json");
        let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        serde_json::from_value(file["genesis"]["members"][0].clone()).unwrap()
    };
    let permit = decision().permit().unwrap().clone();
    let revision = PublishedDataset { dataset: dataset(), entry: digest(2), leaf: 3, height: 4, time_ms: 5 };
    let view = GrantView { state: grant(), used_in_window: 9 };
    let consent_view =
        ConsentView { consent: consent(), issuer: member("auth"), status: ConsentStatus::Paused, uses: 2 };
    let explanation = Explanation { decision: decision(), height: 6, replayed_equal: Some(true) };
    let simulation = Simulation { book: digest(5), height: 6, compared: 7, changed: vec![] };
    let catalogue = Catalogue { mark: 5, datasets: vec![(dataset(), DatasetStatus::default())] };
    let escrow = Some(EscrowView { ceremony: 1, key: Point([5; 32]) });
    vec![
        (Q::Tip(()), A::Tip(LedgerTip { height: 1, block: digest(1), leaves: 2, time_ms: 3 })),
        (Q::Queries(((0..6).map(intent).collect(),)), A::Queries(standings())),
        (Q::Evidence((intent(1),)), A::Evidence(Some(bundle()))),
        (Q::Explain((intent(1), true)), A::Explain(Some(explanation))),
        (Q::Plan((wish(),)), A::Plan(Plan { mode: Some(Mode::Detail), refused: vec![(Mode::Lookup, reasons())] })),
        (Q::Simulate((book(), 40)), A::Simulate(simulation)),
        (Q::Members(()), A::Members(vec![member_of_bundle])),
        (Q::Purposes(()), A::Purposes(vec![purpose()])),
        (Q::Datasets(()), A::Datasets(vec![dataset()])),
        (Q::Catalogue((Some(4),)), A::Catalogue(Some(catalogue))),
        (Q::Catalogue((Some(5),)), A::Catalogue(None)),
        (Q::DatasetVersions((homes(),)), A::DatasetVersions(vec![revision])),
        (Q::Right((RightId::from_parts(3, &[3; 10]),)), A::Right(Some(right()))),
        (Q::Grants((member("bank"),)), A::Grants(vec![view])),
        (Q::Consent((consent().id,)), A::Consent(Some(consent_view))),
        (Q::Uses((consent().id, Some(7))), A::Uses(vec![used()])),
        (Q::Told((Some(member("housing")), None)), A::Told(vec![Notification { leaf: 1, time_ms: 2, permit }])),
        (Q::Receipt((digest(4),)), A::Receipt(Some(receipt()))),
        (Q::Records((RecordKind::Grants,)), A::Records(Records::Grants(vec![grant()]))),
        (Q::Records((RecordKind::RuleBooks,)), A::Records(Records::RuleBooks(vec![book()]))),
        (Q::Epoch((homes(),)), A::Epoch(Some(EpochView { state: epoch(), policy: digest(6), escrow }))),
        (Q::Ceremonies(()), A::Ceremonies(vec![ceremony()])),
        (Q::Cases(()), A::Cases(vec![case()])),
        (Q::Holders((vec![homes(), homes()],)), A::Holders(vec![Some(member("housing")), None])),
    ]
}

/// What a node does.
fn deeds() -> Vec<(NodeAsk, NodeAnswer)> {
    use {NodeAnswer as A, NodeAsk as Q};
    let outcome = EntryOutcome { entry: digest(3), leaf: 4, height: 5, rejected: Some("too late".into()) };
    let input = SealedInput { intent: intent(2), sealed: vec![0xff, 0, 1] };
    let released = Released { sealed: vec![7; 1000], receipted: true };
    let retrieval = Retrieval { intent: intent(3), overlay: 1, table_query: vec![1; 500], overlay_query: vec![2; 50] };
    let signed = SignedRetrieval { retrieval, signature: "sm:00".into() };
    let evaluation = Evaluation { intent: intent(3), evaluated: Point([3; 32]), proof: Proof(vec![3; 64]) };
    let chunk = FileChunk { total: 5_000_000, bytes: vec![0xaa; 4 * 1024 * 1024] };
    let health =
        NodeHealth { member: member("housing"), height: 9, backlog: 8, sound: false, fault: Some("full".into()) };
    let file = (homes(), 4, 3, EpochPart::OverlayHint, 1 << 40, 4 * 1024 * 1024);
    let peer = PeerView {
        member: member("tax"),
        address: Some("tax:7400".into()),
        connected: false,
        refusal: Some("wrong_genesis".into()),
        lost_frames: 3,
    };
    let archived = ArchiveView { files: vec!["blocks-1-10.cova".into()], from_height: 11 };
    let written = |height| BackupView { path: format!("/var/b-{height}"), bytes: 9, height };
    let running = BuildState::Running { step: "reading".into(), done: 1, total: 2 };
    vec![
        (Q::Record((batch(), Duration::from_millis(1500))), A::Record(vec![outcome])),
        (Q::Submit((batch(),)), A::Submit(())),
        (Q::Deliver((member("bank"), vec![input])), A::Deliver(())),
        (Q::Releases((vec![intent(1), intent(2)],)), A::Releases(vec![None, Some(released)])),
        (Q::EpochFile(file), A::EpochFile(Some(chunk))),
        (Q::BuildEpoch((homes(), 7)), A::BuildEpoch(())),
        (Q::BuildOverlay((homes(),)), A::BuildOverlay(())),
        (Q::BuildState((homes(),)), A::BuildState(running)),
        (Q::Evaluate((intent(3),)), A::Evaluate(Some(evaluation))),
        (Q::Retrieve((signed,)), A::Retrieve(())),
        (Q::Retrieval((intent(3),)), A::Retrieval(Some(vec![4; 300].into()))),
        (Q::Health(()), A::Health(health)),
        (Q::Changed((0, Duration::from_secs(9))), A::Changed(1)),
        (Q::Handovers((7,)), A::Handovers(vec![])),
        (Q::Peers(()), A::Peers(vec![peer])),
        (Q::Backup(()), A::Backup(written(1))),
        (Q::Archive((10,)), A::Archive(archived)),
        (Q::Snapshot(()), A::Snapshot(written(2))),
    ]
}

pub(super) fn table() -> Vec<(NodeAsk, NodeAnswer)> {
    [ledger(), deeds()].concat()
}
