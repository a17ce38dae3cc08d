//! A connection that counts, from its welcome to its end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::frame::KEPT_BUFFER;
use crate::greet::Held;
use crate::line::{Filled, Line};
use crate::mesh::Context;
use crate::peers::{Ending, LEAST_ROOM};
use crate::wire::{Wire, discard};
use crate::{Decoder, Frame, Kind, Refusal, RefusalCode, Side};

/// Carries frames until the connection ends.
pub(crate) async fn run<S: AsyncRead + AsyncWrite + Unpin>(context: &Context, wire: Wire<S>, held: Held) -> Ending {
    let (line, timing) = (&*held.line, &context.timing);
    let inbox = context.table.inbox(&line.member);
    let (mut reader, mut writer) = tokio::io::split(wire.stream);
    let mut reading = pin!(read(&mut reader, wire.decoder, line, &inbox, timing.silence));
    let mut writing = pin!(write(&mut writer, line));
    let last_words_late = async {
        line.ended().await;
        sleep(2 * timing.farewell).await;
    };
    let ending = tokio::select! {
        ending = &mut reading => ending,
        written = &mut writing => match written {
            Ok(()) => {
                let _late = timeout(timing.farewell, &mut reading).await;
                Ending::Trouble("closed".to_owned())
            }
            Err(error) => Ending::Trouble(format!("the connection broke: {error}")),
        },
        () = ping(line, timing.ping) => Ending::Trouble("closed".to_owned()),
        () = line.found_dead(timing.probe) => {
            Ending::Trouble(format!("the peer dialled anew and gave no sign of life here within {:?}", timing.probe))
        }
        () = last_words_late => Ending::Trouble("closed".to_owned()),
    };
    line.ending().map_or(ending, |refusal| Ending::Refused(Side::Us, refusal))
}

async fn ping(line: &Line, every: Duration) {
    loop {
        line.ping();
        sleep(every).await;
    }
}

/// Writes until the line is ended or the connection breaks.
async fn write<S: AsyncWrite>(writer: &mut WriteHalf<S>, line: &Line) -> std::io::Result<()> {
    let mut batch = BytesMut::new();
    loop {
        let filled = line.fill(&mut batch);
        if matches!(filled, Filled::Nothing) {
            line.woken().await;
            continue;
        }
        writer.write_all(&batch).await?;
        writer.flush().await?;
        if matches!(filled, Filled::LastWords) {
            return writer.shutdown().await;
        }
        batch.clear();
        if batch.capacity() > KEPT_BUFFER {
            batch = BytesMut::new();
        }
    }
}

/// Reads until the connection ends. Waits, and so lets the peer wait, while its inbox is full; only waiting for the
/// peer counts as silence.
async fn read<S: AsyncRead>(
    reader: &mut ReadHalf<S>,
    mut decoder: Decoder,
    line: &Line,
    inbox: &Arc<Semaphore>,
    silence: Duration,
) -> Ending {
    loop {
        let fault = match decoder.next_frame() {
            Ok(Some(frame)) => match take(frame, line, inbox).await {
                Ok(()) => continue,
                Err(Ending::Refused(Side::Us, refusal)) => refusal,
                Err(ending) => return ending,
            },
            Ok(None) => match timeout(silence, reader.read_buf(decoder.room())).await {
                Ok(Ok(0)) => return Ending::Trouble("the peer closed the connection".to_owned()),
                Ok(Ok(bytes)) => {
                    line.heard(bytes);
                    continue;
                }
                Ok(Err(error)) => return Ending::Trouble(format!("the connection broke: {error}")),
                Err(_) => return Ending::Trouble(format!("nothing came from the peer for {silence:?}")),
            },
            Err(error) => error.into(),
        };
        // The writer says it; unread bytes would have the system reset the connection before the peer has read it.
        line.end(fault.clone());
        let _broken = discard(reader).await;
        return Ending::Refused(Side::Us, fault);
    }
}

async fn take(frame: Frame, line: &Line, inbox: &Arc<Semaphore>) -> Result<(), Ending> {
    match frame.kind {
        Kind::Lane(lane) => {
            let room = u32::try_from(frame.body.len()).unwrap_or(u32::MAX).max(LEAST_ROOM);
            let room = inbox.clone().acquire_many_owned(room).await.map_err(|e| Ending::Trouble(e.to_string()))?;
            line.deliver(lane, frame.body, room);
        }
        Kind::Ping => line.pong(frame.body),
        Kind::Pong => line.ponged(&frame.body),
        Kind::Refusal => return Err(Ending::told(&frame.body)),
        Kind::Hello | Kind::Welcome => {
            let text = format!("{:?} came a second time", frame.kind);
            return Err(Ending::Refused(Side::Us, Refusal::new(RefusalCode::UnknownFrame, &text)));
        }
    }
    Ok(())
}
