//! The page: compiles `weft-frontend` for the browser and lays out a folder that a server only has to send.
//!
//! Every file but `index.html` carries a hash of its content in its name, so that a browser may keep it for ever.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context;
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    shell,
    site::{Site, digest},
    wasm_target::{TARGET, WasmToolchain},
};

/// The profile in the root manifest.
const PROFILE: &str = "page";
/// Brotli's own scale: slowest and smallest, paid once a build.
const BROTLI_QUALITY: i32 = 11;

/// Builds the page where something has changed and returns its folder.
pub(crate) fn build(toolchain: WasmToolchain) -> anyhow::Result<PathBuf> {
    let mut cargo = toolchain.cargo("build");
    cargo.args(["--package", "weft-frontend", "--bins", "--locked", "--profile", PROFILE]);
    shell::run(&mut cargo)?;

    let built = shell::target_dir().join(TARGET).join(PROFILE);
    // Not `page`: there cargo keeps what it built for this machine under the profile of that name.
    let folder = shell::target_dir().join("site");
    let stamp_file = shell::target_dir().join("site.stamp");
    let stamp = stamp(&built)?;
    if folder.is_dir() && fs::read_to_string(&stamp_file).is_ok_and(|found| found == stamp) {
        return Ok(folder);
    }

    let work = tempfile::tempdir_in(shell::target_dir())?;
    let site = lay_out(&built, work.path())?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    write(&site, &folder)?;
    fs::write(stamp_file, stamp)?;
    Ok(folder)
}

/// Changes when anything changes that the page is made from, this program included.
fn stamp(built: &Path) -> anyhow::Result<String> {
    let mut inputs = vec![std::env::current_exe()?];
    inputs.extend(["page.wasm", "worker.wasm"].map(|name| built.join(name)));
    for folder in ["frontend/style", "frontend/static"] {
        inputs.extend(files_of(&shell::root().join(folder))?);
    }
    inputs.push(shell::root().join("frontend/index.html"));

    let mut all = String::new();
    for input in inputs {
        let bytes =
            fs::read(&input).with_context(|| format!("could not read {}", input.display()))?;
        all += &digest(&bytes);
    }
    Ok(digest(all.as_bytes()))
}

fn lay_out(built: &Path, work: &Path) -> anyhow::Result<Site> {
    let mut site = Site::default();
    let frontend = shell::root().join("frontend");

    let (page_js, page_wasm) = bind(built, work, "page", Form::Module)?;
    let page_js = site.add("page.js", page_js);
    let page_wasm = site.add("page.wasm", page_wasm);
    let boot = format!(
        "import init from './{page_js}';\nawait init({{ module_or_path: './{page_wasm}' }});\n"
    );
    let boot = site.add("boot.js", boot.into_bytes());

    let (mut worker_js, worker_wasm) = bind(built, work, "worker", Form::Script)?;
    let worker_wasm = site.add("worker.wasm", worker_wasm);
    worker_js
        .extend(format!("\nwasm_bindgen({{ module_or_path: './{worker_wasm}' }});\n").into_bytes());
    let worker_js = site.add("worker.js", worker_js);

    for file in files_of(&frontend.join("static"))? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        site.add(&name, fs::read(&file)?);
    }

    let index = fs::read_to_string(frontend.join("index.html"))?;
    let index = site.link_styles(&index, &frontend)?;
    let index = site.link_static(&index);
    let head = format!(
        concat!(
            "<meta name=\"weft-worker\" content=\"./{}\">\n",
            "<link rel=\"modulepreload\" href=\"./{}\">\n",
            "<link rel=\"preload\" href=\"./{}\" as=\"fetch\" type=\"application/wasm\" crossorigin>\n",
            "<script type=\"module\" src=\"./{}\"></script>\n",
            "</head>"
        ),
        worker_js, page_js, page_wasm, boot
    );
    site.add_plain("index.html", index.replacen("</head>", &head, 1).into_bytes());
    Ok(site)
}

/// How a program for the browser is loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// By `import`.
    Module,
    /// By a worker, which not every browser lets import modules.
    Script,
}

/// Runs wasm-bindgen over a compiled program: its JavaScript and its WebAssembly.
fn bind(built: &Path, work: &Path, name: &str, form: Form) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(built.join(format!("{name}.wasm")))
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .out_name(name);
    match form {
        Form::Module => bindgen.web(true)?,
        Form::Script => bindgen.no_modules(true)?,
    };
    bindgen.generate(work).with_context(|| format!("wasm-bindgen on {name}.wasm"))?;
    Ok((
        fs::read(work.join(format!("{name}.js")))?,
        fs::read(work.join(format!("{name}_bg.wasm")))?,
    ))
}

/// Writes each file, and a compressed copy of it beside it.
fn write(site: &Site, folder: &Path) -> anyhow::Result<()> {
    for (name, bytes) in site.files() {
        let small = compress(bytes)?;
        println!("      {:>8} bytes, {:>7} compressed  {name}", bytes.len(), small.len());
        fs::write(folder.join(name), bytes)?;
        fs::write(folder.join(format!("{name}.br")), small)?;
    }
    Ok(())
}

fn compress(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let parameters =
        brotli::enc::BrotliEncoderParams { quality: BROTLI_QUALITY, ..Default::default() };
    let mut small = Vec::new();
    brotli::CompressorWriter::with_params(&mut small, 4096, &parameters).write_all(bytes)?;
    Ok(small)
}

/// The files of a folder, by name.
fn files_of(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries =
        folder.read_dir().with_context(|| format!("could not read {}", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
