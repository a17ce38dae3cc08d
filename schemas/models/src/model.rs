//! What a model is made of.

use covenant_domain::{
    Bound, Dataset, DatasetId, Description, Field, FieldKind, FieldName, Grade, IdError, Level, MemberId, Mode, Names,
    ScoreHint, SubjectKind, Theme,
};
use serde::Serialize;

use crate::CodeList;

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Model {
    /// Code.
    pub code: &'static str,
    /// Version; fields are added in a later one, never taken away.
    pub version: u32,
    /// Name in Chinese.
    pub zh: &'static str,
    /// Name in English.
    pub en: &'static str,
    /// A sentence in Chinese.
    pub about_zh: &'static str,
    /// A sentence in English.
    pub about_en: &'static str,
    /// Standard or regulation that it follows.
    pub standard: &'static str,
    /// What its records are keyed by.
    pub subject: SubjectKind,
    /// Grade of a dataset of it.
    #[serde(skip)]
    pub grade: Grade,
    /// Subject matter.
    pub themes: &'static [Theme],
    /// Words to find it by: zh, en.
    pub keywords: &'static [(&'static str, &'static str)],
    /// Fields in their order.
    pub fields: &'static [ModelField],
    /// Rules over several fields.
    pub cross: &'static [Cross],
}

/// A field of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ModelField {
    /// Name.
    pub name: &'static str,
    /// Name in Chinese.
    pub zh: &'static str,
    /// Name in English.
    pub en: &'static str,
    /// Type of its values.
    pub kind: FieldKind,
    /// Level.
    pub level: Level,
    /// Whether it identifies or describes a natural person.
    pub personal: bool,
    /// Whether every record has it.
    pub required: bool,
    /// What its values must be.
    pub rule: Rule,
    /// Modes in which it is open.
    pub modes: &'static [Mode],
}

/// What values of a field must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Whatever its type allows.
    Any,
    /// A text of at most so many characters.
    Chars(u32),
    /// An integer in this range, both ends included.
    Range(i64, i64),
    /// A code of the list.
    Code(&'static CodeList),
    /// A unified social credit code.
    CreditCode,
    /// A resident number.
    ResidentNumber,
    /// A 28-digit real-estate unit number.
    UnitNumber,
    /// An identifier of an electronic licence.
    LicenceIdentifier,
    /// Percentages with `/` between that add up to 100, for example `60/40`.
    Shares,
}

/// A rule over several fields; it says nothing of records that lack one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cross {
    /// The first date is not after the second.
    InOrder(&'static str, &'static str),
    /// The first amount is not above the second.
    AtMost(&'static str, &'static str),
    /// The first number is one of the shares in the second.
    ShareOf(&'static str, &'static str),
    /// When one is there, so is the other.
    Together(&'static str, &'static str),
    /// When the flag is no, the other is absent.
    OnlyIf(&'static str, &'static str),
}

impl ModelField {
    /// A personal field of level L3 that every record has, open to comparison and detail.
    pub(crate) const fn personal(name: &'static str, zh: &'static str, en: &'static str, kind: FieldKind) -> Self {
        let modes = &[Mode::Match, Mode::Detail];
        Self { name, zh, en, kind, level: Level::L3, personal: true, required: true, rule: Rule::Any, modes }
    }

    /// A field about no person, of level L2.
    pub(crate) const fn plain(name: &'static str, zh: &'static str, en: &'static str, kind: FieldKind) -> Self {
        Self { level: Level::L2, personal: false, ..Self::personal(name, zh, en, kind) }
    }

    pub(crate) const fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    pub(crate) const fn rule(self, rule: Rule) -> Self {
        Self { rule, ..self }
    }

    pub(crate) const fn modes(self, modes: &'static [Mode]) -> Self {
        Self { modes, ..self }
    }

    pub(crate) const fn level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// The unit by the end of its name, for integers.
    pub fn unit(&self) -> Option<&'static str> {
        let ends = |unit: &&str| self.name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'));
        ["fen", "cm2", "percent", "days", "months"].into_iter().find(ends).filter(|_| self.kind == FieldKind::Integer)
    }

    /// The field of a dataset.
    ///
    /// # Errors
    /// [`IdError`] never happens with the names of shipped models; a test sees to it.
    pub fn field(&self) -> Result<Field, IdError> {
        let plain = Field::new(FieldName::new(self.name)?, Names::new(self.zh, self.en), self.kind, self.modes);
        let (personal, level) = (self.personal, Some(self.level));
        Ok(Field {
            unit: self.unit().map(str::to_owned),
            personal,
            level,
            bound: self.bound(),
            score: self.score(),
            ..plain
        })
    }

    fn bound(&self) -> Option<Bound> {
        match self.rule {
            Rule::Chars(most) => Some(Bound { max_chars: Some(most), ..Bound::default() }),
            Rule::Range(min, max) => Some(Bound { min: Some(min), max: Some(max), max_chars: None }),
            _ => None,
        }
    }

    fn score(&self) -> Option<ScoreHint> {
        match (self.kind, self.rule) {
            (FieldKind::Boolean, _) => Some(ScoreHint::Flag),
            (FieldKind::Integer, Rule::Range(min, max)) => {
                Some(ScoreHint::Number { bits: 64 - max.saturating_sub(min).unsigned_abs().max(1).leading_zeros() })
            }
            _ => None,
        }
    }
}

impl Model {
    /// Code and version, as a dataset's description names its model.
    pub fn reference(&self) -> String {
        format!("{}/{}", self.code, self.version)
    }

    /// Its field of this name.
    pub fn field(&self, name: &str) -> Option<&'static ModelField> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// What the catalogue says of a dataset of this model.
    pub fn description(&self) -> Description {
        Description {
            summary: Some(Names::new(self.about_zh, self.about_en)),
            keywords: self.keywords.iter().map(|(zh, en)| Names::new(zh, en)).collect(),
            themes: self.themes.to_vec(),
            model: Some(self.reference()),
            ..Description::default()
        }
    }

    /// A dataset of this model with all its fields, for a holder to adjust and publish.
    ///
    /// # Errors
    /// As [`ModelField::field`].
    pub fn dataset(&self, id: DatasetId, holder: MemberId) -> Result<Dataset, IdError> {
        let fields = self.fields.iter().map(ModelField::field).collect::<Result<_, _>>()?;
        let plain = Dataset::new(id, holder, Names::new(self.zh, self.en), fields);
        let (grade, subject) = (self.grade, self.subject);
        Ok(Dataset { duty_basis: self.standard.into(), grade, subject, about: Some(self.description()), ..plain })
    }

    /// Where a dataset departs from this model: fields the model does not know, or knows otherwise, and required fields
    /// that it lacks. It may leave optional fields out.
    pub fn departures(&self, dataset: &Dataset) -> Vec<String> {
        let mut out = Vec::new();
        if dataset.subject != self.subject {
            out.push(format!("it is keyed by {}, model `{}` by {}", dataset.subject, self.code, self.subject));
        }
        for field in &dataset.fields {
            match self.field(field.name.as_str()) {
                None => out.push(format!("model `{}` has no field `{}`", self.code, field.name)),
                Some(known) if known.kind != field.kind || known.unit() != field.unit.as_deref() => {
                    out.push(format!("field `{}` has another kind or unit than in model `{}`", field.name, self.code));
                }
                Some(_) => {}
            }
        }
        let lacks = |f: &&ModelField| f.required && !dataset.fields.iter().any(|d| d.name.as_str() == f.name);
        out.extend(self.fields.iter().filter(lacks).map(|f| format!("it lacks the required field `{}`", f.name)));
        out
    }
}
