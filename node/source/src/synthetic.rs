//! Made-up subjects for public test tables that hold no persons.

use covenant_domain::{Subject, SubjectKind};

/// Days of birth from 1900-01-01 on; with 999 numbers a day they serve forty million rows per province.
const DAYS: u64 = 40_000;
const PROVINCES: [u64; 31] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64,
    65,
];
/// GB 32100-2015 table 2.
const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
