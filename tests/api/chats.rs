//! Several chats at once.

use axum::Router;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    chat::answer,
    support::{server, server_of_its_own},
};

/// The text and the number of tokens.
async fn ask(server: &Router, more: &Value) -> (String, usize) {
    let answer = answer(server, more).await;
    (answer.choices[0].message.content.clone(), answer.usage.completion_tokens)
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_at_once_are_answered_as_each_alone() {
    let server = server_of_its_own(&["first", "second"]);
    let models = ["mini", "mini:first", "mini:second"];
    let questions = ["你好", "你是人?", "好", "1", "你好你好你好"];
    let asked: Vec<Value> = models
        .iter()
        .flat_map(|model| {
            questions.iter().enumerate().map(move |(number, question)| {
                let messages = json!([{ "role": "user", "content": question }]);
                json!({ "model": model, "messages": messages, "max_tokens": 20 + 9 * number })
            })
        })
        .collect();
    let mut alone = Vec::new();
    for more in &asked {
        alone.push(ask(&server, more).await);
    }

    let at_once = join_all(asked.iter().map(|more| ask(&server, more))).await;

    assert_eq!(at_once, alone);
}

#[tokio::test(flavor = "multi_thread")]
async fn seeds_are_each_chats_own() {
    let server = server();
    let sampled =
        |seed| json!({ "temperature": 1.0, "top_p": 1.0, "seed": seed, "max_tokens": 60 });
    let mut alone = Vec::new();
    for seed in 0..8 {
        alone.push(ask(&server, &sampled(seed)).await);
    }

    let seeds: Vec<_> = (0..8).map(sampled).collect();
    let at_once = join_all(seeds.iter().map(|more| ask(&server, more))).await;

    assert_eq!(at_once, alone);
}
