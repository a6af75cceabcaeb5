//! Connections: how many there are at once, and how long one may keep the server waiting.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

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
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use super::limits::Peer;

/// How long the head of a request may take, which is also how long a connection may be idle between two.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
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
        let connection = under_way.watch(http.serve_connection(TokioIo::new(stream), service));
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
