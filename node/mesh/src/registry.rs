//! Who is connected. Of two connections between the same pair, the one dialled by the smaller id stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use covenant_domain::MemberId;
use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use tokio::sync::Notify;

use crate::frame::Kind;
use crate::outbox::Outbox;

/// A peer as it is shown to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// Whose node it is.
    pub member: MemberId,
    /// Where it is reached; absent where it connects by itself.
    pub address: Option<String>,
    /// Whether it is connected.
    pub connected: bool,
    /// Why the last attempt failed or was refused; absent while connected.
    pub refusal: Option<String>,
    /// Frames that it did not take in time, since this process started.
    pub lost_frames: u64,
}

/// A standing connection.
pub(crate) struct Slot {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) certificate: Option<CertificateDer<'static>>,
    generation: u64,
    dialler: MemberId,
    /// Told when the connection is to end.
    pub(crate) end: Arc<Notify>,
}

#[derive(Default)]
struct Known {
    slots: BTreeMap<MemberId, Slot>,
    faults: BTreeMap<MemberId, String>,
    /// Frames lost at connections that are over.
    lost: BTreeMap<MemberId, u64>,
    generation: u64,
}

/// What became of a new connection.
pub(crate) enum Entered {
    /// It stands. The peer was not connected before when `fresh`.
    Stands { generation: u64, outbox: Arc<Outbox>, end: Arc<Notify>, fresh: bool },
    /// Another one stays.
    Duplicate,
}

/// All connections.
pub(crate) struct Registry {
    me: MemberId,
    known: Mutex<Known>,
    /// Told whenever a connection ends.
    pub(crate) ended: Notify,
}

impl Registry {
    pub(crate) fn new(me: MemberId) -> Self {
        Self { me, known: Mutex::default(), ended: Notify::new() }
    }

    /// A new connection to a peer, dialled by one of the two.
    pub(crate) fn enter(
        &self,
        peer: &MemberId,
        by: &MemberId,
        certificate: Option<CertificateDer<'static>>,
    ) -> Entered {
        let mut guard = self.known.lock();
        let known = &mut *guard;
        let preferred = self.me.clone().min(peer.clone());
        if let Some(stands) = known.slots.get(peer)
            && stands.dialler == preferred
            && by != &preferred
        {
            // It may be dead and not know it: the peer would not dial again for nothing.
            stands.outbox.control(Kind::Ping);
            return Entered::Duplicate;
        }
        known.generation += 1;
        let (generation, outbox, end) = (known.generation, Arc::new(Outbox::default()), Arc::new(Notify::new()));
        let slot = Slot { outbox: outbox.clone(), certificate, generation, dialler: by.clone(), end: end.clone() };
        let former = known.slots.insert(peer.clone(), slot);
        if let Some(former) = &former {
            outbox.inherit(&former.outbox);
            former.end.notify_one();
        }
        known.faults.remove(peer);
        Entered::Stands { generation, outbox, end, fresh: former.is_none() }
    }

    /// A connection is over; whether the peer is gone with it.
    pub(crate) fn leave(&self, peer: &MemberId, generation: u64) -> bool {
        let mut known = self.known.lock();
        if known.slots.get(peer).is_none_or(|slot| slot.generation != generation) {
            return false;
        }
        if let Some(slot) = known.slots.remove(peer) {
            *known.lost.entry(peer.clone()).or_default() += slot.outbox.lost();
        }
        drop(known);
        self.ended.notify_waiters();
        true
    }

    pub(crate) fn is_connected(&self, peer: &MemberId) -> bool {
        self.known.lock().slots.contains_key(peer)
    }

    pub(crate) fn outbox(&self, peer: &MemberId) -> Option<Arc<Outbox>> {
        self.known.lock().slots.get(peer).map(|slot| slot.outbox.clone())
    }

    pub(crate) fn outboxes(&self) -> Vec<Arc<Outbox>> {
        self.known.lock().slots.values().map(|slot| slot.outbox.clone()).collect()
    }

    /// Ends connections that are not to stand any more.
    pub(crate) fn retain(&self, stays: impl Fn(&MemberId, Option<&CertificateDer<'static>>) -> bool) {
        for (peer, slot) in &self.known.lock().slots {
            if !stays(peer, slot.certificate.as_ref()) {
                slot.end.notify_one();
            }
        }
    }

    /// Notes why a peer is not connected; told once for each change.
    pub(crate) fn fault(&self, peer: &MemberId, fault: String) {
        let mut known = self.known.lock();
        if known.faults.get(peer) != Some(&fault) {
            tracing::warn!(%peer, %fault, "not connected");
            known.faults.insert(peer.clone(), fault);
        }
    }

    pub(crate) fn peers(&self, addresses: &BTreeMap<MemberId, String>) -> Vec<PeerInfo> {
        let known = self.known.lock();
        let names = addresses.keys().chain(known.slots.keys()).chain(known.faults.keys());
        let names: std::collections::BTreeSet<&MemberId> = names.collect();
        let info = |member: &MemberId| {
            let slot = known.slots.get(member);
            let former = known.lost.get(member).copied().unwrap_or_default();
            PeerInfo {
                member: member.clone(),
                address: addresses.get(member).cloned(),
                connected: slot.is_some(),
                refusal: known.faults.get(member).filter(|_| slot.is_none()).cloned(),
                lost_frames: former + slot.map_or(0, |s| s.outbox.lost()),
            }
        };
        names.into_iter().map(info).collect()
    }
}
