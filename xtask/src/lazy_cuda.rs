//! What a GPU build is linked with in place of CUDA's libraries, so that the program starts where there are none.
//!
//! candle asks the linker for `-lcuda`, `-lcublas` and others; a program that is linked so does not start where one of
//! them is missing. Here each function that cudarc names becomes a small one of the same name (`trampolines.S`), which
//! loads the library when it is first called (`loader.c`). CUDA's runtime is linked whole: it looks for the driver
//! by itself.

mod functions;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::Value;

use self::functions::{Function, functions};
use crate::{shell, site::digest};

const LOADER: &str = include_str!("lazy_cuda/loader.c");
const TRAMPOLINES: &str = include_str!("lazy_cuda/trampolines.S");

/// A library of CUDA.
struct Library {
    /// Behind `-l`.
    link_name: &'static str,
    /// The module of cudarc that names its functions, and what `loader.c` calls it.
    module: &'static str,
}

const LIBRARIES: [Library; 5] = [
    Library { link_name: "cuda", module: "driver" },
    Library { link_name: "nvrtc", module: "nvrtc" },
    Library { link_name: "curand", module: "curand" },
    Library { link_name: "cublas", module: "cublas" },
    Library { link_name: "cublasLt", module: "cublaslt" },
];

/// Written in `loader.c`, since they are where a missing library is reported.
const BY_HAND: [&str; 2] = ["cuInit", "cuGetErrorString"];

/// Where the program looks for libraries that the system's loader does not know.
pub(crate) const FOLDERS: [&str; 5] = [
    "/usr/local/cuda/lib64",
    "/usr/local/cuda-13/lib64",
    "/usr/local/cuda-13.0/lib64",
    "/opt/cuda/lib64",
    "/usr/lib/wsl/lib",
];

/// Whether there are trampolines for the machine that this is built for.
pub(crate) const SUPPORTED: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// A folder to be named as `CUDA_HOME` while cargo links; `runtime` is CUDA's `libcudart_static.a`.
///
/// Its name changes with its content, so that cargo links anew.
pub(crate) fn ensure(runtime: &Path) -> anyhow::Result<PathBuf> {
    let trampolines = trampolines(&cudarc()?)?;
    let runtime =
        fs::read(runtime).with_context(|| format!("could not read {}", runtime.display()))?;
    let all = [LOADER, &trampolines, &FOLDERS.join(":"), &digest(&runtime)].concat();
    let folder = shell::target_dir().join(format!("lazy-cuda-{}", &digest(all.as_bytes())[..16]));
    if folder.is_dir() {
        return Ok(folder);
    }

    fs::create_dir_all(shell::target_dir())?;
    let work = tempfile::tempdir_in(shell::target_dir())?;
    let archive = archive(work.path(), LOADER, &trampolines, &FOLDERS)?;
    let new = work.path().join("new");
    fs::create_dir_all(new.join("lib"))?;
    // One archive under all names, so that it does not matter which is linked first.
    for Library { link_name, .. } in LIBRARIES {
        fs::copy(&archive, new.join(format!("lib/lib{link_name}.a")))?;
    }
    fs::write(new.join("lib/libcudart.a"), runtime)?;
    // Whole or not at all: a build beside this one may have been faster.
    match fs::rename(new, &folder) {
        Err(error) if !folder.is_dir() => Err(error.into()),
        _ => Ok(folder),
    }
}

/// Makes, in `work`, the archive of loader and trampolines; `folders` is where the loader looks.
fn archive(
    work: &Path,
    loader: &str,
    trampolines: &str,
    folders: &[&str],
) -> anyhow::Result<PathBuf> {
    let folders: Vec<String> = folders.iter().map(|folder| format!("{folder:?}")).collect();
    let folders = format!("-DFOLDERS={}", folders.join(","));
    for (source, text) in [("loader.c", loader), ("trampolines.S", trampolines)] {
        fs::write(work.join(source), text)?;
        shell::run_quietly(
            shell::command("cc")
                .current_dir(work)
                .args(["-O2", "-fPIC", "-Wall", &folders, "-c", source]),
        )?;
    }
    let names = ["functions.a", "loader.o", "trampolines.o"];
    shell::run_quietly(shell::command("ar").current_dir(work).arg("crs").args(names))?;
    Ok(work.join("functions.a"))
}

/// The trampolines, and one for each function.
fn trampolines(cudarc: &Path) -> anyhow::Result<String> {
    let mut text = TRAMPOLINES.to_owned();
    for Library { module, .. } in LIBRARIES {
        let file = cudarc.join("src").join(module).join("sys/mod.rs");
        let source = fs::read_to_string(&file)
            .with_context(|| format!("cudarc has no {}", file.display()))?;
        let functions = functions(&source);
        anyhow::ensure!(!functions.is_empty(), "{} declares no functions", file.display());
        for Function { name, returns } in functions {
            if BY_HAND.contains(&name) {
                continue;
            }
            let failure = returns.failure(module);
            writeln!(text, "\tstub {name}, weft_cuda_{module}, weft_cuda_{failure}_failure")?;
        }
    }
    Ok(text)
}

/// The source of the version of cudarc in use, which cargo fetches if need be.
fn cudarc() -> anyhow::Result<PathBuf> {
    let mut metadata = shell::cargo("metadata");
    metadata.args(["--format-version", "1", "--locked", "--features", "weft/cuda"]);
    let metadata: Value = serde_json::from_str(&shell::output(&mut metadata)?)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let cudarc = packages.iter().find(|package| package["name"] == "cudarc");
    let manifest = cudarc.and_then(|package| package["manifest_path"].as_str());
    let folder = manifest.and_then(|manifest| Path::new(manifest).parent());
    Ok(folder.context("candle does not depend on cudarc any more")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cudarc would declare.
    const DECLARED: [(&str, &str); 5] = [
        ("driver", "fn cuInit(flags: u32) -> CUresult;\nfn cuAdd(a: i32, b: f64) -> CUresult;"),
        ("nvrtc", "fn nvrtcGetErrorString(status: nvrtcResult) -> *const c_char;"),
        ("curand", "fn curandGone(a: i32) -> curandStatus_t;"),
        ("cublas", "fn cublasLen(text: *const c_char) -> cublasStatus_t;"),
        ("cublaslt", "fn cublasLtGetVersion() -> usize;"),
    ];

    /// What the libraries of the test have: neither all of their functions nor all of the libraries.
    const PRESENT: [(&str, &str); 4] = [
        (
            "libcuda-of-test.so.1",
            "int cuInit(unsigned flags) { return flags; }
             int cuAdd(int a, int b, int c, int d, int e, int f, int g, double h, double i, double j, double k,
                       double l, double m, double n, double o, double p)
             { return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + h + 2 * i + 3 * j + 4 * k + 5 * l + 6 * m
                      + 7 * n + 8 * o + 9 * p; }",
        ),
        ("libcublasLt-of-test.so.13", "unsigned long cublasLtGetVersion(void) { return 1UL << 40; }"),
        ("libcublas-of-test.so.13", "int cublasLen(const char *text) { return text[0]; }"),
        ("libcurand-of-test.so.10", "int curandOther(void) { return 0; }"),
    ];

    /// Calls everything twice: the second time without the loader.
    const PROGRAM: &str = r#"
        #include <stdio.h>
        int cuInit(unsigned flags);
        int cuGetErrorString(int status, const char **text);
        int cuAdd(int, int, int, int, int, int, int, double, double, double, double, double, double, double, double,
                  double);
        const char *nvrtcGetErrorString(int);
        int curandGone(int);
        int cublasLen(const char *);
        unsigned long cublasLtGetVersion(void);
        int main(void)
        {
            for (int round = 0; round < 2; round++) {
                const char *text = "no error";
                int status = cuInit(0);
                if (status)
                    cuGetErrorString(status, &text);
                printf("%d %s; %d %d %d %lu %s\n", status, text,
                       cuAdd(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), curandGone(1), cublasLen("A"),
                       cublasLtGetVersion(), nvrtcGetErrorString(1));
            }
            return 0;
        }"#;

    #[test]
    fn a_function_gets_a_trampoline_unless_it_is_written_by_hand() {
        let work = tempfile::tempdir().unwrap();

        let text = trampolines_of_test(work.path());

        assert!(text.contains("\tstub cublasLen, weft_cuda_cublas, weft_cuda_cublas_failure\n"));
        assert!(text.contains("\tstub cublasLtGetVersion, weft_cuda_cublaslt, weft_cuda_value_"));
        assert!(!text.contains("stub cuInit,"));
    }

    #[test]
    fn a_program_starts_without_the_libraries_and_calls_those_that_are_there() {
        if !SUPPORTED {
            return;
        }
        let work = tempfile::tempdir().unwrap();
        let work = work.path();
        let cc = || {
            let mut cc = shell::command("cc");
            cc.current_dir(work);
            cc
        };
        let loader = LOADER.replace(".so.", "-of-test.so.");
        let libraries = work.join("libraries");
        archive(work, &loader, &trampolines_of_test(work), &[libraries.to_str().unwrap()]).unwrap();
        fs::write(work.join("main.c"), PROGRAM).unwrap();
        shell::run_quietly(cc().args(["-o", "main", "main.c", "functions.a"])).unwrap();
        let run = || shell::output(&mut shell::command(work.join("main"))).unwrap();

        let line = "303 libcuda-of-test.so.1 not found: no NVIDIA driver is installed; 302 203 15 0 \
                    a function that this version of CUDA lacks";
        assert_eq!(run().lines().collect::<Vec<_>>(), [line, line]);

        fs::create_dir(&libraries).unwrap();
        for (name, source) in PRESENT {
            fs::write(work.join("library.c"), source).unwrap();
            let output = libraries.join(name);
            shell::run_quietly(cc().args(["-shared", "-fPIC", "library.c", "-o"]).arg(&output))
                .unwrap();
        }
        let line = "0 no error; 73 203 65 1099511627776 a function that this version of CUDA lacks";
        assert_eq!(run().lines().collect::<Vec<_>>(), [line, line]);

        fs::remove_file(libraries.join("libcublas-of-test.so.13")).unwrap();
        assert!(run().starts_with("303 libcublas-of-test.so.13 not found: install"), "{}", run());
        fs::write(libraries.join("libcublas-of-test.so.13"), "no library").unwrap();
        assert!(run().starts_with("303 libcublas-of-test.so.13 cannot be loaded:"), "{}", run());
    }

    /// The trampolines of a cudarc that declares little.
    fn trampolines_of_test(work: &Path) -> String {
        for (module, declared) in DECLARED {
            let folder = work.join("src").join(module).join("sys");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("mod.rs"), declared).unwrap();
        }
        trampolines(work).unwrap()
    }
}
