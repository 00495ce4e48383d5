//! Flash attention for Hopper's products of warpgroups, see `kernels/attention_hopper.cu`.

use std::ffi::c_void;

use candle_core::cuda_backend::cudarc::driver::sys::{
    self, CUtensorMap, CUtensorMapDataType, CUtensorMapFloatOOBfill, CUtensorMapInterleave,
    CUtensorMapL2promotion, CUtensorMapSwizzle,
};
use candle_core::cuda_backend::{CudaDevice, WrapErr as _};
use candle_core::{DType, Result, Tensor, bail};

use super::card::Card;
use super::launch::{Arg, Fresh, Module, OnDevice as _, Threads, device_of, launch, suffix};
use crate::ops::rotary::Rotation;

/// Size of the heads.
const HEAD: usize = 128;
/// Queries, or keys, of a block.
const TILE: usize = 128;
const THREADS: usize = 384;
/// Rows and columns that a copy takes.
const BOX: u32 = 64;
/// Bytes of shared memory, as the kernels count them.
const FORWARD_SHARED: usize = 163_968;
const BACKWARD_SHARED: usize = 165_504;
/// Positions and pairs of a head that the backward can turn.
const ROTATION: (usize, usize) = (2, 32);

/// Whether the kernels were compiled and can compute heads of this size on this GPU.
pub(super) fn fits(device: &CudaDevice, head: usize) -> Result<bool> {
    if head != HEAD || !Module::AttentionHopper.is_compiled() {
        return Ok(false);
    }
    Ok(Card::of(device)?.capability == (9, 0))
}

/// What a launch needs beside its tensors.
#[derive(Clone, Copy)]
pub(super) struct Sizes<'a> {
    pub(super) spans: &'a Tensor,
    pub(super) longest: usize,
    pub(super) tokens: usize,
    pub(super) heads: usize,
    pub(super) scale: Arg,
}

impl Sizes<'_> {
    fn threads(&self, kinds: usize, shared: usize) -> Result<Threads> {
        let (sequences, _) = self.spans.dims2()?;
        let grid = (self.heads, sequences, kinds * self.longest.div_ceil(TILE));
        Ok(Threads::new(grid, THREADS).shared(shared))
    }
}

/// Writes what each position reads to `read` `[tokens, heads * head]`, and the logarithms of the sums of exponentials to
/// `log_sums` `[heads, tokens]`.
pub(super) fn forward(qkv: &Tensor, read: &Fresh, log_sums: &Fresh, sizes: Sizes) -> Result<()> {
    let Sizes { spans, tokens, heads, scale, .. } = sizes;
    let qkv_map = map(qkv, tokens, heads * 3 * HEAD)?;
    launch(
        device_of(qkv)?,
        Module::AttentionHopper,
        ("attention_hopper_forward", suffix(qkv.dtype())?),
        sizes.threads(1, FORWARD_SHARED)?,
        &[
            Arg::structure(&qkv_map),
            Arg::of(read)?,
            Arg::of(log_sums)?,
            Arg::of(spans)?,
            Arg::size(tokens),
            Arg::size(heads),
            scale,
        ],
    )
}

/// Writes the gradient of `qkv` to `d_qkv`, from that of what was read and `deltas` `[heads, tokens]`. Says whether queries
/// and keys are turned back already.
pub(super) fn backward(
    (qkv, d_read): (&Tensor, &Tensor),
    (log_sums, deltas): (&Tensor, &Fresh),
    d_qkv: &Fresh,
    rotation: &Rotation,
    sizes: Sizes,
) -> Result<bool> {
    let Sizes { spans, tokens, heads, scale, .. } = sizes;
    let qkv_map = map(qkv, tokens, heads * 3 * HEAD)?;
    let d_read_map = map(d_read, tokens, heads * HEAD)?;
    let (_, _, angles) = rotation.cos.dims3()?;
    let turns = (rotation.rows, angles / rotation.rows) == ROTATION;
    let (cos, sin) = if turns {
        (Arg::of(&rotation.cos)?, Arg::of(&rotation.sin)?)
    } else {
        (Arg::NULL, Arg::NULL)
    };
    launch(
        device_of(qkv)?,
        Module::AttentionHopper,
        ("attention_hopper_backward", suffix(qkv.dtype())?),
        sizes.threads(2, BACKWARD_SHARED)?,
        &[
            Arg::structure(&qkv_map),
            Arg::structure(&d_read_map),
            Arg::of(log_sums)?,
            Arg::of(deltas)?,
            Arg::of(spans)?,
            Arg::of(d_qkv)?,
            cos,
            sin,
            Arg::size(tokens),
            Arg::size(heads),
            scale,
        ],
    )?;
    Ok(turns)
}

/// How TMA finds boxes in `x` `[rows, columns]`, of f16 or bf16.
fn map(x: &Tensor, rows: usize, columns: usize) -> Result<CUtensorMap> {
    let dtype = match x.dtype() {
        DType::F16 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
        DType::BF16 => CUtensorMapDataType::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
        other => bail!("no attention kernel for {other:?}"),
    };
    let mut map = CUtensorMap { opaque: [0; 16] };
    // SAFETY: the sizes are those of the tensor, and the arrays have a number for each of the two dimensions.
    unsafe {
        sys::cuTensorMapEncodeTiled(
            &raw mut map,
            dtype,
            2,
            x.address()? as *mut c_void,
            [columns as u64, rows as u64].as_ptr(),
            [(columns * x.dtype().size_in_bytes()) as u64].as_ptr(),
            [BOX; 2].as_ptr(),
            [1; 2].as_ptr(),
            CUtensorMapInterleave::CU_TENSOR_MAP_INTERLEAVE_NONE,
            CUtensorMapSwizzle::CU_TENSOR_MAP_SWIZZLE_128B,
            CUtensorMapL2promotion::CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
            CUtensorMapFloatOOBfill::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE,
        )
    }
    .result()
    .w()?;
    Ok(map)
}
