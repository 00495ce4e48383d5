//! What `torch.save` writes besides plain shards. `fixtures/torch/make.py` made the files and says what is in them.

use candle_core::{DType, Device};
use weft::checkpoint::{Checkpoint, CheckpointError, CheckpointForm, ElementType, read_state_dict};
use weft_tests::fixture;

#[test]
fn every_kind_of_tensor_is_read_in_the_order_of_its_axes() {
    let file = open("kinds.bin").unwrap();

    let two_by_three = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0].map(|n| n / 16.0);
    for name in ["half", "bfloat", "double", "parameter"] {
        assert_eq!(read(&file, name, &[2, 3]), two_by_three, "{name}");
    }
    let rows: Vec<f32> = (6..18).map(|n| n as f32 / 16.0).collect();
    assert_eq!(read(&file, "rows", &[2, 6]), rows);
    assert_eq!(
        read(&file, "transposed", &[6, 4])[..5],
        [0.0, 6.0, 12.0, 18.0, 1.0].map(|n| n / 16.0)
    );
    assert_eq!(read(&file, "scalar", &[]), [2.5]);
    assert!(read(&file, "empty", &[0, 3]).is_empty());
}

#[test]
fn whole_numbers_are_not_weights() {
    let file = open("kinds.bin").unwrap();

    assert_eq!(file.get("whole").unwrap().element, ElementType::I64);
    let error = file.tensor("whole", &[2, 3], DType::F32, &Device::Cpu).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tensor whole holds i64 numbers, where a weight is f16, bf16, f32 or f64"
    );
}

#[test]
fn a_state_dict_is_found_by_itself_and_inside_another_dict() {
    for name in ["module.bin", "wrapped.bin"] {
        let file = open(name).unwrap();
        assert!(file.names().eq(["bias", "weight"]), "{name}");
        assert_eq!(read(&file, "bias", &[2]), [0.0, 1.0 / 16.0]);
    }
}

#[test]
fn a_state_dict_is_read_at_once() {
    let tensors = read_state_dict(&fixture("torch/wrapped.bin")).unwrap();

    let shapes: Vec<_> =
        tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.dims())).collect();
    assert_eq!(shapes, [("bias", &[2][..]), ("weight", &[2, 3][..])]);
}

#[test]
fn a_pickle_that_would_run_a_command_is_refused_by_name() {
    let error = open("command.bin").unwrap_err();

    assert!(matches!(error, CheckpointError::Pickle { .. }));
    let words = error.to_string();
    assert!(words.contains("command.bin") && words.contains("posix.system"), "{words}");
}

#[test]
fn the_form_from_before_torch_1_6_is_named() {
    let error = open("legacy.bin").unwrap_err();

    assert!(error.to_string().contains("before version 1.6"), "{error}");
}

#[test]
fn a_compressed_zip_is_not_from_torch() {
    let error = open("compressed.bin").unwrap_err();

    assert!(error.to_string().contains("compressed"), "{error}");
}

fn open(name: &str) -> Result<Checkpoint, CheckpointError> {
    Checkpoint::open_file(&fixture("torch").join(name), CheckpointForm::Torch)
}

fn read(file: &Checkpoint, name: &str, shape: &[usize]) -> Vec<f32> {
    let tensor = file.tensor(name, shape, DType::F32, &Device::Cpu).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}
