//! Integers and scales of the reference's `QuantizedLinear`.

use std::fs;

use candle_core::{DType, Device, Tensor, safetensors::SliceSafetensors};
use safetensors::SafeTensors;
use weft::{
    checkpoint::Checkpoint,
    ops::{Quantization, QuantizedWeight},
};

/// Signed integers of a quantized weight, one by one.
fn unpacked(weight: &QuantizedWeight) -> Vec<i8> {
    let bytes = weight.integers().flatten_all().unwrap().to_vec1::<u8>().unwrap();
    let halves = |byte: u8| [byte.cast_signed() >> 4, (byte << 4).cast_signed() >> 4];
    match weight.form().bits() {
        8 => bytes.into_iter().map(u8::cast_signed).collect(),
        _ => bytes.into_iter().flat_map(halves).collect(),
    }
}

fn numbers(scales: &Tensor) -> Vec<f32> {
    scales.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn integers_and_scales_are_the_reference_s() {
    let mut folders = vec![weft_tests::fixture("mini")];
    if let Some(reference) = weft_tests::reference() {
        folders.extend(["tiny_096f3de", "tiny_main"].map(|name| reference.join(name)));
    }
    for folder in folders {
        let bytes = fs::read(folder.join("golden.safetensors")).unwrap();
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        let checkpoint = Checkpoint::open(&folder.join("checkpoint")).unwrap();
        for (form, bits) in [(Quantization::Int8, 8), (Quantization::Int4, 4)] {
            let name = format!("quant{bits}.layers.0.query_key_value");
            let integers = golden.tensor(&format!("{name}.int")).unwrap();
            let weight = checkpoint
                .tensor(
                    "transformer.layers.0.attention.query_key_value.weight",
                    integers.shape(),
                    DType::F32,
                    &Device::Cpu,
                )
                .unwrap();

            let found = QuantizedWeight::quantize(&weight, form).unwrap();

            let wanted: Vec<i8> = integers.data().iter().map(|byte| byte.cast_signed()).collect();
            assert_eq!(unpacked(&found), wanted, "{} {name}", folder.display());
            let scales = SliceSafetensors::new(&bytes).unwrap();
            let scales = scales.load(&format!("{name}.scale"), &Device::Cpu).unwrap();
            assert_eq!(numbers(found.scales()), numbers(&scales), "{} {name}", folder.display());
        }
    }
}
