//! `x + alpha * residual`: how a ChatGLM block adds what went around it.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::tensors::{all_plain, output, slice};
use super::{composed, parallel, simd};

/// `x + alpha * residual`, of one shape.
pub fn scaled_add(x: &Tensor, residual: &Tensor, alpha: f64) -> Result<Tensor> {
    if !all_plain(&[x, residual]) {
        return composed::scaled_add(x, residual, alpha);
    }
    x.apply_op2(residual, ScaledAdd { alpha })
}

struct ScaledAdd {
    alpha: f64,
}

impl CustomOp2 for ScaledAdd {
    fn name(&self) -> &'static str {
        "scaled-add"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        if x_layout.shape() != residual_layout.shape() {
            bail!("scaled-add: {:?} and {:?}", x_layout.shape(), residual_layout.shape());
        }
        let residual = slice(residual, residual_layout)?;
        let mut y = slice(x, x_layout)?.to_vec();
        parallel::blocks(&mut y, 1, parallel::ELEMENTWISE, |start, y| {
            simd::add_scaled(y, self.alpha as f32, &residual[start..start + y.len()]);
        });
        Ok(output(y, x_layout.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        residual: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let dx = x.track_op().then(|| dy.clone());
        let d_residual = if residual.track_op() { Some((dy * self.alpha)?) } else { None };
        Ok((dx, d_residual))
    }
}
