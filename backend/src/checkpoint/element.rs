//! The number types of stored tensors, and reading them into the type that is wanted.

use std::fmt;

use candle_core::WithDType;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// What one number of a stored tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    F16,
    BF16,
    F32,
    F64,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl ElementType {
    pub fn size_bytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::BF16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    pub fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::BF16 | Self::F32 | Self::F64)
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::I64 => "i64",
            Self::I32 => "i32",
            Self::I16 => "i16",
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::Bool => "bool",
        })
    }
}

/// Numbers converted at a time: small enough to stay in the nearest cache.
const BLOCK: usize = 1024;

/// Reads little-endian numbers of type `element` into `out`; `bytes` must have as many.
///
/// Whole numbers are not weights: `out` stays as it is.
pub(super) fn decode<T: Weight>(element: ElementType, bytes: &[u8], out: &mut [T]) {
    match element {
        ElementType::F16 => decode_blocks(bytes, out, f16::from_le_bytes, T::fill_from_f16),
        ElementType::BF16 => decode_blocks(bytes, out, bf16::from_le_bytes, T::fill_from_bf16),
        ElementType::F32 => decode_blocks(bytes, out, f32::from_le_bytes, T::fill_from_f32),
        ElementType::F64 => decode_blocks(bytes, out, f64::from_le_bytes, T::fill_from_f64),
        _ => {}
    }
}

fn decode_blocks<const SIZE: usize, S: Copy + Default, T>(
    bytes: &[u8],
    out: &mut [T],
    read: impl Fn([u8; SIZE]) -> S,
    convert: impl Fn(&[S], &mut [T]),
) {
    let mut block = [S::default(); BLOCK];
    let (numbers, _) = bytes.as_chunks::<SIZE>();
    for (numbers, out) in numbers.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
        for (number, bytes) in block.iter_mut().zip(numbers) {
            *number = read(*bytes);
        }
        convert(&block[..out.len()], out);
    }
}

/// A type that weights are held in: `f32`, `f16`, `bf16` or `f64`.
pub(super) trait Weight: WithDType + Default {
    fn fill_from_f16(from: &[f16], into: &mut [Self]);
    fn fill_from_bf16(from: &[bf16], into: &mut [Self]);
    fn fill_from_f32(from: &[f32], into: &mut [Self]);
    fn fill_from_f64(from: &[f64], into: &mut [Self]);
}

impl Weight for f32 {
    fn fill_from_f16(from: &[f16], into: &mut [Self]) {
        from.convert_to_f32_slice(into);
    }

    fn fill_from_bf16(from: &[bf16], into: &mut [Self]) {
        from.convert_to_f32_slice(into);
    }

    fn fill_from_f32(from: &[f32], into: &mut [Self]) {
        into.copy_from_slice(from);
    }

    fn fill_from_f64(from: &[f64], into: &mut [Self]) {
        convert_each(from, into, |value| value as f32);
    }
}

impl Weight for f64 {
    fn fill_from_f16(from: &[f16], into: &mut [Self]) {
        convert_each(from, into, f16::to_f64);
    }

    fn fill_from_bf16(from: &[bf16], into: &mut [Self]) {
        convert_each(from, into, bf16::to_f64);
    }

    fn fill_from_f32(from: &[f32], into: &mut [Self]) {
        convert_each(from, into, f64::from);
    }

    fn fill_from_f64(from: &[f64], into: &mut [Self]) {
        into.copy_from_slice(from);
    }
}

impl Weight for f16 {
    fn fill_from_f16(from: &[f16], into: &mut [Self]) {
        into.copy_from_slice(from);
    }

    fn fill_from_bf16(from: &[bf16], into: &mut [Self]) {
        convert_each(from, into, |value| f16::from_f32(value.to_f32()));
    }

    fn fill_from_f32(from: &[f32], into: &mut [Self]) {
        into.convert_from_f32_slice(from);
    }

    fn fill_from_f64(from: &[f64], into: &mut [Self]) {
        into.convert_from_f64_slice(from);
    }
}

impl Weight for bf16 {
    fn fill_from_f16(from: &[f16], into: &mut [Self]) {
        convert_each(from, into, |value| bf16::from_f32(value.to_f32()));
    }

    fn fill_from_bf16(from: &[bf16], into: &mut [Self]) {
        into.copy_from_slice(from);
    }

    fn fill_from_f32(from: &[f32], into: &mut [Self]) {
        into.convert_from_f32_slice(from);
    }

    fn fill_from_f64(from: &[f64], into: &mut [Self]) {
        into.convert_from_f64_slice(from);
    }
}

fn convert_each<S: Copy, T>(from: &[S], into: &mut [T], convert: impl Fn(S) -> T) {
    for (into, from) in into.iter_mut().zip(from) {
        *into = convert(*from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_float_type_reads_into_every_other() {
        let numbers = [0.0f64, 1.0, -2.5, 0.125, 1024.0];
        let stored: [(ElementType, Vec<u8>); 4] = [
            (
                ElementType::F16,
                numbers.iter().flat_map(|&n| f16::from_f64(n).to_le_bytes()).collect(),
            ),
            (
                ElementType::BF16,
                numbers.iter().flat_map(|&n| bf16::from_f64(n).to_le_bytes()).collect(),
            ),
            (ElementType::F32, numbers.iter().flat_map(|&n| (n as f32).to_le_bytes()).collect()),
            (ElementType::F64, numbers.iter().flat_map(|n| n.to_le_bytes()).collect()),
        ];

        for (element, bytes) in stored {
            assert_eq!(decoded::<f32>(element, &bytes), numbers, "{element} as f32");
            assert_eq!(decoded::<f64>(element, &bytes), numbers, "{element} as f64");
            assert_eq!(decoded::<f16>(element, &bytes), numbers, "{element} as f16");
            assert_eq!(decoded::<bf16>(element, &bytes), numbers, "{element} as bf16");
        }
    }

    #[test]
    fn more_than_one_block_is_read_whole() {
        let numbers: Vec<f32> = (0..BLOCK + 7).map(|n| n as f32).collect();
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        let mut out = vec![0.0f32; numbers.len()];

        decode(ElementType::F32, &bytes, &mut out);

        assert_eq!(out, numbers);
    }

    fn decoded<T: Weight>(element: ElementType, bytes: &[u8]) -> Vec<f64> {
        let mut out = vec![T::default(); bytes.len() / element.size_bytes()];
        decode(element, bytes, &mut out);
        out.into_iter().map(WithDType::to_f64).collect()
    }
}
