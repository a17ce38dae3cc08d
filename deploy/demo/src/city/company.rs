//! Companies and their licences.

use chacha20::ChaCha20Rng;
use covenant_domain::CreditCode;
use jiff::civil::Date;

use super::names::{DISTRICTS, STREETS, SYLLABLES, TRADES};
use super::resident::Resident;
use super::{REGION, TODAY, below, between, chance, days_ago, pick};

/// A company.
#[derive(Debug, Clone)]
pub struct Company {
    /// Unified social credit code.
    pub code: CreditCode,
    /// Name.
    pub name: String,
    /// Position of the legal representative among the residents.
    pub legal_representative: usize,
    /// The representative's name.
    pub representative_name: String,
    /// Registered capital in fen.
    pub capital_fen: i64,
    /// Registered address, as market regulation has it.
    pub address: String,
    /// Address of its premises, as the property register has it.
    pub premises: String,
    /// Whether the two differ.
    pub moved: bool,
    /// Real-estate unit number of the premises.
    pub unit: String,
    /// Floor area of the premises in square centimetres.
    pub area_cm2: i64,
    /// Business scope.
    pub scope: String,
    /// Licence number.
    pub licence: String,
    /// Day of issue.
    pub issued: Date,
    /// Last day of validity.
    pub expires: Date,
    /// Whether it is in business.
    pub active: bool,
    /// Taxable revenue of the last year in fen.
    pub revenue_fen: i64,
    /// Tax in arrears in fen.
    pub arrears_fen: i64,
}

impl Company {
    pub(super) fn generate(index: usize, people: &[Resident], rng: &mut ChaCha20Rng) -> Self {
        let (trade, scope) = TRADES.get(below(rng, TRADES.len())).copied().unwrap_or(("商贸", "日用百货销售"));
        let legal_representative = below(rng, people.len());
        let premises = premises(rng);
        let moved = chance(rng, 12);
        let address = if moved { other_than(&premises, rng) } else { premises.clone() };
        let (issued, expires) = validity(rng);
        Self {
            code: code(index),
            name: format!("云港市{}{trade}有限公司", brand(index)),
            legal_representative,
            representative_name: people.get(legal_representative).map(|p| p.name.clone()).unwrap_or_default(),
            capital_fen: between(rng, 1..501) * 10_000_000,
            address,
            premises,
            moved,
            unit: format!("{REGION:06}{:06}GB{:05}F{:08}", between(rng, 200..400), between(rng, 1..99_999), index + 1),
            area_cm2: between(rng, 30..3_001) * 10_000,
            scope: scope.to_owned(),
            licence: format!("{REGION:06}{:09}", index + 1),
            issued,
            expires,
            active: !chance(rng, if expires < TODAY { 50 } else { 4 }),
            revenue_fen: between(rng, 10_000_000..50_000_000_000),
            arrears_fen: if chance(rng, 5) { between(rng, 100_000..5_000_000) } else { 0 },
        }
    }

    /// In business, under a licence that has not expired.
    pub(super) fn in_good_standing(&self) -> bool {
        self.active && self.expires >= TODAY
    }

    /// The licence as a document: a small drawing that carries the registered facts.
    pub fn licence_document(&self) -> String {
        let line = |y: u32, label: &str, value: &str| format!("<text x=\"40\" y=\"{y}\">{label} {value}</text>");
        let lines = [
            line(90, "统一社会信用代码", self.code.expose()),
            line(120, "名称", &self.name),
            line(150, "法定代表人", &self.representative_name),
            line(180, "住所", &self.address),
            line(210, "经营范围", &self.scope),
            line(240, "登记日期", &self.issued.to_string()),
        ];
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"600\" height=\"280\"><text x=\"230\" y=\"50\" font-size=\"28\">营业执照</text>{}</svg>\n",
            lines.concat()
        )
    }
}

/// Unique among ten million.
fn code(index: usize) -> CreditCode {
    match CreditCode::from_body(&format!("91{REGION:06}MA{:07}", (index + 1) % 10_000_000)) {
        Ok(code) => code,
        Err(fault) => unreachable!("the body holds allowed characters only: {fault}"),
    }
}

/// Days of issue and expiry. Three in a hundred licences have run out.
fn validity(rng: &mut ChaCha20Rng) -> (Date, Date) {
    let age_days = between(rng, 60..6_000);
    let issued = days_ago(age_days);
    if chance(rng, 3) {
        return (issued, days_ago(between(rng, 1..age_days / 2)));
    }
    (issued, issued.checked_add(jiff::Span::new().years(20)).unwrap_or(TODAY))
}

/// A made-up word no other index has: three syllables that neighbours do not share, more for a very large city.
fn brand(index: usize) -> String {
    // Prime to the number of syllables, so that it permutes the words of three.
    const STEP: usize = 36_653;
    let base = SYLLABLES.len().max(1);
    let block = base * base * base;
    let word = (index % block + 1) * STEP % block;
    let mut places = vec![word % base, word / base % base, word / base / base];
    let mut rest = index / block;
    while rest > 0 {
        places.push(rest % base);
        rest /= base;
    }
    places.into_iter().filter_map(|place| SYLLABLES.get(place).copied()).collect()
}

fn premises(rng: &mut ChaCha20Rng) -> String {
    let (district, street) = (pick(rng, DISTRICTS), pick(rng, STREETS));
    format!("云港市{district}{street}{}号{}层", between(rng, 1..900), between(rng, 1..25))
}

fn other_than(address: &str, rng: &mut ChaCha20Rng) -> String {
    loop {
        let other = premises(rng);
        if other != address {
            return other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_companies_share_a_brand() {
        let brands: BTreeSet<_> = (0..100_000).map(brand).collect();
        assert_eq!(brands.len(), 100_000);
        assert!(TRADES.iter().all(|(trade, _)| SYLLABLES.iter().all(|s| !trade.contains(s))));
    }
}
