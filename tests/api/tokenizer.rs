//! The model, and its tokenizer for the page.

use weft_shared::{
    api::{model::ModelInfo, status::Status},
    tokenizer::ChatGlmTokenizer,
};

use crate::support::{engine, get, server};

#[tokio::test]
async fn the_page_gets_the_tokenizer_of_the_model() {
    let answer = get(server(), "/api/tokenizer", &[]).await;

    let tokenizer = ChatGlmTokenizer::from_bytes(&answer.body).unwrap();
    let text = "a question, 一个问题";
    assert_eq!(tokenizer.encode_ids(text), engine().tokenizer().encode_ids(text));
}

#[tokio::test]
async fn the_model_is_told_of() {
    let status: Status = get(server(), "/api/status", &[]).await.json(200);
    let model: ModelInfo = get(server(), "/api/model", &[]).await.json(200);

    assert_eq!(status.model, "mini");
    assert_eq!((model.name.as_str(), model.device.as_str()), ("mini", "cpu"));
    assert_eq!(model.fingerprint, engine().fingerprint());
    assert!(model.modules.contains("query_key_value"), "{}", model.modules);
}
