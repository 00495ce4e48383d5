//! The page Inspect.

use fantoccini::Locator;

use crate::{
    browser::{Browser, selector},
    server::{Server, published_vocabulary},
};

/// The published example, and the ids that the original code gives it.
const QUESTION: &str = "AI探险家帅不帅?";
const IDS: &str = "[26738,98715,83920,87359,83848,87359,20031]";

#[tokio::test]
async fn a_text_becomes_the_published_ids() {
    let Some(vocabulary) = published_vocabulary() else {
        eprintln!("SKIPPED: the published vocabulary is not on this machine");
        return;
    };
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;

    browser
        .find("inspect-vocabulary")
        .await
        .send_keys(&vocabulary.display().to_string())
        .await
        .unwrap();
    browser.find("inspect-question").await.send_keys(QUESTION).await.unwrap();

    browser.wait_for("inspect-ids", "data-value", IDS).await;
    let chips = browser.client.find_all(Locator::Css(&selector("inspect-token"))).await.unwrap();
    let mut shown = String::new();
    for chip in chips {
        shown += &chip.text().await.unwrap();
    }
    assert_eq!(shown, QUESTION);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn the_vocabulary_of_the_servers_model_is_open_at_once() {
    let Some(vocabulary) = published_vocabulary() else {
        eprintln!("SKIPPED: the published vocabulary is not on this machine");
        return;
    };
    let model = vocabulary.parent().unwrap().display().to_string();
    let server = Server::start(&["--model", &model]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;

    browser.find("inspect-question").await.send_keys(QUESTION).await.unwrap();

    browser.wait_for("inspect-ids", "data-value", IDS).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn arrow_keys_walk_from_token_to_token() {
    let Some(vocabulary) = published_vocabulary() else {
        eprintln!("SKIPPED: the published vocabulary is not on this machine");
        return;
    };
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    browser
        .find("inspect-vocabulary")
        .await
        .send_keys(&vocabulary.display().to_string())
        .await
        .unwrap();
    browser.find("inspect-question").await.send_keys(QUESTION).await.unwrap();
    browser.wait_for("inspect-ids", "data-value", IDS).await;

    let strip = browser.client.find(Locator::Css("[role=listbox]")).await.unwrap();
    strip.send_keys("\u{e014}\u{e014}").await.unwrap();

    let selected = browser.client.find(Locator::Css("[aria-selected=true]")).await.unwrap();
    assert_eq!(selected.attr("data-id").await.unwrap().as_deref(), Some("98715"));
    browser.close().await;
}

#[tokio::test]
async fn a_file_that_is_no_vocabulary_is_refused_in_words() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    let file = tempfile::Builder::new().suffix(".model").tempfile().unwrap();
    std::fs::write(file.path(), "no vocabulary").unwrap();

    browser
        .find("inspect-vocabulary")
        .await
        .send_keys(&file.path().display().to_string())
        .await
        .unwrap();

    let alert = browser.client.wait().for_element(Locator::Css("[role=alert]")).await.unwrap();
    let words = alert.text().await.unwrap();
    assert!(words.contains("ice_text.model"), "{words}");
    browser.close().await;
}
