//! People and what departments know of them.

use chacha20::ChaCha20Rng;
use covenant_domain::ResidentNumber;
use jiff::civil::{Date, date};

use super::names::{BANKS, DISTRICTS, ESTATES, GIVEN, STREETS, SURNAMES};
use super::{REGION, TODAY, between, chance, days_ago, pick};

/// First day of birth.
const FIRST_BIRTH: Date = date(1935, 1, 1);
/// Weeks of birth: to the end of 2006.
const WEEKS: u64 = 3_756;
/// Sequence numbers of a day, from 1.
const SEQUENCES: u64 = 999;
/// Age from which a person borrows and owns.
const ADULT_YEARS: i64 = 18;
/// Days from coming of age to about the sixtieth birthday, after which banks lend no more.
const LENDING_DAYS: i64 = 42 * 365;
/// Types of blacklist entries.
const BLACKLIST: &[&str] = &["A01", "A03", "B02", "C05"];

/// A person.
#[derive(Debug, Clone)]
pub struct Resident {
    /// Identity number.
    pub number: ResidentNumber,
    /// Birthday, as the number has it.
    pub birth: Date,
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
    /// Registered principal in fen.
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
    /// Sum of credit limits in fen, the mortgage's principal included.
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
        let given = if chance(rng, 25) {
            pick(rng, GIVEN).to_owned()
        } else {
            format!("{}{}", pick(rng, GIVEN), pick(rng, GIVEN))
        };
        let name = format!("{}{given}", pick(rng, SURNAMES));
        let (number, birth) = number(index, rng);
        let income_fen = between(rng, 2_500_000..60_000_000);
        let home = chance(rng, 55).then(|| Home::generate(index, adult_days(birth), income_fen, rng));
        let credit = Credit::generate(home.as_ref(), income_fen, rng);
        Self { number, birth, name, home, credit, tax: Tax::generate(income_fen, rng) }
    }

    /// Whether the person has come of age.
    pub fn is_adult(&self) -> bool {
        adult_days(self.birth) >= 0
    }
}

/// Days since coming of age; negative before.
fn adult_days(birth: Date) -> i64 {
    let of_age = birth.checked_add(jiff::Span::new().years(ADULT_YEARS)).unwrap_or(TODAY);
    of_age.until(TODAY).map_or(0, |span| i64::from(span.get_days()))
}

/// A number no other index has, with the birthday in it.
fn number(index: usize, rng: &mut ChaCha20Rng) -> (ResidentNumber, Date) {
    let (week, sequence) = place(index);
    let days = i64::from(week) * 7 + between(rng, 0..7);
    let birth = FIRST_BIRTH.checked_add(jiff::Span::new().days(days)).unwrap_or(FIRST_BIRTH);
    match ResidentNumber::from_parts(REGION, birth, sequence) {
        Ok(number) => (number, birth),
        Err(fault) => unreachable!("region, date and sequence are well-formed: {fault}"),
    }
}

/// Week of birth and sequence number of an index: unique below 3.7 million, and neighbours lie far apart.
fn place(index: usize) -> (u16, u16) {
    // Prime to the number of places, so that it permutes them.
    const STEP: u64 = 2_319_013;
    let at = index as u64 % (WEEKS * SEQUENCES) * STEP % (WEEKS * SEQUENCES);
    ((at % WEEKS) as u16, (at / WEEKS) as u16 + 1)
}

impl Home {
    fn generate(index: usize, adult_days: i64, income_fen: i64, rng: &mut ChaCha20Rng) -> Self {
        // Bought as an adult: the youngest came of age well over ninety days ago.
        let age_days = between(rng, 90..adult_days.min(7_000));
        let year = days_ago(age_days).year();
        let mortgaged = adult_days - age_days < LENDING_DAYS && chance(rng, 45);
        Self {
            unit: format!("{REGION:06}{:06}GB{:05}F{:08}", between(rng, 1..200), between(rng, 1..99_999), index + 1),
            certificate: format!("苏({year})云港市不动产权第{:07}号", index + 1),
            address: address(rng),
            area_cm2: between(rng, 38..241) * 10_000,
            share_percent: if chance(rng, 60) { 100 } else { 50 },
            registered: days_ago(age_days),
            homes: if chance(rng, 15) { 2 } else { 1 },
            mortgage: mortgaged.then(|| Mortgage::generate(age_days, income_fen, rng)),
            seized: chance(rng, 1),
        }
    }
}

impl Mortgage {
    fn generate(age_days: i64, income_fen: i64, rng: &mut ChaCha20Rng) -> Self {
        let principal_fen = income_fen * between(rng, 2..6);
        // Paid down evenly over thirty years.
        let balance_fen = principal_fen - principal_fen / 10_950 * age_days.min(10_900);
        Self { bank: pick(rng, BANKS).to_owned(), principal_fen, balance_fen, start: days_ago(age_days - 30) }
    }
}

impl Credit {
    fn generate(home: Option<&Home>, income_fen: i64, rng: &mut ChaCha20Rng) -> Self {
        let mortgage = home.and_then(|h| h.mortgage.as_ref());
        let (principal_fen, owed_fen) = mortgage.map_or((0, 0), |m| (m.principal_fen, m.balance_fen));
        let others = between(rng, 0..4);
        let open_loans = i64::from(mortgage.is_some()) + others;
        let strained = owed_fen > income_fen * 4;
        // Who has no loan has nothing to be late with.
        let late = chance(rng, if strained { 35 } else { 12 }) && open_loans > 0;
        let overdue_24m = if late { between(rng, 1..12) } else { 0 };
        let defaulted = overdue_24m > 6 && chance(rng, 60);
        let consumer_fen = income_fen / 4;
        Self {
            overdue_24m,
            open_loans,
            limit_fen: principal_fen + consumer_fen,
            balance_fen: owed_fen + if others > 0 { between(rng, 1..consumer_fen + 1) } else { 0 },
            defaulted,
            blacklist: defaulted.then(|| pick(rng, BLACKLIST)),
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
    let (house, block, flat) =
        (between(rng, 1..400), between(rng, 1..40), between(rng, 1..30) * 100 + between(rng, 1..5));
    format!("云港市{district}{street}{house}号{estate}{block}幢{flat}室")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_million_places_differ() {
        let mut taken = vec![false; (WEEKS * SEQUENCES) as usize];
        for index in 0..2_000_000 {
            let (week, sequence) = place(index);
            assert!(u64::from(week) < WEEKS && (1..=SEQUENCES).contains(&u64::from(sequence)));
            let at = usize::from(week) * SEQUENCES as usize + usize::from(sequence) - 1;
            assert!(!std::mem::replace(&mut taken[at], true), "place of {index} is taken");
        }
    }

    #[test]
    fn births_spread_over_the_years() {
        let mut rng = super::super::stream(1);
        let births: Vec<_> = (0..2_000).map(|i| number(i, &mut rng).1).collect();
        for decade in (1935..2005).step_by(10) {
            let born = births.iter().filter(|b| (decade..decade + 10).contains(&b.year())).count();
            assert!((200..=360).contains(&born), "{born} of 2000 were born from {decade} on");
        }
        assert!(births.iter().all(|b| (1935..=2006).contains(&b.year()) && adult_days(*b) > 90));
    }
}
