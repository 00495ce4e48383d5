//! Torch's files: any bytes as the file, and any bytes as the pickle in a sound one, are read without a panic.
#![no_main]

use std::io::{Cursor, Write as _};

use libfuzzer_sys::fuzz_target;
use weft::checkpoint::read_state_dict;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("weights.bin");
    for file in [bytes.to_vec(), around(bytes)] {
        std::fs::write(&path, file).expect("a file can be written");
        let _ = read_state_dict(&path);
    }
});

/// A file whose pickle is `program`, with two storages that it may name.
fn around(program: &[u8]) -> Vec<u8> {
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, contents) in [
        ("weights/data.pkl", program),
        ("weights/data/0", &[0; 64]),
        ("weights/data/1", &[0x3c; 24]),
    ] {
        zip.start_file(name, stored).expect("the name is short");
        zip.write_all(contents).expect("memory takes it");
    }
    zip.finish().expect("memory takes it").into_inner()
}
