//! What each mode puts into an answer.

use covenant_canon::SuiteId;
use covenant_domain::{
    Answer, Dataset, FieldMatch, FieldName, MatchOutcome, Mode, QueryInput, Record, Value, disclose, normalise_text,
};
use rand::Rng;

use crate::job::Job;

/// Bytes of an answer beside its rows, rounded up.
const FRAME_BYTES: usize = 256;
/// Bytes of a withheld field beside its name.
const CLOSED_BYTES: usize = 48;
/// Bytes of a compared or released field beside its name, its value taken as a line of text.
const ASKED_BYTES: usize = 160;

/// Answers a job from the records found.
pub(crate) fn answer(suite: SuiteId, job: &Job, input: &QueryInput, records: &[Record], rng: &mut impl Rng) -> Answer {
    let obligations = &job.permit.permit.obligations;
    let cap = obligations.max_rows as usize;
    let released: &[FieldName] = match job.permit.intent.mode {
        Mode::Match | Mode::Lookup => &[],
        Mode::Detail | Mode::Submit => &obligations.fields,
    };
    let matches = match job.permit.intent.mode {
        Mode::Match => obligations.fields.iter().map(|f| compare(f, input, records.first())).collect(),
        Mode::Lookup | Mode::Detail | Mode::Submit => Vec::new(),
    };
    let whole = fresh_salt(rng);
    let mut salt = || fresh_salt(rng);
    let rows = (0u32..).zip(records.iter().take(cap)).map(|(row, record)| {
        let record = masked(&job.dataset, &obligations.masked, released, record);
        disclose(suite, row, &record, released, &mut salt)
    });
    Answer { rows: rows.collect(), matches, truncated: records.len() > cap, ..empty(job, whole) }
}

/// An answer that says why there is none; the consumer alone reads it.
pub(crate) fn failed(job: &Job, reason: &str, rng: &mut impl Rng) -> Answer {
    Answer { failure: Some(reason.to_owned()), ..empty(job, fresh_salt(rng)) }
}

/// Length of a likely hit: one record with every field of the dataset. It depends on nothing but what the ledger shows,
/// and misses and failures are padded to it.
pub(crate) fn likely_length(job: &Job) -> usize {
    let asked = &job.permit.permit.obligations.fields;
    let one = |name: &FieldName| name.as_str().len() + if asked.contains(name) { ASKED_BYTES } else { CLOSED_BYTES };
    FRAME_BYTES + job.dataset.fields.iter().map(|f| one(&f.name)).sum::<usize>()
}

fn fresh_salt(rng: &mut impl Rng) -> [u8; 16] {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn empty(job: &Job, salt: [u8; 16]) -> Answer {
    Answer {
        intent: job.permit.intent.id,
        dataset: job.dataset.id.clone(),
        mode: job.permit.intent.mode,
        matches: Vec::new(),
        rows: Vec::new(),
        truncated: false,
        failure: None,
        salt,
    }
}

fn compare(field: &FieldName, input: &QueryInput, record: Option<&Record>) -> FieldMatch {
    let claimed = input.claims.iter().find(|(f, _)| f == field).map(|(_, v)| v);
    let outcome = match (claimed, record.and_then(|r| r.get(field))) {
        (_, None | Some(Value::Absent)) | (None, _) => MatchOutcome::Absent,
        (Some(claimed), Some(recorded)) if same(claimed, recorded) => MatchOutcome::Equal,
        _ => MatchOutcome::Different,
    };
    FieldMatch { field: field.clone(), outcome }
}

/// Equality of values; texts in their normal form.
fn same(claimed: &Value, recorded: &Value) -> bool {
    match (claimed, recorded) {
        (Value::Text(a), Value::Text(b)) => normalise_text(a) == normalise_text(b),
        (a, b) => a == b,
    }
}

/// The record with masks applied to released fields; withheld ones stay true under their commitments.
fn masked(dataset: &Dataset, masks: &[FieldName], released: &[FieldName], record: &Record) -> Record {
    let one = |(name, value): &(FieldName, Value)| {
        if !(masks.contains(name) && released.contains(name)) {
            return (name.clone(), value.clone());
        }
        // A mask the permit demands and the description at hand no longer has: nothing leaves rather than all.
        let mask = dataset.field(name).and_then(|f| f.mask);
        (name.clone(), mask.map_or(Value::Absent, |m| m.apply(value)))
    };
    Record { values: record.values.iter().map(one).collect() }
}
