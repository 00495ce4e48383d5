//! Answers of `/v1/chat/completions`, given whole, and `/v1/models`.

use axum::{Router, http::Method};
use serde_json::{Value, json};
use weft_shared::{
    api::{
        adapter::AdapterInfo,
        chat::{ChatCompletion, ModelList},
    },
    pair::Turn,
    prompt::Templates,
};

use crate::support::{engine, get, send, server, server_with_adapters};

/// A greedy request of some tokens, with more fields or others.
pub(crate) fn request(more: &Value) -> Value {
    let mut request = json!({
        "model": "mini",
        "messages": [{ "role": "user", "content": "你好" }],
        "temperature": 0,
        "max_tokens": 24,
    });
    for (field, value) in more.as_object().unwrap() {
        request[field] = value.clone();
    }
    request
}

pub(crate) async fn answer(server: &Router, more: &Value) -> ChatCompletion {
    send(server, Method::POST, "/v1/chat/completions", &request(more)).await.json(200)
}

async fn text(server: &Router, more: &Value) -> String {
    answer(server, more).await.choices[0].message.content.clone()
}

#[tokio::test]
async fn a_question_is_answered_with_counts() {
    let completion = answer(&server(), &json!({})).await;

    assert_eq!(
        (completion.object.as_str(), completion.model.as_str()),
        ("chat.completion", "mini")
    );
    assert!(completion.id.starts_with("chatcmpl-"), "{}", completion.id);
    // Two of the question, `[gMASK]` and `<sop>`.
    let usage = completion.usage;
    assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (4, 24, 28));
    assert_eq!(completion.choices.len(), 1);
    assert_eq!(completion.choices[0].finish_reason, "length");
    assert!(!completion.choices[0].message.content.is_empty());
}

#[tokio::test]
async fn the_base_and_each_of_its_adapters_is_a_model() {
    let server = server_with_adapters(&["first", "second"]);

    let models: ModelList = get(server, "/v1/models", &[]).await.json(200);

    let ids: Vec<_> = models.data.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(ids, ["mini", "mini:second", "mini:first"]);
    assert_eq!(models.object, "list");
    assert_eq!(models.data[0].object, "model");
}

#[tokio::test]
async fn the_adapter_is_chosen_by_each_request() {
    let server = server_with_adapters(&["first", "second"]);
    // The same prompt for all: an adapter would get the training template.
    let model = |name: &str| json!({ "model": name, "template": "chat" });

    let base = text(&server, &model("mini")).await;
    let first = text(&server, &model("mini:first")).await;
    let second = text(&server, &model("mini:second")).await;

    assert!(base != first && base != second && first != second, "{base} {first} {second}");
    assert_eq!(text(&server, &model("mini")).await, base, "the base is not changed");
}

#[tokio::test]
async fn an_adapter_is_asked_as_it_was_trained_unless_told_otherwise() {
    let server = server_with_adapters(&["mine"]);
    let prompt = |more: Value| {
        let server = server.clone();
        async move { answer(&server, &more).await.usage.prompt_tokens }
    };

    let trained = prompt(json!({ "model": "mini:mine" })).await;
    let bare = prompt(json!({ "model": "mini:mine", "template": "chat" })).await;
    assert_eq!(bare, 4);
    assert!(trained > bare, "{trained}");
    assert_eq!(prompt(json!({ "template": "training" })).await, trained);
}

#[tokio::test]
async fn an_adapter_answers_under_its_new_name_alone() {
    let server = server_with_adapters(&["old"]);
    let before = text(&server, &json!({ "model": "mini:old" })).await;

    let renamed: AdapterInfo =
        send(&server, Method::PATCH, "/api/adapters/old", &json!({ "name": "new" }))
            .await
            .json(200);

    assert_eq!(renamed.name, "new");
    assert_eq!(text(&server, &json!({ "model": "mini:new" })).await, before);
    let gone = request(&json!({ "model": "mini:old" }));
    assert_eq!(send(&server, Method::POST, "/v1/chat/completions", &gone).await.status, 404);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answer() {
    let server = server();
    let sampled = |seed: Value| json!({ "temperature": 1.0, "top_p": 1.0, "seed": seed });

    let one = text(&server, &sampled(json!(1))).await;

    assert_eq!(text(&server, &sampled(json!(1))).await, one);
    assert_ne!(text(&server, &sampled(json!(2))).await, one);
    assert_ne!(
        text(&server, &sampled(Value::Null)).await,
        text(&server, &sampled(Value::Null)).await,
        "without a seed each answer has its own"
    );
}

#[tokio::test]
async fn an_answer_ends_before_a_stop_text() {
    let server = server();
    let whole = text(&server, &json!({})).await;
    let stop: String = whole.chars().skip(3).take(2).collect();
    let expected = &whole[..whole.find(&stop).unwrap()];

    for stop in [json!(stop), json!(["never said", stop])] {
        let completion = answer(&server, &json!({ "stop": stop })).await;

        assert_eq!(completion.choices[0].message.content, expected);
        assert_eq!(completion.choices[0].finish_reason, "stop");
        assert!(completion.usage.completion_tokens < 24);
    }
}

#[tokio::test]
async fn max_tokens_has_two_names() {
    let tokens =
        |more: Value| async move { answer(&server(), &more).await.usage.completion_tokens };

    assert_eq!(tokens(json!({ "max_tokens": 3 })).await, 3);
    assert_eq!(tokens(json!({ "max_tokens": 3, "max_completion_tokens": 5 })).await, 5);
}

#[tokio::test]
async fn what_was_said_before_is_read_as_chat_puts_it() {
    let messages = json!([
        { "role": "system", "content": "好" },
        { "role": "user", "content": "你好" },
        { "role": "assistant", "content": "你好!" },
        { "role": "user", "content": "你是人?" },
    ]);
    let prompt = Templates::default().chat_prompt(&[Turn::new("好\n你好", "你好!")], "你是人?");

    let completion = answer(&server(), &json!({ "messages": messages })).await;

    // And `[gMASK]` and `<sop>`.
    let tokens = engine().tokenizer().encode_ids(&prompt).len() + 2;
    assert_eq!(completion.usage.prompt_tokens, tokens);
}

#[tokio::test]
async fn a_question_in_parts_and_unknown_fields_are_taken() {
    let parts = json!([{ "role": "user", "content": [{ "type": "text", "text": "你" }, { "type": "text", "text": "好" }] }]);
    let server = server();

    let split =
        text(&server, &json!({ "messages": parts, "frequency_penalty": 0, "user": "x" })).await;

    assert_eq!(split, text(&server, &json!({})).await);
}
