//! The city as departments would export it: CSV with Chinese headers, and the mapping files that read them.

use std::fmt::Write as _;

use super::{City, Company, Home, Resident};

/// One export.
#[derive(Debug, Clone)]
pub struct Table {
    /// Member that holds it.
    pub holder: &'static str,
    /// Short name of the dataset.
    pub name: &'static str,
    /// The CSV.
    pub csv: String,
    /// The mapping file.
    pub mapping: String,
    /// Files that the CSV refers to.
    pub documents: Vec<Document>,
}

/// A file beside a table.
#[derive(Debug, Clone)]
pub struct Document {
    /// Name of the file.
    pub name: String,
    /// Its content.
    pub content: String,
}

/// How a column becomes a field: column, field, type, further keys.
type Column = (&'static str, &'static str, &'static str, &'static str);

struct Shape {
    holder: &'static str,
    subsystem: &'static str,
    name: &'static str,
    key: (&'static str, &'static str),
    columns: &'static [Column],
}

const HOMES: Shape = Shape {
    holder: "housing",
    subsystem: "registry",
    name: "homes",
    key: ("权利人证件号", "resident"),
    columns: &[
        ("权利人", "owner_name", "text", "required = true"),
        ("坐落", "address", "text", "required = true"),
        ("不动产单元号", "unit_number", "text", "required = true"),
        ("不动产权证号", "certificate", "text", "required = true"),
        ("面积平方厘米", "area_cm2", "integer", "required = true"),
        ("份额百分比", "share_percent", "integer", "required = true"),
        ("登记日期", "registered_on", "date", "required = true"),
        ("名下套数", "homes_owned", "integer", "required = true"),
        ("抵押权人", "mortgagee", "text", ""),
        ("抵押金额分", "mortgage_fen", "integer", ""),
        ("是否查封", "seized", "boolean", "true_values = [\"是\"]\nfalse_values = [\"否\"]"),
    ],
};

const PREMISES: Shape = Shape {
    holder: "housing",
    subsystem: "registry",
    name: "premises",
    key: ("统一社会信用代码", "company"),
    columns: &[
        ("坐落", "address", "text", "required = true"),
        ("不动产单元号", "unit_number", "text", "required = true"),
        ("面积平方厘米", "area_cm2", "integer", "required = true"),
    ],
};

const LICENCES: Shape = Shape {
    holder: "market-regulation",
    subsystem: "licensing",
    name: "licences",
    key: ("统一社会信用代码", "company"),
    columns: &[
        ("名称", "company_name", "text", "required = true"),
        ("法定代表人", "representative", "text", "required = true"),
        ("注册资本分", "capital_fen", "integer", "required = true"),
        ("住所", "address", "text", "required = true"),
        ("经营范围", "scope", "text", ""),
        ("执照编号", "licence_number", "text", "required = true"),
        ("成立日期", "issued_on", "date", "required = true"),
        ("营业期限至", "expires_on", "date", "required = true"),
        ("经营状态", "status", "text", "values = [\"存续\", \"注销\"]"),
        ("电子证照", "licence_file", "document", "base_dir = \"documents\"\nmedia_type = \"image/svg+xml\""),
    ],
};

const CREDIT: Shape = Shape {
    holder: "credit-centre",
    subsystem: "scoring",
    name: "credit",
    key: ("身份证号", "resident"),
    columns: &[
        ("近24月逾期次数", "overdue_24m", "integer", "required = true"),
        ("未结清贷款笔数", "open_loans", "integer", "required = true"),
        ("授信总额分", "limit_fen", "integer", "required = true"),
        ("负债余额分", "balance_fen", "integer", "required = true"),
        ("是否违约", "defaulted", "boolean", "true_values = [\"是\"]\nfalse_values = [\"否\"]"),
        ("黑名单类型", "blacklist_code", "text", ""),
    ],
};

const TAX: Shape = Shape {
    holder: "tax",
    subsystem: "levy",
    name: "income",
    key: ("身份证号", "resident"),
    columns: &[
        ("上年收入分", "income_fen", "integer", "required = true"),
        ("已缴税额分", "paid_fen", "integer", "required = true"),
        ("欠税分", "arrears_fen", "integer", "required = true"),
        ("公积金月缴存分", "provident_fen", "integer", "required = true"),
    ],
};

const COMPANY_TAX: Shape = Shape {
    holder: "tax",
    subsystem: "levy",
    name: "company-tax",
    key: ("统一社会信用代码", "company"),
    columns: &[
        ("上年应税收入分", "revenue_fen", "integer", "required = true"),
        ("欠税分", "arrears_fen", "integer", "required = true"),
    ],
};

pub(super) fn tables(city: &City, consortium: &str) -> Vec<Table> {
    let owners = || city.residents.iter().filter_map(|r| r.home.as_ref().map(|h| (r, h)));
    let mut licences = LICENCES.table(consortium, city.companies.iter().map(licence));
    licences.documents = city
        .companies
        .iter()
        .map(|c| Document { name: format!("{}.svg", c.licence), content: c.licence_document() })
        .collect();
    vec![
        HOMES.table(consortium, owners().map(home)),
        PREMISES.table(consortium, city.companies.iter().map(premises)),
        licences,
        CREDIT.table(consortium, city.residents.iter().map(credit)),
        TAX.table(consortium, city.residents.iter().map(income)),
        COMPANY_TAX.table(consortium, city.companies.iter().map(company_tax)),
    ]
}

impl Shape {
    fn table(&self, consortium: &str, rows: impl Iterator<Item = Vec<String>>) -> Table {
        let mut header = vec![self.key.0];
        header.extend(self.columns.iter().map(|c| c.0));
        let mut csv = header.join(",");
        csv.push('\n');
        for row in rows {
            csv.push_str(&row.join(","));
            csv.push('\n');
        }
        Table { holder: self.holder, name: self.name, csv, mapping: self.mapping(consortium), documents: Vec::new() }
    }

    fn mapping(&self, consortium: &str) -> String {
        let Self { holder, subsystem, name, key: (column, kind), columns } = self;
        let mut out = format!(
            "version = 1\ndataset = \"cov:{consortium}/gov/{holder}/{subsystem}/{name}\"\nsubject = {{ column = \"{column}\", kind = \"{kind}\" }}\nencoding = \"utf-8\"\ndelimiter = \",\"\n"
        );
        for (column, field, kind, more) in *columns {
            // Writing to a string cannot fail.
            let _infallible =
                write!(out, "\n[[field]]\nname = \"{field}\"\ncolumn = \"{column}\"\ntype = \"{kind}\"\n");
            if !more.is_empty() {
                out.push_str(more);
                out.push('\n');
            }
        }
        out
    }
}

fn yes(flag: bool) -> String {
    if flag { "是" } else { "否" }.to_owned()
}

fn home((resident, home): (&Resident, &Home)) -> Vec<String> {
    let mortgage = home.mortgage.as_ref();
    vec![
        resident.number.expose().to_owned(),
        resident.name.clone(),
        messy(&home.address, home.area_cm2),
        home.unit.clone(),
        home.certificate.clone(),
        home.area_cm2.to_string(),
        home.share_percent.to_string(),
        home.registered.to_string(),
        home.homes.to_string(),
        mortgage.map(|m| m.bank.clone()).unwrap_or_default(),
        mortgage.map(|m| m.principal_fen.to_string()).unwrap_or_default(),
        yes(home.seized),
    ]
}

/// As typed by hand here and there: full-width digits and a stray space, which normalisation folds.
fn messy(address: &str, area_cm2: i64) -> String {
    if area_cm2 / 10_000 % 10 != 3 {
        return address.to_owned();
    }
    let wide = |c: char| c.to_digit(10).and_then(|d| char::from_u32('０' as u32 + d)).unwrap_or(c);
    format!(" {}", address.chars().map(wide).collect::<String>())
}

fn premises(company: &Company) -> Vec<String> {
    vec![
        company.code.expose().to_owned(),
        messy(&company.premises, company.area_cm2),
        company.unit.clone(),
        company.area_cm2.to_string(),
    ]
}

fn licence(company: &Company) -> Vec<String> {
    vec![
        company.code.expose().to_owned(),
        company.name.clone(),
        company.representative_name.clone(),
        company.capital_fen.to_string(),
        company.address.clone(),
        company.scope.clone(),
        company.licence.clone(),
        company.issued.to_string(),
        company.expires.to_string(),
        if company.active { "存续" } else { "注销" }.to_owned(),
        format!("{}.svg", company.licence),
    ]
}

fn credit(resident: &Resident) -> Vec<String> {
    let credit = &resident.credit;
    vec![
        resident.number.expose().to_owned(),
        credit.overdue_24m.to_string(),
        credit.open_loans.to_string(),
        credit.limit_fen.to_string(),
        credit.balance_fen.to_string(),
        yes(credit.defaulted),
        credit.blacklist.unwrap_or_default().to_owned(),
    ]
}

fn income(resident: &Resident) -> Vec<String> {
    let tax = &resident.tax;
    vec![
        resident.number.expose().to_owned(),
        tax.income_fen.to_string(),
        tax.paid_fen.to_string(),
        tax.arrears_fen.to_string(),
        tax.provident_fen.to_string(),
    ]
}

fn company_tax(company: &Company) -> Vec<String> {
    vec![company.code.expose().to_owned(), company.revenue_fen.to_string(), company.arrears_fen.to_string()]
}
