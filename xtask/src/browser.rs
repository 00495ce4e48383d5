//! A browser without a window, and the program that drives it.

use std::{fs, path::PathBuf};

use anyhow::Context;

use crate::shell;

/// What Chromium is started with in tests: no window, no sandbox (containers have none), nothing fetched on its own.
pub(crate) const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
];

/// Where the two programs are.
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) chromedriver: PathBuf,
}

/// Finds Chromium and its driver, or installs them where that needs no password.
pub(crate) fn ensure() -> anyhow::Result<Browser> {
    if let Ok(browser) = find() {
        return Ok(browser);
    }
    // The fonts: a page in Chinese must be more than boxes.
    shell::apt_install(&["chromium", "chromium-driver", "fonts-noto-cjk"])
        .context("the browser tests need Chromium and chromedriver in PATH")?;
    find()
}

fn find() -> anyhow::Result<Browser> {
    let first = |names: &[&str]| names.iter().find_map(|name| shell::find(name));
    Ok(Browser {
        chromium: first(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
            .context("no Chromium in PATH")?,
        chromedriver: first(&["chromedriver"]).context("no chromedriver in PATH")?,
    })
}

impl Browser {
    /// The file that tells the wasm test runner how to start this browser.
    pub(crate) fn webdriver_json(&self) -> anyhow::Result<PathBuf> {
        let options =
            serde_json::json!({ "goog:chromeOptions": { "binary": self.chromium, "args": FLAGS } });
        let file = shell::target_dir().join("webdriver.json");
        fs::write(&file, options.to_string())?;
        Ok(file)
    }
}
