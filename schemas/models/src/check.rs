//! Checks of one record. Faults tell the field and the rule, and never a value: records are personal data.

use covenant_domain::{CreditCode, Record, ResidentNumber, UnitNumber, Value};

use crate::{Cross, LicenceIdentifier, Model, ModelField, Rule};

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field.
    pub field: &'static str,
    /// What it should be.
    pub reason: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "field `{}` {}", self.field, self.reason)
    }
}

impl Model {
    /// Everything that is wrong with a record. Fields that the record does not name at all are not missed: a dataset may
    /// leave optional ones out, and [`Model::departures`] tells of required ones once, not row by row.
    pub fn check_record(&self, record: &Record) -> Vec<Fault> {
        let found = |field: &ModelField| Some((value(record, field.name)?, field.name));
        let mut faults = Vec::new();
        for field in self.fields {
            let Some((value, name)) = found(field) else { continue };
            let fault = match value {
                Value::Absent if field.required => Err("is required and has no value".to_owned()),
                Value::Absent => Ok(()),
                value => fits(field.rule, value),
            };
            faults.extend(fault.err().map(|reason| Fault { field: name, reason }));
        }
        faults.extend(self.cross.iter().filter_map(|rule| crossed(*rule, record)));
        faults
    }
}

fn value<'a>(record: &'a Record, name: &str) -> Option<&'a Value> {
    record.values.iter().find(|(n, _)| n.as_str() == name).map(|(_, v)| v)
}

fn present<'a>(record: &'a Record, name: &str) -> Option<&'a Value> {
    value(record, name).filter(|v| **v != Value::Absent)
}

fn fits(rule: Rule, value: &Value) -> Result<(), String> {
    match (rule, value) {
        (Rule::Any, _) => Ok(()),
        (Rule::Chars(most), Value::Text(text)) if text.chars().count() <= most as usize => Ok(()),
        (Rule::Chars(most), Value::Text(_)) => Err(format!("is longer than {most} characters")),
        (Rule::Range(least, most), Value::Integer(n)) if (least..=most).contains(n) => Ok(()),
        (Rule::Range(least, most), Value::Integer(_)) => Err(format!("is not between {least} and {most}")),
        (Rule::Code(list), Value::Text(text)) if list.entry(text).is_some() => Ok(()),
        (Rule::Code(list), Value::Text(_)) => {
            Err(format!("is no code of list `{}`: see `covenant record-model show`", list.code))
        }
        (Rule::CreditCode, Value::Text(text)) => CreditCode::new(text).map(drop).map_err(said),
        (Rule::ResidentNumber, Value::Text(text)) => ResidentNumber::new(text).map(drop).map_err(said),
        (Rule::UnitNumber, Value::Text(text)) => UnitNumber::new(text).map(drop).map_err(said),
        (Rule::LicenceIdentifier, Value::Text(text)) => LicenceIdentifier::new(text).map(drop).map_err(said),
        (Rule::Shares, Value::Text(text)) => match shares(text) {
            None => Err("is no list of percentages such as `60/40`".into()),
            Some(all) if all.iter().sum::<i64>() == 100 => Ok(()),
            Some(all) => Err(format!("adds up to {} percent instead of 100", all.iter().sum::<i64>())),
        },
        _ => Err("has a value of another type than its rule".into()),
    }
}

fn said(error: impl std::fmt::Display) -> String {
    format!("does not hold: {error}")
}

/// At most a hundred shares of 1 to 100 each.
fn shares(text: &str) -> Option<Vec<i64>> {
    let all: Option<Vec<i64>> = text.split('/').map(|s| s.trim().parse().ok()).collect();
    all.filter(|all| all.len() <= 100 && all.iter().all(|share| (1..=100).contains(share)))
}

fn crossed(rule: Cross, record: &Record) -> Option<Fault> {
    let at = |name| present(record, name);
    let fault = |field, reason: String| Some(Fault { field, reason });
    match rule {
        Cross::InOrder(earlier, later) => match (at(earlier)?, at(later)?) {
            // Dates are `YYYY-MM-DD`, so their texts stand in the order of the days.
            (Value::Date(a), Value::Date(b)) if a > b => fault(later, format!("lies before `{earlier}`")),
            _ => None,
        },
        Cross::AtMost(part, whole) => match (at(part)?, at(whole)?) {
            (Value::Integer(a), Value::Integer(b)) if a > b => fault(part, format!("is more than `{whole}`")),
            _ => None,
        },
        Cross::ShareOf(share, all) => match (at(share)?, at(all)?) {
            (Value::Integer(share_of), Value::Text(text)) if !shares(text)?.contains(share_of) => {
                fault(share, format!("is none of the shares in `{all}`"))
            }
            _ => None,
        },
        // Said of records that carry both fields; a dataset may leave one out altogether.
        Cross::Together(one, other) => match (value(record, one)?, value(record, other)?) {
            (Value::Absent, Value::Absent) => None,
            (Value::Absent, _) => fault(one, format!("has no value although `{other}` has one")),
            (_, Value::Absent) => fault(other, format!("has no value although `{one}` has one")),
            _ => None,
        },
        Cross::OnlyIf(flag, field) => match (at(flag)?, at(field)?) {
            (Value::Boolean(false), _) => fault(field, format!("has a value although `{flag}` is no")),
            _ => None,
        },
    }
}
