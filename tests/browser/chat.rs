//! The page Chat.

use std::time::Duration;

use crate::{browser::Browser, server::Server};

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_question_is_answered_and_the_conversation_is_kept() {
    let server = Server::start(&[]);
    let browser = chat_at(&server).await;

    greet(&browser).await;
    let said = reply(&browser).await;
    browser.client.refresh().await.unwrap();
    browser.click("chat-conversation").await;
    browser.find("chat-reply").await;

    assert!(!said.is_empty());
    assert_eq!(reply(&browser).await, said);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn a_reply_is_still_there_after_a_look_at_another_page() {
    let server = Server::start(&[]);
    let browser = chat_at(&server).await;
    browser.click("chat-starter").await;
    browser.find("chat-reply").await;

    browser.go("models", "models-name").await;
    browser.go("chat", "chat-input").await;

    browser.wait_until("chat-reply", "data-value", PATIENCE, |state| state == "done").await;
    browser.close().await;
}

#[tokio::test]
async fn a_reply_is_stopped_and_keeps_what_came() {
    let server = Server::start(&[]);
    let browser = chat_at(&server).await;
    slow_replies(&browser).await;

    browser.fill("chat-input", "你好").await;
    browser.click("chat-send").await;
    browser.click("chat-stop").await;

    browser.wait_for("chat-reply", "data-value", "stopped").await;
    browser.find("chat-send").await;
    browser.close().await;
}

#[tokio::test]
async fn an_earlier_question_is_asked_otherwise() {
    let server = Server::start(&[]);
    let browser = chat_at(&server).await;
    greet(&browser).await;

    browser.click("chat-edit").await;
    browser.fill("chat-edit-question", "你是谁？").await;
    browser.click("chat-edit-send").await;

    browser.wait_until("chat-reply", "data-value", PATIENCE, |state| state == "done").await;
    let questions =
        "return [...document.querySelectorAll('.asked .question')].map((it) => it.innerText)";
    assert_eq!(browser.run(questions).await, serde_json::json!(["你是谁？"]));
    browser.close().await;
}

#[tokio::test]
async fn a_reply_is_saved_as_a_pair_of_a_new_dataset() {
    let server = Server::start(&[]);
    let browser = chat_at(&server).await;
    greet(&browser).await;

    browser.click("chat-save-pair").await;
    browser.fill("chat-save-answer", "你好呀！").await;
    browser.fill("chat-save-name", "Said in chat").await;
    browser.click("chat-save-confirm").await;

    let saved = browser.find("chat-saved").await.text().await.unwrap();
    assert!(saved.contains("Said in chat"), "{saved}");
    browser.go("dataset", "dataset-count").await;
    browser.wait_for("dataset-count", "data-value", "1").await;
    browser.close().await;
}

/// The page Chat, with nothing said yet.
async fn chat_at(server: &Server) -> Browser {
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    browser.go("chat", "chat-input").await;
    browser
}

/// Asks, and waits for the whole reply.
async fn greet(browser: &Browser) {
    browser.fill("chat-input", "你好").await;
    browser.click("chat-send").await;
    browser.wait_until("chat-reply", "data-value", PATIENCE, |state| state == "done").await;
}

async fn reply(browser: &Browser) -> String {
    let text =
        "return document.querySelector('[data-testid=chat-reply] .markdown').innerText.trim()";
    browser.run(text).await.as_str().unwrap().to_owned()
}

/// Lets pieces of replies come one a second, so that there is time to stop them.
async fn slow_replies(browser: &Browser) {
    let slow = "const read = ReadableStreamDefaultReader.prototype.read;
        ReadableStreamDefaultReader.prototype.read = async function () {
          await new Promise((done) => setTimeout(done, 1000));
          return read.call(this);
        };";
    browser.run(slow).await;
}
