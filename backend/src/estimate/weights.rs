//! How many bytes frozen weights are.

use crate::{
    chatglm::{ChatGlmConfig, ParameterCount},
    device::WeightFormat,
    lora::Target,
};

/// Bytes of a scale.
const SCALE: usize = 2;

/// Of a matrix `[out, in]` of a block.
pub(super) fn matrix_bytes(format: WeightFormat, (n_out, n_in): (usize, usize)) -> usize {
    let numbers = n_out * n_in;
    match format.quantization {
        None => numbers * format.dtype.size_in_bytes(),
        Some(form) => numbers * form.bits() / 8 + numbers / form.block(n_in) * SCALE,
    }
}

/// `(out, in)` of the matrices of a block.
pub(super) fn matrices(config: &ChatGlmConfig) -> [(usize, usize); 4] {
    Target::ALL.map(|target| target.shape(config))
}

/// Of a whole model.
pub fn model_bytes(config: &ChatGlmConfig, format: WeightFormat) -> usize {
    let (mut numbers, mut bytes) = (0, 0);
    for shape in matrices(config) {
        numbers += config.num_layers * shape.0 * shape.1;
        bytes += config.num_layers * matrix_bytes(format, shape);
    }
    let others = ParameterCount::of_model(config).total as usize - numbers;
    bytes + others * format.dtype.size_in_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_bits_are_few_bytes_and_their_scales() {
        for (name, bytes) in [
            ("f32", 64 * 96 * 4),
            ("bf16", 64 * 96 * 2),
            ("int8", 64 * 96 + 64 * 2),
            ("int4", 64 * 96 / 2 + 64 * 2),
            ("q8_0", 64 * 3 * 34),
            ("q4_0", 64 * 3 * 18),
        ] {
            assert_eq!(matrix_bytes(name.parse().unwrap(), (64, 96)), bytes, "{name}");
        }
    }
}
