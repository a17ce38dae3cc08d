//! A synthetic city: residents, homes, mortgages, companies, licences, credit and tax records that cohere, the same for
//! every run of a seed. Nobody in it exists; identifiers are well-formed and made up.

mod company;
mod names;
mod resident;
mod table;

use chacha20::ChaCha20Rng;
use jiff::civil::{Date, date};
use rand::{RngExt, SeedableRng};

pub use company::Company;
pub use resident::{Credit, Home, Mortgage, Resident, Tax};
pub use table::{Document, Table};

/// Region code of the fictional city.
pub(crate) const REGION: u32 = 320_799;
/// The day on which all records stand.
pub(crate) const TODAY: Date = date(2026, 11, 1);

/// The city.
#[derive(Debug)]
pub struct City {
    /// People, some with homes.
    pub residents: Vec<Resident>,
    /// Companies, each with a legal representative among the residents.
    pub companies: Vec<Company>,
}

/// People and companies that the demo's story needs, by position.
#[derive(Debug, Clone, Copy)]
pub struct Characters {
    /// Owns a home, repays a mortgage, clean credit.
    pub citizen: usize,
    /// Has overdue loans.
    pub debtor: usize,
    /// Registered where the property register says.
    pub honest_company: usize,
    /// Registered somewhere else.
    pub moved_company: usize,
}

impl City {
    /// Makes a city. Equal arguments give equal cities on every machine.
    pub fn generate(seed: u64, residents: usize, companies: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let people: Vec<Resident> = (0..residents.max(1)).map(|i| Resident::generate(i, &mut rng)).collect();
        let firms = (0..companies).map(|i| Company::generate(i, &people, &mut rng)).collect();
        Self { residents: people, companies: firms }
    }

    /// The story's characters, if the city is large enough to have them.
    pub fn characters(&self) -> Option<Characters> {
        let clean = |r: &Resident| r.credit.overdue_24m == 0 && r.home.as_ref().is_some_and(|h| h.mortgage.is_some());
        Some(Characters {
            citizen: self.residents.iter().position(clean)?,
            debtor: self.residents.iter().position(|r| r.credit.overdue_24m > 3)?,
            honest_company: self.companies.iter().position(|c| !c.moved)?,
            moved_company: self.companies.iter().position(|c| c.moved)?,
        })
    }

    /// The departments' exports with their mapping files.
    pub fn tables(&self, consortium: &str) -> Vec<Table> {
        table::tables(self, consortium)
    }
}

/// One of a list; lists here are never empty.
fn pick<'a>(rng: &mut ChaCha20Rng, list: &'a [&'a str]) -> &'a str {
    list.get(rng.random_range(0..list.len().max(1))).copied().unwrap_or_default()
}

/// True in so many of a hundred cases.
fn chance(rng: &mut ChaCha20Rng, percent: u32) -> bool {
    rng.random_range(0..100) < percent
}

/// A day so many days before the city's today.
fn days_ago(days: i64) -> Date {
    TODAY.checked_sub(jiff::Span::new().days(days)).unwrap_or(TODAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_gives_one_city() {
        let (a, b) = (City::generate(7, 300, 60), City::generate(7, 300, 60));
        let csv = |c: &City| c.tables("yungang").into_iter().map(|t| t.csv).collect::<Vec<_>>();
        assert_eq!(csv(&a), csv(&b));
        assert_ne!(csv(&a), csv(&City::generate(8, 300, 60)));
    }

    #[test]
    fn records_cohere() {
        let city = City::generate(1, 2_000, 400);
        let numbers: BTreeSet<_> = city.residents.iter().map(|r| r.number.expose().to_owned()).collect();
        assert_eq!(numbers.len(), city.residents.len(), "resident numbers are unique");
        let codes: BTreeSet<_> = city.companies.iter().map(|c| c.code.expose().to_owned()).collect();
        assert_eq!(codes.len(), city.companies.len(), "credit codes are unique");
        for resident in &city.residents {
            let owed = resident.home.as_ref().and_then(|h| h.mortgage.as_ref()).map_or(0, |m| m.balance_fen);
            assert!(resident.credit.balance_fen >= owed, "a mortgage is part of the credit balance");
            assert_eq!(resident.credit.defaulted, resident.credit.blacklist.is_some());
            if let Some(mortgage) = resident.home.as_ref().and_then(|h| h.mortgage.as_ref()) {
                assert!(mortgage.balance_fen <= mortgage.principal_fen);
                assert!(mortgage.start < TODAY);
            }
        }
        for company in &city.companies {
            assert!(company.legal_representative < city.residents.len());
            assert!(company.issued < company.expires);
            assert_eq!(company.moved, company.address != company.premises);
        }
        let moved = city.companies.iter().filter(|c| c.moved).count();
        assert!((20..=90).contains(&moved), "about one in eight moved: {moved} of 400");
    }
}
