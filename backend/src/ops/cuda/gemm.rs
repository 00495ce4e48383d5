//! Matrix products through cuBLASLt, with bias, GELU and residual fused in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::c_void;
use std::sync::{LazyLock, Mutex, PoisonError};

use candle_core::cuda_backend::CudaDevice;
use candle_core::cuda_backend::cudarc::cublaslt::result as lt;
use candle_core::cuda_backend::cudarc::cublaslt::sys::{
    cublasComputeType_t::CUBLAS_COMPUTE_32F, cublasLtEpilogue_t, cublasLtHandle_t,
    cublasLtMatmulAlgo_t, cublasLtMatmulDesc_t, cublasLtMatmulDescAttributes_t as Attribute,
    cublasLtMatmulPreferenceAttributes_t::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
    cublasLtMatrixLayout_t, cudaDataType,
};
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::cuda_backend::cudarc::driver::DevicePtr as _;
use candle_core::{DType, Result, Tensor, bail};

use super::launch::{Fresh, OnDevice, device_of};

/// Scratch memory that a product may use: what cuBLAS itself takes on a Hopper.
const WORKSPACE: usize = 32 << 20;

/// Which product of a linear layer's weight `[out, in]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Way {
    /// `x [rows, in]` to `x Wᵀ [rows, out]`.
    Forward,
    /// `x [rows, out]` to `x W [rows, in]`.
    Back,
    /// The gradient of W, `xᵀ y [out, in]`, of `x [rows, out]`, the gradient of a result, and `y [rows, in]`, what W was
    /// multiplied with, in W's place.
    Gradient,
}

/// What is done with a product before it is written.
#[derive(Clone, Copy)]
pub(super) enum Then<'a> {
    Nothing,
    /// Adds a bias to each row.
    Bias(&'a Tensor),
    /// GELU after the bias.
    BiasGelu(&'a Tensor),
    /// The same; what went into GELU goes to the second.
    BiasGeluKeep(&'a Tensor, &'a Fresh),
}

impl Then<'_> {
    fn epilogue(&self) -> cublasLtEpilogue_t {
        match self {
            Self::Nothing => cublasLtEpilogue_t::CUBLASLT_EPILOGUE_DEFAULT,
            Self::Bias(_) => cublasLtEpilogue_t::CUBLASLT_EPILOGUE_BIAS,
            Self::BiasGelu(_) => cublasLtEpilogue_t::CUBLASLT_EPILOGUE_GELU_BIAS,
            Self::BiasGeluKeep(..) => cublasLtEpilogue_t::CUBLASLT_EPILOGUE_GELU_AUX_BIAS,
        }
    }

    fn pointers(&self) -> Result<(Option<u64>, Option<u64>)> {
        Ok(match self {
            Self::Nothing => (None, None),
            Self::Bias(bias) | Self::BiasGelu(bias) => (Some(bias.address()?), None),
            Self::BiasGeluKeep(bias, inner) => (Some(bias.address()?), Some(inner.address()?)),
        })
    }
}

/// `then(x W + factor * residual)`, W or its transpose by `way`, or the gradient of W. Sums are f32.
#[derive(Clone, Copy)]
pub(super) struct Gemm<'a> {
    /// `[.., in]` or `[.., out]`
    pub(super) x: &'a Tensor,
    /// `[out, in]`, or `[.., in]`
    pub(super) weight: &'a Tensor,
    pub(super) way: Way,
    pub(super) then: Then<'a>,
    /// Of the result's shape.
    pub(super) residual: Option<(f32, &'a Tensor)>,
    /// Of the result.
    pub(super) dtype: DType,
}

impl<'a> Gemm<'a> {
    pub(super) fn new(x: &'a Tensor, weight: &'a Tensor, way: Way) -> Self {
        Self { x, weight, way, then: Then::Nothing, residual: None, dtype: x.dtype() }
    }

    /// The result's shape; its rows and columns, and the length of the sums.
    fn sizes(&self) -> Result<(Vec<usize>, (usize, usize, usize))> {
        let last = |of: &Tensor| of.dims().last().copied().unwrap_or(1).max(1);
        let (x_width, width) = (last(self.x), last(self.weight));
        let (x_rows, rows) = (self.x.elem_count() / x_width, self.weight.elem_count() / width);
        let ((columns, inner), fits) = match self.way {
            Way::Forward => ((rows, width), x_width == width),
            Way::Back => ((width, rows), x_width == rows),
            Way::Gradient => ((width, rows), x_rows == rows),
        };
        if !fits || self.x.dtype() != self.weight.dtype() {
            bail!("{:?} of {:?} by {:?}", self.way, self.x.shape(), self.weight.shape());
        }
        if self.way == Way::Gradient {
            return Ok((vec![x_width, width], (x_width, columns, inner)));
        }
        let mut shape = self.x.dims().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = columns;
        }
        Ok((shape, (x_rows, columns, inner)))
    }

    pub(super) fn run(&self) -> Result<Fresh> {
        let (shape, (rows, columns, inner)) = self.sizes()?;
        if let Some((_, residual)) = self.residual
            && residual.elem_count() != rows * columns
        {
            bail!("{rows} rows of {columns} and a residual {:?}", residual.shape());
        }
        let device = device_of(self.x)?;
        let out = Fresh::new(shape, self.dtype, device)?;
        let key = Key {
            ordinal: device.cuda_stream().context().ordinal(),
            rows,
            columns,
            inner,
            way: self.way,
            dtypes: (self.x.dtype(), self.dtype),
            epilogue: self.then.epilogue() as u32,
        };
        let mut library = LIBRARY.lock().unwrap_or_else(PoisonError::into_inner);
        library.multiply(device, key, self, &out)?;
        Ok(out)
    }
}

/// All that an algorithm is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    ordinal: usize,
    rows: usize,
    columns: usize,
    inner: usize,
    way: Way,
    dtypes: (DType, DType),
    epilogue: u32,
}

/// A product that is ready to run.
struct Plan {
    operation: cublasLtMatmulDesc_t,
    weight: cublasLtMatrixLayout_t,
    x: cublasLtMatrixLayout_t,
    out: cublasLtMatrixLayout_t,
    algorithm: cublasLtMatmulAlgo_t,
}

/// A device's handle and scratch memory, and the plans of every device.
#[derive(Default)]
struct Library {
    devices: HashMap<usize, (cublasLtHandle_t, CudaSlice<u8>)>,
    plans: HashMap<Key, Plan>,
}

// SAFETY: handles and descriptors are pointers that any thread may use, one at a time: they stay behind the mutex.
unsafe impl Send for Library {}

static LIBRARY: LazyLock<Mutex<Library>> = LazyLock::new(Mutex::default);

impl Library {
    fn multiply(&mut self, device: &CudaDevice, key: Key, gemm: &Gemm, out: &Fresh) -> Result<()> {
        let (handle, workspace) = match self.devices.entry(key.ordinal) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let handle = lt::create_handle().map_err(candle_core::Error::wrap)?;
                // SAFETY: scratch memory is written before it is read, by cuBLASLt.
                let workspace = unsafe { device.alloc(WORKSPACE)? };
                place.insert((handle, workspace))
            }
        };
        let plan = match self.plans.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let no_way = |error| format!("cuBLASLt knows no way to compute {key:?}: {error}");
                let plan = Plan::new(*handle, key);
                place.insert(plan.map_err(|error| candle_core::Error::Msg(no_way(error)))?)
            }
        };
        let (bias, aux) = gemm.then.pointers()?;
        let x = gemm.x.address()? as *const c_void;
        let weight = gemm.weight.address()? as *const c_void;
        let d = out.address()? as *mut c_void;
        let (beta, c) = match gemm.residual {
            Some((factor, residual)) => (factor, residual.address()? as *const c_void),
            None => (0.0, d.cast_const()),
        };
        let alpha = 1f32;
        let stream = device.cuda_stream();
        // SAFETY: shapes and types were checked, the memory lives until the stream is through with it, and the
        // descriptors belong to the plan.
        unsafe {
            for (attribute, pointer) in [
                (Attribute::CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias),
                (Attribute::CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, aux),
            ] {
                if let Some(pointer) = pointer {
                    set(plan.operation, attribute, &pointer).map_err(candle_core::Error::wrap)?;
                }
            }
            lt::matmul(
                *handle,
                plan.operation,
                (&raw const alpha).cast(),
                (&raw const beta).cast(),
                weight,
                plan.weight,
                x,
                plan.x,
                c,
                plan.out,
                d,
                plan.out,
                &raw const plan.algorithm,
                workspace.device_ptr(&stream).0 as *mut c_void,
                WORKSPACE,
                stream.cu_stream().cast(),
            )
            .map_err(candle_core::Error::wrap)?;
        }
        Ok(())
    }
}

impl Plan {
    /// In the columns-first order of cuBLAS everything is transposed: `outᵀ = W' xᵀ`.
    fn new(handle: cublasLtHandle_t, key: Key) -> std::result::Result<Self, lt::CublasError> {
        let Key { rows, columns, inner, way, dtypes, epilogue, .. } = key;
        let (input, output) = (data_type(dtypes.0), data_type(dtypes.1));
        let layout = |of, rows: usize, columns: usize| {
            lt::create_matrix_layout(of, rows as u64, columns as u64, rows as i64)
        };
        let (weight, turned) = match way {
            Way::Forward => (layout(input, inner, columns)?, 1i32),
            Way::Back | Way::Gradient => (layout(input, columns, inner)?, 0i32),
        };
        let (x, x_turned) = match way {
            Way::Gradient => (layout(input, rows, inner)?, 1i32),
            Way::Forward | Way::Back => (layout(input, inner, rows)?, 0i32),
        };
        let out = layout(output, columns, rows)?;
        let operation = lt::create_matmul_desc(CUBLAS_COMPUTE_32F, cudaDataType::CUDA_R_32F)?;
        // SAFETY: each attribute is given what its documentation asks for.
        let algorithm = unsafe {
            set(operation, Attribute::CUBLASLT_MATMUL_DESC_TRANSA, &turned)?;
            set(operation, Attribute::CUBLASLT_MATMUL_DESC_TRANSB, &x_turned)?;
            set(operation, Attribute::CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue)?;
            if epilogue == cublasLtEpilogue_t::CUBLASLT_EPILOGUE_GELU_AUX_BIAS as u32 {
                let stride = columns as i64;
                set(operation, Attribute::CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, &stride)?;
                // The choice of an algorithm wants to see a pointer; each run sets its own.
                let aligned = 256u64;
                set(operation, Attribute::CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, &aligned)?;
            }
            let preference = lt::create_matmul_pref()?;
            lt::set_matmul_pref_attribute(
                preference,
                CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                (&raw const WORKSPACE_SIZE).cast(),
                size_of::<usize>(),
            )?;
            let found =
                lt::get_matmul_algo_heuristic(handle, operation, weight, x, out, out, preference);
            lt::destroy_matmul_pref(preference)?;
            found?.algo
        };
        Ok(Self { operation, weight, x, out, algorithm })
    }
}

static WORKSPACE_SIZE: usize = WORKSPACE;

/// # Safety
/// `value` must be of the type that the attribute has.
unsafe fn set<T>(
    operation: cublasLtMatmulDesc_t,
    attribute: Attribute,
    value: &T,
) -> std::result::Result<(), lt::CublasError> {
    let value = std::ptr::from_ref(value).cast();
    // SAFETY: as the caller says.
    unsafe { lt::set_matmul_desc_attribute(operation, attribute, value, size_of::<T>()) }
}

fn data_type(dtype: DType) -> cudaDataType {
    match dtype {
        DType::F16 => cudaDataType::CUDA_R_16F,
        DType::BF16 => cudaDataType::CUDA_R_16BF,
        _ => cudaDataType::CUDA_R_32F,
    }
}
