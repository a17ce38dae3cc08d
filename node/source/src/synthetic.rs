//! Made-up subjects for public test tables that hold no persons.

use covenant_domain::{CreditCode, ResidentNumber, Subject, SubjectKind, UnitNumber};
use jiff::ToSpan;
use jiff::civil::Date;

/// Beijing as a whole: a region of GB/T 2260 in which no resident number is issued, so that none of a person is met.
const REGION: u32 = 110_000;
/// Days of birth from 1900 to 2009; with 999 numbers a day they serve forty million rows, then start again.
const DAYS: u64 = 40_000;

/// The subject of a row, counted from 1: always the same, of valid form, and different for each of the first forty
/// million rows, so that public tables can be joined.
///
/// # Panics
/// Never: every row gives a valid number, which a test shows for the edges.
#[expect(clippy::expect_used, reason = "the parts are in range by construction")]
pub fn synthetic_subject(kind: SubjectKind, row: u64) -> Subject {
    match kind {
        SubjectKind::Resident => {
            let day = i64::try_from(row / 999 % DAYS).unwrap_or(0);
            let birth = Date::constant(1900, 1, 1).saturating_add(day.days());
            let sequence = u16::try_from(row % 999 + 1).unwrap_or(1);
            ResidentNumber::from_parts(REGION, birth, sequence).map(Subject::Resident)
        }
        SubjectKind::Company => {
            let organisation = format!("{:08}", row % 100_000_000);
            let check = organisation_check(&organisation);
            CreditCode::from_body(&format!("91{REGION}{organisation}{check}")).map(Subject::Company)
        }
        SubjectKind::Unit => {
            let (parcel, unit) = (row / 100_000_000 % 100_000, row % 100_000_000);
            UnitNumber::new(&format!("{REGION}000000GB{parcel:05}F{unit:08}")).map(Subject::Unit)
        }
    }
    .expect("synthetic subjects are valid")
}

/// GB 11714: `C9 = 11 - sum(Ci * Wi) mod 11`, written `X` for 10 and `0` for 11.
fn organisation_check(digits: &str) -> char {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.bytes().zip(WEIGHTS).map(|(b, w)| u32::from(b.wrapping_sub(b'0')) * w).sum();
    match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from_digit(digit, 10).unwrap_or('0'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_has_its_own_valid_subject() {
        for kind in [SubjectKind::Resident, SubjectKind::Company, SubjectKind::Unit] {
            let subjects: BTreeSet<String> = (1..=30_000).map(|row| synthetic_subject(kind, row).canonical()).collect();
            assert_eq!(subjects.len(), 30_000);
            for row in [0, 998, 999, 39_960_000, u64::MAX] {
                assert_eq!(synthetic_subject(kind, row).kind(), kind);
            }
        }
    }

    #[test]
    fn numbers_are_frozen() {
        assert_eq!(synthetic_subject(SubjectKind::Resident, 1).expose().get(..17), Some("11000019000101002"));
        assert_eq!(synthetic_subject(SubjectKind::Company, 1).expose().get(..17), Some("91110000000000019"));
    }
}
