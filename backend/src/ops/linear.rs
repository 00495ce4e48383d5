//! `y = x Wᵀ + b`, alone or with what follows it in a block.
//!
//! A frozen weight costs nothing in the backward and leaves nothing behind: candle's own matmul
//! would compute and keep its gradient.

mod frozen;
mod then;

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

pub(super) use frozen::Frozen;
use frozen::{project, project_back};
pub use then::{linear_gelu, linear_residual};

use super::gemm::{By, Matrix, MatrixMut, matmul};
use super::tensors::{all_plain, output, room, rows_of, slice, tensor, values, with_last};
use super::{composed, simd};

/// Maps `x` `[.., in]` to `[.., out]` by `weight` `[out, in]` and `bias` `[out]`.
///
/// The gradients of `weight` and `bias` are computed only when they are tracked.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    match bias {
        Some(bias) if all_plain(&[x, weight, bias]) => x.apply_op3(weight, bias, Linear),
        None if all_plain(&[x, weight]) => x.apply_op2(weight, Linear),
        _ => composed::linear(x, weight, bias),
    }
}

struct Linear;

impl Linear {
    /// The gradients of x, weight and bias, of those that are wanted.
    fn gradients(
        x: &Tensor,
        weight: &Tensor,
        dy: &Tensor,
        bias_wanted: bool,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (outputs, inputs) = weight.dims2()?;
        let dy = dy.contiguous()?;
        let dy = values(&dy)?;
        let mut dx = None;
        if x.track_op() {
            let weight = values(weight)?;
            let gradient = project_back(&dy, &weight, outputs, inputs, |_, _, _| {});
            dx = Some(tensor(gradient, x.shape())?);
        }
        let mut d_weight = None;
        if weight.track_op() {
            let (rows, _) = rows_of(x.shape());
            let mut gradient = room(outputs * inputs);
            let dy = Matrix::new(&dy, rows, outputs).transposed();
            let to = &mut MatrixMut::new(&mut gradient, outputs, inputs);
            matmul(to, dy, Matrix::new(&values(x)?, rows, inputs), By::Pool);
            d_weight = Some(tensor(gradient, (outputs, inputs))?);
        }
        let mut d_bias = None;
        if bias_wanted {
            let mut sums = vec![0.0; outputs];
            for row in dy.chunks_exact(outputs) {
                simd::add(&mut sums, row);
            }
            d_bias = Some(tensor(sums, outputs)?);
        }
        Ok((dx, d_weight, d_bias))
    }
}

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (outputs, _) = weight_layout.shape().dims2()?;
        let (x, weight) = (slice(x, x_layout)?, slice(weight, weight_layout)?);
        let y = project(x, weight, None, outputs, |_, _, _| {})?;
        Ok(output(y, with_last(x_layout.shape(), outputs)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (dx, d_weight, _) = Self::gradients(x, weight, dy, false)?;
        Ok((dx, d_weight))
    }
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (outputs, _) = weight_layout.shape().dims2()?;
        let (x, weight) = (slice(x, x_layout)?, slice(weight, weight_layout)?);
        let bias = slice(bias, bias_layout)?;
        let y = project(x, weight, Some(bias), outputs, |_, _, _| {})?;
        Ok(output(y, with_last(x_layout.shape(), outputs)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        Self::gradients(x, weight, dy, bias.track_op())
    }
}
