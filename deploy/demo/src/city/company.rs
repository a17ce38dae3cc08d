//! Companies and their licences.

use chacha20::ChaCha20Rng;
use covenant_domain::CreditCode;
use jiff::civil::Date;
use rand::RngExt;

use super::names::{BRANDS, DISTRICTS, STREETS, TRADES};
use super::resident::Resident;
use super::{REGION, TODAY, chance, days_ago, pick};

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
        let (trade, scope) = TRADES.get(rng.random_range(0..TRADES.len())).copied().unwrap_or(("商贸", "日用百货销售"));
        let legal_representative = rng.random_range(0..people.len().max(1));
        let premises = premises(rng);
        let moved = chance(rng, 12);
        let address = if moved { other_than(&premises, rng) } else { premises.clone() };
        let issued = days_ago(rng.random_range(60..6_000));
        Self {
            code: code(index),
            name: format!("云港市{}{trade}有限公司", brand(index, rng)),
            legal_representative,
            representative_name: people.get(legal_representative).map(|p| p.name.clone()).unwrap_or_default(),
            capital_fen: rng.random_range(1..=500) * 10_000_000,
            address,
            premises,
            moved,
            unit: format!("{REGION:06}{:06}GB{:05}F{:08}", rng.random_range(200..400), rng.random_range(1..99_999), index + 1),
            area_cm2: rng.random_range(30..=3_000) * 10_000,
            scope: scope.to_owned(),
            licence: format!("{REGION:06}{:09}", index + 1),
            issued,
            expires: issued.checked_add(jiff::Span::new().years(20)).unwrap_or(TODAY),
            active: !chance(rng, 4),
            revenue_fen: rng.random_range(10_000_000..50_000_000_000_i64),
            arrears_fen: if chance(rng, 5) { rng.random_range(100_000..5_000_000) } else { 0 },
        }
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

fn code(index: usize) -> CreditCode {
    match CreditCode::from_body(&format!("91{REGION:06}MA{:07}", index + 1)) {
        Ok(code) => code,
        Err(fault) => unreachable!("the body holds allowed characters only: {fault}"),
    }
}

fn brand(index: usize, rng: &mut ChaCha20Rng) -> String {
    let (first, second) = (pick(rng, BRANDS), BRANDS.get(index % BRANDS.len()).copied().unwrap_or_default());
    if first == second { first.to_owned() } else { format!("{first}{second}") }
}

fn premises(rng: &mut ChaCha20Rng) -> String {
    let (district, street) = (pick(rng, DISTRICTS), pick(rng, STREETS));
    format!("云港市{district}{street}{}号{}层", rng.random_range(1..900), rng.random_range(1..25))
}

fn other_than(address: &str, rng: &mut ChaCha20Rng) -> String {
    loop {
        let other = premises(rng);
        if other != address {
            return other;
        }
    }
}
