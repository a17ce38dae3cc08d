//! Values that the consumer has and wants compared.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use covenant_domain::{Dataset, FieldKind, FieldName, Value};
use jiff::civil::Date;

use crate::context::Context;
use crate::error::CliError;
use crate::files;

/// How claims are given.
#[derive(Debug, Args)]
pub(crate) struct ClaimArgs {
    /// A value to compare, for mode `match`; repeat it for more. For personal values use `--claims-file`
    #[arg(long = "claim", value_name = "FIELD=VALUE")]
    claims: Vec<Claim>,
    /// File with one `field=value` on each line
    #[arg(long, value_name = "FILE")]
    claims_file: Option<PathBuf>,
}

/// A field and the text of its value. Silent in `Debug`.
#[derive(Clone)]
pub(crate) struct Claim {
    field: FieldName,
    text: String,
}

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claim({}=…)", self.field)
    }
}

impl FromStr for Claim {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (field, value) = text.split_once('=').ok_or("expected `field=value`")?;
        let field = FieldName::new(field.trim()).map_err(|e| e.to_string())?;
        Ok(Self { field, text: value.trim().to_owned() })
    }
}

impl ClaimArgs {
    /// Reads all claims.
    pub(crate) fn read(self) -> Result<Vec<Claim>, CliError> {
        let mut all = self.claims;
        let Some(path) = self.claims_file else { return Ok(all) };
        let bytes = files::read(&path)?;
        let text =
            std::str::from_utf8(&bytes).map_err(|_| files::content(&path, "a list of claims", "not UTF-8 text"))?;
        for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
            let wrong = |reason: String| files::content(&path, "a list of claims", format!("line {number}: {reason}"));
            all.push(line.parse().map_err(wrong)?);
        }
        Ok(all)
    }

    /// Whether a value stands on the command line.
    pub(crate) fn typed(&self) -> bool {
        !self.claims.is_empty()
    }
}

/// Claims as values of the dataset's fields.
pub(crate) fn values(dataset: &Dataset, claims: Vec<Claim>) -> Result<Vec<(FieldName, Value)>, CliError> {
    claims.into_iter().map(|claim| value(dataset, claim)).collect()
}

/// No error repeats the value.
fn value(dataset: &Dataset, Claim { field, text }: Claim) -> Result<(FieldName, Value), CliError> {
    let Some(kind) = dataset.field(&field).map(|f| f.kind) else {
        return Err(CliError::usage(format!("dataset `{}` has no field `{field}`", dataset.id)));
    };
    let wrong = |expected: &str| CliError::usage(format!("the claim on `{field}` must be {expected}"));
    let value = match kind {
        FieldKind::Text => Value::Text(text),
        FieldKind::Integer => Value::Integer(text.parse().map_err(|_| wrong("a whole number in the field's unit"))?),
        FieldKind::Date => {
            let date: Date = text.parse().map_err(|_| wrong("a date such as 2026-01-31"))?;
            Value::Date(date.to_string())
        }
        FieldKind::Boolean => match text.as_str() {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            _ => return Err(wrong("`true` or `false`")),
        },
        FieldKind::Document => return Err(CliError::usage(format!("documents such as `{field}` are not compared"))),
    };
    Ok((field, value))
}

/// Warns of personal values on the command line.
pub(crate) fn warn_of_personal(context: &Context, dataset: &Dataset, claims: &[(FieldName, Value)]) {
    let personal = claims.iter().find(|(name, _)| dataset.field(name).is_some_and(|f| f.personal));
    if let Some((name, _)) = personal {
        context.printer.note(&format!(
            "warning: `{name}` is personal data and its claim now stands in the shell's history; use `--claims-file FILE`"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn homes() -> Dataset {
        let all = covenant_demo::catalogue::datasets().unwrap();
        all.into_iter().find(|d| d.id.name() == "homes").unwrap()
    }

    fn one(text: &str) -> Result<Value, String> {
        let claim: Claim = text.parse()?;
        values(&homes(), vec![claim]).map(|mut v| v.remove(0).1).map_err(|e| e.to_string())
    }

    #[test]
    fn claims_take_the_kind_of_their_field() {
        assert_eq!(one("address= 云港市1号 ").unwrap(), Value::Text("云港市1号".into()));
        assert_eq!(one("area_cm2=900000").unwrap(), Value::Integer(900_000));
        assert_eq!(one("registered_on=2026-01-31").unwrap(), Value::Date("2026-01-31".into()));
        assert_eq!(one("seized=true").unwrap(), Value::Boolean(true));
        assert_eq!(one("address=a=b").unwrap(), Value::Text("a=b".into()));
    }

    #[test]
    fn errors_name_the_field_and_not_the_value() {
        for bad in ["area_cm2=secret", "registered_on=secret", "seized=secret", "nothing=secret"] {
            let error = one(bad).unwrap_err();
            assert!(error.contains(bad.split('=').next().unwrap()) && !error.contains("secret"), "{error}");
        }
        assert!(one("address").is_err());
        let claim: Claim = "address=secret".parse().unwrap();
        assert!(!format!("{claim:?}").contains("secret"));
    }
}
