//! A synthetic city: residents, homes, mortgages, companies, licences, credit and tax records that cohere, the same for
//! every run of a seed. Nobody in it exists; identifiers are well-formed and made up.

mod company;
mod names;
mod resident;
mod table;

use chacha20::ChaCha20Rng;
use jiff::civil::{Date, date};
use rand::{Rng, SeedableRng};

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
    /// An adult who owns a home that no court has seized, repays a mortgage, clean credit.
    pub citizen: usize,
    /// Has overdue loans.
    pub debtor: usize,
    /// Registered where the property register says, in business, with a valid licence.
    pub honest_company: usize,
    /// Registered somewhere else.
    pub moved_company: usize,
}

impl City {
    /// Makes a city. Equal arguments give equal cities on every machine.
    pub fn generate(seed: u64, residents: usize, companies: usize) -> Self {
        let mut rng = stream(seed);
        let people: Vec<Resident> = (0..residents.max(1)).map(|i| Resident::generate(i, &mut rng)).collect();
        let firms = (0..companies).map(|i| Company::generate(i, &people, &mut rng)).collect();
        Self { residents: people, companies: firms }
    }

    /// The story's characters, if the city is large enough to have them.
    pub fn characters(&self) -> Option<Characters> {
        let repays = |h: &Home| h.mortgage.is_some() && !h.seized;
        let clean = |r: &Resident| r.is_adult() && r.credit.overdue_24m == 0 && r.home.as_ref().is_some_and(repays);
        Some(Characters {
            citizen: self.residents.iter().position(clean)?,
            debtor: self.residents.iter().position(|r| r.credit.overdue_24m > 3)?,
            honest_company: self.companies.iter().position(|c| !c.moved && c.in_good_standing())?,
            moved_company: self.companies.iter().position(|c| c.moved)?,
        })
    }

    /// The departments' exports with their mapping files.
    pub fn tables(&self, consortium: &str) -> Vec<Table> {
        table::tables(self, consortium)
    }
}

/// The seed's stream. Everything is derived from its words by hand, so that no library's way of sampling changes a city.
fn stream(seed: u64) -> ChaCha20Rng {
    let mut key = [0; 32];
    if let Some(head) = key.first_chunk_mut() {
        *head = seed.to_le_bytes();
    }
    ChaCha20Rng::from_seed(key)
}

/// A whole number below `n`; zero if there is none.
fn below(rng: &mut ChaCha20Rng, n: usize) -> usize {
    (rng.next_u64() % n.max(1) as u64) as usize
}

/// A whole number of a range; its start if it is empty.
fn between(rng: &mut ChaCha20Rng, range: std::ops::Range<i64>) -> i64 {
    let width = u64::try_from(range.end - range.start).unwrap_or(0).max(1);
    range.start + (rng.next_u64() % width) as i64
}

/// One of a list; lists here are never empty.
fn pick<'a>(rng: &mut ChaCha20Rng, list: &[&'a str]) -> &'a str {
    list.get(below(rng, list.len())).copied().unwrap_or_default()
}

/// True in so many of a hundred cases.
fn chance(rng: &mut ChaCha20Rng, percent: i64) -> bool {
    between(rng, 0..100) < percent
}

/// A day so many days before the city's today.
fn days_ago(days: i64) -> Date {
    TODAY.checked_sub(jiff::Span::new().days(days)).unwrap_or(TODAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_canon::{HashAlgorithm, Hasher};
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
        assert_eq!((city.residents.len(), city.companies.len()), (2_000, 400));
        let numbers: BTreeSet<_> = city.residents.iter().map(|r| r.number.expose().to_owned()).collect();
        assert_eq!(numbers.len(), city.residents.len(), "resident numbers are unique");
        let codes: BTreeSet<_> = city.companies.iter().map(|c| c.code.expose().to_owned()).collect();
        assert_eq!(codes.len(), city.companies.len(), "credit codes are unique");
        let names: BTreeSet<_> = city.companies.iter().map(|c| &c.name).collect();
        assert_eq!(names.len(), city.companies.len(), "company names are unique");
        for company in &city.companies {
            assert!(company.legal_representative < city.residents.len());
            assert!(company.issued < company.expires);
            assert_eq!(company.moved, company.address != company.premises);
        }
        let moved = city.companies.iter().filter(|c| c.moved).count();
        assert!((20..=90).contains(&moved), "about one in eight moved: {moved} of 400");
    }

    #[test]
    fn credit_coheres() {
        for Resident { birth, home, credit, .. } in City::generate(2, 5_000, 1).residents {
            assert_eq!(credit.defaulted, credit.blacklist.is_some());
            assert!(credit.overdue_24m == 0 || credit.open_loans > 0, "only loans are overdue");
            assert!(credit.balance_fen <= credit.limit_fen);
            let Some(home) = home else { continue };
            assert!(birth.checked_add(jiff::Span::new().years(18)).unwrap() <= home.registered, "adults buy homes");
            let Some(mortgage) = home.mortgage else { continue };
            assert!(credit.open_loans > 0 && mortgage.start < TODAY && home.registered <= mortgage.start);
            assert!((1..=mortgage.principal_fen).contains(&mortgage.balance_fen));
            assert!(mortgage.balance_fen <= credit.balance_fen, "a mortgage is part of the credit balance");
            assert!(mortgage.principal_fen <= credit.limit_fen, "a mortgage is part of the credit limit");
        }
    }

    #[test]
    fn some_licences_have_expired() {
        let firms = City::generate(1, 10, 3_000).companies;
        let expired: Vec<_> = firms.iter().filter(|c| c.expires < TODAY).collect();
        assert!((45..=150).contains(&expired.len()), "about three in a hundred: {} of 3000", expired.len());
        assert!(expired.iter().any(|c| c.active) && expired.iter().any(|c| !c.active));
    }

    #[test]
    fn characters_fit_the_story() {
        for seed in 0..50 {
            let city = City::generate(seed, 300, 60);
            let cast = city.characters().unwrap();
            let citizen = &city.residents[cast.citizen];
            let home = citizen.home.as_ref().unwrap();
            assert!(citizen.is_adult() && !home.seized && home.mortgage.is_some() && citizen.credit.overdue_24m == 0);
            let (honest, moved) = (&city.companies[cast.honest_company], &city.companies[cast.moved_company]);
            assert!(!honest.moved && honest.active && honest.expires >= TODAY && moved.moved);
        }
    }

    #[test]
    fn the_property_register_knows_the_principal() {
        let city = City::generate(1, 200, 40);
        let homes = city.tables("yungang").into_iter().find(|t| t.name == "homes").unwrap();
        let owners = city.residents.iter().filter_map(|r| r.home.as_ref());
        let principals = owners.map(|h| h.mortgage.as_ref().map(|m| m.principal_fen.to_string()).unwrap_or_default());
        let column = homes.csv.lines().next().unwrap().split(',').position(|c| c == "抵押金额分").unwrap();
        let cells = homes.csv.lines().skip(1).map(|l| l.split(',').nth(column).unwrap().to_owned());
        assert!(cells.eq(principals));
    }

    /// Fails when a change alters what a seed gives: then everything that quotes the demo's records is out of date.
    #[test]
    fn a_seed_gives_this_city() {
        let mut hasher = Hasher::new(HashAlgorithm::Sha256);
        for table in City::generate(1, 200, 40).tables("yungang") {
            hasher.update(table.csv.as_bytes());
        }
        assert_eq!(hasher.finish().to_string(), "41266aecbfce642f7603f4383e0d739387d933dfbcc691a75f28d9f8c6cb3596");
    }
}
