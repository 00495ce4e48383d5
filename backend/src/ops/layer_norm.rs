//! Layer norm with the biased variance, as PyTorch computes it.
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::simd::{fold, sum, sum_of, versions};
use super::tensors::{all_plain, output, room, rows_of, slice, tensor, values};
use super::{composed, parallel};

/// Normalizes the last axis of `x`, then multiplies by `weight` and adds `bias`.
///
/// The gradients of `weight` and `bias` are computed only when they are tracked.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let Some(y) = super::cuda::layer_norm(x, weight, bias, eps)? {
        return Ok(y);
    }
    if !all_plain(&[x, weight, bias]) {
        return composed::layer_norm(x, weight, bias, eps);
    }
    x.apply_op3(weight, bias, LayerNorm { eps: eps as f32 })
}

struct LayerNorm {
    eps: f32,
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
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
        let x = slice(x, x_layout)?;
        let (weight, bias) = (slice(weight, weight_layout)?, slice(bias, bias_layout)?);
        let (_, model) = rows_of(x_layout.shape());
        let mut y = room(x.len());
        parallel::blocks(&mut y, model, parallel::ELEMENTWISE, |start, y| {
            forward(&x[start..start + y.len()], weight, bias, self.eps, y);
        });
        Ok(output(y, x_layout.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let dy = dy.contiguous()?;
        let dx = if x.track_op() { Some(self.input_gradient(x, weight, &dy)?) } else { None };
        if !weight.track_op() && !bias.track_op() {
            return Ok((dx, None, None));
        }
        let (d_weight, d_bias) = self.affine_gradients(x, &dy)?;
        Ok((dx, Some(d_weight), Some(d_bias)))
    }
}

impl LayerNorm {
    fn input_gradient(&self, x: &Tensor, weight: &Tensor, dy: &Tensor) -> Result<Tensor> {
        let (_, model) = rows_of(x.shape());
        let (x_values, weight, dy) = (values(x)?, values(weight)?, values(dy)?);
        let (x_values, weight, dy) = (&*x_values, &*weight, &*dy);
        let mut dx = room(x_values.len());
        parallel::blocks(&mut dx, model, parallel::ELEMENTWISE, |start, dx| {
            let rows = start..start + dx.len();
            backward(&x_values[rows.clone()], weight, &dy[rows], self.eps, dx);
        });
        tensor(dx, x.shape())
    }

    fn affine_gradients(&self, x: &Tensor, dy: &Tensor) -> Result<(Tensor, Tensor)> {
        let (_, model) = rows_of(x.shape());
        let (x, dy) = (values(x)?, values(dy)?);
        let (mut d_weight, mut d_bias) = (vec![0.0; model], vec![0.0; model]);
        affine_backward(&x, &dy, self.eps, &mut d_weight, &mut d_bias);
        Ok((tensor(d_weight, model)?, tensor(d_bias, model)?))
    }
}

versions! {
    fn forward(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, y: &mut [f32]) = forward_lanes
}

#[inline(always)]
fn forward_lanes(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, y: &mut [f32]) {
    let model = weight.len();
    for (x, y) in x.chunks_exact(model).zip(y.chunks_exact_mut(model)) {
        let (mean, scale) = mean_and_scale(x, eps);
        for (((y, x), weight), bias) in y.iter_mut().zip(x).zip(weight).zip(bias) {
            *y = ((x - mean) * scale).mul_add(*weight, *bias);
        }
    }
}

versions! {
    fn backward(x: &[f32], weight: &[f32], dy: &[f32], eps: f32, dx: &mut [f32]) = backward_lanes
}

/// `dx = scale * (dn - mean(dn) - n * mean(dn * n))`, n a normalized row, dn its gradient.
#[inline(always)]
fn backward_lanes(x: &[f32], weight: &[f32], dy: &[f32], eps: f32, dx: &mut [f32]) {
    let model = weight.len();
    let rows = x.chunks_exact(model).zip(dy.chunks_exact(model)).zip(dx.chunks_exact_mut(model));
    for ((x, dy), dx) in rows {
        let (mean, scale) = mean_and_scale(x, eps);
        for ((dx, dy), weight) in dx.iter_mut().zip(dy).zip(weight) {
            *dx = dy * weight;
        }
        let mean_dn = sum(dx) / model as f32;
        let mean_dn_n =
            sum_of(dx, x, |dn, x, sum| dn.mul_add(x - mean, sum)) * scale / model as f32;
        for (dx, x) in dx.iter_mut().zip(x) {
            let normalized = (x - mean) * scale;
            *dx = scale * (*dx - normalized.mul_add(mean_dn_n, mean_dn));
        }
    }
}

versions! {
    fn affine_backward(
        x: &[f32],
        dy: &[f32],
        eps: f32,
        d_weight: &mut [f32],
        d_bias: &mut [f32],
    ) = affine_backward_lanes
}

#[inline(always)]
fn affine_backward_lanes(
    x: &[f32],
    dy: &[f32],
    eps: f32,
    d_weight: &mut [f32],
    d_bias: &mut [f32],
) {
    let model = d_weight.len();
    for (x, dy) in x.chunks_exact(model).zip(dy.chunks_exact(model)) {
        let (mean, scale) = mean_and_scale(x, eps);
        for (((d_weight, d_bias), x), dy) in
            d_weight.iter_mut().zip(d_bias.iter_mut()).zip(x).zip(dy)
        {
            *d_weight = dy.mul_add((x - mean) * scale, *d_weight);
            *d_bias += dy;
        }
    }
}

#[inline(always)]
fn mean_and_scale(x: &[f32], eps: f32) -> (f32, f32) {
    let mean = sum(x) / x.len() as f32;
    let squares = fold(x, 0.0, |sum, x| (x - mean).mul_add(x - mean, sum), |a, b| a + b);
    (mean, (squares / x.len() as f32 + eps).sqrt().recip())
}
