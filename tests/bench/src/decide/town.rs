//! A holder with eight datasets, twenty purposes, 200 rules and as many grants as are asked for.

use covenant_canon::to_bytes;
use covenant_domain::{
    Dataset, DatasetId, DayKind, Effect, Field, FieldKind, FieldName, Grade, Grant, GrantId, Ground, GuardRule,
    MemberId, Mode, Names, Purpose, PurposeCode, Quota, RoleLink, RuleBook, RuleObligations,
};
use covenant_engine::GrantState;
use covenant_state::{Key, Object, Row};

use crate::figure::Failure;

pub(super) const HOLDER: &str = "credit-centre";
pub(super) const DATASETS: u64 = 8;
pub(super) const PURPOSES: u64 = 20;
pub(super) const RULES: u64 = 200;
pub(super) const FIELDS: [&str; 6] = ["area_cm2", "balance_fen", "loans", "name", "overdue", "status"];
/// Those of the demo's members that may ask.
pub(super) const CONSUMERS: [&str; 4] = ["bank", "housing", "market-regulation", "tax"];
const YEAR_MS: u64 = 365 * 24 * 3_600_000;

/// splitmix64: the same questions on every machine.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> Result<&'a T, Failure> {
        of.get(self.roll(of.len() as u64) as usize).ok_or_else(|| "nothing to choose from".into())
    }
}

pub(super) fn dataset_id(number: u64) -> Result<DatasetId, Failure> {
    Ok(DatasetId::new(&format!("cov:yungang/gov/{HOLDER}/bench/d{number}"))?)
}

pub(super) fn purpose_code(number: u64) -> Result<PurposeCode, Failure> {
    Ok(PurposeCode::new(&format!("purpose-{number}"))?)
}

fn names() -> Result<Vec<FieldName>, Failure> {
    Ok(FIELDS.iter().map(|f| FieldName::new(f)).collect::<Result<_, _>>()?)
}

/// 200 rules: about single datasets, modes and purposes when varied, about any of them when not.
pub(super) fn book(varied: bool) -> Result<RuleBook, Failure> {
    let mut dice = Dice(3);
    let rules = (0..RULES).map(|n| rule(&mut dice, n, varied)).collect::<Result<_, _>>()?;
    let link = |member: &str, role: &str| RoleLink { member: member.into(), role: role.into() };
    let roles = vec![
        link("finance", "licensed"),
        link("government", "insider"),
        link("licensed", "trusted"),
        link("insider", "trusted"),
    ];
    Ok(RuleBook { holder: MemberId::new(HOLDER)?, revision: 1, rules, roles, auto: vec![] })
}

fn rule(dice: &mut Dice, number: u64, varied: bool) -> Result<GuardRule, Failure> {
    let subject = (*dice.one(&["licensed", "insider", "trusted", "bank", "*"])?).to_owned();
    let (dataset, mode) = (format!("d{}", dice.roll(DATASETS)), dice.one(&Mode::ALL)?.name().to_owned());
    let (any_dataset, any_mode, forbids) = (dice.roll(10) == 0, dice.roll(2) == 0, dice.roll(10) == 0);
    let from_hour = dice.roll(12) as u8;
    Ok(GuardRule {
        name: format!("rule-{number}"),
        subject,
        dataset: if any_dataset || !varied { "*".into() } else { dataset },
        mode: if any_mode || !varied { "*".into() } else { mode },
        purpose: if dice.roll(3) == 0 { "*".into() } else { purpose_code(dice.roll(PURPOSES))?.to_string() },
        from_hour,
        until_hour: from_hour + 6 + dice.roll(6) as u8,
        effect: if forbids { Effect::Forbid } else { Effect::Allow },
        ground: *dice.one(&[Ground::Any, Ground::Any, Ground::Legal, Ground::Consent])?,
        days: *dice.one(&[DayKind::Any, DayKind::Any, DayKind::Working, DayKind::Free])?,
        grade: (dice.roll(3) == 0).then_some(Grade::Important),
        fields: if dice.roll(2) == 0 { names()?.split_off(dice.roll(3) as usize) } else { vec![] },
        obligations: (!forbids && dice.roll(4) == 0)
            .then(|| RuleObligations { max_rows: Some(1), ..RuleObligations::default() }),
    })
}

fn purpose(number: u64) -> Result<Purpose, Failure> {
    Ok(Purpose {
        code: purpose_code(number)?,
        names: Names::new("用途", "Purpose"),
        legal_basis: "law".into(),
        needs_consent: false,
        needs_case: true,
        modes: Mode::ALL.to_vec(),
        retention_days: 30,
        needs_record: None,
    })
}

fn dataset(number: u64) -> Result<Dataset, Failure> {
    let field = |name: FieldName| {
        let plain = Field::new(name, Names::new("字段", "Field"), FieldKind::Text, &Mode::ALL);
        Field { personal: true, ..plain }
    };
    let fields = names()?.into_iter().map(field).collect();
    let plain = Dataset::new(dataset_id(number)?, MemberId::new(HOLDER)?, Names::new("数据集", "Dataset"), fields);
    let grade = if number.is_multiple_of(2) { Grade::General } else { Grade::Important };
    Ok(Dataset { grade, max_rows: 2, ..plain })
}

/// The first grants are two for every question of the demo's members, the rest are of 1 000 others.
fn grant(now_ms: u64, number: u64) -> Result<Grant, Failure> {
    let mut random = [0; 10];
    random.copy_from_slice(&[&[9, 9][..], &number.to_be_bytes()].concat());
    let own = number / (2 * DATASETS * PURPOSES);
    let consumer = match CONSUMERS.get(own as usize) {
        Some(name) => (*name).to_owned(),
        None => format!("consumer-{}", number % 1_000),
    };
    Ok(Grant {
        id: GrantId::from_parts(now_ms, &random),
        holder: MemberId::new(HOLDER)?,
        consumer: MemberId::new(&consumer)?,
        dataset: dataset_id(number / 2 % DATASETS)?,
        purpose: purpose_code(number / (2 * DATASETS) % PURPOSES)?,
        modes: vec![Mode::Match, Mode::Detail, Mode::Submit],
        fields: names()?,
        quota: Quota { limit: 1_000_000, window_ms: 24 * 3_600_000 },
        valid_from_ms: now_ms.saturating_sub(1),
        valid_until_ms: now_ms + YEAR_MS,
        data_life_days: 30,
        max_rows: 1,
        supersedes: None,
    })
}

/// The state's rows: catalogue, rule book and grants.
pub(super) fn rows(now_ms: u64, grants: u64) -> Result<Vec<Row>, Failure> {
    let row = |key: Key, object: Object| Row { key: to_bytes(&key), value: Some(to_bytes(&object)) };
    let mut out = Vec::with_capacity(grants as usize + 64);
    for number in 0..PURPOSES {
        out.push(row(Key::Purpose(purpose_code(number)?), Object::Purpose(purpose(number)?)));
    }
    for number in 0..DATASETS {
        out.push(row(Key::Dataset(dataset_id(number)?), Object::Dataset(dataset(number)?)));
    }
    let book = book(true)?;
    out.push(row(Key::Policy(book.holder.clone()), Object::Policy(book)));
    for number in 0..grants {
        let grant = grant(now_ms, number)?;
        let state = GrantState::new(grant, Vec::new());
        out.push(row(Key::Grant(state.grant.id), Object::Grant(state)));
    }
    Ok(out)
}
