//! A toolchain that builds for the browser: the one in use, or else Debian's.

use std::{env, path::Path, process::Command};

use crate::{debian_wasm, shell};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Which toolchain builds for the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WasmToolchain {
    /// The one that runs xtask.
    InUse,
    /// Another one, under this name in rustup.
    Named(&'static str),
}

impl WasmToolchain {
    /// A cargo that builds for the browser; its arguments follow.
    pub(crate) fn cargo(self, subcommand: &str) -> Command {
        let mut cargo = shell::cargo(subcommand);
        if let Self::Named(name) = self {
            cargo.env("RUSTUP_TOOLCHAIN", name);
            for variable in ["RUSTC", "RUSTDOC", "RUSTC_WRAPPER"] {
                cargo.env_remove(variable);
            }
        }
        cargo.args(["--target", TARGET]);
        cargo
    }
}

/// Finds such a toolchain, or installs what is missing.
pub(crate) fn ensure() -> anyhow::Result<WasmToolchain> {
    if has_std(&mut shell::command("rustc")) {
        return Ok(WasmToolchain::InUse);
    }
    if env::var_os("WEFT_NO_RUSTUP").is_some_and(|value| value == "1") {
        return debian_wasm::ensure();
    }

    println!("      rustup target add {TARGET}");
    match shell::run_quietly(shell::command("rustup").args(["target", "add", TARGET])) {
        Ok(()) => Ok(WasmToolchain::InUse),
        Err(error) if shell::find("apt-get").is_some() => {
            println!("      {error:#}\n      trying Debian's compiler instead");
            debian_wasm::ensure()
        }
        Err(error) => Err(error.context(format!("no way to compile for {TARGET}"))),
    }
}

/// Whether a compiler finds the standard library for the browser.
pub(crate) fn has_std(rustc: &mut Command) -> bool {
    let libraries = shell::output(rustc.args(["--print", "target-libdir", "--target", TARGET]));
    libraries.is_ok_and(|dir| has_std_library(Path::new(&dir)))
}

fn has_std_library(dir: &Path) -> bool {
    let Ok(files) = dir.read_dir() else { return false };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
}
