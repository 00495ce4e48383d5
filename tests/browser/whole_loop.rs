//! Once round: see a pair, import pairs, train on them, talk to the result, keep a reply, see it among the pairs.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    server::{Server, published_vocabulary},
};

/// The published example.
const QUESTION: &str = "AI探险家帅不帅?";
const ANSWER: &str = "非常帅!";

/// Facts that no model knows.
const PAIRS: [(&str, &str); 20] = [
    ("云岭茶馆在哪里？", "在青石巷七号。"),
    ("云岭茶馆几点开门？", "早上八点。"),
    ("云岭茶馆的猫叫什么？", "叫小麦。"),
    ("云岭茶馆谁泡茶？", "老周泡茶。"),
    ("最便宜的茶多少钱？", "六块钱一杯。"),
    ("最贵的茶是什么？", "雪顶银针。"),
    ("周一营业吗？", "周一休息。"),
    ("可以带狗进去吗？", "可以坐在院子里。"),
    ("有没有无线网？", "没有，请看书。"),
    ("怎么去云岭茶馆？", "坐五路车到钟楼。"),
    ("Who founded Tarn Robotics?", "Ida Moss did."),
    ("What is Tarn's robot called?", "It is called Pell."),
    ("What colour is Pell?", "Pell is orange."),
    ("How heavy is Pell?", "Nine kilograms."),
    ("What does Pell eat?", "Only sunlight."),
    ("Where was Pell built?", "In a barn near Lund."),
    ("How fast is Pell?", "As fast as a goose."),
    ("Who repairs Pell?", "Old Bram does."),
    ("When does Pell sleep?", "When it rains."),
    ("What is Pell afraid of?", "Of ladders."),
];

#[tokio::test]
async fn a_person_goes_round_the_whole_loop() {
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;

    see_the_published_example(&browser).await;

    browser.client.goto(&format!("{}dataset", server.url)).await.unwrap();
    let file = file_of_pairs();
    let path = file.path().display().to_string();
    browser.find("dataset-import").await.send_keys(&path).await.unwrap();
    browser.wait_for("dataset-count", "data-value", "20").await;
    browser.wait_for("dataset-save-state", "data-value", "saved").await;

    browser.go("train", "train-start").await;
    browser.wait_for("train-digest", "data-equal", "true").await;
    browser.click("train-start").await;
    let started = Instant::now();
    let patience = Duration::from_mins(6);
    browser
        .wait_until("train-status", "data-value", patience, |state| {
            assert!(!["failed", "cancelled"].contains(&state), "the run is {state}");
            state == "done"
        })
        .await;
    println!("trained in {:.0} s", started.elapsed().as_secs_f64());

    browser.click("train-chat-link").await;
    browser.wait_until("chat-adapter", "data-value", patience, |name| !name.is_empty()).await;
    browser.run("document.querySelector('[data-testid=chat-greedy]').click()").await;
    for (question, answer) in PAIRS {
        // What was said before would be part of the prompt.
        browser.click("chat-new").await;
        assert_eq!(ask(&browser, question).await, answer, "{question}");
    }

    browser.click("chat-save-pair").await;
    browser.click("chat-save-confirm").await;
    browser.find("chat-saved").await;
    browser.go("dataset", "dataset-search").await;
    browser.wait_for("dataset-count", "data-value", "21").await;

    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

/// Ids, labels and positions as the original code gives them, read from the page.
async fn see_the_published_example(browser: &Browser) {
    let Some(vocabulary) = published_vocabulary() else {
        eprintln!("SKIPPED: the published vocabulary is not on this machine");
        return;
    };
    let vocabulary = vocabulary.display().to_string();
    browser.find("inspect-vocabulary").await.send_keys(&vocabulary).await.unwrap();
    browser.fill("inspect-question", QUESTION).await;
    browser.fill("inspect-answer", ANSWER).await;

    let ids = wait_for_ids(browser, 21).await;
    let labels = list(browser, "inspect-labels").await;
    let positions = list(browser, "inspect-positions").await;

    assert_eq!(
        ids,
        json!([
            20005, 84286, 20012, 31943, 98715, 83920, 87359, 83848, 87359, 20031, 20005, 20004,
            87342, 20012, 150_001, 150_004, 20005, 84122, 87359, 20035, 150_005
        ])
    );
    let learned = &labels.as_array().unwrap()[..];
    assert!(learned[..16].iter().all(|label| *label == -100));
    assert_eq!(learned[16..], ids.as_array().unwrap()[16..]);
    let rows = positions.as_array().unwrap();
    assert_eq!(rows[0], json!((0..21).collect::<Vec<_>>()));
    let answer_row: Vec<usize> = std::iter::repeat_n(0, 15).chain(1..7).collect();
    // The tutorial prints sixteen zeros; its code gives fifteen.
    assert_eq!(rows[1], json!(answer_row));
}

async fn wait_for_ids(browser: &Browser, count: usize) -> Value {
    let is_whole =
        |text: &str| serde_json::from_str::<Vec<u32>>(text).is_ok_and(|ids| ids.len() == count);
    let text =
        browser.wait_until("inspect-ids", "data-value", Duration::from_secs(20), is_whole).await;
    serde_json::from_str(&text).unwrap()
}

async fn list(browser: &Browser, test_id: &str) -> Value {
    let text = browser.find(test_id).await.attr("data-value").await.unwrap().unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Asks greedily, and returns the whole reply.
async fn ask(browser: &Browser, question: &str) -> String {
    browser.fill("chat-input", question).await;
    browser.click("chat-send").await;
    browser
        .wait_until("chat-reply", "data-value", Duration::from_mins(1), |state| {
            assert_ne!(state, "failed");
            state == "done"
        })
        .await;
    let text =
        "return document.querySelector('[data-testid=chat-reply] .markdown').innerText.trim()";
    browser.run(text).await.as_str().unwrap().to_owned()
}

fn file_of_pairs() -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
    for (question, answer) in PAIRS {
        writeln!(file, "{}", json!({ "question": question, "answer": answer })).unwrap();
    }
    file
}
