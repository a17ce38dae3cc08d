//! Choices that are the same in every run.

/// SplitMix64, by hand so that no library's way of sampling changes a test.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap_or(0)
    }

    /// Once in `n` throws.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Some `count` of the things, in their order.
    pub fn some<T: Clone>(&mut self, things: &[T], count: usize) -> Vec<T> {
        let mut left = count.min(things.len());
        let mut out = Vec::new();
        for (i, thing) in things.iter().enumerate() {
            if self.below(things.len() - i) < left {
                left -= 1;
                out.push(thing.clone());
            }
        }
        out
    }
}
