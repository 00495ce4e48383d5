//! `cargo xtask build` and `cargo xtask run`: build what is missing, and start Weft.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use crate::{
    gpu::{self, GpuBuild},
    page, shell, wasm_target,
};

/// `[--gpu]`: builds page and server, with the GPU engine if it is wanted, and says where the program is.
pub(crate) fn build(arguments: Vec<String>) -> anyhow::Result<()> {
    let (with_gpu, rest) = gpu_option(arguments);
    anyhow::ensure!(rest.is_empty(), "no option {:?} of build; there is --gpu", rest.join(" "));
    println!("{}", build_all(with_gpu)?.display());
    if let Some(path) = libraries(with_gpu)? {
        println!("CUDA's libraries for it: export LD_LIBRARY_PATH={}", path.to_string_lossy());
    }
    Ok(())
}

/// `[--gpu] [-- ARGUMENTS]`: builds, then becomes `weft serve` with the arguments given.
pub(crate) fn run(arguments: Vec<String>) -> anyhow::Result<()> {
    let (with_gpu, arguments) = gpu_option(arguments);
    let mut serve = Command::new(build_all(with_gpu)?);
    serve.arg("serve").args(arguments.iter().skip_while(|argument| *argument == "--"));
    if let Some(path) = libraries(with_gpu)? {
        serve.env("LD_LIBRARY_PATH", path);
    }
    println!("Starting weft serve; Ctrl-C ends it.");
    replace_this_program(serve)
}

/// Whether `--gpu` comes first, and what comes behind it.
fn gpu_option(mut arguments: Vec<String>) -> (bool, Vec<String>) {
    let with_gpu = arguments.first().is_some_and(|argument| argument == "--gpu");
    if with_gpu {
        arguments.remove(0);
    }
    (with_gpu, arguments)
}

fn libraries(with_gpu: bool) -> anyhow::Result<Option<OsString>> {
    if with_gpu { gpu::library_path() } else { Ok(None) }
}

fn build_all(with_gpu: bool) -> anyhow::Result<PathBuf> {
    let (and_cuda, and_engine) =
        if with_gpu { (", and CUDA", ", the GPU engine as long again") } else { ("", "") };
    println!(
        "Weft: building page and server. The first time takes about ten minutes on two cores{and_engine}; later seconds."
    );
    let started = Instant::now();
    println!("[1/3] the compiler's target for the browser{and_cuda}");
    let toolchain = wasm_target::ensure()?;
    let gpu = with_gpu.then(GpuBuild::prepare).transpose()?;
    println!("[2/3] the page, for the browser (first time: 3 minutes)");
    let page = page::build(toolchain)?;
    println!("[3/3] the server, with the page inside (first time: 5 minutes)");
    let server = build_server(&page, gpu.as_ref())?;
    println!("Built in {} s.", started.elapsed().as_secs());
    Ok(server)
}

/// Builds the server in release with the page inside, and the GPU engine if it is wanted, and returns the program.
pub(crate) fn build_server(page: &Path, gpu: Option<&GpuBuild>) -> anyhow::Result<PathBuf> {
    let mut cargo = shell::cargo("build");
    cargo
        .args(["--package", "weft", "--bin", "weft", "--release", "--locked"])
        .env("WEFT_PAGE_DIR", page);
    if let Some(gpu) = gpu {
        gpu.configure(&mut cargo).args(["--features", "cuda"]);
    }
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
