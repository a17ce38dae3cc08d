//! What happens to a cluster, as a list that a seed makes.

use covenant_consensus::Conditions;

/// One thing that happens. Replicas are named by their number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    /// Somebody hands new entries in at a replica; one that is stopped takes none.
    Submit { at: usize, entries: u64 },
    /// The link between two breaks.
    Cut { a: usize, b: usize },
    /// It is mended.
    Heal { a: usize, b: usize },
    /// All links between the replicas below a number and the others break.
    Split { below: usize },
    /// A replica is stopped: told to end, or dropped wherever it stands.
    Stop { who: usize, crashes: bool },
    /// It starts again from its disk.
    Start { who: usize },
    /// The network becomes this bad.
    Weather { lost_permille: u16, delay_ms: u64, doubled_permille: u16, held_permille: u16 },
    /// Nothing, for a while.
    Wait { ms: u64 },
}

/// SplitMix64, by hand so that a seed means the same list for ever.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }

    fn who(&mut self, size: usize) -> usize {
        self.below(size as u64) as usize
    }
}

impl Operation {
    /// The list of a seed.
    pub(crate) fn list(seed: u64, size: usize, length: usize) -> Vec<Self> {
        let mut dice = Dice(seed);
        (0..length).map(|_| Self::thrown(&mut dice, size)).collect()
    }

    fn thrown(dice: &mut Dice, size: usize) -> Self {
        let (a, away) = (dice.who(size), dice.who(size - 1));
        let b = (a + 1 + away) % size;
        match dice.below(20) {
            0..=5 => Self::Submit { at: a, entries: 1 + dice.below(3) },
            6..=7 => Self::Cut { a, b },
            8..=9 => Self::Heal { a, b },
            10 => Self::Split { below: 1 + away },
            11..=12 => Self::Stop { who: a, crashes: dice.below(2) == 0 },
            13..=15 => Self::Start { who: a },
            16..=17 => Self::Weather {
                lost_permille: dice.below(80) as u16,
                delay_ms: dice.below(15),
                doubled_permille: dice.below(200) as u16,
                held_permille: dice.below(100) as u16,
            },
            _ => Self::Wait { ms: 50 + dice.below(300) },
        }
    }
}

impl Operation {
    /// The network that this operation makes.
    pub(crate) fn conditions(&self, seed: u64) -> Conditions {
        match *self {
            Self::Weather { lost_permille, delay_ms, doubled_permille, held_permille } => {
                Conditions { seed, lost_permille, delay_ms, doubled_permille, held_permille }
            }
            _ => Conditions::default(),
        }
    }
}
