//! A holder with an epoch, and a consumer that does its part of a lookup.

use std::ops::ControlFlow;
use std::sync::Arc;

use covenant_canon::{Digest, Label, from_bytes, to_bytes};
use covenant_domain::*;
use covenant_oprf::{EpochPublicKey, RowSecret, finalize, lookup_context, open_row, table_context};
use covenant_pir::{Answer as PirAnswer, Hint, Locator, Params, Pending, Prepared, PublicMatrix, Seed};
use covenant_sigma::{EscrowKey, Opening, SecretScalar, commit, prove_claim};
use covenant_source::synthetic_subject;
use covenant_suite::{Opener, Sealed, SigningKey, suite};
use covenant_worker::lookup::*;
use covenant_worker::*;

use super::*;

pub const CONSORTIUM: Digest = Digest([1; 32]);
pub const POLICY: Digest = Digest([8; 32]);

pub fn number(row: u64) -> String {
    synthetic_subject(SubjectKind::Resident, row).canonical()
}

pub fn made(row: u64, remark: &str) -> Record {
    let values = vec![
        (field("address"), text("云港市12号")),
        (field("area_cm2"), Value::Integer(900_000 + i64::try_from(row).unwrap())),
        (field("owner"), text("欧阳修文")),
        (field("remark"), text(remark)),
    ];
    Record { values }
}

pub fn source(rows: u64) -> Memory {
    let records = (1..=rows).map(|row| (number(row), vec![made(row, "-")])).collect();
    Memory { dataset: Some(dataset_id()), records, ..Memory::default() }
}

/// The dataset with two fields open to lookups, both masked or not as in `dataset`.
pub fn described() -> Dataset {
    let mut dataset = dataset();
    let modes = |name: &FieldName| match name.as_str() {
        "area_cm2" | "remark" => vec![Mode::Lookup],
        _ => vec![Mode::Detail],
    };
    dataset.fields.iter_mut().for_each(|f| f.modes = modes(&f.name));
    dataset
}

pub fn plan(number: u32) -> EpochPlan {
    EpochPlan {
        suite: SUITE,
        consortium: CONSORTIUM,
        holder: id("housing"),
        dataset: described(),
        number,
        opens_ms: 0,
        closes_ms: 1_000,
    }
}

pub fn watch() -> Watch {
    Arc::new(|_, _, _| ControlFlow::Continue(()))
}

pub struct House {
    pub dir: tempfile::TempDir,
    pub shelf: Shelf,
    pub epoch: Epoch,
}

pub async fn house_with(source: &Memory, memory: u64) -> House {
    let dir = tempfile::tempdir().unwrap();
    let files = EpochFiles::new(dir.path().to_owned(), SUITE, key(1));
    let epoch = plan(1).build(source, &files, watch()).await.unwrap();
    let shelf = Shelf::new(files, memory);
    shelf.put_built(&epoch).unwrap();
    House { dir, shelf, epoch }
}

pub async fn house(rows: u64) -> House {
    house_with(&source(rows), 1 << 30).await
}

pub fn signing() -> SigningKey {
    SigningKey::from_bytes(SUITE, &[9; 32]).unwrap()
}

/// What a consumer holds of one table.
pub struct Fetched {
    pub params: Params,
    pub public: PublicMatrix,
    pub hint: Hint,
    pub locator: Locator,
}

impl House {
    pub fn fetch(&self, table: &LookupTable, overlay: Option<u32>) -> Fetched {
        let params = Params::new(table.rows, table.row_bytes, table.columns).unwrap();
        let read = |part| {
            let path = self.shelf.files().path(&dataset_id(), 1, overlay, part);
            EpochFiles::chunk(&path, 0, u32::MAX).unwrap().unwrap().1
        };
        let (hint, locator) = (read(Part::Hint), read(Part::Locator));
        assert_eq!(Digest::of(SUITE, Label::LOOKUP_HINT, &hint), table.hint);
        assert_eq!(Digest::of(SUITE, Label::LOOKUP_LOCATOR, &locator), table.locator);
        Fetched {
            params,
            public: PublicMatrix::expand(&params, &Seed(table.seed)),
            hint: Hint::from_bytes(params, hint).unwrap(),
            locator: Locator::from_bytes(&locator).unwrap(),
        }
    }

    /// A permitted lookup and the secret of its blinding.
    pub fn permitted(&self, n: u8, subject: &str) -> (Intent, Permit, covenant_sigma::Blinding) {
        let opening = Opening::from_wide(&[n; 64]);
        let commitment = commit(subject, &opening);
        let mut intent = Intent {
            id: IntentId::from_parts(5, &[n; 10]),
            consumer: id("bank"),
            dataset: dataset_id(),
            purpose: PurposeCode::new("mortgage-review").unwrap(),
            mode: Mode::Lookup,
            fields: self.epoch.fields.clone(),
            authority: Authority::Legal { commitment: Commitment(commitment), case: None },
            input: Digest::ZERO,
            lookup: None,
        };
        let context = lookup_context(CONSORTIUM, &intent, &id("housing"), 1, POLICY);
        let escrow = EscrowKey::from(SecretScalar::random(&mut rand::rng()).public());
        let (claim, blinding) =
            prove_claim(&context, &commitment, subject, &opening, &escrow, &mut rand::rng()).unwrap();
        intent.lookup = Some(LookupClaim {
            epoch: 1,
            ceremony: 1,
            blinded: Point(claim.blinded),
            escrow_a: Point(claim.escrow_a),
            escrow_d: Point(claim.escrow_d),
            proof: Proof(claim.proof),
        });
        let permit = Permit { epoch: Some(1), ..permit(&intent, vec![], 1) };
        (intent, permit, blinding)
    }
}

pub fn checked(intent: &Intent, permit: &Permit) -> CheckedPermit {
    CheckedPermit::check(SUITE, &id("housing"), 10, intent.clone(), permit.clone()).unwrap()
}

pub fn signed(retrieval: Retrieval, by: &SigningKey) -> SignedRetrieval {
    let digest = Digest::of(SUITE, Label::LOOKUP_RETRIEVAL, &to_bytes(&retrieval));
    let signature = suite(SUITE).sign(by, Label::LOOKUP_RETRIEVAL, digest.as_bytes()).unwrap();
    SignedRetrieval { retrieval, signature: signature.to_string() }
}

/// One lookup under way.
pub struct Asked {
    pub intent: IntentId,
    pub job: RetrieveJob,
    pub secrets: [RowSecretOf; 2],
    pub pending: [Pending; 2],
}

pub type RowSecretOf = (covenant_oprf::RowKey, covenant_oprf::RowContext);

pub fn ask_for(house: &House, n: u8, subject: &str, overlay: u32, table: &LookupTable) -> Asked {
    let (intent, permit, blinding) = house.permitted(n, subject);
    let evaluation = house.shelf.evaluate(CONSORTIUM, &checked(&intent, &permit)).unwrap();
    let context = lookup_context(CONSORTIUM, &intent, &id("housing"), 1, POLICY);
    let public = EpochPublicKey::from_bytes(&house.epoch.key.0).unwrap();
    let evaluated = covenant_oprf::Evaluation { z: evaluation.evaluated.0, proof: evaluation.proof.0 };
    let blinded = intent.lookup.as_ref().unwrap().blinded.0;
    let output = finalize(&context, &public, &blinded, &evaluated, blinding, subject).unwrap();
    let place = |revision, fetched: Fetched| {
        let context = table_context(&dataset_id(), 1, revision);
        let (tag, key) = RowSecret::derive(SUITE, &output, &context).unwrap();
        let prepared = Prepared::new(&fetched.params, &fetched.public, &mut rand::rng()).unwrap();
        let (query, pending) = prepared.query(fetched.locator.row(&tag)).unwrap();
        (query.to_bytes(), pending, (key, context))
    };
    let first = place(None, house.fetch(&house.epoch.table, None));
    let second = place(Some(&table.seed), house.fetch(table, Some(overlay)));
    let retrieval = Retrieval { intent: intent.id, overlay, table_query: first.0, overlay_query: second.0 };
    let signed = signed(retrieval, &signing());
    let verifying = signing().verifying_key().prepare().unwrap();
    house.shelf.admit(SUITE, &checked(&intent, &permit), &signed, &verifying).unwrap();
    let consumer_key = key(2).sealing_key().clone();
    let job = RetrieveJob { permit: checked(&intent, &permit), retrieval: signed.retrieval, consumer_key };
    Asked { intent: intent.id, job, secrets: [first.2, second.2], pending: [first.1, second.1] }
}

impl House {
    /// Runs lookups in one batch and opens their rows; the newer of both tables counts.
    pub async fn answers(self, asked: Vec<Asked>, overlay: &LookupTable) -> (Vec<Option<LookupRow>>, Vec<usize>) {
        let revision = asked[0].job.retrieval.overlay;
        let hints = [self.fetch(&self.epoch.table, None), self.fetch(overlay, Some(revision))];
        let worker = Worker::new(SUITE, key(1), vec![]).serving(Arc::new(self.shelf));
        let (jobs, rest): (Vec<_>, Vec<_>) =
            asked.into_iter().map(|a| (a.job, (a.intent, a.secrets, a.pending))).unzip();
        let mut done: Vec<Done> = worker.retrieve(CONSORTIUM, jobs).await.unwrap();
        done.sort_by_key(|d| rest.iter().position(|(intent, ..)| intent == &d.intent));
        let sizes = done.iter().map(|d| d.sealed.len()).collect();
        let opener = Opener::new(key(2), Label::SEAL_ANSWER);
        let mut rows = Vec::new();
        for (done, (_, secrets, pending)) in done.into_iter().zip(rest) {
            let record = done.completion.lookup.clone().unwrap();
            assert_eq!((record.table, record.overlay), (self.epoch.table.digest(SUITE), overlay.digest(SUITE)));
            let sealed = Sealed::from_bytes(&done.sealed).unwrap();
            let plain = opener.open(done.intent.as_bytes(), done.intent.as_bytes(), &sealed).unwrap();
            assert_eq!(record.retrieved, Digest::of(SUITE, Label::LOOKUP_RETRIEVED, &plain));
            assert_eq!(done.completion.fields_root, record.retrieved);
            let retrieved: Retrieved = from_bytes(&plain).unwrap();
            let opened =
                [retrieved.table_answer, retrieved.overlay_answer].into_iter().zip(secrets).zip(pending).zip(&hints);
            let mut found = None;
            for (((bytes, (key, context)), pending), fetched) in opened {
                let answer = PirAnswer::from_bytes(&fetched.params, &bytes).unwrap();
                let row = pending.open(&answer, &fetched.hint.view()).unwrap();
                if let Ok(content) = open_row(&key, &context, &row) {
                    found = Some(from_bytes(&content).unwrap());
                }
            }
            rows.push(found);
        }
        (rows, sizes)
    }
}
