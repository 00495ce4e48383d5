//! Pictures of the pages and their times for the README, taken of the running product: `cargo xtask pictures`.

use std::{env, fs, path::PathBuf, time::Duration};

use crate::{
    browser::Browser,
    server::{Server, published_vocabulary},
};

/// Takes them where `WEFT_TEST_PICTURES` names a folder to put them in.
#[tokio::test]
async fn pictures_of_every_page() {
    let Some(folder) = env::var_os("WEFT_TEST_PICTURES").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).unwrap();
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.client.set_window_size(1280, 1500).await.unwrap();
    browser.open(&server.url).await;
    let take = async |name: &str| {
        // What moves has come to rest, and what is asked for has come.
        browser.run("scrollTo(0, 0)").await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let picture = browser.client.screenshot().await.unwrap();
        fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    };

    browser.go("dataset", "dataset-example").await;
    browser.click("dataset-example").await;
    browser.wait_for("dataset-save-state", "data-value", "saved").await;
    take("dataset").await;
    browser.go("inspect", "inspect-ids").await;
    take("inspect").await;
    browser.go("train", "train-start").await;
    browser.wait_for("train-digest", "data-equal", "true").await;
    browser.click("train-start").await;
    let patience = Duration::from_mins(6);
    browser.wait_until("train-status", "data-value", patience, |state| state == "done").await;
    take("train").await;
    browser.click("train-chat-link").await;
    browser.wait_until("chat-adapter", "data-value", patience, |name| !name.is_empty()).await;
    browser.fill("chat-input", "你好").await;
    browser.click("chat-send").await;
    browser.wait_until("chat-reply", "data-value", patience, |state| state == "done").await;
    take("chat").await;
    browser.go("models", "models-name").await;
    take("models").await;
    browser.click("theme").await;
    for (page, wanted) in [("inspect", "inspect-ids"), ("train", "train-start")] {
        browser.go(page, wanted).await;
        take(&format!("{page}-dark")).await;
    }
    browser.close().await;
}

/// How long a cold load takes, and how long a vocabulary of 130,000 pieces: medians, in milliseconds.
#[tokio::test]
async fn times_of_the_page() {
    if env::var_os("WEFT_TEST_PICTURES").is_none() {
        return;
    }
    let server = Server::start(&[]);
    let (mut interactive, mut vocabulary_ready) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        // A browser that has never seen the page.
        let browser = Browser::start().await;
        browser.open(&server.url).await;
        interactive.push(mark(&browser, "weft-interactive").await);
        if let Some(vocabulary) = published_vocabulary() {
            // The model's own vocabulary is ready a moment after the page.
            mark(&browser, "weft-vocabulary-ready").await;
            browser.run("performance.clearMarks()").await;
            let field = browser.find("inspect-vocabulary").await;
            field.send_keys(&vocabulary.display().to_string()).await.unwrap();
            let ready = mark(&browser, "weft-vocabulary-ready").await;
            vocabulary_ready.push(ready - mark(&browser, "weft-vocabulary-read").await);
        }
        browser.close().await;
    }
    println!("interactive after {:.0} ms", median(interactive));
    println!("vocabulary ready after {:.0} ms", median(vocabulary_ready));
}

/// From pressing send until the first words of the reply are to be seen: the median, in milliseconds.
#[tokio::test]
async fn time_to_the_first_words() {
    if env::var_os("WEFT_TEST_PICTURES").is_none() {
        return;
    }
    let server = Server::start(&[]);
    let browser = Browser::start().await;
    browser.open(&server.url).await;
    browser.go("chat", "chat-input").await;
    let send = "const [done] = arguments;
        const started = performance.now();
        document.querySelector('[data-testid=chat-send]').click();
        const look = () => {
          const words = document.querySelector('[data-testid=chat-reply] .markdown')?.innerText.trim();
          if (words) done(performance.now() - started);
          else requestAnimationFrame(look);
        };
        look();";
    let mut first_words = Vec::new();
    for _ in 0..9 {
        browser.click("chat-new").await;
        browser.fill("chat-input", "你好").await;
        let took = browser.client.execute_async(send, Vec::new()).await.unwrap();
        first_words.push(took.as_f64().unwrap());
        let patience = Duration::from_mins(1);
        browser.wait_until("chat-reply", "data-value", patience, |state| state == "done").await;
    }
    println!("first words of a reply after {:.0} ms", median(first_words));
    browser.close().await;
}

/// When the page marked something, as soon as it has.
async fn mark(browser: &Browser, name: &str) -> f64 {
    let script = format!("return performance.getEntriesByName('{name}')[0]?.startTime");
    for _ in 0..200 {
        if let Some(at) = browser.run(&script).await.as_f64() {
            return at;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the page never came to {name}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
