//! Runs jobs in batches: open inputs, find records, seal answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use covenant_canon::{Digest, Label, SuiteId, from_bytes, to_bytes};
use covenant_domain::{Completion, DatasetId, IntentId, MemberId, QueryInput, Record, Subject};
use covenant_sigma::{Opening, opens};
use covenant_source::{Source, SourceError};
use covenant_suite::{Opener, OpeningKey, Sealed, Sealer, SealingKey, SuiteError};

use crate::answer::{answer, failed, likely_length};
use crate::job::Job;
use crate::lookup::{RetrieveJob, Shelf};

/// A query that was run. Its answer must not leave before its record is final.
#[derive(Debug)]
pub struct Done {
    /// The intent.
    pub intent: IntentId,
    /// Who may open the answer.
    pub consumer: MemberId,
    /// Canonical bytes of the sealed answer.
    pub sealed: Vec<u8>,
    /// What goes on the ledger.
    pub completion: Completion,
}

/// Why a batch could not be run now. The jobs may be tried again until their permits run out.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The department's database failed.
    #[error("records of dataset `{dataset}` could not be read")]
    Source {
        /// The dataset.
        dataset: DatasetId,
        /// What the source said.
        #[source]
        source: SourceError,
    },
    /// An answer could not be sealed to its consumer.
    #[error("answer to `{consumer}` could not be sealed")]
    Seal {
        /// The consumer.
        consumer: MemberId,
        /// What the suite said.
        #[source]
        source: SuiteError,
    },
    /// The pool of threads is gone; the process is stopping.
    #[error("worker is stopping")]
    Stopping,
}

/// A holder's worker with its sources.
pub struct Worker {
    suite: SuiteId,
    opener: Arc<Opener>,
    sources: BTreeMap<DatasetId, Arc<dyn Source>>,
    shelf: Option<Arc<Shelf>>,
}

/// A job whose input was opened, or the reason why it was not.
struct Opened {
    job: Job,
    input: Result<QueryInput, &'static str>,
}

impl Worker {
    /// A worker of a holder. `key` opens what consumers seal to it.
    pub fn new(suite: SuiteId, key: Arc<OpeningKey>, sources: Vec<Arc<dyn Source>>) -> Self {
        let opener = Arc::new(Opener::new(key, Label::SEAL_INPUT));
        let sources = sources.into_iter().map(|s| (s.dataset().clone(), s)).collect();
        Self { suite, opener, sources, shelf: None }
    }

    /// The same worker, answering private lookups from a shelf of epochs too.
    pub fn serving(self, shelf: Arc<Shelf>) -> Self {
        Self { shelf: Some(shelf), ..self }
    }

    /// Runs retrievals, consuming their permits; what could not be run is missing in the result and may be tried again.
    ///
    /// # Errors
    /// [`RunError::Stopping`].
    pub async fn retrieve(&self, consortium: Digest, jobs: Vec<RetrieveJob>) -> Result<Vec<Done>, RunError> {
        let (suite, Some(shelf)) = (self.suite, self.shelf.clone()) else { return Ok(Vec::new()) };
        let work = move || shelf.retrieve(suite, consortium, jobs);
        tokio::task::spawn_blocking(work).await.map_err(|_| RunError::Stopping)
    }

    /// Datasets it can answer about.
    pub fn datasets(&self) -> impl Iterator<Item = &DatasetId> {
        self.sources.keys()
    }

    /// Runs jobs of any datasets and consumers, consuming their permits.
    ///
    /// A wrong input or an unknown subject is no error: the consumer gets an answer that says so, of the same size and
    /// with the same record on the ledger.
    ///
    /// A record that cannot be read, or a consumer to whom nothing can be sealed, keeps its own jobs from being answered
    /// and no other: they are missing in the result and may be tried again.
    ///
    /// # Errors
    /// [`RunError`] when nothing of the batch was answered.
    pub async fn run(&self, jobs: Vec<Job>) -> Result<Vec<Done>, RunError> {
        let (suite, opener) = (self.suite, self.opener.clone());
        let known: BTreeSet<DatasetId> = self.sources.keys().cloned().collect();
        let open_all = move || jobs.into_iter().map(|job| open(suite, &opener, &known, job)).collect::<Vec<_>>();
        let opened = tokio::task::spawn_blocking(open_all).await.map_err(|_| RunError::Stopping)?;
        let found = self.find(&opened).await?;
        let seal_all = move || seal_all(suite, opened, found);
        tokio::task::spawn_blocking(seal_all).await.map_err(|_| RunError::Stopping)?
    }

    /// Records of every opened job, in their order; one question per dataset. None where they cannot be read now.
    async fn find(&self, opened: &[Opened]) -> Result<Vec<Option<Vec<Record>>>, RunError> {
        let mut found = vec![Some(Vec::new()); opened.len()];
        let mut by_dataset: BTreeMap<&DatasetId, Vec<(usize, &Subject, u32)>> = BTreeMap::new();
        for (i, one) in opened.iter().enumerate() {
            if let Ok(input) = &one.input {
                let rows = one.job.permit.permit.obligations.max_rows;
                by_dataset.entry(&one.job.dataset.id).or_default().push((i, &input.subject, rows));
            }
        }
        let (mut unread, mut fault) = (0, None);
        for (dataset, wanted) in by_dataset {
            let Some(source) = self.sources.get(dataset) else { continue };
            let (records, failed) = find_all(source.as_ref(), &wanted).await;
            for ((i, _, _), rows) in wanted.iter().zip(records) {
                unread += usize::from(rows.is_none());
                if let Some(slot) = found.get_mut(*i) {
                    *slot = rows;
                }
            }
            if let Some(source) = failed {
                tracing::warn!(%dataset, error = %source, "some records could not be read");
                fault = Some(RunError::Source { dataset: dataset.clone(), source });
            }
        }
        match fault {
            Some(fault) if unread == opened.len() => Err(fault),
            _ => Ok(found),
        }
    }
}

/// Records of one dataset for several jobs. When one row on record is damaged, the others are asked for one by one; when
/// the database is gone, nobody is.
async fn find_all(
    source: &dyn Source,
    wanted: &[(usize, &Subject, u32)],
) -> (Vec<Option<Vec<Record>>>, Option<SourceError>) {
    let limit = wanted.iter().map(|(_, _, rows)| *rows).max().unwrap_or(1);
    let subjects: Vec<Subject> = wanted.iter().map(|(_, subject, _)| (*subject).clone()).collect();
    let mut fault = match source.find(&subjects, limit).await {
        // A source that returns fewer lists than it was asked for has answered none of the rest.
        Ok(records) => {
            return (records.into_iter().map(Some).chain(std::iter::repeat(None)).take(wanted.len()).collect(), None);
        }
        Err(fault) => fault,
    };
    let mut records = vec![None; wanted.len()];
    if matches!(fault, SourceError::Row { .. } | SourceError::Stored { .. }) && wanted.len() > 1 {
        for (slot, subject) in records.iter_mut().zip(&subjects) {
            match source.find(std::slice::from_ref(subject), limit).await {
                Ok(found) => *slot = found.into_iter().next(),
                Err(again) => fault = again,
            }
        }
    }
    (records, Some(fault))
}

/// Opens the input and holds it against intent and commitment. The reason stays between worker and consumer.
fn open(suite: SuiteId, opener: &Opener, known: &BTreeSet<DatasetId>, job: Job) -> Opened {
    let input = match known.contains(&job.dataset.id) {
        true => open_input(suite, opener, &job),
        // Not the same as "no record": that would be a false statement under the holder's signature.
        false => Err("the holder has no records of this dataset at hand"),
    };
    Opened { job, input }
}

fn open_input(suite: SuiteId, opener: &Opener, job: &Job) -> Result<QueryInput, &'static str> {
    let intent = &job.permit.intent;
    if Digest::of(suite, Label::QUERY_INPUT, &job.input) != intent.input {
        return Err("input is not the one the intent names");
    }
    let sealed = Sealed::from_bytes(&job.input).map_err(|_| "input cannot be read")?;
    let aad = to_bytes(&(&intent.dataset, &intent.consumer));
    let plain = opener.open(intent.id.as_bytes(), &aad, &sealed).map_err(|_| "input cannot be opened")?;
    let input: QueryInput = from_bytes(&plain).map_err(|_| "input cannot be read")?;
    if job.dataset.id != intent.dataset {
        return Err("dataset is not the one the intent names");
    }
    if job.dataset.revision != job.permit.permit.dataset_revision {
        return Err("the dataset was revised after the permit: ask again");
    }
    if input.subject.kind() != job.dataset.subject {
        return Err("subject is not of the kind the dataset is keyed by");
    }
    // protocols.md section 7: a consent for one person never serves another.
    let opening = Opening::from_bytes(&input.opening).map_err(|_| "opening cannot be read")?;
    match opens(&job.commitment.0, &input.subject.canonical(), &opening) {
        Ok(true) => Ok(input),
        _ => Err("subject does not open the commitment"),
    }
}

/// Answers and seals; one encapsulation per consumer. An error only when nothing could be sealed.
fn seal_all(suite: SuiteId, opened: Vec<Opened>, found: Vec<Option<Vec<Record>>>) -> Result<Vec<Done>, RunError> {
    let mut sealers: BTreeMap<SealingKey, Sealer> = BTreeMap::new();
    let (mut done, mut fault) = (Vec::with_capacity(opened.len()), None);
    for (opened, records) in opened.into_iter().zip(found) {
        let Some(records) = records else { continue };
        let consumer = opened.job.permit.permit.consumer.clone();
        match seal_one(suite, &mut sealers, &opened, &records) {
            Ok(one) => done.push(one),
            Err(source) => {
                tracing::warn!(%consumer, error = %source, "an answer could not be sealed");
                fault = Some(RunError::Seal { consumer, source });
            }
        }
    }
    match fault {
        Some(fault) if done.is_empty() => Err(fault),
        _ => Ok(done),
    }
}

fn seal_one(
    suite: SuiteId,
    sealers: &mut BTreeMap<SealingKey, Sealer>,
    Opened { job, input }: &Opened,
    records: &[Record],
) -> Result<Done, SuiteError> {
    let answer = match input {
        Ok(input) => answer(suite, job, input, records, &mut rand::rng()),
        Err(reason) => failed(job, reason, &mut rand::rng()),
    };
    let sealer = match sealers.entry(job.consumer_key.clone()) {
        std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
        std::collections::btree_map::Entry::Vacant(new) => {
            new.insert(Sealer::new(&job.consumer_key, Label::SEAL_ANSWER, &mut rand::rng())?)
        }
    };
    let intent = job.permit.intent.id;
    let padded = zeroize::Zeroizing::new(answer.to_padded_at_least(likely_length(job)));
    let sealed = sealer.seal(intent.as_bytes(), intent.as_bytes(), &padded)?.to_bytes();
    let completion = Completion {
        intent,
        permit: job.permit.digest,
        answer: Digest::of(suite, Label::ANSWER, &sealed),
        fields_root: answer.fields_root(suite),
        lookup: None,
    };
    Ok(Done { intent, consumer: job.permit.permit.consumer.clone(), sealed, completion })
}
