//! The page Dataset.

use std::{io::Write as _, time::Duration};

use fantoccini::Locator;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::{
    browser::{Browser, selector},
    server::Server,
};

const PATIENCE: Duration = Duration::from_secs(20);
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

#[tokio::test]
async fn pairs_are_imported_edited_and_still_there_after_a_reload() {
    let server = Server::start(&[]);
    let browser = open_with(&server, 20).await;

    browser.click("dataset-edit").await;
    browser.fill("dataset-answer", "a better answer").await;
    browser.find("dataset-answer").await.send_keys(ENTER).await.unwrap();
    browser.wait_for("dataset-save-state", "data-value", "saved").await;
    browser.client.refresh().await.unwrap();

    browser.wait_for("dataset-count", "data-value", "20").await;
    assert!(first_row(&browser).await.contains("a better answer"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_pair_is_added_and_its_answer_follows_its_question() {
    let server = Server::start(&[]);
    let browser = open_with(&server, 3).await;

    browser.click("dataset-add").await;
    browser.fill("dataset-question", "Who?").await;
    browser.find("dataset-question").await.send_keys(ENTER).await.unwrap();
    browser.fill("dataset-answer", "Pell.").await;
    browser.find("dataset-answer").await.send_keys(ENTER).await.unwrap();

    browser.wait_for("dataset-count", "data-value", "4").await;
    browser.wait_for("dataset-save-state", "data-value", "saved").await;
    browser.close().await;
}

#[tokio::test]
async fn escape_reverts_and_undo_brings_back() {
    let server = Server::start(&[]);
    let browser = open_with(&server, 20).await;

    browser.click("dataset-edit").await;
    browser.fill("dataset-answer", "never meant").await;
    browser.find("dataset-answer").await.send_keys(ESCAPE).await.unwrap();
    assert!(!first_row(&browser).await.contains("never meant"));

    browser.click("dataset-delete").await;
    browser.wait_for("dataset-count", "data-value", "19").await;
    browser.click("dataset-undo").await;
    browser.wait_for("dataset-count", "data-value", "20").await;
    browser.click("dataset-undo").await;
    browser.wait_for("dataset-count", "data-value", "0").await;
    browser.click("dataset-redo").await;
    browser.wait_for("dataset-count", "data-value", "20").await;
    browser.wait_for("dataset-save-state", "data-value", "saved").await;

    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn words_are_searched_for_and_problems_shown() {
    let server = Server::start(&[]);
    let browser = open_with(&server, 20).await;

    browser.fill("dataset-search", "NUMBER 13").await;
    browser.wait_for("dataset-shown", "data-value", "1").await;
    assert!(first_row(&browser).await.contains("number 13"));
    browser.click("dataset-clear-filter").await;

    let twice = file("{\"question\":\"question number 1?\",\"answer\":\"answer 1\"}\nnot a pair\n");
    import(&browser, &twice).await;
    browser.wait_for("dataset-count", "data-value", "21").await;
    let report = browser.find("dataset-report").await.text().await.unwrap();
    assert!(report.contains("1 line"), "{report}");
    let duplicate = browser.client.find(Locator::Css("option[value=duplicate]")).await.unwrap();
    duplicate.click().await.unwrap();
    browser.wait_for("dataset-shown", "data-value", "1").await;

    browser.close().await;
}

#[tokio::test]
async fn a_file_that_the_browser_cannot_read_is_named() {
    let server = Server::start(&[]);
    let browser = open_with(&server, 3).await;

    browser.run("Blob.prototype.arrayBuffer = () => Promise.reject(new Error('gone'))").await;
    let gone = file("{\"question\":\"q\",\"answer\":\"a\"}\n");
    import(&browser, &gone).await;

    let name = gone.path().file_name().unwrap().to_string_lossy().into_owned();
    let mut report = String::new();
    for _ in 0..100 {
        report = browser.find("dataset-report").await.text().await.unwrap();
        if report.contains(&name) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(report.contains(&format!("{name}: the browser could not read it")), "{report}");
    browser.wait_for("dataset-count", "data-value", "3").await;
    browser.close().await;
}

#[tokio::test]
async fn of_ten_thousand_pairs_only_some_rows_are_made() {
    let server = Server::start(&[]);
    let browser = open_with(&server, 10_000).await;

    let made = browser.client.find_all(Locator::Css(&selector("dataset-row"))).await.unwrap();
    assert!(made.len() < 80, "{} rows are made", made.len());
    let last = "document.querySelector('.virtual-list .scroller').scrollTop = 1e9;";
    browser.run(last).await;
    let wanted = "[data-testid=dataset-row][aria-rowindex='10001']";
    let wait = browser.client.wait().at_most(PATIENCE).for_element(Locator::Css(wanted));
    let row = wait.await.unwrap().text().await.unwrap();

    assert!(row.contains("number 9999"), "{row}");
    browser.close().await;
}

/// A browser at the page, with so many pairs imported and saved.
async fn open_with(server: &Server, pairs: usize) -> Browser {
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    browser.go("dataset", "dataset-example").await;
    let lines = (0..pairs).map(|n| {
        let (question, answer) = (format!("question number {n}?"), format!("answer {n}"));
        json!({ "question": question, "answer": answer }).to_string() + "\n"
    });
    // It has to be there until the page has read it.
    let file = file(&lines.collect::<String>());
    import(&browser, &file).await;
    browser.wait_for("dataset-count", "data-value", &pairs.to_string()).await;
    browser.wait_for("dataset-save-state", "data-value", "saved").await;
    browser
}

async fn import(browser: &Browser, file: &NamedTempFile) {
    let path = file.path().display().to_string();
    browser.find("dataset-import").await.send_keys(&path).await.unwrap();
}

fn file(text: &str) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

async fn first_row(browser: &Browser) -> String {
    browser.find("dataset-row").await.text().await.unwrap()
}
