//! Cedar on the cases of `covenant-bench decide`: one policy for every grant, and 200 rules beside them, half with
//! conditions on hour and purpose.
//!
//! `cargo run --release --manifest-path tests/bench/peers/cedar/Cargo.toml`. A workspace of its own, so that the main
//! build does not pay for it.

use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Instant;

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};

const DATASETS: u64 = 8;
const PURPOSES: u64 = 20;
const RULES: u64 = 200;

type Failure = Box<dyn std::error::Error>;

/// splitmix64, as the engine's bench rolls.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// Consumer, dataset and purpose of a grant.
fn grant(number: u64) -> (u64, u64, u64) {
    (number / (DATASETS * PURPOSES), number % DATASETS, number / DATASETS % PURPOSES)
}

fn policies(grants: u64) -> Result<PolicySet, Failure> {
    let (mut text, mut dice) = (String::new(), Dice(3));
    for number in 0..grants {
        let (consumer, dataset, purpose) = grant(number);
        writeln!(
            text,
            "permit(principal == Member::\"consumer-{consumer}\", action == Action::\"match\", \
             resource == Dataset::\"d{dataset}\") when {{ context.purpose == \"purpose-{purpose}\" }};"
        )?;
    }
    for _ in 0..RULES {
        let (dataset, purpose, from) = (dice.roll(DATASETS), dice.roll(PURPOSES), dice.roll(12));
        // Forbids of hours that are never asked: what is granted stays permitted, and every rule is evaluated.
        writeln!(
            text,
            "forbid(principal, action, resource == Dataset::\"d{dataset}\") when {{ context.purpose == \
             \"purpose-{purpose}\" && context.hour >= {} && context.hour < {} }};",
            24 + from,
            30 + from
        )?;
    }
    Ok(PolicySet::from_str(&text)?)
}

fn sample(grants: u64, asks: u64) -> Result<Vec<f64>, Failure> {
    let (policies, entities, authorizer) = (policies(grants)?, Entities::empty(), Authorizer::new());
    let mut dice = Dice(5);
    let mut samples = Vec::new();
    for _ in 0..asks {
        let (consumer, dataset, purpose) = grant(dice.roll(grants));
        let started = Instant::now();
        let context = Context::from_json_str(
            &format!("{{\"purpose\": \"purpose-{purpose}\", \"hour\": {}}}", dice.roll(24)),
            None,
        )?;
        let request = Request::new(
            EntityUid::from_str(&format!("Member::\"consumer-{consumer}\""))?,
            EntityUid::from_str("Action::\"match\"")?,
            EntityUid::from_str(&format!("Dataset::\"d{dataset}\""))?,
            context,
            None,
        )?;
        let asked = Instant::now();
        if authorizer.is_authorized(&request, &policies, &entities).decision() != Decision::Allow {
            return Err("a grant that is there was not found".into());
        }
        let _building = asked - started;
        samples.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    samples.sort_by(f64::total_cmp);
    Ok(samples)
}

fn main() -> Result<(), Failure> {
    for (grants, asks) in [(1_000, 1_000), (10_000, 200)] {
        let samples = sample(grants, asks)?;
        let at = |permille: usize| samples[samples.len() * permille / 1000];
        println!("cedar, {grants} grants and {RULES} rules: median {:.3} ms, p99 {:.3} ms", at(500), at(990));
    }
    Ok(())
}
