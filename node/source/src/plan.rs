//! A mapping bound to the dataset that it fills.

use covenant_domain::{Dataset, FieldKind, FieldName, Record, Subject, Value};

use crate::{Conversion, FieldRule, Mapping, SourceError};

/// INVARIANT: every rule names a field of the dataset, of a fitting type, at most one rule per field.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) rules: Vec<FieldRule>,
    /// The dataset's fields in order, each with the index of its rule.
    slots: Vec<(FieldName, Option<usize>)>,
}

impl Plan {
    pub(crate) fn new(dataset: &Dataset, mapping: &Mapping) -> Result<Self, SourceError> {
        let whole = |detail: String| SourceError::Mapping { file: mapping.file.clone(), detail };
        if mapping.dataset != dataset.id {
            return Err(whole(format!("it fills `{}`, not `{}`", mapping.dataset, dataset.id)));
        }
        if mapping.key.subject() != dataset.subject {
            let (ours, theirs) = (mapping.key.subject(), dataset.subject);
            return Err(whole(format!("its subject is of kind `{ours}`, the dataset's of kind `{theirs}`")));
        }
        for (index, rule) in mapping.fields.iter().enumerate() {
            check_rule(dataset, rule, mapping.fields.get(..index).unwrap_or_default())
                .map_err(|detail| SourceError::MappingLine { file: mapping.file.clone(), line: rule.line, detail })?;
        }
        let rule_of = |name: &FieldName| mapping.fields.iter().position(|r| &r.name == name);
        let slots = dataset.fields.iter().map(|f| (f.name.clone(), rule_of(&f.name))).collect();
        Ok(Self { rules: mapping.fields.clone(), slots })
    }

    /// The record of one value per rule; fields without a rule are absent.
    pub(crate) fn record(&self, values: &[Value]) -> Record {
        let value = |rule: &Option<usize>| rule.and_then(|r| values.get(r)).cloned().unwrap_or(Value::Absent);
        Record { values: self.slots.iter().map(|(name, rule)| (name.clone(), value(rule))).collect() }
    }
}

fn check_rule(dataset: &Dataset, rule: &FieldRule, before: &[FieldRule]) -> Result<(), String> {
    let name = &rule.name;
    let field = dataset.field(name).ok_or_else(|| format!("dataset `{}` has no field `{name}`", dataset.id))?;
    if before.iter().any(|r| &r.name == name) {
        return Err(format!("field `{name}` is mapped twice"));
    }
    let kind = match rule.conversion {
        Conversion::Text { .. } => FieldKind::Text,
        Conversion::Integer | Conversion::Decimal { .. } => FieldKind::Integer,
        Conversion::Date { .. } => FieldKind::Date,
        Conversion::Boolean { .. } => FieldKind::Boolean,
        Conversion::Document { .. } => FieldKind::Document,
    };
    if kind == field.kind {
        return Ok(());
    }
    Err(format!("field `{name}` of the dataset is of kind {:?}, its `type` here gives {kind:?}", field.kind))
}

/// A stored record in the shape that the dataset has now: its fields in its order, absent where the record has none.
pub(crate) fn reshape(dataset: &Dataset, record: Record) -> Record {
    if record.values.iter().map(|(name, _)| name).eq(dataset.fields.iter().map(|f| &f.name)) {
        return record;
    }
    let value = |name: &FieldName| record.get(name).cloned().unwrap_or(Value::Absent);
    Record { values: dataset.fields.iter().map(|f| (f.name.clone(), value(&f.name))).collect() }
}

/// Refuses subjects of another kind than the dataset is keyed by.
pub(crate) fn check_kind(dataset: &Dataset, subjects: &[Subject]) -> Result<(), SourceError> {
    let (id, expected) = (dataset.id.clone(), dataset.subject);
    match subjects.iter().find(|s| s.kind() != expected) {
        Some(other) => Err(SourceError::SubjectKind { dataset: id, expected, offered: other.kind() }),
        None => Ok(()),
    }
}
