//! How connections end: told to go, cut, or silent. And the bytes under a WebSocket, where a line
//! can fail without a word.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    Sandbox,
    record::Traffic,
    socket::{ConnectionId, Out},
};

/// Switches of a line that fails without a word.
#[derive(Clone, Debug, Default)]
pub(super) struct LineState {
    pub(super) mute: Arc<AtomicBool>,
    pub(super) deaf: Arc<AtomicBool>,
}

/// The bytes under a WebSocket. Pongs are made inside tungstenite, so a server that stops answering
/// can only be played below it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) io: TokioIo<Upgraded>,
    pub(super) state: LineState,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.state.deaf.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        if self.state.mute.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl Sandbox {
    /// The connections that are open now, the oldest first.
    pub fn connections(&self) -> Vec<ConnectionId> {
        self.slack.sockets.live().iter().map(|c| c.id).collect()
    }

    /// Tells a connection to go: `warning`, `refresh_requested`, `link_disabled`,
    /// `too_many_websockets`. With `close_after`, the server closes it after that time.
    pub async fn disconnect(
        &self,
        connection: ConnectionId,
        reason: &str,
        close_after: Option<Duration>,
    ) {
        let Some(connection) = self.slack.sockets.get(connection) else {
            return;
        };
        let final_word = ["link_disabled", "too_many_websockets"].contains(&reason);
        connection.gone.store(final_word, Ordering::Relaxed);
        connection.leaving.store(true, Ordering::Relaxed);
        let frame = disconnect_frame(reason);
        self.trace(|| Traffic {
            bytes: frame.len(),
            body: json!({"type": "disconnect", "reason": reason}),
            ..Traffic::to_bot("socket", format!("disconnect: {reason}"))
        });
        connection.send(frame).await;
        if let Some(delay) = close_after {
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                let _ = connection.out.send(Out::Close).await;
            });
        }
    }

    /// Cuts the connection without a closing handshake.
    pub fn drop_abruptly(&self, connection: ConnectionId) {
        if let Some(connection) = self.slack.sockets.get(connection) {
            connection.stop.cancel();
        }
    }

    /// Nothing arrives at the bot any more, pongs included; what the bot sends is still read.
    pub fn stop_ponging(&self, connection: ConnectionId) {
        if let Some(connection) = self.slack.sockets.get(connection) {
            connection.switches.mute.store(true, Ordering::Relaxed);
        }
    }

    /// Nothing arrives in either direction, and nobody is told: a cable that was pulled.
    pub fn half_open(&self, connection: ConnectionId) {
        self.stop_ponging(connection);
        if let Some(connection) = self.slack.sockets.get(connection) {
            connection.switches.deaf.store(true, Ordering::Relaxed);
        }
    }

    /// Sends a frame as it is, for frames that are not what they should be.
    pub async fn send_text(&self, connection: ConnectionId, text: &str) {
        if let Some(connection) = self.slack.sockets.get(connection) {
            connection.send(text.to_owned()).await;
        }
    }

    /// Socket Mode in the app's settings. Switched off, every connection is told `link_disabled`
    /// and closed, and no new one can be opened.
    pub async fn set_socket_mode(&self, on: bool) {
        self.slack.sockets.off.store(!on, Ordering::Relaxed);
        if !on {
            for connection in self.connections() {
                self.disconnect(connection, "link_disabled", Some(Duration::ZERO))
                    .await;
            }
        }
    }
}

pub(super) fn disconnect_frame(reason: &str) -> String {
    json!({
        "type": "disconnect", "reason": reason, "debug_info": {"host": "wss-sandbox.slack.com"},
    })
    .to_string()
}
