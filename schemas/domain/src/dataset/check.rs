//! What must hold before a dataset is published.

use std::collections::BTreeSet;

use super::{Bound, Dataset, Description, Field, FieldKind, Grade, Level, Mask, Quality, ScoreHint, Sharing};
use crate::{DatasetId, FieldName, MemberId};

/// Most fields of a dataset.
pub const MAX_FIELDS: usize = 200;
/// Most records of an answer.
const MAX_ROWS: u32 = 100;
/// Most bureaus that sign beside the holder.
const MAX_COSIGNERS: usize = 8;
/// Most keywords.
const MAX_KEYWORDS: usize = 32;
/// Most bins of a scoring table.
const MAX_EDGES: usize = 2_047;
/// Endings of names of integer fields that are their unit.
const UNITS: [&str; 8] = ["fen", "cm2", "percent", "permille", "days", "months", "years", "ms"];

/// Why a dataset description is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatasetError {
    /// No field at all.
    #[error("dataset `{id}` has no fields")]
    NoFields {
        /// The dataset.
        id: DatasetId,
    },
    /// More fields than the format carries.
    #[error("dataset `{id}` has {found} fields, at most 200 are allowed: split it by subject matter")]
    TooManyFields {
        /// The dataset.
        id: DatasetId,
        /// How many it has.
        found: usize,
    },
    /// More or fewer rows than the format carries.
    #[error("dataset `{id}` answers with up to {found} records, 1 to 100 are allowed")]
    Rows {
        /// The dataset.
        id: DatasetId,
        /// What it says.
        found: u32,
    },
    /// Two fields of one name.
    #[error("dataset `{id}` names field `{field}` twice")]
    DuplicateField {
        /// The dataset.
        id: DatasetId,
        /// The field.
        field: FieldName,
    },
    /// A mode named twice.
    #[error("field `{field}` names a mode twice")]
    ModesRepeated {
        /// The field.
        field: FieldName,
    },
    /// An amount without its unit, or a unit on what is no amount.
    #[error("field `{field}`: {fault}")]
    Unit {
        /// The field.
        field: FieldName,
        /// What is wrong with its unit.
        fault: String,
    },
    /// A mask on values it does not fit.
    #[error(
        "the mask of field `{field}` does not fit its kind: `keep` is for texts, `floor` for integers with a step above 0, `year` for dates"
    )]
    MaskMisfit {
        /// The field.
        field: FieldName,
    },
    /// A personal value that would leave before its receipt.
    #[error(
        "field `{field}` is personal and not masked, and the dataset is graded general, so answers leave before their receipt: grade it important, or mask the field"
    )]
    PersonalGeneral {
        /// The field.
        field: FieldName,
    },
    /// A sensitive field in a dataset graded general.
    #[error("field `{field}` has level {level:?}, a dataset graded general carries L1 and L2 only: grade it important")]
    LevelAboveGrade {
        /// The field.
        field: FieldName,
        /// Its level.
        level: Level,
    },
    /// Not shared, and yet open.
    #[error("dataset `{id}` is not shared at all, yet field `{field}` is open to a mode: leave its modes empty")]
    RefusedOpen {
        /// The dataset.
        id: DatasetId,
        /// The first such field.
        field: FieldName,
    },
    /// Bounds that do not fit the kind, or leave no value.
    #[error("the bound of field `{field}` {fault}")]
    Bound {
        /// The field.
        field: FieldName,
        /// What is wrong.
        fault: &'static str,
    },
    /// A scoring hint that does not fit.
    #[error("the scoring hint of field `{field}` {fault}")]
    Score {
        /// The field.
        field: FieldName,
        /// What is wrong.
        fault: &'static str,
    },
    /// Co-signers that are not sorted and distinct, or name the holder.
    #[error("the co-signers of dataset `{id}` {fault}")]
    Cosigners {
        /// The dataset.
        id: DatasetId,
        /// What is wrong.
        fault: String,
    },
    /// A text of the description is too long or empty.
    #[error("{what} of dataset `{id}` has {found} characters, 1 to {limit} are allowed")]
    Text {
        /// The dataset.
        id: DatasetId,
        /// Which text.
        what: &'static str,
        /// Its length.
        found: usize,
        /// Most characters.
        limit: usize,
    },
    /// Too many keywords, or one theme twice.
    #[error("the {what} of dataset `{id}` {fault}")]
    Words {
        /// The dataset.
        id: DatasetId,
        /// Which list.
        what: &'static str,
        /// What is wrong.
        fault: &'static str,
    },
    /// A figure of quality out of range.
    #[error("the quality of dataset `{id}` {fault}")]
    Quality {
        /// The dataset.
        id: DatasetId,
        /// What is wrong.
        fault: &'static str,
    },
    /// A period that ends before it begins.
    #[error("the period that dataset `{id}` is about ends before it begins")]
    Period {
        /// The dataset.
        id: DatasetId,
    },
}

impl Dataset {
    /// Checks what the types alone do not.
    ///
    /// # Errors
    /// [`DatasetError`] naming the field at fault.
    pub fn check(&self) -> Result<(), DatasetError> {
        let id = || self.id.clone();
        if self.fields.is_empty() {
            return Err(DatasetError::NoFields { id: id() });
        }
        if self.fields.len() > MAX_FIELDS {
            return Err(DatasetError::TooManyFields { id: id(), found: self.fields.len() });
        }
        if !(1..=MAX_ROWS).contains(&self.max_rows) {
            return Err(DatasetError::Rows { id: id(), found: self.max_rows });
        }
        let mut seen = BTreeSet::new();
        if let Some(field) = self.fields.iter().find(|f| !seen.insert(&f.name)) {
            return Err(DatasetError::DuplicateField { id: id(), field: field.name.clone() });
        }
        self.fields.iter().try_for_each(|field| self.check_field(field))?;
        check_cosigners(&self.holder, &self.cosigners).map_err(|fault| DatasetError::Cosigners { id: id(), fault })?;
        self.about.as_ref().map_or(Ok(()), |about| check_about(&self.id, about))
    }

    fn check_field(&self, field: &Field) -> Result<(), DatasetError> {
        let name = || field.name.clone();
        if self.sharing == Sharing::Refused && !field.modes.is_empty() {
            return Err(DatasetError::RefusedOpen { id: self.id.clone(), field: name() });
        }
        let mut modes = field.modes.clone();
        modes.sort_unstable();
        if modes.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(DatasetError::ModesRepeated { field: name() });
        }
        check_unit(field).map_err(|fault| DatasetError::Unit { field: name(), fault })?;
        if field.mask.is_some_and(|mask| !fits(mask, field.kind)) {
            return Err(DatasetError::MaskMisfit { field: name() });
        }
        if self.grade == Grade::General {
            if field.personal && field.mask.is_none() {
                return Err(DatasetError::PersonalGeneral { field: name() });
            }
            if let Some(level) = field.level.filter(|level| *level > Level::L2) {
                return Err(DatasetError::LevelAboveGrade { field: name(), level });
            }
        }
        let bound = |fault| DatasetError::Bound { field: name(), fault };
        field.bound.map_or(Ok(()), |b| check_bound(b, field.kind)).map_err(bound)?;
        let score = |fault| DatasetError::Score { field: name(), fault };
        field.score.as_ref().map_or(Ok(()), |s| check_score(s, field.kind)).map_err(score)
    }
}

/// Amounts are integers with their unit at the end of their name; what is no integer has none.
fn check_unit(field: &Field) -> Result<(), String> {
    let name = field.name.as_str();
    let expected = UNITS.into_iter().find(|u| name.strip_suffix(u).is_some_and(|rest| rest.ends_with('_')));
    match (field.kind, &field.unit, expected) {
        (FieldKind::Integer, None, Some(unit)) => Err(format!("an amount needs its unit, by its name `{unit}`")),
        (FieldKind::Integer, Some(unit), Some(other)) if unit != other => {
            Err(format!("its unit is `{unit}`, its name says `{other}`"))
        }
        (FieldKind::Integer, Some(unit), _) if unit.is_empty() || unit.chars().count() > 16 => {
            Err("its unit has 1 to 16 characters".into())
        }
        (FieldKind::Integer, ..) | (_, None, _) => Ok(()),
        (_, Some(unit), _) => Err(format!("only integers have a unit, it has `{unit}`")),
    }
}

fn fits(mask: Mask, kind: FieldKind) -> bool {
    match mask {
        Mask::Keep { .. } => kind == FieldKind::Text,
        Mask::Floor { step } => kind == FieldKind::Integer && step > 0,
        Mask::Year => kind == FieldKind::Date,
    }
}

fn check_bound(bound: Bound, kind: FieldKind) -> Result<(), &'static str> {
    let Bound { min, max, max_chars } = bound;
    if (min.is_some() || max.is_some()) && kind != FieldKind::Integer {
        return Err("has `min` or `max`, which are for integers");
    }
    if max_chars.is_some() && kind != FieldKind::Text {
        return Err("has `max_chars`, which is for texts");
    }
    if matches!((min, max), (Some(least), Some(most)) if least > most) || max_chars == Some(0) {
        return Err("allows no value");
    }
    Ok(())
}

fn check_score(score: &ScoreHint, kind: FieldKind) -> Result<(), &'static str> {
    let rising = |edges: &[i64]| edges.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    match score {
        ScoreHint::Number { bits } if !(1..=64).contains(bits) => Err("has 1 to 64 bits"),
        ScoreHint::Bins { edges } if edges.is_empty() || edges.len() > MAX_EDGES || !rising(edges) => {
            Err("has 1 to 2047 edges, each above the one before")
        }
        ScoreHint::Number { .. } | ScoreHint::Bins { .. } if kind != FieldKind::Integer => {
            Err("is for integers, the field is none")
        }
        ScoreHint::Flag if kind != FieldKind::Boolean => Err("is for yes or no, the field is neither"),
        _ => Ok(()),
    }
}

fn check_cosigners(holder: &MemberId, cosigners: &[MemberId]) -> Result<(), String> {
    if cosigners.contains(holder) {
        return Err(format!("name the holder `{holder}`, which signs anyway"));
    }
    if cosigners.windows(2).any(|pair| matches!(pair, [a, b] if a >= b)) {
        return Err("are not sorted and distinct".into());
    }
    if cosigners.len() > MAX_COSIGNERS {
        return Err(format!("are {}, at most {MAX_COSIGNERS} are allowed", cosigners.len()));
    }
    Ok(())
}

fn check_about(id: &DatasetId, about: &Description) -> Result<(), DatasetError> {
    let both = |names: &crate::Names| [names.zh.clone(), names.en.clone()];
    let mut texts: Vec<(&'static str, usize, String)> = Vec::new();
    let mut add = |what, limit, all: Vec<String>| texts.extend(all.into_iter().map(|text| (what, limit, text)));
    add("the abstract", 4_000, about.summary.iter().flat_map(both).collect());
    add("the steward's name", 64, about.steward.clone().into_iter().collect());
    add("a keyword", 64, about.keywords.iter().flat_map(both).collect());
    add("the region", 200, about.spatial.iter().flat_map(both).collect());
    add("the terms", 4_000, about.conditions.iter().flat_map(both).collect());
    add("the model", 64, about.model.clone().into_iter().collect());
    for (what, limit, text) in texts {
        let found = text.chars().count();
        if found == 0 || found > limit {
            return Err(DatasetError::Text { id: id.clone(), what, found, limit });
        }
    }
    let words = |what, fault| DatasetError::Words { id: id.clone(), what, fault };
    if about.keywords.len() > MAX_KEYWORDS {
        return Err(words("keywords", "are more than 32"));
    }
    if about.themes.iter().collect::<BTreeSet<_>>().len() != about.themes.len() {
        return Err(words("themes", "repeat one"));
    }
    let quality = |fault| DatasetError::Quality { id: id.clone(), fault };
    about.quality.as_ref().map_or(Ok(()), check_quality).map_err(quality)?;
    match &about.temporal {
        Some(period) if period.until.is_some_and(|until| until < period.from) => {
            Err(DatasetError::Period { id: id.clone() })
        }
        _ => Ok(()),
    }
}

fn check_quality(quality: &Quality) -> Result<(), &'static str> {
    let Quality { completeness_permille, accuracy_permille, timeliness_permille, records, .. } = quality;
    if [completeness_permille, accuracy_permille, timeliness_permille].into_iter().any(|share| *share > 1_000) {
        return Err("has a share above 1000 per mille");
    }
    if Quality::rounded(*records) != *records {
        return Err("counts records exactly: round them to two digits");
    }
    Ok(())
}
