//! A safetensors file's header: which tensors it holds, and where.

use std::collections::BTreeMap;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::load::StoredTensor;
use super::weight_file::WeightFile;
use super::{CheckpointError, ElementType};

/// The length of the header's length.
const PREFIX_BYTES: u64 = 8;

/// The limit of the format's own reader.
const LONGEST_HEADER_BYTES: u64 = 100_000_000;

pub(super) fn read_contents(
    file: &WeightFile,
) -> Result<BTreeMap<String, StoredTensor>, CheckpointError> {
    let mut prefix = [0; PREFIX_BYTES as usize];
    file.read_at(&mut prefix, 0)?;
    let header_bytes = u64::from_le_bytes(prefix);
    if header_bytes > LONGEST_HEADER_BYTES {
        return Err(file.damaged(format!("its header would take {header_bytes} bytes")));
    }
    file.check_range(PREFIX_BYTES, header_bytes)?;
    let mut header = vec![0; header_bytes as usize];
    file.read_at(&mut header, PREFIX_BYTES)?;

    // Deserializing checks that the tensors tile the data and that each is as long as its shape says.
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|error| file.damaged(format!("its header: {error}")))?;
    let data_start = PREFIX_BYTES + header_bytes;
    file.check_range(data_start, metadata.data_len() as u64)?;

    let tensor = |(name, info): (String, &safetensors::tensor::TensorInfo)| {
        let element = element_type(info.dtype).ok_or_else(|| {
            file.damaged(format!("tensor {name} has the unknown type {:?}", info.dtype))
        })?;
        let offset_bytes = data_start + info.data_offsets.0 as u64;
        let shape = info.shape.clone();
        Ok((name, StoredTensor { element, shape, strides: None, offset_bytes }))
    };
    metadata.tensors().into_iter().map(tensor).collect()
}

fn element_type(dtype: Dtype) -> Option<ElementType> {
    Some(match dtype {
        Dtype::F16 => ElementType::F16,
        Dtype::BF16 => ElementType::BF16,
        Dtype::F32 => ElementType::F32,
        Dtype::F64 => ElementType::F64,
        Dtype::I64 => ElementType::I64,
        Dtype::I32 => ElementType::I32,
        Dtype::I16 => ElementType::I16,
        Dtype::I8 => ElementType::I8,
        Dtype::U8 => ElementType::U8,
        Dtype::BOOL => ElementType::Bool,
        _ => return None,
    })
}
