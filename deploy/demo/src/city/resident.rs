//! People and what departments know of them.

use chacha20::ChaCha20Rng;
use covenant_domain::ResidentNumber;
use jiff::civil::{Date, date};
use rand::RngExt;

use super::names::{BANKS, DISTRICTS, ESTATES, GIVEN, STREETS, SURNAMES};
use super::{REGION, chance, days_ago, pick};

/// A person.
#[derive(Debug, Clone)]
pub struct Resident {
    /// Identity number.
    pub number: ResidentNumber,
    /// Name.
    pub name: String,
    /// The first home owned, if any.
    pub home: Option<Home>,
    /// Credit record.
    pub credit: Credit,
    /// Tax record.
    pub tax: Tax,
}

/// A home.
#[derive(Debug, Clone)]
pub struct Home {
    /// Real-estate unit number, 28 characters.
    pub unit: String,
    /// Certificate number.
    pub certificate: String,
    /// Address.
    pub address: String,
    /// Floor area in square centimetres.
    pub area_cm2: i64,
    /// Share of the owner in percent.
    pub share_percent: i64,
    /// Day of registration.
    pub registered: Date,
    /// Homes owned altogether.
    pub homes: i64,
    /// Mortgage on it.
    pub mortgage: Option<Mortgage>,
    /// Whether a court has seized it.
    pub seized: bool,
}

/// A mortgage.
#[derive(Debug, Clone)]
pub struct Mortgage {
    /// Lender.
    pub bank: String,
    /// Principal in fen.
    pub principal_fen: i64,
    /// What is still owed, in fen.
    pub balance_fen: i64,
    /// First day.
    pub start: Date,
}

/// A credit record.
#[derive(Debug, Clone)]
pub struct Credit {
    /// Overdue payments in 24 months.
    pub overdue_24m: i64,
    /// Open loans.
    pub open_loans: i64,
    /// Sum of credit limits in fen.
    pub limit_fen: i64,
    /// Sum owed in fen, mortgage included.
    pub balance_fen: i64,
    /// Whether a loan is in default.
    pub defaulted: bool,
    /// Type code of the blacklist entry that goes with a default.
    pub blacklist: Option<&'static str>,
}

/// A tax record of the last year.
#[derive(Debug, Clone)]
pub struct Tax {
    /// Income in fen.
    pub income_fen: i64,
    /// Tax paid in fen.
    pub paid_fen: i64,
    /// Tax in arrears in fen.
    pub arrears_fen: i64,
    /// Monthly deposit into the provident fund in fen.
    pub provident_fen: i64,
}

impl Resident {
    pub(super) fn generate(index: usize, rng: &mut ChaCha20Rng) -> Self {
        let given = if chance(rng, 25) { pick(rng, GIVEN).to_owned() } else { format!("{}{}", pick(rng, GIVEN), pick(rng, GIVEN)) };
        let income_fen = rng.random_range(2_500_000..60_000_000_i64);
        let home = chance(rng, 55).then(|| Home::generate(index, income_fen, rng));
        Self {
            number: number(index, rng),
            name: format!("{}{given}", pick(rng, SURNAMES)),
            credit: Credit::generate(home.as_ref(), income_fen, rng),
            tax: Tax::generate(income_fen, rng),
            home,
        }
    }
}

/// A number no other index has: the index decides birthday and sequence.
fn number(index: usize, rng: &mut ChaCha20Rng) -> ResidentNumber {
    let (day, sequence) = ((index / 900) as i64, (index % 900) as u16 + 1);
    let birth = date(1950, 1, 1).checked_add(jiff::Span::new().days(day * 7 + rng.random_range(0..7))).unwrap_or(date(1950, 1, 1));
    let parts = |sequence| ResidentNumber::from_parts(REGION, birth, sequence);
    match parts(sequence) {
        Ok(number) => number,
        Err(fault) => unreachable!("region, date and sequence are well-formed: {fault}"),
    }
}

impl Home {
    fn generate(index: usize, income_fen: i64, rng: &mut ChaCha20Rng) -> Self {
        let age_days = rng.random_range(90..7_000_i64);
        let year = days_ago(age_days).year();
        Self {
            unit: format!("{REGION:06}{:06}GB{:05}F{:08}", rng.random_range(1..200), rng.random_range(1..99_999), index + 1),
            certificate: format!("苏({year})云港市不动产权第{:07}号", index + 1),
            address: address(rng),
            area_cm2: rng.random_range(38..=240) * 10_000,
            share_percent: if chance(rng, 60) { 100 } else { 50 },
            registered: days_ago(age_days),
            homes: if chance(rng, 15) { 2 } else { 1 },
            mortgage: chance(rng, 45).then(|| Mortgage::generate(age_days, income_fen, rng)),
            seized: chance(rng, 1),
        }
    }
}

impl Mortgage {
    fn generate(age_days: i64, income_fen: i64, rng: &mut ChaCha20Rng) -> Self {
        let principal_fen = income_fen * rng.random_range(2..6);
        // Paid down evenly over thirty years.
        let balance_fen = principal_fen - principal_fen / 10_950 * age_days.min(10_900);
        Self { bank: pick(rng, BANKS).to_owned(), principal_fen, balance_fen, start: days_ago(age_days - 30) }
    }
}

impl Credit {
    fn generate(home: Option<&Home>, income_fen: i64, rng: &mut ChaCha20Rng) -> Self {
        let mortgage_fen = home.and_then(|h| h.mortgage.as_ref()).map_or(0, |m| m.balance_fen);
        let strained = mortgage_fen > income_fen * 4;
        let overdue_24m = if chance(rng, if strained { 35 } else { 12 }) { rng.random_range(1..12) } else { 0 };
        let defaulted = overdue_24m > 6 && chance(rng, 60);
        let limit_fen = income_fen / 4;
        Self {
            overdue_24m,
            open_loans: i64::from(mortgage_fen > 0) + rng.random_range(0..4),
            limit_fen,
            balance_fen: mortgage_fen + rng.random_range(0..=limit_fen),
            defaulted,
            blacklist: defaulted.then(|| ["A01", "A03", "B02", "C05"][rng.random_range(0..4)]),
        }
    }
}

impl Tax {
    fn generate(income_fen: i64, rng: &mut ChaCha20Rng) -> Self {
        let paid_fen = (income_fen - 6_000_000).max(0) / 10;
        let arrears_fen = if chance(rng, 3) { paid_fen / 5 } else { 0 };
        Self { income_fen, paid_fen, arrears_fen, provident_fen: income_fen / 12 / 10 }
    }
}

pub(super) fn address(rng: &mut ChaCha20Rng) -> String {
    let (district, street, estate) = (pick(rng, DISTRICTS), pick(rng, STREETS), pick(rng, ESTATES));
    let (house, block, flat) = (rng.random_range(1..400), rng.random_range(1..40), rng.random_range(1..30) * 100 + rng.random_range(1..5));
    format!("云港市{district}{street}{house}号{estate}{block}幢{flat}室")
}
