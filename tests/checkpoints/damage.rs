//! Damaged folders: each error names the file or tensor, what was wanted and what was found.

use std::fs;
use std::path::Path;

use candle_core::{DType, Device};
use proptest::prelude::*;
use weft::checkpoint::{Checkpoint, CheckpointForm};
use weft_tests::fixture;

use crate::{copy_of, mini};

const SECOND_SHARD: &str = "pytorch_model-00002-of-00002.bin";
const INDEX: &str = "pytorch_model.bin.index.json";

#[test]
fn a_folder_without_weights_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();

    let error = Checkpoint::open(folder.path()).unwrap_err().to_string();

    assert!(error.contains("holds no weights"), "{error}");
}

#[test]
fn a_truncated_shard_names_the_file_and_both_lengths() {
    let folder = copy_of(&mini());
    let shard = folder.path().join(SECOND_SHARD);
    let whole = fs::read(&shard).unwrap();
    fs::write(&shard, &whole[..40_000]).unwrap();

    let error = Checkpoint::open(folder.path()).unwrap_err().to_string();

    assert!(error.contains(SECOND_SHARD) && error.contains("is truncated"), "{error}");
    assert!(
        error.contains("need 46152 bytes or more") && error.contains("the file has 40000"),
        "{error}"
    );
}

#[test]
fn a_truncated_safetensors_file_names_both_lengths() {
    let whole = fs::read(fixture("mini/golden.safetensors")).unwrap();

    let error = open_bytes(&whole[..whole.len() - 1], CheckpointForm::Safetensors).unwrap_err();

    assert!(
        error.contains(&format!(
            "need {} bytes or more, the file has {}",
            whole.len(),
            whole.len() - 1
        )),
        "{error}"
    );
}

#[test]
fn a_missing_shard_is_named() {
    let folder = copy_of(&mini());
    fs::remove_file(folder.path().join(SECOND_SHARD)).unwrap();

    let error = Checkpoint::open(folder.path()).unwrap_err().to_string();

    assert!(error.contains(INDEX) && error.contains(SECOND_SHARD), "{error}");
}

#[test]
fn an_index_that_promises_too_much_is_named() {
    let folder = copy_of(&mini());
    replace(&folder.path().join(INDEX), "\"lm_head.weight\"", "\"lm_tail.weight\"");

    let error = Checkpoint::open(folder.path()).unwrap_err().to_string();

    assert!(error.contains("lm_tail.weight") && error.contains(SECOND_SHARD), "{error}");
}

#[test]
fn an_index_may_not_point_out_of_its_folder() {
    let folder = copy_of(&mini());
    replace(&folder.path().join(INDEX), SECOND_SHARD, "../elsewhere.bin");

    let error = Checkpoint::open(folder.path()).unwrap_err().to_string();

    assert!(error.contains("../elsewhere.bin"), "{error}");
}

#[test]
fn an_index_that_is_not_json_is_named() {
    let folder = copy_of(&mini());
    fs::write(folder.path().join(INDEX), "{").unwrap();

    let error = Checkpoint::open(folder.path()).unwrap_err().to_string();

    assert!(error.contains(INDEX) && error.contains("is damaged"), "{error}");
}

#[test]
fn a_pointer_to_weights_is_not_taken_for_weights() {
    for form in [CheckpointForm::Torch, CheckpointForm::Safetensors] {
        let error = open_bytes(b"version https://git-lfs.github.com/spec/v1\n", form).unwrap_err();

        assert!(error.contains("Git LFS pointer"), "{error}");
    }
}

#[test]
fn a_missing_tensor_is_named() {
    let checkpoint = Checkpoint::open(&mini()).unwrap();

    let error = checkpoint.tensor("nothing.weight", &[1], DType::F32, &Device::Cpu).unwrap_err();

    assert!(error.to_string().contains("no tensor nothing.weight in"), "{error}");
}

#[test]
fn a_wrong_shape_names_tensor_wanted_and_found() {
    let checkpoint = Checkpoint::open(&mini()).unwrap();

    let error =
        checkpoint.tensor("lm_head.weight", &[320, 64], DType::F32, &Device::Cpu).unwrap_err();

    let words = error.to_string();
    assert!(words.contains("tensor lm_head.weight in") && words.contains(SECOND_SHARD), "{words}");
    assert!(words.contains("wanted [320, 64], found [320, 32]"), "{words}");
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(bytes: Vec<u8>, torch: bool) {
        let start: &[u8] = if torch { b"PK\x03\x04" } else { b"" };
        let form = if torch { CheckpointForm::Torch } else { CheckpointForm::Safetensors };

        let _ = open_bytes(&[start, &bytes].concat(), form);
    }

    #[test]
    fn no_change_to_a_torch_file_makes_the_reader_panic(changes in changes()) {
        let bytes = changed("torch/kinds.bin", &changes);

        read_everything(&bytes, CheckpointForm::Torch);
    }

    #[test]
    fn no_change_to_a_safetensors_file_makes_the_reader_panic(changes in changes()) {
        let bytes = changed("mini/golden.safetensors", &changes);

        read_everything(&bytes, CheckpointForm::Safetensors);
    }
}

/// A few bytes to overwrite, near the start more often than not, and how much of the file to keep.
fn changes() -> impl Strategy<Value = (Vec<(usize, u8)>, Option<usize>)> {
    let place = prop_oneof![3 => 0..4000usize, 1 => 0..200_000usize];
    (prop::collection::vec((place, any::<u8>()), 0..4), prop::option::of(0..4000usize))
}

fn changed(name: &str, (overwritten, kept): &(Vec<(usize, u8)>, Option<usize>)) -> Vec<u8> {
    let mut bytes = fs::read(fixture(name)).unwrap();
    for (place, byte) in overwritten {
        if let Some(old) = bytes.get_mut(*place) {
            *old = *byte;
        }
    }
    bytes.truncate(kept.unwrap_or(usize::MAX));
    bytes
}

fn read_everything(bytes: &[u8], form: CheckpointForm) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    fs::write(&path, bytes).unwrap();
    let Ok(file) = Checkpoint::open_file(&path, form) else { return };
    for name in file.names() {
        let shape = file.get(name).unwrap().shape.to_owned();
        let _ = file.tensor(name, &shape, DType::F32, &Device::Cpu);
    }
}

fn open_bytes(bytes: &[u8], form: CheckpointForm) -> Result<Checkpoint, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    fs::write(&path, bytes).unwrap();
    Checkpoint::open_file(&path, form).map_err(|error| error.to_string())
}

fn replace(path: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text.replace(old, new)).unwrap();
}
