//! The choices that outlive a visit.

use crate::{browser::Browser, server::Server};

#[tokio::test]
async fn theme_and_language_are_remembered() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    let before = (browser.page_attribute("data-theme").await, browser.page_attribute("lang").await);

    browser.click("theme").await;
    browser.click("language").await;
    let chosen = (browser.page_attribute("data-theme").await, browser.page_attribute("lang").await);
    browser.client.refresh().await.unwrap();
    browser.find("inspect-question").await;
    let found = (browser.page_attribute("data-theme").await, browser.page_attribute("lang").await);

    assert_ne!(chosen.0, before.0);
    assert_ne!(chosen.1, before.1);
    assert_eq!(found, chosen);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}
