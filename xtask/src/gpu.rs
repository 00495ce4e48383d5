//! A build with the GPU engine: CUDA's compiler, the GPU to build for, and what is linked.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use crate::{
    cuda_toolkit::{self, CudaToolkit},
    lazy_cuda, shell,
};

/// Without a GPU here and without `CUDA_COMPUTE_CAP`: an H100.
const DEFAULT_CAPABILITY: &str = "90";

/// By which build scripts look for a toolkit.
const HOMES: [&str; 5] =
    ["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "CUDA_TOOLKIT_ROOT_DIR", "CUDNN_LIB"];

/// What a cargo has to be told.
pub(crate) struct GpuBuild {
    toolkit: CudaToolkit,
    /// What is linked: trampolines, or else the toolkit's own libraries.
    link: PathBuf,
    /// As CUDA writes it: 90 for 9.0.
    capability: String,
}

impl GpuBuild {
    /// Finds or fetches all that is needed, and says what it is.
    pub(crate) fn prepare() -> anyhow::Result<Self> {
        let toolkit = cuda_toolkit::ensure()?;
        let link = if lazy_cuda::SUPPORTED {
            lazy_cuda::ensure(toolkit.runtime())?
        } else {
            println!(
                "      on this machine ({}) the program is linked with CUDA's libraries and does not start without them",
                env::consts::ARCH
            );
            toolkit.root().to_owned()
        };
        let capability = capability();
        println!(
            "      CUDA's compiler in {}, for GPUs of compute capability {capability} and later",
            toolkit.root().display()
        );
        Ok(Self { toolkit, link, capability })
    }

    /// Makes a cargo build with it; the feature `cuda` is the caller's to name.
    pub(crate) fn configure<'a>(&self, cargo: &'a mut Command) -> &'a mut Command {
        for name in HOMES {
            cargo.env_remove(name);
        }
        cargo
            .env("CUDA_HOME", &self.link)
            .env("NVCC", self.toolkit.nvcc())
            .env("CUDA_COMPUTE_CAP", &self.capability)
            .env("CUDARC_CUDA_VERSION", "13000");
        if env::var_os("CUDAFORGE_THREADS").is_none() {
            let threads = thread::available_parallelism().map_or(1, usize::from);
            cargo.env("CUDAFORGE_THREADS", threads.to_string());
        }
        if env::var_os("NVCC_APPEND_FLAGS").is_none() {
            // Half the program's size.
            cargo.env("NVCC_APPEND_FLAGS", "--compress-mode=size");
        }
        cargo
    }
}

/// The `LD_LIBRARY_PATH` that a program needs: CUDA's libraries are fetched where there is a GPU and no toolkit.
pub(crate) fn library_path() -> anyhow::Result<Option<OsString>> {
    if capabilities_here().is_empty() || has_libraries() {
        return Ok(None);
    }
    let folder = cuda_toolkit::ensure_libraries()?;
    let before = env::var_os("LD_LIBRARY_PATH").filter(|path| !path.is_empty());
    let folders =
        env::split_paths(&before.unwrap_or_default()).chain([folder]).collect::<Vec<PathBuf>>();
    Ok(Some(env::join_paths(folders)?))
}

/// Whether cuBLAS, the largest of the libraries, is where the program will look.
fn has_libraries() -> bool {
    const NAME: &str = "libcublas.so.13";
    let known = shell::output(shell::command("/sbin/ldconfig").arg("-p"));
    let mut folders: Vec<PathBuf> =
        env::split_paths(&env::var_os("LD_LIBRARY_PATH").unwrap_or_default()).collect();
    for home in ["CUDA_HOME", "CUDA_PATH"].into_iter().filter_map(env::var_os) {
        folders.extend(["lib64", "lib"].map(|below| Path::new(&home).join(below)));
    }
    folders.extend(lazy_cuda::FOLDERS.map(PathBuf::from));
    known.is_ok_and(|known| known.contains(NAME))
        || folders.iter().any(|folder| folder.join(NAME).is_file())
}

/// What the environment says, else the least of the GPUs here, since later ones run its code as well.
fn capability() -> String {
    let wanted = env::var("CUDA_COMPUTE_CAP").ok().filter(|wanted| !wanted.is_empty());
    let here = || capabilities_here().into_iter().min().map(|least| least.to_string());
    wanted.or_else(here).unwrap_or_else(|| DEFAULT_CAPABILITY.to_owned())
}

fn capabilities_here() -> Vec<u32> {
    let query = ["--query-gpu=compute_cap", "--format=csv,noheader"];
    shell::output(shell::command("nvidia-smi").args(query))
        .map(|printed| capabilities(&printed))
        .unwrap_or_default()
}

/// One line a GPU: `9.0` is 90, `12.0` is 120.
fn capabilities(printed: &str) -> Vec<u32> {
    printed
        .lines()
        .filter_map(|line| {
            let (major, minor) = line.trim().split_once('.')?;
            Some(major.parse::<u32>().ok()? * 10 + minor.parse::<u32>().ok()?)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_nvidia_smi_is_a_gpu() {
        assert_eq!(capabilities("9.0\n12.0\n8.6\n"), [90, 120, 86]);
        assert_eq!(capabilities("No devices were found"), Vec::<u32>::new());
    }
}
