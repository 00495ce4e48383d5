//! The page Train.

use std::{io::Write as _, time::Duration};

use serde_json::json;

use crate::{browser::Browser, server::Server};

const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test]
async fn a_short_run_is_started_and_gets_done() {
    let server = Server::start(&[]);
    let browser = with_twenty_pairs(&server).await;

    browser.fill("train-steps", "3").await;
    browser.fill("train-name", "short-one").await;
    browser.wait_for("train-digest", "data-equal", "true").await;
    browser.click("train-start").await;

    browser.wait_for_state("train-status", PATIENCE, "done").await;
    let loss = browser.find("train-loss").await.attr("data-value").await.unwrap().unwrap();
    assert!(loss.parse::<f64>().unwrap() > 0.0, "{loss}");
    browser.wait_for("train-step", "data-value", "3").await;
    let link = browser.find("train-chat-link").await.attr("href").await.unwrap();
    assert_eq!(link.as_deref(), Some("/chat?adapter=short-one"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_run_is_cancelled_and_resumed() {
    let server = Server::start(&[]);
    let browser = with_twenty_pairs(&server).await;
    browser.fill("train-steps", "100000").await;
    browser.click("train-start").await;
    browser.wait_for_state("train-status", PATIENCE, "running").await;

    browser.click("train-cancel").await;
    browser.wait_for_state("train-status", PATIENCE, "cancelled").await;
    browser.click("train-resume").await;
    browser.wait_for_state("train-status", PATIENCE, "running").await;

    browser.click("train-cancel").await;
    browser.wait_for_state("train-status", PATIENCE, "cancelled").await;
    browser.close().await;
}

#[tokio::test]
async fn the_options_are_remembered() {
    let server = Server::start(&[]);
    let browser = with_twenty_pairs(&server).await;

    browser.fill("train-rank", "5").await;
    browser.client.refresh().await.unwrap();
    browser.find("train-estimate").await;

    let rank = browser.run("return document.querySelector('[data-testid=train-rank]').value").await;
    assert_eq!(rank, "5");
    browser.close().await;
}

#[tokio::test]
async fn without_a_dataset_the_page_says_how_to_make_one() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;

    browser.go("train", "train-no-dataset").await;

    let start = browser.find("train-start").await;
    assert!(!start.is_enabled().await.unwrap());
    browser.close().await;
}

/// The page Train with a dataset of twenty pairs.
async fn with_twenty_pairs(server: &Server) -> Browser {
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    browser.go("dataset", "dataset-import").await;
    let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
    for number in 0..20 {
        let pair =
            json!({ "question": format!("{number} 加一？"), "answer": format!("{}", number + 1) });
        writeln!(file, "{pair}").unwrap();
    }
    let path = file.path().display().to_string();
    browser.find("dataset-import").await.send_keys(&path).await.unwrap();
    browser.wait_for("dataset-count", "data-value", "20").await;
    browser.wait_for("dataset-save-state", "data-value", "saved").await;
    browser.go("train", "train-start").await;
    browser.find("train-dataset").await;
    browser
}
