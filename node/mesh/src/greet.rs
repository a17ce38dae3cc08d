//! From a finished TLS handshake to a connection that counts.
//!
//! Both ends say hello. The one with the larger member id answers a good hello with its welcome; the one with the smaller
//! id waits for that welcome, takes the connection if the pair has no living one, and only then says its own. So one
//! end alone decides which of two simultaneous dials stays, and the other follows the last welcome it got.

use std::net::SocketAddr;
use std::sync::Arc;

use covenant_domain::MemberId;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::line::{Ends, Line};
use crate::mesh::Context;
use crate::peers::{Ending, LEAST_ROOM, NotClaimed};
use crate::wire::Wire;
use crate::{Hello, Kind, Refusal, RefusalCode, Side};

/// The one connection of its pair; let go when dropped.
pub(crate) struct Held {
    context: Arc<Context>,
    pub(crate) line: Arc<Line>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.context.table.release(&self.line);
    }
}

/// The other end of a finished handshake.
pub(crate) struct Other {
    /// Whom its certificate names.
    pub(crate) certified: MemberId,
    pub(crate) remote: SocketAddr,
    /// Whether we dialled.
    pub(crate) dialled: bool,
    /// Its certificate.
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

/// Exchanges hellos and welcomes. Words of refusal have been said when it fails.
pub(crate) async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
    context: &Arc<Context>,
    wire: &mut Wire<S>,
    other: &Other,
) -> Result<Held, Ending> {
    let greeted = tokio::time::timeout(context.timing.handshake, exchange(context, wire, other)).await;
    let ending = match greeted {
        Ok(Ok(held)) => return Ok(held),
        Ok(Err(ending)) => ending,
        Err(_) => Ending::Trouble(format!("no hello or welcome within {:?}", context.timing.handshake)),
    };
    if let Ending::Refused(Side::Us, refusal) = &ending {
        wire.part(refusal, context.timing.farewell).await;
    }
    Err(ending)
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    context: &Arc<Context>,
    wire: &mut Wire<S>,
    other: &Other,
) -> Result<Held, Ending> {
    let refuse = |refusal| Ending::Refused(Side::Us, refusal);
    let broken = |error: std::io::Error| {
        let words = context.security.explain(&error).unwrap_or_else(|| error.to_string());
        Ending::Trouble(format!("broken before the welcome: {words}"))
    };
    let ours = Hello::new(context.consortium, context.me.clone());
    wire.send(Kind::Hello, &ours.to_body()).await.map_err(broken)?;
    let theirs = Hello::from_body(&wire.expect(Kind::Hello).await?.body).map_err(refuse)?;
    ours.judge(&theirs, &other.certified).map_err(refuse)?;
    context.admit(&other.certified).map_err(refuse)?;

    // One event of coming, one of going.
    let inbox = context.table.inbox(&other.certified);
    let room = inbox.acquire_many_owned(2 * LEAST_ROOM).await.map_err(|e| Ending::Trouble(e.to_string()))?;
    let decides = context.me < other.certified;
    if !decides {
        wire.send(Kind::Welcome, &[]).await.map_err(broken)?;
    }
    wire.expect(Kind::Welcome).await?;
    let (member, certificate) = (other.certified.clone(), other.certificate.clone());
    let ends = Ends { member, remote: other.remote, dialled: other.dialled, certificate };
    let line = context.table.claim(ends, room).map_err(|why| refuse(not_claimed(why, other)))?;
    let held = Held { context: context.clone(), line };
    if decides {
        wire.send(Kind::Welcome, &[]).await.map_err(broken)?;
    }
    // The list of members may have changed since it was asked; `review` found no connection to close.
    context.admit(&other.certified).map_err(refuse)?;
    Ok(held)
}

fn not_claimed(why: NotClaimed, other: &Other) -> Refusal {
    match why {
        NotClaimed::Duplicate(line) => {
            // It dials although it is connected: it may know better.
            if !other.dialled {
                line.probe();
            }
            Refusal::new(RefusalCode::Duplicate, "there is a connection already")
        }
        NotClaimed::Stopped => Refusal::new(RefusalCode::Stopping, "this node stops"),
    }
}
