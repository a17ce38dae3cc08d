//! Masks.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::Value;

/// How a value is shortened before it leaves, when the grant demands masking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mask {
    /// Keep the first and last characters, replace the rest by `*`.
    #[n(0)]
    Keep {
        /// Characters kept at the start.
        #[n(0)]
        first: u32,
        /// Characters kept at the end.
        #[n(1)]
        last: u32,
    },
    /// Round an integer down to a multiple.
    #[n(1)]
    Floor {
        /// The multiple, at least one.
        #[n(0)]
        step: u32,
    },
    /// Keep the year of a date.
    #[n(2)]
    Year,
}

impl Mask {
    /// The masked value; values of a type the mask does not fit become absent rather than leak.
    pub fn apply(self, value: &Value) -> Value {
        match (self, value) {
            (_, Value::Absent) => Value::Absent,
            (Self::Keep { first, last }, Value::Text(text)) => Value::Text(keep(text, first as usize, last as usize)),
            (Self::Floor { step }, Value::Integer(number)) => {
                let step = i64::from(step.max(1));
                Value::Integer(number.div_euclid(step).saturating_mul(step))
            }
            (Self::Year, Value::Date(date)) => Value::Text(date.chars().take(4).collect()),
            _ => Value::Absent,
        }
    }
}

fn keep(text: &str, first: usize, last: usize) -> String {
    let length = text.chars().count();
    let kept = |i: usize| first + last < length && (i < first || i + last >= length);
    text.chars().enumerate().map(|(i, c)| if kept(i) { c } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_shorten_and_never_pass_a_wrong_type() {
        let keep = Mask::Keep { first: 1, last: 1 };
        assert_eq!(keep.apply(&Value::Text("欧阳修文".into())), Value::Text("欧**文".into()));
        assert_eq!(keep.apply(&Value::Text("张三".into())), Value::Text("**".into()));
        assert_eq!(keep.apply(&Value::Integer(5)), Value::Absent);
        assert_eq!(Mask::Floor { step: 100 }.apply(&Value::Integer(-1)), Value::Integer(-100));
        assert_eq!(Mask::Year.apply(&Value::Date("1990-02-03".into())), Value::Text("1990".into()));
    }
}
