//! What is wrong is named, with what was wanted and what was found, and nothing is lost.

use std::{fs, path::Path, process::Command};

use crate::weft::{PAIRS, file, mini, refused, text};

#[test]
fn a_damaged_vocabulary_is_named() {
    let dir = copy_of_mini();
    fs::write(dir.path().join("ice_text.model"), b"not a vocabulary").unwrap();

    let error = refused(&["encode", "--model", &text(dir.path())]);

    assert!(error.contains("ice_text.model"), "{error}");
}

#[test]
fn a_truncated_shard_is_named() {
    let dir = copy_of_mini();
    let shard = dir.path().join("pytorch_model-00002-of-00002.bin");
    let bytes = fs::read(&shard).unwrap();
    fs::write(&shard, &bytes[..bytes.len() / 2]).unwrap();

    let error = refused(&["chat", "--model", &text(dir.path()), "--prompt", "你好"]);

    assert!(error.contains("pytorch_model-00002-of-00002.bin"), "{error}");
}

#[test]
fn a_weight_of_the_wrong_shape_is_named_with_both_shapes() {
    let dir = copy_of_mini();
    let config = fs::read_to_string(dir.path().join("config.json")).unwrap();
    let config = config.replace("\"inner_hidden_size\": 128", "\"inner_hidden_size\": 64");
    fs::write(dir.path().join("config.json"), config).unwrap();

    let error = refused(&["chat", "--model", &text(dir.path()), "--prompt", "你好"]);

    assert!(error.contains("dense_h_to_4h"), "{error}");
    assert!(error.contains("64") && error.contains("128"), "{error}");
}

#[test]
fn a_dataset_without_a_usable_pair_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = file(dir.path(), "pairs.jsonl", "{\"question\": 1}\nnothing\n");
    let output = text(&dir.path().join("run"));

    let error = refused(&["train", "--model", &mini(), "--data", &data, "--output", &output]);

    assert!(error.contains("pairs.jsonl"), "{error}");
    assert!(
        error.contains("line 1:") && error.contains("line 2:"),
        "the bad lines are numbered: {error}"
    );
}

#[test]
fn a_prompt_longer_than_the_model_reads_is_refused_with_both_lengths() {
    let error = refused(&["chat", "--model", &mini(), "--prompt", &"q ".repeat(3000)]);

    assert!(error.contains("at most 2048"), "{error}");
}

/// A limit on the size of files stands in for a disk that is full.
#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_the_last_checkpoint_stays() {
    let dir = tempfile::tempdir().unwrap();
    let data = file(dir.path(), "pairs.jsonl", PAIRS);
    let output = dir.path().join("run");
    // Each checkpoint's largest file is its log, which grows; the optimizer's moments do not.
    let command = format!(
        "trap '' XFSZ; ulimit -f 40; exec {} train --model {} --data {data} --output {} --max-steps 400 \
         --save-steps 10 --logging-steps 1 --save-total-limit 2",
        env!("CARGO_BIN_EXE_weft-under-test"),
        mini(),
        text(&output),
    );

    let ended = Command::new("bash").args(["-c", &command]).output().unwrap();

    let error = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success(), "{error}");
    assert!(error.contains("could not be written"), "{error}");
    assert!(error.contains("can be resumed"), "{error}");
    let left: Vec<_> = fs::read_dir(&output)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("checkpoint-"))
        .collect();
    assert!(!left.is_empty());
    for name in left {
        assert!(output.join(name).join("optimizer.safetensors").exists());
    }
}

fn copy_of_mini() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(Path::new(&mini())).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    dir
}
