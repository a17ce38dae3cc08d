//! Whom a record is about: a person, a company, a real-estate unit.
//!
//! These numbers are personal data. They have no `Display` and no serde form, `Debug` prints the kind only, errors name
//! the check and the position but never the number, and the text is wiped when dropped. `expose` is the one way out.
//!
//! ```compile_fail
//! fn json<T: serde::Serialize>() {}
//! json::<covenant_domain::Subject>();
//! ```

use jiff::civil::Date;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// Why a text is not a subject. Carries no part of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// Too short or too long.
    #[error("a {noun} has {expected} characters, this one has {found}")]
    Length {
        /// The number that was expected.
        noun: &'static str,
        /// Its length in characters.
        expected: usize,
        /// The length of what was offered, in characters.
        found: usize,
    },
    /// A character that its place does not allow.
    #[error("character {position} of this {noun} is not one its place allows")]
    Character {
        /// The number that was expected.
        noun: &'static str,
        /// Place of the first such character, counted from 1.
        position: usize,
    },
    /// The leading region code names no province (GB/T 2260).
    #[error("the region code at character {position} of this {noun} names no province")]
    Region {
        /// The number that was expected.
        noun: &'static str,
        /// Where the code begins, counted from 1.
        position: usize,
    },
    /// Characters 7 to 14 are not a day of the calendar.
    #[error("characters 7 to 14 of this resident number are not a birth date: expected YYYYMMDD from 1800 to 2199")]
    Date,
    /// The last character does not agree with the ones before it.
    #[error("the check digit of this {noun} is wrong: compare all {length} characters with the document")]
    CheckDigit {
        /// The number that was expected.
        noun: &'static str,
        /// Its length in characters.
        length: usize,
    },
    /// A part from which a number was to be built is out of range.
    #[error("the {part} of a {noun} is out of range: expected {expected}")]
    Part {
        /// The number to be built.
        noun: &'static str,
        /// The part of it.
        part: &'static str,
        /// The range in words.
        expected: &'static str,
    },
    /// A prefix other than the known kinds.
    #[error("unknown kind of subject: expected `resident:`, `company:` or `unit:` before the number")]
    Kind,
    /// A bare number that is a valid resident number and a valid credit code.
    #[error(
        "this number is valid as a resident number and as a credit code: write `resident:` or `company:` before it"
    )]
    Ambiguous,
}

const RESIDENT: &str = "resident number";
const COMPANY: &str = "unified social credit code";
const UNIT: &str = "real-estate unit number";

macro_rules! personal_number {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Parses the number; lower-case letters are taken as upper-case.
            ///
            /// # Errors
            /// [`SubjectError`] naming the first check that failed.
            pub fn new(text: &str) -> Result<Self, SubjectError> {
                let number = Self(text.to_ascii_uppercase().into_boxed_str());
                $check(&number.0)?;
                Ok(number)
            }

            /// The number in the clear. Keep it out of logs, errors and metrics.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl std::str::FromStr for $name {
            type Err = SubjectError;
            fn from_str(text: &str) -> Result<Self, SubjectError> {
                Self::new(text)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                Self::new(d.str()?).map_err(decode::Error::custom)
            }
        }
    };
}

personal_number!(
    /// A resident number: region (6), birth date (8), sequence (3), MOD 11-2 check character (GB 11643).
    ResidentNumber, check_resident
);
personal_number!(
    /// A unified social credit code: department, category, region (6), organisation (9), MOD 31 check character (GB 32100).
    CreditCode, check_credit
);
personal_number!(
    /// A real-estate unit number: county (6), cadastral zones (6), parcel type (2), parcel (5), fixture (9) (GB/T 37346).
    ///
    /// The standard gives it no check digit: a wrong digit inside the right shape is not noticed.
    UnitNumber, check_unit
);

impl ResidentNumber {
    /// The number with these parts; an odd `sequence` (0 to 999) is a man's, an even one a woman's.
    ///
    /// # Errors
    /// [`SubjectError`] when a part is out of range.
    pub fn from_parts(region: u32, birth: Date, sequence: u16) -> Result<Self, SubjectError> {
        let part = |part, expected| SubjectError::Part { noun: RESIDENT, part, expected };
        if !(100_000..=999_999).contains(&region) {
            return Err(part("region", "six digits"));
        }
        if sequence > 999 {
            return Err(part("sequence", "0 to 999"));
        }
        if !YEARS.contains(&birth.year()) {
            return Err(part("birth year", "1800 to 2199"));
        }
        let body = Zeroizing::new(format!("{region}{}{sequence:03}", birth.strftime("%Y%m%d")));
        Self::new(&Zeroizing::new(format!("{}{}", *body, mod_11_2(&body))))
    }
}

impl CreditCode {
    /// The code whose first 17 characters these are.
    ///
    /// # Errors
    /// [`SubjectError`] when they are not 17 or a character is outside its place's alphabet.
    pub fn from_body(body: &str) -> Result<Self, SubjectError> {
        let body = Zeroizing::new(body.to_ascii_uppercase());
        shape(&body, COMPANY, 17, credit_place)?;
        Self::new(&Zeroizing::new(format!("{}{}", *body, mod_31(&body))))
    }
}

/// What kind of thing a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum SubjectKind {
    /// A natural person, by resident number.
    #[n(0)]
    Resident,
    /// A legal person, by unified social credit code.
    #[n(1)]
    Company,
    /// A real-estate unit, by unit number.
    #[n(2)]
    Unit,
}

impl SubjectKind {
    /// The word before the colon of the canonical form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resident => "resident",
            Self::Company => "company",
            Self::Unit => "unit",
        }
    }
}

impl std::fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Whom or what a record is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A natural person.
    Resident(ResidentNumber),
    /// A legal person.
    Company(CreditCode),
    /// A real-estate unit.
    Unit(UnitNumber),
}

impl Subject {
    /// The kind, which is not personal data.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::Resident(_) => SubjectKind::Resident,
            Self::Company(_) => SubjectKind::Company,
            Self::Unit(_) => SubjectKind::Unit,
        }
    }

    /// The number in the clear, without its kind.
    pub fn expose(&self) -> &str {
        match self {
            Self::Resident(number) => number.expose(),
            Self::Company(code) => code.expose(),
            Self::Unit(number) => number.expose(),
        }
    }

    /// The canonical id in the clear, `{kind}:{number}`: what is hashed to a group element. The caller wipes it.
    pub fn canonical(&self) -> String {
        format!("{}:{}", self.kind(), self.expose())
    }

    /// Parses the canonical form, or a bare number that only one kind accepts.
    ///
    /// # Errors
    /// [`SubjectError`] naming the check that failed, for a bare number that of the kind it resembles most.
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        let Some((prefix, number)) = text.split_once(':') else { return Self::parse_bare(text) };
        let kinds = [SubjectKind::Resident, SubjectKind::Company, SubjectKind::Unit];
        let kind = kinds.into_iter().find(|kind| kind.name() == prefix).ok_or(SubjectError::Kind)?;
        Self::of_kind(kind, number)
    }

    /// Parses a bare number of a known kind, as a column of a department's table holds it.
    ///
    /// # Errors
    /// [`SubjectError`] naming the check that failed.
    pub fn of_kind(kind: SubjectKind, number: &str) -> Result<Self, SubjectError> {
        match kind {
            SubjectKind::Resident => ResidentNumber::new(number).map(Self::Resident),
            SubjectKind::Company => CreditCode::new(number).map(Self::Company),
            SubjectKind::Unit => UnitNumber::new(number).map(Self::Unit),
        }
    }

    fn parse_bare(text: &str) -> Result<Self, SubjectError> {
        if text.chars().count() > 18 {
            return UnitNumber::new(text).map(Self::Unit);
        }
        match (ResidentNumber::new(text), CreditCode::new(text)) {
            (Ok(_), Ok(_)) => Err(SubjectError::Ambiguous),
            (Ok(number), Err(_)) => Ok(Self::Resident(number)),
            (Err(_), Ok(code)) => Ok(Self::Company(code)),
            (Err(resident), Err(_)) if text.bytes().take(17).all(|b| b.is_ascii_digit()) => Err(resident),
            (Err(_), Err(company)) => Err(company),
        }
    }
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Subject({}:..)", self.kind())
    }
}

impl std::str::FromStr for Subject {
    type Err = SubjectError;
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        Self::parse(text)
    }
}

impl<C> Encode<C> for Subject {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.str(&Zeroizing::new(self.canonical()))?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Subject {
    /// Takes the canonical form only: a bare number has no kind.
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let text = d.str()?;
        if !text.contains(':') {
            return Err(decode::Error::custom(SubjectError::Kind));
        }
        Self::parse(text).map_err(decode::Error::custom)
    }
}

/// Length and alphabet. What passes is ASCII, so bytes and characters agree afterwards.
fn shape(
    text: &str,
    noun: &'static str,
    expected: usize,
    allowed: fn(usize, char) -> bool,
) -> Result<(), SubjectError> {
    let found = text.chars().count();
    if found != expected {
        return Err(SubjectError::Length { noun, expected, found });
    }
    match text.chars().zip(1..).find(|(c, position)| !allowed(*position, *c)) {
        Some((_, position)) => Err(SubjectError::Character { noun, position }),
        None => Ok(()),
    }
}

fn check_resident(text: &str) -> Result<(), SubjectError> {
    shape(text, RESIDENT, 18, |position, c| c.is_ascii_digit() || (position == 18 && c == 'X'))?;
    // The numbers of foreign permanent residents begin with 9 and hold the province after it.
    if !text.starts_with('9') && !is_province(text, 0) {
        return Err(SubjectError::Region { noun: RESIDENT, position: 1 });
    }
    birth_date(text).ok_or(SubjectError::Date)?;
    check_last(text, RESIDENT, mod_11_2)
}

fn check_credit(text: &str) -> Result<(), SubjectError> {
    shape(text, COMPANY, 18, credit_place)?;
    // 100000 is a registration with a national authority.
    if text.get(2..8) != Some("100000") && !is_province(text, 2) {
        return Err(SubjectError::Region { noun: COMPANY, position: 3 });
    }
    check_last(text, COMPANY, mod_31)
}

fn check_unit(text: &str) -> Result<(), SubjectError> {
    shape(text, UNIT, 28, |position, c| match position {
        13 => matches!(c, 'G' | 'J' | 'Z'),
        14 => "ABCDEFGHLNSWXY".contains(c),
        20 => matches!(c, 'F' | 'L' | 'Q' | 'W'),
        _ => c.is_ascii_digit(),
    })?;
    if is_province(text, 0) { Ok(()) } else { Err(SubjectError::Region { noun: UNIT, position: 1 }) }
}

fn check_last(text: &str, noun: &'static str, check: fn(&str) -> char) -> Result<(), SubjectError> {
    let mut rest = text.chars();
    match rest.next_back() {
        Some(last) if last == check(rest.as_str()) => Ok(()),
        _ => Err(SubjectError::CheckDigit { noun, length: text.len() }),
    }
}

/// GB/T 2260: first two digits of a county's code.
fn is_province(text: &str, at: usize) -> bool {
    let code = text.get(at..at + 2).and_then(|two| two.parse::<u8>().ok());
    matches!(code, Some(11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83))
}

/// Years of birth that a resident number may carry.
const YEARS: std::ops::Range<i16> = 1800..2200;

fn birth_date(text: &str) -> Option<Date> {
    let year: i16 = text.get(6..10)?.parse().ok()?;
    let month: i8 = text.get(10..12)?.parse().ok()?;
    let day: i8 = text.get(12..14)?.parse().ok()?;
    if YEARS.contains(&year) { Date::new(year, month, day).ok() } else { None }
}

/// ISO 7064 MOD 11-2: `(P + c) ≡ 1 (mod 11)` where `P` folds the digits before.
fn mod_11_2(body: &str) -> char {
    let p = body.chars().filter_map(|c| c.to_digit(10)).fold(0, |p, digit| (p + digit) * 2 % 11);
    char::from_digit((12 - p) % 11, 10).unwrap_or('X')
}

/// GB 32100 annex: digits, then letters without I, O, S, V, Z.
const CREDIT_ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

fn credit_place(position: usize, c: char) -> bool {
    if (3..=8).contains(&position) { c.is_ascii_digit() } else { CREDIT_ALPHABET.contains(c) }
}

/// GB 32100: `c ≡ −Σ value(i)·3^(i−1) (mod 31)`.
fn mod_31(body: &str) -> char {
    let values = body.chars().filter_map(|c| CREDIT_ALPHABET.find(c));
    let (sum, _) = values.fold((0, 1), |(sum, weight), value| ((sum + value * weight) % 31, weight * 3 % 31));
    CREDIT_ALPHABET.chars().nth((31 - sum) % 31).unwrap_or('0')
}

#[cfg(test)]
mod tests;
