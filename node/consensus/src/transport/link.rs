//! The byte pipe under the engine. The memory hub is one; a mesh of authenticated connections is another.

use std::sync::Arc;

use bytes::Bytes;
use covenant_domain::MemberId;
use tokio::sync::mpsc;

/// Sends frames to peers. Best effort: a frame may be lost, late or out of order, and the engine copes; it never blocks.
pub trait Link: Send + Sync + 'static {
    /// Sends a frame to one peer.
    fn send(&self, to: &MemberId, frame: Bytes);

    /// Sends a frame to every connected peer.
    fn broadcast(&self, frame: Bytes);
}

/// What a link tells. The member named is authenticated by the link: nobody else could have sent the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// Frames can now be exchanged with this peer.
    Connected(MemberId),
    /// No more.
    Disconnected(MemberId),
    /// A frame of this peer.
    Frame(MemberId, Bytes),
}

/// One replica's end of a network.
pub struct Network {
    /// Outwards.
    pub link: Arc<dyn Link>,
    /// Inwards.
    pub events: mpsc::Receiver<LinkEvent>,
}
