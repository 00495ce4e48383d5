//! One stored tensor, from its place in a file to memory.

use candle_core::{DType, Device, Shape, Tensor};
use half::{bf16, f16};
use rayon::prelude::*;

use super::element::{Weight, decode};
use super::weight_file::WeightFile;
use super::{CheckpointError, ElementType};

/// Numbers that one thread reads at a time: 2 MiB of f16.
const CHUNK: usize = 1 << 20;

/// Where a tensor lies in its file. Whoever makes one has checked that the file is long enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredTensor {
    pub(super) element: ElementType,
    pub(super) shape: Vec<usize>,
    /// How far apart neighbours of each axis are, in numbers; `None` where the last axis varies fastest without gaps.
    pub(super) strides: Option<Vec<usize>>,
    /// Where the first number is in the file.
    pub(super) offset_bytes: u64,
}

impl StoredTensor {
    /// Reads the tensor; `name` is for what may go wrong.
    pub(super) fn load(
        &self,
        name: &str,
        file: &WeightFile,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor, CheckpointError> {
        if !self.element.is_float() {
            return Err(CheckpointError::NotAWeight {
                name: name.to_owned(),
                element: self.element,
            });
        }
        match dtype {
            DType::F32 => self.load_as::<f32>(name, file, device),
            DType::F16 => self.load_as::<f16>(name, file, device),
            DType::BF16 => self.load_as::<bf16>(name, file, device),
            DType::F64 => self.load_as::<f64>(name, file, device),
            _ => Err(CheckpointError::UnsupportedType { name: name.to_owned(), dtype }),
        }
    }

    /// Reads the bytes of whole numbers of 8 bits.
    pub(super) fn load_bytes(
        &self,
        name: &str,
        file: &WeightFile,
        device: &Device,
    ) -> Result<Tensor, CheckpointError> {
        let is_plain = matches!(self.element, ElementType::I8 | ElementType::U8);
        if !is_plain || self.strides.is_some() {
            return Err(CheckpointError::NotIntegers {
                name: name.to_owned(),
                element: self.element,
            });
        }
        let mut bytes = vec![0; numbers(&self.shape)];
        file.check_range(self.offset_bytes, bytes.len() as u64)?;
        bytes.par_chunks_mut(CHUNK).enumerate().try_for_each(|(index, chunk)| {
            file.read_at(chunk, self.offset_bytes + (index * CHUNK) as u64)
        })?;
        Tensor::from_vec(bytes, Shape::from(self.shape.as_slice()), device)
            .map_err(|source| CheckpointError::Device { name: name.to_owned(), source })
    }

    fn load_as<T: Weight>(
        &self,
        name: &str,
        file: &WeightFile,
        device: &Device,
    ) -> Result<Tensor, CheckpointError> {
        let values: Vec<T> = match &self.strides {
            None => self.read(file, numbers(&self.shape))?,
            Some(strides) => {
                gather(&self.read(file, span(&self.shape, strides))?, &self.shape, strides)
            }
        };
        Tensor::from_vec(values, Shape::from(self.shape.as_slice()), device)
            .map_err(|source| CheckpointError::Device { name: name.to_owned(), source })
    }

    /// The `count` numbers from the tensor's first on, each thread reading and converting its own part.
    fn read<T: Weight>(&self, file: &WeightFile, count: usize) -> Result<Vec<T>, CheckpointError> {
        let size = self.element.size_bytes();
        file.check_range(self.offset_bytes, (count as u64).saturating_mul(size as u64))?;
        let mut values = vec![T::default(); count];
        values.par_chunks_mut(CHUNK).enumerate().try_for_each_init(
            Vec::new,
            |bytes, (index, chunk)| {
                bytes.resize(chunk.len() * size, 0);
                file.read_at(bytes, self.offset_bytes + (index * CHUNK * size) as u64)?;
                decode(self.element, bytes, chunk);
                Ok(())
            },
        )?;
        Ok(values)
    }
}

/// How many numbers a shape has.
fn numbers(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// How many numbers lie between the first of a strided tensor and its last, both counted.
fn span(shape: &[usize], strides: &[usize]) -> usize {
    if shape.contains(&0) {
        return 0;
    }
    1 + shape.iter().zip(strides).map(|(size, stride)| (size - 1) * stride).sum::<usize>()
}

/// The numbers of a strided tensor in the order of its axes.
fn gather<T: Copy>(stored: &[T], shape: &[usize], strides: &[usize]) -> Vec<T> {
    let mut values = Vec::with_capacity(numbers(shape));
    let mut index = vec![0; shape.len()];
    for _ in 0..numbers(shape) {
        values
            .push(stored[index.iter().zip(strides).map(|(at, stride)| at * stride).sum::<usize>()]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transposed_tensor_is_put_in_order() {
        let stored = [1, 2, 3, 4, 5, 6];

        assert_eq!(gather(&stored, &[3, 2], &[1, 3]), [1, 4, 2, 5, 3, 6]);
        assert_eq!(span(&[3, 2], &[1, 3]), 6);
    }

    #[test]
    fn an_expanded_tensor_repeats_its_numbers() {
        assert_eq!(gather(&[7, 8], &[2, 2], &[0, 1]), [7, 8, 7, 8]);
        assert_eq!(span(&[2, 2], &[0, 1]), 2);
    }

    #[test]
    fn an_empty_tensor_has_no_numbers() {
        assert!(gather::<u8>(&[], &[2, 0], &[1, 1]).is_empty());
        assert_eq!(span(&[2, 0], &[1, 1]), 0);
    }
}
