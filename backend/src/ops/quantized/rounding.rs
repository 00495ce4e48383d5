//! How numbers that share a scale are rounded.

use half::f16;

use super::Quantization;

/// The scale of some numbers.
pub(super) struct Rounding {
    form: Quantization,
    pub(super) scale: f16,
    /// What a number is multiplied with (ggml), before the scale was rounded.
    inverse: f32,
}

impl Rounding {
    pub(super) fn of(form: Quantization, values: &[f32]) -> Self {
        let largest = values.iter().fold(0f32, |most, value| most.max(value.abs()));
        let scale = match form {
            Quantization::Int8 | Quantization::Q8_0 => largest / 127.0,
            Quantization::Int4 => largest / 7.0,
            Quantization::Q4_0 => {
                let first = values.iter().find(|value| value.abs() == largest);
                first.copied().unwrap_or_default() / -8.0
            }
        };
        let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
        Self { form, scale: f16::from_f32(scale), inverse }
    }

    /// From -127 to 127, from -7 to 7, or from -8 to 7.
    pub(super) fn integer(&self, value: f32) -> i8 {
        match self.form {
            // In f16, as the reference computes; a row of zeros has no scale to divide by.
            Quantization::Int8 | Quantization::Int4 if self.scale == f16::ZERO => 0,
            Quantization::Int8 | Quantization::Int4 => {
                f16::from_f32(value / self.scale.to_f32()).to_f32().round_ties_even() as i8
            }
            Quantization::Q8_0 => (value * self.inverse).round() as i8,
            Quantization::Q4_0 => (value * self.inverse + 8.5).min(15.0) as i8 - 8,
        }
    }
}
