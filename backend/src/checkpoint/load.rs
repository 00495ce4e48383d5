//! One stored tensor, from its place in a file to memory.

use candle_core::{DType, Device, Shape, Tensor};
use half::{bf16, f16};
use rayon::prelude::*;

use super::element::{Weight, decode};
use super::loader::Way;
use super::weight_file::WeightFile;
use super::{CheckpointError, ElementType};

/// Numbers that one thread reads and converts at a time: 2 MiB of f16.
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

/// A tensor by name, the file that it is in, and the way that it takes.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) name: &'a str,
    pub(super) tensor: &'a StoredTensor,
    pub(super) file: &'a WeightFile,
    pub(super) way: &'a Way<'a>,
}

impl StoredTensor {
    /// Bytes from the first number to the last, as they are read.
    pub(super) fn size_bytes(&self) -> u64 {
        let numbers = match &self.strides {
            None => numbers(&self.shape),
            Some(strides) => span(&self.shape, strides),
        };
        (numbers as u64).saturating_mul(self.element.size_bytes() as u64)
    }

    /// What the numbers are on a device, where it can convert them: not those with gaps.
    fn on_device(&self) -> Option<DType> {
        match self.element {
            _ if self.strides.is_some() || self.shape.contains(&0) => None,
            ElementType::F16 => Some(DType::F16),
            ElementType::BF16 => Some(DType::BF16),
            ElementType::F32 => Some(DType::F32),
            ElementType::I8 | ElementType::U8 => Some(DType::U8),
            _ => None,
        }
    }
}

impl Reading<'_> {
    /// The tensor's numbers as `dtype`.
    pub(super) fn weights(self, dtype: DType) -> Result<Tensor, CheckpointError> {
        if !self.tensor.element.is_float() {
            return Err(CheckpointError::NotAWeight {
                name: self.name.to_owned(),
                element: self.tensor.element,
            });
        }
        match dtype {
            DType::F32 => self.weights_as::<f32>(),
            DType::F16 => self.weights_as::<f16>(),
            DType::BF16 => self.weights_as::<bf16>(),
            DType::F64 => self.weights_as::<f64>(),
            _ => Err(CheckpointError::UnsupportedType { name: self.name.to_owned(), dtype }),
        }
    }

    /// The bytes of whole numbers of 8 bits, as u8.
    pub(super) fn bytes(self) -> Result<Tensor, CheckpointError> {
        let Self { tensor, file, way, .. } = self;
        let is_plain = matches!(tensor.element, ElementType::I8 | ElementType::U8);
        if !is_plain || tensor.strides.is_some() {
            return Err(CheckpointError::NotIntegers {
                name: self.name.to_owned(),
                element: tensor.element,
            });
        }
        if let Some(uploaded) = self.upload()? {
            return Ok(uploaded);
        }
        file.check_range(tensor.offset_bytes, tensor.size_bytes())?;
        let mut bytes = vec![0; numbers(&tensor.shape)];
        bytes.par_chunks_mut(CHUNK).enumerate().try_for_each(|(index, chunk)| {
            way.read(file, chunk, tensor.offset_bytes + (index * CHUNK) as u64)
        })?;
        self.put(bytes, way.device)
    }

    fn weights_as<T: Weight>(self) -> Result<Tensor, CheckpointError> {
        if let Some(uploaded) = self.upload()? {
            return uploaded.to_dtype(T::DTYPE).map_err(|source| self.refused(source));
        }
        let StoredTensor { shape, strides, .. } = self.tensor;
        let values: Vec<T> = match strides {
            None => self.read(numbers(shape))?,
            Some(strides) => gather(&self.read(span(shape, strides))?, shape, strides),
        };
        self.put(values, self.way.device)
    }

    /// The tensor as it is stored, on a GPU: its bytes go from the file to page-locked memory and from there to the device.
    fn upload(self) -> Result<Option<Tensor>, CheckpointError> {
        let Self { tensor, file, way, .. } = self;
        let (Some(upload), Some(dtype)) = (&way.upload, tensor.on_device()) else {
            return Ok(None);
        };
        file.check_range(tensor.offset_bytes, tensor.size_bytes())?;
        let fill = |at: u64, bytes: &mut [u8]| way.read(file, bytes, tensor.offset_bytes + at);
        upload.tensor(&tensor.shape, dtype, fill, |source| self.refused(source)).map(Some)
    }

    /// The `count` numbers from the tensor's first on, each thread reading and converting its own part.
    fn read<T: Weight>(self, count: usize) -> Result<Vec<T>, CheckpointError> {
        let Self { tensor, file, way, .. } = self;
        let size = tensor.element.size_bytes();
        file.check_range(tensor.offset_bytes, tensor.size_bytes())?;
        let mut values = vec![T::default(); count];
        values.par_chunks_mut(CHUNK).enumerate().try_for_each(|(index, chunk)| {
            let mut bytes = way.scratch();
            bytes.resize(chunk.len() * size, 0);
            way.read(file, &mut bytes, tensor.offset_bytes + (index * CHUNK * size) as u64)?;
            decode(tensor.element, &bytes, chunk);
            way.give_back(bytes);
            Ok(())
        })?;
        Ok(values)
    }

    fn put<T: candle_core::WithDType>(
        self,
        values: Vec<T>,
        device: &Device,
    ) -> Result<Tensor, CheckpointError> {
        Tensor::from_vec(values, Shape::from(self.tensor.shape.as_slice()), device)
            .map_err(|source| self.refused(source))
    }

    fn refused(self, source: candle_core::Error) -> CheckpointError {
        CheckpointError::Device { name: self.name.to_owned(), source }
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
