//! One cell of text to one value.

use std::borrow::Cow;
use std::path::{Component, Path};

use covenant_domain::{SubjectError, Value, normalise_text};
use jiff::civil::Date;

use crate::{Conversion, FieldRule, number};

/// What is wrong with a cell. Never repeats the cell: it may be personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CellFault {
    /// Empty though required.
    #[error("is empty but required")]
    Empty,
    /// White space around it though `trim = false`.
    #[error("has white space around it")]
    Untrimmed,
    /// Bytes that are not text in the mapping's encoding.
    #[error("is not valid utf-8: convert the file to utf-8 first")]
    Encoding,
    /// Not an integer.
    #[error("is not an integer such as `-12` (for `12.0` or `1.2E+01` map it as `decimal`)")]
    NotInteger,
    /// Not a decimal.
    #[error("is not a decimal such as `-12.50`")]
    NotDecimal,
    /// Digits that the scale would lose.
    #[error("has more than {scale} decimals: raise `scale`")]
    TooPrecise {
        /// Decimals that the mapping keeps.
        scale: u32,
    },
    /// Outside 64 bits.
    #[error("is a number beyond 64 bits")]
    TooLarge,
    /// Not a date of the format.
    #[error("is not a date of the form `{format}`")]
    NotDate {
        /// The mapping's `date_format`.
        format: String,
    },
    /// Neither yes nor no.
    #[error("is neither one of `true_values` nor one of `false_values`")]
    NotBoolean,
    /// Too many characters.
    #[error("has more than {max} characters")]
    TooLong {
        /// The mapping's `max_length`.
        max: usize,
    },
    /// Not one of the listed values.
    #[error("is not one of the mapping's `values`")]
    NotListed,
    /// No document there.
    #[error("names no readable file under `base_dir`")]
    NoDocument,
    /// Document too large.
    #[error("is a document of more than {max} bytes")]
    LargeDocument {
        /// The mapping's `max_bytes`.
        max: u64,
    },
    /// A live column that holds something else than bytes.
    #[error("does not hold bytes")]
    NotBytes,
    /// Not a subject of the kind.
    #[error("is not a valid subject: {0}")]
    NotSubject(SubjectError),
}

/// The value of a cell; an empty cell is absent.
pub(crate) fn convert(rule: &FieldRule, text: &str) -> Result<Value, CellFault> {
    let text = trimmed(rule, text)?;
    if text.is_empty() {
        return if rule.required { Err(CellFault::Empty) } else { Ok(Value::Absent) };
    }
    match &rule.conversion {
        Conversion::Text { max_length, values } => listed(&text, *max_length, values).map(Value::Text),
        Conversion::Integer => number::integer(&text).map(Value::Integer),
        Conversion::Decimal { scale } => number::decimal(&text, *scale).map(Value::Integer),
        Conversion::Date { format } => date(&text, format).map(Value::Date),
        Conversion::Boolean { yes, no } => boolean(&text, yes, no).map(Value::Boolean),
        Conversion::Document { base_dir, media_type, max_bytes } => {
            let bytes = match base_dir {
                Some(base) => document(base, &text, *max_bytes)?,
                None => hex::decode(text.as_ref()).map_err(|_| CellFault::NotBytes)?,
            };
            sized(bytes, *max_bytes).map(|bytes| Value::Document { media_type: media_type.clone(), bytes })
        }
    }
}

fn trimmed<'t>(rule: &FieldRule, text: &'t str) -> Result<Cow<'t, str>, CellFault> {
    if !rule.trim && text.trim() != text {
        return Err(CellFault::Untrimmed);
    }
    Ok(normalised(text))
}

/// As [`normalise_text`], without copying what is in normal form already: a long import spends its time here.
pub(crate) fn normalised(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let plain = text.bytes().all(|b| b.is_ascii() && (b == b' ' || !b.is_ascii_whitespace()) && b != 0x0b);
    if plain && !text.contains("  ") { Cow::Borrowed(text) } else { Cow::Owned(normalise_text(text)) }
}

fn listed(text: &str, max_length: Option<usize>, values: &[String]) -> Result<String, CellFault> {
    match max_length {
        Some(max) if text.chars().count() > max => Err(CellFault::TooLong { max }),
        _ if !values.is_empty() && !values.iter().any(|v| v == text) => Err(CellFault::NotListed),
        _ => Ok(text.to_owned()),
    }
}

fn date(text: &str, format: &str) -> Result<String, CellFault> {
    let wrong = || CellFault::NotDate { format: format.to_owned() };
    let date = Date::strptime(format, text).map_err(|_| wrong())?;
    if date.year() < 1 { Err(wrong()) } else { Ok(date.to_string()) }
}

fn boolean(text: &str, yes: &[String], no: &[String]) -> Result<bool, CellFault> {
    let among = |list: &[String]| list.iter().any(|v| v.eq_ignore_ascii_case(text));
    match (among(yes), among(no)) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(CellFault::NotBoolean),
    }
}

/// Reads a document below `base`. INVARIANT: neither `..`, an absolute path nor a link leads out of it.
fn document(base: &Path, name: &str, max: u64) -> Result<Vec<u8>, CellFault> {
    let relative = Path::new(name);
    if !relative.components().all(|c| matches!(c, Component::Normal(_))) {
        return Err(CellFault::NoDocument);
    }
    let inside = |path: &Path| path.canonicalize().map_err(|_| CellFault::NoDocument);
    let path = inside(&base.join(relative))?;
    let size = path.metadata().map_err(|_| CellFault::NoDocument)?;
    if !path.starts_with(inside(base)?) || !size.is_file() {
        return Err(CellFault::NoDocument);
    }
    if size.len() > max {
        return Err(CellFault::LargeDocument { max });
    }
    std::fs::read(&path).map_err(|_| CellFault::NoDocument)
}

fn sized(bytes: Vec<u8>, max: u64) -> Result<Vec<u8>, CellFault> {
    if bytes.len() as u64 > max { Err(CellFault::LargeDocument { max }) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_domain::FieldName;

    fn rule(conversion: Conversion) -> FieldRule {
        let name = FieldName::new("x").unwrap();
        FieldRule { name, column: "x".into(), line: 1, trim: true, required: false, conversion }
    }

    #[test]
    fn texts_are_normalised_and_bounded() {
        let text = rule(Conversion::Text { max_length: Some(5), values: vec![] });
        assert_eq!(convert(&text, "　１２ \t楼 "), Ok(Value::Text("12 楼".into())));
        assert_eq!(convert(&text, "云港市一二三"), Err(CellFault::TooLong { max: 5 }));
        assert_eq!(convert(&text, " a \u{b} b "), Ok(Value::Text("a b".into())));
        assert_eq!(convert(&text, "  "), Ok(Value::Absent));
        assert_eq!(convert(&FieldRule { required: true, ..text.clone() }, " "), Err(CellFault::Empty));
        assert_eq!(convert(&FieldRule { trim: false, ..text }, "a "), Err(CellFault::Untrimmed));
        let listed = rule(Conversion::Text { max_length: None, values: vec!["甲".into()] });
        assert_eq!(convert(&listed, "乙"), Err(CellFault::NotListed));
    }

    #[test]
    fn normalised_equals_the_domain_form() {
        for text in
            ["", " ", "a", " a  b ", "a\tb", "a\u{b}b", "a\u{1c}b", "a\u{85}b", "Ａ", "é", "e\u{301}", "a\nb\r\n"]
        {
            assert_eq!(normalised(text), normalise_text(text), "{text:?}");
        }
    }

    #[test]
    fn dates_and_booleans() {
        let us = rule(Conversion::Date { format: "%m/%d/%y".into() });
        assert_eq!(convert(&us, "1/9/15"), Ok(Value::Date("2015-01-09".into())));
        assert_eq!(convert(&us, "1/1/87"), Ok(Value::Date("1987-01-01".into())));
        for bad in ["2/30/15", "13/1/15", "2015-01-09", "1/9/15 x"] {
            assert!(convert(&us, bad).is_err(), "{bad}");
        }
        let flag = rule(Conversion::Boolean { yes: vec!["Y".into(), "是".into()], no: vec!["N".into()] });
        assert_eq!(convert(&flag, "y"), Ok(Value::Boolean(true)));
        assert_eq!(convert(&flag, "maybe"), Err(CellFault::NotBoolean));
    }

    #[test]
    fn documents_stay_below_their_folder() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("scans");
        std::fs::create_dir(&base).unwrap();
        std::fs::write(base.join("a.pdf"), b"%PDF").unwrap();
        std::fs::write(dir.path().join("secret"), b"x").unwrap();
        std::os::unix::fs::symlink(dir.path().join("secret"), base.join("link")).unwrap();
        let of = |max_bytes| {
            rule(Conversion::Document { base_dir: Some(base.clone()), media_type: "application/pdf".into(), max_bytes })
        };
        assert!(matches!(convert(&of(9), "a.pdf"), Ok(Value::Document { bytes, .. }) if bytes == b"%PDF"));
        assert_eq!(convert(&of(3), "a.pdf"), Err(CellFault::LargeDocument { max: 3 }));
        for bad in ["../secret", "/etc/passwd", "link", "missing", "."] {
            assert_eq!(convert(&of(9), bad), Err(CellFault::NoDocument), "{bad}");
        }
    }
}
