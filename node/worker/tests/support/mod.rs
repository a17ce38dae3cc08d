//! A holder with a source in memory, and queries as a consumer makes them.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod lookup;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use covenant_canon::{Digest, Label, SuiteId, to_bytes};
use covenant_domain::*;
use covenant_sigma::{Opening, commit};
use covenant_source::{Source, SourceError, SubjectPage};
use covenant_suite::{Opener, OpeningKey, Sealed, Sealer};
use covenant_worker::*;

pub const SUITE: SuiteId = SuiteId::Intl;
pub const RESIDENT: &str = "resident:11010519491231002X";
pub const OTHER: &str = "resident:440524188001010014";

pub fn id(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

pub fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

pub fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub fn key(n: u8) -> Arc<OpeningKey> {
    Arc::new(OpeningKey::from_bytes(SUITE, &[n; 32]).unwrap())
}

pub fn dataset_id() -> DatasetId {
    DatasetId::new("cov:city/gov/housing/registry/homes").unwrap()
}

/// Records by subject; subjects in `damaged` make the whole question fail, as a database does.
#[derive(Default)]
pub struct Memory {
    pub dataset: Option<DatasetId>,
    pub records: BTreeMap<String, Vec<Record>>,
    pub damaged: BTreeSet<String>,
    pub gone: bool,
}

#[async_trait]
impl Source for Memory {
    fn dataset(&self) -> &DatasetId {
        self.dataset.as_ref().unwrap()
    }

    async fn find(&self, subjects: &[Subject], limit: u32) -> Result<Vec<Vec<Record>>, SourceError> {
        let dataset = self.dataset().clone();
        if self.gone {
            return Err(SourceError::Stopped);
        }
        if subjects.iter().any(|s| self.damaged.contains(s.canonical().as_str())) {
            let source = covenant_canon::CanonError::TooLong { length: 1 };
            return Err(SourceError::Stored { dataset, source });
        }
        let of = |s: &Subject| self.records.get(s.canonical().as_str()).cloned().unwrap_or_default();
        Ok(subjects.iter().map(|s| of(s).into_iter().take(limit as usize + 1).collect()).collect())
    }

    async fn subjects(&self, after: Option<&str>, limit: u32) -> Result<SubjectPage, SourceError> {
        let later = self.records.keys().filter(|k| after.is_none_or(|a| k.as_str() > a));
        let keys: Vec<&String> = later.take(limit as usize).collect();
        let next = keys.last().filter(|_| keys.len() == limit as usize).map(|k| k.to_string());
        Ok(SubjectPage { subjects: keys.iter().map(|k| Subject::parse(k).unwrap()).collect(), next })
    }
}

pub fn record(owner: &str) -> Record {
    Record {
        values: vec![
            (field("address"), text("云港市12号")),
            (field("area_cm2"), Value::Integer(900_123)),
            (field("owner"), text(owner)),
            (field("remark"), Value::Absent),
        ],
    }
}

pub fn memory() -> Memory {
    let records = BTreeMap::from([(canonical(RESIDENT), vec![record("欧阳修文")])]);
    Memory { dataset: Some(dataset_id()), records, ..Memory::default() }
}

pub fn canonical(subject: &str) -> String {
    Subject::parse(subject).unwrap().canonical().as_str().to_owned()
}

pub fn dataset() -> Dataset {
    let one = |name: &str, mask| {
        let plain = Field::new(field(name), Names::new(name, name), FieldKind::Text, &Mode::ALL);
        Field { personal: true, mask, ..plain }
    };
    let fields = vec![
        one("address", None),
        one("area_cm2", Some(Mask::Floor { step: 1_000 })),
        one("owner", Some(Mask::Keep { first: 1, last: 1 })),
        one("remark", None),
    ];
    let plain = Dataset::new(dataset_id(), id("housing"), Names::new("房屋", "Homes"), fields);
    Dataset { duty_basis: "duty".into(), max_rows: 2, ..plain }
}

/// One query; a test spoils it before it becomes a job.
pub struct Query {
    pub n: u8,
    pub mode: Mode,
    pub subject: String,
    /// The subject that the commitment hides.
    pub committed: String,
    pub fields: Vec<FieldName>,
    pub masked: Vec<FieldName>,
    pub claims: Vec<(FieldName, Value)>,
    pub max_rows: u32,
    /// To whom the input is sealed.
    pub holder_key: u8,
    pub dataset: Dataset,
    pub consumer_key: covenant_suite::SealingKey,
    /// The plain input in place of the honest one.
    pub plain: Option<Vec<u8>>,
    /// A last change of the sealed input, after its digest was taken.
    pub tamper: bool,
}

pub fn query(n: u8, mode: Mode, fields: &[&str]) -> Query {
    Query {
        n,
        mode,
        subject: RESIDENT.into(),
        committed: RESIDENT.into(),
        fields: fields.iter().map(|f| field(f)).collect(),
        masked: vec![],
        claims: vec![],
        max_rows: 1,
        holder_key: 1,
        dataset: dataset(),
        consumer_key: key(2).sealing_key().clone(),
        plain: None,
        tamper: false,
    }
}

impl Query {
    pub fn job(self) -> Job {
        let opening = Opening::from_wide(&[self.n; 64]);
        let commitment = Commitment(commit(&canonical(&self.committed), &opening));
        let input = QueryInput {
            subject: Subject::parse(&self.subject).unwrap(),
            opening: opening.to_bytes(),
            claims: self.claims,
        };
        let plain = self.plain.unwrap_or_else(|| to_bytes(&input));
        let intent_id = IntentId::from_parts(5, &[self.n; 10]);
        let aad = to_bytes(&(&dataset_id(), &id("bank")));
        let sealer = Sealer::new(key(self.holder_key).sealing_key(), Label::SEAL_INPUT, &mut rand::rng()).unwrap();
        let mut sealed = sealer.seal(intent_id.as_bytes(), &aad, &plain).unwrap().to_bytes();
        let intent = Intent {
            id: intent_id,
            consumer: id("bank"),
            dataset: dataset_id(),
            purpose: PurposeCode::new("mortgage-review").unwrap(),
            mode: self.mode,
            fields: self.fields.clone(),
            authority: Authority::Legal { commitment, case: None },
            input: Digest::of(SUITE, Label::QUERY_INPUT, &sealed),
            lookup: None,
        };
        if self.tamper {
            *sealed.last_mut().unwrap() ^= 1;
        }
        let permit = permit(&intent, self.masked, self.max_rows);
        let permit = CheckedPermit::check(SUITE, &id("housing"), 10, intent, permit).unwrap();
        Job { permit, dataset: self.dataset, commitment, input: sealed, consumer_key: self.consumer_key }
    }
}

pub fn permit(intent: &Intent, masked: Vec<FieldName>, max_rows: u32) -> Permit {
    Permit {
        intent: intent.id,
        query: Digest::of(SUITE, Label::INTENT, &to_bytes(intent)),
        holder: id("housing"),
        consumer: intent.consumer.clone(),
        dataset: intent.dataset.clone(),
        dataset_revision: 1,
        mode: intent.mode,
        obligations: Obligations {
            fields: intent.fields.clone(),
            masked,
            max_rows,
            release: Release::AfterReceipt,
            data_life_days: 30,
            rate_per_minute: None,
            k_minimum: None,
            notify: vec![],
        },
        grant: GrantId::from_parts(1, &[1; 10]),
        height: 1,
        expires_ms: 100,
        policy: Digest([8; 32]),
        epoch: None,
    }
}

pub async fn run(source: Memory, jobs: Vec<Job>) -> Result<Vec<Done>, RunError> {
    Worker::new(SUITE, key(1), vec![Arc::new(source)]).run(jobs).await
}

/// Runs one query and opens its answer as the consumer does.
pub async fn ask(source: Memory, query: Query) -> Answer {
    let done = run(source, vec![query.job()]).await.unwrap().remove(0);
    open(&done)
}

pub fn open(done: &Done) -> Answer {
    let sealed = Sealed::from_bytes(&done.sealed).unwrap();
    let intent = done.intent.as_bytes();
    let padded = Opener::new(key(2), Label::SEAL_ANSWER).open(intent, intent, &sealed).unwrap();
    let answer = Answer::from_padded(&padded).unwrap();
    assert_eq!(answer.intent, done.intent);
    assert_eq!(done.completion.answer, Digest::of(SUITE, Label::ANSWER, &done.sealed));
    assert_eq!(done.completion.fields_root, answer.fields_root(SUITE));
    answer
}
