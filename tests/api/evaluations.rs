//! Evaluations: before and after, beside everything else, and not lost.

use std::{path::Path, time::Duration};

use axum::{Router, http::Method};
use serde_json::{Value, json};
use weft_shared::{
    api::{
        evaluation::{Evaluation, WrongAnswer},
        job::{Job, JobState},
        model::ModelInfo,
    },
    score::Score,
};

use crate::support::{add_adapter, app, engine, get, send, working_server};

/// Pairs with families, as the dataset 1.
async fn add_dataset(server: &Router, pairs: &[(&str, &str, &[&str])]) {
    let pairs = pairs.iter().map(
        |(question, answer, tags)| json!({ "question": question, "answer": answer, "tags": tags }),
    );
    let new = json!({ "name": "mine", "pairs": pairs.collect::<Vec<_>>() });
    assert_eq!(send(server, Method::POST, "/api/datasets", &new).await.status, 201);
}

/// So many questions that nobody is done with them soon.
async fn add_long_dataset(server: &Router) {
    let questions: Vec<String> = (0..60).map(|number| format!("q{number}")).collect();
    let pairs: Vec<_> = questions.iter().map(|it| (it.as_str(), "1", &["all"][..])).collect();
    add_dataset(server, &pairs).await;
}

async fn evaluate(server: &Router, new: Value) -> Evaluation {
    send(server, Method::POST, "/api/evaluations", &new).await.json(201)
}

/// The evaluation as soon as this holds for it.
async fn wait_for(server: &Router, id: i64, holds: impl Fn(&Evaluation) -> bool) -> Evaluation {
    loop {
        let path = format!("/api/evaluations/{id}");
        let now: Evaluation = get(server.clone(), &path, &[]).await.json(200);
        if holds(&now) {
            return now;
        }
        assert!(!now.state.is_over(), "{now:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn wait_for_end(server: &Router, id: i64) -> Evaluation {
    wait_for(server, id, |it| it.state == JobState::Done).await
}

/// Learns the dataset 1 by heart.
async fn train(server: &Router) {
    let model: ModelInfo = get(server.clone(), "/api/model", &[]).await.json(200);
    let mut options = serde_json::to_value(model.recommended.options).unwrap();
    for (option, value) in [("max_steps", json!(150)), ("learning_rate", json!(1e-2))] {
        options[option] = value;
    }
    options["lora"]["dropout"] = json!(0.0);
    options["lora"]["target_modules"] =
        json!(["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]);
    let encoding = model.recommended.encoding;
    let new = json!({ "name": "taught", "dataset": 1, "encoding": encoding, "options": options });
    send(server, Method::POST, "/api/jobs", &new).await.json::<Job>(201);
    get(server.clone(), "/api/jobs/1/events", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_adapter_learned_is_counted_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _worker) = working_server(folder.path());
    add_dataset(
        &server,
        &[("你好?", "好", &["zh"]), ("who?", "me", &["en"]), ("1+1", "2", &["en"])],
    )
    .await;
    train(&server).await;

    let started = evaluate(&server, json!({ "dataset": 1, "adapter": "taught" })).await;
    let done = wait_for_end(&server, started.id).await;

    assert_eq!((done.questions, done.request.version), (3, Some(1)));
    let (base, adapter) = (&done.result.base, done.result.adapter.as_ref().unwrap());
    assert_eq!(base.all, Score { right: 0, asked: 3 });
    assert_eq!(adapter.all, Score { right: 3, asked: 3 });
    assert_eq!(adapter.families["en"], Score { right: 2, asked: 2 });
    assert_eq!(done.result.wrong, []);
    assert!(done.ended_ms >= Some(done.created_ms));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_adapter_the_base_s_wrong_answers_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _worker) = working_server(folder.path());
    add_dataset(&server, &[("a", "1", &[]), ("b", "2", &[])]).await;

    let started = evaluate(&server, json!({ "dataset": 1, "limit": 1, "max_tokens": 4 })).await;
    let done = wait_for_end(&server, started.id).await;

    assert_eq!((done.questions, done.result.base.all), (1, Score { right: 0, asked: 1 }));
    assert_eq!(done.result.adapter, None);
    let [WrongAnswer { question, wanted, adapter: None, .. }] = &done.result.wrong[..] else {
        panic!("{:?}", done.result.wrong)
    };
    assert_eq!((question.as_str(), wanted.as_str()), ("a", "1"));
    let listed: Vec<Evaluation> = get(server, "/api/evaluations", &[]).await.json(200);
    assert_eq!(
        (listed[0].result.base.all, &listed[0].result.wrong),
        (done.result.base.all, &vec![])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_answered_while_an_evaluation_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _worker) = working_server(folder.path());
    add_long_dataset(&server).await;
    let started = evaluate(&server, json!({ "dataset": 1, "max_tokens": 1000 })).await;
    wait_for(&server, started.id, |it| it.state == JobState::Running).await;

    let question = json!({ "model": "mini", "max_tokens": 3,
        "messages": [{ "role": "user", "content": "a" }] });
    let chat = send(&server, Method::POST, "/v1/chat/completions", &question).await;

    assert_eq!(chat.status, 200);
    let now = wait_for(&server, started.id, |_| true).await;
    assert!(now.state == JobState::Running && now.result.base.all.asked < 60, "{now:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_goes_on_with_the_next_question() {
    let folder = tempfile::tempdir().unwrap();
    let before = {
        let (server, worker) = working_server(folder.path());
        add_long_dataset(&server).await;
        let id = evaluate(&server, json!({ "dataset": 1, "max_tokens": 60 })).await.id;
        wait_for(&server, id, |it| it.result.base.all.asked > 0).await;
        drop(worker);
        wait_for(&server, id, |_| true).await
    };
    assert_eq!(before.state, JobState::Running);

    let (server, _worker) = working_server(folder.path());
    let done = wait_for_end(&server, before.id).await;

    assert!(before.result.base.all.asked < 60);
    assert_eq!((done.result.base.all.asked, done.result.base.families["all"].asked), (60, 60));
    let questions: Vec<_> = done.result.wrong.iter().map(|it| it.question.clone()).collect();
    assert_eq!(questions, (0..60).map(|number| format!("q{number}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_evaluation_makes_room_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _worker) = working_server(folder.path());
    add_long_dataset(&server).await;
    let long = evaluate(&server, json!({ "dataset": 1, "max_tokens": 100 })).await.id;
    wait_for(&server, long, |it| it.state == JobState::Running).await;
    let next = evaluate(&server, json!({ "dataset": 1, "limit": 1 })).await.id;

    let path = format!("/api/evaluations/{long}");
    let deleted = send(&server, Method::DELETE, &path, &()).await;

    assert_eq!((deleted.status.as_u16(), wait_for_end(&server, next).await.questions), (204, 1));
    assert_eq!(get(server, &path, &[]).await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_evaluated_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    add_adapters(folder.path());
    let server = weft::web::router(app(folder.path()));
    add_dataset(&server, &[("a", "1", &[])]).await;

    for (new, status, words) in [
        (json!({ "dataset": 7 }), 404, "no dataset 7"),
        (json!({ "dataset": 1, "version": 7 }), 404, "no version 7"),
        (json!({ "dataset": 1, "adapter": "nobody's" }), 404, "no adapter nobody's"),
        (json!({ "dataset": 1, "adapter": "strange" }), 422, "was made for the model another"),
        (json!({ "dataset": 1, "limit": 0 }), 422, "no usable pair"),
        (json!({ "dataset": 1, "max_tokens": 0 }), 422, "max_tokens must be at least 1, found 0"),
        (json!({ "dataset": 1, "dreams": 1 }), 422, "unknown field `dreams`"),
    ] {
        let answer = send(&server, Method::POST, "/api/evaluations", &new).await;

        assert_eq!(answer.status, status, "{new}");
        let problem = answer.problem();
        assert!(problem.detail.contains(words), "{new}: {}", problem.detail);
    }
    let own = evaluate(&server, json!({ "dataset": 1, "adapter": "own" })).await;
    assert_eq!(own.state, JobState::Queued);
}

fn add_adapters(folder: &Path) {
    add_adapter(folder, "own", engine().fingerprint());
    add_adapter(folder, "strange", "another");
}
