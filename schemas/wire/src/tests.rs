//! Every message goes both ways, and no bytes make a decoder panic.

use covenant_api::*;
use covenant_canon::{Digest, Label, SuiteId};
use covenant_domain::*;
use covenant_engine::{EpochState, Need, RecentTables};
use covenant_suite::suite;
use proptest::prelude::*;
use prost::Message;

use crate::{decode_payload, documents, read_documents, seal_call, v1};

/// Out, over the wire, and in again.
fn there_and_back<T, M>(value: T)
where
    T: Clone + PartialEq + std::fmt::Debug + TryFrom<M, Error: std::fmt::Debug>,
    M: From<T> + Message + Default,
{
    let bytes = M::from(value.clone()).encode_to_vec();
    assert_eq!(T::try_from(M::decode(bytes.as_slice()).unwrap()).unwrap(), value);
}

fn member() -> MemberId {
    MemberId::new("bank").unwrap()
}

fn intent() -> IntentId {
    IntentId::from_parts(7, &[7; 10])
}

fn reasons() -> Vec<Reason> {
    vec![Reason::new(ReasonCode::GuardForbids, "规则"), Reason::new(ReasonCode::QuotaExhausted, "")]
}

fn dataset() -> DatasetId {
    DatasetId::new("cov:city/gov/housing/registry/homes").unwrap()
}

fn purpose() -> PurposeCode {
    PurposeCode::new("mortgage-review").unwrap()
}

#[test]
fn queries_go_both_ways() {
    there_and_back::<_, v1::QueriesRequest>(QueriesRequest {
        batch: vec![1, 2].into(),
        inputs: vec![QueryInputItem { intent: intent(), sealed: vec![3].into() }],
        wait_ms: 9,
    });
    for state in QueryState::ALL {
        there_and_back::<_, v1::QueryResult>(QueryResult {
            intent: intent(),
            state,
            reasons: reasons(),
            sealed: Some(vec![].into()),
            receipted: Some(false),
            voided: Some("no key".into()),
        });
        let bare =
            QueryResult { intent: intent(), state, reasons: vec![], sealed: None, receipted: None, voided: None };
        there_and_back::<_, v1::QueryResult>(bare);
    }
}

#[test]
fn plans_go_both_ways() {
    let grounds = [
        Authority::Consent { id: ConsentId::from_parts(1, &[1; 10]) },
        Authority::Legal { commitment: Commitment([5; 32]), case: Some("2026-1".into()) },
    ];
    for (authority, need) in grounds.into_iter().zip([Need::Verify, Need::Document]) {
        let fields = vec![FieldName::new("owner").unwrap()];
        let request = PlanRequest { dataset: dataset(), purpose: purpose(), fields, need, authority };
        there_and_back::<_, v1::PlanRequest>(request);
    }
    for mode in [None, Some(Mode::Detail)] {
        let refused = vec![RefusedMode { mode: Mode::Match, reasons: reasons() }];
        there_and_back::<_, v1::PlanResponse>(PlanResponse { mode, refused });
    }
}

#[test]
fn everything_else_goes_both_ways() {
    let grant = Grant {
        id: GrantId::from_parts(1, &[1; 10]),
        holder: member(),
        consumer: member(),
        dataset: dataset(),
        purpose: purpose(),
        modes: Mode::ALL.to_vec(),
        fields: vec![],
        quota: Quota { limit: 1, window_ms: 2 },
        valid_from_ms: 3,
        valid_until_ms: 4,
        data_life_days: 5,
        max_rows: 6,
        supersedes: None,
    };
    let view = GrantStatusView { state: covenant_engine::GrantState::new(grant, vec![member()]), used_in_window: 3 };
    there_and_back::<_, v1::GrantView>(view);
    let consent = Consent {
        id: ConsentId::from_parts(1, &[1; 10]),
        consumer: member(),
        purpose: purpose(),
        scopes: vec![],
        modes: vec![],
        commitment: Commitment([1; 32]),
        valid_from_ms: 1,
        valid_until_ms: 2,
        max_uses: 3,
        data_life_days: 4,
        kind: ConsentKind::Consent,
        frequency: None,
        notice: None,
        representative: None,
        request: None,
    };
    for status in [ConsentStatus::Active, ConsentStatus::Paused, ConsentStatus::Revoked, ConsentStatus::Exhausted] {
        let view = ConsentStatusView { consent: consent.clone(), issuer: member(), status, uses: 2 };
        there_and_back::<_, v1::ConsentView>(view);
    }
    there_and_back::<_, v1::LedgerTip>(Tip { height: 1, block: Digest([2; 32]), leaves: 3, time_ms: 4 });
    let node = NodeReport { member: member(), height: 1, backlog: 2, sound: false, fault: Some("disk".into()) };
    there_and_back::<_, v1::HealthReport>(HealthReport { all_sound: false, nodes: vec![node] });
    there_and_back::<_, v1::EntriesRequest>(EntriesRequest { batch: vec![9].into() });
    let result = EntryResult { entry: Digest([1; 32]), leaf: 2, height: 3, rejected: Some("no".into()) };
    there_and_back::<_, v1::EntryResult>(result);
    let decision = Decision {
        intent: intent(),
        query: Digest([1; 32]),
        outcome: Outcome::Refused,
        reasons: reasons(),
        policy: None,
    };
    there_and_back::<_, v1::Explanation>(Explanation { decision, height: 4, replayed_equal: Some(true) });
    let all = [consent.clone(), consent];
    assert_eq!(read_documents::<Consent>(&documents(&all)).unwrap(), all);
}

fn table() -> LookupTable {
    LookupTable {
        rows: 8,
        row_bytes: 64,
        columns: 4,
        seed: [1; 32],
        matrix: Digest([2; 32]),
        hint: Digest([3; 32]),
        locator: Digest([4; 32]),
        locator_bytes: 90,
    }
}

#[test]
fn epochs_go_both_ways() {
    let epoch = Epoch {
        dataset: dataset(),
        number: 2,
        dataset_revision: 1,
        fields: vec![FieldName::new("owner").unwrap()],
        max_rows: 1,
        key: Point([5; 32]),
        possession: Proof(vec![6; 64]),
        table: table(),
        overlay: table(),
        opens_ms: 1,
        closes_ms: 2,
    };
    let recent = vec![RecentTables { epoch: 2, table: Digest([2; 32]), overlay: Digest([2; 32]) }];
    let state = EpochState { epoch, overlay_revision: 3, overlay: table(), recent };
    for escrow in [None, Some(EscrowKey { ceremony: 1, key: Point([7; 32]) })] {
        let document = EpochDocument { state: state.clone(), policy: Digest([8; 32]), escrow };
        there_and_back::<_, v1::EpochDocument>(document);
    }
    for part in EpochPart::ALL {
        let query = FileQuery { dataset: dataset(), epoch: 2, overlay: 3, offset: 1 << 40, length: 5 };
        there_and_back::<_, v1::EpochFileRequest>((part, query));
    }
    there_and_back::<_, v1::FileChunk>(FileChunk { total: 9, bytes: vec![1, 2] });
    for (days, overlay) in [(Some(31), false), (None, true)] {
        there_and_back::<_, v1::BuildRequest>(BuildRequest { dataset: dataset(), days, overlay });
    }
    for view in [
        BuildView::Idle,
        BuildView::Running { step: "hint".into(), done: 1, total: 2 },
        BuildView::Done { epoch: 3 },
        BuildView::Failed { reason: "disk".into() },
    ] {
        there_and_back::<_, v1::BuildView>(view);
    }
    let short = v1::EscrowKey { ceremony: 1, key: vec![1] };
    let document = EpochDocument { state, policy: Digest([8; 32]), escrow: None };
    let message = v1::EpochDocument { escrow: Some(short), ..document.into() };
    assert!(EpochDocument::try_from(message).unwrap_err().to_string().contains("expected 32"));
}

#[test]
fn signed_calls_go_both_ways() {
    let key = suite(SuiteId::Sm).generate_signing_key(&mut rand::rng());
    let signature = suite(SuiteId::Sm).sign(&key, Label::REQUEST, b"x").unwrap();
    let signature = RequestSignature { member: member(), created_ms: 3, nonce: [4; 16], signature };
    let call = seal_call(&signature, vec![1]);
    assert_eq!(RequestSignature::try_from(&call).unwrap(), signature);
    let error = RequestSignature::try_from(&v1::SignedCall { nonce: vec![1], ..call }).unwrap_err();
    assert!(error.to_string().contains("expected 16"), "{error}");
}

fn read<T: TryFrom<M>, M: Message + Default>(bytes: &[u8]) {
    if let Ok(message) = decode_payload::<M>(bytes) {
        let _any = T::try_from(message);
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        read::<QueriesRequest, v1::QueriesRequest>(&bytes);
        read::<QueryResult, v1::QueryResult>(&bytes);
        read::<PlanRequest, v1::PlanRequest>(&bytes);
        read::<PlanResponse, v1::PlanResponse>(&bytes);
        read::<GrantStatusView, v1::GrantView>(&bytes);
        read::<ConsentStatusView, v1::ConsentView>(&bytes);
        read::<Consortium, v1::ConsortiumDocument>(&bytes);
        read::<Explanation, v1::Explanation>(&bytes);
        read::<HealthReport, v1::HealthReport>(&bytes);
        read::<EpochDocument, v1::EpochDocument>(&bytes);
        read::<(EpochPart, FileQuery), v1::EpochFileRequest>(&bytes);
        read::<BuildRequest, v1::BuildRequest>(&bytes);
        read::<BuildView, v1::BuildView>(&bytes);
    }

    #[test]
    fn no_texts_panic(a: String, b: String, c: Vec<u8>, state: String) {
        let message = v1::QueryResult { intent: a.clone(), state, reasons: vec![], sealed: None, receipted: None, voided: None };
        prop_assert!(QueryResult::try_from(message).is_err());
        let fields = vec![b.clone()];
        let plan = v1::PlanRequest { dataset: a.clone(), purpose: b.clone(), fields, need: a.clone(), authority: c.clone() };
        prop_assert!(PlanRequest::try_from(plan).is_err());
        let call = v1::SignedCall { member: a, created_ms: 1, nonce: c, signature: b, payload: vec![] };
        prop_assert!(RequestSignature::try_from(&call).is_err());
    }
}
