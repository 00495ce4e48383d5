//! Layer norm, see `kernels/layer_norm.cu`.

use candle_core::{DType, Result, Tensor};

use super::launch::{Arg, Fresh, Module, Threads, device_of, launch, suffix};
use super::node::{Backward, Gradients, record};

/// As many as chats in one step have.
const FEW_ROWS: usize = 64;

/// See [`crate::ops::layer_norm()`]: `None` where the kernels cannot do it, which is for a weight that learns.
pub(crate) fn layer_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
) -> Result<Option<Tensor>> {
    let all = [x, weight, bias];
    let fits = matches!(x.dtype(), DType::F32 | DType::F16 | DType::BF16)
        && all
            .iter()
            .all(|it| it.device().is_cuda() && it.dtype() == x.dtype() && it.is_contiguous());
    if !fits || weight.track_op() || bias.track_op() {
        return Ok(None);
    }
    let y = forward(x, weight, bias, eps)?;
    if !x.track_op() {
        return Ok(Some(y.tensor()));
    }
    let backward = LayerNorm { x: x.detach(), weight: weight.clone(), eps };
    record(y, [x, weight, bias], backward).map(Some)
}

struct LayerNorm {
    x: Tensor,
    weight: Tensor,
    eps: f64,
}

impl Backward for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn backward(&self, dy: &Tensor) -> Result<Gradients> {
        let dx = backward(&self.x, &self.weight, dy, self.eps)?;
        Ok((Some(dx.tensor()), None, None))
    }
}

/// Bytes of shared memory for `rows` rows of `columns`: none where the kernel holds them in registers.
fn shared(x: &Tensor, columns: usize, rows: usize) -> usize {
    let pack = 16 / x.dtype().size_in_bytes();
    let in_registers = columns.is_multiple_of(pack) && columns <= 2 * 256 * pack;
    if in_registers { 0 } else { rows * columns * size_of::<f32>() }
}

/// A block for each row. Those of a few chats do not start early: between the products of a token that was slower.
fn threads(x: &Tensor, columns: usize, held: usize) -> Threads {
    let rows = x.elem_count() / columns;
    let threads = Threads::new((rows, 1, 1), 256).shared(shared(x, columns, held));
    if rows > FEW_ROWS { threads.early() } else { threads }
}

/// The normalized rows.
pub(super) fn forward(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Fresh> {
    let columns = weight.elem_count();
    let y = Fresh::new(x.shape(), x.dtype(), device_of(x)?)?;
    launch(
        device_of(x)?,
        Module::LayerNorm,
        ("layer_norm_forward", suffix(x.dtype())?),
        threads(x, columns, 1),
        &[
            Arg::of(x)?,
            Arg::of(weight)?,
            Arg::of(bias)?,
            Arg::of(&y)?,
            Arg::size(columns),
            Arg::F32(eps as f32),
        ],
    )?;
    Ok(y)
}

/// The gradient of `x`, weight and bias being frozen.
pub(super) fn backward(x: &Tensor, weight: &Tensor, dy: &Tensor, eps: f64) -> Result<Fresh> {
    let columns = weight.elem_count();
    let dx = Fresh::new(x.shape(), x.dtype(), device_of(x)?)?;
    launch(
        device_of(x)?,
        Module::LayerNorm,
        ("layer_norm_backward", suffix(x.dtype())?),
        threads(x, columns, 2),
        &[
            Arg::of(x)?,
            Arg::of(weight)?,
            Arg::of(dy)?,
            Arg::of(&dx)?,
            Arg::size(columns),
            Arg::F32(eps as f32),
        ],
    )?;
    Ok(dx)
}
