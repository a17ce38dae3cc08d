//! What the demo consortium agrees on: datasets, purposes, rule books and grants.

use covenant_domain::{
    AutoRule, Dataset, DatasetId, Description, Effect, Field, FieldKind, FieldName, Grade, Grant, GrantId, GuardRule,
    IdError, Mask, MemberId, Mode, Names, Purpose, PurposeCode, Quota, RiskLevel, RoleLink, RuleBook, SubjectKind,
    UpdateCycle, VoteRule,
};
use covenant_ledger::Charter;

/// The consortium's short name.
pub const CONSORTIUM: &str = "yungang";

/// Datasets of the demo that follow a shipped record model.
const MODEL_OF: [(&str, &str); 4] = [
    ("homes", "real-estate-right"),
    ("licences", "business-licence"),
    ("credit", "credit-record"),
    ("income", "tax-summary"),
];

/// Days of validity of the demo's grants, in milliseconds.
const VALID_MS: u64 = 365 * 24 * 3_600_000;
/// A day in milliseconds.
const DAY_MS: u64 = 24 * 3_600_000;

/// Field name, zh, en, kind, personal, modes, mask.
type FieldLine = (&'static str, &'static str, &'static str, FieldKind, bool, &'static [Mode], Option<Mask>);

const BOTH: &[Mode] = &[Mode::Match, Mode::Detail];
const PRIVATE: &[Mode] = &[Mode::Match, Mode::Lookup, Mode::Detail];
const ALL: &[Mode] = &[Mode::Match, Mode::Detail, Mode::Submit];
const FILE: &[Mode] = &[Mode::Submit];

/// Member id, subsystem, dataset name.
fn dataset_id(holder: &str, subsystem: &str, name: &str) -> Result<DatasetId, IdError> {
    DatasetId::new(&format!("cov:{CONSORTIUM}/gov/{holder}/{subsystem}/{name}"))
}

/// Rules of the demo consortium: a rule book needs six of ten voters, and ten seconds without objection.
pub fn charter() -> Charter {
    Charter { policy_vote: Some(VoteRule { quorum_percent: 60, objection_ms: 10_000 }), ..Charter::default() }
}

/// All datasets of the demo.
///
/// # Errors
/// [`IdError`] never happens with the names written here.
pub fn datasets() -> Result<Vec<Dataset>, IdError> {
    use FieldKind::{Boolean, Date, Document, Integer, Text};
    let keep = Some(Mask::Keep { first: 1, last: 0 });
    Ok(vec![
        dataset(
            ("housing", "registry", "homes"),
            ("不动产登记（住宅）", "Homes register"),
            Grade::Important,
            SubjectKind::Resident,
            &[
                ("owner_name", "权利人", "Owner", Text, true, BOTH, keep),
                ("address", "坐落", "Address", Text, true, BOTH, None),
                ("unit_number", "不动产单元号", "Unit number", Text, true, BOTH, None),
                ("certificate", "不动产权证号", "Certificate", Text, true, BOTH, None),
                ("area_cm2", "面积", "Floor area", Integer, true, BOTH, None),
                ("share_percent", "份额", "Share", Integer, true, BOTH, None),
                ("registered_on", "登记日期", "Registered on", Date, true, BOTH, Some(Mask::Year)),
                ("homes_owned", "名下套数", "Homes owned", Integer, true, BOTH, None),
                ("mortgagee", "抵押权人", "Mortgagee", Text, true, BOTH, None),
                ("mortgage_fen", "抵押金额", "Mortgage", Integer, true, BOTH, None),
                ("seized", "是否查封", "Seized", Boolean, true, BOTH, None),
            ],
        )?,
        dataset(
            ("housing", "registry", "premises"),
            ("不动产登记（经营场所）", "Premises register"),
            Grade::General,
            SubjectKind::Company,
            &[
                ("address", "坐落", "Address", Text, false, BOTH, None),
                ("unit_number", "不动产单元号", "Unit number", Text, false, BOTH, None),
                ("area_cm2", "面积", "Floor area", Integer, false, BOTH, None),
            ],
        )?,
        dataset(
            ("market-regulation", "licensing", "licences"),
            ("营业执照", "Business licences"),
            Grade::General,
            SubjectKind::Company,
            &[
                ("company_name", "名称", "Company name", Text, false, ALL, None),
                ("representative", "法定代表人", "Legal representative", Text, true, ALL, keep),
                ("capital_fen", "注册资本", "Registered capital", Integer, false, ALL, None),
                ("address", "住所", "Address", Text, false, ALL, None),
                ("scope", "经营范围", "Business scope", Text, false, ALL, None),
                ("licence_number", "执照编号", "Licence number", Text, false, ALL, None),
                ("issued_on", "成立日期", "Issued on", Date, false, ALL, None),
                ("expires_on", "营业期限至", "Expires on", Date, false, ALL, None),
                ("status", "经营状态", "Status", Text, false, ALL, None),
                ("licence_file", "电子证照", "Licence file", Document, false, FILE, None),
            ],
        )?,
        dataset(
            ("credit-centre", "scoring", "credit"),
            ("个人征信摘要", "Credit summary"),
            Grade::Core,
            SubjectKind::Resident,
            &[
                ("overdue_24m", "近24月逾期次数", "Overdue in 24 months", Integer, true, PRIVATE, None),
                ("open_loans", "未结清贷款笔数", "Open loans", Integer, true, BOTH, None),
                ("limit_fen", "授信总额", "Credit limits", Integer, true, BOTH, None),
                (
                    "balance_fen",
                    "负债余额",
                    "Balance owed",
                    Integer,
                    true,
                    PRIVATE,
                    Some(Mask::Floor { step: 100_000 }),
                ),
                ("defaulted", "是否违约", "In default", Boolean, true, PRIVATE, None),
                ("blacklist_code", "黑名单类型", "Blacklist type", Text, true, BOTH, None),
            ],
        )?,
        dataset(
            ("tax", "levy", "income"),
            ("个人纳税与公积金摘要", "Income and provident fund"),
            Grade::Important,
            SubjectKind::Resident,
            &[
                ("income_fen", "上年收入", "Income", Integer, true, BOTH, None),
                ("paid_fen", "已缴税额", "Tax paid", Integer, true, BOTH, None),
                ("arrears_fen", "欠税", "Tax arrears", Integer, true, BOTH, None),
                ("provident_fen", "公积金月缴存", "Provident fund deposit", Integer, true, BOTH, None),
            ],
        )?,
        dataset(
            ("tax", "levy", "company-tax"),
            ("企业纳税摘要", "Company tax"),
            Grade::Important,
            SubjectKind::Company,
            &[
                ("revenue_fen", "上年应税收入", "Taxable revenue", Integer, false, BOTH, None),
                ("arrears_fen", "欠税", "Tax arrears", Integer, false, BOTH, None),
            ],
        )?,
    ])
}

fn dataset(
    (holder, subsystem, name): (&str, &str, &str),
    (zh, en): (&str, &str),
    grade: Grade,
    subject: SubjectKind,
    fields: &[FieldLine],
) -> Result<Dataset, IdError> {
    let model =
        MODEL_OF.iter().find(|(dataset, _)| *dataset == name).and_then(|(_, code)| covenant_models::model(code));
    let field = |(name, zh, en, kind, personal, modes, mask): &FieldLine| {
        let unit = ["fen", "cm2", "percent"].into_iter().find(|u| name.ends_with(&format!("_{u}")));
        let modelled = model.and_then(|m| m.field(name)).map(|f| f.field()).transpose()?;
        let plain = Field::new(FieldName::new(name)?, Names::new(zh, en), *kind, modes);
        Ok(Field {
            unit: unit.map(str::to_owned),
            personal: *personal,
            mask: *mask,
            level: modelled.as_ref().and_then(|f| f.level),
            bound: modelled.as_ref().and_then(|f| f.bound),
            score: modelled.and_then(|f| f.score),
            ..plain
        })
    };
    let fields = fields.iter().map(field).collect::<Result<_, IdError>>()?;
    let plain = Dataset::new(dataset_id(holder, subsystem, name)?, MemberId::new(holder)?, Names::new(zh, en), fields);
    Ok(Dataset {
        duty_basis: format!("{zh}的登记、保管与公示职责"),
        grade,
        subject,
        max_rows: 10,
        update_cycle: UpdateCycle::Daily,
        about: model.map(|m| Description { spatial: Some(Names::new("云港市", "Yungang")), ..m.description() }),
        ..plain
    })
}

/// All purposes of the demo.
///
/// # Errors
/// As [`datasets`].
pub fn purposes() -> Result<Vec<Purpose>, IdError> {
    Ok(vec![
        Purpose {
            code: PurposeCode::new("address-verification")?,
            names: Names::new("企业住所核验", "Verification of a company's address"),
            legal_basis: "市场主体登记管理条例 第十一条".into(),
            needs_consent: false,
            needs_case: false,
            modes: BOTH.to_vec(),
            retention_days: 30,
            needs_record: None,
        },
        Purpose {
            code: PurposeCode::new("mortgage-review")?,
            names: Names::new("住房贷款审查", "Review of a home loan"),
            legal_basis: "征信业管理条例 第十八条（书面同意）".into(),
            needs_consent: true,
            needs_case: false,
            modes: PRIVATE.to_vec(),
            retention_days: 90,
            needs_record: None,
        },
        Purpose {
            code: PurposeCode::new("account-opening")?,
            names: Names::new("单位账户开户尽职调查", "Due diligence at account opening"),
            legal_basis: "人民币银行结算账户管理办法".into(),
            needs_consent: false,
            needs_case: true,
            modes: ALL.to_vec(),
            retention_days: 365,
            needs_record: None,
        },
    ])
}

/// Every holder's rule book.
///
/// # Errors
/// As [`datasets`].
pub fn rule_books() -> Result<Vec<RuleBook>, IdError> {
    let auto = |holder: &str| match holder {
        "housing" => Ok(vec![AutoRule {
            name: "departments-match-addresses".into(),
            subject: "insider".into(),
            dataset: "premises".into(),
            purposes: vec![PurposeCode::new("address-verification")?],
            modes: vec![Mode::Match],
            fields: vec![FieldName::new("address")?],
            max_per_day: 1_000,
            max_valid_days: 400,
            highest_risk: RiskLevel::Low,
        }]),
        _ => Ok(vec![]),
    };
    let book = |holder: &str, rules: Vec<GuardRule>| {
        let roles = vec![
            RoleLink { member: "government".into(), role: "insider".into() },
            RoleLink { member: "finance".into(), role: "licensed".into() },
        ];
        Ok(RuleBook { holder: MemberId::new(holder)?, revision: 1, rules, roles, auto: auto(holder)? })
    };
    Ok(vec![
        book(
            "housing",
            vec![
                rule("departments-match", "insider", "premises", "match", "address-verification", Effect::Allow),
                rule("banks-mortgage", "licensed", "homes", "*", "mortgage-review", Effect::Allow),
            ],
        )?,
        book(
            "market-regulation",
            vec![
                rule("banks-licences", "licensed", "licences", "*", "account-opening", Effect::Allow),
                rule("departments-licences", "insider", "licences", "*", "*", Effect::Allow),
            ],
        )?,
        book(
            "credit-centre",
            vec![
                rule("banks-mortgage", "licensed", "credit", "*", "mortgage-review", Effect::Allow),
                rule("never-submit", "*", "*", "submit", "*", Effect::Forbid),
            ],
        )?,
        book(
            "tax",
            vec![
                rule("banks-mortgage", "licensed", "income", "*", "mortgage-review", Effect::Allow),
                rule("banks-arrears", "licensed", "company-tax", "match", "account-opening", Effect::Allow),
            ],
        )?,
    ])
}

fn rule(name: &str, subject: &str, dataset: &str, mode: &str, purpose: &str, effect: Effect) -> GuardRule {
    GuardRule {
        name: name.into(),
        subject: subject.into(),
        dataset: dataset.into(),
        mode: mode.into(),
        purpose: purpose.into(),
        from_hour: 0,
        until_hour: 24,
        effect,
        ..GuardRule::default()
    }
}

/// The demo's grants from `now_ms` on; `random` yields fresh bytes for their ids.
///
/// # Errors
/// As [`datasets`].
pub fn grants(now_ms: u64, mut random: impl FnMut() -> [u8; 10]) -> Result<Vec<Grant>, IdError> {
    let mut grant = |consumer: &str, dataset: DatasetId, purpose: &str, modes: &[Mode], fields: &[&str]| {
        Ok(Grant {
            id: GrantId::from_parts(now_ms, &random()),
            holder: MemberId::new(dataset.org())?,
            consumer: MemberId::new(consumer)?,
            dataset,
            purpose: PurposeCode::new(purpose)?,
            modes: modes.to_vec(),
            fields: fields.iter().map(|f| FieldName::new(f)).collect::<Result<_, IdError>>()?,
            quota: Quota { limit: 1_000_000, window_ms: DAY_MS },
            valid_from_ms: now_ms.saturating_sub(DAY_MS),
            valid_until_ms: now_ms.saturating_add(VALID_MS),
            data_life_days: 90,
            max_rows: 1,
            supersedes: None,
        })
    };
    Ok(vec![
        grant(
            "market-regulation",
            dataset_id("housing", "registry", "premises")?,
            "address-verification",
            &[Mode::Match],
            &["address"],
        )?,
        grant(
            "bank",
            dataset_id("credit-centre", "scoring", "credit")?,
            "mortgage-review",
            PRIVATE,
            &["overdue_24m", "open_loans", "balance_fen", "defaulted"],
        )?,
        grant(
            "bank",
            dataset_id("housing", "registry", "homes")?,
            "mortgage-review",
            BOTH,
            &["owner_name", "address", "area_cm2", "certificate", "mortgage_fen", "seized"],
        )?,
        grant("bank", dataset_id("tax", "levy", "income")?, "mortgage-review", BOTH, &["income_fen", "arrears_fen"])?,
        grant(
            "bank",
            dataset_id("market-regulation", "licensing", "licences")?,
            "account-opening",
            ALL,
            &["company_name", "licence_number", "status", "expires_on", "licence_file"],
        )?,
    ])
}

#[cfg(test)]
mod tests {
    use covenant_domain::{Body, SignedGrant, personal};

    use super::*;

    #[test]
    fn no_text_of_the_catalogue_reads_as_a_personal_number() {
        let mut bodies: Vec<Body> = purposes().unwrap().into_iter().map(Body::PurposeRegistered).collect();
        bodies.extend(datasets().unwrap().into_iter().map(Body::DatasetPublished));
        bodies.extend(rule_books().unwrap().into_iter().map(Body::PolicyAdopted));
        let signed = |grant| SignedGrant { grant, consumer_signature: String::new() };
        let grants = grants(1_800_000_000_000, || [7; 10]).unwrap();
        bodies.extend(grants.into_iter().map(|g| Body::GrantIssued(signed(g))));
        assert!(bodies.len() > 10);
        for body in bodies {
            assert_eq!(personal(&body), None, "{body:?}");
        }
    }

    #[test]
    fn datasets_hold_and_keep_to_their_models() {
        let datasets = datasets().unwrap();
        for dataset in &datasets {
            dataset.check().unwrap();
        }
        for (name, code) in MODEL_OF {
            let dataset = datasets.iter().find(|d| d.id.name() == name).unwrap();
            let model = covenant_models::model(code).unwrap();
            assert_eq!(model.departures(dataset), Vec::<String>::new(), "{name}");
            assert_eq!(dataset.about.as_ref().unwrap().model, Some(model.reference()));
        }
    }
}
