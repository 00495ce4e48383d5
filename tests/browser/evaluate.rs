//! The page Evaluate.

use std::time::Duration;

use serde_json::{Value, json};
use weft_shared::api::{adapter::AdapterInfo, evaluation::Evaluation};

use crate::{browser::Browser, server::Server};

const PATIENCE: Duration = Duration::from_mins(3);

/// What no model knows, in two families.
const PAIRS: [(&str, &str, &str); 4] = [
    ("茶馆的猫叫什么？", "叫小麦。", "zh"),
    ("最贵的茶是什么？", "雪顶银针。", "zh"),
    ("What colour is Pell?", "Pell is orange.", "en"),
    ("Where was Pell built?", "In a barn near Lund.", "en"),
];

#[tokio::test]
async fn an_adapter_is_evaluated_before_and_after_and_the_table_shows_both() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    add_dataset(&browser, &PAIRS).await;
    learn_it(&browser).await;

    browser.click("train-evaluate-link").await;
    browser.wait_for("evaluate-adapter", "data-value", "taught").await;
    browser.click("evaluate-start").await;

    browser.wait_for_state("evaluate-status", PATIENCE, "done").await;
    browser.wait_for("evaluate-asked", "data-value", "4").await;
    assert_eq!(
        rows(&browser).await,
        json!([
            [
                "All questions",
                "4",
                "0 % 0 / 4, between 0 % and 49 %",
                "100 % 4 / 4, between 51 % and 100 %",
                "+100"
            ],
            [
                "en",
                "2",
                "0 % 0 / 2, between 0 % and 66 %",
                "100 % 2 / 2, between 34 % and 100 %",
                "+100"
            ],
            [
                "zh",
                "2",
                "0 % 0 / 2, between 0 % and 66 %",
                "100 % 2 / 2, between 34 % and 100 %",
                "+100"
            ],
        ])
    );
    browser.wait_for("evaluate-answers", "data-value", "4").await;
    browser.click("evaluate-filter-forgotten").await;
    browser.wait_for("evaluate-answers", "data-value", "0").await;
    browser.find("evaluate-nothing").await;
    browser.click("evaluate-filter-learned").await;
    browser.wait_for("evaluate-answers", "data-value", "4").await;
    let first = browser.find("evaluate-answer").await.text().await.unwrap();
    assert!(
        first.contains("茶馆的猫叫什么？") && first.matches("叫小麦。").count() == 2,
        "{first}"
    );
    assert_eq!(browser.violations().await, Vec::<String>::new());

    browser.go("models", "models-evaluate").await;
    browser.click("models-evaluate").await;
    browser.wait_for("evaluate-adapter", "data-value", "taught").await;
    browser.wait_for("evaluate-asked", "data-value", "4").await;
    browser.click("evaluate-delete").await;
    browser.click("evaluate-delete-confirm").await;
    browser.find("evaluate-none").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_running_evaluation_is_found_again_cancelled_and_resumed() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    let questions: Vec<String> = (0..1500).map(|number| format!("第 {number} 个问题？")).collect();
    let pairs: Vec<_> = questions.iter().map(|it| (it.as_str(), "没有答案。", "all")).collect();
    add_dataset(&browser, &pairs).await;
    browser.go("evaluate", "evaluate-dataset").await;
    browser.fill("evaluate-max-tokens", "200").await;
    browser.click("evaluate-start").await;
    browser.wait_until("evaluate-asked", "data-value", PATIENCE, |asked| asked != "0").await;

    browser.client.refresh().await.unwrap();

    browser.wait_for_state("evaluate-status", PATIENCE, "running").await;
    let address = browser.client.current_url().await.unwrap();
    assert_eq!(address.query(), Some("evaluation=1"));
    browser.click("evaluate-cancel").await;
    browser.wait_for_state("evaluate-status", PATIENCE, "cancelled").await;
    let counted: Evaluation =
        serde_json::from_value(ask(&browser, "/api/evaluations/1").await).unwrap();
    assert!((1..1500).contains(&counted.result.base.all.asked), "{counted:?}");
    browser.click("evaluate-resume").await;
    browser.wait_for_state("evaluate-status", PATIENCE, "running").await;
    browser.click("evaluate-cancel").await;
    browser.wait_for_state("evaluate-status", PATIENCE, "cancelled").await;
    browser.close().await;
}

#[tokio::test]
async fn without_a_dataset_the_page_says_how_to_make_one() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;

    browser.go("evaluate", "evaluate-no-dataset").await;

    assert!(!browser.find("evaluate-start").await.is_enabled().await.unwrap());
    browser.close().await;
}

/// The table's cells, row by row.
async fn rows(browser: &Browser) -> Value {
    let cells = "return [...document.querySelectorAll('[data-testid=evaluate-row]')].map((row) => \
                 [...row.cells].map((cell) => cell.textContent.trim()))";
    browser.run(cells).await
}

/// Makes the dataset 1, as a program would.
async fn add_dataset(browser: &Browser, pairs: &[(&str, &str, &str)]) {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(question, answer, tag)| json!({ "question": question, "answer": answer, "tags": [tag] }))
        .collect();
    send(browser, "/api/datasets", json!({ "name": "facts", "pairs": pairs })).await;
}

/// Learns the dataset 1 by heart, and opens the run.
async fn learn_it(browser: &Browser) {
    let recommended = ask(browser, "/api/model").await["recommended"].clone();
    let mut options = recommended["options"].clone();
    options["max_steps"] = json!(60);
    let new = json!({ "name": "taught", "dataset": 1, "encoding": recommended["encoding"], "options": options,
        "despite_warnings": true });
    send(browser, "/api/jobs", new).await;
    browser.go("train", "train-status").await;
    browser.wait_until("train-status", "data-value", PATIENCE, |state| state == "done").await;
    let adapters: Vec<AdapterInfo> =
        serde_json::from_value(ask(browser, "/api/adapters").await).unwrap();
    assert_eq!(adapters.len(), 1);
}

/// What the server answers the page.
async fn ask(browser: &Browser, path: &str) -> Value {
    fetch(browser, &format!("fetch('{path}')")).await
}

async fn send(browser: &Browser, path: &str, body: Value) -> Value {
    let body = Value::String(body.to_string());
    let headers = "{ 'content-type': 'application/json' }";
    let post = format!("fetch('{path}', {{ method: 'POST', headers: {headers}, body: {body} }})");
    fetch(browser, &post).await
}

async fn fetch(browser: &Browser, call: &str) -> Value {
    let script = format!(
        "const [done] = arguments; {call}.then(async (it) => done([it.ok, await it.json()]));"
    );
    let answer = browser.client.execute_async(&script, Vec::new()).await.unwrap();
    assert_eq!(answer[0], true, "{answer}");
    answer[1].clone()
}
