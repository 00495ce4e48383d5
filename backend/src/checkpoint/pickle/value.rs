//! What a pickle may build.

use crate::checkpoint::ElementType;

/// A place in the pickle's list of values; values hold each other by place, so that a memo may share them.
pub(in crate::checkpoint) type Id = usize;

#[derive(Clone, Debug, PartialEq)]
pub(in crate::checkpoint) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(StorageRef<'a>),
    Tensor(TensorRef<'a>),
}

/// The only names that a pickle may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::checkpoint) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(ElementType),
}

impl Global {
    pub(super) fn find(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "HalfStorage") => Self::Storage(ElementType::F16),
            ("torch", "BFloat16Storage") => Self::Storage(ElementType::BF16),
            ("torch", "FloatStorage") => Self::Storage(ElementType::F32),
            ("torch", "DoubleStorage") => Self::Storage(ElementType::F64),
            ("torch", "LongStorage") => Self::Storage(ElementType::I64),
            ("torch", "IntStorage") => Self::Storage(ElementType::I32),
            ("torch", "ShortStorage") => Self::Storage(ElementType::I16),
            ("torch", "CharStorage") => Self::Storage(ElementType::I8),
            ("torch", "ByteStorage") => Self::Storage(ElementType::U8),
            ("torch", "BoolStorage") => Self::Storage(ElementType::Bool),
            _ => return None,
        })
    }
}

/// Raw numbers in an entry of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::checkpoint) struct StorageRef<'a> {
    pub(in crate::checkpoint) element: ElementType,
    /// The entry is `data/KEY`.
    pub(in crate::checkpoint) key: &'a str,
    /// How many numbers it holds.
    pub(in crate::checkpoint) count: usize,
}

/// A view of a storage. Nothing about it has been checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::checkpoint) struct TensorRef<'a> {
    pub(in crate::checkpoint) storage: StorageRef<'a>,
    /// Where the tensor starts in the storage, in numbers.
    pub(in crate::checkpoint) offset: usize,
    pub(in crate::checkpoint) shape: Vec<usize>,
    pub(in crate::checkpoint) strides: Vec<usize>,
}
