//! What tests of private lookup share: an epoch, the trustees' key, claims that are proven.

use std::collections::BTreeMap;

use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::*;
use covenant_oprf::{EpochKey, epoch_scope, lookup_context};
use covenant_sigma::threshold::{Committee, FirstRound, GroupKey};
use covenant_sigma::{Opening, commit, prove_claim};
use covenant_state::*;
use covenant_suite::suite;

use super::*;

pub const SUBJECT: &str = "resident:11010519491231002X";
pub const OTHER: &str = "resident:110105194912310038";

pub fn opening() -> Opening {
    Opening::from_wide(&[3; 64])
}

pub fn table(n: u8) -> LookupTable {
    let digest = |k: u8| Digest([n ^ k; 32]);
    LookupTable {
        rows: 1024,
        row_bytes: 64,
        columns: 256,
        seed: [n; 32],
        matrix: digest(1),
        hint: digest(2),
        locator: digest(3),
        locator_bytes: 512,
    }
}

pub fn epoch(world: &World, number: u32) -> Epoch {
    let key = EpochKey::generate(&mut rand::rng());
    let scope = epoch_scope(world.genesis.digest(), &id("housing"), &dataset_id(), number);
    let n = u8::try_from(number).unwrap();
    Epoch {
        dataset: dataset_id(),
        number,
        dataset_revision: 1,
        fields: vec![field("area_cm2"), field("owner")],
        max_rows: 1,
        key: Point(key.public().to_bytes()),
        possession: Proof(key.prove_possession(&scope, &mut rand::rng()).unwrap()),
        table: table(n),
        overlay: table(n + 100),
        opens_ms: 0,
        closes_ms: u64::MAX,
    }
}

/// A key of both trustees, made by the real rounds.
pub fn group() -> GroupKey {
    let committee = Committee::new(2, 2).unwrap();
    let (a, first) = FirstRound::start(committee, 1, &mut rand::rng()).unwrap();
    let (b, second) = FirstRound::start(committee, 2, &mut rand::rng()).unwrap();
    let all = BTreeMap::from([(1, first), (2, second)]);
    let (a, _) = a.shares(&all).unwrap();
    let (_, from_b) = b.shares(&all).unwrap();
    a.finish(&BTreeMap::from([(2, from_b[&1].to_vec())])).unwrap().1
}

pub fn step(author: &str, step: CeremonyStep) -> Entry {
    by(author, Body::CeremonyStepped { number: 1, step })
}

pub fn shared(to: &str) -> CeremonyStep {
    CeremonyStep::Shared { shares: vec![SealedShare { to: id(to), sealed: Package(vec![1]) }] }
}

pub fn confirmed(world: &World, author: &str, group: &GroupKey, number: u32) -> CeremonyStep {
    let (package, key) = (Package(group.to_bytes()), Point(group.escrow_key().to_bytes()));
    let digest = attested(SuiteId::Intl, &world.genesis.digest(), number, &package, &key);
    let signature = suite(SuiteId::Intl).sign(&world.keys[&id(author)], Label::ESCROW_GROUP, digest.as_bytes());
    CeremonyStep::Confirmed { group: package, key, attestation: signature.unwrap().to_string() }
}

pub fn call(number: u32) -> Entry {
    let trustees = vec![id("trustee-a"), id("trustee-b")];
    by("regulator", Body::CeremonyCalled(CeremonyCall { number, threshold: 2, trustees }))
}

pub fn ceremony(world: &World, group: &GroupKey) -> Vec<Entry> {
    let committed = || CeremonyStep::Committed { package: Package(vec![7]) };
    vec![
        call(1),
        step("trustee-a", committed()),
        step("trustee-b", committed()),
        step("trustee-a", shared("trustee-b")),
        step("trustee-b", shared("trustee-a")),
        step("trustee-a", confirmed(world, "trustee-a", group, 1)),
        step("trustee-b", confirmed(world, "trustee-b", group, 1)),
    ]
}

pub struct Ready {
    pub world: World,
    pub state: State,
    pub group: GroupKey,
}

/// Everything a lookup needs, and a consent of SUBJECT with so many uses.
pub fn ready_with(world: World, uses: u32) -> Ready {
    let mut state = world.ready(10, 1);
    let group = group();
    let derived = world.block(&mut state, START_MS, &ceremony(&world, &group));
    assert_eq!(derived, [], "the ceremony is accepted");
    let mut consent = consent(2, uses);
    consent.commitment = Commitment(commit(SUBJECT, &opening()));
    let entries =
        [by("housing", Body::EpochPublished(epoch(&world, 1))), by("authorisation", Body::ConsentIssued(consent))];
    assert_eq!(world.block(&mut state, START_MS, &entries), []);
    Ready { world, state, group }
}

pub fn ready(uses: u32) -> Ready {
    ready_with(World::new(), uses)
}

impl Ready {
    pub fn bare(&self, n: u32) -> Intent {
        Intent {
            mode: Mode::Lookup,
            fields: vec![field("area_cm2"), field("owner")],
            authority: Authority::Consent { id: consent_id(2) },
            ..intent(START_MS, n)
        }
    }

    /// An intent whose claim is proven for it.
    pub fn intent(&self, n: u32) -> Intent {
        self.proven(self.bare(n), self.state.policy_digest(&id("housing")).unwrap(), SUBJECT)
    }

    pub fn proven(&self, bare: Intent, policy: Digest, subject: &str) -> Intent {
        let commitment = commit(subject, &opening());
        let context = lookup_context(self.world.genesis.digest(), &bare, &id("housing"), 1, policy);
        let key = self.group.escrow_key();
        let (claim, _) = prove_claim(&context, &commitment, subject, &opening(), key, &mut rand::rng()).unwrap();
        let claim = LookupClaim {
            epoch: 1,
            ceremony: 1,
            blinded: Point(claim.blinded),
            escrow_a: Point(claim.escrow_a),
            escrow_d: Point(claim.escrow_d),
            proof: Proof(claim.proof),
        };
        with_claim(bare, claim)
    }

    pub fn decided(&mut self, author: &str, intent: Intent) -> Decision {
        let derived = self.world.block(&mut self.state, START_MS + 1, &[by(author, Body::Intent(intent))]);
        match &derived[0].body {
            Body::Decision(decision) => decision.clone(),
            other => panic!("{other:?}"),
        }
    }

    pub fn permit(&mut self, n: u32) -> Permit {
        let intent = self.intent(n);
        self.decided("bank", intent).permit().expect("permitted").clone()
    }

    pub fn uses(&self) -> u32 {
        self.state.consent(&consent_id(2)).unwrap().uses
    }

    /// The one reason for which a spoilt intent is refused; nothing is debited.
    pub fn refused(&mut self, intent: Intent) -> ReasonCode {
        let (uses, quota) = (self.uses(), self.state.grant_used(&grant_id(1)));
        let decision = self.decided("bank", intent);
        assert!(decision.permit().is_none(), "{decision:?}");
        assert_eq!((self.uses(), self.state.grant_used(&grant_id(1))), (uses, quota), "a refusal debits nothing");
        assert_eq!(decision.reasons.len(), 1, "{:?}", decision.reasons);
        decision.reasons[0].code
    }

    pub fn completion(&self, permit: &Permit, matrix: Digest, overlay: Digest) -> Entry {
        let retrieved = Digest([9; 32]);
        let record =
            LookupRecord { evaluation: Digest([1; 32]), retrieval: Digest([2; 32]), table: matrix, overlay, retrieved };
        let completion = Completion { fields_root: retrieved, lookup: Some(record), ..completion(permit) };
        by("housing", Body::Completion(completion))
    }

    pub fn stands(&self, entries: &[Entry]) -> bool {
        let (fit, unfit) = self.state.select(START_MS + 2, self.world.batches(entries));
        assert_eq!(fit.len() + unfit.len(), entries.len());
        unfit.is_empty()
    }
}

pub fn with_claim(bare: Intent, claim: LookupClaim) -> Intent {
    let input = Digest::of(SuiteId::Intl, Label::QUERY_INPUT, &to_bytes(&claim));
    Intent { input, lookup: Some(claim), ..bare }
}

pub fn changed(intent: Intent, change: impl FnOnce(&mut LookupClaim)) -> Intent {
    let mut claim = intent.lookup.clone().unwrap();
    change(&mut claim);
    with_claim(intent, claim)
}
