//! Weights in few bits.

use candle_core::{DType, Tensor};

use super::random;
use crate::ops::{Quantization, QuantizedWeight};

#[test]
fn a_number_comes_back_within_half_a_step() {
    for form in Quantization::ALL {
        let weight = random(1, &[5, 96]);

        let found = QuantizedWeight::quantize(&weight, form).unwrap().dequantize().unwrap();

        let apart = (&found - &weight).unwrap().abs().unwrap().flatten_all().unwrap();
        let apart = apart.max(0).unwrap().to_scalar::<f32>().unwrap();
        // Numbers reach 1; ggml's 4 bits round the other end of the range by a whole step.
        let step = match form {
            Quantization::Q4_0 => 1.0 / 8.0,
            form => 0.5 / ((1 << (form.bits() - 1)) - 1) as f32,
        };
        // The scale is rounded to f16, and as in the reference the quotient too.
        assert!(apart < 1.2 * step, "{}: {apart}", form.name());
    }
}

#[test]
fn the_first_of_two_numbers_is_in_the_high_half() {
    let weight =
        Tensor::new(&[[7f32, -7.0, 1.0, 0.0, -1.0, 2.0, 3.0, -4.0]], &candle_core::Device::Cpu);

    let quantized = QuantizedWeight::quantize(&weight.unwrap(), Quantization::Int4).unwrap();

    let bytes = quantized.integers().to_vec2::<u8>().unwrap();
    assert_eq!(bytes, [[0x79, 0x10, 0xf2, 0x3c]]);
    assert_eq!(quantized.scales().to_dtype(DType::F32).unwrap().to_vec2::<f32>().unwrap(), [[1.0]]);
}

#[test]
fn zeros_stay_zeros() {
    for form in Quantization::ALL {
        let zeros = random(1, &[2, 64]).zeros_like().unwrap();
        let found = QuantizedWeight::quantize(&zeros, form).unwrap().dequantize().unwrap();
        assert_eq!(found.to_vec2::<f32>().unwrap(), zeros.to_vec2::<f32>().unwrap());
    }
}

#[test]
fn rows_that_do_not_fill_a_block_are_refused() {
    let error = QuantizedWeight::quantize(&random(1, &[2, 40]), Quantization::Q4_0).unwrap_err();
    assert!(error.to_string().contains("rows of 40: wanted a multiple of 32"), "{error}");
}
