//! What travels sealed between consumer and holder, and the commitments that prove what was withheld.

use covenant_canon::{CanonError, Digest, Label, SuiteId, from_bytes, to_bytes};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{DatasetId, FieldName, IntentId, Mode, Record, Subject, Value};

/// Smallest padded answer, in bytes. Answers are padded to this size times a power of two, so that hit and miss of one
/// query have the same length.
const PADDED_BYTES: usize = 1024;

/// What the consumer seals to the holder.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub struct QueryInput {
    /// About whom.
    #[n(0)]
    pub subject: Subject,
    /// Opening `r` of the commitment in the consent or intent.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub opening: [u8; 32],
    /// Values to compare, for mode `match`.
    #[n(2)]
    pub claims: Vec<(FieldName, Value)>,
}

impl Drop for QueryInput {
    fn drop(&mut self) {
        self.opening.zeroize();
    }
}

impl ZeroizeOnDrop for QueryInput {}

impl std::fmt::Debug for QueryInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueryInput(…)")
    }
}

/// Result of one comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum MatchOutcome {
    /// The value equals the record.
    #[n(0)]
    Equal,
    /// It does not.
    #[n(1)]
    Different,
    /// There is no record, or it has no value for the field.
    #[n(2)]
    Absent,
}

/// One compared field.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct FieldMatch {
    /// The field.
    #[n(0)]
    pub field: FieldName,
    /// The result.
    #[n(1)]
    pub outcome: MatchOutcome,
}

/// One field of a record in an answer: opened, or withheld behind its salted commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Disclosure {
    /// Released.
    #[n(0)]
    Open {
        /// The field.
        #[n(0)]
        field: FieldName,
        /// 16 random bytes that keep withheld values from being guessed.
        #[cbor(n(1), with = "minicbor::bytes")]
        #[serde(with = "hex")]
        salt: [u8; 16],
        /// Its value, after masking.
        #[n(2)]
        value: Value,
    },
    /// Withheld.
    #[n(1)]
    Closed {
        /// The field.
        #[n(0)]
        field: FieldName,
        /// Salted commitment to its value.
        #[n(1)]
        commitment: Digest,
    },
}

impl Disclosure {
    /// The field.
    pub fn field(&self) -> &FieldName {
        match self {
            Self::Open { field, .. } | Self::Closed { field, .. } => field,
        }
    }

    fn commitment(&self, suite: SuiteId, row: u32) -> Digest {
        match self {
            Self::Open { field, salt, value } => commit(suite, row, field, salt, value),
            Self::Closed { commitment, .. } => *commitment,
        }
    }
}

/// The opened answer of modes `match`, `detail` and `submit`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Answer {
    /// The intent it answers.
    #[n(0)]
    pub intent: IntentId,
    /// The dataset.
    #[n(1)]
    pub dataset: DatasetId,
    /// The mode.
    #[n(2)]
    pub mode: Mode,
    /// Comparisons, for mode `match`.
    #[n(3)]
    pub matches: Vec<FieldMatch>,
    /// Records, each with every field of the dataset in its order.
    #[n(4)]
    pub rows: Vec<Vec<Disclosure>>,
    /// Whether more records exist than the row cap let through.
    #[n(5)]
    pub truncated: bool,
    /// Why there is no result although a permit existed; the consumer alone learns it.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// 16 fresh random bytes. They keep the root on the ledger from telling a miss, a failure or the outcome of a
    /// comparison to those who can guess the rest.
    #[cbor(n(7), with = "minicbor::bytes")]
    #[serde(with = "hex")]
    pub salt: [u8; 16],
}

/// What the root on the ledger covers: the whole answer, with every field behind its commitment.
#[derive(Encode)]
#[cbor(map)]
struct Frame<'a> {
    #[n(0)]
    intent: IntentId,
    #[n(1)]
    dataset: &'a DatasetId,
    #[n(2)]
    mode: Mode,
    #[n(3)]
    matches: &'a [FieldMatch],
    #[n(4)]
    rows: Vec<Vec<(&'a FieldName, Digest)>>,
    #[n(5)]
    truncated: bool,
    #[n(6)]
    failure: Option<&'a str>,
    #[cbor(n(7), with = "minicbor::bytes")]
    salt: &'a [u8; 16],
}

/// Why an opened answer is not the one on the ledger.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The bytes are no padded answer.
    #[error("opened answer is malformed")]
    Malformed(#[source] CanonError),
    /// Padding is broken.
    #[error("opened answer has no valid padding")]
    Padding,
    /// The fields do not hash to the root of the completion.
    #[error("fields of the answer do not match the commitment root on the ledger")]
    FieldsRoot,
    /// A released field was not granted.
    #[error("field `{field}` was released although the permit does not grant it")]
    NotGranted {
        /// The field.
        field: FieldName,
    },
}

/// Salted commitments for a record: every field of the dataset, `released` ones opened.
///
/// `salts` yields 16 fresh random bytes per field.
pub fn disclose(
    suite: SuiteId,
    row: u32,
    record: &Record,
    released: &[FieldName],
    mut salts: impl FnMut() -> [u8; 16],
) -> Vec<Disclosure> {
    let one = |(field, value): &(FieldName, Value)| {
        let salt = salts();
        if released.contains(field) {
            Disclosure::Open { field: field.clone(), salt, value: value.clone() }
        } else {
            Disclosure::Closed { field: field.clone(), commitment: commit(suite, row, field, &salt, value) }
        }
    };
    record.values.iter().map(one).collect()
}

fn commit(suite: SuiteId, row: u32, field: &FieldName, salt: &[u8; 16], value: &Value) -> Digest {
    let value = to_bytes(value);
    Digest::of_parts(suite, Label::FIELD, &[&row.to_be_bytes(), field.as_str().as_bytes(), salt, &value])
}

impl Answer {
    /// Root over the whole answer: comparisons, flags, salt, and the commitments of all fields of all rows, in order.
    /// Closing an open field keeps it; any other change does not.
    pub fn fields_root(&self, suite: SuiteId) -> Digest {
        let frame = Frame {
            intent: self.intent,
            dataset: &self.dataset,
            mode: self.mode,
            matches: &self.matches,
            rows: (0u32..)
                .zip(&self.rows)
                .map(|(row, fields)| fields.iter().map(|f| (f.field(), f.commitment(suite, row))).collect())
                .collect(),
            truncated: self.truncated,
            failure: self.failure.as_deref(),
            salt: &self.salt,
        };
        Digest::of(suite, Label::FIELD, &to_bytes(&frame))
    }

    /// Canonical bytes, padded (ISO/IEC 7816-4: 0x80, then zeros) to hide the length.
    pub fn to_padded(&self) -> Vec<u8> {
        self.to_padded_at_least(0)
    }

    /// As [`Answer::to_padded`], never shorter than what `length` bytes would be padded to. Who answers gives the
    /// length of a likely hit, so that a miss or a failure of the same query is as long.
    pub fn to_padded_at_least(&self, length: usize) -> Vec<u8> {
        let mut bytes = to_bytes(self);
        bytes.push(0x80);
        let mut size = PADDED_BYTES;
        while size < bytes.len().max(length) {
            size *= 2;
        }
        bytes.resize(size, 0);
        bytes
    }

    /// Reads what [`Answer::to_padded`] wrote.
    ///
    /// # Errors
    /// [`AnswerError`] when padding or content is malformed.
    pub fn from_padded(bytes: &[u8]) -> Result<Self, AnswerError> {
        let end = bytes.iter().rposition(|b| *b != 0).ok_or(AnswerError::Padding)?;
        match bytes.split_at_checked(end) {
            Some((body, [0x80, ..])) => from_bytes(body).map_err(AnswerError::Malformed),
            _ => Err(AnswerError::Padding),
        }
    }

    /// Checks the answer against the root on the ledger and the fields of the permit.
    ///
    /// # Errors
    /// [`AnswerError::FieldsRoot`] or [`AnswerError::NotGranted`].
    pub fn check(&self, suite: SuiteId, fields_root: &Digest, granted: &[FieldName]) -> Result<(), AnswerError> {
        if &self.fields_root(suite) != fields_root {
            return Err(AnswerError::FieldsRoot);
        }
        let opened = self.rows.iter().flatten().filter(|d| matches!(d, Disclosure::Open { .. }));
        let compared = self.matches.iter().map(|m| &m.field);
        match opened.map(Disclosure::field).chain(compared).find(|f| !granted.contains(f)) {
            Some(field) => Err(AnswerError::NotGranted { field: field.clone() }),
            None => Ok(()),
        }
    }

    /// The released value of a field in the first row.
    pub fn value(&self, field: &FieldName) -> Option<&Value> {
        self.rows.first()?.iter().find_map(|d| match d {
            Disclosure::Open { field: name, value, .. } if name == field => Some(value),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> FieldName {
        FieldName::new(text).unwrap()
    }

    fn sample(released: &[FieldName]) -> Answer {
        let record = Record {
            values: vec![(name("address"), Value::Text("1 Road".into())), (name("area_cm2"), Value::Integer(900_000))],
        };
        let mut counter = 0;
        let rows = vec![disclose(SuiteId::Sm, 0, &record, released, || {
            counter += 1;
            [counter; 16]
        })];
        Answer {
            intent: IntentId::from_parts(1, &[0; 10]),
            dataset: DatasetId::new("cov:a/b/c/d/e").unwrap(),
            mode: Mode::Detail,
            matches: vec![],
            rows,
            truncated: false,
            failure: None,
            salt: [9; 16],
        }
    }

    #[test]
    fn withholding_a_field_keeps_the_root() {
        let open = sample(&[name("address"), name("area_cm2")]);
        let partly = sample(&[name("address")]);
        assert_eq!(open.fields_root(SuiteId::Sm), partly.fields_root(SuiteId::Sm));
        assert!(partly.value(&name("area_cm2")).is_none());
    }

    #[test]
    fn a_changed_value_or_an_ungranted_field_is_caught() {
        let answer = sample(&[name("address")]);
        let root = answer.fields_root(SuiteId::Sm);
        answer.check(SuiteId::Sm, &root, &[name("address")]).unwrap();
        assert!(matches!(answer.check(SuiteId::Sm, &root, &[]), Err(AnswerError::NotGranted { .. })));
        let mut forged = answer;
        if let Some(Disclosure::Open { value, .. }) = forged.rows[0].first_mut() {
            *value = Value::Text("2 Road".into());
        }
        assert!(matches!(forged.check(SuiteId::Sm, &root, &[name("address")]), Err(AnswerError::FieldsRoot)));
    }

    #[test]
    fn the_root_covers_comparisons_flags_salt_and_names() {
        let good = sample(&[name("address")]);
        let root = good.fields_root(SuiteId::Sm);
        let outcome = MatchOutcome::Equal;
        let mut renamed = good.clone();
        if let Some(Disclosure::Closed { field, .. }) = renamed.rows[0].last_mut() {
            *field = name("other");
        }
        let others = [
            Answer { matches: vec![FieldMatch { field: name("address"), outcome }], ..good.clone() },
            Answer { truncated: true, ..good.clone() },
            Answer { failure: Some(String::new()), ..good.clone() },
            Answer { salt: [0; 16], ..good.clone() },
            Answer { mode: Mode::Match, ..good.clone() },
            renamed,
        ];
        assert!(others.iter().all(|a| a.fields_root(SuiteId::Sm) != root));
    }

    #[test]
    fn padding_reaches_the_length_asked_for_and_reads_back() {
        let answer = sample(&[]);
        for (least, length) in [(0, 1024), (1024, 1024), (1025, 2048), (5000, 8192)] {
            let padded = answer.to_padded_at_least(least);
            assert_eq!(padded.len(), length);
            assert_eq!(Answer::from_padded(&padded).unwrap(), answer);
        }
    }

    #[test]
    fn hit_and_miss_have_one_length() {
        let hit = sample(&[name("address")]);
        let miss = Answer { rows: vec![], ..hit.clone() };
        assert_eq!(hit.to_padded().len(), miss.to_padded().len());
        assert_eq!(Answer::from_padded(&hit.to_padded()).unwrap(), hit);
        assert!(Answer::from_padded(&[0; 64]).is_err());
        assert!(Answer::from_padded(&[]).is_err());
    }
}
