//! Nouns of private lookup and oversight, in their right shapes; no proof in them holds.

use covenant_api::{MAX_CHUNK_BYTES, QueriesRequest};
use covenant_app::port::{EpochPart, EpochView, EscrowView, FileChunk};
use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::*;
use covenant_engine::{EpochState, RecentTables};
use covenant_ledger::SignedBatch;

use super::{HOMES, World, field, id};

/// The bytes of a part: each another length, none a multiple of a chunk. The matrix takes two of the longest chunks.
pub fn file(part: EpochPart) -> Vec<u8> {
    let index = EpochPart::ALL.iter().position(|p| *p == part).unwrap();
    let length = if part == EpochPart::Matrix { MAX_CHUNK_BYTES as usize } else { 10_007 };
    (0..length + index).map(|i| (i * 31 + index) as u8).collect()
}

pub fn chunk(part: EpochPart, offset: u64, length: u32) -> FileChunk {
    let whole = file(part);
    let bytes = whole.iter().skip(offset as usize).take(length as usize).copied().collect();
    FileChunk { total: whole.len() as u64, bytes }
}

fn table(suite: SuiteId, matrix: Digest, parts: [EpochPart; 2]) -> LookupTable {
    let [hint, locator] = parts.map(file);
    LookupTable {
        rows: 64,
        row_bytes: 64,
        columns: 8,
        seed: [1; 32],
        matrix,
        hint: Digest::of(suite, Label::LOOKUP_HINT, &hint),
        locator: Digest::of(suite, Label::LOOKUP_LOCATOR, &locator),
        locator_bytes: locator.len() as u64,
    }
}

pub fn epoch(suite: SuiteId) -> EpochView {
    let table_of = table(suite, Digest([1; 32]), [EpochPart::Hint, EpochPart::Locator]);
    let overlay = table(suite, Digest([2; 32]), [EpochPart::OverlayHint, EpochPart::OverlayLocator]);
    let recent = vec![RecentTables { epoch: 1, table: table_of.digest(suite), overlay: overlay.digest(suite) }];
    let epoch = Epoch {
        dataset: DatasetId::new(HOMES).unwrap(),
        number: 1,
        dataset_revision: 1,
        fields: vec![field("area_cm2"), field("owner")],
        max_rows: 1,
        key: Point([2; 32]),
        possession: Proof(vec![3; 64]),
        table: table_of,
        overlay: overlay.clone(),
        opens_ms: 0,
        closes_ms: u64::MAX,
    };
    let state = EpochState { epoch, overlay_revision: 0, overlay, recent };
    EpochView { state, policy: Digest([3; 32]), escrow: Some(EscrowView { ceremony: 1, key: Point([4; 32]) }) }
}

/// An intent whose input is its claim.
pub fn lookup_intent(suite: SuiteId, consumer: &str, purpose: &str) -> Intent {
    let claim = LookupClaim {
        epoch: 1,
        ceremony: 1,
        blinded: Point([5; 32]),
        escrow_a: Point([6; 32]),
        escrow_d: Point([7; 32]),
        proof: Proof(vec![8; 96]),
    };
    Intent {
        id: IntentId::from_parts(super::now_ms(), &rand::random()),
        consumer: id(consumer),
        dataset: DatasetId::new(HOMES).unwrap(),
        purpose: PurposeCode::new(purpose).unwrap(),
        mode: Mode::Lookup,
        fields: vec![field("area_cm2"), field("owner")],
        authority: Authority::Legal { commitment: Commitment([9; 32]), case: None },
        input: Digest::of(suite, Label::QUERY_INPUT, &to_bytes(&claim)),
        lookup: Some(claim),
    }
}

pub fn evaluation(intent: IntentId) -> Evaluation {
    Evaluation { intent, evaluated: Point([10; 32]), proof: Proof(vec![11; 64]) }
}

/// Canonical bytes of a retrieval as long as a real one.
pub fn retrieval(intent: IntentId) -> Vec<u8> {
    let (table_query, overlay_query) = (vec![12; 290 * 1024], vec![13; 8 * 1024]);
    let retrieval = Retrieval { intent, overlay: 0, table_query, overlay_query };
    to_bytes(&SignedRetrieval { retrieval, signature: "sm:00".into() })
}

pub fn ceremony() -> Ceremony {
    let share = SealedShare { to: id("trustee"), sealed: Package(vec![1]) };
    let contribution =
        Contribution { package: Some(Package(vec![2])), shares: vec![share], attestation: Some("sm:00".into()) };
    Ceremony {
        call: CeremonyCall { number: 1, threshold: 1, trustees: vec![id("trustee")] },
        caller: id("regulator"),
        status: CeremonyStatus::Finished,
        contributions: vec![contribution],
        group: Some(Package(vec![4])),
        key: Some(Point([4; 32])),
        fault: Some((id("trustee"), "late".into())),
    }
}

pub fn case_about(intent: IntentId, outcome: Option<CaseOutcome>) -> Case {
    Case {
        number: CaseNumber::new("JC-2026/0001").unwrap(),
        regulator: id("regulator"),
        order: Digest([5; 32]),
        opened_ms: 6,
        items: vec![CaseItem { intent, shares: vec![(id("trustee"), Package(vec![7]))], outcome }],
    }
}

impl World {
    /// A request with these intents and no inputs.
    pub fn request(&self, member: &str, intents: &[Intent]) -> QueriesRequest {
        let author = || Some(id(member));
        let made_ms = super::now_ms();
        let entry = |intent: &Intent| Entry { author: author(), made_ms, body: Body::Intent(intent.clone()) };
        let entries: Vec<_> = intents.iter().map(entry).collect();
        let key = self.identity(member);
        let batch = SignedBatch::sign(&self.genesis.digest(), &key.member, &entries, &key.signing).unwrap();
        QueriesRequest { batch: to_bytes(&batch).into(), inputs: vec![], wait_ms: 0 }
    }

    /// Asks a lookup that is permitted.
    pub async fn ask_lookup(&self, member: &str) -> IntentId {
        let intent = lookup_intent(self.genesis.suite, member, "mortgage-review");
        let body = serde_json::to_vec(&self.request(member, std::slice::from_ref(&intent))).unwrap();
        let answered = self.raw(member).post("/v1/queries", body).await;
        assert_eq!(answered.json()[0]["state"], "permitted");
        intent.id
    }
}
