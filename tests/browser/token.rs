//! A server that wants a token.

use crate::{browser::Browser, server::Server};

const TOKEN: &str = "a-token-of-some-length";

#[tokio::test]
async fn the_page_asks_for_the_token_and_opens_with_the_right_one() {
    let server = Server::start(&["--token", TOKEN]);
    let browser = Browser::start().await;
    browser.client.goto(&server.url).await.unwrap();

    browser.fill("token", "a-token-that-is-not-the-one").await;
    browser.click("token-enter").await;
    browser.client.wait().for_element(fantoccini::Locator::Css("[role=alert]")).await.unwrap();
    browser.fill("token", TOKEN).await;
    browser.click("token-enter").await;

    // Only the page that was loaded anew has a vocabulary to show ids with.
    browser.find("inspect-ids").await;
    browser.go("models", "models-name").await;
    browser.wait_for("models-name", "data-value", "embedded").await;
    browser.close().await;
}
