//! The official `openai` client for Python, against a listening server.

use std::{env, net::Ipv4Addr, path::Path, process::Command};

use tokio::{sync::oneshot, task};
use weft::server;

use crate::support::server_with_adapters;

/// `cargo xtask test` installs the client and names its Python.
#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_works() {
    let python = env::var("WEFT_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_client = Command::new(&python).args(["-c", "import openai"]).output();
    if !has_client.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "SKIPPED the_official_client_works: {python} has no package openai; `cargo xtask test` installs it"
        );
        return;
    }
    let listener = server::bind(Ipv4Addr::LOCALHOST.into(), 0).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server::run(listener, server_with_adapters(&["mine"]), async {
        // Also where the test has failed.
        let _ = stopped.await;
    }));

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("api/openai_client.py");
    let run = move || Command::new(python).arg(script).arg(url).output().unwrap();
    let output = task::spawn_blocking(run).await.unwrap();

    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
