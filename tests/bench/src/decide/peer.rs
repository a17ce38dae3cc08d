//! Casbin as it is mostly used: one policy for every grant. Printed to be read beside the figures, no goal.

use std::time::Instant;

use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};
use futures::executor::block_on;

use super::town::{DATASETS, Dice, PURPOSES};
use crate::figure::{Failure, percentile};

const MODEL: &str = r#"
[request_definition]
r = sub, obj, act, purpose
[policy_definition]
p = sub, obj, act, purpose
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act && r.purpose == p.purpose
"#;

pub(super) fn casbin_alone() -> Result<(), Failure> {
    for (grants, asks) in [(1_000, 1_000), (10_000, 100)] {
        let mut samples = block_on(sample(grants, asks))?;
        let (median, p99) = (percentile(&mut samples, 500), percentile(&mut samples, 990));
        println!("casbin alone, {grants} grants as policies: median {median:.3} ms, p99 {p99:.3} ms");
    }
    Ok(())
}

async fn sample(grants: u64, asks: usize) -> Result<Vec<f64>, Failure> {
    let mut enforcer = Enforcer::new(DefaultModel::from_str(MODEL).await?, MemoryAdapter::default()).await?;
    enforcer.add_policies((0..grants).map(policy).collect()).await?;
    let mut dice = Dice(5);
    let mut samples = Vec::with_capacity(asks);
    for _ in 0..asks {
        let [sub, obj, act, purpose] = texts(dice.roll(grants));
        let started = Instant::now();
        if !enforcer.enforce((sub.as_str(), obj.as_str(), act.as_str(), purpose.as_str()))? {
            return Err("a grant that is there was not found".into());
        }
        samples.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(samples)
}

fn policy(number: u64) -> Vec<String> {
    texts(number).to_vec()
}

fn texts(number: u64) -> [String; 4] {
    let (dataset, purpose) = (number % DATASETS, number / DATASETS % PURPOSES);
    let consumer = number / (DATASETS * PURPOSES);
    [format!("consumer-{consumer}"), format!("d{dataset}"), "match".into(), format!("purpose-{purpose}")]
}
