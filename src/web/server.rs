//! Connections: how many there are at once, and how long one may keep the server waiting.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::Sleep,
};
use tokio_util::sync::CancellationToken;

use super::limits::Peer;

/// How long the head of a request may take, which is also how long a connection may be idle between two.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// How long the other end may take none of what it is sent. One that takes it slowly is waited for.
const TAKEN_WITHIN: Duration = Duration::from_secs(20);
/// After which the machine is asked again for a connection that it could not give.
const BREATH: Duration = Duration::from_millis(200);

/// Serves until `stop`, and then what is under way.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    connections: usize,
    stop: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN);
    let router = TowerToHyperService::new(router);
    let under_way = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(connections));
    loop {
        let accepted = async {
            let slot = slots.clone().acquire_owned().await;
            let slot = slot.expect("the semaphore is never closed");
            listener.accept().await.map(|accepted| (slot, accepted))
        };
        let (slot, (stream, peer)) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accepted => match accepted {
                Ok(accepted) => accepted,
                // It went away again before it was taken.
                Err(error) if is_of_the_other_end(&error) => continue,
                Err(error) => {
                    tracing::error!("web.not_accepted: {error}");
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            },
        };
        // A small answer must not wait for the next one; a failure costs speed only.
        let _ = stream.set_nodelay(true);
        let peer = Peer(peer.ip());
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            let answer = router.call(request.map(Body::new));
            async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let connection =
            under_way.watch(http.serve_connection(TokioIo::new(Taken::of(stream)), service));
        tokio::spawn(async move {
            // However it ends, it is the other end's to know.
            let _ = connection.await;
            drop(slot);
        });
    }
    drop(listener);
    under_way.shutdown().await;
}

fn is_of_the_other_end(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// A connection that breaks when its other end takes nothing for too long: it would hold its slot, and the answer, for
/// ever.
struct Taken {
    stream: TcpStream,
    /// Runs while something waits to be taken.
    patience: Option<Pin<Box<Sleep>>>,
}

impl Taken {
    const fn of(stream: TcpStream) -> Self {
        Self {
            stream,
            patience: None,
        }
    }

    fn in_time(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.patience = None;
            return written;
        }
        let patience = self
            .patience
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(TAKEN_WITHIN)));
        patience
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Taken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Taken {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
