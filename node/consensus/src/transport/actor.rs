//! The outward half: the actor that stands where the engine expects its network.

use std::sync::Arc;

use arc_malachitebft_app_channel::app::consensus::LivenessMsg;
use arc_malachitebft_app_channel::app::engine::network::{NetworkEvent, NetworkMsg, NetworkRef, PersistentPeerError};
use arc_malachitebft_app_channel::app::net::Multiaddr;
use arc_malachitebft_app_channel::app::streaming::StreamContent;
use arc_malachitebft_app_channel::app::types::PeerId;
use arc_malachitebft_app_channel::app::types::sync::Request;
use arc_malachitebft_sync::{OutboundFailureReason, OutboundRequestId};
use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::Switch;
use crate::codec::{CodecError, Message, RequestWire, StatusWire, peer_member};
use crate::context::Context;

/// Starts the actor.
pub(crate) async fn spawn(switch: Arc<Switch>) -> Result<NetworkRef<Context>, ractor::SpawnErr> {
    let (actor, _) = Actor::spawn(None, Outward, switch).await?;
    Ok(actor)
}

struct Outward;

impl Outward {
    fn publish(switch: &Switch, message: Result<Message, CodecError>) {
        match message {
            Ok(message) => switch.broadcast(message),
            Err(error) => tracing::error!(%error, "cannot encode a message"),
        }
    }

    /// Sends a request for blocks and answers its number, or reports at once that it cannot be sent.
    fn request(switch: &Switch, peer: PeerId, request: &Request<Context>) -> OutboundRequestId {
        let Request::ValueRequest(wanted) = request;
        let (id, member) = switch.open_request(peer_member(&peer).as_ref());
        let (first, last) = (wanted.range.start().0, wanted.range.end().0);
        if let Some(member) = member {
            switch.send(&member, Message::Request(RequestWire { id, first, last }));
        } else {
            let reason = OutboundFailureReason::ConnectionClosed;
            switch.deliver(&NetworkEvent::SyncRequestFailed(OutboundRequestId::new(id), peer, reason));
        }
        OutboundRequestId::new(id)
    }
}

#[ractor::async_trait]
impl Actor for Outward {
    type Msg = NetworkMsg<Context>;
    type State = Arc<Switch>;
    type Arguments = Arc<Switch>;

    async fn pre_start(&self, _: ActorRef<Self::Msg>, switch: Arc<Switch>) -> Result<Arc<Switch>, ActorProcessingErr> {
        Ok(switch)
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        message: Self::Msg,
        switch: &mut Arc<Switch>,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            // The engine waits for its first address before it is ready; ours is a name only.
            NetworkMsg::Subscribe(subscriber) => {
                switch.subscribe(subscriber, NetworkEvent::Listening(Multiaddr::empty()));
            }
            NetworkMsg::PublishConsensusMsg(message) => Self::publish(switch, Message::try_from(&message)),
            NetworkMsg::PublishLivenessMsg(message) => Self::publish(
                switch,
                match &message {
                    LivenessMsg::Vote(vote) => Message::try_from(vote),
                    LivenessMsg::PolkaCertificate(polka) => Message::try_from(polka),
                    LivenessMsg::SkipRoundCertificate(certificate) => Message::try_from(certificate),
                },
            ),
            NetworkMsg::PublishProposalPart(part) => {
                if let StreamContent::Data(part) = &part.content {
                    switch.broadcast(Message::from(part));
                }
            }
            NetworkMsg::BroadcastStatus(status) => {
                let (tip, earliest) = (status.tip_height.0, status.history_min_height.0);
                switch.broadcast(Message::Status(StatusWire { tip, earliest }));
            }
            NetworkMsg::OutgoingRequest(peer, request, reply) => {
                let id = Self::request(switch, peer, &request);
                let _asker_gone = reply.send(id);
            }
            NetworkMsg::CancelRequest(id) => {
                if let Ok(id) = id.to_string().parse() {
                    switch.forget_request(id);
                }
            }
            // Never asked for: requests of peers are served by the adapter and do not reach the engine.
            NetworkMsg::OutgoingResponse(..) | NetworkMsg::CancelInboundRequest(_) => {}
            NetworkMsg::DumpState(reply) => {
                let _asker_gone = reply.send(None);
            }
            NetworkMsg::UpdatePersistentPeers(_, reply) => {
                let refusal = PersistentPeerError::InternalError("peers come from the validator set".to_owned());
                let _asker_gone = reply.send(Err(refusal));
            }
            NetworkMsg::UpdateValidatorSet(_) | NetworkMsg::ValidatorProofVerified { .. } | NetworkMsg::NewEvent(_) => {
            }
        }
        Ok(())
    }
}
