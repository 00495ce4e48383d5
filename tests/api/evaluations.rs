//! Evaluations: before and after, beside everything else, and not lost.

use std::{ops::Range, path::Path, time::Duration};

use axum::{Router, http::Method};
use serde_json::{Value, json};
use weft_shared::{
    api::{
        evaluation::{EvaluatedPair, Evaluation, Outcome, Outcomes},
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
    let questions = numbered(0..60);
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
    assert_eq!(done.result.outcomes, Outcomes { learned: 3, ..Outcomes::default() });
    let [first, .., last] = &answers(&server, started.id, "outcome=learned").await[..] else {
        panic!("nothing was learned")
    };
    assert_eq!((&*first.pair.question, &*first.pair.answer), ("你好?", "好"));
    assert_eq!((first.number, last.number), (1, 3));
    assert!(!first.base.is_right && first.base.text != "好", "{first:?}");
    let adapter = first.adapter.as_ref().unwrap();
    assert_eq!((&*adapter.text, adapter.is_right), ("好", true));
    assert_eq!(answers(&server, started.id, "outcome=forgotten").await, []);
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
    assert_eq!(done.result.outcomes, Outcomes { wrong: 1, ..Outcomes::default() });
    let [EvaluatedPair { number: 1, pair, adapter: None, outcome: Outcome::Wrong, .. }] =
        &answers(&server, started.id, "").await[..]
    else {
        panic!("not the one wrong answer")
    };
    assert_eq!((pair.question.as_str(), pair.answer.as_str()), ("a", "1"));
    let listed: Vec<Evaluation> = get(server, "/api/evaluations", &[]).await.json(200);
    assert_eq!(listed, [done]);
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
    assert_eq!(questions(&server, done.id, "limit=100").await, numbered(0..60));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_evaluation_keeps_what_it_counted_and_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _worker) = working_server(folder.path());
    add_long_dataset(&server).await;
    let id = evaluate(&server, json!({ "dataset": 1, "max_tokens": 60 })).await.id;
    let path = format!("/api/evaluations/{id}");
    wait_for(&server, id, |it| it.result.base.all.asked > 0).await;
    let order =
        async |order: &str| send(&server, Method::POST, &format!("{path}/{order}"), &()).await;
    assert_eq!(order("resume").await.problem().kind, "/problems/evaluation-state");

    let cancelled: Evaluation = order("cancel").await.json(200);

    let counted = cancelled.result.base.all.asked;
    assert_eq!((cancelled.state, cancelled.ended_ms.is_some()), (JobState::Cancelled, true));
    assert!((1..60).contains(&counted), "{counted}");
    // Whoever asked then is long done with it.
    let next = evaluate(&server, json!({ "dataset": 1, "limit": 1, "max_tokens": 2 })).await.id;
    wait_for_end(&server, next).await;
    assert_eq!(get(server.clone(), &path, &[]).await.json::<Evaluation>(200), cancelled);
    assert_eq!(questions(&server, id, "limit=100").await, numbered(0..counted));
    let again = order("cancel").await;
    assert_eq!(
        (again.status.as_u16(), &*again.problem().detail),
        (409, "the evaluation 1 is over")
    );
    assert_eq!(order("resume").await.json::<Evaluation>(200).state, JobState::Queued);
    assert_eq!(wait_for_end(&server, id).await.result.base.all.asked, 60);
    assert_eq!(questions(&server, id, "limit=100").await, numbered(0..60));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_come_a_part_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _worker) = working_server(folder.path());
    add_long_dataset(&server).await;
    let id = evaluate(&server, json!({ "dataset": 1, "max_tokens": 1 })).await.id;
    wait_for_end(&server, id).await;

    assert_eq!(questions(&server, id, "").await, numbered(0..50));
    assert_eq!(questions(&server, id, "after=50").await, numbered(50..60));
    assert_eq!(questions(&server, id, "outcome=wrong&after=7&limit=2").await, numbered(7..9));
    assert_eq!(questions(&server, id, "outcome=right").await, numbered(0..0));
    for wrong in ["outcome=better", "after=x", "page=2"] {
        let path = format!("/api/evaluations/{id}/answers?{wrong}");
        let answer = get(server.clone(), &path, &[]).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.problem().kind),
            (400, "/problems/wrong-query")
        );
    }
}

async fn answers(server: &Router, id: i64, query: &str) -> Vec<EvaluatedPair> {
    get(server.clone(), &format!("/api/evaluations/{id}/answers?{query}"), &[]).await.json(200)
}

async fn questions(server: &Router, id: i64, query: &str) -> Vec<String> {
    answers(server, id, query).await.into_iter().map(|it| it.pair.question).collect()
}

/// Questions of the long dataset.
fn numbered(numbers: Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("q{number}")).collect()
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
