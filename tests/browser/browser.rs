//! Chromium without a window, driven by chromedriver.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::server::setting;

/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser with nothing remembered; ends when dropped.
pub(crate) struct Browser {
    driver: Child,
    pub(crate) client: Client,
    _user_data: tempfile::TempDir,
}

impl Browser {
    pub(crate) async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new(setting("WEFT_TEST_CHROMEDRIVER"))
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let user_data = tempfile::tempdir().unwrap();
        let client = connect(&format!("http://127.0.0.1:{port}"), capabilities(&user_data)).await;
        Self { driver, client, _user_data: user_data }
    }

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
        self.find("inspect-question").await;
    }

    /// The element with a `data-testid`, as soon as it is there.
    pub(crate) async fn find(&self, test_id: &str) -> fantoccini::elements::Element {
        let selector = selector(test_id);
        let wait = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(&selector));
        wait.await.unwrap_or_else(|error| panic!("no {test_id}: {error}"))
    }

    pub(crate) async fn click(&self, test_id: &str) {
        self.find(test_id).await.click().await.unwrap();
    }

    /// Waits until an attribute has a value.
    pub(crate) async fn wait_for(&self, test_id: &str, attribute: &str, wanted: &str) {
        let mut found = None;
        for _ in 0..200 {
            found = self.find(test_id).await.attr(attribute).await.unwrap();
            if found.as_deref() == Some(wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{attribute} of {test_id} is {found:?}, not {wanted:?}");
    }

    /// Waits until an attribute has a value that `is_wanted`, and returns it.
    pub(crate) async fn wait_until(
        &self,
        test_id: &str,
        attribute: &str,
        patience: Duration,
        is_wanted: impl Fn(&str) -> bool,
    ) -> String {
        let started = Instant::now();
        let mut found = None;
        while started.elapsed() < patience {
            found = self.find(test_id).await.attr(attribute).await.unwrap_or_default();
            if let Some(value) = found.as_deref().filter(|value| is_wanted(value)) {
                return value.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{attribute} of {test_id} is still {found:?} after {patience:?}");
    }

    /// Waits until a run or an evaluation, as `test_id` shows it, is in the state `wanted`; fails as soon as it has failed.
    pub(crate) async fn wait_for_state(&self, test_id: &str, patience: Duration, wanted: &str) {
        self.wait_until(test_id, "data-value", patience, |state| {
            assert_ne!(state, "failed", "while waiting for {wanted}");
            state == wanted
        })
        .await;
    }

    /// Goes to a page by the link in the header, and waits for something on it.
    pub(crate) async fn go(&self, page: &str, wanted: &str) {
        self.click(&format!("nav-{page}")).await;
        self.find(wanted).await;
    }

    /// Writes into a field in the place of what is there.
    pub(crate) async fn fill(&self, test_id: &str, text: &str) {
        let field = self.find(test_id).await;
        // Not `clear`: that leaves the field, and leaving it may mean something.
        field.send_keys("\u{e009}a\u{e000}").await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// What the accessibility checker axe-core finds wrong with the page as it is: rule, and where.
    pub(crate) async fn violations(&self) -> Vec<String> {
        let axe = std::fs::read_to_string(setting("WEFT_TEST_AXE")).unwrap();
        self.client.execute(&axe, Vec::new()).await.unwrap();
        let run = "const done = arguments[0]; axe.run().then((found) => done(found.violations.map((rule) => \
                   rule.id + ': ' + rule.nodes.map((node) => node.html + ' ' + node.failureSummary).join(' | '))));";
        let found = self.client.execute_async(run, Vec::new()).await.unwrap();
        found.as_array().unwrap().iter().map(ToString::to_string).collect()
    }

    /// An attribute of the whole page.
    pub(crate) async fn page_attribute(&self, name: &str) -> String {
        let html = self.client.find(Locator::Css("html")).await.unwrap();
        html.attr(name).await.unwrap().unwrap_or_default()
    }

    /// What a script returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// What the browser complained about since it was last asked.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(BrowserLog).await.unwrap();
        log.as_array().unwrap().iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// Ends the session, which closes the window.
    pub(crate) async fn close(self) {
        self.client.clone().close().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The selector of a `data-testid`.
pub(crate) fn selector(test_id: &str) -> String {
    format!("[data-testid={test_id}]")
}

async fn connect(driver: &str, capabilities: Capabilities) -> Client {
    let mut last = None;
    for _ in 0..100 {
        match ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities.clone())
            .connect(driver)
            .await
        {
            Ok(client) => return client,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("chromedriver does not answer: {last:?}");
}

fn capabilities(user_data: &tempfile::TempDir) -> Capabilities {
    let flags = setting("WEFT_TEST_CHROMIUM_FLAGS").to_string_lossy().into_owned();
    let mut flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
    flags.push(format!("--user-data-dir={}", user_data.path().display()));
    flags.push("--lang=en-US".to_owned());
    let options = json!({ "binary": setting("WEFT_TEST_CHROMIUM"), "args": flags });
    Capabilities::from_iter([
        ("goog:chromeOptions".to_owned(), options),
        ("goog:loggingPrefs".to_owned(), json!({ "browser": "WARNING" })),
    ])
}

/// Chromedriver's own command for the console of the page.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
