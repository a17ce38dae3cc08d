//! One decision among many grants under 200 guard rules, asked so that hardly a question comes twice.

mod peer;
mod town;

use std::time::Instant;

use covenant_canon::SuiteId;
use covenant_demo::{Founding, MEMBERS, catalogue};
use covenant_domain::{Authority, Commitment, FieldName, Member, Mode};
use covenant_engine::{Guard, GuardQuestion, Need, Wish};
use covenant_state::State;

use crate::figure::{Failure, Figure, percentile};
use town::{CONSUMERS, DATASETS, Dice, FIELDS, PURPOSES, dataset_id, purpose_code};

const DECISIONS: usize = 50_000;
const HOUR_MS: u64 = 3_600_000;

/// Decisions at 100 000 and 1 000 000 grants, guard verdicts alone, and casbin with grants as its policies.
pub(crate) fn run() -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let founding = Founding::open(dir.path(), catalogue::CONSORTIUM, SuiteId::Sm, MEMBERS)?;
    let mut figures = Vec::new();
    let sizes = [
        (100_000, 0.2, ["decision, 100 000 grants, median", "decision, 100 000 grants, p99"]),
        (1_000_000, 0.5, ["decision, 1 000 000 grants, median", "decision, 1 000 000 grants, p99"]),
    ];
    for (grants, goal, names) in sizes {
        figures.extend(decisions(&founding, grants, goal, names)?);
    }
    let members = &founding.genesis.members;
    figures.extend(verdicts(members, true, ["guard, 200 rules, median", "guard, 200 rules, p99"])?);
    // The worst book there is: every rule about any dataset and mode. Printed, no goal.
    let worst =
        verdicts(members, false, ["guard, 200 rules of one kind, median", "guard, 200 rules of one kind, p99"])?;
    worst.iter().for_each(|f| println!("{}: {:.3} ms", f.name, f.value));
    peer::casbin_alone()?;
    Ok(figures)
}

fn figure(name: &'static str, value: f64, goal: f64) -> Figure {
    Figure { name, value, unit: "ms", goal, limit: None, limit_is: "" }
}

fn decisions(
    founding: &Founding,
    grants: u64,
    goal: f64,
    [median, p99]: [&'static str; 2],
) -> Result<Vec<Figure>, Failure> {
    let now_ms = founding.genesis.created_ms;
    let state = State::restore(&founding.genesis, 1, now_ms, town::rows(now_ms, grants)?, Vec::new())?;
    let mut dice = Dice(7);
    let (mut samples, mut permitted) = (Vec::with_capacity(DECISIONS), 0);
    for _ in 0..DECISIONS {
        let (wish, time_ms) = (wish(&mut dice)?, now_ms + dice.roll(24 * 7) * HOUR_MS);
        let started = Instant::now();
        let plan = state.plan(&wish, time_ms);
        // A need that two modes could serve is decided twice when the first is refused.
        let decided = if plan.mode.is_some() { plan.refused.len() + 1 } else { plan.refused.len() };
        samples.push(started.elapsed().as_secs_f64() * 1e3 / decided as f64);
        permitted += usize::from(plan.mode.is_some());
    }
    let share = permitted * 100 / DECISIONS;
    if !(10..=90).contains(&share) {
        return Err(format!("{share} in 100 permitted: such questions show little").into());
    }
    Ok(vec![figure(median, percentile(&mut samples, 500), goal), figure(p99, percentile(&mut samples, 990), goal)])
}

/// Some fields, never none, in order.
fn fields(dice: &mut Dice) -> Result<Vec<FieldName>, Failure> {
    let wanted = 1 + dice.roll((1 << FIELDS.len()) - 1);
    let some = FIELDS.iter().enumerate().filter(|(i, _)| wanted >> i & 1 == 1);
    Ok(some.map(|(_, name)| FieldName::new(name)).collect::<Result<_, _>>()?)
}

fn wish(dice: &mut Dice) -> Result<Wish, Failure> {
    Ok(Wish {
        consumer: dice.one(&CONSUMERS)?.parse()?,
        dataset: dataset_id(dice.roll(DATASETS))?,
        purpose: purpose_code(dice.roll(PURPOSES))?,
        fields: fields(dice)?,
        need: *dice.one(&[Need::Verify, Need::Document])?,
        authority: Authority::Legal { commitment: Commitment([1; 32]), case: Some("1".into()) },
    })
}

/// Guard verdicts, hardly any of them remembered: with rules about eight datasets, or all about any dataset and mode.
fn verdicts(members: &[Member], varied: bool, [median, p99]: [&'static str; 2]) -> Result<Vec<Figure>, Failure> {
    let started = Instant::now();
    let guard = Guard::compile(SuiteId::Sm, &town::book(varied)?, members)?;
    println!("a rule book of 200 rules compiles in {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    let mut dice = Dice(11);
    let mut samples = Vec::with_capacity(DECISIONS);
    for _ in 0..DECISIONS {
        let question = GuardQuestion {
            consumer: dice.one(&CONSUMERS)?.parse()?,
            dataset: format!("d{}", dice.roll(DATASETS)),
            mode: *dice.one(&Mode::ALL)?,
            purpose: purpose_code(dice.roll(PURPOSES))?,
            hour: dice.roll(24) as u8,
            working_day: dice.roll(2) == 0,
            legal: dice.roll(2) == 0,
            grade: covenant_domain::Grade::Important,
            fields: fields(&mut dice)?,
        };
        let started = Instant::now();
        std::hint::black_box(guard.ask(&question));
        samples.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(vec![figure(median, percentile(&mut samples, 500), 0.2), figure(p99, percentile(&mut samples, 990), 0.2)])
}
