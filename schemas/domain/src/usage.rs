//! What was used: counters of the ledger, from which contribution accounts and settlement follow.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{DatasetId, MemberId, Mode};

/// What one consumer did with one dataset in one month (China Standard Time). Counted when blocks are executed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Usage {
    /// Year and month as one number, for example `202611`.
    #[n(0)]
    pub month: u32,
    /// Who asked.
    #[n(1)]
    pub consumer: MemberId,
    /// Who answered.
    #[n(2)]
    pub holder: MemberId,
    /// What was asked about.
    #[n(3)]
    pub dataset: DatasetId,
    /// Queries refused.
    #[n(4)]
    pub refused: u64,
    /// Queries permitted.
    #[n(5)]
    pub permitted: u64,
    /// Queries that lapsed without an answer.
    #[n(6)]
    pub lapsed: u64,
    /// Queries voided by the holder.
    #[n(7)]
    pub voided: u64,
    /// Queries answered, by mode, in the order of modes: effective calls.
    #[n(8)]
    pub answered: Vec<(Mode, u64)>,
    /// Answers that were disputed.
    #[n(9)]
    pub disputed: u64,
    /// Disputed answers that the holder corrected: they earn nothing.
    #[n(10)]
    pub corrected: u64,
    /// Disputes that the holder refused.
    #[n(11)]
    pub upheld: u64,
    /// Clocks of the holder that ran out over disputes.
    #[n(12)]
    pub overdue: u64,
}

impl Usage {
    /// Nothing yet.
    pub fn new(month: u32, consumer: MemberId, holder: MemberId, dataset: DatasetId) -> Self {
        Self {
            month,
            consumer,
            holder,
            dataset,
            refused: 0,
            permitted: 0,
            lapsed: 0,
            voided: 0,
            answered: Vec::new(),
            disputed: 0,
            corrected: 0,
            upheld: 0,
            overdue: 0,
        }
    }

    /// Counts one answer.
    pub fn count_answer(&mut self, mode: Mode) {
        match self.answered.binary_search_by_key(&mode, |(m, _)| *m) {
            Ok(at) => {
                if let Some((_, count)) = self.answered.get_mut(at) {
                    *count += 1;
                }
            }
            Err(at) => self.answered.insert(at, (mode, 1)),
        }
    }

    /// Answers in all modes.
    pub fn answers(&self) -> u64 {
        self.answered.iter().map(|(_, n)| n).sum()
    }
}

/// Points that an answer of each mode is worth to its holder and costs its consumer. There is no token: points cannot
/// be passed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// Revision, from 1.
    #[n(0)]
    pub revision: u32,
    /// Points per answer, sorted by mode; modes not named are worth one.
    #[n(1)]
    pub points: Vec<(Mode, u32)>,
}

impl Tariff {
    /// Points of one answer.
    pub fn of(&self, mode: Mode) -> u32 {
        self.points.iter().find(|(m, _)| *m == mode).map_or(1, |(_, points)| *points)
    }
}

/// A member's contribution account over some time: a report, not a balance that could be passed on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Account {
    /// Whose.
    #[n(0)]
    pub member: MemberId,
    /// Answers it gave that were not corrected afterwards.
    #[n(1)]
    pub answers_given: u64,
    /// Points earned by them.
    #[n(2)]
    pub earned: u64,
    /// Answers it received.
    #[n(3)]
    pub answers_received: u64,
    /// Points spent on them.
    #[n(4)]
    pub spent: u64,
}

/// What members owe each other in points, by a tariff. Corrected answers earn nothing and cost nothing; of several modes
/// the dearest are taken to be the corrected ones.
pub fn settle<'a>(tariff: &Tariff, usage: impl IntoIterator<Item = &'a Usage>) -> Vec<Account> {
    let mut accounts: std::collections::BTreeMap<MemberId, Account> = std::collections::BTreeMap::new();
    let mut of = |member: &MemberId, change: &dyn Fn(&mut Account)| {
        let empty = || Account { member: member.clone(), answers_given: 0, earned: 0, answers_received: 0, spent: 0 };
        change(accounts.entry(member.clone()).or_insert_with(empty));
    };
    for line in usage {
        let (answers, points) = accepted(tariff, line);
        of(&line.holder, &|a| {
            a.answers_given += answers;
            a.earned = a.earned.saturating_add(points);
        });
        of(&line.consumer, &|a| {
            a.answers_received += answers;
            a.spent = a.spent.saturating_add(points);
        });
    }
    accounts.into_values().collect()
}

/// Accepted answers of one line and what they are worth.
fn accepted(tariff: &Tariff, line: &Usage) -> (u64, u64) {
    let mut modes: Vec<(u64, u64)> = line.answered.iter().map(|(m, n)| (u64::from(tariff.of(*m)), *n)).collect();
    modes.sort_by(|a, b| b.cmp(a));
    let (mut corrected, mut answers, mut points) = (line.corrected, 0, 0_u64);
    for (worth, count) in modes {
        let kept = count - corrected.min(count);
        corrected -= corrected.min(count);
        answers += kept;
        points = points.saturating_add(kept.saturating_mul(worth));
    }
    (answers, points)
}

/// How far a dataset's answers can be relied on, as the disputes about it show.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Reliability {
    /// The dataset.
    #[n(0)]
    pub dataset: DatasetId,
    /// Its holder.
    #[n(1)]
    pub holder: MemberId,
    /// Answers given.
    #[n(2)]
    pub answers: u64,
    /// Disputes about them.
    #[n(3)]
    pub disputed: u64,
    /// Disputes that led to a correction.
    #[n(4)]
    pub corrected: u64,
    /// Disputes that the holder refused.
    #[n(5)]
    pub upheld: u64,
    /// Disputes whose clock ran out.
    #[n(6)]
    pub overdue: u64,
    /// Answers per thousand that were not corrected and whose dispute did not run out; a thousand before any answer.
    #[n(7)]
    pub per_mille: u32,
}

/// The figures of every dataset that was asked about, in the order of their ids.
pub fn reliability<'a>(usage: impl IntoIterator<Item = &'a Usage>) -> Vec<Reliability> {
    let mut all: std::collections::BTreeMap<DatasetId, Reliability> = std::collections::BTreeMap::new();
    for line in usage {
        let it = all.entry(line.dataset.clone()).or_insert_with(|| Reliability {
            dataset: line.dataset.clone(),
            holder: line.holder.clone(),
            answers: 0,
            disputed: 0,
            corrected: 0,
            upheld: 0,
            overdue: 0,
            per_mille: 1_000,
        });
        it.answers += line.answers();
        it.disputed += line.disputed;
        it.corrected += line.corrected;
        it.upheld += line.upheld;
        it.overdue += line.overdue;
    }
    for it in all.values_mut() {
        let bad = it.corrected.saturating_add(it.overdue).min(it.answers);
        let good = it.answers - bad;
        // A share of a thousand fits.
        it.per_mille = (good * 1_000).checked_div(it.answers).map_or(1_000, |share| share as u32);
    }
    all.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(consumer: &str, holder: &str, answered: &[(Mode, u64)], corrected: u64) -> Usage {
        let dataset = DatasetId::new(&format!("cov:city/gov/{holder}/x/d")).unwrap();
        let mut usage = Usage::new(202_611, MemberId::new(consumer).unwrap(), MemberId::new(holder).unwrap(), dataset);
        for (mode, count) in answered {
            (0..*count).for_each(|_| usage.count_answer(*mode));
        }
        usage.corrected = corrected;
        usage
    }

    #[test]
    fn what_is_earned_is_what_is_spent_and_corrected_answers_count_for_nothing() {
        let tariff = Tariff { revision: 1, points: vec![(Mode::Match, 2), (Mode::Detail, 5)] };
        let lines = [
            line("bank", "tax", &[(Mode::Match, 3), (Mode::Detail, 2)], 1),
            line("housing", "tax", &[(Mode::Submit, 4)], 0),
            line("tax", "housing", &[(Mode::Match, 1)], 9),
        ];
        let accounts = settle(&tariff, &lines);
        let of = |name: &str| accounts.iter().find(|a| a.member.as_str() == name).unwrap();
        assert_eq!((of("tax").earned, of("tax").answers_given), (3 * 2 + 5 + 4, 4 + 4));
        assert_eq!((of("bank").spent, of("housing").spent), (11, 4));
        assert_eq!((of("housing").earned, of("tax").spent), (0, 0));
        let sum = |pick: fn(&Account) -> u64| accounts.iter().map(pick).sum::<u64>();
        assert_eq!(sum(|a| a.earned), sum(|a| a.spent));
    }

    #[test]
    fn reliability_is_a_share_of_a_thousand() {
        let mut bad = line("bank", "tax", &[(Mode::Match, 3)], 1);
        bad.overdue = 1;
        let figures = reliability(&[bad, line("bank", "housing", &[], 0)]);
        assert_eq!(figures.iter().map(|f| f.per_mille).collect::<Vec<_>>(), [1_000, 333]);
    }
}
