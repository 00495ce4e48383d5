//! The page Inspect.

use std::time::Duration;

use fantoccini::Locator;
use serde_json::{Value, json};

use crate::{
    browser::{Browser, selector},
    server::{Server, published_vocabulary},
};

/// The published example, with which the page starts, as the original code encodes it.
const IDS: &str = "[20005,84286,20012,31943,98715,83920,87359,83848,87359,20031,20005,20004,87342,20012,\
                   150001,150004,20005,84122,87359,20035,150005]";
const LABELS: &str = "[-100,-100,-100,-100,-100,-100,-100,-100,-100,-100,-100,-100,-100,-100,-100,-100,\
                      20005,84122,87359,20035,150005]";
const POSITIONS: &str = "[[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],\
                         [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,3,4,5,6]]";

#[tokio::test]
async fn the_published_example_has_its_published_numbers() {
    let Some((_server, browser)) = with_published_vocabulary().await else { return };

    browser.wait_for("inspect-ids", "data-value", IDS).await;
    browser.wait_for("inspect-labels", "data-value", LABELS).await;
    browser.wait_for("inspect-positions", "data-value", POSITIONS).await;
    browser.wait_for("inspect-mask", "data-value", "[15,21]").await;
    assert_eq!(chips(&browser).await, "▁问:AI探险家帅不帅?▁⏎答:·[gMASK]<sop>▁非常帅!<eop>");
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

    browser.wait_for("inspect-ids", "data-value", IDS).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn without_an_answer_only_the_end_is_learned() {
    let Some((_server, browser)) = with_published_vocabulary().await else { return };

    browser.fill("inspect-answer", "\u{e003}").await;

    let labels = format!("[{}150005]", "-100,".repeat(16));
    browser.wait_for("inspect-labels", "data-value", &labels).await;
    assert!(remarks(&browser).await.contains("no answer yet"));
    browser.close().await;
}

#[tokio::test]
async fn each_treatment_of_a_long_answer_is_shown() {
    let Some((_server, browser)) = with_published_vocabulary().await else { return };

    browser.fill("inspect-max-target", "2").await;
    browser.wait_for("inspect-labels", "data-value", &labels("20005,84122,150005")).await;
    assert!(remarks(&browser).await.contains("its last 2 tokens are cut"));

    browser.click("inspect-truncation-front").await;
    browser.wait_for("inspect-labels", "data-value", &labels("87359,20035,150005")).await;

    browser.click("inspect-truncation-drop").await;
    browser.wait_for("inspect-truncation", "data-value", "drop").await;
    for _ in 0..100 {
        if remarks(&browser).await.contains("No sample") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(remarks(&browser).await.contains("the answer has 2 tokens too many"));
    browser.close().await;
}

#[tokio::test]
async fn the_position_rule_of_main_stands_still_at_gmask() {
    let Some((_server, browser)) = with_published_vocabulary().await else { return };

    browser.click("inspect-position-rule-main").await;

    let positions = "[[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,14,14,14,14,14,14],\
                      [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,2,3,4,5,6]]";
    browser.wait_for("inspect-positions", "data-value", positions).await;
    browser.close().await;
}

#[tokio::test]
async fn arrow_keys_walk_from_token_to_token() {
    let Some((_server, browser)) = with_published_vocabulary().await else { return };

    let strip = browser.client.find(Locator::Css("[role=listbox]")).await.unwrap();
    strip.send_keys("\u{e014}\u{e014}").await.unwrap();

    let selected = browser.client.find(Locator::Css("[aria-selected=true]")).await.unwrap();
    assert_eq!(selected.attr("data-id").await.unwrap().as_deref(), Some("84286"));
    browser.close().await;
}

#[tokio::test]
async fn chosen_lengths_outlive_a_visit() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;

    browser.fill("inspect-max-source", "77").await;
    browser.client.refresh().await.unwrap();

    wait_for_text(&browser, "inspect-max-source", "77").await;
    browser.close().await;
}

#[tokio::test]
async fn an_address_opens_a_row_of_a_dataset() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    let id = browser
        .run(
            "const pairs = [{question: 'one?', answer: '1'}, {question: 'two?', answer: '2'}];
            const body = JSON.stringify({name: 'numbers', pairs});
            const headers = {'content-type': 'application/json'};
            return fetch('/api/datasets', {method: 'POST', headers, body})
                .then((answer) => answer.json()).then((dataset) => dataset.id);",
        )
        .await;

    browser.client.goto(&format!("{}inspect?dataset={id}", server.url)).await.unwrap();
    wait_for_text(&browser, "inspect-question", "one?").await;
    browser.fill("inspect-row", "2\u{e007}").await;

    wait_for_text(&browser, "inspect-question", "two?").await;
    wait_for_text(&browser, "inspect-answer", "2").await;
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

/// The page with the published example as the published vocabulary has it.
async fn with_published_vocabulary() -> Option<(Server, Browser)> {
    let Some(vocabulary) = published_vocabulary() else {
        eprintln!("SKIPPED: the published vocabulary is not on this machine");
        return None;
    };
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    let vocabulary = vocabulary.display().to_string();
    browser.find("inspect-vocabulary").await.send_keys(&vocabulary).await.unwrap();
    browser.wait_for("inspect-ids", "data-value", IDS).await;
    Some((server, browser))
}

/// The prompt's sixteen, and those of the answer.
fn labels(answer: &str) -> String {
    format!("[{}{answer}]", "-100,".repeat(16))
}

/// What the chips show, one after the other.
async fn chips(browser: &Browser) -> String {
    let chips = browser.client.find_all(Locator::Css(&selector("inspect-token"))).await.unwrap();
    let mut shown = String::new();
    for chip in chips {
        shown += &chip.text().await.unwrap();
    }
    shown
}

async fn remarks(browser: &Browser) -> String {
    browser.find("inspect-remarks").await.text().await.unwrap()
}

/// Waits until a field holds a text.
async fn wait_for_text(browser: &Browser, test_id: &str, wanted: &str) {
    browser.find(test_id).await;
    let script = format!("return document.querySelector('{}').value", selector(test_id));
    let mut found = Value::Null;
    for _ in 0..200 {
        found = browser.run(&script).await;
        if found == json!(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{test_id} holds {found}, not {wanted:?}");
}
