//! A consortium in memory. It opens inputs as a holder would, answers, and keeps evidence that verifies.
//!
//! Mode `submit` is refused; `lookup` stays permitted until its retrieval came, whose bytes are then the answer. Purpose
//! `slow` stays permitted, `void` is voided, `early` is released before its receipt, `busy`, `down`,
//! `no` and `panic` fail in `plan` as their names say, `sleep` takes its time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use covenant_app::port::*;
use covenant_canon::{Digest, Label, from_bytes, to_bytes};
use covenant_client::Identity;
use covenant_domain::*;
use covenant_engine::{Plan, Wish};
use covenant_ledger::{Bundle, CheckedBatch, EntryReceipt, Genesis, SignedBatch};
use covenant_suite::{Opener, Sealed, Sealer};
use parking_lot::Mutex;

use super::{HOMES, catalogue, field, id, lookup, record};

pub struct Fake {
    pub genesis: Genesis,
    pub keys: BTreeMap<MemberId, Arc<Identity>>,
    pub queries: Mutex<BTreeMap<IntentId, Held>>,
    pub consents: Mutex<BTreeMap<ConsentId, ConsentView>>,
    pub asked: AtomicUsize,
    pub checks: AtomicUsize,
    pub sound: AtomicBool,
    pub ignore_known: AtomicBool,
    pub builds: Mutex<Vec<(DatasetId, Option<u32>)>>,
    pub retrievals: Mutex<BTreeMap<IntentId, SignedRetrieval>>,
    pub cases: Mutex<Vec<Case>>,
}

/// A query and what became of it.
pub struct Held {
    pub consumer: MemberId,
    pub progress: Progress,
    pub decision: Decision,
    pub bundle: Bundle,
}

impl Fake {
    pub fn new(genesis: Genesis, keys: BTreeMap<MemberId, Arc<Identity>>) -> Self {
        let sound = AtomicBool::new(true);
        let (queries, consents, asked, checks, ignore_known) = Default::default();
        let (builds, retrievals, cases) = Default::default();
        Self { genesis, keys, queries, consents, asked, checks, sound, ignore_known, builds, retrievals, cases }
    }

    fn checked(&self, batch: SignedBatch) -> CheckedBatch {
        let key = self.keys[&batch.author].signing.verifying_key().prepare().unwrap();
        batch.check(&self.genesis.digest(), &key).unwrap()
    }

    /// What the worker does, by the conventions of sealing.
    fn answer(&self, intent: &Intent, input: &SealedInput) -> (Answer, Vec<u8>) {
        let holder = &self.keys[&id("housing")];
        let opener = Opener::new(holder.opening.clone(), Label::SEAL_INPUT);
        let aad = to_bytes(&(&intent.dataset, &intent.consumer));
        let sealed = Sealed::from_bytes(&input.sealed).unwrap();
        let plain = opener.open(intent.id.as_bytes(), &aad, &sealed).unwrap();
        let query: QueryInput = from_bytes(&plain).unwrap();
        let commitment = match &intent.authority {
            Authority::Legal { commitment, .. } => *commitment,
            Authority::Consent { id } => self.consents.lock()[id].consent.commitment,
        };
        let opening = covenant_sigma::Opening::from_bytes(&query.opening).unwrap();
        assert!(covenant_sigma::opens(&commitment.0, &query.subject.canonical(), &opening).unwrap());
        let answer = self.read(intent, &query);
        let consumer = self.keys[&intent.consumer].opening.sealing_key().clone();
        let sealer = Sealer::new(&consumer, Label::SEAL_ANSWER, &mut rand::rng()).unwrap();
        let sealed = sealer.seal(intent.id.as_bytes(), intent.id.as_bytes(), &answer.to_padded()).unwrap();
        (answer, sealed.to_bytes())
    }

    fn read(&self, intent: &Intent, query: &QueryInput) -> Answer {
        let values = vec![
            (field("area_cm2"), Value::Integer(900_000)),
            (field("owner"), Value::Text("欧阳修".into())),
            (field("address"), Value::Text("1 Road".into())),
        ];
        let record = Record { values };
        let outcome = |(name, value): &(FieldName, Value)| FieldMatch {
            field: name.clone(),
            outcome: if record.get(name) == Some(value) { MatchOutcome::Equal } else { MatchOutcome::Different },
        };
        let released = if intent.mode == Mode::Detail { intent.fields.as_slice() } else { &[] };
        let rows = vec![disclose(self.genesis.suite, 0, &record, released, rand::random)];
        let matches = if intent.mode == Mode::Match { query.claims.iter().map(outcome).collect() } else { vec![] };
        let (dataset, mode) = (intent.dataset.clone(), intent.mode);
        Answer {
            intent: intent.id,
            dataset,
            mode,
            matches,
            rows,
            truncated: false,
            failure: None,
            salt: rand::random(),
        }
    }

    fn hold(&self, batch: &CheckedBatch, index: usize, input: Option<&SealedInput>) {
        let Body::Intent(intent) = &batch.entries()[index].body else { panic!("not an intent") };
        let decision = record::decide(&self.genesis, intent);
        let (progress, answer) = if decision.permit().is_none() {
            (Progress::Refused { reasons: decision.reasons.clone() }, None)
        } else {
            match (intent.purpose.as_str(), input) {
                ("void", _) => (Progress::Voided { reason: "no key of epoch 1".into() }, None),
                ("slow", _) | (_, None) => (Progress::Permitted, None),
                (purpose, Some(input)) => {
                    let (answer, sealed) = self.answer(intent, input);
                    let receipted = purpose != "early";
                    (Progress::Answered { sealed: sealed.clone(), receipted }, Some((answer, sealed)))
                }
            }
        };
        let bundle = record::bundle(self, batch, index, &decision, answer.as_ref());
        let consumer = intent.consumer.clone();
        self.queries.lock().entry(intent.id).or_insert(Held { consumer, progress, decision, bundle });
    }
}

#[async_trait]
impl Consortium for Fake {
    fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    async fn tip(&self) -> Result<LedgerTip, PortError> {
        Ok(LedgerTip { height: 42, block: Digest([7; 32]), leaves: 99, time_ms: 5 })
    }

    async fn record(&self, batch: SignedBatch) -> Result<Vec<EntryOutcome>, PortError> {
        let batch = self.checked(batch);
        let mut outcomes = Vec::new();
        for ((entry, id), leaf) in batch.entries().iter().zip(batch.ids()).zip(0..) {
            let mut rejected = None;
            match &entry.body {
                Body::ConsentIssued(consent) => {
                    let (consent, issuer) = (consent.clone(), batch.batch().author.clone());
                    let view = ConsentView { consent, issuer, status: ConsentStatus::Active, uses: 0 };
                    self.consents.lock().insert(view.consent.id, view);
                }
                other => rejected = Some(format!("`{}` is not for this fake", other.kind())),
            }
            outcomes.push(EntryOutcome { entry: *id, leaf, height: 3, rejected });
        }
        Ok(outcomes)
    }

    async fn ask(&self, batch: SignedBatch, inputs: Vec<SealedInput>) -> Result<(), PortError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let batch = self.checked(batch);
        for (index, entry) in batch.entries().iter().enumerate() {
            let Body::Intent(intent) = &entry.body else { panic!("not an intent") };
            let input = inputs.iter().find(|i| i.intent == intent.id);
            assert_eq!(input.is_none(), intent.mode == Mode::Lookup, "only lookups come without input");
            let known = self.queries.lock().contains_key(&intent.id);
            if known && self.ignore_known.load(Ordering::Relaxed) {
                continue;
            }
            self.hold(&batch, index, input);
        }
        Ok(())
    }

    async fn progress(&self, intents: &[IntentId], wait: Duration) -> Result<Vec<Progress>, PortError> {
        let look = || -> Vec<Progress> {
            let queries = self.queries.lock();
            intents.iter().map(|i| queries.get(i).map_or(Progress::Unknown, |h| h.progress.clone())).collect()
        };
        if !look().iter().all(Progress::is_final) {
            tokio::time::sleep(wait.min(Duration::from_millis(20))).await;
        }
        Ok(look())
    }

    async fn consumer_of(&self, intent: &IntentId) -> Result<Option<MemberId>, PortError> {
        Ok(self.queries.lock().get(intent).map(|h| h.consumer.clone()))
    }

    async fn evidence(&self, intent: &IntentId) -> Result<Option<Bundle>, PortError> {
        Ok(self.queries.lock().get(intent).map(|h| h.bundle.clone()))
    }

    async fn explain(&self, intent: &IntentId, replay: bool) -> Result<Option<Explanation>, PortError> {
        let decision = self.queries.lock().get(intent).map(|h| h.decision.clone());
        Ok(decision.map(|decision| Explanation { decision, height: 1, replayed_equal: replay.then_some(true) }))
    }

    async fn simulate(&self, book: &RuleBook, last: u32) -> Result<Simulation, PortError> {
        if book.rules.is_empty() {
            return Err(PortError::refused("policy-invalid", "no rules"));
        }
        Ok(Simulation { book: Digest([7; 32]), height: 3, compared: last.into(), changed: vec![] })
    }

    async fn plan(&self, wish: &Wish) -> Result<Plan, PortError> {
        match wish.purpose.as_str() {
            "busy" => Err(PortError::Busy { member: wish.consumer.clone(), waiting: 9, limit: 8 }),
            "down" => Err(PortError::Unavailable { reason: "secret node address".into() }),
            "no" => Err(PortError::refused("dataset-frozen", "the dataset is frozen")),
            "panic" => panic!("as asked"),
            "sleep" => {
                tokio::time::sleep(Duration::from_secs(600)).await;
                Ok(Plan { mode: None, refused: vec![] })
            }
            _ => {
                let reasons = vec![Reason::new(ReasonCode::ModeNotGranted, "no")];
                Ok(Plan { mode: Some(Mode::Detail), refused: vec![(Mode::Match, reasons)] })
            }
        }
    }

    async fn members(&self) -> Result<Vec<Member>, PortError> {
        Ok(self.genesis.members.clone())
    }

    async fn purposes(&self) -> Result<Vec<Purpose>, PortError> {
        Ok(vec![Purpose {
            code: PurposeCode::new("mortgage-review").unwrap(),
            names: Names::new("按揭审查", "mortgage review"),
            legal_basis: "contract".into(),
            needs_consent: true,
            needs_case: false,
            modes: vec![Mode::Match],
            retention_days: 30,
            needs_record: None,
        }])
    }

    async fn catalogue(&self, known: Option<u64>) -> Result<Option<Catalogue>, PortError> {
        let now = catalogue::catalogue();
        Ok((known != Some(now.mark)).then_some(now))
    }

    async fn dataset_versions(&self, id: &DatasetId) -> Result<Vec<PublishedDataset>, PortError> {
        Ok(catalogue::versions(id))
    }

    async fn right(&self, id: &RightId) -> Result<Option<RightState>, PortError> {
        Ok(Some(catalogue::right()).filter(|r| r.change.id == *id))
    }

    async fn datasets(&self) -> Result<Vec<Dataset>, PortError> {
        Ok(vec![catalogue::homes()])
    }

    async fn grants(&self, member: &MemberId) -> Result<Vec<GrantView>, PortError> {
        let grant = record::grant();
        let party = [&grant.holder, &grant.consumer].contains(&member) || member.as_str() == "regulator";
        let mut state = covenant_engine::GrantState::new(grant, vec![id("housing"), id("bank")]);
        state.suspended_by = vec![id("regulator")];
        let view = GrantView { state, used_in_window: 3 };
        Ok(if party { vec![view] } else { vec![] })
    }

    async fn consent(&self, id: &ConsentId) -> Result<Option<ConsentView>, PortError> {
        Ok(self.consents.lock().get(id).cloned())
    }

    async fn uses(&self, consent: &ConsentId, after: Option<u64>) -> Result<Vec<ConsentUse>, PortError> {
        Ok(super::register::uses(consent).into_iter().filter(|u| after.is_none_or(|leaf| u.leaf > leaf)).collect())
    }

    async fn told(&self, holder: Option<&MemberId>, after: Option<u64>) -> Result<Vec<Notification>, PortError> {
        let all = self.queries.lock();
        let permits = all.values().filter_map(|held| held.decision.permit().cloned());
        let own = permits.filter(|p| holder.is_none_or(|h| h == &p.holder));
        let told = own.zip(1..).map(|(permit, leaf)| Notification { leaf, time_ms: 5, permit });
        Ok(told.filter(|n| after.is_none_or(|leaf| n.leaf > leaf)).collect())
    }

    async fn receipt(&self, entry: &Digest) -> Result<Option<EntryReceipt>, PortError> {
        Ok(super::register::receipt(self, entry))
    }

    async fn records(&self, kind: RecordKind) -> Result<Records, PortError> {
        Ok(super::register::records(kind))
    }

    async fn epoch(&self, dataset: &DatasetId) -> Result<Option<EpochView>, PortError> {
        Ok((dataset.as_str() == HOMES).then(|| lookup::epoch(self.genesis.suite)))
    }

    async fn epoch_file(
        &self,
        dataset: &DatasetId,
        epoch: u32,
        overlay: u32,
        part: EpochPart,
        offset: u64,
        length: u32,
    ) -> Result<Option<FileChunk>, PortError> {
        let known = dataset.as_str() == HOMES && (epoch, overlay) == (1, 0);
        Ok(known.then(|| lookup::chunk(part, offset, length)))
    }

    async fn build_epoch(&self, dataset: &DatasetId, days: u32) -> Result<(), PortError> {
        self.builds.lock().push((dataset.clone(), Some(days)));
        Ok(())
    }

    async fn build_overlay(&self, dataset: &DatasetId) -> Result<(), PortError> {
        self.builds.lock().push((dataset.clone(), None));
        Ok(())
    }

    async fn build_state(&self, _dataset: &DatasetId) -> Result<BuildState, PortError> {
        Ok(match self.builds.lock().len() {
            0 => BuildState::Idle,
            1 => BuildState::Running { step: "hint".into(), done: 1, total: 4 },
            2 => BuildState::Done { epoch: 2 },
            _ => BuildState::Failed { reason: "disk is full".into() },
        })
    }

    async fn evaluate(&self, intent: &IntentId) -> Result<Option<Evaluation>, PortError> {
        let permitted = self.queries.lock().get(intent).and_then(|h| h.decision.permit().cloned());
        Ok(permitted.filter(|p| p.mode == Mode::Lookup).map(|p| lookup::evaluation(p.intent)))
    }

    async fn retrieve(&self, retrieval: SignedRetrieval) -> Result<(), PortError> {
        let intent = retrieval.retrieval.intent;
        let sealed = retrieval.retrieval.table_query.clone();
        self.retrievals.lock().insert(intent, retrieval);
        self.queries.lock().get_mut(&intent).unwrap().progress = Progress::Answered { sealed, receipted: true };
        Ok(())
    }

    async fn retrieval(&self, intent: &IntentId) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.retrievals.lock().get(intent).map(to_bytes))
    }

    async fn ceremonies(&self) -> Result<Vec<Ceremony>, PortError> {
        Ok(vec![lookup::ceremony()])
    }

    async fn cases(&self) -> Result<Vec<Case>, PortError> {
        Ok(self.cases.lock().clone())
    }

    async fn health(&self) -> Result<Vec<NodeHealth>, PortError> {
        self.checks.fetch_add(1, Ordering::Relaxed);
        let sound = self.sound.load(Ordering::Relaxed);
        let fault = (!sound).then(|| "disk is full".to_owned());
        Ok(vec![NodeHealth { member: id("housing"), height: 42, backlog: 1, sound, fault }])
    }
}
