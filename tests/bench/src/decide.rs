//! One decision among 100 000 grants.

use std::time::Instant;

use covenant_canon::{SuiteId, to_bytes};
use covenant_demo::{Founding, MEMBERS, catalogue};
use covenant_domain::{Authority, Commitment, DatasetId, FieldName, GrantId, MemberId, PurposeCode};
use covenant_engine::{GrantState, Need, Wish};
use covenant_state::{Key, Object, Row, State};

use crate::figure::{Failure, Figure, percentile};

const GRANTS: u64 = 100_000;
const DECISIONS: usize = 20_000;

/// A permitted query, decided again and again while the state holds 100 000 grants on the demo's datasets.
pub(crate) fn run() -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let founding = Founding::open(dir.path(), catalogue::CONSORTIUM, SuiteId::Sm, MEMBERS)?;
    let now_ms = founding.genesis.created_ms;
    let state = State::restore(&founding.genesis, 1, now_ms, rows(now_ms)?, Vec::new())?;
    let wish = Wish {
        consumer: MemberId::new("bank")?,
        dataset: DatasetId::new("cov:yungang/gov/market-regulation/licensing/licences")?,
        purpose: PurposeCode::new("account-opening")?,
        fields: vec![FieldName::new("company_name")?, FieldName::new("status")?],
        need: Need::Read,
        authority: Authority::Legal { commitment: Commitment([1; 32]), case: Some("1".into()) },
    };
    let mut samples = Vec::with_capacity(DECISIONS);
    for _ in 0..DECISIONS {
        let started = Instant::now();
        let plan = state.plan(&wish, now_ms);
        samples.push(started.elapsed().as_secs_f64() * 1e3);
        if plan.mode.is_none() {
            return Err(format!("not permitted: {:?}", plan.refused).into());
        }
    }
    let figure = |name, value| Figure { name, value, unit: "ms", goal: 0.2, limit: None, limit_is: "" };
    Ok(vec![
        figure("decision at 100 000 grants, median", percentile(&mut samples, 500)),
        figure("decision at 100 000 grants, p99", percentile(&mut samples, 990)),
    ])
}

fn rows(now_ms: u64) -> Result<Vec<Row>, Failure> {
    let mut objects: Vec<(Key, Object)> = Vec::new();
    for purpose in catalogue::purposes()? {
        objects.push((Key::Purpose(purpose.code.clone()), Object::Purpose(purpose)));
    }
    for dataset in catalogue::datasets()? {
        objects.push((Key::Dataset(dataset.id.clone()), Object::Dataset(dataset)));
    }
    for book in catalogue::rule_books()? {
        objects.push((Key::Policy(book.holder.clone()), Object::Policy(book)));
    }
    let real = catalogue::grants(now_ms, || [0xff; 10])?;
    let template = real.last().cloned().ok_or("no grant")?;
    for (i, grant) in (0u8..).zip(real) {
        let id = GrantId::from_parts(now_ms, &[i; 10]);
        objects.push((Key::Grant(id), Object::Grant(state_of(covenant_domain::Grant { id, ..grant }))));
    }
    // The others are of 1 000 consumers; one in a hundred is the bank's own, for other purposes.
    for i in 0..GRANTS {
        let (mut grant, mut random) = (template.clone(), [0; 10]);
        random.copy_from_slice(&[&[9, 9][..], &i.to_be_bytes()].concat());
        grant.id = GrantId::from_parts(now_ms, &random);
        match i % 100 {
            0 => grant.purpose = PurposeCode::new(&format!("purpose-{}", i % 977))?,
            _ => grant.consumer = MemberId::new(&format!("consumer-{}", i % 1_000))?,
        }
        objects.push((Key::Grant(grant.id), Object::Grant(state_of(grant))));
    }
    Ok(objects.iter().map(|(k, o)| Row { key: to_bytes(k), value: Some(to_bytes(o)) }).collect())
}

fn state_of(grant: covenant_domain::Grant) -> GrantState {
    GrantState { grant, suspended_by: Vec::new(), revoked: false }
}
