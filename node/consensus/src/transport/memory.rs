//! Validators joined within one process, with links that can be cut, and that lose, delay, double and reorder.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use covenant_domain::MemberId;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{Link, LinkEvent, Network};

/// Frames that may wait at one replica before more are lost.
const INBOX: usize = 16_384;

/// How bad the network is. Which frames are lost, late or doubled depends on the seed, the pair of members and the number of the
/// frame between them, nothing else.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions {
    /// Choice of the frames.
    pub seed: u64,
    /// How many of a thousand frames are lost.
    pub lost_permille: u16,
    /// Longest delay; late frames may overtake each other.
    pub delay_ms: u64,
    /// How many of a thousand frames come twice; the second one is as late as another frame would be.
    pub doubled_permille: u16,
    /// How many of a thousand frames are held back for [`HELD_MS`](Self::HELD_MS), so that later ones overtake them.
    pub held_permille: u16,
}

impl Conditions {
    /// How long a frame is held back, in milliseconds.
    pub const HELD_MS: u64 = 40;

    fn perfect(&self) -> bool {
        self.lost_permille == 0 && self.delay_ms == 0 && self.doubled_permille == 0 && self.held_permille == 0
    }

    /// How late the copies of a frame come, by what was thrown for it; none when it is lost.
    fn copies(&self, dice: u64) -> Vec<Duration> {
        let chosen = |dice: u64, permille: u16| dice % 1_000 < u64::from(permille);
        if chosen(dice, self.lost_permille) {
            return Vec::new();
        }
        let late = |dice: u64| {
            let delay_ms = (dice >> 20).checked_rem(self.delay_ms.saturating_add(1)).unwrap_or_default();
            let held_ms = if chosen(mix(dice ^ 1), self.held_permille) { Self::HELD_MS } else { 0 };
            Duration::from_millis(delay_ms.saturating_add(held_ms))
        };
        let twice = chosen(mix(dice ^ 2), self.doubled_permille);
        std::iter::once(late(dice)).chain(twice.then(|| late(mix(dice ^ 3)))).collect()
    }
}

/// A network within a process. Clones are the same network.
#[derive(Clone, Default)]
pub struct MemoryHub(Arc<Mutex<Hub>>);

#[derive(Default)]
struct Hub {
    conditions: Conditions,
    joined: BTreeMap<MemberId, Joined>,
    /// Cut pairs, smaller id first.
    cut: BTreeSet<(MemberId, MemberId)>,
    /// Frames sent so far between two members.
    sent: BTreeMap<(MemberId, MemberId), u64>,
    last_generation: u64,
}

struct Joined {
    generation: u64,
    inbox: mpsc::Sender<LinkEvent>,
}

fn pair(a: &MemberId, b: &MemberId) -> (MemberId, MemberId) {
    if a < b { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) }
}

impl MemoryHub {
    /// A network in perfect condition.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes how bad the network is.
    pub fn set_conditions(&self, conditions: Conditions) {
        self.0.lock().conditions = conditions;
    }

    /// Joins a member, which must be done within a tokio runtime. It leaves when the network's link is dropped; joining
    /// again under the same name replaces it.
    pub fn join(&self, member: &MemberId) -> Network {
        let (inbox, events) = mpsc::channel(INBOX);
        let mut hub = self.0.lock();
        hub.leave(member, None);
        hub.last_generation += 1;
        let generation = hub.last_generation;
        hub.joined.insert(member.clone(), Joined { generation, inbox });
        let others: Vec<_> = hub.joined.keys().filter(|other| *other != member).cloned().collect();
        for other in others {
            hub.tell_both(member, &other, LinkEvent::Connected);
        }
        let link = Arc::new(MemoryLink { hub: self.clone(), member: member.clone(), generation });
        Network { link, events }
    }

    /// Cuts the link between two members.
    pub fn cut(&self, a: &MemberId, b: &MemberId) {
        let mut hub = self.0.lock();
        hub.tell_both(a, b, LinkEvent::Disconnected);
        hub.cut.insert(pair(a, b));
    }

    /// Restores it.
    pub fn heal(&self, a: &MemberId, b: &MemberId) {
        let mut hub = self.0.lock();
        if hub.cut.remove(&pair(a, b)) {
            hub.tell_both(a, b, LinkEvent::Connected);
        }
    }
}

impl Hub {
    /// Tells both ends of a link that is not cut.
    fn tell_both(&self, a: &MemberId, b: &MemberId, event: fn(MemberId) -> LinkEvent) {
        if self.cut.contains(&pair(a, b)) {
            return;
        }
        if let (Some(at_a), Some(at_b)) = (self.joined.get(a), self.joined.get(b)) {
            let _full = at_a.inbox.try_send(event(b.clone()));
            let _full = at_b.inbox.try_send(event(a.clone()));
        }
    }

    /// Removes a member, if it is still the one of this generation.
    fn leave(&mut self, member: &MemberId, generation: Option<u64>) {
        let here = self.joined.get(member).map(|joined| joined.generation);
        if here.is_none() || (generation.is_some() && generation != here) {
            return;
        }
        let others: Vec<_> = self.joined.keys().filter(|other| *other != member).cloned().collect();
        for other in &others {
            self.tell_both(member, other, LinkEvent::Disconnected);
        }
        self.joined.remove(member);
    }

    /// Where a frame goes, and how late each copy of it.
    fn route(&mut self, from: &MemberId, to: &MemberId) -> Option<(mpsc::Sender<LinkEvent>, Vec<Duration>)> {
        if self.cut.contains(&pair(from, to)) {
            return None;
        }
        let inbox = self.joined.get(to)?.inbox.clone();
        if self.conditions.perfect() {
            return Some((inbox, vec![Duration::ZERO]));
        }
        let number = self.sent.entry((from.clone(), to.clone())).or_default();
        *number += 1;
        let names = from.as_str().bytes().chain(*b"/").chain(to.as_str().bytes());
        let dice = mix(names.fold(self.conditions.seed, |h, b| mix(h ^ u64::from(b))) ^ *number);
        Some((inbox, self.conditions.copies(dice)))
    }
}

/// SplitMix64's finisher.
fn mix(value: u64) -> u64 {
    let z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

struct MemoryLink {
    hub: MemoryHub,
    member: MemberId,
    generation: u64,
}

impl Link for MemoryLink {
    fn send(&self, to: &MemberId, frame: Bytes) {
        let Some((inbox, copies)) = self.hub.0.lock().route(&self.member, to) else { return };
        for late in copies {
            let event = LinkEvent::Frame(self.member.clone(), frame.clone());
            if late.is_zero() {
                if inbox.try_send(event).is_err() {
                    tracing::debug!(from = %self.member, %to, "inbox is full or gone");
                }
                continue;
            }
            let (hub, inbox, from, to) = (self.hub.clone(), inbox.clone(), self.member.clone(), to.clone());
            tokio::spawn(async move {
                tokio::time::sleep(late).await;
                if !hub.0.lock().cut.contains(&pair(&from, &to)) {
                    let _full_or_gone = inbox.try_send(event);
                }
            });
        }
    }

    fn broadcast(&self, frame: Bytes) {
        let others: Vec<_> = self.hub.0.lock().joined.keys().filter(|o| **o != self.member).cloned().collect();
        for other in others {
            self.send(&other, frame.clone());
        }
    }
}

impl Drop for MemoryLink {
    fn drop(&mut self) {
        self.hub.0.lock().leave(&self.member, Some(self.generation));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> MemberId {
        MemberId::new(name).unwrap()
    }

    #[tokio::test]
    async fn cut_links_carry_nothing_until_healed() {
        let hub = MemoryHub::new();
        let (a, b) = (member("a"), member("b"));
        let at_a = hub.join(&a);
        let mut at_b = hub.join(&b);
        assert_eq!(at_b.events.recv().await, Some(LinkEvent::Connected(a.clone())));
        hub.cut(&b, &a);
        at_a.link.broadcast(Bytes::from_static(b"lost"));
        hub.heal(&a, &b);
        at_a.link.send(&b, Bytes::from_static(b"kept"));
        assert_eq!(at_b.events.recv().await, Some(LinkEvent::Disconnected(a.clone())));
        assert_eq!(at_b.events.recv().await, Some(LinkEvent::Connected(a.clone())));
        assert_eq!(at_b.events.recv().await, Some(LinkEvent::Frame(a.clone(), Bytes::from_static(b"kept"))));
        drop(at_a);
        assert_eq!(at_b.events.recv().await, Some(LinkEvent::Disconnected(a)));
    }

    #[tokio::test]
    async fn losses_repeat_with_the_seed() {
        let (a, b) = (member("a"), member("b"));
        let arrived = |seed| {
            let hub = MemoryHub::new();
            hub.set_conditions(Conditions { seed, lost_permille: 300, ..Conditions::default() });
            let at_a = hub.join(&a);
            let mut at_b = hub.join(&b);
            (0..200_u8).for_each(|n| at_a.link.send(&b, Bytes::copy_from_slice(&[n])));
            let mut got = Vec::new();
            while let Ok(event) = at_b.events.try_recv() {
                if let LinkEvent::Frame(_, frame) = event {
                    got.push(frame[0]);
                }
            }
            got
        };
        assert_eq!(arrived(7), arrived(7));
        assert_ne!(arrived(7), arrived(8));
        assert!((100..180).contains(&arrived(7).len()));
    }
    #[tokio::test(start_paused = true)]
    async fn frames_come_twice_and_overtake_each_other() {
        let (a, b) = (member("a"), member("b"));
        let hub = MemoryHub::new();
        hub.set_conditions(Conditions { doubled_permille: 200, held_permille: 200, ..Conditions::default() });
        let at_a = hub.join(&a);
        let mut at_b = hub.join(&b);
        (0..200_u8).for_each(|n| at_a.link.send(&b, Bytes::copy_from_slice(&[n])));
        tokio::time::sleep(Duration::from_millis(Conditions::HELD_MS * 2)).await;
        let mut got = Vec::new();
        while let Ok(event) = at_b.events.try_recv() {
            if let LinkEvent::Frame(_, frame) = event {
                got.push(frame[0]);
            }
        }
        assert!((220..260).contains(&got.len()), "{} frames", got.len());
        assert!(got.windows(2).any(|pair| pair[0] > pair[1]), "none was overtaken");
        got.sort_unstable();
        got.dedup();
        assert_eq!(got, (0..200).collect::<Vec<_>>(), "none is lost");
    }
}
