//! What each package depends on, as cargo sees it.

use std::process::Command;

use crate::source::root;

#[test]
fn shared_knows_no_framework() {
    for framework in ["tokio", "axum", "candle-core", "candle-nn", "leptos", "web-sys", "rusqlite"]
    {
        assert!(!depends("weft-shared", framework), "weft-shared must not depend on {framework}");
    }
}

#[test]
fn the_page_knows_nothing_of_the_server() {
    for package in ["weft", "tokio", "axum", "candle-core"] {
        assert!(!depends("weft-frontend", package), "weft-frontend must not depend on {package}");
    }
}

#[test]
fn the_server_knows_nothing_of_the_page() {
    for package in ["weft-frontend", "leptos", "web-sys"] {
        assert!(!depends("weft", package), "weft must not depend on {package}");
    }
}

/// Without this, the tests above would pass as well if cargo could not answer at all.
#[test]
fn a_dependency_is_seen_where_there_is_one() {
    assert!(depends("weft-shared", "serde"));
    assert!(depends("weft-frontend", "weft-shared"));
    assert!(depends("weft", "weft-shared"));
}

/// Whether `package`, as built for where it runs, depends on `other`.
fn depends(package: &str, other: &str) -> bool {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(root()).args(["tree", "--locked", "--offline", "--edges", "normal"]).args([
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--package",
        package,
    ]);
    if package == "weft-frontend" {
        tree.args(["--target", "wasm32-unknown-unknown"]);
    }
    let output = tree.output().unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    tree.lines().skip(1).any(|line| line.split(' ').next() == Some(other))
}
