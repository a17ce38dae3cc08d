//! A consortium with one dataset, and blocks built from lists of entries.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod lookup;

use std::collections::BTreeMap;

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::*;
use covenant_ledger::*;
use covenant_state::*;
use covenant_suite::{OpeningKey, SigningKey, suite};

pub const START_MS: u64 = 498_600 * 3_600_000 + 2 * 3_600_000;
pub const FRESH_MS: u64 = 5_000;
pub const COMPLETE_MS: u64 = 1_000;
pub const MEMBERS: [(&str, Role); 9] = [
    ("authorisation", Role::Authoriser),
    ("bank", Role::Consumer),
    ("bank-b", Role::Consumer),
    ("housing", Role::Holder),
    ("regulator", Role::Regulator),
    ("tax", Role::Holder),
    ("trustee-a", Role::Trustee),
    ("trustee-b", Role::Trustee),
    ("validator", Role::Validator),
];

pub fn id(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

pub fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

pub fn dataset_id() -> DatasetId {
    DatasetId::new("cov:city/gov/housing/registry/homes").unwrap()
}

pub fn purpose_code() -> PurposeCode {
    PurposeCode::new("mortgage-review").unwrap()
}

pub fn grant_id(n: u8) -> GrantId {
    GrantId::from_parts(START_MS, &[n; 10])
}

pub fn consent_id(n: u8) -> ConsentId {
    ConsentId::from_parts(START_MS, &[n; 10])
}

pub fn intent_id(time_ms: u64, n: u32) -> IntentId {
    let mut random = [0; 10];
    random[6..].copy_from_slice(&n.to_be_bytes());
    IntentId::from_parts(time_ms, &random)
}

pub struct World {
    pub genesis: Genesis,
    pub keys: BTreeMap<MemberId, SigningKey>,
}

impl World {
    pub fn new() -> Self {
        Self::with(&[], None)
    }

    /// With more members, and perhaps a vote on rule books.
    pub fn with(more: &[(&str, Role)], policy_vote: Option<VoteRule>) -> Self {
        let (mut keys, mut members) = (BTreeMap::new(), Vec::new());
        for (n, (name, role)) in (1u8..).zip(MEMBERS.iter().chain(more).copied()) {
            let signing = SigningKey::from_bytes(SuiteId::Intl, &[n; 32]).unwrap();
            members.push(Member {
                id: id(name),
                names: Names::new(name, name),
                class: Class::Finance,
                roles: vec![role],
                verifying_key: signing.verifying_key().to_string(),
                sealing_key: OpeningKey::from_bytes(SuiteId::Intl, &[n; 32]).unwrap().sealing_key().to_string(),
            });
            keys.insert(id(name), signing);
        }
        let charter = Charter {
            freshness_ms: FRESH_MS,
            completion_ms: COMPLETE_MS,
            pending_per_member: 1_000,
            restores_voided: None,
            policy_vote,
            member_vote: policy_vote,
            four_eyes: None,
        };
        members.sort_by(|a: &Member, b| a.id.cmp(&b.id));
        let consortium = "city".to_owned();
        let (version, suite, created_ms) = (1, SuiteId::Intl, START_MS);
        Self { genesis: Genesis { version, consortium, suite, created_ms, members, charter }, keys }
    }

    pub fn state(&self) -> State {
        State::genesis(&self.genesis).unwrap()
    }

    pub fn batch(&self, entries: &[Entry]) -> CheckedBatch {
        let author = entries[0].author.clone().unwrap();
        let key = &self.keys[&author];
        let signed = SignedBatch::sign(&self.genesis.digest(), &author, entries, key).unwrap();
        signed.check(&self.genesis.digest(), &key.verifying_key().prepare().unwrap()).unwrap()
    }

    pub fn batches(&self, entries: &[Entry]) -> Vec<CheckedBatch> {
        entries.iter().map(|e| self.batch(std::slice::from_ref(e))).collect()
    }

    /// The next block of these entries, each in a batch of its own; applied.
    pub fn block(&self, state: &mut State, time_ms: u64, entries: &[Entry]) -> Vec<Entry> {
        let execution = state.execute(state.height() + 1, time_ms, &self.batches(entries)).unwrap();
        let derived = execution.derived.clone();
        state.apply(execution);
        derived
    }

    /// Purpose, dataset, rule book, a grant and a consent.
    pub fn ready(&self, quota: u64, uses: u32) -> State {
        let mut state = self.state();
        let entries = [
            by("regulator", Body::PurposeRegistered(purpose())),
            by("housing", Body::DatasetPublished(dataset(1))),
            by("housing", Body::PolicyAdopted(book(1))),
            by("housing", Body::GrantIssued(self.grant(1, quota))),
            by("authorisation", Body::ConsentIssued(consent(1, uses))),
        ];
        let derived = self.block(&mut state, START_MS, &entries);
        assert_eq!(derived, [], "everything is accepted");
        state
    }

    pub fn grant(&self, n: u8, limit: u64) -> SignedGrant {
        self.sign_grant(Grant {
            id: grant_id(n),
            holder: id("housing"),
            consumer: id("bank"),
            dataset: dataset_id(),
            purpose: purpose_code(),
            modes: vec![Mode::Match, Mode::Lookup, Mode::Detail],
            fields: vec![field("area_cm2"), field("owner")],
            quota: Quota { limit, window_ms: 3_600_000 },
            valid_from_ms: 0,
            valid_until_ms: u64::MAX,
            data_life_days: 30,
            max_rows: 1,
            supersedes: None,
        })
    }

    pub fn sign_grant(&self, grant: Grant) -> SignedGrant {
        let signer = grant.consumer.clone();
        self.sign_grant_as(&signer, grant)
    }

    pub fn sign_grant_as(&self, signer: &MemberId, grant: Grant) -> SignedGrant {
        let digest = Digest::of(SuiteId::Intl, Label::GRANT, &to_bytes(&grant));
        let key = &self.keys[signer];
        let signature = suite(SuiteId::Intl).sign(key, Label::GRANT, digest.as_bytes()).unwrap();
        SignedGrant { grant, consumer_signature: signature.to_string() }
    }
}

pub fn by_at(author: &str, made_ms: u64, body: Body) -> Entry {
    Entry { author: Some(id(author)), made_ms, body }
}

pub fn by(author: &str, body: Body) -> Entry {
    by_at(author, START_MS, body)
}

pub fn purpose() -> Purpose {
    Purpose {
        code: purpose_code(),
        names: Names::new("贷款", "Mortgage"),
        legal_basis: "contract".into(),
        needs_consent: false,
        needs_case: false,
        modes: vec![Mode::Match, Mode::Lookup, Mode::Detail],
        retention_days: 90,
        needs_record: None,
    }
}

pub fn dataset(revision: u32) -> Dataset {
    let one = |name: &str| {
        let plain = Field::new(field(name), Names::new(name, name), FieldKind::Text, &Mode::ALL);
        Field { personal: true, ..plain }
    };
    let fields = vec![one("area_cm2"), one("owner")];
    let plain = Dataset::new(dataset_id(), id("housing"), Names::new("房屋", "Homes"), fields);
    Dataset { revision, duty_basis: "duty".into(), ..plain }
}

pub fn book(revision: u32) -> RuleBook {
    let rule = GuardRule {
        name: "all".into(),
        subject: "*".into(),
        dataset: "*".into(),
        mode: "*".into(),
        purpose: "*".into(),
        from_hour: 0,
        until_hour: 24,
        effect: Effect::Allow,
        ..GuardRule::default()
    };
    RuleBook { holder: id("housing"), revision, rules: vec![rule], roles: vec![], auto: vec![] }
}

pub fn consent(n: u8, max_uses: u32) -> Consent {
    Consent {
        id: consent_id(n),
        consumer: id("bank"),
        purpose: purpose_code(),
        scopes: vec![ConsentScope { dataset: dataset_id(), fields: vec![field("area_cm2"), field("owner")] }],
        modes: vec![Mode::Match, Mode::Lookup, Mode::Detail],
        commitment: Commitment([1; 32]),
        valid_from_ms: 0,
        valid_until_ms: u64::MAX,
        max_uses,
        data_life_days: 30,
        kind: ConsentKind::Consent,
        frequency: None,
        notice: None,
        representative: None,
        request: None,
    }
}

pub fn intent(time_ms: u64, n: u32) -> Intent {
    Intent {
        id: intent_id(time_ms, n),
        consumer: id("bank"),
        dataset: dataset_id(),
        purpose: purpose_code(),
        mode: Mode::Match,
        fields: vec![field("owner")],
        authority: Authority::Legal { commitment: Commitment([2; 32]), case: None },
        input: Digest([3; 32]),
        lookup: None,
    }
}

pub fn ask(time_ms: u64, n: u32) -> Entry {
    by_at("bank", time_ms, Body::Intent(intent(time_ms, n)))
}

pub fn ask_with_consent(time_ms: u64, n: u32) -> Entry {
    let authority = Authority::Consent { id: consent_id(1) };
    by_at("bank", time_ms, Body::Intent(Intent { authority, ..intent(time_ms, n) }))
}

pub fn completion(permit: &Permit) -> Completion {
    let digest = Digest::of(SuiteId::Intl, Label::PERMIT, &to_bytes(permit));
    Completion {
        intent: permit.intent,
        permit: digest,
        answer: Digest([5; 32]),
        fields_root: Digest([6; 32]),
        lookup: None,
    }
}

pub fn complete(author: &str, time_ms: u64, permit: &Permit) -> Entry {
    by_at(author, time_ms, Body::Completion(completion(permit)))
}

pub fn permits(derived: &[Entry]) -> Vec<Permit> {
    let permit = |e: &Entry| match &e.body {
        Body::Decision(decision) => decision.permit().cloned(),
        _ => None,
    };
    derived.iter().filter_map(permit).collect()
}

/// What each derived entry says, in one word.
pub fn words(derived: &[Entry]) -> Vec<&'static str> {
    let word = |e: &Entry| match &e.body {
        Body::Decision(d) if d.permit().is_some() => "yes",
        Body::Decision(_) => "no",
        Body::Lapse(_) => "lapse",
        Body::Rejected { .. } => "rejected",
        _ => "other",
    };
    derived.iter().map(word).collect()
}

/// Why entries were rejected.
pub fn reasons(derived: &[Entry]) -> Vec<String> {
    let reason = |e: &Entry| match &e.body {
        Body::Rejected { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    derived.iter().filter_map(reason).collect()
}

/// The codes of refusals and permits.
pub fn codes(derived: &[Entry]) -> Vec<ReasonCode> {
    let of = |e: &Entry| match &e.body {
        Body::Decision(d) => d.reasons.iter().map(|r| r.code).collect(),
        _ => vec![],
    };
    derived.iter().flat_map(of).collect()
}

pub fn request_id(n: u8) -> RequestId {
    RequestId::from_parts(START_MS, &[n; 10])
}

/// The bank asks for grant `n`.
pub fn request(world: &World, n: u8) -> AccessRequest {
    let answer = |level| RiskAnswer { level, answer: "kept within the loan department".into() };
    AccessRequest {
        id: request_id(n),
        subsystem: "loans".into(),
        dataset_revision: 1,
        grant: world.grant(n, 10),
        risk: RiskRecord {
            data: answer(RiskLevel::Medium),
            scene: answer(RiskLevel::Low),
            mode: answer(RiskLevel::Low),
            audience: answer(RiskLevel::Low),
            author: "li-na".into(),
            reviewer: "wang-wei".into(),
        },
    }
}

pub fn stepped(n: u8, step: RequestStep) -> Body {
    Body::RequestStepped { request: request_id(n), step }
}

pub fn approve() -> RequestStep {
    RequestStep::Approved { reason: "duty".into() }
}

pub fn turn_down() -> RequestStep {
    RequestStep::Rejected { reason: "no ground".into() }
}

pub fn send_back() -> RequestStep {
    RequestStep::Returned { reason: "name the retention".into() }
}

pub fn check() -> RequestStep {
    RequestStep::Checked { note: "complete".into() }
}

/// A new key of a member, and what puts it on the ledger.
pub fn new_keys(world: &World, member: &str, n: u8) -> (SigningKey, NewKeys) {
    let key = SigningKey::from_bytes(SuiteId::Intl, &[n; 32]).unwrap();
    let verifying_key = key.verifying_key().to_string();
    let sealing_key = OpeningKey::from_bytes(SuiteId::Intl, &[n; 32]).unwrap().sealing_key().to_string();
    let digest = possession(SuiteId::Intl, &world.genesis.digest(), &id(member), &verifying_key, &sealing_key);
    let possession = suite(SuiteId::Intl).sign(&key, Label::NEW_KEYS, digest.as_bytes()).unwrap().to_string();
    (key, NewKeys { member: id(member), verifying_key, sealing_key, possession })
}
