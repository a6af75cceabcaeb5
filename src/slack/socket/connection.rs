//! One WebSocket: a reader that never waits for anybody, and a writer.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink, stream::SplitStream};
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Bytes, Message, Utf8Bytes, protocol::CloseFrame, protocol::frame::coding::CloseCode,
    },
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    OpenError, Opener, Timings,
    deliver::{Deliverer, Outgoing},
    frame::Frame,
};

/// Frames that may wait to be written.
const OUTGOING: usize = 1024;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Numbers the connections of this process, for the log.
pub(super) type ConnectionId = u64;

/// What the supervisor hears from a connection.
#[derive(Debug)]
pub(super) enum Event {
    /// Slack has greeted us; frames may come.
    Live { app_id: Option<String> },
    /// Slack will close the connection, for this reason.
    Leaving { reason: String },
    /// The connection is over.
    Ended(End),
}

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// It never came about.
    #[error("{0}")]
    NotOpened(OpenError),
    /// The peer closed it, or we did.
    #[error("the connection was closed")]
    Closed,
    /// Nothing was heard for too long.
    #[error("nothing was heard on the connection for too long")]
    Dead,
    /// It broke.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// What one connection needs.
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) opener: Opener,
    pub(super) deliverer: Arc<Deliverer>,
    pub(super) timings: Timings,
    pub(super) events: mpsc::UnboundedSender<(ConnectionId, Event)>,
    /// Closes the connection in good order.
    pub(super) close: CancellationToken,
}

impl Connection {
    /// Opens the connection and reads it to its end.
    pub(super) async fn run(self) {
        let end = match self.open().await {
            Ok(stream) => self.serve(stream).await,
            Err(error) => End::NotOpened(error),
        };
        self.tell(Event::Ended(end));
    }

    fn tell(&self, event: Event) {
        // Nobody listens only when the process is ending.
        let _ = self.events.send((self.id, event));
    }

    async fn open(&self) -> Result<Stream, OpenError> {
        let open = async {
            let url = (self.opener)().await?;
            // Nagle's algorithm would hold back a small acknowledgement until the one before is confirmed.
            let disable_nagle = true;
            let (stream, _) = connect_async_with_config(url.as_str(), None, disable_nagle)
                .await
                .map_err(|error| {
                    OpenError::Failed(format!("the WebSocket was not opened: {error}"))
                })?;
            Ok(stream)
        };
        tokio::time::timeout(self.timings.open_within, open)
            .await
            .unwrap_or_else(|_| {
                Err(OpenError::Failed(
                    "the WebSocket was not opened in time".to_owned(),
                ))
            })
    }

    async fn serve(&self, stream: Stream) -> End {
        let (sink, stream) = stream.split();
        let (outgoing, frames) = mpsc::channel(OUTGOING);
        let writer = tokio::spawn(write(sink, frames));
        self.deliverer.connection_opened(&outgoing);
        let end = self.read(stream, &outgoing).await;
        self.deliverer.connection_ended(&outgoing);
        writer.abort();
        // Until it is gone it takes acknowledgements that nobody will ever see.
        let _ = writer.await;
        end
    }

    async fn read(&self, mut stream: SplitStream<Stream>, outgoing: &Outgoing) -> End {
        let mut heard_at = Instant::now();
        let greeted_by = heard_at + self.timings.open_within;
        let mut is_greeted = false;
        let mut close_by = None;
        let mut ping = tokio::time::interval(self.timings.ping_every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                biased;
                message = stream.next() => message,
                _ = ping.tick() => {
                    let now = Instant::now();
                    if now.duration_since(heard_at) > self.timings.dead_after {
                        return End::Dead;
                    }
                    if !is_greeted && now > greeted_by {
                        return End::Broken("Slack did not say hello in time".to_owned());
                    }
                    if close_by.is_some_and(|close_by| now > close_by) {
                        return End::Closed;
                    }
                    // A full queue means that the peer takes nothing; then it is silent too, and found dead.
                    let _ = outgoing.try_send(Message::Ping(Bytes::default()));
                    continue;
                }
                () = self.close.cancelled(), if close_by.is_none() => {
                    close_by = Some(Instant::now() + self.timings.shutdown_within);
                    let bye = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
                    let _ = outgoing.try_send(Message::Close(Some(bye)));
                    continue;
                }
            };
            heard_at = Instant::now();
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Binary(bytes))) => match Utf8Bytes::try_from(bytes) {
                    Ok(text) => text,
                    Err(_) => {
                        warn!(
                            connection = self.id,
                            "socket.unknown_frame: a binary frame that is not text"
                        );
                        continue;
                    }
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(frame))) => {
                    debug!(
                        connection = self.id,
                        ?frame,
                        "socket.close: Slack closes the connection"
                    );
                    continue;
                }
                Some(Err(error)) => return End::Broken(error.to_string()),
                None => return End::Closed,
            };
            match Frame::read(&text) {
                Frame::Hello { app_id } => {
                    is_greeted = true;
                    self.tell(Event::Live { app_id });
                }
                Frame::Disconnect { reason } => self.tell(Event::Leaving { reason }),
                Frame::Envelope(envelope) => self.deliverer.take(envelope, outgoing.clone()),
                Frame::Unknown {
                    envelope_id,
                    problem,
                } => {
                    warn!(
                        connection = self.id,
                        envelope_id,
                        length = text.len(),
                        "socket.unknown_frame: a frame that cannot be read: {problem}"
                    );
                    if let Some(id) = envelope_id {
                        self.deliverer.take_unknown(id, outgoing.clone());
                    }
                }
            }
        }
    }
}

/// Writes what is queued, everything that waits in one go.
async fn write(mut sink: SplitSink<Stream, Message>, mut frames: mpsc::Receiver<Message>) {
    let mut batch = Vec::with_capacity(64);
    while frames.recv_many(&mut batch, 64).await > 0 {
        for frame in batch.drain(..) {
            if sink.feed(frame).await.is_err() {
                // The reader finds out too, and ends the connection.
                return;
            }
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
}
