//! Listens, and stops when told to.

use std::{
    future::{Future, IntoFuture as _},
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::Router;
use tokio::{net::TcpListener, sync::oneshot, time};

/// For answers that are under way when the server is told to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes a port of an address; 0 takes a free one.
pub async fn bind(host: IpAddr, port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::new(host, port)).await
}

/// Answers until `shutdown` is over and the answers under way have been given, or have had some seconds for it.
pub async fn run(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (told, is_told) = oneshot::channel();
    let shutdown = async move {
        shutdown.await;
        // Nobody listens once everything has ended anyway.
        let _ = told.send(());
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(shutdown);
    let patience = async {
        // Ends with an error only together with `serving`.
        let _ = is_told.await;
        time::sleep(PATIENCE).await;
    };
    tokio::select! {
        served = serving.into_future() => served,
        () = patience => Ok(()),
    }
}
