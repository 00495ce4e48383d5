//! Starting other programs, and saying plainly what went wrong when one fails.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context;

/// What an outer cargo sets for the program that it runs, and an inner one must not take for its own.
const CARGO_LEFTOVERS: [&str; 4] =
    ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "RUSTC_WORKSPACE_WRAPPER"];

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A command, to be given to [`run`], [`run_quietly`] or [`output`].
///
/// It starts in the root of the workspace and reads nothing from the terminal.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// A cargo of the same toolchain as the one that runs xtask.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut cargo = command("cargo");
    for name in CARGO_LEFTOVERS {
        cargo.env_remove(name);
    }
    cargo.arg(subcommand);
    cargo
}

/// Runs a command and shows what it prints.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("could not start {}", line(command)))?;
    anyhow::ensure!(status.success(), "{} ended with {status}", line(command));
    Ok(())
}

/// Runs a command and shows what it prints only when it fails.
pub(crate) fn run_quietly(command: &mut Command) -> anyhow::Result<()> {
    output(command).map(drop)
}

/// What a command prints, without the line end.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("could not start {}", line(command)))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(
        output.status.success(),
        "{} ended with {}\n{printed}{}",
        line(command),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(printed.trim_end().to_owned())
}

/// The full path of a program, where `PATH` has it.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// Installs the missing ones of some Debian packages.
///
/// Where that cannot be done without asking for a password, the error says what to type.
pub(crate) fn apt_install(packages: &[&str]) -> anyhow::Result<()> {
    let missing: Vec<&str> =
        packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }

    let names = missing.join(" ");
    anyhow::ensure!(find("apt-get").is_some(), "please install {names} (this machine has no apt)");
    anyhow::ensure!(is_root(), "please run: sudo apt-get install --no-install-recommends {names}");
    println!("      installing {names}");
    run_quietly(command("apt-get").args(["update", "-qq"]))?;
    run_quietly(
        command("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(&missing),
    )
}

fn is_installed(package: &str) -> bool {
    output(command("dpkg-query").args(["-W", "-f", "${Status}", package]))
        .is_ok_and(|status| status.contains("ok installed"))
}

fn is_root() -> bool {
    output(command("id").arg("-u")).is_ok_and(|user| user == "0")
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(OsStr::to_string_lossy));
    words.join(" ")
}
