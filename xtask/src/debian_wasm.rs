//! The second way to a toolchain for the browser: Debian's compiler, with its standard library built once.
//!
//! For machines that cannot reach Rust's own download servers. Debian has no package with the standard library for
//! `wasm32-unknown-unknown`, but one with its source and all that it depends on. It is built as Rust's own build
//! does it (profile `dist`), laid beside Debian's libraries, and the whole is linked into rustup as `wasm`:
//! `cargo +wasm build --target wasm32-unknown-unknown` then works for everything.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{
    shell,
    wasm_target::{TARGET, WasmToolchain, has_std},
};

/// By path, since rustup's stand-ins come first in `PATH`.
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
/// The name in rustup.
const TOOLCHAIN: &str = "wasm";
const PACKAGES: [&str; 5] =
    ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy", "rustfmt-web"];
/// Raised when the way the library is built changes.
const RECIPE: u32 = 1;

/// Installs and builds what is missing; half a second when nothing is.
pub(crate) fn ensure() -> anyhow::Result<WasmToolchain> {
    shell::apt_install(&PACKAGES)?;
    let compiler = Compiler::ask()?;
    link_linker(&compiler)?;

    let stamp = format!("{RECIPE} {}", compiler.version);
    let libraries = compiler.sysroot.join("lib/rustlib").join(TARGET).join("lib");
    let stamp_file = libraries.join(".stamp");
    let is_current = fs::read_to_string(&stamp_file).is_ok_and(|found| found == stamp);
    if !is_current || !has_std(&mut shell::command(RUSTC)) {
        println!("      building the standard library for {TARGET} (about a minute, once)");
        build_std(&compiler, &libraries)?;
        fs::write(&stamp_file, stamp)?;
    }

    link_into_rustup(&compiler)
}

/// What Debian's compiler says about itself.
struct Compiler {
    sysroot: PathBuf,
    host: String,
    commit: String,
    llvm_major: String,
    /// All of `rustc -vV`.
    version: String,
}

impl Compiler {
    fn ask() -> anyhow::Result<Self> {
        let version = shell::output(shell::command(RUSTC).arg("-vV"))?;
        let field = |name: &str| {
            let line = version.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.map(str::to_owned).with_context(|| format!("{RUSTC} -vV has no line {name:?}"))
        };
        Ok(Self {
            sysroot: shell::output(shell::command(RUSTC).args(["--print", "sysroot"]))?.into(),
            host: field("host")?,
            commit: field("commit-hash")?,
            llvm_major: field("LLVM version")?.chars().take_while(char::is_ascii_digit).collect(),
            version,
        })
    }
}

/// The compiler looks for `rust-lld` beside its libraries; Debian's packages leave it out.
fn link_linker(compiler: &Compiler) -> anyhow::Result<()> {
    let link = compiler.sysroot.join("lib/rustlib").join(&compiler.host).join("bin/rust-lld");
    if link.exists() {
        return Ok(());
    }
    let package = format!("lld-{}", compiler.llvm_major);
    shell::apt_install(&[&package])?;
    replace_link(Path::new("/usr/bin").join(package).as_path(), &link)
}

fn build_std(compiler: &Compiler, libraries: &Path) -> anyhow::Result<()> {
    let source = compiler.sysroot.join("lib/rustlib/src/rust/library");
    let vendor = source.join("vendor");
    anyhow::ensure!(vendor.is_dir(), "{} is not what rust-web-src brings", source.display());
    let build = tempfile::Builder::new().prefix("weft-std-").tempdir()?;

    // As Rust's own build makes the library that is shipped: bitcode embedded, so that link-time optimisation works;
    // unmarked crates unstable; a metadata of its own, or a crate of the same version from the registry would collide.
    let flags = format!(
        "-Zforce-unstable-if-unmarked --remap-path-prefix={}=/rustc/{}/library",
        source.display(),
        compiler.commit
    );
    let mut cargo = shell::command(CARGO);
    for variable in [
        "CARGO",
        "RUSTDOC",
        "RUSTC_WRAPPER",
        "RUSTUP_TOOLCHAIN",
        "CARGO_TARGET_DIR",
        "CARGO_ENCODED_RUSTFLAGS",
    ] {
        cargo.env_remove(variable);
    }
    cargo
        .current_dir(&source)
        .env("PATH", "/usr/bin:/bin")
        .env("CARGO_HOME", build.path().join("home"))
        .env("RUSTC", RUSTC)
        .env("RUSTFLAGS", flags)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("__CARGO_DEFAULT_LIB_METADATA", "stablestd")
        .env("CARGO_PROFILE_DIST_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0")
        // The vendored set lacks what only the library's own tests need.
        .args(["build", "--quiet", "-Zavoid-dev-deps", "--locked", "--offline"])
        .args(["--profile", "dist", "--target", TARGET, "--manifest-path", "sysroot/Cargo.toml"])
        .arg("--target-dir")
        .arg(build.path().join("target"))
        .args(["--config", "source.crates-io.replace-with='vendored'", "--config"])
        .arg(format!("source.vendored.directory='{}'", vendor.display()));
    shell::run_quietly(&mut cargo).context("the standard library did not build")?;

    let built = build.path().join("target").join(TARGET).join("dist/deps");
    replace_libraries(&built, libraries)
}

/// Puts the new libraries in place at once, so that a build beside this one never sees half of them.
fn replace_libraries(built: &Path, libraries: &Path) -> anyhow::Result<()> {
    let new = libraries.with_extension("new");
    if new.exists() {
        fs::remove_dir_all(&new)?;
    }
    fs::create_dir_all(&new)?;
    for file in built.read_dir()? {
        let file = file?.path();
        if let (Some(name), Some("rlib")) =
            (file.file_name(), file.extension().and_then(|it| it.to_str()))
        {
            fs::copy(&file, new.join(name))?;
        }
    }
    if libraries.exists() {
        fs::remove_dir_all(libraries)?;
    }
    fs::rename(&new, libraries)?;
    Ok(())
}

fn link_into_rustup(compiler: &Compiler) -> anyhow::Result<WasmToolchain> {
    if shell::find("rustup").is_none() {
        // Then Debian's compiler is the one in use.
        return Ok(WasmToolchain::InUse);
    }
    let linked = shell::output(
        shell::command("rustc").env("RUSTUP_TOOLCHAIN", TOOLCHAIN).args(["--print", "sysroot"]),
    );
    if linked.is_ok_and(|sysroot| Path::new(&sysroot) == compiler.sysroot) {
        return Ok(WasmToolchain::Named(TOOLCHAIN));
    }
    shell::run_quietly(
        shell::command("rustup").args(["toolchain", "link", TOOLCHAIN]).arg(&compiler.sysroot),
    )?;
    Ok(WasmToolchain::Named(TOOLCHAIN))
}

fn replace_link(from: &Path, link: &Path) -> anyhow::Result<()> {
    if let Some(dir) = link.parent() {
        fs::create_dir_all(dir)?;
    }
    // A link whose end is missing is there, though it does not exist.
    if link.is_symlink() {
        fs::remove_file(link)?;
    }
    std::os::unix::fs::symlink(from, link)
        .with_context(|| format!("could not make the link {}", link.display()))
}
