//! Mapping files: how columns become the fields of a dataset.

use std::path::{Path, PathBuf};

use covenant_canon::MAX_BYTES;
use covenant_domain::{DatasetId, FieldName, SubjectKind, normalise_text};
use jiff::civil::Date;
use serde::Deserialize;

use crate::SourceError;

/// A checked mapping file.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(crate) file: String,
    /// The dataset that is filled.
    pub dataset: DatasetId,
    /// Kind of the subject.
    pub key: KeyKind,
    /// Where the rows come from.
    pub origin: Origin,
    /// One rule per mapped field.
    pub fields: Vec<FieldRule>,
}

/// Where the rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A CSV file in UTF-8.
    Csv {
        /// Column of the subject; none for a synthetic one.
        subject_column: Option<String>,
        /// Byte between columns.
        delimiter: u8,
    },
    /// A live table.
    Table {
        /// Table, or `schema.table`.
        name: String,
        /// Column of the subject.
        key_column: String,
    },
}

/// What a row's subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// A resident number in a column.
    Resident,
    /// A credit code in a column.
    Company,
    /// A unit number in a column.
    Unit,
    /// A made-up resident derived from the row number: for public test tables that hold no persons.
    SyntheticResident,
    /// A made-up company derived from the row number.
    SyntheticCompany,
}

impl KeyKind {
    /// The kind of its subjects.
    pub fn subject(self) -> SubjectKind {
        match self {
            Self::Resident | Self::SyntheticResident => SubjectKind::Resident,
            Self::Company | Self::SyntheticCompany => SubjectKind::Company,
            Self::Unit => SubjectKind::Unit,
        }
    }

    /// Whether subjects are derived from row numbers.
    pub fn synthetic(self) -> bool {
        matches!(self, Self::SyntheticResident | Self::SyntheticCompany)
    }
}

/// How one column becomes one field.
#[derive(Debug, Clone)]
pub struct FieldRule {
    /// The dataset's field.
    pub name: FieldName,
    /// The column.
    pub column: String,
    /// Line of the rule in the mapping file.
    pub line: usize,
    /// Whether white space around the cell is ignored; otherwise it is a fault.
    pub trim: bool,
    /// Whether an empty cell is a fault.
    pub required: bool,
    /// What the text becomes.
    pub conversion: Conversion,
}

/// What a cell's text becomes.
#[derive(Debug, Clone)]
pub enum Conversion {
    /// Normalised text.
    Text {
        /// Most characters.
        max_length: Option<usize>,
        /// The only values, if any are listed.
        values: Vec<String>,
    },
    /// An integer.
    Integer,
    /// A decimal as an integer of 10^-scale units.
    Decimal {
        /// Decimals kept.
        scale: u32,
    },
    /// A date.
    Date {
        /// strptime format.
        format: String,
    },
    /// Yes or no; compared without ASCII case.
    Boolean {
        /// Texts of yes.
        yes: Vec<String>,
        /// Texts of no.
        no: Vec<String>,
    },
    /// A file below `base_dir`; without it the column of a live table holds the bytes.
    Document {
        /// Folder of the files.
        base_dir: Option<PathBuf>,
        /// Media type.
        media_type: String,
        /// Largest file.
        max_bytes: u64,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMapping {
    version: u32,
    dataset: DatasetId,
    subject: RawSubject,
    encoding: Option<String>,
    delimiter: Option<String>,
    table: Option<RawTable>,
    #[serde(rename = "field")]
    fields: Vec<toml::Spanned<RawField>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSubject {
    column: Option<String>,
    kind: KeyKind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    name: String,
    key_column: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawField {
    name: FieldName,
    column: String,
    #[serde(rename = "type")]
    kind: RawKind,
    trim: Option<bool>,
    required: Option<bool>,
    scale: Option<u32>,
    date_format: Option<String>,
    max_length: Option<usize>,
    values: Option<Vec<String>>,
    true_values: Option<Vec<String>>,
    false_values: Option<Vec<String>>,
    base_dir: Option<PathBuf>,
    media_type: Option<String>,
    max_bytes: Option<u64>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum RawKind {
    Text,
    Integer,
    Decimal,
    Date,
    Boolean,
    Document,
}

impl Mapping {
    /// Reads a mapping file. Document folders are relative to it.
    ///
    /// # Errors
    /// [`SourceError`] with the file and, where known, the line.
    pub fn load(path: &Path) -> Result<Self, SourceError> {
        let text = std::fs::read_to_string(path).map_err(|source| SourceError::File {
            action: "read",
            path: path.into(),
            source,
        })?;
        Self::parse(&text, &path.display().to_string(), path.parent().unwrap_or(Path::new(".")))
    }

    /// Parses a mapping; `file` names it in errors, document folders are relative to `folder`.
    ///
    /// # Errors
    /// [`SourceError`] with the file and, where known, the line.
    pub fn parse(text: &str, file: &str, folder: &Path) -> Result<Self, SourceError> {
        let at = |line: usize, detail: String| SourceError::MappingLine { file: file.to_owned(), line, detail };
        let whole = |detail: &str| SourceError::Mapping { file: file.to_owned(), detail: detail.to_owned() };
        let raw: RawMapping = toml::from_str(text).map_err(|error| match error.span() {
            Some(span) => at(line_of(text, span.start), error.message().to_owned()),
            None => whole(error.message()),
        })?;
        if raw.version != 1 {
            return Err(whole(&format!("version {} is not known: write `version = 1`", raw.version)));
        }
        let key = raw.subject.kind;
        let origin = origin(raw.table, raw.subject, raw.encoding, raw.delimiter).map_err(|d| whole(&d))?;
        let live = matches!(origin, Origin::Table { .. });
        let mut fields = Vec::with_capacity(raw.fields.len());
        for spanned in raw.fields {
            let line = line_of(text, spanned.span().start);
            fields.push(rule(spanned.into_inner(), line, folder, live).map_err(|d| at(line, d))?);
        }
        if fields.is_empty() {
            return Err(whole("no `[[field]]`: map at least one column"));
        }
        Ok(Self { file: file.to_owned(), dataset: raw.dataset, key, origin, fields })
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|b| *b == b'\n').count()
}

fn origin(
    table: Option<RawTable>,
    subject: RawSubject,
    encoding: Option<String>,
    delimiter: Option<String>,
) -> Result<Origin, String> {
    let Some(table) = table else { return csv_origin(subject, encoding, delimiter) };
    if encoding.is_some() || delimiter.is_some() {
        return Err("a `[table]` has no `encoding` and no `delimiter`: remove them".into());
    }
    if subject.kind.synthetic() {
        return Err("a `[table]` has no row numbers: use `resident`, `company` or `unit` subjects".into());
    }
    if subject.column.is_some_and(|c| c != table.key_column) {
        return Err("`subject.column` differs from `table.key_column`: keep the latter only".into());
    }
    Ok(Origin::Table { name: table.name, key_column: table.key_column })
}

fn csv_origin(subject: RawSubject, encoding: Option<String>, delimiter: Option<String>) -> Result<Origin, String> {
    match encoding.unwrap_or_else(|| "utf-8".into()).to_ascii_lowercase().as_str() {
        "utf-8" => {}
        "gb18030" => {
            return Err("this build does not read `gb18030`: convert the file first, for example with \
                        `iconv -f gb18030 -t utf-8`, and write `encoding = \"utf-8\"`"
                .into());
        }
        other => return Err(format!("encoding `{other}` is not known: use `utf-8`")),
    }
    let delimiter = match delimiter.as_deref().unwrap_or(",").as_bytes() {
        [byte @ (b',' | b';' | b'\t' | b'|')] => *byte,
        _ => return Err("`delimiter` must be one of `,`, `;`, `|` and tab".into()),
    };
    if subject.column.is_none() && !subject.kind.synthetic() {
        return Err("`subject` names no `column`".into());
    }
    let subject_column = subject.column.filter(|_| !subject.kind.synthetic());
    Ok(Origin::Csv { subject_column, delimiter })
}

fn rule(raw: RawField, line: usize, folder: &Path, live: bool) -> Result<FieldRule, String> {
    refuse_strangers(&raw)?;
    let conversion = match raw.kind {
        RawKind::Text => {
            let values = raw.values.unwrap_or_default().iter().map(|v| normalise_text(v)).collect();
            Conversion::Text { max_length: raw.max_length, values }
        }
        RawKind::Integer => Conversion::Integer,
        RawKind::Decimal => match raw.scale.unwrap_or(0) {
            scale @ 0..=18 => Conversion::Decimal { scale },
            scale => return Err(format!("`scale = {scale}` is beyond 64 bits: use 0 to 18")),
        },
        RawKind::Date => Conversion::Date { format: date_format(raw.date_format)? },
        RawKind::Boolean => boolean(raw.true_values, raw.false_values)?,
        RawKind::Document => {
            if raw.base_dir.is_none() && !live {
                return Err("a document of a csv file needs `base_dir`, the folder of the files".into());
            }
            let media_type = raw.media_type.ok_or("a document needs `media_type`, for example `application/pdf`")?;
            let max_bytes = raw.max_bytes.unwrap_or(1 << 20);
            if max_bytes > MAX_BYTES as u64 / 2 {
                return Err(format!("`max_bytes` is above {}, the most that a record can carry", MAX_BYTES / 2));
            }
            Conversion::Document { base_dir: raw.base_dir.map(|d| folder.join(d)), media_type, max_bytes }
        }
    };
    let (trim, required) = (raw.trim.unwrap_or(true), raw.required.unwrap_or(false));
    Ok(FieldRule { name: raw.name, column: raw.column, line, trim, required, conversion })
}

/// Options of another type would be ignored without a word: refused instead.
fn refuse_strangers(raw: &RawField) -> Result<(), String> {
    let options: [(&str, bool, RawKind); 9] = [
        ("scale", raw.scale.is_some(), RawKind::Decimal),
        ("date_format", raw.date_format.is_some(), RawKind::Date),
        ("max_length", raw.max_length.is_some(), RawKind::Text),
        ("values", raw.values.is_some(), RawKind::Text),
        ("true_values", raw.true_values.is_some(), RawKind::Boolean),
        ("false_values", raw.false_values.is_some(), RawKind::Boolean),
        ("base_dir", raw.base_dir.is_some(), RawKind::Document),
        ("media_type", raw.media_type.is_some(), RawKind::Document),
        ("max_bytes", raw.max_bytes.is_some(), RawKind::Document),
    ];
    match options.iter().find(|(_, given, kind)| *given && *kind != raw.kind) {
        Some((option, ..)) => Err(format!("field `{}`: `{option}` does not apply to this `type`", raw.name)),
        None => Ok(()),
    }
}

/// A format must bring back the day that it printed.
fn date_format(format: Option<String>) -> Result<String, String> {
    let format = format.unwrap_or_else(|| "%Y-%m-%d".into());
    let day = Date::constant(2021, 11, 23);
    let printed = jiff::fmt::strtime::format(&format, day).map_err(|e| format!("`date_format`: {e}"))?;
    match Date::strptime(&format, &printed) {
        Ok(read) if read == day => Ok(format),
        _ => Err(format!("`date_format = \"{format}\"` does not tell a day: use for example `%Y-%m-%d`")),
    }
}

fn boolean(yes: Option<Vec<String>>, no: Option<Vec<String>>) -> Result<Conversion, String> {
    let owned = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let (yes, no) = match (yes, no) {
        (None, None) => (owned(&["true", "1", "yes", "y", "是"]), owned(&["false", "0", "no", "n", "否"])),
        (Some(yes), Some(no)) if !yes.is_empty() && !no.is_empty() => (yes, no),
        _ => return Err("give both `true_values` and `false_values`".into()),
    };
    match yes.iter().find(|y| no.iter().any(|n| n.eq_ignore_ascii_case(y))) {
        Some(both) => Err(format!("`{both}` is in `true_values` and in `false_values`")),
        None => Ok(Conversion::Boolean { yes, no }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "version = 1\ndataset = \"cov:a/gov/b/c/d\"\nsubject = { column = \"id\", kind = \"resident\" }\n";

    fn parse(rest: &str) -> Result<Mapping, String> {
        Mapping::parse(&format!("{HEAD}{rest}"), "m.toml", Path::new("/base")).map_err(|e| e.to_string())
    }

    #[test]
    fn a_mapping_reads() {
        let text = "encoding = \"UTF-8\"\ndelimiter = \";\"\n[[field]]\nname = \"area\"\ncolumn = \"面积\"\ntype = \"decimal\"\nscale = 2\n\
                    [[field]]\nname = \"scan\"\ncolumn = \"f\"\ntype = \"document\"\nbase_dir = \"d\"\nmedia_type = \"application/pdf\"\n";
        let mapping = parse(text).unwrap();
        assert_eq!(mapping.origin, Origin::Csv { subject_column: Some("id".into()), delimiter: b';' });
        assert!(matches!(mapping.fields[0].conversion, Conversion::Decimal { scale: 2 }));
        assert!(
            matches!(&mapping.fields[1].conversion, Conversion::Document { base_dir: Some(d), .. } if d == Path::new("/base/d"))
        );
    }

    #[test]
    fn faults_name_file_line_and_remedy() {
        let field = "[[field]]\nname = \"a\"\ncolumn = \"a\"\n";
        for (rest, needles) in [
            ("colour = 1\n", vec!["m.toml", "line 4", "colour"]),
            ("encoding = \"latin-1\"\nfield = []\n", vec!["latin-1", "utf-8"]),
            ("encoding = \"gb18030\"\nfield = []\n", vec!["iconv"]),
            ("delimiter = \"ab\"\nfield = []\n", vec!["delimiter"]),
            ("field = []\n", vec!["[[field]]"]),
            (&format!("{field}type = \"txt\"\n"), vec!["line 7", "txt"]),
            (&format!("{field}type = \"text\"\nscale = 2\n"), vec!["line 4", "scale"]),
            (&format!("{field}type = \"decimal\"\nscale = 19\n"), vec!["0 to 18"]),
            (&format!("{field}type = \"date\"\ndate_format = \"%Y-%m\"\n"), vec!["line 4", "%Y-%m"]),
            (&format!("{field}type = \"document\"\nmedia_type = \"a/b\"\n"), vec!["base_dir"]),
            (&format!("{field}type = \"boolean\"\ntrue_values = [\"1\"]\n"), vec!["false_values"]),
            (&format!("{field}type = \"text\"\n[table]\nname = \"t\"\nkey_column = \"k\"\n"), vec!["key_column"]),
        ] {
            let error = parse(rest).unwrap_err();
            assert!(needles.iter().all(|n| error.contains(n)), "{rest}: {error}");
        }
    }
}
