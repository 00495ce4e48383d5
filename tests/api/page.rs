//! The page's files.

use crate::support::{INDEX, get, server};

#[tokio::test]
async fn the_page_is_asked_for_anew_each_time() {
    let answer = get(server(), "/", &[]).await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, INDEX.as_bytes());
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
}

#[tokio::test]
async fn every_place_of_the_page_is_the_page() {
    let places =
        ["/inspect", "/dataset", "/train?dataset=1", "/evaluate?evaluation=1", "/chat", "/models"];
    for place in places {
        assert_eq!(get(server(), place, &[]).await.body, INDEX.as_bytes(), "{place}");
    }
}

#[tokio::test]
async fn a_file_with_a_hash_in_its_name_is_kept_for_ever() {
    let answer = get(server(), "/boot-1.js", &[]).await;

    assert_eq!(answer.body, b"start()");
    assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
}

#[tokio::test]
async fn a_browser_that_takes_brotli_gets_it() {
    let answer = get(server(), "/boot-1.js", &[("accept-encoding", "gzip, br")]).await;

    assert_eq!(answer.body, b"compressed");
    assert_eq!(answer.header("content-encoding"), Some("br"));
    assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"));
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_in_words() {
    for path in ["/nothing.js", "/../Cargo.toml", "/%2e%2e/Cargo.toml"] {
        let answer = get(server(), path, &[]).await;

        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.problem().kind, "/problems/nothing-here");
    }
}

#[tokio::test]
async fn the_server_says_that_it_runs() {
    assert_eq!(get(server(), "/healthz", &[]).await.body, b"ok\n");
}
