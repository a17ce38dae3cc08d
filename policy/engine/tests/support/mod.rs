//! A snapshot of facts in which one query is allowed; tests break it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use covenant_canon::{Digest, SuiteId};
use covenant_domain::*;
use covenant_engine::*;

pub const HOUR_MS: u64 = 3_600_000;
/// Ten o'clock in the morning, UTC+8.
pub const NOW_MS: u64 = 498_600 * HOUR_MS + 2 * HOUR_MS;

pub fn id(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

pub fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

pub fn dataset_id() -> DatasetId {
    DatasetId::new("cov:city/gov/credit-centre/core/credit").unwrap()
}

pub fn purpose_code() -> PurposeCode {
    PurposeCode::new("mortgage-review").unwrap()
}

pub fn grant_id(n: u8) -> GrantId {
    GrantId::from_parts(NOW_MS, &[n; 10])
}

pub fn consent_id() -> ConsentId {
    ConsentId::from_parts(NOW_MS, &[5; 10])
}

pub fn moment() -> Moment {
    Moment { height: 12, time_ms: NOW_MS, freshness_ms: 300_000, completion_ms: 60_000 }
}

/// Everything `decide` may look at, as plain maps.
pub struct World {
    pub members: BTreeMap<MemberId, Member>,
    pub dataset: Option<Dataset>,
    pub purpose: Option<Purpose>,
    pub grants: Vec<GrantState>,
    pub used: BTreeMap<(GrantId, u64), u64>,
    pub consent_used: BTreeMap<(ConsentId, u64), u64>,
    pub rate: BTreeMap<(GrantId, u64), u64>,
    pub working_day: bool,
    pub consent: Option<ConsentState>,
    pub rules: Vec<GuardRule>,
    pub guard: Option<Guard>,
    pub epoch: Option<EpochState>,
    pub escrow: Option<u32>,
    pub claim_holds: bool,
    pub status: Option<DatasetStatus>,
    pub still: Vec<MemberId>,
}

impl Facts for World {
    fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id)
    }
    fn acts(&self, member: &MemberId) -> bool {
        !self.still.contains(member)
    }
    fn dataset(&self, id: &DatasetId) -> Option<&Dataset> {
        self.dataset.as_ref().filter(|d| &d.id == id)
    }
    fn purpose(&self, code: &PurposeCode) -> Option<&Purpose> {
        self.purpose.as_ref().filter(|p| &p.code == code)
    }
    fn grants(&self, consumer: &MemberId, dataset: &DatasetId, purpose: &PurposeCode) -> Vec<&GrantState> {
        let fits = |s: &&GrantState| {
            &s.grant.consumer == consumer && &s.grant.dataset == dataset && &s.grant.purpose == purpose
        };
        self.grants.iter().filter(fits).collect()
    }
    fn quota_used(&self, grant: &GrantId, window_start_ms: u64) -> u64 {
        self.used.get(&(*grant, window_start_ms)).copied().unwrap_or_default()
    }
    fn consent_used(&self, consent: &ConsentId, window_start_ms: u64) -> u64 {
        self.consent_used.get(&(*consent, window_start_ms)).copied().unwrap_or_default()
    }
    fn rate_used(&self, grant: &GrantId, window_start_ms: u64) -> u64 {
        self.rate.get(&(*grant, window_start_ms)).copied().unwrap_or_default()
    }
    fn is_working_day(&self, _time_ms: u64) -> bool {
        self.working_day
    }
    fn consent(&self, id: &ConsentId) -> Option<&ConsentState> {
        self.consent.as_ref().filter(|c| &c.consent.id == id)
    }
    fn guard(&self, holder: &MemberId) -> Option<&Guard> {
        self.guard.as_ref().filter(|_| holder == &id("credit-centre"))
    }
    fn epoch(&self, dataset: &DatasetId) -> Option<&EpochState> {
        self.epoch.as_ref().filter(|s| &s.epoch.dataset == dataset)
    }
    fn escrow(&self) -> Option<u32> {
        self.escrow
    }
    fn claim_holds(&self, _intent: &Intent) -> bool {
        self.claim_holds
    }
    fn dataset_status(&self, _dataset: &DatasetId) -> Option<&DatasetStatus> {
        self.status.as_ref()
    }
}

pub fn member(name: &str, class: Class, roles: &[Role]) -> Member {
    Member {
        id: id(name),
        names: Names::new(name, name),
        class,
        roles: roles.to_vec(),
        verifying_key: String::new(),
        sealing_key: String::new(),
    }
}

pub fn rule(name: &str, effect: Effect) -> GuardRule {
    GuardRule {
        name: name.into(),
        subject: "finance".into(),
        dataset: "credit".into(),
        mode: "*".into(),
        purpose: "*".into(),
        from_hour: 8,
        until_hour: 20,
        effect,
        ..GuardRule::default()
    }
}

pub fn grant(n: u8) -> GrantState {
    let grant = Grant {
        id: grant_id(n),
        holder: id("credit-centre"),
        consumer: id("bank-a"),
        dataset: dataset_id(),
        purpose: purpose_code(),
        modes: vec![Mode::Match, Mode::Detail],
        fields: vec![field("defaults"), field("name"), field("overdue_count")],
        quota: Quota { limit: 100, window_ms: 24 * HOUR_MS },
        valid_from_ms: NOW_MS - 1_000,
        valid_until_ms: NOW_MS + 1_000,
        data_life_days: 30,
        max_rows: 5,
        supersedes: None,
    };
    GrantState::new(grant, vec![])
}

fn dataset_field(name: &str, mask: Option<Mask>, modes: &[Mode]) -> Field {
    let plain = Field::new(field(name), Names::new(name, name), FieldKind::Text, modes);
    Field { personal: true, mask, ..plain }
}

impl World {
    /// The bank may ask two fields about a person who consented.
    pub fn new() -> Self {
        let all = [Mode::Match, Mode::Detail];
        let dataset = Dataset {
            id: dataset_id(),
            holder: id("credit-centre"),
            revision: 3,
            names: Names::new("信用", "Credit"),
            duty_basis: "duty".into(),
            sharing: Sharing::Conditional,
            grade: Grade::Important,
            subject: SubjectKind::Resident,
            fields: vec![
                dataset_field("name", Some(Mask::Keep { first: 1, last: 0 }), &all),
                dataset_field("overdue_count", None, &all),
                dataset_field("defaults", None, &[Mode::Match]),
                dataset_field("income", None, &all),
            ],
            max_rows: 3,
            update_cycle: UpdateCycle::Daily,
            cosigners: vec![],
            about: None,
        };
        let purpose = Purpose {
            code: purpose_code(),
            names: Names::new("贷款", "Mortgage"),
            legal_basis: "contract".into(),
            needs_consent: true,
            needs_case: false,
            modes: vec![Mode::Match, Mode::Detail],
            retention_days: 90,
            needs_record: None,
        };
        let consent = Consent {
            id: consent_id(),
            consumer: id("bank-a"),
            purpose: purpose_code(),
            scopes: vec![ConsentScope {
                dataset: dataset_id(),
                fields: vec![field("defaults"), field("name"), field("overdue_count")],
            }],
            modes: vec![Mode::Match, Mode::Detail],
            commitment: Commitment([0xCD; 32]),
            valid_from_ms: NOW_MS - 1_000,
            valid_until_ms: NOW_MS + 1_000,
            max_uses: 2,
            data_life_days: 30,
            kind: ConsentKind::Consent,
            frequency: None,
            notice: None,
            representative: None,
            request: None,
        };
        let consent = ConsentState { consent, issuer: id("authorisation"), status: ConsentStatus::Active, uses: 0 };
        let mut world = Self {
            members: BTreeMap::from([(id("bank-a"), member("bank-a", Class::Finance, &[Role::Consumer]))]),
            dataset: Some(dataset),
            purpose: Some(purpose),
            grants: vec![grant(1)],
            used: BTreeMap::new(),
            consent_used: BTreeMap::new(),
            rate: BTreeMap::new(),
            working_day: true,
            consent: Some(consent),
            rules: vec![rule("banks-by-day", Effect::Allow)],
            guard: None,
            epoch: None,
            escrow: None,
            claim_holds: false,
            status: None,
            still: Vec::new(),
        };
        world.compile();
        world
    }

    pub fn compile(&mut self) {
        let book = RuleBook {
            holder: id("credit-centre"),
            revision: 4,
            rules: self.rules.clone(),
            roles: vec![],
            auto: vec![],
        };
        self.guard = Some(Guard::compile(SuiteId::Sm, &book, self.members.values()).unwrap());
    }

    pub fn rules(&mut self, rules: Vec<GuardRule>) {
        self.rules = rules;
        self.compile();
    }

    pub fn the_grant(&mut self) -> &mut GrantState {
        &mut self.grants[0]
    }

    pub fn the_consent(&mut self) -> &mut ConsentState {
        self.consent.as_mut().unwrap()
    }

    pub fn the_purpose(&mut self) -> &mut Purpose {
        self.purpose.as_mut().unwrap()
    }

    pub fn the_dataset(&mut self) -> &mut Dataset {
        self.dataset.as_mut().unwrap()
    }
}

pub fn intent() -> Intent {
    Intent {
        id: IntentId::from_parts(NOW_MS, &[3; 10]),
        consumer: id("bank-a"),
        dataset: dataset_id(),
        purpose: purpose_code(),
        mode: Mode::Detail,
        fields: vec![field("name"), field("overdue_count")],
        authority: Authority::Consent { id: consent_id() },
        input: Digest([4; 32]),
        lookup: None,
    }
}

pub fn legal(case: Option<&str>) -> Authority {
    Authority::Legal { commitment: Commitment([0xAB; 32]), case: case.map(str::to_owned) }
}

pub fn codes(terms: &Terms) -> BTreeSet<ReasonCode> {
    terms.decision.reasons.iter().map(|r| r.code).collect()
}

impl World {
    /// The allowed case turned into a lookup.
    pub fn with_lookup() -> (Self, Intent) {
        let mut world = Self::new();
        let all = vec![Mode::Match, Mode::Lookup, Mode::Detail];
        world.the_dataset().fields.iter_mut().for_each(|f| f.modes.clone_from(&all));
        world.the_purpose().modes.clone_from(&all);
        world.the_grant().grant.modes.clone_from(&all);
        world.the_consent().consent.modes.clone_from(&all);
        world.the_dataset().grade = Grade::General;
        let table = LookupTable {
            rows: 1,
            row_bytes: 1,
            columns: 1,
            seed: [0; 32],
            matrix: Digest::ZERO,
            hint: Digest::ZERO,
            locator: Digest::ZERO,
            locator_bytes: 1,
        };
        let epoch = Epoch {
            dataset: dataset_id(),
            number: 7,
            dataset_revision: 3,
            fields: vec![field("name"), field("overdue_count")],
            max_rows: 2,
            key: Point([1; 32]),
            possession: Proof(vec![]),
            table: table.clone(),
            overlay: table.clone(),
            opens_ms: NOW_MS - 1,
            closes_ms: NOW_MS + 1,
        };
        world.epoch = Some(EpochState { epoch, overlay_revision: 0, overlay: table, recent: vec![] });
        (world.escrow, world.claim_holds) = (Some(4), true);
        let claim = LookupClaim {
            epoch: 7,
            ceremony: 4,
            blinded: Point([2; 32]),
            escrow_a: Point([3; 32]),
            escrow_d: Point([4; 32]),
            proof: Proof(vec![5]),
        };
        (world, Intent { mode: Mode::Lookup, lookup: Some(claim), ..intent() })
    }

    pub fn the_epoch(&mut self) -> &mut Epoch {
        &mut self.epoch.as_mut().unwrap().epoch
    }
}
