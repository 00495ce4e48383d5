//! Every page in both themes, as axe-core sees it: contrast, names, roles, landmarks.

use std::time::Duration;

use crate::{browser::Browser, server::Server};

/// Each page, and something that is on it once it is there.
const PAGES: [(&str, &str); 6] = [
    ("inspect", "inspect-ids"),
    ("dataset", "dataset-count"),
    ("train", "train-start"),
    ("evaluate", "evaluate-start"),
    ("chat", "chat-input"),
    ("models", "models-name"),
];

#[tokio::test]
async fn no_page_has_a_barrier_in_either_theme() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    browser.go("dataset", "dataset-example").await;
    browser.click("dataset-example").await;
    browser.wait_for("dataset-count", "data-value", "20").await;

    let mut barriers = Vec::new();
    for _ in 0..2 {
        for (page, wanted) in PAGES {
            browser.go(page, wanted).await;
            // What fades in has its full contrast only then.
            tokio::time::sleep(Duration::from_millis(400)).await;
            let theme = browser.page_attribute("data-theme").await;
            let found = browser.violations().await;
            barriers.extend(found.into_iter().map(|it| format!("{page}, {theme}: {it}")));
        }
        browser.click("theme").await;
    }

    assert_eq!(barriers, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn no_page_is_wider_than_a_phone() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.client.set_window_size(360, 740).await.unwrap();
    browser.open(&server.url).await;

    for (page, wanted) in PAGES {
        browser.go(page, wanted).await;

        let width =
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.run(width).await, 0, "{page}");
    }
    browser.close().await;
}
