//! Calling peers whose address is known, again and again.

use std::sync::Arc;
use std::time::Duration;

use covenant_domain::MemberId;
use rand::RngExt as _;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::connection::{self, CommonStateOf, Ended};
use crate::mesh::Inner;

/// First pause after a failure, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How long the larger id waits for the smaller one's call.
const PATIENT: Duration = Duration::from_millis(400);
/// How long connecting and the handshake may take each.
const PATIENCE: Duration = Duration::from_secs(5);

/// Calls one peer as long as its address is the same.
pub(crate) async fn keep(inner: Arc<Inner>, peer: MemberId, address: String) {
    let (mut pause, mut waits) = (PAUSE.0, inner.config.me > peer);
    while inner.addresses.lock().get(&peer) == Some(&address) {
        // Registered before looking, so that an end in between is not missed.
        let ended = inner.registry.ended.notified();
        tokio::pin!(ended);
        ended.as_mut().enable();
        if inner.registry.is_connected(&peer) {
            ended.await;
            pause = PAUSE.0;
            waits = inner.config.me > peer;
            continue;
        }
        if waits {
            // The other end is to call first: of two connections one would have to go, with the frames on it.
            waits = false;
            tokio::time::sleep(PATIENT).await;
            continue;
        }
        if inner.config.security.admits(&peer) {
            match call(&inner, &peer, &address).await {
                Ok(Ended::Lost(_)) => pause = PAUSE.0,
                Ok(Ended::Duplicate) => {}
                Ok(Ended::Refused(fault)) | Err(fault) => inner.registry.fault(&peer, fault),
            }
        }
        let jitter = rand::rng().random_range(0..=pause.as_millis() as u64 / 4);
        tokio::time::sleep(pause + Duration::from_millis(jitter)).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

async fn call(inner: &Inner, peer: &MemberId, address: &str) -> Result<Ended, String> {
    let late = |what: &str| format!("{address}: {what} took too long");
    let stream = tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await;
    let stream = stream.map_err(|_| late("connecting"))?.map_err(|e| format!("{address}: {e}"))?;
    stream.set_nodelay(true).map_err(|e| e.to_string())?;
    let config = inner.config.security.client(peer)?;
    let name = ServerName::try_from(format!("{peer}.covenant.internal")).map_err(|e| e.to_string())?;
    let secured = tokio::time::timeout(PATIENCE, TlsConnector::from(config).connect(name, stream)).await;
    let secured = secured.map_err(|_| late("the handshake"))?;
    let secured = secured.map_err(|e| inner.config.security.explain(&e).unwrap_or_else(|| e.to_string()))?;
    let session = CommonStateOf::of(inner, secured.get_ref().1)?;
    match connection::run(inner, secured, &session, true).await {
        // Before the greeting is over, the other end's TLS may have refused this one's certificate.
        Ended::Lost(fault) if !fault.is_empty() => {
            inner.registry.fault(peer, fault.clone());
            Ok(Ended::Lost(fault))
        }
        ended => Ok(ended),
    }
}
