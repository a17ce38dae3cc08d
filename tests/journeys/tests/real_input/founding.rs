//! Holders of the public tables, and what they let the lender ask.

use std::collections::BTreeMap;
use std::path::Path;

use covenant_canon::SuiteId;
use covenant_demo::{Consortium, Founding, MemberLine, Settings, counter_sign, publish};
use covenant_domain::{
    Body, Class, Effect, Grant, GrantId, GuardRule, MemberId, Mode, Names, Purpose, PurposeCode, Quota, Role, RuleBook,
};
use covenant_journeys::now_ms;
use covenant_source::{Source, Vault};

use crate::table::Table;

/// Tables in the order of [`PURPOSES`]: licences, assessments, credit.
pub(crate) const TABLES: [&str; 3] = ["business_licences", "property_assessments", "credit_card_clients"];
/// Licences demand a case number, credit the subject's consent.
pub(crate) const PURPOSES: [&str; 3] = ["due-diligence", "valuation", "loan-review"];

const MEMBERS: &[MemberLine] = &[
    ("housing", "住房和城乡建设局", "Housing bureau", Class::Government, &[Role::Holder, Role::Validator]),
    ("market", "市场监督管理局", "Market regulation", Class::Government, &[Role::Holder, Role::Validator]),
    ("bank", "发卡银行", "Card bank", Class::Finance, &[Role::Holder, Role::Validator]),
    ("archive", "档案馆", "Archive", Class::Government, &[Role::Validator]),
    ("lender", "贷款银行", "Lender", Class::Finance, &[Role::Consumer]),
    ("regulator", "数据管理局", "Data authority", Class::Regulator, &[Role::Regulator]),
    ("authorisation", "授权服务中心", "Authorisation service", Class::Government, &[Role::Authoriser]),
];

const BOTH: &[Mode] = &[Mode::Match, Mode::Detail];
const DAY_MS: u64 = 24 * 3_600_000;

pub(crate) struct World {
    pub(crate) consortium: Consortium,
    pub(crate) tables: Vec<Table>,
    pub(crate) imported: BTreeMap<&'static str, (u64, u64)>,
}

pub(crate) async fn found(dir: &Path, data: &Path) -> World {
    let founding = Founding::open(dir, "yungang", SuiteId::Sm, MEMBERS).unwrap();
    let tables: Vec<Table> = TABLES.iter().map(|name| Table::read(data, name)).collect();
    let (mut imported, mut settings) = (BTreeMap::new(), Settings::new(founding.clone()));
    for (name, table) in TABLES.into_iter().zip(&tables) {
        let holder = table.dataset.holder.clone();
        let file = founding.member_dir(&holder).unwrap().join("records.db");
        let vault = Vault::open(&format!("sqlite://{}", file.display())).await.unwrap();
        imported.insert(name, table.import(&vault).await);
        let source: std::sync::Arc<dyn Source> = vault.source(&table.dataset);
        settings.sources.insert(holder, vec![source]);
    }
    let consortium = Consortium::start(settings).await.unwrap();
    let purposes = PURPOSES.iter().zip([(false, true), (false, false), (true, false)]);
    let purposes = purposes.map(|(code, needs)| Body::PurposeRegistered(purpose(code, needs))).collect();
    publish(&consortium, "regulator", purposes).await.unwrap();
    for ((n, table), code) in (1..).zip(&tables).zip(PURPOSES) {
        let grant = counter_sign(&consortium.founding, grant(n, table, code)).unwrap();
        let bodies = vec![
            Body::DatasetPublished(table.dataset.clone()),
            Body::PolicyAdopted(book(&table.dataset.holder)),
            Body::GrantIssued(grant),
        ];
        publish(&consortium, table.dataset.holder.as_str(), bodies).await.unwrap();
    }
    World { consortium, tables, imported }
}

fn purpose(code: &str, (needs_consent, needs_case): (bool, bool)) -> Purpose {
    Purpose {
        code: PurposeCode::new(code).unwrap(),
        names: Names::new(code, code),
        legal_basis: "test".into(),
        needs_consent,
        needs_case,
        modes: BOTH.to_vec(),
        retention_days: 30,
        needs_record: None,
    }
}

fn book(holder: &MemberId) -> RuleBook {
    let rule = GuardRule {
        name: "licensed-lenders".into(),
        subject: "finance".into(),
        dataset: "*".into(),
        mode: "*".into(),
        purpose: "*".into(),
        from_hour: 0,
        until_hour: 24,
        effect: Effect::Allow,
        ..GuardRule::default()
    };
    RuleBook { holder: holder.clone(), revision: 1, rules: vec![rule], roles: vec![], auto: vec![] }
}

fn grant(n: u8, table: &Table, purpose: &str) -> Grant {
    Grant {
        id: GrantId::from_parts(now_ms(), &[n; 10]),
        holder: table.dataset.holder.clone(),
        consumer: MemberId::new("lender").unwrap(),
        dataset: table.dataset.id.clone(),
        purpose: PurposeCode::new(purpose).unwrap(),
        modes: BOTH.to_vec(),
        fields: table.granted(),
        quota: Quota { limit: 1_000_000, window_ms: DAY_MS },
        valid_from_ms: now_ms() - DAY_MS,
        valid_until_ms: now_ms() + 30 * DAY_MS,
        data_life_days: 30,
        max_rows: 1,
        supersedes: None,
    }
}
