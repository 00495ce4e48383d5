//! The page Models.

use crate::{browser::Browser, server::Server};

#[tokio::test]
async fn the_loaded_model_is_told_by_name_with_its_card() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    browser.go("models", "models-name").await;

    let name = browser.find("models-name").await.text().await.unwrap();
    let card = browser.find("models-card").await.text().await.unwrap();
    let fingerprint =
        browser.find("models-fingerprint").await.attr("data-value").await.unwrap().unwrap();

    assert_eq!(name, "embedded");
    assert!(!card.is_empty());
    assert!(fingerprint.len() >= 12, "{fingerprint}");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_server_without_adapters_says_how_to_get_one() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    browser.go("models", "models-empty").await;

    let words = browser.find("models-empty").await.text().await.unwrap();

    assert!(words.contains("training run"), "{words}");
    browser.close().await;
}
