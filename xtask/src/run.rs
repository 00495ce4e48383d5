//! `cargo xtask run`: builds what is missing and starts Weft.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use crate::{page, shell, wasm_target};

/// Builds page and server, then becomes `weft serve` with the arguments given.
pub(crate) fn run(arguments: Vec<String>) -> anyhow::Result<()> {
    println!(
        "Weft: building page and server. The first time takes about ten minutes on two cores; later seconds."
    );
    let started = Instant::now();
    println!("[1/3] the compiler's target for the browser");
    let toolchain = wasm_target::ensure()?;
    println!("[2/3] the page, for the browser (first time: 3 minutes)");
    let page = page::build(toolchain)?;
    println!("[3/3] the server, with the page inside (first time: 5 minutes)");
    let server = build_server(&page)?;
    println!("Built in {} s. Starting weft serve; Ctrl-C ends it.", started.elapsed().as_secs());

    let mut serve = Command::new(server);
    serve.arg("serve").args(arguments);
    replace_this_program(serve)
}

/// Builds the server in release with the page inside and returns the program.
pub(crate) fn build_server(page: &Path) -> anyhow::Result<PathBuf> {
    let mut cargo = shell::cargo("build");
    cargo
        .args(["--package", "weft", "--bin", "weft", "--release", "--locked"])
        .env("WEFT_PAGE_DIR", page);
    shell::run(&mut cargo)?;
    Ok(shell::target_dir().join("release").join(format!("weft{}", std::env::consts::EXE_SUFFIX)))
}

/// So that Ctrl-C reaches the server alone.
#[cfg(unix)]
fn replace_this_program(mut serve: Command) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(serve.exec().into())
}

#[cfg(not(unix))]
fn replace_this_program(mut serve: Command) -> anyhow::Result<()> {
    shell::run(&mut serve)
}
