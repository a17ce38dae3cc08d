//! Made-up subjects for public test tables that hold no persons.

use covenant_domain::{CreditCode, ResidentNumber, Subject, SubjectError, SubjectKind, UnitNumber};

/// Days of birth from 1900-01-01 on; with 999 numbers a day they serve forty million rows per province.
const DAYS: u64 = 40_000;
const PROVINCES: [u64; 31] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64,
    65,
];
/// GB 32100-2015 table 2.
const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// The made-up subject of a data row, counted from 1: the same row has the same subject in every table of its kind.
///
/// A resident number holds province, day of birth and sequence; a credit code holds the row in nine characters.
pub fn synthetic_subject(kind: SubjectKind, row: u64) -> Subject {
    match kind {
        SubjectKind::Resident => resident(row),
        SubjectKind::Company => company(row),
        SubjectKind::Unit => unit(row),
    }
}

fn resident(row: u64) -> Subject {
    let (sequence, rest) = (row % 999 + 1, row / 999);
    let (day, rest) = (rest % DAYS, rest / DAYS);
    let province = PROVINCES.get((rest % PROVINCES.len() as u64) as usize).copied().unwrap_or(11);
    let first = jiff::civil::date(1900, 1, 1);
    let birth = first.checked_add(jiff::Span::new().days(day as i64)).unwrap_or(first);
    made(ResidentNumber::from_parts(province as u32 * 10_000 + 101, birth, sequence as u16).map(Subject::Resident))
}

fn company(row: u64) -> Subject {
    let (mut digits, mut rest) = (Vec::new(), row);
    for _ in 0..9 {
        let character = CREDIT_ALPHABET.get((rest % 31) as usize).copied().unwrap_or(b'0');
        digits.push(char::from(character));
        rest /= 31;
    }
    let digits: String = digits.into_iter().rev().collect();
    made(CreditCode::from_body(&format!("91110101{digits}")).map(Subject::Company))
}

fn unit(row: u64) -> Subject {
    made(UnitNumber::new(&format!("110101001001GB00001F{row:08}")).map(Subject::Unit))
}

fn made(subject: Result<Subject, SubjectError>) -> Subject {
    match subject {
        Ok(subject) => subject,
        Err(fault) => unreachable!("parts of a made-up subject are well-formed: {fault}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rows_have_subjects_of_their_own() {
        for kind in [SubjectKind::Resident, SubjectKind::Company, SubjectKind::Unit] {
            let rows = (1..5_000).chain(39_000_000..39_000_100).collect::<Vec<u64>>();
            let subjects: BTreeSet<_> = rows.iter().map(|r| synthetic_subject(kind, *r).canonical()).collect();
            assert_eq!(subjects.len(), rows.len());
        }
    }
}
