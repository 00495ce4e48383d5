//! A server that is told to stop while others still listen to it.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use axum::{body::Body, http::Method};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::{
    sync::oneshot,
    task::{block_in_place, spawn_blocking},
    time::timeout,
};
use weft::{server, web};

use crate::{
    chat::request,
    jobs::{add_dataset, start},
    support::{app, open},
};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_being_written_ends_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path());
    let router = web::router(app.clone());
    let body = request(&json!({ "stream": true, "max_tokens": 2000 })).to_string();
    let response = open(router, Method::POST, "/v1/chat/completions", &[], Body::from(body)).await;
    let mut pieces = response.into_body().into_data_stream();
    pieces.next().await.unwrap().unwrap();

    app.end();

    let rest = timeout(SOON, pieces.map(|piece| piece.unwrap()).collect::<Vec<_>>()).await.unwrap();
    let text = String::from_utf8(rest.concat()).unwrap();
    assert!(text.contains("the server is ending"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_stream_of_events_does_not_hold_the_server_up() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path());
    let router = web::router(app.clone());
    add_dataset(&router).await;
    // Nobody works on it, so that its events never end.
    start(&router, 4).await;
    let listener = server::bind(Ipv4Addr::LOCALHOST.into(), 0).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server::run(listener, router, async move {
        stopped.await.unwrap();
        app.end();
    }));
    let mut follower = TcpStream::connect(address).unwrap();
    block_in_place(|| {
        write!(follower, "GET /api/jobs/1/events HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
        let mut first = [0; 15];
        follower.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
    });

    stop.send(()).unwrap();

    let rest = spawn_blocking(move || follower.read_to_end(&mut Vec::new()));
    timeout(SOON, rest).await.unwrap().unwrap().unwrap();
    timeout(SOON, serving).await.unwrap().unwrap().unwrap();
}
