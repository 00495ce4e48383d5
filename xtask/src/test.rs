//! `cargo xtask test`: everything that has to hold before a change goes in.
//!
//! Every step runs, whatever the ones before it found; the failures are listed at the end.

use std::{path::Path, process::Command, time::Instant};

use anyhow::Context;

use crate::{
    axe,
    browser::{self, Browser},
    gpu::{self, GpuBuild},
    openai_client, page, run, shell,
    wasm_target::{self, WasmToolchain},
};

/// Runs all steps and fails if one did.
pub(crate) fn test() -> anyhow::Result<()> {
    let mut steps = Steps::default();

    steps.run("formatting", || shell::run(shell::cargo("fmt").args(["--all", "--check"])));
    steps.run("lints, native", lint_native);
    let toolchain = steps.run("target for the browser", wasm_target::ensure);
    let browser = steps.run("Chromium", browser::ensure);
    let axe = steps.run("axe-core", axe::ensure);
    let python = steps.run("openai's client for Python", openai_client::ensure);
    steps.run("lints, wasm", || lint_wasm(toolchain.context("no target for the browser")?));
    steps.run("tests, native: unit, architecture, integration", || test_native(python.as_deref()));
    steps.run("tests in documentation", test_documentation);
    steps.run("tests, wasm", || {
        test_wasm(
            toolchain.context("no target for the browser")?,
            browser.as_ref().context("no Chromium")?,
        )
    });
    let page = steps.run("page", || page::build(toolchain.context("no target for the browser")?));
    let server = steps.run("server with the page inside", || {
        run::build_server(page.as_ref().context("no page")?, None)
    });
    steps.run("tests in the browser", || {
        let mut tests = browser_tests(
            server.as_ref().context("no server")?,
            browser.as_ref().context("no Chromium")?,
        );
        tests.env("WEFT_TEST_AXE", axe.as_ref().context("no axe-core")?);
        shell::run(&mut tests)
    });

    println!("\nNot run: the tests of the GPU engine (cargo xtask test --gpu).");
    steps.finish()
}

/// Tests the GPU engine: its ops against the processor's, and the reference data computed on the GPU.
pub(crate) fn test_gpu() -> anyhow::Result<()> {
    let mut steps = Steps::default();
    let build = steps.run("CUDA", || Ok((GpuBuild::prepare()?, gpu::library_path()?)));
    for (name, test) in [("ops on the GPU", "gpu"), ("reference data on the GPU", "reference")] {
        steps.run(name, || {
            let (build, libraries) = build.as_ref().context("no CUDA")?;
            let mut tests = shell::cargo("test");
            if let Some(path) = libraries {
                tests.env("LD_LIBRARY_PATH", path);
            }
            build
                .configure(&mut tests)
                .args(["--package", "weft-tests", "--features", "cuda", "--release", "--locked"])
                .args(["--test", test, "--", "--test-threads", "1"])
                .env("WEFT_TEST_DEVICE", "cuda");
            shell::run(&mut tests)
        });
    }
    steps.finish()
}

fn lint_native() -> anyhow::Result<()> {
    let deny = ["--", "--deny", "warnings"];
    shell::run(
        shell::cargo("clippy").args(["--workspace", "--all-targets", "--locked"]).args(deny),
    )?;
    // No part of `--all-targets`, since it does not run by itself.
    shell::run(
        shell::cargo("clippy")
            .args(["--package", "weft-tests", "--test", "browser", "--locked"])
            .args(deny),
    )
}

fn lint_wasm(toolchain: WasmToolchain) -> anyhow::Result<()> {
    let mut clippy = toolchain.cargo("clippy");
    clippy.args([
        "--package",
        "weft-shared",
        "--package",
        "weft-frontend",
        "--lib",
        "--bins",
        "--test",
        "wasm",
    ]);
    shell::run(clippy.args(["--locked", "--", "--deny", "warnings"]))
}

fn test_native(python: Option<&Path>) -> anyhow::Result<()> {
    let mut tests = if shell::find("cargo-nextest").is_some() {
        let mut nextest = shell::cargo("nextest");
        nextest.arg("run");
        nextest
    } else {
        shell::cargo("test")
    };
    if let Some(python) = python {
        tests.env("WEFT_TEST_PYTHON", python);
    }
    // Of the workspace's targets those that documentation tests leave out.
    shell::run(tests.args([
        "--workspace",
        "--lib",
        "--bins",
        "--tests",
        "--locked",
        "--no-fail-fast",
    ]))
}

fn test_documentation() -> anyhow::Result<()> {
    shell::run(shell::cargo("test").args(["--workspace", "--doc", "--locked"]))
}

fn test_wasm(toolchain: WasmToolchain, browser: &Browser) -> anyhow::Result<()> {
    let mut build = shell::cargo("build");
    build.args([
        "--package",
        "xtask",
        "--features",
        "wasm-test-runner",
        "--bin",
        "wasm-test-runner",
        "--locked",
    ]);
    shell::run(&mut build)?;
    let runner = shell::target_dir().join("debug/wasm-test-runner");

    let mut tests = toolchain.cargo("test");
    tests
        .args([
            "--package",
            "weft-shared",
            "--package",
            "weft-frontend",
            "--test",
            "wasm",
            "--locked",
        ])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
        .env("CHROMEDRIVER", &browser.chromedriver)
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", browser.webdriver_json()?);
    shell::run(&mut tests)
}

/// Takes the pictures of the README anew, and measures what it says of the page.
pub(crate) fn pictures() -> anyhow::Result<()> {
    let page = page::build(wasm_target::ensure()?)?;
    let mut tests = browser_tests(&run::build_server(&page, None)?, &browser::ensure()?);
    tests
        .args(["pictures", "--", "--nocapture", "--test-threads", "1"])
        .env("WEFT_TEST_PICTURES", shell::root().join("docs/pictures"));
    shell::run(&mut tests)
}

fn browser_tests(server: &Path, browser: &Browser) -> Command {
    let mut tests = shell::cargo("test");
    tests
        .args(["--package", "weft-tests", "--test", "browser", "--locked"])
        .env("WEFT_TEST_SERVER", server)
        .env("WEFT_TEST_CHROMIUM", &browser.chromium)
        .env("WEFT_TEST_CHROMEDRIVER", &browser.chromedriver)
        .env("WEFT_TEST_CHROMIUM_FLAGS", browser::FLAGS.join(" "));
    tests
}

/// What ran, for how long, and what failed.
#[derive(Default)]
struct Steps {
    done: Vec<(&'static str, u64)>,
    failed: Vec<&'static str>,
}

impl Steps {
    /// Runs one step; `None` is a failure that has been shown.
    fn run<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> Option<T> {
        println!("\n==> {name}");
        let started = Instant::now();
        let result = work();
        self.done.push((name, started.elapsed().as_secs()));
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                println!("FAILED: {name}: {error:#}");
                self.failed.push(name);
                None
            }
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        println!("\nSteps, in seconds:");
        for (name, seconds) in &self.done {
            let verdict = if self.failed.contains(name) { "FAILED" } else { "ok" };
            println!("{seconds:>6}  {verdict:<6}  {name}");
        }
        anyhow::ensure!(self.failed.is_empty(), "failed: {}", self.failed.join("; "));
        println!("All of it passed.");
        Ok(())
    }
}
