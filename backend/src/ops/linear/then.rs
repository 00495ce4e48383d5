//! A frozen linear layer with the elementwise op that follows it, done while the results of the
//! product are in the cache.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::{Frozen, linear};
use crate::ops::gemm::MatrixMut;
use crate::ops::tensors::{all_plain, output, room, slice, tensor, values};
use crate::ops::{gelu, parallel, scaled_add, simd};

/// `gelu(linear(x))`.
pub fn linear_gelu(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    if weight.track_op() || bias.track_op() || !all_plain(&[x, weight, bias]) {
        return gelu::gelu(&linear(x, weight, Some(bias))?);
    }
    let frozen = Frozen::new(weight, Some(bias));
    x.apply_op1(LinearGelu { frozen, tracked: x.track_op(), inner: OnceLock::new() })
}

/// `alpha * residual + linear(x)`.
pub fn linear_residual(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    residual: &Tensor,
    alpha: f64,
) -> Result<Tensor> {
    if weight.track_op() || bias.track_op() || !all_plain(&[x, weight, bias, residual]) {
        return scaled_add(&linear(x, weight, Some(bias))?, residual, alpha);
    }
    let frozen = Frozen::new(weight, Some(bias));
    x.apply_op2(residual, LinearResidual { frozen, alpha: alpha as f32 })
}

struct LinearGelu {
    frozen: Frozen,
    tracked: bool,
    /// What went into GELU, for the backward.
    inner: OnceLock<Vec<f32>>,
}

impl CustomOp1 for LinearGelu {
    fn name(&self) -> &'static str {
        "linear-gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = slice(x, layout)?;
        if !self.tracked {
            let (y, shape) = self.frozen.project(x, layout.shape(), |_, _, piece| {
                for row in 0..piece.rows() {
                    gelu::in_place(piece.row_mut(row));
                }
            })?;
            return Ok(output(y, shape));
        }
        let outputs = self.frozen.outputs()?;
        let mut y = room(layout.shape().elem_count() / self.frozen.inputs()? * outputs);
        let all = parallel::Shared::new(&mut y);
        let finish = |first: usize, column: usize, inner: &mut MatrixMut| {
            for row in 0..inner.rows() {
                let (start, inner) = ((first + row) * outputs + column, inner.row_mut(row));
                #[expect(unsafe_code, reason = "each piece writes its own part")]
                // SAFETY: the pieces of a product do not overlap.
                gelu::forward(inner, unsafe { all.slice(start, inner.len()) });
            }
        };
        let (inner, shape) = self.frozen.project(x, layout.shape(), finish)?;
        let _ = self.inner.set(inner);
        Ok(output(y, shape))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        let Some(inner) = self.inner.get() else {
            bail!("linear-gelu: backward before forward");
        };
        let dy = dy.contiguous()?;
        let dy = values(&dy)?;
        let dy = &*dy;
        let mut d_inner = room(inner.len());
        parallel::blocks(&mut d_inner, 1, parallel::ELEMENTWISE, |start, d| {
            let range = start..start + d.len();
            gelu::backward(&inner[range.clone()], &dy[range], d);
        });
        let dx = self.frozen.project_back(&d_inner, |_, _, _| {})?;
        Ok(Some(tensor(dx, x.shape())?))
    }
}

struct LinearResidual {
    frozen: Frozen,
    alpha: f32,
}

impl CustomOp2 for LinearResidual {
    fn name(&self) -> &'static str {
        "linear-residual"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, residual) = (slice(x, x_layout)?, slice(residual, residual_layout)?);
        let outputs = self.frozen.outputs()?;
        if x.len() / self.frozen.inputs()? * outputs != residual.len() {
            bail!("linear-residual: {:?} + {:?}", x_layout.shape(), residual_layout.shape());
        }
        let finish = |first: usize, column: usize, piece: &mut MatrixMut| {
            for row in 0..piece.rows() {
                let (start, y) = ((first + row) * outputs + column, piece.row_mut(row));
                simd::add_scaled(y, self.alpha, &residual[start..start + y.len()]);
            }
        };
        let (y, shape) = self.frozen.project(x, x_layout.shape(), finish)?;
        Ok(output(y, shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        residual: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dy = dy.contiguous()?;
        let mut dx = None;
        if x.track_op() {
            let gradient = self.frozen.project_back(&values(&dy)?, |_, _, _| {})?;
            dx = Some(tensor(gradient, x.shape())?);
        }
        let d_residual =
            if residual.track_op() { Some((&dy * f64::from(self.alpha))?) } else { None };
        Ok((dx, d_residual))
    }
}
