//! The accessibility checker that the browser tests put into the page.

use std::{fs, path::PathBuf};

use anyhow::Context;

use crate::shell;

const PACKAGE: &str = "axe-core";
const VERSION: &str = "4.11.0";

/// Its script, which npm fetches the first time.
pub(crate) fn ensure() -> anyhow::Result<PathBuf> {
    let folder = shell::target_dir().join(format!("{PACKAGE}-{VERSION}"));
    let script = folder.join("node_modules").join(PACKAGE).join("axe.min.js");
    if script.exists() {
        return Ok(script);
    }
    if shell::find("npm").is_none() {
        shell::apt_install(&["npm"]).context("the accessibility tests fetch axe-core with npm")?;
    }
    fs::create_dir_all(&folder)?;
    shell::run_quietly(
        shell::command("npm")
            .args(["install", "--silent", "--no-save", "--ignore-scripts", "--prefix"])
            .arg(&folder)
            .arg(format!("{PACKAGE}@{VERSION}")),
    )?;
    anyhow::ensure!(script.exists(), "npm brought no {}", script.display());
    Ok(script)
}
