//! Device memory, and kernels by name.

use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use candle_core::backend::BackendStorage as _;
use candle_core::cuda_backend::cudarc::driver::sys::CUfunction_attribute_enum::{
    CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
    CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES,
};
use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaModule, CudaSlice, DevicePtr as _, sys,
};
use candle_core::cuda_backend::cudarc::nvrtc::Ptx;
use candle_core::cuda_backend::{CudaDevice, CudaStorageSlice, WrapErr as _};
use candle_core::op::BackpropOp;
use candle_core::{CudaStorage, DType, Result, Shape, Storage, Tensor, bail};

use super::card::Card;

/// A file of kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Module {
    AdamW,
    Attention,
    AttentionHopper,
    Decode,
    Gelu,
    LayerNorm,
    Learned,
    Lora,
    Loss,
    Product,
    Quantized,
    Rotary,
    Sampling,
}

macro_rules! image {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".fatbin"))
    };
}

impl Module {
    fn image(self) -> &'static [u8] {
        match self {
            Self::AdamW => image!("adamw"),
            Self::Attention => image!("attention"),
            Self::AttentionHopper => image!("attention_hopper"),
            Self::Decode => image!("decode"),
            Self::Gelu => image!("gelu"),
            Self::LayerNorm => image!("layer_norm"),
            Self::Learned => image!("learned"),
            Self::Lora => image!("lora"),
            Self::Loss => image!("loss"),
            Self::Product => image!("product"),
            Self::Quantized => image!("quantized"),
            Self::Rotary => image!("rotary"),
            Self::Sampling => image!("sampling"),
        }
    }

    /// Whether it was: one for a single kind of GPU is empty in a program for another.
    pub(super) fn is_compiled(self) -> bool {
        !self.image().is_empty()
    }
}

/// A result on its way: memory that a kernel writes, and the shape that it will have.
pub(super) struct Fresh {
    pub(super) storage: CudaStorage,
    pub(super) shape: Shape,
}

impl Fresh {
    /// Memory whose content is not defined.
    pub(super) fn new(shape: impl Into<Shape>, dtype: DType, device: &CudaDevice) -> Result<Self> {
        let shape = shape.into();
        let size = shape.elem_count();
        // SAFETY: whoever asks for fresh memory writes all of it before it is read.
        let slice = unsafe {
            match dtype {
                DType::U8 => CudaStorageSlice::U8(device.alloc(size)?),
                DType::U32 => CudaStorageSlice::U32(device.alloc(size)?),
                DType::F32 => CudaStorageSlice::F32(device.alloc(size)?),
                DType::F16 => CudaStorageSlice::F16(device.alloc(size)?),
                DType::BF16 => CudaStorageSlice::BF16(device.alloc(size)?),
                other => bail!("no kernel writes {other:?}"),
            }
        };
        Ok(Self { storage: CudaStorage { slice, device: device.clone() }, shape })
    }

    /// The finished result, on no tape.
    pub(super) fn tensor(self) -> Tensor {
        Tensor::from_storage(Storage::Cuda(self.storage), self.shape, BackpropOp::none(), false)
    }
}

/// What has an address on the device.
pub(super) trait OnDevice {
    fn address(&self) -> Result<u64>;
}

impl OnDevice for Fresh {
    fn address(&self) -> Result<u64> {
        address(&self.storage)
    }
}

impl OnDevice for Tensor {
    fn address(&self) -> Result<u64> {
        let (storage, layout) = self.storage_and_layout();
        let Storage::Cuda(storage) = &*storage else {
            bail!("a CUDA op was given a tensor on {:?}", self.device().location());
        };
        if !layout.is_contiguous() {
            bail!("a CUDA op wants a tensor without gaps, got {layout:?}");
        }
        Ok(address(storage)? + (layout.start_offset() * self.dtype().size_in_bytes()) as u64)
    }
}

/// The memory is freed in the order of the one stream that all work goes to, so the address stays good for every launch
/// made while the tensor lives.
fn address(storage: &CudaStorage) -> Result<u64> {
    macro_rules! of {
        ($slice:expr) => {
            $slice.device_ptr($slice.stream()).0
        };
    }
    Ok(match &storage.slice {
        CudaStorageSlice::U8(slice) => of!(slice),
        CudaStorageSlice::U32(slice) => of!(slice),
        CudaStorageSlice::F32(slice) => of!(slice),
        CudaStorageSlice::F64(slice) => of!(slice),
        CudaStorageSlice::F16(slice) => of!(slice),
        CudaStorageSlice::BF16(slice) => of!(slice),
        _ => bail!("no kernel reads {:?}", storage.dtype()),
    })
}

/// The GPU that a tensor is on.
pub(super) fn device_of(tensor: &Tensor) -> Result<&CudaDevice> {
    tensor.device().as_cuda_device()
}

/// The name that kernels of an element type end in.
pub(super) fn suffix(dtype: DType) -> Result<&'static str> {
    Ok(match dtype {
        DType::F32 => "_f32",
        DType::F16 => "_f16",
        DType::BF16 => "_bf16",
        other => bail!("no kernels for {other:?}"),
    })
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arg {
    Address(u64),
    I32(i32),
    U64(u64),
    F32(f32),
    F64(f64),
    Dropout(DropoutRule),
    /// A struct of the kernel's own, see [`Self::structure`].
    Structure(*const c_void),
}

impl Arg {
    pub(super) fn of(memory: &impl OnDevice) -> Result<Self> {
        memory.address().map(Self::Address)
    }

    pub(super) fn size(size: usize) -> Self {
        Self::I32(size as i32)
    }

    /// A struct that looks as the kernel declares it; it must live until the launch.
    pub(super) fn structure<T>(structure: &T) -> Self {
        Self::Structure(std::ptr::from_ref(structure).cast())
    }

    pub(super) const NULL: Self = Self::Address(0);

    /// Where its value is.
    fn pointer(&self) -> *mut c_void {
        let pointer: *const c_void = match self {
            Self::Address(number) | Self::U64(number) => (&raw const *number).cast(),
            Self::I32(number) => (&raw const *number).cast(),
            Self::F32(number) => (&raw const *number).cast(),
            Self::F64(number) => (&raw const *number).cast(),
            Self::Dropout(rule) => (&raw const *rule).cast(),
            Self::Structure(structure) => *structure,
        };
        pointer.cast_mut()
    }
}

/// `Dropout` of `kernels/common.cuh`; a threshold of 0 drops nothing.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(super) struct DropoutRule {
    pub(super) keys: [u32; 2],
    pub(super) threshold: u32,
    pub(super) scale: f32,
}

/// Addresses and sizes where a kernel reads them.
#[derive(Debug)]
pub(in crate::ops) struct Table {
    slice: CudaSlice<u64>,
}

impl Table {
    /// Addresses of one tensor or more, which must live as long as kernels are launched with the table.
    pub(in crate::ops) fn of(tensors: &[&Tensor]) -> Result<Self> {
        let Some(first) = tensors.first() else {
            bail!("a table of no tensors");
        };
        let addresses =
            tensors.iter().map(|tensor| tensor.address()).collect::<Result<Vec<_>>>()?;
        Self::new(&addresses, device_of(first)?)
    }

    pub(super) fn new(words: &[u64], device: &CudaDevice) -> Result<Self> {
        Ok(Self { slice: device.clone_htod(words)? })
    }

    pub(super) fn arg(&self) -> Arg {
        Arg::Address(self.address())
    }

    pub(super) fn address(&self) -> u64 {
        self.slice.device_ptr(self.slice.stream()).0
    }
}

/// How many threads run a kernel, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Threads {
    grid: (usize, usize, usize),
    block: usize,
    /// Bytes of dynamic shared memory for a block.
    shared: usize,
    /// Starts while the kernel before it ends; such a kernel waits (`griddepcontrol.wait`) before it reads what others
    /// write, but for what was written before the last one that was not early, or writes anything.
    early: bool,
}

impl Threads {
    pub(super) fn new(grid: (usize, usize, usize), block: usize) -> Self {
        Self { grid, block, shared: 0, early: false }
    }

    pub(super) fn shared(self, shared: usize) -> Self {
        Self { shared, ..self }
    }

    pub(super) fn early(self) -> Self {
        Self { early: true, ..self }
    }
}

/// Ordinal of the device, name, and ending of the name.
type Key = (usize, &'static str, &'static str);

/// By ordinal of the device.
type Modules = HashMap<(usize, Module), Arc<CudaModule>>;

static MODULES: LazyLock<RwLock<Modules>> = LazyLock::new(RwLock::default);
static FUNCTIONS: LazyLock<RwLock<HashMap<Key, CudaFunction>>> = LazyLock::new(RwLock::default);

/// Puts the kernel `name` + `ending` on the device's stream.
pub(super) fn launch(
    device: &CudaDevice,
    module: Module,
    (name, ending): (&'static str, &'static str),
    threads: Threads,
    args: &[Arg],
) -> Result<()> {
    let stream = device.cuda_stream();
    let key = (stream.context().ordinal(), name, ending);
    let known = FUNCTIONS.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    let function = match known {
        Some(function) => function,
        None => load(device, module, key, threads)?,
    };
    let mut pointers: Vec<*mut c_void> = args.iter().map(Arg::pointer).collect();
    let mut attribute = sys::CUlaunchAttribute {
        id: sys::CUlaunchAttributeID::CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION,
        pad: [0; 4],
        value: sys::CUlaunchAttributeValue { programmaticStreamSerializationAllowed: 1 },
    };
    let (x, y, z) = threads.grid;
    let config = sys::CUlaunchConfig {
        gridDimX: x as u32,
        gridDimY: y as u32,
        gridDimZ: z as u32,
        blockDimX: threads.block as u32,
        blockDimY: 1,
        blockDimZ: 1,
        sharedMemBytes: threads.shared as u32,
        hStream: stream.cu_stream(),
        attrs: &raw mut attribute,
        numAttrs: u32::from(threads.early && Card::of(device)?.starts_early()),
    };
    stream.context().bind_to_thread().w()?;
    // SAFETY: the callers pass what the kernel of this name declares, see `backend/kernels`; what the pointers point to
    // lives until the call returns, which copies it.
    unsafe {
        let function = function.cu_function();
        sys::cuLaunchKernelEx(&raw const config, function, pointers.as_mut_ptr(), null_mut())
    }
    .result()
    .w()?;
    Ok(())
}

fn load(device: &CudaDevice, module: Module, key: Key, threads: Threads) -> Result<CudaFunction> {
    let (ordinal, name, ending) = key;
    let known =
        MODULES.read().unwrap_or_else(PoisonError::into_inner).get(&(ordinal, module)).cloned();
    let loaded = if let Some(known) = known {
        known
    } else {
        let image = Ptx::from_binary(module.image().to_vec());
        let loaded = device.cuda_stream().context().load_module(image).w()?;
        let mut modules = MODULES.write().unwrap_or_else(PoisonError::into_inner);
        modules.insert((ordinal, module), loaded.clone());
        loaded
    };
    let function = loaded.load_function(&format!("{name}{ending}")).w()?;
    // All that a block can have: the next launch may want more than this one.
    let most = Card::of(device)?.shared as i32
        - function.get_attribute(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES).w()?;
    function.set_attribute(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, most).w()?;
    if threads.early {
        // Kernels whose processors are divided differently into cache and shared memory cannot run beside each other.
        function.set_attribute(CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, 100).w()?;
    }
    FUNCTIONS.write().unwrap_or_else(PoisonError::into_inner).insert(key, function.clone());
    Ok(function)
}
