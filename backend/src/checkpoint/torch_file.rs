//! A file of `torch.save`: a zip of stored entries, `NAME/data.pkl` and the storages `NAME/data/KEY`.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, Read, Seek};

use zip::{CompressionMethod, ZipArchive};

use super::CheckpointError;
use super::load::StoredTensor;
use super::pickle::{self, Pickle, TensorRef};
use super::state_dict::named_tensors;
use super::weight_file::WeightFile;

/// The pickle of a shard of ChatGLM-6B takes some 30 KB.
const LONGEST_PICKLE_BYTES: u64 = 64 << 20;

/// How a zip starts: the header of its first entry.
const ZIP_START: [u8; 4] = *b"PK\x03\x04";

/// The fixed part of that header; the lengths of the name and of extra data are in its last four bytes.
const LOCAL_HEADER_BYTES: usize = 30;

/// How `torch.save` started a file before version 1.6: the pickled magic number.
const LEGACY_START: [u8; 14] = *b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// Where an entry's bytes are.
#[derive(Clone, Copy, Debug)]
struct Entry {
    offset_bytes: u64,
    size_bytes: u64,
}

pub(super) fn read_contents(
    file: &WeightFile,
) -> Result<BTreeMap<String, StoredTensor>, CheckpointError> {
    check_start(file)?;
    let entries = match list_entries(BufReader::new(file.stream())) {
        Ok(entries) => entries,
        Err(error) => return Err(explain_broken_zip(file, &error)),
    };
    let roots = entries.keys().filter_map(|name| name.strip_suffix("data.pkl"));
    let root = roots.filter(|root| root.is_empty() || root.ends_with('/')).min();
    let root =
        root.ok_or_else(|| file.damaged("a zip without data.pkl, so not from torch.save"))?;

    if let Some(byte_order) = entries.get(&format!("{root}byteorder"))
        && read_entry(file, *byte_order)? != b"little"
    {
        return Err(file.damaged("its numbers are not little-endian"));
    }
    let program = read_entry(file, entries[&format!("{root}data.pkl")])?;
    let pickle = pickle::read(&program)
        .map_err(|source| CheckpointError::Pickle { path: file.path().to_owned(), source })?;
    stored_tensors(file, &pickle, root, &entries)
}

/// Refuses what is no zip, and says what it is where that can be told.
fn check_start(file: &WeightFile) -> Result<(), CheckpointError> {
    let mut start = [0; LEGACY_START.len()];
    let length = start.len().min(file.size_bytes() as usize);
    file.read_at(&mut start[..length], 0)?;
    if start.starts_with(&ZIP_START) {
        Ok(())
    } else if start == LEGACY_START {
        Err(CheckpointError::LegacyTorch { path: file.path().to_owned() })
    } else {
        Err(file.damaged("it is not a zip, so not from torch.save"))
    }
}

/// The entries of a zip, by name, as far as they can be read in place.
fn list_entries(reader: impl Read + Seek) -> Result<HashMap<String, Entry>, String> {
    let mut archive = ZipArchive::new(reader).map_err(|error| error.to_string())?;
    let mut entries = HashMap::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| error.to_string())?;
        let name = entry.name().map_err(|error| error.to_string())?.into_owned();
        if entry.compression() != CompressionMethod::Stored {
            return Err(format!("its entry {name} is compressed, which torch.save never does"));
        }
        let offset_bytes =
            entry.data_start().ok_or_else(|| format!("its entry {name} starts nowhere"))?;
        entries.insert(name, Entry { offset_bytes, size_bytes: entry.size() });
    }
    Ok(entries)
}

fn read_entry(file: &WeightFile, entry: Entry) -> Result<Vec<u8>, CheckpointError> {
    if entry.size_bytes > LONGEST_PICKLE_BYTES {
        return Err(file.damaged(format!("its pickle would take {} bytes", entry.size_bytes)));
    }
    file.check_range(entry.offset_bytes, entry.size_bytes)?;
    let mut bytes = vec![0; entry.size_bytes as usize];
    file.read_at(&mut bytes, entry.offset_bytes)?;
    Ok(bytes)
}

/// The tensors with their places, each checked against its storage and each storage against the file.
fn stored_tensors(
    file: &WeightFile,
    pickle: &Pickle<'_>,
    root: &str,
    entries: &HashMap<String, Entry>,
) -> Result<BTreeMap<String, StoredTensor>, CheckpointError> {
    let mut tensors = BTreeMap::new();
    for (name, tensor) in named_tensors(pickle) {
        let key = format!("{root}data/{}", tensor.storage.key);
        let storage = entries.get(&key).ok_or_else(|| {
            file.damaged(format!("tensor {name} is in entry {key}, which is not there"))
        })?;
        file.check_range(storage.offset_bytes, storage.size_bytes)?;
        tensors.insert(name.to_owned(), place(file, name, tensor, *storage)?);
    }
    if tensors.is_empty() {
        return Err(file.damaged("it names no tensors: a state dict was expected"));
    }
    Ok(tensors)
}

fn place(
    file: &WeightFile,
    name: &str,
    tensor: &TensorRef<'_>,
    storage: Entry,
) -> Result<StoredTensor, CheckpointError> {
    let element = tensor.storage.element;
    let needed_bytes =
        needed_numbers(tensor).and_then(|count| count.checked_mul(element.size_bytes()));
    let needed_bytes = needed_bytes.ok_or_else(|| {
        file.damaged(format!("tensor {name} has an impossible shape, {:?}", tensor.shape))
    })?;
    if needed_bytes as u64 > storage.size_bytes {
        return Err(file.damaged(format!(
            "tensor {name} needs {needed_bytes} bytes of its storage, which has {}",
            storage.size_bytes
        )));
    }
    let contiguous = is_contiguous(&tensor.shape, &tensor.strides);
    Ok(StoredTensor {
        element,
        shape: tensor.shape.clone(),
        strides: (!contiguous).then(|| tensor.strides.clone()),
        offset_bytes: storage.offset_bytes + (tensor.offset * element.size_bytes()) as u64,
    })
}

/// How many numbers a storage must have for a tensor of it; `None` where no storage could.
///
/// At least as many as the tensor has: an axis of stride 0 would let a few bytes ask for any amount of memory.
fn needed_numbers(tensor: &TensorRef<'_>) -> Option<usize> {
    let TensorRef { offset, shape, strides, .. } = tensor;
    if shape.len() != strides.len() {
        return None;
    }
    let numbers = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size))?;
    let mut reach = 1usize;
    for (size, stride) in shape.iter().zip(strides) {
        reach = reach.checked_add(size.saturating_sub(1).checked_mul(*stride)?)?;
    }
    let reach = if numbers == 0 { 0 } else { reach };
    offset.checked_add(reach.max(numbers))
}

/// Whether the last axis varies fastest and nothing lies between; the stride of an axis of size 1 says nothing.
fn is_contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let mut wanted = 1usize;
    for (size, stride) in shape.iter().zip(strides).rev() {
        if *size > 1 && *stride != wanted {
            return false;
        }
        wanted = wanted.saturating_mul(*size);
    }
    true
}

/// A zip's directory is at its end. Where that is missing, the pickle, which comes first, still says how much there
/// should be.
fn explain_broken_zip(file: &WeightFile, error: &str) -> CheckpointError {
    match bytes_promised(file) {
        Ok(Some(wanted_bytes)) if wanted_bytes > file.size_bytes() => file.truncated(wanted_bytes),
        _ => file.damaged(error),
    }
}

/// The size of all storages that the first entry, if it is the pickle, names.
fn bytes_promised(file: &WeightFile) -> Result<Option<u64>, CheckpointError> {
    let mut header = [0; LOCAL_HEADER_BYTES];
    file.read_at(&mut header, 0)?;
    let length = |at: usize| u64::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let start = LOCAL_HEADER_BYTES as u64 + length(26) + length(28);
    let available = file.size_bytes().saturating_sub(start).min(LONGEST_PICKLE_BYTES);
    let program = read_entry(file, Entry { offset_bytes: start, size_bytes: available })?;
    let Ok(pickle) = pickle::read(&program) else { return Ok(None) };

    let storages: HashMap<&str, u64> = named_tensors(&pickle)
        .values()
        .map(|tensor| tensor.storage)
        .map(|storage| {
            (
                storage.key,
                (storage.count as u64).saturating_mul(storage.element.size_bytes() as u64),
            )
        })
        .collect();
    Ok(Some(storages.values().fold(start, |sum, bytes| sum.saturating_add(*bytes))))
}
