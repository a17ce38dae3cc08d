//! A measured figure beside its goal and its limit.

use serde::Serialize;

/// Anything that stops a bench.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A measured figure.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: &'static str,
    /// The value.
    pub(crate) value: f64,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// What the project set itself; at least for rates, at most for times.
    pub(crate) goal: f64,
    /// What the machine could do at best.
    pub(crate) limit: Option<f64>,
    /// What that limit is.
    pub(crate) limit_is: &'static str,
}

impl Figure {
    fn is_rate(&self) -> bool {
        self.unit.ends_with("/s")
    }

    fn met(&self) -> bool {
        if self.is_rate() { self.value >= self.goal } else { self.value <= self.goal }
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, value, unit, goal, limit, limit_is } = self;
        let sign = if self.is_rate() { "≥" } else { "≤" };
        let word = if self.met() { "met" } else { "MISSED" };
        write!(f, "{name:<44} {value:>10.3} {unit:<10} goal {sign} {goal} {word}")?;
        match limit {
            Some(limit) if self.is_rate() => write!(f, "; limit {limit:.0} ({limit_is}), ratio {:.2}", value / limit),
            Some(limit) => write!(f, "; limit {limit:.3} ({limit_is}), ratio {:.1}", value / limit),
            None => Ok(()),
        }
    }
}

/// The value below which `permille` of the samples lie.
pub(crate) fn percentile(samples: &mut [f64], permille: usize) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = (samples.len() * permille / 1000).min(samples.len().saturating_sub(1));
    samples.get(at).copied().unwrap_or_default()
}
