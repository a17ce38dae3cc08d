//! The inward half: frames of peers become events of the engine.

use std::sync::Arc;

use arc_malachitebft_app_channel::app::engine::network::{NetworkEvent, Status};
use arc_malachitebft_sync::OutboundRequestId;
use bytes::Bytes;
use covenant_domain::MemberId;
use tokio::sync::mpsc;

use super::allowance::Allowance;
use super::{Ask, LinkEvent, Switch};
use crate::codec::{CodecError, Message, decode, peer_id};
use crate::context::{Context, Height, Part};

/// Hears the link until it ends.
pub(crate) async fn receive(switch: Arc<Switch>, mut events: mpsc::Receiver<LinkEvent>) {
    let mut allowance = Allowance::default();
    while let Some(event) = events.recv().await {
        match event {
            LinkEvent::Connected(peer) => switch.connected(peer),
            LinkEvent::Disconnected(peer) => switch.disconnected(&peer),
            LinkEvent::Frame(peer, frame) if allowance.take(&peer, frame.len()) => {
                match event_of(&switch, &peer, &frame) {
                    Ok(Some(event)) => {
                        if matches!(event, NetworkEvent::SyncResponse(..)) {
                            allowance.give_back(&peer, frame.len());
                        }
                        switch.deliver(&event);
                    }
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%peer, %error, "refused a message"),
                }
            }
            LinkEvent::Frame(..) => {}
        }
    }
    tracing::debug!("the link ended");
}

/// What the engine should hear of a frame. Every message of consensus also tells that its sender works on that height,
/// which wakes a replica that rests; the engine keeps messages of heights that it has not started.
fn event_of(switch: &Switch, from: &MemberId, frame: &Bytes) -> Result<Option<NetworkEvent<Context>>, CodecError> {
    let peer = peer_id(from).ok_or(CodecError::Value("peer without a name"))?;
    let (height, event) = match decode(frame)? {
        Message::Vote(vote) => (vote.height, NetworkEvent::Vote(peer, vote.try_into()?)),
        Message::Offer(offer) => (offer.height, NetworkEvent::Proposal(peer, offer.try_into()?)),
        Message::Polka(polka) => (polka.height, NetworkEvent::PolkaCertificate(peer, polka.try_into()?)),
        Message::Round(votes) => (votes.height, NetworkEvent::RoundCertificate(peer, votes.try_into()?)),
        Message::Part(part) => {
            let part: Part = part.try_into()?;
            switch.pulse.working(from, part.height);
            return Ok(Switch::part_event(from, part));
        }
        Message::Wake(height) => {
            switch.pulse.working(from, height);
            return Ok(None);
        }
        Message::Status(status) => {
            switch.pulse.tip(from, status.tip);
            let status = Status::new(Height(status.tip), Height(status.earliest));
            return Ok(Some(NetworkEvent::Status(peer, status)));
        }
        Message::Request(request) => {
            switch.ask(Ask::Serve(from.clone(), request));
            return Ok(None);
        }
        Message::Response(response) => {
            let id = response.id;
            if !switch.close_request(id, from) {
                return Err(CodecError::Value("an answer that nobody asked for"));
            }
            switch.note_fetched(&response.values);
            // A malformed answer is an empty one: the engine then asks somebody else.
            let response = response.try_into().inspect_err(|error| tracing::warn!(%from, %error, "bad answer")).ok();
            return Ok(Some(NetworkEvent::SyncResponse(OutboundRequestId::new(id), peer, response)));
        }
        Message::Known(_) => return Err(CodecError::Value("a message of the log, not of a peer")),
    };
    switch.pulse.working(from, height);
    Ok(Some(event))
}
