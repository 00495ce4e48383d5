//! The official `openai` client for Python, which a test lets talk to the server.

use std::path::PathBuf;

use anyhow::Context;

use crate::shell;

const PACKAGE: &str = "openai";

/// A Python that has it, in an environment of its own that is made the first time.
pub(crate) fn ensure() -> anyhow::Result<PathBuf> {
    let folder = shell::target_dir().join("openai-client");
    let python = folder.join("bin/python");
    let has_client = || shell::output(shell::command(&python).args(["-c", "import openai"]));
    if python.exists() && has_client().is_ok() {
        return Ok(python);
    }
    if shell::output(shell::command("python3").args(["-c", "import ensurepip"])).is_err() {
        shell::apt_install(&["python3-venv"])
            .context("the test of the official client needs Python with venv")?;
    }
    shell::run_quietly(shell::command("python3").args(["-m", "venv"]).arg(&folder))?;
    shell::run_quietly(shell::command(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
    has_client().with_context(|| format!("pip brought no {PACKAGE}"))?;
    Ok(python)
}
