//! Frames over a stream, one at a time: for what is said before a connection counts.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::peers::Ending;
use crate::{Decoder, Frame, Kind, Refusal, RefusalCode, Side, encode};

/// A stream and what was read of it beyond the last frame.
pub(crate) struct Wire<S> {
    pub(crate) stream: S,
    pub(crate) decoder: Decoder,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, decoder: Decoder::new() }
    }

    pub(crate) async fn send(&mut self, kind: Kind, body: &[u8]) -> std::io::Result<()> {
        let mut bytes = BytesMut::new();
        encode(kind, body, &mut bytes);
        self.stream.write_all(&bytes).await?;
        self.stream.flush().await
    }

    /// The body of the next frame, which must be of this kind. A refusal of the peer is an error, and so is a frame of
    /// the application, whose length is not yet trusted.
    pub(crate) async fn expect(&mut self, kind: Kind) -> Result<Frame, Ending> {
        loop {
            match self.decoder.next_frame() {
                Ok(Some(frame)) if frame.kind == kind => return Ok(frame),
                Ok(Some(frame)) if frame.kind == Kind::Refusal => return Err(Ending::told(&frame.body)),
                Ok(Some(frame)) => {
                    let text = format!("{kind:?} was expected, {:?} came", frame.kind);
                    return Err(Ending::Refused(Side::Us, Refusal::new(RefusalCode::UnknownFrame, &text)));
                }
                Err(error) => return Err(Ending::Refused(Side::Us, error.into())),
                Ok(None) if self.decoder.room().len() > MOST_BEFORE_WELCOME => {
                    let text = format!("more than {MOST_BEFORE_WELCOME} bytes before the welcome");
                    return Err(Ending::Refused(Side::Us, Refusal::new(RefusalCode::FrameTooLong, &text)));
                }
                Ok(None) => match self.stream.read_buf(self.decoder.room()).await {
                    Ok(0) => {
                        return Err(Ending::Trouble("the peer closed the connection before its welcome".to_owned()));
                    }
                    Ok(_) => {}
                    Err(error) => return Err(Ending::Trouble(format!("broken before the welcome: {error}"))),
                },
            }
        }
    }

    /// Last words. Reads on until the peer has closed: unread bytes would make the system reset the connection, and the
    /// words would be lost.
    pub(crate) async fn part(&mut self, refusal: &Refusal, patience: Duration) {
        let words = async {
            self.send(Kind::Refusal, &refusal.to_body()).await?;
            self.stream.shutdown().await?;
            discard(&mut self.stream).await
        };
        let _late_or_broken = tokio::time::timeout(patience, words).await;
    }
}

/// Bytes that are buffered of a peer that is not yet welcome.
const MOST_BEFORE_WELCOME: usize = 64 << 10;

/// Reads to the end and keeps nothing.
pub(crate) async fn discard(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<()> {
    let mut scratch = [0; 4096];
    while stream.read(&mut scratch).await? > 0 {}
    Ok(())
}
