//! Connections that go out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use covenant_domain::MemberId;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::greet::{Held, Other, greet};
use crate::link;
use crate::mesh::{Context, prepare, stopped};
use crate::peers::Ending;
use crate::security::{client_config, shown};
use crate::wire::Wire;
use crate::{ALPN_MESH, Refusal, RefusalCode, Side, Timing};

/// Head start of each resolved address over the next one.
const STAGGER: Duration = Duration::from_millis(200);
/// A connection that lived so long was a success.
const SUCCESS: Duration = Duration::from_secs(1);

/// Dials a peer whenever it has an address and no connection, until the mesh stops.
pub(crate) async fn dial(context: Arc<Context>, peer: MemberId, mut stop: watch::Receiver<bool>) {
    let mut pauses = Pauses::new(&context.timing);
    loop {
        let (wire, held) = tokio::select! {
            () = stopped(&mut stop) => return,
            linked = next_link(&context, &peer, &mut pauses) => linked,
        };
        let opened = held.line.opened;
        let ending = link::run(&context, wire, held).await;
        pauses.lived(opened.elapsed());
        let pause = pauses.next(ending.is_refusal());
        context.table.note(&peer, ending);
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = sleep(pause) => {}
        }
    }
}

type Linked = (Wire<TlsStream<TcpStream>>, Held);

/// Waits until the peer is wanted and tries until a connection counts.
async fn next_link(context: &Arc<Context>, peer: &MemberId, pauses: &mut Pauses) -> Linked {
    let changed = context.table.changed(peer);
    loop {
        let Some(address) = context.table.wanted(peer) else {
            let idle = Instant::now();
            changed.notified().await;
            pauses.lived(idle.elapsed());
            continue;
        };
        let ending = match context.admit(peer) {
            Ok(()) => match attempt(context, peer, &address).await {
                Ok(linked) => return linked,
                Err(ending) => ending,
            },
            Err(refusal) => Ending::Refused(Side::Us, refusal),
        };
        let pause = pauses.next(ending.is_refusal());
        context.table.note(peer, ending);
        // A new address, a new list of members or a connection that came in ends the pause; these are rare.
        let _woken = timeout(pause, changed.notified()).await;
    }
}

async fn attempt(context: &Arc<Context>, peer: &MemberId, address: &str) -> Result<Linked, Ending> {
    let stream = connect(address, context.timing.connect).await?;
    prepare(&stream);
    let remote = stream.peer_addr().map_err(|e| Ending::Trouble(e.to_string()))?;
    let name = (context.server_name)(peer);
    let name = ServerName::try_from(name).map_err(|e| Ending::Trouble(format!("no name for a certificate: {e}")))?;
    let connector = TlsConnector::from(client_config(&*context.security, peer));
    let stream = timeout(context.timing.handshake, connector.connect(name, stream))
        .await
        .map_err(|_| Ending::Trouble(format!("`{address}` did not finish the TLS handshake")))?
        .map_err(|e| {
            let words = context.security.explain(&e).unwrap_or_else(|| e.to_string());
            Ending::Trouble(format!("TLS with `{address}` failed: {words}"))
        })?;
    let session = stream.get_ref().1;
    if session.alpn_protocol() != Some(ALPN_MESH) {
        return Err(Ending::Trouble(format!("`{address}` does not speak covenant-mesh/1")));
    }
    let (certified, certificate) = (context.security.member(session), shown(session));
    let mut wire = Wire::new(stream);
    let unexpected = match &certified {
        Ok(certified) if certified == peer => None,
        Ok(certified) if *certified == context.me => Some((RefusalCode::Oneself, "the node met itself".to_owned())),
        Ok(certified) => Some((RefusalCode::OtherMember, format!("`{peer}` was dialled, `{certified}` answered"))),
        Err(text) => Some((RefusalCode::OtherMember, text.clone())),
    };
    if let Some((code, text)) = unexpected {
        let refusal = Refusal::new(code, &text);
        wire.part(&refusal, context.timing.farewell).await;
        return Err(Ending::Refused(Side::Us, refusal));
    }
    let held =
        greet(context, &mut wire, &Other { certified: peer.clone(), remote, dialled: true, certificate }).await?;
    Ok((wire, held))
}

/// The first of all resolved addresses that answers.
async fn connect(address: &str, patience: Duration) -> Result<TcpStream, Ending> {
    let resolved = timeout(patience, tokio::net::lookup_host(address)).await;
    let found: Vec<SocketAddr> = match resolved {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(error)) => return Err(Ending::Trouble(format!("`{address}` cannot be resolved: {error}"))),
        Err(_) => return Err(Ending::Trouble(format!("`{address}` was not resolved within {patience:?}"))),
    };
    let mut dials = JoinSet::new();
    for (place, to) in (0..).zip(found) {
        dials.spawn(async move {
            sleep(STAGGER * place).await;
            match timeout(patience, TcpStream::connect(to)).await {
                Ok(connected) => connected.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {patience:?}")),
            }
        });
    }
    let mut trouble = "the name has no address".to_owned();
    while let Some(dialled) = dials.join_next().await {
        match dialled {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => trouble = error,
            Err(error) => trouble = error.to_string(),
        }
    }
    Err(Ending::Trouble(format!("`{address}` cannot be reached: {trouble}")))
}

/// Growing pauses between dials.
struct Pauses {
    first: Duration,
    longest: Duration,
    longest_refused: Duration,
    next: Duration,
}

impl Pauses {
    fn new(timing: &Timing) -> Self {
        let (first, longest, longest_refused) =
            (timing.first_pause, timing.longest_pause, timing.longest_pause_refused);
        Self { first, longest, longest_refused, next: first }
    }

    /// The peer was connected for so long.
    fn lived(&mut self, time: Duration) {
        if time >= SUCCESS {
            self.next = self.first;
        }
    }

    /// The next pause, between three quarters and five quarters of its length, so that nodes do not dial in step.
    fn next(&mut self, refused: bool) -> Duration {
        let longest = if refused { self.longest_refused } else { self.longest };
        let pause = self.next.min(longest);
        self.next = (pause * 2).min(self.longest_refused);
        pause.mul_f64(rand::random_range(0.75..1.25))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_a_limit_and_start_anew_after_success() {
        let mut pauses = Pauses::new(&Timing::default());
        let mut near = |refused, ms: f64| {
            let pause = pauses.next(refused).as_secs_f64() * 1000.0;
            assert!((0.74 * ms..1.26 * ms).contains(&pause), "{pause} is not near {ms}");
        };
        for ms in [100.0, 200.0, 400.0, 800.0, 1000.0, 1000.0] {
            near(false, ms);
        }
        for ms in [2000.0, 4000.0, 5000.0, 5000.0] {
            near(true, ms);
        }
        near(false, 1000.0);
        pauses.lived(Duration::from_millis(10));
        assert!(pauses.next > pauses.first);
        pauses.lived(SUCCESS);
        assert_eq!(pauses.next, pauses.first);
    }
}
