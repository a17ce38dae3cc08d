//! How many connections may come in.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::Limits;

/// Counts connections that came in.
pub(crate) struct Gate {
    limits: Limits,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    half_open: usize,
    half_open_by: BTreeMap<IpAddr, usize>,
}

/// One connection's place; given back when dropped.
pub(crate) struct Pass {
    gate: Arc<Gate>,
    /// While half open.
    from: Option<IpAddr>,
}

/// Whoever has an IPv6 address has all of its /64.
fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
        four @ IpAddr::V4(_) => four,
    }
}

impl Gate {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, counts: Mutex::default() })
    }

    /// A place for a half-open connection, if there is one.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Pass> {
        let from = origin(address);
        let mut counts = self.counts.lock();
        let full = counts.all >= self.limits.connections || counts.half_open >= self.limits.half_open;
        let of_one = counts.half_open_by.get(&from).copied().unwrap_or_default();
        if full || of_one >= self.limits.half_open_per_address {
            return None;
        }
        counts.all += 1;
        counts.half_open += 1;
        counts.half_open_by.insert(from, of_one + 1);
        Some(Pass { gate: self.clone(), from: Some(from) })
    }
}

impl Pass {
    /// The connection is no longer half open.
    pub(crate) fn settle(&mut self) {
        let Some(from) = self.from.take() else { return };
        let mut counts = self.gate.counts.lock();
        counts.half_open = counts.half_open.saturating_sub(1);
        let left = counts.half_open_by.get(&from).copied().unwrap_or_default().saturating_sub(1);
        if left == 0 {
            counts.half_open_by.remove(&from);
        } else {
            counts.half_open_by.insert(from, left);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.settle();
        let mut counts = self.gate.counts.lock();
        counts.all = counts.all.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let limits = Limits { connections: 4, half_open: 3, half_open_per_address: 2, ..Limits::default() };
        let gate = Gate::new(limits);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut first = gate.enter(address("10.0.0.1")).unwrap();
        let second = gate.enter(address("::ffff:10.0.0.1")).unwrap();
        assert!(gate.enter(address("10.0.0.1")).is_none());
        let third = gate.enter(address("2001:db8::1")).unwrap();
        assert!(gate.enter(address("10.0.0.2")).is_none());
        first.settle();
        let fourth = gate.enter(address("2001:db8::2")).unwrap();
        assert!(gate.enter(address("10.0.0.3")).is_none());
        drop((first, second, third, fourth));
        let counts = gate.counts.lock();
        assert_eq!((counts.all, counts.half_open, counts.half_open_by.len()), (0, 0, 0));
    }
}
