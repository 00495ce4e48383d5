//! Puts two things into the program: the page, which is the files of the folder that `WEFT_PAGE_DIR` names, or
//! none; and with the feature `cuda` the GPU kernels.
//!
//! `cargo xtask run` sets the variable; a plain `cargo build` needs no page and makes a server without one.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command},
};

/// The kernels: each file becomes one module.
const KERNELS: &str = "kernels";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=WEFT_PAGE_DIR");
    if env::var_os("CARGO_FEATURE_CUDA").is_some() {
        compile_kernels()?;
    }
    embed_page()
}

/// What the names of files end in that use what only a Hopper has.
const HOPPER: &str = "_hopper";

/// Compiles every kernel file for the GPU that `CUDA_COMPUTE_CAP` names (90 unless it says otherwise), with
/// intermediate code that later GPUs can run. Kernels that only a Hopper can run are compiled for one, or else left empty.
fn compile_kernels() -> io::Result<()> {
    println!("cargo::rerun-if-changed={KERNELS}");
    println!("cargo::rerun-if-env-changed=CUDA_COMPUTE_CAP");
    println!("cargo::rerun-if-env-changed=NVCC");
    let capability = env::var("CUDA_COMPUTE_CAP").unwrap_or_else(|_| "90".to_owned());
    let nvcc = env::var("NVCC").unwrap_or_else(|_| "nvcc".to_owned());
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    let mut running: Vec<(PathBuf, Child)> = Vec::new();
    for file in files_of(Path::new(KERNELS))? {
        if file.extension().is_none_or(|extension| extension != "cu") {
            continue;
        }
        let image = out.join(file.file_stem().unwrap_or_default()).with_extension("fatbin");
        let for_hopper =
            file.file_stem().is_some_and(|name| name.to_string_lossy().ends_with(HOPPER));
        if for_hopper && capability != "90" {
            fs::write(&image, [])?;
            continue;
        }
        let target = if for_hopper {
            "-gencode=arch=compute_90a,code=sm_90a".to_owned()
        } else {
            format!(
                "-gencode=arch=compute_{capability},code=[sm_{capability},compute_{capability}]"
            )
        };
        let compiler = Command::new(&nvcc)
            .args(["--fatbin", "-O3", "-std=c++17", "-lineinfo"])
            .arg(target)
            .arg("-o")
            .args([&image, &file])
            .spawn()
            .map_err(|error| {
                let advice = "the feature `cuda` needs CUDA's compiler: install the CUDA toolkit, or name the \
                              compiler in NVCC";
                io::Error::new(error.kind(), format!("cannot run {nvcc} ({error}); {advice}"))
            })?;
        running.push((file, compiler));
    }
    for (file, mut compiler) in running {
        if !compiler.wait()?.success() {
            return Err(io::Error::other(format!("{nvcc} failed on {}", file.display())));
        }
    }
    // Where a machine with a GPU keeps CUDA's libraries, unless LD_LIBRARY_PATH says otherwise.
    for dir in ["/usr/local/cuda/lib64", "/usr/local/cuda/targets/x86_64-linux/lib"] {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{dir}");
    }
    Ok(())
}

fn embed_page() -> io::Result<()> {
    let files = match env::var_os("WEFT_PAGE_DIR") {
        Some(dir) => files_of(Path::new(&dir))?,
        None => Vec::new(),
    };
    let mut table = String::from("[\n");
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "    ({name:?}, include_bytes!({:?}).as_slice()),",
            file.display().to_string()
        );
    }
    table.push(']');

    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("page_files.rs"), table)
}

/// The files of a folder, by name.
fn files_of(dir: &Path) -> io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", dir.display());
    let mut files =
        dir.read_dir()?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
