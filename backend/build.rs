//! Puts the page into the program: the files of the folder that `WEFT_PAGE_DIR` names, or none.
//!
//! `cargo xtask run` sets the variable; a plain `cargo build` needs no page and makes a server without one.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=WEFT_PAGE_DIR");

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
