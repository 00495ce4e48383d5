//! CUDA's compiler: the one on this machine, or else NVIDIA's own wheels for Python; no GPU and no driver is needed.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use crate::shell;

/// The one that is built with: drivers from 580 on take its code, and an older driver none of a newer release.
const RELEASE: &str = "13.0";

/// Compiler, headers, and the runtime: 105 MB to fetch.
const COMPILER: [&str; 5] = [
    "nvidia-cuda-nvcc==13.0.88",
    "nvidia-nvvm==13.0.88",
    "nvidia-cuda-crt==13.0.88",
    "nvidia-cuda-runtime==13.0.96",
    "nvidia-cuda-cccl==13.0.85",
];

/// What a program calls on a GPU, beside the driver.
const LIBRARIES: [&str; 3] =
    ["nvidia-cublas==13.1.0.3", "nvidia-curand==10.4.0.35", "nvidia-cuda-nvrtc==13.0.88"];

/// Where toolkits are installed.
const PLACES: [&str; 4] = ["/usr/local/cuda", "/usr/local/cuda-13.0", "/opt/cuda", "/usr/lib/cuda"];

/// A folder with `bin/nvcc` and `include`.
pub(crate) struct CudaToolkit {
    root: PathBuf,
    /// CUDA's runtime, to be linked into a program.
    runtime: PathBuf,
}

impl CudaToolkit {
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn nvcc(&self) -> PathBuf {
        self.root.join("bin/nvcc")
    }

    pub(crate) fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// What is at `root`, if it is a whole toolkit of the right release; otherwise why not.
    fn at(root: &Path) -> anyhow::Result<Self> {
        let nvcc = root.join("bin/nvcc");
        let printed = shell::output(shell::command(&nvcc).arg("--version"))?;
        let found = release(&printed)
            .with_context(|| format!("{} --version names no release", nvcc.display()))?;
        anyhow::ensure!(found == RELEASE, "it is of CUDA {found}, and {RELEASE} is needed");
        let headers = root.join("include/cuda_runtime.h");
        anyhow::ensure!(headers.is_file(), "it has no {}", headers.display());
        let targets = format!("targets/{}-linux/lib", env::consts::ARCH);
        let runtime = ["lib64", "lib", &targets]
            .map(|folder| root.join(folder).join("libcudart_static.a"))
            .into_iter()
            .find(|file| file.is_file())
            .context("it has no libcudart_static.a")?;
        Ok(Self { root: root.to_owned(), runtime })
    }
}

/// Finds the toolkit, or fetches it the first time.
pub(crate) fn ensure() -> anyhow::Result<CudaToolkit> {
    anyhow::ensure!(cfg!(target_os = "linux"), "the GPU engine is built on Linux alone");
    if shell::find("g++").is_none() {
        shell::apt_install(&["g++"]).context("CUDA's compiler needs g++")?;
    }
    for root in installed() {
        match CudaToolkit::at(&root) {
            Ok(toolkit) => return Ok(toolkit),
            Err(error) => println!("      {} is not used: {error:#}", root.display()),
        }
    }

    let folder = folder();
    fetch(&folder, &COMPILER, "CUDA's compiler (105 MB, once)")?;
    CudaToolkit::at(&wheels_root(&folder))
        .with_context(|| format!("pip brought no whole toolkit into {}", folder.display()))
}

/// The folder of the libraries that a program calls on a GPU, fetched the first time.
pub(crate) fn ensure_libraries() -> anyhow::Result<PathBuf> {
    let folder = shell::target_dir().join(format!("cuda-libraries-{RELEASE}"));
    fetch(&folder, &LIBRARIES, "CUDA's libraries (600 MB, once)")?;
    Ok(wheels_root(&folder).join("lib"))
}

fn folder() -> PathBuf {
    shell::target_dir().join(format!("cuda-toolkit-{RELEASE}"))
}

/// Where the wheels put what a toolkit has in `/usr/local/cuda`.
fn wheels_root(folder: &Path) -> PathBuf {
    folder.join("nvidia/cu13")
}

/// The roots of toolkits on this machine, those that the environment names first.
fn installed() -> Vec<PathBuf> {
    let root_of = |nvcc: PathBuf| Some(nvcc.canonicalize().ok()?.parent()?.parent()?.to_owned());
    let named = env::var_os("NVCC").map(PathBuf::from).and_then(root_of);
    let homes = ["CUDA_HOME", "CUDA_PATH"].into_iter().filter_map(env::var_os).map(PathBuf::from);
    let in_path = shell::find("nvcc").and_then(root_of);

    let mut seen = BTreeSet::new();
    (named.into_iter().chain(homes).chain(in_path).chain(PLACES.map(PathBuf::from)))
        .filter(|root| root.join("bin/nvcc").is_file())
        .filter(|root| seen.insert(root.canonicalize().unwrap_or_else(|_| root.clone())))
        .collect()
}

/// Has pip lay `wheels` into `folder`, unless they are there.
fn fetch(folder: &Path, wheels: &[&str], what: &str) -> anyhow::Result<()> {
    let (stamp_file, stamp) = (folder.join(".stamp"), wheels.join(" "));
    if fs::read_to_string(&stamp_file).is_ok_and(|found| found == stamp) {
        return Ok(());
    }
    if shell::output(shell::command("python3").args(["-m", "pip", "--version"])).is_err() {
        shell::apt_install(&["python3-pip"]).context("CUDA is fetched with Python's pip")?;
    }
    println!("      fetching {what} with pip into {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    shell::run_quietly(
        shell::command("python3")
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target"])
            .arg(folder)
            .args(wheels),
    )
    .with_context(|| {
        format!("without that, install the toolkit of CUDA {RELEASE} and name it in CUDA_HOME")
    })?;
    fs::write(stamp_file, stamp)?;
    Ok(())
}

/// The release in what `nvcc --version` prints: `… release 13.0, V13.0.88`.
fn release(printed: &str) -> Option<&str> {
    let (_, rest) = printed.split_once("release ")?;
    rest.split(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_from_what_the_compiler_prints() {
        let printed = "nvcc: NVIDIA (R) Cuda compiler driver\n\
                       Cuda compilation tools, release 13.0, V13.0.88\n\
                       Build cuda_13.0.r13.0/compiler.36424714_0\n";

        assert_eq!(release(printed), Some("13.0"));
        assert_eq!(release("gcc 12"), None);
    }

    #[test]
    #[cfg(unix)]
    fn only_a_whole_toolkit_of_the_right_release_is_taken() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("bin")).unwrap();
        let write_nvcc = |release: &str| {
            let nvcc = root.join("bin/nvcc");
            fs::write(&nvcc, format!("#!/bin/sh\necho 'tools, release {release}, V1'\n")).unwrap();
            fs::set_permissions(&nvcc, fs::Permissions::from_mode(0o755)).unwrap();
        };
        let refused = || CudaToolkit::at(root).err().unwrap().to_string();

        write_nvcc("12.8");
        assert!(refused().contains("12.8"), "{}", refused());
        write_nvcc("13.0");
        assert!(refused().contains("cuda_runtime.h"), "{}", refused());
        for file in ["include/cuda_runtime.h", "lib64/libcudart_static.a"] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), "").unwrap();
        }
        assert_eq!(CudaToolkit::at(root).unwrap().nvcc(), root.join("bin/nvcc"));
    }
}
